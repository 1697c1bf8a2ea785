//! WebP, GIF, BMP, ICO, TGA, PNM, QOI and Radiance HDR, through the `image` crate.
//!
//! Animations give their first frame, composed on the canvas. HDR's linear light is clipped at 1
//! and encoded as sRGB: the look at the exposure that the file was stored with.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use image::codecs::{bmp, gif, hdr, ico, pnm, qoi, tga, webp};
use image::{ColorType, ImageDecoder, ImageError, ImageResult};

use super::Frame;
use super::samples::{Layout, narrow, to_rgb};
use crate::fault::Fault;
use crate::image::{Format, Limits, Technical, colour};

/// How many times the bytes that are there may be missing before a cut file counts as unreadable.
const MOST_MISSING_TIMES: u64 = 64;

/// How many coded bytes a pixel can take in these formats: four samples of 32 bits.
const MOST_BYTES_A_PIXEL: u64 = 16;

pub(super) fn decode(bytes: &[u8], technical: &Technical, limits: &Limits) -> Result<Frame, Fault> {
    match technical.format {
        Format::Webp => webp::WebPDecoder::new(Cursor::new(bytes)).map(|d| read(d, limits)),
        Format::Gif => gif::GifDecoder::new(Cursor::new(bytes)).map(|d| read(d, limits)),
        Format::Ico => ico::IcoDecoder::new(Cursor::new(bytes)).map(|d| read(d, limits)),
        Format::Hdr => hdr::HdrDecoder::new(Cursor::new(bytes)).map(|d| read(d, limits)),
        Format::Qoi => qoi::QoiDecoder::new(Cursor::new(bytes)).map(|d| read(d, limits)),
        Format::Bmp => {
            return padded(bytes, technical, |r| bmp::BmpDecoder::new(r).map(|d| read(d, limits)));
        }
        Format::Tga => {
            return padded(bytes, technical, |r| tga::TgaDecoder::new(r).map(|d| read(d, limits)));
        }
        _ => return padded(bytes, technical, |r| pnm::PnmDecoder::new(r).map(|d| read(d, limits))),
    }
    .and_then(|outcome| outcome)
    .map_err(|error| fault_of(error, technical.format))
}

/// Decodes formats of plain rows; a cut file is read on as zeros, and the missing share is told.
fn padded<'a>(
    bytes: &'a [u8],
    technical: &Technical,
    decode: impl Fn(&mut Padded<'a>) -> ImageResult<ImageResult<Frame>>,
) -> Result<Frame, Fault> {
    let most = u64::from(technical.width) * u64::from(technical.height) * MOST_BYTES_A_PIXEL;
    let mut reader = Padded { bytes, at: 0, end: bytes.len() as u64 + most, missing: 0 };
    let outcome = decode(&mut reader).and_then(|outcome| outcome);
    let mut frame = outcome.map_err(|error| fault_of(error, technical.format))?;
    if reader.missing > 0 {
        let (there, missing) = (bytes.len() as u64, reader.missing);
        // A header and a few bytes show nothing of the picture; runs could stretch them over it.
        if missing > there.saturating_mul(MOST_MISSING_TIMES) {
            return Err(Fault::bad_input(format!(
                "truncated: {missing} bytes are missing of {}",
                there + missing
            )));
        }
        frame.damage =
            Some(format!("truncated: {missing} bytes are missing of {}", there + missing));
    }
    Ok(frame)
}

fn read(mut decoder: impl ImageDecoder, limits: &Limits) -> ImageResult<Frame> {
    let (width, height) = decoder.dimensions();
    if limits.check_dimensions(width, height).is_err() {
        // The header's second thoughts: a size other than the one that was probed.
        return Err(ImageError::Limits(image::error::LimitError::from_kind(
            image::error::LimitErrorKind::DimensionError,
        )));
    }
    let mut memory = image::Limits::no_limits();
    memory.max_alloc = Some(limits.pixels.saturating_mul(MOST_BYTES_A_PIXEL));
    decoder.set_limits(memory)?;
    let icc = decoder.icc_profile().ok().flatten();
    let colour = decoder.color_type();
    let mut samples = vec![0; usize::try_from(decoder.total_bytes()).unwrap_or(usize::MAX)];
    decoder.read_image(&mut samples)?;
    let layout = match colour {
        ColorType::L8 | ColorType::L16 => Layout::Grey,
        ColorType::La8 | ColorType::La16 => Layout::GreyAlpha,
        ColorType::Rgb8 | ColorType::Rgb16 | ColorType::Rgb32F => Layout::Rgb,
        _ => Layout::Rgba,
    };
    let mut samples = match colour.bytes_per_pixel() / colour.channel_count() {
        2 => samples
            .chunks_exact(2)
            .map(|two| narrow(u16::from_ne_bytes([two[0], two[1]])))
            .collect(),
        4 => samples
            .chunks_exact(4)
            .map(|four| {
                colour::srgb_encode(f32::from_ne_bytes([four[0], four[1], four[2], four[3]]))
            })
            .collect(),
        _ => samples,
    };
    if layout == Layout::Rgba {
        make_opaque_if_empty(&mut samples);
    }
    let rgb = if layout == Layout::Rgb { samples } else { to_rgb(&samples, layout) };
    Ok(Frame::new(width, height, rgb).with_profile(icc.as_deref()))
}

/// Takes transparency of nothing but zeros for a field that the writer left unused.
///
/// Common in 32-bit BMP and TGA, whose readers long ignored it; a picture that was meant to be
/// wholly invisible loses nothing by being seen.
fn make_opaque_if_empty(samples: &mut [u8]) {
    if samples.chunks_exact(4).all(|pixel| pixel[3] == 0) {
        samples.chunks_exact_mut(4).for_each(|pixel| pixel[3] = 255);
    }
}

fn fault_of(error: ImageError, format: Format) -> Fault {
    match error {
        ImageError::Unsupported(_) => {
            Fault::unsupported(format!("this kind of {}", format.name())).because(error)
        }
        ImageError::Limits(_) => Fault::too_large("decoding needs too much memory").because(error),
        _ => Fault::bad_input(format!("the {}'s picture data are damaged", format.name()))
            .because(error),
    }
}

/// A file that goes on as zeros for as long as its picture could, counting those that were read.
struct Padded<'a> {
    bytes: &'a [u8],
    at: u64,
    end: u64,
    missing: u64,
}

impl Read for &mut Padded<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let rest = self.bytes.get(usize::try_from(self.at).unwrap_or(usize::MAX)..);
        let count = match rest {
            Some(rest) if !rest.is_empty() => {
                let count = rest.len().min(to.len());
                to[..count].copy_from_slice(&rest[..count]);
                count
            }
            _ => {
                let left = self.end.saturating_sub(self.at);
                let count = to.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                to[..count].fill(0);
                self.missing = self.missing.max(self.at + count as u64 - self.bytes.len() as u64);
                count
            }
        };
        self.at += count as u64;
        Ok(count)
    }
}

impl io::BufRead for &mut Padded<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        const ZEROS: &[u8] = &[0; 64];
        let at = usize::try_from(self.at).unwrap_or(usize::MAX);
        match self.bytes.get(at..) {
            Some(rest) if !rest.is_empty() => Ok(rest),
            _ if self.at < self.end => Ok(ZEROS),
            _ => Ok(&[]),
        }
    }

    fn consume(&mut self, count: usize) {
        self.at += count as u64;
        self.missing = self.missing.max(self.at.saturating_sub(self.bytes.len() as u64));
    }
}

impl Seek for &mut Padded<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => (self.bytes.len() as u64).checked_add_signed(by),
        };
        self.at = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
