//! EXIF and TIFF tags: a tolerant walk over image file directories.
//!
//! It reads what a strict reader refuses: directories cut short, entries of unknown
//! type, values that point outside. Only the first page's directory, its Exif and GPS
//! directories are followed; maker notes, thumbnails and later pages are not. The work
//! is bounded: each directory is visited once and [`MOST_ENTRIES`] entries are kept.
//!
//! Source: TIFF 6.0 section 2; EXIF 2.32 (CIPA DC-008) section 4.6; BigTIFF design
//! (Aldus/AWare Systems).

use super::bytes::{Endian, slice, slice_up_to, wide};
use super::text;

/// The most entries kept from one block; camera files hold about a hundred.
const MOST_ENTRIES: usize = 4096;

/// Bytes of one text that are read: many tags may point to the same large range.
const LONGEST_TEXT: usize = 1 << 20;

/// After so many entries of unknown type, a directory is taken for other bytes.
const MOST_BAD_ENTRIES: usize = 10;

const EXIF_POINTER: u16 = 0x8769;
const GPS_POINTER: u16 = 0x8825;

/// Which directory a tag stands in; tag numbers of GPS overlap with nothing else here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Directory {
    /// The first page's own directory.
    Main,
    /// The Exif directory that the main one points to.
    Exif,
    /// The GPS directory.
    Gps,
}

/// One entry: its value as coded, still in the file's byte order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tag<'a> {
    pub(super) directory: Directory,
    pub(super) number: u16,
    kind: u16,
    endian: Endian,
    data: &'a [u8],
}

/// The tags of one EXIF block or TIFF file, in file order.
#[derive(Debug, Default)]
pub(super) struct Tags<'a> {
    pub(super) tags: Vec<Tag<'a>>,
    pub(super) damage: Vec<String>,
}

impl<'a> Tags<'a> {
    /// Reads a block that begins with a TIFF header; `first` says what its first directory is.
    ///
    /// CR3 keeps the Exif and the GPS directory each in a block of its own, hence `first`.
    pub(super) fn read(block: &'a [u8], first: Directory) -> Self {
        let mut tags = Self::default();
        let Some((layout, start)) = header(block) else {
            tags.damage.push("exif: no TIFF header".to_owned());
            return tags;
        };
        let mut visited = Vec::new();
        let mut waiting = vec![(first, start)];
        while let Some((directory, at)) = waiting.pop() {
            if visited.contains(&at) {
                tags.damage.push(format!("exif: directory at {at} points back to itself"));
                continue;
            }
            visited.push(at);
            let from = tags.tags.len();
            tags.read_directory(block, layout, directory, at);
            // The stack is popped from its end, so Exif is read before GPS.
            for (pointer, to) in [(GPS_POINTER, Directory::Gps), (EXIF_POINTER, Directory::Exif)] {
                let found = tags.tags[from..].iter().find(|tag| tag.number == pointer);
                if directory == Directory::Main
                    && let Some(tag) = found
                {
                    match tag.pointer() {
                        Some(offset) => waiting.push((to, offset)),
                        None => tags.damage.push(format!(
                            "exif: tag {pointer:#06x} is not an offset, its directory is lost"
                        )),
                    }
                }
            }
        }
        tags
    }

    /// The first tag of this number outside the GPS directory.
    ///
    /// Main and Exif share one number space, and writers do put tags into the wrong one.
    pub(super) fn get(&self, number: u16) -> Option<&Tag<'a>> {
        self.tags.iter().find(|tag| tag.number == number && tag.directory != Directory::Gps)
    }

    /// The first tag of this number in the GPS directory.
    pub(super) fn gps(&self, number: u16) -> Option<&Tag<'a>> {
        self.tags.iter().find(|tag| tag.number == number && tag.directory == Directory::Gps)
    }

    fn read_directory(
        &mut self,
        block: &'a [u8],
        layout: Layout,
        directory: Directory,
        start: usize,
    ) {
        let Some(count) = layout.count(block, start) else {
            self.damage.push(format!("exif: directory at {start} lies outside its block"));
            return;
        };
        let first = start.saturating_add(layout.count_size());
        let fitting = block.len().saturating_sub(first) / layout.entry_size();
        if count > fitting {
            self.damage
                .push(format!("exif: {fitting} of {count} entries of a directory are there"));
        }
        let mut bad = 0;
        for index in 0..count.min(fitting) {
            if self.tags.len() >= MOST_ENTRIES || bad > MOST_BAD_ENTRIES {
                self.damage.push(format!("exif: gave up on the directory at {start}"));
                return;
            }
            let entry = first + index * layout.entry_size();
            match layout.tag(block, entry, directory) {
                Ok(tag) => self.tags.push(tag),
                Err(why) => {
                    bad += 1;
                    self.damage.push(why);
                }
            }
        }
    }
}

impl<'a> Tag<'a> {
    /// The value as coded, however long: a payload of its own.
    pub(super) fn payload(&self) -> &'a [u8] {
        self.data
    }

    /// The value as coded, up to the length a text can sensibly have.
    pub(super) fn bytes(&self) -> &'a [u8] {
        &self.data[..self.data.len().min(LONGEST_TEXT)]
    }

    /// The byte order it is coded in.
    pub(super) fn endian(&self) -> Endian {
        self.endian
    }

    /// The value as text: ASCII or UTF-8, else Windows-1252, up to the first NUL.
    pub(super) fn text(&self) -> Option<String> {
        if !matches!(self.kind, 1 | 2 | 7 | 129) {
            return None;
        }
        let data = self.bytes();
        let end = data.iter().position(|&b| b == 0).unwrap_or(data.len());
        text::clean(&text::utf8_or_windows_1252(&data[..end]))
    }

    /// The value as text in which NUL separates parts, each on its own line: Copyright has two.
    pub(super) fn text_lines(&self) -> Option<String> {
        let lines: Vec<String> = self
            .bytes()
            .split(|&b| b == 0)
            .take(2)
            .filter_map(|part| text::clean(&text::utf8_or_windows_1252(part)))
            .collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// The value's first number, when it is a whole one.
    pub(super) fn integer(&self) -> Option<i64> {
        Some(match self.kind {
            1 | 7 => i64::from(*self.data.first()?),
            3 => i64::from(self.endian.u16(self.data, 0)?),
            4 | 13 => i64::from(self.endian.u32(self.data, 0)?),
            6 => i64::from(self.data.first()?.cast_signed()),
            8 => i64::from(self.endian.u16(self.data, 0)?.cast_signed()),
            9 => i64::from(self.endian.u32(self.data, 0)?.cast_signed()),
            16 | 18 => i64::try_from(self.endian.u64(self.data, 0)?).ok()?,
            _ => return None,
        })
    }

    /// The number at `index`, whatever its type; `None` for a zero denominator.
    pub(super) fn number(&self, index: usize) -> Option<f64> {
        let size = size_of_kind(self.kind)?;
        let at = index.checked_mul(size)?;
        let value = match self.kind {
            5 => {
                let over = self.endian.u32(self.data, at)?;
                let under = self.endian.u32(self.data, at + 4)?;
                f64::from(over) / f64::from(under)
            }
            10 => {
                let over = self.endian.u32(self.data, at)?.cast_signed();
                let under = self.endian.u32(self.data, at + 4)?.cast_signed();
                f64::from(over) / f64::from(under)
            }
            11 => f64::from(f32::from_bits(self.endian.u32(self.data, at)?)),
            12 => f64::from_bits(self.endian.u64(self.data, at)?),
            2 => return None,
            _ => {
                let one = Tag { data: slice(self.data, at, size)?, ..*self };
                return one.integer().map(|whole| whole as f64);
            }
        };
        value.is_finite().then_some(value)
    }

    fn pointer(&self) -> Option<usize> {
        matches!(self.kind, 3 | 4 | 9 | 13 | 16 | 18)
            .then(|| usize::try_from(self.integer()?).ok())
            .flatten()
    }
}

/// How a TIFF block writes its directories: classic with 32-bit offsets, or BigTIFF.
#[derive(Debug, Clone, Copy)]
struct Layout {
    endian: Endian,
    big: bool,
}

impl Layout {
    fn count_size(self) -> usize {
        if self.big { 8 } else { 2 }
    }

    fn entry_size(self) -> usize {
        if self.big { 20 } else { 12 }
    }

    fn count(self, block: &[u8], at: usize) -> Option<usize> {
        if self.big {
            usize::try_from(self.endian.u64(block, at)?).ok()
        } else {
            self.endian.u16(block, at).map(usize::from)
        }
    }

    /// An offset or a count: eight bytes in BigTIFF, four otherwise.
    fn word(self, block: &[u8], at: usize) -> Option<usize> {
        if self.big {
            usize::try_from(self.endian.u64(block, at)?).ok()
        } else {
            self.endian.u32(block, at).map(wide)
        }
    }

    fn tag<'a>(
        self,
        block: &'a [u8],
        entry: usize,
        directory: Directory,
    ) -> Result<Tag<'a>, String> {
        let outside = || "exif: an entry lies outside its block".to_owned();
        let number = self.endian.u16(block, entry).ok_or_else(outside)?;
        let kind = self.endian.u16(block, entry + 2).ok_or_else(outside)?;
        let count = self.word(block, entry + 4).ok_or_else(outside)?;
        let size = size_of_kind(kind)
            .ok_or_else(|| format!("exif: tag {number:#06x} has the unknown type {kind}"))?;
        let (room, place) = if self.big { (8, entry + 12) } else { (4, entry + 8) };
        let length = size.checked_mul(count).ok_or_else(outside)?;
        let at =
            if length <= room { place } else { self.word(block, place).ok_or_else(outside)? };
        let data = slice(block, at, length).ok_or_else(|| {
            format!("exif: the {length} bytes of tag {number:#06x} at {at} lie outside the block")
        })?;
        Ok(Tag { directory, number, kind, endian: self.endian, data })
    }
}

/// Reads a TIFF header: byte order, layout and the first directory's offset.
///
/// Magic numbers besides 42: 43 BigTIFF, 0x55 Panasonic RW2, 0x4F52 and 0x5352 Olympus ORF.
fn header(block: &[u8]) -> Option<(Layout, usize)> {
    let endian = match slice_up_to(block, 0, 2) {
        b"II" => Endian::Little,
        b"MM" => Endian::Big,
        _ => return None,
    };
    let big = match endian.u16(block, 2)? {
        42 | 0x55 | 0x4F52 | 0x5352 => false,
        43 => true,
        _ => return None,
    };
    let layout = Layout { endian, big };
    Some((layout, layout.word(block, if big { 8 } else { 4 })?))
}

/// Tells whether `block` begins with a TIFF header.
pub(super) fn is_tiff(block: &[u8]) -> bool {
    header(block).is_some()
}

/// Bytes one value of a TIFF type takes; 129 is EXIF 3.0's UTF-8.
fn size_of_kind(kind: u16) -> Option<usize> {
    Some(match kind {
        1 | 2 | 6 | 7 | 129 => 1,
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16 | 17 | 18 => 8,
        _ => return None,
    })
}
