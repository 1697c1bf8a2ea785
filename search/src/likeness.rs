//! What is alike: the embeddings as the index keeps them, and the pictures nearest to one.
//!
//! tantivy has no vectors, but columns of numbers that are read one by one in nanoseconds: an
//! embedding is seventeen of them. The scan over all of a segment goes through memory, see
//! [`crate::like`].

use std::collections::HashMap;

use glassplate_pipeline::asset::{AssetId, Tenant};
use glassplate_pipeline::embedding::{DIMENSIONS, Embedding};
use glassplate_pipeline::fault::Fault;
use sha2::{Digest as _, Sha256};
use tantivy::query::{EnableScoring, Query as _, TermQuery};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocAddress, DocId, Searcher, SegmentReader};

use crate::ask::MOST_HITS;
use crate::document::Builder;
use crate::generation::Generation;
use crate::like::Neighbours;
use crate::schema::EMBEDDING;
use crate::search::{Hit, guarded, hit, summary};
use crate::summary::Summary;

/// Bytes in one number of a column.
const EIGHT: usize = 8;
/// Pictures whose perceptual hashes differ in at most so many bits and that are this near are the
/// same one, saved anew: they are told last. Nearness alone does not tell: copies were as far as
/// 0.57, other pictures as near as 0.92.
const COPY_BITS: u32 = 6;
/// See [`COPY_BITS`].
const COPY_NEAR: f32 = 0.85;
/// How many more are looked at than asked for, since those of the family are left out.
const SPARE: usize = 16;

type Values = [i8; DIMENSIONS];

/// Writes an embedding as numbers: the space's first, then eight values each.
pub(crate) fn packed(embedding: &Embedding) -> Vec<u64> {
    let values = embedding.values.map(i8::cast_unsigned);
    let eights = values.chunks_exact(EIGHT);
    let eights = eights.map(|eight| u64::from_le_bytes(eight.try_into().expect("eight")));
    std::iter::once(space(embedding)).chain(eights).collect()
}

fn unpacked(numbers: impl Iterator<Item = u64>) -> Option<(u64, Values)> {
    let mut numbers = numbers;
    let space = numbers.next()?;
    let mut values = [0; DIMENSIONS];
    for eight in values.chunks_exact_mut(EIGHT) {
        let bytes = numbers.next()?.to_le_bytes();
        eight.copy_from_slice(&bytes.map(u8::cast_signed));
    }
    Some((space, values))
}

/// The number of a space.
fn space(embedding: &Embedding) -> u64 {
    let digest = Sha256::digest(embedding.space.as_str());
    u64::from_be_bytes(digest[..8].try_into().expect("eight"))
}

/// The embeddings of one segment, as far as they are held in memory.
#[derive(Debug, Default)]
pub(crate) struct Likeness {
    spaces: HashMap<u64, Neighbours>,
}

impl Likeness {
    pub(crate) fn read(segment: &SegmentReader) -> tantivy::Result<Self> {
        let column = segment.fast_fields().u64(EMBEDDING)?;
        let mut known: Vec<u64> = Vec::new();
        for doc in 0..segment.max_doc() {
            if let Some(space) = column.first(doc)
                && !known.contains(&space)
            {
                known.push(space);
            }
        }
        let of = |wanted: u64| {
            let embeddings = (0..segment.max_doc()).map(|doc| {
                let (space, values) = unpacked(column.values_for_doc(doc))?;
                (space == wanted).then_some(values)
            });
            (wanted, Neighbours::build(embeddings))
        };
        Ok(Self { spaces: known.into_iter().map(of).collect() })
    }
}

/// Finds the records whose pictures look most like one's, the likest first; not those of its
/// family, and copies last.
pub(crate) fn like(
    generation: &Generation,
    builder: &Builder,
    tenant: &Tenant,
    asset: &AssetId,
    limit: usize,
) -> Result<Option<Vec<Hit>>, Fault> {
    guarded("cannot find what is alike", || {
        let searcher = generation.reader.searcher();
        let Some(own) = address(&searcher, generation, tenant, asset)? else { return Ok(None) };
        let column = searcher.segment_reader(own.segment_ord).fast_fields().u64(EMBEDDING)?;
        let Some((space, values)) = unpacked(column.values_for_doc(own.doc_id)) else {
            return Ok(Some(Vec::new()));
        };
        let most = limit.min(MOST_HITS);
        let mut near: Vec<(f32, DocAddress)> = Vec::new();
        for (ord, segment) in (0..).zip(searcher.segment_readers()) {
            let sheet = generation.sheets.of(segment)?;
            let Some(neighbours) = sheet.likeness.spaces.get(&space) else { continue };
            let owned = Owned::of(segment, &searcher, generation, tenant)?;
            let column = segment.fast_fields().u64(EMBEDDING)?;
            let keep = |doc: DocId| {
                owned.has(doc) && !segment.is_deleted(doc) && DocAddress::new(ord, doc) != own
            };
            let whole = |doc| unpacked(column.values_for_doc(doc)).map(|(_, values)| values);
            let found = neighbours.nearest(&values, most, keep, whole);
            near.extend(found.into_iter().map(|(doc, cosine)| (cosine, DocAddress::new(ord, doc))));
        }
        near.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        near.truncate(most + SPARE);
        let own = searcher.doc(own)?;
        let own = summary(&own, generation)?;
        let (mut others, mut copies) = (Vec::new(), Vec::new());
        for (cosine, address) in near {
            let document = searcher.doc(address)?;
            let summary = summary(&document, generation)?;
            if summary.pixels.is_some() && summary.pixels == own.pixels {
                continue;
            }
            let copy = cosine > COPY_NEAR && bits_apart(&summary, &own) <= COPY_BITS;
            let list = if copy { &mut copies } else { &mut others };
            list.push(hit(&summary, cosine, Vec::new(), Vec::new(), &builder.bar)?);
        }
        others.extend(copies);
        others.truncate(most);
        Ok(Some(others))
    })
}

/// How many bits of two pictures' perceptual hashes differ.
fn bits_apart(a: &Summary<'_>, b: &Summary<'_>) -> u32 {
    match (a.phash, b.phash) {
        (Some(a), Some(b)) => (a ^ b).count_ones(),
        _ => u64::BITS,
    }
}

/// Which documents of a segment are a tenant's.
enum Owned {
    All,
    These(Vec<bool>),
}

impl Owned {
    fn of(
        segment: &SegmentReader,
        searcher: &Searcher,
        generation: &Generation,
        tenant: &Tenant,
    ) -> tantivy::Result<Self> {
        let term = generation.columns.tenant(tenant);
        if segment.inverted_index(term.field())?.doc_freq(&term)? == segment.max_doc() {
            return Ok(Self::All);
        }
        let mut owned = vec![false; segment.max_doc() as usize];
        let query = TermQuery::new(term, IndexRecordOption::Basic);
        let weight = query.weight(EnableScoring::disabled_from_searcher(searcher))?;
        weight.for_each_no_score(segment, &mut |docs| {
            docs.iter().for_each(|&doc| owned[doc as usize] = true);
        })?;
        Ok(Self::These(owned))
    }

    fn has(&self, doc: DocId) -> bool {
        match self {
            Self::All => true,
            Self::These(owned) => owned[doc as usize],
        }
    }
}

/// Finds the document of a tenant's asset.
fn address(
    searcher: &Searcher,
    generation: &Generation,
    tenant: &Tenant,
    asset: &AssetId,
) -> tantivy::Result<Option<DocAddress>> {
    let key = generation.columns.key(tenant, asset);
    let query = TermQuery::new(key, IndexRecordOption::Basic);
    let weight = query.weight(EnableScoring::disabled_from_searcher(searcher))?;
    for (ord, segment) in (0..).zip(searcher.segment_readers()) {
        let mut found = None;
        weight.for_each_no_score(segment, &mut |docs| {
            found = found.or(docs.iter().copied().find(|&doc| !segment.is_deleted(doc)));
        })?;
        if let Some(doc) = found {
            return Ok(Some(DocAddress::new(ord, doc)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use glassplate_pipeline::embedding::Space;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_embedding_is_read_as_it_was_written(seed in proptest::collection::vec(any::<i8>(), DIMENSIONS)) {
            let values: Values = seed.try_into().expect("as many");
            let embedding = Embedding { space: Space::named("lite"), values };
            let numbers = packed(&embedding);
            prop_assert_eq!(unpacked(numbers.into_iter()), Some((space(&embedding), values)));
        }
    }

    #[test]
    fn what_is_cut_short_is_no_embedding() {
        assert_eq!(unpacked([1, 2, 3].into_iter()), None);
    }
}
