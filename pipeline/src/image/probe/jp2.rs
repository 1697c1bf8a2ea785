//! JPEG 2000 headers, boxed (JP2) or bare (codestream).
//!
//! Source: ISO/IEC 15444-1 annex A.5.1 (SIZ) and annex I.5.3 (`jp2h`: `ihdr`, `colr`, `pclr`, `cdef`).

use super::damaged;
use crate::fault::Fault;
use crate::image::iso;
use crate::image::order::{Order, slice};
use crate::image::{ColourModel, Format, Technical, colour};

pub(super) fn probe(bytes: &[u8]) -> Result<Technical, Fault> {
    let short = |what| damaged(Format::Jp2, what);
    if bytes.starts_with(b"\xff\x4f") {
        return siz(bytes).ok_or_else(|| short("the file ends inside SIZ"));
    }
    let header = iso::find(bytes, b"jp2h").ok_or_else(|| short("no jp2h box"))?;
    let size = iso::find(header, b"ihdr").filter(|body| body.len() >= 11);
    let size = size.ok_or_else(|| short("no ihdr box"))?;
    // The codestream decides; the box is what is known when that is cut off.
    let inner = iso::find(bytes, b"jp2c").and_then(siz);
    let (Some(height), Some(width)) = (Order::Big.u32(size, 0), Order::Big.u32(size, 4)) else {
        return Err(short("no ihdr box"));
    };
    let components = Order::Big.u16(size, 8).unwrap_or(3);
    let mut technical = inner.unwrap_or_else(|| sized(width, height, components, size[10]));
    if let Some(colr) = iso::find(header, b"colr") {
        match (colr.first(), Order::Big.u32(colr, 3)) {
            (Some(1), Some(12)) => technical.colour = ColourModel::Cmyk,
            (Some(1), Some(16)) => technical.colour = ColourModel::Rgb,
            (Some(1), Some(17)) => technical.colour = ColourModel::Grey,
            (Some(1), Some(18)) => technical.colour = ColourModel::Ycbcr,
            (Some(2), _) => technical.icc = colour::icc_description(&colr[3..]),
            _ => {}
        }
    }
    if iso::find(header, b"pclr").is_some() {
        technical.colour = ColourModel::Indexed;
    }
    if let Some(cdef) = iso::find(header, b"cdef") {
        let mut entries = cdef.get(2..).unwrap_or_default().chunks_exact(6);
        technical.alpha |= entries.any(|entry| matches!(entry[3], 1 | 2));
    }
    Ok(technical)
}

fn siz(codestream: &[u8]) -> Option<Technical> {
    let big = Order::Big;
    if slice(codestream, 2, 2)? != b"\xff\x51" {
        return None;
    }
    let side = |far, near| big.u32(codestream, far)?.checked_sub(big.u32(codestream, near)?);
    let components = big.u16(codestream, 40)?;
    Some(sized(side(8, 16)?, side(12, 20)?, components, *codestream.get(42)?))
}

/// `depth` is coded less one, with the sign in the top bit.
fn sized(width: u32, height: u32, components: u16, depth: u8) -> Technical {
    let model = match components {
        1 | 2 => ColourModel::Grey,
        3 | 4 => ColourModel::Rgb,
        _ => ColourModel::Other,
    };
    let mut technical = Technical::plain(Format::Jp2, width, height, model);
    technical.bit_depth = (depth & 0x7f).saturating_add(1);
    technical.alpha = matches!(components, 2 | 4);
    technical
}
