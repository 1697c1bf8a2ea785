//! What end-to-end tests and measurements share.

pub mod archivist;
pub mod cloud;
pub mod corpus;
pub mod damage;
pub mod ledger_view;
pub mod measure;
pub mod perception;
pub mod photograph;
pub mod photographs;
pub mod pictures;
pub mod relevance;
pub mod restoring;
pub mod scripted;
pub mod server;
pub mod synthetic;
