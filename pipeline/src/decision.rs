//! What people said: durable rulings that no model can overrule.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::asset::AssetId;
use crate::label::{LabelKind, Synset};
use crate::record::RecordLabel;

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
    /// Names of the label's broader terms, nearest first, as the vocabulary had them then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<String>,
    /// The ruling.
    pub ruling: Ruling,
    /// Who ruled.
    pub who: String,
    /// When; of two rulings on one label the later holds.
    pub at: Timestamp,
}

impl Decision {
    /// Tells whether this is about a label: of the same kind, and the same synset or name.
    pub fn speaks_of(&self, label: &RecordLabel) -> bool {
        label.kind == self.kind
            && match (&label.wordnet, &self.wordnet) {
                (Some(a), Some(b)) => a == b,
                _ => label.name == self.label,
            }
    }
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
