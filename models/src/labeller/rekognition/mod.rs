//! Labellers on Amazon Rekognition: each call is paid for, so each is known.
//!
//! What is sent stands in `picture`, how it is asked in `ask`, how fast in `pace`, and what the
//! service's names mean in `words`. An answer is kept word for word beside its reading.

mod answer;
mod ask;
mod pace;
mod picture;
mod settings;
#[cfg(test)]
mod tests;
mod words;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use glassplate_pipeline::aws::Aws;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::ports::{Labeller, Maker, Said, Shown};
use glassplate_pipeline::purchase::Dollars;
use serde_json::json;

use self::ask::Service;
use self::pace::Pace;
pub use self::picture::Stored;
pub use self::settings::{Feature, Prices, RekognitionSettings, Send};
use self::words::Reading;

/// The version of the service's interface.
const VERSION: &str = "2016-06-27";

/// One feature of Rekognition, ready to label.
#[derive(Debug)]
pub struct Rekognition {
    feature: Feature,
    maker: Maker,
    price: Dollars,
    service: Service,
    reading: Arc<Reading>,
    /// Where the service finds renditions itself.
    stored: Option<Stored>,
    min_confidence: f32,
    max_labels: u16,
}

impl Rekognition {
    /// Makes a labeller of each feature that the settings name; asks nothing yet.
    ///
    /// `stored` says where renditions lie, which [`Send::Object`] needs.
    ///
    /// # Errors
    /// `BadInput` when a setting is out of its range, or objects are to be sent and there is no bucket.
    pub fn open(
        aws: &Aws,
        settings: &RekognitionSettings,
        stored: Option<Stored>,
    ) -> Result<Vec<Arc<dyn Labeller>>, Fault> {
        settings.validate()?;
        let stored = match (settings.send, stored) {
            (Send::Bytes, _) => None,
            (Send::Object, Some(stored)) => Some(stored),
            (Send::Object, None) => {
                let told = "rekognition.send is object: renditions must lie in a bucket";
                return Err(Fault::bad_input(told));
            }
        };
        let client = ask::client(aws);
        let reading = Arc::new(Reading::load());
        let labeller = |&feature: &Feature| {
            // Quotas are the operation's own, and so is the pace.
            let service = Service {
                client: client.clone(),
                pace: Arc::new(Pace::of(settings.calls_per_second)),
                patience: Duration::from_secs_f64(settings.patience_seconds),
            };
            Arc::new(Self {
                feature,
                maker: maker(feature, settings),
                price: feature.price(settings),
                service,
                reading: reading.clone(),
                stored: stored.clone(),
                min_confidence: settings.min_confidence,
                max_labels: settings.max_labels,
            }) as Arc<dyn Labeller>
        };
        Ok(settings.features.iter().map(labeller).collect())
    }
}

impl Feature {
    fn step(self) -> &'static str {
        match self {
            Self::Labels => "label:rekognition",
            Self::Moderation => "label:rekognition-moderation",
        }
    }

    fn operation(self) -> &'static str {
        match self {
            Self::Labels => "DetectLabels",
            Self::Moderation => "DetectModerationLabels",
        }
    }

    fn price(self, settings: &RekognitionSettings) -> Dollars {
        match self {
            Self::Labels => settings.price.labels,
            Self::Moderation => settings.price.moderation,
        }
    }
}

/// Says who labels. Our reading of its names is no part of it: the answer is kept word for word and
/// need not be bought again to be read otherwise.
fn maker(feature: Feature, settings: &RekognitionSettings) -> Maker {
    let least = settings.min_confidence;
    let parameters = match feature {
        Feature::Labels => json!({"max_labels": settings.max_labels, "min_confidence": least}),
        Feature::Moderation => json!({"min_confidence": least}),
    };
    Maker {
        backend: "rekognition".to_owned(),
        model: feature.operation().to_owned(),
        version: VERSION.to_owned(),
        parameters: parameters.to_string(),
    }
}

#[async_trait]
impl Labeller for Rekognition {
    fn step(&self) -> &str {
        self.feature.step()
    }

    fn maker(&self) -> &Maker {
        &self.maker
    }

    async fn label(&self, picture: &Shown) -> Result<Said, Fault> {
        let (shown, stored) = (picture.clone(), self.stored.clone());
        let prepared =
            tokio::task::spawn_blocking(move || picture::prepare(&shown, stored.as_ref()));
        let (image, placement) = prepared.await.map_err(|error| {
            Fault::broken("cannot code a picture for Rekognition").because(error)
        })??;
        let (client, what) = (&self.service.client, self.feature.operation());
        match self.feature {
            Feature::Labels => {
                let ask = client
                    .detect_labels()
                    .image(image)
                    .max_labels(self.max_labels.into())
                    .min_confidence(self.min_confidence);
                let told = self.service.ask(what, || ask.clone().send()).await?;
                let told = answer::labels(&told);
                let labels = self.reading.labels(&told.answer, &placement);
                Ok(Said { labels, told: Some(told), embedding: None })
            }
            Feature::Moderation => {
                let ask = client
                    .detect_moderation_labels()
                    .image(image)
                    .min_confidence(self.min_confidence);
                let told = self.service.ask(what, || ask.clone().send()).await?;
                let told = answer::moderation(&told);
                let labels = Reading::moderation(&told.answer);
                Ok(Said { labels, told: Some(told), embedding: None })
            }
        }
    }

    fn price(&self) -> Option<Dollars> {
        Some(self.price)
    }
}
