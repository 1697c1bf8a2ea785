//! What a user may set about Rekognition.

use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::purchase::Dollars;
use serde::Deserialize;

/// How Rekognition is asked, and what for.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RekognitionSettings {
    /// What is asked for, each a call of its own and paid for by itself.
    pub features: Vec<Feature>,
    /// How sure a label must be to be told, 0 to 100.
    pub min_confidence: f32,
    /// The most labels told, 1 to 1000.
    pub max_labels: u16,
    /// What a call costs, by feature.
    pub price: Prices,
    /// How a picture reaches the service.
    pub send: Send,
    /// How many calls a second to start with; the pace then follows the service.
    pub calls_per_second: f64,
    /// How long one picture waits for a busy service, in seconds.
    pub patience_seconds: f64,
}

/// What Rekognition can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// Objects, scenes and concepts: DetectLabels.
    Labels,
    /// What may offend: DetectModerationLabels.
    Moderation,
}

/// What a call costs. A price list changes by region, volume and year: set your own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Prices {
    /// A call of DetectLabels.
    pub labels: Dollars,
    /// A call of DetectModerationLabels.
    pub moderation: Dollars,
}

/// How a picture reaches the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Send {
    /// Inside the request.
    Bytes,
    /// As an object of the bucket that renditions lie in, which the service must be able to read.
    Object,
}

impl Default for Prices {
    /// What the first million calls a month cost in us-east-1 when this was written.
    fn default() -> Self {
        let thousandth = Dollars::from_millionths(1000);
        Self { labels: thousandth, moderation: thousandth }
    }
}

impl Default for RekognitionSettings {
    fn default() -> Self {
        Self {
            features: vec![Feature::Labels],
            min_confidence: 40.0,
            max_labels: 100,
            price: Prices::default(),
            send: Send::Bytes,
            calls_per_second: 5.0,
            patience_seconds: 300.0,
        }
    }
}

impl RekognitionSettings {
    /// Checks ranges.
    ///
    /// # Errors
    /// `BadInput` naming the setting.
    pub fn validate(&self) -> Result<(), Fault> {
        let wrong = |told: String| Err(Fault::bad_input(format!("rekognition.{told}")));
        if self.features.is_empty() {
            return wrong("features is empty: labels, moderation".to_owned());
        }
        let again = |(at, one): (usize, &Feature)| self.features[..at].contains(one);
        if self.features.iter().enumerate().any(again) {
            return wrong("features names one twice".to_owned());
        }
        if !(0.0..=100.0).contains(&self.min_confidence) {
            return wrong(format!("min_confidence is {}: 0 to 100", self.min_confidence));
        }
        if !(1..=1000).contains(&self.max_labels) {
            return wrong(format!("max_labels is {}: 1 to 1000", self.max_labels));
        }
        if !(0.2..=1000.0).contains(&self.calls_per_second) {
            return wrong(format!("calls_per_second is {}: 0.2 to 1000", self.calls_per_second));
        }
        if !(0.0..=86_400.0).contains(&self.patience_seconds) {
            return wrong(format!("patience_seconds is {}: 0 to 86400", self.patience_seconds));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_and_each_range_is_told_by_name() {
        let read = |text: &str| toml::from_str::<RekognitionSettings>(text).unwrap();
        let text = "features = [\"labels\", \"moderation\"]\nsend = \"object\"\n[price]\nlabels = \"0.0008\"";
        let settings = read(text);
        settings.validate().unwrap();
        assert_eq!(settings.price.labels, Dollars::from_millionths(800));
        assert_eq!(settings.price.moderation, Dollars::from_millionths(1000));
        for (text, name) in [
            ("features = []", "features"),
            ("features = [\"labels\", \"labels\"]", "features"),
            ("min_confidence = 101.0", "min_confidence"),
            ("max_labels = 0", "max_labels"),
            ("calls_per_second = 0.0", "calls_per_second"),
            ("patience_seconds = -1.0", "patience_seconds"),
        ] {
            let fault = read(text).validate().unwrap_err().to_string();
            assert!(fault.starts_with(&format!("rekognition.{name}")), "{fault}");
        }
    }
}
