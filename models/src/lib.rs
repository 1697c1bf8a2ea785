//! glassplate's models: cards, fetching, sessions, labellers, vocabulary, and how right they are.
//!
//! Everything that knows a network or a word list is here; the pipeline asks for it
//! through its ports ([`glassplate_pipeline::ports`]) and knows none of it.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may end where it fails"))]

pub mod card;
pub mod demo;
pub mod evaluation;
pub mod interpret;
pub mod labeller;
pub mod restorer;
pub mod session;
pub mod shelf;
pub mod taxonomy;
pub mod vocabulary;

mod archive;
mod python;
mod tensor;
mod weights;
