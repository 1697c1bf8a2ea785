//! Restorations from first to last: made, found again, taken back, done away with; and the original
//! and its labels as they were.

#![allow(clippy::unwrap_used, reason = "a test may end where it fails")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use async_trait::async_trait;
use glassplate_pipeline::asset::AssetId;
use glassplate_pipeline::catalogue::Entry;
use glassplate_pipeline::enrich::House;
use glassplate_pipeline::fault::{Fault, FaultKind};
use glassplate_pipeline::image::embedded;
use glassplate_pipeline::label::{Label, LabelKind};
use glassplate_pipeline::opinion::Subject;
use glassplate_pipeline::pass::{Ended, Watcher};
use glassplate_pipeline::ports::{Maker, Pace, Restorer, Rows, Verbatim};
use glassplate_pipeline::raster::Raster;
use glassplate_pipeline::record::{Record, State, fold};
use glassplate_pipeline::restoration::{Mode, Plan, Repair, SOURCE_TYPE};
use glassplate_pipeline::restore::{Order, Workshop, discard, restore};
use glassplate_pipeline::run::{Balance, Item, Outcome, Run, RunId};
use glassplate_pipeline::store::Key;
use glassplate_tests::photographs::decoded;
use glassplate_tests::pictures;
use glassplate_tests::scripted::{COLLECTION, Scripted, claim, house, ingested};
use jiff::Timestamp;

/// Makes every pixel its negative, or each into two by two; counts how often.
struct Trick {
    repair: Repair,
    maker: Maker,
    scale: u32,
    done: AtomicU32,
}

impl Trick {
    fn new(repair: Repair, scale: u32) -> Arc<Self> {
        let maker = Maker {
            backend: "test".to_owned(),
            model: repair.name().to_owned(),
            version: "1".to_owned(),
            parameters: String::new(),
        };
        Arc::new(Self { repair, maker, scale, done: AtomicU32::new(0) })
    }
}

#[async_trait]
impl Restorer for Trick {
    fn repair(&self) -> Repair {
        self.repair
    }

    fn maker(&self) -> &Maker {
        &self.maker
    }

    fn scale(&self) -> u32 {
        self.scale
    }

    fn memory(&self, _: u64, _: u64) -> u64 {
        0
    }

    async fn restore(
        &self,
        picture: &Arc<Raster>,
        _: Option<f32>,
        rows: &mut dyn Rows,
        pace: &dyn Pace,
    ) -> Result<Option<String>, Fault> {
        self.done.fetch_add(1, Ordering::SeqCst);
        for row in picture.rgb().chunks_exact(picture.width() as usize * 3) {
            if !pace.goes_on(0.5) {
                return Err(Fault::new(FaultKind::Busy, "stopped"));
            }
            let wide: Vec<u8> = row
                .chunks_exact(3)
                .flat_map(|pixel| {
                    pixel.iter().map(|v| 255 - v).collect::<Vec<_>>().repeat(self.scale as usize)
                })
                .collect();
            for _ in 0..self.scale {
                rows.take(&wide)?;
            }
        }
        Ok(Some("made its negative".to_owned()))
    }
}

/// Looks away.
struct Away;

impl Watcher for Away {
    fn ended(&mut self, _: &Item, _: u64, _: &Balance) {}
}

fn run() -> Run {
    static RUNS: AtomicU32 = AtomicU32::new(1000);
    let (now, number) = (Timestamp::now(), RUNS.fetch_add(1, Ordering::SeqCst));
    let id = RunId::new(now, number);
    Run::begun(
        id,
        &glassplate_pipeline::asset::Tenant::default(),
        COLLECTION,
        Vec::new(),
        "test",
        now,
    )
}

fn says_boat(_: &Raster) -> Vec<Label> {
    vec![claim("boat", "", LabelKind::Object, 0.9)]
}

/// A home with one picture of 90 x 61 pixels.
async fn home_with_a_picture(folder: &Path) -> (Arc<House>, AssetId) {
    home_with(folder, &Scripted::new("looker", "1", says_boat)).await
}

/// The same, looked at by another.
async fn home_with(folder: &Path, labeller: &Arc<Scripted>) -> (Arc<House>, AssetId) {
    let file = folder.join("plate.jpg");
    std::fs::write(&file, pictures::jpeg(90, 61, 7)).unwrap();
    let done = ingested(&folder.join("home"), labeller, &[&file]).await;
    let asset = done.items[0].asset.clone().unwrap();
    (Arc::new(house(&folder.join("home"), labeller)), asset)
}

async fn record(house: &House, asset: &AssetId) -> Record {
    let parts = house.catalogue.parts(&house.tenant, asset).await.unwrap().unwrap();
    fold(&parts, &Verbatim)
}

async fn restored(
    house: &Arc<House>,
    team: &[Arc<Trick>],
    plan: &Plan,
    asset: &AssetId,
) -> (Run, Ended) {
    stoppable(house, team, plan, asset, &Arc::default()).await
}

async fn stoppable(
    house: &Arc<House>,
    team: &[Arc<Trick>],
    plan: &Plan,
    asset: &AssetId,
    stop: &Arc<AtomicBool>,
) -> (Run, Ended) {
    let order = Order { asset: asset.clone(), plan: plan.clone(), label: false };
    performed(house, team, order, stop).await
}

async fn performed(
    house: &Arc<House>,
    team: &[Arc<Trick>],
    order: Order,
    stop: &Arc<AtomicBool>,
) -> (Run, Ended) {
    let restorers = team.iter().map(|one| one.clone() as Arc<dyn Restorer>).collect();
    let (run, orders) = (run(), vec![order]);
    // The pass looks at `stop` before the picture; the restorer meets it in the middle.
    let told = {
        let (stop, wanted) = (stop.clone(), stop.load(Ordering::SeqCst));
        stop.store(false, Ordering::SeqCst);
        Arc::new(move |_: f32| stop.store(wanted, Ordering::SeqCst))
    };
    let workshop = Workshop::new(restorers);
    let ended = restore(house, &workshop, run.clone(), orders, &mut Away, told, stop.clone()).await;
    (run, ended.unwrap())
}

#[tokio::test]
async fn a_restoration_stands_beside_its_original_says_what_it_is_and_can_be_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let (house, asset) = home_with_a_picture(folder.path()).await;
    let before = record(&house, &asset).await;
    let team = [Trick::new(Repair::Levels, 1), Trick::new(Repair::Upscale, 2)];
    let plan = Plan::new([Repair::Upscale, Repair::Levels], Mode::Fast).unwrap();

    let (first, ended) = restored(&house, &team, &plan, &asset).await;
    assert_eq!((ended.balance.enriched, ended.balance.total()), (1, 1));
    let after = record(&house, &asset).await;
    assert_eq!(after.labels, before.labels);
    assert_eq!(after.renditions, before.renditions);
    let [made] = &after.restorations[..] else { panic!("{:?}", after.restorations) };
    assert_eq!(made.restoration.name, "levels+upscale-fast");
    assert_eq!(made.run, first.id);
    let did: Vec<_> = made.restoration.repairs.iter().map(|one| one.repair).collect();
    assert_eq!(did, [Repair::Levels, Repair::Upscale]);
    let [file] = &made.restoration.files[..] else { panic!("{:?}", made.restoration.files) };
    assert_eq!((file.width, file.height), (180, 122));

    // Twice the negative is the picture; the file tells what it is, and the original is untouched.
    let bytes = house.store.read(&Key::from_path(&file.path).unwrap()).await.unwrap();
    let picture = decoded(&bytes).unwrap();
    let original = decoded(&pictures::jpeg(90, 61, 7)).unwrap();
    let at = |picture: &Raster, x: u32, y: u32| {
        i32::from(picture.rgb()[((y * picture.width() + x) * 3 + 1) as usize])
    };
    let apart: i32 =
        (0..60).map(|y| (at(&picture, 2 * y, 2 * y) - at(&original, y, y)).abs()).sum();
    assert!(apart / 60 < 12, "{apart}");
    let told = embedded::read(&bytes, glassplate_pipeline::image::Format::Jpeg).fields;
    assert!(told["digital_source_type"].value.to_string().contains("algorithmicallyEnhanced"));
    assert_eq!(made.restoration.source_type, SOURCE_TYPE);
    let xmp = String::from_utf8_lossy(&bytes);
    for said in [
        asset.as_str(),
        &before.digest.sha256.to_string(),
        "levels",
        "upscale",
        "made its negative",
        "xmpMM:History",
    ] {
        assert!(xmp.contains(said), "{said}");
    }
    let original_key = Key::Original { tenant: house.tenant.clone(), digest: before.digest.sha256 };
    assert_eq!(house.store.read(&original_key).await.unwrap(), pictures::jpeg(90, 61, 7));

    // The same again is known; undone it is gone from the record, and back when it counts again.
    let (_, again) = restored(&house, &team, &plan, &asset).await;
    assert_eq!(again.balance.unchanged, 1);
    assert_eq!(team[0].done.load(Ordering::SeqCst), 1);
    let standing = |run: Run| house.catalogue.append(&house.tenant, vec![Entry::Run(run)]);
    standing(first.clone().undone()).await.unwrap();
    assert!(record(&house, &asset).await.restorations.is_empty());
    standing(first.promoted()).await.unwrap();
    assert_eq!(record(&house, &asset).await.restorations.len(), 1);

    // Deleting takes the file too, and the ledger keeps who did it.
    assert!(discard(&house, run(), &asset, Some("denoise"), "ada").await.is_err());
    discard(&house, run(), &asset, None, "ada").await.unwrap();
    let gone = record(&house, &asset).await;
    assert!(gone.restorations.is_empty());
    let step = &gone.steps["restore:levels+upscale-fast"];
    assert_eq!(
        (step.state, step.reason.as_deref()),
        (State::NoneFound, Some("ada did away with it"))
    );
    let length = house.store.length(&Key::from_path(&file.path).unwrap()).await.unwrap();
    assert_eq!(length, None);
    let (_, anew) = restored(&house, &team, &plan, &asset).await;
    assert_eq!(anew.balance.enriched, 1, "what was deleted can be made anew");
}

/// Says that there is a boat, and a dragon where the picture is not the original.
fn sees_dragons(shown: &Raster) -> Vec<Label> {
    let original = decoded(&pictures::jpeg(90, 61, 7)).unwrap();
    let apart = shown.rgb()[0].abs_diff(original.rgb()[0]);
    let names = if apart > 16 { &["boat", "dragon"][..] } else { &["boat"] };
    names.iter().map(|name| claim(name, "", LabelKind::Object, 0.8)).collect()
}

#[tokio::test]
async fn what_is_seen_only_on_a_restored_picture_is_kept_apart_and_asked_once() {
    let folder = tempfile::tempdir().unwrap();
    let labeller = Scripted::new("looker", "1", sees_dragons);
    let (house, asset) = home_with(folder.path(), &labeller).await;
    let plan = Plan::new([Repair::Colourise], Mode::Fast).unwrap();
    let team = [Trick::new(Repair::Colourise, 1)];
    let ordered = |label| Order { asset: asset.clone(), plan: plan.clone(), label };
    let asked = labeller.asked();
    let before = record(&house, &asset).await;
    performed(&house, &team, ordered(false), &Arc::default()).await;
    assert_eq!(labeller.asked(), asked, "only who wants it has it labelled");

    let (run, ended) = performed(&house, &team, ordered(true), &Arc::default()).await;
    assert_eq!((ended.balance.enriched, team[0].done.load(Ordering::SeqCst)), (1, 1));
    let after = record(&house, &asset).await;
    assert_eq!(after.labels, before.labels);
    let made = &after.restorations[0];
    let only: Vec<_> = made.labels.iter().map(|label| &label.name[..]).collect();
    assert_eq!(only, ["dragon"]);
    let subject = Subject::Restored(made.restoration.digest);
    assert_eq!(subject.to_string().parse::<Subject>().unwrap(), subject);

    let (_, again) = performed(&house, &team, ordered(true), &Arc::default()).await;
    assert_eq!((again.balance.unchanged, labeller.asked()), (1, asked + 1));
    let undone = Entry::Run(run.undone());
    house.catalogue.append(&house.tenant, vec![undone]).await.unwrap();
    assert!(record(&house, &asset).await.restorations[0].labels.is_empty());
}

#[tokio::test]
async fn a_stopped_repair_leaves_nothing_and_an_unknown_one_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (house, asset) = home_with_a_picture(folder.path()).await;
    let plan = Plan::new([Repair::Levels], Mode::Fast).unwrap();
    let stop = Arc::new(AtomicBool::new(true));
    let (run, ended) =
        stoppable(&house, &[Trick::new(Repair::Levels, 1)], &plan, &asset, &stop).await;
    assert_eq!(ended.balance.failed, 1);
    let items = house.catalogue.items(&house.tenant, &run.id, None, 10).await.unwrap();
    assert_eq!(items[0].fault, Some(FaultKind::Busy));
    let after = record(&house, &asset).await;
    assert!(after.restorations.is_empty() && !after.steps.contains_key("restore:levels"));

    let (run, _) = restored(&house, &[], &plan, &asset).await;
    let items = house.catalogue.items(&house.tenant, &run.id, None, 10).await.unwrap();
    assert_eq!((items[0].outcome, items[0].fault), (Outcome::Failed, Some(FaultKind::NotFound)));
}
