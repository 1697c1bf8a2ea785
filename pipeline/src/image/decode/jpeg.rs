//! JPEG of every kind: what the fast path declines, and the parts of other formats.
//!
//! libjpeg-turbo decodes baseline, progressive, arithmetic and lossless frames of grey, RGB,
//! YCbCr, CMYK and YCCK; what it gives up on without a row is tried by `zune-jpeg`, which reads
//! some damaged files better.

use turbojpeg::{Decompressor, Image, PixelFormat};

use super::{Frame, WORK_PIXELS_PER_SECOND, truncated};
use crate::fault::Fault;
use crate::image::probe::jpeg::{self, JpegHeader};
use crate::image::{Limits, colour};

/// More scans than any encoder writes: 64 coefficients of 14 bits in three colours are fewer.
const MOST_SCANS: u32 = 500;

/// What rows hold before they are decoded: a value that no photograph fills a row with.
const UNDECODED: u8 = 0xa7;

/// Samples of a decoded JPEG, before its colours are settled.
pub(super) struct JpegSamples {
    pub(super) width: u32,
    pub(super) height: u32,
    /// 1, 3 (RGB) or 4 (CMYK as stored: inverted when Adobe wrote it) samples a pixel.
    pub(super) samples: Vec<u8>,
    pub(super) channels: usize,
    pub(super) damage: Option<String>,
}

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Frame, Fault> {
    let header = jpeg::header(bytes)?;
    let decoded = decode_samples(bytes, &header, limits)?;
    let (width, height) = (decoded.width, decoded.height);
    let icc = header.icc.as_deref();
    let mut frame = match decoded.channels {
        4 => {
            let mut inks = decoded.samples;
            // Adobe stores how much paper shows, not how much ink lies on it.
            if header.adobe.is_some() {
                inks.iter_mut().for_each(|ink| *ink = 255 - *ink);
            }
            let (rgb, note) = colour::cmyk_to_srgb(&inks, icc);
            Frame { note, ..Frame::new(width, height, rgb) }
        }
        1 => {
            let rgb = decoded.samples.iter().flat_map(|&grey| [grey; 3]).collect();
            Frame::new(width, height, rgb).with_profile(icc)
        }
        _ => Frame::new(width, height, decoded.samples).with_profile(icc),
    };
    frame.damage = decoded.damage;
    Ok(frame)
}

/// Decodes to samples, checking size and scans first.
pub(super) fn decode_samples(
    bytes: &[u8],
    header: &JpegHeader,
    limits: &Limits,
) -> Result<JpegSamples, Fault> {
    limits.check_dimensions(header.width.into(), header.height.into())?;
    if header.precision != 8 {
        return Err(Fault::unsupported(format!("JPEG with {} bits a sample", header.precision)));
    }
    check_scans(bytes, header, limits)?;
    let (format, channels) = match header.components.len() {
        1 => (PixelFormat::GRAY, 1),
        3 => (PixelFormat::RGB, 3),
        4 => (PixelFormat::CMYK, 4),
        count => return Err(Fault::unsupported(format!("JPEG with {count} components"))),
    };
    let (width, height) = (usize::from(header.width), usize::from(header.height));
    let mut samples = vec![UNDECODED; width * height * channels];
    let row = width * channels;
    let image = Image { pixels: &mut samples[..], width, height, pitch: row, format };
    let outcome = Decompressor::new().and_then(|mut turbo| {
        turbo.set_scan_limit(MOST_SCANS)?;
        turbo.decompress(bytes, image)
    });
    let (width, height) = (u32::from(header.width), u32::from(header.height));
    let decoded = |samples, damage| JpegSamples { width, height, samples, channels, damage };
    let Err(error) = outcome else { return Ok(decoded(samples, None)) };
    // libjpeg-turbo reports warnings as errors; the rows then are there all the same.
    let undecoded = samples.rchunks_exact(row).take_while(|row| is_blank(row)).count() as u32;
    if undecoded < height {
        let words = error.to_string();
        let damage = if undecoded > 0 {
            samples.rchunks_exact_mut(row).take(undecoded as usize).for_each(|row| row.fill(128));
            truncated(height - undecoded, height)
        } else if words.contains("Premature end") {
            truncated(height - filled_rows(&samples, row, channels), height)
        } else {
            format!("damaged: {}", words.trim_start_matches("TurboJPEG error: ").to_lowercase())
        };
        return Ok(decoded(samples, Some(damage)));
    }
    drop(samples);
    let samples = decode_by_zune(bytes, channels)
        .filter(|samples| samples.len() == row * height as usize)
        .ok_or_else(|| Fault::bad_input("the JPEG's picture data are damaged").because(error))?;
    Ok(decoded(samples, Some("damaged: decoded by the tolerant decoder".to_owned())))
}

/// Counts the rows at the end that libjpeg filled with one colour because the data had ended.
fn filled_rows(samples: &[u8], row: usize, channels: usize) -> u32 {
    let Some(last) = samples.rchunks_exact(channels).next() else { return 0 };
    let same = |row: &&[u8]| row.chunks_exact(channels).all(|pixel| pixel == last);
    let filled = samples.rchunks_exact(row).take_while(same).count();
    // A picture of one colour is not an empty one.
    if filled * row == samples.len() { 0 } else { filled as u32 }
}

fn is_blank(row: &[u8]) -> bool {
    row.iter().all(|&sample| sample == UNDECODED)
}

/// Holds the work that scans repeat against the time that a picture may take.
fn check_scans(bytes: &[u8], header: &JpegHeader, limits: &Limits) -> Result<(), Fault> {
    // Only progressive and multi-scan frames have many; an upper bound is enough here.
    let scans = bytes.windows(2).filter(|two| *two == b"\xff\xda").count();
    let pixels = f64::from(header.width) * f64::from(header.height);
    let seconds = scans as f64 * pixels / WORK_PIXELS_PER_SECOND;
    if scans > MOST_SCANS as usize || (scans > 16 && seconds > limits.seconds) {
        return Err(Fault::too_large(format!(
            "{scans} scans of {pixels} pixels would take {seconds:.0} s: over limits.seconds = {}",
            limits.seconds
        )));
    }
    Ok(())
}

fn decode_by_zune(bytes: &[u8], channels: usize) -> Option<Vec<u8>> {
    use zune_jpeg::zune_core::bytestream::ZCursor;
    use zune_jpeg::zune_core::colorspace::ColorSpace;
    use zune_jpeg::zune_core::options::DecoderOptions;
    let space = match channels {
        1 => ColorSpace::Luma,
        3 => ColorSpace::RGB,
        // Its CMYK keeps Adobe's inversion differently for YCCK; rather nothing than wrong colours.
        _ => return None,
    };
    let options = DecoderOptions::default()
        .jpeg_set_out_colorspace(space)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .set_strict_mode(false);
    zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(bytes), options).decode().ok()
}
