//! Sorts testimony by what it can tell: things located, the whole picture named, the place.
//!
//! A labeller is known by its claims, not by its name, so that models of users and services
//! take part: whoever gives places in the picture locates, whoever names objects without
//! them looks at the whole, and kinds speak for themselves. Services alone are known by name: what
//! their confidences mean cannot be seen from their claims.

use std::collections::{BTreeMap, HashMap};

use glassplate_pipeline::decision::{Decision, Ruling};
use glassplate_pipeline::label::{Label, LabelKind, Synset};
use glassplate_pipeline::opinion::Opinion;
use glassplate_pipeline::ports::Testimony;

use super::services::{Services, is_service};
use super::tables::{Line, Tables};

/// The testimony, sorted.
pub(super) struct Claims<'a> {
    /// Each labeller that locates, with what it saw by the thing's own name in the tables.
    pub(super) located: Vec<(&'a Opinion, HashMap<String, &'a Label>)>,
    /// What those who look at the whole picture name, averaged over them; surest first.
    pub(super) whole: Vec<Whole<'a>>,
    /// What scene networks give each scene, averaged over them, or for want of one what the picture
    /// looks like; by index.
    pub(super) places: BTreeMap<usize, Claimed<'a>>,
    /// Which of the two.
    pub(super) eyes: Eyes,
    /// What labellers that claim concepts themselves say; by index.
    pub(super) concepts: BTreeMap<usize, Claimed<'a>>,
    /// What services say, which is none of the above.
    pub(super) services: Services<'a>,
    pub(super) rulings: Rulings<'a>,
}

/// Who sees what place it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Eyes {
    /// A scene network.
    Network,
    /// An embedding, by its looks.
    Looks,
    /// Nobody: things and classes alone speak for places.
    Nobody,
}

/// One class that the whole picture was named by.
pub(super) struct Whole<'a> {
    pub(super) label: &'a Label,
    /// Whose claim is the surest.
    pub(super) by: &'a Opinion,
    pub(super) line: Line,
    /// Its probability after rulings, 0 to 1.
    pub(super) p: f32,
}

/// A scene or a concept that a labeller claims itself.
#[derive(Clone, Copy)]
pub(super) struct Claimed<'a> {
    pub(super) by: &'a Opinion,
    pub(super) p: f32,
}

/// What people ruled, so that it can be asked for by thing, scene or concept.
pub(super) struct Rulings<'a> {
    decisions: &'a [Decision],
}

impl<'a> Rulings<'a> {
    /// Tells the last ruling on a label, as whether it holds.
    pub(super) fn on(&self, kind: LabelKind, name: &str, wordnet: Option<&Synset>) -> Option<bool> {
        let about = |decision: &&Decision| {
            decision.kind == kind
                && match (wordnet, &decision.wordnet) {
                    (Some(a), Some(b)) => a == b,
                    _ => decision.label == name,
                }
        };
        self.decisions.iter().rev().find(about).map(|decision| decision.ruling != Ruling::Reject)
    }

    /// The decisions by which something is there, of one kind.
    pub(super) fn standing(&self, kind: LabelKind) -> impl Iterator<Item = &'a Decision> + '_ {
        let last = move |decision: &&Decision| {
            self.on(kind, &decision.label, decision.wordnet.as_ref()) == Some(true)
        };
        let decisions = self.decisions.iter().filter(move |decision| decision.kind == kind);
        decisions.filter(|decision| decision.ruling != Ruling::Reject).filter(last)
    }

    /// What a person made of a thing named: confirmed, refused (be it by something broader), or nothing.
    fn on_named(&self, label: &Label, line: &Line) -> Option<bool> {
        let refused_broader = |decision: &Decision| {
            decision.kind == LabelKind::Object
                && decision.wordnet.as_ref().is_some_and(|synset| {
                    line[1..].iter().any(|name| name == synset.as_str())
                        && self.on(LabelKind::Object, &decision.label, Some(synset)) == Some(false)
                })
        };
        self.on(LabelKind::Object, &label.name, label.wordnet.as_ref())
            .or_else(|| self.decisions.iter().any(refused_broader).then_some(false))
    }
}

impl<'a> Claims<'a> {
    pub(super) fn sort(tables: &Tables, testimony: &Testimony<'a>) -> Self {
        let rulings = Rulings { decisions: testimony.decisions };
        let (mut located, mut naming, mut placing, mut meaning) = (vec![], vec![], vec![], vec![]);
        let (services, networks): (Vec<&Opinion>, Vec<&Opinion>) =
            testimony.opinions.iter().partition(|opinion| is_service(opinion));
        for &opinion in &networks {
            let labels = opinion.labels();
            let of = |kind| labels.iter().filter(move |label| label.kind == kind);
            if of(LabelKind::Object).any(|label| !label.instances.is_empty()) {
                let key = |label: &&'a Label| (key(tables, label), *label);
                located.push((opinion, of(LabelKind::Object).map(|label| key(&label)).collect()));
            } else if of(LabelKind::Object).next().is_some() {
                naming.push(opinion);
            }
            if of(LabelKind::Scene).next().is_some() {
                placing.push(opinion);
            }
            if of(LabelKind::Concept).next().is_some() {
                meaning.push(opinion);
            }
        }
        let mut whole = named(tables, &naming);
        for one in &mut whole {
            if let Some(holds) = rulings.on_named(one.label, &one.line) {
                one.p = f32::from(holds);
            }
        }
        let mut places = averaged(&placing, LabelKind::Scene, |name| tables.scene(name));
        let mut eyes = if places.is_empty() { Eyes::Nobody } else { Eyes::Network };
        if eyes == Eyes::Nobody
            && let Some(looks) = tables.looks.places(&networks)
        {
            (places, eyes) = (looks, Eyes::Looks);
        }
        Self {
            located,
            whole,
            places,
            eyes,
            concepts: averaged(&meaning, LabelKind::Concept, |name| tables.concept(name)),
            services: Services::sort(tables, &services),
            rulings,
        }
    }

    /// The sum of what is given to a thing and everything narrower.
    pub(super) fn support(&self, thing: &str) -> f32 {
        let kinds = self.whole.iter().filter(|one| one.line.iter().any(|name| name == thing));
        kinds.map(|one| one.p).sum()
    }
}

/// The name under which the tables know a thing: its synset, or `~name`.
pub(super) fn key(tables: &Tables, label: &Label) -> String {
    tables.line(&label.name, label.wordnet.as_ref(), &label.parents).swap_remove(0)
}

fn named<'a>(tables: &Tables, naming: &[&'a Opinion]) -> Vec<Whole<'a>> {
    let mut by_key: BTreeMap<String, Whole<'a>> = BTreeMap::new();
    for &opinion in naming {
        for label in opinion.labels().iter().filter(|label| label.kind == LabelKind::Object) {
            let line = tables.line(&label.name, label.wordnet.as_ref(), &label.parents);
            let share = label.confidence.clamp(0.0, 1.0) / naming.len() as f32;
            let one = by_key.entry(line[0].clone()).or_insert_with(|| Whole {
                label,
                by: opinion,
                line,
                p: 0.0,
            });
            one.p += share;
            if label.confidence > one.label.confidence {
                (one.label, one.by) = (label, opinion);
            }
        }
    }
    let mut whole: Vec<_> = by_key.into_values().collect();
    whole.sort_by(|a, b| b.p.total_cmp(&a.p).then_with(|| a.label.name.cmp(&b.label.name)));
    whole
}

fn averaged<'a>(
    speakers: &[&'a Opinion],
    kind: LabelKind,
    find: impl Fn(&str) -> Option<usize>,
) -> BTreeMap<usize, Claimed<'a>> {
    let mut found: BTreeMap<usize, Claimed<'a>> = BTreeMap::new();
    for &by in speakers {
        for label in by.labels().iter().filter(|label| label.kind == kind) {
            if let Some(at) = find(&label.name) {
                let claimed = found.entry(at).or_insert(Claimed { by, p: 0.0 });
                claimed.p += label.confidence.clamp(0.0, 1.0) / speakers.len() as f32;
            }
        }
    }
    found
}
