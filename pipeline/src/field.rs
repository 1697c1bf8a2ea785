//! Metadata fields as found, each with where it came from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Metadata by field name, in snake case: `date_taken`, `make`, `creator`, `keywords`.
pub type Fields = BTreeMap<String, Field>;

/// One field: the value that wins, its source, and what other sources say differently.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// A text, a number, a list of texts, or an object such as `{"latitude", "longitude"}`.
    pub value: Value,
    /// Where it was read: `exif:DateTimeOriginal`, `iptc:By-line`, `xmp:dc:creator`, `csv:catalogue.csv`.
    pub source: String,
    /// Other sources whose value differs, in order of precedence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Disagreement>,
}

/// What a source of lower precedence says of the same field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Disagreement {
    /// Its value.
    pub value: Value,
    /// Where it was read.
    pub source: String,
}
