//! The fast path's reading half: a JPEG straight to reduced luma and chroma planes.
//!
//! Full-size RGB never exists: libjpeg-turbo reduces while it decodes, and hands out planes.
//! What cannot be had as planes (RGB-coded, CMYK, lossless, 12-bit) is for the general decoder.

pub(crate) mod segment;
pub(crate) mod turbo;

use crate::fault::Fault;
use crate::image::Limits;
use crate::image::plane::Planes;

use segment::{Part, Walk};
use turbo::{Decoder, Layout};

/// A JPEG as planes, still as coded: not upright, in its own colour space.
#[derive(Debug)]
pub(crate) struct Picture {
    /// Width as coded, in pixels.
    pub(crate) width: u32,
    /// Height as coded, in pixels.
    pub(crate) height: u32,
    /// The planes, reduced no further than the size asked for needs.
    pub(crate) planes: Planes,
    /// The embedded ICC profile.
    pub(crate) icc: Option<Vec<u8>>,
    /// What was wrong although pixels came out.
    pub(crate) damage: Option<String>,
}

/// How much larger than the size asked for the decoded planes are at least, in percent.
///
/// DCT scaling keeps a block's low frequencies and drops the rest, which rings and aliases a
/// little; the Lanczos reduction that follows hides that only where it has something to reduce.
const MARGIN_PERCENT: u64 = 115;

/// The DCT scales that are fast in libjpeg-turbo, most reduced first: 1/8 is next to nothing, 1/4,
/// 1/2 and 1 have SIMD; 3, 5, 6 and 7 eighths run in plain C and cost more than decoding whole.
const FAST_SHRINKS: [u32; 4] = [8, 4, 2, 1];

/// Most memory for a progressive JPEG's coefficients, in MiB.
///
/// 200 megapixels in 4:2:0 need 572; three full planes of that size are refused.
const COEFFICIENTS_MIB: i32 = 768;

/// Decodes for renditions whose longest side is at most `size` pixels.
///
/// Gives nothing when the JPEG cannot be had as planes: then the general decoder must do it.
///
/// # Errors
/// `TooLarge` when a limit is exceeded; `Unsupported` for a process that libjpeg-turbo lacks;
/// `BadInput` when no pixels come out.
pub(crate) fn read(bytes: &[u8], size: u32, limits: &Limits) -> Result<Option<Picture>, Fault> {
    read_by(bytes, |longest| shrink_for(longest, size), limits)
}

/// Decodes at 1 / `shrink` of the size: 1, 2, 4 or 8; as [`read`] in everything else.
///
/// # Errors
/// Those of [`read`].
pub(crate) fn read_shrunk(
    bytes: &[u8],
    shrink: u32,
    limits: &Limits,
) -> Result<Option<Picture>, Fault> {
    read_by(bytes, |_| shrink, limits)
}

fn read_by(
    bytes: &[u8],
    shrink_of: impl FnOnce(u32) -> u32,
    limits: &Limits,
) -> Result<Option<Picture>, Fault> {
    let mut decoder = Decoder::open(bytes, COEFFICIENTS_MIB)?;
    let header = decoder.header();
    limits.check_dimensions(header.width, header.height)?;
    let Some(layout) = header.layout else {
        return Ok(None);
    };

    decoder.bound_scans(most_scans(header.width, header.height))?;
    let shrink = shrink_of(header.width.max(header.height));
    let (planes, warning) = decoder.planes(layout, shrink)?;
    let damage = match warning {
        Some(warning) => Some(damage(bytes, &planes, header.height, &warning)?),
        None => None,
    };
    Ok(Some(Picture {
        width: header.width,
        height: header.height,
        planes,
        icc: segment::icc_profile(bytes).filter(|icc| fits(layout, icc)),
        damage,
    }))
}

/// Chooses the DCT scale: the smallest fast one that leaves the margin, or the whole picture.
fn shrink_for(longest: u32, size: u32) -> u32 {
    let enough = u64::from(size) * MARGIN_PERCENT / 100;
    FAST_SHRINKS.into_iter().find(|shrink| u64::from(longest / shrink) >= enough).unwrap_or(1)
}

/// Bounds a progressive JPEG's scans, each of which may pass over every block for a few bytes.
///
/// Encoders write about ten; "Two Issues with the JPEG Standard" (libjpeg-turbo.org) has the
/// attack. Five thousand million block-pixels take a few seconds.
fn most_scans(width: u32, height: u32) -> i32 {
    let pixels = (u64::from(width) * u64::from(height)).max(1);
    (5_000_000_000 / pixels).clamp(25, 500) as i32
}

/// Says how much of a damaged picture was decoded.
///
/// # Errors
/// `BadInput` when nothing was: there is no coded data, or none that gave a sample far from the
/// mid-grey that stands for no data.
fn damage(bytes: &[u8], planes: &Planes, height: u32, warning: &str) -> Result<String, Fault> {
    /// What stray bits taken for coefficients do, in steps of 255; a picture has more contrast.
    const NOTHING: u8 = 8;

    let luma = &planes.luma;
    let mut coded = Walk::new(bytes).filter(|part| matches!(part, Part::Entropy([_, ..])));
    if coded.next().is_none() || luma.samples.iter().all(|sample| sample.abs_diff(128) <= NOTHING) {
        return Err(Fault::bad_input(format!("no picture data can be decoded: {warning}")));
    }
    if !warning.starts_with("Premature end") {
        return Ok(format!("damaged: {warning}"));
    }
    let mut rows = luma.samples.chunks_exact(luma.stride).rev();
    let missing = rows.position(|row| row.iter().any(|&sample| sample != 128)).unwrap_or(0);
    if missing == 0 {
        return Ok("truncated: the end marker is missing".to_owned());
    }
    let decoded = (luma.rows - missing) as f64 / luma.frame.height;
    let rows = (decoded * f64::from(height)) as u32;
    Ok(format!("truncated: {rows} of {height} rows decoded"))
}

/// Tells whether a profile speaks of the components that the JPEG has.
///
/// Source: ICC.1:2022, 7.2.6: the data colour space signature at byte 16 of the header.
fn fits(layout: Layout, icc: &[u8]) -> bool {
    match (icc.get(16..20), layout) {
        (Some(b"GRAY"), Layout::Grey) | (Some(b"RGB "), Layout::Colour(_)) => true,
        // An RGB profile on a grey picture is defined along its grey axis.
        (Some(b"RGB "), Layout::Grey) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_leaves_a_margin_and_never_falls_short() {
        for longest in (1..70_000).step_by(7) {
            for size in [64, 256, 1024, 2048, 4096] {
                let shrink = shrink_for(longest, size);
                let decoded = longest / shrink;
                assert!(shrink == 1 || decoded >= size * 115 / 100, "{longest} for {size}");
            }
        }
        assert_eq!(shrink_for(4992, 2048), 2);
        assert_eq!(shrink_for(4000, 2048), 1);
        assert_eq!(shrink_for(20_000, 2048), 8);
    }
}
