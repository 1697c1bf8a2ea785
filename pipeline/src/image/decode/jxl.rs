//! JPEG XL, through the `jxl` crate.

use jxl::api::{Event, JxlColorType, JxlDataFormat, JxlOutputBuffer, JxlPixelFormat};

use super::Frame;
use super::samples::{Layout, to_rgb};
use crate::fault::Fault;
use crate::image::Limits;
use crate::image::probe::jxl::{has_alpha, open};

/// Channels that a picture may have on the average, transparency and depth maps included.
const CHANNELS_ALLOWED: u64 = 5;

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Frame, Fault> {
    let damaged = |error: jxl::error::Error| {
        Fault::bad_input("the JPEG XL's picture data are damaged").because(error)
    };
    let samples_allowed = usize::try_from(limits.pixels.saturating_mul(CHANNELS_ALLOWED)).ok();
    let (mut decoder, info, mut rest) = open(bytes, samples_allowed)?;
    let layout = if has_alpha(&info) { Layout::Rgba } else { Layout::Rgb };
    let eight_bits = Some(JxlDataFormat::U8 { bit_depth: 8 });
    decoder
        .set_pixel_format(JxlPixelFormat {
            color_type: if layout == Layout::Rgba { JxlColorType::Rgba } else { JxlColorType::Rgb },
            color_data_format: eight_bits,
            extra_channel_format: vec![None; info.extra_channels.len()],
        })
        .map_err(damaged)?;
    let icc = decoder.output_color_profile().and_then(|p| p.try_as_icc().map(|icc| icc.to_vec()));
    let (width, height) = info.size;
    let row = width * layout.samples();
    let mut samples = vec![0; row * height];
    let mut cut = false;
    loop {
        let mut buffers = [JxlOutputBuffer::new(&mut samples, height, row)];
        match decoder.process(&mut rest, Some(&mut buffers), None).map_err(damaged)? {
            Event::FrameComplete { .. } | Event::Complete => break,
            Event::NeedMoreInput { .. } => {
                let drawn = decoder.flush_pixels(&mut buffers, None).map_err(damaged)?;
                if !drawn {
                    return Err(Fault::bad_input("the JPEG XL's picture data are cut off"));
                }
                cut = true;
                break;
            }
            Event::BasicInfo | Event::FrameHeader => {}
        }
    }
    let rgb = if layout == Layout::Rgb { samples } else { to_rgb(&samples, layout) };
    let mut frame = Frame::new(width as u32, height as u32, rgb).with_profile(icc.as_deref());
    frame.damage = cut.then(|| "truncated: finer details are missing".to_owned());
    Ok(frame)
}
