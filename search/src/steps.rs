//! Steps: what each commit changed, so that answers which it does not touch stay right.
//!
//! While pictures come in the index changes every second, but by a dozen records of a million. No
//! score rests on how rare a word is ([`crate::query`]), so an answer changes only when a record
//! that meets its query comes, goes or is replaced. Between two commits those records are in
//! segments that are new, in segments that are gone, or deleted from one that stays: a query that
//! meets nothing there has the same answer as before.
//!
//! Merging makes segments gone and new without changing anything. Each commit says how many documents ever
//! replaced one; while that number stays, whatever of the new segments was not in those that are gone
//! is of new pictures, and the rest was there before. Where documents were replaced, merged segments
//! count as changed: then some answers are made anew that need not be, and none stays that should not.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tantivy::index::SegmentId;
use tantivy::query::Weight;
use tantivy::{DocId, Opstamp, Searcher, SearcherGeneration, SegmentReader, TERMINATED, Warmer};

use crate::generation::Position;
use crate::schema::ORDER;

/// How many commits are remembered; what was asked longer ago is made anew.
const REMEMBERED: usize = 16;
/// A commit that touches more documents touches all answers.
const MOST_TOUCHED: usize = 10_000;
/// So does one after larger merges: looking through them would take longer than a search.
const MOST_MERGED: usize = 200_000;

/// The last commits of one generation.
#[derive(Default)]
pub(crate) struct Steps {
    noticed: Mutex<Noticed>,
}

#[derive(Default)]
struct Noticed {
    last: Option<Commit>,
    steps: VecDeque<Arc<Step>>,
}

/// What a reader saw of a commit.
struct Commit {
    number: u64,
    segments: Vec<SegmentReader>,
    /// How many documents had replaced one by then; absent where that is not known.
    replaced: Option<u64>,
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

impl Warmer for Steps {
    /// Notices a commit before searches see it.
    fn warm(&self, searcher: &Searcher) -> tantivy::Result<()> {
        let commit = Commit {
            number: searcher.generation().generation_id(),
            segments: searcher.segment_readers().to_vec(),
            replaced: replaced(searcher),
        };
        let mut noticed = self.noticed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = &noticed.last {
            let touched = match last.replaced.is_some() && last.replaced == commit.replaced {
                true => added(&last.segments, &commit.segments),
                false => touched(&last.segments, &commit.segments),
            };
            let step = Step { from: last.number, touched };
            noticed.steps.push_back(Arc::new(step));
            if noticed.steps.len() > REMEMBERED {
                noticed.steps.pop_front();
            }
        }
        noticed.last = Some(commit);
        Ok(())
    }

    fn garbage_collect(&self, _: &[&SearcherGeneration]) {}
}

impl Steps {
    /// The steps from a commit to the one that searches see; nothing where they are not remembered, or
    /// another one was noticed last.
    fn between(&self, number: u64, seen: u64) -> Option<Vec<Arc<Step>>> {
        if number == seen {
            return Some(Vec::new());
        }
        let noticed = self.noticed.lock().unwrap_or_else(PoisonError::into_inner);
        if noticed.last.as_ref()?.number != seen {
            return None;
        }
        let first = noticed.steps.iter().position(|step| step.from == number)?;
        Some(noticed.steps.iter().skip(first).cloned().collect())
    }

    /// Tells whether nothing that came or went between a commit and the one that searches see meets a
    /// query, as far as that is remembered; the query is only made where it must be asked.
    pub(crate) fn miss(
        &self,
        number: u64,
        seen: u64,
        query: impl FnOnce() -> tantivy::Result<Box<dyn Weight>>,
    ) -> tantivy::Result<bool> {
        let Some(steps) = self.between(number, seen) else { return Ok(false) };
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

/// How many documents had replaced one by the commit that a searcher sees; nothing where there is a
/// later commit already.
fn replaced(searcher: &Searcher) -> Option<u64> {
    let metas = searcher.index().load_metas().ok()?;
    type Seen = HashSet<(SegmentId, Option<Opstamp>)>;
    let said: Seen = metas.segments.iter().map(|one| (one.id(), one.delete_opstamp())).collect();
    let segments = searcher.segment_readers().iter();
    let seen: Seen = segments.map(|one| (one.segment_id(), one.delete_opstamp())).collect();
    (said == seen).then(|| Position::of(&metas).ok().map(|position| position.replaced)).flatten()
}

/// Two commits beside each other.
struct Beside<'a> {
    /// Segments of the later one alone.
    new: Vec<&'a SegmentReader>,
    /// Segments of the earlier one alone.
    gone: Vec<&'a SegmentReader>,
    /// Segments of both from which something was deleted, as they were and are.
    thinned: Vec<(&'a SegmentReader, &'a SegmentReader)>,
}

impl<'a> Beside<'a> {
    fn of(before: &'a [SegmentReader], after: &'a [SegmentReader]) -> Self {
        let mut gone: HashMap<SegmentId, &SegmentReader> =
            before.iter().map(|one| (one.segment_id(), one)).collect();
        let (mut new, mut thinned) = (Vec::new(), Vec::new());
        for segment in after {
            match gone.remove(&segment.segment_id()) {
                None => new.push(segment),
                Some(was) if was.delete_opstamp() != segment.delete_opstamp() => {
                    thinned.push((was, segment));
                }
                Some(_) => {}
            }
        }
        Self { new, gone: gone.into_values().collect(), thinned }
    }
}

fn documents(segments: &[&SegmentReader]) -> usize {
    segments.iter().map(|segment| segment.max_doc() as usize).sum()
}

/// Lists what came between two commits when no document replaced one: all that is in no segment of the
/// earlier one. Nothing where it is too much.
fn added(before: &[SegmentReader], after: &[SegmentReader]) -> Option<Vec<Touched>> {
    let Beside { new, gone, thinned } = Beside::of(before, after);
    if !thinned.is_empty() || documents(&new) > MOST_MERGED {
        return None;
    }
    let mut merged = HashSet::new();
    for segment in &gone {
        let order = segment.fast_fields().u64(ORDER).ok()?;
        merged.extend((0..segment.max_doc()).filter_map(|doc| order.first(doc)));
    }
    let mut touched = Vec::new();
    for segment in new {
        let order = segment.fast_fields().u64(ORDER).ok()?;
        let is_new = |&doc: &DocId| order.first(doc).is_none_or(|order| !merged.contains(&order));
        let docs: Vec<DocId> = (0..segment.max_doc()).filter(is_new).collect();
        if !docs.is_empty() {
            touched.push(Touched { segment: segment.clone(), docs: Some(docs) });
        }
    }
    let count: usize = touched.iter().filter_map(|one| one.docs.as_ref()).map(Vec::len).sum();
    (count <= MOST_TOUCHED).then_some(touched)
}

/// Lists what came or went between two commits; nothing where it is too much.
fn touched(before: &[SegmentReader], after: &[SegmentReader]) -> Option<Vec<Touched>> {
    let Beside { new, gone, thinned } = Beside::of(before, after);
    let mut count = documents(&new) + documents(&gone);
    let whole = new.into_iter().chain(gone);
    let mut touched: Vec<Touched> =
        whole.map(|segment| Touched { segment: segment.clone(), docs: None }).collect();
    for (was, is) in thinned {
        let deleted = |&doc: &DocId| lives(was, doc) && !lives(is, doc);
        let docs: Vec<DocId> = (0..was.max_doc()).filter(deleted).collect();
        count += docs.len();
        touched.push(Touched { segment: was.clone(), docs: Some(docs) });
    }
    (count <= MOST_TOUCHED).then_some(touched)
}

fn lives(segment: &SegmentReader, doc: DocId) -> bool {
    segment.alive_bitset().is_none_or(|alive| alive.is_alive(doc))
}
