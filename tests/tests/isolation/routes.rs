//! Every route of the server, and what to ask it: a new route without a case here fails.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::{Value, json};

use crate::archive::Archive;

/// What is asked of one route.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// The method and the route as the code writes it.
    pub(crate) route: (&'static str, &'static str),
    /// The address; `{}` stands for a thing.
    pub(crate) path: &'static str,
    /// The body; `{}` stands for a thing there too.
    pub(crate) body: Option<Value>,
    /// Which thing is put in.
    pub(crate) thing: Option<&'static str>,
    /// Whether whoever has the thing is told something else than of an unknown one.
    pub(crate) tells_its_holder: bool,
}

impl Case {
    pub(crate) fn method(&self) -> Method {
        self.route.0.parse().expect("a method")
    }

    pub(crate) fn path(&self, thing: &str) -> String {
        self.path.replace("{}", thing)
    }

    pub(crate) fn body(&self, thing: &str) -> Option<Value> {
        let text = self.body.as_ref()?.to_string().replace("{}", thing);
        Some(serde_json::from_str(&text).expect("JSON"))
    }
}

/// A route that is asked about one thing.
fn of(route: (&'static str, &'static str), path: &'static str, thing: &'static str) -> Case {
    Case { route, path, body: None, thing: Some(thing), tells_its_holder: true }
}

/// A route that is asked about everything.
fn all(route: (&'static str, &'static str), path: &'static str) -> Case {
    Case { route, path, body: None, thing: None, tells_its_holder: true }
}

/// A route whose answer is the same for everybody.
fn same(route: (&'static str, &'static str), path: &'static str) -> Case {
    Case { tells_its_holder: false, ..all(route, path) }
}

impl Case {
    fn sending(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    /// Nobody, not even the holder, gets another answer than for an unknown thing.
    fn telling_nobody(self) -> Self {
        Self { tells_its_holder: false, ..self }
    }
}

/// Everything that is asked; what changes an archive stands last.
pub(crate) fn cases() -> Vec<Case> {
    let (get, post, delete) =
        (|route| ("GET", route), |route| ("POST", route), |route| ("DELETE", route));
    let ruling = json!({ "ruling": "approve", "labels": ["quern"], "kind": "object" });
    vec![
        all(get("/v1/search"), "/v1/search?facets=object,collection,format,state"),
        of(get("/v1/search"), "/v1/search?q={}&facets=object,collection", "word"),
        of(get("/v1/search"), "/v1/search?q={}&facets=object,collection", "label"),
        of(get("/v1/search"), "/v1/search?q=collection:{}", "collection"),
        of(get("/v1/search"), "/v1/search?collection={}", "collection"),
        of(get("/v1/search"), "/v1/search?q=-{}", "word").telling_nobody(),
        of(get("/v1/suggest"), "/v1/suggest?q={}", "word").telling_nobody(),
        of(get("/v1/suggest"), "/v1/suggest?q={}", "label"),
        of(get("/v1/suggest"), "/v1/suggest?q={}", "collection"),
        of(get("/v1/assets/{id}"), "/v1/assets/{}?include=parents,evidence,opinions", "asset"),
        of(get("/v1/assets/{id}/decisions"), "/v1/assets/{}/decisions", "asset"),
        of(get("/v1/assets/{id}/similar"), "/v1/assets/{}/similar", "asset").telling_nobody(),
        of(get("/v1/assets/{id}/renditions/{name}"), "/v1/assets/{}/renditions/thumbnail", "asset"),
        of(get("/v1/assets/{id}/original"), "/v1/assets/{}/original", "asset"),
        all(get("/v1/collections"), "/v1/collections"),
        all(get("/v1/labels"), "/v1/labels"),
        of(get("/v1/labels"), "/v1/labels?prefix={}", "label"),
        same(get("/v1/review"), "/v1/review"),
        of(get("/v1/review"), "/v1/review?collection={}", "collection").telling_nobody(),
        all(get("/v1/runs"), "/v1/runs"),
        of(get("/v1/runs/{id}"), "/v1/runs/{}", "run"),
        all(get("/v1/export"), "/v1/export?min_confidence=0"),
        of(get("/v1/export"), "/v1/export?collection={}", "collection"),
        all(get("/v1/tenant"), "/v1/tenant"),
        all(get("/v1/keys"), "/v1/keys"),
        all(get("/v1/audit"), "/v1/audit?limit=1000"),
        of(get("/iiif/3/{asset}"), "/iiif/3/{}", "asset").telling_nobody(),
        of(get("/iiif/3/{asset}/info.json"), "/iiif/3/{}/info.json", "asset"),
        of(
            get("/iiif/3/{asset}/{region}/{size}/{rotation}/{file}"),
            "/iiif/3/{}/full/max/0/default.jpg",
            "asset",
        ),
        of(get("/iiif/manifest/{asset}"), "/iiif/manifest/{}", "asset"),
        of(get("/iiif/annotations/{asset}"), "/iiif/annotations/{}", "asset"),
        all(get("/iiif/collections"), "/iiif/collections"),
        of(get("/iiif/collection/{name}"), "/iiif/collection/{}", "collection"),
        of(get("/iiif/collection/{name}/{beginning}"), "/iiif/collection/{}/0", "collection")
            .telling_nobody(),
        all(get("/"), "/"),
        of(get("/"), "/?q={}", "word"),
        of(get("/"), "/?q={}", "label"),
        of(get("/assets/{id}"), "/assets/{}", "asset"),
        all(get("/collections"), "/collections"),
        all(get("/help"), "/help"),
        all(get("/review"), "/review"),
        of(get("/review"), "/review?asset={}&label=boat&kind=object", "asset").telling_nobody(),
        all(get("/runs"), "/runs"),
        of(get("/runs/{id}"), "/runs/{}", "run"),
        all(get("/upload"), "/upload"),
        all(get("/keys"), "/keys"),
        same(get("/login"), "/login"),
        same(get("/static/{name}"), "/static/nothing"),
        same(get("/healthz"), "/healthz"),
        same(get("/metrics"), "/metrics"),
        same(get("/v1/openapi.json"), "/v1/openapi.json"),
        same(get("/v1/docs"), "/v1/docs"),
        same(get("/v1/docs.css"), "/v1/docs.css"),
        // What changes an archive.
        of(post("/v1/assets/{id}/decisions"), "/v1/assets/{}/decisions", "asset")
            .sending(ruling.clone())
            .telling_nobody(),
        of(post("/assets/{id}/labels"), "/assets/{}/labels", "asset")
            .sending(json!("ruling=approve&label=quern&kind=object"))
            .telling_nobody(),
        of(post("/review"), "/review", "asset")
            .sending(json!("asset={}&label=quern&kind=object&ruling=approve&place="))
            .telling_nobody(),
        same(post("/v1/tenants"), "/v1/tenants")
            .sending(json!({ "tenant": "others", "archivist": "eve" })),
        of(delete("/v1/keys/{id}"), "/v1/keys/{}", "key").telling_nobody(),
        of(post("/keys/{id}/revoke"), "/keys/{}/revoke", "key").telling_nobody(),
    ]
}

/// Routes that name nothing, so that there is nothing to ask them with a wrong key: what they
/// answer is the caller's own, or everybody's.
const WITHOUT_A_CASE: [(&str, &str); 7] = [
    ("POST", "/v1/assets"),
    ("POST", "/upload"),
    ("POST", "/v1/keys"),
    ("POST", "/keys"),
    ("POST", "/login"),
    ("POST", "/logout"),
    ("GET", "/readyz"),
];

/// Routes that the code knows and no case asks.
pub(crate) async fn not_asked(archive: &Archive) -> BTreeSet<(String, String)> {
    let mut known = BTreeSet::new();
    let answer = archive.send(&Method::GET, "/v1/openapi.json", None, None).await;
    let document: Value = serde_json::from_slice(&answer.body).expect("the description");
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("operations").keys() {
            known.insert((method.to_uppercase(), path.clone()));
        }
    }
    assert!(known.len() > 15, "the description is too short: {known:?}");
    for source in [
        include_str!("../../../search/src/page/mod.rs"),
        include_str!("../../../search/src/iiif/mod.rs"),
        include_str!("../../../search/src/http/operations.rs"),
        include_str!("../../../search/src/http/v1/docs.rs"),
    ] {
        let before = known.len();
        for route in source.split(".route(").skip(1) {
            let path = route.split('"').nth(1).expect("a route begins with its path").to_owned();
            let handlers = route.split(".route(").next().unwrap_or_default();
            let handlers = handlers.lines().take(3).collect::<String>();
            for (word, method) in [("get(", "GET"), ("post(", "POST"), ("delete(", "DELETE")] {
                if handlers.split(word).count() > 1 {
                    known.insert((method.to_owned(), path.clone()));
                }
            }
        }
        assert!(known.len() > before, "a source has no route");
    }
    for (method, path) in cases().iter().map(|case| case.route).chain(WITHOUT_A_CASE) {
        known.remove(&(method.to_owned(), path.to_owned()));
    }
    known
}
