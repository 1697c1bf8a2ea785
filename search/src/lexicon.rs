//! The lexicon: which words one tenant's records have, how a beginning goes on, what a word
//! that nobody has may have been meant to be.
//!
//! The index's own dictionaries are asked, in the stretch that begins with the tenant's name.
//! They also hold the words of records that were replaced and not merged away yet, so counts
//! here are near, never exact.

use std::cell::LazyCell;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use glassplate_pipeline::asset::Tenant;
use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder};
use quick_cache::sync::Cache;
use tantivy::index::SegmentId;
use tantivy::schema::Field;
use tantivy::{Searcher, SegmentReader};
use tantivy_fst::Automaton;

use crate::collect::WORTH_KEEPING;
use crate::schema::{BETWEEN, Columns, term};

/// Shorter words are not corrected: too many are one letter away.
const SHORTEST_CORRECTED: usize = 4;
/// From this length two letters may be wrong.
const LONG: usize = 8;
/// How many words of a dictionary a beginning is looked up among, so that one letter costs little.
const MOST_LOOKED_AT: usize = 20_000;
/// Of how many words the neighbours in a segment are kept.
const NEIGHBOURS_KEPT: usize = 4_000;

/// What makes automata for words with one wrong letter; two swapped ones count as one.
static ONE_AWAY: LazyLock<LevenshteinAutomatonBuilder> =
    LazyLock::new(|| LevenshteinAutomatonBuilder::new(1, true));
/// The same for two wrong letters. Making it takes five milliseconds, as long as twenty searches.
static TWO_AWAY: LazyLock<LevenshteinAutomatonBuilder> =
    LazyLock::new(|| LevenshteinAutomatonBuilder::new(2, true));

/// The words of one tenant.
#[derive(Clone, Copy)]
pub(crate) struct Lexicon<'a> {
    pub(crate) columns: &'a Columns,
    pub(crate) tenant: &'a Tenant,
    pub(crate) searcher: &'a Searcher,
    pub(crate) neighbours: &'a Neighbours,
}

impl Lexicon<'_> {
    /// Tells whether any record has a word, or a label's whole name.
    pub(crate) fn known(&self, word: &str) -> tantivy::Result<bool> {
        for field in [self.columns.any, self.columns.claims] {
            if self.searcher.doc_freq(&self.columns.word(field, self.tenant, word))? > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Lists the words of a field that begin so, those first that most records have, each
    /// without what stands before the beginning.
    pub(crate) fn endings(
        &self,
        field: Field,
        before: &str,
        opening: &str,
        most: usize,
    ) -> tantivy::Result<Vec<String>> {
        Ok(self.counted(field, before, opening, most)?.into_iter().map(|(word, _)| word).collect())
    }

    /// As [`Self::endings`], with about how many records have each.
    pub(crate) fn counted(
        &self,
        field: Field,
        before: &str,
        opening: &str,
        most: usize,
    ) -> tantivy::Result<Vec<(String, u64)>> {
        let before = term(self.tenant, before);
        let start = format!("{before}{opening}");
        let mut counts: HashMap<String, u64> = HashMap::new();
        for segment in self.searcher.segment_readers() {
            let inverted = segment.inverted_index(field)?;
            let mut words = inverted.terms().range().ge(start.as_bytes()).into_stream()?;
            for _ in 0..MOST_LOOKED_AT {
                let Some((word, info)) = words.next() else { break };
                if !word.starts_with(start.as_bytes()) {
                    break;
                }
                let Ok(word) = std::str::from_utf8(&word[before.len()..]) else { continue };
                // Other parts behind, or a name of several words, are no ending of this one.
                if !word.contains([BETWEEN, ' ']) {
                    count(&mut counts, word, info.doc_freq);
                }
            }
        }
        Ok(most_frequent(counts, most))
    }

    /// Finds the word that one was most likely meant to be: the fewest letters away, of those
    /// with the same first letter, of those the one that most records have.
    pub(crate) fn nearest(&self, word: &str) -> tantivy::Result<Option<String>> {
        let length = word.chars().count();
        if length < SHORTEST_CORRECTED || word.chars().any(|c| !c.is_alphabetic()) {
            return Ok(None);
        }
        let near = LazyCell::new(|| {
            let builder = if length < LONG { &ONE_AWAY } else { &TWO_AWAY };
            Near { before: term(self.tenant, ""), dfa: builder.build_dfa(word) }
        });
        let mut found: HashMap<String, (u8, u64)> = HashMap::new();
        let name = term(self.tenant, word);
        for segment in self.searcher.segment_readers() {
            let look = || self.near(segment, &near);
            let list = match segment.max_doc() >= WORTH_KEEPING {
                true => {
                    let key = (segment.segment_id(), name.clone());
                    self.neighbours.kept.get_or_insert_with(&key, look)?
                }
                false => look()?,
            };
            for neighbour in list.iter() {
                let (_, records) =
                    found.entry(neighbour.word.clone()).or_insert((neighbour.away, 0));
                *records += u64::from(neighbour.records);
            }
        }
        let first = word.chars().next();
        let key = |(candidate, (away, records)): &(String, (u8, u64))| {
            (*away, candidate.chars().next() != first, Reverse(*records), candidate.clone())
        };
        Ok(found.into_iter().min_by_key(key).map(|(word, _)| word))
    }

    /// Lists the words of a segment near one.
    fn near(&self, segment: &SegmentReader, near: &Near) -> tantivy::Result<Arc<[Neighbour]>> {
        let inverted = segment.inverted_index(self.columns.any)?;
        let mut words = inverted.terms().search(near).into_stream()?;
        let mut list = Vec::new();
        while let Some((word, info)) = words.next() {
            let Ok(word) = std::str::from_utf8(&word[near.before.len()..]) else { continue };
            if !word.contains(' ') {
                let away = near.dfa.eval(word).to_u8();
                list.push(Neighbour { word: word.to_owned(), away, records: info.doc_freq });
            }
        }
        Ok(list.into())
    }
}

/// A word near one that nobody has.
struct Neighbour {
    word: String,
    /// How many letters away.
    away: u8,
    /// About how many records have it.
    records: u32,
}

/// The neighbours of the words that nobody has, of each large segment: going through a large
/// dictionary takes some milliseconds, and a vocabulary has broad words that no picture carries.
pub(crate) struct Neighbours {
    kept: Cache<(SegmentId, String), Arc<[Neighbour]>>,
}

impl Default for Neighbours {
    fn default() -> Self {
        Self { kept: Cache::new(NEIGHBOURS_KEPT) }
    }
}

fn count(counts: &mut HashMap<String, u64>, word: &str, records: u32) {
    match counts.get_mut(word) {
        Some(count) => *count += u64::from(records),
        None => {
            counts.insert(word.to_owned(), u64::from(records));
        }
    }
}

/// The most frequent first, equals by name.
pub(crate) fn most_frequent(counts: HashMap<String, u64>, most: usize) -> Vec<(String, u64)> {
    let mut all: Vec<(String, u64)> = counts.into_iter().collect();
    all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    all.truncate(most);
    all
}

/// Accepts the words near one, behind what every word of the tenant begins with.
struct Near {
    before: String,
    dfa: DFA,
}

/// How far [`Near`] has read.
#[derive(Clone, Copy)]
enum Read {
    /// So many bytes of what stands before.
    Before(usize),
    /// Into the word.
    Word(u32),
    /// Something else stood before.
    Astray,
}

impl Automaton for &Near {
    type State = Read;

    fn start(&self) -> Read {
        Read::Before(0)
    }

    fn is_match(&self, state: &Read) -> bool {
        matches!(state, Read::Word(state) if matches!(self.dfa.distance(*state), Distance::Exact(_)))
    }

    fn can_match(&self, state: &Read) -> bool {
        match state {
            Read::Before(_) => true,
            Read::Word(state) => *state != levenshtein_automata::SINK_STATE,
            Read::Astray => false,
        }
    }

    fn accept(&self, state: &Read, byte: u8) -> Read {
        match state {
            Read::Before(at) if self.before.as_bytes()[*at] == byte => {
                if at + 1 == self.before.len() {
                    Read::Word(self.dfa.initial_state())
                } else {
                    Read::Before(at + 1)
                }
            }
            Read::Word(state) => Read::Word(self.dfa.transition(*state, byte)),
            Read::Before(_) | Read::Astray => Read::Astray,
        }
    }
}
