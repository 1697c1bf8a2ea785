//! Levels: spreads the tonal range of a faded picture, and lifts what lies close together.
//!
//! Every pixel is changed by its own lightness and that around it; nothing is drawn anew.

use std::sync::Arc;

use async_trait::async_trait;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::ports::{Maker, Pace, Restorer, Rows};
use glassplate_pipeline::raster::Raster;
use glassplate_pipeline::restoration::Repair;

use super::colour::{byte, chroma, luma, rgb_within};
use super::{classical, go_on, luma_plane};

/// Changes whenever the same picture would come out otherwise.
const VERSION: &str = "1";
/// The shares of pixels that may become black and white.
const CLIPPED: f32 = 0.005;
/// The darkest and the lightest that the range is spread to, 0 to 255.
const RANGE: (f32, f32) = (6.0, 249.0);
/// The most that the range is spread: beyond it noise and blocks would show.
const MOST: f32 = 3.0;
/// How much of the difference to the surroundings is added.
const LOCAL: f32 = 0.2;
/// Surroundings reach so many pixels of a thousand of the longer side.
const AROUND: usize = 30;
/// So many rows are made at a time.
const ROWS: usize = 64;

/// Spreads the tonal range.
#[derive(Debug)]
pub struct Leveller {
    maker: Maker,
}

impl Default for Leveller {
    fn default() -> Self {
        Self { maker: classical("levels", VERSION) }
    }
}

#[async_trait]
impl Restorer for Leveller {
    fn repair(&self) -> Repair {
        Repair::Levels
    }

    fn maker(&self) -> &Maker {
        &self.maker
    }

    fn memory(&self, width: u64, height: u64) -> u64 {
        width * height * 2 + width * 16
    }

    async fn restore(
        &self,
        picture: &Arc<Raster>,
        _: Option<f32>,
        rows: &mut dyn Rows,
        pace: &dyn Pace,
    ) -> Result<Option<String>, Fault> {
        let source = picture.clone();
        let levels = tokio::task::spawn_blocking(move || Levels::of(&source));
        let levels =
            levels.await.map_err(|e| Fault::broken("a defect in levels stopped it").because(e))?;
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        for (at, strip) in picture.rgb().chunks(width * 3 * ROWS).enumerate() {
            rows.take(&levels.applied(strip, at * ROWS * width))?;
            go_on(pace, ((at + 1) * ROWS) as f32 / height as f32)?;
        }
        Ok(None)
    }
}

/// How a picture's tones are spread.
struct Levels {
    dark: f32,
    gain: f32,
    /// The mean lightness around each pixel.
    around: Vec<u8>,
}

impl Levels {
    fn of(picture: &Raster) -> Self {
        let luma = luma_plane(picture);
        let mut counts = [0_usize; 256];
        luma.iter().for_each(|&value| counts[usize::from(value)] += 1);
        let wanted = (luma.len() as f32 * CLIPPED) as usize;
        let reaches = |sum: &mut usize, count: usize| {
            *sum += count;
            *sum > wanted
        };
        let (mut below, mut above) = (0, 0);
        let dark = counts.iter().position(|&count| reaches(&mut below, count)).unwrap_or(0);
        let light = counts.iter().rposition(|&count| reaches(&mut above, count)).unwrap_or(255);
        let spread = (light as f32 - dark as f32).max(1.0);
        let gain = ((RANGE.1 - RANGE.0) / spread).clamp(1.0, MOST);
        // What cannot be spread far enough stays in its place, about its middle.
        let middle = (dark + light) as f32 / 2.0;
        let dark = if gain < MOST && gain > 1.0 {
            dark as f32 - RANGE.0 / gain
        } else {
            middle - middle / gain
        };
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let reach = (width.max(height) * AROUND / 1000).max(1);
        Self { dark, gain, around: mean_around(&luma, width, height, reach) }
    }

    fn applied(&self, strip: &[u8], first: usize) -> Vec<u8> {
        let around = &self.around[first..];
        let spread = |value: f32| (value - self.dark) * self.gain;
        let pixels = strip.chunks_exact(3).zip(around).flat_map(|(pixel, &around)| {
            let pixel = [pixel[0], pixel[1], pixel[2]].map(f32::from);
            let here = luma(pixel);
            let local = LOCAL * self.gain * (here - f32::from(around));
            let y = (spread(here) + local).clamp(0.0, 255.0);
            rgb_within(y, chroma(pixel).map(|value| value * self.gain.sqrt())).map(byte)
        });
        pixels.collect()
    }
}

/// The mean of the square of this reach around each pixel, by running sums.
fn mean_around(plane: &[u8], width: usize, height: usize, reach: usize) -> Vec<u8> {
    let mut columns = vec![0_u32; width];
    let mut means = Vec::with_capacity(plane.len());
    let row = |y: usize| &plane[y * width..][..width];
    for y in 0..reach.min(height) {
        columns.iter_mut().zip(row(y)).for_each(|(sum, &v)| *sum += u32::from(v));
    }
    for y in 0..height {
        if y + reach < height {
            columns.iter_mut().zip(row(y + reach)).for_each(|(sum, &v)| *sum += u32::from(v));
        }
        if y > reach {
            columns.iter_mut().zip(row(y - reach - 1)).for_each(|(sum, &v)| *sum -= u32::from(v));
        }
        let lines = ((y + reach).min(height - 1) - y.saturating_sub(reach) + 1) as u64;
        let mut sum: u64 = columns[..reach.min(width)].iter().map(|&v| u64::from(v)).sum();
        for x in 0..width {
            sum += columns.get(x + reach).map_or(0, |&v| u64::from(v));
            if x > reach {
                sum -= u64::from(columns[x - reach - 1]);
            }
            let across = ((x + reach).min(width - 1) - x.saturating_sub(reach) + 1) as u64;
            means.push((sum / (across * lines)) as u8);
        }
    }
    means
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Always, Kept};
    use super::*;

    async fn levelled(picture: Raster) -> Vec<u8> {
        let mut out = Kept::default();
        Leveller::default().restore(&Arc::new(picture), None, &mut out, &Always).await.unwrap();
        out.0
    }

    #[tokio::test]
    async fn a_faded_picture_spreads_and_a_full_one_stays_nearly_as_it_is() {
        let ramp = |from: u32, to: u32| {
            let grey = (0..200 * 100).map(|at| (from + at % 200 * (to - from) / 199) as u8);
            Raster::new(200, 100, grey.flat_map(|v| [v; 3]).collect())
        };
        let faded = levelled(ramp(90, 190)).await;
        let (least, most) = (faded.iter().min().unwrap(), faded.iter().max().unwrap());
        assert!(*least < 20 && *most > 235, "{least} {most}");
        let full = levelled(ramp(0, 255)).await;
        let before = ramp(0, 255);
        assert!(full.iter().zip(before.rgb()).all(|(a, b)| a.abs_diff(*b) < 16));
        assert!(
            levelled(Raster::new(3, 1, vec![200; 9])).await.iter().all(|v| v.abs_diff(200) < 3)
        );
    }

    #[test]
    fn the_mean_around_is_that_of_the_pixels_there() {
        let (width, height) = (13, 9);
        let plane: Vec<u8> = (0..width * height).map(|at| (at * 7 % 256) as u8).collect();
        for reach in [1, 3, 20] {
            let means = mean_around(&plane, width, height, reach);
            for (x, y) in [(0, 0), (5, 4), (12, 8), (12, 0)] {
                let lines = y.max(reach) - reach..(y + reach + 1).min(height);
                let columns = x.max(reach) - reach..(x + reach + 1).min(width);
                let all: Vec<u32> = lines
                    .flat_map(|y| columns.clone().map(move |x| (x, y)))
                    .map(|(x, y)| u32::from(plane[y * width + x]))
                    .collect();
                let mean = all.iter().sum::<u32>() / all.len() as u32;
                assert_eq!(u32::from(means[y * width + x]), mean, "{reach} {x} {y}");
            }
        }
    }
}
