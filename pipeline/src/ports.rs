//! The roles that the stages need filled; the stores have their own folders.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::assessment::{Assessment, Condition};
use crate::days::Days;
use crate::decision::Decision;
use crate::embedding::{Embedding, Space};
use crate::fault::Fault;
use crate::label::{Label, LabelKind, Synset};
pub use crate::opinion::Maker;
use crate::opinion::{Opinion, Told};
use crate::purchase::Dollars;
use crate::raster::Raster;
use crate::record::RecordLabel;
use crate::restoration::{Mode, Repair};
use crate::store::Key;
pub use crate::verbatim::Verbatim;

/// The role that tells the time, so that libraries need not read the clock.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// The role that names what is in a picture.
#[async_trait]
pub trait Labeller: Send + Sync {
    /// The step's name in the ledger: `label:` and the model's name.
    fn step(&self) -> &str;

    /// Who the claims are by; it changes whenever the claims might.
    fn maker(&self) -> &Maker;

    /// Claims about the picture, best first; an empty list means that none was found.
    ///
    /// The same picture gives the same claims. A fault that is not transient is final for this
    /// picture; one that [would be the same for every picture](Fault::is_for_all) ends the run.
    async fn label(&self, picture: &Shown) -> Result<Said, Fault>;

    /// The space of the embeddings that come with its claims; nothing when it gives none.
    ///
    /// It is no part of the maker: the claims are the same in whatever space.
    fn space(&self) -> Option<&Space> {
        None
    }

    /// What one call costs; nothing for a labeller that runs here.
    fn price(&self) -> Option<Dollars> {
        None
    }
}

/// The role that repairs pictures in one way.
#[async_trait]
pub trait Restorer: Send + Sync {
    /// Which way.
    fn repair(&self) -> Repair;

    /// Who it is; it changes whenever the result might.
    fn maker(&self) -> &Maker;

    /// What matters to it, where there are several who repair in this way.
    fn mode(&self) -> Option<Mode> {
        None
    }

    /// Pixels that come out for each that goes in, a side.
    fn scale(&self) -> u32 {
        1
    }

    /// The memory it needs for a picture of this size, in bytes, besides the picture and the rows
    /// that it gave.
    fn memory(&self, width: u64, height: u64) -> u64;

    /// How strong it takes the damage to be, where that matters to it.
    fn strength(&self, found: &Condition) -> Option<f32> {
        let _ = found;
        None
    }

    /// Repairs a picture of any size and gives all rows, from top to bottom.
    ///
    /// The same picture and strength give the same rows. Between two pieces of the work it asks
    /// the pace whether to go on, and ends with `Busy` when not. Gives what there is to say of it:
    /// what was done that no other picture says, or why it was left alone; without a full stop.
    async fn restore(
        &self,
        picture: &Arc<Raster>,
        strength: Option<f32>,
        rows: &mut dyn Rows,
        pace: &dyn Pace,
    ) -> Result<Option<String>, Fault>;
}

/// The role that takes the rows of a repaired picture.
pub trait Rows: Send {
    /// Takes the next rows: whole ones, packed RGB.
    fn take(&mut self, rgb: &[u8]) -> Result<(), Fault>;
}

/// The role that is told how far a repair is.
pub trait Pace: Send + Sync {
    /// Hears that this share is done, 0 to 1, and says whether to go on.
    fn goes_on(&self, share: f32) -> bool;
}

/// The role that says whether a picture is worth a labeller that costs money.
pub trait Triage: Send + Sync {
    /// Judges by all that was said of the picture so far; the same testimony gives the same word.
    fn judge(&self, testimony: &Testimony<'_>) -> Worth;
}

/// Whether a picture is worth a labeller that costs money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Worth {
    /// It is.
    Asking,
    /// It is not, and why, for people.
    Nothing(String),
}

/// What a labeller is shown.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The picture: upright sRGB, at most 1024 pixels on its longer side.
    pub raster: Arc<Raster>,
    /// The stored rendition nearest to it, where there is one: what a service can be sent.
    pub file: Option<ShownFile>,
}

/// A stored rendition of what is shown.
#[derive(Debug, Clone)]
pub struct ShownFile {
    /// Where it lies in the store.
    pub key: Key,
    /// Its media type.
    pub media_type: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The file.
    pub bytes: Arc<Vec<u8>>,
}

impl From<Arc<Raster>> for Shown {
    fn from(raster: Arc<Raster>) -> Self {
        Self { raster, file: None }
    }
}

/// What a labeller said.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// Its claims in our words, best first.
    pub labels: Vec<Label>,
    /// What a service answered in its own words.
    pub told: Option<Told>,
    /// Where its network puts the picture.
    pub embedding: Option<Embedding>,
}

impl From<Vec<Label>> for Said {
    fn from(labels: Vec<Label>) -> Self {
        Self { labels, told: None, embedding: None }
    }
}

/// The role that knows words: synonyms and broader terms.
pub trait Vocabulary: Send + Sync {
    /// Every lemma of a synset, preferred first; empty when the synset is not known.
    fn synonyms(&self, synset: &Synset) -> Vec<String>;

    /// All ancestors, nearest first, each with its preferred name.
    fn ancestors(&self, synset: &Synset) -> Vec<(Synset, String)>;

    /// The synsets that carry this lemma, written in lower case with spaces.
    fn lookup(&self, lemma: &str) -> Vec<Synset>;

    /// What else a label is called that has no synset: scenes and concepts.
    fn other_names(&self, kind: LabelKind, name: &str) -> Vec<String> {
        let _ = (kind, name);
        Vec::new()
    }
}

/// One thing that a person's word may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The preferred name.
    pub name: String,
    /// Object, scene or concept.
    pub kind: LabelKind,
    /// The WordNet 3.0 synset, of objects.
    pub wordnet: Option<Synset>,
    /// Names of all broader terms, nearest first.
    pub parents: Vec<String>,
}

/// The role that says what a person means by a word.
pub trait Lexicon: Send + Sync {
    /// Everything that carries this name or synonym, the likeliest first.
    fn find(&self, text: &str) -> Vec<Word>;

    /// Settles on the one thing that a person means; a word that no vocabulary knows is taken as
    /// written when its kind is told. `BadInput` says what else to tell.
    fn settle(&self, text: &str, kind: Option<LabelKind>) -> Result<Word, Fault>;

    /// Finds the label that a person speaks of among those of a record, by name or synonym.
    /// `BadInput` lists near ones when there is none, or all when there are several.
    fn among<'a>(
        &self,
        labels: &'a [RecordLabel],
        text: &str,
        kind: Option<LabelKind>,
    ) -> Result<&'a RecordLabel, Fault>;
}

/// Everything that an [`Interpreter`] may go by.
#[derive(Debug, Clone)]
pub struct Testimony<'a> {
    /// The labellers' opinions that hold and found something, by step.
    pub opinions: Vec<&'a Opinion>,
    /// What people ruled, in the order they did.
    pub decisions: &'a [Decision],
    /// What is special about the pixels, when they were assessed.
    pub assessment: Option<Assessment>,
    /// The days in which the picture may have been taken, as far as it is known.
    pub taken: Option<Days>,
}

/// The role that makes one answer of what several labellers said: labels merged, calibrated,
/// and scenes and concepts inferred.
///
/// It is part of the fold, so it is pure: the same testimony gives the same labels, and
/// whatever is withdrawn or ruled otherwise is gone from everything that rested on it.
pub trait Interpreter: Send + Sync {
    /// Changes whenever the same testimony might be read otherwise; what was derived under
    /// another fingerprint, such as an index, is to be made anew.
    fn fingerprint(&self) -> &str;

    /// Reads the testimony: machine labels only, none of them ruled on yet.
    ///
    /// Rulings count as facts: what rests on a rejected label loses that support, what rests on
    /// an approved or added one gains it. The rejected label itself stays in the answer.
    fn interpret(&self, testimony: &Testimony<'_>) -> Vec<RecordLabel>;
}
