//! IPTC-IIM: datasets of the envelope and application records.
//!
//! Source: IPTC-IIM 4.2 (1999), chapters 1 and 3. Values keep their dataset's number;
//! what they mean is in the table of fields.

use encoding_rs::Encoding;
use md5::{Digest as _, Md5};

use super::bytes::{Endian, slice, slice_up_to};
use super::text;

/// The most datasets kept; press files hold some dozens.
const MOST_DATASETS: usize = 4096;

/// One IPTC block, read.
#[derive(Debug, Default)]
pub(super) struct Iptc {
    /// Application record (2) datasets: number and text, in file order.
    datasets: Vec<(u8, String)>,
    pub(super) damage: Vec<String>,
}

impl Iptc {
    /// Reads a block of datasets.
    pub(super) fn read(block: &[u8]) -> Self {
        let mut iptc = Self::default();
        let mut charset = None;
        let mut at = 0;
        while let Some(&marker) = block.get(at) {
            if marker != 0x1C {
                // Blocks are padded with zeros to an even or a four-byte length.
                if block[at..].iter().any(|&b| b != 0) {
                    iptc.damage.push(format!("iptc: no dataset at byte {at}, the rest is lost"));
                }
                break;
            }
            let Some((record, number, value, next)) = dataset(block, at) else {
                iptc.damage.push(format!("iptc: the dataset at byte {at} is cut short"));
                break;
            };
            at = next;
            match (record, number) {
                (1, 90) => charset = text::declared_by_escape(value),
                (2, _) if iptc.datasets.len() < MOST_DATASETS => {
                    iptc.datasets.extend(decode(value, charset).map(|text| (number, text)));
                }
                _ => {}
            }
        }
        iptc
    }

    /// Every non-blank value of a dataset of record 2, in file order.
    pub(super) fn all(&self, number: u8) -> impl Iterator<Item = &str> {
        self.datasets.iter().filter(move |(n, _)| *n == number).map(|(_, text)| text.as_str())
    }
}

/// Tells whether the block has the digest that a writer of XMP left in Photoshop resource 0x0425.
///
/// A block in TIFF is padded to four bytes, and the digest covers the block without padding.
pub(super) fn has_digest(block: &[u8], digest: &[u8]) -> bool {
    let end = block.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
    (end..=block.len().min(end + 4)).any(|end| Md5::digest(&block[..end]).as_slice() == digest)
}

/// Splits the dataset at `at` into record, number, value and the position after it.
fn dataset(block: &[u8], at: usize) -> Option<(u8, u8, &[u8], usize)> {
    let [_, record, number] = *slice(block, at, 3)? else { return None };
    let short = usize::from(Endian::Big.u16(block, at + 3)?);
    let (length, start) = if short & 0x8000 == 0 {
        (short, at + 5)
    } else {
        // Extended: the low bits count the bytes of the length that follows.
        let bytes = slice(block, at + 5, short & 0x7FFF)?;
        let significant = slice_up_to(bytes, bytes.len().saturating_sub(8), 8);
        let length = significant.iter().fold(0_u64, |sum, &b| sum << 8 | u64::from(b));
        (usize::try_from(length).ok()?, at + 5 + bytes.len())
    };
    Some((record, number, slice(block, start, length)?, start + length))
}

fn decode(value: &[u8], charset: Option<&'static Encoding>) -> Option<String> {
    let value = &value[..value.iter().position(|&b| b == 0).unwrap_or(value.len())];
    let decoded = match charset {
        Some(charset) => {
            let (decoded, wrong) = charset.decode_without_bom_handling(value);
            // Software declares UTF-8 and writes Latin-1; the bytes know better.
            if wrong { text::utf8_or_windows_1252(value) } else { decoded }
        }
        None if value.contains(&0x1B) => text::iso_2022(value),
        None => text::utf8_or_windows_1252(value),
    };
    text::clean(&decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(record: u8, number: u8, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(value.len()).expect("short").to_be_bytes();
        [&[0x1C, record, number], &length[..], value].concat()
    }

    fn all(block: &[u8], number: u8) -> Vec<String> {
        Iptc::read(block).all(number).map(str::to_owned).collect()
    }

    #[test]
    fn repeated_datasets_keep_their_order() {
        let block = [set(2, 25, b"b"), set(2, 5, b"t"), set(2, 25, b"a"), vec![0; 3]].concat();
        assert_eq!(all(&block, 25), ["b", "a"]);
        assert!(Iptc::read(&block).damage.is_empty());
    }

    #[test]
    fn the_declared_character_set_is_used_and_a_wrong_one_overruled() {
        let utf8 = set(1, 90, b"\x1b%G");
        assert_eq!(all(&[utf8.clone(), set(2, 90, "Łódź".as_bytes())].concat(), 90), ["Łódź"]);
        assert_eq!(all(&[utf8, set(2, 90, b"M\xfcnchen")].concat(), 90), ["München"]);
        let latin2 = set(1, 90, b"\x1b-B");
        assert_eq!(all(&[latin2, set(2, 90, b"\xa3\xf3d\xbc")].concat(), 90), ["Łódź"]);
        assert_eq!(all(&set(2, 90, b"M\xfcnchen"), 90), ["München"]);
    }

    #[test]
    fn extended_lengths_are_read() {
        let block = [&[0x1C, 2, 120, 0x80, 4, 0, 0, 0, 3][..], b"abc"].concat();
        assert_eq!(all(&block, 120), ["abc"]);
        let hostile = [0x1C, 2, 120, 0xFF, 0xFF, 1, 2, 3];
        assert_eq!(Iptc::read(&hostile).damage.len(), 1);
    }

    #[test]
    fn the_digest_covers_the_block_without_its_padding() {
        let block = set(2, 5, b"title");
        let digest = Md5::digest(&block);
        assert!(has_digest(&[block.clone(), vec![0; 2]].concat(), &digest));
        assert!(!has_digest(&set(2, 5, b"other"), &digest));
    }
}
