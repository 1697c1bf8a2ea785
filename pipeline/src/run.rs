//! Runs: one pass over a list of sources, and what became of each.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::asset::{AssetId, Tenant};
use crate::fault::FaultKind;
use crate::purchase::Dollars;

/// One run's name: the time it began and a random tail, so that names sort by age.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    /// Names a run begun at `at`; `random` keeps two runs of one second apart.
    pub fn new(at: Timestamp, random: u32) -> Self {
        Self(format!("{}-{random:08x}", at.strftime("%Y%m%dT%H%M%SZ")))
    }

    /// Takes a name as a user typed it; it may name no run.
    pub fn from_text(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// One pass: who asked for what, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its name.
    pub id: RunId,
    /// The isolation boundary.
    pub tenant: Tenant,
    /// The collection that assets go to.
    pub collection: String,
    /// What was given to ingest, as text.
    pub sources: Vec<String>,
    /// glassplate's version.
    pub version: String,
    /// When it began.
    pub started: Timestamp,
    /// When it ended by itself; absent while running and for ever after a crash.
    pub finished: Option<Timestamp>,
    /// How its sources ended, as of its end; all zero while running and after a crash.
    pub balance: Balance,
    /// Whether everything it added is to be left out of every record.
    pub withdrawn: bool,
    /// Whether it was begun on trial and never promoted; its opinions count nowhere so far.
    #[serde(default)]
    pub trial: bool,
    /// What it was allowed to spend on services; absent when it asked none that cost money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Dollars>,
    /// What it may have spent, as of its end: see the purchases of a run that did not end.
    #[serde(default, skip_serializing_if = "Dollars::is_zero")]
    pub spent: Dollars,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It counts, and ended by itself.
    Finished,
    /// It counts, and is still running or was stopped before its end.
    Unfinished,
    /// It counts nowhere yet: it waits for somebody to promote it.
    OnTrial,
    /// It counts no more.
    Undone,
}

impl RunState {
    /// The state in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Unfinished => "unfinished",
            Self::OnTrial => "on trial",
            Self::Undone => "undone",
        }
    }
}

impl Run {
    /// A run that begins at `started`, of what costs nothing.
    pub fn begun(
        id: RunId,
        tenant: &Tenant,
        collection: &str,
        sources: Vec<String>,
        version: &str,
        started: Timestamp,
    ) -> Self {
        Self {
            id,
            tenant: tenant.clone(),
            collection: collection.to_owned(),
            sources,
            version: version.to_owned(),
            started,
            finished: None,
            balance: Balance::default(),
            withdrawn: false,
            trial: false,
            budget: None,
            spent: Dollars::ZERO,
        }
    }

    /// Tells where the run stands.
    pub fn state(&self) -> RunState {
        match (self.withdrawn, self.trial, self.finished) {
            (true, true, _) => RunState::OnTrial,
            (true, false, _) => RunState::Undone,
            (false, _, Some(_)) => RunState::Finished,
            (false, _, None) => RunState::Unfinished,
        }
    }

    /// The run as it is once its opinions count, for the first time or again.
    pub fn promoted(self) -> Self {
        Self { withdrawn: false, trial: false, ..self }
    }

    /// The run as it is once its opinions count no more.
    pub fn undone(self) -> Self {
        Self { withdrawn: true, trial: false, ..self }
    }
}

/// What became of one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Something was added to what is known: a new asset, a missing step, new metadata.
    Enriched,
    /// Everything was known and complete already.
    Unchanged,
    /// The bytes were known from another place; the new place was recorded.
    Duplicate,
    /// The source itself is at fault: damaged, unsupported, too large.
    Rejected,
    /// Something else went wrong; running again may help.
    Failed,
}

impl Outcome {
    /// Every outcome, in the order of a report.
    pub const ALL: [Self; 5] =
        [Self::Enriched, Self::Unchanged, Self::Duplicate, Self::Rejected, Self::Failed];

    /// The outcome in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enriched => "enriched",
            Self::Unchanged => "unchanged",
            Self::Duplicate => "duplicate",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
        }
    }
}

/// One source of a run and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The path as text, see [`crate::asset::source_text`].
    pub source: String,
    /// The asset, when the source was registered.
    pub asset: Option<AssetId>,
    /// What became of it.
    pub outcome: Outcome,
    /// The kind of fault, when rejected or failed.
    pub fault: Option<FaultKind>,
    /// Why rejected or failed; or a note on an accepted picture, such as damage.
    pub reason: Option<String>,
}

/// How many sources ended in each outcome: the balance of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are the outcomes' names")]
pub struct Balance {
    pub enriched: u64,
    pub unchanged: u64,
    pub duplicate: u64,
    pub rejected: u64,
    pub failed: u64,
}

impl Balance {
    /// Counts one more.
    pub fn add(&mut self, outcome: Outcome) {
        *match outcome {
            Outcome::Enriched => &mut self.enriched,
            Outcome::Unchanged => &mut self.unchanged,
            Outcome::Duplicate => &mut self.duplicate,
            Outcome::Rejected => &mut self.rejected,
            Outcome::Failed => &mut self.failed,
        } += 1;
    }

    /// How many ended in `outcome`.
    pub fn of(&self, outcome: Outcome) -> u64 {
        match outcome {
            Outcome::Enriched => self.enriched,
            Outcome::Unchanged => self.unchanged,
            Outcome::Duplicate => self.duplicate,
            Outcome::Rejected => self.rejected,
            Outcome::Failed => self.failed,
        }
    }

    /// All that ended, in whatever way.
    pub fn total(&self) -> u64 {
        Outcome::ALL.iter().map(|&outcome| self.of(outcome)).sum()
    }
}
