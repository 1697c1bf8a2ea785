//! JPEG XL headers, boxed or bare.
//!
//! Source: ISO/IEC 18181-1 annex D (image header); read by the `jxl` crate, which bundles bits
//! too densely for a reader of our own to be worth its tests.

use jxl::api::{Event, JxlBasicInfo, JxlColorProfile, JxlDecoder, JxlDecoderOptions};

use super::damaged;
use crate::fault::Fault;
use crate::image::{ColourModel, Format, Technical, colour};

pub(super) fn probe(bytes: &[u8]) -> Result<Technical, Fault> {
    let (decoder, info, _) = open(bytes, None)?;
    let side = |side: usize| side.try_into().unwrap_or(u32::MAX);
    let (width, height) = (side(info.size.0), side(info.size.1));
    let profile = decoder.embedded_color_profile();
    let model = match profile {
        Some(JxlColorProfile::Simple(encoding)) if encoding.channels() == 1 => ColourModel::Grey,
        Some(profile) if profile.is_cmyk() => ColourModel::Cmyk,
        _ => ColourModel::Rgb,
    };
    let mut technical = Technical::plain(Format::Jxl, width, height, model);
    technical.bit_depth = info.bit_depth.bits_per_sample().try_into().unwrap_or(u8::MAX);
    technical.alpha = has_alpha(&info);
    technical.orientation = info.orientation as u8;
    if let Some(JxlColorProfile::Icc(icc)) = profile {
        technical.icc = colour::icc_description(icc);
    }
    Ok(technical)
}

/// Reads up to the first frame; gives the decoder, the header and the bytes not yet read.
///
/// `samples` bounds what later decoding may allocate, as pixels times channels.
pub(crate) fn open(
    bytes: &[u8],
    samples: Option<usize>,
) -> Result<(JxlDecoder, JxlBasicInfo, &[u8]), Fault> {
    // Orientation is applied once, for all formats alike, after decoding.
    let mut options = JxlDecoderOptions::default();
    options.adjust_orientation = false;
    options.sample_limit = samples;
    let mut decoder = JxlDecoder::new(options);
    let mut rest = bytes;
    match decoder.process(&mut rest, None, None) {
        Ok(Event::BasicInfo) => {}
        Ok(_) => return Err(damaged(Format::Jxl, "the file ends inside it")),
        Err(error) => return Err(Fault::bad_input("damaged JPEG XL header").because(error)),
    }
    let info = decoder.basic_info().cloned();
    let info = info.ok_or_else(|| damaged(Format::Jxl, "the file ends inside it"))?;
    Ok((decoder, info, rest))
}

/// Whether one of the extra channels is transparency.
pub(crate) fn has_alpha(info: &JxlBasicInfo) -> bool {
    // The crate keeps the names of the kinds to itself; the standard's number for alpha is 0.
    info.extra_channels.iter().any(|channel| channel.ec_type as u32 == 0)
}
