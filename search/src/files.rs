//! Files: where tantivy keeps an index.
//!
//! What every search looks into is mapped into memory: the words and the fast fields. Lists of
//! documents, places of words in texts and stored documents are read here and there, and would fill
//! the process's memory with pages that are needed once; read on demand they stay in the system's
//! cache alone.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use tantivy::HasLen;
use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    Directory, DirectoryLock, FileHandle, Lock, MmapDirectory, OwnedBytes, WatchCallback,
    WatchHandle, WritePtr,
};

/// A folder with an index.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    folder: std::path::PathBuf,
    mapped: MmapDirectory,
}

impl Files {
    /// Opens a folder that is there.
    pub(crate) fn open(folder: &Path) -> tantivy::Result<Self> {
        Ok(Self { folder: folder.to_owned(), mapped: MmapDirectory::open(folder)? })
    }
}

/// Whether a file holds lists of documents, the places of words, or stored documents.
fn read_on_demand(path: &Path) -> bool {
    path.extension().is_some_and(|end| ["idx", "pos", "store"].iter().any(|one| end == *one))
}

impl Directory for Files {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        if !read_on_demand(path) {
            return self.mapped.get_file_handle(path);
        }
        let open = || {
            let file = File::open(self.folder.join(path))?;
            let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
            Ok(Arc::new(OnDemand { file, length }))
        };
        open().map(|file| file as Arc<dyn FileHandle>).map_err(|e: io::Error| match e.kind() {
            io::ErrorKind::NotFound => OpenReadError::FileDoesNotExist(path.to_owned()),
            _ => OpenReadError::wrap_io_error(e, path.to_owned()),
        })
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        self.mapped.delete(path)
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.mapped.exists(path)
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        self.mapped.open_write(path)
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        self.mapped.atomic_read(path)
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        self.mapped.atomic_write(path, data)
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.mapped.sync_directory()
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        self.mapped.acquire_lock(lock)
    }

    fn watch(&self, callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.mapped.watch(callback)
    }
}

/// A file that is read where it is asked.
#[derive(Debug)]
struct OnDemand {
    file: File,
    length: usize,
}

impl HasLen for OnDemand {
    fn len(&self) -> usize {
        self.length
    }
}

impl FileHandle for OnDemand {
    fn read_bytes(&self, range: Range<usize>) -> io::Result<OwnedBytes> {
        let mut bytes = vec![0; range.len()];
        self.file.read_exact_at(&mut bytes, range.start as u64)?;
        Ok(OwnedBytes::new(bytes))
    }
}
