//! Stacks in an account: what would change, changing it, taking them down.
//!
//! Everything goes through a change set, so that `diff` shows what `deploy` does. Doing it twice
//! changes nothing.

mod events;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::config::BehaviorVersion;
use aws_sdk_cloudformation::error::ProvideErrorMetadata as _;
use aws_sdk_cloudformation::types::{
    Capability, ChangeSetStatus, ChangeSetType, Parameter, ResourceChange, Stack, StackStatus,
};
use glassplate_pipeline::aws::{self, Aws};
use glassplate_pipeline::fault::{Fault, FaultKind};

use crate::outline::Outline;
use crate::template::Template;

/// The change set, of which a stack has one at a time.
const CHANGE_SET: &str = "glassplate";
/// How often a stack is asked how far it is.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// How long a stack is waited for: file systems and distributions take their time.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Stacks in one account and region.
#[derive(Debug, Clone)]
pub struct Stacks {
    client: Client,
    /// How long between two questions.
    every: Duration,
}

/// A resource that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// What is done: `Add`, `Modify`, `Remove`, `Import`.
    pub action: String,
    /// Its name in the template.
    pub resource: String,
    /// Its type.
    pub kind: String,
    /// Whether it is made anew, and what it held is gone unless it is kept.
    pub replaced: bool,
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let anew = if self.replaced { ", made anew" } else { "" };
        write!(f, "{} {} ({}){anew}", self.action.to_lowercase(), self.resource, self.kind)
    }
}

/// How a stack stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// CloudFormation's word for it; nothing where there is no stack.
    pub status: Option<String>,
    /// The parameters that it was given.
    pub parameters: BTreeMap<String, String>,
    /// What it gives out.
    pub outputs: BTreeMap<String, String>,
}

impl Stacks {
    /// Makes a client; asks nothing yet.
    pub fn new(aws: &Aws) -> Self {
        let mut config = aws_sdk_cloudformation::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(aws.region.clone())
            .credentials_provider(aws.credentials.clone())
            .http_client(aws.http.clone())
            .retry_config(aws.retries())
            .timeout_config(aws.timeouts())
            .interceptor(aws.tally.clone());
        let mut every = ASK_EVERY;
        if let Some(url) = &aws.settings.endpoints.cloudformation {
            config = config.endpoint_url(url);
            every = Duration::from_millis(200);
        }
        Self { client: Client::from_conf(config.build()), every }
    }

    /// Says how a stack stands.
    ///
    /// # Errors
    /// What the service says.
    pub async fn standing(&self, stack: &str) -> Result<Standing, Fault> {
        let Some(found) = self.find(stack).await? else { return Ok(Standing::default()) };
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let parameters = found.parameters().iter();
        let outputs = found.outputs().iter();
        Ok(Standing {
            status: found.stack_status().map(|status| status.as_str().to_owned()),
            parameters: parameters
                .map(|p| (text(&p.parameter_key), text(&p.parameter_value)))
                .collect(),
            outputs: outputs.map(|o| (text(&o.output_key), text(&o.output_value))).collect(),
        })
    }

    /// Says what a deployment would change, and changes nothing. A parameter that is not given
    /// stays as it is, or has its default in a new stack.
    ///
    /// # Errors
    /// `BadInput` naming a parameter that is missing, `Busy` while the stack changes already,
    /// `Refused` when it can only be taken down, and what the service says.
    pub async fn diff(
        &self,
        template: &Template,
        stack: &str,
        given: &BTreeMap<String, String>,
    ) -> Result<Vec<Changed>, Fault> {
        let is_new = self.propose(template, stack, given).await?;
        let changed = self.proposed(stack).await;
        self.discard(stack, is_new).await?;
        changed
    }

    /// Makes or changes a stack, waits for it, and says what changed; nothing when all was so.
    ///
    /// # Errors
    /// As [`Self::diff`]; `Broken` with the reasons of what failed, after CloudFormation took it back.
    pub async fn deploy(
        &self,
        template: &Template,
        stack: &str,
        given: &BTreeMap<String, String>,
    ) -> Result<Vec<Changed>, Fault> {
        let is_new = self.propose(template, stack, given).await?;
        let changed = match self.proposed(stack).await {
            Ok(changed) if !changed.is_empty() => changed,
            other => {
                self.discard(stack, is_new).await?;
                return other;
            }
        };
        let cannot = format!("cannot change the stack {stack}");
        let execute = self.client.execute_change_set().stack_name(stack);
        let sent = execute.change_set_name(CHANGE_SET).send().await;
        sent.map_err(|e| aws::fault(&cannot, e))?;
        let status = self.settled(stack).await?;
        match status {
            Some(StackStatus::CreateComplete | StackStatus::UpdateComplete) => Ok(changed),
            _ => {
                let why = events::why(&self.client, stack).await?;
                let status = status.as_ref().map_or("gone", StackStatus::as_str);
                Err(Fault::broken(format!("{cannot}, which is {status} now: {why}")))
            }
        }
    }

    /// Takes a stack down, waits for it, and says what outlives it as its template has it.
    ///
    /// # Errors
    /// `NotFound` when there is none, `Broken` with the reasons of what would not go, and what
    /// the service says.
    pub async fn destroy(&self, template: &Template, stack: &str) -> Result<Vec<String>, Fault> {
        if self.find(stack).await?.is_none() {
            return Err(Fault::not_found(format!("there is no stack {stack}")));
        }
        let cannot = format!("cannot take down the stack {stack}");
        let kept: Vec<String> = Outline::of(template)
            .resources
            .into_iter()
            .filter(|r| r.kept)
            .map(|r| r.name)
            .collect();
        let kept = self.physical(stack, &kept).await?;
        let sent = self.client.delete_stack().stack_name(stack).send().await;
        sent.map_err(|e| aws::fault(&cannot, e))?;
        match self.settled(stack).await? {
            None | Some(StackStatus::DeleteComplete) => Ok(kept),
            Some(_) => {
                let why = events::why(&self.client, stack).await?;
                Err(Fault::broken(format!("{cannot}: {why}")))
            }
        }
    }

    /// Makes the change set; tells whether the stack is new.
    async fn propose(
        &self,
        template: &Template,
        stack: &str,
        given: &BTreeMap<String, String>,
    ) -> Result<bool, Fault> {
        let there = self.find(stack).await?;
        let status = there.as_ref().and_then(|stack| stack.stack_status().cloned());
        let is_new = match &status {
            None | Some(StackStatus::ReviewInProgress | StackStatus::DeleteComplete) => true,
            Some(StackStatus::RollbackComplete | StackStatus::RollbackFailed) => {
                return Err(Fault::new(
                    FaultKind::Refused,
                    format!("the stack {stack} was never made whole: take it down first"),
                ));
            }
            Some(status) if is_under_way(status) => {
                let message = format!("the stack {stack} is {} already", status.as_str());
                return Err(Fault::new(FaultKind::Busy, message));
            }
            Some(_) => false,
        };
        let had: Vec<&str> = match is_new {
            true => Vec::new(),
            false => {
                there.iter().flat_map(Stack::parameters).filter_map(|p| p.parameter_key()).collect()
            }
        };
        let parameters = parameters(template, stack, given, &had)?;
        // One that was left by a command that was ended.
        self.delete_change_set(stack, !is_new || status.is_some()).await?;
        let kind = if is_new { ChangeSetType::Create } else { ChangeSetType::Update };
        let sent = self
            .client
            .create_change_set()
            .stack_name(stack)
            .change_set_name(CHANGE_SET)
            .change_set_type(kind)
            .template_body(template.body())
            .set_parameters(Some(parameters))
            .capabilities(Capability::CapabilityNamedIam)
            // What an earlier stack of this name left and still has its name is taken over.
            .set_import_existing_resources(is_new.then_some(true))
            .send()
            .await;
        sent.map_err(|e| aws::fault(&format!("cannot propose a change of the stack {stack}"), e))?;
        Ok(is_new)
    }

    /// Waits for the change set and reads it.
    async fn proposed(&self, stack: &str) -> Result<Vec<Changed>, Fault> {
        let cannot = format!("cannot propose a change of the stack {stack}");
        let begun = tokio::time::Instant::now();
        let mut changed = Vec::new();
        let mut token = None;
        loop {
            let ask = self.client.describe_change_set().stack_name(stack);
            let answer = ask.change_set_name(CHANGE_SET).set_next_token(token.clone()).send().await;
            let answer = answer.map_err(|e| aws::fault(&cannot, e))?;
            match answer.status() {
                Some(ChangeSetStatus::CreateComplete) => {
                    let changes = answer.changes().iter().filter_map(|c| c.resource_change());
                    changed.extend(changes.map(Changed::of));
                    token = answer.next_token().map(str::to_owned);
                    if token.is_none() {
                        return Ok(changed);
                    }
                    continue;
                }
                Some(ChangeSetStatus::Failed) => {
                    let why = answer.status_reason().unwrap_or_default();
                    return match says_nothing_changes(why) {
                        true => Ok(Vec::new()),
                        false => Err(Fault::bad_input(format!("{cannot}: {why}"))),
                    };
                }
                _ if begun.elapsed() > PATIENCE => {
                    return Err(Fault::new(FaultKind::TimedOut, cannot));
                }
                _ => tokio::time::sleep(self.every).await,
            }
        }
    }

    /// Leaves no change set behind, and no stack that was never made.
    async fn discard(&self, stack: &str, is_new: bool) -> Result<(), Fault> {
        self.delete_change_set(stack, true).await?;
        if is_new {
            let sent = self.client.delete_stack().stack_name(stack).send().await;
            sent.map_err(|e| aws::fault(&format!("cannot discard the stack {stack}"), e))?;
        }
        Ok(())
    }

    async fn delete_change_set(&self, stack: &str, is_there: bool) -> Result<(), Fault> {
        if !is_there {
            return Ok(());
        }
        let delete = self.client.delete_change_set().stack_name(stack);
        match delete.change_set_name(CHANGE_SET).send().await {
            Ok(_) => Ok(()),
            Err(e) if e.code() == Some("ChangeSetNotFound") => Ok(()),
            Err(e) => Err(aws::fault(&format!("cannot discard the change of {stack}"), e)),
        }
    }

    /// Waits until nothing is under way any more.
    async fn settled(&self, stack: &str) -> Result<Option<StackStatus>, Fault> {
        let begun = tokio::time::Instant::now();
        loop {
            let found = self.find(stack).await?;
            match found.and_then(|stack| stack.stack_status().cloned()) {
                Some(status) if is_under_way(&status) => {}
                status => return Ok(status),
            }
            if begun.elapsed() > PATIENCE {
                let message = format!("the stack {stack} is still under way");
                return Err(Fault::new(FaultKind::TimedOut, message));
            }
            tokio::time::sleep(self.every).await;
        }
    }

    async fn find(&self, stack: &str) -> Result<Option<Stack>, Fault> {
        match self.client.describe_stacks().stack_name(stack).send().await {
            Ok(answer) => Ok(answer.stacks.unwrap_or_default().into_iter().next()),
            // There is no error of its own for it.
            Err(e)
                if e.code() == Some("ValidationError")
                    && e.message().is_some_and(|said| said.contains("does not exist")) =>
            {
                Ok(None)
            }
            Err(e) => Err(aws::fault(&format!("cannot look at the stack {stack}"), e)),
        }
    }

    /// The ids of resources by which an account knows them.
    async fn physical(&self, stack: &str, names: &[String]) -> Result<Vec<String>, Fault> {
        let answer = self.client.describe_stack_resources().stack_name(stack).send().await;
        let answer =
            answer.map_err(|e| aws::fault(&format!("cannot look at the stack {stack}"), e))?;
        let resources = answer.stack_resources().iter();
        let kept = resources.filter(|resource| {
            resource.logical_resource_id().is_some_and(|name| names.iter().any(|n| n == name))
        });
        Ok(kept
            .map(|resource| {
                let kind = resource.resource_type().unwrap_or_default();
                format!("{kind} {}", resource.physical_resource_id().unwrap_or_default())
            })
            .collect())
    }
}

impl Changed {
    fn of(change: &ResourceChange) -> Self {
        Self {
            action: change.action().map_or("", |action| action.as_str()).to_owned(),
            resource: change.logical_resource_id().unwrap_or_default().to_owned(),
            kind: change.resource_type().unwrap_or_default().to_owned(),
            replaced: change.replacement().is_some_and(|r| r.as_str() == "True"),
        }
    }
}

fn is_under_way(status: &StackStatus) -> bool {
    status.as_str().ends_with("IN_PROGRESS") && *status != StackStatus::ReviewInProgress
}

/// CloudFormation calls a change set without changes failed, and says why in words alone.
fn says_nothing_changes(why: &str) -> bool {
    ["didn't contain changes", "No updates are to be performed"]
        .iter()
        .any(|words| why.contains(words))
}

/// What a template is given: what somebody said, else what the stack had, else the default.
fn parameters(
    template: &Template,
    stack: &str,
    given: &BTreeMap<String, String>,
    had: &[&str],
) -> Result<Vec<Parameter>, Fault> {
    let mut parameters = Vec::new();
    let mut missing = Vec::new();
    for parameter in Outline::of(template).parameters {
        let name = &parameter.name;
        let made = Parameter::builder().parameter_key(name);
        if let Some(value) = given.get(name) {
            parameters.push(made.parameter_value(value).build());
        } else if had.contains(&&**name) {
            parameters.push(made.use_previous_value(true).build());
        } else if !parameter.has_default {
            missing.push(format!("{name} ({})", parameter.description));
        }
    }
    match missing.is_empty() {
        true => Ok(parameters),
        false => Err(Fault::bad_input(format!("the stack {stack} needs {}", missing.join(", ")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_is_not_said_stays_as_it_was() {
        let batch = Template::of("batch").expect("a template");
        let had = ["KeyArn", "BucketArn", "TableName", "RegistryTableName", "LogDays"];
        let made =
            parameters(&batch, "g-batch", &told(&[("LogDays", "30")]), &had).expect("all there");
        let days = made.iter().find(|p| p.parameter_key() == Some("LogDays")).expect("there");
        assert_eq!(days.parameter_value(), Some("30"));
        let key = made.iter().find(|p| p.parameter_key() == Some("KeyArn")).expect("there");
        assert_eq!(key.use_previous_value(), Some(true));
        assert_eq!(made.len(), 5, "defaults are the template's own");
    }

    #[test]
    fn what_is_missing_is_named_with_what_it_is() {
        let batch = Template::of("batch").expect("a template");
        let fault =
            parameters(&batch, "g-batch", &told(&[("KeyArn", "a")]), &[]).expect_err("missing");
        let said = fault.to_string();
        assert!(said.contains("BucketArn (The archive's bucket.)"), "{said}");
        assert!(!said.contains("KeyArn") && !said.contains("LogDays"), "{said}");
    }
}
