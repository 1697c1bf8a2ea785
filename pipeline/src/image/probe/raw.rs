//! Camera RAW headers: the size of the picture, as far as it is written plainly.
//!
//! Makers publish no specifications. TIFF-based kinds (CR2, NEF, ARW, DNG, RW2, ORF, PEF, SRW)
//! are read as TIFF; of the others the embedded JPEG preview tells what can be shown.

use crate::fault::Fault;
use crate::image::ifd::{Tiff, tag};
use crate::image::{ColourModel, Format, Technical, preview};

pub(super) fn probe(bytes: &[u8]) -> Result<Technical, Fault> {
    let tiff = Tiff::parse(bytes);
    let directories = tiff.map(|tiff| tiff.all()).unwrap_or_default();
    let side = |value: Option<u64>| value.and_then(|side| u32::try_from(side).ok());
    let sizes = directories.iter().filter_map(|directory| {
        let (width, height) = (directory.number(tag::WIDTH), directory.number(tag::HEIGHT));
        Some((side(width)?, side(height)?))
    });
    let sensor = sizes.max_by_key(|&(width, height)| u64::from(width) * u64::from(height));
    let preview = preview::largest(bytes);
    let shown = preview.as_ref().map(|p| (u32::from(p.header.width), u32::from(p.header.height)));
    let (width, height) =
        sensor.filter(|&(width, height)| width > 0 && height > 0).or(shown).ok_or_else(|| {
            Fault::unsupported("camera RAW: kept, not rendered: no size and no preview were found")
        })?;
    let mut technical = Technical::plain(Format::Raw, width, height, ColourModel::Other);
    let bits = directories.iter().filter_map(|directory| directory.number(tag::BITS)).max();
    technical.bit_depth = bits.and_then(|bits| bits.try_into().ok()).unwrap_or(8);
    technical.orientation = directories
        .first()
        .and_then(|directory| directory.orientation())
        .or_else(|| preview.and_then(|preview| preview.header.orientation))
        .unwrap_or(1);
    Ok(technical)
}
