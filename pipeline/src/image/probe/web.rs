//! WebP and GIF headers, and how many frames they animate.
//!
//! Sources: WebP Container Specification (RFC 9649), GIF89a specification (CompuServe, 1990).

use super::damaged;
use crate::fault::Fault;
use crate::image::order::{Order, slice};
use crate::image::{ColourModel, Format, Limits, Technical, colour, ifd};

pub(super) fn probe_webp(bytes: &[u8], limits: &Limits) -> Result<Technical, Fault> {
    let mut size = None;
    let mut technical = Technical::plain(Format::Webp, 0, 0, ColourModel::Ycbcr);
    let mut frames = 0;
    for (kind, body) in riff_chunks(bytes) {
        match &kind {
            b"VP8X" => {
                size = size.or_else(|| Some((canvas(body, 4)?, canvas(body, 7)?)));
                technical.alpha = body.first().is_some_and(|flags| flags & 0x10 != 0);
            }
            // RFC 6386 section 9.1: the start code, then 14 bits for each side.
            b"VP8 " if slice(body, 3, 3) == Some(b"\x9d\x01\x2a") => {
                let side = |at| Order::Little.u16(body, at).map(|side| u32::from(side & 0x3fff));
                size = size.or_else(|| Some((side(6)?, side(8)?)));
            }
            // RFC 9649 section 3.4: 0x2F, then 14 bits less one for each side, and alpha.
            b"VP8L" if body.first() == Some(&0x2f) => {
                let bits = Order::Little.u32(body, 1).unwrap_or(0);
                size = size.or(Some((1 + (bits & 0x3fff), 1 + (bits >> 14 & 0x3fff))));
                technical.alpha |= bits >> 28 & 1 == 1;
                technical.colour = ColourModel::Rgb;
            }
            b"ANMF" => frames += 1,
            b"EXIF" => technical.orientation = ifd::exif_orientation(body).unwrap_or(1),
            b"ICCP" => technical.icc = colour::icc_description(body),
            _ => {}
        }
        if frames > limits.frames {
            break;
        }
    }
    let (width, height) = size.ok_or_else(|| damaged(Format::Webp, "no chunk has a size"))?;
    Ok(Technical { width, height, frames: frames.max(1), ..technical })
}

fn canvas(body: &[u8], at: usize) -> Option<u32> {
    let raw = slice(body, at, 3)?;
    Some(1 + u32::from_le_bytes([raw[0], raw[1], raw[2], 0]))
}

/// Iterates over the chunks of a WebP file; a chunk that is cut comes as far as it goes.
pub(crate) fn riff_chunks(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut at = 12_usize;
    std::iter::from_fn(move || {
        let kind = slice(bytes, at, 4)?.try_into().ok()?;
        let length = usize::try_from(Order::Little.u32(bytes, at + 4)?).ok()?;
        let end = at.checked_add(8)?.checked_add(length)?.min(bytes.len());
        let body = bytes.get(at + 8..end)?;
        at = end + (length & 1);
        Some((kind, body))
    })
}

pub(super) fn probe_gif(bytes: &[u8], limits: &Limits) -> Result<Technical, Fault> {
    let side = |at| Order::Little.u16(bytes, at).map(u32::from);
    let (Some(width), Some(height), Some(&flags)) = (side(6), side(8), bytes.get(10)) else {
        return Err(damaged(Format::Gif, "the file ends inside it"));
    };
    let mut technical = Technical::plain(Format::Gif, width, height, ColourModel::Indexed);
    let (frames, alpha) = count_gif_frames(bytes, 13 + palette_bytes(flags), limits.frames);
    technical.frames = frames.max(1);
    technical.alpha = alpha;
    Ok(technical)
}

/// Counts frames up to one over `most` and says whether the first one has transparent pixels.
fn count_gif_frames(bytes: &[u8], mut at: usize, most: u32) -> (u32, bool) {
    let (mut frames, mut alpha) = (0, false);
    while frames <= most {
        match bytes.get(at) {
            // An image: its descriptor, palette, LZW code size, data.
            Some(0x2c) => {
                let Some(&flags) = bytes.get(at + 9) else { break };
                frames += 1;
                at += 11 + palette_bytes(flags);
            }
            // An extension; 0xF9 is graphic control, bit 0 of its flags is transparency.
            Some(0x21) => {
                if frames == 0 && bytes.get(at + 1) == Some(&0xf9) {
                    alpha = bytes.get(at + 3).is_some_and(|flags| flags & 1 == 1);
                }
                at += 2;
            }
            _ => break,
        }
        while let Some(&length) = bytes.get(at) {
            at += 1 + usize::from(length);
            if length == 0 {
                break;
            }
        }
    }
    (frames, alpha)
}

fn palette_bytes(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gif_frames_are_counted_by_their_blocks() {
        let mut file = b"GIF89a\x02\0\x01\0\0\0\0".to_vec();
        for _ in 0..3 {
            file.extend(b"\x21\xf9\x04\x01\0\0\0\0");
            file.extend(b"\x2c\0\0\0\0\x02\0\x01\0\x80\0\0\0\x01\x01\x01\x02\x02\x44\x01\0");
        }
        file.push(0x3b);
        let technical = probe_gif(&file, &Limits::default()).expect("a whole file");
        assert_eq!((technical.frames, technical.alpha), (3, true));
        let few = Limits { frames: 1, ..Limits::default() };
        assert_eq!(probe_gif(&file, &few).map(|t| t.frames).ok(), Some(2), "one over is enough");
    }
}
