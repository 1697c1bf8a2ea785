//! The embedded catalogue: one SQLite file, WAL, synchronous=FULL, group commit.
//!
//! One thread writes: it takes what has queued up, commits it in one transaction with a
//! savepoint a call, and only then answers. Readers have connections of their own and never
//! wait for it. SQLite is also a preservation format, so the file can be read without us.

mod read;
mod slate;
mod write;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OpenFlags};

use super::{Bookmark, Catalogue, Changes, Entry, Sighting};
use crate::asset::{AssetId, PixelDigest, Tenant};
use crate::fault::{Fault, FaultKind};
use crate::opinion::{Maker, Opinion, Subject};
use crate::purchase::{Purchase, PurchaseId};
use crate::record::Parts;
use crate::run::{Item, Run, RunId};

/// The schema version that this code writes, in SQLite's `user_version`.
const SCHEMA_VERSION: i64 = 3;
/// "glas" in SQLite's `application_id`, so that `file` and others can tell whose file it is.
const APPLICATION_ID: i64 = 0x676c_6173;
/// How long a writer of another process is waited for.
const BUSY: Duration = Duration::from_secs(20);

/// Keeps the ledger in one SQLite file.
pub struct SqliteCatalogue {
    path: PathBuf,
    /// Before the readers, because fields are dropped in order: see [`write::Writer`].
    writer: write::Writer,
    readers: Arc<Mutex<Vec<Connection>>>,
}

impl SqliteCatalogue {
    /// Opens the catalogue in the file `path`, making it when there is none.
    ///
    /// # Errors
    /// `Refused` when the file is of a newer glassplate or of another program, `Broken` when it
    /// cannot be opened or is damaged.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        let connection = connect(path)?;
        prepare(&connection, path)?;
        Ok(Self {
            path: path.to_owned(),
            writer: write::Writer::start(connection)?,
            readers: Arc::default(),
        })
    }

    /// Runs one reading on a connection of its own, off the runtime, in one snapshot.
    async fn read<T, F>(&self, work: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (path, readers) = (self.path.clone(), self.readers.clone());
        let read = move || {
            let idle = readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = idle.map_or_else(|| connect(&path), Ok)?;
            let result = connection
                .unchecked_transaction()
                .and_then(|snapshot| work(&snapshot))
                .map_err(|e| fault("cannot read the catalogue", e));
            readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            result
        };
        tokio::task::spawn_blocking(read)
            .await
            .unwrap_or_else(|e| Err(Fault::broken("a catalogue's task ended early").because(e)))
    }
}

#[async_trait]
impl Catalogue for SqliteCatalogue {
    async fn append(&self, tenant: &Tenant, entries: Vec<Entry>) -> Result<(), Fault> {
        self.writer.append(tenant.clone(), entries).await
    }

    async fn parts(&self, tenant: &Tenant, asset: &AssetId) -> Result<Option<Parts>, Fault> {
        let (tenant, asset) = (tenant.clone(), asset.clone());
        self.read(move |c| read::parts(c, &tenant, &asset)).await
    }

    async fn parts_of_many(
        &self,
        tenant: &Tenant,
        assets: &[AssetId],
    ) -> Result<Vec<Parts>, Fault> {
        let (tenant, assets) = (tenant.clone(), assets.to_vec());
        self.read(move |c| {
            assets.iter().filter_map(|asset| read::parts(c, &tenant, asset).transpose()).collect()
        })
        .await
    }

    async fn reusable(
        &self,
        tenant: &Tenant,
        step: &str,
        subject: &Subject,
        maker: &Maker,
    ) -> Result<Option<Opinion>, Fault> {
        let (tenant, step) = (tenant.clone(), step.to_owned());
        let (subject, maker) = (*subject, maker.clone());
        self.read(move |c| read::reusable(c, &tenant, &step, &subject, &maker)).await
    }

    async fn sighting(
        &self,
        tenant: &Tenant,
        collection: &str,
        source: &str,
    ) -> Result<Option<Sighting>, Fault> {
        let (tenant, collection, source) =
            (tenant.clone(), collection.to_owned(), source.to_owned());
        self.read(move |c| read::sighting(c, &tenant, &collection, &source)).await
    }

    async fn assets(
        &self,
        tenant: &Tenant,
        collection: Option<&str>,
        after: Option<&AssetId>,
        limit: usize,
    ) -> Result<Vec<AssetId>, Fault> {
        let (tenant, collection) = (tenant.clone(), collection.map(str::to_owned));
        let after = after.map_or_else(String::new, ToString::to_string);
        self.read(move |c| read::assets(c, &tenant, collection.as_deref(), &after, limit)).await
    }

    async fn family(&self, tenant: &Tenant, pixels: &PixelDigest) -> Result<Vec<AssetId>, Fault> {
        let (tenant, pixels) = (tenant.clone(), *pixels);
        self.read(move |c| read::family(c, &tenant, &pixels)).await
    }

    async fn changes(&self, after: &Bookmark, limit: usize) -> Result<Changes, Fault> {
        let after = after.clone();
        self.read(move |c| read::changes(c, &after, limit)).await?.ok_or_else(|| {
            Fault::new(FaultKind::Conflict, "the bookmark is not of this catalogue's change feed")
        })
    }

    async fn runs(
        &self,
        tenant: &Tenant,
        after: Option<&RunId>,
        limit: usize,
    ) -> Result<Vec<Run>, Fault> {
        let (tenant, after) = (tenant.clone(), after.cloned());
        self.read(move |c| read::runs(c, &tenant, after.as_ref(), limit)).await
    }

    async fn run(&self, tenant: &Tenant, run: &RunId) -> Result<Option<Run>, Fault> {
        let (tenant, run) = (tenant.clone(), run.clone());
        self.read(move |c| read::run(c, &tenant, &run)).await
    }

    async fn assets_of_run(
        &self,
        tenant: &Tenant,
        run: &RunId,
        after: Option<&AssetId>,
        limit: usize,
    ) -> Result<Vec<AssetId>, Fault> {
        let (tenant, run) = (tenant.clone(), run.clone());
        let after = after.map_or_else(String::new, ToString::to_string);
        self.read(move |c| read::assets_of_run(c, &tenant, &run, &after, limit)).await
    }

    async fn items(
        &self,
        tenant: &Tenant,
        run: &RunId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Item>, Fault> {
        let (tenant, run) = (tenant.clone(), run.clone());
        let after = after.unwrap_or_default().to_owned();
        self.read(move |c| read::items(c, &tenant, &run, &after, limit)).await
    }

    /// Checks the whole file: SQLite's own integrity check and the references between tables.
    async fn check(&self) -> Result<(), Fault> {
        self.read(|connection| {
            let says: String =
                connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
            let dangling =
                connection.prepare("PRAGMA foreign_key_check")?.query_map([], |_| Ok(()))?.count();
            Ok((says, dangling))
        })
        .await
        .and_then(|(says, dangling)| match (says.as_str(), dangling) {
            ("ok", 0) => Ok(()),
            ("ok", n) => Err(Fault::broken(format!("{n} rows of the catalogue refer to nothing"))),
            _ => Err(Fault::broken(format!("the catalogue is damaged: {says}"))),
        })
    }

    async fn purchases(&self, tenant: &Tenant, id: &PurchaseId) -> Result<Vec<Purchase>, Fault> {
        let (tenant, id) = (tenant.clone(), id.clone());
        self.read(move |c| read::purchases(c, &tenant, &id)).await
    }

    async fn purchases_of_run(
        &self,
        tenant: &Tenant,
        run: &RunId,
        after: Option<(&PurchaseId, u32)>,
        limit: usize,
    ) -> Result<Vec<Purchase>, Fault> {
        let (tenant, run) = (tenant.clone(), run.clone());
        let after = after.map_or((String::new(), 0), |(id, n)| (id.as_str().to_owned(), n));
        self.read(move |c| read::purchases_of_run(c, &tenant, &run, &after, limit)).await
    }
}

fn connect(path: &Path) -> Result<Connection, Fault> {
    let open = || {
        let connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE
                | OpenFlags::SQLITE_OPEN_CREATE
                | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    };
    open().map_err(|e| {
        let message = format!("cannot open the catalogue {}", path.display());
        // SQLite says only that it could not; the folder says why: read-only, full, no rights.
        match path.parent().map(tempfile::tempfile_in) {
            Some(Err(why)) => Fault::broken(message).because(why),
            _ => fault(&message, e),
        }
    })
}

/// Makes the tables in a new file and refuses files that are not ours or too new.
fn prepare(connection: &Connection, path: &Path) -> Result<(), Fault> {
    let number = |pragma: &str| {
        connection
            .pragma_query_value(None, pragma, |row| row.get::<_, i64>(0))
            .map_err(|e| fault(&format!("cannot read the catalogue {}", path.display()), e))
    };
    match (number("application_id")?, number("user_version")?) {
        (APPLICATION_ID, SCHEMA_VERSION) => Ok(()),
        (APPLICATION_ID, 1 | 2) => upgrade(connection)
            .map_err(|e| fault(&format!("cannot upgrade the catalogue {}", path.display()), e)),
        (0, 0) => create(connection)
            .map_err(|e| fault(&format!("cannot make the catalogue {}", path.display()), e)),
        (APPLICATION_ID, version) => Err(Fault::new(
            FaultKind::Refused,
            format!(
                "{} is a catalogue of version {version}; this glassplate reads version {SCHEMA_VERSION}",
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

/// Adds to an older file what this version has more: purchases since 2, notes and charges since 3.
fn upgrade(connection: &Connection) -> rusqlite::Result<()> {
    const ADDED: [(i64, &str); 2] =
        [(2, "-- Calls to paid services"), (3, "-- What the workers of one run share")];
    let schema = include_str!("schema.sql");
    let begins = |comment: &str| schema.find(comment).expect("the schema has this part");
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if let Some((_, first)) = ADDED.iter().find(|(since, _)| *since > version) {
        connection.execute_batch(&schema[begins(first)..begins("-- The change feed")])?;
        connection.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    }
    connection.execute_batch("COMMIT")
}

/// Turns SQLite's errors into ours.
fn fault(message: &str, error: rusqlite::Error) -> Fault {
    use rusqlite::ErrorCode;

    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => FaultKind::Busy,
        Some(ErrorCode::ConstraintViolation) if write::is_taken(&error) => FaultKind::Conflict,
        Some(ErrorCode::ConstraintViolation) => FaultKind::NotFound,
        _ => FaultKind::Broken,
    };
    Fault::new(kind, message).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_embedded_catalogue_keeps_the_contract() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let catalogue =
            SqliteCatalogue::open(&folder.path().join("c.sqlite")).expect("a catalogue");
        let catalogue = Arc::new(catalogue);
        let other =
            SqliteCatalogue::open(&folder.path().join("o.sqlite")).expect("another catalogue");
        super::super::conformance::run(catalogue.clone(), &other).await;
        catalogue.check().await.expect("a sound file");
    }

    #[tokio::test]
    async fn closing_with_idle_readers_never_hangs() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("c.sqlite");
        for _ in 0..200 {
            let catalogue = SqliteCatalogue::open(&path).expect("a catalogue");
            let tenant = Tenant::default();
            let (one, other) =
                tokio::join!(catalogue.runs(&tenant, None, 1), catalogue.runs(&tenant, None, 1));
            assert!(one.expect("runs").is_empty() && other.expect("runs").is_empty());
        }
    }

    #[tokio::test]
    async fn a_file_of_another_program_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("other.sqlite");
        Connection::open(&path)
            .and_then(|c| c.execute_batch("PRAGMA user_version = 7; CREATE TABLE t (x)"))
            .expect("a database");
        let fault = SqliteCatalogue::open(&path).err().expect("a refusal");
        assert_eq!(fault.kind(), FaultKind::Refused);
        assert!(fault.reason().contains("other.sqlite"), "{}", fault.reason());
    }

    #[test]
    fn a_file_that_is_no_database_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("broken.sqlite");
        std::fs::write(&path, [b'x'; 5000]).expect("write");
        let fault = SqliteCatalogue::open(&path).err().expect("a fault");
        assert!(fault.reason().contains("broken.sqlite"), "{}", fault.reason());
    }
}
