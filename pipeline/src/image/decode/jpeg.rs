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
    let row = usize::from(header.width) * channels;
    let height = u32::from(header.height);
    let mut samples = vec![UNDECODED; row * height as usize];
    let decoded = |samples, damage| JpegSamples {
        width: header.width.into(),
        height,
        samples,
        channels,
        damage,
    };
    let Err(mut error) = decode_by_turbo(bytes, header, format, &mut samples) else {
        return Ok(decoded(samples, None));
    };
    let mut undecoded = blank_rows(&samples, row);
    if undecoded == height {
        // Stray bytes between segments are only a warning, but turbojpeg stops at those.
        match decode_by_turbo(&tidied(bytes), header, format, &mut samples) {
            Ok(()) => {
                let damage = "damaged: stray bytes between segments".to_owned();
                return Ok(decoded(samples, Some(damage)));
            }
            Err(again) => error = again,
        }
        undecoded = blank_rows(&samples, row);
    }
    // libjpeg-turbo reports warnings as errors; the rows then are there all the same.
    if undecoded < height {
        samples.rchunks_exact_mut(row).take(undecoded as usize).for_each(|row| row.fill(128));
        let words = error.to_string();
        let filled = filled_rows(&samples, row, channels);
        let damage = if undecoded > 0 {
            truncated(height - undecoded, height)
        } else if words.contains("Premature end") && filled > 0 {
            truncated(height - filled, height)
        } else {
            format!("damaged: {}", words.trim_start_matches("TurboJPEG error: ").to_lowercase())
        };
        return Ok(decoded(samples, Some(damage)));
    }
    let damaged = |error| Fault::bad_input("the JPEG's picture data are damaged").because(error);
    let samples = decode_by_zune(bytes, channels)
        .filter(|zune| zune.len() == samples.len())
        .ok_or_else(|| damaged(error))?;
    Ok(decoded(samples, Some("damaged: read by the tolerant decoder".to_owned())))
}

fn decode_by_turbo(
    bytes: &[u8],
    header: &JpegHeader,
    format: PixelFormat,
    samples: &mut [u8],
) -> turbojpeg::Result<()> {
    let (width, height) = (usize::from(header.width), usize::from(header.height));
    let image = Image { pixels: samples, width, height, pitch: width * format.size(), format };
    let mut turbo = Decompressor::new()?;
    turbo.set_scan_limit(MOST_SCANS)?;
    turbo.decompress(bytes, image)
}

/// Leaves out what lies between the segments before the first scan.
fn tidied(bytes: &[u8]) -> Vec<u8> {
    let mut tidy = b"\xff\xd8".to_vec();
    let mut end = 0;
    for segment in jpeg::segments(bytes) {
        tidy.extend([0xff, segment.marker]);
        tidy.extend(&bytes[segment.end - segment.body.len() - 2..segment.end]);
        end = segment.end;
    }
    tidy.extend(&bytes[end..]);
    tidy
}

/// Counts the rows at the end that no decoder has touched.
fn blank_rows(samples: &[u8], row: usize) -> u32 {
    let blank = |row: &&[u8]| row.iter().all(|&sample| sample == UNDECODED);
    samples.rchunks_exact(row).take_while(blank).count() as u32
}

/// Counts the rows at the end that libjpeg filled with one colour because the data had ended.
fn filled_rows(samples: &[u8], row: usize, channels: usize) -> u32 {
    let Some(last) = samples.rchunks_exact(channels).next() else { return 0 };
    let same = |row: &&[u8]| row.chunks_exact(channels).all(|pixel| pixel == last);
    let filled = samples.rchunks_exact(row).take_while(same).count();
    // A picture of one colour is not an empty one.
    if filled * row == samples.len() { 0 } else { filled as u32 }
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
