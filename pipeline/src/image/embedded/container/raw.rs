//! Camera RAW: most kinds are TIFF; Fujifilm, Minolta and Canon CR3 wrap it.
//!
//! Source: the layouts as ExifTool documents them (FujiFilm RAF, MinoltaRaw MRW).

use std::borrow::Cow;

use super::super::bytes::{Endian, slice, slice_up_to, wide};
use super::super::exif::{Directory, is_tiff};
use super::{Payloads, bmff, jpeg};

pub(super) fn find<'a>(bytes: &'a [u8], found: &mut Payloads<'a>) {
    if is_tiff(bytes) {
        found.exif(Directory::Main, Cow::Borrowed(bytes));
    } else if bytes.starts_with(b"FUJIFILMCCD-RAW") {
        fujifilm(bytes, found);
    } else if bytes.starts_with(b"\0MRM") {
        minolta(bytes, found);
    } else if slice(bytes, 4, 4) == Some(b"ftyp") {
        bmff::find(bytes, found);
    } else {
        found.damaged("raw: metadata of this kind of camera RAW is not read".to_owned());
    }
}

/// RAF points to a whole JPEG, which carries the metadata.
fn fujifilm<'a>(bytes: &'a [u8], found: &mut Payloads<'a>) {
    let offset = Endian::Big.u32(bytes, 84).map_or(usize::MAX, wide);
    let length = Endian::Big.u32(bytes, 88).map_or(0, wide);
    let preview = slice_up_to(bytes, offset, length);
    if preview.starts_with(b"\xFF\xD8") {
        jpeg::find(preview, found);
    } else {
        found.damaged("raw: the JPEG that holds the metadata is not where RAF says".to_owned());
    }
}

/// MRW is a run of named blocks; `TTW` is the TIFF block.
fn minolta<'a>(bytes: &'a [u8], found: &mut Payloads<'a>) {
    let end = Endian::Big.u32(bytes, 4).map_or(0, wide).saturating_add(8);
    let mut at = 8;
    while at < end
        && let (Some(name), Some(length)) = (slice(bytes, at, 4), Endian::Big.u32(bytes, at + 4))
    {
        let data = slice_up_to(bytes, at + 8, wide(length));
        if name == b"\0TTW" {
            found.exif(Directory::Main, Cow::Borrowed(data));
        }
        let Some(next) = (at + 8).checked_add(wide(length)) else { return };
        at = next;
    }
}
