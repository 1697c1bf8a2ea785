//! Restorations in a record, and what was seen on them alone.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Bar, LabelState, Parts, RecordLabel, holding};
use crate::opinion::{Finding, Opinion, Subject, Verdict};
use crate::ports::{Interpreter, Testimony};
use crate::restoration::Restoration;
use crate::run::RunId;

/// A repaired picture in a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordRestoration {
    /// The files, and how they were made.
    #[serde(flatten)]
    pub restoration: Restoration,
    /// The run that made it, and with which it can be withdrawn.
    pub run: RunId,
    /// When it was made.
    pub at: Timestamp,
    /// What labellers claim of the repaired picture and of the original not, or less surely: a
    /// network may have drawn what they see, so these are never among the asset's labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<RecordLabel>,
}

impl Bar {
    /// Tells whether a label of a restored picture is shown, while the original shows no such label.
    pub fn shows_only(&self, restored: &RecordLabel, original: &[RecordLabel]) -> bool {
        let there = |label: &RecordLabel| label.is_same_as(restored) && self.shows(label);
        self.shows(restored) && !original.iter().any(there)
    }
}

/// Gathers the restorations that hold, with what was found on each and not on the original.
pub(super) fn restored(
    parts: &Parts,
    current: &BTreeMap<&str, &Opinion>,
    labels: &[RecordLabel],
    interpreter: &dyn Interpreter,
) -> Vec<RecordRestoration> {
    let known = |found: &RecordLabel| {
        let as_sure = |label: &RecordLabel| {
            label.state != LabelState::Proposed || label.confidence >= found.confidence
        };
        labels.iter().any(|label| label.is_same_as(found) && as_sure(label))
    };
    let mut restorations = Vec::new();
    for opinion in current.values() {
        let Verdict::Found(Finding::Restored(restoration)) = &opinion.verdict else { continue };
        let on_it = holding(parts, |subject| subject == Subject::Restored(restoration.digest));
        let testimony = Testimony {
            opinions: on_it.values().filter(|o| !o.labels().is_empty()).copied().collect(),
            decisions: &[],
            assessment: None,
            taken: None,
        };
        let mut found = match testimony.opinions.is_empty() {
            true => Vec::new(),
            false => interpreter.interpret(&testimony),
        };
        found.retain(|label| !known(label));
        restorations.push(RecordRestoration {
            restoration: restoration.clone(),
            run: opinion.run.clone(),
            at: opinion.at,
            labels: found,
        });
    }
    restorations
}
