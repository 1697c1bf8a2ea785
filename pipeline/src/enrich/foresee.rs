//! A rehearsal: what would become of each source, and what it would cost. Nothing is written.

use std::collections::HashSet;

use super::settled::Settled;
use super::{House, Source, Way};
use crate::ask::{Asking, worth};
use crate::asset::AssetId;
use crate::beside::complete;
use crate::fault::Fault;
use crate::opinion::{Finding, Subject, Verdict};
use crate::ports::Worth;
use crate::purchase::{Dollars, PurchaseId};
use crate::record::{IDENTIFY, Parts, current_opinions};
use crate::run::{Item, Outcome, RunId};
use crate::stage::register::Intake;
use crate::stage::{Stage, identify};

/// What earlier sources of the same rehearsal would have become.
#[derive(Debug, Default)]
pub struct Rehearsal {
    met: HashSet<AssetId>,
    bought: HashSet<PurchaseId>,
}

/// What would become of a source.
#[derive(Debug, Clone, PartialEq)]
pub struct Foreseen {
    /// Its outcome.
    pub item: Item,
    /// What it would ask of labellers that cost money.
    pub calls: Vec<Call>,
}

/// A call to a labeller that costs money, foreseen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The labeller's step.
    pub step: String,
    /// What one call costs.
    pub price: Dollars,
    /// Whether the answer is known and costs nothing.
    pub known: bool,
    /// Whether it is sure to be made; else the labellers that cost nothing are heard first.
    pub certain: bool,
}

/// Tells what would become of a source, without writing anything.
pub async fn foresee(
    house: &House,
    collection: &str,
    source: &Source,
    rehearsal: &mut Rehearsal,
) -> Foreseen {
    let run = RunId::from_text("");
    let source = &complete(house.objects.as_ref(), source.clone()).await;
    let way = Way { house, run: &run, collection, source };
    match way.foresee(rehearsal).await {
        Ok(foreseen) => foreseen,
        Err(fault) => Foreseen { item: way.refused(&fault), calls: Vec::new() },
    }
}

impl Way<'_> {
    async fn foresee(&self, rehearsal: &mut Rehearsal) -> Result<Foreseen, Fault> {
        let free = |item| Ok(Foreseen { item, calls: Vec::new() });
        let mut stamp = self.stamp().await?;
        if let Some(item) = self.known_by_its_stamp(&stamp).await? {
            return free(item);
        }
        let intake = self.read(&mut stamp).await?;
        if let Some(fault) = self.not_ours(&intake) {
            return Err(fault);
        }
        let id = AssetId::derive(&self.house.tenant, &intake.digest);
        let parts = self.house.catalogue.parts(&self.house.tenant, &id).await?;
        let settled = match &parts {
            Some(parts) => Settled::of(self.house, parts),
            None if rehearsal.met.contains(&id) => {
                return free(self.item(Some(&id), Outcome::Duplicate, None, None));
            }
            None => {
                identify::admissible(&intake, &self.house.limits)?;
                Settled::nothing(self.house)
            }
        };
        if let Some(parts) = &parts
            && settled.complete()
        {
            return free(self.as_before(parts, self.standing(parts)));
        }
        rehearsal.met.insert(id.clone());
        let item = self.item(Some(&id), Outcome::Enriched, None, None);
        let calls = self.calls(&id, &intake, parts.as_ref(), &settled, rehearsal).await?;
        Ok(Foreseen { item, calls })
    }

    /// What would be asked of labellers that cost money.
    async fn calls(
        &self,
        id: &AssetId,
        intake: &Intake,
        parts: Option<&Parts>,
        settled: &Settled,
        rehearsal: &mut Rehearsal,
    ) -> Result<Vec<Call>, Fault> {
        let Way { house, run, collection, .. } = *self;
        let open = || (0..house.labellers.len()).filter(|&at| !settled.labels[at]);
        let priced = |at: usize| house.labellers[at].price().map(|price| (at, price));
        let paid: Vec<(usize, Dollars)> = open().filter_map(priced).collect();
        if paid.is_empty() {
            return Ok(Vec::new());
        }
        let heard_first = open().any(|at| house.labellers[at].price().is_none());
        let judged = match (parts, heard_first) {
            (Some(parts), false) => Some(worth(house, parts)),
            _ => None,
        };
        if matches!(judged, Some(Worth::Nothing(_))) {
            return Ok(Vec::new());
        }
        let Some(subject) = self.subject(intake, parts).await? else { return Ok(Vec::new()) };
        let asking = Asking { house, run, collection, asset: id, subject };
        let mut calls = Vec::new();
        for (at, price) in paid {
            let labeller = &*house.labellers[at];
            let bought = PurchaseId::of(labeller.step(), &subject, labeller.maker());
            calls.push(Call {
                step: labeller.step().to_owned(),
                price,
                known: !rehearsal.bought.insert(bought) || asking.known(labeller).await?.is_some(),
                certain: !heard_first,
            });
        }
        Ok(calls)
    }

    /// The pixels that would be asked about; nothing when they cannot be had.
    async fn subject(
        &self,
        intake: &Intake,
        parts: Option<&Parts>,
    ) -> Result<Option<Subject>, Fault> {
        let current = parts.map(current_opinions).unwrap_or_default();
        if let Some(Verdict::Found(Finding::Identified(found))) =
            current.get(IDENTIFY).map(|opinion| &opinion.verdict)
        {
            return Ok(found.pixels.map(Subject::Pixels));
        }
        let limits = self.house.limits.clone();
        let technical = identify::admissible(intake, &limits)?;
        let bytes = intake.bytes.clone().expect("what is admissible was kept in memory");
        let identify = move || identify::identify(&bytes, technical, &limits);
        let sight = self.work(Stage::Identify, identify).await?;
        Ok(sight.identified.pixels.map(Subject::Pixels))
    }
}
