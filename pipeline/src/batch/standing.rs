//! Where a batch stands, read from what its workers wrote.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::control::{Control, State};
use super::plan::Plan;
use super::progress::{Progress, ShardState};
use super::round;
use crate::catalogue::Catalogue;
use crate::fault::Fault;
use crate::purchase::Dollars;
use crate::run::Balance;
use crate::store::Store;

/// Where a batch stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    /// What was planned.
    pub plan: Plan,
    /// Who said what of it last.
    pub control: Control,
    /// How many sources have an outcome, by outcome: those of the plan's own shards, or what the
    /// last reckoning says.
    pub balance: Balance,
    /// How many were rejected or failed, by kind of fault.
    pub faults: BTreeMap<String, u64>,
    /// The shards of the last round.
    pub shards: Shards,
    /// How many sources the last round has.
    pub round_pictures: u64,
    /// How many of them were done in it so far.
    pub round_done: u64,
    /// Sources done a second since the round began, by all workers together; nothing before the
    /// first.
    pub rate: Option<f64>,
    /// How long the rest of the round takes at this rate, in seconds.
    pub seconds_left: Option<f64>,
    /// What workers took of the budget.
    pub charged: Dollars,
    /// How many workers have a shard in hand.
    pub workers: u64,
}

/// How many shards are where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the fields are the states' names")]
pub struct Shards {
    pub all: u64,
    pub open: u64,
    pub in_hand: u64,
    pub given_back: u64,
    pub failed: u64,
    pub done: u64,
}

impl Standing {
    /// Reads where a batch stands.
    ///
    /// # Errors
    /// What the store and the catalogue say.
    pub async fn of(
        plan: Plan,
        store: &dyn Store,
        catalogue: &dyn Catalogue,
        now: Timestamp,
    ) -> Result<Self, Fault> {
        let control = Control::read(catalogue, &plan.tenant, &plan.run).await?;
        let pieces = match control.round {
            0 => round::all(&plan),
            last => round::read(&plan, last, store).await?,
        };
        let of_round: BTreeMap<&str, u64> =
            pieces.iter().map(|piece| (piece.shard.as_str(), piece.pictures)).collect();
        let mut shards = Shards { all: of_round.len() as u64, ..Shards::default() };
        let mut balance = Balance::default();
        let (mut faults, mut workers) = (BTreeMap::new(), std::collections::BTreeSet::new());
        let (mut round_done, mut done_now) = (0, 0);
        Progress::for_each(catalogue, &plan.tenant, &plan.run, |shard, progress| {
            // Shards of a redrive begin with their round; their sources are in others too.
            if !shard.starts_with('r') {
                add(&mut balance, &progress.balance);
                for (fault, n) in &progress.faults {
                    *faults.entry(fault.clone()).or_default() += n;
                }
            }
            if !of_round.contains_key(shard) {
                return Ok(());
            }
            let of_now = progress.round == control.round;
            match progress.state {
                ShardState::Done => shards.done += 1,
                ShardState::InHand if of_now => shards.in_hand += 1,
                ShardState::GivenBack if of_now => shards.given_back += 1,
                ShardState::Failed if of_now => shards.failed += 1,
                // What a round before left of it is open again.
                _ => {}
            }
            round_done += progress.balance.total();
            if of_now {
                done_now += progress.done;
                if progress.state == ShardState::InHand {
                    workers.insert(progress.worker);
                }
            }
            Ok(())
        })
        .await?;
        shards.open = shards.all - shards.in_hand - shards.done - shards.given_back - shards.failed;
        if matches!(control.state, State::Reconciled | State::Failed)
            && let Some(run) = catalogue.run(&plan.tenant, &plan.run).await?
        {
            balance = run.balance;
        }
        let until = if control.state == State::Running { now } else { control.changed };
        let seconds = control.began.map(|began| until.duration_since(began).as_secs_f64());
        let rate = seconds.filter(|s| *s > 0.0 && done_now > 0).map(|s| done_now as f64 / s);
        let round_pictures: u64 = of_round.values().sum();
        let left = round_pictures.saturating_sub(round_done);
        Ok(Self {
            seconds_left: rate.map(|rate| left as f64 / rate),
            charged: catalogue.charged(&plan.tenant, &plan.run).await?,
            workers: workers.len() as u64,
            plan,
            control,
            balance,
            faults,
            shards,
            round_pictures,
            round_done,
            rate,
        })
    }
}

fn add(all: &mut Balance, more: &Balance) {
    all.enriched += more.enriched;
    all.unchanged += more.unchanged;
    all.duplicate += more.duplicate;
    all.rejected += more.rejected;
    all.failed += more.failed;
}
