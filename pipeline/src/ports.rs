//! The roles that the stages need filled; the stores have their own folders.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::fault::Fault;
use crate::label::{Label, Synset};
pub use crate::opinion::Maker;
use crate::raster::Raster;

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
    /// The picture is upright sRGB, at most 1024 pixels on its longer side. The same picture
    /// gives the same claims. A fault that is not transient is final for this picture.
    async fn label(&self, picture: &Arc<Raster>) -> Result<Vec<Label>, Fault>;
}

/// The role that knows words: synonyms and broader terms.
pub trait Vocabulary: Send + Sync {
    /// Every lemma of a synset, preferred first; empty when the synset is not known.
    fn synonyms(&self, synset: &Synset) -> Vec<String>;

    /// All ancestors, nearest first, each with its preferred name.
    fn ancestors(&self, synset: &Synset) -> Vec<(Synset, String)>;

    /// The synsets that carry this lemma, written in lower case with spaces.
    fn lookup(&self, lemma: &str) -> Vec<Synset>;
}
