//! Colour management: pixels of a profile to sRGB.

use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

use crate::fault::Fault;

/// Tells whether a profile is sRGB; nothing when it cannot be read.
pub(crate) fn is_srgb(icc: &[u8]) -> Option<bool> {
    let profile = ColorProfile::new_from_slice(icc).ok()?;
    if profile.color_space != DataColorSpace::Rgb || !profile.is_matrix_shaper() {
        return Some(false);
    }
    // By effect, not by name: "sRGB" is in the name of profiles that are not, and the reverse.
    let ramp: Vec<u8> = (0..=255_u8)
        .flat_map(|v| [[v, v, v], [v, 0, 0], [0, v, 0], [0, 0, v], [v, 255 - v, 128]])
        .flatten()
        .collect();
    let mut converted = ramp.clone();
    to_srgb(&mut converted, icc).ok()?;
    Some(ramp.iter().zip(&converted).all(|(before, after)| before.abs_diff(*after) <= 2))
}

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
