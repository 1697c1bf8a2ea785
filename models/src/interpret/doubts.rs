//! Doubts: labels that a person should look at before they are shown.
//!
//! Some kinds of thing look alike although they are far apart: a muffin and a chihuahua, a poodle
//! and fried chicken, a jersey and a towel. Where the picture's main subject may be of
//! two such categories, what is claimed of either waits. And nothing can be in a picture that
//! did not exist when it was taken.

use glassplate_pipeline::days::Days;
use glassplate_pipeline::record::{Doubt, DoubtKind};

use super::claims::Claims;
use super::objects::Thing;
use super::tables::Tables;
use super::weights::log_odds;

/// Categories that are mistaken for each other.
const LOOK_ALIKE: [&str; 4] =
    ["animals and pets", "food and beverage", "apparel and accessories", "toys and games"];
/// What a classifier gives a category counts as at least this.
const LEAST_MASS: f32 = 0.01;
/// How much detectors count against the classifier, in log-odds of their own.
const OF_DETECTORS: f32 = 0.4;
/// A category that has this much of the contest has won it.
const WON: f32 = 0.75;
/// A category that has less than this of the contest is no rival.
const RIVAL: f32 = 0.2;
/// Below this, no category is claimed of the main subject, and there is no contest.
const CONTESTED: f32 = 0.15;
/// A thing that covers less of the picture is not its main subject.
const MAIN_SUBJECT: f32 = 0.15;
/// A thing this sure is there, whatever else may be.
const BEYOND_DOUBT: f32 = 0.8;

/// Puts doubts on labels.
pub(super) fn doubt(
    tables: &Tables,
    claims: &Claims<'_>,
    things: &mut [Thing],
    taken: Option<Days>,
) {
    confusable(tables, claims, things);
    if let Some(taken) = taken {
        anachronism(tables, things, taken);
    }
}

fn confusable(tables: &Tables, claims: &Claims<'_>, things: &mut [Thing]) {
    let shares = contest(tables, claims, things);
    let Some(shares) = shares else { return };
    let mut order = [0, 1, 2, 3];
    order.sort_by(|&a, &b| shares[b].total_cmp(&shares[a]));
    let [first, second, ..] = order;
    for thing in things.iter_mut().filter(|thing| at_stake(thing)) {
        let category = thing.label.category.as_deref();
        let Some(own) = LOOK_ALIKE.iter().position(|known| Some(*known) == category) else {
            continue;
        };
        let lost = own != first && shares[first] >= WON;
        let open =
            shares[first] < WON && shares[second] >= RIVAL && (own == first || own == second);
        if lost || open {
            let other = LOOK_ALIKE[if own == first { second } else { first }];
            let reason = format!(
                "{} or {other}: {:.0} to {:.0} in a hundred",
                LOOK_ALIKE[own],
                shares[own] * 100.0,
                shares[if own == first { second } else { first }] * 100.0
            );
            thing.label.doubts.push(Doubt { kind: DoubtKind::Confusable, reason });
        }
    }
}

/// How the main subject is shared among the look-alikes; nothing when it is none of them.
fn contest(tables: &Tables, claims: &Claims<'_>, things: &[Thing]) -> Option<[f32; 4]> {
    let mut claimed = 0.0_f32;
    let z = LOOK_ALIKE.map(|category| {
        let of_it = claims.whole.iter().filter(|one| tables.category(&one.line) == Some(category));
        let mass: f32 = of_it.map(|one| one.p).sum();
        let seen = things
            .iter()
            .filter(|thing| thing.located && at_stake(thing))
            .filter(|thing| thing.label.category.as_deref() == Some(category))
            .map(|thing| thing.p)
            .fold(0.02, f32::max);
        claimed = claimed.max(mass).max(if seen > 0.02 { seen } else { 0.0 });
        (mass + LEAST_MASS).ln() + OF_DETECTORS * log_odds(seen)
    });
    let most = z.into_iter().fold(f32::MIN, f32::max);
    let shares = z.map(|z| (z - most).exp());
    let sum: f32 = shares.iter().sum();
    (claimed >= CONTESTED).then(|| shares.map(|share| share / sum))
}

/// Tells whether a thing may be another: it is large, or claimed of the whole picture, and not sure.
fn at_stake(thing: &Thing) -> bool {
    let covers = |frame: [f32; 4]| frame[2] * frame[3];
    let large = match &thing.label.instances[..] {
        [] => true,
        instances => instances.iter().any(|one| covers(one.frame) >= MAIN_SUBJECT),
    };
    large && thing.label.confidence < BEYOND_DOUBT
}

fn anachronism(tables: &Tables, things: &mut [Thing], taken: Days) {
    let last = taken.to / 10_000;
    for thing in things {
        let Some((first, why)) = tables.first_year(&thing.line) else { continue };
        if i64::try_from(last).is_ok_and(|last| last < first) {
            let label = &mut thing.label;
            let reason =
                format!("the picture is of {last} or before, {} of {first}: {why}", label.name);
            label.doubts.push(Doubt { kind: DoubtKind::Anachronism, reason });
        }
    }
}
