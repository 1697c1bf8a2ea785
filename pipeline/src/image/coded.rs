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
