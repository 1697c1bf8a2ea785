//! What is settled about an asset already, so that only the rest is done and nothing is paid twice.

use super::House;
use crate::ask::worth;
use crate::fault::FaultKind;
use crate::opinion::{Maker, Opinion, Verdict};
use crate::ports::Worth;
use crate::record::{ASSESS, IDENTIFY, Parts, RENDER, current_opinions};
use crate::stage::{assess, identify, render};

/// Which steps need not run again: the same maker said something conclusive before.
pub(super) struct Settled {
    pub(super) identify: bool,
    pub(super) render: bool,
    pub(super) assess: bool,
    /// One for each of the house's labellers, in their order.
    pub(super) labels: Vec<bool>,
    /// Whether there are no pixels to go on with, so that later steps have nothing to do.
    refused: bool,
}

impl Settled {
    /// Nothing is: the asset is new.
    pub(super) fn nothing(house: &House) -> Self {
        let labels = vec![false; house.labellers.len()];
        Self { identify: false, render: false, assess: false, labels, refused: false }
    }

    /// Compares what was said with what this house would ask.
    pub(super) fn of(house: &House, parts: &Parts) -> Self {
        let House { recipe, limits, labellers, .. } = house;
        let current = current_opinions(parts);
        let held = |step: &str, makers: &[Maker]| -> Option<&Opinion> {
            let opinion = current.get(step)?;
            (opinion.verdict.conclusive() && makers.contains(&opinion.maker)).then_some(*opinion)
        };
        let identify = held(IDENTIFY, &[identify::maker(None), identify::maker(Some(limits))]);
        let render =
            held(RENDER, &[render::maker(recipe, None), render::maker(recipe, Some(limits))]);
        let mut labels: Vec<bool> = labellers
            .iter()
            .map(|labeller| held(labeller.step(), &[labeller.maker().clone()]).is_some())
            .collect();
        let open: Vec<usize> = (0..labels.len()).filter(|&at| !labels[at]).collect();
        // Once all that cost nothing have spoken, their answers tell whether the rest is asked.
        if !open.is_empty()
            && open.iter().all(|&at| labellers[at].price().is_some())
            && matches!(worth(house, parts), Worth::Nothing(_))
        {
            labels.fill(true);
        }
        let failed = |o: Option<&Opinion>| o.is_some_and(|o| is_failure(&o.verdict));
        Self {
            identify: identify.is_some(),
            render: render.is_some(),
            assess: held(ASSESS, &[assess::maker()]).is_some(),
            labels,
            refused: failed(identify) || failed(render),
        }
    }

    /// Tells whether there is nothing left to do.
    pub(super) fn complete(&self) -> bool {
        let rest = || self.render && self.assess && self.labels.iter().all(|&settled| settled);
        self.identify && (self.refused || rest())
    }
}

/// Why an asset's pixels could not be had, when they could not.
pub(crate) fn refusal(parts: &Parts) -> Option<(FaultKind, String)> {
    let current = current_opinions(parts);
    [IDENTIFY, RENDER].iter().find_map(|step| match &current.get(step)?.verdict {
        Verdict::Failed { fault, reason } => Some((*fault, reason.clone())),
        _ => None,
    })
}

fn is_failure(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Failed { .. })
}
