//! Why a record was found: each word of the query with the place that answered it.
//!
//! It is worked out for the few hits that are shown, from what the index keeps of them.

use std::collections::HashMap;
use std::fmt;

use glassplate_pipeline::label::LabelKind;
use glassplate_pipeline::record::{Bar, LabelState};
use serde::Serialize;

use crate::claims::{Claims, Relation, Terms};
use crate::fields;
use crate::query::ast::{Clause, Target, Words};
use crate::query::plan::Need;
use crate::summary::{KeptLabel, KeptText, Summary};
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

/// Explains the hits of one search.
pub(crate) struct Explainer<'a> {
    needs: &'a [Need],
    claims: &'a Claims,
    bar: Bar,
    /// How labels answer words, each worked out once a search: many hits carry the same labels.
    /// Both are named by where they lie in memory, and are held there as long.
    answers: HashMap<Asked, (Terms, Option<Relation>)>,
}

/// Words, and the terms of a label that is asked for them.
type Asked = (*const Words, *const (String, Relation));

impl<'a> Explainer<'a> {
    /// Explains what met some needs, by the labels above a bar.
    pub(crate) fn new(needs: &'a [Need], claims: &'a Claims, bar: Bar) -> Self {
        Self { needs, claims, bar, answers: HashMap::new() }
    }

    /// Explains a hit: the best reasons for each need, in the order of the query; of alternatives
    /// all that hold.
    pub(crate) fn explain(&mut self, summary: &Summary<'_>) -> Vec<Why> {
        let needs = self.needs;
        let mut reasons = Reasons { summary, explainer: self, why: Vec::new() };
        needs.iter().for_each(|need| reasons.need(need));
        reasons.why
    }

    /// How a label answers words, if it does.
    fn relation(&mut self, words: &'a Words, label: &KeptLabel<'_>) -> Option<Relation> {
        let terms = self.claims.terms(label);
        let key = (std::ptr::from_ref(words), terms.as_ptr());
        let (_, relation) = self.answers.entry(key).or_insert_with(|| {
            let asked = words::join(&words.tokens);
            let opens = |term: &str| {
                let opening = words.opening.as_deref();
                opening.is_some_and(|opening| term.starts_with(opening) && !term.contains(' '))
            };
            let answer = terms.iter().find(|(term, _)| *term == asked || opens(term));
            let relation = answer.map(|&(_, relation)| relation);
            (terms, relation)
        });
        *relation
    }

    fn counts(&self, label: &KeptLabel<'_>) -> bool {
        let thousandths = |confidence: f32| (confidence * 1000.0).round();
        !label.doubtful
            && (label.state != LabelState::Proposed
                || thousandths(label.confidence) >= thousandths(self.bar.of(label.kind)))
    }
}

struct Reasons<'a, 'b> {
    summary: &'b Summary<'b>,
    explainer: &'b mut Explainer<'a>,
    why: Vec<Why>,
}

impl<'a> Reasons<'a, '_> {
    fn need(&mut self, need: &'a Need) {
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

    fn clause(&mut self, clause: &'a Clause) {
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
        let found = |text: &&KeptText<'_>| wanted(&text.field) && holds(&text.text, words);
        let Some(text) = self.summary.texts.iter().find(found) else { return false };
        self.why.push(Why::Text {
            word: words.shown.clone(),
            field: text.field.to_string(),
            source: text.source.to_string(),
        });
        true
    }

    fn labels(&mut self, words: &'a Words, kind: Option<LabelKind>) -> bool {
        let mut found: Vec<(&KeptLabel<'_>, Relation)> = Vec::new();
        for label in &self.summary.labels {
            if self.explainer.counts(label) && kind.is_none_or(|kind| kind == label.kind) {
                found.extend(self.explainer.relation(words, label).map(|near| (label, near)));
            }
        }
        let worth = |(label, relation): &(&KeptLabel<'_>, Relation)| {
            let ruled = if label.state == LabelState::Proposed { 0.0 } else { 1.0 };
            ruled + label.confidence * relation.nearness()
        };
        found.sort_by(|a, b| worth(b).total_cmp(&worth(a)));
        self.why.extend(found.iter().take(LABELS_NAMED).map(|(label, relation)| Why::Label {
            word: words.shown.clone(),
            label: label.name.to_string(),
            relation: match relation {
                Relation::Own => "name",
                Relation::Synonym => "synonym",
                Relation::Broader(_) => "broader",
                Relation::Part => "part",
            },
            kind: label.kind,
            confidence: label.confidence,
            state: label.state,
            model: label.model.to_string(),
        }));
        !found.is_empty()
    }

    fn place(&mut self, words: &Words, of: &[&'static str]) -> bool {
        let collections = self.summary.collections.iter().map(|name| (fields::COLLECTION, name));
        let files = self.summary.sources.iter().map(|path| (fields::FILE, path));
        let found = collections.chain(files).filter(|(field, _)| of.contains(field)).find(
            |&(field, place)| match field {
                fields::FILE => stand(&words::path_tokens(place), words),
                _ => holds(place, words),
            },
        );
        let Some((field, place)) = found else { return false };
        let of = if field == fields::FILE { "file" } else { "collection" };
        self.why.push(Why::Place { word: words.shown.clone(), of, place: place.to_string() });
        true
    }
}

/// Tells whether a text holds the words side by side.
fn holds(text: &str, words: &Words) -> bool {
    match (&words.tokens[..], &words.opening) {
        ([word], None) => words::has(text, &word.text),
        _ => stand(&words::tokens(text, Purpose::Index), words),
    }
}

/// Tells whether tokens hold the words side by side.
fn stand(text: &[Token], words: &Words) -> bool {
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
