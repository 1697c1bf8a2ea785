//! Labellers that cost money: bought once, within the budget, whatever happens over the call.

#![allow(clippy::unwrap_used, reason = "a test may end where it fails")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use glassplate_pipeline::asset::{AssetId, Tenant};
use glassplate_pipeline::catalogue::sqlite::SqliteCatalogue;
use glassplate_pipeline::catalogue::{Catalogue as _, Entry};
use glassplate_pipeline::enrich::{House, Rehearsal, Source, foresee};
use glassplate_pipeline::fault::{Fault, FaultKind};
use glassplate_pipeline::floor::Floor;
use glassplate_pipeline::image::Limits;
use glassplate_pipeline::ingest::{Ended, ingest};
use glassplate_pipeline::label::LabelKind;
use glassplate_pipeline::opinion::{Opinion, Verdict};
use glassplate_pipeline::pass::Watcher;
use glassplate_pipeline::ports::{Clock, Labeller, Maker, Said, Shown, Testimony, Triage, Worth};
use glassplate_pipeline::purchase::{Dollars, PurchaseState};
use glassplate_pipeline::purse::{Always, Purse};
use glassplate_pipeline::quote::{Account, Quote, account_of, worth_asking};
use glassplate_pipeline::record::Parts;
use glassplate_pipeline::rendition::Recipe;
use glassplate_pipeline::run::{Balance, Item, Run, RunId};
use glassplate_pipeline::store::local::LocalStore;
use glassplate_pipeline::telemetry::Meter;
use glassplate_tests::pictures::{jpeg, with_comment};
use glassplate_tests::scripted::{Scripted, claim};
use jiff::Timestamp;

const PRICE: Dollars = Dollars::from_millionths(1_000);
const STEP: &str = "label:service";

/// A service that costs money and fails as it is told to.
struct Service {
    step: &'static str,
    maker: Maker,
    asked: AtomicU32,
    /// What the next calls meet, the last first; it answers when nothing is left.
    meets: Mutex<Vec<FaultKind>>,
}

impl Service {
    fn meeting(faults: &[FaultKind]) -> Arc<Self> {
        Self::of(STEP, faults)
    }

    fn of(step: &'static str, faults: &[FaultKind]) -> Arc<Self> {
        let [backend, model, version] = ["service", "m", "1"].map(str::to_owned);
        let maker = Maker { backend, model, version, parameters: String::new() };
        let meets = Mutex::new(faults.iter().rev().copied().collect());
        Arc::new(Self { step, maker, asked: AtomicU32::new(0), meets })
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Labeller for Service {
    fn step(&self) -> &str {
        self.step
    }

    fn maker(&self) -> &Maker {
        &self.maker
    }

    async fn label(&self, picture: &Shown) -> Result<Said, Fault> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        assert!(picture.file.is_some(), "a service is shown a file");
        match self.meets.lock().unwrap().pop() {
            Some(FaultKind::Refused) => {
                Err(Fault::new(FaultKind::Refused, "who are you").for_all())
            }
            Some(kind) => Err(Fault::new(kind, "as told")),
            None => Ok(vec![claim("dog", "n02084071", LabelKind::Object, 0.9)].into()),
        }
    }

    fn price(&self) -> Option<Dollars> {
        Some(PRICE)
    }
}

/// Asks about pictures in which the labeller here saw nothing sure.
struct Unsure;

impl Triage for Unsure {
    fn judge(&self, testimony: &Testimony<'_>) -> Worth {
        let mut labels = testimony.opinions.iter().flat_map(|opinion| opinion.labels());
        match labels.any(|label| label.confidence > 0.5) {
            true => Worth::Nothing("sure enough".to_owned()),
            false => Worth::Asking,
        }
    }
}

struct Wall;

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

struct Nobody;

impl Watcher for Nobody {
    fn ended(&mut self, _item: &Item, _bytes: u64, _balance: &Balance) {}
}

struct Archive {
    folder: tempfile::TempDir,
    runs: AtomicU32,
}

impl Archive {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), runs: AtomicU32::new(0) }
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn catalogue(&self) -> SqliteCatalogue {
        SqliteCatalogue::open(&self.folder.path().join("catalogue")).unwrap()
    }

    fn house(&self, labellers: Vec<Arc<dyn Labeller>>, purse: Purse) -> Arc<House> {
        Arc::new(House {
            tenant: Tenant::default(),
            store: Arc::new(LocalStore::open(&self.folder.path().join("store")).unwrap()),
            objects: None,
            catalogue: Arc::new(self.catalogue()),
            labellers,
            purse,
            clock: Arc::new(Wall),
            recipe: Recipe::default(),
            limits: Limits::default(),
            meter: Meter::default(),
            floor: Floor::new(64 << 20, 256 << 20),
        })
    }

    async fn ingest(&self, house: &Arc<House>, files: &[PathBuf]) -> (RunId, Ended) {
        let number = self.runs.fetch_add(1, Ordering::SeqCst);
        let run = run(number, house.purse.budget());
        let id = run.id.clone();
        let sources = files.iter().map(|path| Ok(source(path)));
        let stop = AtomicBool::new(false);
        let ended = ingest(house, run, sources, 4, &mut Nobody, &stop).await.unwrap();
        (id, ended)
    }

    async fn said(&self) -> Vec<Opinion> {
        let all = self.parts().await.into_iter().flat_map(|parts| parts.opinions);
        all.filter(|opinion| opinion.step == STEP).collect()
    }

    async fn parts(&self) -> Vec<Parts> {
        let (catalogue, tenant) = (self.catalogue(), Tenant::default());
        let assets: Vec<AssetId> = catalogue.assets(&tenant, None, None, 1000).await.unwrap();
        catalogue.parts_of_many(&tenant, &assets).await.unwrap()
    }

    async fn account(&self, run: &RunId) -> Account {
        account_of(&self.catalogue(), &Tenant::default(), run).await.unwrap()
    }
}

fn source(path: &Path) -> Source {
    Source::file(path, path.metadata().unwrap().len())
}

fn run(number: u32, budget: Dollars) -> Run {
    Run {
        id: RunId::new(Timestamp::UNIX_EPOCH, number),
        tenant: Tenant::default(),
        collection: "plates".to_owned(),
        sources: Vec::new(),
        version: "test".to_owned(),
        started: Timestamp::UNIX_EPOCH,
        finished: None,
        balance: Balance::default(),
        withdrawn: false,
        trial: false,
        budget: Some(budget),
        spent: Dollars::ZERO,
    }
}

fn purse(calls: u64) -> Purse {
    Purse::new(PRICE * calls, Arc::new(Always))
}

#[tokio::test]
async fn a_family_is_bought_once_by_many_lanes_and_never_again() {
    let (archive, service) = (Archive::new(), Service::meeting(&[]));
    let picture = jpeg(64, 48, 1);
    let files: Vec<PathBuf> = (0..8)
        .map(|n| archive.put(&format!("{n}.jpg"), &with_comment(&picture, &n.to_string())))
        .collect();
    let house = archive.house(vec![service.clone()], purse(100));
    let (first, ended) = archive.ingest(&house, &files).await;
    assert_eq!((ended.balance.enriched, service.asked()), (8, 1));
    let account = archive.account(&first).await;
    assert_eq!((account.answered, account.spent), (1, PRICE));
    let kept = archive.catalogue().run(&Tenant::default(), &first).await.unwrap().unwrap();
    assert_eq!((kept.spent, kept.budget), (PRICE, Some(PRICE * 100)));

    let (again, ended) = archive.ingest(&house, &files).await;
    assert_eq!((ended.balance.unchanged, service.asked()), (8, 1));
    assert_eq!(archive.account(&again).await, Account::default());
}

#[tokio::test]
async fn no_more_is_asked_than_the_budget_pays_for_and_the_rest_is_asked_later() {
    let (archive, service) = (Archive::new(), Service::meeting(&[]));
    let files: Vec<_> =
        (0..6).map(|n| archive.put(&format!("{n}.jpg"), &jpeg(64, 48, n))).collect();
    let house = archive.house(vec![service.clone()], purse(4));
    let (_, ended) = archive.ingest(&house, &files).await;
    assert_eq!((ended.balance.enriched, service.asked()), (6, 4));
    let unpaid = archive.said().await.into_iter().filter(|opinion| {
        matches!(&opinion.verdict, Verdict::NotRun { reason } if reason.contains("budget of 0.004"))
    });
    assert_eq!(unpaid.count(), 2);

    let house = archive.house(vec![service.clone()], purse(4));
    let (run, ended) = archive.ingest(&house, &files).await;
    assert_eq!((ended.balance.unchanged, ended.balance.enriched), (4, 2));
    assert_eq!((service.asked(), archive.account(&run).await.answered), (6, 2));
}

#[tokio::test]
async fn a_lost_answer_is_bought_again_and_counted_a_refused_call_is_not() {
    use FaultKind::{Busy, TimedOut};

    let (archive, service) = (Archive::new(), Service::meeting(&[TimedOut, TimedOut]));
    let file = vec![archive.put("a.jpg", &jpeg(64, 48, 1))];
    let house = archive.house(vec![service.clone()], purse(10));
    let (run, ended) = archive.ingest(&house, &file).await;
    assert_eq!((ended.balance.enriched, service.asked()), (1, 3));
    let account = archive.account(&run).await;
    assert_eq!((account.answered, account.lost, account.spent), (1, 2, PRICE * 3));
    assert_eq!((house.purse.spent(), house.purse.calls()), (PRICE * 3, 3));

    let (archive, service) = (Archive::new(), Service::meeting(&[Busy]));
    let file = vec![archive.put("a.jpg", &jpeg(64, 48, 1))];
    let house = archive.house(vec![service.clone()], purse(10));
    let (run, ended) = archive.ingest(&house, &file).await;
    assert_eq!(ended.balance.failed, 1);
    let account = archive.account(&run).await;
    assert_eq!(
        (account.free, account.spent, house.purse.spent()),
        (1, Dollars::ZERO, Dollars::ZERO)
    );
    let (_, ended) = archive.ingest(&house, &file).await;
    assert_eq!((ended.balance.enriched, service.asked()), (1, 2));
}

#[tokio::test]
async fn an_answer_that_never_arrives_is_given_up_for_good() {
    let (archive, service) = (Archive::new(), Service::meeting(&[FaultKind::TimedOut; 9]));
    let file = vec![archive.put("a.jpg", &jpeg(64, 48, 1))];
    for calls in [5, 5] {
        let house = archive.house(vec![service.clone()], purse(10));
        let (_, ended) = archive.ingest(&house, &file).await;
        assert_eq!((ended.balance.failed, service.asked()), (1, calls));
    }
    let said = archive.said().await;
    let never = |opinion: &Opinion| matches!(&opinion.verdict, Verdict::Failed { fault: FaultKind::Refused, reason } if reason.contains("perhaps paid"));
    assert!(said.iter().all(never), "{said:?}");
}

#[tokio::test]
async fn a_worker_that_died_over_a_call_costs_one_more_and_a_living_one_is_waited_for() {
    let (archive, service) = (Archive::new(), Service::meeting(&[]));
    let file = vec![archive.put("a.jpg", &jpeg(64, 48, 1))];
    let house = archive.house(vec![service.clone()], purse(1));
    archive.ingest(&house, &file).await;
    let bought = {
        let catalogue = archive.catalogue();
        let runs = catalogue.runs(&Tenant::default(), None, 1).await.unwrap();
        catalogue
            .purchases_of_run(&Tenant::default(), &runs[0].id, None, 9)
            .await
            .unwrap()
            .remove(0)
    };

    // Another archive, in which another run reserved the same a moment ago and never settled.
    let archive = Archive::new();
    let file = vec![archive.put("a.jpg", &jpeg(64, 48, 1))];
    let mut left = bought.clone();
    left.run = RunId::new(Timestamp::UNIX_EPOCH, 77);
    left.state = PurchaseState::Reserved;
    left.at = Timestamp::now();
    let entry = vec![Entry::Purchase(left.clone())];
    archive.catalogue().append(&Tenant::default(), entry).await.unwrap();
    let service = Service::meeting(&[]);
    let patience = Duration::from_millis(1500);
    let house = archive.house(vec![service.clone()], purse(5).patient(patience));
    let began = std::time::Instant::now();
    let (run, ended) = archive.ingest(&house, &file).await;
    assert!(began.elapsed() >= patience, "the other worker might have lived");
    assert_eq!((ended.balance.enriched, service.asked()), (1, 1));
    assert_eq!(archive.account(&run).await.answered, 1);
    assert_eq!(archive.account(&left.run).await.reserved, 1);
}

#[tokio::test]
async fn a_service_that_refuses_us_ends_the_run_at_once() {
    let (archive, service) = (Archive::new(), Service::meeting(&[FaultKind::Refused; 99]));
    let files: Vec<_> =
        (0..40).map(|n| archive.put(&format!("{n}.jpg"), &jpeg(64, 48, n))).collect();
    let house = archive.house(vec![service.clone()], purse(100));
    let (run, ended) = archive.ingest(&house, &files).await;
    assert!(ended.broken.unwrap().reason().contains("who are you"));
    assert!(ended.left >= 30, "{} left", ended.left);
    assert_eq!(ended.balance.total() + ended.left, 40);
    assert!(service.asked() <= 8, "asked {} times", service.asked());
    assert_eq!(archive.account(&run).await.spent, Dollars::ZERO);
}

#[tokio::test]
async fn what_was_bought_is_kept_although_what_follows_it_fails() {
    let archive = Archive::new();
    let (first, second) =
        (Service::meeting(&[]), Service::of("label:second", &[FaultKind::Refused]));
    let file = vec![archive.put("a.jpg", &jpeg(64, 48, 1))];
    let labellers = || -> Vec<Arc<dyn Labeller>> { vec![first.clone(), second.clone()] };
    let house = archive.house(labellers(), purse(10));
    let (_, ended) = archive.ingest(&house, &file).await;
    assert!(ended.broken.is_some(), "the second refuses us altogether");
    assert_eq!((first.asked(), second.asked()), (1, 1));
    let house = archive.house(labellers(), purse(10));
    let (_, ended) = archive.ingest(&house, &file).await;
    assert_eq!((ended.balance.enriched, first.asked(), second.asked()), (1, 1, 2));
}

#[tokio::test]
async fn only_what_is_not_sure_is_bought_and_the_quote_told_it() {
    // Sure of wide pictures.
    let here = Scripted::new("here", "1", |raster| {
        let confidence = if raster.width() > raster.height() { 0.9 } else { 0.1 };
        vec![claim("cat", "n02121620", LabelKind::Object, confidence)]
    });
    let (archive, service) = (Archive::new(), Service::meeting(&[]));
    let mut files = vec![
        archive.put("wide.jpg", &jpeg(64, 48, 1)),
        archive.put("tall.jpg", &jpeg(48, 64, 2)),
        archive.put("tall too.jpg", &jpeg(48, 64, 3)),
    ];
    let labellers: Vec<Arc<dyn Labeller>> = vec![service.clone(), here.clone()];
    let house = archive.house(labellers, Purse::new(PRICE * 9, Arc::new(Unsure)));
    let quote = async |files: &[PathBuf]| {
        let (mut quote, mut rehearsal) = (Quote::default(), Rehearsal::default());
        for file in files {
            quote.add(&foresee(&house, "plates", &source(file), &mut rehearsal).await);
        }
        quote
    };
    assert_eq!(quote(&files).await.at_most(), PRICE * 3, "nothing is known yet");
    let (run, ended) = archive.ingest(&house, &files).await;
    assert_eq!((ended.balance.enriched, here.asked(), service.asked()), (3, 3, 2));
    assert_eq!(archive.account(&run).await.answered, 2);
    let unasked = archive.said().await.into_iter().find(
        |opinion| matches!(&opinion.verdict, Verdict::NotRun { reason } if reason == "sure enough"),
    );
    assert!(unasked.is_some());

    assert_eq!(quote(&files).await, Quote::default(), "everything is settled");
    let (_, ended) = archive.ingest(&house, &files).await;
    assert_eq!((ended.balance.unchanged, service.asked()), (3, 2));
    assert_eq!(worth_asking(&house, "plates", 10).await.unwrap(), (2, 3));

    files.push(archive.put("captioned.jpg", &with_comment(&jpeg(48, 64, 3), "the mill")));
    files.push(archive.put("another.jpg", &jpeg(48, 64, 4)));
    let told = quote(&files).await;
    assert_eq!((told.calls(), told.lines[STEP].known), (1, 1), "a family is bought once");
    let (_, ended) = archive.ingest(&house, &files).await;
    assert_eq!(ended.balance.enriched, 2);
    assert_eq!(service.asked(), 3);
}
