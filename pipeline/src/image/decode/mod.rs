//! Decodes the first frame of a picture to upright 8-bit sRGB on white.
//!
//! [`decode`] is the way of every format but the plain JPEG, which has a fast path of its own,
//! and of the JPEGs which that path declines. One file a format family lies beside this one;
//! here is what they share: colours, transparency and orientation are settled once, below.
//!
//! Memory: the coded samples of a frame where its format cannot be read in rows (at most pixels
//! x coded bytes), and three bytes a pixel for the result; twice those while sides swap.
//! Time: every decoder's work is bounded by its pixels and bytes; where a format can repeat
//! work at will (JPEG scans) the repeats are held against `limits.seconds` at
//! `WORK_PIXELS_PER_SECOND`.

mod heif;
mod jp2;
mod jpeg;
mod jxl;
mod pcx;
mod plain;
mod png;
mod psd;
mod samples;
mod tiff;

use super::probe::bitmap::largest_icon;
use super::{Decoded, Format, Limits, Technical, colour, orient, preview};
use crate::fault::Fault;
use crate::raster::Raster;

/// How many pixels one pass of a decoder is taken to handle in a second: an assumption, kept low
/// so that `limits.seconds` holds on a slow core too.
const WORK_PIXELS_PER_SECOND: f64 = 100e6;

/// A frame as a family's decoder leaves it: sRGB on white, but not yet upright.
#[derive(Debug)]
struct Frame {
    width: u32,
    height: u32,
    /// Packed RGB.
    rgb: Vec<u8>,
    damage: Option<String>,
    note: Option<String>,
}

/// Decodes the first frame: upright, sRGB, transparency flattened on white.
///
/// `technical` is what `probe` said of the same bytes under the same limits. A picture of
/// several frames or pages gives its first. Camera RAW and HEIC give the largest JPEG preview
/// embedded in them, and say so in [`Decoded::note`].
///
/// # Errors
/// `BadInput` when no pixels come out of damaged data, `Unsupported` when no decoder for the
/// format or this kind of it is built in, `TooLarge` when decoding would exceed a limit.
pub fn decode(bytes: &[u8], technical: &Technical, limits: &Limits) -> Result<Decoded, Fault> {
    limits.check_dimensions(technical.width, technical.height)?;
    let frame = match technical.format {
        Format::Jpeg => jpeg::decode(bytes, limits),
        Format::Png => png::decode(bytes),
        Format::Tiff => tiff::decode(bytes, limits),
        Format::Ico => match largest_icon(bytes) {
            Some(icon) if icon.starts_with(b"\x89PNG") => png::decode(icon),
            _ => plain::decode(bytes, technical, limits),
        },
        Format::Webp
        | Format::Gif
        | Format::Bmp
        | Format::Tga
        | Format::Pnm
        | Format::Qoi
        | Format::Hdr => plain::decode(bytes, technical, limits),
        Format::Jp2 => jp2::decode(bytes, limits),
        Format::Avif => heif::decode_avif(bytes, limits),
        Format::Psd => psd::decode(bytes),
        Format::Jxl => jxl::decode(bytes, limits),
        Format::Pcx => pcx::decode(bytes, technical),
        Format::Raw => decode_preview(bytes, limits, "the raw data is not developed"),
        Format::Heic => decode_preview(bytes, limits, "no freely licensed decoder is built in"),
        Format::Exr | Format::Eps | Format::Svg => Err(Fault::unsupported(format!(
            "{}: kept, not rendered: no decoder is built in",
            technical.format.name()
        ))),
    }?;
    let Frame { width, height, rgb, damage, note } = frame;
    let (rgb, width, height) = orient::upright(rgb, width, height, technical.orientation);
    Ok(Decoded { raster: Raster::new(width, height, rgb), damage, note })
}

fn decode_preview(bytes: &[u8], limits: &Limits, why: &str) -> Result<Frame, Fault> {
    let Some(preview) = preview::largest(bytes) else {
        let name = super::sniff::sniff(bytes).map_or("picture", Format::name);
        return Err(Fault::unsupported(format!("{name}: kept, not rendered: {why}")));
    };
    let mut frame = jpeg::decode(preview.bytes, limits)?;
    frame.note = Some(format!(
        "embedded preview {} x {} shown; {why}",
        preview.header.width, preview.header.height
    ));
    Ok(frame)
}

impl Frame {
    /// Takes RGB over; its size must fit.
    fn new(width: u32, height: u32, rgb: Vec<u8>) -> Self {
        Self { width, height, rgb, damage: None, note: None }
    }

    /// Brings the colours to sRGB by the embedded profile; one that cannot be used is noted.
    fn with_profile(mut self, icc: Option<&[u8]>) -> Self {
        if let Some(Err(fault)) = icc.map(|icc| colour::to_srgb(&mut self.rgb, icc)) {
            self.note = Some(colour::ignored(&fault));
        }
        self
    }
}

/// Says how much of a picture there was.
fn truncated(rows: u32, of: u32) -> String {
    format!("truncated: {rows} of {of} rows")
}

#[cfg(test)]
mod tests;
