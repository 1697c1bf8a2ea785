//! From boxes to labels: one label a class, with the places where it was seen.

use std::collections::BTreeMap;

use glassplate_pipeline::label::{Instance, Label};

use super::head::Found;
use super::label;
use crate::card::Output;
use crate::taxonomy::Class;
use crate::tensor::Placement;

/// The most places of one label that are kept; beyond it is a crowd.
const MOST_INSTANCES: usize = 50;

/// Returns the classes found, best first; boxes as fractions of the picture.
///
/// `found` comes best first. Of boxes of a class that overlap more than `overlap`, only
/// the best stays (greedy non-maximum suppression).
pub(super) fn labels(
    found: Vec<Found>,
    overlap: f32,
    placement: Placement,
    classes: &[Class],
    output: &Output,
) -> Vec<Label> {
    let mut by_class: BTreeMap<usize, Vec<Found>> = BTreeMap::new();
    for one in found {
        let kept = by_class.entry(one.class).or_default();
        let again = |known: &Found| intersection_over_union(known.corners, one.corners) > overlap;
        if kept.len() < MOST_INSTANCES && !kept.iter().any(again) {
            kept.push(one);
        }
    }
    let mut labels: Vec<_> = by_class
        .into_iter()
        .filter_map(|(class, kept)| {
            let class = classes.get(class)?;
            let instances: Vec<_> =
                kept.iter().filter_map(|one| instance(one, placement)).collect();
            let confidence = instances.first()?.confidence;
            Some(Label { instances, ..label(class, confidence) })
        })
        .collect();
    labels.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    labels.truncate(output.keep_at_most);
    labels
}

/// Returns the box as fractions of the picture, cut at its edges; nothing if none is left.
fn instance(found: &Found, placement: Placement) -> Option<Instance> {
    let [width, height] = placement.filled;
    let cut = |value: f32, length: f32| (value / length).clamp(0.0, 1.0);
    let [left, top, right, bottom] = found.corners;
    let (left, right) = (cut(left, width), cut(right, width));
    let (top, bottom) = (cut(top, height), cut(bottom, height));
    let frame = [left, top, right - left, bottom - top];
    (frame[2] > 0.0 && frame[3] > 0.0).then_some(Instance { frame, confidence: found.score })
}

fn intersection_over_union(a: [f32; 4], b: [f32; 4]) -> f32 {
    let width = (a[2].min(b[2]) - a[0].max(b[0])).max(0.0);
    let height = (a[3].min(b[3]) - a[1].max(b[1])).max(0.0);
    let area = |c: [f32; 4]| (c[2] - c[0]) * (c[3] - c[1]);
    let shared = width * height;
    let joined = area(a) + area(b) - shared;
    if joined > 0.0 { shared / joined } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use glassplate_pipeline::label::LabelKind;

    use super::*;
    use crate::card::Head;

    fn output() -> Output {
        let head = Head::Yolox { tensor: String::new(), strides: vec![8], overlap: 0.6 };
        let (classes, says, embedding) = (String::new(), None, None);
        Output { head, classes, says, embedding, keep_above: 0.05, keep_at_most: 5 }
    }

    fn classes() -> [Class; 2] {
        let kind = LabelKind::Object;
        let class = |name: &str| Class { name: name.into(), kind, wordnet: None, parents: vec![] };
        ["dog", "cat"].map(class)
    }

    fn found(class: usize, score: f32, corners: [f32; 4]) -> Found {
        Found { class, score, corners }
    }

    const WHOLE: Placement = Placement { filled: [100.0, 50.0] };

    #[test]
    fn overlapping_boxes_of_a_class_are_one_and_of_two_classes_two() {
        let found = vec![
            found(0, 0.9, [0.0, 0.0, 50.0, 50.0]),
            found(1, 0.8, [0.0, 0.0, 50.0, 50.0]),
            found(0, 0.7, [5.0, 0.0, 55.0, 50.0]),
            found(0, 0.6, [50.0, 0.0, 100.0, 50.0]),
        ];
        let labels = labels(found, 0.6, WHOLE, &classes(), &output());
        assert_eq!(labels.len(), 2);
        assert_eq!((labels[0].name.as_str(), labels[0].confidence), ("dog", 0.9));
        let frames: Vec<_> = labels[0].instances.iter().map(|i| i.frame).collect();
        assert_eq!(frames, [[0.0, 0.0, 0.5, 1.0], [0.5, 0.0, 0.5, 1.0]]);
        assert_eq!(labels[1].name, "cat");
    }

    #[test]
    fn boxes_are_cut_at_the_edges_of_the_picture_and_left_out_beyond() {
        let found = vec![
            found(0, 0.9, [-10.0, -10.0, 200.0, 25.0]),
            found(0, 0.8, [150.0, 0.0, 200.0, 50.0]),
            found(1, 0.7, [0.0, 60.0, 10.0, 80.0]),
        ];
        let labels = labels(found, 0.6, WHOLE, &classes(), &output());
        assert_eq!(labels.len(), 1);
        assert_eq!(labels[0].instances.len(), 1);
        assert_eq!(labels[0].instances[0].frame, [0.0, 0.0, 1.0, 0.5]);
    }
}
