//! What end-to-end tests and measurements share.

pub mod photograph;
pub mod synthetic;
