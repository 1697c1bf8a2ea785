//! The workshop: who repairs pictures here, opened as far as plans ask for them.

use std::sync::Arc;

use glassplate_models::card::{Card, Task};
use glassplate_models::restorer::colourise::Colouriser;
use glassplate_models::restorer::deblur::Deblurrer;
use glassplate_models::restorer::denoise::Denoiser;
use glassplate_models::restorer::dust::Duster;
use glassplate_models::restorer::levels::Leveller;
use glassplate_models::restorer::upscale::Upscaler;
use glassplate_models::shelf::Shelf;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::ports::Restorer;
use glassplate_pipeline::restoration::{Mode, Plan, Repair};
use glassplate_pipeline::restore::Workshop;

use crate::compose::{Desk, RUNTIME, pull};

impl Desk {
    /// Opens everybody whom these plans ask for, fetching networks that are missing.
    ///
    /// # Errors
    /// `NotFound` when no network can do what a plan asks, and why a network cannot be had or run.
    pub(crate) fn workshop<'a>(
        &self,
        plans: impl IntoIterator<Item = &'a Plan>,
    ) -> Result<Workshop, Fault> {
        let mut wanted: Vec<(Repair, Mode)> = Vec::new();
        for plan in plans {
            for &repair in plan.repairs() {
                let mode = if repair == Repair::Upscale { plan.mode() } else { Mode::default() };
                if !wanted.contains(&(repair, mode)) {
                    wanted.push((repair, mode));
                }
            }
        }
        let shelf = self.shelf()?;
        let mut restorers = Vec::new();
        for (repair, mode) in wanted {
            restorers.push(self.restorer(&shelf, repair, mode)?);
        }
        Ok(Workshop::new(restorers))
    }

    fn restorer(
        &self,
        shelf: &Shelf,
        repair: Repair,
        mode: Mode,
    ) -> Result<Arc<dyn Restorer>, Fault> {
        let threads = self.lanes();
        let open = |task, fits: &dyn Fn(&Card) -> bool| {
            let card = shelf.preferred(task, fits).ok_or_else(|| {
                Fault::not_found(format!("there is no network here to {}", repair.name()))
            })?;
            pull(shelf, &[&card.name, RUNTIME])?;
            Ok::<_, Fault>((card.name.clone(), self.runtime(shelf)?))
        };
        Ok(match repair {
            Repair::Dust => Arc::new(Duster::new(threads)),
            Repair::Denoise => {
                let (name, runtime) = open(Task::Denoise, &|_| true)?;
                Arc::new(Denoiser::open(shelf, &runtime, &name, threads)?)
            }
            Repair::Deblur => Arc::new(Deblurrer::new(threads)),
            Repair::Levels => Arc::new(Leveller::default()),
            Repair::Colourise => {
                let (name, runtime) = open(Task::Colourise, &|_| true)?;
                Arc::new(Colouriser::open(shelf, &runtime, &name, threads)?)
            }
            Repair::Upscale => {
                let open = |mode| open(Task::Upscale, &|card: &Card| of_mode(card, mode));
                let (name, runtime) = open(mode)?;
                // What one network makes up and another leaves out is nearer to what was there, to
                // the eye too, when both are heard.
                let other = match mode {
                    Mode::Quality => Some(open(Mode::Fidelity)?.0),
                    Mode::Fidelity | Mode::Fast => None,
                };
                let names: Vec<&str> = [Some(&name), other.as_ref()]
                    .into_iter()
                    .flatten()
                    .map(String::as_str)
                    .collect();
                Arc::new(Upscaler::open(shelf, &runtime, &names, threads)?)
            }
        })
    }
}

fn of_mode(card: &Card, mode: Mode) -> bool {
    card.repair.as_ref().is_some_and(|repair| repair.mode == Some(mode))
}
