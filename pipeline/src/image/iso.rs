//! Reads the boxes of ISO base media files, and the items that HEIC and AVIF keep in them.
//!
//! Knows where an item's bytes and properties are, not what they look like decoded.
//! Sources: ISO/IEC 14496-12 (boxes, `meta`), ISO/IEC 23008-12 (HEIF items, `grid`, `irot`, `imir`).

use std::borrow::Cow;

use super::order::{Order, slice};
use super::orient;

/// How many items, properties, extents or references are read at most; phones write about 60.
const MOST_PARTS: usize = 4096;

/// A run of boxes; ends at the first one that claims more than is there.
#[derive(Debug, Clone)]
pub(crate) struct Boxes<'a>(&'a [u8]);

/// A box: its four-character type and its content.
pub(crate) type Box4<'a> = ([u8; 4], &'a [u8]);

/// Iterates over the boxes that lie side by side in `bytes`.
pub(crate) fn boxes(bytes: &[u8]) -> Boxes<'_> {
    Boxes(bytes)
}

/// Finds the first box of a type among those side by side in `bytes`.
pub(crate) fn find<'a>(bytes: &'a [u8], kind: &[u8; 4]) -> Option<&'a [u8]> {
    boxes(bytes).find(|(found, _)| found == kind).map(|(_, body)| body)
}

impl<'a> Iterator for Boxes<'a> {
    type Item = Box4<'a>;

    fn next(&mut self) -> Option<Box4<'a>> {
        let kind = slice(self.0, 4, 4)?.try_into().ok()?;
        let (head, length) = match Order::Big.u32(self.0, 0)? {
            0 => (8, self.0.len()),
            1 => (16, usize::try_from(Order::Big.u64(self.0, 8)?).ok()?),
            length => (8, usize::try_from(length).ok()?),
        };
        let body = self.0.get(head..length)?;
        self.0 = &self.0[length..];
        Some((kind, body))
    }
}

/// The items of a HEIC or AVIF file.
#[derive(Debug)]
pub(crate) struct Items<'a> {
    file: &'a [u8],
    data_box: &'a [u8],
    primary: u32,
    kinds: Vec<(u32, [u8; 4])>,
    extents: Vec<Extent>,
    properties: Vec<Box4<'a>>,
    associations: Vec<(u32, usize)>,
    references: Vec<([u8; 4], u32, u32)>,
}

#[derive(Debug)]
struct Extent {
    item: u32,
    /// 0: in the file; 1: in the `idat` box.
    method: u8,
    offset: u64,
    length: u64,
}

/// How a `grid` item puts its tiles together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grid {
    /// Tiles side by side.
    pub(crate) columns: u32,
    /// Tiles above each other.
    pub(crate) rows: u32,
    /// Width of the whole in pixels; the tiles may hang over.
    pub(crate) width: u32,
    /// Height of the whole in pixels.
    pub(crate) height: u32,
}

impl<'a> Items<'a> {
    /// Reads the file's `meta` box; `None` when there is none or it names no primary item.
    pub(crate) fn parse(file: &'a [u8]) -> Option<Self> {
        let meta = find(file, b"meta")?.get(4..)?;
        let primary = find(meta, b"pitm")?;
        let mut items = Self {
            file,
            data_box: find(meta, b"idat").unwrap_or_default(),
            primary: Cursor::full(primary).id()?,
            kinds: Vec::new(),
            extents: Vec::new(),
            properties: Vec::new(),
            associations: Vec::new(),
            references: Vec::new(),
        };
        // A damaged list leaves what was read before the damage.
        let _ = find(meta, b"iinf").and_then(|body| items.read_kinds(body));
        let _ = find(meta, b"iloc").and_then(|body| items.read_extents(body));
        let _ = find(meta, b"iref").and_then(|body| items.read_references(body));
        if let Some(properties) = find(meta, b"iprp") {
            let all = find(properties, b"ipco").unwrap_or_default();
            items.properties = boxes(all).take(MOST_PARTS).collect();
            let _ = find(properties, b"ipma").and_then(|body| items.read_associations(body));
        }
        Some(items)
    }

    /// The item that is the picture.
    pub(crate) fn primary(&self) -> u32 {
        self.primary
    }

    /// An item's type: `hvc1`, `av01`, `grid`, `Exif`.
    pub(crate) fn kind(&self, item: u32) -> Option<[u8; 4]> {
        self.kinds.iter().find(|(id, _)| *id == item).map(|&(_, kind)| kind)
    }

    /// How many picture items stand for themselves: neither tiles, thumbnails nor helpers.
    pub(crate) fn pictures(&self) -> usize {
        let picture =
            |kind: &[u8; 4]| matches!(kind, b"hvc1" | b"av01" | b"grid" | b"jpeg" | b"iovl");
        let part = |id: u32| {
            self.references.iter().any(|(kind, from, to)| {
                (kind == b"dimg" && *to == id) || (matches!(kind, b"thmb" | b"auxl") && *from == id)
            })
        };
        self.kinds.iter().filter(|(id, kind)| picture(kind) && !part(*id)).count().max(1)
    }

    /// The properties of an item, in the order in which they apply.
    pub(crate) fn properties(&self, item: u32) -> impl Iterator<Item = Box4<'a>> + '_ {
        self.associations
            .iter()
            .filter(move |(id, _)| *id == item)
            .filter_map(|&(_, index)| self.properties.get(index.checked_sub(1)?).copied())
    }

    /// The first property of a type that an item has.
    pub(crate) fn property(&self, item: u32, kind: &[u8; 4]) -> Option<&'a [u8]> {
        self.properties(item).find(|(found, _)| found == kind).map(|(_, body)| body)
    }

    /// An item's width and height in pixels, before rotation (`ispe`).
    pub(crate) fn size(&self, item: u32) -> Option<(u32, u32)> {
        let body = self.property(item, b"ispe")?;
        Some((Order::Big.u32(body, 4)?, Order::Big.u32(body, 8)?))
    }

    /// An item's rotation and mirroring, as an EXIF orientation.
    pub(crate) fn orientation(&self, item: u32) -> u8 {
        self.properties(item).fold(1, |so_far, (kind, body)| {
            let step = match (&kind, body.first().map(|byte| byte & 3)) {
                // Anticlockwise quarter turns.
                (b"irot", Some(1)) => 8,
                (b"irot", Some(2)) => 3,
                (b"irot", Some(3)) => 6,
                // 23008-12:2022: 0 exchanges top and bottom, 1 exchanges left and right.
                (b"imir", Some(0)) => 4,
                (b"imir", Some(1)) => 2,
                _ => 1,
            };
            orient::compose(so_far, step)
        })
    }

    /// An item's embedded ICC profile (`colr` of type `prof` or `rICC`).
    pub(crate) fn icc(&self, item: u32) -> Option<&'a [u8]> {
        self.properties(item).find_map(|(kind, body)| {
            let named = matches!(body.get(..4)?, b"prof" | b"rICC");
            (&kind == b"colr" && named).then(|| &body[4..])
        })
    }

    /// The items that `from` refers to by references of a type, in their order.
    pub(crate) fn referred(&self, kind: &[u8; 4], from: u32) -> Vec<u32> {
        let matching = self.references.iter().filter(|(k, f, _)| k == kind && *f == from);
        matching.map(|&(_, _, to)| to).collect()
    }

    /// The auxiliary item that carries the transparency of `item`.
    pub(crate) fn alpha_of(&self, item: u32) -> Option<u32> {
        let auxiliary = self.references.iter().filter(|(k, _, to)| k == b"auxl" && *to == item);
        auxiliary.map(|&(_, from, _)| from).find(|&from| {
            self.property(from, b"auxC").is_some_and(|body| {
                let name = body.get(4..).unwrap_or_default();
                name.starts_with(b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha")
                    || name.starts_with(b"urn:mpeg:hevc:2015:auxid:1")
            })
        })
    }

    /// An item's bytes; `None` when a part lies outside the file.
    pub(crate) fn data(&self, item: u32) -> Option<Cow<'a, [u8]>> {
        let mut parts = self.extents.iter().filter(|extent| extent.item == item).map(|extent| {
            let home = if extent.method == 1 { self.data_box } else { self.file };
            let at = usize::try_from(extent.offset).ok()?;
            match usize::try_from(extent.length).ok()? {
                0 => home.get(at..),
                length => slice(home, at, length),
            }
        });
        let first = parts.next()??;
        let mut whole = Cow::Borrowed(first);
        for part in parts {
            let part = part?;
            // Extents that overlap could make a small file large.
            if whole.len() + part.len() > self.file.len() {
                return None;
            }
            whole.to_mut().extend_from_slice(part);
        }
        Some(whole)
    }

    /// Reads the layout of a `grid` item (23008-12 section 6.6.2.3).
    pub(crate) fn grid(&self, item: u32) -> Option<Grid> {
        let body = self.data(item)?;
        let &[_, flags, rows, columns, ..] = body.as_ref() else { return None };
        let (width, height) = if flags & 1 == 1 {
            (Order::Big.u32(&body, 4)?, Order::Big.u32(&body, 8)?)
        } else {
            (Order::Big.u16(&body, 4)?.into(), Order::Big.u16(&body, 6)?.into())
        };
        Some(Grid { columns: u32::from(columns) + 1, rows: u32::from(rows) + 1, width, height })
    }

    fn read_kinds(&mut self, body: &'a [u8]) -> Option<()> {
        let mut cursor = Cursor::full(body);
        let count = if cursor.version == 0 { cursor.number(2)? } else { cursor.number(4)? };
        let count = usize::try_from(count).ok()?.min(MOST_PARTS);
        for (_, entry) in boxes(cursor.rest()).take(count) {
            let mut entry = Cursor::full(entry);
            let id = entry.number(if entry.version >= 3 { 4 } else { 2 })?;
            entry.number(2)?;
            let kind = slice(entry.rest(), 0, 4)?.try_into().ok()?;
            self.kinds.push((u32::try_from(id).ok()?, kind));
        }
        Some(())
    }

    fn read_extents(&mut self, body: &'a [u8]) -> Option<()> {
        let mut cursor = Cursor::full(body);
        let sizes = cursor.number(2)?;
        let size = |shift: u32| (sizes >> shift & 15) as usize;
        let (offset, length, base, index) = (size(12), size(8), size(4), size(0));
        let id_bytes = if cursor.version < 2 { 2 } else { 4 };
        let items = cursor.number(id_bytes)?;
        for _ in 0..items.min(MOST_PARTS as u64) {
            let item = u32::try_from(cursor.number(id_bytes)?).ok()?;
            let method = if cursor.version > 0 { (cursor.number(2)? & 15) as u8 } else { 0 };
            cursor.number(2)?;
            let start = cursor.number(base)?;
            for _ in 0..cursor.number(2)? {
                if cursor.version > 0 {
                    cursor.number(index)?;
                }
                let at = start.checked_add(cursor.number(offset)?)?;
                let extent = Extent { item, method, offset: at, length: cursor.number(length)? };
                if self.extents.len() >= MOST_PARTS {
                    return None;
                }
                self.extents.push(extent);
            }
        }
        Some(())
    }

    fn read_associations(&mut self, body: &'a [u8]) -> Option<()> {
        let mut cursor = Cursor::full(body);
        for _ in 0..cursor.number(4)? {
            let item = cursor.number(if cursor.version < 1 { 2 } else { 4 })?;
            let item = u32::try_from(item).ok()?;
            for _ in 0..cursor.number(1)? {
                let index = if cursor.flags & 1 == 1 {
                    cursor.number(2)? & 0x7fff
                } else {
                    cursor.number(1)? & 0x7f
                };
                if self.associations.len() >= MOST_PARTS {
                    return None;
                }
                self.associations.push((item, usize::try_from(index).ok()?));
            }
        }
        Some(())
    }

    fn read_references(&mut self, body: &'a [u8]) -> Option<()> {
        let cursor = Cursor::full(body);
        let id_bytes = if cursor.version == 0 { 2 } else { 4 };
        for (kind, entry) in boxes(cursor.rest()).take(MOST_PARTS) {
            let mut entry = Cursor { rest: entry, version: 0, flags: 0 };
            let from = u32::try_from(entry.number(id_bytes)?).ok()?;
            for _ in 0..entry.number(2)? {
                if self.references.len() >= MOST_PARTS {
                    return None;
                }
                let to = u32::try_from(entry.number(id_bytes)?).ok()?;
                self.references.push((kind, from, to));
            }
        }
        Some(())
    }
}

/// Reads a full box front to back; its version and flags come first.
struct Cursor<'a> {
    rest: &'a [u8],
    version: u8,
    flags: u8,
}

impl<'a> Cursor<'a> {
    fn full(body: &'a [u8]) -> Self {
        let (version, flags) = match body {
            [version, _, _, flags, ..] => (*version, *flags),
            _ => (0, 0),
        };
        Self { rest: body.get(4..).unwrap_or_default(), version, flags }
    }

    /// Reads a big-endian number of 0 to 8 bytes.
    fn number(&mut self, bytes: usize) -> Option<u64> {
        let raw = slice(self.rest, 0, bytes).filter(|raw| raw.len() <= 8)?;
        self.rest = &self.rest[bytes..];
        Some(raw.iter().fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    /// Reads an item id, as wide as version 0 or later of `pitm` has it.
    fn id(&mut self) -> Option<u32> {
        self.number(if self.version == 0 { 2 } else { 4 })?.try_into().ok()
    }

    fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sized(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let mut whole = (body.len() as u32 + 8).to_be_bytes().to_vec();
        whole.extend(kind);
        whole.extend(body);
        whole
    }

    /// One `av01` item of 3 x 2 pixels, turned and mirrored, whose bytes are "data" in `idat`.
    fn sample() -> Vec<u8> {
        let ispe = sized(b"ispe", &[0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 2]);
        let ipco = [ispe, sized(b"irot", &[1]), sized(b"imir", &[1])].concat();
        let ipma = [0, 0, 0, 0, 0, 0, 0, 1, 0, 7, 3, 0x81, 0x82, 0x83];
        let iprp = [sized(b"ipco", &ipco), sized(b"ipma", &ipma)].concat();
        let infe = [&[2, 0, 0, 0, 0, 7, 0, 0][..], b"av01", &[0]].concat();
        let iinf = [&[0, 0, 0, 0, 0, 1][..], &sized(b"infe", &infe)].concat();
        let iloc = [1, 0, 0, 0, 0x44, 0, 0, 1, 0, 7, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 4];
        let meta = [
            vec![0; 4],
            sized(b"pitm", &[0, 0, 0, 0, 0, 7]),
            sized(b"iinf", &iinf),
            sized(b"iloc", &iloc),
            sized(b"iprp", &iprp),
            sized(b"idat", b"..data.."),
        ]
        .concat();
        [sized(b"ftyp", b"avif\0\0\0\0avif"), sized(b"meta", &meta)].concat()
    }

    #[test]
    fn the_primary_item_is_found_with_its_properties_and_bytes() {
        let file = sample();
        let items = Items::parse(&file).expect("a whole file");
        assert_eq!(items.primary(), 7);
        assert_eq!(items.kind(7), Some(*b"av01"));
        assert_eq!(items.size(7), Some((3, 2)));
        assert_eq!(items.data(7).as_deref(), Some(&b"data"[..]));
        // A quarter turn anticlockwise, then left and right exchanged.
        assert_eq!(items.orientation(7), 7);
        assert_eq!(items.pictures(), 1);
    }

    #[test]
    fn every_cut_and_every_flipped_byte_is_survived() {
        let file = sample();
        for length in 0..file.len() {
            let _ = Items::parse(&file[..length]).map(|items| items.data(7).is_some());
        }
        for at in 0..file.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut file = file.clone();
                file[at] = value;
                if let Some(items) = Items::parse(&file) {
                    let _ = (items.data(items.primary()), items.grid(items.primary()));
                }
            }
        }
    }
}
