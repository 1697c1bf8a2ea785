//! Collecting: one pass over what matches, for the best hits, the total and the counts.
//!
//! Segments never change but for what is deleted from them, so what the large ones answered to a
//! query is kept: while pictures come in, only the new small segments are asked again. Everything
//! else follows from each hit having one [`Place`] in an order that does not change when other
//! pictures come: pages go on behind the last place, at any depth.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tantivy::index::SegmentId;
use tantivy::query::{EnableScoring, Query, Weight};
use tantivy::{DocAddress, DocId, Opstamp, Score, Searcher, SegmentReader};

use crate::ask::Sort;
use crate::schema::{FROM, REGISTERED};
use crate::sheet::{Sheet, Sheets, ValueId};

/// Segments of fewer documents are asked faster than their answer is looked up.
pub(crate) const WORTH_KEEPING: u32 = 20_000;
/// How many hits of a kept answer are kept: the pages that are asked for again and again.
const HITS_KEPT: usize = 100;
/// What all kept answers may take, in bytes.
const KEPT_BYTES: u64 = 48 << 20;

/// Where a hit stands in an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// What it is sorted by; the highest first.
    pub(crate) key: u64,
    /// The order of equals; the lowest first.
    pub(crate) order: u64,
}

impl Place {
    /// Whether it stands before another.
    fn before(self, other: Self) -> bool {
        (self.key, other.order) > (other.key, self.order)
    }

    /// The score of a hit that is sorted by it.
    pub(crate) fn score(self) -> Score {
        Score::from_bits(self.key as u32)
    }
}

/// What is to be collected.
pub(crate) struct Wanted<'a> {
    pub(crate) sort: Sort,
    pub(crate) limit: usize,
    pub(crate) after: Option<Place>,
    pub(crate) counts: bool,
    /// The query in words, under which answers are kept; absent when they are not to be.
    pub(crate) name: Option<&'a str>,
}

/// What was collected.
#[derive(Debug)]
pub(crate) struct Collected {
    pub(crate) total: u64,
    /// One more than wanted where there are more.
    pub(crate) hits: Vec<(Place, DocAddress)>,
    /// By the number of the value; empty when none were wanted.
    pub(crate) counts: Vec<u32>,
}

/// What some segments answered.
#[derive(Default)]
struct Portion {
    total: u64,
    /// The best hits, in order; each with the number of its segment among those asked.
    hits: Vec<(Place, usize, DocId)>,
    counts: Vec<(ValueId, u32)>,
}

/// Which segments, and what of them is deleted.
type Settled = Vec<(SegmentId, Option<Opstamp>)>;

#[derive(PartialEq, Eq, Hash)]
struct Name {
    segments: Settled,
    sort: u8,
    counts: bool,
    query: String,
}

#[derive(Clone)]
struct BySize;

impl Weighter<Arc<Name>, Arc<Portion>> for BySize {
    fn weight(&self, name: &Arc<Name>, portion: &Arc<Portion>) -> u64 {
        let name = 200 + name.query.len() + name.segments.len() * 32;
        (name + portion.hits.len() * 32 + portion.counts.len() * 8) as u64
    }
}

/// Collects, and keeps what is worth it.
pub(crate) struct Collector {
    kept: Cache<Arc<Name>, Arc<Portion>, BySize>,
}

impl Default for Collector {
    fn default() -> Self {
        Self { kept: Cache::with_weighter(8_000, KEPT_BYTES, BySize) }
    }
}

impl Collector {
    /// Asks every segment and joins what they answer.
    pub(crate) fn collect(
        &self,
        searcher: &Searcher,
        sheets: &Sheets,
        asks: &dyn Query,
        wanted: &Wanted<'_>,
    ) -> tantivy::Result<Collected> {
        let scoring = match wanted.sort {
            Sort::Relevance => EnableScoring::enabled_from_searcher(searcher),
            _ => EnableScoring::disabled_from_searcher(searcher),
        };
        let weight = asks.weight(scoring)?;
        let asked = Asked { searcher, sheets, weight: &*weight, wanted };
        let segments = 0..searcher.segment_readers().len();
        let (large, small): (Vec<usize>, Vec<usize>) =
            segments.partition(|&ord| searcher.segment_readers()[ord].max_doc() >= WORTH_KEEPING);
        let portions = [
            (&large, self.settled(&asked, &large)?),
            (&small, Arc::new(asked.portion(&small, wanted.limit + 1)?)),
        ];
        let mut joined = Collected { total: 0, hits: Vec::new(), counts: Vec::new() };
        if wanted.counts {
            // Counted after the segments were asked: no value is unknown now.
            joined.counts = vec![0; sheets.values.count()];
        }
        for (ords, portion) in &portions {
            joined.total += portion.total;
            let address = |&(place, segment, doc): &(Place, usize, DocId)| {
                (place, DocAddress::new(ords[segment] as u32, doc))
            };
            joined.hits.extend(portion.hits.iter().take(wanted.limit + 1).map(address));
            for &(value, count) in &portion.counts {
                joined.counts[value as usize] += count;
            }
        }
        joined.hits.sort_unstable_by(|a, b| compare(a.0, b.0));
        joined.hits.truncate(wanted.limit + 1);
        Ok(joined)
    }

    /// Asks the large segments, or takes what they answered before.
    fn settled(&self, asked: &Asked<'_>, large: &[usize]) -> tantivy::Result<Arc<Portion>> {
        let wanted = asked.wanted;
        let keep = wanted
            .name
            .filter(|_| !large.is_empty() && wanted.after.is_none() && wanted.limit < HITS_KEPT);
        let Some(query) = keep else {
            return Ok(Arc::new(asked.portion(large, wanted.limit + 1)?));
        };
        let segment = |&ord: &usize| {
            let segment = asked.searcher.segment_reader(ord as u32);
            (segment.segment_id(), segment.delete_opstamp())
        };
        let name = Arc::new(Name {
            segments: large.iter().map(segment).collect(),
            sort: wanted.sort as u8,
            counts: wanted.counts,
            query: query.to_owned(),
        });
        // Of many that ask the same at once one works, the others wait for it.
        self.kept.get_or_insert_with(&name, || Ok(Arc::new(asked.portion(large, HITS_KEPT)?)))
    }
}

/// One query on its way through the segments.
struct Asked<'a> {
    searcher: &'a Searcher,
    sheets: &'a Sheets,
    weight: &'a dyn Weight,
    wanted: &'a Wanted<'a>,
}

impl Asked<'_> {
    /// Asks some segments for their total, so many hits, and their counts.
    fn portion(&self, ords: &[usize], most: usize) -> tantivy::Result<Portion> {
        let mut portion = Portion::default();
        if ords.is_empty() {
            return Ok(portion);
        }
        let mut counts =
            if self.wanted.counts { vec![0; self.sheets.values.count()] } else { Vec::new() };
        let mut found: Vec<DocId> = Vec::new();
        for (at, &ord) in ords.iter().enumerate() {
            let segment = self.searcher.segment_reader(ord as u32);
            let sheet = self.sheets.of(segment)?;
            // A sheet that was just made may know values that the counters have no room for.
            if self.wanted.counts {
                counts.resize(self.sheets.values.count().max(counts.len()), 0);
            }
            found.clear();
            let best = ask(segment, &sheet, self.weight, self.wanted, most, &mut found)?;
            portion.total += found.len() as u64;
            portion.hits.extend(best.into_iter().map(|(place, doc)| (place, at, doc)));
            if self.wanted.counts {
                sheet.count(&found, &mut counts);
            }
        }
        portion.hits.sort_unstable_by(|a, b| compare(a.0, b.0));
        portion.hits.truncate(most);
        portion.counts = (0..).zip(counts).filter(|(_, count)| *count > 0).collect();
        Ok(portion)
    }
}

fn compare(a: Place, b: Place) -> std::cmp::Ordering {
    b.key.cmp(&a.key).then(a.order.cmp(&b.order))
}

/// Asks one segment: finds all that matches, and the best of it.
fn ask(
    segment: &SegmentReader,
    sheet: &Sheet,
    weight: &dyn Weight,
    wanted: &Wanted<'_>,
    most: usize,
    found: &mut Vec<DocId>,
) -> tantivy::Result<Vec<(Place, DocId)>> {
    let mut best = Best::new(sheet, wanted.after, most);
    let alive = segment.alive_bitset();
    let lives = |doc: DocId| alive.is_none_or(|alive| alive.is_alive(doc));
    if wanted.sort == Sort::Relevance {
        weight.for_each(segment, &mut |doc, score| {
            if lives(doc) {
                found.push(doc);
                best.offer(u64::from(score.to_bits()), doc);
            }
        })?;
    } else {
        let key = sort_key(segment, wanted.sort)?;
        weight.for_each_no_score(segment, &mut |docs| {
            for &doc in docs.iter().filter(|&&doc| lives(doc)) {
                found.push(doc);
                best.offer(key(doc), doc);
            }
        })?;
    }
    Ok(best.finish())
}

/// How documents are sorted when not by score.
fn sort_key(segment: &SegmentReader, sort: Sort) -> tantivy::Result<Box<dyn Fn(DocId) -> u64>> {
    let columns = segment.fast_fields();
    Ok(match sort {
        Sort::Relevance => Box::new(|_| 0),
        Sort::Added => {
            let registered = columns.i64(REGISTERED)?;
            // Moved so that what was before 1970 sorts before what was after.
            Box::new(move |doc| {
                registered.first(doc).unwrap_or(i64::MIN).wrapping_sub(i64::MIN) as u64
            })
        }
        Sort::Newest => {
            let from = columns.u64(FROM)?;
            Box::new(move |doc| from.first(doc).unwrap_or(0))
        }
        Sort::Oldest => {
            let from = columns.u64(FROM)?;
            Box::new(move |doc| from.first(doc).map_or(0, |day| u64::MAX - day))
        }
    })
}

/// The best hits so far: a list that is cut down whenever it has grown to twice what is wanted.
struct Best<'a> {
    sheet: &'a Sheet,
    after: Option<Place>,
    most: usize,
    hits: Vec<(Place, DocId)>,
    /// The last of the list when it was cut: what stands behind it is of no use.
    last: Option<Place>,
}

impl<'a> Best<'a> {
    fn new(sheet: &'a Sheet, after: Option<Place>, most: usize) -> Self {
        Self { sheet, after, most, hits: Vec::new(), last: None }
    }

    fn offer(&mut self, key: u64, doc: DocId) {
        if self.last.is_some_and(|last| key < last.key) {
            return;
        }
        let place = Place { key, order: self.sheet.order(doc) };
        if self.last.is_some_and(|last| last.before(place))
            || self.after.is_some_and(|after| !after.before(place))
        {
            return;
        }
        self.hits.push((place, doc));
        if self.hits.len() >= 2 * self.most.max(64) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if self.hits.len() <= self.most {
            return;
        }
        self.hits.select_nth_unstable_by(self.most, |a, b| compare(a.0, b.0));
        self.hits.truncate(self.most);
        self.last = self.hits.iter().map(|hit| hit.0).max_by(|&a, &b| compare(a, b));
    }

    fn finish(mut self) -> Vec<(Place, DocId)> {
        self.cut();
        self.hits.sort_unstable_by(|a, b| compare(a.0, b.0));
        self.hits
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_higher_key_stands_first_and_equals_by_order() {
        let place = |key, order| Place { key, order };
        assert!(place(2, 9).before(place(1, 0)));
        assert!(place(2, 0).before(place(2, 1)));
        assert!(!place(2, 1).before(place(2, 1)));
        assert!(!place(1, 0).before(place(2, 9)));
    }

    proptest! {
        #[test]
        fn the_best_of_many_are_those_of_a_full_sort(
            keys in proptest::collection::vec(0_u64..9, 0..600),
            most in 0_usize..80,
            after in proptest::option::of((0_u64..9, 0_u64..600)),
        ) {
            let after = after.map(|(key, order)| Place { key, order });
            // Orders are those of the documents, backwards.
            let order: Vec<u64> = (0..keys.len() as u64).rev().collect();
            let sheet = Sheet::of_order(order.clone());
            let mut best = Best::new(&sheet, after, most);
            for (doc, &key) in (0..).zip(&keys) {
                best.offer(key, doc);
            }
            let mut all: Vec<(Place, DocId)> = (0..)
                .zip(keys.iter().zip(order))
                .map(|(doc, (&key, order))| (Place { key, order }, doc))
                .filter(|(place, _)| after.is_none_or(|after| after.before(*place)))
                .collect();
            all.sort_by(|a, b| compare(a.0, b.0));
            all.truncate(most);
            prop_assert_eq!(best.finish(), all);
        }
    }
}
