//! Pages as browsers get them.

use glassplate_pipeline::label::LabelKind;
use glassplate_pipeline::record::{LabelSource, LabelState, RecordLabel};

/// A machine's claim of an object.
pub(super) fn label(name: &str) -> RecordLabel {
    RecordLabel {
        name: name.to_owned(),
        kind: LabelKind::Object,
        confidence: 0.9,
        wordnet: None,
        parents: Vec::new(),
        category: None,
        instances: Vec::new(),
        evidence: Vec::new(),
        state: LabelState::Proposed,
        doubts: Vec::new(),
        source: LabelSource {
            backend: "onnx".to_owned(),
            model: "m".to_owned(),
            version: "1".to_owned(),
            run: None,
        },
        ruled: None,
    }
}
