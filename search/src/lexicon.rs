//! The lexicon: which words one tenant's records have, how a beginning goes on, what a word
//! that nobody has may have been meant to be.
//!
//! The index's own dictionaries are asked, in the stretch that begins with the tenant's name.
//! They also hold the words of records that were replaced and not merged away yet, so counts
//! here are near, never exact.

use std::collections::HashMap;

use glassplate_pipeline::asset::Tenant;
use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder};
use tantivy::Searcher;
use tantivy::schema::Field;
use tantivy_fst::Automaton;

use crate::schema::{BETWEEN, Columns, term};

/// Shorter words are not corrected: too many are one letter away.
const SHORTEST_CORRECTED: usize = 4;
/// From this length two letters may be wrong.
const LONG: usize = 8;
/// How many words of a dictionary a beginning is looked up among, so that one letter costs little.
const MOST_LOOKED_AT: usize = 20_000;

/// The words of one tenant.
#[derive(Clone, Copy)]
pub(crate) struct Lexicon<'a> {
    pub(crate) columns: &'a Columns,
    pub(crate) tenant: &'a Tenant,
    pub(crate) searcher: &'a Searcher,
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
        let distance = if length < LONG { 1 } else { 2 };
        let dfa = LevenshteinAutomatonBuilder::new(distance, true).build_dfa(word);
        let near = Near { before: term(self.tenant, ""), dfa };
        let mut counts: HashMap<String, u64> = HashMap::new();
        for segment in self.searcher.segment_readers() {
            let inverted = segment.inverted_index(self.columns.any)?;
            let mut words = inverted.terms().search(&near).into_stream()?;
            while let Some((word, info)) = words.next() {
                if let Ok(word) = std::str::from_utf8(&word[near.before.len()..])
                    && !word.contains(' ')
                {
                    count(&mut counts, word, info.doc_freq);
                }
            }
        }
        let first = word.chars().next();
        let key = |(candidate, count): &(String, u64)| {
            let away = near.dfa.eval(candidate).to_u8();
            (away, candidate.chars().next() != first, std::cmp::Reverse(*count))
        };
        let mut all: Vec<(String, u64)> = counts.into_iter().collect();
        all.sort();
        Ok(all.into_iter().min_by_key(key).map(|(word, _)| word))
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
