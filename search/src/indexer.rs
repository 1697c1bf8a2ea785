//! The indexer: follows the catalogue's change feed into one generation.
//!
//! The feed's position travels in tantivy's commit, so documents and position are durable
//! together or not at all: after a kill the same changes are simply read again, and a
//! document always replaces the one before it.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use glassplate_pipeline::asset::{AssetId, Tenant};
use glassplate_pipeline::catalogue::{Catalogue, Change};
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::record::{Parts, fold};
use tantivy::IndexWriter;
use tantivy::merge_policy::LogMergePolicy;

use crate::document::Builder;
use crate::faults;
use crate::generation::{Generation, Position, WriteLock};

/// How many changes are read at once; an asset's several changes in one page cost one reading.
const PAGE: usize = 2_000;
/// How many records are in memory at once.
const BATCH: usize = 250;
/// How many documents a commit holds at most, so that a kill repeats little.
const MOST_UNCOMMITTED: u64 = 50_000;
/// Memory for documents that are not on disk yet, in bytes. One thread: the ingest needs the others.
const WRITER_BYTES: usize = 64 << 20;

/// How many segments of like size are merged: every query visits each, so half of tantivy's 8.
const MOST_EQUAL_SEGMENTS: usize = 4;
/// Segments of fewer documents are of like size. By tantivy's 10,000 a dozen new pictures, each second,
/// would be merged with the thousands before them.
const SMALL_SEGMENT: u32 = 500;

/// What a catching up did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CaughtUp {
    /// How many changes were read.
    pub changes: u64,
    /// How many documents were written.
    pub documents: u64,
}

/// Writes one generation; there is one at a time, which the lock sees to.
pub(crate) struct Indexer {
    generation: Arc<Generation>,
    builder: Arc<Builder>,
    writer: Arc<Mutex<IndexWriter>>,
    position: Position,
    uncommitted: u64,
    /// Last, so that the writer is gone before another may begin.
    pub(crate) lock: WriteLock,
}

impl Indexer {
    pub(crate) fn open(
        generation: Arc<Generation>,
        builder: Arc<Builder>,
        lock: WriteLock,
    ) -> Result<Self, Fault> {
        let writer: IndexWriter = generation
            .index
            .writer_with_num_threads(NonZeroUsize::MIN.get(), WRITER_BYTES)
            .map_err(|e| faults::index("cannot write to the index", e))?;
        let mut merging = LogMergePolicy::default();
        merging.set_min_num_segments(MOST_EQUAL_SEGMENTS);
        merging.set_min_layer_size(SMALL_SEGMENT);
        writer.set_merge_policy(Box::new(merging));
        // Read behind the lock: the writer before us may have gone further.
        generation.reader.reload().map_err(|e| faults::index("cannot read the index", e))?;
        let position = generation.position()?;
        let writer = Arc::new(Mutex::new(writer));
        Ok(Self { generation, builder, writer, position, uncommitted: 0, lock })
    }

    pub(crate) fn position(&self) -> &Position {
        &self.position
    }

    /// Reads the feed to its end and commits.
    pub(crate) async fn catch_up(&mut self, catalogue: &dyn Catalogue) -> Result<CaughtUp, Fault> {
        let mut done = CaughtUp::default();
        loop {
            let changes = catalogue.changes(&self.position.bookmark, PAGE).await?;
            if changes.list.is_empty() {
                self.position.bookmark = changes.bookmark;
                break;
            }
            done.changes += changes.list.len() as u64;
            for (tenant, assets) in by_tenant(changes.list) {
                for batch in assets.chunks(BATCH) {
                    let parts = catalogue.parts_of_many(&tenant, batch).await?;
                    done.documents += parts.len() as u64;
                    self.uncommitted += parts.len() as u64;
                    let replaced = self.write(parts).await?;
                    self.position.replaced += replaced;
                }
            }
            self.position.bookmark = changes.bookmark;
            self.builder.fingerprint().clone_into(&mut self.position.interpreter);
            if self.uncommitted >= MOST_UNCOMMITTED {
                self.commit().await?;
            }
        }
        if self.position != self.generation.position()? {
            self.commit().await?;
        }
        Ok(done)
    }

    /// Waits until segments that are being merged are whole, and gives the right to write back.
    pub(crate) async fn close(self) -> Result<WriteLock, Fault> {
        let Self { writer, lock, .. } = self;
        blocking(move || {
            let writer = Arc::into_inner(writer).expect("no task of this indexer is running");
            let writer = writer.into_inner().unwrap_or_else(PoisonError::into_inner);
            writer
                .wait_merging_threads()
                .map_err(|e| faults::index("cannot merge the index", e))?;
            Ok(lock)
        })
        .await
    }

    /// Writes documents and tells how many of them replace one that was committed.
    async fn write(&self, parts: Vec<Parts>) -> Result<u64, Fault> {
        let (builder, writer) = (self.builder.clone(), self.writer.clone());
        let (columns, committed) = (self.generation.columns, self.generation.reader.searcher());
        blocking(move || {
            let writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
            let wrong = |e| faults::index("cannot write to the index", e);
            let mut replaced = 0;
            for parts in &parts {
                let document = builder.document(&fold(parts, &*builder.interpreter));
                let key = columns.key(&document.tenant, &document.asset);
                replaced += u64::from(committed.doc_freq(&key).map_err(wrong)? > 0);
                writer.delete_term(key);
                writer.add_document(columns.write(&document)).map_err(wrong)?;
            }
            Ok(replaced)
        })
        .await
    }

    async fn commit(&mut self) -> Result<(), Fault> {
        let (generation, writer) = (self.generation.clone(), self.writer.clone());
        let payload = serde_json::to_string(&self.position).expect("a position is plain data");
        blocking(move || {
            let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
            let mut commit = || {
                let mut commit = writer.prepare_commit()?;
                commit.set_payload(&payload);
                commit.commit()?;
                generation.reader.reload()
            };
            commit().map_err(|e| faults::index("cannot commit the index", e))
        })
        .await?;
        self.uncommitted = 0;
        Ok(())
    }
}

/// Groups a page's changes by tenant, each asset once.
fn by_tenant(changes: Vec<Change>) -> Vec<(Tenant, Vec<AssetId>)> {
    let mut grouped: BTreeMap<String, (Tenant, BTreeSet<AssetId>)> = BTreeMap::new();
    for change in changes {
        grouped
            .entry(change.tenant.to_string())
            .or_insert_with(|| (change.tenant, BTreeSet::new()))
            .1
            .insert(change.asset);
    }
    grouped.into_values().map(|(tenant, assets)| (tenant, assets.into_iter().collect())).collect()
}

/// Runs work that blocks off the runtime; a panic in it is the index's damage.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|e| Err(faults::panicked("cannot write to the index").because(e)))
}

#[cfg(test)]
impl Indexer {
    /// Writes what the feed has to offer and leaves it uncommitted.
    pub(crate) async fn write_without_commit(&self, catalogue: &dyn Catalogue) {
        let changes = catalogue.changes(&self.position.bookmark, PAGE).await.expect("changes");
        for (tenant, assets) in by_tenant(changes.list) {
            let parts = catalogue.parts_of_many(&tenant, &assets).await.expect("parts");
            self.write(parts).await.expect("written");
        }
    }
}
