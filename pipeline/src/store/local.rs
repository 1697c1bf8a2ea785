//! The embedded store: plain files below one folder, readable without glassplate.
//!
//! A write goes to a temporary file in the same file system, is synced, and then gets its
//! name with `link(2)`, which fails when the name is taken: all or nothing, and create-only
//! without a lock. What a crash leaves in the `incoming` folder is swept at the next opening.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use super::{Body, Created, Key, Store};
use crate::asset::Digest;
use crate::fault::Fault;

/// How old a leftover in `incoming` must be before it is swept: no write takes a day.
const LEFTOVER_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Keeps bytes in plain files below one folder.
#[derive(Debug, Clone)]
pub struct LocalStore {
    root: PathBuf,
    incoming: PathBuf,
}

impl LocalStore {
    /// Opens the store below `root`, making the folder when there is none.
    ///
    /// # Errors
    /// `Broken` when the folder cannot be made or written.
    pub fn open(root: &Path) -> Result<Self, Fault> {
        let incoming = root.join("incoming");
        fs::create_dir_all(&incoming).map_err(|e| cannot("make", &incoming, e))?;
        let store = Self { root: root.to_owned(), incoming };
        store.sweep();
        Ok(store)
    }

    fn file(&self, key: &Key) -> PathBuf {
        self.root.join(key.path())
    }

    /// Removes what crashed writes left behind; a leftover that resists is only clutter.
    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(&self.incoming) else { return };
        let now = SystemTime::now();
        for entry in entries.flatten() {
            let old = entry
                .metadata()
                .and_then(|meta| meta.modified())
                .is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age > LEFTOVER_AGE));
            if old {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Writes and syncs a temporary file beside the final place.
    fn stage(&self, key: &Key, body: &Body) -> Result<tempfile::NamedTempFile, Fault> {
        let write = || -> io::Result<tempfile::NamedTempFile> {
            let mut temporary = tempfile::NamedTempFile::new_in(&self.incoming)?;
            match body {
                Body::Bytes(bytes) => temporary.write_all(bytes)?,
                Body::File(path) => {
                    io::copy(&mut File::open(path)?, temporary.as_file_mut())?;
                }
            }
            // Readable by whoever may read the folder; nobody needs to write it again.
            let mode = if key.sacred() { 0o444 } else { 0o644 };
            rustix::fs::fchmod(temporary.as_file(), mode.into())?;
            temporary.as_file().sync_all()?;
            Ok(temporary)
        };
        write().map_err(|e| cannot("write", &self.file(key), e))
    }

    fn create_now(&self, key: &Key, body: &Body, blake3: &Digest) -> Result<Created, Fault> {
        let file = self.file(key);
        if file.exists() {
            return Ok(Created::Existed);
        }
        let temporary = self.stage(key, body)?;
        let written = hash_uncached(temporary.path()).map_err(|e| cannot("read back", &file, e))?;
        if written != *blake3 {
            return Err(Fault::broken(format!(
                "what was written for {} reads back differently: the source changed meanwhile, or the disk is failing",
                file.display()
            )));
        }
        make_parent(&file)?;
        match fs::hard_link(temporary.path(), &file) {
            Ok(()) => {
                sync_parent(&file)?;
                Ok(Created::New)
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(Created::Existed),
            Err(e) => Err(cannot("name", &file, e)),
        }
    }

    fn replace_now(&self, key: &Key, body: &Body) -> Result<(), Fault> {
        key.refuse_if_sacred()?;
        let file = self.file(key);
        let temporary = self.stage(key, body)?;
        make_parent(&file)?;
        temporary.persist(&file).map_err(|e| cannot("name", &file, e.error))?;
        sync_parent(&file)
    }
}

#[async_trait]
impl Store for LocalStore {
    async fn create(&self, key: &Key, body: &Body, blake3: &Digest) -> Result<Created, Fault> {
        let (store, key, body, blake3) = (self.clone(), key.clone(), body.clone(), *blake3);
        off_the_runtime(move || store.create_now(&key, &body, &blake3)).await
    }

    async fn replace(&self, key: &Key, body: &Body) -> Result<(), Fault> {
        let (store, key, body) = (self.clone(), key.clone(), body.clone());
        off_the_runtime(move || store.replace_now(&key, &body)).await
    }

    async fn remove(&self, key: &Key) -> Result<(), Fault> {
        key.refuse_if_sacred()?;
        let file = self.file(key);
        off_the_runtime(move || match fs::remove_file(&file) {
            Ok(()) => sync_parent(&file),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(cannot("remove", &file, e)),
        })
        .await
    }

    async fn read(&self, key: &Key) -> Result<Vec<u8>, Fault> {
        let file = self.file(key);
        off_the_runtime(move || fs::read(&file).map_err(|e| cannot("read", &file, e))).await
    }

    async fn read_part(&self, key: &Key, from: u64, most: usize) -> Result<Vec<u8>, Fault> {
        let file = self.file(key);
        off_the_runtime(move || {
            let read = || -> io::Result<Vec<u8>> {
                let mut opened = File::open(&file)?;
                opened.seek(io::SeekFrom::Start(from))?;
                let left = opened.metadata()?.len().saturating_sub(from);
                let room = usize::try_from(left).unwrap_or(usize::MAX).min(most);
                let mut part = Vec::with_capacity(room);
                opened.take(room as u64).read_to_end(&mut part)?;
                Ok(part)
            };
            read().map_err(|e| cannot("read", &file, e))
        })
        .await
    }

    async fn blake3(&self, key: &Key) -> Result<Digest, Fault> {
        let file = self.file(key);
        off_the_runtime(move || hash_uncached(&file).map_err(|e| cannot("read", &file, e))).await
    }

    async fn length(&self, key: &Key) -> Result<Option<u64>, Fault> {
        let file = self.file(key);
        off_the_runtime(move || match fs::metadata(&file) {
            Ok(meta) => Ok(Some(meta.len())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(cannot("read", &file, e)),
        })
        .await
    }

    async fn delivery(&self, _key: &Key, _seconds: u32) -> Result<Option<String>, Fault> {
        Ok(None)
    }

    fn place(&self, path: &str) -> String {
        self.root.join(path).display().to_string()
    }
}

/// Hashes a file after asking the kernel to forget its cached pages, so that the medium answers.
fn hash_uncached(path: &Path) -> io::Result<Digest> {
    let mut file = OpenOptions::new().read(true).open(path)?;
    // Advice only: where the file system ignores it the cached bytes are hashed.
    let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
    file.rewind()?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Digest::new(hasher.finalize().into())),
            n => hasher.update(&buffer[..n]),
        };
    }
}

fn make_parent(file: &Path) -> Result<(), Fault> {
    let parent = file.parent().expect("a key has folders");
    if parent.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(parent).map_err(|e| cannot("make", parent, e))?;
    // The new folders' own names must survive a crash too: at most four levels up.
    for folder in parent.ancestors().take(4) {
        sync_folder(folder)?;
    }
    Ok(())
}

fn sync_parent(file: &Path) -> Result<(), Fault> {
    sync_folder(file.parent().expect("a key has folders"))
}

fn sync_folder(folder: &Path) -> Result<(), Fault> {
    File::open(folder).and_then(|f| f.sync_all()).map_err(|e| cannot("sync", folder, e))
}

async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|e| Err(Fault::broken("a store's task ended early").because(e)))
}

fn cannot(action: &str, path: &Path, error: io::Error) -> Fault {
    let message = format!("cannot {action} {}", path.display());
    match error.kind() {
        io::ErrorKind::NotFound => Fault::not_found(message).because(error),
        _ => Fault::broken(message).because(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_local_store_keeps_the_contract() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = std::sync::Arc::new(LocalStore::open(folder.path()).expect("a store"));
        super::super::conformance::run(store).await;
    }

    #[tokio::test]
    async fn nothing_is_left_in_incoming() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = std::sync::Arc::new(LocalStore::open(folder.path()).expect("a store"));
        super::super::conformance::run(store).await;
        let left = fs::read_dir(folder.path().join("incoming")).expect("a folder").count();
        assert_eq!(left, 0);
    }
}
