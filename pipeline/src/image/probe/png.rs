//! PNG headers: the first chunk and the small ones that change the look.
//!
//! Source: Portable Network Graphics, third edition (W3C), which includes APNG and eXIf.

use super::{damaged, inflate_icc};
use crate::fault::Fault;
use crate::image::order::{Order, slice};
use crate::image::{ColourModel, Format, Limits, Technical, colour, ifd};

pub(super) fn probe(bytes: &[u8], limits: &Limits) -> Result<Technical, Fault> {
    let mut chunks = chunks(bytes);
    // The first chunk counts even when its checksum is cut off.
    let header = match (slice(bytes, 12, 4), slice(bytes, 16, 13)) {
        (Some(b"IHDR"), Some(header)) => header,
        (Some(b"CgBI"), _) => {
            return Err(Fault::unsupported("PNG as Apple's tools crush it for iOS (CgBI)"));
        }
        (Some(b"IHDR"), None) => return Err(damaged(Format::Png, "the file ends inside it")),
        _ => return Err(damaged(Format::Png, "the first chunk is not IHDR")),
    };
    let (width, height) = (Order::Big.u32(header, 0), Order::Big.u32(header, 4));
    let (Some(width), Some(height)) = (width, height) else {
        return Err(damaged(Format::Png, "it is too short"));
    };
    limits.check_dimensions(width, height)?;
    let (model, alpha) = match header[9] {
        0 => (ColourModel::Grey, false),
        2 => (ColourModel::Rgb, false),
        3 => (ColourModel::Indexed, false),
        4 => (ColourModel::Grey, true),
        6 => (ColourModel::Rgb, true),
        other => return Err(damaged(Format::Png, &format!("colour type {other}"))),
    };
    let mut technical = Technical::plain(Format::Png, width, height, model);
    technical.bit_depth = header[8];
    technical.alpha = alpha;
    chunks.next();
    for (kind, body) in chunks {
        match &kind {
            b"tRNS" => technical.alpha = true,
            b"acTL" => technical.frames = Order::Big.u32(body, 0).unwrap_or(1).max(1),
            b"eXIf" => technical.orientation = ifd::exif_orientation(body).unwrap_or(1),
            b"iCCP" => technical.icc = icc(body).and_then(|icc| colour::icc_description(&icc)),
            b"IEND" => break,
            _ => {}
        }
    }
    Ok(technical)
}

/// Takes the profile out of an iCCP chunk: a name, a zero, the method, the compressed profile.
fn icc(body: &[u8]) -> Option<Vec<u8>> {
    let name = body.iter().take(80).position(|&byte| byte == 0)?;
    inflate_icc(body.get(name + 2..)?)
}

/// Iterates over whole chunks behind the signature; ends at the first that is cut.
pub(crate) fn chunks(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut at = 8;
    std::iter::from_fn(move || {
        let length = usize::try_from(Order::Big.u32(bytes, at)?).ok()?;
        let kind = slice(bytes, at + 4, 4)?.try_into().ok()?;
        let body = slice(bytes, at + 8, length)?;
        at += length + 12;
        Some((kind, body))
    })
}
