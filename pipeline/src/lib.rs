//! The heart of glassplate: its words, its ports, its stages and its stores.
//!
//! This crate knows no model, no search engine and no template; it never prints,
//! exits, or reads the environment or the clock. `ARCHITECTURE.md` tells what
//! happens to one photograph, and in which file.

pub mod asset;
pub mod fault;
pub mod field;
pub mod image;
pub mod label;
pub mod ports;
pub mod raster;
pub mod rendition;
