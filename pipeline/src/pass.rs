//! One pass over a list: many pieces of work, a few at a time, each with an outcome.
//!
//! The pass ends by itself, on request between two pieces, or when the ledger or the disk
//! gives out. In every case each piece begun has an outcome in the ledger, and the balance
//! adds up.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::JoinSet;

use crate::catalogue::Entry;
use crate::enrich::House;
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

/// A piece of work that is done.
pub(crate) struct Piece {
    /// What became of it.
    pub(crate) item: Item,
    /// How many bytes its source had.
    pub(crate) bytes: u64,
    /// What every other piece would meet too: then the pass ends.
    pub(crate) hopeless: Option<Fault>,
}

/// Begins the run, does the work, `lanes` pieces at a time, until done or `stop` is set, and
/// writes down how the run ended. Each piece writes its own item and tells its bytes.
///
/// # Errors
/// What the catalogue says when the run cannot even begin.
pub(crate) async fn pass<W>(
    house: &House,
    run: Run,
    work: impl Iterator<Item = W>,
    lanes: usize,
    watcher: &mut dyn Watcher,
    stop: &AtomicBool,
) -> Result<Ended, Fault>
where
    W: Future<Output = Result<Piece, Fault>> + Send + 'static,
{
    house.catalogue.append(&house.tenant, vec![Entry::Run(run.clone())]).await?;
    let ended = work_through(work, lanes, watcher, stop).await;
    let written = conclude(house, run, &ended).await;
    match ended.broken {
        // On a full disk this cannot be written either; the first reason is the one to tell.
        Some(_) => Ok(ended),
        None => written.map(|()| ended),
    }
}

/// Does the work, `lanes` pieces at a time, until done or `stop` is set; of the run itself nothing
/// is written.
pub(crate) async fn work_through<W>(
    mut work: impl Iterator<Item = W>,
    lanes: usize,
    watcher: &mut dyn Watcher,
    stop: &AtomicBool,
) -> Ended
where
    W: Future<Output = Result<Piece, Fault>> + Send + 'static,
{
    let mut lane_set = JoinSet::new();
    let mut ended = Ended { balance: Balance::default(), left: 0, broken: None };
    let mut broken_in_a_row = 0;
    loop {
        while lane_set.len() < lanes.max(1)
            && ended.broken.is_none()
            && !stop.load(Ordering::Relaxed)
        {
            let Some(piece) = work.next() else { break };
            lane_set.spawn(piece);
        }
        let Some(done) = lane_set.join_next().await else { break };
        let Piece { item, bytes, hopeless } = match done {
            Ok(Ok(piece)) => piece,
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
        if let Some(fault) = hopeless {
            ended.broken.get_or_insert(fault);
        }
        ended.balance.add(item.outcome);
        watcher.ended(&item, bytes, &ended.balance);
    }
    ended.left = work.count() as u64;
    ended
}

/// Writes how the run ended; whether it counts may have been settled by somebody meanwhile.
async fn conclude(house: &House, run: Run, ended: &Ended) -> Result<(), Fault> {
    let House { catalogue, tenant, clock, .. } = house;
    let mut run = catalogue.run(tenant, &run.id).await?.unwrap_or(run);
    if ended.left == 0 && ended.broken.is_none() {
        run.finished = Some(clock.now());
    }
    run.balance = ended.balance;
    run.spent = house.purse.spent();
    catalogue.append(tenant, vec![Entry::Run(run)]).await
}
