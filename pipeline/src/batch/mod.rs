//! Batches: a run over many sources, cut into shards that any number of workers take up.
//!
//! A batch is a run: one id, one balance, one account. What is to be done lies in the store
//! ([`plan`]), where it stands in the catalogue ([`control`]), and an [`Engine`] hands the tasks
//! out: the embedded one in this process, Step Functions to workers anywhere. Both run the suite
//! in `conformance`. A worker ([`worker`]) asks an engine for tasks and does them ([`task`]).
//! Where a run stands and what it came to is read by [`standing`] and [`reckon`].

#[cfg(test)]
mod conformance;
pub mod control;
pub mod line;
pub mod local;
pub mod plan;
pub mod progress;
pub mod reckon;
pub mod round;
pub mod standing;
pub mod step_functions;
pub mod task;
#[cfg(test)]
mod tests;
pub mod worker;

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::asset::Tenant;
use crate::fault::Fault;
use crate::run::RunId;

/// The steps of a round in their order, by the names that messages carry.
pub const STEPS: [&str; 3] = ["shard", "reconcile", "refresh"];

/// The error name of a round whose books do not balance or that lost too much.
pub const UNBALANCED: &str = "Unbalanced";

/// What a worker is asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Which step.
    #[serde(rename = "task")]
    pub step: Step,
    /// Whose run.
    pub tenant: Tenant,
    /// The run.
    pub run: RunId,
    /// The round of the run, from 1.
    pub round: u32,
    /// The shard's name, for [`Step::Shard`] alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<String>,
}

/// A step of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Takes the sources of one shard all the way.
    Shard,
    /// Compares what went in with what came out.
    Reconcile,
    /// Catches the search index up.
    Refresh,
}

impl Step {
    /// The step in messages.
    pub const fn name(self) -> &'static str {
        STEPS[self as usize]
    }
}

/// A task in a worker's hand.
#[derive(Debug, Clone)]
pub struct Handed {
    /// What is to be done.
    pub task: Task,
    /// The engine's own words for this one handing out.
    pub receipt: String,
    /// What answers the task, where the engine has tokens.
    pub token: String,
}

/// How a worker's hand on a task ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// It is done; counts alone.
    Done(serde_json::Value),
    /// It cannot be done: an error name of the fault table, or [`UNBALANCED`], and why.
    Failed {
        /// The error's name.
        error: String,
        /// Why.
        cause: String,
    },
    /// Somebody else is to do it, at once.
    GivenBack,
    /// Nobody is to do it any more: its round is over.
    Dropped,
}

/// A round that is to begin.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// Whose run.
    pub tenant: Tenant,
    /// The run.
    pub run: RunId,
    /// The round, from 1; its shards lie in the store.
    pub round: u32,
    /// The most shards in work at once.
    pub max_workers: u32,
    /// The share of shards that may fail before no more are begun, in per cent.
    pub tolerated_percent: f64,
}

/// Whether a start began anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// It did.
    New,
    /// The same round was begun before.
    Already,
}

/// Where an engine is with a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Tasks are handed out or waited for.
    Running,
    /// All steps are done.
    Succeeded,
    /// It ended otherwise, and why.
    Ended(String),
}

/// Who hands out the tasks of a round, in the order of [`STEPS`], and hears what became of them.
#[async_trait]
pub trait Engine: Send + Sync {
    /// Begins a round. Safe to run twice: the same round is begun once.
    ///
    /// # Errors
    /// `NotFound` when the round's shards are not in the store, or there is no such engine.
    async fn start(&self, start: &Start) -> Result<Begun, Fault>;

    /// Ends a round: no further task of it is handed out. Safe to run twice, and for a round that
    /// was never begun.
    async fn stop(&self, run: &RunId, round: u32, why: &str) -> Result<(), Fault>;

    /// Tells where a round is; nothing when it was never begun.
    async fn way(&self, run: &RunId, round: u32) -> Result<Option<Way>, Fault>;

    /// Waits at most so long for a task; nothing when none came.
    async fn next(&self, wait: Duration) -> Result<Option<Handed>, Fault>;

    /// Says that a task is still in hand; tells whether anybody still waits for its answer.
    ///
    /// Must be called every [`Engine::beat_every`], else another gets the task.
    async fn beat(&self, handed: &Handed) -> Result<bool, Fault>;

    /// How often a worker says that it is at work.
    fn beat_every(&self) -> Duration;

    /// Answers a task. A task of which nobody waits for an answer any more is let go in silence.
    async fn answer(&self, handed: &Handed, end: &End) -> Result<(), Fault>;
}

/// The end that a fault is.
pub(crate) fn failed(fault: &Fault) -> End {
    End::Failed { error: fault.kind().faces().step_functions.to_owned(), cause: fault.reason() }
}
