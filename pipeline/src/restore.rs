//! Restore: repaired pictures of assets that are there, each by its plan, in a run of their own.
//!
//! The file is written before the opinion that names it, and one append says all of an asset. A
//! restoration that is there, made by the same restorers, is not made again; undoing the run
//! takes it out of the record, [`discard`] does away with it for good.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::ask::Asking;
use crate::asset::{Asset, AssetId, PixelDigest};
use crate::catalogue::Entry;
use crate::enrich::{House, refusal};
use crate::fault::{Fault, FaultKind};
use crate::opinion::{Finding, Maker, Opinion, Subject, Verdict};
pub use crate::pass::{Ended, Watcher};
use crate::pass::{Piece, pass};
use crate::ports::{Labeller, Pace, Restorer};
use crate::record::{ASSESS, IDENTIFY, Parts, current_opinions};
use crate::restoration::{Plan, RESTORE_PREFIX, Restoration, Seen};
use crate::run::{Item, Outcome, Run};
use crate::stage::{Stage, label, restore as stage};
use crate::store::Key;

pub use crate::stage::restore::Workshop;

/// What a plan for an asset can go by; nothing when it was never identified and assessed.
pub fn seen(parts: &Parts) -> Option<Seen> {
    let current = current_opinions(parts);
    let technical = match &current.get(IDENTIFY)?.verdict {
        Verdict::Found(Finding::Identified(found)) => &found.technical,
        _ => return None,
    };
    match &current.get(ASSESS)?.verdict {
        Verdict::Found(Finding::Assessed(assessment)) => Some(Seen {
            long_edge: technical.width.max(technical.height),
            pixels: u64::from(technical.width) * u64::from(technical.height),
            assessment: *assessment,
        }),
        _ => None,
    }
}

/// One asset to be restored, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The asset.
    pub asset: AssetId,
    /// What is to be done to it.
    pub plan: Plan,
    /// Whether labellers that cost nothing are asked about what comes out, too.
    pub label: bool,
}

/// Restores one asset after the other, for each repair works on all processors by itself, until
/// done or `stop` is set. `told` hears how far the picture in hand is, 0 to 1.
///
/// # Errors
/// What the catalogue says when the run cannot even begin.
pub async fn restore(
    house: &Arc<House>,
    workshop: &Workshop,
    run: Run,
    orders: Vec<Order>,
    watcher: &mut dyn Watcher,
    told: Arc<dyn Fn(f32) + Send + Sync>,
    stop: Arc<AtomicBool>,
) -> Result<Ended, Fault> {
    let work = orders.into_iter().map(|order| {
        let (house, workshop, run) = (house.clone(), workshop.clone(), run.clone());
        let pace = StopOrGo { told: told.clone(), stop: stop.clone() };
        async move { one(&house, &workshop, &run, &order, &pace).await }
    });
    pass(house, run.clone(), work, 1, watcher, &stop).await
}

/// Goes on until somebody asks to stop.
struct StopOrGo {
    told: Arc<dyn Fn(f32) + Send + Sync>,
    stop: Arc<AtomicBool>,
}

impl Pace for StopOrGo {
    fn goes_on(&self, share: f32) -> bool {
        (self.told)(share);
        !self.stop.load(Ordering::Relaxed)
    }
}

async fn one(
    house: &House,
    workshop: &Workshop,
    run: &Run,
    order: &Order,
    pace: &dyn Pace,
) -> Result<Piece, Fault> {
    let _alone = house.floor.alone_with(&order.asset).await;
    let (mut entries, came_to) = match house.catalogue.parts(&house.tenant, &order.asset).await? {
        Some(parts) => match picture(&parts) {
            Ok((asset, pixels)) => {
                let team = workshop.team(&order.plan);
                let bench = Bench { house, run, parts: &parts, asset, pixels, order };
                match team {
                    Ok(team) => bench.restored(&team, pace).await?,
                    Err(fault) => (Vec::new(), Err(fault)),
                }
            }
            Err(fault) => (Vec::new(), Err(fault)),
        },
        None => (Vec::new(), Err(Fault::not_found("there is no such asset"))),
    };
    let hopeless = came_to.as_ref().err().filter(|fault| fault.is_for_all()).cloned();
    let item = item(&order.asset, came_to);
    entries.push(Entry::Item { run: run.id.clone(), item: item.clone() });
    let appended = house.catalogue.append(&house.tenant, entries);
    house.meter.wait(Stage::Record, appended).await?;
    Ok(Piece { item, bytes: 0, hopeless })
}

/// The asset and the digest of its pixels, or why there are none.
fn picture(parts: &Parts) -> Result<(&Asset, PixelDigest), Fault> {
    if let Some((kind, reason)) = refusal(parts) {
        return Err(Fault::new(kind, reason));
    }
    match current_opinions(parts).get(IDENTIFY).map(|opinion| &opinion.verdict) {
        Some(Verdict::Found(Finding::Identified(found))) => found
            .pixels
            .map(|pixels| (&parts.asset, pixels))
            .ok_or_else(|| Fault::bad_input("its pixels could not be reached")),
        _ => Err(Fault::not_found("it was never identified: ingest its source again")),
    }
}

/// One asset in work.
struct Bench<'a> {
    house: &'a House,
    run: &'a Run,
    parts: &'a Parts,
    asset: &'a Asset,
    pixels: PixelDigest,
    order: &'a Order,
}

impl Bench<'_> {
    async fn restored(
        &self,
        team: &[Arc<dyn Restorer>],
        pace: &dyn Pace,
    ) -> Result<(Vec<Entry>, Result<Outcome, Fault>), Fault> {
        let maker = stage::maker(team);
        if let Some(restoration) = self.there(&maker).await? {
            return Ok(match self.looked_at(restoration).await {
                Ok(entries) if entries.is_empty() => (entries, Ok(Outcome::Unchanged)),
                Ok(entries) => (entries, Ok(Outcome::Enriched)),
                Err(fault) => (Vec::new(), Err(fault)),
            });
        }
        let Self { house, run, asset, order, .. } = self;
        let made = stage::restore(house, run, asset, &order.plan, team, pace);
        let made = house.meter.wait(Stage::Restore, made).await;
        let (mut entries, came_to) = match &made {
            // What was made stays, even when nobody could look at it.
            Ok(restoration) => match self.looked_at(restoration).await {
                Ok(entries) => (entries, Ok(Outcome::Enriched)),
                Err(fault) => (Vec::new(), Err(fault)),
            },
            Err(fault) => (Vec::new(), Err(fault.clone())),
        };
        let verdict = match made {
            Ok(restoration) => Verdict::Found(Finding::Restored(restoration)),
            // Stopped, not failed: nothing was learnt about the picture.
            Err(fault) if fault.kind() == FaultKind::Busy => return Ok((Vec::new(), Err(fault))),
            Err(fault) => Verdict::from(fault),
        };
        entries.push(Entry::Opinion(Opinion::new(
            &self.asset.id,
            &self.order.plan.step(),
            Subject::Pixels(self.pixels),
            &maker,
            &self.run.id,
            self.house.clock.now(),
            verdict,
        )));
        Ok((entries, came_to))
    }

    /// What the same restorers made before, if its files are still there.
    async fn there(&self, maker: &Maker) -> Result<Option<&Restoration>, Fault> {
        let current = current_opinions(self.parts);
        let Some(opinion) = current.get(self.order.plan.step().as_str()) else { return Ok(None) };
        let Verdict::Found(Finding::Restored(restoration)) = &opinion.verdict else {
            return Ok(None);
        };
        if opinion.maker != *maker {
            return Ok(None);
        }
        for file in &restoration.files {
            if self.house.store.length(&Key::from_path(&file.path)?).await?.is_none() {
                return Ok(None);
            }
        }
        Ok(Some(restoration))
    }

    /// What labellers say of a restoration: opinions about it alone, never about the asset. Who
    /// costs money is not asked, and nobody twice.
    async fn looked_at(&self, restoration: &Restoration) -> Result<Vec<Entry>, Fault> {
        let subject = Subject::Restored(restoration.digest);
        let asking = Asking {
            house: self.house,
            run: &self.run.id,
            collection: &self.run.collection,
            asset: &self.asset.id,
            subject,
        };
        let asked = |one: &&Arc<dyn Labeller>| {
            let said = |opinion: &&Opinion| {
                let by_it = opinion.step == one.step() && opinion.maker == *one.maker();
                opinion.subject == subject && by_it && opinion.verdict.conclusive()
            };
            let said = self.parts.opinions.iter().find(said);
            said.is_some_and(|opinion| !self.parts.withdrawn.contains(&opinion.run))
        };
        let free = self.house.labellers.iter().filter(|one| one.price().is_none());
        let to_ask: Vec<_> = free.filter(|one| self.order.label && !asked(one)).collect();
        if to_ask.is_empty() {
            return Ok(Vec::new());
        }
        let sides: Vec<_> = restoration.files.iter().map(|f| (f.width, f.height)).collect();
        let Some(at) = label::nearest_shown(&sides) else { return Ok(Vec::new()) };
        let file = &restoration.files[at];
        let key = Key::from_path(&file.path)?;
        let picture = label::stored(self.house, key, file, "the restored picture is lost").await?;
        let mut entries = Vec::new();
        for labeller in to_ask {
            entries.extend(asking.answer(&**labeller, &picture).await?.entries());
        }
        Ok(entries)
    }
}

/// Does away with restorations of an asset: with one by its plan's name, or with all. The record
/// loses them first, then the store their files.
///
/// # Errors
/// `NotFound` when there is no such asset or no such restoration; what catalogue and store say.
pub async fn discard(
    house: &House,
    run: Run,
    asset: &AssetId,
    name: Option<&str>,
    who: &str,
) -> Result<Vec<Restoration>, Fault> {
    let _alone = house.floor.alone_with(asset).await;
    let parts = house.catalogue.parts(&house.tenant, asset).await?;
    let parts = parts.ok_or_else(|| Fault::not_found(format!("there is no asset {asset}")))?;
    let mut gone: Vec<(Subject, Restoration)> = Vec::new();
    for (step, opinion) in current_opinions(&parts) {
        if let Verdict::Found(Finding::Restored(restoration)) = &opinion.verdict
            && step.strip_prefix(RESTORE_PREFIX).is_some_and(|its| name.is_none_or(|n| n == its))
        {
            gone.push((opinion.subject, restoration.clone()));
        }
    }
    if gone.is_empty() {
        let which = name.map(|name| format!(" {name:?}")).unwrap_or_default();
        return Err(Fault::not_found(format!("the asset {asset} has no restoration{which}")));
    }
    let maker = Maker {
        backend: "human".to_owned(),
        model: who.to_owned(),
        version: String::new(),
        parameters: String::new(),
    };
    let at = house.clock.now();
    let mut run = Run { finished: Some(at), ..run };
    run.balance.add(Outcome::Enriched);
    let mut entries = vec![Entry::Run(run.clone())];
    entries.extend(gone.iter().map(|(subject, restoration)| {
        let step = format!("{RESTORE_PREFIX}{}", restoration.name);
        let verdict = Verdict::Found(Finding::Discarded { who: who.to_owned() });
        Entry::Opinion(Opinion::new(asset, &step, *subject, &maker, &run.id, at, verdict))
    }));
    entries.push(Entry::Item { run: run.id.clone(), item: item(asset, Ok(Outcome::Enriched)) });
    house.catalogue.append(&house.tenant, entries).await?;
    for file in gone.iter().flat_map(|(_, restoration)| &restoration.files) {
        house.store.remove(&Key::from_path(&file.path)?).await?;
    }
    Ok(gone.into_iter().map(|(_, restoration)| restoration).collect())
}

/// The asset's item. Its source is the asset's id: one path may stand for several assets.
fn item(asset: &AssetId, came_to: Result<Outcome, Fault>) -> Item {
    let (outcome, fault) = match came_to {
        Ok(outcome) => (outcome, None),
        Err(fault) if fault.kind().rejects() => (Outcome::Rejected, Some(fault)),
        Err(fault) => (Outcome::Failed, Some(fault)),
    };
    Item {
        source: asset.to_string(),
        asset: Some(asset.clone()),
        outcome,
        fault: fault.as_ref().map(Fault::kind),
        reason: fault.as_ref().map(Fault::reason),
    }
}
