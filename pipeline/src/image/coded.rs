//! The digest of the coded picture: what it shows, without its metadata and without decoding.
//!
//! A caption edited in the file leaves it as it is; anything that changes the look changes it:
//! coded data, tables, colour profile, Adobe marker, orientation. Re-coding the same pixels
//! changes it too: finding those is the perceptual hash's work.

use crate::asset::PixelDigest;
use crate::image::Format;
use crate::image::jpeg::segment::{End, Part, SOS, Walk, exif_of, icc_profile};
use crate::raster::Raster;

/// Separates these digests from all other uses of BLAKE3 and versions what is hashed.
const DOMAIN: &str = "glassplate pixel digest 1";

/// Hashes the coded picture; nothing when the format has no such form or its structure is broken.
///
/// JPEG: every marker segment but APPn and COM, the entropy-coded data, the ICC profile, the
/// Adobe marker's transform and the EXIF orientation; what trails the end marker is ignored, and
/// a file that ends in coded data counts as far as it goes. PNG: IHDR, PLTE, tRNS, the colour
/// chunks, eXIf orientation, and IDAT however it is split into chunks. Then the caller hashes
/// the decoded pixels with [`raster_digest`].
pub fn pixel_digest(bytes: &[u8], format: Format) -> Option<PixelDigest> {
    match format {
        Format::Jpeg => jpeg_digest(bytes),
        Format::Png => png_digest(bytes),
        _ => None,
    }
}

/// Hashes decoded pixels: width, height, RGB.
pub fn raster_digest(raster: &Raster) -> PixelDigest {
    let mut hash = Hash::new("raster");
    hash.field(b"width", &raster.width().to_be_bytes());
    hash.field(b"height", &raster.height().to_be_bytes());
    hash.field(b"rgb", raster.rgb());
    hash.finish()
}

fn jpeg_digest(bytes: &[u8]) -> Option<PixelDigest> {
    let mut hash = Hash::new("jpeg");
    let mut orientation = None;
    let mut adobe: Option<u8> = None;
    let mut scans = 0_u32;
    let mut walk = Walk::new(bytes);
    for part in walk.by_ref() {
        match part {
            Part::Entropy(data) => hash.field(b"data", data),
            Part::Segment(0xe0..=0xef | 0xfe, payload) => {
                orientation = orientation.or_else(|| exif_of(&part).and_then(exif_orientation));
                adobe = adobe.or_else(|| adobe_transform(&part, payload));
            }
            Part::Segment(marker, payload) => {
                scans += u32::from(marker == SOS);
                hash.field(&[marker], payload);
            }
        }
    }
    if scans == 0 || walk.end == Some(End::Broken) {
        return None;
    }
    hash.field(b"orientation", &[orientation.unwrap_or(1)]);
    hash.optional(b"adobe", adobe.as_ref().map(std::slice::from_ref));
    hash.optional(b"icc", icc_profile(bytes).as_deref());
    Some(hash.finish())
}

/// Reads the colour transform from an Adobe marker.
///
/// Source: Adobe Technical Note 5116, section 18: APP14, `Adobe`, version, two flags, transform.
fn adobe_transform(part: &Part<'_>, payload: &[u8]) -> Option<u8> {
    let named = matches!(part, Part::Segment(0xee, _)) && payload.starts_with(b"Adobe");
    if named { payload.get(11).copied() } else { None }
}

/// Chunks that change a PNG's look, in the order that they are hashed in.
///
/// Source: PNG specification, third edition, 11.2 and 11.3.
const PNG_LOOK: [&[u8; 4]; 8] =
    [b"IHDR", b"PLTE", b"tRNS", b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"];

fn png_digest(bytes: &[u8]) -> Option<PixelDigest> {
    let mut rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    let mut hash = Hash::new("png");
    let mut look: [Option<&[u8]>; PNG_LOOK.len()] = [None; PNG_LOOK.len()];
    let mut orientation = None;
    let mut coded_bytes = 0_u64;
    loop {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (name, after) = after.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (data, after) = after.split_at_checked(length)?;
        let (_crc, after) = after.split_first_chunk::<4>()?;
        rest = after;
        match name {
            b"IEND" => break,
            b"IDAT" => {
                hash.part(data);
                coded_bytes += data.len() as u64;
            }
            b"eXIf" => orientation = orientation.or_else(|| exif_orientation(data)),
            _ => {
                if let Some(at) = PNG_LOOK.iter().position(|known| *known == name) {
                    look[at].get_or_insert(data);
                }
            }
        }
    }
    look[0].filter(|_| coded_bytes > 0)?;
    hash.field(b"coded", &coded_bytes.to_be_bytes());
    for (name, data) in PNG_LOOK.into_iter().zip(look) {
        hash.optional(name, data);
    }
    hash.field(b"orientation", &[orientation.unwrap_or(1)]);
    Some(hash.finish())
}

/// Reads orientation 1 to 8 from the first directory of an EXIF block; a tiny reader, because
/// the digest must not change whenever the full one learns something.
///
/// Source: TIFF 6.0, section 2; EXIF 2.32, tag 0x0112.
fn exif_orientation(tiff: &[u8]) -> Option<u8> {
    const ORIENTATION: u16 = 0x0112;
    const SHORT: u16 = 3;

    let little = match tiff.get(..4)? {
        b"II\x2a\0" => true,
        b"MM\0\x2a" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let pair = *tiff.get(at..)?.first_chunk::<2>()?;
        Some(if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) })
    };
    let long = |at: usize| {
        let four = *tiff.get(at..)?.first_chunk::<4>()?;
        Some(if little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) })
    };
    let directory = usize::try_from(long(4)?).ok()?;
    let entries = usize::from(short(directory)?);
    let first = directory.checked_add(2)?;
    for entry in (0..entries).map(|at| first + at * 12) {
        if short(entry)? == ORIENTATION {
            let value = short(entry + 8).filter(|_| short(entry + 2) == Some(SHORT))?;
            return u8::try_from(value).ok().filter(|value| (1..=8).contains(value));
        }
    }
    None
}

/// A BLAKE3 of named fields, each closed by its length, so that no two lists of fields collide.
struct Hash(blake3::Hasher);

impl Hash {
    fn new(kind: &str) -> Self {
        let mut hash = Self(blake3::Hasher::new());
        hash.field(b"domain", DOMAIN.as_bytes());
        hash.field(b"kind", kind.as_bytes());
        hash
    }

    /// Adds bytes whose length the caller adds later.
    fn part(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn field(&mut self, name: &[u8], bytes: &[u8]) {
        self.0.update(bytes);
        self.0.update(&(bytes.len() as u64).to_be_bytes());
        self.0.update(name);
        self.0.update(&(name.len() as u64).to_be_bytes());
    }

    fn optional(&mut self, name: &[u8], bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.field(name, bytes),
            None => self.field(name, b"\0absent"),
        }
    }

    fn finish(&self) -> PixelDigest {
        PixelDigest::new(*self.0.finalize().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A JPEG as coded by the renditions' encoder: JFIF, tables, one scan.
    fn jpeg(shade: u8) -> Vec<u8> {
        let rgb: Vec<u8> = (0..40 * 24 * 3).map(|at| (at as u8).wrapping_mul(shade)).collect();
        let pixels = turbojpeg::Image {
            pixels: &rgb[..],
            width: 40,
            pitch: 120,
            height: 24,
            format: turbojpeg::PixelFormat::RGB,
        };
        turbojpeg::compress(pixels, 80, turbojpeg::Subsamp::Sub2x2).expect("coded").to_vec()
    }

    fn with_segment(jpeg: &[u8], marker: u8, payload: &[u8]) -> Vec<u8> {
        let length = (payload.len() as u16 + 2).to_be_bytes();
        [&jpeg[..2], &[0xff, marker], &length, payload, &jpeg[2..]].concat()
    }

    /// An EXIF block in either byte order with one entry, the orientation.
    fn exif(orientation: u16, little: bool) -> Vec<u8> {
        let short = |v: u16| if little { v.to_le_bytes() } else { v.to_be_bytes() };
        let long = |v: u32| if little { v.to_le_bytes() } else { v.to_be_bytes() };
        let mut tiff = if little { b"II".to_vec() } else { b"MM".to_vec() };
        tiff.extend(short(42));
        tiff.extend(long(8));
        tiff.extend(short(1));
        tiff.extend(short(0x0112));
        tiff.extend(short(3));
        tiff.extend(long(1));
        tiff.extend(short(orientation));
        tiff.extend([0; 6]);
        tiff
    }

    fn exif_segment(orientation: u16, little: bool) -> Vec<u8> {
        [b"Exif\0\0", &exif(orientation, little)[..]].concat()
    }

    fn digest(bytes: &[u8]) -> PixelDigest {
        pixel_digest(bytes, Format::Jpeg).expect("a whole JPEG")
    }

    #[test]
    fn metadata_of_a_jpeg_does_not_count() {
        let plain = jpeg(3);
        let caption = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>";
        for edited in [
            with_segment(&plain, 0xe1, caption),
            with_segment(&plain, 0xed, b"Photoshop 3.0\x008BIM"),
            with_segment(&plain, 0xfe, b"a comment"),
            with_segment(&plain, 0xe1, &exif_segment(1, true)),
            with_segment(&plain, 0xe2, b"MPF\0"),
            [&plain[..], b"trailing data"].concat(),
        ] {
            assert_eq!(digest(&plain), digest(&edited));
        }
    }

    #[test]
    fn what_changes_the_look_of_a_jpeg_counts() {
        let plain = jpeg(3);
        let mut seen = vec![digest(&plain), digest(&jpeg(5))];
        seen.push(digest(&with_segment(&plain, 0xe1, &exif_segment(6, true))));
        seen.push(digest(&with_segment(&plain, 0xe1, &exif_segment(8, false))));
        seen.push(digest(&with_segment(&plain, 0xe2, b"ICC_PROFILE\0\x01\x01profile")));
        seen.push(digest(&with_segment(&plain, 0xee, b"Adobe\0\x64\0\0\0\0\0")));
        seen.push(digest(&with_segment(&plain, 0xee, b"Adobe\0\x64\0\0\0\0\x01")));
        for (at, one) in seen.iter().enumerate() {
            assert!(!seen[at + 1..].contains(one), "number {at} is there twice");
        }
        // The byte order of the EXIF block is not the picture's look.
        assert_eq!(
            digest(&with_segment(&plain, 0xe1, &exif_segment(6, true))),
            digest(&with_segment(&plain, 0xe1, &exif_segment(6, false))),
        );
    }

    #[test]
    fn a_changed_coded_byte_counts_wherever_it_is() {
        let plain = jpeg(3);
        let start = plain.windows(2).position(|pair| pair == [0xff, 0xdb]).expect("a table");
        for at in start..plain.len() - 2 {
            let mut altered = plain.clone();
            altered[at] ^= 0x10;
            assert_ne!(pixel_digest(&altered, Format::Jpeg), Some(digest(&plain)), "byte {at}");
        }
    }

    #[test]
    fn a_jpeg_that_breaks_off_before_its_scan_has_no_digest() {
        let plain = jpeg(3);
        let scan = plain.windows(2).position(|pair| pair == [0xff, 0xda]).expect("a scan");
        for length in 0..scan + 14 {
            assert_eq!(pixel_digest(&plain[..length], Format::Jpeg), None, "{length}");
        }
        let mut seen = std::collections::HashSet::new();
        for length in scan + 20..plain.len() - 2 {
            assert!(seen.insert(pixel_digest(&plain[..length], Format::Jpeg)), "{length}");
        }
        // Without the end marker it is still the same picture.
        assert_eq!(digest(&plain[..plain.len() - 2]), digest(&plain));
    }

    type Chunk<'a> = (&'a [u8; 4], &'a [u8]);

    fn png(chunks: &[Chunk<'_>]) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
        for (name, data) in chunks {
            bytes.extend((data.len() as u32).to_be_bytes());
            bytes.extend(*name);
            bytes.extend(*data);
            bytes.extend([0; 4]);
        }
        bytes
    }

    #[test]
    fn a_png_counts_what_it_shows_and_no_more() {
        let of = |chunks: &[Chunk<'_>]| pixel_digest(&png(chunks), Format::Png);
        let (head, end): (Chunk<'_>, Chunk<'_>) = ((b"IHDR", b"thirteen bytes"), (b"IEND", b""));
        let plain = of(&[head, (b"IDAT", b"coded"), end]);
        assert!(plain.is_some());
        let turned = exif(6, false);
        let upright = exif(1, false);
        for same in [
            of(&[head, (b"tEXt", b"Title\0x"), (b"IDAT", b"coded"), end]),
            of(&[head, (b"IDAT", b"co"), (b"IDAT", b""), (b"IDAT", b"ded"), end]),
            of(&[head, (b"eXIf", &upright), (b"IDAT", b"coded"), (b"tIME", b"1234567"), end]),
        ] {
            assert_eq!(same, plain);
        }
        let mut seen = vec![plain, None];
        for other in [
            of(&[head, (b"IDAT", b"other"), end]),
            of(&[(b"IHDR", b"other"), (b"IDAT", b"coded"), end]),
            of(&[head, (b"PLTE", b"abc"), (b"IDAT", b"coded"), end]),
            of(&[head, (b"tRNS", b"abc"), (b"IDAT", b"coded"), end]),
            of(&[head, (b"gAMA", b"abcd"), (b"IDAT", b"coded"), end]),
            of(&[head, (b"iCCP", b"abcd"), (b"IDAT", b"coded"), end]),
            of(&[head, (b"eXIf", &turned), (b"IDAT", b"coded"), end]),
        ] {
            assert!(!seen.contains(&other));
            seen.push(other);
        }
        for broken in [&[head, (b"IDAT", b"coded")][..], &[(b"IDAT", b"coded"), end], &[head, end]]
        {
            assert_eq!(of(broken), None);
        }
    }

    #[test]
    fn rasters_of_one_size_in_bytes_differ_by_their_shape() {
        let wide = Raster::new(4, 2, vec![7; 24]);
        let tall = Raster::new(2, 4, vec![7; 24]);
        assert_ne!(raster_digest(&wide), raster_digest(&tall));
        assert_eq!(raster_digest(&wide), raster_digest(&wide.clone()));
    }

    #[test]
    fn orientation_survives_hostile_blocks() {
        let block = exif(6, true);
        assert_eq!(exif_orientation(&block), Some(6));
        assert_eq!(exif_orientation(&exif(9, false)), None);
        for length in 0..block.len() - 6 {
            assert_eq!(exif_orientation(&block[..length]), None, "{length}");
        }
        for at in 0..block.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut altered = block.clone();
                altered[at] = value;
                exif_orientation(&altered);
            }
        }
    }
}
