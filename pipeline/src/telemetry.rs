//! Where the time goes: wall and processor time by stage, counted as the work is done.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::stage::Stage;

/// Counts time by stage, from any thread.
#[derive(Debug, Default)]
pub struct Meter {
    stages: [Counter; Stage::ALL.len()],
}

#[derive(Debug, Default)]
struct Counter {
    calls: AtomicU64,
    wall_nanoseconds: AtomicU64,
    cpu_nanoseconds: AtomicU64,
}

/// What a piece of work took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// Wall time.
    pub wall: Duration,
    /// Processor time of the thread that did it.
    pub cpu: Duration,
}

/// What one stage took so far, over all assets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The stage.
    pub stage: Stage,
    /// How often it ran.
    pub calls: u64,
    /// Wall time.
    pub wall: Duration,
    /// Processor time of the thread that did the work.
    pub cpu: Duration,
}

impl Meter {
    /// Awaits work that mostly waits, and counts its wall time for a stage.
    pub async fn wait<T>(&self, stage: Stage, work: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let result = work.await;
        self.count(stage, Spent { wall: began.elapsed(), cpu: Duration::ZERO });
        result
    }

    /// Counts time for a stage.
    pub fn count(&self, stage: Stage, Spent { wall, cpu }: Spent) {
        let nanoseconds = |d: Duration| u64::try_from(d.as_nanos()).unwrap_or(u64::MAX);
        let counter = &self.stages[stage as usize];
        counter.calls.fetch_add(1, Relaxed);
        counter.wall_nanoseconds.fetch_add(nanoseconds(wall), Relaxed);
        counter.cpu_nanoseconds.fetch_add(nanoseconds(cpu), Relaxed);
    }

    /// Reads all stages, in their order.
    pub fn read(&self) -> Vec<Reading> {
        Stage::ALL
            .into_iter()
            .map(|stage| {
                let counter = &self.stages[stage as usize];
                Reading {
                    stage,
                    calls: counter.calls.load(Relaxed),
                    wall: Duration::from_nanos(counter.wall_nanoseconds.load(Relaxed)),
                    cpu: Duration::from_nanos(counter.cpu_nanoseconds.load(Relaxed)),
                }
            })
            .collect()
    }
}

/// Runs synchronous work and tells what it took of this thread.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Spent) {
    let (began, cpu) = (Instant::now(), thread_cpu());
    let result = work();
    (result, Spent { wall: began.elapsed(), cpu: thread_cpu().saturating_sub(cpu) })
}

/// The processor time that this thread has used.
fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}
