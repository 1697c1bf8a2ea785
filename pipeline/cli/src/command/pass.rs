//! What ingest and relabel share: a run's beginning, and Ctrl-C.

use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use glassplate_pipeline::run::{Run, RunId};

use crate::compose::Desk;
use crate::output::say;

/// A run that begins now.
pub(super) fn new_run(
    desk: &Desk,
    now: jiff::Timestamp,
    collection: &str,
    sources: Vec<String>,
) -> Run {
    let id = RunId::new(now, random());
    Run::begun(id, &desk.tenant, collection, sources, env!("CARGO_PKG_VERSION"), now)
}

/// A number that two processes of one second hardly share: the standard library seeds its
/// hashers from the system's random source.
pub(super) fn random() -> u32 {
    let hash = std::hash::RandomState::new().build_hasher().finish();
    u32::try_from(hash >> 32).expect("32 bits are left")
}

/// Waits for Ctrl-C or a termination request; a second one ends the process at once.
pub(super) async fn listen(stop: Arc<AtomicBool>) {
    use tokio::signal::unix::{SignalKind, signal};

    let Ok(mut terminated) = signal(SignalKind::terminate()) else { return };
    loop {
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => if interrupted.is_err() { return },
            _ = terminated.recv() => {}
        }
        if stop.swap(true, Ordering::Relaxed) {
            say("ended at once; the same command resumes");
            std::process::exit(130);
        }
        say("ending after the pictures in hand; once more to end at once");
    }
}
