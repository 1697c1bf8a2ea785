//! Assess: what is special about the pixels, looked at before anybody labels them.

use crate::assessment::Assessment;
use crate::image::tone;
use crate::opinion::Maker;
use crate::raster::Raster;

/// Changes whenever assess would answer otherwise.
const VERSION: &str = "1";

/// Says who assesses.
pub fn maker() -> Maker {
    Maker {
        backend: "glassplate".to_owned(),
        model: "assess".to_owned(),
        version: VERSION.to_owned(),
        parameters: String::new(),
    }
}

/// Assesses the working raster; a millisecond or two.
pub fn assess(picture: &Raster) -> Assessment {
    let (tone, chroma) = tone::tone(picture);
    Assessment { tone, chroma }
}
