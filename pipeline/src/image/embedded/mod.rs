//! Embedded metadata: EXIF, IPTC-IIM and XMP read as one union, each field with its source.
//!
//! It reads and never fails: what is damaged is named in [`Read::damage`], the rest is
//! used. Nothing is written, pixels are not touched, and maker notes, thumbnails and
//! later pages do not count. The work is bounded by the metadata's size, with fixed
//! limits where a hostile file could multiply it.
//!
//! The fields and where they come from, the first that says something winning:
//!
//! | field | kind | sources |
//! |---|---|---|
//!
//! Dates are local ISO 8601 texts as precise as known (`1936`, `1936-04-02T10:11:12.5+01:00`).
//! `gps` is `{"latitude", "longitude", "altitude"?}` in signed decimal degrees and metres,
//! `exposure_time` is in seconds, focal lengths are in millimetres. Every other value that
//! a source gives and the winner does not cover is kept in [`Field::also`].
//!
//! [`Field::also`]: crate::field::Field::also

mod bytes;
mod claims;
mod container;
mod date;
mod exif;
mod gps;
mod iptc;
mod rules;
mod text;
mod union;
mod xmp;

use std::borrow::Cow;

use super::Format;
use crate::field::Fields;

use claims::Sources;
use container::Payloads;
use exif::Tags;
use iptc::Iptc;
use xmp::Xmp;

pub(crate) use date::iso as iso_date;
pub use union::merge;

/// The most messages of damage kept; a broken file need not fill a report.
const MOST_DAMAGE: usize = 20;

/// What was read, and what could not be.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Read {
    /// The union of all sources.
    pub fields: Fields,
    /// What was damaged or left unread, at most 20 messages: `exif: no TIFF header`.
    pub damage: Vec<String>,
}

/// Reads the metadata embedded in a file whose format is known by its content.
///
/// Never fails; a file without metadata gives no fields and no damage.
pub fn read(bytes: &[u8], format: Format) -> Read {
    let mut payloads = container::find(bytes, format);
    let blocks = std::mem::take(&mut payloads.exif);
    let mut tags: Vec<Tags<'_>> =
        blocks.iter().map(|(first, block)| Tags::read(block, *first)).collect();
    let nested: Vec<Payloads<'_>> = tags.iter().map(container::find_in_tags).collect();
    // One level of nesting is all that exists: RW2 holds a JPEG that holds a block.
    for (first, block) in nested.iter().flat_map(|inner| &inner.exif) {
        tags.push(Tags::read(block, *first));
    }
    let all = || std::iter::once(&payloads).chain(&nested);
    let digest = all().find_map(|found| found.iptc_digest);
    let iptc_blocks: Vec<&Cow<'_, [u8]>> = all().flat_map(|found| &found.iptc).collect();
    let iptc_is_newer = match (digest, iptc_blocks.first()) {
        (Some(digest), Some(block)) => !iptc::has_digest(block, &digest),
        _ => false,
    };
    let iptc = iptc_blocks.into_iter().map(|block| Iptc::read(block)).collect();
    let xmp = all().flat_map(|found| &found.xmp).map(|packet| Xmp::read(packet)).collect();
    let texts = all().flat_map(|found| &found.texts).cloned().collect();
    let mut damage: Vec<String> = all().flat_map(|found| &found.damage).cloned().collect();
    let sources = Sources { tags, iptc, xmp, texts };
    damage.extend(sources.damage());
    damage.truncate(MOST_DAMAGE);
    Read { fields: union::fields(&sources, iptc_is_newer), damage }
}

/// Reads a bare XMP packet, as a sidecar holds it; `None` when it holds no RDF.
pub(crate) fn read_xmp(packet: &[u8]) -> Option<Read> {
    let xmp = Xmp::read(packet);
    if !xmp.is_rdf() {
        return None;
    }
    let sources = Sources { xmp: vec![xmp], ..Sources::default() };
    Some(Read { damage: sources.damage(), fields: union::fields(&sources, false) })
}

#[cfg(test)]
mod tests;
