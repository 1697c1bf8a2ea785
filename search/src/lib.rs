//! glassplate's search: an index that follows the catalogue, a query language, explanations.
//!
//! The index is only a derivative: everything in it can be made again from the catalogue, so
//! nothing here is ever repaired, only rebuilt. [`Index`] is opened on a folder, follows the
//! change feed ([`Index::catch_up`], or [`follow`] while an ingest runs) and answers queries
//! ([`Index::search`]) without a network or the catalogue.
//!
//! `document` says what of a record can be found, `level` what ranks above what, `query` what
//! can be asked and how, `collect` how the answer is gathered, `why` how a hit explains itself.
//! [`http`] serves it all to people and programs.

mod ahead;
mod ask;
mod claims;
mod collect;
mod cursor;
mod document;
mod facts;
mod faults;
mod fields;
mod files;
mod follow;
mod generation;
mod highlight;
pub mod http;
mod iiif;
mod index;
mod indexer;
mod level;
mod lexicon;
mod like;
mod likeness;
mod measures;
mod page;
mod query;
mod schema;
mod search;
mod sheet;
mod standing;
mod steps;
mod summary;
#[cfg(test)]
mod tests;
mod why;
mod words;

pub use ask::{
    Ask, Correction, Count, Counts, Cursor, Facet, Holdings, LabelCount, MOST_HITS, MOST_VALUES,
    Sort, Suggestion,
};
pub use follow::{DEFAULT_INTERVAL, Follower, follow};
pub use highlight::Highlight;
pub use index::Index;
pub use indexer::CaughtUp;
pub use like::Neighbours;
pub use search::{Answer, FoundLabel, Hit};
pub use why::Why;
