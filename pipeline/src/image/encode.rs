//! Coding planes as renditions, and what becomes of the original's colour profile.
//!
//! Renditions carry no metadata but, at most, a profile. It is either carried, which costs its
//! bytes in each file, or the pixels are converted to sRGB; it is never dropped.

use crate::fault::Fault;
use crate::image::colour;
use crate::image::jpeg::turbo;
use crate::image::plane::Planes;
use crate::raster::Raster;
use crate::rendition::{Recipe, RenditionFormat};

/// The largest profile that is carried; larger ones are converted.
///
/// Camera and editor profiles (Adobe RGB, Display P3: 540 to 560 bytes; grey: up to 3 KB) are
/// below; print and scanner profiles with tables weigh as much as a rendition.
const CARRIED_BYTES: usize = 4096;

/// What becomes of the original's profile.
#[derive(Debug, Clone)]
pub(crate) enum Profile {
    /// The samples are sRGB.
    Srgb,
    /// The profile goes into each JPEG.
    Carried(Vec<u8>),
    /// Each rendition is converted to sRGB before it is coded.
    Converted(Vec<u8>),
}

impl Profile {
    /// Decides for an embedded profile.
    ///
    /// # Errors
    /// `BadInput` when the profile cannot be used; the samples then say nothing else than sRGB.
    pub(crate) fn of(icc: Option<Vec<u8>>, format: RenditionFormat) -> Result<Self, Fault> {
        let Some(icc) = icc else {
            return Ok(Self::Srgb);
        };
        if !changes_colours(&icc)? {
            return Ok(Self::Srgb);
        }
        if icc.len() <= CARRIED_BYTES && format == RenditionFormat::Jpeg {
            return Ok(Self::Carried(icc));
        }
        Ok(Self::Converted(icc))
    }

    /// Converts planes to packed RGB in sRGB.
    pub(crate) fn srgb(&self, planes: &Planes) -> Result<Vec<u8>, Fault> {
        let mut rgb = turbo::rgb_of_planes(planes)?;
        self.convert(&mut rgb)?;
        Ok(rgb)
    }

    /// Converts packed RGB in the profile's colours to sRGB.
    pub(crate) fn convert(&self, rgb: &mut [u8]) -> Result<(), Fault> {
        match self {
            Self::Srgb => Ok(()),
            Self::Carried(icc) | Self::Converted(icc) => colour::to_srgb(rgb, icc),
        }
    }
}

/// Codes upright planes as the recipe asks.
///
/// # Errors
/// `Broken` when memory runs out; the fault of the conversion.
pub(crate) fn encode(
    planes: &Planes,
    profile: &Profile,
    recipe: &Recipe,
) -> Result<Vec<u8>, Fault> {
    match (recipe.format, profile) {
        (RenditionFormat::Jpeg, Profile::Srgb) => turbo::compress(planes, recipe.quality, None),
        (RenditionFormat::Jpeg, Profile::Carried(icc)) => {
            turbo::compress(planes, recipe.quality, Some(icc))
        }
        (RenditionFormat::Jpeg, Profile::Converted(_)) => {
            let rgb = profile.srgb(planes)?;
            let converted = turbo::planes_of_rgb(&rgb, planes.width, planes.height)?;
            turbo::compress(&converted, recipe.quality, None)
        }
        (RenditionFormat::Webp, _) => {
            let rgb = profile.srgb(planes)?;
            webp::Encoder::from_rgb(&rgb, planes.width, planes.height)
                .encode_simple(false, f32::from(recipe.quality))
                .map(|file| file.to_vec())
                .map_err(|cause| Fault::broken(format!("cannot code a WebP: {cause:?}")))
        }
    }
}

/// Codes upright sRGB pixels as a JPEG without metadata, `quality` 1 to 100.
///
/// # Errors
/// `Broken` when memory runs out.
pub fn encode_jpeg(raster: &Raster, quality: u8) -> Result<Vec<u8>, Fault> {
    let planes = turbo::planes_of_rgb(raster.rgb(), raster.width(), raster.height())?;
    turbo::compress(&planes, quality, None)
}

/// Tells whether a profile is other than sRGB, by effect and not by name: "sRGB" is in the names
/// of profiles that are not, and many that are bear another name.
fn changes_colours(icc: &[u8]) -> Result<bool, Fault> {
    /// What rounding and the many encodings of sRGB's curve make of it, in steps of 255.
    const ROUNDING: u8 = 2;

    let greys = (0..=255).step_by(5).flat_map(|v| [v, v, v]);
    let hues = (0..=255).step_by(15).flat_map(|v| [v, 0, 255 - v, 255 - v, v, 0, 0, 255 - v, v]);
    let before: Vec<u8> = greys.chain(hues).collect();
    let mut after = before.clone();
    colour::to_srgb(&mut after, icc)?;
    Ok(before.iter().zip(&after).any(|(one, other)| one.abs_diff(*other) > ROUNDING))
}
