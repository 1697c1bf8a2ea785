//! The control note: where a batch stands and who said so. Changed only by whoever saw it last.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::asset::Tenant;
use crate::catalogue::Slate;
use crate::fault::{Fault, FaultKind};
use crate::purchase::Dollars;
use crate::run::RunId;

/// The note's name.
const CONTROL: &str = "control";
/// How often a change is tried anew that another was faster than.
const TRIES: u32 = 20;

/// Where a batch stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Control {
    /// Which of the states.
    pub state: State,
    /// The round that is under way or was last; 0 before the first.
    pub round: u32,
    /// When the round began.
    pub began: Option<Timestamp>,
    /// When the control was last changed.
    pub changed: Timestamp,
    /// Who paused or cancelled it, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// What all workers may spend together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Dollars>,
    /// The share of sources that may end in quarantine, in per cent.
    pub tolerated_percent: f64,
    /// The most shards in work at once.
    pub max_workers: u32,
    /// Why it failed, when it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// The states of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing was begun.
    Planned,
    /// A round is under way.
    Running,
    /// Somebody stopped it and will go on.
    Paused,
    /// Somebody ended it for good.
    Cancelled,
    /// All sources have an outcome, and not too many of them a bad one.
    Reconciled,
    /// A round ended with sources missing or too many in quarantine.
    Failed,
}

impl State {
    /// The state in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Cancelled => "cancelled",
            Self::Reconciled => "reconciled",
            Self::Failed => "failed",
        }
    }
}

/// Who said so, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// A person's name.
    pub who: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// What a new round may be begun from, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// The first, of a batch that was only planned.
    First,
    /// The next, over what is unfinished, of one that is paused or failed.
    Next,
    /// The next, of one that came to its end.
    Redrive,
    /// The next, of one whose round nobody works on any more although it says so.
    Abandoned,
}

impl Control {
    /// The control of a batch that nobody began.
    pub fn planned(now: Timestamp) -> Self {
        Self {
            state: State::Planned,
            round: 0,
            began: None,
            changed: now,
            owner: None,
            budget: None,
            tolerated_percent: 0.0,
            max_workers: 0,
            why: None,
        }
    }

    /// Reads the control of a run.
    ///
    /// # Errors
    /// What the catalogue says; `NotFound` when the run is no batch.
    pub async fn read(slate: &dyn Slate, tenant: &Tenant, run: &RunId) -> Result<Self, Fault> {
        Ok(seen(slate, tenant, run).await?.1)
    }

    /// Writes the first control of a run, unless it has one.
    ///
    /// # Errors
    /// What the catalogue says.
    pub async fn open(
        slate: &dyn Slate,
        tenant: &Tenant,
        run: &RunId,
        now: Timestamp,
    ) -> Result<(), Fault> {
        slate.write_note(tenant, run, CONTROL, 0, &written(&Self::planned(now))?).await.map(drop)
    }

    /// Changes the control of a run: `change` is asked again whenever another was faster, and may
    /// refuse, or say by `None` that nothing is to be changed. Answers what holds now, and whether
    /// it was changed by this call.
    ///
    /// # Errors
    /// What `change` and the catalogue say; `Busy` when others are always faster.
    pub async fn change(
        slate: &dyn Slate,
        tenant: &Tenant,
        run: &RunId,
        mut change: impl FnMut(&Self) -> Result<Option<Self>, Fault>,
    ) -> Result<(Self, bool), Fault> {
        for tries in 1..=TRIES {
            let (version, control) = seen(slate, tenant, run).await?;
            let Some(changed) = change(&control)? else { return Ok((control, false)) };
            let body = written(&changed)?;
            if slate.write_note(tenant, run, CONTROL, version, &body).await? {
                return Ok((changed, true));
            }
            tokio::time::sleep(crate::aws::backoff(tries)).await;
        }
        Err(Fault::new(FaultKind::Busy, format!("others keep changing where {run} stands")))
    }

    /// Tells whether a worker is to go on with a task of this round.
    pub fn wants(&self, round: u32) -> bool {
        self.state == State::Running && self.round == round
    }

    /// The control once a round has begun; nothing when it is under way already.
    ///
    /// # Errors
    /// `Refused` or `Conflict` from a state that does not allow it.
    pub fn begun(&self, begin: Begin, by: &Owner, take_over: bool) -> Result<Option<Self>, Fault> {
        use State::{Cancelled, Failed, Paused, Planned, Reconciled, Running};

        match (begin, self.state) {
            (Begin::First, Planned) | (Begin::Next, Failed) => {}
            (Begin::Redrive, Failed | Reconciled) | (Begin::Abandoned, Running) => {}
            (Begin::Next, Paused) => self.owned_by(by, take_over)?,
            (Begin::First | Begin::Next, Running | Reconciled) => return Ok(None),
            (Begin::Redrive, Running) => return Err(conflict("it is running: wait for its end")),
            (Begin::Abandoned, _) => return Err(conflict("somebody goes on with it already")),
            (_, Cancelled) => return Err(refused("it was cancelled")),
            (Begin::First | Begin::Redrive, Paused) => {
                return Err(conflict("it is paused: `glassplate batch resume` goes on"));
            }
            (Begin::First, Failed) => {
                return Err(conflict("it failed: `glassplate batch resume` or `redrive` goes on"));
            }
            (Begin::Next | Begin::Redrive, Planned) => {
                return Err(conflict("it was never started: `glassplate batch start` does"));
            }
        }
        Ok(Some(Self {
            state: Running,
            round: self.round + 1,
            began: Some(by.at),
            changed: by.at,
            owner: None,
            why: None,
            ..self.clone()
        }))
    }

    /// The control once it is paused; nothing when the same person paused it already.
    ///
    /// # Errors
    /// `Refused` when another did and is not to be taken over, `Conflict` when nothing runs.
    pub fn paused(&self, by: &Owner, take_over: bool) -> Result<Option<Self>, Fault> {
        match self.state {
            State::Running => {}
            State::Paused if self.owner.as_ref().is_some_and(|owner| owner.who == by.who) => {
                return Ok(None);
            }
            State::Paused => self.owned_by(by, take_over)?,
            state => return Err(conflict(&format!("it is {}: nothing runs", state.name()))),
        }
        let owner = Some(by.clone());
        Ok(Some(Self { state: State::Paused, owner, changed: by.at, ..self.clone() }))
    }

    /// The control once it is cancelled; nothing when it was.
    ///
    /// # Errors
    /// `Refused` when it came to its end, or another paused it and is not to be taken over.
    pub fn cancelled(&self, by: &Owner, take_over: bool) -> Result<Option<Self>, Fault> {
        match self.state {
            State::Cancelled => return Ok(None),
            State::Reconciled => {
                return Err(refused("it came to its end: `undo` takes a run back"));
            }
            State::Paused => self.owned_by(by, take_over)?,
            State::Planned | State::Running | State::Failed => {}
        }
        let owner = Some(by.clone());
        Ok(Some(Self { state: State::Cancelled, owner, changed: by.at, ..self.clone() }))
    }

    /// The control once a round was reckoned; nothing when another round is under way meanwhile.
    pub fn reckoned(&self, round: u32, why: Option<&str>, now: Timestamp) -> Option<Self> {
        if !self.wants(round) {
            return None;
        }
        let state = if why.is_some() { State::Failed } else { State::Reconciled };
        Some(Self { state, why: why.map(str::to_owned), changed: now, ..self.clone() })
    }

    fn owned_by(&self, by: &Owner, take_over: bool) -> Result<(), Fault> {
        match &self.owner {
            Some(owner) if owner.who != by.who && !take_over => {
                let reason = owner.reason.as_ref().map(|why| format!(" ({why})"));
                Err(refused(&format!(
                    "{} paused it{}: --take-over goes on all the same",
                    owner.who,
                    reason.unwrap_or_default()
                )))
            }
            _ => Ok(()),
        }
    }
}

async fn seen(slate: &dyn Slate, tenant: &Tenant, run: &RunId) -> Result<(u64, Control), Fault> {
    let note = slate.note(tenant, run, CONTROL).await?.ok_or_else(|| {
        Fault::not_found(format!("there is no batch {run}: `glassplate batch plan` makes one"))
    })?;
    let control = serde_json::from_str(&note.body)
        .map_err(|e| Fault::broken(format!("the control of {run} cannot be read")).because(e))?;
    Ok((note.version, control))
}

fn written(control: &Control) -> Result<String, Fault> {
    serde_json::to_string(control).map_err(|e| Fault::broken("cannot write a control").because(e))
}

fn conflict(why: &str) -> Fault {
    Fault::new(FaultKind::Conflict, format!("the batch cannot be changed so: {why}"))
}

fn refused(why: &str) -> Fault {
    Fault::new(FaultKind::Refused, format!("the batch cannot be changed so: {why}"))
}
