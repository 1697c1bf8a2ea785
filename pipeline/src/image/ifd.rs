//! Walks TIFF directories, the skeleton of TIFF, EXIF and most camera RAW files.
//!
//! Finds entries and their values; what a value means is the reader's business.
//! Source: TIFF 6.0 (Adobe, 1992), section 2; BigTIFF (`awaresystems.be/imaging/tiff/bigtiff.html`).

use std::collections::HashSet;

use super::order::{Order, slice};

/// The tags that formats and decoding ask for.
pub(crate) mod tag {
    pub(crate) const SUBFILE_TYPE: u16 = 254;
    pub(crate) const WIDTH: u16 = 256;
    pub(crate) const HEIGHT: u16 = 257;
    pub(crate) const BITS: u16 = 258;
    pub(crate) const COMPRESSION: u16 = 259;
    pub(crate) const PHOTOMETRIC: u16 = 262;
    pub(crate) const FILL_ORDER: u16 = 266;
    pub(crate) const STRIP_OFFSETS: u16 = 273;
    pub(crate) const ORIENTATION: u16 = 274;
    pub(crate) const SAMPLES: u16 = 277;
    pub(crate) const ROWS_PER_STRIP: u16 = 278;
    pub(crate) const STRIP_COUNTS: u16 = 279;
    pub(crate) const PLANAR: u16 = 284;
    pub(crate) const T4_OPTIONS: u16 = 292;
    pub(crate) const PREDICTOR: u16 = 317;
    pub(crate) const COLOUR_MAP: u16 = 320;
    pub(crate) const TILE_WIDTH: u16 = 322;
    pub(crate) const TILE_HEIGHT: u16 = 323;
    pub(crate) const TILE_OFFSETS: u16 = 324;
    pub(crate) const TILE_COUNTS: u16 = 325;
    pub(crate) const SUB_IFDS: u16 = 330;
    pub(crate) const EXTRA_SAMPLES: u16 = 338;
    pub(crate) const SAMPLE_FORMAT: u16 = 339;
    pub(crate) const JPEG_TABLES: u16 = 347;
    pub(crate) const JPEG_OFFSET: u16 = 513;
    pub(crate) const JPEG_LENGTH: u16 = 514;
    pub(crate) const SUBSAMPLING: u16 = 530;
    pub(crate) const ICC: u16 = 34675;
    pub(crate) const EXIF: u16 = 34665;
    pub(crate) const DNG_VERSION: u16 = 50706;
}

/// How many directories a walk visits at most, sub-directories included.
const MOST_DIRECTORIES: usize = 64;

/// A TIFF structure: its bytes, from the header on, and how to read them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tiff<'a> {
    bytes: &'a [u8],
    order: Order,
    big: bool,
    first: u64,
}

/// One directory: a picture, a thumbnail, or a group of metadata.
#[derive(Debug, Clone)]
pub(crate) struct Directory<'a> {
    tiff: Tiff<'a>,
    entries: Vec<Entry>,
    next: u64,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    tag: u16,
    kind: u16,
    count: u64,
    /// Where the value begins, counted from the header.
    at: usize,
}

impl<'a> Tiff<'a> {
    /// Reads the header; also those of Panasonic (`U`) and Olympus (`RO`, `RS`), else TIFF-shaped.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let order = match bytes.get(..2)? {
            b"II" => Order::Little,
            b"MM" => Order::Big,
            _ => return None,
        };
        let big = match order.u16(bytes, 2)? {
            42 | 0x55 | 0x4f52 | 0x5352 => false,
            43 => true,
            _ => return None,
        };
        let first = if big { order.u64(bytes, 8)? } else { u64::from(order.u32(bytes, 4)?) };
        Some(Self { bytes, order, big, first })
    }

    /// The byte order of the whole structure.
    pub(crate) fn order(&self) -> Order {
        self.order
    }

    /// The first directory.
    pub(crate) fn first(&self) -> Option<Directory<'a>> {
        self.directory(self.first)
    }

    /// Counts the directories of the main chain, at most `most`; a loop ends the count.
    pub(crate) fn count(&self, most: u32) -> u32 {
        let mut seen = HashSet::new();
        let mut at = self.first;
        while at != 0 && seen.len() < most as usize && seen.insert(at) {
            match self.next_of(at) {
                Some(next) => at = next,
                None => {
                    seen.remove(&at);
                    break;
                }
            }
        }
        seen.len().try_into().unwrap_or(most)
    }

    /// Visits the main chain and all sub-directories, at most 64, each once.
    pub(crate) fn all(&self) -> Vec<Directory<'a>> {
        let mut seen = HashSet::new();
        let mut waiting = vec![self.first];
        let mut found = Vec::new();
        while let Some(at) = waiting.pop() {
            if at == 0 || found.len() >= MOST_DIRECTORIES || !seen.insert(at) {
                continue;
            }
            let Some(directory) = self.directory(at) else { continue };
            waiting.push(directory.next);
            waiting.extend(directory.numbers(tag::SUB_IFDS, MOST_DIRECTORIES));
            waiting.extend(directory.numbers(tag::EXIF, 1));
            found.push(directory);
        }
        found
    }

    /// Reads the directory at an offset from the header.
    pub(crate) fn directory(&self, at: u64) -> Option<Directory<'a>> {
        let at = usize::try_from(at).ok()?;
        let (count, start, entry_bytes, inline) = self.shape(at)?;
        let mut entries = Vec::new();
        for index in 0..count {
            let entry = start.checked_add(index.checked_mul(entry_bytes)?)?;
            // A directory cut short still tells what came before the cut.
            let Some(raw) = slice(self.bytes, entry, entry_bytes) else { break };
            let tag = self.order.u16(raw, 0)?;
            let kind = self.order.u16(raw, 2)?;
            let (count, value) = if self.big {
                (self.order.u64(raw, 4)?, self.order.u64(raw, 12)?)
            } else {
                (u64::from(self.order.u32(raw, 4)?), u64::from(self.order.u32(raw, 8)?))
            };
            let total = kind_bytes(kind).and_then(|bytes| count.checked_mul(bytes as u64));
            let at = match total {
                Some(total) if total <= inline as u64 => entry + entry_bytes - inline,
                _ => usize::try_from(value).unwrap_or(usize::MAX),
            };
            entries.push(Entry { tag, kind, count, at });
        }
        Some(Directory { tiff: *self, entries, next: self.next_of(at as u64).unwrap_or(0) })
    }

    /// Entries, where the first one is, bytes an entry, bytes that an entry holds in place.
    fn shape(&self, at: usize) -> Option<(usize, usize, usize, usize)> {
        if self.big {
            let count = self.order.u64(self.bytes, at)?;
            Some((usize::try_from(count).ok()?.min(self.bytes.len()), at.checked_add(8)?, 20, 8))
        } else {
            Some((self.order.u16(self.bytes, at)?.into(), at.checked_add(2)?, 12, 4))
        }
    }

    fn next_of(&self, at: u64) -> Option<u64> {
        let (count, start, entry_bytes, _) = self.shape(usize::try_from(at).ok()?)?;
        let end = start.checked_add(count.checked_mul(entry_bytes)?)?;
        if self.big {
            self.order.u64(self.bytes, end)
        } else {
            self.order.u32(self.bytes, end).map(u64::from)
        }
    }
}

impl<'a> Directory<'a> {
    /// Whether a tag is there at all.
    pub(crate) fn has(&self, tag: u16) -> bool {
        self.entry(tag).is_some()
    }

    /// The first number of an integer tag.
    pub(crate) fn number(&self, tag: u16) -> Option<u64> {
        self.entry(tag).and_then(|entry| self.number_of(entry, 0))
    }

    /// The numbers of an integer tag, at most `most`, ending where the file does.
    pub(crate) fn numbers(&self, tag: u16, most: usize) -> Vec<u64> {
        let Some(entry) = self.entry(tag) else { return Vec::new() };
        let count = usize::try_from(entry.count).unwrap_or(usize::MAX).min(most);
        (0..count).map_while(|index| self.number_of(entry, index)).collect()
    }

    /// The bytes of a tag, whatever its type, when they are all there.
    pub(crate) fn bytes(&self, tag: u16) -> Option<&'a [u8]> {
        let entry = self.entry(tag)?;
        let length = usize::try_from(entry.count).ok()?.checked_mul(kind_bytes(entry.kind)?)?;
        slice(self.tiff.bytes, entry.at, length)
    }

    /// The orientation, 1 to 8; `None` when absent or out of range.
    pub(crate) fn orientation(&self) -> Option<u8> {
        let value = u8::try_from(self.number(tag::ORIENTATION)?).ok()?;
        (1..=8).contains(&value).then_some(value)
    }

    fn entry(&self, tag: u16) -> Option<Entry> {
        self.entries.iter().find(|entry| entry.tag == tag).copied()
    }

    fn number_of(&self, entry: Entry, index: usize) -> Option<u64> {
        let (bytes, order) = (self.tiff.bytes, self.tiff.order);
        let at = entry.at.checked_add(index.checked_mul(kind_bytes(entry.kind)?)?)?;
        match entry.kind {
            1 | 7 => bytes.get(at).map(|&byte| byte.into()),
            3 => order.u16(bytes, at).map(u64::from),
            4 | 13 => order.u32(bytes, at).map(u64::from),
            16 | 18 => order.u64(bytes, at),
            _ => None,
        }
    }
}

/// Reads the orientation out of EXIF as JPEG, PNG, WebP and PSD carry it: a TIFF structure.
pub(crate) fn exif_orientation(exif: &[u8]) -> Option<u8> {
    // WebP writers often keep JPEG's prefix.
    let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    Tiff::parse(exif)?.first()?.orientation()
}

/// Bytes that one value of a type takes; TIFF 6.0 page 15, BigTIFF adds 13 and 16 to 18.
fn kind_bytes(kind: u16) -> Option<usize> {
    match kind {
        1 | 2 | 6 | 7 => Some(1),
        3 | 8 => Some(2),
        4 | 9 | 11 | 13 => Some(4),
        5 | 10 | 12 | 16 | 17 | 18 => Some(8),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A little-endian TIFF of directories at 8, 8 + 18, ...: one orientation each, then a link.
    fn chain(links: &[u32]) -> Vec<u8> {
        let mut file = b"II*\0\x08\0\0\0".to_vec();
        for link in links {
            file.extend(1_u16.to_le_bytes());
            file.extend([0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0]);
            file.extend(link.to_le_bytes());
        }
        file
    }

    #[test]
    fn a_chain_is_counted_and_a_loop_ends_it() {
        assert_eq!(Tiff::parse(&chain(&[26, 44, 0])).map(|t| t.count(100)), Some(3));
        assert_eq!(Tiff::parse(&chain(&[26, 8])).map(|t| t.count(100)), Some(2));
        assert_eq!(Tiff::parse(&chain(&[8])).map(|t| t.all().len()), Some(1));
        assert_eq!(Tiff::parse(&chain(&[26, 44, 62, 0])).map(|t| t.count(2)), Some(2));
    }

    #[test]
    fn an_orientation_is_read_and_an_odd_one_is_none() {
        let mut file = chain(&[0]);
        assert_eq!(exif_orientation(&file), Some(6));
        file[18] = 99;
        assert_eq!(exif_orientation(&file), None);
    }

    #[test]
    fn every_cut_of_a_directory_is_survived() {
        let file = chain(&[26, 0]);
        for length in 0..file.len() {
            if let Some(tiff) = Tiff::parse(&file[..length]) {
                assert!(tiff.all().len() <= 2);
            }
        }
    }
}
