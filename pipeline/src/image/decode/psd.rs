//! Photoshop's merged picture, which PSD and PSB files keep beside their layers.
//!
//! Layers are not composed: a file saved without "maximise compatibility" has a blank merged
//! picture, and shows it. Source: Adobe Photoshop File Formats Specification, "Image Data".

use super::samples::{Layout, narrow, on_white, to_rgb};
use super::tiff::unpack_bits;
use super::{Frame, truncated};
use crate::fault::Fault;
use crate::image::colour;
use crate::image::order::{Order, slice};
use crate::image::probe::psd::{self, PsdHeader, RESOURCE_ICC};

pub(super) fn decode(bytes: &[u8]) -> Result<Frame, Fault> {
    let header = psd::header(bytes)?;
    let colours = match header.mode {
        0 | 1 | 2 | 8 => 1,
        3 | 9 => 3,
        4 => 4,
        7 => usize::from(header.channels).min(4),
        other => return Err(Fault::unsupported(format!("PSD of colour mode {other}"))),
    };
    if usize::from(header.channels) < colours || !matches!(header.depth, 1 | 8 | 16 | 32) {
        return Err(Fault::bad_input(format!(
            "the PSD claims {} channels of {} bits in colour mode {}",
            header.channels, header.depth, header.mode
        )));
    }
    let alpha = header.alpha && usize::from(header.channels) > colours && header.mode != 2;
    let kept = colours + usize::from(alpha);
    let (samples, rows) = read_channels(&header, kept)?;
    let icc = header.resource(RESOURCE_ICC);
    let (rgb, note) = to_colours(&header, samples, colours, alpha, icc);
    let mut frame = Frame { note, ..Frame::new(header.width, header.height, rgb) };
    if matches!(header.mode, 0 | 1 | 2 | 3 | 8) {
        frame = frame.with_profile(icc);
    }
    frame.damage = (rows < header.height).then(|| truncated(rows, header.height));
    Ok(frame)
}

/// Reads channel after channel into interleaved 8-bit samples; gives how many rows were whole.
fn read_channels(header: &PsdHeader<'_>, kept: usize) -> Result<(Vec<u8>, u32), Fault> {
    let missing = || Fault::bad_input("the PSD has no merged picture");
    let compression = Order::Big.u16(header.merged, 0).ok_or_else(missing)?;
    let data = &header.merged[2..];
    let (width, height) = (header.width as usize, header.height as usize);
    let row_bytes = (width * usize::from(header.depth)).div_ceil(8);
    let mut rows = Rows { header, data, row_bytes, compression, at: 0, index: 0 };
    match compression {
        0 => {}
        1 => rows.at = usize::from(header.channels) * height * if header.large { 4 } else { 2 },
        other => {
            return Err(Fault::unsupported(format!("PSD merged picture compressed by {other}")));
        }
    }
    // A header alone claims no memory.
    if rows.data.len() <= rows.at {
        return Err(missing());
    }
    // What is missing stays white: no ink, or full light.
    let white =
        if header.mode == 4 && header.depth != 1 { 255 } else { 255 * u8::from(header.mode != 2) };
    let mut samples = vec![white; width * height * kept];
    let mut whole = height;
    for channel in 0..kept {
        for y in 0..height {
            let Some(row) = rows.next() else {
                whole = whole.min(if channel == 0 { y } else { whole.min(y) });
                break;
            };
            let targets = samples[y * width * kept..].chunks_exact_mut(kept).take(width);
            for (x, pixel) in targets.enumerate() {
                pixel[channel] = sample(&row, x, header);
            }
        }
    }
    if whole == 0 {
        return Err(missing());
    }
    Ok((samples, whole as u32))
}

/// Yields row after row of the merged picture, unpacked.
struct Rows<'a> {
    header: &'a PsdHeader<'a>,
    data: &'a [u8],
    row_bytes: usize,
    compression: u16,
    at: usize,
    index: usize,
}

impl Rows<'_> {
    fn next(&mut self) -> Option<Vec<u8>> {
        if self.compression == 0 {
            let row = slice(self.data, self.at, self.row_bytes)?;
            self.at += self.row_bytes;
            return Some(row.to_vec());
        }
        let length = if self.header.large {
            usize::try_from(Order::Big.u32(self.data, self.index * 4)?).ok()?
        } else {
            Order::Big.u16(self.data, self.index * 2)?.into()
        };
        let packed = slice(self.data, self.at, length)?;
        self.at += length;
        self.index += 1;
        let mut row = unpack_bits(packed, self.row_bytes);
        row.resize(self.row_bytes, 0);
        Some(row)
    }
}

fn sample(row: &[u8], x: usize, header: &PsdHeader<'_>) -> u8 {
    match header.depth {
        // A bitmap's 1 is black.
        1 => {
            if row[x / 8] >> (7 - x % 8) & 1 == 1 {
                0
            } else {
                255
            }
        }
        8 => row[x],
        16 => narrow(Order::Big.u16(row, x * 2).unwrap_or(0)),
        // 32 bits are linear light as floats.
        _ => colour::srgb_encode(f32::from_bits(Order::Big.u32(row, x * 4).unwrap_or(0))),
    }
}

fn to_colours(
    header: &PsdHeader<'_>,
    samples: Vec<u8>,
    colours: usize,
    alpha: bool,
    icc: Option<&[u8]>,
) -> (Vec<u8>, Option<String>) {
    let kept = colours + usize::from(alpha);
    match (header.mode, colours) {
        (2, _) => {
            let entry = |index: usize, plane: usize| {
                header.palette.get(plane * 256 + index).copied().unwrap_or(0)
            };
            let colour = |&index: &u8| [0, 1, 2].map(|plane| entry(index.into(), plane));
            (samples.iter().flat_map(colour).collect(), None)
        }
        (_, 4) => {
            // Photoshop stores how much paper shows; multichannel's first four are taken for inks.
            let inks: Vec<u8> = samples
                .chunks_exact(kept)
                .flat_map(|pixel| pixel[..4].iter().map(|sample| 255 - sample))
                .collect();
            let (mut rgb, note) = colour::cmyk_to_srgb(&inks, icc.filter(|_| header.mode == 4));
            if alpha {
                lay_on_white(&mut rgb, &samples, kept);
            }
            (rgb, note)
        }
        (9, _) => {
            let lab = |pixel: &[u8]| {
                let around = |sample: u8| f32::from(sample) - 128.0;
                let lightness = f32::from(pixel[0]) * 100.0 / 255.0;
                colour::lab_to_srgb([lightness, around(pixel[1]), around(pixel[2])])
            };
            let mut rgb: Vec<u8> = samples.chunks_exact(kept).flat_map(lab).collect();
            if alpha {
                lay_on_white(&mut rgb, &samples, kept);
            }
            (rgb, None)
        }
        // Photoshop's merged colours are already laid on white where they are transparent.
        (_, 1) if alpha => (merged_colours(&samples, kept, 1), None),
        (_, 1) => (to_rgb(&samples, Layout::Grey), None),
        (_, 3) if alpha => (merged_colours(&samples, kept, 3), None),
        (_, 3) => (samples, None),
        // Multichannel of two: the first stands for the picture.
        _ => (merged_colours(&samples, kept, 1), None),
    }
}

fn merged_colours(samples: &[u8], kept: usize, colours: usize) -> Vec<u8> {
    let pixel = |pixel: &[u8]| [pixel[0], pixel[colours / 2], pixel[colours - 1]];
    samples.chunks_exact(kept).flat_map(pixel).collect()
}

fn lay_on_white(rgb: &mut [u8], samples: &[u8], kept: usize) {
    for (pixel, source) in rgb.chunks_exact_mut(3).zip(samples.chunks_exact(kept)) {
        pixel.iter_mut().for_each(|sample| *sample = on_white(*sample, source[kept - 1]));
    }
}
