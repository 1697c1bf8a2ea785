//! PNG: `eXIf`, `iTXt`, `tEXt`, `zTXt` and `tIME` chunks, before and after the pixels.
//!
//! Source: PNG specification (third edition) sections 11.3.3 to 11.3.4; ImageMagick's
//! "Raw profile type" convention, hexadecimal in a text chunk.

use std::borrow::Cow;
use std::io::Read as _;

use flate2::read::ZlibDecoder;

use super::super::bytes::{Endian, slice, slice_up_to, wide};
use super::super::exif::Directory;
use super::super::text;
use super::{Payloads, jpeg, photoshop};

/// Bytes that all compressed texts together may grow to: XMP with previews fits, a bomb stops.
const MOST_INFLATED: u64 = 32 << 20;

pub(super) fn find<'a>(bytes: &'a [u8], found: &mut Payloads<'a>) {
    let mut at = b"\x89PNG\r\n\x1A\n".len();
    let mut room = MOST_INFLATED;
    while let (Some(length), Some(kind)) = (Endian::Big.u32(bytes, at), slice(bytes, at + 4, 4)) {
        let length = wide(length);
        let data = slice_up_to(bytes, at + 8, length);
        if data.len() < length {
            found.damaged(format!("png: the chunk at byte {at} is cut short"));
        }
        match kind {
            b"eXIf" => jpeg_or_exif(data, found),
            b"tEXt" => plain(data, found),
            b"zTXt" => compressed(data, &mut room, found),
            b"iTXt" => international(data, &mut room, found),
            b"tIME" => time(data, found),
            b"IEND" => return,
            _ => {}
        }
        // Length, kind and check sum take 12 bytes.
        let Some(next) = at.checked_add(12).and_then(|at| at.checked_add(length)) else { return };
        at = next;
    }
}

/// The specification wants a TIFF block; some writers add JPEG's `Exif\0\0` before it.
fn jpeg_or_exif<'a>(data: &'a [u8], found: &mut Payloads<'a>) {
    let block = data.strip_prefix(b"Exif\0\0").unwrap_or(data);
    found.exif(Directory::Main, Cow::Borrowed(block));
}

fn plain(data: &[u8], found: &mut Payloads<'_>) {
    if let Some((keyword, rest)) = split(data) {
        keep(keyword, Cow::Borrowed(rest), found);
    }
}

fn compressed(data: &[u8], room: &mut u64, found: &mut Payloads<'_>) {
    if let Some((keyword, [0, rest @ ..])) = split(data) {
        let inflated = inflate(rest, room, found);
        keep(keyword, Cow::Owned(inflated), found);
    }
}

fn international(data: &[u8], room: &mut u64, found: &mut Payloads<'_>) {
    let Some((keyword, [flag, _method, rest @ ..])) = split(data) else { return };
    let Some((_language, rest)) = split(rest) else { return };
    let Some((_translated, rest)) = split(rest) else { return };
    let text =
        if *flag == 0 { Cow::Borrowed(rest) } else { Cow::Owned(inflate(rest, room, found)) };
    keep(keyword, text, found);
}

/// Sorts a text by its keyword: XMP, a raw profile, or a text of PNG's own.
fn keep(keyword: &[u8], data: Cow<'_, [u8]>, found: &mut Payloads<'_>) {
    let keyword = text::utf8_or_windows_1252(keyword);
    if keyword == "XML:com.adobe.xmp" {
        found.xmp(Cow::Owned(data.into_owned()));
    } else if let Some(profile) = keyword.strip_prefix("Raw profile type ") {
        match raw_profile(&data) {
            Some(bytes) => take_profile(profile, bytes, found),
            None => found.damaged(format!("png: the raw profile {profile:?} is not readable")),
        }
    } else {
        found.text(format!("png:{keyword}"), &data);
    }
}

fn take_profile(profile: &str, bytes: Vec<u8>, found: &mut Payloads<'_>) {
    match profile.to_ascii_lowercase().as_str() {
        "exif" | "app1" => jpeg::app1(Cow::Owned(bytes), found),
        "xmp" => found.xmp(Cow::Owned(bytes)),
        "iptc" | "8bim" if bytes.starts_with(b"8BIM") => {
            let mut inner = Payloads::default();
            photoshop::resources(&bytes, &mut inner);
            found.absorb(inner);
        }
        "iptc" => found.iptc(Cow::Owned(bytes)),
        // Colour profiles are the decoder's concern.
        _ => {}
    }
}

/// Decodes a profile: a line with its name, a line with its length, then hexadecimal digits.
fn raw_profile(data: &[u8]) -> Option<Vec<u8>> {
    let mut lines = data.trim_ascii_start().splitn(3, |&b| b == b'\n');
    let (_name, length, digits) = (lines.next()?, lines.next()?, lines.next()?);
    let length: usize = std::str::from_utf8(length).ok()?.trim().parse().ok()?;
    let values: Vec<u8> = digits
        .iter()
        .filter(|b| !b.is_ascii_whitespace())
        .map_while(|&b| char::from(b).to_digit(16))
        .filter_map(|digit| u8::try_from(digit).ok())
        .collect();
    let mut bytes: Vec<u8> = values.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    bytes.truncate(length);
    Some(bytes)
}

fn inflate(data: &[u8], room: &mut u64, found: &mut Payloads<'_>) -> Vec<u8> {
    let mut inflated = Vec::new();
    if let Err(error) = ZlibDecoder::new(data).take(*room).read_to_end(&mut inflated) {
        found.damaged(format!("png: a compressed text is damaged: {error}"));
    }
    *room -= inflated.len() as u64;
    if *room == 0 {
        found.damaged(format!("png: the texts inflate to over {MOST_INFLATED} bytes"));
    }
    inflated
}

/// `tIME`: when the file was last modified, in UTC.
fn time(data: &[u8], found: &mut Payloads<'_>) {
    let &[high, low, month, day, hour, minute, second] = data else { return };
    let year = u16::from_be_bytes([high, low]);
    let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
    found.text("png:tIME", text.as_bytes());
}

/// Splits at the first NUL.
fn split(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(0, data)?;
    Some((&data[..at], &data[at + 1..]))
}
