//! The cascade: networks here look first, and a service is asked about what they leave open.
//!
//! A service costs money and mostly says the same, so it is asked where its word may change the
//! record: nothing was found, the surest object is not sure, the main subject may be something
//! that looks alike, or there is no colour, which networks trained on colour photographs miss.

use std::sync::Arc;

use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::label::LabelKind;
use glassplate_pipeline::ports::{Interpreter, Testimony, Triage, Worth};
use glassplate_pipeline::record::{DoubtKind, RecordLabel};
use serde::Deserialize;

/// When a service is asked after the networks here.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CascadeSettings {
    /// How sure the surest object must be for a picture to need no second opinion, 0 to 1.
    pub sure: f32,
    /// Whether pictures without colour are always asked about.
    pub monochrome: bool,
    /// Whether pictures whose main subject may be something that looks alike are always asked about.
    pub confusable: bool,
}

impl Default for CascadeSettings {
    fn default() -> Self {
        Self { sure: 0.6, monochrome: true, confusable: true }
    }
}

impl CascadeSettings {
    /// Checks the range.
    ///
    /// # Errors
    /// `BadInput` naming the setting.
    pub fn validate(&self) -> Result<(), Fault> {
        if (0.0..=1.0).contains(&self.sure) {
            return Ok(());
        }
        Err(Fault::bad_input(format!("cascade.sure is {}: 0 to 1", self.sure)))
    }
}

/// Judges by the record that the networks here would give.
pub struct Cascade {
    settings: CascadeSettings,
    interpreter: Arc<dyn Interpreter>,
}

impl Cascade {
    /// A cascade that reads testimony as records are read.
    pub fn new(settings: CascadeSettings, interpreter: Arc<dyn Interpreter>) -> Self {
        Self { settings, interpreter }
    }
}

impl std::fmt::Debug for Cascade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cascade").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Triage for Cascade {
    fn judge(&self, testimony: &Testimony<'_>) -> Worth {
        let CascadeSettings { sure, monochrome, confusable } = self.settings;
        if monochrome && testimony.assessment.is_some_and(|found| found.tone.is_monochrome()) {
            return Worth::Asking;
        }
        let labels = self.interpreter.interpret(testimony);
        let alike = |label: &RecordLabel| {
            label.doubts.iter().any(|doubt| doubt.kind == DoubtKind::Confusable)
        };
        if confusable && labels.iter().any(alike) {
            return Worth::Asking;
        }
        let objects = labels.iter().filter(|label| label.kind == LabelKind::Object);
        match objects.max_by(|a, b| a.confidence.total_cmp(&b.confidence)) {
            Some(surest) if surest.confidence >= sure => Worth::Nothing(format!(
                "the models here are sure enough: {} {:.2}",
                surest.name, surest.confidence
            )),
            _ => Worth::Asking,
        }
    }
}

#[cfg(test)]
mod tests {
    use glassplate_pipeline::assessment::Assessment;
    use glassplate_pipeline::asset::{AssetId, Digest, PixelDigest, Tenant};
    use glassplate_pipeline::label::Label;
    use glassplate_pipeline::opinion::{Finding, Maker, Opinion, Subject, Verdict};
    use glassplate_pipeline::ports::Verbatim;
    use glassplate_pipeline::run::RunId;
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;

    fn opinion(confidence: f32) -> Opinion {
        let label = Label {
            name: "dog".to_owned(),
            kind: LabelKind::Object,
            confidence,
            wordnet: None,
            parents: Vec::new(),
            instances: Vec::new(),
            evidence: Vec::new(),
        };
        let [backend, model, version] = ["onnx", "m", "1"].map(str::to_owned);
        let maker = Maker { backend, model, version, parameters: String::new() };
        let asset = AssetId::derive(&Tenant::default(), &Digest::new([1; 32]));
        Opinion::new(
            &asset,
            "label:m",
            Subject::Pixels(PixelDigest::new([2; 32])),
            &maker,
            &RunId::from_text("r"),
            Timestamp::UNIX_EPOCH,
            Verdict::Found(Finding::Labelled(vec![label])),
        )
    }

    fn asks(settings: CascadeSettings, said: Option<&Opinion>, tone: Option<&str>) -> bool {
        let assessment = tone.map(|tone| {
            serde_json::from_value::<Assessment>(json!({ "tone": tone, "chroma": 1.0 }))
                .expect("an assessment")
        });
        let testimony = Testimony {
            opinions: said.into_iter().collect(),
            decisions: &[],
            assessment,
            taken: None,
        };
        Cascade::new(settings, Arc::new(Verbatim)).judge(&testimony) == Worth::Asking
    }

    #[test]
    fn only_what_the_models_here_leave_open_is_worth_a_second_opinion() {
        let usual = CascadeSettings::default;
        assert!(asks(usual(), None, None), "nothing was found");
        assert!(asks(usual(), Some(&opinion(0.59)), None), "not sure");
        assert!(!asks(usual(), Some(&opinion(0.6)), Some("colour")), "sure");
        assert!(asks(usual(), Some(&opinion(0.99)), Some("grey")), "no colour");
        let lenient = CascadeSettings { monochrome: false, ..usual() };
        assert!(!asks(lenient, Some(&opinion(0.99)), Some("grey")));
        assert!(CascadeSettings { sure: 1.1, ..usual() }.validate().is_err());
    }
}
