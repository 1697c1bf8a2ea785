//! One photograph's way, from a path to a record.
//!
//! Every write is safe to repeat, and their order makes any interruption harmless: the
//! original and the renditions before the entries that name them, and the asset, all
//! opinions and the outcome in one append. So stopping anywhere and running again gives the
//! same record. `Way::go` reads from top to bottom; what is done with the pixels is in
//! `finish`, what need not be done in `settled`.

mod finish;
mod foresee;
mod settled;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use crate::asset::{AssetId, Occurrence, Tenant};
use crate::aws::backoff;
use crate::beside::no_way_to;
use crate::catalogue::{Catalogue, Entry, Sighting, Stamp};
use crate::fault::{Fault, FaultKind};
use crate::field::Fields;
use crate::floor::Floor;
use crate::image::Limits;
use crate::objects::Objects;
use crate::place::{Object, Place};
use crate::ports::{Clock, Labeller};
use crate::purse::Purse;
use crate::record::Parts;
use crate::rendition::Recipe;
use crate::run::{Item, Outcome, RunId};
use crate::source::is_named_like_a_picture;
use crate::stage::register::Intake;
use crate::stage::{Stage, identify, register};
use crate::store::Store;
use crate::telemetry::{Meter, timed};
use settled::Settled;

pub use foresee::{Call, Foreseen, Rehearsal, foresee};
pub(crate) use settled::refusal;

/// Everything that a photograph's way needs: the ports, filled, and the policy.
pub struct House {
    /// The isolation boundary worked for.
    pub tenant: Tenant,
    /// Where bytes are kept.
    pub store: Arc<dyn Store>,
    /// Who reads sources in S3; absent where there are none.
    pub objects: Option<Objects>,
    /// Where the ledger is kept.
    pub catalogue: Arc<dyn Catalogue>,
    /// Who names what is in a picture, in the order asked.
    pub labellers: Vec<Arc<dyn Labeller>>,
    /// What may be spent on labellers that cost money, and on which pictures.
    pub purse: Purse,
    /// Who tells the time.
    pub clock: Arc<dyn Clock>,
    /// How renditions are made.
    pub recipe: Recipe,
    /// What a picture may claim.
    pub limits: Limits,
    /// Where the time goes.
    pub meter: Meter,
    /// What keeps pictures worked on at once from taking too much memory or doing work twice.
    pub floor: Floor,
}

/// A file or an object found for a collection, and what was found beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// Where to read it.
    pub place: Place,
    /// The place as text, see [`Place::text`].
    pub text: String,
    /// Length in bytes when it was listed.
    pub bytes: u64,
    /// What the listing told of an object, so that it need not be asked about.
    pub stamp: Option<Stamp>,
    /// Metadata from sidecars and the catalogue CSV.
    pub beside: Fields,
    /// Sidecars in S3, the more specific first; read when the source's turn comes.
    pub sidecars: Vec<Object>,
    /// What was wrong beside it, such as a sidecar that cannot be read; told with the outcome.
    pub note: Option<String>,
}

impl Source {
    /// A file with nothing beside it.
    pub fn file(path: &Path, bytes: u64) -> Self {
        let place = Place::File(path.to_owned());
        Self {
            text: place.text(),
            place,
            bytes,
            stamp: None,
            beside: Fields::new(),
            sidecars: Vec::new(),
            note: None,
        }
    }
}

/// How often a source's way is begun while its fault is one that may pass. Every service has
/// been asked patiently by then, so this is for what takes longer.
const TRIES: u32 = 3;

/// Takes one source all the way; the item tells what became of it and is in the ledger.
///
/// # Errors
/// Only when the ledger cannot be written: then nothing more can be told about anything.
pub async fn enrich(
    house: &House,
    run: &RunId,
    collection: &str,
    source: &Source,
) -> Result<Ended, Fault> {
    let way = Way { house, run, collection, source };
    let mut tries = 1;
    let fault = loop {
        match way.go().await {
            Ok(item) => return Ok(Ended { item, hopeless: None }),
            Err(fault) if fault.kind().faces().retried && tries < TRIES => {
                tokio::time::sleep(backoff(tries)).await;
                tries += 1;
            }
            Err(fault) => break fault,
        }
    };
    let item = way.conclude(Vec::new(), way.refused(&fault)).await?;
    Ok(Ended { item, hopeless: fault.is_for_all().then_some(fault) })
}

/// How one source's way ended.
#[derive(Debug)]
pub struct Ended {
    /// What became of the source.
    pub item: Item,
    /// What every other source would meet too: the run may as well end.
    pub hopeless: Option<Fault>,
}

struct Way<'a> {
    house: &'a House,
    run: &'a RunId,
    collection: &'a str,
    source: &'a Source,
}

impl Way<'_> {
    async fn go(&self) -> Result<Item, Fault> {
        let mut stamp = self.stamp().await?;
        if let Some(item) = self.known_by_its_stamp(&stamp).await? {
            return self.conclude(Vec::new(), item).await;
        }
        let _room = self.house.floor.room_for_file(stamp.bytes.min(self.house.limits.bytes)).await;
        let intake = self.read(&mut stamp).await?;
        if let Some(fault) = self.not_ours(&intake) {
            return self.conclude(Vec::new(), self.refused(&fault)).await;
        }
        let id = AssetId::derive(&self.house.tenant, &intake.digest);
        let _alone = self.house.floor.alone_with(&id).await;
        match self.house.catalogue.parts(&self.house.tenant, &id).await? {
            None => self.take_in(&id, &intake, stamp).await,
            Some(parts) => self.meet_again(&parts, &intake, stamp).await,
        }
    }

    /// Ends the way of a file that nobody touched since it was last seen complete.
    async fn known_by_its_stamp(&self, stamp: &Stamp) -> Result<Option<Item>, Fault> {
        let House { catalogue, tenant, .. } = self.house;
        let seen = catalogue.sighting(tenant, self.collection, &self.source.text).await?;
        let Some(Sighting { asset, occurrence, stamp: Some(then) }) = seen else {
            return Ok(None);
        };
        if then != *stamp || occurrence.metadata != self.source.beside {
            return Ok(None);
        }
        let Some(parts) = catalogue.parts(tenant, &asset).await? else { return Ok(None) };
        if !Settled::of(self.house, &parts).complete() {
            return Ok(None);
        }
        let key = register::key_of(&parts.asset);
        if self.house.store.length(&key).await? != Some(stamp.bytes) {
            return Ok(None);
        }
        Ok(Some(self.as_before(&parts, Outcome::Unchanged)))
    }

    /// Asks about the source without reading it.
    async fn stamp(&self) -> Result<Stamp, Fault> {
        match (&self.source.place, &self.source.stamp) {
            (Place::File(path), _) => register::stamp(path),
            (Place::Object(_), Some(listed)) => Ok(listed.clone()),
            (Place::Object(object), None) => self.objects(object)?.stamp(object).await,
        }
    }

    /// Reads the source. An object that changed since it was listed is stamped anew.
    async fn read(&self, stamp: &mut Stamp) -> Result<Intake, Fault> {
        let keep = self.house.limits.bytes;
        match &self.source.place {
            Place::File(path) => {
                let path = path.clone();
                self.work(Stage::Register, move || register::read(&path, keep)).await?
            }
            Place::Object(object) => {
                let objects = self.objects(object)?;
                let meter = &self.house.meter;
                match meter.wait(Stage::Register, objects.read(object, stamp, keep)).await {
                    Err(fault) if fault.kind() == FaultKind::Conflict => {
                        *stamp = objects.stamp(object).await?;
                        meter.wait(Stage::Register, objects.read(object, stamp, keep)).await
                    }
                    read => read,
                }
            }
        }
    }

    fn objects(&self, object: &Object) -> Result<&Objects, Fault> {
        self.house.objects.as_ref().ok_or_else(|| no_way_to(object))
    }

    /// Tells why a file is listed but not ours to keep: a picture neither by content nor by name.
    ///
    /// Asked before anything is looked up: an empty text file is no occurrence of an asset
    /// that was an empty `.jpg`, whichever of the two is met first.
    fn not_ours(&self, intake: &Intake) -> Option<Fault> {
        identify::not_a_picture(intake)
            .filter(|_| !is_named_like_a_picture(&self.source.place.naming()))
    }

    /// A new asset: original first, then the ledger, then all the work.
    async fn take_in(&self, id: &AssetId, intake: &Intake, stamp: Stamp) -> Result<Item, Fault> {
        let registered = register::register(self.house, &self.source.place, intake);
        let asset = self.house.meter.wait(Stage::Register, registered).await?;
        let found = self.found(id, stamp);
        let fresh = Parts {
            asset: asset.clone(),
            occurrences: vec![self.occurrence()],
            opinions: Vec::new(),
            decisions: Vec::new(),
            withdrawn: BTreeSet::new(),
        };
        let entries = vec![Entry::Asset(asset), found];
        self.finish_or_enter(fresh, entries, intake, Settled::nothing(self.house)).await
    }

    /// A known asset: at a new place, with new metadata, incomplete, or just the same.
    async fn meet_again(
        &self,
        parts: &Parts,
        intake: &Intake,
        stamp: Stamp,
    ) -> Result<Item, Fault> {
        register::heal(self.house, &self.source.place, intake).await?;
        let found = self.found(&parts.asset.id, stamp);
        let settled = Settled::of(self.house, parts);
        if settled.complete() {
            return self.conclude(vec![found], self.as_before(parts, self.standing(parts))).await;
        }
        self.finish_or_enter(parts.clone(), vec![found], intake, settled).await
    }

    /// Finishes an asset; one that breaks the work is in the ledger all the same, as its original
    /// is in the store.
    async fn finish_or_enter(
        &self,
        parts: Parts,
        entries: Vec<Entry>,
        intake: &Intake,
        settled: Settled,
    ) -> Result<Item, Fault> {
        let id = parts.asset.id.clone();
        match self.finish(parts, entries.clone(), intake, settled).await {
            Err(fault) if fault.kind() == FaultKind::Broken && !fault.is_for_all() => {
                let (kind, reason) = (fault.kind(), fault.reason());
                let item = self.item(Some(&id), outcome_of(kind), Some(kind), Some(reason));
                self.conclude(entries, item).await
            }
            finished => finished,
        }
    }

    /// What a complete asset's occurrence here says.
    fn standing(&self, parts: &Parts) -> Outcome {
        let here = parts
            .occurrences
            .iter()
            .find(|o| o.collection == self.collection && o.source == self.source.text);
        match here {
            None => Outcome::Duplicate,
            Some(occurrence) if occurrence.metadata != self.source.beside => Outcome::Enriched,
            Some(_) => Outcome::Unchanged,
        }
    }

    /// The item of an asset that is complete: refused as before, or as its occurrence says.
    fn as_before(&self, parts: &Parts, outcome: Outcome) -> Item {
        match settled::refusal(parts) {
            Some((fault, reason)) => {
                self.item(Some(&parts.asset.id), Outcome::Rejected, Some(fault), Some(reason))
            }
            None => self.item(Some(&parts.asset.id), outcome, None, None),
        }
    }

    fn found(&self, asset: &AssetId, stamp: Stamp) -> Entry {
        Entry::Found { asset: asset.clone(), occurrence: self.occurrence(), stamp: Some(stamp) }
    }

    fn occurrence(&self) -> Occurrence {
        Occurrence {
            collection: self.collection.to_owned(),
            source: self.source.text.clone(),
            metadata: self.source.beside.clone(),
        }
    }

    fn refused(&self, fault: &Fault) -> Item {
        self.item(None, outcome_of(fault.kind()), Some(fault.kind()), Some(fault.reason()))
    }

    fn item(
        &self,
        asset: Option<&AssetId>,
        outcome: Outcome,
        fault: Option<FaultKind>,
        reason: Option<String>,
    ) -> Item {
        let reason = match (reason, &self.source.note) {
            (Some(reason), Some(note)) => Some(format!("{reason}; {note}")),
            (reason, note) => reason.or_else(|| note.clone()),
        };
        Item { source: self.source.text.clone(), asset: asset.cloned(), outcome, fault, reason }
    }

    /// Appends what is left to say together with the outcome.
    async fn conclude(&self, mut entries: Vec<Entry>, item: Item) -> Result<Item, Fault> {
        entries.push(Entry::Item { run: self.run.clone(), item: item.clone() });
        self.append(entries).await?;
        Ok(item)
    }

    async fn append(&self, entries: Vec<Entry>) -> Result<(), Fault> {
        let House { catalogue, tenant, meter, .. } = self.house;
        meter.wait(Stage::Record, catalogue.append(tenant, entries)).await
    }

    /// Runs work of the processor off the runtime; a panic is a defect and ends this asset only.
    async fn work<T: Send + 'static>(
        &self,
        stage: Stage,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Fault> {
        match tokio::task::spawn_blocking(move || timed(work)).await {
            Ok((result, spent)) => {
                self.house.meter.count(stage, spent);
                Ok(result)
            }
            Err(e) => {
                Err(Fault::broken(format!("a defect in {} stopped it", stage.name())).because(e))
            }
        }
    }
}

fn outcome_of(fault: FaultKind) -> Outcome {
    if fault.rejects() { Outcome::Rejected } else { Outcome::Failed }
}
