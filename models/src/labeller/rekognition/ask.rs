//! Asking, so that every attempt is known: an answered call is paid for.
//!
//! The SDK's own retries are off. What the service refused for being busy, or never got, cost
//! nothing and is asked again here. An answer that was lost on its way may have been paid for:
//! that is told as [`FaultKind::TimedOut`], and whether to buy again is the caller's to decide.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_rekognition::Client;
use aws_sdk_rekognition::config::http::HttpResponse;
use aws_sdk_rekognition::config::retry::RetryConfig;
use aws_sdk_rekognition::config::{BehaviorVersion, Config};
use aws_sdk_rekognition::error::{ProvideErrorMetadata, SdkError};
use glassplate_pipeline::aws::{self, Aws, backoff};
use glassplate_pipeline::fault::{Fault, FaultKind};
use tokio::time::Instant;

use super::pace::Pace;

/// Error codes by which the service says that it is asked too often.
const THROTTLED: &[&str] = &[
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "LimitExceededException",
    "TooManyRequestsException",
];

/// A way to the service, shared by all that ask the same operation.
#[derive(Debug, Clone)]
pub(super) struct Service {
    pub(super) client: Client,
    pub(super) pace: Arc<Pace>,
    pub(super) patience: Duration,
}

/// Makes a client that sends each request once.
pub(super) fn client(aws: &Aws) -> Client {
    let mut config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(aws.region.clone())
        .credentials_provider(aws.credentials.clone())
        .http_client(aws.http.clone())
        .retry_config(RetryConfig::disabled())
        .timeout_config(aws.timeouts())
        .interceptor(aws.tally.clone());
    if let Some(url) = &aws.settings.endpoints.rekognition {
        config = config.endpoint_url(url);
    }
    Client::from_conf(config.build())
}

/// Why there is no answer.
enum Unanswered {
    /// The service is asked too often.
    Throttled(Fault),
    /// The service failed, or never got the request.
    Unpaid(Fault),
    /// Everything else.
    Final(Fault),
}

impl Service {
    /// Asks until there is an answer, a fault that will not pass, or no more patience.
    ///
    /// # Errors
    /// `TimedOut` when an answer was lost that may have been paid for; `Busy` when nothing was
    /// paid and patience is at its end; `Refused` for all when the service does not trust who
    /// asks; `Unsupported` or `TooLarge` when it does not take this picture.
    pub(super) async fn ask<T, E, F>(&self, what: &str, send: impl Fn() -> F) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let began = Instant::now();
        let mut tries = 0;
        loop {
            let turn = self.pace.turn().await;
            let fault = match send().await.map_err(|error| unanswered(what, error)) {
                Ok(answer) => {
                    self.pace.answered(&turn);
                    return Ok(answer);
                }
                Err(Unanswered::Final(fault)) => return Err(fault),
                Err(Unanswered::Throttled(fault)) => {
                    self.pace.throttled(&turn);
                    fault
                }
                Err(Unanswered::Unpaid(fault)) => fault,
            };
            tries += 1;
            let wait = backoff(tries + 1);
            if began.elapsed() + wait > self.patience {
                let told = format!("{}, {tries} times", fault.reason());
                return Err(Fault::new(FaultKind::Busy, told));
            }
            let rate = self.pace.rate();
            tracing::debug!(what, tries, rate, "asking again: {}", fault.reason());
            tokio::time::sleep(wait).await;
        }
    }
}

fn unanswered<E>(what: &str, error: SdkError<E, HttpResponse>) -> Unanswered
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let code = error.code().unwrap_or_default().to_owned();
    let status = error.raw_response().map_or(0, |answer| answer.status().as_u16());
    let unsent = matches!(error, SdkError::DispatchFailure(_)) && never_sent(&error);
    let served = matches!(error, SdkError::ServiceError(_));
    let fault = aws::fault(what, error);
    let of = |kind| Fault::new(kind, fault.reason());
    match &*code {
        "InvalidImageFormatException" | "InvalidParameterException" => {
            return Unanswered::Final(of(FaultKind::Unsupported));
        }
        "ImageTooLargeException" => return Unanswered::Final(of(FaultKind::TooLarge)),
        "InvalidS3ObjectException" => return Unanswered::Final(of(FaultKind::NotFound)),
        code if THROTTLED.contains(&code) => return Unanswered::Throttled(fault),
        _ => {}
    }
    if fault.is_for_all() {
        return Unanswered::Final(fault);
    }
    if unsent || status >= 500 || served && fault.kind() == FaultKind::Busy {
        return Unanswered::Unpaid(fault);
    }
    Unanswered::Final(fault)
}

/// Tells whether a connection could not even be made; the SDK says so in words alone.
fn never_sent(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let text = error.to_string();
        if text.contains("(Connect)") || text.starts_with("HTTP connect timeout") {
            return true;
        }
        cause = error.source();
    }
    false
}
