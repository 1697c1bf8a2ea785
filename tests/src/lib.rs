//! What end-to-end tests and measurements share.

pub mod synthetic;
