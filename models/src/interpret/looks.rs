//! Looks: what a picture's embedding says of the place, for want of a scene network.
//!
//! An embedding is a by-product of the classifier and is kept with its opinion, so this costs no
//! further look and holds for archives that were labelled before. A few looks are told apart, each of
//! several scenes, and everything else is elsewhere (`fit/looks.py`).

use std::collections::{BTreeMap, HashMap};

use glassplate_pipeline::embedding::{DIMENSIONS, Embedding};
use glassplate_pipeline::opinion::Opinion;

use super::claims::Claimed;

pub(super) const TEXT: &str = include_str!("../../taxonomy/looks.tsv");

/// What embeddings are brought to before they are weighed.
const LENGTH: f32 = 10.0;
/// A look less likely than this is not told.
const LEAST_TOLD: f32 = 2e-4;

/// The looks of one space of embeddings.
#[derive(Debug)]
pub(super) struct Looks {
    space: &'static str,
    all: Vec<Look>,
}

#[derive(Debug)]
struct Look {
    /// The scenes that look so; of elsewhere none.
    scenes: Vec<usize>,
    constant: f32,
    weights: [f32; DIMENSIONS],
}

impl Looks {
    /// Reads the table, which a test reads whole.
    pub(super) fn load(scene_keys: &HashMap<&'static str, usize>) -> Self {
        let mut lines = TEXT.lines().filter(|line| !line.starts_with('#'));
        let space = lines.next().and_then(|line| line.strip_prefix("space\t"));
        let read = |line: &'static str| Look::read(line, scene_keys);
        let all: Option<Vec<Look>> = lines.map(read).collect();
        Self { space: space.unwrap_or_default(), all: all.unwrap_or_default() }
    }

    /// What the opinions' embeddings give each scene, by index; nothing when there is none of this space.
    pub(super) fn places<'a>(
        &self,
        opinions: &[&'a Opinion],
    ) -> Option<BTreeMap<usize, Claimed<'a>>> {
        let seen = |opinion: &&'a Opinion| Some((*opinion, opinion.embedding.as_ref()?));
        let mut seen = opinions.iter().filter_map(seen);
        let (by, embedding) = seen.find(|(_, one)| one.space.as_str() == self.space)?;
        let mut places = BTreeMap::new();
        for (look, p) in self.all.iter().zip(self.shares(embedding)) {
            for &scene in look.scenes.iter().filter(|_| p >= LEAST_TOLD) {
                let claimed = places.entry(scene).or_insert(Claimed { by, p });
                claimed.p = claimed.p.max(p);
            }
        }
        Some(places)
    }

    /// How likely each look is; together 1.
    fn shares(&self, embedding: &Embedding) -> Vec<f32> {
        let values = embedding.values.map(f32::from);
        let length = values.iter().map(|value| value * value).sum::<f32>().sqrt().max(1.0);
        let z = self.all.iter().map(|look| {
            let terms = look.weights.iter().zip(values).map(|(weight, value)| weight * value);
            look.constant + terms.sum::<f32>() * LENGTH / length
        });
        let z: Vec<f32> = z.collect();
        let most = z.iter().copied().fold(f32::MIN, f32::max);
        let shares: Vec<f32> = z.iter().map(|z| (z - most).exp()).collect();
        let sum: f32 = shares.iter().sum();
        shares.into_iter().map(|share| share / sum).collect()
    }
}

impl Look {
    fn read(line: &str, scene_keys: &HashMap<&'static str, usize>) -> Option<Self> {
        let columns: Vec<&str> = line.split('\t').collect();
        let [_, scenes, constant, weights] = columns[..] else { return None };
        let scenes = scenes.split(", ").filter(|key| !key.is_empty());
        let weights: Result<Vec<f32>, _> = weights.split(' ').map(str::parse).collect();
        Some(Self {
            scenes: scenes.map(|key| scene_keys.get(key).copied()).collect::<Option<_>>()?,
            constant: constant.parse().ok()?,
            weights: weights.ok()?.try_into().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use glassplate_pipeline::embedding::Space;

    use super::super::tables::{Tables, scene_keys};
    use super::*;
    use crate::taxonomy::Objects;

    fn seen(look: &Look, space: &str) -> Embedding {
        Embedding::of(&Space::named(space), &look.weights).expect("a direction")
    }

    #[test]
    fn the_table_is_read_whole_and_what_lies_along_a_look_looks_so() {
        let looks = Looks::load(&scene_keys());
        let rows = TEXT.lines().filter(|line| !line.starts_with('#')).count() - 1;
        assert_eq!((looks.all.len(), rows > 10), (rows, true));
        assert_eq!(looks.all.iter().filter(|look| look.scenes.is_empty()).count(), 1);
        for (at, look) in looks.all.iter().enumerate() {
            let shares = looks.shares(&seen(look, looks.space));
            assert!((shares.iter().sum::<f32>() - 1.0).abs() < 1e-4);
            assert!(shares[at] > 0.9, "{at}: {shares:?}");
        }
        let tables = Tables::load(Objects::load());
        let kitchen = tables.scene("kitchen").expect("a scene");
        assert!(looks.all.iter().any(|look| look.scenes.first() == Some(&kitchen)));
    }
}
