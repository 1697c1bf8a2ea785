//! Damage of known strength, the same for the same seed: what assess and restore are measured with.

use glassplate_pipeline::raster::Raster;

/// A generator of numbers that only has to look random (xorshift, Marsaglia 2003).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// Begins at a seed.
    pub fn new(seed: u64) -> Self {
        let mut chance = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        (0..16).for_each(|_| _ = chance.unit());
        chance
    }

    fn unit(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 40) as f32 + 0.5) / (1_u64 << 24) as f32
    }

    /// A number of the normal distribution (Box and Muller).
    pub fn normal(&mut self) -> f32 {
        let length = (-2.0 * self.unit().ln()).sqrt();
        length * (std::f32::consts::TAU * self.unit()).cos()
    }
}

/// Adds noise of this deviation to each channel.
pub fn noisy(picture: &Raster, sigma: f32, seed: u64) -> Raster {
    let mut chance = Chance::new(seed);
    let values =
        picture.rgb().iter().map(|&value| byte(f32::from(value) + sigma * chance.normal()));
    Raster::new(picture.width(), picture.height(), values.collect())
}

/// Blurs by a Gaussian of this sigma; beyond its edge the picture is mirrored.
pub fn blurred(picture: &Raster, sigma: f32) -> Raster {
    let reach = (sigma * 4.0).ceil() as i32;
    let kernel: Vec<f32> =
        (-reach..=reach).map(|at| (-(at * at) as f32 / (2.0 * sigma * sigma)).exp()).collect();
    folded(&folded(picture, &kernel, (1, 0)), &kernel, (0, 1))
}

/// Moves by so many pixels across, as a camera does while the shutter is open.
pub fn moved(picture: &Raster, pixels: usize) -> Raster {
    folded(picture, &vec![1.0; pixels], (1, 0))
}

/// Takes all colour away; lightness stays, as luma of BT.601.
pub fn greyed(picture: &Raster) -> Raster {
    let grey = |pixel: &[u8]| {
        let [r, g, b] = [pixel[0], pixel[1], pixel[2]].map(f32::from);
        [byte(0.299 * r + 0.587 * g + 0.114 * b); 3]
    };
    let rgb = picture.rgb().chunks_exact(3).flat_map(grey).collect();
    Raster::new(picture.width(), picture.height(), rgb)
}

fn folded(picture: &Raster, kernel: &[f32], (dx, dy): (i32, i32)) -> Raster {
    let (width, height) = (picture.width() as i32, picture.height() as i32);
    let sum: f32 = kernel.iter().sum();
    let reach = kernel.len() as i32 / 2;
    let mirrored = |at: i32, length: i32| {
        let at = if at < 0 { -at } else { at };
        (if at >= length { 2 * length - 2 - at } else { at }).clamp(0, length - 1)
    };
    let mut rgb = Vec::with_capacity(picture.rgb().len());
    for y in 0..height {
        for x in 0..width {
            let mut sums = [0.0_f32; 3];
            for (at, weight) in (-reach..).zip(kernel) {
                let (x, y) = (mirrored(x + dx * at, width), mirrored(y + dy * at, height));
                let pixel = &picture.rgb()[((y * width + x) * 3) as usize..][..3];
                for (sum, &value) in sums.iter_mut().zip(pixel) {
                    *sum += weight * f32::from(value);
                }
            }
            rgb.extend(sums.map(|value| byte(value / sum)));
        }
    }
    Raster::new(picture.width(), picture.height(), rgb)
}

fn byte(value: f32) -> u8 {
    (value + 0.5).clamp(0.0, 255.0) as u8
}

/// The peak signal-to-noise ratio of two pictures of one size over all channels, in decibels.
pub fn psnr(one: &Raster, other: &Raster) -> f64 {
    let squares: f64 = one
        .rgb()
        .iter()
        .zip(other.rgb())
        .map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2))
        .sum();
    decibels(squares / one.rgb().len() as f64)
}

/// The same of luma alone, as papers on upscaling have it (BT.601, 16 to 235), leaving out a
/// border of so many pixels.
pub fn psnr_of_luma(one: &Raster, other: &Raster, border: u32) -> f64 {
    let luma = |pixel: &[u8]| {
        let [r, g, b] = [pixel[0], pixel[1], pixel[2]].map(f64::from);
        16.0 + (65.481 * r + 128.553 * g + 24.966 * b) / 255.0
    };
    let (width, height) = (one.width(), one.height());
    let (mut squares, mut count) = (0.0, 0.0);
    for y in border..height - border {
        for x in border..width - border {
            let at = ((y * width + x) * 3) as usize;
            squares += (luma(&one.rgb()[at..]) - luma(&other.rgb()[at..])).powi(2);
            count += 1.0;
        }
    }
    decibels(squares / count)
}

fn decibels(mean_square: f64) -> f64 {
    10.0 * (255.0 * 255.0 / mean_square.max(1e-9)).log10()
}

/// How colourful a picture is (Hasler and Suesstrunk, Measuring Colourfulness, 2003).
pub fn colourfulness(picture: &Raster) -> f64 {
    let count = picture.rgb().len() as f64 / 3.0;
    let mut sums = [0.0_f64; 4];
    for pixel in picture.rgb().chunks_exact(3) {
        let [r, g, b] = [pixel[0], pixel[1], pixel[2]].map(f64::from);
        let (rg, yb) = (r - g, 0.5 * (r + g) - b);
        for (sum, value) in sums.iter_mut().zip([rg, yb, rg * rg, yb * yb]) {
            *sum += value;
        }
    }
    let [rg, yb, rg2, yb2] = sums.map(|sum| sum / count);
    let spread = (rg2 - rg * rg + yb2 - yb * yb).max(0.0).sqrt();
    spread + 0.3 * rg.hypot(yb)
}

/// The mean distance of chroma (YCbCr) between two pictures.
pub fn chroma_error(one: &Raster, other: &Raster) -> f64 {
    let chroma = |pixel: &[u8]| {
        let [r, g, b] = [pixel[0], pixel[1], pixel[2]].map(f64::from);
        let y = 0.299 * r + 0.587 * g + 0.114 * b;
        [(b - y) * 0.564, (r - y) * 0.713]
    };
    let pairs = one.rgb().chunks_exact(3).zip(other.rgb().chunks_exact(3));
    let sum: f64 = pairs
        .map(|(a, b)| {
            let ([cb, cr], [other_cb, other_cr]) = (chroma(a), chroma(b));
            (cb - other_cb).hypot(cr - other_cr)
        })
        .sum();
    sum / (one.rgb().len() as f64 / 3.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(value: u8) -> Raster {
        Raster::new(64, 64, vec![value; 64 * 64 * 3])
    }

    #[test]
    fn damage_has_the_strength_that_was_asked_for() {
        let flat = grey(128);
        let found = psnr(&noisy(&flat, 25.0, 1), &flat);
        assert!((found - 20.17).abs() < 0.2, "{found}");
        assert_eq!(noisy(&flat, 5.0, 3).rgb(), noisy(&flat, 5.0, 3).rgb());
        assert_eq!(blurred(&flat, 2.0).rgb(), flat.rgb());
        assert_eq!(moved(&flat, 9).rgb(), flat.rgb());
        assert!(colourfulness(&greyed(&noisy(&flat, 20.0, 2))) < 1e-6);
    }
}
