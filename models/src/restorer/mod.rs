//! Restorers: those who fill [`glassplate_pipeline::ports::Restorer`], one way of repairing a file.
//!
//! Networks work on tiles, so that memory does not grow with the picture (`tile`); what can be
//! done well without a network is done without.

pub mod colourise;
pub mod deblur;
pub mod denoise;
pub mod dust;
pub mod levels;
pub mod upscale;

mod colour;
mod tile;

use glassplate_pipeline::fault::{Fault, FaultKind};
use glassplate_pipeline::ports::{Maker, Pace};
use glassplate_pipeline::raster::Raster;
use serde_json::json;

use crate::card::{Card, Repair, Task};
use crate::shelf::Shelf;
use tile::{Picture, Tiling};

/// The strip in which neighbouring tiles fade into each other, in pixels of the picture.
const FEATHER: usize = 8;

/// Finds the card of a network that repairs in this way, and how it is used.
///
/// # Errors
/// `NotFound` for an unknown name, `BadInput` when it is for something else.
fn card_of<'a>(shelf: &'a Shelf, name: &str, task: Task) -> Result<(&'a Card, &'a Repair), Fault> {
    let card = shelf.card(name)?;
    match &card.repair {
        Some(repair) if card.task == task => Ok((card, repair)),
        _ => Err(Fault::bad_input(format!("{name} is no network for this repair"))),
    }
}

/// The maker of what a card's network repairs.
fn maker(card: &Card) -> Maker {
    let hashes: Vec<_> = card.products().iter().map(|file| file.sha256.clone()).collect();
    let parameters = json!({ "reading": card.reading, "sha256": hashes.join(" ") });
    Maker {
        backend: "onnx".to_owned(),
        model: card.name.clone(),
        version: card.version.clone(),
        parameters: parameters.to_string(),
    }
}

/// The maker of what is repaired without a network.
fn classical(model: &str, version: &str) -> Maker {
    Maker {
        backend: "glassplate".to_owned(),
        model: model.to_owned(),
        version: version.to_owned(),
        parameters: String::new(),
    }
}

/// Cuts a picture as a card's network needs it.
fn tiling(repair: &Repair, core: usize) -> Tiling {
    Tiling {
        core,
        reach: repair.reach as usize,
        feather: FEATHER,
        multiple: repair.multiple as usize,
        scale: repair.scale as usize,
    }
}

/// A picture as planes of red, green and blue.
fn rgb_planes(picture: &Raster) -> Picture {
    let plane =
        |channel: usize| picture.rgb()[channel..].iter().step_by(3).copied().collect::<Vec<u8>>();
    Picture {
        width: picture.width() as usize,
        height: picture.height() as usize,
        planes: (0..3).map(plane).collect(),
    }
}

/// A picture's luma in 8 bits.
fn luma_plane(picture: &Raster) -> Vec<u8> {
    let luma =
        |pixel: &[u8]| colour::byte(colour::luma([pixel[0], pixel[1], pixel[2]].map(f32::from)));
    picture.rgb().chunks_exact(3).map(luma).collect()
}

/// Asks whether to go on.
///
/// # Errors
/// `Busy` when not: the same can be done another time.
fn go_on(pace: &dyn Pace, share: f32) -> Result<(), Fault> {
    match pace.goes_on(share) {
        true => Ok(()),
        false => Err(Fault::new(FaultKind::Busy, "stopped before it was repaired")),
    }
}

#[cfg(test)]
mod tests {
    use glassplate_pipeline::fault::Fault;
    use glassplate_pipeline::ports::{Pace, Rows};

    /// Keeps the rows.
    #[derive(Default)]
    pub(super) struct Kept(pub(super) Vec<u8>);

    impl Rows for Kept {
        fn take(&mut self, rgb: &[u8]) -> Result<(), Fault> {
            self.0.extend_from_slice(rgb);
            Ok(())
        }
    }

    /// Never stops.
    pub(super) struct Always;

    impl Pace for Always {
        fn goes_on(&self, _: f32) -> bool {
            true
        }
    }
}
