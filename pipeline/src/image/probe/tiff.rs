//! TIFF headers: the page to show, and how many there are.
//!
//! Source: TIFF 6.0 (Adobe, 1992) sections 3 to 23; Adobe TIFF Technical Notes (SubIFDs, ICC).

use super::damaged;
use crate::fault::Fault;
use crate::image::ifd::{Directory, Tiff, tag};
use crate::image::{ColourModel, Format, Limits, Technical, colour};

/// How deep the search for a page that is not a thumbnail goes.
const MOST_PAGES_SEARCHED: usize = 8;

pub(super) fn probe(bytes: &[u8], limits: &Limits) -> Result<Technical, Fault> {
    let tiff = Tiff::parse(bytes).ok_or_else(|| damaged(Format::Tiff, "it is too short"))?;
    let page = page(&tiff).ok_or_else(|| damaged(Format::Tiff, "no directory has a picture"))?;
    let side = |tag| page.number(tag).unwrap_or(0).try_into().unwrap_or(u32::MAX);
    let (width, height) = (side(tag::WIDTH), side(tag::HEIGHT));
    let mut technical = Technical::plain(Format::Tiff, width, height, model(&page));
    technical.bit_depth = page.number(tag::BITS).unwrap_or(1).try_into().unwrap_or(255);
    // 1 is associated, 2 unassociated alpha; 0 is anything else.
    technical.alpha = page.numbers(tag::EXTRA_SAMPLES, 8).iter().any(|kind| matches!(kind, 1 | 2));
    technical.frames = tiff.count(limits.frames.saturating_add(1)).max(1);
    technical.orientation = page.orientation().unwrap_or(1);
    technical.icc = page.bytes(tag::ICC).and_then(colour::icc_description);
    Ok(technical)
}

/// Chooses the directory to show: the first of the chain that is not a reduced copy.
pub(crate) fn page<'a>(tiff: &Tiff<'a>) -> Option<Directory<'a>> {
    let pages = tiff.all();
    let pictures = pages.into_iter().filter(|page| page.has(tag::WIDTH) && page.has(tag::HEIGHT));
    let mut pictures: Vec<_> = pictures.take(MOST_PAGES_SEARCHED).collect();
    let full =
        pictures.iter().position(|page| page.number(tag::SUBFILE_TYPE).unwrap_or(0) & 1 == 0);
    (!pictures.is_empty()).then(|| pictures.swap_remove(full.unwrap_or(0)))
}

fn model(page: &Directory<'_>) -> ColourModel {
    match page.number(tag::PHOTOMETRIC) {
        Some(0 | 1 | 4) => ColourModel::Grey,
        Some(2) => ColourModel::Rgb,
        Some(3) => ColourModel::Indexed,
        Some(5) => ColourModel::Cmyk,
        Some(6) => ColourModel::Ycbcr,
        Some(8..=10) => ColourModel::Lab,
        _ => ColourModel::Other,
    }
}
