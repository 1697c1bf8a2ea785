//! TIFF: the first page of strips or tiles, whatever its depth, compression and colours.
//!
//! Reads 1 to 64 bits a sample, integer or float, chunky or planar; grey, RGB, palette, CMYK,
//! YCbCr and Lab; uncompressed, PackBits, LZW, Deflate, JPEG (new and old), fax groups 3 and 4.
//! Integers keep their scale. Floats within 0 to 1, and signed integers and other floats scaled
//! from their least to their greatest value, become 0 to 255.
//! Source: TIFF 6.0 (Adobe, 1992) and its Technical Notes 1 and 2.

mod chunk;
mod unpack;

use self::chunk::Chunk;
pub(super) use self::chunk::unpack_bits;
use self::unpack::Range;
use super::samples::{Layout, narrow, on_white, to_rgb};
use super::{Frame, jpeg, truncated};
use crate::fault::Fault;
use crate::image::ifd::{Directory, Tiff, tag};
use crate::image::order::Order;
use crate::image::probe::tiff as header;
use crate::image::{Limits, colour};

/// More samples a pixel than colours, transparency and a few masks need.
const MOST_SAMPLES: usize = 32;

/// What the directory says about how pixels are laid down.
#[derive(Debug, Clone)]
struct Page {
    order: Order,
    width: usize,
    height: usize,
    /// Bits a sample, the same for all.
    bits: usize,
    /// 1 unsigned, 2 signed, 3 float.
    format: u64,
    /// Samples a pixel.
    samples: usize,
    photometric: u64,
    compression: u64,
    planar: bool,
    predictor: u64,
    reversed_bits: bool,
    fax_options: u64,
    /// Width and height of a tile, or of a strip.
    chunk: (usize, usize),
    tiled: bool,
    subsampling: (usize, usize),
    /// The kind of the first sample behind the colours: 1 associated, 2 unassociated alpha.
    alpha: Option<u64>,
}

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Frame, Fault> {
    let no_page = || Fault::bad_input("the TIFF has no page");
    let tiff = Tiff::parse(bytes).ok_or_else(no_page)?;
    let directory = header::page(&tiff).ok_or_else(no_page)?;
    let page = Page::read(&directory, tiff.order(), limits)?;
    let icc = directory.bytes(tag::ICC);
    if page.compression == 6 {
        return decode_old_jpeg(bytes, &directory, limits);
    }
    let tables = directory.bytes(tag::JPEG_TABLES);
    let chunks = Chunk::list(bytes, &directory, &page);
    if chunks.is_empty() {
        return Err(Fault::bad_input("the TIFF's picture data are missing"));
    }
    let range = page.needs_range().then(|| {
        let mut range = Range::default();
        for chunk in &chunks {
            if let Ok(data) = chunk.data(&page, tables, limits) {
                range.widen(&data, &page);
            }
        }
        range.settled()
    });
    let kept = page.kept();
    let mut coded = page.blank(kept);
    let (mut whole, mut rows, mut error) = (0, 0, None);
    for chunk in &chunks {
        if chunk.plane >= kept {
            whole += 1;
            continue;
        }
        match chunk.data(&page, tables, limits) {
            Ok(data) => {
                let came = unpack::place(&data, chunk, &page, kept, range, &mut coded);
                whole += usize::from(came == chunk.rows(&page));
                rows += came;
            }
            Err(fault) => error = Some(fault),
        }
    }
    if rows == 0 {
        return Err(
            error.unwrap_or_else(|| Fault::bad_input("the TIFF's picture data are missing"))
        );
    }
    let mut frame = page.to_frame(coded, kept, &directory, icc)?;
    let expected = page.chunks();
    frame.damage = (whole < expected).then(|| {
        if page.tiled || page.planar {
            format!("damaged: {whole} of {expected} parts")
        } else {
            truncated(rows as u32, page.height as u32)
        }
    });
    Ok(frame)
}

/// Old-style JPEG (TIFF 6.0 section 22): shown where the file keeps a whole JPEG stream.
fn decode_old_jpeg(bytes: &[u8], page: &Directory<'_>, limits: &Limits) -> Result<Frame, Fault> {
    let at = page.number(tag::JPEG_OFFSET).or_else(|| page.number(tag::STRIP_OFFSETS));
    let stream = at.and_then(|at| bytes.get(usize::try_from(at).ok()?..));
    let stream = stream.filter(|stream| stream.starts_with(b"\xff\xd8\xff"));
    let stream = stream.ok_or_else(|| Fault::unsupported("TIFF with old-style JPEG in parts"))?;
    let length = page.number(tag::JPEG_LENGTH).and_then(|length| usize::try_from(length).ok());
    let whole = length.and_then(|length| stream.get(..length)).unwrap_or(stream);
    jpeg::decode(whole, limits)
}

impl Page {
    fn read(page: &Directory<'_>, order: Order, limits: &Limits) -> Result<Self, Fault> {
        let number = |tag, default| page.number(tag).unwrap_or(default);
        let size = |tag, default: u64| usize::try_from(number(tag, default)).unwrap_or(usize::MAX);
        let bits = page.numbers(tag::BITS, MOST_SAMPLES);
        if bits.iter().any(|other| *other != bits[0]) {
            return Err(Fault::unsupported(format!("TIFF with samples of {bits:?} bits")));
        }
        let (width, height) = (size(tag::WIDTH, 0), size(tag::HEIGHT, 0));
        let tiled = page.has(tag::TILE_WIDTH);
        let chunk = if tiled {
            (size(tag::TILE_WIDTH, 0), size(tag::TILE_HEIGHT, 0))
        } else {
            (width, size(tag::ROWS_PER_STRIP, u64::MAX).min(height))
        };
        let photometric = number(tag::PHOTOMETRIC, 1);
        let subsampling = match page.numbers(tag::SUBSAMPLING, 2)[..] {
            [h @ (1 | 2 | 4), v @ (1 | 2 | 4)] => (h as usize, v as usize),
            _ if photometric == 6 => (2, 2),
            _ => (1, 1),
        };
        let this = Self {
            order,
            width,
            height,
            bits: bits.first().map_or(1, |&bits| bits as usize),
            format: number(tag::SAMPLE_FORMAT, 1),
            samples: size(tag::SAMPLES, bits.len().max(1) as u64),
            photometric,
            compression: number(tag::COMPRESSION, 1),
            planar: number(tag::PLANAR, 1) == 2,
            predictor: number(tag::PREDICTOR, 1),
            reversed_bits: number(tag::FILL_ORDER, 1) == 2,
            fax_options: number(tag::T4_OPTIONS, 0),
            chunk,
            tiled,
            subsampling: if photometric == 6 { subsampling } else { (1, 1) },
            alpha: page.number(tag::EXTRA_SAMPLES).filter(|kind| matches!(kind, 1 | 2)),
        };
        this.check(limits)?;
        Ok(this)
    }

    fn check(&self, limits: &Limits) -> Result<(), Fault> {
        let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
        limits.check_dimensions(side(self.width), side(self.height))?;
        limits.check_dimensions(side(self.chunk.0), side(self.chunk.1))?;
        let colours = self.colours().ok_or_else(|| {
            Fault::unsupported(format!("TIFF with photometric interpretation {}", self.photometric))
        })?;
        if !(colours..=MOST_SAMPLES).contains(&self.samples) || !(1..=64).contains(&self.bits) {
            return Err(Fault::bad_input(format!(
                "the TIFF claims {} samples of {} bits a pixel",
                self.samples, self.bits
            )));
        }
        if matches!(self.photometric, 8 | 9) && self.format == 3 {
            return Err(Fault::unsupported("TIFF with Lab colours as floats"));
        }
        // A few bytes must not claim a chunk that outgrows what the pixels may take.
        let chunk_bytes = self.chunk.0 as u64
            * self.chunk.1 as u64
            * self.samples as u64
            * self.bits.div_ceil(8) as u64;
        if chunk_bytes > limits.pixels.saturating_mul(8) {
            return Err(Fault::too_large(format!("a TIFF strip or tile of {chunk_bytes} bytes")));
        }
        Ok(())
    }

    /// How many samples make the colour.
    fn colours(&self) -> Option<usize> {
        match self.photometric {
            0 | 1 | 3 | 4 => Some(1),
            2 | 6 | 8 | 9 => Some(3),
            5 => Some(4),
            _ => None,
        }
    }

    /// How many samples a pixel are shown: the colour and its transparency.
    fn kept(&self) -> usize {
        let colours = self.colours().unwrap_or(1);
        let alpha = self.alpha.is_some() && self.samples > colours && self.photometric != 3;
        colours + usize::from(alpha)
    }

    /// Samples a pixel in one chunk.
    fn chunk_samples(&self) -> usize {
        if self.planar { 1 } else { self.samples }
    }

    /// Bytes a row of a chunk, which begins on a whole byte.
    fn row_bytes(&self) -> usize {
        (self.chunk.0 * self.chunk_samples() * self.bits).div_ceil(8)
    }

    /// How many chunks the whole page has.
    fn chunks(&self) -> usize {
        let grid = self.width.div_ceil(self.chunk.0) * self.height.div_ceil(self.chunk.1);
        grid * if self.planar { self.samples } else { 1 }
    }

    /// Whether raw chroma comes in fewer pixels than luma.
    fn subsampled(&self) -> bool {
        self.photometric == 6 && self.compression != 7 && self.subsampling != (1, 1) && !self.planar
    }

    /// Whether samples have no natural scale.
    fn needs_range(&self) -> bool {
        self.format == 3 || (self.format == 2 && self.photometric <= 2)
    }

    /// A white picture, for chunks that are missing.
    fn blank(&self, kept: usize) -> Vec<u8> {
        let white = if matches!(self.photometric, 0 | 3 | 5) { 0 } else { 255 };
        vec![white; self.width * self.height * kept]
    }

    /// Settles the colours of decoded samples.
    fn to_frame(
        &self,
        mut coded: Vec<u8>,
        kept: usize,
        page: &Directory<'_>,
        icc: Option<&[u8]>,
    ) -> Result<Frame, Fault> {
        let colours = self.colours().unwrap_or(1);
        if self.photometric == 0 {
            coded.chunks_exact_mut(kept).for_each(|pixel| pixel[0] = 255 - pixel[0]);
        }
        if self.photometric == 6 && self.compression != 7 {
            coded.chunks_exact_mut(kept).for_each(|pixel| ycbcr_to_rgb(&mut pixel[..3]));
        }
        let alpha = (kept > colours).then_some(self.alpha).flatten();
        let mut note = None;
        let rgb = match (self.photometric, alpha) {
            (3, _) => self.look_up(&coded, page)?,
            (5, _) => {
                let inks = if kept == 4 {
                    coded
                } else {
                    coded.chunks_exact(kept).flat_map(|pixel| &pixel[..4]).copied().collect()
                };
                let (rgb, ignored) = colour::cmyk_to_srgb(&inks, icc);
                note = ignored;
                rgb
            }
            (8 | 9, _) => coded.chunks_exact(kept).flat_map(|pixel| self.lab(pixel)).collect(),
            // Associated samples are already weighed: what they do not cover is white.
            (_, Some(1)) => coded
                .chunks_exact(kept)
                .flat_map(|pixel| {
                    let sample = |at: usize| pixel[at].saturating_add(255 - pixel[colours]);
                    [sample(0), sample(colours / 2), sample(colours - 1)]
                })
                .collect(),
            (_, Some(_)) if colours == 1 => to_rgb(&coded, Layout::GreyAlpha),
            (_, Some(_)) => to_rgb(&coded, Layout::Rgba),
            _ if colours == 1 => to_rgb(&coded, Layout::Grey),
            _ => coded,
        };
        let frame = Frame { note, ..Frame::new(self.width as u32, self.height as u32, rgb) };
        let settled = matches!(self.photometric, 5 | 8 | 9);
        Ok(if settled { frame } else { frame.with_profile(icc) })
    }

    /// Replaces palette indices by their colours.
    fn look_up(&self, indices: &[u8], page: &Directory<'_>) -> Result<Vec<u8>, Fault> {
        let entries = 1_usize << self.bits.min(8);
        let map = page.numbers(tag::COLOUR_MAP, entries * 3);
        if map.len() < entries * 3 {
            return Err(Fault::bad_input("the TIFF's palette is missing or too short"));
        }
        // Some writers fill the 16-bit map with 8-bit values.
        let narrow_map = map.iter().all(|&value| value < 256);
        let value = |at: usize| if narrow_map { map[at] as u8 } else { narrow(map[at] as u16) };
        let colours: Vec<[u8; 3]> = (0..entries)
            .map(|at| [value(at), value(at + entries), value(at + 2 * entries)])
            .collect();
        Ok(indices.iter().flat_map(|&index| colours[usize::from(index).min(entries - 1)]).collect())
    }

    /// Reads L*a*b*: CIELab (8) has signed a and b, ICCLab (9) has them around 128.
    fn lab(&self, pixel: &[u8]) -> [u8; 3] {
        let chroma = |sample: u8| {
            if self.photometric == 8 {
                f32::from(sample.cast_signed())
            } else {
                f32::from(sample) - 128.0
            }
        };
        let lightness = f32::from(pixel[0]) * 100.0 / 255.0;
        let rgb = colour::lab_to_srgb([lightness, chroma(pixel[1]), chroma(pixel[2])]);
        match pixel.get(3) {
            Some(&alpha) => rgb.map(|sample| on_white(sample, alpha)),
            None => rgb,
        }
    }
}

/// ITU-R BT.601 at full range, as TIFF 6.0 section 21 has it by default.
fn ycbcr_to_rgb(pixel: &mut [u8]) {
    let (y, cb, cr) =
        (f32::from(pixel[0]), f32::from(pixel[1]) - 128.0, f32::from(pixel[2]) - 128.0);
    let whole = |value: f32| (value + 0.5).clamp(0.0, 255.0) as u8;
    pixel[0] = whole(y + 1.402 * cr);
    pixel[1] = whole(y - 0.344_136 * cb - 0.714_136 * cr);
    pixel[2] = whole(y + 1.772 * cb);
}
