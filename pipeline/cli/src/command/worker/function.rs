//! The worker as a Lambda function: small shards, handed over by the queue as events.
//!
//! The service takes messages off the queue itself, but for those that the answer names as not
//! done. A function that runs out of time gives its shard back a little before.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use glassplate_pipeline::batch::End;
use glassplate_pipeline::batch::step_functions::StepFunctionsEngine;
use glassplate_pipeline::batch::task::Bench;
use glassplate_pipeline::batch::worker::hold;
use glassplate_pipeline::fault::Fault;
use lambda_runtime::{LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};

use crate::exit::Exit;

/// How long before its end a function stops taking up pictures.
const RESERVE: Duration = Duration::from_secs(15);

/// An event of SQS, as far as it is needed.
#[derive(Debug, Deserialize)]
struct Event {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

/// A message of the event.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    message_id: String,
    receipt_handle: String,
    body: String,
}

/// The messages that are to reappear.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    batch_item_failures: Vec<NotDone>,
}

/// A message that was not done.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct NotDone {
    item_identifier: String,
}

/// Serves events until the service ends the process.
pub(super) async fn serve(engine: StepFunctionsEngine, bench: Bench) -> Result<Exit, Fault> {
    let (engine, bench) = (Arc::new(engine), Arc::new(bench));
    let handler = service_fn(move |event: LambdaEvent<Event>| {
        let (engine, bench) = (engine.clone(), bench.clone());
        async move {
            let left = event.context.deadline().duration_since(SystemTime::now());
            let left = left.unwrap_or_default().saturating_sub(RESERVE);
            Ok::<_, lambda_runtime::Error>(handle(&engine, &bench, event.payload, left).await)
        }
    });
    lambda_runtime::run(handler)
        .await
        .map_err(|e| Fault::broken("the function ended").because(e))?;
    Ok(Exit::Done)
}

async fn handle(
    engine: &StepFunctionsEngine,
    bench: &Bench,
    event: Event,
    left: Duration,
) -> Answer {
    let stop = Arc::new(AtomicBool::new(false));
    let alarm = {
        let stop = stop.clone();
        tokio::spawn(async move {
            tokio::time::sleep(left).await;
            stop.store(true, Ordering::Relaxed);
        })
    };
    let mut answer = Answer::default();
    for record in event.records {
        if !done(engine, bench, &record, &stop).await {
            answer.batch_item_failures.push(NotDone { item_identifier: record.message_id });
        }
    }
    alarm.abort();
    answer
}

/// Does one message; tells whether it may vanish.
async fn done(
    engine: &StepFunctionsEngine,
    bench: &Bench,
    record: &Record,
    stop: &AtomicBool,
) -> bool {
    let handed = match StepFunctionsEngine::read(&record.body, &record.receipt_handle) {
        Ok(handed) => handed,
        Err(fault) => {
            tracing::error!(message = record.message_id, "{}", fault.reason());
            return false;
        }
    };
    let end = hold(engine, bench, &handed, stop).await;
    match engine.answer_token(&handed, &end).await {
        Ok(()) => end != End::GivenBack,
        Err(fault) => {
            tracing::error!(message = record.message_id, "{}", fault.reason());
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_reads_as_the_service_writes_it_and_so_does_the_answer() {
        let event: Event = serde_json::from_str(
            r#"{"Records": [{"messageId": "m-1", "receiptHandle": "r", "body": "{}", "attributes":
                {"ApproximateReceiveCount": "1"}, "eventSource": "aws:sqs"}]}"#,
        )
        .expect("an event");
        assert_eq!(event.records[0].message_id, "m-1");
        let failed = vec![NotDone { item_identifier: "m-1".to_owned() }];
        assert_eq!(
            serde_json::to_string(&Answer { batch_item_failures: failed }).expect("JSON"),
            r#"{"batchItemFailures":[{"itemIdentifier":"m-1"}]}"#
        );
    }
}
