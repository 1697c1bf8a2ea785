//! Turns a raster into a network's input tensor, as its card says.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::raster::Raster;

use crate::card::{Channels, Filter, Fit, Input};

/// Where the picture lies in the tensor: pixels of the tensor per pixel of the picture.
///
/// Only whole pictures that begin at the tensor's top left are placed; a crop has no use for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Placement {
    /// The part of the tensor that the picture fills, width and height in pixels.
    pub(crate) filled: [f32; 2],
}

/// Returns the values, `[3, side, side]`, planes in the card's order, and the placement.
///
/// # Errors
/// `Broken` when the reduction fails, which it does not for a raster that has pixels.
pub(crate) fn from_raster(raster: &Raster, input: &Input) -> Result<(Vec<f32>, Placement), Fault> {
    let (width, height) = (f64::from(raster.width()), f64::from(raster.height()));
    let side = input.side;
    let (kept, fill) = match input.fit {
        Fit::Crop { .. } | Fit::Stretch => ([side, side], 0),
        Fit::Letterbox { fill } => {
            let scale = f64::from(side) / width.max(height);
            ([width, height].map(|length| ((length * scale).round() as u32).max(1)), fill)
        }
    };
    let mut options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(match input.filter {
        Filter::Bilinear => FilterType::Bilinear,
        Filter::Bicubic => FilterType::CatmullRom,
    }));
    if let Fit::Crop { margin } = input.fit {
        let edge = width.min(height) * f64::from(side) / f64::from(side + margin);
        options = options.crop((width - edge) / 2.0, (height - edge) / 2.0, edge, edge);
    }
    let small = resize(raster, kept, &options)
        .map_err(|error| Fault::broken(format!("cannot reduce {raster:?}")).because(error))?;
    let filled = kept.map(|length| length as f32);
    Ok((planes(&small, kept, fill, input), Placement { filled }))
}

/// Returns the tensor of the mirror image: left and right change places.
pub(crate) fn mirrored(values: &[f32], side: u32) -> Vec<f32> {
    values.chunks_exact(side as usize).flat_map(|row| row.iter().rev().copied()).collect()
}

fn resize(
    raster: &Raster,
    kept: [u32; 2],
    options: &ResizeOptions,
) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    let source = ImageRef::new(raster.width(), raster.height(), raster.rgb(), PixelType::U8x3)?;
    let mut small = Image::new(kept[0], kept[1], PixelType::U8x3);
    Resizer::new().resize(&source, &mut small, options)?;
    Ok(small.into_vec())
}

/// Spreads interleaved RGB into three planes, scaled; what the picture does not fill is filled.
fn planes(rgb: &[u8], [width, height]: [u32; 2], fill: u8, input: &Input) -> Vec<f32> {
    let (side, width, height) = (input.side as usize, width as usize, height as usize);
    let mut values = Vec::with_capacity(3 * side * side);
    for plane in 0..3 {
        let channel = match input.channels {
            Channels::Rgb => plane,
            Channels::Bgr => 2 - plane,
        };
        let scale = 1.0 / input.deviation[plane];
        let scaled = |value: u8| (f32::from(value) - input.mean[plane]) * scale;
        let empty = scaled(fill);
        for row in rgb.chunks_exact(width * 3) {
            values.extend(row[channel..].iter().step_by(3).map(|&value| scaled(value)));
            values.extend(std::iter::repeat_n(empty, side - width));
        }
        values.extend(std::iter::repeat_n(empty, side * (side - height)));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(fit: Fit, channels: Channels) -> Input {
        Input {
            side: 2,
            fit,
            filter: Filter::Bilinear,
            channels,
            mean: [10.0, 20.0, 30.0],
            deviation: [1.0, 2.0, 4.0],
            second_look: None,
        }
    }

    /// Left pixel red 110, green 120, blue 130; right pixel ten more each.
    fn pair() -> Raster {
        Raster::new(2, 1, vec![110, 120, 130, 120, 130, 140])
    }

    #[test]
    fn planes_come_in_order_scaled_by_their_own_mean_and_deviation() {
        let (values, _) = from_raster(&pair(), &input(Fit::Stretch, Channels::Rgb)).unwrap();
        let rgb = [100.0, 110.0, 100.0, 110.0, 50.0, 55.0, 50.0, 55.0, 25.0, 27.5, 25.0, 27.5];
        assert_eq!(values, rgb);
        let (values, _) = from_raster(&pair(), &input(Fit::Stretch, Channels::Bgr)).unwrap();
        assert_eq!(values[..2], [120.0, 130.0]);
        assert_eq!(values[8..10], [20.0, 22.5]);
    }

    #[test]
    fn a_letterbox_keeps_the_shape_at_the_top_left_and_fills_the_rest() {
        let fit = Fit::Letterbox { fill: 114 };
        let (values, placement) = from_raster(&pair(), &input(fit, Channels::Rgb)).unwrap();
        assert_eq!(values[..4], [100.0, 110.0, 104.0, 104.0]);
        assert_eq!(placement.filled, [2.0, 1.0]);
    }

    #[test]
    fn the_mirror_image_is_the_tensor_of_the_mirrored_picture() {
        let input = input(Fit::Stretch, Channels::Rgb);
        let (values, _) = from_raster(&pair(), &input).unwrap();
        let turned = Raster::new(2, 1, vec![120, 130, 140, 110, 120, 130]);
        assert_eq!(mirrored(&values, 2), from_raster(&turned, &input).unwrap().0);
    }

    #[test]
    fn a_crop_takes_the_centre() {
        // Six columns, the middle two bright; the shorter side is 2 and the margin 0.
        let row: Vec<u8> = [0, 0, 200, 200, 0, 0].iter().flat_map(|&v| [v, v, v]).collect();
        let raster = Raster::new(6, 2, row.repeat(2));
        let (values, _) =
            from_raster(&raster, &input(Fit::Crop { margin: 0 }, Channels::Rgb)).unwrap();
        assert_eq!(values[..4], [190.0; 4]);
    }

    #[test]
    fn the_thinnest_pictures_pass() {
        for (width, height) in [(1, 1), (1024, 1), (1, 1024)] {
            let raster = Raster::new(width, height, vec![7; (width * height * 3) as usize]);
            for fit in [Fit::Crop { margin: 32 }, Fit::Stretch, Fit::Letterbox { fill: 0 }] {
                let (values, _) = from_raster(&raster, &input(fit, Channels::Rgb)).unwrap();
                assert_eq!(values.len(), 12);
            }
        }
    }
}
