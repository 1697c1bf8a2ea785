//! Photoshop headers: size, depth and colour mode, and the image resources behind them.
//!
//! Source: Adobe Photoshop File Formats Specification (2019), "File Header" and "Image Resources".

use super::damaged;
use crate::fault::Fault;
use crate::image::order::{Order, slice};
use crate::image::{ColourModel, Format, Technical, colour, ifd};

/// Image resource: ICC profile.
pub(crate) const RESOURCE_ICC: u16 = 1039;
/// Image resource: EXIF data 1.
const RESOURCE_EXIF: u16 = 1058;

/// The file header and where its sections lie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PsdHeader<'a> {
    /// Whether this is a PSB, whose row lengths take four bytes.
    pub(crate) large: bool,
    /// Channels, 1 to 56; those over the mode's own are transparency and masks.
    pub(crate) channels: u16,
    /// Height in pixels.
    pub(crate) height: u32,
    /// Width in pixels.
    pub(crate) width: u32,
    /// Bits a channel: 1, 8, 16, 32.
    pub(crate) depth: u16,
    /// Colour mode: 0 bitmap, 1 grey, 2 indexed, 3 RGB, 4 CMYK, 7 multichannel, 8 duotone, 9 Lab.
    pub(crate) mode: u16,
    /// The palette of an indexed picture: 256 reds, greens, blues.
    pub(crate) palette: &'a [u8],
    resources: &'a [u8],
    /// Whether the merged picture's first extra channel is its transparency.
    pub(crate) alpha: bool,
    /// The merged picture: a compression number, then its data.
    pub(crate) merged: &'a [u8],
}

pub(super) fn probe(bytes: &[u8]) -> Result<Technical, Fault> {
    let header = header(bytes)?;
    let model = match header.mode {
        0 | 1 | 8 => ColourModel::Grey,
        2 => ColourModel::Indexed,
        3 => ColourModel::Rgb,
        4 => ColourModel::Cmyk,
        9 => ColourModel::Lab,
        _ => ColourModel::Other,
    };
    let mut technical = Technical::plain(Format::Psd, header.width, header.height, model);
    technical.bit_depth = header.depth.try_into().unwrap_or(u8::MAX);
    technical.alpha = header.alpha;
    technical.icc = header.resource(RESOURCE_ICC).and_then(colour::icc_description);
    let exif = header.resource(RESOURCE_EXIF);
    technical.orientation = exif.and_then(ifd::exif_orientation).unwrap_or(1);
    Ok(technical)
}

/// Reads the header and finds the sections; a section that is cut leaves those after it empty.
pub(crate) fn header(bytes: &[u8]) -> Result<PsdHeader<'_>, Fault> {
    let big = Order::Big;
    let read = || {
        let large = big.u16(bytes, 4)? == 2;
        let (palette, rest) = section(bytes.get(26..)?, false)?;
        let (resources, rest) = section(rest, false).unwrap_or_default();
        let (layers, merged) = section(rest, large).unwrap_or_default();
        Some(PsdHeader {
            large,
            channels: big.u16(bytes, 12)?,
            height: big.u32(bytes, 14)?,
            width: big.u32(bytes, 18)?,
            depth: big.u16(bytes, 22)?,
            mode: big.u16(bytes, 24)?,
            palette,
            resources,
            alpha: merged_alpha(layers, large),
            merged,
        })
    };
    read().ok_or_else(|| damaged(Format::Psd, "the file ends inside it"))
}

impl<'a> PsdHeader<'a> {
    /// The data of an image resource.
    pub(crate) fn resource(&self, wanted: u16) -> Option<&'a [u8]> {
        let mut rest = self.resources;
        while rest.starts_with(b"8BIM") {
            let id = Order::Big.u16(rest, 4)?;
            // A name in Pascal's way, padded to an even length, then the data, padded too.
            let name = (usize::from(*rest.get(6)?) + 2) & !1;
            let length = usize::try_from(Order::Big.u32(rest, 6 + name)?).ok()?;
            let data = slice(rest, 10 + name, length)?;
            if id == wanted {
                return Some(data);
            }
            rest = rest.get(10 + name + length + (length & 1)..)?;
        }
        None
    }
}

/// Splits off a section with its length in front, of four bytes or, in a PSB's layers, eight.
fn section(bytes: &[u8], wide: bool) -> Option<(&[u8], &[u8])> {
    let (head, length) = if wide {
        (8, usize::try_from(Order::Big.u64(bytes, 0)?).ok()?)
    } else {
        (4, usize::try_from(Order::Big.u32(bytes, 0)?).ok()?)
    };
    let body = slice(bytes, head, length)?;
    Some((body, &bytes[head + length..]))
}

/// A negative layer count says that the merged picture has transparency.
fn merged_alpha(layers: &[u8], large: bool) -> bool {
    let at = if large { 8 } else { 4 };
    Order::Big.u16(layers, at).is_some_and(|count| count.cast_signed() < 0)
}
