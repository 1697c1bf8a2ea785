//! IPTC that press software appends to a JPEG: FotoStation's records and AXS's AFCP.
//!
//! Both are found from the file's end, so nothing is searched.
//!
//! Source: ExifTool's notes on FotoStation; AXS File Concatenation Protocol (1999).

use std::borrow::Cow;

use super::super::bytes::{Endian, slice, wide};
use super::Payloads;

pub(super) fn find<'a>(bytes: &'a [u8], found: &mut Payloads<'a>) {
    fotostation(bytes, found);
    // A damaged directory hides its payload only; the picture's own metadata is read.
    if let Some(iptc) = afcp(bytes) {
        found.iptc(Cow::Borrowed(iptc));
    }
}

/// Records that each end with tag, size including that footer, and signature.
fn fotostation<'a>(bytes: &'a [u8], found: &mut Payloads<'a>) {
    const SIGNATURE: u32 = 0xA1B2_C3D4;
    const FOOTER: usize = 10;
    const IPTC: u16 = 1;

    let mut end = bytes.len();
    while let Some(footer) = end.checked_sub(FOOTER)
        && Endian::Big.u32(bytes, footer + 6) == Some(SIGNATURE)
        && let Some(size) = Endian::Big.u32(bytes, footer + 2).map(wide)
        && size >= FOOTER
        && let Some(start) = end.checked_sub(size)
    {
        if Endian::Big.u16(bytes, footer) == Some(IPTC) {
            found.iptc(Cow::Borrowed(&bytes[start..footer]));
        }
        end = start;
    }
}

/// A footer that points to a directory of named entries: name, size and place in the file.
fn afcp(bytes: &[u8]) -> Option<&[u8]> {
    const FOOTER: usize = 12;
    let footer = bytes.len().checked_sub(FOOTER)?;
    let (mark, endian) = match slice(bytes, footer, 4)? {
        mark @ b"AXS!" => (mark, Endian::Big),
        mark @ b"AXS*" => (mark, Endian::Little),
        _ => return None,
    };
    let start = wide(endian.u32(bytes, footer + 4)?);
    if slice(bytes, start, 4)? != mark {
        return None;
    }
    let entries = usize::from(endian.u16(bytes, start + 6)?);
    (0..entries).map(|index| start + 12 + index * 12).find_map(|entry| {
        let named = slice(bytes, entry, 4)? == b"IPTC";
        let (length, at) = (endian.u32(bytes, entry + 4)?, endian.u32(bytes, entry + 8)?);
        named.then(|| slice(bytes, wide(at), wide(length)))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_trailers_give_up_their_iptc() {
        let iptc = b"\x1C\x02\x05\0\x01t";
        let size = (iptc.len() as u32 + 10).to_be_bytes();
        let fotostation =
            [b"pixels", &iptc[..], &[0, 1], &size, &[0xA1, 0xB2, 0xC3, 0xD4]].concat();
        // The directory begins at byte 6, its one entry ends at byte 30.
        let directory = b"AXS!\0\x01\0\x01\0\0\0\0IPTC\0\0\0\x06\0\0\0\x1E";
        let afcp = [b"pixels", &directory[..], iptc, b"AXS!\0\0\0\x06\0\0\0\0"].concat();
        for bytes in [fotostation, afcp] {
            let mut found = Payloads::default();
            find(&bytes, &mut found);
            assert_eq!(found.iptc, [Cow::Borrowed(&iptc[..])]);
            for length in 0..bytes.len() {
                find(&bytes[..length], &mut Payloads::default());
            }
        }
    }
}
