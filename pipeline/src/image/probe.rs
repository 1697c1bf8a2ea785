//! Reads what a file's header says of its picture, without decoding a pixel.
//!
//! [`probe`] recognises the format, walks its headers and checks [`Limits`] before anything
//! grows with the picture. It stops at the pixels; `decode` goes on from the [`Technical`]
//! it gives. One file a format family lies beside it in `probe/`.

pub(crate) mod bitmap;
pub(crate) mod heif;
pub(crate) mod jp2;
pub(crate) mod jpeg;
pub(crate) mod jxl;
pub(crate) mod png;
pub(crate) mod psd;
pub(crate) mod raw;
pub(crate) mod small;
pub(crate) mod tiff;
mod web;

use std::io::Read as _;

use super::{ColourModel, Format, Limits, Technical, sniff};
use crate::fault::Fault;

/// Largest ICC profile that is read; press profiles with fine tables take 2 to 4 MB.
const MOST_ICC_BYTES: u64 = 16 << 20;

/// Reads the header of a picture: size as coded, frames, depth, colour, orientation, profile.
///
/// Takes the whole file. Memory stays far below the picture's, whatever the header claims.
///
/// # Errors
/// `BadInput` for a damaged header, `Unsupported` for what is not a picture or has no pixels
/// of its own (SVG, EPS), `TooLarge` when a claim is over its limit.
pub fn probe(bytes: &[u8], limits: &Limits) -> Result<Technical, Fault> {
    if bytes.len() as u64 > limits.bytes {
        return Err(Fault::too_large(format!(
            "{} bytes: over limits.bytes = {}",
            bytes.len(),
            limits.bytes
        )));
    }
    if bytes.is_empty() {
        return Err(Fault::bad_input("the file is empty"));
    }
    let Some(format) = sniff::sniff(bytes) else {
        return Err(Fault::unsupported(format!("not a picture: {}", sniff::describe(bytes))));
    };
    let technical = match format {
        Format::Jpeg => jpeg::probe(bytes),
        Format::Png => png::probe(bytes, limits),
        Format::Tiff => tiff::probe(bytes, limits),
        Format::Webp => web::probe_webp(bytes, limits),
        Format::Gif => web::probe_gif(bytes, limits),
        Format::Bmp => bitmap::probe_bmp(bytes),
        Format::Ico => bitmap::probe_ico(bytes, limits),
        Format::Jp2 => jp2::probe(bytes),
        Format::Heic | Format::Avif => heif::probe(bytes, format),
        Format::Psd => psd::probe(bytes),
        Format::Raw => raw::probe(bytes),
        Format::Jxl => jxl::probe(bytes),
        Format::Tga => small::probe_tga(bytes),
        Format::Pnm => small::probe_pnm(bytes),
        Format::Qoi => small::probe_qoi(bytes),
        Format::Hdr => small::probe_hdr(bytes),
        Format::Exr => small::probe_exr(bytes),
        Format::Pcx => small::probe_pcx(bytes),
        Format::Eps | Format::Svg => Err(Fault::unsupported(format!(
            "{}: kept, not rendered: a drawing, not pixels",
            format.name()
        ))),
    }?;
    limits.check_dimensions(technical.width, technical.height)?;
    if technical.frames > limits.frames {
        return Err(Fault::too_large(format!(
            "more than {} frames or pages: over limits.frames",
            limits.frames
        )));
    }
    Ok(technical)
}

impl Technical {
    /// The plainest picture of a format: one upright opaque 8-bit frame without a profile.
    pub(crate) fn plain(format: Format, width: u32, height: u32, colour: ColourModel) -> Self {
        Self {
            format,
            width,
            height,
            frames: 1,
            bit_depth: 8,
            colour,
            alpha: false,
            orientation: 1,
            icc: None,
        }
    }
}

/// Makes the fault for a header that ends, or contradicts itself, before its size is known.
fn damaged(format: Format, what: &str) -> Fault {
    Fault::bad_input(format!("damaged {} header: {what}", format.name()))
}

/// Inflates an ICC profile as PNG compresses it; `None` when damaged or over 16 MB.
pub(crate) fn inflate_icc(compressed: &[u8]) -> Option<Vec<u8>> {
    let mut profile = Vec::new();
    let mut inflater = flate2::read::ZlibDecoder::new(compressed).take(MOST_ICC_BYTES + 1);
    inflater.read_to_end(&mut profile).ok()?;
    (profile.len() as u64 <= MOST_ICC_BYTES).then_some(profile)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::FaultKind;

    fn refused(bytes: &[u8]) -> FaultKind {
        probe(bytes, &Limits::default()).expect_err("must be refused").kind()
    }

    #[test]
    fn what_is_no_picture_is_unsupported_and_named() {
        let fault = probe(b"<html></html>", &Limits::default()).expect_err("not a picture");
        assert_eq!(fault.kind(), FaultKind::Unsupported);
        assert_eq!(fault.reason(), "not a picture: HTML page");
        assert_eq!(refused(b""), FaultKind::BadInput);
        assert_eq!(refused(b"<svg/>"), FaultKind::Unsupported);
    }

    #[test]
    fn a_bomb_is_refused_by_its_header_alone() {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        png.extend([0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30, 8, 2, 0, 0, 0, 1, 2, 3, 4]);
        assert_eq!(refused(&png), FaultKind::TooLarge);
        assert_eq!(refused(&png[..20]), FaultKind::BadInput);
        let jpeg = b"\xff\xd8\xff\xc0\0\x0b\x08\xff\xdc\xff\xdc\x01\x01\x11\0\xff\xda\0\x02";
        assert_eq!(refused(jpeg), FaultKind::TooLarge);
    }

    #[test]
    fn a_file_over_the_byte_limit_is_not_even_recognised() {
        let limits = Limits { bytes: 3, ..Limits::default() };
        let fault = probe(b"GIF89a", &limits).expect_err("too long");
        assert_eq!(fault.reason(), "6 bytes: over limits.bytes = 3");
    }
}
