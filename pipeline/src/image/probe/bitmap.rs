//! BMP and ICO headers.
//!
//! Sources: Windows `wingdi.h` (BITMAPCOREHEADER to BITMAPV5HEADER); "Icons" (Microsoft, 1995).

use super::{damaged, png};
use crate::fault::Fault;
use crate::image::order::Order;
use crate::image::{ColourModel, Format, Limits, Technical};

pub(super) fn probe_bmp(bytes: &[u8]) -> Result<Technical, Fault> {
    let header = bytes.get(14..).unwrap_or_default();
    dib(header, Format::Bmp).ok_or_else(|| damaged(Format::Bmp, "the file ends inside it"))
}

/// Reads the information header that BMP and ICO share.
fn dib(header: &[u8], format: Format) -> Option<Technical> {
    let little = Order::Little;
    let (width, height, bits) = if little.u32(header, 0)? == 12 {
        (little.u16(header, 4)?.into(), little.u16(header, 6)?.into(), little.u16(header, 10)?)
    } else {
        // Sides are signed: a negative height means rows from top to bottom.
        let side = |at| little.u32(header, at).map(|raw| raw.cast_signed().unsigned_abs());
        (side(4)?, side(8)?, little.u16(header, 14)?)
    };
    let model = if bits <= 8 { ColourModel::Indexed } else { ColourModel::Rgb };
    let mut technical = Technical::plain(format, width, height, model);
    technical.bit_depth = if bits <= 8 { bits as u8 } else { 8 };
    technical.alpha = bits == 32;
    Some(technical)
}

pub(super) fn probe_ico(bytes: &[u8], limits: &Limits) -> Result<Technical, Fault> {
    let body = largest_icon(bytes)
        .ok_or_else(|| damaged(Format::Ico, "it has no entry, or its picture is cut off"))?;
    let mut technical = if body.starts_with(b"\x89PNG") {
        let inner = png::probe(body, limits)?;
        Technical { format: Format::Ico, ..inner }
    } else {
        let mut inner =
            dib(body, Format::Ico).ok_or_else(|| damaged(Format::Ico, "its picture is cut off"))?;
        // The mask doubles the height that the header claims.
        inner.height /= 2;
        inner.alpha = true;
        inner
    };
    technical.frames = Order::Little.u16(bytes, 4).unwrap_or(1).into();
    Ok(technical)
}

/// Finds the largest picture of an icon, and of equals the deepest: a whole PNG, or a bitmap.
pub(crate) fn largest_icon(bytes: &[u8]) -> Option<&[u8]> {
    let little = Order::Little;
    let count = little.u16(bytes, 4)?;
    let size = |side: u8| if side == 0 { 256 } else { u32::from(side) };
    let entries = bytes.get(6..)?.chunks_exact(16).take(count.into());
    let best = entries.max_by_key(|e| (size(e[0]) * size(e[1]), little.u16(e, 6)))?;
    bytes.get(usize::try_from(little.u32(best, 12)?).ok()?..)
}
