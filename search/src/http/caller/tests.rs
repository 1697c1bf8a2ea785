//! Who is let in, as whom, and what everybody else is told.

mod desk;
mod keys;
mod tenants;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::catalogue::sqlite::SqliteCatalogue;
use glassplate_pipeline::image::Limits;
use glassplate_pipeline::ports::{Clock, Verbatim};
use glassplate_pipeline::record::Bar;
use glassplate_pipeline::store::local::LocalStore;
use glassplate_pipeline::tenancy::sqlite::SqliteRegistry;
use glassplate_pipeline::tenancy::{AccessKey, Deed, Lease, Quota, Registry, Role, Secret};
use jiff::Timestamp;
use serde_json::Value;
use tower::ServiceExt as _;

use super::super::tests::Small;
use super::super::{Answers, Gate, OperatorToken, Served, Site, router};
use super::Door;
use crate::index::Index;
use crate::tests::SmallVocabulary;

/// The token of the tests' operator.
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A clock that a test sets.
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).expect("a time")
    }
}

/// A site in a temporary folder.
struct Trial {
    site: Arc<Site>,
    router: Router,
    clock: Arc<Hand>,
    folder: tempfile::TempDir,
}

/// An answer, read whole.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    fn of(self, status: u16) -> Self {
        let body = String::from_utf8_lossy(&self.body).into_owned();
        assert_eq!(self.status.as_u16(), status, "{body}");
        self
    }
}

impl Trial {
    /// A site that listens to its own machine.
    fn open_desk() -> Self {
        Self::new(true, None)
    }

    /// A site that listens to the world.
    fn closed() -> Self {
        Self::new(false, None)
    }

    fn new(open_desk: bool, base: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = folder.path();
        let index = Index::open(
            &home.join("index"),
            Arc::new(SmallVocabulary),
            Arc::new(Verbatim),
            Bar::default(),
        );
        let clock = Arc::new(Hand(AtomicI64::new(1_000)));
        let catalogue = SqliteCatalogue::open(&home.join("catalogue.sqlite"));
        let operator: OperatorToken = TOKEN.parse().expect("a token");
        let site = Arc::new(Site {
            index: Arc::new(index.expect("an index")),
            catalogue: Arc::new(catalogue.expect("a catalogue")),
            store: Arc::new(LocalStore::open(&home.join("store")).expect("a store")),
            registry: Arc::new(registry(home)),
            door: Door::new(open_desk, Some(operator)),
            interpreter: Arc::new(Verbatim),
            vocabulary: Arc::new(SmallVocabulary),
            lexicon: Arc::new(Small),
            houses: None,
            gate: Gate::of(2),
            answers: Answers::default(),
            clock: clock.clone(),
            bar: Bar::default(),
            limits: Limits::default(),
            served: Served { base: base.map(str::to_owned), ..Served::default() },
        });
        Self { router: router(site.clone()), site, clock, folder }
    }

    fn later(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }

    /// The registry as another process has it.
    fn elsewhere(&self) -> SqliteRegistry {
        registry(self.folder.path())
    }

    async fn lease(&self, tenant: &str, quota: Quota) -> Tenant {
        let tenant: Tenant = tenant.parse().expect("a tenant's name");
        let lease = Lease { tenant: tenant.clone(), made: self.clock.now(), quota };
        self.site.registry.open_lease(&lease).await.expect("a lease");
        tenant
    }

    /// A key as `glassplate key create` makes one, by another process.
    async fn key(&self, tenant: &Tenant, role: Role, lasts: Option<i64>) -> (AccessKey, Secret) {
        let now = self.clock.now();
        let expires =
            lasts.map(|lasts| Timestamp::from_second(now.as_second() + lasts).expect("a time"));
        let (key, secret) =
            AccessKey::make(tenant, role, role.name(), now, expires).expect("a key");
        self.elsewhere().add_key(&key).await.expect("added");
        (key, secret)
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let answer = self.router.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, 1 << 20).await.expect("a body").to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(request("GET", path, headers, None)).await
    }

    async fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        self.send(request("POST", path, headers, Some(body))).await
    }

    async fn deeds(&self, tenant: &Tenant) -> Vec<Deed> {
        self.site.registry.deeds(tenant, None, 100).await.expect("deeds")
    }
}

fn registry(home: &Path) -> SqliteRegistry {
    SqliteRegistry::open(&home.join("registry.sqlite")).expect("a registry")
}

fn request(
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = match body {
        Some(body) => {
            request = request.header(header::CONTENT_TYPE, "application/json");
            Body::from(body.to_string())
        }
        None => Body::empty(),
    };
    request.body(body).expect("a request")
}

fn bearer(secret: &Secret) -> String {
    format!("Bearer {}", secret.reveal())
}
