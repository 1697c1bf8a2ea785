//! Colourise: guesses the colours of a monochrome picture; its lightness stays as it is.
//!
//! A network sees the picture small and says chroma for a coarse grid. At full size each pixel takes
//! the chroma of the coarse places around it, those of its own lightness before others, so that
//! colour ends where things end (Kopf et al., Joint Bilateral Upsampling, 2007).

use std::sync::Arc;

use async_trait::async_trait;
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::ports::{Maker, Pace, Restorer, Rows};
use glassplate_pipeline::raster::Raster;
use glassplate_pipeline::restoration::Repair;

use super::colour::{LIGHTNESS, byte, chroma, of_lab, rgb_within};
use super::{card_of, go_on, luma_plane, maker};
use crate::card::Task;
use crate::session::{Runtime, SessionPool};
use crate::shelf::Shelf;

/// Sides of what the network sees are multiples of this.
const MULTIPLE: u32 = 32;
/// Coarse places in reach of a pixel, to each side.
const REACH: isize = 2;
/// Lightness this far away (0 to 255) counts little.
const NEAR: f32 = 0.08 * 255.0;
/// So many rows are made at a time.
const ROWS: usize = 64;
/// What the encoder gives the head.
const TAPS: [&str; 4] = ["s4", "s8", "s16", "s32"];

/// Guesses colours.
#[derive(Debug)]
pub struct Colouriser {
    maker: Maker,
    /// The longer side of what the network sees, in pixels.
    side: u32,
    encoder: SessionPool,
    head: SessionPool,
    threads: usize,
}

impl Colouriser {
    /// Opens the networks of a card: an encoder and a head.
    ///
    /// # Errors
    /// `NotFound` when there is no such card or its files are not here, `BadInput` when it does not
    /// colourise, `Broken` when they cannot be opened.
    pub fn open(
        shelf: &Shelf,
        runtime: &Runtime,
        name: &str,
        threads: usize,
    ) -> Result<Self, Fault> {
        let (card, repair) = card_of(shelf, name, Task::Colourise)?;
        let (Some(head), Some(side)) = (&repair.head, repair.side) else {
            return Err(Fault::bad_input(format!("{name} has no head or no side")));
        };
        let files = shelf.files(name)?;
        let head = files
            .iter()
            .find(|(file, _)| file.name == *head)
            .map(|(_, path)| path)
            .ok_or_else(|| Fault::not_found(format!("{name} lacks its head {head}")))?;
        Ok(Self {
            maker: maker(card),
            side,
            encoder: SessionPool::open(runtime, &shelf.path(name)?, 1)?,
            head: SessionPool::open(runtime, head, 1)?,
            threads: threads.max(1),
        })
    }

    /// What the networks say of a picture's luma.
    async fn guessed(&self, luma: &[u8], width: u32, height: u32) -> Result<Coarse, Fault> {
        let scale = self.side as f32 / width.max(height) as f32;
        let [columns, rows] = [width, height]
            .map(|side| MULTIPLE * ((side as f32 * scale / MULTIPLE as f32).round() as u32).max(1));
        let small = reduced(luma, [width, height], [columns, rows], FilterType::CatmullRom)?;
        let values: Vec<f32> = small.iter().map(|&v| (f32::from(v) - 127.0) / 128.0).collect();
        let images = values.repeat(3);
        let shape = [1, 3, rows as usize, columns as usize];
        let seen = images.clone();
        let taps = self.encoder.run(move |network| {
            network.run_named(&[("images", shape, &seen)], &TAPS.map(str::to_owned))
        });
        let taps = taps.await?;
        let said = self.head.run(move |network| {
            let mut inputs = vec![("images", shape, &images[..])];
            for (name, tap, values) in &taps {
                let tap: [usize; 4] = tap[..].try_into().map_err(|_| {
                    Fault::broken(format!("the encoder's {name} has another shape than expected"))
                })?;
                inputs.push((name, tap, values));
            }
            network.run_named(&inputs, &["chroma".to_owned()])
        });
        let said = said.await?;
        let Some((_, shape, values)) = said.first().filter(|(_, shape, _)| shape.len() == 4) else {
            return Err(Fault::broken("the colouriser gave no chroma"));
        };
        let (coarse_width, coarse_height) = (shape[3], shape[2]);
        let (a, b) = values.split_at(coarse_width * coarse_height);
        Ok(Coarse {
            width: coarse_width,
            height: coarse_height,
            luma: reduced(
                luma,
                [width, height],
                [coarse_width as u32, coarse_height as u32],
                FilterType::Box,
            )?,
            ab: a.iter().zip(b).map(|(&a, &b)| [a, b]).collect(),
        })
    }
}

#[async_trait]
impl Restorer for Colouriser {
    fn repair(&self) -> Repair {
        Repair::Colourise
    }

    fn maker(&self) -> &Maker {
        &self.maker
    }

    fn memory(&self, width: u64, height: u64) -> u64 {
        // The networks see a small picture, whatever its size.
        width * height * 2 + (96 << 20)
    }

    async fn restore(
        &self,
        picture: &Arc<Raster>,
        _: Option<f32>,
        rows: &mut dyn Rows,
        pace: &dyn Pace,
    ) -> Result<Option<String>, Fault> {
        let (width, height) = (picture.width(), picture.height());
        let luma = Arc::new(luma_plane(picture));
        let coarse = Arc::new(self.guessed(&luma, width, height).await?);
        let (width, height) = (width as usize, height as usize);
        for first in (0..height).step_by(ROWS) {
            let last = (first + ROWS).min(height);
            let (luma, coarse, threads) = (luma.clone(), coarse.clone(), self.threads);
            let strip = tokio::task::spawn_blocking(move || {
                coloured(&luma, [width, height], &coarse, first..last, threads)
            });
            let strip = strip
                .await
                .map_err(|e| Fault::broken("a defect in colouring stopped it").because(e))?;
            rows.take(&strip)?;
            go_on(pace, last as f32 / height as f32)?;
        }
        Ok(None)
    }
}

/// Chroma on a coarse grid, and the luma there.
struct Coarse {
    width: usize,
    height: usize,
    luma: Vec<u8>,
    /// CIE Lab's a and b.
    ab: Vec<[f32; 2]>,
}

/// Makes some rows of the coloured picture.
fn coloured(
    luma: &[u8],
    [width, height]: [usize; 2],
    coarse: &Coarse,
    rows: std::ops::Range<usize>,
    threads: usize,
) -> Vec<u8> {
    let likeness: [f32; 256] =
        std::array::from_fn(|apart| (-(apart as f32 / NEAR).powi(2) / 2.0).exp());
    let columns: Vec<Taps> = (0..width).map(|x| Taps::of(x, width, coarse.width)).collect();
    let mut strip = vec![0; rows.len() * width * 3];
    let share = rows.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        for (part, out) in strip.chunks_mut(share * width * 3).enumerate() {
            let (columns, likeness) = (&columns, &likeness);
            let first = rows.start + part * share;
            scope.spawn(move || {
                for (at, out) in out.chunks_exact_mut(width * 3).enumerate() {
                    let y = first + at;
                    let lines = Taps::of(y, height, coarse.height);
                    for (x, pixel) in out.chunks_exact_mut(3).enumerate() {
                        let grey = luma[y * width + x];
                        let ab = coarse.at(&columns[x], &lines, grey, likeness);
                        let colour = chroma(of_lab(LIGHTNESS[usize::from(grey)], ab));
                        pixel.copy_from_slice(&rgb_within(f32::from(grey), colour).map(byte));
                    }
                }
            });
        }
    });
    strip
}

/// The coarse places around a position along one side, and how near each is.
struct Taps {
    places: [usize; 2 * REACH as usize],
    near: [f32; 2 * REACH as usize],
}

impl Taps {
    fn of(at: usize, length: usize, coarse: usize) -> Self {
        let place = (at as f32 + 0.5) * coarse as f32 / length as f32 - 0.5;
        let first = place.floor() as isize - REACH + 1;
        let each = |tap: usize| first + tap as isize;
        Self {
            places: std::array::from_fn(|tap| each(tap).clamp(0, coarse as isize - 1) as usize),
            near: std::array::from_fn(|tap| (-(each(tap) as f32 - place).powi(2)).exp()),
        }
    }
}

impl Coarse {
    /// The chroma of a pixel between coarse places.
    fn at(&self, column: &Taps, line: &Taps, grey: u8, likeness: &[f32; 256]) -> [f32; 2] {
        let (mut sums, mut all) = ([0.0; 2], 0.0);
        for (row, down) in line.places.iter().zip(line.near) {
            for (place, across) in column.places.iter().zip(column.near) {
                let at = row * self.width + place;
                let alike = likeness[usize::from(self.luma[at].abs_diff(grey))];
                let weight = down * across * alike + 1e-6;
                sums[0] += weight * self.ab[at][0];
                sums[1] += weight * self.ab[at][1];
                all += weight;
            }
        }
        sums.map(|sum| sum / all)
    }
}

/// Resizes a plane.
fn reduced(
    plane: &[u8],
    [width, height]: [u32; 2],
    [columns, rows]: [u32; 2],
    filter: FilterType,
) -> Result<Vec<u8>, Fault> {
    let wrong = |e: &dyn std::fmt::Display| Fault::broken(format!("cannot reduce a plane: {e}"));
    let source =
        ImageRef::new(width, height, plane, PixelType::U8).map_err(|error| wrong(&error))?;
    let mut small = Image::new(columns, rows, PixelType::U8);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter));
    Resizer::new().resize(&source, &mut small, &options).map_err(|error| wrong(&error))?;
    Ok(small.into_vec())
}

#[cfg(test)]
mod tests {
    use super::super::colour;
    use super::*;

    #[test]
    fn luma_stays_and_colour_ends_where_lightness_does() {
        // Dark left of column 20, light right of it; the coarse grid says red and blue.
        let (width, height) = (40, 24);
        let luma: Vec<u8> =
            (0..width * height).map(|at| if at % width < 20 { 60 } else { 190 }).collect();
        let (columns, rows) = (10, 6);
        let coarse = Coarse {
            width: columns,
            height: rows,
            luma: (0..columns * rows).map(|at| if at % columns < 5 { 60 } else { 190 }).collect(),
            ab: (0..columns * rows)
                .map(|at| if at % columns < 5 { [40.0, 20.0] } else { [0.0, -40.0] })
                .collect(),
        };
        let made = coloured(&luma, [width, height], &coarse, 0..height, 2);
        for (at, pixel) in made.chunks_exact(3).enumerate() {
            let pixel = [pixel[0], pixel[1], pixel[2]].map(f32::from);
            let y = colour::luma(pixel);
            assert!((y - f32::from(luma[at])).abs() <= 1.0, "{at}: {y}");
            let reddish = pixel[0] > pixel[2];
            assert_eq!(reddish, at % width < 20, "{at}: {pixel:?}");
        }
    }
}
