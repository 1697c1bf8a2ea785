//! Tells pictures in colour from grey and toned ones.
//!
//! A toned print (sepia, cyanotype, a yellowed scan) has a colour, but only one for each
//! lightness. So chroma is compared with what is usual at the same lightness in the same picture:
//! what strays from it is colour. A colour photograph of snow strays in few places, hence a high
//! percentile and not the mean.

use crate::assessment::Tone;
use crate::raster::Raster;

/// About so many pixels are looked at, on a regular grid of small blocks.
const LOOKED_AT: f32 = 16_000.0;
/// The side of the blocks that are averaged, so that noise and coding errors do not count as colour.
const BLOCK: usize = 3;
/// Lightness is told apart in so many steps.
const STEPS: usize = 16;
/// The share of the picture that may stray before it counts.
const PERCENTILE: f32 = 0.99;
/// Strays below this are coding errors and noise, in units of 8-bit YCbCr.
const COLOUR_FROM: f32 = 5.0;
/// A usual chroma from this on is a tone that people see.
const TONED_FROM: f32 = 4.0;
/// A tone from this on may have aged unevenly: it strays, but in depth and not in hue.
const AGED_FROM: f32 = 16.0;
/// The most that an uneven tone strays.
const AGED_TO: f32 = 18.0;
/// Strays to the side of the tone from this on are another hue.
const HUE_FROM: f32 = 5.0;

/// Tells the tone, and the chroma that strays ([`crate::assessment::Assessment::chroma`]).
pub(crate) fn tone(picture: &Raster) -> (Tone, f32) {
    let samples = samples(picture);
    let mut usual = [[0.0_f32; 3]; STEPS];
    for &[y, cb, cr] in &samples {
        let sums = &mut usual[step(y)];
        sums[0] += 1.0;
        sums[1] += cb;
        sums[2] += cr;
    }
    let count = samples.len() as f32;
    let tint = usual.iter().fold([0.0; 2], |[b, r], [_, cb, cr]| [b + cb / count, r + cr / count]);
    for [count, cb, cr] in &mut usual {
        *cb /= count.max(1.0);
        *cr /= count.max(1.0);
    }
    let strays = samples.iter().map(|&[y, cb, cr]| {
        let [_, usual_cb, usual_cr] = usual[step(y)];
        [cb - usual_cb, cr - usual_cr]
    });
    let mut lengths: Vec<f32> = strays.clone().map(|[cb, cr]| cb.hypot(cr)).collect();
    let chroma = percentile(&mut lengths);
    let depth = tint[0].hypot(tint[1]);
    let mut aside: Vec<f32> = strays
        .map(|[cb, cr]| (cb * tint[1] - cr * tint[0]).abs() / depth.max(f32::MIN_POSITIVE))
        .collect();
    let aside = percentile(&mut aside);
    let one_hue = depth >= AGED_FROM && aside < HUE_FROM && chroma < AGED_TO;
    let tone = match (chroma >= COLOUR_FROM && !one_hue, depth >= TONED_FROM) {
        (true, _) => Tone::Colour,
        (false, true) => Tone::Toned,
        (false, false) => Tone::Grey,
    };
    (tone, chroma)
}

fn percentile(values: &mut [f32]) -> f32 {
    let at = ((values.len() - 1) as f32 * PERCENTILE) as usize;
    *values.select_nth_unstable_by(at, f32::total_cmp).1
}

fn step(y: f32) -> usize {
    (y as usize * STEPS / 256).min(STEPS - 1)
}

/// Averages of small blocks all over the picture, as Y, Cb, Cr with chroma around zero (JFIF).
fn samples(picture: &Raster) -> Vec<[f32; 3]> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let (block_width, block_height) = (BLOCK.min(width), BLOCK.min(height));
    let apart = ((width * height) as f32 / LOOKED_AT).sqrt().max(1.0) as usize;
    let mut samples = Vec::new();
    for top in (0..=height - block_height).step_by(apart.max(block_height)) {
        for left in (0..=width - block_width).step_by(apart.max(block_width)) {
            let mut sums = [0.0_f32; 3];
            for row in top..top + block_height {
                let at = (row * width + left) * 3;
                for pixel in picture.rgb()[at..at + block_width * 3].chunks_exact(3) {
                    for (sum, &value) in sums.iter_mut().zip(pixel) {
                        *sum += f32::from(value);
                    }
                }
            }
            let [r, g, b] = sums.map(|sum| sum / (block_width * block_height) as f32);
            let y = 0.299 * r + 0.587 * g + 0.114 * b;
            samples.push([y, (b - y) * 0.564, (r - y) * 0.713]);
        }
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ramp from dark to light, each pixel coloured by `paint`.
    fn ramp(paint: impl Fn(u32, u32) -> [u8; 3]) -> Raster {
        let (width, height) = (256, 192);
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Raster::new(width, height, pixels.flat_map(|(x, y)| paint(x, y)).collect())
    }

    #[test]
    fn grey_toned_and_coloured_pictures_are_told_apart() {
        assert_eq!(tone(&ramp(|x, _| [x as u8; 3])).0, Tone::Grey);
        let sepia = |x: u32, _| [x as u8, (x * 9 / 10) as u8, (x * 7 / 10) as u8];
        assert_eq!(tone(&ramp(sepia)).0, Tone::Toned);
        // Grey all over but for a small red thing.
        let red = |x: u32, y: u32| if x < 40 && y < 40 { [200, 30, 30] } else { [x as u8; 3] };
        assert_eq!(tone(&ramp(red)).0, Tone::Colour);
    }

    #[test]
    fn coding_noise_is_no_colour() {
        let noisy = |x: u32, y: u32| {
            let noise = (x * 7 + y * 13) % 9;
            [(x / 2 + noise) as u8, (x / 2 + 4) as u8, (x / 2 + 8 - noise) as u8]
        };
        assert!(tone(&ramp(noisy)).0.is_monochrome());
    }

    #[test]
    fn the_smallest_pictures_pass() {
        for (width, height) in [(1, 1), (2, 5), (1, 300)] {
            let picture = Raster::new(width, height, vec![9; (width * height * 3) as usize]);
            assert_eq!(tone(&picture).0, Tone::Grey);
        }
    }
}
