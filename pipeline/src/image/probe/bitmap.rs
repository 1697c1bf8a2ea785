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
    let little = Order::Little;
    let count = little.u16(bytes, 4).unwrap_or(0);
    let entries = bytes.get(6..).unwrap_or_default().chunks_exact(16).take(count.into());
    let size = |side: u8| if side == 0 { 256 } else { u32::from(side) };
    // The largest, and of those the deepest: what is decoded, too.
    let best = entries
        .max_by_key(|entry| (size(entry[0]) * size(entry[1]), little.u16(entry, 6)))
        .ok_or_else(|| damaged(Format::Ico, "it has no entry"))?;
    let at = little.u32(best, 12).and_then(|at| usize::try_from(at).ok()).unwrap_or(usize::MAX);
    let body = bytes.get(at..).ok_or_else(|| damaged(Format::Ico, "its picture is cut off"))?;
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
    technical.frames = count.into();
    Ok(technical)
}
