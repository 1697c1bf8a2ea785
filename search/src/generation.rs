//! Generations: the index's folder, in which a new index replaces an old one in one step.
//!
//! ```text
//! index/
//!   current        JSON: the schema's version and the generation that holds
//!   lock           held by whoever writes; the system drops it with the process
//!   g-1764000000/  a tantivy index, with the position in its commits' payload
//! ```
//!
//! Renaming over `current` is the swap. A crash before it leaves a folder that nobody
//! names, which the next writer removes; a crash after it leaves the old one, likewise.

use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use glassplate_pipeline::catalogue::Bookmark;
use glassplate_pipeline::fault::{Fault, FaultKind};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use tantivy::{IndexMeta, IndexReader, IndexSettings, ReloadPolicy, Warmer};

use crate::collect::Collector;
use crate::faults;
use crate::files::Files;
use crate::lexicon::Neighbours;
use crate::schema::{Columns, SCHEMA_VERSION, schema};
use crate::search::Hits;
use crate::sheet::Sheets;
use crate::standing::Standing;
use crate::steps::Steps;

/// Blocks of the document store: small, because a search reads a few documents each in its own.
const STORE_BLOCK_BYTES: usize = 4096;
/// Decompressed blocks kept.
const STORE_BLOCKS_KEPT: usize = 512;

/// Of how many tenants it is kept what they have.
const STANDINGS_KEPT: usize = 64;

/// The bits of an epoch that count commits.
const COMMITS: u64 = (1 << 40) - 1;

/// What `current` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Current {
    schema: u32,
    generation: String,
}

/// One tantivy index, open.
pub(crate) struct Generation {
    pub(crate) name: String,
    pub(crate) index: tantivy::Index,
    pub(crate) reader: IndexReader,
    pub(crate) columns: Columns,
    pub(crate) sheets: Arc<Sheets>,
    pub(crate) collector: Collector,
    pub(crate) hits: Hits,
    pub(crate) neighbours: Neighbours,
    /// By the reader's generation and the tenant.
    pub(crate) standings: Cache<(u64, String), Arc<Standing>>,
    pub(crate) steps: Arc<Steps>,
}

/// How far a generation has followed the change feed: the payload of each commit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// Everything before it is in the index.
    pub(crate) bookmark: Bookmark,
    /// The fingerprint of the interpreter whose labels were indexed.
    #[serde(default)]
    pub(crate) interpreter: String,
    /// How many documents ever replaced one: while it stays, all that is new is of new pictures.
    #[serde(default)]
    pub(crate) replaced: u64,
}

impl Position {
    /// Reads the position from what a commit says of itself.
    pub(crate) fn of(metas: &IndexMeta) -> Result<Self, Fault> {
        metas.payload.as_deref().map_or_else(
            || Ok(Self::default()),
            |payload| {
                serde_json::from_str(payload)
                    .map_err(|e| Fault::broken("the index's position is damaged").because(e))
            },
        )
    }
}

/// The exclusive right to write; gives it back when dropped.
#[derive(Debug)]
pub(crate) struct WriteLock {
    _file: File,
}

/// Which `current` was read: it changes with every swap.
pub(crate) type Stamp = (u64, i64, i64);

/// Takes the exclusive right to write to the index in `dir`.
///
/// # Errors
/// `Busy` when another process, or another part of this one, is indexing.
pub(crate) fn lock(dir: &Path) -> Result<WriteLock, Fault> {
    let path = dir.join("lock");
    let wrong = |e: std::io::Error| faults::io(&format!("cannot lock {}", path.display()), e);
    let file =
        File::options().create(true).truncate(false).write(true).open(&path).map_err(wrong)?;
    match file.try_lock() {
        Ok(()) => Ok(WriteLock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(Fault::new(
            FaultKind::Busy,
            format!("the index {} is being written by another glassplate", dir.display()),
        )),
        Err(TryLockError::Error(e)) => Err(wrong(e)),
    }
}

/// Tells which `current` is in force; nothing when there is none.
pub(crate) fn stamp(dir: &Path) -> Option<Stamp> {
    let of = fs::metadata(dir.join("current")).ok()?;
    Some((of.ino(), of.mtime(), of.mtime_nsec()))
}

/// Opens the generation in force; a reason in words when there is none that can be used.
pub(crate) fn open_current(dir: &Path) -> Result<Generation, String> {
    let text = match fs::read(dir.join("current")) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return Err(String::new()),
        Err(e) => return Err(format!("its file current cannot be read: {e}")),
    };
    let current: Current =
        serde_json::from_slice(&text).map_err(|_| "its file current is damaged".to_owned())?;
    if current.schema != SCHEMA_VERSION {
        return Err(format!("it was written with schema {}, not {SCHEMA_VERSION}", current.schema));
    }
    // The name is joined to a path, so it must not lead elsewhere.
    if !current.generation.starts_with("g-") || current.generation.contains('/') {
        return Err("its file current is damaged".to_owned());
    }
    let path = dir.join(&current.generation);
    let index = Files::open(&path)
        .and_then(tantivy::Index::open)
        .map_err(|e| format!("it is damaged: {e}"))?;
    let (expected, _) = schema();
    if index.schema() != expected {
        return Err("its fields are not those of this glassplate".to_owned());
    }
    let generation =
        Generation::opened(current.generation, index).map_err(|e| format!("it is damaged: {e}"))?;
    generation.position().map_err(|fault| fault.reason())?;
    Ok(generation)
}

/// Makes an empty generation that nobody names yet.
pub(crate) fn create(dir: &Path, _lock: &WriteLock) -> Result<Generation, Fault> {
    let mut number: u64 =
        names(dir)?.iter().filter_map(|name| name[2..].parse().ok()).max().unwrap_or(0);
    loop {
        number = number.saturating_add(1);
        let name = format!("g-{number}");
        let path = dir.join(&name);
        match fs::create_dir(&path) {
            Ok(()) => {}
            Err(e) if e.kind() == ErrorKind::AlreadyExists => continue,
            Err(e) => return Err(faults::io(&format!("cannot make {}", path.display()), e)),
        }
        let settings =
            IndexSettings { docstore_blocksize: STORE_BLOCK_BYTES, ..IndexSettings::default() };
        let builder = tantivy::Index::builder().schema(schema().0).settings(settings);
        return Files::open(&path)
            .and_then(|files| builder.open_or_create(files))
            .and_then(|index| Generation::opened(name, index))
            .map_err(|e| faults::index(&format!("cannot make the index {}", path.display()), e));
    }
}

/// Puts a generation in force and removes the others.
pub(crate) fn put_in_force(
    dir: &Path,
    generation: &Generation,
    _lock: &WriteLock,
) -> Result<(), Fault> {
    let current = Current { schema: SCHEMA_VERSION, generation: generation.name.clone() };
    let text = serde_json::to_vec(&current).expect("plain data");
    let swap = || {
        let new = dir.join("current.new");
        let mut file = File::create(&new)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&new, dir.join("current"))?;
        File::open(dir)?.sync_all()
    };
    swap().map_err(|e| {
        faults::io(&format!("cannot put a new index in force in {}", dir.display()), e)
    })?;
    sweep(dir, &generation.name);
    Ok(())
}

/// Removes all generations but one; what cannot be removed waits for the next sweep.
fn sweep(dir: &Path, keep: &str) {
    for name in names(dir).unwrap_or_default().iter().filter(|name| *name != keep) {
        if let Err(e) = fs::remove_dir_all(dir.join(name)) {
            tracing::debug!("the index's old folder {name} stays: {e}");
        }
    }
}

fn names(dir: &Path) -> Result<Vec<String>, Fault> {
    let list = || -> std::io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(dir)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.starts_with("g-") {
                names.push(name);
            }
        }
        Ok(names)
    };
    list().map_err(|e| faults::io(&format!("cannot list {}", dir.display()), e))
}

impl Generation {
    fn opened(name: String, index: tantivy::Index) -> tantivy::Result<Self> {
        let (_, columns) = schema();
        let sheets = Arc::new(Sheets::default());
        let steps = Arc::new(Steps::default());
        let warmers: [Arc<dyn Warmer>; 2] = [sheets.clone(), steps.clone()];
        let reader = index
            .reader_builder()
            // Commits of other processes become visible too, half a second later.
            .reload_policy(ReloadPolicy::OnCommitWithDelay)
            .doc_store_cache_num_blocks(STORE_BLOCKS_KEPT)
            .warmers(warmers.iter().map(Arc::downgrade).collect())
            .try_into()?;
        let (collector, hits) = (Collector::default(), Hits::default());
        let neighbours = Neighbours::default();
        let standings = Cache::new(STANDINGS_KEPT);
        Ok(Self {
            name,
            index,
            reader,
            columns,
            sheets,
            collector,
            hits,
            neighbours,
            standings,
            steps,
        })
    }

    /// A number that is higher after each commit, and in each generation than in those before it.
    pub(crate) fn epoch(&self) -> u64 {
        self.first_epoch() | self.reader.searcher().generation().generation_id()
    }

    /// The commit of an epoch, when it was one of this generation.
    pub(crate) fn commit_of(&self, epoch: u64) -> Option<u64> {
        (epoch & !COMMITS == self.first_epoch()).then_some(epoch & COMMITS)
    }

    fn first_epoch(&self) -> u64 {
        let number: u64 = self.name.trim_start_matches("g-").parse().unwrap_or_default();
        number << COMMITS.count_ones()
    }

    /// Reads how far this generation has followed the change feed.
    pub(crate) fn position(&self) -> Result<Position, Fault> {
        let metas =
            self.index.load_metas().map_err(|e| faults::index("cannot read the index", e))?;
        Position::of(&metas)
    }

    /// Where the generation's files are.
    pub(crate) fn path(&self, dir: &Path) -> PathBuf {
        dir.join(&self.name)
    }
}
