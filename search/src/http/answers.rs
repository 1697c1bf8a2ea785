//! Answers kept: what many ask again is written once while the index stays as it is.
//!
//! Desks ask the same things all day: the first page, the words of the week. What is kept is the
//! answer's bytes, packed, under whose search it is and what was asked word for word. While pictures come
//! in the index changes every second; most answers stay right, which the index can tell. Of
//! the others the first who asks again gets the answer that was right a moment ago, and sees to it
//! that the next one gets a new one.

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
    /// The index's last epoch in which it is known to be right.
    epoch: AtomicU64,
    /// Whether it found something sure, so that the index can tell whether it lasts.
    sure: bool,
    /// When it was last known to be right, in milliseconds after the beginning.
    right: AtomicU64,
    /// Whether somebody makes a new one.
    renewed: AtomicBool,
}

/// What is known of an answer.
#[derive(Debug)]
pub(crate) enum Known {
    /// It is right.
    Right(Bytes),
    /// It was right in an earlier epoch.
    Earlier(Earlier),
    /// Nothing that could be told.
    Nothing,
}

/// An answer of an earlier epoch, which may be right.
pub(crate) struct Earlier {
    /// The answer's bytes.
    pub(crate) answer: Bytes,
    /// Whether it was right a moment ago, so that it may be told until there is a new one.
    pub(crate) recent: bool,
    kept: Arc<Kept>,
}

impl std::fmt::Debug for Earlier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Earlier").field("recent", &self.recent).finish_non_exhaustive()
    }
}

impl Earlier {
    /// In which epoch it was right, where the index can tell whether it lasts and nobody makes a new one.
    pub(crate) fn lasting(&self) -> Option<u64> {
        let worth_it = self.kept.sure && !self.kept.renewed.load(Ordering::Relaxed);
        worth_it.then(|| self.kept.epoch.load(Ordering::Relaxed))
    }

    /// Whether to make a new one: only the first who asks is told so.
    pub(crate) fn renew(&self) -> bool {
        !self.kept.renewed.swap(true, Ordering::Relaxed)
    }
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
        if kept.epoch.load(Ordering::Relaxed) == epoch {
            kept.right.fetch_max(now, Ordering::Relaxed);
            return Known::Right(answer);
        }
        let ago = Duration::from_millis(now.saturating_sub(kept.right.load(Ordering::Relaxed)));
        Known::Earlier(Earlier { answer, recent: ago <= OUTDATED, kept })
    }

    /// Keeps an answer that was made when the index was in an epoch; `sure` where it found something
    /// above the bar.
    pub(crate) fn keep(&self, name: Name, epoch: u64, sure: bool, answer: &[u8], now: Instant) {
        if answer.len() > LONGEST_BYTES {
            return;
        }
        let (epoch, right) = (AtomicU64::new(epoch), AtomicU64::new(self.milliseconds(now)));
        let renewed = AtomicBool::new(false);
        let answer = lz4_flex::compress_prepend_size(answer);
        self.kept.insert(name, Arc::new(Kept { answer, epoch, sure, right, renewed }));
    }

    /// Takes an answer for right in an epoch too.
    pub(crate) fn confirm(&self, earlier: &Earlier, epoch: u64, now: Instant) {
        earlier.kept.right.fetch_max(self.milliseconds(now), Ordering::Relaxed);
        earlier.kept.epoch.fetch_max(epoch, Ordering::Relaxed);
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

    /// What is known, in short: whether it is right, and whether it was a moment ago.
    fn told(known: &Known) -> (Option<&Bytes>, &'static str) {
        match known {
            Known::Right(answer) => (Some(answer), "right"),
            Known::Earlier(earlier) if earlier.recent => (Some(&earlier.answer), "recent"),
            Known::Earlier(earlier) => (Some(&earlier.answer), "earlier"),
            Known::Nothing => (None, "nothing"),
        }
    }

    fn earlier(known: Known) -> Earlier {
        match known {
            Known::Earlier(earlier) => earlier,
            known => panic!("{known:?}"),
        }
    }

    #[test]
    fn an_answer_is_right_until_the_epoch_ends_then_recent_for_a_moment_and_renewed_once() {
        let answers = Answers::default();
        let at = |ms| answers.beginning + Duration::from_millis(ms);
        let known = |tenant, epoch, ms| answers.known(&name(tenant), epoch, at(ms));
        let (boats, more) = (Bytes::from_static(b"2 boats"), Bytes::from_static(b"3 boats"));
        assert_eq!(told(&known("a", 1, 0)), (None, "nothing"));
        answers.keep(name("a"), 1, true, &boats, at(0));
        assert_eq!(told(&known("a", 1, 9_000)), (Some(&boats), "right"));
        assert_eq!(told(&known("b", 1, 9_000)), (None, "nothing"), "another tenant's");

        assert_eq!(told(&known("a", 2, 9_100)), (Some(&boats), "recent"));
        assert_eq!(told(&known("a", 2, 9_501)), (Some(&boats), "earlier"), "too long ago");
        let outdated = earlier(known("a", 2, 9_502));
        assert_eq!(outdated.lasting(), Some(1));
        assert!(outdated.renew());
        assert!(!earlier(known("a", 2, 9_503)).renew());
        assert_eq!(outdated.lasting(), None, "somebody makes a new one");
        answers.keep(name("a"), 2, true, &more, at(9_600));
        assert_eq!(told(&known("a", 2, 9_601)), (Some(&more), "right"));
    }

    #[test]
    fn what_lasts_is_right_in_the_later_epoch_too() {
        let answers = Answers::default();
        let at = |ms| answers.beginning + Duration::from_millis(ms);
        let boats = Bytes::from_static(b"2 boats");
        answers.keep(name("a"), 1, true, &boats, at(0));
        let lasting = earlier(answers.known(&name("a"), 2, at(5_000)));
        answers.confirm(&lasting, 2, at(5_000));
        assert_eq!(told(&answers.known(&name("a"), 2, at(9_000))), (Some(&boats), "right"));
        assert_eq!(told(&answers.known(&name("a"), 3, at(9_100))), (Some(&boats), "recent"));

        answers.keep(name("b"), 1, false, &boats, at(0));
        let unsure = earlier(answers.known(&name("b"), 2, at(100)));
        assert_eq!(unsure.lasting(), None, "the index cannot tell");
    }

    #[test]
    fn what_is_too_long_is_not_kept() {
        let answers = Answers::default();
        let long = Bytes::from(vec![0; LONGEST_BYTES + 1]);
        answers.keep(name("a"), 1, true, &long, answers.beginning);
        let known = answers.known(&name("a"), 1, answers.beginning);
        assert_eq!(told(&known), (None, "nothing"));
    }
}
