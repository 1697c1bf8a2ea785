//! JPEG: segments up to the start of scan; the pixels after it are not looked at.
//!
//! Source: JPEG (ITU T.81) annex B; EXIF 2.32 section 4.7; XMP specification part 3
//! (extended XMP); ExifTool's notes on multi-segment EXIF.

use std::borrow::Cow;
use std::collections::HashMap;

use super::super::bytes::{Endian, find as find_bytes, slice, slice_up_to, wide};
use super::super::exif::{Directory, is_tiff};
use super::{Payloads, packet, photoshop, trailer, without_front};

const XMP_HEADER: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const EXTENDED_HEADER: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
const PHOTOSHOP_HEADERS: [&[u8]; 2] = [b"Photoshop 3.0\0", b"Adobe_Photoshop2.5:"];

/// Pieces of extended XMP that are kept; each holds up to 64 KiB.
const MOST_EXTENSIONS: usize = 1024;

/// One piece of extended XMP: the packet's name, the piece's place in it, its bytes.
struct Extension<'a> {
    guid: &'a [u8],
    offset: u32,
    piece: &'a [u8],
}

pub(super) fn find<'a>(bytes: &'a [u8], found: &mut Payloads<'a>) {
    let mut extensions = Vec::new();
    let mut resources: Vec<&[u8]> = Vec::new();
    let mut at = 2;
    while let Some((marker, payload, next)) = segment(bytes, at, found) {
        at = next;
        match marker {
            0xE1 => match extension(payload) {
                Some(extension) if extensions.len() < MOST_EXTENSIONS => extensions.push(extension),
                Some(_) => found.damaged("xmp: too many pieces of an extended packet"),
                None => app1(Cow::Borrowed(payload), found),
            },
            0xED => {
                let header = PHOTOSHOP_HEADERS.iter().find(|header| payload.starts_with(header));
                resources.extend(header.map(|header| &payload[header.len()..]));
            }
            0xFE => {
                found.text("jpeg:Comment", payload);
            }
            _ => {}
        }
    }
    all_resources(&resources, found);
    extended_xmp(&extensions, found);
    trailer::find(bytes, found);
}

/// Takes the payload of one APP1 segment, or what stands for one in another container.
pub(super) fn app1<'a>(payload: Cow<'a, [u8]>, found: &mut Payloads<'a>) {
    if payload.starts_with(XMP_HEADER) {
        found.xmp(without_front(payload, XMP_HEADER.len()));
        return;
    }
    // Some writers put a byte or two before the header, hence the small window.
    let window = slice_up_to(&payload, 0, 10).to_ascii_lowercase();
    if let Some(start) = find_bytes(&window, b"exif\0", 0) {
        exif(without_front(payload, start + b"Exif\0\0".len()), found);
    } else if is_tiff(&payload) {
        found.exif(Directory::Main, payload);
    } else if let Some(packet) = packet(&payload) {
        found.xmp(Cow::Owned(packet.to_vec()));
    }
}

/// A block over 64 KiB goes on in the next segment, which then begins without a TIFF header.
fn exif<'a>(block: Cow<'a, [u8]>, found: &mut Payloads<'a>) {
    match found.exif.last_mut() {
        Some((_, before)) if !is_tiff(&block) => before.to_mut().extend_from_slice(&block),
        _ => found.exif(Directory::Main, block),
    }
}

/// Finds the next segment with a length: its marker, payload and the position after it.
///
/// Bytes between segments are skipped. `None` at the scan, where pixels begin.
fn segment<'a>(
    bytes: &'a [u8],
    from: usize,
    found: &mut Payloads<'_>,
) -> Option<(u8, &'a [u8], usize)> {
    let mut at = from;
    loop {
        at += memchr::memchr(0xFF, bytes.get(at..)?)?;
        let marker = *bytes.get(at + 1)?;
        match marker {
            // Fill bytes, stuffing, and markers without a length.
            0xFF => at += 1,
            0x00..=0xBF | 0xD0..=0xD8 => at += 2,
            0xD9 | 0xDA => return None,
            _ => {
                let length = usize::from(Endian::Big.u16(bytes, at + 2)?).max(2);
                let payload = slice_up_to(bytes, at + 4, length - 2);
                if payload.len() < length - 2 {
                    found.damaged(format!("jpeg: the segment {marker:#04x} at {at} is cut short"));
                }
                return Some((marker, payload, at + 2 + length));
            }
        }
    }
}

/// Photoshop resources over 64 KiB go on in the next segment, in the middle of a resource.
fn all_resources<'a>(pieces: &[&'a [u8]], found: &mut Payloads<'a>) {
    match pieces {
        [] => {}
        [one] => photoshop::resources(one, found),
        many => {
            let whole = many.concat();
            let mut inner = Payloads::default();
            photoshop::resources(&whole, &mut inner);
            found.absorb(inner);
        }
    }
}

fn extension(payload: &[u8]) -> Option<Extension<'_>> {
    let rest = payload.strip_prefix(EXTENDED_HEADER)?;
    Some(Extension {
        guid: slice(rest, 0, 32)?,
        offset: Endian::Big.u32(rest, 36)?,
        piece: rest.get(40..)?,
    })
}

/// Joins the pieces that the main packet names in `xmpNote:HasExtendedXMP`.
///
/// Pieces under another name are left over from an earlier edit.
fn extended_xmp(extensions: &[Extension<'_>], found: &mut Payloads<'_>) {
    let Some(main) = found.xmp.first() else { return };
    let mut guids: HashMap<&[u8], bool> = HashMap::new();
    let mut pieces: Vec<_> = extensions
        .iter()
        .filter(|extension| {
            *guids
                .entry(extension.guid)
                .or_insert_with(|| find_bytes(main, extension.guid, 0).is_some())
        })
        .collect();
    if pieces.is_empty() {
        return;
    }
    pieces.sort_by_key(|extension| extension.offset);
    let mut whole: Vec<u8> = Vec::new();
    for extension in pieces {
        if wide(extension.offset) != whole.len() {
            found
                .damage
                .push("xmp: a piece of the extended packet is missing or doubled".to_owned());
            break;
        }
        whole.extend_from_slice(extension.piece);
    }
    found.xmp(Cow::Owned(whole));
}
