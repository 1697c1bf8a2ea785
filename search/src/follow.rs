//! Following: a task that keeps the index a moment behind the catalogue while others write.

use std::sync::Arc;
use std::time::Duration;

use glassplate_pipeline::catalogue::Catalogue;
use glassplate_pipeline::fault::{Fault, FaultKind};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::index::Index;
use crate::indexer::{CaughtUp, Indexer};

/// How far behind the catalogue the index stays by default.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(1);

/// A running task that follows the catalogue; dropping it stops the task at once.
#[derive(Debug)]
pub struct Follower {
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<CaughtUp, Fault>>,
}

/// Follows the catalogue's change feed, committing every `interval`.
///
/// A fault on the way is tried again at the next turn. Must be called within a tokio runtime.
pub fn follow(index: Arc<Index>, catalogue: Arc<dyn Catalogue>, interval: Duration) -> Follower {
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(follow_until(index, catalogue, interval, stopped));
    Follower { stop: Some(stop), task }
}

impl Follower {
    /// Catches up a last time and ends; answers what was done since the beginning.
    ///
    /// # Errors
    /// The last catching up's fault. `Busy` means that another process is indexing.
    pub async fn stop(mut self) -> Result<CaughtUp, Fault> {
        drop(self.stop.take());
        match (&mut self.task).await {
            Ok(result) => result,
            Err(e) => Err(Fault::broken("the indexing task ended early").because(e)),
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn follow_until(
    index: Arc<Index>,
    catalogue: Arc<dyn Catalogue>,
    interval: Duration,
    mut stopped: oneshot::Receiver<()>,
) -> Result<CaughtUp, Fault> {
    let mut total = CaughtUp::default();
    let mut held: Option<Indexer> = None;
    let mut failing = false;
    loop {
        let last = tokio::select! {
            _ = &mut stopped => true,
            () = tokio::time::sleep(interval) => false,
        };
        let turn = turn(&index, held.take(), &*catalogue).await;
        match turn {
            Ok((caught_up, indexer)) => {
                total.changes += caught_up.changes;
                total.documents += caught_up.documents;
                failing = false;
                if last {
                    indexer.close().await?;
                    return Ok(total);
                }
                held = Some(indexer);
            }
            Err(fault) if last => return Err(fault),
            Err(fault) => {
                // Said once; another process that indexes is no trouble at all.
                if !failing && fault.kind() != FaultKind::Busy {
                    tracing::warn!("the index falls behind: {}", fault.reason());
                }
                failing = true;
            }
        }
    }
}

/// One turn; the writer is kept between turns, so that segments are merged meanwhile.
async fn turn(
    index: &Index,
    held: Option<Indexer>,
    catalogue: &dyn Catalogue,
) -> Result<(CaughtUp, Indexer), Fault> {
    let indexer = match held {
        Some(indexer) => indexer,
        None => index.indexer()?,
    };
    index.advance(indexer, catalogue).await
}
