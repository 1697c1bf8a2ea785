//! Deblur: makes edges sharper that lie a little out of focus; without a network.
//!
//! It undoes a Gaussian of the sigma that assess measured, on luma, as constrained least squares do
//! (Gonzalez and Woods, Digital Image Processing, 5.9): what the blur took is given back as far as
//! that does not make the picture rough. What it cannot do: bring back what is not there at all,
//! undo a movement, or tell near from far in one picture.

use std::f32::consts::PI;
use std::sync::Arc;

use async_trait::async_trait;
use glassplate_pipeline::assessment::Condition;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::ports::{Maker, Pace, Restorer, Rows};
use glassplate_pipeline::raster::Raster;
use glassplate_pipeline::restoration::Repair;

use super::colour::{byte, chroma, luma, rgb_within};
use super::{classical, go_on, luma_plane};

/// Changes whenever the same picture would come out otherwise.
const VERSION: &str = "1";
/// Of the sigma measured so much is undone: too little does no harm, too much draws rings.
const UNDONE: f32 = 0.9;
/// How much roughness weighs; noise adds to it.
const ROUGHNESS: f32 = 3e-4;
/// The widest blur that is undone, in pixels.
const WIDEST: f32 = 4.0;
/// The narrowest blur that is worth undoing.
const NARROWEST: f32 = 0.5;
/// The filter's response is worked out for so many frequencies a side.
const FREQUENCIES: usize = 64;
/// So many rows are made at a time.
const ROWS: usize = 64;

/// Makes edges sharper.
#[derive(Debug)]
pub struct Deblurrer {
    maker: Maker,
    threads: usize,
}

impl Deblurrer {
    /// A deblurrer that works on so many threads.
    pub fn new(threads: usize) -> Self {
        Self { maker: classical("least-squares", VERSION), threads: threads.max(1) }
    }
}

#[async_trait]
impl Restorer for Deblurrer {
    fn repair(&self) -> Repair {
        Repair::Deblur
    }

    fn maker(&self) -> &Maker {
        &self.maker
    }

    fn memory(&self, width: u64, height: u64) -> u64 {
        width * height + width * ROWS as u64 * 8
    }

    fn strength(&self, found: &Condition) -> Option<f32> {
        Some(found.blur.unwrap_or_default().min(WIDEST))
    }

    async fn restore(
        &self,
        picture: &Arc<Raster>,
        strength: Option<f32>,
        rows: &mut dyn Rows,
        pace: &dyn Pace,
    ) -> Result<Option<String>, Fault> {
        let sigma = strength.unwrap_or_default() * UNDONE;
        if sigma < NARROWEST {
            rows.take(picture.rgb())?;
            return Ok(Some("left alone: it is sharp".to_owned()));
        }
        let filter = Arc::new(Filter::undoing(sigma));
        let luma = Arc::new(luma_plane(picture));
        let height = picture.height() as usize;
        for first in (0..height).step_by(ROWS) {
            let last = (first + ROWS).min(height);
            let (filter, luma, picture) = (filter.clone(), luma.clone(), picture.clone());
            let threads = self.threads;
            let strip = tokio::task::spawn_blocking(move || {
                sharpened(&filter, &luma, &picture, first..last, threads)
            });
            let strip = strip
                .await
                .map_err(|e| Fault::broken("a defect in deblurring stopped it").because(e))?;
            rows.take(&strip)?;
            go_on(pace, last as f32 / height as f32)?;
        }
        Ok(None)
    }
}

/// A filter of odd sides, in the picture's own grid.
struct Filter {
    reach: usize,
    weights: Vec<f32>,
}

impl Filter {
    /// The filter that undoes a Gaussian of this sigma, as far as is safe.
    fn undoing(sigma: f32) -> Self {
        let frequency = |at: usize| {
            let at = at as f32;
            let all = FREQUENCIES as f32;
            if at > all / 2.0 { (at - all) / all } else { at / all }
        };
        let response = |x: f32, y: f32| {
            let blur = (-2.0 * (PI * sigma).powi(2) * (x * x + y * y)).exp();
            let rough = 4.0 - 2.0 * (2.0 * PI * x).cos() - 2.0 * (2.0 * PI * y).cos();
            blur / (blur * blur + ROUGHNESS * rough * rough)
        };
        let reach = ((sigma * 6.0).ceil() as usize + 2).min(FREQUENCIES / 2 - 1);
        // The response is even, so its transform is a sum of cosines, one direction after the other.
        let cosine = |n: usize, k: usize| {
            (2.0 * PI * (n * k % FREQUENCIES) as f32 / FREQUENCIES as f32).cos()
        };
        let mut across = vec![0.0; (reach + 1) * FREQUENCIES];
        for k in 0..FREQUENCIES {
            for x in 0..=reach {
                across[x * FREQUENCIES + k] = (0..FREQUENCIES)
                    .map(|n| response(frequency(n), frequency(k)) * cosine(n, x))
                    .sum();
            }
        }
        let side = 2 * reach + 1;
        let mut weights = vec![0.0; side * side];
        for y in 0..side {
            for x in 0..side {
                let (from_x, from_y) = (x.abs_diff(reach), y.abs_diff(reach));
                weights[y * side + x] = (0..FREQUENCIES)
                    .map(|k| across[from_x * FREQUENCIES + k] * cosine(k, from_y))
                    .sum();
            }
        }
        // What was cut off must not make the picture darker or lighter.
        let sum: f32 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= sum);
        Self { reach, weights }
    }
}

/// Makes some rows of the sharper picture.
fn sharpened(
    filter: &Filter,
    luma_of: &[u8],
    picture: &Raster,
    rows: std::ops::Range<usize>,
    threads: usize,
) -> Vec<u8> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let (reach, side) = (filter.reach, 2 * filter.reach + 1);
    let mirrored = |at: isize, length: usize| {
        let last = length as isize - 1;
        let at = if at < 0 { -at } else { at };
        (if at > last { 2 * last - at } else { at }).clamp(0, last) as usize
    };
    let padded = |y: isize| -> Vec<f32> {
        let row = &luma_of[mirrored(y, height) * width..][..width];
        let columns = -(reach as isize)..(width + reach) as isize;
        columns.map(|x| f32::from(row[mirrored(x, width)])).collect()
    };
    let first = rows.start as isize - reach as isize;
    let lines: Vec<Vec<f32>> = (first..rows.end as isize + reach as isize).map(padded).collect();
    let mut strip = vec![0; rows.len() * width * 3];
    let share = rows.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        for (part, out) in strip.chunks_mut(share * width * 3).enumerate() {
            let lines = &lines;
            let from = rows.start + part * share;
            scope.spawn(move || {
                let mut sums = vec![0.0_f32; width];
                for (at, out) in out.chunks_exact_mut(width * 3).enumerate() {
                    sums.fill(0.0);
                    for (dy, weights) in filter.weights.chunks_exact(side).enumerate() {
                        let line = &lines[part * share + at + dy];
                        for (dx, weight) in weights.iter().enumerate() {
                            let shifted = &line[dx..dx + width];
                            sums.iter_mut().zip(shifted).for_each(|(sum, v)| *sum += weight * v);
                        }
                    }
                    let pixels = picture.rgb()[(from + at) * width * 3..].chunks_exact(3);
                    let made = out.chunks_exact_mut(3).zip(pixels).zip(&sums);
                    for ((out, pixel), &sharp) in made {
                        let pixel = [pixel[0], pixel[1], pixel[2]].map(f32::from);
                        // Luma in 8 bits was filtered; what rounding took is given back.
                        let rest = luma(pixel) - luma(pixel).round();
                        let sharp = (sharp + rest).clamp(0.0, 255.0);
                        out.copy_from_slice(&rgb_within(sharp, chroma(pixel)).map(byte));
                    }
                }
            });
        }
    });
    strip
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blurred(values: &[f32], sigma: f32) -> Vec<f32> {
        let kernel: Vec<f32> =
            (-12..=12).map(|d| (-(d * d) as f32 / (2.0 * sigma * sigma)).exp()).collect();
        let sum: f32 = kernel.iter().sum();
        let at = |x: isize| values[x.clamp(0, values.len() as isize - 1) as usize];
        let one = |x: isize| {
            (-12..=12).zip(&kernel).map(|(d, weight)| at(x + d) * weight / sum).sum::<f32>()
        };
        (0..values.len() as isize).map(one).collect()
    }

    #[tokio::test]
    async fn a_blurred_edge_is_nearer_to_the_sharp_one_and_even_parts_stay() {
        let sharp: Vec<f32> =
            (0..96).map(|x| if (x / 12) % 2 == 0 { 70.0 } else { 180.0 }).collect();
        let soft = blurred(&sharp, 1.6);
        let (width, height) = (96, 70);
        let row: Vec<u8> = soft.iter().flat_map(|&v| [byte(v); 3]).collect();
        let picture = Arc::new(Raster::new(width, height, row.repeat(height as usize)));
        let mut out = super::super::tests::Kept::default();
        let deblurrer = Deblurrer::new(2);
        deblurrer
            .restore(&picture, Some(1.6), &mut out, &super::super::tests::Always)
            .await
            .unwrap();
        assert_eq!(out.0.len(), picture.rgb().len());
        let error = |of: &[u8]| -> f32 {
            let line = of[96 * 3 * 30..].chunks_exact(3).take(96);
            line.zip(&sharp).map(|(pixel, v)| (f32::from(pixel[1]) - v).powi(2)).sum()
        };
        // Hard edges are the worst case: what is beyond the picture's noise is not guessed at.
        let (after, before) = (error(&out.0), error(picture.rgb()));
        assert!(after < 0.85 * before, "{after} of {before}");

        let even = Arc::new(Raster::new(40, 40, vec![77; 40 * 40 * 3]));
        let mut out = super::super::tests::Kept::default();
        deblurrer.restore(&even, Some(2.0), &mut out, &super::super::tests::Always).await.unwrap();
        assert!(out.0.iter().all(|&v| v.abs_diff(77) <= 1));
    }
}
