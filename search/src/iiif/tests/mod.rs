//! The routes below `/iiif`, over the real pipeline in a temporary home.

mod image;
mod presentation;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use bytes::Bytes;
use glassplate_pipeline::asset::{AssetId, Digest, Tenant};
use glassplate_pipeline::catalogue::Catalogue;
use glassplate_pipeline::catalogue::sqlite::SqliteCatalogue;
use glassplate_pipeline::enrich::{House, Source};
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::field::{Field, Fields};
use glassplate_pipeline::floor::Floor;
use glassplate_pipeline::image::{Limits, decode, encode_jpeg, probe};
use glassplate_pipeline::ingest::ingest;
use glassplate_pipeline::label::{Instance, Label, LabelKind};
use glassplate_pipeline::pass::Watcher;
use glassplate_pipeline::ports::{Clock, Labeller, Lexicon, Maker, Said, Shown, Verbatim, Word};
use glassplate_pipeline::purchase::Dollars;
use glassplate_pipeline::purse::Purse;
use glassplate_pipeline::raster::Raster;
use glassplate_pipeline::record::{Bar, RecordLabel};
use glassplate_pipeline::rendition::Recipe;
use glassplate_pipeline::run::{Balance, Item, Run, RunId};
use glassplate_pipeline::store::local::LocalStore;
use glassplate_pipeline::store::{Body as Stored, Created, Key, Store};
use glassplate_pipeline::telemetry::Meter;
use glassplate_pipeline::tenancy::sqlite::SqliteRegistry;
use jiff::Timestamp;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::Index;
use crate::http::{Answers, Door, Gate, Served, Site, router};
use crate::tests::SmallVocabulary;

/// The address under which the tests' site is served: this machine's own, so that no key is needed.
const BASE: &str = "http://127.0.0.1:7777";

/// An archive whose pictures are served.
struct Gallery {
    folder: tempfile::TempDir,
    house: Arc<House>,
    store: Arc<Counting>,
    site: Router,
}

/// An answer, whole.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Gallery {
    fn new() -> Self {
        Self::within(Limits::default())
    }

    fn within(limits: Limits) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = folder.path();
        let catalogue: Arc<dyn Catalogue> =
            Arc::new(SqliteCatalogue::open(&home.join("catalogue.sqlite")).expect("a catalogue"));
        let store = Arc::new(Counting {
            store: LocalStore::open(&home.join("store")).expect("a store"),
            originals: AtomicUsize::new(0),
        });
        let index = Index::open(
            &home.join("index"),
            Arc::new(SmallVocabulary),
            Arc::new(Verbatim),
            Bar::default(),
        );
        let house = House {
            tenant: Tenant::default(),
            store: store.clone(),
            objects: None,
            catalogue: catalogue.clone(),
            labellers: vec![Arc::new(Pointing::new())],
            purse: Purse::empty(),
            clock: Arc::new(Noon),
            recipe: Recipe::default(),
            limits: Limits::default(),
            meter: Meter::default(),
            floor: Floor::new(64 << 20, 256 << 20),
        };
        let site = Site {
            index: Arc::new(index.expect("an index")),
            catalogue,
            store: store.clone(),
            registry: Arc::new(
                SqliteRegistry::open(&home.join("registry.sqlite")).expect("a registry"),
            ),
            door: Door::new(true, None),
            interpreter: Arc::new(Verbatim),
            vocabulary: Arc::new(SmallVocabulary),
            lexicon: Arc::new(Wordless),
            houses: None,
            clock: Arc::new(Noon),
            bar: Bar::default(),
            limits,
            served: Served { base: Some(BASE.to_owned()), ..Served::default() },
            gate: Gate::of(2),
            answers: Answers::default(),
        };
        let site = router(Arc::new(site));
        Self { folder, house: Arc::new(house), store, site }
    }

    /// Takes a picture in, with what is written beside it.
    async fn hang(&self, name: &str, file: &[u8], beside: &[(&str, Value)]) -> AssetId {
        let path = self.folder.path().join(name);
        std::fs::write(&path, file).expect("written");
        let field = |value: &Value| Field {
            value: value.clone(),
            source: "csv:catalogue.csv".to_owned(),
            also: Vec::new(),
        };
        let beside: Fields =
            beside.iter().map(|(name, value)| ((*name).to_owned(), field(value))).collect();
        let source = Source { beside, ..Source::file(&path, file.len() as u64) };
        let run = run();
        let stop = AtomicBool::new(false);
        ingest(&self.house, run, [Ok(source)], 1, &mut Quiet, &stop).await.expect("ingested");
        asset_of(&self.house, &path).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Request::get(path)).await
    }

    async fn ask(&self, request: axum::http::request::Builder) -> Answer {
        let request = request.body(Body::empty()).expect("a request");
        let response = self.site.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a body");
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// How often an original was read.
    fn originals_read(&self) -> usize {
        self.store.originals.load(Ordering::SeqCst)
    }
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).expect("JSON")
    }

    fn raster(&self) -> Raster {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        let limits = Limits::default();
        let technical = probe::probe(&self.body, &limits).expect("a picture");
        decode::decode(&self.body, &technical, &limits).expect("decodes").raster
    }

    /// Checks that the answer is a problem of this status that tells nothing of the machine.
    #[track_caller]
    fn is_problem(&self, status: u16, about: &str) {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{about}: {text}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{about}");
        assert_eq!(self.header("access-control-allow-origin"), "*", "{about}");
        let problem: Value = serde_json::from_slice(&self.body).expect("JSON");
        assert_eq!(problem["status"], status, "{about}");
        assert!(!text.contains("/tmp") && !text.contains("originals"), "{about}: {text}");
    }
}

async fn asset_of(house: &House, path: &Path) -> AssetId {
    let source = Source::file(path, 0).text;
    let sighting = house.catalogue.sighting(&house.tenant, "plates", &source).await;
    sighting.expect("read").expect("found").asset
}

fn run() -> Run {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    let number = NEXT.fetch_add(1, Ordering::SeqCst) as u32;
    Run {
        id: RunId::new(Timestamp::UNIX_EPOCH, number),
        tenant: Tenant::default(),
        collection: "plates".to_owned(),
        sources: Vec::new(),
        version: "0".to_owned(),
        started: Timestamp::UNIX_EPOCH,
        finished: None,
        balance: Balance::default(),
        withdrawn: false,
        trial: false,
        budget: None,
        spent: Dollars::ZERO,
    }
}

/// A picture with a colour gradient, a JPEG.
fn jpeg(width: u32, height: u32) -> Vec<u8> {
    encode_jpeg(&gradient(width, height), 92).expect("coded")
}

fn gradient(width: u32, height: u32) -> Raster {
    let pixel = |x: u32, y: u32| {
        let (across, down) = (x * 255 / width, y * 255 / height);
        [across as u8, down as u8, (255 - across.midpoint(down)) as u8]
    };
    let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect();
    Raster::new(width, height, rgb)
}

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

struct Quiet;

impl Watcher for Quiet {
    fn ended(&mut self, _: &Item, _: u64, _: &Balance) {}
}

/// Knows no word.
struct Wordless;

impl Lexicon for Wordless {
    fn find(&self, _: &str) -> Vec<Word> {
        Vec::new()
    }

    fn settle(&self, text: &str, _: Option<LabelKind>) -> Result<Word, Fault> {
        Err(Fault::bad_input(text))
    }

    fn among<'a>(
        &self,
        _: &'a [RecordLabel],
        text: &str,
        _: Option<LabelKind>,
    ) -> Result<&'a RecordLabel, Fault> {
        Err(Fault::bad_input(text))
    }
}

/// Points at a turtle, surely, and at a dog, hardly.
struct Pointing(Maker);

impl Pointing {
    fn new() -> Self {
        let text = |text: &str| text.to_owned();
        let (backend, model) = (text("test"), text("pointing"));
        Self(Maker { backend, model, version: text("1"), parameters: String::new() })
    }
}

#[async_trait]
impl Labeller for Pointing {
    fn step(&self) -> &str {
        "label:pointing"
    }

    fn maker(&self) -> &Maker {
        &self.0
    }

    async fn label(&self, _: &Shown) -> Result<Said, Fault> {
        let label = |name: &str, confidence: f32, frame| Label {
            name: name.to_owned(),
            kind: LabelKind::Object,
            confidence,
            wordnet: None,
            parents: Vec::new(),
            instances: vec![Instance { frame, confidence }],
            evidence: Vec::new(),
        };
        Ok(vec![
            label("turtle", 0.93, [0.25, 0.5, 0.5, 0.25]),
            label("dog", 0.1, [0.0, 0.0, 0.5, 0.5]),
        ]
        .into())
    }
}

/// A store that counts how often originals are read.
struct Counting {
    store: LocalStore,
    originals: AtomicUsize,
}

#[async_trait]
impl Store for Counting {
    async fn create(&self, key: &Key, body: &Stored, blake3: &Digest) -> Result<Created, Fault> {
        self.store.create(key, body, blake3).await
    }

    async fn replace(&self, key: &Key, body: &Stored) -> Result<(), Fault> {
        self.store.replace(key, body).await
    }

    async fn remove(&self, key: &Key) -> Result<(), Fault> {
        self.store.remove(key).await
    }

    async fn read(&self, key: &Key) -> Result<Vec<u8>, Fault> {
        if key.sacred() {
            self.originals.fetch_add(1, Ordering::SeqCst);
        }
        self.store.read(key).await
    }

    async fn read_part(&self, key: &Key, from: u64, most: usize) -> Result<Vec<u8>, Fault> {
        self.store.read_part(key, from, most).await
    }

    async fn blake3(&self, key: &Key) -> Result<Digest, Fault> {
        self.store.blake3(key).await
    }

    async fn length(&self, key: &Key) -> Result<Option<u64>, Fault> {
        self.store.length(key).await
    }

    async fn delivery(&self, key: &Key, seconds: u32) -> Result<Option<String>, Fault> {
        self.store.delivery(key, seconds).await
    }

    fn place(&self, path: &str) -> String {
        self.store.place(path)
    }
}
