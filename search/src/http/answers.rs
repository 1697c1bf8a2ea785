//! Answers kept: what many ask again is written once while the index stays as it is.
//!
//! Desks ask the same things all day: the first page, the words of the week. What is kept is the
//! answer's bytes, under whose search it is, what was asked word for word, and the index's epoch, so
//! that a picture that came in is in the next answer.

use axum::body::Bytes;
use glassplate_pipeline::asset::Tenant;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

/// What all kept answers may take, in bytes.
const KEPT_BYTES: u64 = 80 << 20;
/// About how long an answer is, in bytes.
const USUAL_BYTES: u64 = 24 << 10;
/// Longer answers are not kept: few ask for a thousand hits, and nobody twice.
const LONGEST_BYTES: usize = 256 << 10;

/// Under which name an answer is kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub(crate) epoch: u64,
    pub(crate) tenant: Tenant,
    pub(crate) query: String,
}

#[derive(Clone)]
struct BySize;

impl Weighter<Name, Bytes> for BySize {
    fn weight(&self, name: &Name, answer: &Bytes) -> u64 {
        (100 + name.query.len() + answer.len()) as u64
    }
}

/// The answers that are kept.
pub struct Answers {
    kept: Cache<Name, Bytes, BySize>,
}

impl Default for Answers {
    fn default() -> Self {
        let usual = (KEPT_BYTES / USUAL_BYTES) as usize;
        Self { kept: Cache::with_weighter(usual, KEPT_BYTES, BySize) }
    }
}

impl Answers {
    pub(crate) fn get(&self, name: &Name) -> Option<Bytes> {
        self.kept.get(name)
    }

    pub(crate) fn keep(&self, name: Name, answer: Bytes) {
        if answer.len() <= LONGEST_BYTES {
            self.kept.insert(name, answer);
        }
    }
}
