//! The darkroom: where prints are made, and how much memory and how many hands that may take.
//!
//! Memory, at most: what lies on the light table, what is being decoded or printed
//! ([`PIXEL_BYTES`], a larger picture alone), its files ([`FILE_BYTES`]) and finished prints
//! ([`PRINT_BYTES`]): half a gigabyte when everything is in use at once.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use glassplate_pipeline::asset::{AssetId, Tenant};
use glassplate_pipeline::fault::{Fault, FaultKind};
use glassplate_pipeline::floor::Floor;
use glassplate_pipeline::image::Limits;
use glassplate_pipeline::image::print::{Negative, Print};
use glassplate_pipeline::image::probe::probe;
use glassplate_pipeline::stage::identify::memory_needed;
use glassplate_pipeline::store::Store;
use jiff::{SignedDuration, Timestamp};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::sync::Semaphore;

use super::resolve::Resolved;
use super::showing::{Showing, Source};
use super::table::LightTable;
use crate::http::Site;

/// Decoded pictures that are kept: one of 100 megapixels in 4:2:0, or two dozen of 4.
const TABLE_BYTES: usize = 160 << 20;
/// Pictures being decoded or printed.
const PIXEL_BYTES: u64 = 256 << 20;
/// Files being decoded.
const FILE_BYTES: u64 = 64 << 20;
/// Finished prints that are kept: about a thousand tiles.
const PRINT_BYTES: u64 = 32 << 20;
/// What a print takes while it is made, for each of its pixels: twice RGB, and its planes.
const BYTES_A_PIXEL: u64 = 8;
/// For how many assets it is remembered what can be shown of them, and how long.
const SHOWINGS: usize = 10_000;
const REMEMBERED: SignedDuration = SignedDuration::from_secs(60);

/// Where prints are made.
pub(super) struct Darkroom {
    showings: Cache<(Tenant, AssetId), (Timestamp, Arc<Showing>)>,
    table: LightTable,
    prints: Cache<PrintKey, Bytes, ByLength>,
    floor: Floor,
    hands: Arc<Semaphore>,
}

/// A finished print: whose, of what, and its canonical request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct PrintKey(Tenant, AssetId, String);

#[derive(Debug, Clone)]
struct ByLength;

impl Weighter<PrintKey, Bytes> for ByLength {
    fn weight(&self, key: &PrintKey, print: &Bytes) -> u64 {
        (print.len() + key.2.len() + 128) as u64
    }
}

impl Darkroom {
    /// Makes a darkroom with as many hands as there are cores.
    pub(super) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self {
            showings: Cache::new(SHOWINGS),
            table: LightTable::new(TABLE_BYTES),
            prints: Cache::with_weighter(1_000, PRINT_BYTES, ByLength),
            floor: Floor::new(FILE_BYTES, PIXEL_BYTES),
            hands: Arc::new(Semaphore::new(cores)),
        }
    }

    /// Finds out, or remembers, what can be shown of an asset.
    ///
    /// # Errors
    /// Those of [`Showing::of`].
    pub(super) async fn showing(
        &self,
        site: &Site,
        tenant: &Tenant,
        asset: &AssetId,
    ) -> Result<Arc<Showing>, Fault> {
        let key = (tenant.clone(), asset.clone());
        let now = site.clock.now();
        if let Some((at, showing)) = self.showings.get(&key)
            && now.duration_since(at).abs() < REMEMBERED
        {
            return Ok(showing);
        }
        let showing = Arc::new(Showing::of(site, tenant, asset).await?);
        self.showings.insert(key, (now, showing.clone()));
        Ok(showing)
    }

    /// Makes a print, or finds it among the finished ones.
    ///
    /// # Errors
    /// `NotFound` when a file is lost; when nothing of the picture can be decoded, the fault of
    /// the file that would have served best.
    pub(super) async fn print(
        self: &Arc<Self>,
        site: &Site,
        (tenant, asset): (&Tenant, &AssetId),
        showing: &Showing,
        resolved: &Resolved,
    ) -> Result<Bytes, Fault> {
        let key = PrintKey(tenant.clone(), asset.clone(), resolved.canonical.clone());
        if let Some(print) = self.prints.get(&key) {
            return Ok(print);
        }
        let as_is = match showing.as_is(&resolved.print) {
            Some(rendition) => site.store.read(&rendition.key).await.ok(),
            None => None,
        };
        let print = match as_is {
            Some(file) => file,
            None => self.make(site, showing, &resolved.print).await?,
        };
        let print = Bytes::from(print);
        self.prints.insert(key, print.clone());
        Ok(print)
    }

    async fn make(
        self: &Arc<Self>,
        site: &Site,
        showing: &Showing,
        print: &Print,
    ) -> Result<Vec<u8>, Fault> {
        let mut first = None;
        for source in showing.sources(print) {
            match self.negative(site, &source, print).await {
                Ok(negative) => return self.expose(site, negative, print.clone()).await,
                Err(fault) if fault.kind() == FaultKind::Busy => return Err(fault),
                Err(fault) => {
                    tracing::warn!("{} cannot be shown: {}", source.key.path(), fault.reason());
                    first.get_or_insert(fault);
                }
            }
        }
        Err(first.unwrap_or_else(|| Fault::not_found("there are no pixels of the asset")))
    }

    /// Makes the print of a negative.
    async fn expose(
        &self,
        site: &Site,
        negative: Arc<Negative>,
        print: Print,
    ) -> Result<Vec<u8>, Fault> {
        let pixels = u64::from(print.width) * u64::from(print.height);
        let room = self.floor.room_for_pixels(pixels * BYTES_A_PIXEL).await;
        by_hand(&self.hands, &site.limits, move || {
            let _room = room;
            negative.print(&print)
        })
        .await
    }

    /// Gives a source decoded, as far as the print needs it.
    async fn negative(
        self: &Arc<Self>,
        site: &Site,
        source: &Source,
        print: &Print,
    ) -> Result<Arc<Negative>, Fault> {
        let shrink = shrink_for(source, print);
        let (darkroom, store, limits) = (self.clone(), site.store.clone(), site.limits.clone());
        let place = (source.key.clone(), shrink);
        // A viewer that has moved on drops its requests; the work goes on, because others wait
        // for the same picture and the viewer will be back.
        let work = tokio::spawn(async move {
            let table = &darkroom.table;
            let outcome =
                table.get(place.clone(), || darkroom.develop(&*store, &limits, &place)).await;
            tracing::debug!(bytes = table.bytes(), "light table");
            outcome
        });
        work.await.map_err(|cause| Fault::broken("a picture was given up").because(cause))?
    }

    async fn develop(
        &self,
        store: &dyn Store,
        limits: &Limits,
        (key, shrink): &(glassplate_pipeline::store::Key, u32),
    ) -> Result<Arc<Negative>, Fault> {
        let lost = || Fault::not_found("the picture's file is lost");
        let length = store.length(key).await?.ok_or_else(lost)?;
        let _room = self.floor.room_for_file(length).await;
        let bytes = Arc::new(store.read(key).await?);
        let (file, within) = (bytes.clone(), limits.clone());
        let technical = by_hand(&self.hands, limits, move || probe(&file, &within)).await?;
        let room = self.floor.room_for_pixels(memory_needed(&technical)).await;
        let (within, shrink) = (limits.clone(), *shrink);
        by_hand(&self.hands, limits, move || {
            let _room = room;
            Negative::develop(&bytes, &technical, shrink, &within).map(Arc::new)
        })
        .await
    }
}

/// By how much a source may be shrunk while it is decoded for a print.
fn shrink_for(source: &Source, print: &Print) -> u32 {
    let needed = |side: u32, whole: u32, part: u32| {
        (f64::from(whole) * f64::from(side) / f64::from(part)).ceil() as u32
    };
    let across = needed(print.width, print.of.0, print.region.width);
    let down = needed(print.height, print.of.1, print.region.height);
    let of_width = Negative::shrink_for(source.width, across);
    of_width.min(Negative::shrink_for(source.height, down))
}

/// Does work of the processor's on a thread of its own, once a hand is free.
///
/// A decoder past `limits.seconds` is abandoned, not killed: its hand is free when it ends.
async fn by_hand<T: Send + 'static>(
    hands: &Arc<Semaphore>,
    limits: &Limits,
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let seconds = Duration::from_secs_f64(limits.seconds);
    let Ok(hand) = tokio::time::timeout(seconds, hands.clone().acquire_owned()).await else {
        return Err(Fault::new(FaultKind::Busy, "too many pictures are asked for at once"));
    };
    let hand = hand.expect("the semaphore is never closed");
    let work = tokio::task::spawn_blocking(move || {
        let _hand = hand;
        work()
    });
    match tokio::time::timeout(seconds, work).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(cause)) => Err(Fault::broken("a decoder fell over").because(cause)),
        Err(_) => {
            let seconds = limits.seconds;
            let message = format!("the picture took longer than limits.seconds = {seconds}");
            Err(Fault::new(FaultKind::TimedOut, message))
        }
    }
}
