//! Ingest: many sources through [`crate::enrich`], a few at a time.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::asset::check_collection;
use crate::beside::complete;
use crate::catalogue::Entry;
use crate::enrich::{self, House, Source};
use crate::fault::Fault;
pub use crate::pass::{Ended, Watcher};
use crate::pass::{Piece, pass, work_through};
use crate::run::{Item, Run};

/// Takes every source all the way, `lanes` at a time, until done or `stop` is set.
///
/// # Errors
/// `BadInput` for a collection's name, or what the catalogue says when the run cannot even begin.
pub async fn ingest(
    house: &Arc<House>,
    run: Run,
    sources: impl IntoIterator<Item = Result<Source, Item>>,
    lanes: usize,
    watcher: &mut dyn Watcher,
    stop: &AtomicBool,
) -> Result<Ended, Fault> {
    check_collection(&run.collection)?;
    let work = sources.into_iter().map(|source| one(house.clone(), run.clone(), source));
    pass(house, run.clone(), work, lanes, watcher, stop).await
}

/// Takes some sources of a run all the way, as [`ingest`] does, and writes nothing of the run
/// itself: it was begun before, and whoever has all its parts concludes it.
pub async fn ingest_part(
    house: &Arc<House>,
    run: &Run,
    sources: impl IntoIterator<Item = Result<Source, Item>>,
    lanes: usize,
    watcher: &mut dyn Watcher,
    stop: &AtomicBool,
) -> Ended {
    let work = sources.into_iter().map(|source| one(house.clone(), run.clone(), source));
    work_through(work, lanes, watcher, stop).await
}

/// One source, or what is known to be wrong with it before it could be opened.
async fn one(house: Arc<House>, run: Run, source: Result<Source, Item>) -> Result<Piece, Fault> {
    match source {
        Ok(source) => {
            let source = complete(house.objects.as_ref(), source).await;
            let enrich::Ended { item, hopeless } =
                enrich::enrich(&house, &run.id, &run.collection, &source).await?;
            Ok(Piece { item, bytes: source.bytes, hopeless })
        }
        Err(item) => {
            let entry = Entry::Item { run: run.id, item: item.clone() };
            house.catalogue.append(&house.tenant, vec![entry]).await?;
            Ok(Piece { item, bytes: 0, hopeless: None })
        }
    }
}
