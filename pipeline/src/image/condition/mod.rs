//! The condition of a picture: noise, blur, contrast, blocks and borders, from its pixels alone.
//!
//! Everything is measured on one channel in one pass each, without a network. The figures were
//! calibrated against damage of known strength; `bench-assess` prints how far off they are.

mod blocks;
mod blur;
mod border;
mod noise;

use crate::assessment::Condition;
use crate::raster::Raster;

/// One channel of a picture, packed, in units of 8 bits.
struct Channel {
    width: usize,
    height: usize,
    samples: Vec<f32>,
}

impl Channel {
    fn row(&self, y: usize) -> &[f32] {
        &self.samples[y * self.width..][..self.width]
    }

    /// The mean of each block of 2 x 2: half the size, half the noise.
    fn halved(&self) -> Self {
        let (width, height) = (self.width / 2, self.height / 2);
        let mut samples = Vec::with_capacity(width * height);
        for y in 0..height {
            let (upper, lower) = (self.row(2 * y), self.row(2 * y + 1));
            let pairs = upper.chunks_exact(2).zip(lower.chunks_exact(2));
            samples.extend(pairs.map(|(a, b)| (a[0] + a[1] + b[0] + b[1]) * 0.25));
        }
        Self { width, height, samples }
    }
}

/// Measures the condition of a working raster.
pub(crate) fn condition(picture: &Raster) -> Condition {
    let green = green(picture);
    let border = border::border(&green);
    let noise = noise::noise(&green);
    let blur = blur::blur(&green, noise);
    let (contrast, paper) = range(&green, border);
    Condition {
        noise: rounded(noise),
        blur: blur.map(|found| rounded(found.sigma)),
        motion: blur.is_some_and(|found| found.motion),
        contrast: rounded(contrast),
        blockiness: rounded(blocks::blockiness(&green)),
        border: border.map(rounded),
        paper: rounded(paper),
    }
}

/// Green is most of lightness, and noise of equal strength in each channel has its full strength
/// there, as it would not have in a weighted sum.
fn green(picture: &Raster) -> Channel {
    Channel {
        width: picture.width() as usize,
        height: picture.height() as usize,
        samples: picture.rgb().chunks_exact(3).map(|pixel| f32::from(pixel[1])).collect(),
    }
}

/// The share of the tonal range in use, and the share of pixels as light as the lightest, both
/// within the border.
fn range(green: &Channel, border: [f32; 4]) -> (f32, f32) {
    /// Paper is no darker than this, and that much darker than the lightest at most.
    const PAPER: (usize, usize) = (150, 40);

    let inner = |side: usize, before: f32, after: f32| {
        let first = (side as f32 * before) as usize;
        (first, (side - (side as f32 * after) as usize).max(first + 1))
    };
    let (left, right) = inner(green.width, border[0], border[2]);
    let (top, bottom) = inner(green.height, border[1], border[3]);
    let mut counts = [0_usize; 256];
    for y in (top..bottom).step_by(2) {
        for &sample in &green.row(y)[left..right] {
            counts[sample as usize] += 1;
        }
    }
    let all: usize = counts.iter().sum();
    let percentile = |share: f32| {
        let wanted = (all as f32 * share) as usize;
        let mut sum = 0;
        counts.iter().position(|count| {
            sum += count;
            sum > wanted
        })
    };
    let (dark, light) = (percentile(0.01).unwrap_or(0), percentile(0.99).unwrap_or(255));
    let paper: usize = counts[light.saturating_sub(PAPER.1).max(PAPER.0)..].iter().sum();
    ((light - dark) as f32 / 255.0, paper as f32 / all as f32)
}

/// Two decimals: more would be noise in every record.
fn rounded(value: f32) -> f32 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uniform noise of the standard deviation `sigma`, the same for the same place.
    fn noise_at(x: u32, y: u32, sigma: f32) -> f32 {
        let mut state = (u64::from(x) << 32 | u64::from(y)) + 1;
        for _ in 0..3 {
            state = (state ^ (state >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        ((state >> 40) as f32 / (1 << 24) as f32 - 0.5) * sigma * 12_f32.sqrt()
    }

    fn picture(paint: impl Fn(u32, u32) -> f32) -> Raster {
        let (width, height) = (256, 192);
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let rgb = pixels.flat_map(|(x, y)| [paint(x, y).round().clamp(0.0, 255.0) as u8; 3]);
        Raster::new(width, height, rgb.collect())
    }

    /// Tiles of 32 pixels with edges as soft as a Gaussian of `sigma` makes them.
    fn tiles(x: u32, y: u32, sigma: [f32; 2]) -> f32 {
        let edge = |at: u32, sigma: f32| {
            let near = (at % 64) as f32 - 31.5;
            let near = if near.abs() > 16.0 { (near.abs() - 32.0) * -near.signum() } else { near };
            near / (near * near + sigma * sigma * 2.0).sqrt()
        };
        128.0 + 80.0 * edge(x, sigma[0]) * edge(y, sigma[1])
    }

    #[test]
    fn noise_is_measured_whatever_the_picture_shows() {
        for sigma in [5.0, 15.0, 30.0] {
            let noisy = picture(|x, y| tiles(x, y, [1.0, 1.0]) + noise_at(x, y, sigma));
            let found = condition(&noisy).noise;
            assert!((found - sigma).abs() < sigma * 0.2, "{sigma}: {found}");
        }
        assert!(condition(&picture(|x, y| tiles(x, y, [1.0, 1.0]))).noise < 1.5);
    }

    #[test]
    fn a_softer_picture_has_a_greater_blur_and_one_direction_is_motion() {
        let of = |sigma| condition(&picture(|x, y| tiles(x, y, sigma)));
        let [sharp, soft] = [[0.5, 0.5], [3.0, 3.0]].map(|s| of(s).blur.expect("edges"));
        assert!(soft > 2.0 * sharp, "{sharp} {soft}");
        assert!(of([4.0, 0.5]).motion && !of([4.0, 4.0]).motion);
        assert_eq!(condition(&picture(|_, _| 90.0)).blur, None);
    }

    #[test]
    fn a_faded_picture_has_little_contrast_and_a_border_does_not_count() {
        let faded = |x, y| 150.0 + (tiles(x, y, [1.0, 1.0]) - 128.0) / 4.0;
        assert!(condition(&picture(faded)).contrast < 0.3);
        let framed = |x: u32, y: u32| if x < 20 { 3.0 } else { faded(x, y) };
        let found = condition(&picture(framed));
        assert!((found.border[0] - 20.0 / 256.0).abs() < 0.01, "{:?}", found.border);
        assert_eq!(found.border[1..], [0.0; 3]);
        assert!(found.contrast < 0.3, "{}", found.contrast);
    }

    #[test]
    fn blocks_of_eight_stand_out_and_even_pictures_have_none() {
        let blocky = |x: u32, y: u32| 120.0 + noise_at(x / 8, y / 8, 8.0);
        assert!(condition(&picture(blocky)).blockiness > 2.0);
        assert!(condition(&picture(|x, _| x as f32)).blockiness < 0.2);
    }

    #[test]
    fn the_smallest_pictures_pass() {
        for (width, height) in [(1, 1), (2, 5), (1, 300), (9, 9), (300, 2)] {
            let found =
                condition(&Raster::new(width, height, vec![9; (width * height * 3) as usize]));
            assert!(found.noise.abs() < 0.01 && found.blur.is_none(), "{found:?}");
        }
    }
}
