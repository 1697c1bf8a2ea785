//! The API as clients meet it: every resource with a made-up archive behind it, no socket before.

mod assets;
mod files;
mod lists;
mod operations;
mod search;
mod uploads;
mod wire;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use glassplate_pipeline::asset::{AssetId, Tenant};
use glassplate_pipeline::catalogue::Catalogue;
use glassplate_pipeline::catalogue::sqlite::SqliteCatalogue;
use glassplate_pipeline::enrich::House;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::floor::Floor;
use glassplate_pipeline::image::{Limits, encode_jpeg};
use glassplate_pipeline::label::{Label, LabelKind};
use glassplate_pipeline::ports::{
    Clock, Labeller, Lexicon, Maker, Said, Shown, Verbatim, Vocabulary as _, Word,
};
use glassplate_pipeline::purchase::Dollars;
use glassplate_pipeline::purse::{Always, Purse};
use glassplate_pipeline::raster::Raster;
use glassplate_pipeline::record::{Bar, RecordLabel};
use glassplate_pipeline::rendition::Recipe;
use glassplate_pipeline::store::Store;
use glassplate_pipeline::store::local::LocalStore;
use glassplate_pipeline::telemetry::Meter;
use glassplate_pipeline::tenancy::sqlite::SqliteRegistry;
use serde_json::Value;
use tower::ServiceExt as _;

use super::{Answers, Door, Gate, Houses, Served, Site, router};
use crate::Index;
use crate::tests::SmallVocabulary;

/// An archive that is served, in a folder that goes with it.
pub(crate) struct Desk {
    pub(crate) site: Arc<Site>,
    router: Router,
    folder: tempfile::TempDir,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self::served(Served::default())
    }

    pub(crate) fn served(served: Served) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name);
        let catalogue: Arc<dyn Catalogue> =
            Arc::new(SqliteCatalogue::open(&at("catalogue.sqlite")).expect("a catalogue"));
        let store: Arc<dyn Store> = Arc::new(LocalStore::open(&at("store")).expect("a store"));
        let index = Index::open(
            &at("index"),
            Arc::new(SmallVocabulary),
            Arc::new(Verbatim),
            Bar::default(),
        );
        std::fs::create_dir(at("incoming")).expect("a folder");
        let houses = Inn {
            catalogue: catalogue.clone(),
            store: store.clone(),
            incoming: at("incoming"),
            floor: Floor::new(64 << 20, 64 << 20),
        };
        let site = Arc::new(Site {
            index: Arc::new(index.expect("an index")),
            catalogue,
            store,
            registry: Arc::new(SqliteRegistry::open(&at("registry.sqlite")).expect("a registry")),
            door: Door::new(true, None),
            interpreter: Arc::new(Verbatim),
            vocabulary: Arc::new(SmallVocabulary),
            lexicon: Arc::new(Small),
            houses: Some(Arc::new(houses)),
            clock: Arc::new(Wall),
            bar: Bar::default(),
            limits: Limits::default(),
            served,
            gate: Gate::of(2),
            answers: Answers::default(),
        });
        Self { router: router(site.clone()), site, folder }
    }

    /// The same archive, taking `n` pictures of the collection `sea` in.
    pub(crate) async fn with_pictures(n: u8) -> (Self, Vec<AssetId>) {
        let desk = Self::new();
        let mut assets = Vec::new();
        for seed in 0..n {
            let path = format!("/v1/assets?collection=sea&filename=turtle-{seed}.jpg");
            let answer = desk.post(&path, "image/jpeg", jpeg(seed)).await;
            assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
            assets.push(answer.json()["asset"].as_str().expect("an id").parse().expect("an id"));
        }
        desk.catch_up().await;
        (desk, assets)
    }

    pub(crate) async fn catch_up(&self) {
        self.site.index.catch_up(&*self.site.catalogue).await.expect("caught up");
    }

    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    /// What lies in the folder for uploads on their way.
    pub(crate) fn incoming(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("incoming")).expect("a folder").count()
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) async fn send(&self, mut request: Request<Body>) -> Answered {
        let here = HeaderValue::from_static("127.0.0.1");
        request.headers_mut().entry(header::HOST).or_insert(here);
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("a whole body");
        let answer = Answered { status: parts.status, headers: parts.headers, body: body.into() };
        answer.is_proper();
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> Answered {
        self.get_with(path, &[]).await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answered {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::empty()).expect("a request")).await
    }

    pub(crate) async fn post(&self, path: &str, media: &str, body: impl Into<Body>) -> Answered {
        let request = Request::post(path).header(header::CONTENT_TYPE, media);
        self.send(request.body(body.into()).expect("a request")).await
    }

    pub(crate) async fn ask(&self, method: Method, path: &str) -> Answered {
        let request = Request::builder().method(method).uri(path).body(Body::empty());
        self.send(request.expect("a request")).await
    }
}

impl Answered {
    /// Every answer of the API carries these, whatever it says.
    fn is_proper(&self) {
        for name in ["x-request-id", "x-content-type-options", "content-security-policy"] {
            assert!(self.headers.contains_key(name), "{name} is missing: {self:?}");
        }
        if self.status.is_client_error() || self.status.is_server_error() {
            assert_eq!(self.media(), "application/problem+json", "{self:?}");
            let problem = self.json();
            assert_eq!(problem["status"], self.status.as_u16());
            assert!(problem["type"].as_str().expect("a type").starts_with("urn:glassplate:fault:"));
            assert_ne!(self.status, StatusCode::UNPROCESSABLE_ENTITY);
        }
    }

    pub(crate) fn media(&self) -> &str {
        self.headers.get(header::CONTENT_TYPE).map_or("", |media| media.to_str().expect("text"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("no JSON: {e}: {self:?}"))
    }

    /// Insists on a problem whose detail says something; it never tells where the archive lies.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, says: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        let detail = self.json()["detail"].as_str().expect("a detail").to_owned();
        assert!(detail.contains(says), "{detail:?} does not say {says:?}");
        assert!(!detail.contains("/tmp/"), "{detail:?} tells a path");
    }
}

/// A small JPEG; every seed gives another picture.
pub(crate) fn jpeg(seed: u8) -> Vec<u8> {
    let rgb = (0..96_u32 * 64)
        .flat_map(|at| [(at % 96 * 2) as u8 ^ seed, (at / 96 * 3) as u8, seed.wrapping_mul(37)]);
    encode_jpeg(&Raster::new(96, 64, rgb.collect()), 90).expect("a JPEG")
}

struct Wall;

impl Clock for Wall {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}

/// Opens houses with one labeller, which sees a turtle everywhere.
struct Inn {
    catalogue: Arc<dyn Catalogue>,
    store: Arc<dyn Store>,
    incoming: PathBuf,
    floor: Floor,
}

#[async_trait]
impl Houses for Inn {
    fn incoming(&self) -> &Path {
        &self.incoming
    }

    async fn open(&self, tenant: &Tenant, _: &str) -> Result<Arc<House>, Fault> {
        Ok(Arc::new(House {
            tenant: tenant.clone(),
            store: self.store.clone(),
            objects: None,
            catalogue: self.catalogue.clone(),
            labellers: vec![Arc::new(Turtles::new())],
            purse: Purse::new(Dollars::ZERO, Arc::new(Always)),
            clock: Arc::new(Wall),
            recipe: Recipe { sizes: vec![64, 32], ..Recipe::default() },
            limits: Limits::default(),
            meter: Meter::default(),
            floor: self.floor.clone(),
        }))
    }
}

struct Turtles(Maker);

impl Turtles {
    fn new() -> Self {
        Self(Maker {
            backend: "test".to_owned(),
            model: "turtles".to_owned(),
            version: "1".to_owned(),
            parameters: String::new(),
        })
    }
}

#[async_trait]
impl Labeller for Turtles {
    fn step(&self) -> &str {
        "label:turtles"
    }

    fn maker(&self) -> &Maker {
        &self.0
    }

    async fn label(&self, _: &Shown) -> Result<Said, Fault> {
        let label = |name: &str, confidence| Label {
            name: name.to_owned(),
            kind: LabelKind::Object,
            confidence,
            wordnet: SmallVocabulary.lookup(name).pop(),
            parents: vec!["animal".to_owned()],
            instances: Vec::new(),
            evidence: Vec::new(),
        };
        Ok(vec![label("turtle", 0.9), label("boat", 0.4), label("dog", 0.02)].into())
    }
}

/// Takes every word as written.
pub(crate) struct Small;

impl Lexicon for Small {
    fn find(&self, _: &str) -> Vec<Word> {
        Vec::new()
    }

    fn settle(&self, text: &str, kind: Option<LabelKind>) -> Result<Word, Fault> {
        let kind = kind.ok_or_else(|| Fault::bad_input("say what it is"))?;
        Ok(Word { name: text.to_owned(), kind, wordnet: None, parents: Vec::new() })
    }

    fn among<'a>(
        &self,
        labels: &'a [RecordLabel],
        text: &str,
        _: Option<LabelKind>,
    ) -> Result<&'a RecordLabel, Fault> {
        let found = labels.iter().find(|label| label.name == text);
        found.ok_or_else(|| Fault::bad_input(format!("the asset carries no label {text:?}")))
    }
}
