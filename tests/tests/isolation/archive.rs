//! One server with two tenants, each with pictures, words, labels, runs, decisions and keys.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use glassplate_models::taxonomy::Objects;
use glassplate_models::vocabulary::Words;
use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::catalogue::Catalogue;
use glassplate_pipeline::catalogue::sqlite::SqliteCatalogue;
use glassplate_pipeline::enrich::House;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::floor::Floor;
use glassplate_pipeline::image::Limits;
use glassplate_pipeline::ports::{Clock, Verbatim};
use glassplate_pipeline::purchase::Dollars;
use glassplate_pipeline::purse::{Always, Purse};
use glassplate_pipeline::record::Bar;
use glassplate_pipeline::rendition::Recipe;
use glassplate_pipeline::store::Store;
use glassplate_pipeline::store::local::LocalStore;
use glassplate_pipeline::telemetry::Meter;
use glassplate_pipeline::tenancy::sqlite::SqliteRegistry;
use glassplate_pipeline::tenancy::{AccessKey, Lease, Quota, Role};
use glassplate_search::Index;
use glassplate_search::http::{Answers, Door, Gate, Houses, Served, Site, router};
use glassplate_tests::pictures::jpeg;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::counting::{Counted, Counter};

/// A server over two archives in one home.
pub(crate) struct Archive {
    site: Arc<Site>,
    router: Router,
    pub(crate) counter: Arc<Counter>,
    _folder: tempfile::TempDir,
}

/// What a tenant has, by name: what another tenant must never be told.
#[derive(Debug, Clone)]
pub(crate) struct Holder {
    pub(crate) secret: String,
    /// `asset`, `run`, `key`, `collection`, `word`, `label`, `pixels`, `sha256`, `name`.
    pub(crate) things: Vec<(&'static str, String)>,
}

/// An answer, read whole, without what differs between any two.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Holder {
    pub(crate) fn thing(&self, name: &str) -> &str {
        let found = self.things.iter().find(|(known, _)| *known == name);
        found.map(|(_, text)| text.as_str()).expect("a thing that a holder has")
    }
}

impl Answer {
    /// The whole answer as text, one name put in another's place. Entity tags are left out: they
    /// are made of the text before that.
    pub(crate) fn with(&self, name: &str, other: &str) -> (StatusCode, String) {
        let lines = self.text();
        let lines = lines.split_inclusive('\n').filter(|line| !line.starts_with("etag: "));
        (self.status, lines.collect::<String>().replace(name, other))
    }

    /// The whole answer as text.
    pub(crate) fn text(&self) -> String {
        let headers = self.headers.iter().map(|(name, value)| format!("{name}: {value}\n"));
        headers.collect::<String>() + &String::from_utf8_lossy(&self.body)
    }
}

impl Archive {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name);
        let counter = Arc::new(Counter::default());
        let catalogue = SqliteCatalogue::open(&at("catalogue.sqlite")).expect("a catalogue");
        let store = LocalStore::open(&at("store")).expect("a store");
        let catalogue: Arc<dyn Catalogue> = Arc::new(Counted::new(catalogue, counter.clone()));
        let store: Arc<dyn Store> = Arc::new(Counted::new(store, counter.clone()));
        std::fs::create_dir(at("incoming")).expect("a folder");
        let index = Index::open(&at("index"), Objects::load(), Arc::new(Verbatim), Bar::default());
        let houses = Inn {
            catalogue: catalogue.clone(),
            store: store.clone(),
            incoming: at("incoming"),
            floor: Floor::new(64 << 20, 64 << 20),
        };
        let registry = SqliteRegistry::open(&at("registry.sqlite")).expect("a registry");
        let site = Arc::new(Site {
            index: Arc::new(index.expect("an index")),
            catalogue,
            store,
            registry: Arc::new(registry),
            door: Door::new(false, None),
            interpreter: Arc::new(Verbatim),
            vocabulary: Objects::load(),
            lexicon: Arc::new(Words::load()),
            houses: Some(Arc::new(houses)),
            clock: Arc::new(Wall),
            bar: Bar::default(),
            limits: Limits::default(),
            served: Served::default(),
            gate: Gate::default(),
            answers: Answers::default(),
        });
        Self { router: router(site.clone()), site, counter, _folder: folder }
    }

    /// Opens an archive with two pictures; seed, collection, word and label are its own.
    pub(crate) async fn open(
        &self,
        name: &str,
        seed: u64,
        collection: &str,
        word: &str,
        label: &str,
    ) -> Holder {
        let tenant: Tenant = name.parse().expect("a tenant's name");
        let now = jiff::Timestamp::now();
        let lease = Lease { tenant: tenant.clone(), made: now, quota: Quota::default() };
        self.site.registry.open_lease(&lease).await.expect("a lease");
        let keeper = format!("keeper-of-{word}");
        let made = AccessKey::make(&tenant, Role::Archivist, &keeper, now, None);
        let (key, secret) = made.expect("a key");
        self.site.registry.add_key(&key).await.expect("added");
        let secret = secret.reveal();
        let mut things = vec![
            ("key", key.id.to_string()),
            ("name", keeper),
            ("collection", collection.to_owned()),
            ("word", word.to_owned()),
            ("label", label.to_owned()),
        ];
        for n in 0..2 {
            let path = format!("/v1/assets?collection={collection}&filename={word}-{n}.jpg");
            let told = self.upload(&path, &secret, jpeg(160, 120, seed + n)).await;
            let [asset, run, sha256] = ["asset", "run", "sha256"]
                .map(|name| told[name].as_str().expect("a text").to_owned());
            let ruling = json!({ "ruling": "add", "labels": [label], "kind": "object" });
            let path = format!("/v1/assets/{asset}/decisions");
            let ruled = self.send(&Method::POST, &path, Some(&secret), Some(&ruling)).await;
            assert_eq!(ruled.status, StatusCode::CREATED, "{}", ruled.text());
            let id = asset.parse().expect("an id");
            let parts = self.site.catalogue.parts(&tenant, &id).await.expect("parts");
            let parts = serde_json::to_value(parts.expect("an asset").opinions);
            let pixels = found(&parts.expect("JSON"), "pixels").expect("a pixel digest");
            things.extend([("asset", asset), ("run", run), ("sha256", sha256), ("pixels", pixels)]);
        }
        self.site.index.catch_up(&*self.site.catalogue).await.expect("caught up");
        Holder { secret, things }
    }

    async fn upload(&self, path: &str, secret: &str, bytes: Vec<u8>) -> Value {
        let request = Request::post(path)
            .header(header::AUTHORIZATION, format!("Bearer {secret}"))
            .header(header::CONTENT_TYPE, "image/jpeg")
            .body(Body::from(bytes));
        let answer = self.ask(request.expect("a request")).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        serde_json::from_slice(&answer.body).expect("JSON")
    }

    pub(crate) async fn send(
        &self,
        method: &Method,
        path: &str,
        secret: Option<&str>,
        body: Option<&Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(secret) = secret {
            request = request.header(header::AUTHORIZATION, format!("Bearer {secret}"));
        }
        // What a form of the page sends is not JSON.
        let body = match body {
            Some(Value::String(form)) => {
                let media = "application/x-www-form-urlencoded";
                request = request.header(header::CONTENT_TYPE, media);
                Body::from(form.clone())
            }
            Some(json) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(json.to_string())
            }
            None => Body::empty(),
        };
        self.ask(request.body(body).expect("a request")).await
    }

    async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 64 << 20).await.expect("a body").to_vec();
        Answer { status: parts.status, headers: kept(&parts.headers), body }
    }
}

/// The headers but those that differ between any two answers.
fn kept(headers: &HeaderMap) -> Vec<(String, String)> {
    let differ = ["x-request-id", "content-length", "date", "server-timing"];
    let mut kept: Vec<_> = headers
        .iter()
        .filter(|(name, _)| !differ.contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into()))
        .collect();
    kept.sort();
    kept
}

/// The first text of a name, wherever it is.
fn found(value: &Value, name: &str) -> Option<String> {
    match value {
        Value::Object(map) => map.iter().find_map(|(known, value)| match value {
            Value::String(text) if known == name => Some(text.clone()),
            other => found(other, name),
        }),
        Value::Array(list) => list.iter().find_map(|value| found(value, name)),
        _ => None,
    }
}

struct Wall;

impl Clock for Wall {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}

/// Opens houses without labellers.
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
            labellers: Vec::new(),
            purse: Purse::new(Dollars::ZERO, Arc::new(Always)),
            clock: Arc::new(Wall),
            recipe: Recipe { sizes: vec![64, 32], ..Recipe::default() },
            limits: Limits::default(),
            meter: Meter::default(),
            floor: self.floor.clone(),
        }))
    }
}
