//! HEIC and AVIF headers: the primary item's size, depth and transformations.
//!
//! Sources: ISO/IEC 23008-12 (HEIF), AV1 Image File Format 1.1, ISO/IEC 14496-12 (`colr`).

use super::damaged;
use crate::fault::Fault;
use crate::image::iso::Items;
use crate::image::{ColourModel, Format, Technical, colour};

pub(super) fn probe(bytes: &[u8], format: Format) -> Result<Technical, Fault> {
    let items =
        Items::parse(bytes).ok_or_else(|| damaged(format, "no primary item in a meta box"))?;
    let primary = items.primary();
    let (width, height) =
        items.size(primary).ok_or_else(|| damaged(format, "the primary item has no size"))?;
    let pixi = items.property(primary, b"pixi").and_then(|body| body.get(4..));
    let model = match pixi {
        Some([1, ..]) => ColourModel::Grey,
        _ => ColourModel::Ycbcr,
    };
    let mut technical = Technical::plain(format, width, height, model);
    if let Some([_, bits, ..]) = pixi {
        technical.bit_depth = *bits;
    }
    technical.frames = items.pictures().try_into().unwrap_or(u32::MAX);
    technical.alpha = items.alpha_of(primary).is_some();
    technical.orientation = items.orientation(primary);
    technical.icc = items.icc(primary).and_then(colour::icc_description);
    Ok(technical)
}
