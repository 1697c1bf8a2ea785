//! Concepts: what the picture is about, from its scenes and its things.

use std::collections::HashMap;

use glassplate_pipeline::label::{Evidence, LabelKind};
use glassplate_pipeline::record::RecordLabel;

use super::claims::Claims;
use super::objects::{Thing, inferred, strongest};
use super::services::{believed, weight};
use super::tables::Tables;
use super::weights::{Inferred, LEAST_THING, POWER, log_odds, sigmoid};

/// A concept less likely than this is not kept.
const LEAST_KEPT: f32 = 0.03;
/// At most so many concepts are kept.
const MOST_KEPT: usize = 24;
/// A scene with a smaller share says nothing of concepts.
const LEAST_SHARE: f32 = 0.002;

/// Infers the concepts, the likeliest first.
pub(super) fn infer(
    tables: &Tables,
    weights: &Inferred,
    claims: &Claims<'_>,
    things: &[Thing],
    shares: &[f32],
) -> Vec<RecordLabel> {
    let [constant, commonness, of_scenes, of_classes, of_things] = weights.concept;
    let mut evidence: HashMap<usize, Vec<Evidence>> = HashMap::new();
    let mut say = |concept, name: &str, kind, weight, by: Option<&str>| {
        let by = by.map(str::to_owned);
        evidence.entry(concept).or_default().push(Evidence {
            name: name.to_owned(),
            kind,
            weight,
            by,
        });
    };
    for (scene, &share) in shares.iter().enumerate().filter(|(_, share)| **share >= LEAST_SHARE) {
        for &(concept, strength) in &tables.scene_concepts[scene] {
            let name = tables.scenes[scene].name;
            say(concept, name, LabelKind::Scene, of_scenes * share * strength, None);
        }
    }
    for one in claims.whole.iter().filter(|one| one.p > 0.0) {
        for (concept, strength) in tables.concepts_of(&one.line) {
            let (weight, by) = (of_classes * one.p.powf(POWER) * strength, &one.by.maker.model);
            say(concept, &one.label.name, LabelKind::Object, weight, Some(by));
        }
    }
    // Of things located only the one that says most counts: ten cars are no more traffic than two.
    let mut most: HashMap<usize, (f32, &Thing)> = HashMap::new();
    for thing in things.iter().filter(|thing| thing.located && thing.p >= LEAST_THING) {
        for (concept, strength) in tables.concepts_of(&thing.line) {
            let known = most.entry(concept).or_insert((0.0, thing));
            if strength * thing.p > known.0 {
                *known = (strength * thing.p, thing);
            }
        }
    }
    for (concept, (strength, thing)) in
        most.into_iter().filter(|(_, (strength, _))| *strength > 0.0)
    {
        let (weight, label) = (of_things * strength, &thing.label);
        say(concept, &label.name, LabelKind::Object, weight, Some(&label.source.model));
    }
    for (&concept, claimed) in &claims.concepts {
        let name = tables.concepts[concept].name;
        let weight = log_odds(claimed.p) - log_odds(0.01);
        say(concept, name, LabelKind::Concept, weight, Some(&claimed.by.maker.model));
    }
    for (&concept, (label, by)) in &claims.services.concepts {
        say(concept, &label.name, LabelKind::Concept, weight(label), Some(&by.maker.model));
    }
    let mut labels: Vec<_> = evidence
        .into_iter()
        .filter_map(|(at, evidence)| {
            let concept = &tables.concepts[at];
            let sum: f32 = evidence.iter().map(|one| one.weight).sum();
            let mut p = sigmoid(constant + commonness * concept.commonness + sum);
            if let Some((told, _)) = claims.services.concepts.get(&at) {
                p = p.max(sigmoid(believed(told)));
            }
            (p >= LEAST_KEPT).then(|| {
                let mut label =
                    inferred(concept.name, LabelKind::Concept, p, concept.parents.clone());
                label.evidence = strongest(evidence);
                label
            })
        })
        .collect();
    labels.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then_with(|| a.name.cmp(&b.name)));
    labels.truncate(MOST_KEPT);
    labels
}
