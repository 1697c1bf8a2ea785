//! Upscale: four times as large, by a network; on luma alone where the network knows no colour.

use std::sync::Arc;

use async_trait::async_trait;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::ports::{Maker, Pace, Restorer, Rows};
use glassplate_pipeline::raster::Raster;
use glassplate_pipeline::restoration::{Mode, Repair};

use super::colour::{byte, chroma, rgb_within};
use super::tile::{Picture, Tiling};
use super::{card_of, luma_plane, maker, rgb_planes, tiling};
use crate::card::{Planes, Task};
use crate::session::{Network, Runtime, SessionPool};
use crate::shelf::Shelf;

/// The side of a tile, in pixels of the picture: larger ones waste less on their surroundings, and
/// take more memory.
const CORE: usize = 128;

/// Makes pictures larger.
#[derive(Debug)]
pub struct Upscaler {
    maker: Maker,
    mode: Mode,
    planes: Planes,
    tiling: Tiling,
    pool: SessionPool,
}

impl Upscaler {
    /// Opens the network of a card.
    ///
    /// # Errors
    /// `NotFound` when there is no such card or its file is not here, `BadInput` when it does not
    /// upscale, `Broken` when it cannot be opened.
    pub fn open(
        shelf: &Shelf,
        runtime: &Runtime,
        name: &str,
        sessions: usize,
    ) -> Result<Self, Fault> {
        let (card, repair) = card_of(shelf, name, Task::Upscale)?;
        Ok(Self {
            maker: maker(card),
            mode: repair.mode.unwrap_or_default(),
            planes: repair.planes,
            tiling: tiling(repair, CORE),
            pool: SessionPool::open(runtime, &shelf.path(name)?, sessions)?,
        })
    }
}

#[async_trait]
impl Restorer for Upscaler {
    fn repair(&self) -> Repair {
        Repair::Upscale
    }

    fn maker(&self) -> &Maker {
        &self.maker
    }

    fn mode(&self) -> Option<Mode> {
        Some(self.mode)
    }

    fn scale(&self) -> u32 {
        self.tiling.scale as u32
    }

    fn memory(&self, width: u64, height: u64) -> u64 {
        width * height * 3 + self.tiling.memory(width, 3)
    }

    async fn restore(
        &self,
        picture: &Arc<Raster>,
        _: Option<f32>,
        rows: &mut dyn Rows,
        pace: &dyn Pace,
    ) -> Result<(), Fault> {
        match self.planes {
            Planes::Rgb => {
                let planes = rgb_planes(picture);
                let mut take = |values: &[f32]| {
                    let strip: Vec<u8> = values.iter().map(|value| byte(value * 255.0)).collect();
                    rows.take(&strip)
                };
                self.tiling.run(&self.pool, &planes, (feed, 0.0), pace, &mut take).await
            }
            Planes::Luma => {
                let (width, height) = (picture.width() as usize, picture.height() as usize);
                let luma = Picture { width, height, planes: vec![luma_plane(picture)] };
                let colours = Colours::of(picture, self.tiling.scale);
                let mut row = 0;
                let mut take = |values: &[f32]| {
                    let mut strip = Vec::with_capacity(values.len() * 3);
                    for line in values.chunks_exact(width * colours.scale) {
                        for (luma, chroma) in line.iter().zip(colours.row(row)) {
                            let luma = (luma * 255.0).clamp(0.0, 255.0);
                            strip.extend(rgb_within(luma, chroma).map(byte));
                        }
                        row += 1;
                    }
                    rows.take(&strip)
                };
                self.tiling.run(&self.pool, &luma, (feed, 0.0), pace, &mut take).await
            }
        }
    }
}

fn feed(
    network: &mut Network<'_>,
    shape: [usize; 4],
    values: &[f32],
    _: f32,
) -> Result<Vec<f32>, Fault> {
    let outputs = network.run_named(&[("image", shape, values)], &["repaired".to_owned()])?;
    Ok(outputs.into_iter().next().map(|(_, _, values)| values).unwrap_or_default())
}

/// The chroma of a picture, enlarged row by row: bicubic, as Catmull and Rom have it.
struct Colours {
    width: usize,
    height: usize,
    scale: usize,
    /// Cb and Cr of each pixel, in 8 bits around zero.
    samples: Vec<[i8; 2]>,
}

impl Colours {
    fn of(picture: &Raster, scale: usize) -> Self {
        let of_pixel = |pixel: &[u8]| {
            chroma([pixel[0], pixel[1], pixel[2]].map(f32::from)).map(|value| value.round() as i8)
        };
        Self {
            width: picture.width() as usize,
            height: picture.height() as usize,
            scale,
            samples: picture.rgb().chunks_exact(3).map(of_pixel).collect(),
        }
    }

    /// One row of the enlarged picture.
    fn row(&self, y: usize) -> Vec<[f32; 2]> {
        let (lines, weights) = self.taps(y, self.height);
        let blended: Vec<[f32; 2]> = (0..self.width)
            .map(|x| {
                let mut sums = [0.0; 2];
                for (line, weight) in lines.iter().zip(weights) {
                    let sample = self.samples[line * self.width + x];
                    sums[0] += weight * f32::from(sample[0]);
                    sums[1] += weight * f32::from(sample[1]);
                }
                sums
            })
            .collect();
        let enlarged = (0..self.width * self.scale).map(|x| {
            let (columns, weights) = self.taps(x, self.width);
            let mut sums = [0.0; 2];
            for (column, weight) in columns.iter().zip(weights) {
                sums[0] += weight * blended[*column][0];
                sums[1] += weight * blended[*column][1];
            }
            sums
        });
        enlarged.collect()
    }

    /// The four samples that a position of the enlarged picture lies between, and their weights.
    fn taps(&self, at: usize, length: usize) -> ([usize; 4], [f32; 4]) {
        let place = (at as f32 + 0.5) / self.scale as f32 - 0.5;
        let (first, t) = (place.floor() as isize - 1, place - place.floor());
        let taps = std::array::from_fn(|tap| {
            (first + tap as isize).clamp(0, length as isize - 1) as usize
        });
        let weights = [
            ((-0.5 * t + 1.0) * t - 0.5) * t,
            (1.5 * t - 2.5) * t * t + 1.0,
            ((-1.5 * t + 2.0) * t + 0.5) * t,
            (0.5 * t - 0.5) * t * t,
        ];
        (taps, weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chroma_is_enlarged_smoothly_and_stays_in_register() {
        let ramp: Vec<u8> = (0..8).flat_map(|x| [x * 10, 100, 100]).collect();
        let colours = Colours::of(&Raster::new(8, 1, ramp), 4);
        let row = colours.row(2);
        assert_eq!(row.len(), 32);
        // Within the picture a ramp stays the ramp: the middle of four pixels is the pixel's own.
        for x in 2..6 {
            let own = f32::from(colours.samples[x][1]);
            let middle = (row[4 * x + 1][1] + row[4 * x + 2][1]) / 2.0;
            assert!((middle - own).abs() < 0.6, "{x}: {middle} {own}");
        }
    }
}
