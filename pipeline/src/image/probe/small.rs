//! Headers of the small formats: TGA, PNM, QOI, Radiance HDR, OpenEXR, PCX.
//!
//! Sources: Truevision TGA 2.0; Netpbm `pbm(5)` to `pam(5)`; QOI 1.0; Ward, "Real Pixels";
//! OpenEXR File Layout; ZSoft PCX Technical Reference Manual.

use super::damaged;
use crate::fault::Fault;
use crate::image::order::{Order, slice};
use crate::image::{ColourModel, Format, Technical};

/// How far a text header is searched; its comments may be long, but not endless.
const MOST_TEXT_BYTES: usize = 1 << 16;

pub(super) fn probe_tga(bytes: &[u8]) -> Result<Technical, Fault> {
    let header = bytes.get(..18).ok_or_else(|| damaged(Format::Tga, "it is too short"))?;
    let side = |at: usize| u32::from(u16::from_le_bytes([header[at], header[at + 1]]));
    let model = match header[2] {
        1 | 9 => ColourModel::Indexed,
        3 | 11 => ColourModel::Grey,
        _ => ColourModel::Rgb,
    };
    let mut technical = Technical::plain(Format::Tga, side(12), side(14), model);
    technical.alpha = header[16] == 32 || header[17] & 15 != 0;
    Ok(technical)
}

pub(super) fn probe_pnm(bytes: &[u8]) -> Result<Technical, Fault> {
    read_pnm(&bytes[..bytes.len().min(MOST_TEXT_BYTES)])
        .ok_or_else(|| damaged(Format::Pnm, "a number is missing"))
}

fn read_pnm(text: &[u8]) -> Option<Technical> {
    let kind = *text.get(1)?;
    let mut words = words(text.get(2..)?);
    let mut number = || std::str::from_utf8(words.next()?).ok()?.parse::<u32>().ok();
    let (width, height, depth, most) = match kind {
        b'7' => {
            let (mut sides, mut depth, mut most) = ([0, 0], 1, 255);
            while let Some(word) = words.next().filter(|word| *word != b"ENDHDR") {
                let value = |words: &mut dyn Iterator<Item = &[u8]>| {
                    std::str::from_utf8(words.next()?).ok()?.parse::<u32>().ok()
                };
                match word {
                    b"WIDTH" => sides[0] = value(&mut words)?,
                    b"HEIGHT" => sides[1] = value(&mut words)?,
                    b"DEPTH" => depth = value(&mut words)?,
                    b"MAXVAL" => most = value(&mut words)?,
                    _ => {}
                }
            }
            (sides[0], sides[1], depth, most)
        }
        b'1' | b'4' => (number()?, number()?, 1, 1),
        b'2' | b'5' => (number()?, number()?, 1, number()?),
        _ => (number()?, number()?, 3, number()?),
    };
    let model = if depth < 3 { ColourModel::Grey } else { ColourModel::Rgb };
    let mut technical = Technical::plain(Format::Pnm, width, height, model);
    technical.bit_depth = match most {
        0 | 1 => 1,
        2..=255 => 8,
        _ => 16,
    };
    technical.alpha = matches!(depth, 2 | 4);
    Some(technical)
}

/// Iterates over words, past white space and comments.
fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = text.split(|&byte| byte == b'\n');
    let uncommented = lines.map(|line| line.split(|&byte| byte == b'#').next().unwrap_or(line));
    let words = uncommented.flat_map(|line| line.split(u8::is_ascii_whitespace));
    words.filter(|word| !word.is_empty())
}

pub(super) fn probe_qoi(bytes: &[u8]) -> Result<Technical, Fault> {
    let big = Order::Big;
    let (Some(width), Some(height), Some(channels)) =
        (big.u32(bytes, 4), big.u32(bytes, 8), bytes.get(12))
    else {
        return Err(damaged(Format::Qoi, "the file ends inside it"));
    };
    let mut technical = Technical::plain(Format::Qoi, width, height, ColourModel::Rgb);
    technical.alpha = *channels == 4;
    Ok(technical)
}

pub(super) fn probe_hdr(bytes: &[u8]) -> Result<Technical, Fault> {
    let window = &bytes[..bytes.len().min(MOST_TEXT_BYTES)];
    let mut lines = window.split(|&byte| byte == b'\n');
    // An empty line ends the header; the next one is the resolution: `-Y 480 +X 640`.
    let resolution = lines.by_ref().find(|line| line.is_empty()).and(lines.next());
    let words = resolution.map(|line| line.split(|&byte| byte == b' ').collect::<Vec<_>>());
    let number = |word: &[u8]| std::str::from_utf8(word).ok()?.parse::<u32>().ok();
    let size = match words.as_deref() {
        Some([b"-Y" | b"+Y", height, b"+X" | b"-X", width]) => number(width).zip(number(height)),
        Some([b"+X" | b"-X", width, b"-Y" | b"+Y", height]) => number(width).zip(number(height)),
        _ => None,
    };
    let (width, height) = size.ok_or_else(|| damaged(Format::Hdr, "it has no resolution"))?;
    let mut technical = Technical::plain(Format::Hdr, width, height, ColourModel::Rgb);
    technical.bit_depth = 32;
    Ok(technical)
}

pub(super) fn probe_exr(bytes: &[u8]) -> Result<Technical, Fault> {
    let (width, height) =
        exr_data_window(bytes).ok_or_else(|| damaged(Format::Exr, "it has no data window"))?;
    let mut technical = Technical::plain(Format::Exr, width, height, ColourModel::Rgb);
    technical.bit_depth = 16;
    Ok(technical)
}

/// Walks attributes (name, type, length, value) to `dataWindow`, an inclusive box.
fn exr_data_window(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut rest = bytes.get(8..bytes.len().min(MOST_TEXT_BYTES))?;
    let text = |rest: &mut &[u8]| {
        let end = rest.iter().position(|&byte| byte == 0)?;
        let name = rest[..end].to_vec();
        *rest = &rest[end + 1..];
        Some(name)
    };
    loop {
        let name = text(&mut rest).filter(|name| !name.is_empty())?;
        text(&mut rest)?;
        let length = usize::try_from(Order::Little.u32(rest, 0)?).ok()?;
        let value = slice(rest, 4, length)?;
        if name == b"dataWindow" {
            let edge = |at| Order::Little.u32(value, at).map(u32::cast_signed);
            let side =
                |low: i32, high: i32| u32::try_from(i64::from(high) - i64::from(low) + 1).ok();
            return Some((side(edge(0)?, edge(8)?)?, side(edge(4)?, edge(12)?)?));
        }
        rest = rest.get(4 + length..)?;
    }
}

pub(super) fn probe_pcx(bytes: &[u8]) -> Result<Technical, Fault> {
    let edge = |at| Order::Little.u16(bytes, at).map(u32::from);
    let side = |low, high| edge(high)?.checked_sub(edge(low)?).map(|span| span + 1);
    let (Some(width), Some(height)) = (side(4, 8), side(6, 10)) else {
        return Err(damaged(Format::Pcx, "its window is upside down"));
    };
    let (bits, planes) = (bytes.get(3).copied().unwrap_or(8), bytes.get(65).copied());
    let model =
        if planes == Some(3) && bits == 8 { ColourModel::Rgb } else { ColourModel::Indexed };
    let mut technical = Technical::plain(Format::Pcx, width, height, model);
    technical.bit_depth = bits;
    Ok(technical)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pnm_header_is_read_past_its_comments() {
        let read = |text: &[u8]| read_pnm(text).map(|t| (t.width, t.height, t.bit_depth));
        assert_eq!(read(b"P6\n# made by hand 9 9\n3 # wide\n2\n65535\n"), Some((3, 2, 16)));
        assert_eq!(read(b"P4 8 4\n"), Some((8, 4, 1)));
        assert_eq!(read(b"P7\nWIDTH 5\nHEIGHT 4\nDEPTH 4\nMAXVAL 255\nENDHDR\n"), Some((5, 4, 8)));
        assert_eq!(read(b"P5 3"), None);
    }

    #[test]
    fn an_hdr_resolution_may_come_in_either_order() {
        let size = |text: &[u8]| probe_hdr(text).map(|t| (t.width, t.height)).ok();
        assert_eq!(size(b"#?RADIANCE\nEXPOSURE=1\n\n-Y 480 +X 640\n"), Some((640, 480)));
        assert_eq!(size(b"#?RGBE\n\n+X 640 -Y 480\n"), Some((640, 480)));
        assert_eq!(size(b"#?RGBE\n\n"), None);
    }
}
