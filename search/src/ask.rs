//! What can be asked of the index, and what it answers: the search's vocabulary of types.
//!
//! Everything here is of one tenant; no count, value or suggestion of another one's records is
//! ever in an answer.

use std::fmt;
use std::str::FromStr;

use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::label::LabelKind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most hits in one answer.
pub const MOST_HITS: usize = 1_000;
/// The most values of one facet in an answer.
pub const MOST_VALUES: usize = 100;

/// One search, as the page and the API ask it.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The query as typed, see the module `query`; an empty one asks for everything.
    pub query: String,
    /// Exact values of facets, all of which must hold: what a click on a facet adds.
    pub within: Vec<(Facet, String)>,
    /// Which facets to count.
    pub facets: Vec<Facet>,
    /// How many values of each facet, the most frequent first; at most [`MOST_VALUES`].
    pub values: usize,
    /// The order of the hits.
    pub sort: Sort,
    /// How many hits; at most [`MOST_HITS`].
    pub limit: usize,
    /// Where an earlier answer ended.
    pub after: Option<Cursor>,
    /// Whether the query is still being typed: its last word may go on.
    pub typing: bool,
}

impl Default for Ask {
    fn default() -> Self {
        Self {
            query: String::new(),
            within: Vec::new(),
            facets: Vec::new(),
            values: 10,
            sort: Sort::Relevance,
            limit: 20,
            after: None,
            typing: false,
        }
    }
}

impl Ask {
    /// Asks for the first hits of a query, and nothing else.
    pub fn words(query: impl Into<String>, limit: usize) -> Self {
        Self { query: query.into(), limit, ..Self::default() }
    }
}

/// What hits can be narrowed by.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Facet {
    /// Objects shown above the bar, by their own name.
    Object,
    /// Scenes shown above the bar.
    Scene,
    /// Concepts shown above the bar.
    Concept,
    /// Collections.
    Collection,
    /// The decade of taking: `1930s`.
    Decade,
    /// The original's format: `jpeg`.
    Format,
    /// `colour`, `grey` or `toned`.
    Tone,
    /// `landscape`, `portrait` or `square`.
    Orientation,
    /// What people made of the labels: `approved`, `added`, or `proposed` where nobody ruled.
    State,
}

impl Facet {
    /// Every facet, in the order in which a page shows them.
    pub const ALL: [Self; 9] = [
        Self::Object,
        Self::Scene,
        Self::Concept,
        Self::Collection,
        Self::Decade,
        Self::Format,
        Self::Tone,
        Self::Orientation,
        Self::State,
    ];

    /// The facet's name in queries, parameters and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Scene => "scene",
            Self::Concept => "concept",
            Self::Collection => "collection",
            Self::Decade => "decade",
            Self::Format => "format",
            Self::Tone => "tone",
            Self::Orientation => "orientation",
            Self::State => "state",
        }
    }
}

impl fmt::Display for Facet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Facet {
    type Err = Fault;

    fn from_str(name: &str) -> Result<Self, Fault> {
        Self::ALL.into_iter().find(|facet| facet.name() == name).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            Fault::bad_input(format!("there is no facet {name:?}; the facets are {known}"))
        })
    }
}

/// The order of hits; equals follow each other by asset id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// The best first; of an empty query the last added first.
    #[default]
    Relevance,
    /// The latest taken first; what has no date comes last.
    Newest,
    /// The earliest taken first; what has no date comes last.
    Oldest,
    /// The last added first.
    Added,
}

impl FromStr for Sort {
    type Err = Fault;

    fn from_str(name: &str) -> Result<Self, Fault> {
        match name {
            "relevance" => Ok(Self::Relevance),
            "newest" => Ok(Self::Newest),
            "oldest" => Ok(Self::Oldest),
            "added" => Ok(Self::Added),
            _ => Err(Fault::bad_input(format!(
                "there is no order {name:?}; write relevance, newest, oldest or added"
            ))),
        }
    }
}

/// Where an answer ended: opaque text that the next search goes on from, past any depth, whatever
/// was added meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub(crate) String);

impl Cursor {
    /// Takes a cursor from outside; whether it is one is found out by the search.
    pub fn given(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The counts of one facet among all that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Counts {
    /// Which facet.
    pub facet: Facet,
    /// Its values, the most frequent first, equals by name.
    pub values: Vec<Count>,
}

/// How many of the records found have one value of a facet; exact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Count {
    /// The value.
    pub value: String,
    /// How many records.
    pub count: u64,
}

/// A word that nothing was found for, and what was searched for in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Correction {
    /// As typed.
    pub typed: String,
    /// As searched for.
    pub taken: String,
}

/// A way to go on typing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Suggestion {
    /// The words to search for.
    pub text: String,
    /// `object`, `scene`, `concept`, `collection`, `creator` or `word`.
    pub of: &'static str,
    /// How many records have it.
    pub count: u64,
}

/// One label in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LabelCount {
    /// The preferred name.
    pub name: String,
    /// Object, scene or concept.
    #[schema(value_type = crate::http::Kind)]
    pub kind: LabelKind,
    /// How many records show it.
    pub count: u64,
}

/// How much a tenant has in the index.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Holdings {
    /// Records.
    pub pictures: u64,
    /// The originals' bytes.
    pub bytes: u64,
}
