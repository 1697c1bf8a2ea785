//! Operations: whether the server is well, and what it counts.
//!
//! Labels come from bounded lists (routes as they are written in the code, methods, classes of
//! statuses), so that no client can make the server remember more.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use glassplate_pipeline::asset::{Digest, Tenant};
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::store::Key;
use prometheus::{
    Encoder as _, Gauge, Histogram, HistogramOpts, IntCounterVec, IntGauge, Opts, Registry,
    TextEncoder,
};
use serde_json::json;
use tokio::sync::Semaphore;

use super::problem::problem;
use super::{Problem, Served, Site};

/// How long a part of the site may take to say that it is well.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where a request came from, as the listener saw it.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// What the server counts.
pub(crate) struct Operations {
    registry: Registry,
    requests: IntCounterVec,
    seconds: Histogram,
    in_flight: IntGauge,
    uploads: IntCounterVec,
    lag: Gauge,
    /// When the index was last found level with the catalogue.
    level: std::sync::Mutex<Instant>,
    /// Places for uploads that are taken in.
    pub(crate) places: Semaphore,
}

impl Operations {
    /// Counts nothing yet.
    pub(crate) fn new(served: &Served) -> Self {
        Self::register(served).expect("the names are well formed and differ")
    }

    fn register(served: &Served) -> prometheus::Result<Self> {
        let registry = Registry::new();
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let counter = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counter.clone()))?;
            prometheus::Result::Ok(counter)
        };
        let requests = counter(
            "glassplate_requests_total",
            "Requests answered.",
            &["method", "route", "status"],
        )?;
        let uploads = counter("glassplate_uploads_total", "Uploads by outcome.", &["outcome"])?;
        let buckets = [0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.06, 0.1, 0.5, 2.0, 10.0];
        let seconds = Histogram::with_opts(
            HistogramOpts::new("glassplate_request_seconds", "Time until an answer began.")
                .buckets(buckets.into()),
        )?;
        registry.register(Box::new(seconds.clone()))?;
        let in_flight = IntGauge::new("glassplate_requests_in_flight", "Requests in hand.")?;
        registry.register(Box::new(in_flight.clone()))?;
        let lag = Gauge::new(
            "glassplate_index_lag_seconds",
            "Since when the index is behind the catalogue; 0 when it is level.",
        )?;
        registry.register(Box::new(lag.clone()))?;
        let level = std::sync::Mutex::new(Instant::now());
        let places = Semaphore::new(served.uploads);
        Ok(Self { registry, requests, seconds, in_flight, uploads, lag, level, places })
    }

    /// Counts a request as in flight until the answer is dropped.
    pub(crate) fn begin(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// Counts an answer.
    pub(crate) fn answered(
        &self,
        method: &Method,
        route: &str,
        status: StatusCode,
        took: Duration,
    ) {
        let class = match status.as_u16() / 100 {
            1 => "1xx",
            2 => "2xx",
            3 => "3xx",
            4 => "4xx",
            _ => "5xx",
        };
        let method = match method.as_str() {
            known @ ("GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "OPTIONS") => known,
            _ => "other",
        };
        self.requests.with_label_values(&[method, route, class]).inc();
        self.seconds.observe(took.as_secs_f64());
    }

    /// Counts an upload by what became of it: an outcome's name, or `refused`.
    pub(crate) fn uploaded(&self, outcome: &str) {
        self.uploads.with_label_values(&[outcome]).inc();
    }

    /// Looks how far the index is behind, and remembers when it was level.
    async fn look(&self, site: &Site) -> Result<Duration, Fault> {
        let is_level = site.index.is_level(&*site.catalogue).await?;
        let mut level = self.level.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if is_level {
            *level = Instant::now();
        }
        let lag = if is_level { Duration::ZERO } else { level.elapsed() };
        self.lag.set(lag.as_secs_f64());
        Ok(lag)
    }
}

/// A request that is in flight until this is dropped.
pub(crate) struct InFlight(IntGauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The routes that tell how the server is.
pub(crate) fn router() -> Router<Arc<Site>> {
    Router::new()
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
}

/// Whether the process answers at all.
async fn health() -> Response {
    (
        [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")],
        "{\"status\":\"ok\"}",
    )
        .into_response()
}

/// Whether catalogue, index and store can be reached.
async fn ready(
    State(site): State<Arc<Site>>,
    Extension(operations): Extension<Arc<Operations>>,
) -> Response {
    let look = async {
        let lag = operations.look(&site).await?;
        site.catalogue.runs(&Tenant::default(), None, 1).await?;
        site.store.length(&probe()).await?;
        Ok::<_, Fault>(lag)
    };
    let looked = match tokio::time::timeout(PATIENCE, look).await {
        Ok(looked) => looked,
        Err(e) => Err(Fault::broken("the parts did not answer in time").because(e)),
    };
    match looked {
        Ok(lag) => Json(json!({ "status": "ready", "index_lag_seconds": lag.as_secs_f64() }))
            .into_response(),
        Err(fault) => {
            tracing::warn!("not ready: {}", fault.reason());
            problem(StatusCode::SERVICE_UNAVAILABLE, "not_ready", "a part cannot be reached")
        }
    }
}

/// A key that no original has: asking for it shows that the store answers.
fn probe() -> Key {
    Key::Original { tenant: Tenant::default(), digest: Digest::new([0; 32]) }
}

/// What was counted, for whoever sits on this machine: the figures are of all tenants together.
async fn metrics(
    State(site): State<Arc<Site>>,
    Extension(operations): Extension<Arc<Operations>>,
    request: Request,
) -> Result<Response, Problem> {
    if !is_near(&request) {
        return Err(Fault::not_found("there is nothing at this address").into());
    }
    // What cannot be looked at keeps its last figure.
    let _looked = tokio::time::timeout(PATIENCE, operations.look(&site)).await;
    let mut text = Vec::new();
    let encoder = TextEncoder::new();
    encoder
        .encode(&operations.registry.gather(), &mut text)
        .map_err(|e| Fault::broken("the metrics cannot be written").because(e))?;
    Ok(([(header::CONTENT_TYPE, encoder.format_type())], text).into_response())
}

/// Whether a request was sent from this machine, and passed on for nobody else.
fn is_near(request: &Request) -> bool {
    let peer = request.extensions().get::<Peer>();
    peer.is_some_and(|Peer(address)| address.ip().is_loopback()) && !passed_on(request.headers())
}

fn passed_on(headers: &HeaderMap) -> bool {
    ["forwarded", "x-forwarded-for", "x-real-ip", "via"]
        .iter()
        .any(|name| headers.contains_key(*name))
}
