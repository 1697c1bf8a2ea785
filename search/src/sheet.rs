//! Sheets: what of each segment is held in memory, so that counting facets reads no disk.
//!
//! tantivy keeps exact values in columns that are packed by bits; unpacking twelve values of
//! each of half a million hits is what makes facets slow. A sheet holds them unpacked, as
//! numbers that mean the same in all segments, so that one array of counters serves a whole
//! search. A sheet is made once a segment, before the first search sees the segment: at a
//! million records that is some 60 MB in all.

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
    values: Vec<ValueId>,
    /// How many of all documents, deleted ones too, have each value.
    totals: Vec<(ValueId, u32)>,
    /// The order of equals, see [`crate::schema`].
    order: Vec<u64>,
    /// Where networks put the pictures.
    pub(crate) likeness: Likeness,
}

impl Sheet {
    /// The facets' values of a document.
    pub(crate) fn values(&self, doc: DocId) -> &[ValueId] {
        let doc = doc as usize;
        &self.values[self.begins[doc] as usize..self.begins[doc + 1] as usize]
    }

    /// Adds up the values of documents that are told in ascending order.
    ///
    /// Of more than half of the segment it is quicker to count the others, and take them away.
    pub(crate) fn count(&self, docs: &[DocId], counts: &mut [u32]) {
        if docs.len() <= self.order.len() / 2 {
            docs.iter().for_each(|&doc| self.add(doc, counts, 1));
            return;
        }
        self.totals.iter().for_each(|&(value, total)| counts[value as usize] += total);
        let mut next = 0;
        for &doc in docs {
            (next..doc).for_each(|other| self.add(other, counts, u32::MAX));
            next = doc + 1;
        }
        (next..self.order.len() as DocId).for_each(|other| self.add(other, counts, u32::MAX));
    }

    /// Adds to the count of each value of a document; the greatest number takes one away.
    fn add(&self, doc: DocId, counts: &mut [u32], number: u32) {
        for &value in self.values(doc) {
            let count = &mut counts[value as usize];
            *count = count.wrapping_add(number);
        }
    }

    /// The document's place among equals.
    pub(crate) fn order(&self, doc: DocId) -> u64 {
        self.order[doc as usize]
    }

    /// A sheet without values, for trying out orders.
    #[cfg(test)]
    pub(crate) fn of_order(order: Vec<u64>) -> Self {
        let likeness = Likeness::default();
        let begins = vec![0; order.len() + 1];
        Self { begins, values: Vec::new(), totals: Vec::new(), order, likeness }
    }

    fn read(segment: &SegmentReader, values: &Values) -> tantivy::Result<Self> {
        let count = segment.max_doc() as usize;
        let mut sheet = Self {
            begins: Vec::with_capacity(count + 1),
            values: Vec::new(),
            totals: Vec::new(),
            order: vec![0; count],
            likeness: Likeness::read(segment)?,
        };
        segment.fast_fields().u64(ORDER)?.values.get_range(0, &mut sheet.order);
        let Some(facts) = segment.fast_fields().str(FACTS)? else {
            sheet.begins.resize(count + 1, 0);
            return Ok(sheet);
        };
        let mut ids: Vec<Option<ValueId>> = Vec::with_capacity(facts.num_terms());
        let mut terms = facts.dictionary().stream()?;
        while let Some((term, _)) = terms.next() {
            ids.push(std::str::from_utf8(term).ok().and_then(|term| values.id(term)));
        }
        for doc in 0..segment.max_doc() {
            sheet.begins.push(sheet.values.len() as u32);
            let of_doc = facts.term_ords(doc).filter_map(|ord| ids.get(ord as usize).copied()?);
            sheet.values.extend(of_doc);
        }
        sheet.begins.push(sheet.values.len() as u32);
        sheet.values.shrink_to_fit();
        sheet.totals = totals(&sheet.values);
        Ok(sheet)
    }
}

fn totals(values: &[ValueId]) -> Vec<(ValueId, u32)> {
    let mut totals = vec![0; values.iter().max().map_or(0, |&most| most as usize + 1)];
    values.iter().for_each(|&value| totals[value as usize] += 1);
    (0..).zip(totals).filter(|&(_, total)| total > 0).collect()
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
        ) {
            let mut sheet = Sheet::of_order(vec![0; docs.len()]);
            sheet.begins.clear();
            let mut expected = [0_u32; 5];
            for (values, found) in &docs {
                sheet.begins.push(sheet.values.len() as u32);
                sheet.values.extend(values);
                values.iter().for_each(|&value| expected[value as usize] += u32::from(*found));
            }
            sheet.begins.push(sheet.values.len() as u32);
            sheet.totals = totals(&sheet.values);
            let found: Vec<DocId> =
                (0..).zip(&docs).filter(|(_, (_, found))| *found).map(|(doc, _)| doc).collect();
            let mut counts = [0; 5];
            sheet.count(&found, &mut counts);
            prop_assert_eq!(counts, expected);
        }
    }
}
