//! From a classifier's probabilities to labels.

use std::collections::HashMap;

use glassplate_pipeline::label::Label;

use super::label;
use crate::card::{Activation, Output};
use crate::taxonomy::Class;

/// Turns a network's values into probabilities.
pub(super) fn activate(values: &mut [f32], activation: Activation) {
    match activation {
        Activation::None => {}
        Activation::Softmax => {
            let greatest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let mut sum = 0.0;
            for value in &mut *values {
                *value = (*value - greatest).exp();
                sum += *value;
            }
            values.iter_mut().for_each(|value| *value /= sum);
        }
        Activation::Sigmoid => {
            values.iter_mut().for_each(|value| *value = 1.0 / (1.0 + (-*value).exp()));
        }
    }
}

/// Returns the likeliest classes, best first.
///
/// Classes of one name (ImageNet has sunglasses twice) are one label: their probabilities
/// are added, for either being right makes the label right. Under the sigmoid, where several
/// texts for one thing are likely together, the greatest counts.
pub(super) fn labels(
    probabilities: &[f32],
    activation: Activation,
    classes: &[Class],
    output: &Output,
) -> Vec<Label> {
    let mut by_name: HashMap<&str, Label> = HashMap::new();
    // Added up, twins may reach the limit that each misses, half of it each and more.
    let negligible = output.keep_above / 2.0;
    for (class, &probability) in classes.iter().zip(probabilities) {
        if probability >= negligible {
            let found = by_name.entry(&class.name).or_insert_with(|| label(class, 0.0));
            found.confidence = match activation {
                Activation::Sigmoid => found.confidence.max(probability),
                Activation::None | Activation::Softmax => found.confidence + probability,
            }
            .min(1.0);
        }
    }
    let mut labels: Vec<_> =
        by_name.into_values().filter(|label| label.confidence >= output.keep_above).collect();
    labels.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then_with(|| a.name.cmp(&b.name)));
    labels.truncate(output.keep_at_most);
    labels
}

#[cfg(test)]
mod tests {
    use glassplate_pipeline::label::LabelKind;

    use super::*;
    use crate::card::Head;

    fn class(name: &str) -> Class {
        let kind = LabelKind::Scene;
        Class { name: name.to_owned(), kind, wordnet: None, parents: Vec::new() }
    }

    fn output() -> Output {
        Output {
            head: Head::Probabilities { tensor: String::new(), activation: Activation::None },
            classes: String::new(),
            says: None,
            embedding: None,
            keep_above: 0.1,
            keep_at_most: 2,
        }
    }

    #[test]
    fn the_best_come_first_twins_are_added_and_the_unlikely_left_out() {
        let classes = ["sunglasses", "dog", "sunglasses", "cat", "bird"].map(class);
        let said = |values: [f32; 5], activation| {
            let labels = labels(&values, activation, &classes, &output());
            labels.into_iter().map(|l| (l.name, l.kind, l.confidence)).collect::<Vec<_>>()
        };
        let told = |name: &str, confidence| (name.to_owned(), LabelKind::Scene, confidence);
        let values = [0.25, 0.3, 0.25, 0.15, 0.05];
        let added = [told("sunglasses", 0.5), told("dog", 0.3)];
        assert_eq!(said(values, Activation::None), added);
        let each = [told("dog", 0.3), told("sunglasses", 0.25)];
        assert_eq!(said(values, Activation::Sigmoid), each);
        assert!(said([f32::NAN, 0.0, 0.0, 0.0, 0.0], Activation::None).is_empty());
    }

    #[test]
    fn softmax_sums_to_one_however_great_the_values_and_the_sigmoid_judges_each() {
        let near = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
        let mut values = [1000.0, 1000.0 + 3_f32.ln()];
        activate(&mut values, Activation::Softmax);
        assert!(near(&values, &[0.25, 0.75]), "{values:?}");
        let mut values = [0.0, 3_f32.ln(), -1000.0];
        activate(&mut values, Activation::Sigmoid);
        assert!(near(&values, &[0.5, 0.75, 0.0]), "{values:?}");
    }
}
