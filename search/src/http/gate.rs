//! The gate: work of the processor off the runtime, a few pieces at a time, few waiting.

use std::num::NonZeroUsize;
use std::sync::Arc;

use glassplate_pipeline::fault::{Fault, FaultKind};
use tokio::sync::Semaphore;

/// How many pieces may wait for each that is worked on: at a millisecond a piece the last one
/// still begins within a tenth of a second.
const WAITING_EACH: usize = 128;

/// Lets work through, as many pieces at once as there are processors.
#[derive(Debug, Clone)]
pub struct Gate {
    working: Arc<Semaphore>,
    /// Those that work and those that wait.
    inside: Arc<Semaphore>,
}

impl Default for Gate {
    /// One piece for each processor.
    fn default() -> Self {
        Self::of(std::thread::available_parallelism().map_or(1, NonZeroUsize::get))
    }
}

impl Gate {
    /// Lets so many pieces through at once.
    pub fn of(width: usize) -> Self {
        let inside = Arc::new(Semaphore::new(width * (1 + WAITING_EACH)));
        Self { working: Arc::new(Semaphore::new(width)), inside }
    }

    /// Does a piece of work when its turn comes.
    ///
    /// # Errors
    /// `Busy` at once when too many wait; what the work says; `Broken` when it panics.
    pub async fn pass<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let Ok(_inside) = self.inside.try_acquire() else {
            return Err(Fault::new(FaultKind::Busy, "too many requests wait for a processor"));
        };
        // The permit goes with the work, which goes on when nobody waits for it any more.
        let turn = self.working.clone().acquire_owned().await;
        let turn = turn.map_err(|e| Fault::broken("the gate is closed").because(e))?;
        let work = move || {
            let _turn = turn;
            work()
        };
        tokio::task::spawn_blocking(work)
            .await
            .unwrap_or_else(|e| Err(Fault::broken("a piece of work ended early").because(e)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn no_more_work_than_its_width_goes_on_at_once_and_all_of_it_is_done() {
        let gate = Gate::of(2);
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let pieces = (0..20).map(|piece| {
            let (gate, now, most) = (gate.clone(), now.clone(), most.clone());
            tokio::spawn(async move {
                let work = move || {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(2));
                    now.fetch_sub(1, Ordering::SeqCst);
                    Ok(piece)
                };
                gate.pass(work).await
            })
        });
        let pieces: Vec<_> = pieces.collect();
        for (expected, piece) in pieces.into_iter().enumerate() {
            assert_eq!(piece.await.expect("a task").expect("work"), expected);
        }
        assert_eq!(most.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn who_comes_when_too_many_wait_is_sent_away_at_once() {
        let gate = Gate::of(1);
        let _held = gate.inside.try_acquire_many(129).expect("all places");
        let fault = gate.pass(|| Ok(())).await.expect_err("no place");
        assert_eq!(fault.kind(), FaultKind::Busy);
    }

    #[tokio::test]
    async fn a_panic_is_a_fault_and_its_place_is_free_again() {
        let gate = Gate::of(1);
        let fault = gate.pass::<()>(|| panic!("a defect")).await.expect_err("a panic");
        assert_eq!(fault.kind(), FaultKind::Broken);
        assert_eq!(gate.pass(|| Ok(7)).await.expect("work"), 7);
    }
}
