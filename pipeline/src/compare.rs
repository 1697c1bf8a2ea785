//! Compare: what two readings of the same assets show otherwise.
//!
//! [`Parts::as_if`](crate::record::Parts::as_if) makes the readings; here they are told apart,
//! one asset at a time, and counted. A label counts as far as a bar shows it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::asset::AssetId;
use crate::label::LabelKind;
use crate::record::{Bar, Record, RecordLabel};

/// By how much a confidence must differ for a label shown in both readings to count as changed.
const CHANGED: f32 = 0.1;
/// How many assets are named as examples of each difference.
const EXAMPLES: usize = 3;

/// Everything that differs between two readings of many assets.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// How many assets were read.
    pub assets: u64,
    /// How many of them show something else.
    pub differing: u64,
    /// How much differs, by kind; kinds without a difference are left out.
    pub totals: BTreeMap<LabelKind, Totals>,
    /// What differs, by label.
    #[serde(skip)]
    labels: BTreeMap<(LabelKind, String), LabelTally>,
}

/// How many labels of a kind differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Shown by the second reading alone.
    pub gained: u64,
    /// Shown by the first reading alone.
    pub lost: u64,
    /// Shown by both, with confidences that differ by more than 0.1.
    pub changed: u64,
}

/// The three ways to differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Shown by the second reading alone.
    Gained,
    /// Shown by the first reading alone.
    Lost,
    /// Shown by both, otherwise.
    Changed,
}

/// One label and the assets on which it differs in one way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The label's name.
    pub name: String,
    /// Its kind.
    pub kind: LabelKind,
    /// On how many assets.
    pub count: u64,
    /// The first few of them, by id.
    pub examples: Vec<AssetId>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct LabelTally {
    gained: (u64, Vec<AssetId>),
    lost: (u64, Vec<AssetId>),
    changed: (u64, Vec<AssetId>),
}

impl Comparison {
    /// Counts what one asset shows otherwise.
    pub fn add(&mut self, before: &Record, after: &Record, bar: &Bar) {
        self.assets += 1;
        let (before, after, asset) = (shown(before, bar), shown(after, bar), &after.asset);
        let mut differs = false;
        for key in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
            let way = match (before.get(key), after.get(key)) {
                (None, Some(_)) => Way::Gained,
                (Some(_), None) => Way::Lost,
                (Some(a), Some(b)) if (a - b).abs() > CHANGED => Way::Changed,
                _ => continue,
            };
            differs = true;
            *self.totals.entry(key.0).or_default().of(way) += 1;
            let (kind, name) = *key;
            let tally = self.labels.entry((kind, name.to_owned())).or_default();
            let (count, examples) = tally.of(way);
            *count += 1;
            if examples.len() < EXAMPLES {
                examples.push(asset.clone());
            }
        }
        self.differing += u64::from(differs);
    }

    /// Lists the labels that differ in one way, the most frequent first.
    pub fn labels(&self, way: Way) -> Vec<Difference> {
        let mut all: Vec<Difference> = self
            .labels
            .iter()
            .filter_map(|((kind, name), tally)| {
                let (count, examples) = match way {
                    Way::Gained => &tally.gained,
                    Way::Lost => &tally.lost,
                    Way::Changed => &tally.changed,
                };
                (*count > 0).then(|| Difference {
                    name: name.clone(),
                    kind: *kind,
                    count: *count,
                    examples: examples.clone(),
                })
            })
            .collect();
        all.sort_by(|a, b| (b.count, a.kind, &a.name).cmp(&(a.count, b.kind, &b.name)));
        all
    }
}

impl Totals {
    fn of(&mut self, way: Way) -> &mut u64 {
        match way {
            Way::Gained => &mut self.gained,
            Way::Lost => &mut self.lost,
            Way::Changed => &mut self.changed,
        }
    }
}

impl LabelTally {
    fn of(&mut self, way: Way) -> &mut (u64, Vec<AssetId>) {
        match way {
            Way::Gained => &mut self.gained,
            Way::Lost => &mut self.lost,
            Way::Changed => &mut self.changed,
        }
    }
}

/// The labels that a bar shows, each with its best confidence: two models may say the same.
fn shown<'a>(record: &'a Record, bar: &Bar) -> BTreeMap<(LabelKind, &'a str), f32> {
    let mut found: BTreeMap<(LabelKind, &str), f32> = BTreeMap::new();
    for label in record.labels.iter().filter(|label| bar.shows(label)) {
        let RecordLabel { kind, name, confidence, .. } = label;
        let held = found.entry((*kind, name)).or_insert(*confidence);
        *held = held.max(*confidence);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::tests::{claim, record};

    #[test]
    fn what_is_gained_lost_and_changed_is_counted_by_kind_and_label() {
        let scene = |name: &str, c| RecordLabel { kind: LabelKind::Scene, ..claim(name, c) };
        let before = record(
            1,
            vec![claim("dog", 0.9), claim("cat", 0.7), claim("cat", 0.6), claim("bus", 0.5)],
        );
        let after = record(
            1,
            vec![
                claim("dog", 0.79),
                claim("cat", 0.75),
                claim("bus", 0.3),
                claim("boat", 0.41),
                scene("harbor", 0.42),
            ],
        );
        let mut all = Comparison::default();
        all.add(&before, &after, &Bar::of_all(0.4));
        all.add(&record(2, vec![]), &record(2, vec![claim("boat", 0.8)]), &Bar::of_all(0.4));
        let (before_3, after_3) = (vec![claim("cat", 0.5)], vec![claim("cat", 0.59)]);
        all.add(&record(3, before_3), &record(3, after_3), &Bar::of_all(0.4));
        assert_eq!((all.assets, all.differing), (3, 2));
        assert_eq!(all.totals[&LabelKind::Object], Totals { gained: 2, lost: 1, changed: 1 });
        assert_eq!(all.totals[&LabelKind::Scene], Totals { gained: 1, lost: 0, changed: 0 });
        let gained = all.labels(Way::Gained);
        assert_eq!((gained[0].name.as_str(), gained[0].count), ("boat", 2));
        assert_eq!(gained[0].examples, [before.asset, record(2, vec![]).asset]);
        assert_eq!(gained[1].name, "harbor");
        assert_eq!(all.labels(Way::Lost)[0].name, "bus");
        assert_eq!(all.labels(Way::Changed)[0].name, "dog");
    }
}
