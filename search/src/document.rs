//! The document: what of a record the index keeps, worked out without the index.
//!
//! [`Builder::document`] is pure: one record and one vocabulary always give one document.
//! Rejected labels are left out here, so nothing can find them.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use glassplate_pipeline::asset::{AssetId, Tenant};
use glassplate_pipeline::embedding::Embedding;
use glassplate_pipeline::field::Fields;
use glassplate_pipeline::label::LabelKind;
use glassplate_pipeline::ports::{Interpreter, Vocabulary};
use glassplate_pipeline::record::{Bar, LabelState, Record, RecordLabel};
use serde_json::Value;

use crate::claims::{Claims, Weight};
use crate::facts::{self, Fact, facts};
use crate::fields;
use crate::level::Level;
use crate::measures::{Measure, measures};
use crate::summary::{KeptLabel, KeptText, Summary};
use crate::words::{self, Purpose, Token};
use glassplate_pipeline::days::Days;

/// Tokens between two texts, so that no phrase is found across them.
const GAP: u32 = 10;
/// The most tokens of one kind in a document; a longer text is searchable in its beginning.
const MOST_TOKENS: usize = 20_000;
/// The most characters of one text kept to explain a find.
const MOST_KEPT: usize = 2_000;
/// The most texts, places and labels kept to show and explain a find.
const MOST_SHOWN: usize = 40;
/// The longest title made up from a caption, in characters.
const TITLE_LENGTH: usize = 120;

/// What of a record the index keeps.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Document {
    pub(crate) asset: AssetId,
    pub(crate) tenant: Tenant,
    /// When the asset was first registered, in microseconds since 1970.
    pub(crate) registered: i64,
    /// The days in which the picture may have been taken.
    pub(crate) days: Option<Days>,
    /// What was measured of the picture, in hundredths.
    pub(crate) measures: Vec<(Measure, u64)>,
    /// The original's length in bytes.
    pub(crate) bytes: u64,
    /// Every word of a plain query that finds it, at the best place where it stands.
    pub(crate) any: HashMap<String, Level>,
    /// Where a network puts it among others.
    pub(crate) embedding: Option<Embedding>,
    /// Exact values.
    pub(crate) facts: Vec<Fact>,
    /// The words that people wrote.
    pub(crate) text: Vec<Token>,
    /// The words of single fields, each behind its field's name: see [`named_term`].
    pub(crate) named: Vec<Token>,
    /// The words of paths and of what cameras and programs wrote.
    pub(crate) trace: Vec<Token>,
    /// The terms of labels, ordered by weight.
    pub(crate) claims: Vec<(String, Weight)>,
    /// What a hit shows.
    pub(crate) summary: Summary<'static>,
}

/// Makes documents with one vocabulary and one interpreter.
pub(crate) struct Builder {
    pub(crate) claims: Claims,
    pub(crate) interpreter: Arc<dyn Interpreter>,
    /// Which labels plain words find, and facets count.
    pub(crate) bar: Bar,
    fingerprint: String,
}

/// Writes the index term of a word in a named field.
pub(crate) fn named_term(field: &str, word: &str) -> String {
    format!("{field}\u{1f}{word}")
}

impl Builder {
    pub(crate) fn new(
        vocabulary: Arc<dyn Vocabulary>,
        interpreter: Arc<dyn Interpreter>,
        bar: Bar,
    ) -> Self {
        let Bar { objects, scenes, concepts } = bar;
        let fingerprint =
            format!("{} bar {objects} {scenes} {concepts}", interpreter.fingerprint());
        Self { claims: Claims::new(vocabulary), interpreter, bar, fingerprint }
    }

    /// Changes whenever the same record might give another document.
    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Makes the document of a record.
    pub(crate) fn document(&self, record: &Record) -> Document {
        let texts = texts(record);
        let labels = self.labels(record);
        let shown: Vec<&KeptLabel<'_>> = labels.iter().filter(|l| l.is_shown(&self.bar)).collect();
        let days = texts
            .iter()
            .filter(|text| date_field(&text.field))
            .find_map(|text| Days::read(&text.text));
        let facts = facts(record, &texts, &shown, days, &self.claims);
        let mut any = HashMap::new();
        for label in shown {
            for (term, relation) in self.claims.terms(label).iter() {
                let weight = Weight::new(*relation, label.kind, label.state, label.confidence);
                raise(&mut any, term, Level::claim(weight));
            }
        }
        let mut document = Document {
            asset: record.asset.clone(),
            tenant: record.tenant.clone(),
            registered: record.registered.as_microsecond(),
            days,
            measures: measures(record),
            bytes: record.bytes,
            embedding: record.embedding.clone(),
            any,
            facts,
            text: Vec::new(),
            named: Vec::new(),
            trace: Vec::new(),
            claims: self.claim_terms(&labels),
            summary: summary(record, &texts, labels),
        };
        for text in &texts {
            document.add_text(text);
        }
        document.add_places(record);
        document.level_words();
        document
    }

    fn labels(&self, record: &Record) -> Vec<KeptLabel<'static>> {
        let standing = record.labels.iter().filter(|label| label.state != LabelState::Rejected);
        standing.map(|label| self.found_label(label)).collect()
    }

    fn found_label(&self, label: &RecordLabel) -> KeptLabel<'static> {
        let known = self.claims.knows(label.wordnet.as_ref());
        KeptLabel {
            name: label.name.clone().into(),
            kind: label.kind,
            confidence: label.confidence,
            state: label.state,
            model: label.source.model.clone().into(),
            wordnet: label.wordnet.as_ref().map(|synset| synset.to_string().into()),
            parents: if known {
                Vec::new()
            } else {
                label.parents.iter().map(|parent| parent.clone().into()).collect()
            },
            doubtful: !label.doubts.is_empty() && label.state == LabelState::Proposed,
        }
    }

    fn claim_terms(&self, labels: &[KeptLabel<'_>]) -> Vec<(String, Weight)> {
        // What is in doubt is held back until a person has looked.
        let mut terms: Vec<(String, Weight)> = labels
            .iter()
            .filter(|label| !label.doubtful)
            .flat_map(|label| {
                let weight =
                    |relation| Weight::new(relation, label.kind, label.state, label.confidence);
                let terms = self.claims.terms(label);
                terms.iter().map(|(term, r)| (term.clone(), weight(*r))).collect::<Vec<_>>()
            })
            .collect();
        keep_what_counts(&mut terms);
        terms.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
        terms
    }
}

impl Document {
    /// Puts what was written among the words of plain queries.
    fn level_words(&mut self) {
        let mut repeated: HashMap<&str, usize> = HashMap::new();
        for token in &self.text {
            *repeated.entry(&token.text).or_default() += 1;
        }
        let words = self.text.len();
        for (word, times) in repeated {
            raise(&mut self.any, word, Level::text(times, words));
        }
        let title = named_term(fields::TITLE, "");
        for word in self.named.iter().filter_map(|token| token.text.strip_prefix(&title)) {
            raise(&mut self.any, word, Level::TITLE);
        }
        for token in &self.trace {
            raise(&mut self.any, &token.text, Level::TRACE);
        }
    }

    fn add_text(&mut self, text: &KeptText<'_>) {
        let tokens = words::tokens(&text.text, Purpose::Index);
        for field in fields::covering(&text.field) {
            append(&mut self.named, tokens.iter().cloned(), Some(field));
        }
        if !fields::technical(&text.field) {
            append(&mut self.text, tokens.into_iter(), None);
        } else if text.text.chars().any(char::is_alphabetic) {
            // A camera's name may be asked for; an aperture of 2 answers no plain word.
            append(&mut self.trace, tokens.into_iter(), None);
        }
    }

    fn add_places(&mut self, record: &Record) {
        let id = words::tokens(record.asset.as_str(), Purpose::Index);
        append(&mut self.trace, id.into_iter(), None);
        for place in &record.occurrences {
            let tokens = words::path_tokens(&place.source);
            append(&mut self.named, tokens.iter().cloned(), Some(fields::FILE));
            append(&mut self.trace, tokens.into_iter(), None);
        }
        for collection in &self.summary.collections {
            let tokens = words::tokens(collection, Purpose::Index);
            append(&mut self.named, tokens.iter().cloned(), Some(fields::COLLECTION));
            append(&mut self.trace, tokens.into_iter(), None);
        }
        if let Some(Ok(Value::String(format))) = record.format.map(serde_json::to_value) {
            let tokens = words::tokens(&format, Purpose::Index).into_iter();
            append(&mut self.named, tokens, Some(fields::FORMAT));
        }
    }
}

/// Keeps the better of two places of a word.
fn raise(any: &mut HashMap<String, Level>, word: &str, level: Level) {
    match any.entry(word.to_owned()) {
        Entry::Occupied(mut held) if held.get().score() < level.score() => {
            held.insert(level);
        }
        Entry::Occupied(_) => {}
        Entry::Vacant(room) => {
            room.insert(level);
        }
    }
}

/// Drops a term's weights that another of the same kind beats in confidence and in nearness.
///
/// Ten breeds in one picture say `dog` ten times; whatever the least confidence, the best of
/// those that pass is among the few kept.
fn keep_what_counts(terms: &mut Vec<(String, Weight)>) {
    let group = |(term, weight): &(String, Weight)| (term.clone(), weight.kind(), weight.ruled());
    terms.sort_by_cached_key(|found| {
        (group(found), Reverse(found.1.thousandths()), found.1.relation())
    });
    let mut held: Option<(String, Weight)> = None;
    terms.retain(|found| {
        let beaten = held.as_ref().is_some_and(|held| {
            group(held) == group(found) && held.1.relation() <= found.1.relation()
        });
        if !beaten {
            held = Some(found.clone());
        }
        !beaten
    });
}

/// Adds tokens behind those that are there; stops at the limit.
fn append(to: &mut Vec<Token>, tokens: impl Iterator<Item = Token>, field: Option<&str>) {
    let start = to.last().map_or(0, |last| last.position + GAP);
    let room = MOST_TOKENS.saturating_sub(to.len());
    to.extend(tokens.take(room).map(|token| Token {
        position: start + token.position,
        text: field.map_or(token.text.clone(), |field| named_term(field, &token.text)),
    }));
}

/// Lists all texts of a record: first what came beside the file, then what is in it.
fn texts(record: &Record) -> Vec<KeptText<'static>> {
    let mut texts = Vec::new();
    for fields in record.occurrences.iter().map(|place| &place.metadata).chain([&record.embedded]) {
        collect(fields, &mut texts);
    }
    texts
}

fn collect(fields: &Fields, texts: &mut Vec<KeptText<'static>>) {
    for (name, field) in fields {
        let also = field.also.iter().map(|other| (&other.value, &other.source));
        for (value, source) in [(&field.value, &field.source)].into_iter().chain(also) {
            let text = text_of(value);
            // Two copies of a picture often carry the same caption.
            let known = texts.iter().any(|kept| *kept.field == **name && *kept.text == *text);
            if !text.trim().is_empty() && !known {
                texts.push(KeptText {
                    field: name.clone().into(),
                    source: source.clone().into(),
                    text: text.into(),
                });
            }
        }
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Array(list) => list.iter().map(text_of).collect::<Vec<_>>().join("; "),
        // Positions and flags are not found by words.
        Value::Object(_) | Value::Bool(_) | Value::Null => String::new(),
    }
}

fn date_field(name: &str) -> bool {
    fields::named("date").is_some_and(|field| field.metadata.contains(&name))
}

fn summary(
    record: &Record,
    texts: &[KeptText<'static>],
    mut labels: Vec<KeptLabel<'static>>,
) -> Summary<'static> {
    let mut collections: Vec<String> =
        record.occurrences.iter().map(|place| place.collection.clone()).collect();
    collections.sort();
    collections.dedup();
    labels.sort_by(|a, b| ruled(b).cmp(&ruled(a)).then(b.confidence.total_cmp(&a.confidence)));
    let sources = record.occurrences.iter().map(|place| place.source.clone());
    Summary {
        asset: record.asset.to_string().into(),
        title: title(record, texts, &labels).into(),
        collections: collections.into_iter().map(Into::into).collect(),
        sources: sources.take(MOST_SHOWN).map(Into::into).collect(),
        // Where there is nothing to show, no room is to be kept for it.
        size: facts::upright(record).filter(|_| !record.renditions.is_empty()),
        pixels: record.pixel_digest.map(|pixels| pixels.to_string().into()),
        phash: record.phash.as_deref().and_then(|phash| u64::from_str_radix(phash, 16).ok()),
        labels: labels.into_iter().take(MOST_SHOWN).collect(),
        texts: texts.iter().take(MOST_SHOWN).map(kept).collect(),
    }
}

fn ruled(label: &KeptLabel<'_>) -> bool {
    label.state != LabelState::Proposed
}

/// Finds the best short text: a title, a caption's beginning, the surest labels, the file name.
fn title(record: &Record, texts: &[KeptText<'static>], labels: &[KeptLabel<'_>]) -> String {
    let of = |name: &str| texts.iter().find(|text| *text.field == *name);
    if let Some(text) = ["title", "headline", "caption"].into_iter().find_map(of) {
        return shortened(text.text.trim(), TITLE_LENGTH);
    }
    let mut sure: Vec<&str> = Vec::new();
    // Things first: that a picture is outdoors is sure, and says little.
    let things = labels.iter().filter(|label| label.kind == LabelKind::Object);
    let others = labels.iter().filter(|label| label.kind != LabelKind::Object);
    let labels = things.chain(others).filter(|l| ruled(l) || l.confidence >= 0.5 && !l.doubtful);
    for label in labels {
        if sure.len() < 3 && !sure.contains(&&*label.name) {
            sure.push(&label.name);
        }
    }
    if !sure.is_empty() {
        return sure.join(", ");
    }
    let file = record.occurrences.first().map(|place| place.source.as_str()).unwrap_or_default();
    file.rsplit('/').next().unwrap_or(file).to_owned()
}

fn kept(text: &KeptText<'static>) -> KeptText<'static> {
    KeptText { text: shortened(&text.text, MOST_KEPT).into(), ..text.clone() }
}

fn shortened(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use glassplate_pipeline::label::LabelKind::Object;

    use super::*;
    use crate::claims::Relation::{self, Broader, Own, Synonym};

    #[test]
    fn only_weights_that_no_other_beats_are_kept() {
        let weight = |relation: Relation, confidence| {
            Weight::new(relation, Object, LabelState::Proposed, confidence)
        };
        let dog = |weight| ("dog".to_owned(), weight);
        let ruled = Weight::new(Broader(3), Object, LabelState::Approved, 0.1);
        let mut terms = vec![
            dog(weight(Broader(2), 0.5)),
            dog(weight(Broader(2), 0.9)),
            dog(weight(Own, 0.3)),
            dog(weight(Synonym, 0.2)),
            dog(weight(Own, 0.3)),
            dog(ruled),
        ];
        keep_what_counts(&mut terms);
        let mut kept: Vec<Weight> = terms.into_iter().map(|(_, weight)| weight).collect();
        kept.sort_unstable();
        let mut expected = vec![weight(Broader(2), 0.9), weight(Own, 0.3), ruled];
        expected.sort_unstable();
        assert_eq!(kept, expected);
    }
}
