//! Why a record was found: each word of the query with the place that answered it.
//!
//! It is worked out for the few hits that are shown, from what the index keeps of them.

use std::fmt;

use glassplate_pipeline::label::LabelKind;
use glassplate_pipeline::record::{Bar, LabelState};
use serde::Serialize;

use crate::claims::{Claims, FoundLabel, Relation};
use crate::document::{KeptText, Summary};
use crate::fields;
use crate::query::ast::{Clause, Target, Words};
use crate::query::plan::Need;
use crate::words::{self, Purpose, Token};

/// How many labels are named for one word.
const LABELS_NAMED: usize = 2;

/// One reason why a record was found; as text `turtle: via loggerhead, object 0.93, lite0`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "found", rename_all = "snake_case")]
pub enum Why {
    /// In a text.
    Text {
        /// What was asked for.
        word: String,
        /// The metadata field.
        field: String,
        /// Where that was read: `iptc:Caption-Abstract`.
        source: String,
    },
    /// As a label.
    Label {
        /// What was asked for.
        word: String,
        /// The label that answered.
        label: String,
        /// `name`, `synonym`, `broader` (the word is a broader term) or `part` of the name.
        relation: &'static str,
        /// Object, scene or concept.
        kind: LabelKind,
        /// How sure its source is, 0 to 1.
        confidence: f32,
        /// What people made of it.
        state: LabelState,
        /// The model's name, or who the person is.
        model: String,
    },
    /// By an exact value: `is:monochrome`.
    Fact {
        /// What was asked for.
        word: String,
    },
    /// In a path, a collection's name, or a fact of the file.
    Place {
        /// What was asked for.
        word: String,
        /// `file`, `collection`, `format`, `date` or `asset`.
        of: &'static str,
        /// The path, the name or the fact.
        place: String,
    },
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { word, field, source } => write!(f, "{word}: in {field} ({source})"),
            Self::Fact { word } => f.write_str(word),
            Self::Place { word, of, place } => write!(f, "{word}: in {of} {place}"),
            Self::Label { word, label, relation, kind, confidence, state, model } => {
                write!(f, "{word}: ")?;
                match *relation {
                    "name" => {}
                    "synonym" => write!(f, "synonym of {label}, ")?,
                    "part" => write!(f, "part of {label}, ")?,
                    _ => write!(f, "via {label}, ")?,
                }
                let kind = match kind {
                    LabelKind::Object => "object",
                    LabelKind::Scene => "scene",
                    LabelKind::Concept => "concept",
                };
                match state {
                    LabelState::Added => write!(f, "{kind} added by {model}"),
                    LabelState::Approved => write!(f, "{kind} approved, {model}"),
                    _ => write!(f, "{kind} {confidence:.2}, {model}"),
                }
            }
        }
    }
}

/// Explains a hit: the best reasons for each need, in the order of the query; of alternatives
/// all that hold.
pub(crate) fn explain(needs: &[Need], summary: &Summary, claims: &Claims, bar: &Bar) -> Vec<Why> {
    let texts = vec![None; summary.texts.len()];
    let mut reasons = Reasons { summary, claims, bar, texts, why: Vec::new() };
    needs.iter().for_each(|need| reasons.need(need));
    reasons.why
}

struct Reasons<'a> {
    summary: &'a Summary,
    claims: &'a Claims,
    bar: &'a Bar,
    /// The tokens of the summary's texts, each cut when first needed.
    texts: Vec<Option<Vec<Token>>>,
    why: Vec<Why>,
}

impl Reasons<'_> {
    fn need(&mut self, need: &Need) {
        match need {
            Need::All(all) | Need::Any(all) => all.iter().for_each(|need| self.need(need)),
            Need::Not(_) => {}
            Need::One(clause) | Need::Opening { clause, .. } => self.clause(clause),
            Need::Name { name, words } => {
                if !self.labels(name, None) {
                    words.iter().for_each(|clause| self.clause(clause));
                }
            }
        }
    }

    fn clause(&mut self, clause: &Clause) {
        let words = &clause.words;
        match clause.target {
            Target::Anywhere => {
                // Texts rank above labels and labels above places, and one answer will do.
                let _found = self.text(words, |field| !fields::technical(field))
                    || self.labels(words, None)
                    || self.place(words, &[fields::COLLECTION, fields::FILE])
                    || self.text(words, |_| true);
            }
            // These match by a fact of the file, which the words themselves state.
            Target::Named(fields::FORMAT) => self.fact(words, "format"),
            Target::Date(_) => self.fact(words, "date"),
            Target::Asset => self.fact(words, "asset"),
            Target::Measured(_) => self.fact(words, "condition"),
            Target::Fact(name) => {
                self.why.push(Why::Fact { word: format!("{name}:{}", words.shown) });
            }
            Target::Named(field @ (fields::COLLECTION | fields::FILE)) => {
                self.place(words, &[field]);
            }
            Target::Named(field) => {
                self.text(words, |metadata| fields::covering(metadata).any(|name| name == field));
            }
            Target::Label(kind) => {
                self.labels(words, kind);
            }
        }
    }

    fn fact(&mut self, words: &Words, of: &'static str) {
        let word = words.shown.clone();
        self.why.push(Why::Place { place: word.clone(), word, of });
    }

    fn text(&mut self, words: &Words, wanted: impl Fn(&str) -> bool) -> bool {
        let cut = |text: &KeptText| words::tokens(&text.text, Purpose::Index);
        let found = self.summary.texts.iter().zip(&mut self.texts).position(|(text, tokens)| {
            wanted(&text.field) && holds(tokens.get_or_insert_with(|| cut(text)), words)
        });
        let Some(text) = found.map(|at| &self.summary.texts[at]) else { return false };
        self.why.push(Why::Text {
            word: words.shown.clone(),
            field: text.field.clone(),
            source: text.source.clone(),
        });
        true
    }

    fn labels(&mut self, words: &Words, kind: Option<LabelKind>) -> bool {
        let asked = words::join(&words.tokens);
        let answers = |term: &str| {
            term == asked
                || words
                    .opening
                    .as_ref()
                    .is_some_and(|o| term.starts_with(o) && !term.contains(' '))
        };
        let mut found: Vec<(&FoundLabel, Relation)> = Vec::new();
        for label in &self.summary.labels {
            if label.doubtful {
                continue;
            }
            let counts = label.state != LabelState::Proposed
                || (label.confidence * 1000.0).round()
                    >= (self.bar.of(label.kind) * 1000.0).round();
            if !counts || kind.is_some_and(|kind| kind != label.kind) {
                continue;
            }
            let terms = self.claims.terms(label);
            found.extend(terms.iter().find(|(t, _)| answers(t)).map(|&(_, r)| (label, r)));
        }
        let worth = |(label, relation): &(&FoundLabel, Relation)| {
            let ruled = if label.state == LabelState::Proposed { 0.0 } else { 1.0 };
            ruled + label.confidence * relation.nearness()
        };
        found.sort_by(|a, b| worth(b).total_cmp(&worth(a)));
        self.why.extend(found.iter().take(LABELS_NAMED).map(|(label, relation)| Why::Label {
            word: words.shown.clone(),
            label: label.name.clone(),
            relation: match relation {
                Relation::Own => "name",
                Relation::Synonym => "synonym",
                Relation::Broader(_) => "broader",
                Relation::Part => "part",
            },
            kind: label.kind,
            confidence: label.confidence,
            state: label.state,
            model: label.model.clone(),
        }));
        !found.is_empty()
    }

    fn place(&mut self, words: &Words, of: &[&'static str]) -> bool {
        let collections = self.summary.collections.iter().map(|name| (fields::COLLECTION, name));
        let files = self.summary.sources.iter().map(|path| (fields::FILE, path));
        let found = collections.chain(files).filter(|(field, _)| of.contains(field)).find(
            |&(field, place)| match field {
                fields::FILE => holds(&words::path_tokens(place), words),
                _ => holds(&words::tokens(place, Purpose::Index), words),
            },
        );
        let Some((field, place)) = found else { return false };
        let of = if field == fields::FILE { "file" } else { "collection" };
        self.why.push(Why::Place { word: words.shown.clone(), of, place: place.clone() });
        true
    }
}

/// Tells whether a text's tokens hold the words side by side.
fn holds(text: &[Token], words: &Words) -> bool {
    if let Some(opening) = &words.opening
        && text.iter().any(|token| token.text.starts_with(opening))
    {
        return true;
    }
    let Some((first, others)) = words.tokens.split_first() else { return false };
    text.iter().filter(|token| token.text == first.text).any(|start| {
        others.iter().all(|other| {
            let position = start.position + (other.position - first.position);
            text.iter().any(|token| token.position == position && token.text == other.text)
        })
    })
}
