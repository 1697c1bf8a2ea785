//! Relabel: new opinions of other models beside the old ones, from what is stored.
//!
//! Nothing is read but renditions, and nothing is written but opinions and outcomes. The run
//! is on trial: its opinions count nowhere until it is promoted. An answer that is known is
//! taken over, so repeating an interrupted relabel asks only what was not asked yet.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::ask::{Answer, Asking};
use crate::asset::{AssetId, PixelDigest};
use crate::aws::patiently;
use crate::catalogue::Entry;
use crate::enrich::{House, refusal};
use crate::fault::{Fault, FaultKind};
use crate::opinion::{Finding, Opinion, Subject, Verdict};
pub use crate::pass::{Ended, Watcher};
use crate::pass::{Piece, pass};
use crate::ports::{Labeller, Shown};
use crate::record::{IDENTIFY, Parts, RENDER, current_opinions};
use crate::rendition::Rendition;
use crate::run::{Item, Outcome, Run};
use crate::stage::label::nearest_shown;
use crate::stage::{Stage, label};
use crate::store::Key;

/// How many assets are listed at a time.
const PAGE: usize = 1000;

/// Lists what a relabel of a collection looks at, by id; ids come from content, so a limit
/// takes an arbitrary sample.
///
/// # Errors
/// `NotFound` when there is no such collection.
pub async fn assets(
    house: &House,
    collection: &str,
    limit: Option<usize>,
) -> Result<Vec<AssetId>, Fault> {
    let limit = limit.unwrap_or(usize::MAX);
    let mut all: Vec<AssetId> = Vec::new();
    while all.len() < limit {
        let wanted = PAGE.min(limit - all.len());
        let page =
            house.catalogue.assets(&house.tenant, Some(collection), all.last(), wanted).await?;
        if page.is_empty() {
            break;
        }
        all.extend(page);
    }
    if all.is_empty() && limit > 0 {
        return Err(Fault::not_found(format!("there is no collection {collection:?}")));
    }
    Ok(all)
}

/// Asks the house's labellers about every asset, `lanes` at a time, until done or `stop` is set.
///
/// # Errors
/// What the catalogue says when the run cannot even begin.
pub async fn relabel(
    house: &Arc<House>,
    run: Run,
    assets: Vec<AssetId>,
    lanes: usize,
    watcher: &mut dyn Watcher,
    stop: &AtomicBool,
) -> Result<Ended, Fault> {
    let run = Run { withdrawn: true, trial: true, ..run };
    let work = assets.into_iter().map(|asset| one(house.clone(), run.clone(), asset));
    pass(house, run.clone(), work, lanes, watcher, stop).await
}

async fn one(house: Arc<House>, run: Run, asset: AssetId) -> Result<Piece, Fault> {
    let look = Look { house: &house, run: &run, asset: &asset };
    let parts = house.catalogue.parts(&house.tenant, &asset).await?;
    let sight = parts.as_ref().and_then(Sight::of);
    // Two assets of one family at once would both be asked about: the answer of the first must
    // be in the ledger before the second looks for it.
    let _alone = match &sight {
        Some(sight) => Some(house.floor.alone_with_picture(&sight.pixels).await),
        None => None,
    };
    let mut hopeless = None;
    let (mut entries, item) = match (&parts, &sight) {
        (_, Some(sight)) => match look.asked(sight).await {
            Err(fault) if fault.is_for_all() => {
                hopeless = Some(fault.clone());
                (Vec::new(), look.item(Err(fault)))
            }
            asked => asked?,
        },
        (Some(parts), None) => look.blind(parts),
        (None, _) => (Vec::new(), look.item(Err(Fault::not_found("there is no such asset")))),
    };
    entries.push(Entry::Item { run: run.id.clone(), item: item.clone() });
    let appended = house.catalogue.append(&house.tenant, entries);
    house.meter.wait(Stage::Record, appended).await?;
    Ok(Piece { item, bytes: 0, hopeless })
}

/// What there is to see of an asset: which picture, and the stored file that shows it.
struct Sight {
    pixels: PixelDigest,
    file: Rendition,
}

impl Sight {
    fn of(parts: &Parts) -> Option<Self> {
        let current = current_opinions(parts);
        let pixels = match &current.get(IDENTIFY)?.verdict {
            Verdict::Found(Finding::Identified(found)) => found.pixels?,
            _ => return None,
        };
        match &current.get(RENDER)?.verdict {
            Verdict::Found(Finding::Rendered(found)) => {
                let sides: Vec<_> = found.files.iter().map(|f| (f.width, f.height)).collect();
                nearest_shown(&sides).map(|at| Self { pixels, file: found.files[at].clone() })
            }
            _ => None,
        }
    }
}

/// One asset looked at again.
struct Look<'a> {
    house: &'a House,
    run: &'a Run,
    asset: &'a AssetId,
}

impl Look<'_> {
    /// Nothing can be seen: says of every labeller that it did not run, and why.
    fn blind(&self, parts: &Parts) -> (Vec<Entry>, Item) {
        let (kind, reason) = refusal(parts).unwrap_or_else(|| {
            let advice = "it has no rendition to look at: ingest its source again";
            (FaultKind::NotFound, advice.to_owned())
        });
        let opinion = |labeller: &Arc<dyn Labeller>| {
            Entry::Opinion(Opinion::new(
                self.asset,
                labeller.step(),
                Subject::Bytes(parts.asset.digest),
                labeller.maker(),
                &self.run.id,
                self.house.clock.now(),
                Verdict::NotRun { reason: reason.clone() },
            ))
        };
        let entries = self.house.labellers.iter().map(opinion).collect();
        (entries, self.item(Err(Fault::new(kind, reason))))
    }

    /// Asks each labeller, unless its answer about these pixels is known.
    async fn asked(&self, sight: &Sight) -> Result<(Vec<Entry>, Item), Fault> {
        let house = self.house;
        let asking = Asking {
            house,
            run: &self.run.id,
            collection: &self.run.collection,
            asset: self.asset,
            subject: Subject::Pixels(sight.pixels),
        };
        let (mut entries, mut picture, mut came_to) = (Vec::new(), None, Ok(Outcome::Unchanged));
        for labeller in &house.labellers {
            if let Some(known) = asking.known(&**labeller).await? {
                entries.push(Entry::Opinion(known));
                continue;
            }
            if picture.is_none() {
                picture = Some(self.picture(sight).await);
            }
            let answer = match picture.as_ref().expect("it was looked for") {
                Ok(picture) => asking.answer(&**labeller, picture).await?,
                Err(fault) => {
                    Answer { opinion: asking.not_asked(&**labeller, &fault.reason()), paid: None }
                }
            };
            came_to = match (came_to, &answer.opinion.verdict) {
                (Err(fault), _) => Err(fault),
                (_, Verdict::NotRun { reason }) => Err(Fault::broken(reason.clone())),
                (_, Verdict::Failed { fault, reason }) => {
                    Err(Fault::new(*fault, format!("{}: {reason}", labeller.step())))
                }
                _ => Ok(Outcome::Enriched),
            };
            let paid = answer.paid.is_some();
            entries.extend(answer.entries());
            if paid {
                // Before anything else can go wrong: what was bought must not be bought again.
                let bought = std::mem::take(&mut entries);
                patiently(|| house.catalogue.append(&house.tenant, bought.clone())).await?;
            }
        }
        Ok((entries, self.item(came_to)))
    }

    /// Decodes the stored rendition to what labellers are shown.
    async fn picture(&self, sight: &Sight) -> Result<Shown, Fault> {
        let (house, Sight { pixels, file }) = (self.house, sight);
        let name = file.path.rsplit('/').next().unwrap_or(&file.path).to_owned();
        let key =
            Key::Rendition { tenant: house.tenant.clone(), pixels: *pixels, file: name.clone() };
        let lost = format!("its rendition {name} is lost: ingest its source again");
        label::stored(house, key, file, &lost).await
    }

    /// The asset's item. Its source is the asset's id: one path may stand for several assets.
    fn item(&self, came_to: Result<Outcome, Fault>) -> Item {
        let (outcome, fault) = match came_to {
            Ok(outcome) => (outcome, None),
            Err(fault) if fault.kind().rejects() => (Outcome::Rejected, Some(fault)),
            Err(fault) => (Outcome::Failed, Some(fault)),
        };
        Item {
            source: self.asset.to_string(),
            asset: Some(self.asset.clone()),
            outcome,
            fault: fault.as_ref().map(Fault::kind),
            reason: fault.as_ref().map(Fault::reason),
        }
    }
}
