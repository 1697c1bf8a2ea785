//! Facts: the exact values that records are narrowed and counted by.
//!
//! A fact is a name and a value: the facets' values, and what `is:`, `has:`, `source:` and
//! `state:` ask for. Nothing of it is folded or stemmed: what is shown is what is matched.

use glassplate_pipeline::assessment::Tone;
use glassplate_pipeline::days::Days;
use glassplate_pipeline::label::LabelKind;
use glassplate_pipeline::record::{LabelState, Record};
use serde_json::Value;

use crate::ask::Facet;
use crate::claims::Claims;
use crate::fields;
use crate::summary::{KeptLabel, KeptText};

/// A picture whose sides differ by less than this share is square.
const SQUARE: f64 = 0.03;
/// The most decades that one uncertain date counts for.
const MOST_DECADES: u64 = 3;

/// One exact value of a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fact {
    /// A facet's name, or `is`, `has`, `source`.
    pub(crate) name: &'static str,
    pub(crate) value: String,
}

impl Fact {
    fn new(name: &'static str, value: impl Into<String>) -> Self {
        Self { name, value: value.into() }
    }

    fn of(facet: Facet, value: impl Into<String>) -> Self {
        Self::new(facet.name(), value)
    }
}

/// The size of a picture as people see it, in pixels.
pub(crate) fn upright(record: &Record) -> Option<(u32, u32)> {
    let (width, height) = (record.width?, record.height?);
    let turned = record.technical.as_ref().is_some_and(|t| t.orientation >= 5);
    Some(if turned { (height, width) } else { (width, height) })
}

/// Lists a record's facts, each once; `shown` are the labels above the bar.
pub(crate) fn facts(
    record: &Record,
    texts: &[KeptText<'_>],
    shown: &[&KeptLabel<'_>],
    days: Option<Days>,
    claims: &Claims,
) -> Vec<Fact> {
    let mut facts = Vec::new();
    of_labels(record, shown, &mut facts);
    of_the_file(record, &mut facts);
    facts.extend(record.occurrences.iter().map(|o| Fact::of(Facet::Collection, &o.collection)));
    facts.extend(days.into_iter().flat_map(decades).map(|d| Fact::of(Facet::Decade, d)));
    if days.is_some() {
        facts.push(Fact::new("has", "date"));
    }
    let written =
        |name: &str| texts.iter().any(|text| fields::covering(&text.field).any(|f| f == name));
    let told = ["title", "caption", "keywords", "creator", "copyright"];
    facts.extend(told.into_iter().filter(|name| written(name)).map(|name| Fact::new("has", name)));
    if written("place") || record.embedded.contains_key("gps") {
        facts.push(Fact::new("has", "place"));
    }
    let person =
        |label: &&KeptLabel<'_>| claims.terms(label).iter().any(|(term, _)| term == "person");
    if written("people") || shown.iter().any(person) {
        facts.push(Fact::new("has", "people"));
    }
    facts.sort();
    facts.dedup();
    facts
}

fn of_labels(record: &Record, shown: &[&KeptLabel<'_>], facts: &mut Vec<Fact>) {
    for label in shown {
        let (facet, plural) = match label.kind {
            LabelKind::Object => (Facet::Object, "objects"),
            LabelKind::Scene => (Facet::Scene, "scenes"),
            LabelKind::Concept => (Facet::Concept, "concepts"),
        };
        facts.push(Fact::of(facet, &*label.name));
        facts.push(Fact::new("has", plural));
        facts.push(Fact::new("has", "labels"));
        facts.push(match label.state {
            LabelState::Proposed => Fact::new("source", "machine"),
            _ => Fact::new("source", "human"),
        });
        facts.push(Fact::new("source", label.model.to_lowercase()));
    }
    let mut ruled = false;
    for label in &record.labels {
        let state = match label.state {
            LabelState::Proposed => None,
            LabelState::Approved => Some("approved"),
            LabelState::Added => Some("added"),
            LabelState::Rejected => Some("rejected"),
        };
        ruled |= state.is_some();
        facts.extend(state.map(|state| Fact::of(Facet::State, state)));
        if !label.instances.is_empty() && label.state != LabelState::Rejected {
            facts.push(Fact::new("has", "boxes"));
        }
        if label.state == LabelState::Proposed && !label.doubts.is_empty() {
            facts.push(Fact::new("is", "doubtful"));
        }
    }
    if ruled {
        facts.push(Fact::new("is", "reviewed"));
    } else {
        facts.push(Fact::of(Facet::State, "proposed"));
    }
}

fn of_the_file(record: &Record, facts: &mut Vec<Fact>) {
    if let Some(Ok(Value::String(format))) = record.format.map(serde_json::to_value) {
        facts.push(Fact::of(Facet::Format, format));
    }
    if let Some(assessment) = &record.assessment {
        let tone = match assessment.tone {
            Tone::Colour => "colour",
            Tone::Grey => "grey",
            Tone::Toned => "toned",
        };
        facts.extend([Fact::of(Facet::Tone, tone), Fact::new("is", tone)]);
        if assessment.tone.is_monochrome() {
            facts.push(Fact::new("is", "monochrome"));
        }
    }
    if !record.restorations.is_empty() {
        facts.push(Fact::new("is", "restored"));
    }
    if let Some((width, height)) = upright(record) {
        let (width, height) = (f64::from(width), f64::from(height));
        let shape = if (width - height).abs() < SQUARE * width.max(height) {
            "square"
        } else if width > height {
            "landscape"
        } else {
            "portrait"
        };
        facts.extend([Fact::of(Facet::Orientation, shape), Fact::new("is", shape)]);
    }
}

/// The decades that a span of days touches; of a long span none.
fn decades(days: Days) -> impl Iterator<Item = String> {
    let of = |day: u64| day / 100_000;
    let (first, last) = (of(days.from), of(days.to));
    let count = if last - first < MOST_DECADES { last - first + 1 } else { 0 };
    (first..first + count).map(|decade| format!("{decade}0s"))
}

/// The values that `is:` knows.
pub(crate) const IS: [&str; 10] = [
    "colour",
    "doubtful",
    "grey",
    "landscape",
    "monochrome",
    "portrait",
    "restored",
    "reviewed",
    "square",
    "toned",
];

/// The values that `has:` knows.
pub(crate) const HAS: [&str; 13] = [
    "boxes",
    "caption",
    "concepts",
    "copyright",
    "creator",
    "date",
    "keywords",
    "labels",
    "objects",
    "people",
    "place",
    "scenes",
    "title",
];

/// The values that `state:` knows.
pub(crate) const STATE: [&str; 4] = ["added", "approved", "proposed", "rejected"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_uncertain_date_counts_for_the_decades_it_may_be_in() {
        let of = |from, to| decades(Days { from, to }).collect::<Vec<_>>();
        assert_eq!(of(19_360_101, 19_361_231), ["1930s"]);
        assert_eq!(of(19_290_101, 19_311_231), ["1920s", "1930s"]);
        assert!(of(18_800_101, 19_991_231).is_empty());
    }
}
