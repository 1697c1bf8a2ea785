//! Turns tantivy's and the file system's errors into ours, in words that help.

use std::io::ErrorKind;

use glassplate_pipeline::fault::{Fault, FaultKind};
use tantivy::TantivyError;
use tantivy::directory::error::{LockError, OpenWriteError};

/// What to do about a damaged index.
const REBUILD: &str = "rebuild it with glassplate reindex";

/// Makes a fault of an error of the file system.
pub(crate) fn io(message: &str, error: std::io::Error) -> Fault {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => full(message),
        _ => Fault::broken(message),
    }
    .because(error)
}

/// Makes a fault of an error of tantivy.
pub(crate) fn index(message: &str, error: TantivyError) -> Fault {
    match &error {
        TantivyError::LockFailure(LockError::LockBusy, _) => {
            Fault::new(FaultKind::Busy, format!("{message}: another glassplate is writing to it"))
        }
        TantivyError::IoError(e)
        | TantivyError::OpenWriteError(OpenWriteError::IoError { io_error: e, .. })
            if matches!(e.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) =>
        {
            full(message)
        }
        TantivyError::DataCorruption(_)
        | TantivyError::OpenReadError(_)
        | TantivyError::IncompatibleIndex(_)
        | TantivyError::SchemaError(_)
        | TantivyError::InternalError(_) => {
            Fault::broken(format!("{message}: the index is damaged; {REBUILD}"))
        }
        _ => Fault::broken(message),
    }
    .because(error)
}

/// Makes a fault of a panic inside tantivy, which trusts the files that it maps.
pub(crate) fn panicked(message: &str) -> Fault {
    Fault::broken(format!("{message}: the index is damaged; {REBUILD}"))
}

fn full(message: &str) -> Fault {
    Fault::broken(format!("{message}: the disk is full; free space and run the same again"))
}
