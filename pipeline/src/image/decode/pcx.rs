//! PCX: planes of run-length rows.
//!
//! Source: ZSoft PCX Technical Reference Manual, revision 5.

use super::{Frame, truncated};
use crate::fault::Fault;
use crate::image::Technical;
use crate::image::order::Order;

/// The header's length; the runs begin behind it.
const HEADER_BYTES: usize = 128;

/// A palette of 256 colours lies at the end of the file, behind this mark.
const PALETTE_MARK: u8 = 12;

pub(super) fn decode(bytes: &[u8], technical: &Technical) -> Result<Frame, Fault> {
    let (Some(header), Some(data)) = (bytes.get(..HEADER_BYTES), bytes.get(HEADER_BYTES..)) else {
        return Err(Fault::bad_input("the PCX ends inside its header"));
    };
    let (width, height) = (technical.width as usize, technical.height as usize);
    let (bits, planes) = (usize::from(header[3]), usize::from(header[65]));
    let line_bytes = usize::from(Order::Little.u16(header, 66).unwrap_or(0));
    if line_bytes * 8 < width * bits {
        return Err(Fault::bad_input("the PCX's lines are shorter than its width"));
    }
    if !matches!((bits, planes), (1, 1..=4) | (2 | 4, 1) | (8, 1 | 3 | 4)) {
        return Err(Fault::unsupported(format!("PCX of {planes} planes of {bits} bits")));
    }
    let palette = palette(bytes, header, bits, planes);
    let mut runs = Runs { data, compressed: header[2] == 1, value: 0, left: 0 };
    let mut rgb = vec![255; width * height * 3];
    let mut line = vec![0; line_bytes * planes];
    let mut rows = 0;
    for target in rgb.chunks_exact_mut(width * 3) {
        if !runs.fill(&mut line) {
            break;
        }
        rows += 1;
        for (x, pixel) in target.chunks_exact_mut(3).enumerate() {
            if bits == 8 && planes >= 3 {
                for (plane, sample) in pixel.iter_mut().enumerate() {
                    *sample = line[plane * line_bytes + x];
                }
                continue;
            }
            // Each plane gives some bits of the index, the first the lowest.
            let mask = (1_usize << bits) - 1;
            let at = x * bits;
            let index = (0..planes).fold(0, |index, plane| {
                let byte = usize::from(line[plane * line_bytes + at / 8]);
                index | (byte >> (8 - bits - at % 8) & mask) << (plane * bits)
            });
            pixel.copy_from_slice(&palette[index.min(palette.len() - 1)]);
        }
    }
    if rows == 0 {
        return Err(Fault::bad_input("the PCX's picture data are missing"));
    }
    let (width, height) = (technical.width, technical.height);
    let mut frame = Frame::new(width, height, rgb);
    frame.damage = (rows < height).then(|| truncated(rows, height));
    Ok(frame)
}

fn palette(bytes: &[u8], header: &[u8], bits: usize, planes: usize) -> Vec<[u8; 3]> {
    let triples = |raw: &[u8]| raw.chunks_exact(3).map(|c| [c[0], c[1], c[2]]).collect();
    if bits == 1 && planes == 1 {
        return vec![[0; 3], [255; 3]];
    }
    if bits == 8 {
        let at = bytes.len().wrapping_sub(769);
        return match bytes.get(at..) {
            Some([PALETTE_MARK, colours @ ..]) => triples(colours),
            _ => (0..=255).map(|grey| [grey; 3]).collect(),
        };
    }
    triples(&header[16..64])
}

/// Unpacks runs: a byte with its two highest bits set counts the next one.
struct Runs<'a> {
    data: &'a [u8],
    compressed: bool,
    value: u8,
    left: u8,
}

impl Runs<'_> {
    /// Fills a line; false when the data end before it.
    fn fill(&mut self, line: &mut [u8]) -> bool {
        for byte in line {
            if self.left == 0 {
                let [first, rest @ ..] = self.data else { return false };
                self.data = rest;
                (self.value, self.left) = (*first, 1);
                if self.compressed && first & 0xc0 == 0xc0 {
                    let [value, rest @ ..] = self.data else { return false };
                    self.data = rest;
                    (self.value, self.left) = (*value, first & 0x3f);
                    if self.left == 0 {
                        // A run of none says nothing; reading on would shift the line.
                        self.left = 1;
                    }
                }
            }
            *byte = self.value;
            self.left -= 1;
        }
        true
    }
}
