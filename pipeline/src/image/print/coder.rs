//! Coding a print: its tones, then its format.

use super::turn::Sheet;
use super::{PrintFormat, QUALITY, Tones};
use crate::fault::Fault;
use crate::image::jpeg::turbo;
use crate::image::plane::{Plane, Planes};

/// From which luma on a bitonal print is white.
const HALF: u8 = 128;

/// Codes a print in some tones.
///
/// # Errors
/// `Broken` when memory runs out.
pub(super) fn code(sheet: Sheet, tones: Tones, format: PrintFormat) -> Result<Vec<u8>, Fault> {
    let luma = match tones {
        Tones::Colour => None,
        Tones::Grey => Some(luma(&sheet.rgb)),
        Tones::Bitonal => {
            let bit = |luma: u8| if luma < HALF { 0 } else { 255 };
            Some(luma(&sheet.rgb).into_iter().map(bit).collect())
        }
    };
    match format {
        PrintFormat::Jpeg => jpeg(&sheet, luma),
        PrintFormat::Png => png(sheet, luma, tones),
        PrintFormat::Webp => webp(sheet, luma),
    }
}

/// Luma by BT.601, in fixed point as libjpeg has it (JFIF 1.02, section 7).
fn luma(rgb: &[u8]) -> Vec<u8> {
    let of = |pixel: &[u8]| {
        let [r, g, b] = [pixel[0], pixel[1], pixel[2]].map(u32::from);
        ((19_595 * r + 38_470 * g + 7_471 * b + 32_768) >> 16) as u8
    };
    rgb.chunks_exact(3).map(of).collect()
}

fn jpeg(sheet: &Sheet, luma: Option<Vec<u8>>) -> Result<Vec<u8>, Fault> {
    let (width, height) = (sheet.width, sheet.height);
    let planes = match luma {
        None => turbo::planes_of_rgb(&sheet.rgb, width, height)?,
        Some(samples) => {
            let plane = Plane::grey(width as usize, height as usize);
            Planes { width, height, luma: Plane { samples, ..plane }, chroma: None }
        }
    };
    turbo::compress(&planes, QUALITY, None)
}

fn png(sheet: Sheet, luma: Option<Vec<u8>>, tones: Tones) -> Result<Vec<u8>, Fault> {
    use png::{BitDepth, ColorType, Compression, Encoder, SrgbRenderingIntent};

    let wrong = |cause| Fault::broken("cannot code a PNG").because(cause);
    let (width, height) = (sheet.width, sheet.height);
    let (colour, depth, samples) = match (luma, sheet.cover, tones) {
        (Some(luma), None, Tones::Bitonal) => {
            (ColorType::Grayscale, BitDepth::One, bits(&luma, width as usize))
        }
        (Some(luma), None, _) => (ColorType::Grayscale, BitDepth::Eight, luma),
        (Some(luma), Some(cover), _) => {
            (ColorType::GrayscaleAlpha, BitDepth::Eight, interleaved::<1>(&luma, &cover))
        }
        (None, None, _) => (ColorType::Rgb, BitDepth::Eight, sheet.rgb),
        (None, Some(cover), _) => {
            (ColorType::Rgba, BitDepth::Eight, interleaved::<3>(&sheet.rgb, &cover))
        }
    };
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width, height);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    // A tile is sent once; a tenth fewer bytes are not worth several times the work.
    encoder.set_compression(Compression::Fast);
    encoder.set_source_srgb(SrgbRenderingIntent::Perceptual);
    let mut writer = encoder.write_header().map_err(wrong)?;
    writer.write_image_data(&samples).map_err(wrong)?;
    writer.finish().map_err(wrong)?;
    Ok(file)
}

fn webp(sheet: Sheet, luma: Option<Vec<u8>>) -> Result<Vec<u8>, Fault> {
    let rgb = match luma {
        Some(luma) => luma.into_iter().flat_map(|grey| [grey; 3]).collect(),
        None => sheet.rgb,
    };
    let (width, height) = (sheet.width, sheet.height);
    let pixels = sheet.cover.map(|cover| interleaved::<3>(&rgb, &cover));
    let encoder = match &pixels {
        Some(rgba) => webp::Encoder::from_rgba(rgba, width, height),
        None => webp::Encoder::from_rgb(&rgb, width, height),
    };
    encoder
        .encode_simple(false, f32::from(QUALITY))
        .map(|file| file.to_vec())
        .map_err(|cause| Fault::broken(format!("cannot code a WebP: {cause:?}")))
}

/// Packs black and white eight to a byte, rows apart, the first in the highest bit.
fn bits(luma: &[u8], width: usize) -> Vec<u8> {
    let byte = |eight: &[u8]| {
        eight.iter().enumerate().fold(0, |byte, (at, &luma)| byte | (luma & 0x80) >> at)
    };
    luma.chunks_exact(width).flat_map(|row| row.chunks(8).map(byte)).collect()
}

/// Puts cover behind each pixel of `N` samples.
fn interleaved<const N: usize>(samples: &[u8], cover: &[u8]) -> Vec<u8> {
    let pixels = samples.chunks_exact(N).zip(cover);
    pixels.flat_map(|(pixel, &cover)| pixel.iter().copied().chain([cover])).collect()
}
