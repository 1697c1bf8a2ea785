//! Scenes: where the picture plays, from the things in it and from what a scene network says, or for want
//! of one what the picture looks like.
//!
//! Every scene gets log-odds: a thing adds its strength towards the scene as often as it is
//! there. Their softmax is shared out between indoors and outdoors as the setting has it, and
//! a share becomes the probability that a person would accept the scene.

use glassplate_pipeline::label::{Evidence, LabelKind};
use glassplate_pipeline::record::RecordLabel;

use super::claims::Claims;
use super::objects::{Thing, inferred, strongest};
use super::services::{believed, joined};
use super::tables::Tables;
use super::weights::{Inferred, LEAST_THING, POWER, log_odds, sigmoid};

/// At most so many scenes are kept.
const MOST_KEPT: usize = 12;
/// A share of all scenes below this is not kept.
const LEAST_KEPT: f32 = 0.002;

/// What is known of the place.
pub(super) struct Places {
    /// The share of each scene, by index; together 1, or nothing at all.
    pub(super) shares: Vec<f32>,
    /// The labels, the likeliest first.
    pub(super) labels: Vec<RecordLabel>,
}

/// Infers the scenes, and whether they are indoors or out.
pub(super) fn infer(
    tables: &Tables,
    weights: &Inferred,
    claims: &Claims<'_>,
    things: &[Thing],
    monochrome: bool,
) -> Places {
    let voices = voices(tables, weights, claims, things);
    let silent = voices.is_empty() && claims.services.settings.is_empty();
    if silent && claims.rulings.standing(LabelKind::Scene).next().is_none() {
        return Places { shares: vec![0.0; tables.scenes.len()], labels: Vec::new() };
    }
    let mut z = vec![0.0_f32; tables.scenes.len()];
    for voice in &voices {
        for &(scene, weight) in &voice.says {
            z[scene] += weight;
        }
    }
    let mut shares = softmax(&z);
    let outdoor = sigmoid(outdoor(tables, weights, claims, &shares));
    share_out(tables, &mut shares, outdoor);
    let before = shares.clone();
    rule(tables, claims, &mut shares);
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by(|&a, &b| before[b].total_cmp(&before[a]).then(a.cmp(&b)));
    if voices.is_empty() && !claims.services.settings.is_empty() {
        // Indoors or out alone says nothing of the place.
        order.clear();
    }
    let mut labels: Vec<_> = order
        .into_iter()
        .enumerate()
        .filter(|&(rank, scene)| {
            rank < MOST_KEPT && before[scene] >= LEAST_KEPT
                || claims.services.scenes.contains_key(&scene)
        })
        .map(|(_, scene)| scene)
        .map(|scene| {
            let mut sure = weights.accepted(before[scene], monochrome);
            if let Some((said, _)) = claims.services.scenes.get(&scene) {
                sure = sigmoid(joined(log_odds(sure), believed(said)));
            }
            let told = &tables.scenes[scene];
            let mut label = inferred(told.name, LabelKind::Scene, sure, told.parents.clone());
            label.evidence = evidence(&voices, scene);
            label
        })
        .collect();
    labels.push(setting(&voices, tables, outdoor));
    Places { shares, labels }
}

/// One claim and what it says of scenes, in log-odds.
struct Voice {
    name: String,
    kind: LabelKind,
    by: Option<String>,
    says: Vec<(usize, f32)>,
}

fn voices(
    tables: &Tables,
    weights: &Inferred,
    claims: &Claims<'_>,
    things: &[Thing],
) -> Vec<Voice> {
    let ([of_places, of_things, of_classes], least) = (weights.scene(), claims.eyes.least());
    let scaled = |scenes: &[(usize, f32)], by: f32| -> Vec<(usize, f32)> {
        scenes.iter().map(|&(scene, strength)| (scene, strength * by)).collect()
    };
    let mut voices = Vec::new();
    for thing in things.iter().filter(|thing| thing.located && thing.p >= LEAST_THING) {
        let says = scaled(tables.scenes_of(&thing.line), of_things * thing.p);
        let by = Some(thing.label.source.model.clone());
        voices.push(Voice { name: thing.label.name.clone(), kind: LabelKind::Object, by, says });
    }
    for one in claims.whole.iter().filter(|one| one.p > 0.0) {
        let says = scaled(tables.scenes_of(&one.line), of_classes * one.p.powf(POWER));
        let by = Some(one.by.maker.model.clone());
        voices.push(Voice { name: one.label.name.clone(), kind: LabelKind::Object, by, says });
    }
    for (&scene, claimed) in &claims.places {
        let weight = of_places * ((claimed.p + least) / least).ln();
        let (name, by) =
            (tables.scenes[scene].name.to_owned(), Some(claimed.by.maker.model.clone()));
        voices.push(Voice { name, kind: LabelKind::Scene, by, says: vec![(scene, weight)] });
    }
    // One sure scene holds its own against all others together, of which nobody speaks.
    let others = (tables.scenes.len() as f32).ln();
    for (&scene, (label, by)) in &claims.services.scenes {
        let (name, by) = (label.name.clone(), Some(by.maker.model.clone()));
        voices.push(Voice {
            name,
            kind: LabelKind::Scene,
            by,
            says: vec![(scene, believed(label) + others)],
        });
    }
    voices.retain(|voice| !voice.says.is_empty());
    voices
}

fn evidence(voices: &[Voice], scene: usize) -> Vec<Evidence> {
    let said = |voice: &Voice| {
        let weight = voice.says.iter().find(|(of, _)| *of == scene)?.1;
        let (name, by) = (voice.name.clone(), voice.by.clone());
        Some(Evidence { name, kind: voice.kind, weight, by })
    };
    strongest(voices.iter().filter_map(said).collect())
}

fn softmax(z: &[f32]) -> Vec<f32> {
    let most = z.iter().copied().fold(f32::MIN, f32::max);
    let mut shares: Vec<f32> = z.iter().map(|z| (z - most).exp()).collect();
    let sum: f32 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share /= sum);
    shares
}

fn outdoor(tables: &Tables, weights: &Inferred, claims: &Claims<'_>, shares: &[f32]) -> f32 {
    let out = |scene: usize| !tables.scenes[scene].indoor;
    let all: f32 = shares.iter().enumerate().filter(|(s, _)| out(*s)).map(|(_, share)| share).sum();
    let seen = if claims.places.is_empty() {
        0.0
    } else {
        let sum: f32 = claims.places.values().map(|claimed| claimed.p).sum();
        let places = claims.places.iter().filter(|(scene, _)| out(**scene));
        let outside: f32 = places.map(|(_, claimed)| claimed.p).sum();
        log_odds((outside / sum).clamp(0.01, 0.99))
    };
    weights.outdoor(log_odds(all.clamp(0.01, 0.99)), seen) + claims.services.outdoor()
}

/// Gives all outdoor scenes together the share that the setting has.
fn share_out(tables: &Tables, shares: &mut [f32], outdoor: f32) {
    let out: f32 =
        shares.iter().zip(&tables.scenes).filter(|(_, s)| !s.indoor).map(|(p, _)| p).sum();
    for (share, scene) in shares.iter_mut().zip(&tables.scenes) {
        *share *= if scene.indoor {
            (1.0 - outdoor) / (1.0 - out).max(1e-6)
        } else {
            outdoor / out.max(1e-6)
        };
    }
}

/// Takes rulings as facts: refused scenes have no share, confirmed ones all of it.
fn rule(tables: &Tables, claims: &Claims<'_>, shares: &mut [f32]) {
    let standing: Vec<usize> = claims
        .rulings
        .standing(LabelKind::Scene)
        .filter_map(|decision| tables.scene(&decision.label))
        .collect();
    if !standing.is_empty() {
        shares.fill(0.0);
        standing.iter().for_each(|&scene| shares[scene] = 1.0 / standing.len() as f32);
        return;
    }
    for (share, scene) in shares.iter_mut().zip(&tables.scenes) {
        if claims.rulings.on(LabelKind::Scene, scene.name, None) == Some(false) {
            *share = 0.0;
        }
    }
    let sum: f32 = shares.iter().sum();
    if sum > 0.0 {
        shares.iter_mut().for_each(|share| *share /= sum);
    }
}

/// The setting as a label of its own: `indoor` or `outdoor`.
fn setting(voices: &[Voice], tables: &Tables, outdoor: f32) -> RecordLabel {
    let (name, sure) =
        if outdoor >= 0.5 { ("outdoor", outdoor) } else { ("indoor", 1.0 - outdoor) };
    let mut label = inferred(name, LabelKind::Scene, sure, Vec::new());
    let toward = |voice: &Voice| {
        let strengths = voice.says.iter().filter(|(_, weight)| *weight > 0.0);
        let strengths = strengths.map(|&(scene, weight)| {
            if tables.scenes[scene].indoor == (name == "indoor") { weight } else { -weight }
        });
        // The mean over the scenes that it speaks for.
        let weight = strengths.sum::<f32>() / voice.says.len() as f32;
        Evidence { name: voice.name.clone(), kind: voice.kind, weight, by: voice.by.clone() }
    };
    label.evidence = strongest(voices.iter().map(toward).collect());
    label
}
