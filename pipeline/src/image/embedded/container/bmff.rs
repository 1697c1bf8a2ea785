//! ISO base media boxes: HEIC, AVIF, JPEG 2000, JPEG XL and Canon CR3.
//!
//! Source: ISO/IEC 14496-12 (boxes, `meta`, `iinf`, `iloc`), 23008-12 annex A (EXIF and
//! XMP items), 15444-1 annex I (JP2), 18181-2 (JPEG XL); XMP specification part 3.

use std::borrow::Cow;

use super::super::bytes::{Endian, find as find_bytes, slice, slice_up_to, wide};
use super::super::exif::{Directory, is_tiff};
use super::{Payloads, jpeg, packet};

const UUID_XMP: &[u8] = b"\xBE\x7A\xCF\xCB\x97\xA9\x42\xE8\x9C\x71\x99\x94\x91\xE3\xAF\xAC";
const UUID_EXIF: &[u8] = b"JpgTiffExif->JP2";
const UUID_IPTC: &[u8] = b"\x33\xC7\xA4\xD2\xB8\x1D\x47\x23\xA0\xBA\xF1\xA3\xE0\x97\xAD\x38";
const UUID_CANON: &[u8] = b"\x85\xC0\xB6\x87\x82\x0F\x11\xE0\x81\x11\xF4\xCE\x46\x2B\x6A\x48";

/// Extents that are followed over all items; a metadata item has one.
const MOST_EXTENTS: usize = 10_000;

/// Metadata items that are read; files have one of each kind, a few per picture at most.
const MOST_ITEMS: usize = 64;

pub(super) fn find<'a>(bytes: &'a [u8], found: &mut Payloads<'a>) {
    for (kind, data) in boxes(bytes) {
        match kind {
            b"meta" => items(bytes, data.get(4..).unwrap_or_default(), found),
            b"moov" => boxes(data)
                .filter(|(kind, _)| *kind == b"uuid")
                .filter_map(|(_, data)| data.strip_prefix(UUID_CANON))
                .for_each(|data| canon(data, found)),
            b"uuid" => uuid(data, found),
            b"Exif" => exif_item(Cow::Borrowed(data), found),
            b"xml " => packet(data).into_iter().for_each(|xmp| found.xmp(Cow::Borrowed(xmp))),
            b"brob" => {
                found.damaged("jxl: metadata compressed with brotli is not read".to_owned());
            }
            _ => {}
        }
    }
}

/// Iterates over the boxes in `data`: kind and content.
fn boxes(data: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let short = Endian::Big.u32(data, at)?;
        let kind: &[u8; 4] = slice(data, at + 4, 4)?.try_into().ok()?;
        let (head, length) = match short {
            0 => (8, data.len() - at),
            1 => (16, usize::try_from(Endian::Big.u64(data, at + 8)?).ok()?),
            length => (8, wide(length)),
        };
        let content = slice_up_to(data, at + head, length.checked_sub(head)?);
        at = at.checked_add(length)?;
        Some((kind, content))
    })
}

fn uuid<'a>(data: &'a [u8], found: &mut Payloads<'a>) {
    if let Some(xmp) = data.strip_prefix(UUID_XMP) {
        found.xmp(Cow::Borrowed(xmp));
    } else if let Some(exif) = data.strip_prefix(UUID_EXIF) {
        jpeg_header_or_tiff(Cow::Borrowed(exif), found);
    } else if let Some(iptc) = data.strip_prefix(UUID_IPTC) {
        found.iptc(Cow::Borrowed(iptc));
    }
}

/// CR3 keeps each directory in a TIFF block of its own.
fn canon<'a>(data: &'a [u8], found: &mut Payloads<'a>) {
    for (kind, block) in boxes(data) {
        let first = match kind {
            b"CMT1" => Directory::Main,
            b"CMT2" => Directory::Exif,
            b"CMT4" => Directory::Gps,
            _ => continue,
        };
        found.exif(first, Cow::Borrowed(block));
    }
}

/// An EXIF item begins with the TIFF header's offset, counted from after that number.
fn exif_item<'a>(item: Cow<'a, [u8]>, found: &mut Payloads<'a>) {
    let offset = Endian::Big.u32(&item, 0).map_or(0, wide);
    let declared = offset.saturating_add(4);
    if is_tiff(item.get(declared..).unwrap_or_default()) {
        found.exif(Directory::Main, super::without_front(item, declared));
    } else {
        // Some writers leave the offset out, or count it wrong.
        let start = if item.starts_with(b"Exif\0") || is_tiff(&item) { 0 } else { 4 };
        jpeg_header_or_tiff(super::without_front(item, start), found);
    }
}

fn jpeg_header_or_tiff<'a>(block: Cow<'a, [u8]>, found: &mut Payloads<'a>) {
    if is_tiff(&block) {
        found.exif(Directory::Main, block);
    } else if find_bytes(slice_up_to(&block, 0, 10), b"Exif\0", 0).is_some() {
        jpeg::app1(block, found);
    } else {
        found.damaged("exif: the item holds no TIFF header".to_owned());
    }
}

/// Takes the EXIF and XMP items of a `meta` box.
fn items<'a>(bytes: &'a [u8], meta: &'a [u8], found: &mut Payloads<'a>) {
    let child = |name: &[u8; 4]| boxes(meta).find(|(kind, _)| *kind == name).map(|(_, data)| data);
    let wanted = child(b"iinf").map(metadata_items).unwrap_or_default();
    if wanted.is_empty() {
        return;
    }
    let places = child(b"iloc").and_then(locations).unwrap_or_default();
    let inside = child(b"idat").unwrap_or_default();
    for (id, kind) in wanted {
        let Some(place) = places.iter().find(|place| place.id == id) else {
            found.damaged(format!("{kind:?} item {id} has no place in the file"));
            continue;
        };
        let Some(item) = content(place, bytes, inside) else {
            found.damaged(format!("{kind:?} item {id} lies outside the file"));
            continue;
        };
        match kind {
            Kind::Exif => exif_item(item, found),
            Kind::Xmp => found.xmp(item),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Exif,
    Xmp,
}

/// Where an item lies: extents of offset and length, in the file or in `idat`.
struct Place {
    id: u32,
    in_idat: bool,
    extents: Vec<(u64, u64)>,
}

/// Lists the items of `iinf` that are metadata.
fn metadata_items(iinf: &[u8]) -> Vec<(u32, Kind)> {
    let count_size = if iinf.first() == Some(&0) { 2 } else { 4 };
    boxes(iinf.get(4 + count_size..).unwrap_or_default())
        .filter(|(kind, _)| *kind == b"infe")
        .filter_map(|(_, entry)| {
            let version = *entry.first()?;
            let (id, rest) = match version {
                2 => (u32::from(Endian::Big.u16(entry, 4)?), entry.get(8..)?),
                3 => (Endian::Big.u32(entry, 4)?, entry.get(10..)?),
                _ => return None,
            };
            // After the kind: the name, then for `mime` the content type, each ended by NUL.
            match slice(rest, 0, 4)? {
                b"Exif" => Some((id, Kind::Exif)),
                b"mime" => find_bytes(rest, b"application/rdf+xml", 4).map(|_| (id, Kind::Xmp)),
                _ => None,
            }
        })
        .take(MOST_ITEMS)
        .collect()
}

/// Reads `iloc`; `None` when it is cut short.
fn locations(iloc: &[u8]) -> Option<Vec<Place>> {
    let version = *iloc.first()?;
    let (sizes, more) = (*iloc.get(4)?, *iloc.get(5)?);
    let (offset_size, length_size) = (usize::from(sizes >> 4), usize::from(sizes & 15));
    let base_size = usize::from(more >> 4);
    let index_size = if version == 0 { 0 } else { usize::from(more & 15) };
    let wide_ids = version >= 2;
    let mut at = 6;
    let mut number = |size: usize| {
        let value = slice(iloc, at, size)?.iter().fold(0_u64, |sum, &b| sum << 8 | u64::from(b));
        at += size;
        Some(value)
    };
    let count = number(if wide_ids { 4 } else { 2 })?;
    let mut places = Vec::new();
    let mut extents_read = 0;
    for _ in 0..count {
        let id = u32::try_from(number(if wide_ids { 4 } else { 2 })?).ok()?;
        let method = if version == 0 { 0 } else { number(2)? & 15 };
        let _data_reference = number(2)?;
        let base = number(base_size)?;
        let mut extents = Vec::new();
        for _ in 0..number(2)? {
            extents_read += 1;
            if extents_read > MOST_EXTENTS {
                return Some(places);
            }
            let _index = number(index_size)?;
            let offset = number(offset_size)?;
            extents.push((base.saturating_add(offset), number(length_size)?));
        }
        places.push(Place { id, in_idat: method == 1, extents });
    }
    Some(places)
}

/// Joins an item's extents; `None` when one lies outside or the whole exceeds the file.
fn content<'a>(place: &Place, file: &'a [u8], idat: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    let from = if place.in_idat { idat } else { file };
    let extent = |&(offset, length): &(u64, u64)| {
        slice(from, usize::try_from(offset).ok()?, usize::try_from(length).ok()?)
    };
    if let [one] = &place.extents[..] {
        return extent(one).map(Cow::Borrowed);
    }
    let mut whole = Vec::new();
    for piece in &place.extents {
        whole.extend_from_slice(extent(piece)?);
        if whole.len() > file.len() {
            return None;
        }
    }
    Some(Cow::Owned(whole))
}
