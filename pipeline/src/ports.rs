//! The roles that the pipeline asks for and other crates fill.
//!
//! A port says what is promised, never who keeps the promise: this crate knows no model.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::label::{Label, Synset};
use crate::raster::Raster;

/// Who made a claim: enough to know when it can be reused.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Maker {
    /// What ran the model: `onnx`.
    pub backend: String,
    /// The model's name, as on its card.
    pub model: String,
    /// The model's version, as on its card.
    pub version: String,
    /// Whatever else changes the claims, as canonical JSON (keys sorted, no spaces), or nothing.
    pub parameters: String,
}

/// The role that names what is in a picture.
#[async_trait]
pub trait Labeller: Send + Sync {
    /// The step's name in the ledger: `label:efficientnet-lite0`.
    fn step(&self) -> &str;

    /// Who makes the claims; the same maker claims the same of the same picture.
    fn maker(&self) -> &Maker;

    /// Claims about the picture, best first; an empty list means that none was found.
    async fn label(&self, picture: &Arc<Raster>) -> Result<Vec<Label>, Fault>;
}

/// The role that knows words: synonyms and broader terms.
pub trait Vocabulary: Send + Sync {
    /// Every lemma of a synset, preferred first.
    fn synonyms(&self, synset: &Synset) -> Vec<String>;

    /// All ancestors, nearest first, as (synset, preferred name).
    fn ancestors(&self, synset: &Synset) -> Vec<(Synset, String)>;

    /// Synsets that carry this lemma (lower case, spaces).
    fn lookup(&self, lemma: &str) -> Vec<Synset>;
}
