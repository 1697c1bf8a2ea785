//! Faults on the way to any stand-in: a proxy that now and then answers what a busy or broken
//! service answers, loses answers, cuts them off or lets them wait.
//!
//! What becomes of a request follows from the seed, from what is asked (method, target, operation,
//! body) and from how often the very same was asked before. So neither the order in which lanes
//! ask nor the time changes it, and a request that is sent again has a fate of its own.
//! Requests whose bodies carry random tokens are new ones in each run.
//!
//! Headers and target go through as they came, so that the upstream can still check a signature,
//! which covers the proxy's own host. Requests and answers of up to 64 MiB are held whole.

mod answers;
mod plan;
#[cfg(test)]
mod tests;
mod unprocessed;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hyper::{Request, Response};
use sha2::{Digest as _, Sha256};

use crate::Running;
use crate::http::{self, Body, HungUp, sha256};
use answers::Service;
pub use plan::{Kind, Plan};

/// A proxy that runs until this is dropped.
#[derive(Debug)]
pub struct Faults {
    running: Running,
    proxy: Arc<Proxy>,
}

/// A request that the upstream answered and whose answer never arrived whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// What became of the answer.
    pub kind: Kind,
    /// The operation: `RekognitionService.DetectLabels`, or method and path for S3.
    pub operation: String,
    /// The SHA-256 of the request's body.
    pub body: String,
    /// The HTTP status of the answer that was lost.
    pub status: u16,
}

impl Faults {
    /// Starts a proxy before `upstream`, a URL such as `http://127.0.0.1:8000`; it is switched on.
    ///
    /// # Panics
    /// When the URL is not of that form, or no port or thread can be had.
    pub fn before(upstream: &str, seed: u64, plan: Plan) -> Self {
        let authority = upstream.strip_prefix("http://").expect("a URL of HTTP");
        let proxy = Arc::new(Proxy {
            authority: authority.trim_end_matches('/').to_owned(),
            seed,
            plan,
            on: AtomicBool::new(true),
            kept: Mutex::default(),
        });
        let answering = proxy.clone();
        let running = Running::start(|listener| {
            http::serve(listener, move |request| {
                let proxy = answering.clone();
                async move { proxy.answer(request).await }
            })
        });
        Self { running, proxy }
    }

    /// Where it listens, as a URL without a path.
    pub fn url(&self) -> String {
        self.running.url()
    }

    /// Switches faults on or off; while they are off everything goes through and nothing is counted.
    pub fn switch(&self, on: bool) {
        self.proxy.on.store(on, Ordering::SeqCst);
    }

    /// How many faults of each kind there were.
    pub fn counts(&self) -> BTreeMap<Kind, u64> {
        self.proxy.kept().counts.clone()
    }

    /// How many requests came while faults were on.
    pub fn requests(&self) -> u64 {
        self.proxy.kept().requests
    }

    /// The requests that the upstream answered in vain: of Rekognition, answers that are paid
    /// and were never read, where their status is 200.
    pub fn lost(&self) -> Vec<Lost> {
        self.proxy.kept().lost.clone()
    }
}

#[derive(Debug)]
struct Proxy {
    authority: String,
    seed: u64,
    plan: Plan,
    on: AtomicBool,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    requests: u64,
    counts: BTreeMap<Kind, u64>,
    lost: Vec<Lost>,
    /// How often the very same was asked.
    asked: HashMap<[u8; 32], u64>,
}

impl Proxy {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, kind: Kind) {
        *self.kept().counts.entry(kind).or_default() += 1;
    }

    async fn answer(&self, request: Request<Bytes>) -> Result<Response<Body>, HungUp> {
        if !self.on.load(Ordering::SeqCst) {
            return self.forward(request).await.map(|answer| answer.map(http::whole));
        }
        let service = Service::of(&request);
        let dice = self.dice(&request);
        let kind = self.plan.fate(dice.of("fate"));
        if let Some(kind) = kind {
            self.count(kind);
        }
        let operation = operation(&request);
        let lost = |kind, answer: &Response<Bytes>, body: String| {
            let status = answer.status().as_u16();
            self.kept().lost.push(Lost { kind, operation: operation.clone(), body, status });
        };
        match kind {
            None => self.pass(request, &dice).await,
            Some(Kind::Throttled) => Ok(service.throttled()),
            Some(Kind::Failed) => Ok(service.failed()),
            Some(Kind::Unavailable) => Ok(service.unavailable()),
            Some(Kind::Silent) => {
                tokio::time::sleep(self.plan.silence).await;
                Err(HungUp)
            }
            Some(Kind::Slow) => {
                let answer = self.pass(request, &dice).await;
                tokio::time::sleep(self.plan.delay).await;
                answer
            }
            Some(Kind::Lost) => {
                let body = sha256(request.body());
                lost(Kind::Lost, &self.forward(request).await?, body);
                Err(HungUp)
            }
            Some(Kind::Cut) => {
                let body = sha256(request.body());
                let answer = self.forward(request).await?;
                lost(Kind::Cut, &answer, body);
                let length = answer.body().len();
                if length == 0 {
                    return Err(HungUp);
                }
                let mut answer = answer.map(|bytes| http::broken_off(bytes.slice(..length / 2)));
                let headers = answer.headers_mut();
                headers.remove("transfer-encoding");
                headers.insert("content-length", length.into());
                Ok(answer)
            }
            Some(Kind::Unprocessed) => unreachable!("it is drawn for batches alone"),
        }
    }

    /// Lets a request through, holding back part of a batch where the dice say so.
    async fn pass(&self, request: Request<Bytes>, dice: &Dice) -> Result<Response<Body>, HungUp> {
        let held = (dice.of("unprocessed") < self.plan.unprocessed)
            .then(|| {
                unprocessed::hold_back(&request, |item| dice.of(&format!("item {item}")) < 0.5)
            })
            .flatten();
        let Some((request, held)) = held else {
            return self.forward(request).await.map(|answer| answer.map(http::whole));
        };
        self.count(Kind::Unprocessed);
        let answer = self.forward(request).await?;
        Ok(held.into_answer(answer).map(http::whole))
    }

    async fn forward(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HungUp> {
        http::forward(&self.authority, request).await.map_err(|_| HungUp)
    }

    fn dice(&self, request: &Request<Bytes>) -> Dice {
        let mut hasher = Sha256::new();
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        for part in [request.method().as_str(), target, &operation(request)] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        hasher.update(request.body());
        let asked: [u8; 32] = hasher.finalize().into();
        let mut kept = self.kept();
        kept.requests += 1;
        let before = kept.asked.entry(asked).or_default();
        *before += 1;
        Dice { seed: self.seed, asked, before: *before }
    }
}

/// Numbers that follow from the seed and the request.
struct Dice {
    seed: u64,
    asked: [u8; 32],
    before: u64,
}

impl Dice {
    /// A number of 0 to below 1 for a question.
    fn of(&self, question: &str) -> f64 {
        let mut hasher = Sha256::new();
        hasher.update(self.seed.to_be_bytes());
        hasher.update(self.asked);
        hasher.update(self.before.to_be_bytes());
        hasher.update(question);
        let digest: [u8; 32] = hasher.finalize().into();
        let bits = digest.iter().take(6).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        bits as f64 / (1_u64 << 48) as f64
    }
}

fn operation(request: &Request<Bytes>) -> String {
    match answers::target(request) {
        Some(target) => target.to_owned(),
        None => format!("{} {}", request.method(), request.uri().path()),
    }
}
