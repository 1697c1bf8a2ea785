//! Photoshop image resources: in PSD files, JPEG APP13 segments and TIFF tag 34377.
//!
//! Source: Adobe Photoshop File Formats Specification, "Image Resource Blocks".

use std::borrow::Cow;

use super::super::bytes::{Endian, slice, slice_up_to, wide};
use super::super::exif::Directory;
use super::Payloads;

/// Resource ids.
const IPTC: u16 = 0x0404;
const EXIF: u16 = 0x0422;
const XMP: u16 = 0x0424;
const IPTC_DIGEST: u16 = 0x0425;

/// Finds the resources of a PSD or PSB file: after the header and the colour mode data.
pub(super) fn find<'a>(bytes: &'a [u8], found: &mut Payloads<'a>) {
    const HEADER: usize = 26;
    let mut read = || {
        let colours = wide(Endian::Big.u32(bytes, HEADER)?);
        let at = (HEADER + 4).checked_add(colours)?;
        let length = wide(Endian::Big.u32(bytes, at)?);
        resources(slice_up_to(bytes, at + 4, length), found);
        Some(())
    };
    if read().is_none() {
        found.damaged("psd: the file ends before its image resources".to_owned());
    }
}

/// Takes the payloads out of a run of resources: signature, id, padded name, padded data.
pub(super) fn resources<'a>(block: &'a [u8], found: &mut Payloads<'a>) {
    let mut at = 0;
    while let Some(signature) = slice(block, at, 4) {
        // The others are of ImageReady, PhotoDeluxe and Lightroom; the layout is the same.
        if !matches!(signature, b"8BIM" | b"MeSa" | b"AgHg" | b"PHUT" | b"DCSR") {
            if block[at..].iter().any(|&b| b != 0) {
                found.damaged(format!("photoshop: no resource at byte {at}"));
            }
            return;
        }
        let Some((id, data, next)) = resource(block, at) else {
            found.damaged(format!("photoshop: the resource at byte {at} is cut short"));
            return;
        };
        at = next;
        if data.is_empty() {
            continue;
        }
        match id {
            IPTC => found.iptc(Cow::Borrowed(data)),
            EXIF => found.exif(Directory::Main, Cow::Borrowed(data)),
            XMP => found.xmp(Cow::Borrowed(data)),
            IPTC_DIGEST => found.iptc_digest = data.try_into().ok(),
            _ => {}
        }
    }
}

fn resource(block: &[u8], at: usize) -> Option<(u16, &[u8], usize)> {
    let id = Endian::Big.u16(block, at + 4)?;
    // The name's length byte and the name together are padded to an even length.
    let name = (usize::from(*block.get(at + 6)?) + 1).next_multiple_of(2);
    let length = wide(Endian::Big.u32(block, at + 6 + name)?);
    let start = at + 10 + name;
    let data = slice(block, start, length)?;
    Some((id, data, start + length.next_multiple_of(2)))
}
