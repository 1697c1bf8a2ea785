//! `glassplate worker`: does the tasks of batches as they come.

mod function;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use glassplate_pipeline::batch::worker::{Bounds, Listener, work};
use glassplate_pipeline::batch::{End, Handed, Step};
use glassplate_pipeline::fault::Fault;
use serde_json::json;

use super::pass::{listen, random};
use crate::arguments::Worker;
use crate::compose::Desk;
use crate::env;
use crate::exit::Exit;
use crate::output::{self, say};

pub(crate) async fn run(desk: &Desk, arguments: &Worker) -> Result<Exit, Fault> {
    let desk = &desk.on(arguments.device.device);
    let mut settings = desk.step_functions().unwrap_or_default();
    settings.queue = arguments.queue.clone().or(settings.queue);
    if settings.queue.is_none() && !env::on_lambda() {
        return Err(Fault::bad_input(
            "no queue is known: give --queue URL, or set batch.engine and batch.queue in the config \
             (without a queue `glassplate batch start` does all by itself)",
        ));
    }
    let engine = desk.remote_engine(settings).await?;
    let name = name();
    let bench = desk.bench(&name).await?;
    if env::on_lambda() {
        return function::serve(engine, bench).await;
    }
    say(format!("worker {name} waits for tasks"));
    let stop = Arc::new(AtomicBool::new(false));
    let signals = tokio::spawn(listen(stop.clone()));
    let bounds =
        Bounds { once: arguments.once, idle: arguments.idle_exit.map(Duration::from_secs) };
    let mut teller = Teller { json: desk.json };
    let done = work(&engine, &bench, bounds, &mut teller, &stop).await;
    signals.abort();
    let done = done?;
    say(format!("worker {name} did {done} tasks"));
    Ok(Exit::Done)
}

/// A name that no other worker has.
pub(super) fn name() -> String {
    format!("{}-{:08x}", std::process::id(), random())
}

/// Tells of each task: a line for people, or one of JSON.
pub(super) struct Teller {
    pub(super) json: bool,
}

impl Listener for Teller {
    fn begins(&mut self, handed: &Handed) {
        say(format!("{} begins", named(handed)));
    }

    fn ends(&mut self, handed: &Handed, end: &End) {
        if self.json {
            let (state, value) = match end {
                End::Done(value) => ("done", value.clone()),
                End::Failed { error, cause } => {
                    ("failed", json!({ "error": error, "cause": cause }))
                }
                End::GivenBack => ("given back", json!(null)),
                End::Dropped => ("dropped", json!(null)),
            };
            output::json(&json!({ "task": handed.task, "end": state, "result": value }));
            return;
        }
        say(match end {
            End::Done(value) => format!("{} is done: {}", named(handed), counts(value)),
            End::Failed { error, cause } => format!("{} failed: {error}: {cause}", named(handed)),
            End::GivenBack => format!("{} is given back", named(handed)),
            End::Dropped => format!("{} is let go: its round is over", named(handed)),
        });
    }
}

fn named(handed: &Handed) -> String {
    let task = &handed.task;
    match (task.step, &task.shard) {
        (Step::Shard, Some(shard)) => format!("{} round {} shard {shard}", task.run, task.round),
        (step, _) => format!("{} round {} {}", task.run, task.round, step.name()),
    }
}

/// Numbers of an answer, without those that are nothing.
fn counts(value: &serde_json::Value) -> String {
    let fields = value.as_object().into_iter().flatten();
    let told: Vec<String> = fields
        .filter(|(_, n)| n.as_u64().is_some_and(|n| n > 0))
        .map(|(name, n)| format!("{n} {name}"))
        .collect();
    if told.is_empty() { "nothing to do".to_owned() } else { told.join(", ") }
}
