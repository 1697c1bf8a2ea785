//! Sheets: what of each segment is held in memory, so that counting facets reads no disk.
//!
//! tantivy keeps exact values in columns that are packed by bits; unpacking twelve values of
//! each of half a million hits is what makes facets slow. A sheet holds them unpacked, as
//! small numbers of its segment; what is counted of each goes to an array that is the same for all
//! segments. A sheet is made once a segment, before the first search sees the segment: at a
//! million records that is some 36 MB in all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use glassplate_pipeline::asset::Tenant;
use tantivy::index::SegmentId;
use tantivy::{DocId, Searcher, SearcherGeneration, SegmentReader, Warmer};

use crate::ask::Facet;
use crate::likeness::Likeness;
use crate::schema::{BETWEEN, FACTS, ORDER};
use crate::words;

/// The number of one value of one facet of one tenant.
pub(crate) type ValueId = u32;

/// What of one segment is held in memory.
pub(crate) struct Sheet {
    /// Where each document's values begin; one more than there are documents.
    begins: Vec<u32>,
    /// Numbers of `known`.
    values: Numbers,
    /// What the numbers of this segment mean in all segments.
    known: Vec<ValueId>,
    /// How many of all documents, deleted ones too, have each value that is known here.
    totals: Vec<u32>,
    /// The order of equals, see [`crate::schema`].
    order: Vec<u64>,
    /// Where networks put the pictures.
    pub(crate) likeness: Likeness,
}

/// Numbers of one segment, nearly always few enough for half the room: what is counted is read from
/// all over memory, and more of it stays near the processor.
enum Numbers {
    Short(Vec<u16>),
    Long(Vec<u32>),
}

impl Sheet {
    /// Adds up the values of documents that are told in ascending order.
    ///
    /// Of more than half of the segment it is quicker to count the others, and take them away.
    pub(crate) fn count(&self, docs: &[DocId], counts: &mut [u32]) {
        let here = if docs.len() <= self.order.len() / 2 {
            self.tally(docs.iter().copied())
        } else {
            let mut found = docs.iter().copied().peekable();
            let others =
                (0..self.order.len() as DocId).filter(|doc| found.next_if_eq(doc).is_none());
            let mut here = self.tally(others);
            here.iter_mut().zip(&self.totals).for_each(|(count, total)| *count = total - *count);
            here
        };
        for (&value, count) in self.known.iter().zip(here) {
            counts[value as usize] += count;
        }
    }

    /// How many of some documents have each value that is known here.
    fn tally(&self, docs: impl Iterator<Item = DocId>) -> Vec<u32> {
        match &self.values {
            Numbers::Short(values) => tally(&self.begins, values, self.known.len(), docs),
            Numbers::Long(values) => tally(&self.begins, values, self.known.len(), docs),
        }
    }

    /// The document's place among equals.
    pub(crate) fn order(&self, doc: DocId) -> u64 {
        self.order[doc as usize]
    }

    /// A sheet without values, for trying out orders.
    #[cfg(test)]
    pub(crate) fn of_order(order: Vec<u64>) -> Self {
        let (begins, likeness) = (vec![0; order.len() + 1], Likeness::default());
        Self { order, ..Self::of(begins, Vec::new(), Vec::new(), likeness) }
    }

    fn of(begins: Vec<u32>, values: Vec<u32>, known: Vec<ValueId>, likeness: Likeness) -> Self {
        let mut totals = vec![0; known.len()];
        values.iter().for_each(|&value| totals[value as usize] += 1);
        let values = if u16::try_from(known.len()).is_ok() {
            Numbers::Short(values.into_iter().map(|value| value as u16).collect())
        } else {
            Numbers::Long(values)
        };
        Self { begins, values, known, totals, order: Vec::new(), likeness }
    }

    fn read(segment: &SegmentReader, values: &Values) -> tantivy::Result<Self> {
        let count = segment.max_doc() as usize;
        let mut order = vec![0; count];
        segment.fast_fields().u64(ORDER)?.values.get_range(0, &mut order);
        let likeness = Likeness::read(segment)?;
        let Some(facts) = segment.fast_fields().str(FACTS)? else {
            let sheet = Self::of(vec![0; count + 1], Vec::new(), Vec::new(), likeness);
            return Ok(Self { order, ..sheet });
        };
        let mut known = Vec::new();
        let mut here: Vec<Option<u32>> = Vec::with_capacity(facts.num_terms());
        let mut terms = facts.dictionary().stream()?;
        while let Some((term, _)) = terms.next() {
            let id = std::str::from_utf8(term).ok().and_then(|term| values.id(term));
            here.push(id.map(|id| {
                known.push(id);
                known.len() as u32 - 1
            }));
        }
        let mut begins = Vec::with_capacity(count + 1);
        let mut numbers = Vec::new();
        for doc in 0..segment.max_doc() {
            begins.push(numbers.len() as u32);
            let of_doc = facts.term_ords(doc).filter_map(|ord| here.get(ord as usize).copied()?);
            numbers.extend(of_doc);
        }
        begins.push(numbers.len() as u32);
        Ok(Self { order, ..Self::of(begins, numbers, known, likeness) })
    }
}

/// How many documents are looked at together.
const TOGETHER: usize = 64;

/// Counts the numbers of some documents, of which there are so many.
///
/// What documents have lies apart in memory, and waiting for it takes most of the time: so
/// the ends of many are fetched at once before they are counted. They are counted by turns into
/// two tables: what all documents have is then not added to twice in a row, which would wait for
/// itself.
fn tally<N: Copy + Into<u32>>(
    begins: &[u32],
    values: &[N],
    known: usize,
    mut docs: impl Iterator<Item = DocId>,
) -> Vec<u32> {
    let mut tables = [vec![0_u32; known], vec![0_u32; known]];
    let mut spans = Vec::with_capacity(TOGETHER);
    loop {
        let span = |doc: DocId| (begins[doc as usize] as usize, begins[doc as usize + 1] as usize);
        spans.clear();
        spans.extend(docs.by_ref().take(TOGETHER).map(span));
        if spans.is_empty() {
            break;
        }
        let at = |place: usize| values.get(place).map_or(0, |&value| value.into());
        let ends = |&(from, to): &(usize, usize)| at(from) ^ at(to.saturating_sub(1));
        std::hint::black_box(spans.iter().fold(0, |sum, span| sum ^ ends(span)));
        for &(from, to) in &spans {
            let [table, other] = &mut tables;
            values[from..to].iter().for_each(|&value| table[value.into() as usize] += 1);
            std::mem::swap(table, other);
        }
    }
    let [mut sum, other] = tables;
    sum.iter_mut().zip(other).for_each(|(sum, other)| *sum += other);
    sum
}

/// The values of all facets, numbered.
#[derive(Default)]
pub(crate) struct Values {
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    ids: HashMap<String, ValueId>,
    names: Vec<Arc<Value>>,
    of: HashMap<(String, Facet), Vec<ValueId>>,
}

/// One value of one facet.
pub(crate) struct Value {
    pub(crate) name: String,
    /// The name as words are compared.
    pub(crate) folded: String,
}

impl Values {
    /// Numbers a term of a fact; nothing when the fact is no facet's.
    fn id(&self, term: &str) -> Option<ValueId> {
        let mut parts = term.splitn(3, BETWEEN);
        let (tenant, facet, name) = (parts.next()?, parts.next()?, parts.next()?);
        let facet = facet.parse::<Facet>().ok()?;
        if let Some(&id) = self.read().ids.get(term) {
            return Some(id);
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let Known { ids, names, of } = &mut *known;
        let id = *ids.entry(term.to_owned()).or_insert_with(|| {
            let id = ValueId::try_from(names.len()).expect("fewer values than documents");
            let value = Value { name: name.to_owned(), folded: words::fold(name) };
            names.push(Arc::new(value));
            of.entry((tenant.to_owned(), facet)).or_default().push(id);
            id
        });
        Some(id)
    }

    /// How many values there are.
    pub(crate) fn count(&self) -> usize {
        self.read().names.len()
    }

    /// The values of a tenant's facet that were counted, with their counts.
    pub(crate) fn counted(
        &self,
        tenant: &Tenant,
        facet: Facet,
        counts: &[u32],
    ) -> Vec<(Arc<Value>, u64)> {
        let known = self.read();
        let Some(ids) = known.of.get(&(tenant.as_str().to_owned(), facet)) else {
            return Vec::new();
        };
        let of = |id: &ValueId| counts.get(*id as usize).copied().unwrap_or_default();
        ids.iter()
            .filter(|id| of(id) > 0)
            .map(|id| (known.names[*id as usize].clone(), u64::from(of(id))))
            .collect()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sheets of a generation's segments.
#[derive(Default)]
pub(crate) struct Sheets {
    pub(crate) values: Values,
    held: Mutex<HashMap<SegmentId, Arc<Sheet>>>,
}

impl Sheets {
    /// The sheet of a segment, made now if it was not before.
    pub(crate) fn of(&self, segment: &SegmentReader) -> tantivy::Result<Arc<Sheet>> {
        let held = || self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sheet) = held().get(&segment.segment_id()) {
            return Ok(sheet.clone());
        }
        let sheet = Arc::new(Sheet::read(segment, &self.values)?);
        held().insert(segment.segment_id(), sheet.clone());
        Ok(sheet)
    }
}

impl Warmer for Sheets {
    fn warm(&self, searcher: &Searcher) -> tantivy::Result<()> {
        searcher.segment_readers().iter().try_for_each(|segment| self.of(segment).map(drop))
    }

    fn garbage_collect(&self, live: &[&SearcherGeneration]) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|id, _| live.iter().any(|generation| generation.segments().contains_key(id)));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn counting_the_others_comes_to_the_same(
            docs in proptest::collection::vec(
                (proptest::collection::vec(0_u32..5, 0..4), any::<bool>()), 0..40,
            ),
            long in any::<bool>(),
        ) {
            let (mut begins, mut numbers) = (Vec::new(), Vec::new());
            let mut expected = [0_u32; 5];
            for (values, found) in &docs {
                begins.push(numbers.len() as u32);
                numbers.extend(values);
                values.iter().for_each(|&value| expected[4 - value as usize] += u32::from(*found));
            }
            begins.push(numbers.len() as u32);
            // As many more as no small number can tell apart.
            let known = (0..if long { 70_000 } else { 5 }).map(|n| if n < 5 { 4 - n } else { n });
            let sheet = Sheet {
                order: vec![0; docs.len()],
                ..Sheet::of(begins, numbers, known.collect(), Likeness::default())
            };
            let found: Vec<DocId> =
                (0..).zip(&docs).filter(|(_, (_, found))| *found).map(|(doc, _)| doc).collect();
            let mut counts = vec![0; sheet.known.len()];
            sheet.count(&found, &mut counts);
            prop_assert_eq!(&counts[..5], expected);
            prop_assert!(counts[5..].iter().all(|&count| count == 0));
        }
    }
}
