//! What end-to-end tests and measurements share.

pub mod archivist;
pub mod cloud;
pub mod corpus;
pub mod ledger_view;
pub mod measure;
pub mod photograph;
pub mod pictures;
pub mod relevance;
pub mod scripted;
pub mod server;
pub mod synthetic;
