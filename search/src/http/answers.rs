//! Answers kept: what many ask again is written once while the index stays as it is.
//!
//! Desks ask the same things all day: the first page, the words of the week. What is kept is the
//! answer's bytes, packed, under whose search it is and what was asked word for word. While pictures come
//! in the index changes every second; then the first who asks again gets the answer that was
//! right a moment ago, and sees to it that the next one gets a new one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use glassplate_pipeline::asset::Tenant;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

/// What all kept answers may take, in bytes.
const KEPT_BYTES: u64 = 64 << 20;
/// About how long an answer is when packed, in bytes.
const USUAL_BYTES: u64 = 5 << 10;
/// Longer answers are not kept: few ask for a thousand hits, and nobody twice.
const LONGEST_BYTES: usize = 256 << 10;
/// How long ago an answer may last have been right. A picture is found two seconds after it came
/// in: the index takes one, this takes half of the other.
const OUTDATED: Duration = Duration::from_millis(500);

/// Under which name an answer is kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub(crate) tenant: Tenant,
    pub(crate) query: String,
}

/// One answer.
struct Kept {
    /// Packed: twenty hits repeat their fields' names, and five times as many answers have room.
    answer: Vec<u8>,
    /// The index's epoch when it was made.
    epoch: u64,
    /// When it was last known to be right, in milliseconds after the beginning.
    right: AtomicU64,
    /// Whether somebody makes a new one.
    renewed: AtomicBool,
}

/// What is known of an answer.
#[derive(Debug, PartialEq)]
pub(crate) enum Known {
    /// It is right.
    Right(Bytes),
    /// It was right a moment ago; `renew` is for the first who hears so: make a new one.
    Outdated {
        /// The answer's bytes.
        answer: Bytes,
        /// Whether to make a new one.
        renew: bool,
    },
    /// Nothing that could be told.
    Nothing,
}

#[derive(Clone)]
struct BySize;

impl Weighter<Name, Arc<Kept>> for BySize {
    fn weight(&self, name: &Name, kept: &Arc<Kept>) -> u64 {
        (150 + name.query.len() + kept.answer.len()) as u64
    }
}

/// The answers that are kept.
pub struct Answers {
    kept: Cache<Name, Arc<Kept>, BySize>,
    beginning: Instant,
}

impl Default for Answers {
    fn default() -> Self {
        let usual = (KEPT_BYTES / USUAL_BYTES) as usize;
        let kept = Cache::with_weighter(usual, KEPT_BYTES, BySize);
        Self { kept, beginning: Instant::now() }
    }
}

impl Answers {
    /// Tells what is known while the index is in an epoch.
    pub(crate) fn known(&self, name: &Name, epoch: u64, now: Instant) -> Known {
        let Some(kept) = self.kept.get(name) else { return Known::Nothing };
        let now = self.milliseconds(now);
        let Ok(answer) = lz4_flex::decompress_size_prepended(&kept.answer) else {
            return Known::Nothing;
        };
        let answer = Bytes::from(answer);
        if kept.epoch == epoch {
            kept.right.fetch_max(now, Ordering::Relaxed);
            return Known::Right(answer);
        }
        let ago = Duration::from_millis(now.saturating_sub(kept.right.load(Ordering::Relaxed)));
        if ago > OUTDATED {
            return Known::Nothing;
        }
        Known::Outdated { answer, renew: !kept.renewed.swap(true, Ordering::Relaxed) }
    }

    /// Keeps an answer that was made when the index was in an epoch.
    pub(crate) fn keep(&self, name: Name, epoch: u64, answer: &[u8], now: Instant) {
        if answer.len() > LONGEST_BYTES {
            return;
        }
        let right = AtomicU64::new(self.milliseconds(now));
        let renewed = AtomicBool::new(false);
        let answer = lz4_flex::compress_prepend_size(answer);
        self.kept.insert(name, Arc::new(Kept { answer, epoch, right, renewed }));
    }

    fn milliseconds(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.beginning).as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(tenant: &str) -> Name {
        Name { tenant: tenant.parse().expect("a tenant"), query: "q=boat".to_owned() }
    }

    #[test]
    fn an_outdated_answer_is_told_for_a_moment_and_renewed_once() {
        let answers = Answers::default();
        let at = |ms| answers.beginning + Duration::from_millis(ms);
        let (boats, more) = (Bytes::from_static(b"2 boats"), Bytes::from_static(b"3 boats"));
        assert_eq!(answers.known(&name("a"), 1, at(0)), Known::Nothing);
        answers.keep(name("a"), 1, &boats, at(0));
        assert_eq!(answers.known(&name("a"), 1, at(9_000)), Known::Right(boats.clone()));
        assert_eq!(answers.known(&name("b"), 1, at(9_000)), Known::Nothing, "another tenant's");

        let outdated = |renew| Known::Outdated { answer: boats.clone(), renew };
        assert_eq!(answers.known(&name("a"), 2, at(9_100)), outdated(true));
        assert_eq!(answers.known(&name("a"), 2, at(9_400)), outdated(false));
        assert_eq!(answers.known(&name("a"), 2, at(9_501)), Known::Nothing, "too long ago");
        answers.keep(name("a"), 2, &more, at(9_600));
        assert_eq!(answers.known(&name("a"), 2, at(9_601)), Known::Right(more));
    }

    #[test]
    fn what_is_too_long_is_not_kept() {
        let answers = Answers::default();
        let long = Bytes::from(vec![0; LONGEST_BYTES + 1]);
        answers.keep(name("a"), 1, &long, answers.beginning);
        assert_eq!(answers.known(&name("a"), 1, answers.beginning), Known::Nothing);
    }
}
