//! What people said: durable rulings that no model can overrule.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::asset::AssetId;
use crate::label::{LabelKind, Synset};

/// What a person ruled about one label of one asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The asset ruled about.
    pub asset: AssetId,
    /// The label's name, as in the vocabulary.
    pub label: String,
    /// The label's kind.
    pub kind: LabelKind,
    /// The label's synset, where known.
    pub wordnet: Option<Synset>,
    /// The ruling.
    pub ruling: Ruling,
    /// Who ruled.
    pub who: String,
    /// When; of two rulings on one label the later holds.
    pub at: Timestamp,
}

/// The three rulings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// The label is right.
    Approve,
    /// The label is wrong, and so is what rests on it.
    Reject,
    /// The label is right although no model claimed it.
    Add,
}
