//! Upscale: four times as large, by networks; on luma alone where a network knows no colour.

use std::sync::Arc;

use async_trait::async_trait;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::ports::{Maker, Pace, Restorer, Rows};
use glassplate_pipeline::raster::Raster;
use glassplate_pipeline::restoration::{Mode, Repair};
use serde_json::json;

use super::colour::{byte, chroma, rgb_within};
use super::tile::{Passage, Picture, Tiling};
use super::{card_of, go_on, luma_plane, maker, rgb_planes, tiling};
use crate::card::{Planes, Task};
use crate::session::{Network, Runtime, SessionPool};
use crate::shelf::Shelf;

/// The side of a tile, in pixels of the picture: larger ones waste less on their surroundings, and
/// take more memory.
const CORE: usize = 128;

/// Makes pictures larger: by one network, or by the mean of several.
#[derive(Debug)]
pub struct Upscaler {
    maker: Maker,
    mode: Mode,
    scale: usize,
    networks: Vec<Enlarger>,
}

/// One network that enlarges.
#[derive(Debug)]
struct Enlarger {
    planes: Planes,
    tiling: Tiling,
    pool: SessionPool,
}

impl Upscaler {
    /// Opens the networks of cards, the first of which says the mode; of several the mean counts.
    ///
    /// # Errors
    /// `NotFound` when there is no such card or its file is not here, `BadInput` when one does not
    /// upscale or they differ in scale, `Broken` when one cannot be opened.
    pub fn open(
        shelf: &Shelf,
        runtime: &Runtime,
        names: &[&str],
        sessions: usize,
    ) -> Result<Self, Fault> {
        let (mut networks, mut makers, mut mode) = (Vec::new(), Vec::new(), None);
        for name in names {
            let (card, repair) = card_of(shelf, name, Task::Upscale)?;
            mode = mode.or(repair.mode);
            makers.push(maker(card));
            networks.push(Enlarger {
                planes: repair.planes,
                tiling: tiling(repair, CORE),
                pool: SessionPool::open(runtime, &shelf.path(name)?, sessions)?,
            });
        }
        let mut scales = networks.iter().map(|network| network.tiling.scale);
        let scale = match scales.next() {
            Some(scale) if scales.all(|other| other == scale) => scale,
            _ => return Err(Fault::bad_input("networks to enlarge by one scale are needed")),
        };
        let mode = mode.unwrap_or_default();
        Ok(Self { maker: maker_of_all(makers), mode, scale, networks })
    }
}

/// The maker of a mean; of one alone it is that one.
fn maker_of_all(mut makers: Vec<Maker>) -> Maker {
    if makers.len() == 1 {
        return makers.remove(0);
    }
    let joined = |of: fn(&Maker) -> &str| makers.iter().map(of).collect::<Vec<_>>().join("+");
    Maker {
        backend: "onnx".to_owned(),
        model: joined(|maker| &maker.model),
        version: joined(|maker| &maker.version),
        parameters: json!({ "mean_of": makers }).to_string(),
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
        self.scale as u32
    }

    fn memory(&self, width: u64, height: u64) -> u64 {
        let each = |network: &Enlarger| width * height * 3 + network.tiling.memory(width, 3);
        self.networks.iter().map(each).sum()
    }

    async fn restore(
        &self,
        picture: &Arc<Raster>,
        _: Option<f32>,
        rows: &mut dyn Rows,
        pace: &dyn Pace,
    ) -> Result<Option<String>, Fault> {
        let planes: Vec<Picture> = self.networks.iter().map(|one| one.planes_of(picture)).collect();
        let mut passages: Vec<Passage<'_>> = self
            .networks
            .iter()
            .zip(&planes)
            .map(|(one, planes)| Passage::new(one.tiling, &one.pool, planes, feed, 0.0))
            .collect();
        let colours = Colours::of(picture, self.scale);
        let (mut row, width) = (0, picture.width() as usize * self.scale);
        loop {
            let mut mean: Vec<f32> = Vec::new();
            for (one, passage) in self.networks.iter().zip(&mut passages) {
                let Some(values) = passage.rows(&|share| go_on(pace, share)).await? else {
                    return Ok(None);
                };
                let values = one.coloured(values, &colours, row);
                if mean.is_empty() {
                    mean = values;
                } else {
                    // They cut alike, so their rows come together.
                    mean.iter_mut().zip(&values).for_each(|(sum, value)| *sum += value);
                }
            }
            row += mean.len() / 3 / width;
            let share = 1.0 / self.networks.len() as f32;
            let strip: Vec<u8> = mean.iter().map(|value| byte(value * share)).collect();
            rows.take(&strip)?;
        }
    }
}

impl Enlarger {
    fn planes_of(&self, picture: &Raster) -> Picture {
        match self.planes {
            Planes::Rgb => rgb_planes(picture),
            Planes::Luma => Picture {
                width: picture.width() as usize,
                height: picture.height() as usize,
                planes: vec![luma_plane(picture)],
            },
        }
    }

    /// What the network gave as red, green and blue, 0 to 255; luma alone gets the colours of the
    /// picture, from this row on.
    fn coloured(&self, mut values: Vec<f32>, colours: &Colours, first: usize) -> Vec<f32> {
        values.iter_mut().for_each(|value| *value = (*value * 255.0).clamp(0.0, 255.0));
        match self.planes {
            Planes::Rgb => values,
            Planes::Luma => {
                let lines = values.chunks_exact(colours.width * colours.scale).enumerate();
                let mut rgb = Vec::with_capacity(values.len() * 3);
                for (at, line) in lines {
                    for (&luma, chroma) in line.iter().zip(colours.row(first + at)) {
                        rgb.extend(rgb_within(luma, chroma));
                    }
                }
                rgb
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
