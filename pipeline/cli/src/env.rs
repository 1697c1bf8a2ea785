//! Every environment variable that glassplate reads, in one place.

use std::path::PathBuf;

use aws_config::{BehaviorVersion, Region};
use glassplate_pipeline::aws::{Aws, AwsSettings};
use glassplate_pipeline::fault::Fault;
use glassplate_search::http::OperatorToken;

/// The folder that holds catalogue, originals, renditions and index; `--home` beats it.
pub(crate) const HOME: &str = "GLASSPLATE_HOME";
/// The folder that fetched models and the runtime are kept in, shared by all homes.
pub(crate) const CACHE: &str = "GLASSPLATE_CACHE";
/// A mirror folder of model files, looked into before anything is fetched; `--mirror` beats it.
pub(crate) const MIRROR: &str = "GLASSPLATE_MODELS";
/// What is logged to stderr, such as `debug` or `glassplate_search=trace`; default `warn`.
pub(crate) const LOG: &str = "GLASSPLATE_LOG";

/// Under whose name decisions are kept; the setting `people.name` and `--by` beat it.
pub(crate) const BY: &str = "GLASSPLATE_BY";

/// The queue that a worker takes tasks from; beats the setting `batch.queue`.
pub(crate) const QUEUE: &str = "GLASSPLATE_QUEUE";
/// The state machine that runs batches; beats the setting `batch.state_machine`.
pub(crate) const STATE_MACHINE: &str = "GLASSPLATE_STATE_MACHINE";

/// Tells whether this process is a Lambda function: the service sets where to ask for events.
pub(crate) fn on_lambda() -> bool {
    std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some()
}

/// A variable's value, where it is set and not empty.
pub(crate) fn set(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// What opens archives to new tenants over HTTP, at least 32 characters; without it nobody may.
pub(crate) const OPERATOR_TOKEN: &str = "GLASSPLATE_OPERATOR_TOKEN";

/// The operator's token, where one is set.
///
/// # Errors
/// `BadInput` when it is too short to be safe.
pub(crate) fn operator_token() -> Result<Option<OperatorToken>, Fault> {
    let set = std::env::var(OPERATOR_TOKEN).ok().filter(|token| !token.is_empty());
    set.map(|token| token.parse()).transpose()
}

/// Who is at the keyboard: `$GLASSPLATE_BY`, else the login name in `$USER` or `$LOGNAME`.
pub(crate) fn by() -> Option<String> {
    let named = |name: &&str| std::env::var(name).is_ok_and(|value| !value.trim().is_empty());
    let name = [BY, "USER", "LOGNAME"].into_iter().find(|name| named(name))?;
    std::env::var(name).ok()
}

/// The default home: `$XDG_DATA_HOME/glassplate`, else `~/.local/share/glassplate`.
pub(crate) fn default_home() -> Option<PathBuf> {
    below("XDG_DATA_HOME", ".local/share")
}

/// The cache folder: `$GLASSPLATE_CACHE`, else `$XDG_CACHE_HOME/glassplate`, else `~/.cache/glassplate`.
pub(crate) fn cache() -> Option<PathBuf> {
    std::env::var_os(CACHE).map(PathBuf::from).or_else(|| below("XDG_CACHE_HOME", ".cache"))
}

fn below(base: &str, under_home: &str) -> Option<PathBuf> {
    let base = std::env::var_os(base).filter(|b| !b.is_empty()).map(PathBuf::from);
    let base = base.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(under_home)))?;
    Some(base.join("glassplate"))
}

/// The way to AWS: region and credentials as the settings name them, else as AWS's own tools find
/// them, in `$AWS_REGION`, `$AWS_PROFILE`, `$AWS_ACCESS_KEY_ID` and so on, in `~/.aws`, from the
/// container or the machine. `$AWS_ENDPOINT_URL` is not heeded: only the settings name endpoints.
///
/// # Errors
/// `BadInput` when there is no region.
pub(crate) async fn aws(settings: &AwsSettings) -> Result<Aws, Fault> {
    let http = Aws::connections();
    let mut found = aws_config::defaults(BehaviorVersion::latest()).http_client(http.clone());
    if let Some(profile) = &settings.profile {
        found = found.profile_name(profile);
    }
    if let Some(region) = &settings.region {
        found = found.region(Region::new(region.clone()));
    }
    let found = found.load().await;
    let region = found.region().map(ToString::to_string).ok_or_else(|| {
        Fault::bad_input("no AWS region is known: set aws.region in the config, or $AWS_REGION")
    })?;
    let credentials = found.credentials_provider().ok_or_else(|| {
        Fault::bad_input("no AWS credentials are known: set aws.profile, or $AWS_ACCESS_KEY_ID")
    })?;
    Ok(Aws::new(region, credentials, http, settings.clone()))
}
