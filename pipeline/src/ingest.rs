//! One run on one machine: many sources through [`crate::enrich`], a few at a time.
//!
//! The run ends by itself, on request between two sources, or when the ledger or the disk
//! gives out. In every case each source begun has an outcome in the ledger, and the balance
//! adds up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::JoinSet;

use crate::asset::check_collection;
use crate::catalogue::Entry;
use crate::enrich::{House, Source, enrich};
use crate::fault::{Fault, FaultKind};
use crate::run::{Balance, Item, Outcome, Run};

/// How many faults of our own in a row, without one success between, end a run: by then it is
/// the disk or the machine, and a million failed items would only bury the reason.
const BROKEN_IN_A_ROW: u32 = 20;

/// The role that watches a run; called from the run's own task, once a source.
pub trait Watcher: Send {
    /// A source of this many bytes has come to its end.
    fn ended(&mut self, item: &Item, bytes: u64, balance: &Balance);
}

/// What a run came to.
#[derive(Debug)]
pub struct Ended {
    /// How many sources ended in which outcome.
    pub balance: Balance,
    /// How many sources were never begun, because the run was stopped.
    pub left: u64,
    /// Why the run ended before its time, when something broke.
    pub broken: Option<Fault>,
}

/// Takes every source all the way, `lanes` at a time, until done or `stop` is set.
///
/// # Errors
/// `BadInput` for a collection's name, or what the catalogue says when the run cannot even begin.
pub async fn ingest(
    house: &Arc<House>,
    mut run: Run,
    sources: impl IntoIterator<Item = Result<Source, Item>>,
    lanes: usize,
    watcher: &mut dyn Watcher,
    stop: &AtomicBool,
) -> Result<Ended, Fault> {
    check_collection(&run.collection)?;
    house.catalogue.append(&house.tenant, vec![Entry::Run(run.clone())]).await?;
    let mut sources = sources.into_iter();
    let mut lane_set = JoinSet::new();
    let mut ended = Ended { balance: Balance::default(), left: 0, broken: None };
    let mut broken_in_a_row = 0;
    loop {
        while lane_set.len() < lanes.max(1)
            && ended.broken.is_none()
            && !stop.load(Ordering::Relaxed)
        {
            let Some(source) = sources.next() else { break };
            lane_set.spawn(one(house.clone(), run.clone(), source));
        }
        let Some(done) = lane_set.join_next().await else { break };
        let (item, bytes) = match done {
            Ok(Ok(ended)) => ended,
            Ok(Err(fault)) => {
                ended.broken.get_or_insert(fault);
                continue;
            }
            Err(e) => {
                ended.broken.get_or_insert(
                    Fault::broken("a lane stopped on a defect in glassplate").because(e),
                );
                continue;
            }
        };
        broken_in_a_row = match (item.outcome, item.fault) {
            (Outcome::Failed, Some(FaultKind::Broken)) => broken_in_a_row + 1,
            _ => 0,
        };
        if broken_in_a_row >= BROKEN_IN_A_ROW {
            let reason = item.reason.as_deref().unwrap_or("no reason given");
            ended.broken.get_or_insert(Fault::broken(format!(
                "{BROKEN_IN_A_ROW} sources in a row failed; the last: {reason}"
            )));
        }
        ended.balance.add(item.outcome);
        watcher.ended(&item, bytes, &ended.balance);
    }
    ended.left = sources.count() as u64;
    if ended.left == 0 && ended.broken.is_none() {
        run.finished = Some(house.clock.now());
    }
    run.balance = ended.balance;
    let written = house.catalogue.append(&house.tenant, vec![Entry::Run(run)]).await;
    match ended.broken {
        // On a full disk this cannot be written either; the first reason is the one to tell.
        Some(_) => Ok(ended),
        None => written.map(|()| ended),
    }
}

/// One source, or what is known to be wrong with it before it could be opened.
async fn one(
    house: Arc<House>,
    run: Run,
    source: Result<Source, Item>,
) -> Result<(Item, u64), Fault> {
    match source {
        Ok(source) => {
            let item = enrich(&house, &run.id, &run.collection, &source).await?;
            Ok((item, source.bytes))
        }
        Err(item) => {
            let entry = Entry::Item { run: run.id, item: item.clone() };
            house.catalogue.append(&house.tenant, vec![entry]).await?;
            Ok((item, 0))
        }
    }
}
