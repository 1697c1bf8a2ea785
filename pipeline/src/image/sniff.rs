//! Recognises formats by content, never by file name.
//!
//! [`sniff`] says which picture format a file is, and stops there: whether the rest
//! of the file keeps its promise is for `probe` and `decode`. [`describe`] names what
//! else it may be, for the reason text of a rejected file.

use super::Format;
use super::ifd::{Tiff, tag};
use super::order::Order;

/// How much of a file is searched for the beginning of an SVG or HTML document.
const TEXT_WINDOW_BYTES: usize = 4096;

/// TIFF compressions that only cameras write: Sony ARW, Samsung SRW, Kodak, Nikon NEF, Pentax PEF.
const CAMERA_COMPRESSIONS: [u64; 6] = [32767, 32770, 32772, 34713, 65000, 65535];

/// TIFF photometric interpretations of undeveloped sensor data: CFA and LinearRaw (DNG 1.4).
const CAMERA_PHOTOMETRICS: [u64; 2] = [32803, 34892];

/// Recognises the picture format of a file; `None` when it is not a picture.
pub fn sniff(bytes: &[u8]) -> Option<Format> {
    by_signature(bytes)
        .or_else(|| tiff_family(bytes))
        .or_else(|| iso_media_family(bytes))
        .or_else(|| by_strict_header(bytes))
        .or_else(|| is_svg(bytes).then_some(Format::Svg))
}

/// Names what a file is that [`sniff`] does not know: `text`, `PDF document`, `unknown content`.
pub fn describe(bytes: &[u8]) -> &'static str {
    const SIGNATURES: [(&[u8], &str); 26] = [
        (b"%PDF-", "PDF document"),
        (b"%!PS", "PostScript document"),
        (b"PK\x03\x04", "ZIP archive"),
        (b"PK\x05\x06", "ZIP archive"),
        (b"\x1f\x8b", "gzip archive"),
        (b"7z\xbc\xaf\x27\x1c", "7-Zip archive"),
        (b"Rar!\x1a\x07", "RAR archive"),
        (b"\xfd7zXZ\0", "XZ archive"),
        (b"BZh", "bzip2 archive"),
        (b"\x28\xb5\x2f\xfd", "Zstandard archive"),
        (b"SQLite format 3\0", "SQLite database"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Microsoft Office document"),
        (b"{\\rtf", "RTF document"),
        (b"\x7fELF", "program"),
        (b"\xca\xfe\xba\xbe", "program"),
        (b"MZ", "program"),
        (b"ID3", "audio file"),
        (b"OggS", "audio or video file"),
        (b"fLaC", "audio file"),
        (b"\x1a\x45\xdf\xa3", "Matroska video"),
        (b"FLV\x01", "Flash video"),
        (b"FWS", "Flash animation"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media file"),
        (b"gimp xcf", "GIMP drawing"),
        (b"\x8aMNG", "MNG animation"),
        (b"\x8bJNG", "JNG picture"),
    ];
    if bytes.is_empty() {
        return "empty file";
    }
    if let Some((_, name)) = SIGNATURES.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return name;
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        return "MP4 or QuickTime video";
    }
    if bytes.starts_with(b"RIFF") {
        return "RIFF audio or video";
    }
    if bytes.iter().all(|&byte| byte == 0) {
        return "file of zero bytes";
    }
    let Some(start) = text_start(bytes) else { return "unknown content" };
    let is = |word: &str| start.get(..word.len()).is_some_and(|s| s.eq_ignore_ascii_case(word));
    if is("<!doctype html") || is("<html") || is("<head") || is("<body") {
        "HTML page"
    } else if is("<?xml") || is("<?xpacket") || is("<x:xmpmeta") {
        "XML document"
    } else {
        "text"
    }
}

/// Formats with an unmistakable beginning.
fn by_signature(bytes: &[u8]) -> Option<Format> {
    const SIGNATURES: [(&[u8], Format); 19] = [
        // ITU-T T.81 annex B: SOI, then the first byte of any marker.
        (b"\xff\xd8\xff", Format::Jpeg),
        // PNG, third edition (W3C), section 5.2.
        (b"\x89PNG\r\n\x1a\n", Format::Png),
        // GIF89a specification (CompuServe), section 17.
        (b"GIF87a", Format::Gif),
        (b"GIF89a", Format::Gif),
        // ISO/IEC 15444-1 annex I.5.1 (JP2 signature box) and annex A (SOC, SIZ).
        (b"\0\0\0\x0cjP  \r\n\x87\n", Format::Jp2),
        (b"\xff\x4f\xff\x51", Format::Jp2),
        // ISO/IEC 18181-2: the container's signature box; a bare codestream.
        (b"\0\0\0\x0cJXL \r\n\x87\n", Format::Jxl),
        (b"\xff\x0a", Format::Jxl),
        // Adobe Photoshop File Formats Specification: version 1 is PSD, 2 is PSB.
        (b"8BPS\0\x01", Format::Psd),
        (b"8BPS\0\x02", Format::Psd),
        // The Quite OK Image Format Specification 1.0.
        (b"qoif", Format::Qoi),
        // Radiance `rgbe`: Ward, "Real Pixels", Graphics Gems II.
        (b"#?RADIANCE", Format::Hdr),
        (b"#?RGBE", Format::Hdr),
        // OpenEXR File Layout: magic number 20000630.
        (b"\x76\x2f\x31\x01", Format::Exr),
        // Adobe Technical Note 5002: DOS EPS binary file header.
        (b"\xc5\xd0\xd3\xc6", Format::Eps),
        // Camera makers publish no specifications; these agree with ExifTool's tables.
        (b"FUJIFILMCCD-RAW", Format::Raw),
        (b"\0MRM", Format::Raw),
        (b"FOVb", Format::Raw),
        (b"II\x1a\0\0\0HEAPCCDR", Format::Raw),
    ];
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        // WebP Container Specification (RFC 9649), section 2.3.
        return Some(Format::Webp);
    }
    if bytes.starts_with(b"%!PS-Adobe-") {
        // Technical Note 5002: the first line of an EPS ends in its EPSF version.
        let line = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next()?;
        return line.windows(4).any(|four| four == b"EPSF").then_some(Format::Eps);
    }
    SIGNATURES.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|&(_, format)| format)
}

/// TIFF (TIFF 6.0 section 2; BigTIFF) and the RAW formats built on it.
fn tiff_family(bytes: &[u8]) -> Option<Format> {
    let tiff = Tiff::parse(bytes)?;
    // RW2 and ORF replace the 42; CR2 puts its own letters behind the header.
    if !matches!(tiff.order().u16(bytes, 2)?, 42 | 43) || bytes.get(8..10) == Some(b"CR") {
        return Some(Format::Raw);
    }
    let camera = tiff.all().iter().any(|directory| {
        let says = |tag, values: &[u64]| {
            directory.number(tag).is_some_and(|value| values.contains(&value))
        };
        directory.has(tag::DNG_VERSION)
            || says(tag::PHOTOMETRIC, &CAMERA_PHOTOMETRICS)
            || says(tag::COMPRESSION, &CAMERA_COMPRESSIONS)
    });
    Some(if camera { Format::Raw } else { Format::Tiff })
}

/// HEIC, AVIF and CR3 by the brands of the file type box (ISO/IEC 14496-12 section 4.3).
fn iso_media_family(bytes: &[u8]) -> Option<Format> {
    if bytes.get(4..8)? != b"ftyp" {
        return None;
    }
    let end = usize::try_from(Order::Big.u32(bytes, 0)?).ok()?.clamp(12, 512).min(bytes.len());
    let major = bytes.get(8..12)?;
    let compatible = bytes.get(16..end).unwrap_or_default().chunks_exact(4);
    let mut still_image = false;
    for brand in std::iter::once(major).chain(compatible) {
        match brand {
            // AV1 Image File Format 1.1, section 6.
            b"avif" | b"avis" => return Some(Format::Avif),
            // ISO/IEC 23008-12 annex B: HEVC pictures and sequences.
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"hevm" | b"hevs" => {
                return Some(Format::Heic);
            }
            b"crx " => return Some(Format::Raw),
            // The structural brands: some HEIC writers give no other.
            b"mif1" | b"msf1" => still_image = true,
            _ => {}
        }
    }
    still_image.then_some(Format::Heic)
}

/// Formats with a short or missing signature: the whole header has to make sense.
fn by_strict_header(bytes: &[u8]) -> Option<Format> {
    if is_bmp(bytes) {
        Some(Format::Bmp)
    } else if is_pnm(bytes) {
        Some(Format::Pnm)
    } else if is_ico(bytes) {
        Some(Format::Ico)
    } else if is_pcx(bytes) {
        Some(Format::Pcx)
    } else if is_tga(bytes) {
        Some(Format::Tga)
    } else {
        None
    }
}

/// `BM`, then an information header of a known length (Windows `wingdi.h`; OS/2 1.x and 2.x).
fn is_bmp(bytes: &[u8]) -> bool {
    bytes.starts_with(b"BM")
        && matches!(Order::Little.u32(bytes, 14), Some(12 | 16 | 40 | 52 | 56 | 64 | 108 | 124))
}

/// `P1` to `P7` and white space (Netpbm `pbm(5)`, `pgm(5)`, `ppm(5)`, `pam(5)`).
fn is_pnm(bytes: &[u8]) -> bool {
    matches!(bytes, [b'P', b'1'..=b'7', b' ' | b'\t' | b'\r' | b'\n', next, ..]
        if next.is_ascii_digit() || next.is_ascii_whitespace() || matches!(next, b'#' | b'W' | b'H' | b'D' | b'T'))
}

/// Windows icon (1) or cursor (2) directory with a first entry that points behind the directory.
fn is_ico(bytes: &[u8]) -> bool {
    let little = Order::Little;
    let (Some(0), Some(1 | 2), Some(count @ 1..=1024)) =
        (little.u16(bytes, 0), little.u16(bytes, 2), little.u16(bytes, 4))
    else {
        return false;
    };
    let (Some(length), Some(offset)) = (little.u32(bytes, 14), little.u32(bytes, 18)) else {
        return false;
    };
    bytes.get(9) == Some(&0) && length > 0 && offset >= 6 + 16 * u32::from(count)
}

/// ZSoft PCX Technical Reference Manual: manufacturer 10, known version, sane window and planes.
fn is_pcx(bytes: &[u8]) -> bool {
    let little = Order::Little;
    let window = |at| little.u16(bytes, at);
    matches!(bytes, [10, 0 | 2..=5, 0 | 1, 1 | 2 | 4 | 8, ..])
        && bytes.len() > 128
        && bytes[64] == 0
        && (1..=4).contains(&bytes[65])
        && window(8) >= window(4)
        && window(10) >= window(6)
}

/// Truevision TGA File Format Specification 2.0: the footer, or a header without contradiction.
///
/// Version 1 files have no signature at all, so every field must be one that writers write,
/// and uncompressed pixels must fit into the file.
fn is_tga(bytes: &[u8]) -> bool {
    let &[
        id,
        map,
        kind,
        m0,
        m1,
        n0,
        n1,
        map_bits,
        _,
        _,
        _,
        _,
        w0,
        w1,
        h0,
        h1,
        bits,
        descriptor,
        ..,
    ] = bytes
    else {
        return false;
    };
    let (width, height) = (u16::from_le_bytes([w0, w1]), u16::from_le_bytes([h0, h1]));
    let map_entries = u16::from_le_bytes([n0, n1]);
    let consistent = match (kind, map) {
        (1 | 9, 1) => matches!(bits, 8 | 16) && map_entries > 0,
        (2 | 10, 0 | 1) => matches!(bits, 15 | 16 | 24 | 32),
        (3 | 11, 0) => matches!(bits, 8 | 16),
        _ => false,
    };
    let map_fits = match map {
        0 => m0 == 0 && m1 == 0 && map_entries == 0,
        _ => matches!(map_bits, 15 | 16 | 24 | 32),
    };
    if !consistent || !map_fits || width == 0 || height == 0 || descriptor & 0xc0 != 0 {
        return false;
    }
    if bytes.ends_with(b"TRUEVISION-XFILE.\0") {
        return true;
    }
    let before =
        18 + usize::from(id) + usize::from(map_entries) * usize::from(map_bits).div_ceil(8);
    let pixels = usize::from(width) * usize::from(height);
    let least =
        if kind < 8 { pixels * usize::from(bits).div_ceil(8) } else { pixels.div_ceil(128) };
    bytes.len() >= before + least
}

/// An SVG document (SVG 2, W3C): its root element is `svg`, behind prologue and comments.
fn is_svg(bytes: &[u8]) -> bool {
    let Some(mut rest) = text_start(bytes) else { return false };
    while let Some(tag) = rest.strip_prefix('<') {
        let end = if tag.starts_with("!--") {
            "-->"
        } else if tag.starts_with(['?', '!']) {
            ">"
        } else {
            let name: String =
                tag.chars().take_while(|c| !c.is_whitespace() && !matches!(c, '>' | '/')).collect();
            return name == "svg" || name.ends_with(":svg");
        };
        let Some(at) = tag.find(end) else { return false };
        rest = tag[at + end.len()..]
            .trim_start_matches(|c: char| c.is_whitespace() || c == ']' || c == '>');
    }
    false
}

/// The beginning of a text without mark and white space; `None` when it is not text.
fn text_start(bytes: &[u8]) -> Option<&str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let window = &bytes[..bytes.len().min(TEXT_WINDOW_BYTES)];
    if window.iter().any(|byte| *byte < 32 && !byte.is_ascii_whitespace()) {
        return None;
    }
    let valid = match std::str::from_utf8(window) {
        Ok(text) => text,
        // A character cut by the window's end is still text.
        Err(error) if window.len() - error.valid_up_to() < 4 => {
            std::str::from_utf8(&window[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    Some(valid.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brands_tell_heic_avif_and_cr3_from_video() {
        let file = |brands: &[u8]| {
            let mut file = (8 + brands.len() as u32).to_be_bytes().to_vec();
            file.extend(b"ftyp");
            file.extend(brands);
            file
        };
        assert_eq!(sniff(&file(b"mif1\0\0\0\0mif1heic")), Some(Format::Heic));
        assert_eq!(sniff(&file(b"mif1\0\0\0\0mif1avif")), Some(Format::Avif));
        assert_eq!(sniff(&file(b"crx \0\0\0\x01crx isom")), Some(Format::Raw));
        assert_eq!(sniff(&file(b"isom\0\0\0\0iso2mp41")), None);
        assert_eq!(describe(&file(b"isom\0\0\0\0iso2mp41")), "MP4 or QuickTime video");
    }

    #[test]
    fn svg_is_found_behind_its_prologue_and_html_is_not_svg() {
        let prologue = "\u{feff}<?xml version=\"1.0\"?>\n<!-- a <svg> in words -->\n";
        assert_eq!(sniff(format!("{prologue}<svg width=\"1\"/>").as_bytes()), Some(Format::Svg));
        assert_eq!(sniff(format!("{prologue}<svg:svg/>").as_bytes()), Some(Format::Svg));
        assert_eq!(sniff(b"<html><svg/></html>"), None);
        assert_eq!(sniff(format!("{prologue}<gpx/>").as_bytes()), None);
    }

    #[test]
    fn what_is_no_picture_is_named() {
        let cases: [(&[u8], &str); 7] = [
            (b"", "empty file"),
            (b"<!DOCTYPE html><p>", "HTML page"),
            (b"PK\x03\x04\x14", "ZIP archive"),
            (b"%PDF-1.4", "PDF document"),
            (b"a few words\n", "text"),
            (b"\0\0\0\0", "file of zero bytes"),
            (b"\x01\x02\x03", "unknown content"),
        ];
        for (bytes, name) in cases {
            assert_eq!(sniff(bytes), None, "{name}");
            assert_eq!(describe(bytes), name);
        }
    }

    #[test]
    fn formats_without_a_signature_need_a_header_without_contradiction() {
        let mut tga = vec![0; 18 + 12];
        (tga[2], tga[12], tga[14], tga[16]) = (2, 2, 2, 24);
        assert_eq!(sniff(&tga), Some(Format::Tga));
        assert_eq!(sniff(&tga[..29]), None, "its pixels are cut");
        tga[2] = 7;
        assert_eq!(sniff(&tga), None);
        assert_eq!(sniff(b"BMW is a car maker, not a bitmap"), None);
        assert_eq!(sniff(b"P5 is a road"), None);
        assert_eq!(sniff(b"P5 3 3 255\n"), Some(Format::Pnm));
    }
}
