//! The ledger's promises about labels: never paid twice, never lost, undone by withdrawal.
//!
//! The pipeline runs in-process with labellers that count how often they are asked.

#![allow(clippy::unwrap_used, reason = "a test may end where it fails")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use glassplate_pipeline::asset::{AssetId, Tenant, source_text};
use glassplate_pipeline::catalogue::sqlite::SqliteCatalogue;
use glassplate_pipeline::catalogue::{Catalogue as _, Entry};
use glassplate_pipeline::enrich::{House, Source};
use glassplate_pipeline::fault::{Fault, FaultKind};
use glassplate_pipeline::field::Fields;
use glassplate_pipeline::floor::Floor;
use glassplate_pipeline::image::Limits;
use glassplate_pipeline::ingest::{Ended, Watcher, ingest};
use glassplate_pipeline::label::{Label, LabelKind};
use glassplate_pipeline::opinion::{Maker, Opinion};
use glassplate_pipeline::ports::{Clock, Labeller, Said, Shown, Verbatim};
use glassplate_pipeline::purchase::Dollars;
use glassplate_pipeline::purse::Purse;
use glassplate_pipeline::record::{Parts, Record, State, fold};
use glassplate_pipeline::rendition::Recipe;
use glassplate_pipeline::run::{Balance, Item, Outcome, Run, RunId};
use glassplate_pipeline::store::local::LocalStore;
use glassplate_pipeline::telemetry::Meter;
use glassplate_tests::ledger_view::whole_originals;
use glassplate_tests::pictures::{jpeg, with_comment};
use jiff::Timestamp;

const STEP: &str = "label:counting";

/// Claims one thing of every picture, and counts how often it was asked.
struct Counting {
    maker: Maker,
    asked: AtomicU32,
    busy: AtomicBool,
}

impl Counting {
    fn version(version: &str) -> Arc<Self> {
        let maker = Maker {
            backend: "test".to_owned(),
            model: "counting".to_owned(),
            version: version.to_owned(),
            parameters: String::new(),
        };
        Arc::new(Self { maker, asked: AtomicU32::new(0), busy: AtomicBool::new(false) })
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait::async_trait]
impl Labeller for Counting {
    fn step(&self) -> &str {
        STEP
    }

    fn maker(&self) -> &Maker {
        &self.maker
    }

    async fn label(&self, _picture: &Shown) -> Result<Said, Fault> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.busy.load(Ordering::SeqCst) {
            return Err(Fault::new(FaultKind::Busy, "the labeller has no time"));
        }
        Ok(vec![Label {
            name: format!("thing {}", self.maker.version),
            kind: LabelKind::Object,
            confidence: 0.75,
            wordnet: None,
            parents: Vec::new(),
            instances: Vec::new(),
            evidence: Vec::new(),
        }]
        .into())
    }
}

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

/// A home on disk, its pictures, and a count of runs.
struct Archive {
    folder: tempfile::TempDir,
    runs: AtomicU32,
}

#[derive(Default)]
struct Seen(Vec<Item>);

impl Watcher for Seen {
    fn ended(&mut self, item: &Item, _bytes: u64, _balance: &Balance) {
        self.0.push(item.clone());
    }
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

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn house(&self, labeller: &Arc<Counting>) -> House {
        std::fs::create_dir_all(self.home()).unwrap();
        House {
            tenant: Tenant::default(),
            store: Arc::new(LocalStore::open(&self.home().join("store")).unwrap()),
            objects: None,
            catalogue: Arc::new(SqliteCatalogue::open(&self.home().join("catalogue")).unwrap()),
            labellers: vec![labeller.clone()],
            purse: Purse::empty(),
            clock: Arc::new(Stopped),
            recipe: Recipe::default(),
            limits: Limits::default(),
            meter: Meter::default(),
            floor: Floor::new(64 << 20, 256 << 20),
        }
    }

    /// One run over these files in this order.
    async fn ingest(&self, house: House, lanes: usize, files: &[&Path]) -> (RunId, Vec<Item>) {
        let number = self.runs.fetch_add(1, Ordering::SeqCst);
        let run = Run {
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
            budget: None,
            spent: Dollars::ZERO,
        };
        let id = run.id.clone();
        let sources =
            files.iter().map(|path| Ok(Source::file(path, path.metadata().unwrap().len())));
        let mut seen = Seen::default();
        let stop = AtomicBool::new(false);
        let Ended { balance, left, broken } =
            ingest(&Arc::new(house), run, sources, lanes, &mut seen, &stop).await.unwrap();
        assert!(broken.is_none(), "{broken:?}");
        assert_eq!((left, balance.total()), (0, files.len() as u64));
        (id, seen.0)
    }

    async fn all_parts(&self) -> Vec<Parts> {
        let catalogue = SqliteCatalogue::open(&self.home().join("catalogue")).unwrap();
        let tenant = Tenant::default();
        let assets = catalogue.assets(&tenant, None, None, 1000).await.unwrap();
        catalogue.parts_of_many(&tenant, &assets).await.unwrap()
    }

    async fn parts(&self, asset: &AssetId) -> Parts {
        self.all_parts().await.into_iter().find(|parts| parts.asset.id == *asset).unwrap()
    }
}

fn labelled(parts: &Parts) -> Vec<&Opinion> {
    parts.opinions.iter().filter(|opinion| opinion.step == STEP).collect()
}

fn names(record: &Record) -> Vec<&str> {
    record.labels.iter().map(|label| label.name.as_str()).collect()
}

fn outcomes(items: &[Item]) -> Vec<Outcome> {
    let mut outcomes: Vec<_> = items.iter().map(|item| item.outcome).collect();
    outcomes.sort();
    outcomes
}

#[tokio::test]
async fn a_family_is_labelled_once_and_the_second_opinion_says_from_where() {
    let (archive, labeller) = (Archive::new(), Counting::version("1"));
    let picture = jpeg(64, 48, 1);
    let plain = archive.put("plain.jpg", &picture);
    let captioned = archive.put("captioned.jpg", &with_comment(&picture, "the mill"));
    let other = archive.put("other.jpg", &jpeg(64, 48, 2));
    let (_, items) =
        archive.ingest(archive.house(&labeller), 1, &[&plain, &captioned, &other]).await;
    assert_eq!(outcomes(&items), [Outcome::Enriched; 3]);
    assert_eq!(labeller.asked(), 2);
    let first = archive.parts(items[0].asset.as_ref().unwrap()).await;
    let second = archive.parts(items[1].asset.as_ref().unwrap()).await;
    let (asked, taken) = (labelled(&first)[0], labelled(&second)[0]);
    assert_eq!(asked.reused, None);
    assert_eq!(taken.reused, Some(asked.id.clone()));
    assert_eq!(taken.verdict, asked.verdict);
    assert_eq!(names(&fold(&second, &Verbatim)), ["thing 1"]);
    // Again: nobody is asked and nothing is said.
    let before = archive.all_parts().await;
    let (_, items) =
        archive.ingest(archive.house(&labeller), 1, &[&plain, &captioned, &other]).await;
    assert_eq!(outcomes(&items), [Outcome::Unchanged; 3]);
    assert_eq!((labeller.asked(), archive.all_parts().await), (2, before));
}

#[tokio::test]
async fn a_busy_labeller_fails_the_asset_and_only_its_step_is_done_again() {
    let (archive, labeller) = (Archive::new(), Counting::version("1"));
    let file = archive.put("a.jpg", &jpeg(64, 48, 1));
    labeller.busy.store(true, Ordering::SeqCst);
    let (_, items) = archive.ingest(archive.house(&labeller), 1, &[&file]).await;
    assert_eq!((items[0].outcome, items[0].fault), (Outcome::Failed, Some(FaultKind::Busy)));
    assert!(items[0].reason.as_ref().unwrap().contains("the labeller has no time"));
    let asset = items[0].asset.clone().unwrap();
    let record = fold(&archive.parts(&asset).await, &Verbatim);
    assert_eq!(record.steps[STEP].state, State::Failed);
    assert_eq!(record.renditions.len(), 3);

    labeller.busy.store(false, Ordering::SeqCst);
    let (_, items) = archive.ingest(archive.house(&labeller), 1, &[&file]).await;
    assert_eq!(items[0].outcome, Outcome::Enriched);
    let parts = archive.parts(&asset).await;
    let mut steps: Vec<_> = parts.opinions.iter().map(|opinion| opinion.step.as_str()).collect();
    steps.sort();
    assert_eq!(steps, ["assess", "identify", STEP, STEP, "render"]);
    assert_eq!(fold(&parts, &Verbatim).steps[STEP].state, State::Done);
    assert_eq!(labeller.asked(), 2);
}

#[tokio::test]
async fn a_new_version_is_asked_and_a_withdrawn_run_gives_the_old_answer_back() {
    let archive = Archive::new();
    let file = archive.put("a.jpg", &jpeg(64, 48, 1));
    let (old, new) = (Counting::version("1"), Counting::version("2"));
    archive.ingest(archive.house(&old), 1, &[&file]).await;
    let (run, items) = archive.ingest(archive.house(&new), 1, &[&file]).await;
    assert_eq!((items[0].outcome, new.asked()), (Outcome::Enriched, 1));
    let asset = items[0].asset.clone().unwrap();
    let parts = archive.parts(&asset).await;
    assert_eq!(labelled(&parts).len(), 2, "both opinions stay");
    assert_eq!(names(&fold(&parts, &Verbatim)), ["thing 2"]);

    let catalogue = SqliteCatalogue::open(&archive.home().join("catalogue")).unwrap();
    let mut withdrawn = catalogue.run(&Tenant::default(), &run).await.unwrap().unwrap();
    withdrawn.withdrawn = true;
    catalogue.append(&Tenant::default(), vec![Entry::Run(withdrawn)]).await.unwrap();
    let parts = archive.parts(&asset).await;
    assert_eq!(labelled(&parts).len(), 2, "the ledger forgets nothing");
    assert_eq!(names(&fold(&parts, &Verbatim)), ["thing 1"]);
}

#[tokio::test]
async fn the_same_bytes_in_many_lanes_are_one_asset_asked_once() {
    let (archive, labeller) = (Archive::new(), Counting::version("1"));
    let picture = jpeg(200, 150, 1);
    let files: Vec<PathBuf> = (0..16).map(|n| archive.put(&format!("{n}.jpg"), &picture)).collect();
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let (_, items) = archive.ingest(archive.house(&labeller), 8, &files).await;
    let mut expected = vec![Outcome::Enriched];
    expected.extend([Outcome::Duplicate; 15]);
    assert_eq!(outcomes(&items), expected);
    assert_eq!(labeller.asked(), 1);
    let parts = archive.all_parts().await;
    assert_eq!((parts.len(), parts[0].occurrences.len()), (1, 16));
    assert_eq!(parts[0].opinions.len(), 4);
    assert_eq!(whole_originals(&archive.home()), 1);
}

#[tokio::test]
async fn a_lost_original_is_put_back_and_a_cut_one_is_told() {
    let (archive, labeller) = (Archive::new(), Counting::version("1"));
    let file = archive.put("a.jpg", &jpeg(64, 48, 1));
    archive.ingest(archive.house(&labeller), 1, &[&file]).await;
    let kept = glassplate_tests::ledger_view::stored(&archive.home());
    let name = kept.keys().find(|name| name.contains("originals")).unwrap();
    let original = archive.home().join("store").join(name);
    std::fs::remove_file(&original).unwrap();
    let (_, items) = archive.ingest(archive.house(&labeller), 1, &[&file]).await;
    assert_eq!(items[0].fault, None);
    assert_eq!(glassplate_tests::ledger_view::stored(&archive.home()), kept);

    std::fs::remove_file(&original).unwrap();
    std::fs::write(&original, b"cut").unwrap();
    let (_, items) = archive.ingest(archive.house(&labeller), 1, &[&file]).await;
    assert_eq!((items[0].outcome, items[0].fault), (Outcome::Failed, Some(FaultKind::Broken)));
    assert!(items[0].reason.as_ref().unwrap().contains("the stored original is damaged"));
    assert_eq!(std::fs::read(&original).unwrap(), b"cut", "an original is never overwritten");
    assert_eq!(labeller.asked(), 1);
}

#[tokio::test]
async fn other_limits_ask_only_what_was_refused() {
    let (archive, labeller) = (Archive::new(), Counting::version("1"));
    let small = archive.put("small.jpg", &jpeg(64, 48, 1));
    let large = archive.put("large.jpg", &jpeg(320, 240, 2));
    let narrow = |side: u32| Limits { side, ..Limits::default() };
    let house = House { limits: narrow(100), ..archive.house(&labeller) };
    let (_, items) = archive.ingest(house, 1, &[&small, &large]).await;
    assert_eq!((items[1].outcome, items[1].fault), (Outcome::Rejected, Some(FaultKind::TooLarge)));
    assert!(items[1].reason.as_ref().unwrap().contains("limits.side"));
    let (small_id, large_id) = (items[0].asset.clone().unwrap(), items[1].asset.clone().unwrap());
    let opinions = archive.parts(&small_id).await.opinions;

    // The same limits refuse again without a new opinion; wider ones take it in.
    let before = archive.all_parts().await;
    let house = House { limits: narrow(100), ..archive.house(&labeller) };
    let (_, items) = archive.ingest(house, 1, &[&small, &large]).await;
    assert_eq!(outcomes(&items), [Outcome::Unchanged, Outcome::Rejected]);
    assert_eq!(archive.all_parts().await, before);
    let house = House { limits: narrow(1000), ..archive.house(&labeller) };
    let (_, items) = archive.ingest(house, 1, &[&small, &large]).await;
    assert_eq!(outcomes(&items), [Outcome::Enriched, Outcome::Unchanged]);
    assert_eq!(archive.parts(&small_id).await.opinions, opinions);
    assert_eq!(fold(&archive.parts(&large_id).await, &Verbatim).width, Some(320));
    assert_eq!(labeller.asked(), 2);
}

#[tokio::test]
async fn another_recipe_renders_again_and_asks_nobody() {
    let (archive, labeller) = (Archive::new(), Counting::version("1"));
    let file = archive.put("a.jpg", &jpeg(320, 240, 1));
    archive.ingest(archive.house(&labeller), 1, &[&file]).await;
    let recipe = Recipe { sizes: vec![128, 32], ..Recipe::default() };
    let house = House { recipe, ..archive.house(&labeller) };
    let (_, items) = archive.ingest(house, 1, &[&file]).await;
    assert_eq!(items[0].outcome, Outcome::Enriched);
    let record = fold(&archive.parts(items[0].asset.as_ref().unwrap()).await, &Verbatim);
    let widths: Vec<u32> = record.renditions.iter().map(|rendition| rendition.width).collect();
    assert_eq!(widths, [128, 32]);
    assert_eq!(labeller.asked(), 1);
}
