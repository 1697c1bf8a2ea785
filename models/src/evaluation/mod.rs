//! Measuring: how right the records of photographs are whose content is known.
//!
//! [`truth`] reads tables of what is in the pictures, [`look`] makes the record of each as the
//! pipeline does, in memory, and [`score`] compares. Everything but looking is pure.

pub mod bootstrap;
pub mod calibration;
mod likeness;
pub mod look;
pub mod objects;
pub mod plot;
pub mod report;
pub mod score;
pub mod truth;
pub mod words;

#[cfg(test)]
mod tests;
