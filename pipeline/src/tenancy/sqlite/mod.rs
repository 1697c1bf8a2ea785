//! The embedded registry: one SQLite file beside the catalogue, WAL, synchronous=FULL.
//!
//! One thread writes in groups, as in the embedded catalogue; a transaction holds the file's only
//! write lock, so that charges are counted rightly across processes. Readers never wait.

mod file;
mod rows;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{AccessKey, Deed, DeedId, KeyId, Lease, MOST_LISTED, Quota, Registry, Usage};
use crate::asset::Tenant;
use crate::fault::Fault;
use file::{connect, fault, prepare};

/// Keeps leases, keys, usage and deeds in one SQLite file.
pub struct SqliteRegistry {
    path: PathBuf,
    /// Before the readers, because fields are dropped in order: see [`writer::Writer`].
    writer: writer::Writer,
    readers: Arc<Mutex<Vec<Connection>>>,
}

impl SqliteRegistry {
    /// Opens the registry in the file `path`, making it, for its owner's eyes only, when there is
    /// none.
    ///
    /// # Errors
    /// `Refused` when the file is of a newer glassplate or of another program, `Broken` when it
    /// cannot be opened or is damaged.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        let connection = connect(path)?;
        prepare(&connection, path)?;
        Ok(Self {
            path: path.to_owned(),
            writer: writer::Writer::start(connection)?,
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
                .map_err(|e| fault("cannot read the registry", e));
            readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            result
        };
        tokio::task::spawn_blocking(read)
            .await
            .unwrap_or_else(|e| Err(Fault::broken("a registry's task ended early").because(e)))
    }
}

#[async_trait]
impl Registry for SqliteRegistry {
    async fn open_lease(&self, lease: &Lease) -> Result<(), Fault> {
        lease.quota.validate()?;
        let lease = lease.clone();
        self.writer
            .write(move |c| match rows::insert_lease(c, &lease).map_err(writing)? {
                0 => Err(super::tenant_taken(&lease.tenant)),
                _ => Ok(()),
            })
            .await
    }

    async fn lease(&self, tenant: &Tenant) -> Result<Option<Lease>, Fault> {
        let tenant = tenant.clone();
        self.read(move |c| rows::lease(c, &tenant)).await
    }

    async fn leases(&self, after: Option<&Tenant>, limit: usize) -> Result<Vec<Lease>, Fault> {
        let after = after.map_or_else(String::new, ToString::to_string);
        self.read(move |c| {
            c.prepare_cached("SELECT * FROM lease WHERE tenant > ?1 ORDER BY tenant LIMIT ?2")?
                .query_map(params![after, limit.min(MOST_LISTED)], rows::lease_of)?
                .collect()
        })
        .await
    }

    async fn set_quota(&self, tenant: &Tenant, quota: &Quota) -> Result<(), Fault> {
        quota.validate()?;
        let (tenant, quota) = (tenant.clone(), *quota);
        self.writer
            .write(move |c| match rows::update_quota(c, &tenant, &quota).map_err(writing)? {
                0 => Err(super::no_tenant(&tenant)),
                _ => Ok(()),
            })
            .await
    }

    async fn usage(&self, tenant: &Tenant) -> Result<Usage, Fault> {
        let tenant = tenant.clone();
        self.read(move |c| rows::usage(c, &tenant)).await
    }

    async fn charge(&self, tenant: &Tenant, more: &Usage) -> Result<Usage, Fault> {
        let (tenant, more) = (tenant.clone(), *more);
        self.writer
            .write(move |c| {
                let quota = rows::lease(c, &tenant).map_err(writing)?.map(|lease| lease.quota);
                let used = rows::usage(c, &tenant).map_err(writing)?;
                let sum = used.charged(&more, &quota.unwrap_or_default())?;
                rows::put_usage(c, &tenant, &sum).map_err(writing)?;
                Ok(sum)
            })
            .await
    }

    async fn give_back(&self, tenant: &Tenant, less: &Usage) -> Result<(), Fault> {
        let (tenant, less) = (tenant.clone(), *less);
        self.writer
            .write(move |c| {
                let used = rows::usage(c, &tenant).map_err(writing)?;
                rows::put_usage(c, &tenant, &used.given_back(&less)).map_err(writing)
            })
            .await
    }

    async fn add_key(&self, key: &AccessKey) -> Result<(), Fault> {
        let key = key.clone();
        self.writer
            .write(move |c| {
                if rows::lease(c, &key.tenant).map_err(writing)?.is_none() {
                    return Err(super::no_tenant(&key.tenant));
                }
                match rows::insert_key(c, &key).map_err(writing)? {
                    0 => Err(super::key_taken(&key.id)),
                    _ => Ok(()),
                }
            })
            .await
    }

    async fn key(&self, id: &KeyId) -> Result<Option<AccessKey>, Fault> {
        let id = id.clone();
        self.read(move |c| {
            c.prepare_cached("SELECT * FROM access_key WHERE id = ?1")?
                .query_row([id.as_str()], rows::key_of)
                .optional()
        })
        .await
    }

    async fn keys(
        &self,
        tenant: &Tenant,
        after: Option<&KeyId>,
        limit: usize,
    ) -> Result<Vec<AccessKey>, Fault> {
        let tenant = tenant.clone();
        let after = after.map_or_else(String::new, ToString::to_string);
        self.read(move |c| {
            c.prepare_cached(
                "SELECT * FROM access_key WHERE tenant = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
            )?
            .query_map(params![tenant.as_str(), after, limit.min(MOST_LISTED)], rows::key_of)?
            .collect()
        })
        .await
    }

    async fn revoke_key(&self, tenant: &Tenant, id: &KeyId, at: Timestamp) -> Result<(), Fault> {
        let (tenant, id) = (tenant.clone(), id.clone());
        self.writer
            .write(move |c| match rows::revoke(c, &tenant, &id, at).map_err(writing)? {
                0 => Err(super::no_key(&id)),
                _ => Ok(()),
            })
            .await
    }

    async fn has_keys(&self) -> Result<bool, Fault> {
        self.read(|c| c.query_row("SELECT EXISTS (SELECT 1 FROM access_key)", [], |row| row.get(0)))
            .await
    }

    async fn note(&self, deed: &Deed) -> Result<(), Fault> {
        let deed = deed.clone();
        self.writer.write(move |c| rows::insert_deed(c, &deed).map_err(writing)).await
    }

    async fn deeds(
        &self,
        tenant: &Tenant,
        before: Option<&DeedId>,
        limit: usize,
    ) -> Result<Vec<Deed>, Fault> {
        let (tenant, before) = (tenant.clone(), before.map(ToString::to_string));
        self.read(move |c| {
            c.prepare_cached(
                "SELECT body FROM deed WHERE tenant = ?1 AND (?2 IS NULL OR id < ?2)
                 ORDER BY id DESC LIMIT ?3",
            )?
            .query_map(params![tenant.as_str(), before, limit.min(MOST_LISTED)], rows::deed_of)?
            .collect()
        })
        .await
    }

    /// Checks the whole file: SQLite's own integrity check.
    async fn check(&self) -> Result<(), Fault> {
        let says: String =
            self.read(|c| c.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))).await?;
        match says.as_str() {
            "ok" => Ok(()),
            _ => Err(Fault::broken(format!("the registry is damaged: {says}"))),
        }
    }
}

fn writing(error: rusqlite::Error) -> Fault {
    fault("cannot write to the registry", error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::FaultKind;

    fn opened(path: &Path) -> SqliteRegistry {
        SqliteRegistry::open(path).expect("a registry")
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_embedded_registry_keeps_the_contract() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("r.sqlite");
        // The second one stands for another process.
        let (registry, other) = (Arc::new(opened(&path)), Arc::new(opened(&path)));
        super::super::conformance::run(registry.clone(), other).await;
        registry.check().await.expect("a sound file");
    }

    #[tokio::test]
    async fn what_was_written_is_there_after_opening_again() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("r.sqlite");
        let tenant = Tenant::default();
        let usage = opened(&path).charge(&tenant, &Usage::picture(7)).await.expect("a charge");
        assert_eq!(opened(&path).usage(&tenant).await.expect("usage"), usage);
    }

    #[test]
    fn only_the_owner_can_read_the_file() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("r.sqlite");
        let _registry = opened(&path);
        for entry in std::fs::read_dir(folder.path()).expect("a folder") {
            let entry = entry.expect("an entry");
            let mode = entry.metadata().expect("metadata").permissions().mode();
            assert_eq!(mode & 0o077, 0, "{:?}", entry.path());
        }
    }

    #[tokio::test]
    async fn the_audit_log_can_be_added_to_only() {
        use super::super::{DeedOutcome, Verb};

        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("r.sqlite");
        let registry = opened(&path);
        let (at, tenant) = (Timestamp::UNIX_EPOCH, Tenant::default());
        let deed = Deed::new(at, &tenant, "ada", Verb::Export, "all", DeedOutcome::Done);
        registry.note(&deed.expect("a deed")).await.expect("noted");
        let connection = Connection::open(&path).expect("a connection");
        for change in ["DELETE FROM deed", "UPDATE deed SET body = '{}'"] {
            assert!(connection.execute_batch(change).is_err(), "{change}");
        }
    }

    #[test]
    fn a_file_of_another_program_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("other.sqlite");
        Connection::open(&path)
            .and_then(|c| c.execute_batch("PRAGMA user_version = 7; CREATE TABLE t (x)"))
            .expect("a database");
        let fault = SqliteRegistry::open(&path).err().expect("a refusal");
        assert_eq!(fault.kind(), FaultKind::Refused);
        assert!(fault.reason().contains("other.sqlite"), "{}", fault.reason());
    }
}
