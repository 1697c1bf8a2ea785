//! Repairing one picture in memory, as the measurements do.

use std::sync::Arc;
use std::time::Instant;

use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::ports::{Pace, Restorer, Rows};
use glassplate_pipeline::raster::Raster;

use crate::measure::Outcome;

/// Keeps rows, and never stops.
#[derive(Default)]
struct Kept(Vec<u8>);

impl Rows for Kept {
    fn take(&mut self, rgb: &[u8]) -> Result<(), Fault> {
        self.0.extend_from_slice(rgb);
        Ok(())
    }
}

struct Always;

impl Pace for Always {
    fn goes_on(&self, _: f32) -> bool {
        true
    }
}

/// Repairs a picture; gives the seconds too.
///
/// # Errors
/// What the restorer says.
pub async fn repaired(
    one: &dyn Restorer,
    picture: &Raster,
    strength: Option<f32>,
) -> Outcome<(Raster, f64)> {
    let picture = Arc::new(picture.clone());
    let mut rows = Kept::default();
    let began = Instant::now();
    one.restore(&picture, strength, &mut rows, &Always).await?;
    let (width, height) = (picture.width() * one.scale(), picture.height() * one.scale());
    Ok((Raster::new(width, height, rows.0), began.elapsed().as_secs_f64()))
}
