//! Claims: a label as the words it can be found by, and how near each word is to it.
//!
//! "turtle" finds a loggerhead because the loggerhead's claim is indexed under its own name,
//! its synonyms, and every broader term with that term's synonyms. One index term stands for
//! one whole name (`sea turtle`). A name's single words count only where they qualify it
//! (`baseball` of `baseball bat`): the noun itself comes from the vocabulary, so that a hot
//! dog is not a dog.
//!
//! Each term carries a [`Weight`] that says how sure the claim is and how near the term, so
//! that a query can ask for any minimum confidence and rank by both. All confidences are
//! indexed; minimums belong to queries.

use std::collections::HashMap;
use std::sync::Arc;

use glassplate_pipeline::label::{LabelKind, Synset};
use glassplate_pipeline::ports::Vocabulary;
use glassplate_pipeline::record::LabelState;
use quick_cache::Equivalent;
use quick_cache::sync::Cache;

use crate::summary::{KeptLabel, Text};
use crate::words::{self, Purpose};

/// Broader terms that say nothing: every picture would have them. Their synonyms go with them.
///
/// They are the upper WordNet 3.0 synsets down to the first that anyone would ask for.
const TOO_BROAD: [&str; 16] = [
    "abstract entity",
    "abstraction",
    "artefact",
    "artifact",
    "causal agent",
    "entity",
    "instrumentality",
    "living thing",
    "matter",
    "object",
    "organism",
    "physical entity",
    "physical object",
    "thing",
    "unit",
    "whole",
];

/// How a term relates to the label it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Relation {
    /// The label's own whole name.
    Own,
    /// Another name of the same synset.
    Synonym,
    /// A broader term, so many steps up; from 1.
    Broader(u8),
    /// A word that qualifies the name.
    Part,
}

impl Relation {
    const FARTHEST: u8 = 13;

    /// How near the term is, 0 to 1: a constant loss a step keeps near terms before far ones.
    pub(crate) fn nearness(self) -> f32 {
        match self {
            Self::Own => 1.0,
            Self::Synonym => 0.9,
            Self::Broader(steps) => (0.9 - 0.05 * f32::from(steps)).max(0.35),
            Self::Part => 0.3,
        }
    }

    fn code(self) -> u32 {
        match self {
            Self::Own => 0,
            Self::Synonym => 1,
            Self::Broader(steps) => 1 + u32::from(steps.clamp(1, Self::FARTHEST)),
            Self::Part => 15,
        }
    }

    fn from_code(code: u32) -> Self {
        match code & 15 {
            0 => Self::Own,
            1 => Self::Synonym,
            15 => Self::Part,
            steps => Self::Broader(u8::try_from(steps - 1).expect("four bits fit a byte")),
        }
    }
}

/// What a posting says of a claim, packed into 17 bits.
///
/// From the lowest bit: relation (4), kind (2), ruled by a person (1), confidence in
/// thousandths (10). tantivy keeps it where it keeps a word's position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Weight(pub(crate) u32);

impl Weight {
    pub(crate) fn new(
        relation: Relation,
        kind: LabelKind,
        state: LabelState,
        confidence: f32,
    ) -> Self {
        let ruled = matches!(state, LabelState::Approved | LabelState::Added);
        let kind = match kind {
            LabelKind::Object => 0,
            LabelKind::Scene => 1,
            LabelKind::Concept => 2,
        };
        // The cast saturates, and the clamp keeps it within ten bits.
        let thousandths = (confidence.clamp(0.0, 1.0) * 1000.0).round() as u32;
        Self(relation.code() | kind << 4 | u32::from(ruled) << 6 | thousandths << 7)
    }

    pub(crate) fn relation(self) -> Relation {
        Relation::from_code(self.0)
    }

    pub(crate) fn kind(self) -> LabelKind {
        match self.0 >> 4 & 3 {
            0 => LabelKind::Object,
            1 => LabelKind::Scene,
            _ => LabelKind::Concept,
        }
    }

    /// Whether a person approved or added it.
    pub(crate) fn ruled(self) -> bool {
        self.0 >> 6 & 1 == 1
    }

    /// The claim's confidence, in thousandths.
    pub(crate) fn thousandths(self) -> u32 {
        self.0 >> 7
    }
}

/// The words of labels, worked out once a synset.
pub(crate) struct Claims {
    vocabulary: Arc<dyn Vocabulary>,
    known: Cache<Named, Terms>,
}

/// A label's terms, nearest first, each once.
pub(crate) type Terms = Arc<[(String, Relation)]>;

/// How many labels' words are kept; a vocabulary of labels is smaller, a hostile one is not.
const MOST_KNOWN: usize = 20_000;

/// What a label's words follow from.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Named(String, Option<String>);

/// The same, borrowed.
#[derive(Hash)]
struct Called<'a>(&'a str, Option<&'a str>);

impl Equivalent<Named> for Called<'_> {
    fn equivalent(&self, named: &Named) -> bool {
        self.0 == named.0 && self.1 == named.1.as_deref()
    }
}

impl Claims {
    pub(crate) fn new(vocabulary: Arc<dyn Vocabulary>) -> Self {
        Self { vocabulary, known: Cache::new(MOST_KNOWN) }
    }

    /// Whether the vocabulary tells the broader terms of a synset.
    pub(crate) fn knows(&self, synset: Option<&Synset>) -> bool {
        synset.is_some_and(|synset| !self.vocabulary.ancestors(synset).is_empty())
    }

    /// Tells every term that a label is found by.
    pub(crate) fn terms(&self, label: &KeptLabel<'_>) -> Terms {
        if !label.parents.is_empty() {
            return self.work_out(label);
        }
        let called = Called(&label.name, label.wordnet.as_deref());
        if let Some(terms) = self.known.get(&called) {
            return terms;
        }
        let terms = self.work_out(label);
        let named = Named(called.0.to_owned(), called.1.map(str::to_owned));
        self.known.insert(named, terms.clone());
        terms
    }

    fn work_out(&self, label: &KeptLabel<'_>) -> Terms {
        let mut nearest: HashMap<String, Relation> = HashMap::new();
        let mut add = |name: &str, relation: Relation| {
            let term = words::joined(name);
            if !term.is_empty() {
                let held = nearest.entry(term).or_insert(relation);
                *held = relation.min(*held);
            }
        };
        add(&label.name, Relation::Own);
        let synset = label.wordnet.as_deref().and_then(Synset::parse);
        let (synonyms, known) = match &synset {
            Some(synset) => (self.vocabulary.synonyms(synset), true),
            None => (self.vocabulary.other_names(label.kind, &label.name), false),
        };
        for synonym in &synonyms {
            add(synonym, Relation::Synonym);
        }
        for (name, steps, synonyms) in self.ancestors(synset.as_ref(), &label.parents) {
            for name in synonyms.iter().chain([&name]) {
                add(name, Relation::Broader(steps));
            }
        }
        for name in synonyms.iter().map(String::as_str).chain([&*label.name]) {
            let tokens = words::tokens(name, Purpose::Query);
            // Where no vocabulary knows the label, nothing else can tell its noun.
            let count = if known && !synonyms.is_empty() {
                tokens.len().saturating_sub(1)
            } else {
                tokens.len()
            };
            for token in tokens.iter().take(count) {
                add(&token.text, Relation::Part);
            }
        }
        let mut terms: Vec<_> = nearest.into_iter().collect();
        terms.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
        terms.into()
    }

    /// Lists a label's broader terms with how many steps up they are and their synonyms.
    fn ancestors(
        &self,
        synset: Option<&Synset>,
        parents: &[Text<'_>],
    ) -> Vec<(String, u8, Vec<String>)> {
        let known = synset.map(|synset| self.vocabulary.ancestors(synset)).unwrap_or_default();
        let all: Vec<(String, Vec<String>)> = if known.is_empty() {
            parents.iter().map(|name| (name.to_string(), Vec::new())).collect()
        } else {
            known.into_iter().map(|(s, name)| (name, self.vocabulary.synonyms(&s))).collect()
        };
        all.into_iter()
            .zip(1_u8..=u8::MAX)
            .filter(|((name, _), _)| !TOO_BROAD.contains(&name.as_str()))
            .map(|((name, synonyms), steps)| (name, steps.min(Relation::FARTHEST), synonyms))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{SmallVocabulary, label};

    fn relation(claim: &KeptLabel<'_>, term: &str) -> Option<Relation> {
        let claims = Claims::new(Arc::new(SmallVocabulary));
        let terms = claims.terms(claim);
        terms.iter().find(|(t, _)| t == term).map(|&(_, relation)| relation)
    }

    #[test]
    fn a_label_is_found_by_its_name_synonyms_and_broader_terms() {
        let loggerhead = label("loggerhead", 0.93);
        assert_eq!(relation(&loggerhead, "loggerhead"), Some(Relation::Own));
        assert_eq!(relation(&loggerhead, "loggerhead turtle"), Some(Relation::Synonym));
        assert_eq!(relation(&loggerhead, "turtle"), Some(Relation::Broader(2)));
        assert_eq!(relation(&loggerhead, "beast"), Some(Relation::Broader(3)));
        assert_eq!(relation(&loggerhead, "entity"), None);
    }

    #[test]
    fn a_word_of_a_name_counts_only_where_it_qualifies() {
        assert_eq!(relation(&label("baseball bat", 0.9), "baseball"), Some(Relation::Part));
        assert_eq!(relation(&label("hot dog", 0.9), "dog"), None, "a hot dog is no dog");
        let unknown = KeptLabel { wordnet: None, ..label("paper boat", 0.9) };
        assert_eq!(relation(&unknown, "boat"), Some(Relation::Part));
    }

    #[test]
    fn a_weight_keeps_what_it_was_made_of() {
        for relation in [
            Relation::Own,
            Relation::Synonym,
            Relation::Broader(1),
            Relation::Broader(13),
            Relation::Part,
        ] {
            let weight = Weight::new(relation, LabelKind::Scene, LabelState::Approved, 0.9);
            assert_eq!(weight.relation(), relation);
            assert_eq!((weight.kind(), weight.ruled()), (LabelKind::Scene, true));
            assert_eq!(weight.thousandths(), 900);
        }
        let odd = Weight::new(Relation::Own, LabelKind::Object, LabelState::Proposed, f32::NAN);
        assert_eq!((odd.thousandths(), odd.ruled()), (0, false));
        assert!(Relation::Broader(13).nearness() > Relation::Part.nearness());
    }
}
