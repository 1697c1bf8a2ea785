//! The heart of glassplate: its words, its ports, its stages and its stores.
//!
//! This crate knows no model, no search engine and no template; it never prints,
//! exits, or reads the environment or the clock. `ARCHITECTURE.md` tells what
//! happens to one photograph, and in which file.

mod ask;
pub mod assessment;
pub mod asset;
pub mod aws;
pub mod batch;
pub mod beside;
pub mod catalogue;
pub mod catalogue_csv;
pub mod compare;
pub mod days;
pub mod decide;
pub mod decision;
pub mod embedding;
pub mod enrich;
pub mod fault;
pub mod field;
pub mod floor;
pub mod image;
pub mod ingest;
pub mod label;
pub mod manifest;
pub mod objects;
pub mod opinion;
pub mod pass;
pub mod place;
pub mod ports;
pub mod purchase;
pub mod purse;
pub mod quote;
pub mod raster;
pub mod record;
pub mod relabel;
pub mod rendition;
pub mod restoration;
pub mod restore;
pub mod review;
pub mod run;
pub mod sidecar;
pub mod source;
pub mod stage;
pub mod store;
pub mod telemetry;
pub mod tenancy;
pub mod verbatim;
