//! WebP: the `EXIF` and `XMP ` chunks of its RIFF file.
//!
//! Source: WebP Container Specification (RFC 9649 section 2.7.1.5).

use std::borrow::Cow;

use super::super::bytes::{Endian, slice, slice_up_to, wide};
use super::super::exif::{Directory, is_tiff};
use super::{Payloads, jpeg};

pub(super) fn find<'a>(bytes: &'a [u8], found: &mut Payloads<'a>) {
    let mut at = b"RIFF____WEBP".len();
    while let (Some(kind), Some(length)) = (slice(bytes, at, 4), Endian::Little.u32(bytes, at + 4))
    {
        let length = wide(length);
        let data = slice_up_to(bytes, at + 8, length);
        if data.len() < length {
            found.damaged(format!("webp: the chunk at byte {at} is cut short"));
        }
        match kind {
            b"EXIF" if is_tiff(data) => found.exif(Directory::Main, Cow::Borrowed(data)),
            // Not to the letter, but usual: JPEG's header before the block.
            b"EXIF" => jpeg::app1(Cow::Borrowed(data), found),
            // Early writers misspelt the kind with a NUL.
            b"XMP " | b"XMP\0" => found.xmp(Cow::Borrowed(data)),
            _ => {}
        }
        let Some(padded) = length.checked_next_multiple_of(2) else { return };
        let Some(next) = (at + 8).checked_add(padded) else { return };
        at = next;
    }
}
