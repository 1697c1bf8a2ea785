//! JPEG 2000, boxed or bare, through `hayro-jpeg2000`.

use hayro_jpeg2000::{ColorSpace, DecodeSettings, DecoderContext, Image};

use super::Frame;
use super::samples::{Layout, on_white, to_rgb};
use crate::fault::Fault;
use crate::image::{Limits, colour};

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Frame, Fault> {
    let damaged = |error: hayro_jpeg2000::error::DecodeError| {
        Fault::bad_input("the JPEG 2000's picture data are damaged").because(error.to_string())
    };
    // Not strict: a cut codestream still gives its coarser details.
    let settings = DecodeSettings { strict: false, ..DecodeSettings::default() };
    let image = Image::new(bytes, &settings).map_err(damaged)?;
    // What the codestream says, which the boxes around it may not.
    limits.check_dimensions(image.width(), image.height())?;
    let (width, height) = (image.width(), image.height());
    let mut context = DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(damaged)?;
    let channels = decoded.components().len();
    let pixels = width as usize * height as usize;
    if decoded.components().iter().any(|component| component.samples().len() < pixels) {
        return Err(Fault::unsupported("JPEG 2000 with components of different sizes"));
    }
    let samples = decoded.data_u8();
    let (space, icc) = match image.color_space() {
        ColorSpace::Icc { profile, num_channels } => (*num_channels, Some(profile.as_slice())),
        other => (other.num_channels(), None),
    };
    let (rgb, note) = match (space, channels, image.has_alpha()) {
        (4, 4 | 5, _) => cmyk(&samples, channels, icc),
        (_, 1, _) => (to_rgb(&samples, Layout::Grey), None),
        (_, 2, _) => (to_rgb(&samples, Layout::GreyAlpha), None),
        (_, 3, _) => (samples, None),
        (_, 4, true) => (to_rgb(&samples, Layout::Rgba), None),
        _ => return Err(Fault::unsupported(format!("JPEG 2000 with {channels} channels"))),
    };
    let frame = Frame { note, ..Frame::new(width, height, rgb) };
    Ok(if space == 4 { frame } else { frame.with_profile(icc) })
}

fn cmyk(samples: &[u8], channels: usize, icc: Option<&[u8]>) -> (Vec<u8>, Option<String>) {
    if channels == 4 {
        return colour::cmyk_to_srgb(samples, icc);
    }
    let inks: Vec<u8> = samples.chunks_exact(5).flat_map(|pixel| &pixel[..4]).copied().collect();
    let (mut rgb, note) = colour::cmyk_to_srgb(&inks, icc);
    for (rgb, pixel) in rgb.chunks_exact_mut(3).zip(samples.chunks_exact(5)) {
        rgb.iter_mut().for_each(|sample| *sample = on_white(*sample, pixel[4]));
    }
    (rgb, note)
}
