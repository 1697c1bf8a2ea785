//! Rekognition on loopback: checks requests as the service would, answers as scripted, and keeps
//! a ledger of what it would send a bill for.

mod answer;
mod ledger;
mod picture;
mod quota;
mod signature;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::Response;
use serde_json::{Value, json};

use crate::Running;
use crate::http::{self, Body, HungUp, sha256};
pub use ledger::{Call, Ledger};
pub use picture::{LEAST_SIDE, MOST_SIDE};
pub use quota::Quota;

/// The most bytes of a picture inside a request.
pub const MOST_INLINE: usize = 5 << 20;
/// The most bytes of a picture in a bucket.
pub const MOST_IN_BUCKET: usize = 15 << 20;

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Api {
    /// Labels of what is seen.
    DetectLabels,
    /// What may offend.
    DetectModerationLabels,
    /// Text in the picture.
    DetectText,
}

impl Api {
    fn of(target: &str) -> Option<Self> {
        match target.strip_prefix("RekognitionService.")? {
            "DetectLabels" => Some(Self::DetectLabels),
            "DetectModerationLabels" => Some(Self::DetectModerationLabels),
            "DetectText" => Some(Self::DetectText),
            _ => None,
        }
    }
}

/// One request that passed every check.
#[derive(Debug)]
pub struct Request {
    /// Its number among all requests, from 1.
    pub number: u64,
    /// What is asked for.
    pub api: Api,
    /// The picture.
    pub picture: Vec<u8>,
    /// Its width in pixels.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
    /// Its SHA-256, 64 hexadecimal digits.
    pub sha256: String,
    /// The request's body.
    pub body: Value,
}

impl Request {
    fn digest(&self) -> [u8; 32] {
        use sha2::Digest as _;
        sha2::Sha256::digest(&self.picture).into()
    }
}

/// What is answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The service's answer, as its JSON: billed.
    Told(Value),
    /// Labels, each with a confidence of 0 to 100 and nothing else: billed.
    Labels(Vec<(String, f64)>),
    /// An error, by HTTP status and code: not billed.
    Error(u16, &'static str),
}

impl Answer {
    /// What follows from the picture's digest alone.
    pub fn derived(request: &Request) -> Self {
        Self::Told(answer::derived(request))
    }
}

/// Makes an answer for each request that passed the checks.
pub type Script = Arc<dyn Fn(&Request) -> Answer + Send + Sync>;
/// Finds an object by bucket and name.
pub type Objects = Arc<dyn Fn(&str, &str) -> Option<Vec<u8>> + Send + Sync>;

/// What the stand-in is like.
#[derive(Clone)]
pub struct Options {
    /// Its region.
    pub region: String,
    /// The access key that it knows.
    pub access_key: String,
    /// Its secret.
    pub secret_key: String,
    /// How many calls it answers a second; `None` for as many as come.
    pub quota: Option<Quota>,
    /// Where pictures in buckets are found; `None` for nowhere.
    pub objects: Option<Objects>,
    /// What it answers.
    pub script: Script,
    /// Errors for requests by their number, from 1, before anything but the signature is checked.
    pub errors: BTreeMap<u64, (u16, &'static str)>,
}

impl Default for Options {
    /// The keys of the S3 stand-in, `us-east-1`, no quota, no buckets, derived answers.
    fn default() -> Self {
        Self {
            region: "us-east-1".to_owned(),
            access_key: crate::s3::ACCESS_KEY.to_owned(),
            secret_key: crate::s3::SECRET_KEY.to_owned(),
            quota: None,
            objects: None,
            script: Arc::new(Answer::derived),
            errors: BTreeMap::new(),
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("region", &self.region).finish_non_exhaustive()
    }
}

/// Finds objects in the folders below `root`, as the S3 stand-in keeps them.
pub fn objects_below(root: PathBuf) -> Objects {
    Arc::new(move |bucket, name| {
        let inside = |part: &str| !part.split('/').any(|step| matches!(step, "" | "." | ".."));
        (inside(bucket) && inside(name))
            .then(|| std::fs::read(root.join(bucket).join(name)).ok())
            .flatten()
    })
}

/// A Rekognition that runs until this is dropped.
#[derive(Debug)]
pub struct Stub {
    running: Running,
    kept: Arc<Mutex<Kept>>,
}

impl Stub {
    /// Starts a Rekognition.
    ///
    /// # Panics
    /// When no port or thread can be had.
    pub fn start(options: Options) -> Self {
        let kept = Arc::new(Mutex::new(Kept::default()));
        let service = Arc::new(Service {
            bucket: options.quota.clone().map(quota::Bucket::full),
            options,
            kept: kept.clone(),
        });
        let running = Running::start(|listener| {
            http::serve(listener, move |request| {
                let service = service.clone();
                async move { Ok::<_, HungUp>(service.answer(&request)) }
            })
        });
        Self { running, kept }
    }

    /// Where it listens, as a URL without a path.
    pub fn url(&self) -> String {
        self.running.url()
    }

    /// What was asked and answered so far.
    pub fn ledger(&self) -> Ledger {
        lock(&self.kept).ledger.clone()
    }
}

#[derive(Debug, Default)]
struct Kept {
    requests: u64,
    ledger: Ledger,
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Service {
    options: Options,
    bucket: Option<quota::Bucket>,
    kept: Arc<Mutex<Kept>>,
}

/// An error of the service.
#[derive(Debug)]
struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
}

impl Refusal {
    fn new(code: &'static str, message: String) -> Self {
        Self { status: 400, code, message }
    }
}

impl Service {
    fn answer(&self, request: &hyper::Request<Bytes>) -> Response<Body> {
        let number = {
            let mut kept = lock(&self.kept);
            kept.requests += 1;
            kept.requests
        };
        let body = sha256(request.body());
        let mut call = Call { number, api: None, picture: None, body, error: None };
        let (status, value) = match self.told(request, &mut call) {
            Ok(value) => (200, value),
            Err(Refusal { status, code, message }) => {
                call.error = Some(code.to_owned());
                (status, json!({"__type": code, "Message": message}))
            }
        };
        lock(&self.kept).ledger.calls.push(call);
        http::json(status, &value)
    }

    fn told(&self, request: &hyper::Request<Bytes>, call: &mut Call) -> Result<Value, Refusal> {
        signature::check(&self.options, request)?;
        if let Some((status, code)) = self.options.errors.get(&call.number) {
            return Err(scripted(*status, code));
        }
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let target = header("x-amz-target").unwrap_or_default();
        let json = header("content-type") == Some("application/x-amz-json-1.1");
        let api = Api::of(target).filter(|_| json && request.method() == hyper::Method::POST);
        let unknown = || Refusal::new("UnknownOperationException", "Unknown operation".into());
        let api = api.ok_or_else(unknown)?;
        call.api = Some(api);
        if let Some(code) = self.bucket.as_ref().and_then(|bucket| bucket.take().err()) {
            return Err(Refusal::new(code, "Rate exceeded".into()));
        }
        let body: Value = serde_json::from_slice(request.body())
            .map_err(|_| Refusal::new("SerializationException", "Body is not JSON".into()))?;
        parameters(&body)?;
        let picture = self.picture(&body["Image"])?;
        let sha256 = sha256(&picture);
        call.picture = Some(sha256.clone());
        let (width, height) = picture::sides(&picture)?;
        let request = Request { number: call.number, api, picture, width, height, sha256, body };
        match (self.options.script)(&request) {
            Answer::Told(value) => Ok(value),
            Answer::Labels(labels) => {
                let label = |(name, confidence): &(String, f64)| {
                    json!({
                        "Name": name, "Confidence": confidence, "Instances": [], "Parents": [],
                        "Aliases": [], "Categories": [],
                    })
                };
                let labels: Vec<Value> = labels.iter().map(label).collect();
                Ok(json!({"Labels": labels, "LabelModelVersion": "3.0"}))
            }
            Answer::Error(status, code) => Err(scripted(status, code)),
        }
    }

    fn picture(&self, image: &Value) -> Result<Vec<u8>, Refusal> {
        let parameter = |why: &str| Refusal::new("InvalidParameterException", why.to_owned());
        match (&image["Bytes"], &image["S3Object"]) {
            (Value::String(text), Value::Null) => {
                let bytes = STANDARD.decode(text).map_err(|_| {
                    Refusal::new("SerializationException", "Image.Bytes is no base64".into())
                })?;
                match bytes.len() {
                    0 => Err(parameter("Image.Bytes is empty")),
                    1..=MOST_INLINE => Ok(bytes),
                    _ => Err(Refusal::new(
                        "ImageTooLargeException",
                        "Image size is too large".into(),
                    )),
                }
            }
            (Value::Null, Value::Object(object)) => {
                let part = |name: &str| object.get(name).and_then(Value::as_str);
                let (Some(bucket), Some(name)) = (part("Bucket"), part("Name")) else {
                    return Err(parameter("S3Object needs Bucket and Name"));
                };
                let found = self.options.objects.as_ref().and_then(|find| find(bucket, name));
                let bytes = found.ok_or_else(|| {
                    Refusal::new(
                        "InvalidS3ObjectException",
                        "Unable to get object metadata from S3. Check object key, region and/or access permissions."
                            .into(),
                    )
                })?;
                match bytes.len() {
                    0..=MOST_IN_BUCKET => Ok(bytes),
                    _ => Err(Refusal::new(
                        "ImageTooLargeException",
                        "Image size is too large".into(),
                    )),
                }
            }
            _ => Err(parameter("Image needs either Bytes or S3Object")),
        }
    }
}

fn parameters(body: &Value) -> Result<(), Refusal> {
    let wrong = |name: &str| {
        Refusal::new("InvalidParameterException", format!("Request has invalid parameter {name}"))
    };
    let number = |name: &str, fits: &dyn Fn(f64) -> bool| match &body[name] {
        Value::Null => Ok(()),
        value if value.as_f64().is_some_and(fits) => Ok(()),
        _ => Err(wrong(name)),
    };
    number("MaxLabels", &|most| most >= 0.0 && most.fract() == 0.0)?;
    number("MinConfidence", &|least| (0.0..=100.0).contains(&least))
}

fn scripted(status: u16, code: &'static str) -> Refusal {
    Refusal { status, code, message: "as scripted".into() }
}
