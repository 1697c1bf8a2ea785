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
use super::{MOST_DAMAGE, text};
use crate::image::Format;

/// Tags of TIFF directories that hold other payloads.
const TAG_XMP: u16 = 700;
const TAG_IPTC: u16 = 33723;
const TAG_PHOTOSHOP: u16 = 34377;
/// Panasonic RW2 keeps a whole JPEG, with an EXIF block of its own, in this tag.
const TAG_JPEG_FROM_RAW: u16 = 0x002E;

/// Blocks kept of each kind; real files hold one or two.
const MOST_BLOCKS: usize = 16;

/// Texts and comments kept of one container.
const MOST_TEXTS: usize = 1000;

/// Bytes of IPTC and XMP parsed from one container: over ten times the largest seen.
const MOST_PARSED: usize = 64 << 20;

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
    /// Bytes of IPTC and XMP kept so far.
    parsed: usize,
}

impl<'a> Payloads<'a> {
    fn exif(&mut self, first: Directory, block: Cow<'a, [u8]>) {
        if self.exif.len() < MOST_BLOCKS {
            self.exif.push((first, block));
        } else {
            self.damaged("exif: too many blocks");
        }
    }

    fn iptc(&mut self, block: Cow<'a, [u8]>) {
        if self.iptc.len() < MOST_BLOCKS && self.has_room(block.len()) {
            self.iptc.push(block);
        } else {
            self.damaged("iptc: too many blocks");
        }
    }

    fn xmp(&mut self, packet: Cow<'a, [u8]>) {
        if self.xmp.len() < MOST_BLOCKS && self.has_room(packet.len()) {
            self.xmp.push(packet);
        } else {
            self.damaged("xmp: too many packets");
        }
    }

    /// Keeps a text of the container's own, unless it is blank.
    fn text(&mut self, key: impl Into<String>, raw: &[u8]) {
        if self.texts.len() >= MOST_TEXTS {
            self.damaged("too many texts");
        } else if let Some(text) = text::clean(&text::utf8_or_windows_1252(raw)) {
            self.texts.push((key.into(), text));
        }
    }

    fn damaged(&mut self, why: impl Into<String>) {
        if self.damage.len() < MOST_DAMAGE {
            self.damage.push(why.into());
        }
    }

    /// Takes over what was found in bytes that do not live as long as the file's.
    fn absorb(&mut self, inner: Payloads<'_>) {
        for (first, block) in inner.exif {
            self.exif(first, Cow::Owned(block.into_owned()));
        }
        inner.iptc.into_iter().for_each(|block| self.iptc(Cow::Owned(block.into_owned())));
        inner.xmp.into_iter().for_each(|packet| self.xmp(Cow::Owned(packet.into_owned())));
        inner.damage.into_iter().for_each(|why| self.damaged(why));
        self.iptc_digest = self.iptc_digest.or(inner.iptc_digest);
    }

    /// A file may place the same bytes many times; what is parsed in all is bounded.
    fn has_room(&mut self, length: usize) -> bool {
        self.parsed = self.parsed.saturating_add(length);
        self.parsed <= MOST_PARSED
    }
}

/// Finds the payloads of a file whose format is known.
pub(super) fn find(bytes: &[u8], format: Format) -> Payloads<'_> {
    let mut found = Payloads::default();
    match format {
        Format::Jpeg => jpeg::find(bytes, &mut found),
        Format::Png => png::find(bytes, &mut found),
        Format::Tiff => found.exif(Directory::Main, Cow::Borrowed(bytes)),
        Format::Raw => raw::find(bytes, &mut found),
        Format::Webp => webp::find(bytes, &mut found),
        Format::Gif => gif::find(bytes, &mut found),
        Format::Heic | Format::Avif | Format::Jp2 | Format::Jxl => bmff::find(bytes, &mut found),
        Format::Psd => photoshop::find(bytes, &mut found),
        Format::Eps | Format::Svg => {
            packet(bytes).into_iter().for_each(|xmp| found.xmp(Cow::Borrowed(xmp)))
        }
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
        found.xmp(Cow::Borrowed(tag.payload()));
    }
    if let Some(tag) = tags.get(TAG_IPTC) {
        found.iptc(unswapped(tag.payload()));
    }
    if let Some(tag) = tags.get(TAG_PHOTOSHOP) {
        photoshop::resources(tag.payload(), &mut found);
    }
    if let Some(tag) =
        tags.get(TAG_JPEG_FROM_RAW).filter(|tag| tag.payload().starts_with(b"\xFF\xD8"))
    {
        jpeg::find(tag.payload(), &mut found);
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
