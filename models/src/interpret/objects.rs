//! Objects: one answer of what detectors and classifiers say.
//!
//! A thing that detectors may find is judged by all of them together, in log-odds, with what a
//! classifier implies as further support. What only a classifier knows (a species, an artefact)
//! is named as finely as it is sure; where it wavers between kinds of one thing, the thing itself
//! is named instead (after Deng et al. 2012, "Hedging your bets").

use std::collections::{BTreeMap, HashMap, HashSet};

use glassplate_pipeline::label::{Evidence, Label, LabelKind, Synset};
use glassplate_pipeline::opinion::Opinion;
use glassplate_pipeline::record::{LabelSource, LabelState, RecordLabel};

use super::claims::{Claims, Whole};
use super::services::{believed, joined};
use super::tables::{Line, Tables};
use super::weights::{Weights, log_odds, sigmoid};
use crate::taxonomy::Class;

/// The least confidence that is kept.
const LEAST_KEPT: f32 = 0.02;
/// A classifier that gives a thing this much is heard even against detectors that do not see it:
/// it fills the picture.
const FILLS_THE_PICTURE: f32 = 0.35;
/// How often the kind is right where the thing is: EfficientNet-Lite0's published top-1 accuracy
/// on ImageNet, 0.75.
const RIGHT_KIND: f32 = 0.75;
/// The least that kinds together must give a broader thing for it to be named.
const LEAST_BROADER: f32 = 0.25;
/// A broader thing is named only where it says more than its likeliest kind by this factor.
const SAYS_MORE: f32 = 1.25;
/// The most broader things named.
const MOST_BROADER: usize = 4;

/// Something that is in the picture with some probability, and what speaks for it.
pub(super) struct Thing {
    pub(super) label: RecordLabel,
    pub(super) line: Line,
    /// Whether detectors were asked for it: then it tells of the scene by itself, and what a
    /// classifier gives it does not count again.
    pub(super) located: bool,
    /// Its probability after rulings: 0 when refused, 1 when confirmed.
    pub(super) p: f32,
}

/// Merges everything said of objects; the surest first.
pub(super) fn merge(
    tables: &Tables,
    weights: &Weights,
    claims: &Claims<'_>,
    monochrome: bool,
) -> Vec<Thing> {
    let mut things = located(tables, weights, claims, monochrome);
    let known: HashMap<String, f32> =
        things.iter().map(|thing| (thing.line[0].clone(), thing.label.confidence)).collect();
    let whole = claims.whole.iter().filter(|one| !known.contains_key(&one.line[0]));
    things.extend(whole.map(|one| kind(tables, weights, one, &known)));
    things.extend(broader(tables, weights, claims, &known));
    for thing in &mut things {
        let label = &thing.label;
        let ruled = claims.rulings.on(LabelKind::Object, &label.name, label.wordnet.as_ref());
        thing.p = ruled.map_or(label.confidence, f32::from);
    }
    things.retain(|thing| thing.label.confidence >= LEAST_KEPT);
    things.extend(added(tables, claims, &things));
    things.sort_by(|a, b| b.label.confidence.total_cmp(&a.label.confidence));
    things
}

/// What detectors saw or could have seen, each thing judged by all of them.
fn located(
    tables: &Tables,
    weights: &Weights,
    claims: &Claims<'_>,
    monochrome: bool,
) -> Vec<Thing> {
    let mut seen: BTreeMap<&String, (&Label, &Opinion)> = BTreeMap::new();
    for (opinion, labels) in &claims.located {
        for (key, label) in labels {
            let best = seen.entry(key).or_insert((label, opinion));
            if label.confidence > best.0.confidence {
                *best = (label, opinion);
            }
        }
    }
    let of_networks: HashSet<&String> = seen.keys().copied().collect();
    for (key, &(label, opinion)) in &claims.services.things {
        let stated = seen.entry(key).or_insert((label, opinion));
        // A box is worth more than a number.
        let rank = |label: &Label| (!label.instances.is_empty(), label.confidence);
        if rank(label) > rank(stated.0) {
            *stated = (label, opinion);
        }
    }
    // What detectors know and did not see counts against a classifier that implies it.
    let asked = claims.located.iter().any(|(by, _)| weights.detector(&by.maker.model).is_some());
    let mut implied: BTreeMap<&String, (Label, &Opinion)> = BTreeMap::new();
    for one in claims.whole.iter().filter(|_| asked) {
        for key in one.line.iter().filter(|key| !seen.contains_key(key)) {
            if let Some(class) = tables.located_class(key) {
                implied.entry(key).or_insert_with(|| (plain(class), one.by));
            }
        }
    }
    seen.extend(implied.iter().map(|(key, (label, by))| (*key, (label, *by))));
    seen.into_iter()
        .map(|(key, (label, by))| {
            let voices = voices(weights, claims, key);
            let [constant, share, support, told] = weights.fusion(voices.len());
            let told = if voices.iter().any(|voice| voice.told) { told } else { 0.0 };
            let implied = claims.support(key);
            let supported = support * ((implied + 0.01) / 0.01).ln();
            let sum: f32 = voices.iter().map(|voice| voice.log_odds).sum();
            let mut z = constant + told + share * sum + supported;
            if monochrome {
                z = weights.monochrome(z);
            }
            let mut p = sigmoid(z);
            if implied >= FILLS_THE_PICTURE {
                p = p.max(weights.single(implied));
            }
            let mut evidence: Vec<Evidence> = voices
                .iter()
                .filter(|voice| voice.told)
                .map(|voice| evidence(&label.name, share * voice.gained, &voice.by))
                .collect();
            evidence.extend(kinds_of(claims, key).map(|one| {
                let weight = supported * one.p / implied;
                evidence_of(&one.label.name, weight, one.by)
            }));
            let line = tables.line(&label.name, label.wordnet.as_ref(), &label.parents);
            let mut tells = true;
            if let Some((told, service)) = claims.services.things.get(key) {
                // Networks that neither saw the thing nor looked for it have nothing to say of it.
                let heard = of_networks.contains(key)
                    || implied > 0.0
                    || asked && tables.located_class(key).is_some();
                let own = believed(told);
                let z = if heard { joined(log_odds(p), own) } else { own };
                let before = if heard { log_odds(p) } else { log_odds(0.01) };
                evidence.push(evidence_of(&told.name, z - before, service));
                p = sigmoid(z);
                tells = of_networks.contains(key) || !claims.services.broader.contains(key);
            }
            let mut label = stated(tables, label, by, &line, p);
            label.evidence = strongest(evidence);
            Thing { label, line, located: tells, p }
        })
        .collect()
}

/// A class of the detectors' list as a label that nobody located.
fn plain(class: &Class) -> Label {
    Label {
        name: class.name.clone(),
        kind: LabelKind::Object,
        confidence: 0.0,
        wordnet: class.wordnet.clone(),
        parents: class.parents.clone(),
        instances: Vec::new(),
        evidence: Vec::new(),
    }
}

/// One detector's log-odds of a thing, and how much of them it gained by seeing it.
struct Voice {
    by: String,
    told: bool,
    log_odds: f32,
    gained: f32,
}

/// What each detector that looks for the thing says; one that was never fitted, and does not
/// say it, may not know it.
fn voices(weights: &Weights, claims: &Claims<'_>, key: &str) -> Vec<Voice> {
    let voice = |(opinion, labels): &(&Opinion, HashMap<String, &Label>)| {
        let model = &opinion.maker.model;
        let told = labels.get(key).map(|label| {
            let others = label.instances.iter().skip(1).map(|one| one.confidence).sum();
            (label.confidence, others)
        });
        let (spoken, silent) = match weights.detector(model) {
            Some(detector) => (detector.log_odds(told), detector.log_odds(None)),
            None => (log_odds(told?.0), log_odds(0.01)),
        };
        let gained = spoken - silent;
        Some(Voice { by: model.clone(), told: told.is_some(), log_odds: spoken, gained })
    };
    claims.located.iter().filter_map(voice).collect()
}

fn kinds_of<'a>(claims: &'a Claims<'a>, key: &'a str) -> impl Iterator<Item = &'a Whole<'a>> {
    claims.whole.iter().filter(move |one| one.p >= 0.05 && one.line.iter().any(|name| name == key))
}

/// What a classifier alone names: never surer than the thing it is a kind of.
fn kind(
    tables: &Tables,
    weights: &Weights,
    one: &Whole<'_>,
    known: &HashMap<String, f32>,
) -> Thing {
    // A refused claim keeps its own confidence: it stays in the record, as refused.
    let mut p = RIGHT_KIND * weights.single(one.label.confidence);
    if let Some(broader) = one.line.iter().filter_map(|name| known.get(name)).next() {
        p = p.min(*broader);
    }
    let label = stated(tables, one.label, one.by, &one.line, p);
    Thing { label, line: one.line.clone(), located: false, p }
}

/// Things that several kinds of which are likely, none of them enough by itself.
fn broader(
    tables: &Tables,
    weights: &Weights,
    claims: &Claims<'_>,
    known: &HashMap<String, f32>,
) -> Vec<Thing> {
    let mut sums: HashMap<&str, (f32, f32)> = HashMap::new();
    for one in &claims.whole {
        for name in &one.line[1..] {
            let (sum, most) = sums.entry(name).or_default();
            *sum += one.p;
            *most = most.max(one.p);
        }
    }
    let mut found: Vec<(&str, f32, Line)> = sums
        .into_iter()
        .filter(|(name, (sum, most))| {
            *sum >= LEAST_BROADER
                && *sum >= SAYS_MORE * most
                && !known.contains_key(*name)
                && tables.is_used(name)
        })
        .filter_map(|(name, (sum, _))| Some((name, sum, tables.line_of(&Synset::parse(name)?))))
        .filter(|(_, _, line)| tables.category(line).is_some())
        .collect();
    // Of a line the narrowest that says as much: `dog` before `canine`.
    found.sort_by(|a, b| b.2.len().cmp(&a.2.len()).then_with(|| a.0.cmp(b.0)));
    let mut told: HashMap<&str, f32> = HashMap::new();
    let mut covered: HashSet<String> = HashSet::new();
    let mut things = Vec::new();
    for (name, sum, line) in &found {
        let narrower = told.iter().any(|(narrow, its)| {
            *its * SAYS_MORE > *sum && covered.contains(&format!("{narrow}<{name}"))
        });
        if narrower || things.len() == MOST_BROADER {
            continue;
        }
        told.insert(name, *sum);
        covered.extend(line[1..].iter().map(|above| format!("{name}<{above}")));
        let Some(by) = kinds_of(claims, name).next().map(|one| one.by) else { continue };
        let synset = Synset::parse(name).expect("a name of a line that is a synset");
        let (word, parents) = tables.names(&synset);
        let label = Label {
            name: word,
            kind: LabelKind::Object,
            confidence: *sum,
            wordnet: Some(synset),
            parents,
            instances: Vec::new(),
            evidence: Vec::new(),
        };
        let p = weights.single(*sum);
        let mut label = stated(tables, &label, by, line, p);
        let kinds = kinds_of(claims, name);
        label.evidence = strongest(
            kinds
                .map(|one| {
                    evidence_of(
                        &one.label.name,
                        one.p / sum * (log_odds(p) - log_odds(0.01)),
                        one.by,
                    )
                })
                .collect(),
        );
        things.push(Thing { label, line: line.clone(), located: false, p });
    }
    things
}

/// What people added and nobody claimed: it tells of scenes and concepts; the label is the fold's.
fn added(tables: &Tables, claims: &Claims<'_>, things: &[Thing]) -> Vec<Thing> {
    let mut added: Vec<Thing> = Vec::new();
    for decision in claims.rulings.standing(LabelKind::Object) {
        let line = tables.line(&decision.label, decision.wordnet.as_ref(), &[]);
        let known = |thing: &Thing| {
            thing.line[0] == line[0]
                || (thing.label.name == decision.label && decision.wordnet.is_none())
        };
        if things.iter().any(known) || added.iter().any(known) {
            continue;
        }
        let mut label = RecordLabel::of_person(decision);
        label.category = tables.category(&line).map(str::to_owned);
        added.push(Thing { label, line, located: true, p: 1.0 });
    }
    added
}

fn stated(tables: &Tables, claim: &Label, by: &Opinion, line: &Line, p: f32) -> RecordLabel {
    let mut label = RecordLabel::proposed(claim, by);
    label.confidence = p;
    label.category = tables.category(line).map(str::to_owned);
    label
}

/// The source of what is inferred: glassplate itself, of this program's version.
pub(super) fn inferred(
    name: &str,
    kind: LabelKind,
    confidence: f32,
    parents: Vec<String>,
) -> RecordLabel {
    RecordLabel {
        name: name.to_owned(),
        kind,
        confidence,
        wordnet: None,
        parents,
        category: None,
        instances: Vec::new(),
        evidence: Vec::new(),
        state: LabelState::Proposed,
        doubts: Vec::new(),
        source: LabelSource {
            backend: "glassplate".to_owned(),
            model: "interpreter".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            run: None,
        },
        ruled: None,
    }
}

fn evidence(name: &str, weight: f32, by: &str) -> Evidence {
    Evidence { name: name.to_owned(), kind: LabelKind::Object, weight, by: Some(by.to_owned()) }
}

fn evidence_of(name: &str, weight: f32, by: &Opinion) -> Evidence {
    evidence(name, weight, &by.maker.model)
}

/// The most evidence that a label lists.
const MOST_EVIDENCE: usize = 8;
/// What weighs less, in log-odds, is not listed.
const LEAST_EVIDENCE: f32 = 0.1;

/// The evidence that weighs most, either way; the heaviest first.
pub(super) fn strongest(mut evidence: Vec<Evidence>) -> Vec<Evidence> {
    evidence.retain(|one| one.weight.abs() >= LEAST_EVIDENCE);
    evidence.sort_by(|a, b| {
        b.weight.abs().total_cmp(&a.weight.abs()).then_with(|| a.name.cmp(&b.name))
    });
    evidence.truncate(MOST_EVIDENCE);
    evidence
}
