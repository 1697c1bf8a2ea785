//! Unpacks samples of any width to 8 bits and puts them into their place.

use super::Page;
use super::chunk::Chunk;
use crate::image::decode::samples::narrow;
use crate::image::order::Order;

/// The least and the greatest value of samples that have no natural scale.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    least: f64,
    greatest: f64,
}

impl Default for Range {
    fn default() -> Self {
        Self { least: f64::INFINITY, greatest: f64::NEG_INFINITY }
    }
}

impl Range {
    /// Takes a chunk's samples in.
    pub(super) fn widen(&mut self, data: &[u8], page: &Page) {
        let bytes = (page.bits / 8).max(1);
        for at in (0..data.len()).step_by(bytes) {
            let value = unscaled(data, at, page);
            if value.is_finite() {
                self.least = self.least.min(value);
                self.greatest = self.greatest.max(value);
            }
        }
    }

    /// Values within 0 to 1 are a picture's usual ones, and keep that scale.
    pub(super) fn settled(self) -> Self {
        if self.least >= 0.0 && self.greatest <= 1.0 {
            return Self { least: 0.0, greatest: 1.0 };
        }
        self
    }

    fn scale(self, value: f64) -> u8 {
        let span = self.greatest - self.least;
        if span <= 0.0 || value.is_nan() {
            return 0;
        }
        (((value - self.least) / span).clamp(0.0, 1.0) * 255.0 + 0.5) as u8
    }
}

/// Writes a chunk's samples into `coded`, which has `kept` samples a pixel; gives how many rows came.
pub(super) fn place(
    data: &[u8],
    chunk: &Chunk<'_>,
    page: &Page,
    kept: usize,
    range: Option<Range>,
    coded: &mut [u8],
) -> usize {
    let rows = chunk.rows(page);
    let columns = page.chunk.0.min(page.width - chunk.left);
    if page.subsampled() {
        return place_subsampled(data, chunk, page, kept, coded);
    }
    // JPEG gives 8 bits; it says so itself.
    let (bits, samples, row_bytes) = (page.bits, page.chunk_samples(), page.row_bytes());
    let lab = matches!(page.photometric, 8 | 9);
    let (first, count) = if page.planar { (chunk.plane, 1) } else { (0, kept) };
    for y in 0..rows {
        let Some(row) = data.get(y * row_bytes..(y + 1) * row_bytes) else { return y };
        let start = ((chunk.top + y) * page.width + chunk.left) * kept;
        let target = &mut coded[start..start + columns * kept];
        if bits == 8 && page.format == 1 && samples == kept {
            target.copy_from_slice(&row[..columns * samples]);
            continue;
        }
        for (x, pixel) in target.chunks_exact_mut(kept).enumerate() {
            for sample in 0..count {
                let index = x * samples + sample;
                pixel[first + sample] = match (range, bits) {
                    (Some(range), _) => range.scale(unscaled(row, index * bits.div_ceil(8), page)),
                    (None, 8) => row[index],
                    // The high byte: Lab's signed samples must not be rounded into the next sign.
                    (None, 16) if lab => (page.order.u16(row, index * 2).unwrap_or(0) >> 8) as u8,
                    (None, 16) => narrow(page.order.u16(row, index * 2).unwrap_or(0)),
                    (None, 32) => (page.order.u32(row, index * 4).unwrap_or(0) >> 24) as u8,
                    (None, 64) => (page.order.u64(row, index * 8).unwrap_or(0) >> 56) as u8,
                    _ => packed(row, index * bits, bits, page.photometric == 3),
                };
            }
        }
    }
    rows
}

/// Chroma in blocks: all the luma of a block, then its Cb and Cr (TIFF 6.0 section 21).
fn place_subsampled(
    data: &[u8],
    chunk: &Chunk<'_>,
    page: &Page,
    kept: usize,
    coded: &mut [u8],
) -> usize {
    let (h, v) = page.subsampling;
    let across = page.chunk.0.div_ceil(h);
    let unit = h * v + 2;
    for (index, block) in
        (0..across * chunk.rows(page).div_ceil(v)).map(|i| (i, data.get(i * unit..(i + 1) * unit)))
    {
        let Some(block) = block else { return index / across * v };
        for inner in 0..h * v {
            let x = chunk.left + index % across * h + inner % h;
            let y = chunk.top + index / across * v + inner / h;
            if x < page.width && y < page.height {
                let at = (y * page.width + x) * kept;
                coded[at..at + 3].copy_from_slice(&[block[inner], block[h * v], block[h * v + 1]]);
            }
        }
    }
    chunk.rows(page)
}

/// Reads a sample of 1 to 31 bits, most significant first; an index stays, another is scaled.
fn packed(row: &[u8], at: usize, bits: usize, index: bool) -> u8 {
    let bit = |at: usize| row.get(at / 8).is_some_and(|byte| byte >> (7 - at % 8) & 1 == 1);
    let value = (at..at + bits).fold(0_u64, |value, at| value << 1 | u64::from(bit(at)));
    if index {
        return value.min(255) as u8;
    }
    let most = (1_u64 << bits) - 1;
    ((value * 255 + most / 2) / most) as u8
}

/// Reads a float, or an integer for the lack of one, as it is.
fn unscaled(data: &[u8], at: usize, page: &Page) -> f64 {
    let (order, float) = (page.order, page.format == 3);
    match page.bits {
        8 => data.get(at).map_or(0.0, |byte| f64::from(byte.cast_signed())),
        16 => {
            let raw = order.u16(data, at).unwrap_or(0);
            if float { half(raw) } else { f64::from(raw.cast_signed()) }
        }
        24 if float => float24(data, at, order),
        32 => {
            let raw = order.u32(data, at).unwrap_or(0);
            if float { f32::from_bits(raw).into() } else { f64::from(raw.cast_signed()) }
        }
        64 => {
            let raw = order.u64(data, at).unwrap_or(0);
            if float { f64::from_bits(raw) } else { raw.cast_signed() as f64 }
        }
        _ => 0.0,
    }
}

/// IEEE 754 binary16.
fn half(raw: u16) -> f64 {
    let sign = if raw >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(raw >> 10 & 31), f64::from(raw & 1023) / 1024.0);
    sign * match exponent {
        0 => fraction * 2.0_f64.powi(-14),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction) * 2.0_f64.powi(exponent - 15),
    }
}

/// Photoshop's 24 bits (Technical Note 3): a sign, 7 bits of exponent, 16 of fraction.
fn float24(data: &[u8], at: usize, order: Order) -> f64 {
    let Some(&[a, b, c]) = data.get(at..at + 3) else { return 0.0 };
    let [high, middle, low] = if order == Order::Big { [a, b, c] } else { [c, b, a] };
    let sign = if high >> 7 == 1 { -1.0 } else { 1.0 };
    let fraction = f64::from(u16::from_be_bytes([middle, low])) / 65_536.0;
    match i32::from(high & 127) {
        0 => sign * fraction * 2.0_f64.powi(-62),
        exponent => sign * (1.0 + fraction) * 2.0_f64.powi(exponent - 63),
    }
}
