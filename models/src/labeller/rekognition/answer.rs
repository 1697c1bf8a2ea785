//! The service's answers under its own names, as they are kept.
//!
//! The SDK reads an answer into types that cannot be written again; this writes what they hold.

use aws_sdk_rekognition::operation::detect_labels::DetectLabelsOutput;
use aws_sdk_rekognition::operation::detect_moderation_labels::DetectModerationLabelsOutput;
use aws_sdk_rekognition::types::{Instance, Label, ModerationLabel};
use glassplate_pipeline::opinion::Told;
use serde_json::{Value, json};

pub(super) fn labels(answer: &DetectLabelsOutput) -> Told {
    let labels: Vec<Value> = answer.labels().iter().map(label).collect();
    Told {
        model_version: answer.label_model_version().map(str::to_owned),
        answer: json!({"Labels": labels}),
    }
}

pub(super) fn moderation(answer: &DetectModerationLabelsOutput) -> Told {
    let labels: Vec<Value> = answer.moderation_labels().iter().map(moderated).collect();
    Told {
        model_version: answer.moderation_model_version().map(str::to_owned),
        answer: json!({"ModerationLabels": labels}),
    }
}

fn label(label: &Label) -> Value {
    let named = |names: &mut dyn Iterator<Item = Option<&str>>| -> Vec<Value> {
        names.flatten().map(|name| json!({"Name": name})).collect()
    };
    json!({
        "Name": label.name(),
        "Confidence": label.confidence(),
        "Instances": label.instances().iter().map(instance).collect::<Vec<_>>(),
        "Parents": named(&mut label.parents().iter().map(|parent| parent.name())),
        "Aliases": named(&mut label.aliases().iter().map(|alias| alias.name())),
        "Categories": named(&mut label.categories().iter().map(|category| category.name())),
    })
}

fn instance(instance: &Instance) -> Value {
    let frame = instance.bounding_box().map(|frame| {
        json!({
            "Left": frame.left(), "Top": frame.top(),
            "Width": frame.width(), "Height": frame.height(),
        })
    });
    json!({"BoundingBox": frame, "Confidence": instance.confidence()})
}

fn moderated(label: &ModerationLabel) -> Value {
    json!({
        "Name": label.name(),
        "ParentName": label.parent_name(),
        "Confidence": label.confidence(),
        "TaxonomyLevel": label.taxonomy_level(),
    })
}
