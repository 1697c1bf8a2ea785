//! The interpreter: one answer of what many labellers say. Objects => scenes => concepts.
//!
//! Reads top to bottom in [`Reader::interpret`]: claims are sorted, objects merged, scenes
//! inferred from them, concepts from both; then doubts are raised. What each claim weighs is fitted
//! (`taxonomy/weights.toml`), what it means stands in tables that people can read (`tables`).
//! Everything is pure, so a ruling or a withdrawn run changes all that rested on it.

mod calibration;
mod claims;
mod concepts;
mod doubts;
mod looks;
mod objects;
mod scenes;
mod services;
mod tables;
#[cfg(test)]
mod tests;
mod weights;

use std::sync::Arc;

use glassplate_pipeline::ports::{Interpreter, Testimony};
use glassplate_pipeline::record::RecordLabel;
use sha2::{Digest as _, Sha256};

use crate::taxonomy::Objects;
pub use calibration::{Calibration, Curve, Ruled};
use claims::Claims;
use tables::Tables;
use weights::Weights;

/// Changes whenever the same claims, tables and weights would be read otherwise.
const VERSION: &str = "4";

/// The interpreter of glassplate.
#[derive(Debug)]
pub struct Reader {
    tables: Tables,
    weights: Weights,
    calibration: Calibration,
    fingerprint: String,
}

impl Reader {
    /// Reads the tables; a few milliseconds, so once in a process.
    pub fn load(objects: Arc<Objects>, calibration: Calibration) -> Self {
        let mut hasher = Sha256::new();
        for text in tables::TEXTS.iter().chain([&weights::TEXT, &VERSION]) {
            hasher.update((text.len() as u64).to_be_bytes());
            hasher.update(text.as_bytes());
        }
        hasher.update(calibration.to_toml().as_bytes());
        let fingerprint = hasher.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        Self { tables: Tables::load(objects), weights: Weights::load(), calibration, fingerprint }
    }
}

impl Interpreter for Reader {
    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn interpret(&self, testimony: &Testimony<'_>) -> Vec<RecordLabel> {
        let monochrome = testimony.assessment.is_some_and(|found| found.tone.is_monochrome());
        let claims = Claims::sort(&self.tables, testimony);
        let inferred = self.weights.inferred(claims.eyes);
        let mut things = objects::merge(&self.tables, &self.weights, &claims, monochrome);
        let places = scenes::infer(&self.tables, inferred, &claims, &things, monochrome);
        let concepts = concepts::infer(&self.tables, inferred, &claims, &things, &places.shares);
        doubts::doubt(&self.tables, &claims, &mut things, testimony.taken);
        let objects = things.into_iter().filter(|thing| thing.label.source.run.is_some());
        let mut labels: Vec<_> = objects
            .map(|thing| thing.label)
            .chain(places.labels)
            .chain(concepts)
            .chain(claims.services.strangers())
            .collect();
        for label in &mut labels {
            label.confidence = self.calibration.apply(label.kind, monochrome, label.confidence);
        }
        labels
    }
}
