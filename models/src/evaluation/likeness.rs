//! How alike pictures are that lie near each other: whether they share what is known of them.

use std::collections::BTreeSet;

use glassplate_pipeline::embedding::Embedding;

use super::look::Looked;
use super::truth::Truth;

/// How many of the nearest are looked at.
const NEAREST: usize = 5;

/// The figures, in the order of [`parts`].
pub(super) const FIGURES: [&str; 5] =
    ["objects", "objects_grey", "objects_chance", "scenes", "scenes_chance"];

/// Of each picture, for each figure: how many of the nearest others share an object or a scene with
/// it, of how many. In `objects_grey` the picture is looked at without its colours among the others
/// in colour; a chance is what any other picture is worth.
pub(super) fn parts(looked: &[Looked]) -> Vec<[(f64, f64); 5]> {
    let (objects, scenes) = (Pool::of(looked, objects), Pool::of(looked, scenes));
    let of_picture = |(at, looked): (usize, &Looked)| {
        let own = looked.record.embedding.as_ref();
        let grey = looked.grey.as_ref().and_then(|record| record.embedding.as_ref());
        [
            objects.nearest(at, own),
            objects.nearest(at, grey),
            objects.chance(at),
            scenes.nearest(at, own),
            scenes.chance(at),
        ]
    };
    looked.iter().enumerate().map(of_picture).collect()
}

/// The pictures of which one thing is known, by their place among all.
struct Pool<'a>(Vec<(usize, &'a Embedding, BTreeSet<&'a str>)>);

impl<'a> Pool<'a> {
    fn of(looked: &'a [Looked], known: fn(&Truth) -> BTreeSet<&str>) -> Self {
        let placed = looked.iter().enumerate().filter_map(|(at, looked)| {
            Some((at, looked.record.embedding.as_ref()?, known(&looked.case.truth)))
        });
        Self(placed.filter(|(_, _, known)| !known.is_empty()).collect())
    }

    fn own(&self, picture: usize) -> Option<&BTreeSet<&'a str>> {
        let (_, _, known) = self.0.iter().find(|(at, _, _)| *at == picture)?;
        Some(known)
    }

    fn nearest(&self, picture: usize, embedding: Option<&Embedding>) -> (f64, f64) {
        let (Some(own), Some(embedding)) = (self.own(picture), embedding) else {
            return (0.0, 0.0);
        };
        let others = self.0.iter().filter(|(at, _, _)| *at != picture);
        let mut others: Vec<_> = others
            .filter_map(|(_, other, known)| Some((embedding.cosine(other)?, known)))
            .collect();
        others.sort_by(|a, b| b.0.total_cmp(&a.0));
        others.truncate(NEAREST);
        let alike = others.iter().filter(|(_, known)| !own.is_disjoint(known)).count();
        (alike as f64, others.len() as f64)
    }

    fn chance(&self, picture: usize) -> (f64, f64) {
        let Some(own) = self.own(picture) else { return (0.0, 0.0) };
        let others = self.0.iter().filter(|(at, _, _)| *at != picture);
        let alike = others.filter(|(_, _, known)| !own.is_disjoint(known)).count();
        // Every picture counts as much as with its nearest.
        let share = alike as f64 / (self.0.len() - 1).max(1) as f64;
        (share * NEAREST as f64, NEAREST as f64)
    }
}

fn objects(truth: &Truth) -> BTreeSet<&str> {
    let present = truth.objects.iter();
    present.flat_map(|it| it.there.iter().map(|&at| it.of[at].name.as_str())).collect()
}

fn scenes(truth: &Truth) -> BTreeSet<&str> {
    truth.scenes.iter().flatten().map(String::as_str).collect()
}
