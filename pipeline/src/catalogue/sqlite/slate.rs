//! Notes and charges in SQLite; they are written by the one writer, as everything is.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::super::{Note, Slate};
use super::SqliteCatalogue;
use super::write::Work;
use crate::asset::Tenant;
use crate::fault::Fault;
use crate::purchase::Dollars;
use crate::run::RunId;

#[async_trait]
impl Slate for SqliteCatalogue {
    async fn note(&self, tenant: &Tenant, run: &RunId, name: &str) -> Result<Option<Note>, Fault> {
        let (tenant, run, name) = (tenant.clone(), run.clone(), name.to_owned());
        self.read(move |connection| {
            connection
                .prepare_cached(
                    "SELECT name, version, body FROM note
                     WHERE tenant = ?1 AND run = ?2 AND name = ?3",
                )?
                .query_row(params![tenant.as_str(), run.as_str(), name], note)
                .optional()
        })
        .await
    }

    async fn notes(
        &self,
        tenant: &Tenant,
        run: &RunId,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Note>, Fault> {
        let (tenant, run, prefix) = (tenant.clone(), run.clone(), prefix.to_owned());
        let after = after.unwrap_or_default().to_owned();
        self.read(move |connection| {
            connection
                .prepare_cached(
                    "SELECT name, version, body FROM note
                     WHERE tenant = ?1 AND run = ?2 AND name > ?4
                     AND substr(name, 1, length(?3)) = ?3 ORDER BY name LIMIT ?5",
                )?
                .query_map(params![tenant.as_str(), run.as_str(), prefix, after, limit], note)?
                .collect()
        })
        .await
    }

    async fn write_note(
        &self,
        tenant: &Tenant,
        run: &RunId,
        name: &str,
        over: u64,
        body: &str,
    ) -> Result<bool, Fault> {
        let (run, name, body) = (run.clone(), name.to_owned(), body.to_owned());
        self.writer.write(tenant.clone(), Work::Note { run, name, over, body }).await
    }

    async fn charge(
        &self,
        tenant: &Tenant,
        run: &RunId,
        amount: Dollars,
        budget: Dollars,
    ) -> Result<bool, Fault> {
        self.writer.write(tenant.clone(), Work::Charge { run: run.clone(), amount, budget }).await
    }

    async fn charged(&self, tenant: &Tenant, run: &RunId) -> Result<Dollars, Fault> {
        let (tenant, run) = (tenant.clone(), run.clone());
        self.read(move |connection| charged(connection, &tenant, &run)).await
    }
}

fn note(row: &rusqlite::Row<'_>) -> rusqlite::Result<Note> {
    Ok(Note { name: row.get(0)?, version: row.get(1)?, body: row.get(2)? })
}

fn charged(connection: &Connection, tenant: &Tenant, run: &RunId) -> rusqlite::Result<Dollars> {
    let millionths: Option<u64> = connection
        .prepare_cached("SELECT millionths FROM charge WHERE tenant = ?1 AND run = ?2")?
        .query_row(params![tenant.as_str(), run.as_str()], |row| row.get(0))
        .optional()?;
    Ok(Dollars::from_millionths(millionths.unwrap_or(0)))
}

pub(super) fn write_note(
    connection: &Connection,
    tenant: &Tenant,
    run: &RunId,
    name: &str,
    over: u64,
    body: &str,
) -> rusqlite::Result<bool> {
    let there: Option<(u64, String)> = connection
        .prepare_cached(
            "SELECT version, body FROM note WHERE tenant = ?1 AND run = ?2 AND name = ?3",
        )?
        .query_row(params![tenant.as_str(), run.as_str(), name], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    match there {
        Some((version, written)) if version == over + 1 && written == body => return Ok(true),
        Some((version, _)) if version != over => return Ok(false),
        None if over != 0 => return Ok(false),
        _ => {}
    }
    connection
        .prepare_cached("INSERT OR REPLACE INTO note VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![tenant.as_str(), run.as_str(), name, over + 1, body])?;
    Ok(true)
}

pub(super) fn charge(
    connection: &Connection,
    tenant: &Tenant,
    run: &RunId,
    amount: Dollars,
    budget: Dollars,
) -> rusqlite::Result<bool> {
    let all = charged(connection, tenant, run)? + amount;
    if all > budget {
        return Ok(false);
    }
    connection
        .prepare_cached("INSERT OR REPLACE INTO charge VALUES (?1, ?2, ?3)")?
        .execute(params![tenant.as_str(), run.as_str(), all.millionths()])?;
    Ok(true)
}
