//! From a classifier's probabilities to labels.

use std::collections::HashMap;

use glassplate_pipeline::label::Label;

use super::label;
use crate::card::Output;
use crate::taxonomy::Class;

/// Returns the likeliest classes, best first.
///
/// Classes of one name (ImageNet has sunglasses twice) are one label: their probabilities
/// are added, for either being right makes the label right.
pub(super) fn labels(probabilities: &[f32], classes: &[Class], output: &Output) -> Vec<Label> {
    let mut by_name: HashMap<&str, Label> = HashMap::new();
    // A class below this cannot reach the limit together with its twin.
    let negligible = output.keep_above / 2.0;
    for (class, &probability) in classes.iter().zip(probabilities) {
        if probability >= negligible {
            let found = by_name.entry(&class.name).or_insert_with(|| label(class, 0.0));
            found.confidence = (found.confidence + probability).min(1.0);
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
    use super::*;
    use crate::card::Head;

    fn class(name: &str) -> Class {
        Class { name: name.to_owned(), wordnet: None, parents: Vec::new() }
    }

    #[test]
    fn the_best_come_first_twins_are_added_and_the_unlikely_left_out() {
        let output = Output {
            head: Head::Probabilities { tensor: String::new() },
            classes: String::new(),
            keep_above: 0.1,
            keep_at_most: 2,
        };
        let classes = ["sunglasses", "dog", "sunglasses", "cat", "bird"].map(class);
        let labels = labels(&[0.25, 0.3, 0.25, 0.15, 0.05], &classes, &output);
        let told: Vec<_> = labels.iter().map(|l| (l.name.as_str(), l.confidence)).collect();
        assert_eq!(told, [("sunglasses", 0.5), ("dog", 0.3)]);
        assert!(super::labels(&[f32::NAN, 0.0, 0.0, 0.0, 0.0], &classes, &output).is_empty());
    }
}
