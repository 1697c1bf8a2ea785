//! Why a stack failed, as its events tell.

use aws_sdk_cloudformation::Client;
use glassplate_pipeline::aws;
use glassplate_pipeline::fault::Fault;

/// What resources say that were stopped because another one failed.
const IN_CONSEQUENCE: &str = "cancelled";

/// The reasons of the latest failure, the first cause first.
pub(super) async fn why(client: &Client, stack: &str) -> Result<String, Fault> {
    let answer = client.describe_stack_events().stack_name(stack).send().await;
    let answer = answer.map_err(|e| aws::fault(&format!("cannot ask why {stack} failed"), e))?;
    let mut reasons = Vec::new();
    for event in answer.stack_events() {
        let failed = event.resource_status().is_some_and(|s| s.as_str().ends_with("_FAILED"));
        let why = event.resource_status_reason().unwrap_or_default();
        if failed && !why.is_empty() && !why.to_lowercase().contains(IN_CONSEQUENCE) {
            reasons.push(format!("{}: {why}", event.logical_resource_id().unwrap_or_default()));
        }
        // Events come the latest first; this one began what failed.
        let begun = event.resource_status().is_some_and(|s| {
            matches!(s.as_str(), "CREATE_IN_PROGRESS" | "UPDATE_IN_PROGRESS" | "DELETE_IN_PROGRESS")
        });
        if begun && event.physical_resource_id() == event.stack_id() {
            break;
        }
    }
    reasons.reverse();
    Ok(if reasons.is_empty() { "its events give no reason".to_owned() } else { reasons.join("; ") })
}
