//! Finds the JPEG preview that cameras embed in RAW and HEIC files.
//!
//! Every maker hides it elsewhere: in directories, maker notes, boxes of its own. All of them
//! store a whole JPEG, so the file is searched for one instead of for each maker's pointer to it.

use super::probe::jpeg::{self, JpegHeader};

/// How many beginnings of a JPEG are looked at; RAW files hold two to four, sensor data a few by chance.
const MOST_CANDIDATES: usize = 256;

/// An embedded JPEG: its bytes (to the end of the file; decoders stop at its end) and header.
#[derive(Debug)]
pub(crate) struct Preview<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) header: JpegHeader,
}

/// Finds the embedded JPEG with the most pixels that a plain decoder can show.
pub(crate) fn largest(bytes: &[u8]) -> Option<Preview<'_>> {
    let mut best: Option<Preview<'_>> = None;
    for at in starts(bytes).take(MOST_CANDIDATES) {
        let Ok(header) = jpeg::header(&bytes[at..]) else { continue };
        // Lossless frames (0xC3) are sensor data in CR2 and DNG.
        let plain = matches!(header.process, 0xc0..=0xc2) && header.precision == 8;
        let pixels = u32::from(header.width) * u32::from(header.height);
        let most = best
            .as_ref()
            .map_or(0, |best| u32::from(best.header.width) * u32::from(best.header.height));
        if plain && matches!(header.components.len(), 1 | 3) && pixels > most {
            best = Some(Preview { bytes: &bytes[at..], header });
        }
    }
    best
}

/// Iterates over places where a JPEG may begin: SOI, then a marker that JPEGs begin with.
fn starts(bytes: &[u8]) -> impl Iterator<Item = usize> {
    bytes.windows(4).enumerate().filter_map(|(at, four)| {
        matches!(four, [0xff, 0xd8, 0xff, 0xdb | 0xc0 | 0xc2 | 0xc4 | 0xe0..=0xef | 0xfe])
            .then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_plain_jpeg_is_found_among_sensor_data() {
        let jpeg = |process: u8, width: u8| {
            [b"\xff\xd8\xff".as_slice(), &[process, 0, 0x0b, 8, 0, 4, 0, width, 1, 1, 0x11, 0]]
                .concat()
        };
        let file = [b"junk".to_vec(), jpeg(0xc0, 3), jpeg(0xc0, 9), jpeg(0xc3, 99)].concat();
        let found = largest(&file).expect("two are plain");
        assert_eq!((found.header.width, found.bytes.len()), (9, 30));
        assert!(largest(b"\xff\xd8\xff\xe0 no frame").is_none());
    }
}
