//! Finds the EXIF, IPTC and XMP payloads of each container, without reading pixels.
//!
//! Payloads are borrowed from the file where they lie in one piece. Coded picture data
//! is stepped over, never scanned: the cost depends on the metadata, not on the picture.
//! Only EPS and SVG, which have no structure to step by, are searched as a whole.

mod bmff;
mod gif;
mod jpeg;
mod photoshop;
mod png;
mod raw;
mod trailer;
mod webp;

use std::borrow::Cow;

use super::bytes::find as find_bytes;
use super::exif::{Directory, Tags};
use crate::image::Format;

/// Tags of TIFF directories that hold other payloads.
const TAG_XMP: u16 = 700;
const TAG_IPTC: u16 = 33723;
const TAG_PHOTOSHOP: u16 = 34377;
/// Panasonic RW2 keeps a whole JPEG, with an EXIF block of its own, in this tag.
const TAG_JPEG_FROM_RAW: u16 = 0x002E;

/// What a container held, each kind in the order found.
#[derive(Debug, Default)]
pub(super) struct Payloads<'a> {
    /// TIFF-structured blocks, and what their first directory is.
    pub(super) exif: Vec<(Directory, Cow<'a, [u8]>)>,
    /// IPTC-IIM blocks.
    pub(super) iptc: Vec<Cow<'a, [u8]>>,
    /// The digest of the IPTC block that was there when the XMP was written.
    pub(super) iptc_digest: Option<[u8; 16]>,
    /// XMP packets.
    pub(super) xmp: Vec<Cow<'a, [u8]>>,
    /// Texts of the container's own: `png:Title`, `jpeg:Comment`, `gif:Comment`.
    pub(super) texts: Vec<(String, String)>,
    /// What was found damaged.
    pub(super) damage: Vec<String>,
}

/// Finds the payloads of a file whose format is known.
pub(super) fn find(bytes: &[u8], format: Format) -> Payloads<'_> {
    let mut found = Payloads::default();
    match format {
        Format::Jpeg => jpeg::find(bytes, &mut found),
        Format::Png => png::find(bytes, &mut found),
        Format::Tiff => found.exif.push((Directory::Main, Cow::Borrowed(bytes))),
        Format::Raw => raw::find(bytes, &mut found),
        Format::Webp => webp::find(bytes, &mut found),
        Format::Gif => gif::find(bytes, &mut found),
        Format::Heic | Format::Avif | Format::Jp2 | Format::Jxl => bmff::find(bytes, &mut found),
        Format::Psd => photoshop::find(bytes, &mut found),
        Format::Eps | Format::Svg => found.xmp.extend(packet(bytes).map(Cow::Borrowed)),
        Format::Bmp
        | Format::Ico
        | Format::Tga
        | Format::Pnm
        | Format::Qoi
        | Format::Hdr
        | Format::Exr
        | Format::Pcx => {}
    }
    found
}

/// Finds the payloads that TIFF tags hold.
pub(super) fn find_in_tags<'a>(tags: &Tags<'a>) -> Payloads<'a> {
    let mut found = Payloads::default();
    if let Some(tag) = tags.get(TAG_XMP) {
        found.xmp.push(Cow::Borrowed(tag.bytes()));
    }
    if let Some(tag) = tags.get(TAG_IPTC) {
        found.iptc.push(unswapped(tag.bytes()));
    }
    if let Some(tag) = tags.get(TAG_PHOTOSHOP) {
        photoshop::resources(tag.bytes(), &mut found);
    }
    if let Some(tag) =
        tags.get(TAG_JPEG_FROM_RAW).filter(|tag| tag.bytes().starts_with(b"\xFF\xD8"))
    {
        jpeg::find(tag.bytes(), &mut found);
    }
    found
}

/// Some writers declare IPTC as 32-bit numbers and swap its bytes along with the file's.
fn unswapped(block: &[u8]) -> Cow<'_, [u8]> {
    match block {
        [first, _, _, 0x1C, ..] if *first != 0x1C => {
            Cow::Owned(block.chunks(4).flat_map(|word| word.iter().rev().copied()).collect())
        }
        _ => Cow::Borrowed(block),
    }
}

/// Finds an XMP packet by its text, for containers without structure.
fn packet(bytes: &[u8]) -> Option<&[u8]> {
    const WRAPPINGS: [(&[u8], &[u8]); 2] =
        [(b"<x:xmpmeta", b"</x:xmpmeta>"), (b"<rdf:RDF", b"</rdf:RDF>")];
    WRAPPINGS.iter().find_map(|(open, close)| {
        let start = find_bytes(bytes, open, 0)?;
        let end = find_bytes(bytes, close, start).map_or(bytes.len(), |at| at + close.len());
        bytes.get(start..end)
    })
}

/// Cuts `length` bytes off the front of a payload, keeping it borrowed when it was.
fn without_front(payload: Cow<'_, [u8]>, length: usize) -> Cow<'_, [u8]> {
    match payload {
        Cow::Borrowed(bytes) => Cow::Borrowed(bytes.get(length..).unwrap_or_default()),
        Cow::Owned(mut bytes) => {
            bytes.drain(..length.min(bytes.len()));
            Cow::Owned(bytes)
        }
    }
}
