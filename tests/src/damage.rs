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

/// A picture with dust and scratches on it, and which of its pixels they changed visibly.
#[derive(Debug, Clone)]
pub struct Dusty {
    /// The damaged picture.
    pub picture: Raster,
    /// Whether each pixel differs by 10 of 255 or more.
    pub hit: Vec<bool>,
}

impl Dusty {
    /// How many of the pixels that were hit are less than half as far from the truth in `made`.
    pub fn mended_in(&self, made: &Raster, truth: &Raster) -> usize {
        let off = |picture: &Raster, at: usize| -> u32 {
            let pairs = picture.rgb()[at * 3..][..3].iter().zip(&truth.rgb()[at * 3..]);
            pairs.map(|(a, b)| u32::from(a.abs_diff(*b))).sum()
        };
        let hit = (0..self.hit.len()).filter(|&at| self.hit[at]);
        hit.filter(|&at| off(made, at) * 2 <= off(&self.picture, at)).count()
    }
}

/// Puts dust onto a picture, 150 specks a megapixel of up to 3.5 pixels of radius, and three
/// scratches up to 2.5 pixels wide, two of them upright and one level; two in three are light.
pub fn dusty(picture: &Raster, seed: u64) -> Dusty {
    let mut chance = Chance::new(seed);
    let mut sheet = Sheet {
        width: picture.width() as f32,
        height: picture.height() as f32,
        rgb: picture.rgb().to_vec(),
    };
    for _ in 0..(sheet.width * sheet.height * 150e-6) as usize {
        sheet.speck(&mut chance);
    }
    for level in [false, false, true] {
        sheet.scratch(&mut chance, level);
    }
    let pairs = sheet.rgb.chunks_exact(3).zip(picture.rgb().chunks_exact(3));
    let hit = pairs.map(|(a, b)| a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) >= 10)).collect();
    Dusty { picture: Raster::new(picture.width(), picture.height(), sheet.rgb), hit }
}

/// A picture that is being damaged.
struct Sheet {
    width: f32,
    height: f32,
    rgb: Vec<u8>,
}

impl Sheet {
    fn speck(&mut self, chance: &mut Chance) {
        let middle = [self.width * chance.unit(), self.height * chance.unit()];
        let (radius, long) = (0.8 + 2.7 * chance.unit().powi(2), 1.0 + 0.5 * chance.unit());
        let (tone, cover) = (tone(chance), 0.6 + 0.4 * chance.unit());
        let reach = (radius * long + 1.0).ceil() as i32;
        for y in -reach..=reach {
            for x in -reach..=reach {
                let off = (x as f32 / long).hypot(y as f32 * long);
                let cover = cover * (radius + 0.5 - off).clamp(0.0, 1.0);
                self.cover(middle[0] + x as f32, middle[1] + y as f32, tone, cover);
            }
        }
    }

    fn scratch(&mut self, chance: &mut Chance, level: bool) {
        let (along, across) =
            if level { (self.width, self.height) } else { (self.height, self.width) };
        let length = along * (0.4 + 0.6 * chance.unit());
        let first = (along - length) * chance.unit();
        let (start, lean) = (across * (0.08 + 0.84 * chance.unit()), 0.06 * (chance.unit() - 0.5));
        let half = 0.5 + 0.75 * chance.unit();
        let (tone, cover) = (tone(chance), 0.5 + 0.4 * chance.unit());
        for at in 0..length as i32 {
            let middle = start + lean * at as f32 + 0.7 * (at as f32 / 40.0).sin();
            for by in -3..=3 {
                let place = middle.round() + by as f32;
                let cover = cover * (half + 0.5 - (place - middle).abs()).clamp(0.0, 1.0);
                match level {
                    true => self.cover(first + at as f32, place, tone, cover),
                    false => self.cover(place, first + at as f32, tone, cover),
                }
            }
        }
    }

    fn cover(&mut self, x: f32, y: f32, tone: f32, cover: f32) {
        if (0.0..self.width).contains(&x) && (0.0..self.height).contains(&y) {
            let at = (y as usize * self.width as usize + x as usize) * 3;
            for value in &mut self.rgb[at..at + 3] {
                *value = byte(f32::from(*value) + cover * (tone - f32::from(*value)));
            }
        }
    }
}

/// How light a speck or a scratch is.
fn tone(chance: &mut Chance) -> f32 {
    let light = chance.unit() < 0.66;
    if light { 235.0 + 20.0 * chance.unit() } else { 10.0 + 30.0 * chance.unit() }
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
        let dusty = dusty(&flat, 1);
        assert!(dusty.hit.iter().filter(|hit| **hit).count() > 60);
        assert_eq!(
            (dusty.mended_in(&dusty.picture, &flat), dusty.mended_in(&flat, &flat) > 60),
            (0, true)
        );
        assert!(colourfulness(&greyed(&noisy(&flat, 20.0, 2))) < 1e-6);
    }
}
