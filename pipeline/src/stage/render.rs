//! Render: the renditions and the perceptual hash, stored under the digest of the pixels.

use serde_json::json;

use super::identify::Pixels;
use crate::asset::PixelDigest;
use crate::enrich::House;
use crate::fault::Fault;
use crate::image::{Limits, Rendered, RenderedFile, Technical, decode, render as made};
use crate::opinion::{Maker, Renditions};
use crate::rendition::{Recipe, Rendition};
use crate::store::{Body, Key};

/// Changes whenever render would make other renditions by the same recipe.
const VERSION: &str = "1";

/// Says who renders; a refusal carries the limits, so that other limits ask again.
pub fn maker(recipe: &Recipe, refused_under: Option<&Limits>) -> Maker {
    let parameters = match refused_under {
        None => json!(recipe),
        Some(limits) => json!({ "recipe": recipe, "limits": limits }),
    };
    Maker {
        backend: "glassplate".to_owned(),
        model: "render".to_owned(),
        version: VERSION.to_owned(),
        parameters: parameters.to_string(),
    }
}

/// Makes the renditions of one picture, and the raster that labellers look at.
///
/// # Errors
/// `BadInput`, `Unsupported` or `TooLarge`: the picture cannot be decoded.
pub fn render(
    bytes: &[u8],
    technical: &Technical,
    pixels: Pixels,
    recipe: &Recipe,
    limits: &Limits,
) -> Result<Rendered, Fault> {
    made::render(bytes, technical, recipe, limits, || match pixels {
        Pixels::Decoded(_, decoded) => Ok(decoded),
        Pixels::Coded(_) => decode::decode(bytes, technical, limits),
        Pixels::Unreachable(fault) => Err(fault),
    })
}

/// The key of a rendition by its name in the recipe; the file's name tells how it was made.
pub fn key(house: &House, pixels: &PixelDigest, name: &str) -> Key {
    let (format, quality) = (house.recipe.format, house.recipe.quality);
    Key::Rendition {
        tenant: house.tenant.clone(),
        pixels: *pixels,
        file: format!("{name}-q{quality}.{}", format.extension()),
    }
}

/// Puts the files into the store, each under a name that tells how it was made.
///
/// # Errors
/// What the store says.
pub async fn store(
    house: &House,
    pixels: &PixelDigest,
    files: Vec<RenderedFile>,
    phash: u64,
    note: Option<String>,
) -> Result<Renditions, Fault> {
    let mut stored = Vec::with_capacity(files.len());
    for file in files {
        let key = key(house, pixels, &file.name);
        house.store.replace(&key, &Body::Bytes(file.bytes)).await?;
        stored.push(Rendition {
            name: file.name,
            width: file.width,
            height: file.height,
            media_type: house.recipe.format.media_type().to_owned(),
            path: key.path(),
        });
    }
    Ok(Renditions { files: stored, phash: format!("{phash:016x}"), note })
}
