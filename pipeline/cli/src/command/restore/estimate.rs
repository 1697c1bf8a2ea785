//! How long restorations would take, from a small trial of each repair on this machine.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use glassplate_pipeline::enrich::House;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::ports::{Pace, Restorer, Rows};
use glassplate_pipeline::raster::Raster;
use glassplate_pipeline::restoration::{Mode, Repair};
use glassplate_pipeline::restore::{Order, Workshop, seen};

/// The size of the trial, in pixels: two tiles, so that all processors are busy.
const TRIAL: (u32, u32) = (240, 120);
/// The damage that the trial is told of.
const STRENGTH: f32 = 2.0;

/// What trials have shown so far.
pub(super) struct Estimates {
    workshop: Workshop,
    /// Seconds for a pixel.
    known: HashMap<(Repair, Option<Mode>), f64>,
}

impl Estimates {
    pub(super) fn new(workshop: Workshop) -> Self {
        Self { workshop, known: HashMap::new() }
    }

    /// Estimates one order; the picture's size is that of its original.
    ///
    /// # Errors
    /// What the catalogue or a trial says.
    pub(super) async fn seconds(&mut self, house: &House, order: &Order) -> Result<f64, Fault> {
        let parts = house.catalogue.parts(&house.tenant, &order.asset).await?;
        let pixels = parts.as_ref().and_then(seen).map_or(0.0, |seen| seen.pixels as f64);
        let mut seconds = 0.0;
        for one in self.workshop.team(&order.plan)? {
            let key = (one.repair(), one.mode());
            let each = match self.known.get(&key) {
                Some(&each) => each,
                None => {
                    let each = trial(&*one).await?;
                    self.known.insert(key, each);
                    each
                }
            };
            seconds += each * pixels;
        }
        Ok(seconds)
    }
}

/// Repairs a small picture and tells how long each pixel took.
async fn trial(one: &dyn Restorer) -> Result<f64, Fault> {
    struct Away;
    impl Rows for Away {
        fn take(&mut self, _: &[u8]) -> Result<(), Fault> {
            Ok(())
        }
    }
    impl Pace for Away {
        fn goes_on(&self, _: f32) -> bool {
            true
        }
    }
    let (width, height) = TRIAL;
    let grey = (0..width * height).flat_map(|at| [(at * 7 % 251) as u8; 3]);
    let picture = Arc::new(Raster::new(width, height, grey.collect()));
    let began = Instant::now();
    one.restore(&picture, Some(STRENGTH), &mut Away, &Away).await?;
    Ok(began.elapsed().as_secs_f64() / f64::from(width * height))
}
