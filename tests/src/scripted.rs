//! Labellers that say what a test wants, and runs with them in the home of an archivist.
//!
//! The runs are in-process, so that no network is needed; the home is one that the real
//! binary opens afterwards.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use async_trait::async_trait;
use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::catalogue::sqlite::SqliteCatalogue;
use glassplate_pipeline::embedding::{DIMENSIONS, Embedding, Space};
use glassplate_pipeline::enrich::{House, Source};
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::floor::Floor;
use glassplate_pipeline::image::Limits;
use glassplate_pipeline::ingest::ingest;
use glassplate_pipeline::label::{Label, LabelKind, Synset};
use glassplate_pipeline::pass::{Ended, Watcher};
use glassplate_pipeline::ports::{Clock, Labeller, Maker, Said, Shown};
use glassplate_pipeline::purchase::Dollars;
use glassplate_pipeline::purse::Purse;
use glassplate_pipeline::raster::Raster;
use glassplate_pipeline::relabel::{assets, relabel};
use glassplate_pipeline::rendition::Recipe;
use glassplate_pipeline::run::{Balance, Item, Run, RunId};
use glassplate_pipeline::store::local::LocalStore;
use glassplate_pipeline::telemetry::Meter;
use jiff::Timestamp;

/// The collection that every run works on.
pub const COLLECTION: &str = "plates";

/// What is claimed of a picture.
type Script = fn(&Raster) -> Vec<Label>;

/// Says what its script says, and counts how often it was asked.
pub struct Scripted {
    step: String,
    maker: Maker,
    script: Script,
    space: Option<Space>,
    asked: AtomicU32,
}

impl Scripted {
    /// A labeller of this name and version.
    pub fn new(model: &str, version: &str, script: Script) -> Arc<Self> {
        Arc::new(Self::silent(model, version, script))
    }

    /// The same, with an embedding made of the picture's first pixels.
    pub fn placing(model: &str, version: &str, script: Script, space: &str) -> Arc<Self> {
        let space = Some(Space::named(space));
        Arc::new(Self { space, ..Self::silent(model, version, script) })
    }

    fn silent(model: &str, version: &str, script: Script) -> Self {
        let maker = Maker {
            backend: "test".to_owned(),
            model: model.to_owned(),
            version: version.to_owned(),
            parameters: String::new(),
        };
        let step = format!("label:{model}");
        Self { step, maker, script, space: None, asked: AtomicU32::new(0) }
    }

    /// How often it was asked.
    pub fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Labeller for Scripted {
    fn step(&self) -> &str {
        &self.step
    }

    fn maker(&self) -> &Maker {
        &self.maker
    }

    async fn label(&self, picture: &Shown) -> Result<Said, Fault> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let pixels = picture.raster.rgb();
        let at = |place: usize| f32::from(pixels[place % pixels.len()]) - 128.5;
        let direction: [f32; DIMENSIONS] = std::array::from_fn(at);
        let embedding = self.space.as_ref().and_then(|space| Embedding::of(space, &direction));
        Ok(Said { embedding, ..(self.script)(&picture.raster).into() })
    }

    fn space(&self) -> Option<&Space> {
        self.space.as_ref()
    }
}

/// A claim without a place; `synset` may be empty.
pub fn claim(name: &str, synset: &str, kind: LabelKind, confidence: f32) -> Label {
    Label {
        name: name.to_owned(),
        kind,
        confidence,
        wordnet: Synset::parse(synset),
        parents: Vec::new(),
        instances: Vec::new(),
        evidence: Vec::new(),
    }
}

struct Wall;

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// Keeps the items, lets a test look on, and stops the run after so many.
struct Seen<'a> {
    items: Vec<Item>,
    most: usize,
    stop: Arc<AtomicBool>,
    look_on: &'a mut (dyn FnMut(&RunId) + Send),
    run: RunId,
}

impl Watcher for Seen<'_> {
    fn ended(&mut self, item: &Item, _bytes: u64, _balance: &Balance) {
        self.items.push(item.clone());
        (self.look_on)(&self.run);
        if self.items.len() >= self.most {
            self.stop.store(true, Ordering::SeqCst);
        }
    }
}

/// What a run came to.
pub struct Done {
    /// Its name.
    pub run: RunId,
    /// How many sources were never begun.
    pub left: u64,
    /// How many ended in which outcome.
    pub balance: Balance,
    /// The items, in the order they ended.
    pub items: Vec<Item>,
}

/// A house in this home, with one labeller.
///
/// # Panics
/// Panics when catalogue or store cannot be opened.
pub fn house(home: &Path, labeller: &Arc<Scripted>) -> House {
    std::fs::create_dir_all(home).expect("a home");
    House {
        tenant: Tenant::default(),
        store: Arc::new(LocalStore::open(&home.join("store")).expect("a store")),
        objects: None,
        catalogue: Arc::new(catalogue(home)),
        labellers: vec![labeller.clone()],
        purse: Purse::empty(),
        clock: Arc::new(Wall),
        recipe: Recipe::default(),
        limits: Limits::default(),
        meter: Meter::default(),
        floor: Floor::new(64 << 20, 256 << 20),
    }
}

/// The catalogue of a home.
///
/// # Panics
/// Panics when it cannot be opened.
pub fn catalogue(home: &Path) -> SqliteCatalogue {
    SqliteCatalogue::open(&home.join("catalogue.sqlite")).expect("a catalogue")
}

/// Ingests these files.
///
/// # Panics
/// Panics when the run breaks.
pub async fn ingested(home: &Path, labeller: &Arc<Scripted>, files: &[&Path]) -> Done {
    let house = Arc::new(house(home, labeller));
    let sources: Vec<_> = files
        .iter()
        .map(|path| Ok(Source::file(path, path.metadata().expect("a file").len())))
        .collect();
    let run = run();
    let id = run.id.clone();
    let stop = Arc::<AtomicBool>::default();
    let mut seen = Seen {
        items: Vec::new(),
        most: usize::MAX,
        stop: stop.clone(),
        look_on: &mut |_| {},
        run: id.clone(),
    };
    let ended = ingest(&house, run, sources, 2, &mut seen, &stop).await;
    done(id, ended, seen)
}

/// Relabels the collection; stopped after so many pictures.
///
/// # Panics
/// Panics when the run breaks.
pub async fn relabelled(home: &Path, labeller: &Arc<Scripted>, lanes: usize, most: usize) -> Done {
    watched(home, labeller, lanes, most, &mut |_| {}).await
}

/// Relabels as [`relabelled`] does, and calls `look_on` from the run's own task after each picture.
///
/// # Panics
/// Panics when the run breaks.
pub async fn watched(
    home: &Path,
    labeller: &Arc<Scripted>,
    lanes: usize,
    most: usize,
    look_on: &mut (dyn FnMut(&RunId) + Send),
) -> Done {
    let house = Arc::new(house(home, labeller));
    let assets = assets(&house, COLLECTION, None).await.expect("the collection");
    let run = run();
    let id = run.id.clone();
    let stop = Arc::<AtomicBool>::default();
    let mut seen = Seen { items: Vec::new(), most, stop: stop.clone(), look_on, run: id.clone() };
    let ended = relabel(&house, run, assets, lanes, &mut seen, &stop).await;
    done(id, ended, seen)
}

fn done(run: RunId, ended: Result<Ended, Fault>, seen: Seen<'_>) -> Done {
    let Ended { balance, left, broken } = ended.expect("a run that could begin");
    assert!(broken.is_none(), "{broken:?}");
    assert_eq!(balance.total(), seen.items.len() as u64);
    Done { run, left, balance, items: seen.items }
}

fn run() -> Run {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let now = Timestamp::now();
    Run {
        id: RunId::new(now, RUNS.fetch_add(1, Ordering::SeqCst)),
        tenant: Tenant::default(),
        collection: COLLECTION.to_owned(),
        sources: Vec::new(),
        version: "test".to_owned(),
        started: now,
        finished: None,
        balance: Balance::default(),
        withdrawn: false,
        trial: false,
        budget: None,
        spent: Dollars::ZERO,
    }
}
