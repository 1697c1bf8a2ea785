//! Denoise: a network that is told how strong the noise is.

use std::sync::Arc;

use async_trait::async_trait;
use glassplate_pipeline::assessment::Condition;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::ports::{Maker, Pace, Restorer, Rows};
use glassplate_pipeline::raster::Raster;
use glassplate_pipeline::restoration::Repair;

use super::colour::byte;
use super::tile::{Passage, Tiling};
use super::{card_of, go_on, maker, rgb_planes, tiling};
use crate::card::Task;
use crate::session::{Network, Runtime, SessionPool};
use crate::shelf::Shelf;

/// The side of a tile, in pixels.
const CORE: usize = 192;
/// The strongest noise that the network was trained on, in units of 8 bits.
const STRONGEST: f32 = 55.0;

/// Takes noise away.
#[derive(Debug)]
pub struct Denoiser {
    maker: Maker,
    tiling: Tiling,
    pool: SessionPool,
}

impl Denoiser {
    /// Opens the network of a card.
    ///
    /// # Errors
    /// `NotFound` when there is no such card or its file is not here, `BadInput` when it does not
    /// denoise, `Broken` when it cannot be opened.
    pub fn open(
        shelf: &Shelf,
        runtime: &Runtime,
        name: &str,
        sessions: usize,
    ) -> Result<Self, Fault> {
        let (card, repair) = card_of(shelf, name, Task::Denoise)?;
        Ok(Self {
            maker: maker(card),
            tiling: tiling(repair, CORE),
            pool: SessionPool::open(runtime, &shelf.path(name)?, sessions)?,
        })
    }
}

#[async_trait]
impl Restorer for Denoiser {
    fn repair(&self) -> Repair {
        Repair::Denoise
    }

    fn maker(&self) -> &Maker {
        &self.maker
    }

    fn memory(&self, width: u64, height: u64) -> u64 {
        width * height * 3 + self.tiling.memory(width, 3)
    }

    fn strength(&self, found: &Condition) -> Option<f32> {
        Some(found.noise.min(STRONGEST))
    }

    async fn restore(
        &self,
        picture: &Arc<Raster>,
        strength: Option<f32>,
        rows: &mut dyn Rows,
        pace: &dyn Pace,
    ) -> Result<Option<String>, Fault> {
        let planes = rgb_planes(picture);
        let strength = strength.unwrap_or_default() / 255.0;
        let mut passage = Passage::new(self.tiling, &self.pool, &planes, feed, strength);
        while let Some(values) = passage.rows(&|share| go_on(pace, share)).await? {
            let strip: Vec<u8> = values.iter().map(|value| byte(value * 255.0)).collect();
            rows.take(&strip)?;
        }
        Ok(None)
    }
}

fn feed(
    network: &mut Network<'_>,
    shape: [usize; 4],
    values: &[f32],
    strength: f32,
) -> Result<Vec<f32>, Fault> {
    let inputs = [("image", shape, values), ("strength", [1; 4], &[strength][..])];
    let outputs = network.run_named(&inputs, &["repaired".to_owned()])?;
    Ok(outputs.into_iter().next().map(|(_, _, values)| values).unwrap_or_default())
}
