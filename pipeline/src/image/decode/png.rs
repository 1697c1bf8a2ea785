//! PNG, read row by row so that a large one costs little more than its result.

use png::{BitDepth, ColorType, Decoder, Limits as PngLimits, Reader, Transformations};

use super::samples::{Layout, narrow, write_rgb};
use super::{Frame, truncated};
use crate::fault::Fault;
use crate::image::colour;

/// What the decoder may use for itself: two rows, and chunks such as profiles and texts.
const MOST_DECODER_BYTES: usize = 128 << 20;

type PngReader<'a> = Reader<std::io::Cursor<&'a [u8]>>;

pub(super) fn decode(bytes: &[u8]) -> Result<Frame, Fault> {
    let limits = PngLimits { bytes: MOST_DECODER_BYTES };
    let mut decoder = Decoder::new_with_limits(std::io::Cursor::new(bytes), limits);
    decoder.set_transformations(Transformations::EXPAND);
    // Texts are another module's business, and may inflate to any size.
    decoder.set_ignore_text_chunk(true);
    decoder.ignore_checksums(true);
    let mut reader =
        decoder.read_info().map_err(|error| Fault::bad_input("damaged PNG").because(error))?;
    let (width, height) = (reader.info().width, reader.info().height);
    // Zeros cost nothing until a row is written: a header alone claims no memory.
    let mut rgb = vec![0; width as usize * height as usize * 3];
    let outcome = if reader.info().interlaced {
        read_interlaced(&mut reader, &mut rgb)
    } else {
        read_rows(&mut reader, &mut rgb)
    };
    let mut frame = Frame::new(width, height, Vec::new());
    match outcome {
        (0, Some(error)) => {
            return Err(Fault::bad_input("the PNG's picture data are damaged").because(error));
        }
        (rows, Some(_)) if rows < height => {
            rgb[rows as usize * width as usize * 3..].fill(255);
            frame.damage = Some(truncated(rows, height));
        }
        (_, Some(error)) => frame.damage = Some(format!("damaged: {error}")),
        _ => {}
    }
    frame.rgb = rgb;
    let info = reader.info();
    if let Some(icc) = &info.icc_profile {
        return Ok(frame.with_profile(Some(icc)));
    }
    if let (None, Some(gamma)) = (info.srgb, info.gama_chunk) {
        let primaries = info.chrm_chunk.map(|c| {
            [c.white, c.red, c.green, c.blue].map(|(x, y)| (x.into_value(), y.into_value()))
        });
        colour::gamma_to_srgb(&mut frame.rgb, gamma.into_value(), primaries);
    }
    Ok(frame)
}

/// Reads row after row; gives how many came and what ended them early.
fn read_rows(reader: &mut PngReader<'_>, rgb: &mut [u8]) -> (u32, Option<png::DecodingError>) {
    let (layout, depth) = layout(reader);
    let row_bytes = reader.info().width as usize * 3;
    let mut narrowed = Vec::new();
    let mut rows = 0;
    for target in rgb.chunks_exact_mut(row_bytes) {
        match reader.next_row() {
            Ok(Some(row)) => write_row(row.data(), layout, depth, &mut narrowed, target),
            Ok(None) => break,
            Err(error) => return (rows, Some(error)),
        }
        rows += 1;
    }
    (rows, None)
}

/// Reads the seven passes of Adam7, pixel by pixel to its place.
///
/// A file cut before the last pass leaves gaps; they are filled from the pixel to the left or
/// above that an earlier pass gave, as progressive display does.
fn read_interlaced(
    reader: &mut PngReader<'_>,
    rgb: &mut [u8],
) -> (u32, Option<png::DecodingError>) {
    let (layout, depth) = layout(reader);
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    let (mut narrowed, mut pixels) = (Vec::new(), Vec::new());
    let mut came = 0;
    for (pass, &[left, top, right, down, wide, high]) in ADAM7.iter().enumerate() {
        if width <= left {
            continue;
        }
        let columns = (width - left).div_ceil(right);
        for y in (top..height).step_by(down) {
            let row = match reader.next_interlaced_row() {
                Ok(Some(row)) => row,
                Ok(None) => return (came, None),
                Err(error) => {
                    // Rows that the finest pass so far has covered.
                    let share = if pass == 0 { y } else { height };
                    return (if came == 0 { 0 } else { share as u32 }, Some(error));
                }
            };
            pixels.resize(columns * 3, 0);
            write_row(row.data(), layout, depth, &mut narrowed, &mut pixels);
            for (index, pixel) in pixels.chunks_exact(3).enumerate() {
                let x = left + index * right;
                for y in y..(y + high).min(height) {
                    let start = (y * width + x) * 3;
                    let end = (y * width + (x + wide).min(width)) * 3;
                    rgb[start..end].chunks_exact_mut(3).for_each(|to| to.copy_from_slice(pixel));
                }
            }
            came = height as u32;
        }
    }
    (came, None)
}

/// Adam7's passes: first column and row, steps, and the block that a pixel stands for until
/// later passes refine it (PNG, third edition, section 8.2).
const ADAM7: [[usize; 6]; 7] = [
    [0, 0, 8, 8, 8, 8],
    [4, 0, 8, 8, 4, 8],
    [0, 4, 4, 8, 4, 4],
    [2, 0, 4, 4, 2, 4],
    [0, 2, 2, 4, 2, 2],
    [1, 0, 2, 2, 1, 2],
    [0, 1, 1, 2, 1, 1],
];

fn layout(reader: &PngReader<'_>) -> (Layout, BitDepth) {
    let (colour, depth) = reader.output_color_type();
    let layout = match colour {
        ColorType::Grayscale => Layout::Grey,
        ColorType::GrayscaleAlpha => Layout::GreyAlpha,
        ColorType::Rgb | ColorType::Indexed => Layout::Rgb,
        ColorType::Rgba => Layout::Rgba,
    };
    (layout, depth)
}

fn write_row(row: &[u8], layout: Layout, depth: BitDepth, narrowed: &mut Vec<u8>, rgb: &mut [u8]) {
    if depth != BitDepth::Sixteen {
        return write_rgb(row, layout, rgb);
    }
    narrowed.clear();
    narrowed.extend(row.chunks_exact(2).map(|two| narrow(u16::from_be_bytes([two[0], two[1]]))));
    write_rgb(narrowed, layout, rgb);
}
