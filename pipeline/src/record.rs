//! The record: the one view of an asset that users see, folded from all that was said.
//!
//! [`fold`] is pure: the same parts, read by the same [`Interpreter`], give the same record on
//! every machine. Its rules: a withdrawn run's opinions do not exist; of one step the last
//! conclusive opinion holds; a person's decision beats every model. What several labellers
//! say becomes one answer by the interpreter, which takes rulings as facts. The JSON form is
//! what `glassplate export` prints: it only grows.

mod restored;
mod ruled;
mod steps;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::assessment::Assessment;
use crate::asset::{Asset, AssetId, Digest, Occurrence, PixelDigest, Tenant};
use crate::days::Days;
use crate::decision::Decision;
use crate::embedding::Embedding;
use crate::field::Fields;
use crate::image::{Format, Technical};
use crate::label::{Evidence, Instance, LabelKind, Synset};
use crate::opinion::{Finding, Opinion, OpinionId, Subject, Verdict};
use crate::ports::{Interpreter, Testimony};
use crate::rendition::Rendition;
use crate::run::RunId;

pub use self::restored::RecordRestoration;
use self::restored::restored;
use self::ruled::ruled;
use self::steps::fold_steps;

/// Everything that was said of one asset, as a catalogue keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parts {
    /// The asset itself.
    pub asset: Asset,
    /// Where it was found, ordered by collection and source.
    pub occurrences: Vec<Occurrence>,
    /// All opinions, in the order they were appended.
    pub opinions: Vec<Opinion>,
    /// All decisions, in the order they were made.
    pub decisions: Vec<Decision>,
    /// The runs among those above that do not count: undone, or on trial.
    pub withdrawn: BTreeSet<RunId>,
}

/// The view of one asset that users see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The asset's id.
    pub asset: AssetId,
    /// The isolation boundary.
    pub tenant: Tenant,
    /// Digests of the original's bytes.
    pub digest: RecordDigest,
    /// The digest of the coded picture, shared by the asset's family.
    pub pixel_digest: Option<PixelDigest>,
    /// The perceptual hash, 16 hexadecimal digits.
    pub phash: Option<String>,
    /// The original's format, by content.
    pub format: Option<Format>,
    /// Width in pixels as coded, before orientation.
    pub width: Option<u32>,
    /// Height in pixels as coded, before orientation.
    pub height: Option<u32>,
    /// The original's length in bytes.
    pub bytes: u64,
    /// When the asset was first registered.
    pub registered: Timestamp,
    /// What else the header says.
    pub technical: Option<Technical>,
    /// Where the asset was found, and the metadata beside it.
    pub occurrences: Vec<Occurrence>,
    /// The metadata inside the file, each field with its source.
    pub embedded: Fields,
    /// Derived pictures, largest first.
    pub renditions: Vec<Rendition>,
    /// Repaired pictures, by name. Nothing of them is mixed with what is said of the original.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restorations: Vec<RecordRestoration>,
    /// What is special about the pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assessment: Option<Assessment>,
    /// Where a network puts the picture among others: what more of the like is found by. Of
    /// several networks that of the first labeller, in the order of their steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding: Option<Embedding>,
    /// Claims and rulings about what is in the picture: objects, scenes, concepts, surest first.
    pub labels: Vec<RecordLabel>,
    /// What each step came to.
    pub steps: BTreeMap<String, StepState>,
}

/// Digests of the original's bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordDigest {
    /// SHA-256.
    pub sha256: Digest,
    /// BLAKE3.
    pub blake3: Digest,
}

/// One label in a record: a claim, whose it is, and what people made of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordLabel {
    /// The preferred name.
    pub name: String,
    /// Object, scene or concept.
    pub kind: LabelKind,
    /// How sure its source is, 0 to 1; a person is sure.
    pub confidence: f32,
    /// The WordNet 3.0 synset.
    pub wordnet: Option<Synset>,
    /// Names of all ancestors, nearest first.
    pub parents: Vec<String>,
    /// The broad category of an object, such as `animals and pets`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Where in the picture.
    pub instances: Vec<Instance>,
    /// What an inferred label rests on.
    pub evidence: Vec<Evidence>,
    /// What people made of it.
    pub state: LabelState,
    /// Why a person should look before this is shown; settled by a ruling.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<Doubt>,
    /// Whose claim it is.
    pub source: LabelSource,
    /// The last ruling on it, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruled: Option<Ruled>,
}

impl RecordLabel {
    /// Tells whether both say the same of a picture, however surely.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.kind == other.kind && self.name == other.name
    }
}

/// Who ruled on a label, and when; the label's state says what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruled {
    /// The person.
    pub who: String,
    /// When.
    pub at: Timestamp,
}

/// A reason for which a label is held back until a person has looked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// Which kind of reason.
    pub kind: DoubtKind,
    /// The reason, for people.
    pub reason: String,
}

/// The kinds of doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoubtKind {
    /// It looks much like something of quite another kind: a muffin, a chihuahua.
    Confusable,
    /// The thing did not exist yet when the picture was taken.
    Anachronism,
}

/// How sure a machine's label must be to be shown, by kind; applied when a record is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bar {
    /// For objects, 0 to 1.
    pub objects: f32,
    /// For scenes, 0 to 1.
    pub scenes: f32,
    /// For concepts, 0 to 1.
    pub concepts: f32,
}

impl Default for Bar {
    fn default() -> Self {
        Self { objects: 0.45, scenes: 0.25, concepts: 0.1 }
    }
}

impl Bar {
    /// Demands the same of every kind.
    pub const fn of_all(confidence: f32) -> Self {
        Self { objects: confidence, scenes: confidence, concepts: confidence }
    }

    /// Tells whether a label is shown without being asked for: a person's word always, a
    /// machine's when it is sure enough and not in doubt, a refused one never.
    pub fn shows(&self, label: &RecordLabel) -> bool {
        match label.state {
            LabelState::Approved | LabelState::Added => true,
            LabelState::Rejected => false,
            LabelState::Proposed => {
                label.doubts.is_empty() && label.confidence >= self.of(label.kind)
            }
        }
    }

    /// The least confidence of a kind.
    pub const fn of(&self, kind: LabelKind) -> f32 {
        match kind {
            LabelKind::Object => self.objects,
            LabelKind::Scene => self.scenes,
            LabelKind::Concept => self.concepts,
        }
    }
}

/// Where a label stands between machine and person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelState {
    /// A machine's claim that nobody has ruled on.
    Proposed,
    /// A machine's claim that a person confirmed.
    Approved,
    /// A machine's claim that a person refused; kept so that nobody asks again.
    Rejected,
    /// A person's own.
    Added,
}

/// Whose claim a label is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelSource {
    /// `onnx`, `rekognition`; `human` for a person's own.
    pub backend: String,
    /// The model's name, or who the person is.
    pub model: String,
    /// The model's version.
    pub version: String,
    /// The run that claimed it; absent for a person's own.
    pub run: Option<RunId>,
}

/// What one step came to for one asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepState {
    /// Which of the four answers.
    pub state: State,
    /// Why, or a note on a picture that is not quite whole.
    pub reason: Option<String>,
    /// The opinion that this rests on; absent where there is none, or where several are summed up.
    pub opinion: Option<OpinionId>,
}

/// The four answers of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It ran and found something.
    Done,
    /// It ran and found nothing.
    NoneFound,
    /// It did not run.
    NotRun,
    /// It ran and failed.
    Failed,
}

/// The step that identify's opinions carry.
pub const IDENTIFY: &str = "identify";
/// The step that render's opinions carry.
pub const RENDER: &str = "render";
/// The step that assess's opinions carry.
pub const ASSESS: &str = "assess";
/// What the steps of all labellers begin with.
pub const LABEL_PREFIX: &str = "label:";

/// Metadata fields that tell when a picture was taken, the most telling first.
const TAKEN: [&str; 3] = ["date", "date_taken", "date_created"];

impl Parts {
    /// The same parts as they would be if one run counted and another did not.
    pub fn as_if(&self, counting: Option<&RunId>, left_out: Option<&RunId>) -> Self {
        let mut parts = self.clone();
        if let Some(run) = counting {
            parts.withdrawn.remove(run);
        }
        parts.withdrawn.extend(left_out.cloned());
        parts
    }
}

/// Folds all that was said of an asset into the view that users see.
pub fn fold(parts: &Parts, interpreter: &dyn Interpreter) -> Record {
    let current = current_opinions(parts);
    let identified = current.get(IDENTIFY).and_then(|opinion| match &opinion.verdict {
        Verdict::Found(Finding::Identified(found)) => Some(found),
        _ => None,
    });
    let rendered = current.get(RENDER).and_then(|opinion| match &opinion.verdict {
        Verdict::Found(Finding::Rendered(found)) => Some(found),
        _ => None,
    });
    let assessment = assessed(&current);
    let technical = identified.map(|found| found.technical.clone());
    let embedded = identified.map(|found| found.embedded.clone()).unwrap_or_default();
    let testimony = testimony(parts, &current, &embedded);
    let labels = ruled(interpreter.interpret(&testimony), &parts.decisions);
    Record {
        asset: parts.asset.id.clone(),
        tenant: parts.asset.tenant.clone(),
        digest: RecordDigest { sha256: parts.asset.digest, blake3: parts.asset.blake3 },
        pixel_digest: identified.and_then(|found| found.pixels),
        phash: rendered.map(|found| found.phash.clone()),
        format: technical.as_ref().map(|t| t.format),
        width: technical.as_ref().map(|t| t.width),
        height: technical.as_ref().map(|t| t.height),
        bytes: parts.asset.bytes,
        registered: parts.asset.registered,
        technical,
        occurrences: parts.occurrences.clone(),
        embedded,
        renditions: rendered.map(|found| found.files.clone()).unwrap_or_default(),
        restorations: restored(parts, &current, &labels, interpreter),
        assessment,
        embedding: current.values().find_map(|opinion| opinion.embedding.clone()),
        labels,
        steps: fold_steps(&current),
    }
}

/// Hands the testimony about an asset to whoever judges by it.
pub(crate) fn with_testimony<T>(parts: &Parts, judge: impl FnOnce(Testimony<'_>) -> T) -> T {
    let current = current_opinions(parts);
    let embedded = match current.get(IDENTIFY).map(|opinion| &opinion.verdict) {
        Some(Verdict::Found(Finding::Identified(found))) => &found.embedded,
        _ => &Fields::new(),
    };
    judge(testimony(parts, &current, embedded))
}

fn testimony<'a>(
    parts: &'a Parts,
    current: &BTreeMap<&str, &'a Opinion>,
    embedded: &Fields,
) -> Testimony<'a> {
    Testimony {
        opinions: current.values().filter(|o| !o.labels().is_empty()).copied().collect(),
        decisions: &parts.decisions,
        assessment: assessed(current),
        taken: taken(&parts.occurrences, embedded),
    }
}

fn assessed(current: &BTreeMap<&str, &Opinion>) -> Option<Assessment> {
    match &current.get(ASSESS)?.verdict {
        Verdict::Found(Finding::Assessed(found)) => Some(*found),
        _ => None,
    }
}

/// Returns, for each step, the opinion about the asset that holds: the last conclusive one, else
/// the last. What was said of a restored picture holds for that one alone.
pub fn current_opinions(parts: &Parts) -> BTreeMap<&str, &Opinion> {
    holding(parts, |subject| !matches!(subject, Subject::Restored(_)))
}

fn holding(parts: &Parts, about: impl Fn(Subject) -> bool) -> BTreeMap<&str, &Opinion> {
    let mut current: BTreeMap<&str, &Opinion> = BTreeMap::new();
    let counting = |o: &&Opinion| !parts.withdrawn.contains(&o.run) && about(o.subject);
    for opinion in parts.opinions.iter().filter(counting) {
        let holds = current
            .get(opinion.step.as_str())
            .is_none_or(|held| opinion.verdict.conclusive() || !held.verdict.conclusive());
        if holds {
            current.insert(&opinion.step, opinion);
        }
    }
    current
}

/// Tells when the picture was taken: what an archivist wrote beside it goes before what is in it.
fn taken(occurrences: &[Occurrence], embedded: &Fields) -> Option<Days> {
    let sources = occurrences.iter().map(|place| &place.metadata).chain([embedded]);
    sources.flat_map(|fields| TAKEN.iter().filter_map(|name| fields.get(*name))).find_map(|field| {
        match &field.value {
            serde_json::Value::Number(year) => Days::read(&year.to_string()),
            value => Days::read(value.as_str()?),
        }
    })
}

#[cfg(test)]
mod tests;
