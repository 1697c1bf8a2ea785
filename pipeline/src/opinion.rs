//! What models and extractors said: the append-only ledger's entries.
//!
//! An opinion is never changed or deleted. What users see is [`crate::record::fold`]
//! over opinions and decisions.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::assessment::Assessment;
use crate::asset::{AssetId, Digest, PixelDigest};
use crate::embedding::Embedding;
use crate::fault::{Fault, FaultKind};
use crate::field::Fields;
use crate::image::Technical;
use crate::label::Label;
use crate::rendition::Rendition;
use crate::restoration::Restoration;
use crate::run::RunId;

/// Who made a claim: enough to know when the claim can be reused.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Maker {
    /// What ran it: `glassplate`, `onnx`, `rekognition`.
    pub backend: String,
    /// The model's or extractor's name.
    pub model: String,
    /// Its version.
    pub version: String,
    /// Everything else that changes the answer, as canonical JSON; empty when nothing does.
    pub parameters: String,
}

/// What an opinion was formed on, and so what it holds for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The bytes as received, metadata included.
    Bytes(Digest),
    /// The coded picture alone: shared by a whole family.
    Pixels(PixelDigest),
    /// A restored picture, by the SHA-256 of its file: it holds for that picture alone, never for
    /// what it was made of.
    Restored(Digest),
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(digest) => write!(f, "bytes:{digest}"),
            Self::Pixels(digest) => write!(f, "pixels:{digest}"),
            Self::Restored(digest) => write!(f, "restored:{digest}"),
        }
    }
}

impl std::str::FromStr for Subject {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        match text.split_once(':') {
            Some(("bytes", hex)) => Ok(Self::Bytes(hex.parse()?)),
            Some(("pixels", hex)) => Ok(Self::Pixels(hex.parse()?)),
            Some(("restored", hex)) => Ok(Self::Restored(hex.parse()?)),
            _ => Err(Fault::bad_input(format!("not an opinion's subject: {text:?}"))),
        }
    }
}

impl Serialize for Subject {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// One opinion's name: 24 hexadecimal digits, derived from what makes it unique.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OpinionId(String);

impl OpinionId {
    /// The id as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for OpinionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What one step said of one asset in one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opinion {
    /// Derived from asset, step, subject, maker and run: a repeated write is the same opinion.
    pub id: OpinionId,
    /// The asset it speaks of.
    pub asset: AssetId,
    /// The step: `identify`, `render`, `label:efficientnet-lite0`.
    pub step: String,
    /// What it was formed on.
    pub subject: Subject,
    /// Who made it.
    pub maker: Maker,
    /// The run that it belongs to, and with which it can be withdrawn.
    pub run: RunId,
    /// When it was formed.
    pub at: Timestamp,
    /// What was said.
    pub verdict: Verdict,
    /// The opinion whose verdict was taken over instead of asking again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reused: Option<OpinionId>,
    /// What a service answered in its own words: bought once, so kept whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
    /// Where the labeller's network puts the picture; absent where it has none, and in what was
    /// said before embeddings were kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding: Option<Embedding>,
}

/// What a service answered, word for word.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// The version of the model that answered, as the service names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_version: Option<String>,
    /// The answer's content, under the service's own names.
    pub answer: serde_json::Value,
}

/// The four different answers that a step can give.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The step ran and found something.
    Found(Finding),
    /// The step ran and found nothing.
    NoneFound,
    /// The step could not run, for a reason outside the asset or in an earlier step.
    NotRun {
        /// Why, for people.
        reason: String,
    },
    /// The step ran and failed.
    Failed {
        /// The kind of fault.
        fault: FaultKind,
        /// Why, for people.
        reason: String,
    },
}

/// What a step found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// Technical and embedded metadata.
    Identified(Identified),
    /// Derived pictures.
    Rendered(Renditions),
    /// What is wrong with the picture, or special about it.
    Assessed(Assessment),
    /// Claims about what is in the picture.
    Labelled(Vec<Label>),
    /// A repaired picture.
    Restored(Restoration),
    /// What the step had made was done away with by a person.
    Discarded {
        /// Who the person is.
        who: String,
    },
}

/// What identify finds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Identified {
    /// What the header says.
    pub technical: Technical,
    /// The union of EXIF, IPTC-IIM and XMP in the file.
    pub embedded: Fields,
    /// The digest of the coded picture; absent when the pixels could not be reached.
    pub pixels: Option<PixelDigest>,
    /// Damage in the metadata blocks, for people; the picture itself may be whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damage: Vec<String>,
}

/// What render finds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Renditions {
    /// The files, largest first.
    pub files: Vec<Rendition>,
    /// The 64-bit perceptual hash, 16 hexadecimal digits.
    pub phash: String,
    /// What was wrong, or worth knowing, although pixels came out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Opinion {
    /// Forms an opinion; its id follows from everything but the verdict and the time.
    pub fn new(
        asset: &AssetId,
        step: &str,
        subject: Subject,
        maker: &Maker,
        run: &RunId,
        at: Timestamp,
        verdict: Verdict,
    ) -> Self {
        let mut hasher = Sha256::new();
        for part in [
            asset.as_str(),
            step,
            &subject.to_string(),
            &maker.backend,
            &maker.model,
            &maker.version,
            &maker.parameters,
            run.as_str(),
        ] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        let id = hasher.finalize()[..12].iter().map(|byte| format!("{byte:02x}")).collect();
        Self {
            id: OpinionId(id),
            asset: asset.clone(),
            step: step.to_owned(),
            subject,
            maker: maker.clone(),
            run: run.clone(),
            at,
            verdict,
            reused: None,
            told: None,
            embedding: None,
        }
    }

    /// What was claimed to be in the picture; empty for every other verdict.
    pub fn labels(&self) -> &[Label] {
        match &self.verdict {
            Verdict::Found(Finding::Labelled(labels)) => labels,
            _ => &[],
        }
    }

    /// Takes this opinion over for another asset, or another run, that shows the same subject.
    pub fn reuse(&self, asset: &AssetId, run: &RunId, at: Timestamp) -> Self {
        let mut taken =
            Self::new(asset, &self.step, self.subject, &self.maker, run, at, self.verdict.clone());
        taken.reused = Some(self.reused.clone().unwrap_or_else(|| self.id.clone()));
        taken.told = self.told.clone();
        taken.embedding = self.embedding.clone();
        taken
    }
}

impl Verdict {
    /// Tells whether asking the same maker again about the same subject would be a waste.
    ///
    /// A rejection is conclusive: the same decoder refuses the same bytes again. Transient and
    /// broken are not, nor is a step that never ran.
    pub fn conclusive(&self) -> bool {
        match self {
            Self::Found(_) | Self::NoneFound => true,
            Self::NotRun { .. } => false,
            Self::Failed { fault, .. } => fault.rejects(),
        }
    }
}

impl From<Fault> for Verdict {
    fn from(fault: Fault) -> Self {
        Self::Failed { fault: fault.kind(), reason: fault.reason() }
    }
}
