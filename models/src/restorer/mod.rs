//! Restorers: those who fill [`glassplate_pipeline::ports::Restorer`], one way of repairing a file.
//!
//! Networks work on tiles, so that memory does not grow with the picture ([`tile`]); what can be
//! done well without a network is done without.

pub mod colourise;
pub mod deblur;
pub mod denoise;
pub mod levels;
pub mod upscale;

mod colour;
mod tile;

use glassplate_pipeline::fault::{Fault, FaultKind};
use glassplate_pipeline::ports::{Maker, Pace};

/// What a network is called and where it comes from, for those who attribute its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The model's name.
    pub model: String,
    /// Its version.
    pub version: String,
    /// The SHA-256 of its file, 64 hexadecimal digits.
    pub sha256: String,
}

impl Origin {
    /// The maker of what this network repairs; `reading` is how it is fed and read.
    fn maker(&self, reading: &serde_json::Value) -> Maker {
        Maker {
            backend: "onnx".to_owned(),
            model: self.model.clone(),
            version: self.version.clone(),
            parameters: serde_json::json!({ "sha256": self.sha256, "reading": reading })
                .to_string(),
        }
    }
}

/// The maker of what is repaired without a network.
fn classical(model: &str, version: &str, parameters: &serde_json::Value) -> Maker {
    Maker {
        backend: "glassplate".to_owned(),
        model: model.to_owned(),
        version: version.to_owned(),
        parameters: parameters.to_string(),
    }
}

/// Asks whether to go on.
///
/// # Errors
/// `Busy` when not: the same can be done another time.
fn go_on(pace: &dyn Pace, share: f32) -> Result<(), Fault> {
    match pace.goes_on(share) {
        true => Ok(()),
        false => Err(Fault::new(FaultKind::Busy, "stopped before it was repaired")),
    }
}
