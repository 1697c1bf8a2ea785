//! Image information: what a viewer needs to know before it asks for tiles.
//!
//! Source: IIIF Image API 3.0, section 5 (<https://iiif.io/api/image/3.0/#5-image-information>).

use serde::Serialize;

use super::resolve::{MOST_AREA, MOST_SIDE, largest};
use super::showing::Showing;
use glassplate_pipeline::image::print::Region;

/// The side of a tile, in pixels: large enough that a screen needs a dozen requests.
const TILE: u32 = 512;

/// The document at `info.json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Info {
    #[serde(rename = "@context")]
    context: &'static str,
    id: String,
    r#type: &'static str,
    protocol: &'static str,
    profile: &'static str,
    width: u32,
    height: u32,
    max_width: u32,
    max_height: u32,
    max_area: u64,
    sizes: Vec<Size>,
    tiles: [Tiles; 1],
    extra_formats: [&'static str; 1],
    extra_qualities: [&'static str; 3],
    extra_features: [&'static str; 5],
}

/// A size that is at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Size {
    /// In pixels.
    pub(super) width: u32,
    /// In pixels.
    pub(super) height: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Tiles {
    width: u32,
    scale_factors: Vec<u32>,
}

impl Info {
    /// Describes the image service at `id`.
    pub(super) fn of(id: String, showing: &Showing) -> Self {
        let longest = showing.width.max(showing.height);
        let levels = longest.div_ceil(TILE).next_power_of_two().trailing_zeros();
        Self {
            context: "http://iiif.io/api/image/3/context.json",
            id,
            r#type: "ImageService3",
            protocol: "http://iiif.io/api/image",
            profile: "level2",
            width: showing.width,
            height: showing.height,
            max_width: MOST_SIDE,
            max_height: MOST_SIDE,
            max_area: MOST_AREA,
            sizes: sizes(showing),
            tiles: [Tiles {
                width: TILE,
                scale_factors: (0..=levels).map(|level| 1 << level).collect(),
            }],
            extra_formats: ["webp"],
            extra_qualities: ["color", "gray", "bitonal"],
            extra_features: [
                "canonicalLinkHeader",
                "mirroring",
                "profileLinkHeader",
                "rotationArbitrary",
                "sizeUpscaling",
            ],
        }
    }
}

/// Lists the renditions' sizes and the picture's own as far as it is given, the smallest first.
pub(super) fn sizes(showing: &Showing) -> Vec<Size> {
    let (width, height) = (showing.width, showing.height);
    let (most, down) = largest(Region { left: 0, top: 0, width, height }, false);
    let renditions = showing.renditions.iter();
    let mut sizes: Vec<Size> = renditions
        .map(|source| Size { width: source.width, height: source.height })
        .filter(|size| size.width <= most && size.height <= down)
        .chain([Size { width: most, height: down }])
        .collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}
