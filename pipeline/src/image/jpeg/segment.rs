//! A checked walk over a JPEG's marker segments, and the profile and orientation found there.
//!
//! Source: ITU-T T.81, annex B. Nothing is decoded and nothing trusted: every length is checked
//! against the file, and the walk only goes forward.

use memchr::memchr;

/// What stands next in a JPEG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// A marker segment: the marker's second byte, and the payload without its length.
    Segment(u8, &'a [u8]),
    /// Entropy-coded data between markers, restart markers and stuffing included.
    Entropy(&'a [u8]),
}

/// Start of scan: entropy-coded data follows.
pub(crate) const SOS: u8 = 0xda;
const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const APP1: u8 = 0xe1;
const APP2: u8 = 0xe2;

/// Walks from the start of the image to its end; what trails the end marker is not looked at.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    in_scan: bool,
    /// How the walk ended, once it has.
    pub(crate) end: Option<End>,
}

/// How a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// At the end marker.
    Marker,
    /// At the end of the file, in entropy-coded data.
    Truncated,
    /// Where a marker or a whole segment should have been.
    Broken,
}

impl<'a> Walk<'a> {
    /// Starts a walk; it ends at once when the bytes do not start as a JPEG.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let end = (!bytes.starts_with(&[0xff, SOI])).then_some(End::Broken);
        Self { bytes, at: 2, in_scan: false, end }
    }

    /// Takes entropy-coded data up to the next marker that is neither restart nor stuffing.
    fn entropy(&mut self) -> Part<'a> {
        let start = self.at;
        let mut at = start;
        loop {
            let Some(found) = self.bytes.get(at..).and_then(|rest| memchr(0xff, rest)) else {
                at = self.bytes.len();
                break;
            };
            at += found;
            match self.bytes.get(at + 1) {
                Some(0x00 | 0xd0..=0xd7) => at += 2,
                // A fill byte: the next 0xff decides.
                Some(0xff) => at += 1,
                Some(_) => break,
                None => {
                    at = self.bytes.len();
                    break;
                }
            }
        }
        self.at = at;
        self.in_scan = false;
        if at == self.bytes.len() {
            self.end = Some(End::Truncated);
        }
        Part::Entropy(&self.bytes[start..at])
    }

    /// Takes the marker segment that stands here; nothing at the end marker.
    fn segment(&mut self) -> Result<Option<Part<'a>>, ()> {
        let rest = self.bytes.get(self.at..).ok_or(())?;
        if rest.first() != Some(&0xff) {
            return Err(());
        }
        let fill = rest.iter().take_while(|byte| **byte == 0xff).count();
        let marker = *rest.get(fill).ok_or(())?;
        self.at += fill + 1;
        if marker == EOI {
            return Ok(None);
        }
        // TEM and the restart markers stand alone.
        if matches!(marker, 0x01 | 0xd0..=0xd7) {
            return Ok(Some(Part::Segment(marker, &[])));
        }
        let length = self.bytes.get(self.at..self.at + 2).ok_or(())?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        let payload = self.bytes.get(self.at + 2..self.at + length).ok_or(())?;
        self.at += length;
        self.in_scan = marker == SOS;
        Ok(Some(Part::Segment(marker, payload)))
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        if self.end.is_some() {
            return None;
        }
        if self.in_scan {
            return Some(self.entropy());
        }
        match self.segment() {
            Ok(Some(part)) => Some(part),
            Ok(None) => {
                self.end = Some(End::Marker);
                None
            }
            Err(()) => {
                self.end = Some(End::Broken);
                None
            }
        }
    }
}

/// Assembles the ICC profile from its APP2 chunks; nothing when one is missing or doubled.
///
/// Source: ICC.1:2022, annex B.4: `ICC_PROFILE`, NUL, chunk number from 1, number of chunks.
pub(crate) fn icc_profile(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut chunks: Vec<(u8, &[u8])> = Vec::new();
    let mut expected = None;
    for part in Walk::new(bytes) {
        match part {
            Part::Segment(SOS, _) => break,
            Part::Segment(APP2, payload) => {
                let Some([number, count, data @ ..]) = payload.strip_prefix(b"ICC_PROFILE\0")
                else {
                    continue;
                };
                if *expected.get_or_insert(*count) != *count {
                    return None;
                }
                chunks.push((*number, data));
            }
            _ => {}
        }
    }
    chunks.sort_by_key(|chunk| chunk.0);
    let numbered = chunks.iter().zip(1_u16..).all(|(chunk, at)| u16::from(chunk.0) == at);
    let complete = expected.is_some_and(|count| chunks.len() == usize::from(count));
    (numbered && complete && !chunks.is_empty())
        .then(|| chunks.into_iter().flat_map(|chunk| chunk.1).copied().collect())
}

/// Gives the payload of an EXIF segment, without its heading.
///
/// Source: EXIF 2.32, 4.7.2: APP1 that starts with `Exif` and two NULs.
pub(crate) fn exif_of<'a>(part: &Part<'a>) -> Option<&'a [u8]> {
    match part {
        Part::Segment(APP1, payload) => payload.strip_prefix(b"Exif\0\0"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A JPEG's skeleton with the given segments, one scan and something behind the end.
    fn skeleton(segments: &[(u8, &[u8])]) -> Vec<u8> {
        let mut bytes = vec![0xff, SOI];
        for (marker, payload) in segments.iter().chain([&(SOS, &[1, 2, 3][..])]) {
            bytes.extend([0xff, *marker]);
            bytes.extend((payload.len() as u16 + 2).to_be_bytes());
            bytes.extend(*payload);
        }
        bytes.extend([7, 0xff, 0x00, 8, 0xff, 0xd0, 9, 0xff, 0xff, EOI, 1, 2, 3]);
        bytes
    }

    #[test]
    fn the_walk_ends_at_the_end_marker() {
        let bytes = skeleton(&[(0xdb, b"table")]);
        let mut walk = Walk::new(&bytes);
        let parts: Vec<_> = walk.by_ref().collect();
        assert_eq!(
            parts,
            [
                Part::Segment(0xdb, b"table"),
                Part::Segment(SOS, &[1, 2, 3]),
                Part::Entropy(&[7, 0xff, 0x00, 8, 0xff, 0xd0, 9, 0xff]),
            ]
        );
        assert_eq!(walk.end, Some(End::Marker));
    }

    #[test]
    fn every_truncation_ends_the_walk() {
        let bytes = skeleton(&[(0xe1, b"Exif\0\0"), (0xdb, b"table")]);
        let whole = bytes.len() - 3;
        for length in 0..whole {
            let mut walk = Walk::new(&bytes[..length]);
            assert!(walk.by_ref().count() <= 4);
            assert!(matches!(walk.end, Some(End::Broken | End::Truncated)), "{length}");
        }
    }

    #[test]
    fn a_profile_is_assembled_in_order_or_not_at_all() {
        let chunk = |number: u8, count: u8, data: &[u8]| {
            [b"ICC_PROFILE\0", &[number, count][..], data].concat()
        };
        let (first, second) = (chunk(1, 2, b"abc"), chunk(2, 2, b"def"));
        let swapped = skeleton(&[(APP2, &second), (APP2, &first)]);
        assert_eq!(icc_profile(&swapped).as_deref(), Some(&b"abcdef"[..]));
        assert_eq!(icc_profile(&skeleton(&[(APP2, &second)])), None);
        assert_eq!(icc_profile(&skeleton(&[(APP2, &first), (APP2, &first)])), None);
        assert_eq!(icc_profile(&skeleton(&[(APP2, b"MPF\0")])), None);
    }
}
