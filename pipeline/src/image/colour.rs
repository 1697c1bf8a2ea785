//! Colour management: pixels of a profile to sRGB.
//!
//! The minimal form of the agreed function; the formats branch brings the full one.

use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

use crate::fault::Fault;

/// Converts packed RGB8 in place.
///
/// # Errors
/// `BadInput` when the profile cannot be read.
pub fn to_srgb(rgb: &mut [u8], icc: &[u8]) -> Result<(), Fault> {
    let bad = |cause| Fault::bad_input("the ICC profile cannot be used").because(cause);
    let from = ColorProfile::new_from_slice(icc).map_err(bad)?;
    let to = ColorProfile::new_srgb();
    let grey = from.color_space == DataColorSpace::Gray;
    let layout = if grey { Layout::Gray } else { Layout::Rgb };
    let transform = from
        .create_transform_8bit(layout, &to, Layout::Rgb, TransformOptions::default())
        .map_err(bad)?;
    let source: Vec<u8> =
        if grey { rgb.chunks_exact(3).map(|pixel| pixel[0]).collect() } else { rgb.to_vec() };
    transform.transform(&source, rgb).map_err(bad)
}
