//! What services say: each label a claim in its own right.
//!
//! A service such as Rekognition gives boxes for some of its labels and none for others, and its
//! confidences are one a label: they neither share out a whole, as a classifier's do, nor does
//! silence mean that it looked and saw nothing, as a detector's does. So its labels speak where
//! they are told, and nowhere else.
//!
//! The numbers here are set by hand: nothing was fitted on answers of a service.

use std::collections::{BTreeMap, HashSet};

use glassplate_pipeline::label::{Label, LabelKind};
use glassplate_pipeline::opinion::Opinion;
use glassplate_pipeline::record::RecordLabel;

use super::claims::key;
use super::tables::Tables;
use super::weights::{log_odds, sigmoid};

/// The backends whose labels are claims in their own right.
const BACKENDS: [&str; 1] = ["rekognition"];
/// How far a service's own log-odds are believed.
const BELIEVED: f32 = 0.85;
/// How much of what others say is added where both say it.
const SHARED: f32 = 0.3;
/// What is said of a thing that is as likely as any other.
const COMMON: f32 = 0.05;

/// A service's label and whose it is.
pub(super) type Spoken<'a> = (&'a Label, &'a Opinion);

/// What services say, the surest of each.
#[derive(Default)]
pub(super) struct Services<'a> {
    /// Things, by their own names in the tables.
    pub(super) things: BTreeMap<String, Spoken<'a>>,
    /// The things that are only broader terms of others told: those speak for them.
    pub(super) broader: HashSet<String>,
    /// Scenes, by index.
    pub(super) scenes: BTreeMap<usize, Spoken<'a>>,
    /// Concepts, by index.
    pub(super) concepts: BTreeMap<usize, Spoken<'a>>,
    /// Indoors and outdoors, by whether it is outdoors.
    pub(super) settings: BTreeMap<bool, Spoken<'a>>,
    /// Scenes and concepts that the tables do not know, by kind and name.
    pub(super) strangers: BTreeMap<(LabelKind, &'a str), Spoken<'a>>,
}

/// Tells whether an opinion is a service's.
pub(super) fn is_service(opinion: &Opinion) -> bool {
    BACKENDS.contains(&&*opinion.maker.backend)
}

impl<'a> Services<'a> {
    pub(super) fn sort(tables: &Tables, opinions: &[&'a Opinion]) -> Self {
        let mut services = Self::default();
        let said = opinions.iter().flat_map(|by| by.labels().iter().map(move |label| (label, *by)));
        for (label, by) in said {
            let spoken = (label, by);
            match label.kind {
                LabelKind::Object => surest(&mut services.things, key(tables, label), spoken),
                LabelKind::Scene => match (tables.scene(&label.name), &*label.name) {
                    (Some(at), _) => surest(&mut services.scenes, at, spoken),
                    (None, "outdoor") => surest(&mut services.settings, true, spoken),
                    (None, "indoor") => surest(&mut services.settings, false, spoken),
                    (None, name) => surest(&mut services.strangers, (label.kind, name), spoken),
                },
                LabelKind::Concept => match tables.concept(&label.name) {
                    Some(at) => surest(&mut services.concepts, at, spoken),
                    None => {
                        surest(&mut services.strangers, (label.kind, &label.name), spoken);
                    }
                },
            }
        }
        for (name, (label, _)) in &services.things {
            let line = tables.line(&label.name, label.wordnet.as_ref(), &label.parents);
            let strangers = label.parents.iter().map(|parent| format!("~{parent}"));
            let above = line.into_iter().skip(1).chain(strangers);
            let told = above.filter(|above| above != name && services.things.contains_key(above));
            services.broader.extend(told);
        }
        services
    }

    /// The log-odds of outdoors that services add; 0 when they are silent.
    pub(super) fn outdoor(&self) -> f32 {
        let said = |outdoor| self.settings.get(&outdoor).map_or(0.0, |(label, _)| weight(label));
        said(true) - said(false)
    }

    /// What the tables do not know, as it was told.
    pub(super) fn strangers(&self) -> impl Iterator<Item = RecordLabel> + '_ {
        self.strangers.values().map(|(label, by)| {
            let mut told = RecordLabel::proposed(label, by);
            told.confidence = sigmoid(believed(label));
            told
        })
    }
}

fn surest<'a, K: Ord>(told: &mut BTreeMap<K, Spoken<'a>>, key: K, spoken: Spoken<'a>) {
    let known = told.entry(key).or_insert(spoken);
    if spoken.0.confidence > known.0.confidence {
        *known = spoken;
    }
}

/// The log-odds of what a service says, when it alone speaks.
pub(super) fn believed(label: &Label) -> f32 {
    BELIEVED * log_odds(label.confidence)
}

/// How much a service's word weighs beside others, in log-odds; never against.
pub(super) fn weight(label: &Label) -> f32 {
    (believed(label) - log_odds(COMMON)).max(0.0)
}

/// What two that do not know of each other come to, in log-odds: the surer one, and a share of what
/// the other adds. Either may be silent without knowing the thing, so nobody counts against.
pub(super) fn joined(one: f32, other: f32) -> f32 {
    one.max(other) + SHARED * (one.min(other) - log_odds(COMMON)).max(0.0)
}
