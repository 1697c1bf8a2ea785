//! Claims and what people ruled of them.

use super::{LabelSource, LabelState, RecordLabel, Ruled};
use crate::decision::{Decision, Ruling};
use crate::label::Label;
use crate::opinion::Opinion;

/// Applies what people ruled, and puts the labels in order: by kind, the surest first.
pub(super) fn ruled(mut labels: Vec<RecordLabel>, decisions: &[Decision]) -> Vec<RecordLabel> {
    for decision in decisions {
        rule(&mut labels, decision);
    }
    labels.sort_by(|a, b| {
        (a.kind, b.confidence, &a.name, &a.source.model)
            .partial_cmp(&(b.kind, a.confidence, &b.name, &b.source.model))
            .expect("confidences are numbers")
    });
    labels
}

impl RecordLabel {
    /// States one claim of an opinion as it was said.
    pub fn proposed(claim: &Label, opinion: &Opinion) -> Self {
        Self {
            name: claim.name.clone(),
            kind: claim.kind,
            confidence: if claim.confidence.is_nan() { 0.0 } else { claim.confidence },
            wordnet: claim.wordnet.clone(),
            parents: claim.parents.clone(),
            category: None,
            instances: claim.instances.clone(),
            evidence: claim.evidence.clone(),
            state: LabelState::Proposed,
            doubts: Vec::new(),
            source: LabelSource {
                backend: opinion.maker.backend.clone(),
                model: opinion.maker.model.clone(),
                version: opinion.maker.version.clone(),
                run: Some(opinion.run.clone()),
            },
            ruled: None,
        }
    }

    /// States what a person ruled as that person's own claim.
    pub fn of_person(decision: &Decision) -> Self {
        Self {
            name: decision.label.clone(),
            kind: decision.kind,
            confidence: 1.0,
            wordnet: decision.wordnet.clone(),
            parents: decision.parents.clone(),
            category: None,
            instances: Vec::new(),
            evidence: Vec::new(),
            state: LabelState::Added,
            doubts: Vec::new(),
            source: LabelSource {
                backend: "human".to_owned(),
                model: decision.who.clone(),
                version: String::new(),
                run: None,
            },
            ruled: Some(Ruled { who: decision.who.clone(), at: decision.at }),
        }
    }
}

/// Applies one decision to every claim that it speaks of; an approval or addition that finds
/// no claim becomes the person's own, so that a withdrawn run cannot take a ruling along.
fn rule(labels: &mut Vec<RecordLabel>, decision: &Decision) {
    let speaks_of = |label: &RecordLabel| decision.speaks_of(label);
    let ruled = Ruled { who: decision.who.clone(), at: decision.at };
    if decision.ruling == Ruling::Reject {
        labels.retain(|label| label.state != LabelState::Added || !speaks_of(label));
    }
    let mut met = false;
    for label in labels.iter_mut().filter(|label| speaks_of(label)) {
        met = true;
        label.ruled = Some(ruled.clone());
        if label.state != LabelState::Added {
            label.state = match decision.ruling {
                Ruling::Reject => LabelState::Rejected,
                Ruling::Approve | Ruling::Add => LabelState::Approved,
            };
        }
    }
    if !met && decision.ruling != Ruling::Reject {
        labels.push(RecordLabel::of_person(decision));
    }
}
