//! The registry's file: opened, made, told from others.

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::fault::{Fault, FaultKind};

/// The schema version that this code writes, in SQLite's `user_version`.
const SCHEMA_VERSION: i64 = 1;
/// "glar" in SQLite's `application_id`; the catalogue's is "glas".
const APPLICATION_ID: i64 = 0x676c_6172;
/// How long a writer of another process is waited for.
const BUSY: Duration = Duration::from_secs(20);

/// Opens a connection to the file, making an empty one where there is none.
pub(super) fn connect(path: &Path) -> Result<Connection, Fault> {
    let message = || format!("cannot open the registry {}", path.display());
    // SQLite would make it readable for all; its companions take over the rights of the file.
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|e| Fault::broken(message()).because(e))?;
    let open = || {
        let connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(connection)
    };
    open().map_err(|e| fault(&message(), e))
}

/// Makes the tables in a new file and refuses files that are not ours or too new.
pub(super) fn prepare(connection: &Connection, path: &Path) -> Result<(), Fault> {
    let number = |pragma: &str| {
        connection
            .pragma_query_value(None, pragma, |row| row.get::<_, i64>(0))
            .map_err(|e| fault(&format!("cannot read the registry {}", path.display()), e))
    };
    match (number("application_id")?, number("user_version")?) {
        (APPLICATION_ID, SCHEMA_VERSION) => Ok(()),
        (0, 0) => create(connection)
            .map_err(|e| fault(&format!("cannot make the registry {}", path.display()), e)),
        (APPLICATION_ID, version) => Err(Fault::new(
            FaultKind::Refused,
            format!(
                "{} is a registry of version {version}; this glassplate reads version {SCHEMA_VERSION}",
                path.display()
            ),
        )),
        _ => Err(Fault::new(
            FaultKind::Refused,
            format!("{} is a database of another program", path.display()),
        )),
    }
}

fn create(connection: &Connection) -> rusqlite::Result<()> {
    // Of two processes that make the file at once the second finds it made.
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version == 0 {
        connection.execute_batch(include_str!("schema.sql"))?;
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        connection.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    }
    connection.execute_batch("COMMIT")
}

/// Turns SQLite's errors into ours.
pub(super) fn fault(message: &str, error: rusqlite::Error) -> Fault {
    use rusqlite::ErrorCode;

    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => FaultKind::Busy,
        _ => FaultKind::Broken,
    };
    Fault::new(kind, message).because(error)
}
