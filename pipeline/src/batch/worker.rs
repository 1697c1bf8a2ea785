//! A worker: asks an engine for tasks, does them one at a time, and says that it is alive.
//!
//! It ends when told to: pictures in hand are finished, the rest of the shard is given back. A
//! worker that is killed says nothing; the engine hands its task to another, which goes on behind
//! the outcomes that are in the catalogue.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::control::Control;
use super::task::{Bench, Told, stopped};
use super::{End, Engine, Handed};
use crate::fault::{Fault, FaultKind};

/// How often it is written how a shard goes.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// How long a worker works.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bounds {
    /// Ends after one task.
    pub once: bool,
    /// Ends when no task came for so long; else it waits for ever.
    pub idle: Option<Duration>,
}

/// What a worker is told of, once a task.
pub trait Listener: Send {
    /// A task is taken up.
    fn begins(&mut self, handed: &Handed);
    /// A task has come to its end.
    fn ends(&mut self, handed: &Handed, end: &End);
}

/// Works until `stop` is set or the bounds are met; answers how many tasks were done.
///
/// # Errors
/// What the engine says when it cannot be asked, once patience is at its end.
pub async fn work(
    engine: &dyn Engine,
    bench: &Bench,
    bounds: Bounds,
    listener: &mut dyn Listener,
    stop: &AtomicBool,
) -> Result<u64, Fault> {
    let (mut done, mut idle) = (0, tokio::time::Instant::now());
    while !stop.load(Ordering::Relaxed) {
        let left = bounds.idle.map(|most| most.saturating_sub(idle.elapsed()));
        let wait = left.map_or(LONG_WAIT, |left| left.clamp(SHORT_WAIT, LONG_WAIT));
        let asked = tokio::select! {
            asked = crate::aws::patiently(|| engine.next(wait)) => asked?,
            // A message that comes just then reappears by itself.
            () = stopped(stop) => break,
        };
        let Some(handed) = asked else {
            if left.is_some_and(|left| left.is_zero()) {
                break;
            }
            continue;
        };
        listener.begins(&handed);
        let end = hold(engine, bench, &handed, stop).await;
        crate::aws::patiently(|| engine.answer(&handed, &end)).await?;
        listener.ends(&handed, &end);
        done += u64::from(matches!(end, End::Done(_) | End::Failed { .. }));
        if bounds.once {
            break;
        }
        idle = tokio::time::Instant::now();
    }
    Ok(done)
}

/// The longest that is waited for a task at a time: SQS waits no longer.
const LONG_WAIT: Duration = Duration::from_secs(20);
/// The shortest.
const SHORT_WAIT: Duration = Duration::from_secs(1);

/// Why the task in hand is to be let go before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LetGo {
    /// The worker is to end.
    Ending,
    /// Its round is over, or another has the task.
    Over,
}

/// Does a task and keeps hold of it meanwhile.
pub async fn hold(engine: &dyn Engine, bench: &Bench, handed: &Handed, stop: &AtomicBool) -> End {
    if !wanted(bench, handed).await {
        return End::Dropped;
    }
    let (halt, told) = (Arc::new(AtomicBool::new(false)), Told::default());
    let mut work = std::pin::pin!(bench.perform(&handed.task, &halt, &told));
    let mut let_go = None;
    let mut beat = tokio::time::interval(engine.beat_every());
    let mut look = tokio::time::interval(TELL_EVERY.min(engine.beat_every()));
    loop {
        let reason = tokio::select! {
            end = &mut work => return match (end, let_go) {
                (End::GivenBack, Some(LetGo::Over)) => End::Dropped,
                (end, _) => end,
            },
            _ = beat.tick() => match engine.beat(handed).await {
                Ok(false) => Some(LetGo::Over),
                Ok(true) => None,
                Err(fault) => {
                    tracing::warn!("cannot say that a task is in hand: {}", fault.reason());
                    None
                }
            },
            _ = look.tick() => {
                if let Err(fault) = told.write(&*bench.catalogue, bench.clock.now()).await {
                    tracing::warn!("cannot write how a shard goes: {}", fault.reason());
                }
                (!wanted(bench, handed).await).then_some(LetGo::Over)
            },
            () = stopped(stop), if let_go.is_none() => Some(LetGo::Ending),
        };
        if let Some(reason) = reason {
            let_go.get_or_insert(reason);
            halt.store(true, Ordering::Relaxed);
        }
    }
}

/// Tells whether the task's round is still under way. Whoever cannot be asked has not said no.
async fn wanted(bench: &Bench, handed: &Handed) -> bool {
    use super::Step::Refresh;

    let task = &handed.task;
    match Control::read(&*bench.catalogue, &task.tenant, &task.run).await {
        // By then the books are closed.
        Ok(control) if task.step == Refresh => control.round == task.round,
        Ok(control) => control.wants(task.round),
        Err(fault) if fault.kind() == FaultKind::NotFound && !fault.is_for_all() => false,
        Err(fault) => {
            tracing::warn!("cannot ask where {} stands: {}", task.run, fault.reason());
            true
        }
    }
}
