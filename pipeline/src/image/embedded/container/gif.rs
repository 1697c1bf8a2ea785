//! GIF: the XMP application extension and comments.
//!
//! Source: GIF89a specification; XMP specification part 3, section "GIF".

use std::borrow::Cow;

use super::super::bytes::{find as find_bytes, slice};
use super::Payloads;

pub(super) fn find<'a>(bytes: &'a [u8], found: &mut Payloads<'a>) {
    let Some(&flags) = bytes.get(10) else { return };
    let mut at = 13 + colour_table(flags);
    while let Some(&introducer) = bytes.get(at) {
        match introducer {
            0x21 => {
                extension(bytes, at, found);
                let Some(next) = after_blocks(bytes, at + 2) else { return };
                at = next;
            }
            0x2C => {
                let Some(&flags) = bytes.get(at + 9) else { return };
                // The descriptor, its colour table and the code size stand before the blocks.
                let Some(next) = after_blocks(bytes, at + 11 + colour_table(flags)) else { return };
                at = next;
            }
            _ => return,
        }
    }
}

fn extension<'a>(bytes: &'a [u8], at: usize, found: &mut Payloads<'a>) {
    const XMP: &[u8] = b"\x21\xFF\x0BXMP DataXMP";
    match slice(bytes, at, 2) {
        Some(b"\x21\xFE") => {
            found.text("gif:Comment", &joined(bytes, at + 2));
        }
        // The packet lies there plain, not in blocks; a trailer of falling numbers, which
        // begins with 1, 255, 254, brings a reader of blocks to the end wherever it is.
        Some(_) if bytes[at..].starts_with(XMP) => {
            let start = at + XMP.len();
            let end = find_bytes(bytes, b"\x01\xFF\xFE", start).unwrap_or(bytes.len());
            found.xmp(Cow::Borrowed(&bytes[start..end]));
        }
        _ => {}
    }
}

/// Joins the data of the blocks that begin at `at`.
fn joined(bytes: &[u8], mut at: usize) -> Vec<u8> {
    let mut data = Vec::new();
    while let Some(&length) = bytes.get(at).filter(|&&length| length > 0) {
        let Some(block) = slice(bytes, at + 1, usize::from(length)) else { break };
        data.extend_from_slice(block);
        at += 1 + block.len();
    }
    data
}

/// Returns the position after the empty block that ends a run of blocks.
fn after_blocks(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *bytes.get(at)? {
            0 => return Some(at + 1),
            length => at += 1 + usize::from(length),
        }
    }
}

/// Bytes of the colour table that `flags` declare.
fn colour_table(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}
