//! Dust: takes specks and scratches off scans; without a network.
//!
//! What is much lighter or darker than the median around it, small and on even ground, is a speck, and
//! specks all over the picture are dust; a thin line over half of the picture, upright or level, that
//! nothing stands before and the texture beside it does not explain, is a scratch. Both are looked for
//! in lightness and drawn anew from what is around them; every other pixel stays as it is. What it
//! cannot do: single specks, hairs and curls, stains, cracks in all directions, damage on lively ground.
//! A thin straight line that the picture shows, such as a wire before the sky, is taken for a scratch.

mod mend;
mod plane;
mod scratches;
mod specks;

use std::sync::Arc;

use async_trait::async_trait;
use glassplate_pipeline::assessment::Condition;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::ports::{Maker, Pace, Restorer, Rows};
use glassplate_pipeline::raster::Raster;
use glassplate_pipeline::restoration::Repair;

use super::{classical, go_on, luma_plane};
use mend::Damage;
use plane::Plane;

/// Changes whenever the same picture would come out otherwise.
const VERSION: &str = "1";
/// How far around a pixel the median is taken: this share of the longer side, within bounds in
/// pixels. Specks are less than twice as wide, scratches half as wide.
const REACH: (usize, usize, usize) = (150, 5, 15);
/// The least that a speck strays from its surroundings, and a scratch, in units of 8 bits.
const LEAST: (f32, f32) = (28.0, 8.0);
/// The same in deviations of the noise; a scratch is averaged along itself.
const ABOVE_NOISE: (f32, f32) = (5.0, 1.7);
/// A picture of which more would be drawn anew is left alone: that is no dust.
const MOST: f32 = 0.03;
/// So many rows are made at a time.
const ROWS: usize = 64;

/// Takes specks and scratches off.
#[derive(Debug)]
pub struct Duster {
    maker: Maker,
    threads: usize,
}

impl Duster {
    /// A duster that works on so many threads.
    pub fn new(threads: usize) -> Self {
        Self { maker: classical("dust", VERSION), threads: threads.max(1) }
    }
}

/// How damage is looked for.
#[derive(Debug, Clone, Copy)]
struct Sight {
    /// How far around a pixel the median is taken, in pixels.
    reach: usize,
    /// How far damage strays from the median at least, in units of 8 bits.
    least: f32,
    /// On how many threads.
    threads: usize,
}

#[async_trait]
impl Restorer for Duster {
    fn repair(&self) -> Repair {
        Repair::Dust
    }

    fn maker(&self) -> &Maker {
        &self.maker
    }

    fn memory(&self, width: u64, height: u64) -> u64 {
        width * height * 6 + width * ROWS as u64 * 3
    }

    /// The noise that damage must stand out from; nothing on a page, where full stops look like dust.
    fn strength(&self, found: &Condition) -> Option<f32> {
        (!found.is_page()).then_some(found.noise)
    }

    async fn restore(
        &self,
        picture: &Arc<Raster>,
        strength: Option<f32>,
        rows: &mut dyn Rows,
        pace: &dyn Pace,
    ) -> Result<Option<String>, Fault> {
        let Some(noise) = strength else {
            rows.take(picture.rgb())?;
            return Ok(Some("left alone: on a page print looks like dust".to_owned()));
        };
        let (source, threads) = (picture.clone(), self.threads);
        let found = tokio::task::spawn_blocking(move || Found::on(&source, noise, threads)).await;
        let found =
            found.map_err(|e| Fault::broken("a defect in dusting stopped it").because(e))?;
        go_on(pace, 0.9)?;
        if found.share() > MOST {
            rows.take(picture.rgb())?;
            return Ok(Some(format!("left alone: {} would be too much for dust", found.told())));
        }
        let height = picture.height() as usize;
        for first in (0..height).step_by(ROWS) {
            let last = (first + ROWS).min(height);
            let strip = (first..last).flat_map(|y| found.damage.mend(picture.rgb(), y));
            rows.take(&strip.collect::<Vec<u8>>())?;
        }
        go_on(pace, 1.0)?;
        Ok(Some(found.told()))
    }
}

/// The damage of a picture.
struct Found {
    damage: Damage,
    specks: usize,
    scratches: usize,
}

impl Found {
    fn on(picture: &Raster, noise: f32, threads: usize) -> Self {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let light = Plane { width, height, samples: luma_plane(picture) };
        let (of, least, most) = REACH;
        let reach = (width.max(height) / of).clamp(least, most);
        let sight =
            |least: f32, above: f32| Sight { reach, least: least.max(above * noise), threads };
        let mut marked = vec![false; width * height];
        let specks = specks::mark(&light, sight(LEAST.0, ABOVE_NOISE.0), &mut marked);
        let scratches = scratches::mark(&light, sight(LEAST.1, ABOVE_NOISE.1), &mut marked);
        Self { damage: Damage { width, height, marked }, specks, scratches }
    }

    fn share(&self) -> f32 {
        let marked = self.damage.marked.iter().filter(|marked| **marked).count();
        marked as f32 / self.damage.marked.len() as f32
    }

    fn told(&self) -> String {
        let Self { specks, scratches, .. } = self;
        let percent = self.share() * 100.0;
        format!("{specks} specks and {scratches} scratches, {percent:.2} % of the picture")
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Always, Kept};
    use super::*;

    const SIDES: (u32, u32) = (320, 240);
    const SPECKS: [(u32, u32); 9] = [
        (30, 40),
        (100, 60),
        (160, 30),
        (250, 50),
        (60, 120),
        (140, 130),
        (280, 110),
        (90, 200),
        (240, 210),
    ];

    fn picture(paint: impl Fn(u32, u32) -> u8) -> Arc<Raster> {
        let (width, height) = SIDES;
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Arc::new(Raster::new(width, height, pixels.flat_map(|(x, y)| [paint(x, y); 3]).collect()))
    }

    async fn dusted(picture: &Arc<Raster>, strength: Option<f32>) -> (Vec<u8>, String) {
        let mut out = Kept::default();
        let said = Duster::new(2).restore(picture, strength, &mut out, &Always).await.unwrap();
        (out.0, said.expect("it always says what it did"))
    }

    fn sky(x: u32, y: u32) -> u8 {
        (90 + x / 8 + y / 12 + (x * 7 + y * 13) % 3) as u8
    }

    #[tokio::test]
    async fn specks_and_scratches_go_and_nothing_else_changes() {
        let speck = |x: u32, y: u32| {
            SPECKS.iter().any(|(a, b)| x.abs_diff(*a).pow(2) + y.abs_diff(*b).pow(2) <= 5)
        };
        let scratch = |x: u32, y: u32| (30..220).contains(&y) && x == 200 + y / 60;
        let hit = |x, y| speck(x, y) || scratch(x, y);
        let damaged = picture(|x, y| if hit(x, y) { 235 } else { sky(x, y) });
        let (made, said) = dusted(&damaged, Some(1.0)).await;
        assert!(said.starts_with("9 specks and 1 scratches, 1."), "{said}");
        let clean = picture(sky);
        for (at, (value, should)) in made.iter().zip(clean.rgb()).enumerate() {
            assert!(value.abs_diff(*should) <= 4, "{at}: {value}, not {should}");
        }
    }

    #[tokio::test]
    async fn texture_and_what_is_even_stay_as_they_are() {
        let board = |x: u32, y: u32| if (x / 3 + y / 3).is_multiple_of(2) { 220_u8 } else { 30 };
        let fence = |x: u32, _: u32| if x % 9 < 2 { 210_u8 } else { 80 };
        let edge = |x: u32, _: u32| if x < 150 { 40_u8 } else { 200 };
        let ball = |x: u32, y: u32| {
            if x.abs_diff(90).pow(2) + y.abs_diff(90).pow(2) < 400 { 250_u8 } else { 60 }
        };
        let eyes = |x: u32, y: u32| {
            let near = |a: u32, b: u32| x.abs_diff(a).pow(2) + y.abs_diff(b).pow(2) <= 5;
            if near(100, 60) || near(120, 60) { 235 } else { sky(x, y) }
        };
        for paint in [&board as &dyn Fn(u32, u32) -> u8, &fence, &edge, &ball, &eyes, &sky] {
            let whole = picture(paint);
            assert_eq!(dusted(&whole, Some(0.0)).await.0, whole.rgb());
        }
    }

    #[tokio::test]
    async fn what_is_too_much_or_on_a_page_is_left_alone_and_said() {
        let strewn = |x: u32, y: u32| if x % 16 < 4 && y % 16 < 4 { 250 } else { 100 };
        let whole = picture(strewn);
        let (made, said) = dusted(&whole, Some(0.0)).await;
        assert_eq!(made, whole.rgb());
        assert!(said.starts_with("left alone: 3"), "{said}");
        let (made, said) = dusted(&whole, None).await;
        assert_eq!((made.as_slice(), &said[..11]), (whole.rgb(), "left alone:"));
    }

    #[tokio::test]
    async fn the_smallest_pictures_pass() {
        for (width, height) in [(1, 1), (2, 9), (1, 300), (300, 1), (90, 90)] {
            let small =
                Arc::new(Raster::new(width, height, vec![7; (width * height * 3) as usize]));
            assert_eq!(dusted(&small, Some(0.0)).await.0, small.rgb());
        }
    }
}
