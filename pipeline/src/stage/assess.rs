//! Assess: what is special about the pixels, looked at before anybody labels them.

use crate::assessment::Assessment;
use crate::image::{condition, tone};
use crate::opinion::Maker;
use crate::raster::Raster;

/// Changes whenever assess would answer otherwise.
const VERSION: &str = "2";

/// Says who assesses.
pub fn maker() -> Maker {
    Maker {
        backend: "glassplate".to_owned(),
        model: "assess".to_owned(),
        version: VERSION.to_owned(),
        parameters: String::new(),
    }
}

/// Assesses the working raster, in some 13 ms of processor time at 1024 x 768.
pub fn assess(picture: &Raster) -> Assessment {
    let (tone, chroma) = tone::tone(picture);
    Assessment { tone, chroma, condition: Some(condition::condition(picture)) }
}
