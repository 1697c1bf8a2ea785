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

/// A size to ask for, in pixels.
#[derive(Debug, Serialize)]
struct Size {
    width: u32,
    height: u32,
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
            tiles: [Tiles { width: TILE, scale_factors: scale_factors(showing) }],
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

/// Lists the size of each scale factor of the tiles as far as it is given, the smallest first.
///
/// These and no others, although renditions are at hand in theirs: OpenSeadragon takes a list of
/// about as many sizes as there are scale factors for the levels themselves.
fn sizes(showing: &Showing) -> Vec<Size> {
    let (width, height) = (showing.width, showing.height);
    let most = largest(Region { left: 0, top: 0, width, height }, false);
    let factors = scale_factors(showing).into_iter().rev();
    let sizes = factors
        .map(|factor| Size { width: width.div_ceil(factor), height: height.div_ceil(factor) });
    sizes.filter(|size| size.width <= most.0 && size.height <= most.1).collect()
}

/// Lists the powers of two until the whole picture is one tile.
fn scale_factors(showing: &Showing) -> Vec<u32> {
    let longest = showing.width.max(showing.height);
    let levels = longest.div_ceil(TILE).next_power_of_two().trailing_zeros();
    (0..=levels).map(|level| 1 << level).collect()
}
