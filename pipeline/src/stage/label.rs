//! Label: every labeller's opinion of the picture, asked only where none is known.

use std::sync::Arc;

use crate::embedding::Embedding;
use crate::enrich::House;
use crate::fault::Fault;
use crate::image::render::reduced_to;
use crate::image::{decode, probe};
use crate::opinion::{Finding, Told, Verdict};
use crate::ports::{Labeller, Said, Shown, ShownFile};
use crate::rendition::Rendition;
use crate::store::Key;

/// The longest side that a labeller is shown, in pixels: see [`Shown::raster`].
pub const SHOWN_SIZE: u32 = 1024;

/// Which of these widths and heights is nearest to what labellers are shown; of two, the larger.
pub fn nearest_shown(sides: &[(u32, u32)]) -> Option<usize> {
    let longest = |at: usize| sides[at].0.max(sides[at].1);
    (0..sides.len()).min_by_key(|&at| (longest(at).abs_diff(SHOWN_SIZE), u32::MAX - longest(at)))
}

/// Reads a stored picture and decodes it to what labellers are shown; when it is not there, `lost`
/// says so.
///
/// # Errors
/// What the store says, and what decoding comes to.
pub(crate) async fn stored(
    house: &House,
    key: Key,
    file: &Rendition,
    lost: &str,
) -> Result<Shown, Fault> {
    let bytes = house.store.read(&key).await;
    let bytes = bytes.map_err(|fault| Fault::broken(lost).because(fault))?;
    let memory = u64::from(file.width) * u64::from(file.height) * 8;
    let _room = house.floor.room_for_pixels(memory).await;
    let (limits, bytes) = (house.limits.clone(), Arc::new(bytes));
    let shown = ShownFile {
        key,
        media_type: file.media_type.clone(),
        width: file.width,
        height: file.height,
        bytes: bytes.clone(),
    };
    let decoded = tokio::task::spawn_blocking(move || {
        let technical = probe::probe(&bytes, &limits)?;
        let decoded = decode::decode(&bytes, &technical, &limits)?;
        reduced_to(decoded.raster, SHOWN_SIZE)
    });
    match decoded.await {
        Ok(raster) => Ok(Shown { raster: Arc::new(raster?), file: Some(shown) }),
        Err(e) => Err(Fault::broken("a defect in decoding stopped it").because(e)),
    }
}

/// What a labeller said, as the ledger keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// Its claims, that there were none, or why it failed.
    pub verdict: Verdict,
    /// What a service answered in its own words.
    pub told: Option<Told>,
    /// Where its network puts the picture.
    pub embedding: Option<Embedding>,
}

/// Asks one labeller.
///
/// # Errors
/// Only what [every other picture would meet too](Fault::is_for_all); else a fault is the verdict.
pub async fn ask(labeller: &dyn Labeller, picture: &Shown) -> Result<Heard, Fault> {
    match labeller.label(picture).await {
        Ok(said) => Ok(said.into()),
        Err(fault) if fault.is_for_all() => Err(fault),
        Err(fault) => Ok(Verdict::from(fault).into()),
    }
}

impl From<Said> for Heard {
    fn from(Said { labels, told, embedding }: Said) -> Self {
        let verdict = match labels.is_empty() {
            true => Verdict::NoneFound,
            false => Verdict::Found(Finding::Labelled(labels)),
        };
        Self { verdict, told, embedding }
    }
}

impl From<Verdict> for Heard {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, told: None, embedding: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rendition_nearest_to_what_a_labeller_is_shown_is_taken() {
        let taken = |sides: &[u32]| {
            let sides: Vec<_> = sides.iter().map(|&side| (side / 2, side)).collect();
            nearest_shown(&sides).map(|at| sides[at].1)
        };
        assert_eq!(taken(&[2048, 1024, 256]), Some(1024));
        assert_eq!(taken(&[1800, 900, 64]), Some(900));
        assert_eq!(taken(&[4096, 64]), Some(64));
        assert_eq!(taken(&[1148, 900]), Some(1148), "of two as near the larger");
        assert_eq!(taken(&[]), None);
    }
}
