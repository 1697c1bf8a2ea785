//! JPEG headers: frame, ICC profile, Adobe marker, orientation.
//!
//! Sources: ITU-T T.81 annex B (markers), T.871 (JFIF), Adobe Technical Note 5116 (`Adobe`
//! APP14), ICC.1 annex B.4 (`ICC_PROFILE` APP2), CIPA DC-008 (`Exif` APP1).

use super::damaged;
use crate::fault::Fault;
use crate::image::order::{Order, slice};
use crate::image::{ColourModel, Format, Technical, colour, ifd};

/// What the segments before the first scan say.
#[derive(Debug, Clone, Default)]
pub(crate) struct JpegHeader {
    /// Width in pixels.
    pub(crate) width: u16,
    /// Height in pixels.
    pub(crate) height: u16,
    /// Bits a sample.
    pub(crate) precision: u8,
    /// The components' identifiers, in frame order.
    pub(crate) components: Vec<u8>,
    /// The frame marker's low byte, 0xC0 to 0xCF: how the frame is coded.
    pub(crate) process: u8,
    /// The Adobe marker's transform: 0 none, 1 YCbCr, 2 YCCK.
    pub(crate) adobe: Option<u8>,
    /// The ICC profile, its chunks joined.
    pub(crate) icc: Option<Vec<u8>>,
    /// The EXIF orientation.
    pub(crate) orientation: Option<u8>,
}

impl JpegHeader {
    /// The colour model that decoders take the components for.
    pub(crate) fn colour(&self) -> ColourModel {
        match (self.components.as_slice(), self.adobe) {
            ([_] | [_, _], _) => ColourModel::Grey,
            ([_, _, _], Some(0)) | (b"RGB", None) => ColourModel::Rgb,
            ([_, _, _], _) => ColourModel::Ycbcr,
            ([_, _, _, _], _) => ColourModel::Cmyk,
            _ => ColourModel::Other,
        }
    }
}

pub(super) fn probe(bytes: &[u8]) -> Result<Technical, Fault> {
    let header = header(bytes)?;
    let (width, height) = (header.width.into(), header.height.into());
    let mut technical = Technical::plain(Format::Jpeg, width, height, header.colour());
    technical.bit_depth = header.precision;
    technical.orientation = header.orientation.unwrap_or(1);
    technical.icc = header.icc.as_deref().and_then(colour::icc_description);
    Ok(technical)
}

/// Walks the segments of a JPEG up to its first scan.
pub(crate) fn header(bytes: &[u8]) -> Result<JpegHeader, Fault> {
    let mut header = JpegHeader::default();
    let mut icc_chunks: Vec<(u8, &[u8])> = Vec::new();
    for Segment { marker, body, .. } in segments(bytes) {
        match marker {
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf if header.process == 0 => {
                read_frame(&mut header, marker, body)
                    .ok_or_else(|| damaged(Format::Jpeg, "the frame segment is too short"))?;
            }
            0xe1 if body.starts_with(b"Exif\0") && header.orientation.is_none() => {
                header.orientation = body.get(6..).and_then(ifd::exif_orientation);
            }
            0xe2 if body.starts_with(b"ICC_PROFILE\0") && body.len() > 14 => {
                icc_chunks.push((body[12], &body[14..]));
            }
            0xee if body.starts_with(b"Adobe") && body.len() >= 12 => header.adobe = Some(body[11]),
            _ => {}
        }
    }
    if header.process == 0 {
        return Err(damaged(Format::Jpeg, "the file ends before its frame segment"));
    }
    icc_chunks.sort_by_key(|(number, _)| *number);
    if !icc_chunks.is_empty() {
        header.icc = Some(icc_chunks.into_iter().flat_map(|(_, chunk)| chunk).copied().collect());
    }
    Ok(header)
}

/// A marker segment.
pub(crate) struct Segment<'a> {
    /// The marker's low byte.
    pub(crate) marker: u8,
    /// What follows its length.
    pub(crate) body: &'a [u8],
    /// Where it ends in the file.
    pub(crate) end: usize,
}

/// Iterates over marker segments, from the start of the file to the first scan (included).
pub(crate) fn segments(bytes: &[u8]) -> impl Iterator<Item = Segment<'_>> {
    let mut at = 2;
    let mut done = false;
    std::iter::from_fn(move || {
        while !done {
            // Bytes between segments are skipped as libjpeg does; 0xFF may be repeated as fill.
            at += bytes.get(at..)?.iter().position(|&byte| byte == 0xff)?;
            at += bytes[at..].iter().position(|&byte| byte != 0xff)?;
            let marker = bytes[at];
            at += 1;
            match marker {
                0 | 0x01 | 0xd0..=0xd8 => continue,
                0xd9 => return None,
                _ => {}
            }
            let length = usize::from(Order::Big.u16(bytes, at)?);
            let body = slice(bytes, at + 2, length.checked_sub(2)?)?;
            at += length;
            done = marker == 0xda;
            return Some(Segment { marker, body, end: at });
        }
        None
    })
}

fn read_frame(header: &mut JpegHeader, marker: u8, body: &[u8]) -> Option<()> {
    let &[precision, _, _, _, _, count, ..] = body else { return None };
    header.height = Order::Big.u16(body, 1)?;
    header.width = Order::Big.u16(body, 3)?;
    header.precision = precision;
    header.components =
        slice(body, 6, usize::from(count) * 3)?.chunks_exact(3).map(|c| c[0]).collect();
    header.process = marker;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn icc_chunks_are_joined_in_their_numbered_order() {
        let mut file = b"\xff\xd8".to_vec();
        for (number, part) in [(2_u8, b"world"), (1, b"hello")] {
            file.extend(b"\xff\xe2\0\x15ICC_PROFILE\0");
            file.extend([number, 2]);
            file.extend(part);
        }
        file.extend(b"\xff\xff\xc2\0\x0b\x08\0\x02\0\x03\x01\x01\x11\0");
        let header = header(&file).expect("a whole header");
        assert_eq!(header.icc.as_deref(), Some(&b"helloworld"[..]));
        assert_eq!((header.width, header.height, header.process), (3, 2, 0xc2));
    }

    #[test]
    fn a_header_without_a_frame_says_so() {
        let fault = header(b"\xff\xd8\xff\xe0\0\x04ab").expect_err("no frame");
        assert_eq!(fault.reason(), "damaged JPEG header: the file ends before its frame segment");
    }
}
