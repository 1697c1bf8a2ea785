//! The index: a derivative of the catalogue that can be thrown away and made again.
//!
//! It is opened, caught up with the change feed, rebuilt and searched here. Whatever is
//! wrong with its files ends in an empty generation that the next catching up fills.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use glassplate_pipeline::asset::{AssetId, Tenant};
use glassplate_pipeline::catalogue::Catalogue;
use glassplate_pipeline::fault::{Fault, FaultKind};
use glassplate_pipeline::label::LabelKind;
use glassplate_pipeline::ports::{Interpreter, Vocabulary};
use glassplate_pipeline::record::Bar;

use crate::ask::{Ask, Count, Facet, Holdings, LabelCount, Suggestion};
use crate::document::Builder;
use crate::faults;
use crate::generation::{self, Generation, Position, Stamp, WriteLock};
use crate::indexer::{CaughtUp, Indexer, blocking};
use crate::query;
use crate::search::{self, Answer, Hit};
use crate::{ahead, likeness, standing};

/// A search index over the catalogue, in one folder.
pub struct Index {
    dir: PathBuf,
    builder: Arc<Builder>,
    live: RwLock<Live>,
}

struct Live {
    generation: Arc<Generation>,
    stamp: Option<Stamp>,
    /// Why the index is empty, until it is filled.
    note: Option<String>,
}

impl Index {
    /// Opens the index in `dir`, making it when there is none; plain words find, and facets
    /// count, the labels above the bar.
    ///
    /// An index that is damaged or of another schema is replaced by an empty one, which
    /// [`Index::note`] tells and the next [`Index::catch_up`] fills.
    ///
    /// # Errors
    /// `Busy` when a new index is needed while another process is writing, `Broken` when the
    /// folder cannot be written.
    pub fn open(
        dir: &Path,
        vocabulary: Arc<dyn Vocabulary>,
        interpreter: Arc<dyn Interpreter>,
        bar: Bar,
    ) -> Result<Self, Fault> {
        fs::create_dir_all(dir)
            .map_err(|e| faults::io(&format!("cannot make the index {}", dir.display()), e))?;
        Ok(Self {
            dir: dir.to_owned(),
            builder: Arc::new(Builder::new(vocabulary, interpreter, bar)),
            live: RwLock::new(open_or_replace(dir)?),
        })
    }

    /// Tells why the index is empty although the catalogue may not be; nothing when it is sound.
    pub fn note(&self) -> Option<String> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).note.clone()
    }

    /// Reads the index's files ahead, in a thread of its own, as far as memory is to spare: the first
    /// searches after a machine's start need not wait for its disk.
    pub fn read_ahead(&self) {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        let folder = self.dir.join(&live.generation.name);
        std::thread::spawn(move || ahead::read(&folder));
    }

    /// Brings the index up to the catalogue's last change.
    ///
    /// Safe to run twice and to kill at any moment. A catalogue that was replaced by another
    /// or an older one is noticed, and the index rebuilt.
    ///
    /// # Errors
    /// `Busy` when another process is indexing: it does the same work, so nothing is lost.
    pub async fn catch_up(&self, catalogue: &dyn Catalogue) -> Result<CaughtUp, Fault> {
        let position = self.live()?.position()?;
        if self.standing(&position, catalogue).await? == Standing::Level {
            self.filled();
            return Ok(CaughtUp::default());
        }
        let (caught_up, indexer) = self.advance(self.indexer()?, catalogue).await?;
        indexer.close().await?;
        Ok(caught_up)
    }

    /// Tells whether everything that the catalogue holds is in the index.
    ///
    /// # Errors
    /// What the catalogue says; `Broken` when the index is damaged.
    pub async fn is_level(&self, catalogue: &dyn Catalogue) -> Result<bool, Fault> {
        let position = self.live()?.position()?;
        Ok(self.standing(&position, catalogue).await? == Standing::Level)
    }

    /// Makes the index anew from the whole catalogue and swaps it in.
    ///
    /// Searches go on in the old index until then; a crash leaves the old one in force.
    ///
    /// # Errors
    /// `Busy` when another process is indexing.
    pub async fn rebuild(&self, catalogue: &dyn Catalogue) -> Result<CaughtUp, Fault> {
        let lock = generation::lock(&self.dir)?;
        let (caught_up, indexer) = self.rebuild_with(lock, catalogue).await?;
        indexer.close().await?;
        Ok(caught_up)
    }

    /// Answers a search among one tenant's records.
    ///
    /// Total and counts are exact whatever the limit. Blocks for a millisecond or so; nothing is
    /// asked over a network.
    ///
    /// # Errors
    /// `BadInput` pointing at the place when the query or the cursor cannot be understood,
    /// `Broken` when the index is damaged.
    pub fn search(&self, tenant: &Tenant, ask: &Ask) -> Result<Answer, Fault> {
        let query = query::parse(&ask.query, ask.typing)?;
        let generation = self.live()?;
        let mut answer = search::search(&generation, &self.builder, tenant, &query, ask)?;
        answer.notes.extend(self.note());
        Ok(answer)
    }

    /// Suggests ways to go on with what was typed so far, the most frequent first.
    ///
    /// # Errors
    /// `Broken` when the index is damaged.
    pub fn suggest(
        &self,
        tenant: &Tenant,
        typed: &str,
        limit: usize,
    ) -> Result<Vec<Suggestion>, Fault> {
        standing::suggest(&*self.live()?, &self.builder, tenant, typed, limit)
    }

    /// Finds the records whose pictures look most like one's, the likest first; nothing when the
    /// tenant has no such record.
    ///
    /// # Errors
    /// `Broken` when the index is damaged.
    pub fn like(
        &self,
        tenant: &Tenant,
        asset: &AssetId,
        limit: usize,
    ) -> Result<Option<Vec<Hit>>, Fault> {
        likeness::like(&*self.live()?, &self.builder, tenant, asset, limit)
    }

    /// Lists the labels in use whose name begins so, by kind and name, after one.
    ///
    /// # Errors
    /// `Broken` when the index is damaged.
    pub fn labels(
        &self,
        tenant: &Tenant,
        kind: Option<LabelKind>,
        prefix: &str,
        after: Option<(LabelKind, &str)>,
        limit: usize,
    ) -> Result<Vec<LabelCount>, Fault> {
        standing::labels(&*self.live()?, &self.builder, tenant, kind, prefix, after, limit)
    }

    /// Lists a tenant's collections by name, with how many records each has.
    ///
    /// # Errors
    /// `Broken` when the index is damaged.
    pub fn collections(&self, tenant: &Tenant) -> Result<Vec<Count>, Fault> {
        standing::values(&*self.live()?, &self.builder, tenant, Facet::Collection)
    }

    /// Tells how much a tenant has.
    ///
    /// # Errors
    /// `Broken` when the index is damaged.
    pub fn holdings(&self, tenant: &Tenant) -> Result<Holdings, Fault> {
        standing::holdings(&*self.live()?, &self.builder, tenant)
    }

    /// Tells a number that is another one whenever an answer may be.
    ///
    /// # Errors
    /// `Broken` when the index is damaged.
    pub fn epoch(&self) -> Result<u64, Fault> {
        Ok(self.live()?.epoch())
    }

    /// Tells whether the answer to a search of an epoch, which found something sure, is still right;
    /// where it cannot be told, it is not. Takes some hundredths of a millisecond.
    ///
    /// # Errors
    /// As [`Index::search`].
    pub fn lasts(&self, tenant: &Tenant, ask: &Ask, epoch: u64) -> Result<bool, Fault> {
        let generation = self.live()?;
        let Some(commit) = generation.commit_of(epoch) else { return Ok(false) };
        let query = query::parse(&ask.query, ask.typing)?;
        search::lasts(&generation, &self.builder, tenant, &query, ask, commit)
    }

    /// Checks every file of the index against its checksum.
    ///
    /// # Errors
    /// `Broken` naming the damaged files.
    pub fn check(&self) -> Result<(), Fault> {
        let generation = self.live()?;
        let damaged = generation
            .index
            .validate_checksum()
            .map_err(|e| faults::index("cannot check the index", e))?;
        if damaged.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = damaged.iter().map(|path| path.display().to_string()).collect();
        Err(faults::panicked(&format!("{} do not match their checksums", names.join(", "))))
    }

    /// Tells the folder of the generation in force.
    pub fn folder(&self) -> PathBuf {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        live.generation.path(&self.dir)
    }

    /// Takes the right to write and opens the generation in force for it.
    pub(crate) fn indexer(&self) -> Result<Indexer, Fault> {
        let lock = generation::lock(&self.dir)?;
        // A swap may have happened before the lock was ours; none can happen now.
        let generation = self.live()?;
        Indexer::open(generation, self.builder.clone(), lock)
    }

    /// Catches up with an indexer that is open; another one comes back after a rebuild.
    pub(crate) async fn advance(
        &self,
        mut indexer: Indexer,
        catalogue: &dyn Catalogue,
    ) -> Result<(CaughtUp, Indexer), Fault> {
        if let Standing::Outdated(why) = self.standing(indexer.position(), catalogue).await? {
            tracing::warn!("{why}: rebuilding the index");
            let lock = indexer.close().await?;
            return self.rebuild_with(lock, catalogue).await;
        }
        let caught_up = indexer.catch_up(catalogue).await?;
        self.filled();
        Ok((caught_up, indexer))
    }

    async fn rebuild_with(
        &self,
        lock: WriteLock,
        catalogue: &dyn Catalogue,
    ) -> Result<(CaughtUp, Indexer), Fault> {
        let dir = self.dir.clone();
        let (generation, lock) =
            blocking(move || Ok((Arc::new(generation::create(&dir, &lock)?), lock))).await?;
        let mut indexer = Indexer::open(generation.clone(), self.builder.clone(), lock)?;
        let caught_up = indexer.catch_up(catalogue).await?;
        generation::put_in_force(&self.dir, &generation, &indexer.lock)?;
        *self.live.write().unwrap_or_else(PoisonError::into_inner) =
            Live { generation, stamp: generation::stamp(&self.dir), note: None };
        Ok((caught_up, indexer))
    }

    /// The generation in force; another process may have put a new one there.
    fn live(&self) -> Result<Arc<Generation>, Fault> {
        let stamp = generation::stamp(&self.dir);
        let seen = |live: &Live| stamp.is_none() || live.stamp == stamp;
        {
            let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
            if seen(&live) {
                return Ok(live.generation.clone());
            }
        }
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        if !seen(&live) {
            let generation = generation::open_current(&self.dir).map_err(|why| {
                Fault::broken(format!("the index {} was replaced and {why}", self.dir.display()))
            })?;
            *live = Live { generation: Arc::new(generation), stamp, note: None };
        }
        Ok(live.generation.clone())
    }

    /// Compares what was indexed with the catalogue.
    async fn standing(
        &self,
        position: &Position,
        catalogue: &dyn Catalogue,
    ) -> Result<Standing, Fault> {
        let fingerprint = self.builder.fingerprint();
        if !position.bookmark.is_start() && position.interpreter != fingerprint {
            return Ok(Standing::Outdated("labels are read otherwise than they were indexed"));
        }
        match catalogue.changes(&position.bookmark, 1).await {
            Ok(changes) if changes.list.is_empty() => Ok(Standing::Level),
            Ok(_) => Ok(Standing::Behind),
            Err(fault) if fault.kind() == FaultKind::Conflict => {
                Ok(Standing::Outdated("the catalogue is not the one that was indexed"))
            }
            Err(fault) => Err(fault),
        }
    }

    fn filled(&self) {
        self.live.write().unwrap_or_else(PoisonError::into_inner).note = None;
    }
}

/// Opens the generation in force, or puts an empty one in its place and says why.
fn open_or_replace(dir: &Path) -> Result<Live, Fault> {
    let opened = |note| {
        // Read before the generation, so that a swap in between is noticed later.
        let stamp = generation::stamp(dir);
        let generation = Arc::new(generation::open_current(dir)?);
        Ok::<_, String>(Live { generation, stamp, note })
    };
    if let Ok(live) = opened(None) {
        return Ok(live);
    }
    let lock = generation::lock(dir)?;
    // Whoever held the lock before may have put things right.
    let why = match opened(None) {
        Ok(live) => return Ok(live),
        Err(why) => why,
    };
    let note = (!why.is_empty()).then(|| {
        format!("the index {} was replaced by an empty one, because {why}", dir.display())
    });
    if let Some(note) = &note {
        tracing::warn!("{note}");
    }
    let empty = generation::create(dir, &lock)?;
    generation::put_in_force(dir, &empty, &lock)?;
    opened(note).map_err(|why| {
        Fault::broken(format!("the new index {} cannot be read: {why}", dir.display()))
    })
}

/// How an index stands to a catalogue.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    /// Everything is in it.
    Level,
    /// It can go on where it is.
    Behind,
    /// It is to be made anew, and why.
    Outdated(&'static str),
}
