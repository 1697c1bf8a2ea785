//! A claim about a picture, and what it rests on.

use serde::{Deserialize, Serialize};

/// A WordNet 3.0 noun synset, written as ImageNet writes it: `n` and the eight-digit offset.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Synset(String);

impl Synset {
    /// Reads `n02085620`; anything else gives nothing.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('n')?;
        (digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_digit()))
            .then(|| Self(text.to_owned()))
    }

    /// Returns the synset as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Synset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a label speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelKind {
    /// A thing that can be pointed at.
    Object,
    /// Where the picture plays.
    Scene,
    /// What the picture is about.
    Concept,
}

impl LabelKind {
    /// The kind in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Scene => "scene",
            Self::Concept => "concept",
        }
    }
}

/// A claim with a confidence, as a labeller makes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// The preferred name, lower case, singular: `chihuahua`.
    pub name: String,
    /// Object, scene or concept.
    pub kind: LabelKind,
    /// How sure the labeller is, 0 to 1.
    pub confidence: f32,
    /// The WordNet 3.0 synset, where the vocabulary knows one.
    pub wordnet: Option<Synset>,
    /// Names of all ancestors, nearest first: `toy dog`, `dog`, ... `animal`.
    pub parents: Vec<String>,
    /// Where it was seen, best first; empty when the labeller does not locate.
    pub instances: Vec<Instance>,
    /// What an inferred label rests on; empty for a labeller's direct claim.
    pub evidence: Vec<Evidence>,
}

/// One place in the picture where a label was seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// Left, top, width, height as fractions of the upright picture, 0 to 1.
    #[serde(rename = "box")]
    pub frame: [f32; 4],
    /// How sure the labeller is of this instance, 0 to 1.
    pub confidence: f32,
}

/// One claim that an inferred label rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The name of the label rested on.
    pub name: String,
    /// Its kind.
    pub kind: LabelKind,
    /// How much it weighs, in log-odds.
    pub weight: f32,
    /// The model that claimed it, where several may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}
