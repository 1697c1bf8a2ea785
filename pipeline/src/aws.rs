//! What all parts on AWS share: who asks, where, how patiently, and what an error means.
//!
//! Credentials come from whoever composes; nothing here reads the environment. An endpoint is
//! AWS's own over TLS unless the settings name another, and plain HTTP is for loopback alone.

pub mod dynamo;

use std::collections::BTreeMap;
use std::future::Future;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    ConfigBag, Intercept, Region, RuntimeComponents, SharedCredentialsProvider, SharedHttpClient,
};
use aws_sdk_s3::error::{BoxError, ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use serde::Deserialize;

use crate::fault::{Fault, FaultKind};

/// How AWS is reached.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AwsSettings {
    /// The region, such as `eu-central-1`; else the one of the environment or the profile.
    pub region: Option<String>,
    /// The profile of the shared configuration files that credentials are taken from.
    pub profile: Option<String>,
    /// How often one request is sent before its fault is told, 1 to 30.
    pub attempts: u32,
    /// How long one attempt may take, in seconds.
    pub attempt_seconds: f64,
    /// Other endpoints than AWS's own.
    pub endpoints: Endpoints,
}

impl Default for AwsSettings {
    /// Ten attempts ride out half a minute of throttling.
    fn default() -> Self {
        Self {
            region: None,
            profile: None,
            attempts: 10,
            attempt_seconds: 60.0,
            endpoints: Endpoints::default(),
        }
    }
}

/// Other endpoints than AWS's own, each an `https` URL; `http` on loopback alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Endpoints {
    /// CloudFormation.
    pub cloudformation: Option<String>,
    /// S3.
    pub s3: Option<String>,
    /// DynamoDB.
    pub dynamodb: Option<String>,
    /// Rekognition.
    pub rekognition: Option<String>,
    /// Step Functions.
    pub states: Option<String>,
    /// SQS.
    pub sqs: Option<String>,
}

impl AwsSettings {
    /// Checks ranges and endpoints.
    ///
    /// # Errors
    /// `BadInput` naming the setting.
    pub fn validate(&self) -> Result<(), Fault> {
        if !(1..=30).contains(&self.attempts) {
            return Err(Fault::bad_input(format!("aws.attempts is {}: 1 to 30", self.attempts)));
        }
        if !(0.1..=3600.0).contains(&self.attempt_seconds) {
            return Err(Fault::bad_input(format!(
                "aws.attempt_seconds is {}: 0.1 to 3600",
                self.attempt_seconds
            )));
        }
        let Endpoints { cloudformation, s3, dynamodb, rekognition, states, sqs } = &self.endpoints;
        for (name, url) in [
            ("cloudformation", cloudformation),
            ("s3", s3),
            ("dynamodb", dynamodb),
            ("rekognition", rekognition),
            ("states", states),
            ("sqs", sqs),
        ] {
            if let Some(url) = url {
                check_endpoint(name, url)?;
            }
        }
        Ok(())
    }
}

fn check_endpoint(name: &str, url: &str) -> Result<(), Fault> {
    let wrong = |why: &str| Fault::bad_input(format!("aws.endpoints.{name} is {url:?}: {why}"));
    let (scheme, rest) = url.split_once("://").ok_or_else(|| wrong("it is no URL"))?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    if authority.contains('@') {
        return Err(Fault::bad_input(format!("aws.endpoints.{name} carries a password")));
    }
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None => authority.split(':').next().unwrap_or(authority),
    };
    match scheme {
        "https" if !host.is_empty() => Ok(()),
        "http" if matches!(host, "localhost" | "127.0.0.1" | "::1") => Ok(()),
        "http" => Err(wrong("without TLS only loopback is possible")),
        _ => Err(wrong("it must begin with https://")),
    }
}

/// A way to AWS: what every client is made of.
#[derive(Debug, Clone)]
pub struct Aws {
    /// The region.
    pub region: Region,
    /// Who asks.
    pub credentials: SharedCredentialsProvider,
    /// The connections, shared by all clients.
    pub http: SharedHttpClient,
    /// How patiently.
    pub settings: AwsSettings,
    /// How often which operation was asked for.
    pub tally: Tally,
}

impl Aws {
    /// Connections over TLS, kept and used again.
    pub fn connections() -> SharedHttpClient {
        aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https()
    }

    /// Makes a way to AWS of a region, credentials and connections; asks nothing yet.
    pub fn new(
        region: String,
        credentials: SharedCredentialsProvider,
        http: SharedHttpClient,
        settings: AwsSettings,
    ) -> Self {
        Self { region: Region::new(region), credentials, http, settings, tally: Tally::default() }
    }

    /// Retries with exponential backoff and jitter, inside the SDK.
    pub fn retries(&self) -> RetryConfig {
        RetryConfig::standard()
            .with_max_attempts(self.settings.attempts)
            .with_initial_backoff(Duration::from_millis(200))
            .with_max_backoff(Duration::from_secs(20))
    }

    /// How long is waited for an answer.
    pub fn timeouts(&self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(5))
            .operation_attempt_timeout(Duration::from_secs_f64(self.settings.attempt_seconds))
            .build()
    }
}

/// Counts requests as they are sent, retries included, by operation.
#[derive(Debug, Clone, Default)]
pub struct Tally(Arc<Mutex<BTreeMap<String, u64>>>);

impl Tally {
    /// Reads all counts.
    pub fn read(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Intercept for Tally {
    fn name(&self) -> &'static str {
        "tally"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = bag.load::<aws_smithy_runtime_api::client::orchestrator::Metadata>();
        let name = operation.map_or("unknown", |operation| operation.name());
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(name.to_owned()).or_default() += 1;
        Ok(())
    }
}

/// Error codes by which a service says that it is busy.
const BUSY: &[&str] = &[
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "LimitExceededException",
    "OperationAborted",
    "ConditionalRequestConflict",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
    "TransactionConflictException",
    "TransactionInProgressException",
];
/// Error codes by which a service says that it does not know, or does not trust, who asks.
const UNTRUSTED: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "InvalidToken",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "OptInRequired",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
    "AllAccessDisabled",
    "AccountProblem",
];
/// Error codes by which a service says that a whole bucket or table is not there.
const NOWHERE: &[&str] = &["NoSuchBucket", "ResourceNotFoundException", "PermanentRedirect"];

/// Says what a service's error means, naming `what` was attempted; never who attempted it.
pub fn fault<E, R>(what: &str, error: SdkError<E, R>) -> Fault
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Status + Send + Sync + 'static,
{
    let code = error.code().unwrap_or_default().to_owned();
    let said = error.message().unwrap_or_default().to_owned();
    let status = match &error {
        SdkError::ServiceError(context) => context.raw().status(),
        SdkError::ResponseError(context) => context.raw().status(),
        _ => 0,
    };
    let answer = match (code.is_empty(), said.is_empty()) {
        (true, true) if status > 0 => format!("status {status}"),
        (true, true) => without_secrets(&root(&error)),
        (true, false) => without_secrets(&said),
        (false, true) => code.clone(),
        (false, false) => format!("{code}: {}", without_secrets(&said)),
    };
    let made = |kind| Fault::new(kind, format!("{what}: {answer}"));
    if UNTRUSTED.contains(&&*code) {
        return made(FaultKind::Refused).for_all();
    }
    if NOWHERE.contains(&&*code) {
        return made(FaultKind::NotFound).for_all();
    }
    if BUSY.contains(&&*code) {
        return made(FaultKind::Busy);
    }
    match &error {
        SdkError::TimeoutError(_) => made(FaultKind::TimedOut),
        // Who asks could not be found out: the SDK says so in words alone.
        SdkError::DispatchFailure(failure)
            if failure.is_user() || failure.is_other() && root(&error).contains("credential") =>
        {
            made(FaultKind::Refused).for_all()
        }
        SdkError::DispatchFailure(_) => made(FaultKind::TimedOut),
        // No credentials could be had, or a request that cannot be made.
        SdkError::ConstructionFailure(_) => made(FaultKind::Refused).for_all(),
        _ => match status {
            403 | 401 => made(FaultKind::Refused).for_all(),
            404 => made(FaultKind::NotFound),
            409 | 412 => made(FaultKind::Conflict),
            408 | 429 | 500.. => made(FaultKind::Busy),
            // An answer that was cut off or cannot be read.
            200..=299 | 0 => made(FaultKind::TimedOut),
            _ => made(FaultKind::Broken),
        },
    }
}

/// An answer's HTTP status.
pub trait Status {
    /// The status in digits.
    fn status(&self) -> u16;
}

impl Status for aws_smithy_runtime_api::client::orchestrator::HttpResponse {
    fn status(&self) -> u16 {
        self.status().as_u16()
    }
}

/// The innermost cause in words.
fn root(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

/// Takes out what looks like an access key's id: services repeat it.
fn without_secrets(text: &str) -> String {
    let key = |word: &str| {
        (16..=128).contains(&word.len())
            && ["AKIA", "ASIA", "AROA", "AIDA"].iter().any(|kind| word.starts_with(kind))
    };
    let mut told = String::with_capacity(text.len());
    for piece in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let word = piece.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        match key(word) {
            true => {
                told.push_str("(a key)");
                told.push_str(&piece[word.len()..]);
            }
            false => told.push_str(piece),
        }
    }
    told
}

/// How often work as a whole is tried again: for what no single request's retry can mend.
const TRIES: u32 = 8;
/// The wait before the second try; doubled before each further one.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Does work again, with backoff and full jitter, while its fault is one that may pass.
///
/// # Errors
/// The last fault.
pub async fn patiently<T, F>(mut work: impl FnMut() -> F) -> Result<T, Fault>
where
    F: Future<Output = Result<T, Fault>>,
{
    let mut tries = 1;
    loop {
        match work().await {
            Err(fault) if fault.kind().faces().retried && tries < TRIES => {
                tokio::time::sleep(backoff(tries)).await;
                tries += 1;
            }
            result => return result,
        }
    }
}

/// How long to wait after so many tries: random, up to a bound that doubles.
pub fn backoff(tries: u32) -> Duration {
    let bound = FIRST_WAIT.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(LONGEST_WAIT);
    bound.mul_f64(random() as f64 / u64::MAX as f64)
}

/// A random number: a hasher's keys are randomness enough for names that must differ and for workers
/// that must not keep step.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_without_tls_is_for_loopback_alone() {
        let with = |url: &str| {
            let endpoints = Endpoints { s3: Some(url.to_owned()), ..Endpoints::default() };
            AwsSettings { endpoints, ..AwsSettings::default() }.validate().is_ok()
        };
        assert!(with("https://s3.example.org") && with("http://127.0.0.1:9000"));
        assert!(with("http://localhost:9000/") && with("http://[::1]:9000"));
        for wrong in [
            "http://s3.example.org",
            "http://127.0.0.1.example.org",
            "ftp://localhost",
            "localhost:9000",
            "https://",
            "https://user:secret@s3.example.org",
            "http://127.0.0.1@evil.example",
        ] {
            assert!(!with(wrong), "{wrong}");
        }
    }

    #[test]
    fn keys_are_taken_out_of_messages() {
        let said = "The key AKIAIOSFODNN7EXAMPLE, or 'ASIAIOSFODNN7EXAMPLE', is not known; ASIA is";
        assert_eq!(without_secrets(said), "The key (a key), or '(a key)', is not known; ASIA is");
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_pass_is_tried_again_and_nothing_else() {
        for (kind, expected) in [(FaultKind::Busy, TRIES), (FaultKind::Refused, 1)] {
            let mut tries = 0;
            let result: Result<(), Fault> = patiently(|| {
                tries += 1;
                async move { Err(Fault::new(kind, "no")) }
            })
            .await;
            assert!(result.is_err());
            assert_eq!(tries, expected);
        }
    }
}
