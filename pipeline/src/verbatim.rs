//! The plainest interpreter: every claim as it was said.
//!
//! It merges and infers nothing. What a labeller itself inferred, and says on which evidence, still
//! loses what a person refused.

use std::collections::BTreeSet;

use crate::decision::Ruling;
use crate::label::LabelKind;
use crate::opinion::Opinion;
use crate::ports::{Interpreter, Testimony};
use crate::record::RecordLabel;

/// The interpreter that takes every claim as it was said.
#[derive(Debug, Clone, Copy, Default)]
pub struct Verbatim;

impl Interpreter for Verbatim {
    fn fingerprint(&self) -> &str {
        "verbatim"
    }

    fn interpret(&self, testimony: &Testimony<'_>) -> Vec<RecordLabel> {
        let claims = |opinion: &&Opinion| -> Vec<RecordLabel> {
            opinion.labels().iter().map(|claim| RecordLabel::proposed(claim, opinion)).collect()
        };
        let mut labels: Vec<_> = testimony.opinions.iter().flat_map(claims).collect();
        sink_what_lost_its_evidence(&mut labels, testimony);
        labels
    }
}

/// Takes refused claims out of the evidence of inferred labels, kind by kind upwards.
///
/// A label that nobody ruled on loses the weight of what was refused, in log-odds, and goes
/// when nothing that it rests on is left.
fn sink_what_lost_its_evidence(labels: &mut Vec<RecordLabel>, testimony: &Testimony<'_>) {
    let ruled = |label: &RecordLabel| {
        let about = testimony.decisions.iter().rev().find(|decision| decision.speaks_of(label));
        about.map(|decision| decision.ruling)
    };
    let added = testimony.decisions.iter().filter(|decision| decision.ruling != Ruling::Reject);
    let added: Vec<_> = added.map(|decision| (decision.kind, decision.label.clone())).collect();
    for kind in [LabelKind::Scene, LabelKind::Concept] {
        let mut standing: BTreeSet<(LabelKind, String)> = labels
            .iter()
            .filter(|label| ruled(label) != Some(Ruling::Reject))
            .map(|label| (label.kind, label.name.clone()))
            .collect();
        standing.extend(added.iter().cloned());
        labels.retain_mut(|label| {
            if label.kind != kind || label.evidence.is_empty() {
                return true;
            }
            let mut lost = 0.0;
            label.evidence.retain(|evidence| {
                let stands = standing.contains(&(evidence.kind, evidence.name.clone()));
                if !stands {
                    lost += evidence.weight;
                }
                stands
            });
            let open = ruled(label).is_none();
            if open && lost != 0.0 {
                label.confidence = shift_log_odds(label.confidence, -lost);
            }
            !open || !label.evidence.is_empty()
        });
    }
}

fn shift_log_odds(confidence: f32, by: f32) -> f32 {
    let p = confidence.clamp(1e-6, 1.0 - 1e-6);
    1.0 / (1.0 + (-((p / (1.0 - p)).ln() + by)).exp())
}
