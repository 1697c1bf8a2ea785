//! So many calls a second, as a token bucket.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// How many calls are answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Quota {
    /// Calls a second.
    pub per_second: f64,
    /// How many calls may come at once after a silence; at least 1.
    pub burst: f64,
    /// The error for those above: `ThrottlingException` or `ProvisionedThroughputExceededException`.
    pub code: &'static str,
}

impl Quota {
    /// So many calls a second, as many at once; above that a `ThrottlingException`.
    pub fn of(per_second: f64) -> Self {
        Self { per_second, burst: per_second.max(1.0), code: "ThrottlingException" }
    }
}

/// A quota's bucket.
#[derive(Debug)]
pub(super) struct Bucket {
    quota: Quota,
    /// Tokens, and when they were counted.
    level: Mutex<(f64, Instant)>,
}

impl Bucket {
    pub(super) fn full(quota: Quota) -> Self {
        let level = Mutex::new((quota.burst, Instant::now()));
        Self { quota, level }
    }

    /// Takes a token; else tells the error's code.
    pub(super) fn take(&self) -> Result<(), &'static str> {
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let gained = level.1.elapsed().as_secs_f64() * self.quota.per_second;
        *level = ((level.0 + gained).min(self.quota.burst), Instant::now());
        if level.0 < 1.0 {
            return Err(self.quota.code);
        }
        level.0 -= 1.0;
        Ok(())
    }
}
