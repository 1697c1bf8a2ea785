//! Settings: defaults, then the config file, then flags. A wrong one is named with its origin.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use glassplate_models::labeller::cascade::CascadeSettings;
use glassplate_models::labeller::rekognition::RekognitionSettings;
use glassplate_models::session::Device;
use glassplate_pipeline::aws::AwsSettings;
use glassplate_pipeline::batch::step_functions::StepFunctionsSettings;
use glassplate_pipeline::catalogue::dynamo::DynamoSettings;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::image::Limits;
use glassplate_pipeline::purchase::Dollars;
use glassplate_pipeline::record::Bar;
use glassplate_pipeline::rendition::Recipe;
use glassplate_pipeline::restoration;
use glassplate_pipeline::store::s3::S3Settings;
use glassplate_pipeline::tenancy::dynamo::RegistrySettings;
use glassplate_search::http::Served;
use serde::Deserialize;

/// Everything that can be set in `config.toml`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// Sizes, quality and format of renditions.
    pub(crate) renditions: Recipe,
    /// What a picture may claim.
    pub(crate) limits: Limits,
    /// How ingest works.
    pub(crate) ingest: IngestSettings,
    /// Who labels.
    pub(crate) models: ModelSettings,
    /// How sure a machine's label must be to be shown.
    pub(crate) labels: Bar,
    /// Who rules on labels.
    pub(crate) people: PeopleSettings,
    /// Whether networks here label, or a service, or both.
    pub(crate) labelling: LabellingSettings,
    /// When a service is asked after the networks here.
    pub(crate) cascade: CascadeSettings,
    /// What Amazon Rekognition is asked, and what it costs.
    pub(crate) rekognition: RekognitionSettings,
    /// What services may cost.
    pub(crate) paid: PaidSettings,
    /// Which pictures are restored without being asked for by name.
    pub(crate) restore: RestoreSettings,
    /// How AWS is reached.
    pub(crate) aws: AwsSettings,
    /// Where bytes are kept.
    pub(crate) store: StoreSettings,
    /// Where the ledger is kept.
    pub(crate) catalogue: CatalogueSettings,
    /// Who hands out the tasks of batches.
    pub(crate) batch: BatchSettings,
    /// Where tenants, keys and the audit log are kept beside a ledger in DynamoDB.
    pub(crate) registry: RegistrySettings,
    /// How people and programs are served over HTTP.
    pub(crate) serve: Served,
}

/// Where bytes are kept.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum StoreSettings {
    /// In files below the home.
    #[default]
    Files,
    /// In Amazon S3.
    S3(S3Settings),
}

/// Where the ledger is kept.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum CatalogueSettings {
    /// In one SQLite file in the home.
    #[default]
    Sqlite,
    /// In an Amazon DynamoDB table.
    Dynamodb(DynamoSettings),
}

/// Who hands out the tasks of batches.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(tag = "engine", rename_all = "snake_case")]
pub(crate) enum BatchSettings {
    /// This process.
    #[default]
    Local,
    /// AWS Step Functions, through an SQS queue.
    StepFunctions(StepFunctionsSettings),
}

/// Whether networks here label, or a service, or both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LabellingSettings {
    /// For every collection that has no policy of its own.
    pub(crate) policy: Policy,
    /// By collection.
    pub(crate) collections: BTreeMap<String, Policy>,
}

impl LabellingSettings {
    /// The policy of a collection.
    pub(crate) fn of(&self, collection: &str) -> Policy {
        self.collections.get(collection).copied().unwrap_or(self.policy)
    }
}

/// Who labels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Policy {
    /// The networks here; nothing leaves the machine.
    #[default]
    Local,
    /// Amazon Rekognition alone.
    Rekognition,
    /// The networks here, and Rekognition where they leave something open.
    LocalFirst,
}

/// What services may cost.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PaidSettings {
    /// The most that one run may spend, unless `--budget` says another; none: a run must say it.
    pub(crate) budget: Option<Dollars>,
}

/// Which pictures are restored, and how.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RestoreSettings {
    /// For every collection that has no policy of its own.
    pub(crate) default: restoration::Policy,
    /// By collection.
    pub(crate) collections: BTreeMap<String, restoration::Policy>,
}

impl RestoreSettings {
    /// The policy of a collection.
    pub(crate) fn of(&self, collection: &str) -> &restoration::Policy {
        self.collections.get(collection).unwrap_or(&self.default)
    }
}

/// Who rules on labels.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PeopleSettings {
    /// The name that decisions are kept under, unless `--by` gives another.
    pub(crate) name: Option<String>,
}

/// How ingest works.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct IngestSettings {
    /// Pictures worked on at once; 0 means one for each core.
    pub(crate) lanes: usize,
    /// Memory for whole files in hand, in bytes.
    pub(crate) file_memory_bytes: u64,
    /// Memory for decoded pixels in hand, in bytes.
    pub(crate) pixel_memory_bytes: u64,
}

impl Default for IngestSettings {
    /// Together below 1.5 GB with everything else that a run needs.
    fn default() -> Self {
        Self { lanes: 0, file_memory_bytes: 256 << 20, pixel_memory_bytes: 640 << 20 }
    }
}

/// Who labels.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ModelSettings {
    /// Labellers by the name of their card, in the order asked.
    pub(crate) labellers: Vec<String>,
    /// A mirror folder of model files.
    pub(crate) mirror: Option<PathBuf>,
    /// A folder of model cards of one's own.
    pub(crate) cards: Option<PathBuf>,
    /// Where networks run.
    pub(crate) device: Device,
}

impl Settings {
    /// Reads the file given, or `config.toml` in the home when there is one.
    ///
    /// # Errors
    /// `NotFound` for a file given that is not there, `BadInput` naming file, line and setting.
    pub(crate) fn read(given: Option<&Path>, home: &Path) -> Result<Self, Fault> {
        let own = home.join("config.toml");
        let path = match given {
            Some(path) => path,
            None if own.exists() => &own,
            None => return Ok(Self::default()),
        };
        let text = std::fs::read_to_string(path).map_err(|e| {
            Fault::not_found(format!("cannot read the config file {}", path.display())).because(e)
        })?;
        Self::parse(&text).map_err(|e| {
            Fault::bad_input(format!("in the config file {}", path.display())).because(e)
        })
    }

    /// The longest that a call to a service can take, with some room: a reservation that is
    /// older was left by a worker that died.
    pub(crate) fn longest_call(&self) -> Duration {
        let seconds = self.rekognition.patience_seconds + 2.0 * self.aws.attempt_seconds;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    fn parse(text: &str) -> Result<Self, Fault> {
        let settings: Self = toml::from_str(text)
            .map_err(|e| Fault::bad_input(e.to_string().trim_end().to_owned()))?;
        settings.validate()?;
        Ok(settings)
    }

    fn validate(&self) -> Result<(), Fault> {
        self.renditions.validate()?;
        self.limits.validate()?;
        let ingest = &self.ingest;
        for (name, bytes) in [
            ("ingest.file_memory_bytes", ingest.file_memory_bytes),
            ("ingest.pixel_memory_bytes", ingest.pixel_memory_bytes),
        ] {
            if bytes < 16 << 20 {
                return Err(Fault::bad_input(format!("{name} is {bytes}: at least 16 MiB")));
            }
        }
        let bar = &self.labels;
        for (name, bar) in
            [("objects", bar.objects), ("scenes", bar.scenes), ("concepts", bar.concepts)]
        {
            if !(0.0..=1.0).contains(&bar) {
                return Err(Fault::bad_input(format!("labels.{name} is {bar}: 0 to 1")));
            }
        }
        self.cascade.validate()?;
        self.rekognition.validate()?;
        self.aws.validate()?;
        self.serve.validate()?;
        self.registry.validate()?;
        if let StoreSettings::S3(s3) = &self.store {
            s3.validate()?;
        }
        if let BatchSettings::StepFunctions(batch) = &self.batch {
            batch.validate()?;
        }
        if let CatalogueSettings::Dynamodb(catalogue) = &self.catalogue {
            catalogue.validate()?;
            if catalogue.table == self.registry.table {
                return Err(Fault::bad_input(format!(
                    "registry.table is {}, which is the catalogue's: it must be another",
                    catalogue.table
                )));
            }
        }
        if ingest.lanes > 256 {
            return Err(Fault::bad_input(format!("ingest.lanes is {}: at most 256", ingest.lanes)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_setting_is_named() {
        for (text, name) in [
            ("[renditions]\nquality = 0", "quality"),
            ("[limits]\npixels = 0", "pixels"),
            ("[ingest]\nlanes = 1000", "lanes"),
            ("[ingest]\nlines = 1", "lines"),
            ("[labels]\nscenes = 1.1", "labels.scenes"),
            ("[labels]\nobjects = nan", "labels.objects"),
            ("[labels]\nthings = 0.5", "things"),
            ("[renditions]\nformat = \"gif\"", "gif"),
            ("[serve]\nbase = \"example.org/\"", "serve.base"),
            ("[serve]\npause_seconds = 0.0", "serve.pause_seconds"),
            ("[serve]\nport = 80", "port"),
            ("[models]\ndevice = \"tpu\"", "tpu"),
            ("[batch]\nengine = \"step_functions\"\nvisibility_seconds = 1", "visibility_seconds"),
            ("[batch]\nengine = \"step_functions\"\nstate_machine = \"x\"", "state_machine"),
            ("[restore.default]\nupscale = \"long edge\"", "at character 10"),
            ("[restore.collections.\"glass plates\"]\nsharpen = \"always\"", "sharpen"),
            ("[registry]\ntable = \"a/b\"", "registry.table"),
            ("[catalogue]\nkind = \"dynamodb\"\ntable = \"a/b\"", "catalogue.table"),
            (
                "[catalogue]\nkind = \"dynamodb\"\ntable = \"one\"\n[registry]\ntable = \"one\"",
                "registry.table",
            ),
        ] {
            let fault = Settings::parse(text).expect_err(text);
            assert!(fault.reason().contains(name), "{}", fault.reason());
        }
    }

    #[test]
    fn the_documented_example_is_read() {
        let example = include_str!("../config.example.toml");
        let settings = Settings::parse(example).expect("the example");
        assert_eq!(settings, Settings::default(), "the example shows the defaults");
    }
}
