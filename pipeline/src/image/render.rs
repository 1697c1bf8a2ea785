//! Making renditions: one decode, upright, each size from the next larger, hash on the way.
//!
//! [`from_jpeg`] is the fast path on planes; [`from_raster`] serves every other format with the
//! same reduction and the same coders. Which one a picture takes is decided by [`render`].

use std::sync::Arc;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{ResizeOptions, Resizer};

use crate::fault::Fault;
use crate::image::encode::{Profile, encode};
use crate::image::jpeg::{self, turbo};
use crate::image::phash;
use crate::image::plane::{Planes, Turn};
use crate::image::{Decoded, Format, Limits, Rendered, RenderedFile, Technical};
use crate::raster::Raster;
use crate::rendition::Recipe;

/// The longest side of the working raster, in pixels; whatever the recipe's sizes are.
const WORKING_SIZE: u32 = 1024;

/// The longest side of the picture that the perceptual hash is taken from, so that the hash
/// does not depend on the recipe.
const HASHED_SIZE: u32 = 256;

/// Renders a picture of any format; `decode` is called when the fast path cannot serve it.
///
/// # Errors
/// Those of [`from_jpeg`], of `decode` and of [`from_raster`].
pub fn render(
    bytes: &[u8],
    technical: &Technical,
    recipe: &Recipe,
    limits: &Limits,
    decode: impl FnOnce() -> Result<Decoded, Fault>,
) -> Result<Rendered, Fault> {
    if technical.format == Format::Jpeg
        && let Some(rendered) = from_jpeg(bytes, technical, recipe, limits)?
    {
        return Ok(rendered);
    }
    let Decoded { raster, damage, note } = decode()?;
    let damage = match (damage, note) {
        (Some(damage), Some(note)) => Some(format!("{damage}; {note}")),
        (damage, note) => damage.or(note),
    };
    Ok(Rendered { damage, ..from_raster(raster, recipe)? })
}

/// Renders a JPEG through planes, without full-size RGB.
///
/// Gives nothing when the JPEG cannot be had as luma and chroma planes (RGB-coded, CMYK,
/// lossless, 12-bit, unnamed sampling): then it must be decoded in general.
///
/// # Errors
/// `TooLarge` when a limit is exceeded, `Unsupported` when libjpeg-turbo lacks the process,
/// `BadInput` when no pixels come out or the recipe is not valid.
pub fn from_jpeg(
    bytes: &[u8],
    technical: &Technical,
    recipe: &Recipe,
    limits: &Limits,
) -> Result<Option<Rendered>, Fault> {
    recipe.validate()?;
    let Some(picture) = jpeg::read(bytes, largest(recipe), limits)? else {
        return Ok(None);
    };
    let turn = Turn::from_exif(technical.orientation);
    let (width, height) = fitted(picture.width, picture.height, largest(recipe));
    let mut resizer = Resizer::new();
    let top = picture.planes.reduced(&mut resizer, width, height, turn)?.turned(turn);
    let whole = turn.upright(picture.width, picture.height);
    let (profile, ignored) = match Profile::of(picture.icc, recipe.format) {
        Ok(profile) => (profile, None),
        Err(fault) => (Profile::Srgb, Some(format!("profile ignored: {}", fault.reason()))),
    };
    let damage: Vec<String> = picture.damage.into_iter().chain(ignored).collect();
    let rendered = chain(&mut resizer, top, whole, &profile, recipe)?;
    let damage = (!damage.is_empty()).then(|| damage.join("; "));
    Ok(Some(Rendered { damage, ..rendered }))
}

/// Renders decoded pixels.
///
/// # Errors
/// `BadInput` when the recipe is not valid, `Broken` when memory runs out.
pub fn from_raster(raster: Raster, recipe: &Recipe) -> Result<Rendered, Fault> {
    recipe.validate()?;
    let whole = (raster.width(), raster.height());
    let (width, height) = fitted(whole.0, whole.1, largest(recipe));
    let mut resizer = Resizer::new();
    let rgb = reduced_rgb(&mut resizer, raster, width, height)?;
    let top = turbo::planes_of_rgb(&rgb, width, height)?;
    drop(rgb);
    chain(&mut resizer, top, whole, &Profile::Srgb, recipe)
}

/// Reduces a picture until its longer side is at most `size`; a smaller one stays as it is.
///
/// # Errors
/// `Broken` when memory runs out.
pub fn reduced_to(raster: Raster, size: u32) -> Result<Raster, Fault> {
    let (width, height) = fitted(raster.width(), raster.height(), size);
    let rgb = reduced_rgb(&mut Resizer::new(), raster, width, height)?;
    Ok(Raster::new(width, height, rgb))
}

/// Makes every size from the next larger one, starting at the largest.
fn chain(
    resizer: &mut Resizer,
    top: Planes,
    (width, height): (u32, u32),
    profile: &Profile,
    recipe: &Recipe,
) -> Result<Rendered, Fault> {
    let mut files: Vec<RenderedFile> = Vec::with_capacity(recipe.sizes.len());
    let mut working = None;
    let mut hash = None;
    let mut current = top;
    for size in stages(recipe) {
        let (columns, rows) = fitted(width, height, size);
        if (columns, rows) != (current.width, current.height) {
            current = current.reduced(resizer, columns, rows, Turn::NONE)?;
        }
        if recipe.sizes.contains(&size) {
            let bytes = match files.last() {
                Some(file) if (file.width, file.height) == (columns, rows) => file.bytes.clone(),
                _ => Arc::new(encode(&current, profile, recipe)?),
            };
            files.push(RenderedFile {
                name: size.to_string(),
                width: columns,
                height: rows,
                bytes,
            });
        }
        if size == WORKING_SIZE {
            working = Some(Raster::new(columns, rows, profile.srgb(&current)?));
        }
        if size == HASHED_SIZE {
            hash = Some(phash::of_planes(resizer, &current)?);
        }
    }
    Ok(Rendered {
        files,
        working: working.expect("the working size is a stage"),
        phash: hash.expect("the hashed size is a stage"),
        damage: None,
    })
}

/// Lists the sizes to go through, largest first: the recipe's, the working and the hashed one.
fn stages(recipe: &Recipe) -> Vec<u32> {
    let mut sizes = [&recipe.sizes[..], &[WORKING_SIZE, HASHED_SIZE]].concat();
    sizes.sort_unstable_by(|one, other| other.cmp(one));
    sizes.dedup();
    sizes
}

fn largest(recipe: &Recipe) -> u32 {
    stages(recipe)[0]
}

/// Fits a picture into a square of `size`, keeping its aspect and never enlarging it.
pub(crate) fn fitted(width: u32, height: u32, size: u32) -> (u32, u32) {
    let longest = width.max(height);
    if longest <= size {
        return (width, height);
    }
    let scale = |side: u32| {
        let scaled = u64::from(side) * u64::from(size) + u64::from(longest / 2);
        u32::try_from(scaled / u64::from(longest)).map_or(size, |side| side.clamp(1, size))
    };
    (scale(width), scale(height))
}

/// Reduces packed RGB by Lanczos with three lobes, giving the larger pixels up.
fn reduced_rgb(
    resizer: &mut Resizer,
    raster: Raster,
    width: u32,
    height: u32,
) -> Result<Vec<u8>, Fault> {
    let (whole_width, whole_height) = (raster.width(), raster.height());
    if (width, height) == (whole_width, whole_height) {
        return Ok(raster.into_rgb());
    }
    let wrong = |cause| Fault::broken("cannot reduce a raster").because(cause);
    let mut rgb = vec![0; width as usize * height as usize * 3];
    let source = TypedImageRef::<U8x3>::from_buffer(whole_width, whole_height, raster.rgb())
        .map_err(|cause| Fault::broken("a raster has lost pixels").because(cause))?;
    let mut target = TypedImage::<U8x3>::from_buffer(width, height, &mut rgb)
        .map_err(|cause| Fault::broken("a raster has lost pixels").because(cause))?;
    resizer.resize_typed(&source, &mut target, &ResizeOptions::new()).map_err(wrong)?;
    Ok(rgb)
}
