//! The reckoning: every planned source against its outcome. In = out + quarantined, or it fails.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use super::line::Line;
use super::plan::{Plan, shard_name};
use crate::catalogue::{Catalogue, Entry};
use crate::fault::Fault;
use crate::purchase::Dollars;
use crate::quote::account_of;
use crate::run::{Balance, Item};
use crate::store::Store;

/// How many items are read at a time.
const PAGE: usize = 1000;

/// Goes through planned sources and outcomes side by side; both are in the order of sources.
pub struct Reading<'a> {
    plan: &'a Plan,
    store: &'a dyn Store,
    catalogue: &'a dyn Catalogue,
    shard: u32,
    items: VecDeque<Item>,
    after: Option<String>,
    /// Whether all items were read.
    ended: bool,
}

impl<'a> Reading<'a> {
    /// Begins at the first planned source.
    pub fn of(plan: &'a Plan, store: &'a dyn Store, catalogue: &'a dyn Catalogue) -> Self {
        let items = VecDeque::new();
        Self { plan, store, catalogue, shard: 0, items, after: None, ended: false }
    }

    /// The sources of the next shard, each with its outcome where it has one; nothing after the last.
    ///
    /// # Errors
    /// What the store and the catalogue say.
    pub async fn next(&mut self) -> Result<Option<Vec<(Line, Option<Item>)>>, Fault> {
        if self.shard >= self.plan.shards {
            return Ok(None);
        }
        let lines = self.plan.lines(self.store, &shard_name(self.shard)).await?;
        self.shard += 1;
        let mut pairs = Vec::with_capacity(lines.len());
        for line in lines {
            let item = self.item_of(&line.source).await?;
            pairs.push((line, item));
        }
        Ok(Some(pairs))
    }

    async fn item_of(&mut self, source: &str) -> Result<Option<Item>, Fault> {
        loop {
            match self.items.front() {
                Some(item) if item.source.as_str() < source => _ = self.items.pop_front(),
                Some(item) if item.source == source => return Ok(self.items.pop_front()),
                Some(_) => return Ok(None),
                None if self.ended => return Ok(None),
                None => {
                    let Plan { tenant, run, .. } = self.plan;
                    let page =
                        self.catalogue.items(tenant, run, self.after.as_deref(), PAGE).await?;
                    self.ended = page.len() < PAGE;
                    self.after = page.last().map(|item| item.source.clone()).or(self.after.take());
                    self.items = page.into();
                }
            }
        }
    }
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reckoning {
    /// How many sources ended in which outcome.
    #[serde(flatten)]
    pub balance: Balance,
    /// How many sources were planned.
    pub planned: u64,
    /// How many of them have no outcome.
    pub missing: u64,
    /// How many were rejected or failed, by kind of fault.
    pub faults: BTreeMap<String, u64>,
    /// What may have been paid.
    pub spent: Dollars,
    /// Why it does not balance, or lost too much; nothing when all is well.
    pub unbalanced: Option<String>,
}

impl Reckoning {
    /// Reckons a run up.
    ///
    /// # Errors
    /// What the store and the catalogue say.
    pub async fn of(
        plan: &Plan,
        tolerated_percent: f64,
        store: &dyn Store,
        catalogue: &dyn Catalogue,
    ) -> Result<Self, Fault> {
        let (mut balance, mut missing, mut faults) = (Balance::default(), 0, BTreeMap::new());
        let mut reading = Reading::of(plan, store, catalogue);
        while let Some(pairs) = reading.next().await? {
            for (_, item) in pairs {
                let Some(item) = item else {
                    missing += 1;
                    continue;
                };
                balance.add(item.outcome);
                if let Some(fault) = item.fault {
                    *faults.entry(fault.faces().name.to_owned()).or_default() += 1;
                }
            }
        }
        let spent = account_of(catalogue, &plan.tenant, &plan.run).await?.spent;
        let planned = plan.pictures;
        let unbalanced = judge(&balance, planned, missing, tolerated_percent);
        Ok(Self { balance, planned, missing, faults, spent, unbalanced })
    }

    /// Writes into the run what it came to; it is finished when all is well.
    ///
    /// # Errors
    /// `NotFound` when the run was never begun, and what the catalogue says.
    pub async fn enter(
        &self,
        plan: &Plan,
        catalogue: &dyn Catalogue,
        now: jiff::Timestamp,
    ) -> Result<(), Fault> {
        let run = catalogue.run(&plan.tenant, &plan.run).await?;
        let mut run = run
            .ok_or_else(|| Fault::not_found(format!("there is no run {} to conclude", plan.run)))?;
        run.balance = self.balance;
        run.spent = self.spent;
        // A redrive that balances finishes it anew; one that does not leaves it unfinished.
        run.finished = self.unbalanced.is_none().then_some(now);
        catalogue.append(&plan.tenant, vec![Entry::Run(run)]).await
    }
}

/// Says what is wrong with the books.
fn judge(balance: &Balance, planned: u64, missing: u64, tolerated_percent: f64) -> Option<String> {
    let quarantined = balance.rejected + balance.failed;
    if missing > 0 || balance.total() != planned {
        return Some(format!(
            "{planned} sources went in, {} came out and {missing} have no outcome",
            balance.total()
        ));
    }
    let percent = quarantined as f64 * 100.0 / planned.max(1) as f64;
    (percent > tolerated_percent).then(|| {
        format!(
            "{quarantined} of {planned} sources are in quarantine, {percent:.2} %: \
             {tolerated_percent} % are tolerated"
        )
    })
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn books_balance_or_say_why_not() {
        let balance = Balance { enriched: 95, rejected: 4, failed: 1, ..Balance::default() };
        assert_eq!(judge(&balance, 100, 0, 5.0), None);
        assert!(judge(&balance, 100, 0, 4.9).is_some_and(|why| why.contains("5.00 %")));
        assert!(judge(&balance, 101, 1, 100.0).is_some_and(|why| why.contains("1 have no")));
    }
}
