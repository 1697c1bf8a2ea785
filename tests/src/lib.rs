//! What end-to-end tests and measurements share.

pub mod corpus;
pub mod measure;
pub mod photograph;
pub mod synthetic;
