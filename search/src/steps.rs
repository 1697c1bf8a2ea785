//! Steps: what each commit changed, so that answers which it does not touch stay right.
//!
//! While pictures come in the index changes every second, but by a dozen records of a million. No
//! score rests on how rare a word is ([`crate::query`]), so an answer changes only when a record
//! that meets its query comes, goes or is replaced. Between two commits those records are in
//! segments that are new, in segments that are gone, or deleted from one that stays: a query that
//! meets nothing there has the same answer as before. Merged segments count as gone and new: then some
//! answers are made anew that need not be, and none stays that should not.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tantivy::index::SegmentId;
use tantivy::query::Weight;
use tantivy::{DocId, IndexReader, Searcher, SegmentReader, TERMINATED};

/// How many commits are remembered; what was asked longer ago is made anew.
const REMEMBERED: usize = 16;
/// A commit that touches more documents, which some large merges do, touches all answers.
const MOST_TOUCHED: usize = 10_000;

/// The number of no commit.
const NONE: u64 = u64::MAX;

/// The last commits of one generation, as they were noticed.
pub(crate) struct Steps {
    /// The number of the last commit that was noticed.
    last: AtomicU64,
    noticed: Mutex<Noticed>,
}

impl Default for Steps {
    fn default() -> Self {
        Self { last: AtomicU64::new(NONE), noticed: Mutex::default() }
    }
}

#[derive(Default)]
struct Noticed {
    searcher: Option<Searcher>,
    steps: VecDeque<Arc<Step>>,
}

/// One step between commits.
struct Step {
    /// The number of the commit before it.
    from: u64,
    /// What it touched; absent where that is too much to look through.
    touched: Option<Vec<Touched>>,
}

/// Documents that came or went.
struct Touched {
    segment: SegmentReader,
    /// All of the segment's when absent.
    docs: Option<Vec<DocId>>,
}

impl Steps {
    /// Notices the reader's last commit and tells its number.
    pub(crate) fn notice(&self, reader: &IndexReader) -> u64 {
        let searcher = reader.searcher();
        let number = searcher.generation().generation_id();
        if self.last.load(Ordering::Acquire) == number {
            return number;
        }
        let mut noticed = self.noticed.lock().unwrap_or_else(PoisonError::into_inner);
        let before = noticed.searcher.as_ref();
        let from = before.map(|before| before.generation().generation_id());
        // Another thread may have noticed a later one meanwhile.
        if from.is_some_and(|from| from >= number) {
            return number;
        }
        if let (Some(before), Some(from)) = (before, from) {
            let step = Step { from, touched: touched(before, &searcher) };
            noticed.steps.push_back(Arc::new(step));
            if noticed.steps.len() > REMEMBERED {
                noticed.steps.pop_front();
            }
        }
        noticed.searcher = Some(searcher);
        self.last.store(number, Ordering::Release);
        number
    }

    /// The steps since a commit; nothing where it, or what came after it, is not remembered.
    fn since(&self, number: u64) -> Option<Vec<Arc<Step>>> {
        if self.last.load(Ordering::Acquire) == number {
            return Some(Vec::new());
        }
        let noticed = self.noticed.lock().unwrap_or_else(PoisonError::into_inner);
        let first = noticed.steps.iter().position(|step| step.from == number)?;
        Some(noticed.steps.iter().skip(first).cloned().collect())
    }

    /// Tells whether nothing that came or went since a commit meets a query, as far as that is
    /// remembered; the query is only made where it must be asked.
    pub(crate) fn miss(
        &self,
        number: u64,
        query: impl FnOnce() -> tantivy::Result<Box<dyn Weight>>,
    ) -> tantivy::Result<bool> {
        let Some(steps) = self.since(number) else { return Ok(false) };
        let touched: Option<Vec<&Vec<Touched>>> =
            steps.iter().map(|step| step.touched.as_ref()).collect();
        let Some(touched) = touched else { return Ok(false) };
        if touched.is_empty() {
            return Ok(true);
        }
        let weight = query()?;
        for touched in touched.into_iter().flatten() {
            if touched.meets(&*weight)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Touched {
    /// Whether any of the documents meets a query.
    fn meets(&self, weight: &dyn Weight) -> tantivy::Result<bool> {
        let mut scorer = weight.scorer(&self.segment, 1.0)?;
        let Some(docs) = &self.docs else { return Ok(scorer.doc() != TERMINATED) };
        Ok(docs.iter().any(|&doc| {
            let at = if scorer.doc() < doc { scorer.seek(doc) } else { scorer.doc() };
            at == doc
        }))
    }
}

/// Lists what came or went between two commits; nothing where it is too much.
fn touched(before: &Searcher, after: &Searcher) -> Option<Vec<Touched>> {
    let by_id = |searcher: &Searcher| -> HashMap<SegmentId, SegmentReader> {
        searcher.segment_readers().iter().map(|one| (one.segment_id(), one.clone())).collect()
    };
    let (mut gone, mut left) = (by_id(before), MOST_TOUCHED);
    let mut touched = Vec::new();
    let mut take = |segment, docs: Option<Vec<DocId>>, count: usize| {
        left = left.checked_sub(count)?;
        touched.push(Touched { segment, docs });
        Some(())
    };
    for segment in after.segment_readers() {
        let Some(was) = gone.remove(&segment.segment_id()) else {
            take(segment.clone(), None, segment.max_doc() as usize)?;
            continue;
        };
        if was.delete_opstamp() != segment.delete_opstamp() {
            let deleted: Vec<DocId> = (0..was.max_doc())
                .filter(|&doc| lives(&was, doc) && !lives(segment, doc))
                .collect();
            let count = deleted.len();
            take(was, Some(deleted), count)?;
        }
    }
    for segment in gone.into_values() {
        let count = segment.max_doc() as usize;
        take(segment, None, count)?;
    }
    Some(touched)
}

fn lives(segment: &SegmentReader, doc: DocId) -> bool {
    segment.alive_bitset().is_none_or(|alive| alive.is_alive(doc))
}
