//! The engine on AWS: a Step Functions execution a round, its tasks through an SQS queue.
//!
//! A task is a message with a token. The worker extends the message's invisibility and the
//! token's heartbeat while it works; a killed worker's message reappears, and whoever has it
//! then answers the same token. When the token is dead by then, the state machine's retry has
//! sent another message. A queue, and not an activity: it tells its backlog to whatever scales
//! workers, sets aside what nobody can read, and starts functions too.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sfn::error::ProvideErrorMetadata as _;
use aws_sdk_sfn::types::ExecutionStatus;
use serde::Deserialize;
use serde_json::json;

use super::{Begun, End, Engine, Handed, Start, Task, Way};
use crate::aws::{self, Aws};
use crate::fault::{Fault, FaultKind};
use crate::run::RunId;
use crate::store::{BatchFile, Key};

/// The longest cause that Step Functions takes, in characters; it may be 32,768.
const LONGEST_CAUSE: usize = 1000;
/// What the service says of a token that nobody waits for any more.
const DEAD: [&str; 3] = ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"];

/// Which state machine and which queue.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StepFunctionsSettings {
    /// The state machine's ARN.
    pub state_machine: Option<String>,
    /// The queue's URL.
    pub queue: Option<String>,
    /// After how many seconds without a word from its worker a task goes to another: 10 to 43,200.
    pub visibility_seconds: u32,
}

impl Default for StepFunctionsSettings {
    fn default() -> Self {
        Self { state_machine: None, queue: None, visibility_seconds: 60 }
    }
}

impl StepFunctionsSettings {
    /// Checks ranges and names.
    ///
    /// # Errors
    /// `BadInput` naming the setting.
    pub fn validate(&self) -> Result<(), Fault> {
        if !(10..=43_200).contains(&self.visibility_seconds) {
            return Err(Fault::bad_input(format!(
                "batch.visibility_seconds is {}: 10 to 43200",
                self.visibility_seconds
            )));
        }
        let machine = self.state_machine.as_deref();
        if machine.is_some_and(|arn| execution_arn(arn, "x").is_none()) {
            return Err(Fault::bad_input(format!(
                "batch.state_machine is {:?}: it must be an ARN such as \
                 arn:aws:states:REGION:ACCOUNT:stateMachine:NAME",
                machine.unwrap_or_default()
            )));
        }
        Ok(())
    }
}

/// Where the shards of a round lie, for the state machine to read.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// The store's bucket.
    pub name: String,
    /// What stands before every key, with its `/`; or nothing.
    pub prefix: String,
}

/// Hands out tasks through Step Functions and SQS.
#[derive(Debug)]
pub struct StepFunctionsEngine {
    sfn: aws_sdk_sfn::Client,
    sqs: aws_sdk_sqs::Client,
    settings: StepFunctionsSettings,
    bucket: Bucket,
}

/// A message as the state machine writes it.
#[derive(Debug, Deserialize)]
struct Message {
    token: String,
    #[serde(flatten)]
    task: Task,
}

impl StepFunctionsEngine {
    /// Makes the engine; asks nothing yet.
    ///
    /// # Errors
    /// `BadInput` naming the setting.
    pub fn open(aws: &Aws, settings: StepFunctionsSettings, bucket: Bucket) -> Result<Self, Fault> {
        settings.validate()?;
        let mut sfn = aws_sdk_sfn::Config::builder()
            .behavior_version(aws_sdk_sfn::config::BehaviorVersion::latest())
            .region(aws.region.clone())
            .credentials_provider(aws.credentials.clone())
            .http_client(aws.http.clone())
            .retry_config(aws.retries())
            .timeout_config(aws.timeouts())
            .interceptor(aws.tally.clone());
        if let Some(url) = &aws.settings.endpoints.states {
            sfn = sfn.endpoint_url(url);
        }
        let mut sqs = aws_sdk_sqs::Config::builder()
            .behavior_version(aws_sdk_sqs::config::BehaviorVersion::latest())
            .region(aws.region.clone())
            .credentials_provider(aws.credentials.clone())
            .http_client(aws.http.clone())
            .retry_config(aws.retries())
            .timeout_config(aws.timeouts())
            .interceptor(aws.tally.clone());
        if let Some(url) = &aws.settings.endpoints.sqs {
            sqs = sqs.endpoint_url(url);
        }
        Ok(Self {
            sfn: aws_sdk_sfn::Client::from_conf(sfn.build()),
            sqs: aws_sdk_sqs::Client::from_conf(sqs.build()),
            settings,
            bucket,
        })
    }

    /// Reads a message's body.
    ///
    /// # Errors
    /// `BadInput` when it is no task.
    pub fn read(body: &str, receipt: &str) -> Result<Handed, Fault> {
        let Message { token, task } = serde_json::from_str(body)
            .map_err(|e| Fault::bad_input("a message of the queue is no task").because(e))?;
        Ok(Handed { task, receipt: receipt.to_owned(), token })
    }

    /// Answers a task's token and leaves its message to whoever handed it over; that of a task
    /// which was given back can be seen again at once.
    ///
    /// # Errors
    /// What the service says; not when nobody waits for the answer any more.
    pub async fn answer_token(&self, handed: &Handed, end: &End) -> Result<(), Fault> {
        let cannot = || format!("cannot answer a task of {}", handed.task.run);
        let (code, fault) = match end {
            End::Done(output) => {
                let asked = self
                    .sfn
                    .send_task_success()
                    .task_token(&handed.token)
                    .output(output.to_string());
                match asked.send().await {
                    Ok(_) => return Ok(()),
                    Err(e) => (e.code().map(str::to_owned), aws::fault(&cannot(), e)),
                }
            }
            End::Failed { error, cause } => {
                let cause: String = cause.chars().take(LONGEST_CAUSE).collect();
                let asked = self
                    .sfn
                    .send_task_failure()
                    .task_token(&handed.token)
                    .error(error)
                    .cause(cause);
                match asked.send().await {
                    Ok(_) => return Ok(()),
                    Err(e) => (e.code().map(str::to_owned), aws::fault(&cannot(), e)),
                }
            }
            End::GivenBack => return self.hide(handed, 0).await,
            End::Dropped => return Ok(()),
        };
        if code.is_some_and(|code| DEAD.contains(&code.as_str())) { Ok(()) } else { Err(fault) }
    }

    fn state_machine(&self) -> Result<&str, Fault> {
        self.settings.state_machine.as_deref().ok_or_else(|| {
            Fault::bad_input("no state machine is known: set batch.state_machine in the config")
        })
    }

    fn queue(&self) -> Result<&str, Fault> {
        self.settings.queue.as_deref().ok_or_else(|| {
            Fault::bad_input(
                "no queue is known: give --queue URL, or set batch.queue in the config",
            )
        })
    }

    fn arn(&self, run: &RunId, round: u32) -> Result<String, Fault> {
        let machine = self.state_machine()?;
        execution_arn(machine, &name(run, round))
            .ok_or_else(|| Fault::bad_input(format!("{machine:?} is no state machine's ARN")))
    }

    async fn hide(&self, handed: &Handed, seconds: u32) -> Result<(), Fault> {
        let seconds = i32::try_from(seconds).expect("half a day of seconds");
        let asked = self
            .sqs
            .change_message_visibility()
            .queue_url(self.queue()?)
            .receipt_handle(&handed.receipt)
            .visibility_timeout(seconds);
        match asked.send().await {
            Ok(_) => Ok(()),
            // It reappeared already: another has it, or will.
            Err(e)
                if matches!(
                    e.code(),
                    Some("MessageNotInflight" | "ReceiptHandleIsInvalid" | "InvalidParameterValue")
                ) =>
            {
                Ok(())
            }
            Err(e) => Err(aws::fault("cannot keep hold of a message", e)),
        }
    }
}

/// The name of a round's execution.
fn name(run: &RunId, round: u32) -> String {
    format!("{run}-r{round}")
}

/// The ARN of an execution of a state machine.
fn execution_arn(machine: &str, name: &str) -> Option<String> {
    match machine.split(':').collect::<Vec<_>>()[..] {
        ["arn", partition, "states", region, account, "stateMachine", machine]
            if !machine.is_empty() =>
        {
            Some(format!("arn:{partition}:states:{region}:{account}:execution:{machine}:{name}"))
        }
        _ => None,
    }
}

#[async_trait]
impl Engine for StepFunctionsEngine {
    async fn start(&self, start: &Start) -> Result<Begun, Fault> {
        let Start { tenant, run, round, max_workers, tolerated_percent } = start;
        let file = BatchFile::Round(*round);
        let key = Key::Batch { tenant: tenant.clone(), run: run.clone(), file };
        let input = json!({
            "tenant": tenant,
            "run": run,
            "round": round,
            "bucket": self.bucket.name,
            "key": format!("{}{}", self.bucket.prefix, key.path()),
            "max_workers": max_workers,
            "tolerated_percent": tolerated_percent,
        });
        let asked = self
            .sfn
            .start_execution()
            .state_machine_arn(self.state_machine()?)
            .name(name(run, *round))
            .input(input.to_string());
        match asked.send().await {
            Ok(_) => Ok(Begun::New),
            Err(e) if e.code() == Some("ExecutionAlreadyExists") => Ok(Begun::Already),
            Err(e) => Err(aws::fault(&format!("cannot start round {round} of {run}"), e)),
        }
    }

    async fn stop(&self, run: &RunId, round: u32, why: &str) -> Result<(), Fault> {
        let cause: String = why.chars().take(LONGEST_CAUSE).collect();
        let asked = self
            .sfn
            .stop_execution()
            .execution_arn(self.arn(run, round)?)
            .error("Stopped")
            .cause(cause);
        match asked.send().await {
            Ok(_) => Ok(()),
            Err(e) if e.code() == Some("ExecutionDoesNotExist") => Ok(()),
            Err(e) => Err(aws::fault(&format!("cannot stop round {round} of {run}"), e)),
        }
    }

    async fn way(&self, run: &RunId, round: u32) -> Result<Option<Way>, Fault> {
        let asked = self.sfn.describe_execution().execution_arn(self.arn(run, round)?);
        let told = match asked.send().await {
            Ok(told) => told,
            Err(e) if e.code() == Some("ExecutionDoesNotExist") => return Ok(None),
            Err(e) => {
                return Err(aws::fault(&format!("cannot ask about round {round} of {run}"), e));
            }
        };
        let why = [told.error(), told.cause()].into_iter().flatten().collect::<Vec<_>>().join(": ");
        Ok(Some(match told.status() {
            ExecutionStatus::Running | ExecutionStatus::PendingRedrive => Way::Running,
            ExecutionStatus::Succeeded => Way::Succeeded,
            other => Way::Ended(if why.is_empty() { other.to_string() } else { why }),
        }))
    }

    async fn next(&self, wait: Duration) -> Result<Option<Handed>, Fault> {
        let seconds = i32::try_from(wait.as_secs()).unwrap_or(20).min(20);
        let visible = i32::try_from(self.settings.visibility_seconds).expect("half a day");
        let asked = self
            .sqs
            .receive_message()
            .queue_url(self.queue()?)
            .max_number_of_messages(1)
            .wait_time_seconds(seconds)
            .visibility_timeout(visible);
        let answer =
            asked.send().await.map_err(|e| aws::fault("cannot ask the queue for a task", e))?;
        let Some(message) = answer.messages.unwrap_or_default().pop() else { return Ok(None) };
        let (body, receipt) =
            (message.body.unwrap_or_default(), message.receipt_handle.unwrap_or_default());
        match Self::read(&body, &receipt) {
            Ok(handed) => Ok(Some(handed)),
            Err(fault) => {
                // Left alone, it goes where the queue puts what nobody can read.
                tracing::warn!("{}", fault.reason());
                Ok(None)
            }
        }
    }

    async fn beat(&self, handed: &Handed) -> Result<bool, Fault> {
        self.hide(handed, self.settings.visibility_seconds).await?;
        match self.sfn.send_task_heartbeat().task_token(&handed.token).send().await {
            Ok(_) => Ok(true),
            Err(e) if e.code().is_some_and(|code| DEAD.contains(&code)) => Ok(false),
            Err(e) => Err(aws::fault("cannot say that a task is in hand", e)),
        }
    }

    fn beat_every(&self) -> Duration {
        Duration::from_secs(u64::from(self.settings.visibility_seconds) / 3)
    }

    async fn answer(&self, handed: &Handed, end: &End) -> Result<(), Fault> {
        self.answer_token(handed, end).await?;
        if *end == End::GivenBack {
            return Ok(());
        }
        let asked =
            self.sqs.delete_message().queue_url(self.queue()?).receipt_handle(&handed.receipt);
        match asked.send().await {
            Ok(_) => Ok(()),
            // It reappeared; whoever gets it finds nobody who waits for an answer.
            Err(e) if e.code() == Some("ReceiptHandleIsInvalid") => Ok(()),
            Err(e) => Err(aws::fault("cannot take a message off the queue", e)),
        }
    }
}

/// An engine that was asked for what it has no settings for.
pub fn needs_s3() -> Fault {
    Fault::new(
        FaultKind::BadInput,
        "batches by Step Functions need a store of kind s3, where the state machine reads its shards",
    )
}
