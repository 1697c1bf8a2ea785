//! AWS on loopback for the real binary: S3, DynamoDB and Rekognition, with faults between if asked.

use std::path::Path;

use glassplate_harness::faults::{Faults, Plan};
use glassplate_harness::rekognition::{Options, Stub, objects_below};
use glassplate_harness::{Running, dynamo, s3};

use crate::archivist::Archivist;

/// The bucket and the table that archivists are pointed at.
pub const BUCKET: &str = "archive";

/// Three services, alive as long as this is.
#[derive(Debug)]
pub struct Cloud {
    folder: tempfile::TempDir,
    s3: Running,
    dynamodb: Running,
    /// What was asked of it, and what it billed.
    pub rekognition: Stub,
    /// In front of S3, DynamoDB and Rekognition, in this order; none when all goes well.
    pub faults: Vec<Faults>,
}

impl Cloud {
    /// Services that answer as they should.
    ///
    /// # Panics
    /// Panics when they cannot be started.
    #[allow(clippy::new_without_default, reason = "it starts servers")]
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder for S3");
        let objects = Some(objects_below(folder.path().to_owned()));
        Self {
            s3: s3::start(folder.path()),
            dynamodb: dynamo::start(),
            rekognition: Stub::start(Options { objects, ..Options::default() }),
            folder,
            faults: Vec::new(),
        }
    }

    /// Services between which and their clients things go wrong, the same way for the same seed.
    ///
    /// # Panics
    /// Panics when they cannot be started.
    pub fn faulty(seed: u64, plan: &Plan) -> Self {
        let mut cloud = Self::new();
        // A throttled call of Rekognition slows all that follow, as it should: mostly late instead.
        let patient = Plan {
            throttled: plan.throttled / 5.0,
            slow: plan.slow + plan.throttled * 0.8,
            ..plan.clone()
        };
        cloud.faults = vec![
            Faults::before(&cloud.s3.url(), seed, plan.clone()),
            Faults::before(&cloud.dynamodb.url(), seed + 1, plan.clone()),
            Faults::before(&cloud.rekognition.url(), seed + 2, patient),
        ];
        cloud
    }

    /// The folder that the bucket's objects are files in.
    pub fn objects(&self) -> std::path::PathBuf {
        self.folder.path().join(BUCKET)
    }

    /// Puts an object into a bucket of somebody else, from which pictures are to be taken in.
    ///
    /// # Panics
    /// Panics when it cannot be written.
    pub fn put(&self, bucket: &str, key: &str, bytes: &[u8]) {
        let file = self.folder.path().join(bucket).join(key);
        std::fs::create_dir_all(file.parent().expect("a bucket")).expect("a folder");
        std::fs::write(file, bytes).expect("a written object");
    }

    /// Points an archivist at these services, with further settings, and makes bucket and table.
    ///
    /// # Panics
    /// Panics when that fails.
    pub fn serve(&self, archivist: &mut Archivist, settings: &str) {
        archivist.set("AWS_ACCESS_KEY_ID", s3::ACCESS_KEY);
        archivist.set("AWS_SECRET_ACCESS_KEY", s3::SECRET_KEY);
        archivist.configure(&format!(
            "{}\n{}\n{settings}\n",
            self.backends(),
            self.endpoints(!self.faults.is_empty())
        ));
        self.faults.iter().for_each(|faults| faults.switch(false));
        archivist.run(&["aws", "prepare", "--unprotected"]).exits(0);
        self.faults.iter().for_each(|faults| faults.switch(true));
    }

    /// Settings by which bytes are kept in S3 and the ledger in DynamoDB.
    pub fn backends(&self) -> String {
        format!(
            "[store]\nkind = \"s3\"\nbucket = \"{BUCKET}\"\nprefix = \"plates\"\n\n\
             [catalogue]\nkind = \"dynamodb\"\ntable = \"{BUCKET}\"\n"
        )
    }

    /// Settings by which the services are found; straight, or through the faults.
    pub fn endpoints(&self, through_faults: bool) -> String {
        let urls = match &self.faults[..] {
            [s3, dynamodb, rekognition] if through_faults => {
                [s3.url(), dynamodb.url(), rekognition.url()]
            }
            _ => [self.s3.url(), self.dynamodb.url(), self.rekognition.url()],
        };
        let [s3, dynamodb, rekognition] = urls;
        format!(
            "[aws]\nregion = \"us-east-1\"\nattempt_seconds = 5.0\n\n[aws.endpoints]\n\
             s3 = \"{s3}\"\ndynamodb = \"{dynamodb}\"\nrekognition = \"{rekognition}\"\n"
        )
    }

    /// Whether a secret stands anywhere in a text.
    pub fn betrays(text: &str) -> bool {
        text.contains(s3::SECRET_KEY)
    }

    /// Every object of the bucket as a path below it.
    pub fn keys(&self) -> Vec<String> {
        crate::ledger_view::files(Path::new(&self.objects())).into_keys().collect()
    }
}
