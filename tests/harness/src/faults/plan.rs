//! How often which fault happens.

use std::time::Duration;

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The service's own answer that too much is asked; not forwarded.
    Throttled,
    /// The service's own status 500; not forwarded.
    Failed,
    /// The service's own status 503; not forwarded.
    Unavailable,
    /// No answer for a time, then the connection closes; not forwarded.
    Silent,
    /// Forwarded; of the answer the head and half the body come, then the connection closes.
    Cut,
    /// Forwarded; the connection closes without a byte of the answer.
    Lost,
    /// Forwarded; the answer comes late.
    Slow,
    /// A batch of DynamoDB of which some items are not processed; the others are forwarded.
    Unprocessed,
}

/// The probability of each kind of fault, 0 to 1; together no more than 1.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// Of [`Kind::Throttled`].
    pub throttled: f64,
    /// Of [`Kind::Failed`].
    pub failed: f64,
    /// Of [`Kind::Unavailable`].
    pub unavailable: f64,
    /// Of [`Kind::Silent`].
    pub silent: f64,
    /// Of [`Kind::Cut`].
    pub cut: f64,
    /// Of [`Kind::Lost`].
    pub lost: f64,
    /// Of [`Kind::Slow`].
    pub slow: f64,
    /// Of [`Kind::Unprocessed`], for each batch that is let through; apart from the sum.
    pub unprocessed: f64,
    /// How long a silent connection is held.
    pub silence: Duration,
    /// How late a slow answer is; to be shorter than the client waits.
    pub delay: Duration,
}

impl Plan {
    /// Every kind with a share of `rate`; silences and delays short enough for tests.
    pub fn of_each(rate: f64) -> Self {
        let each = rate / 7.0;
        Self {
            throttled: each,
            failed: each,
            unavailable: each,
            silent: each,
            cut: each,
            lost: each,
            slow: each,
            unprocessed: rate,
            silence: Duration::from_millis(300),
            delay: Duration::from_millis(50),
        }
    }

    /// The fate at a number of 0 to below 1.
    pub(super) fn fate(&self, number: f64) -> Option<Kind> {
        let mut upper = 0.0;
        let kinds = [
            (Kind::Throttled, self.throttled),
            (Kind::Failed, self.failed),
            (Kind::Unavailable, self.unavailable),
            (Kind::Silent, self.silent),
            (Kind::Cut, self.cut),
            (Kind::Lost, self.lost),
            (Kind::Slow, self.slow),
        ];
        kinds.into_iter().find_map(|(kind, share)| {
            upper += share;
            (number < upper).then_some(kind)
        })
    }
}
