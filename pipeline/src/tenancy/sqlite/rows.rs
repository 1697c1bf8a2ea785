//! The registry's statements: rows into values and back.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::super::{AccessKey, Deed, KeyId, Lease, Quota, Usage};
use crate::asset::Tenant;

pub(super) fn insert_lease(c: &Connection, lease: &Lease) -> rusqlite::Result<usize> {
    let Quota { pictures, bytes, paid_calls, requests_a_minute } = lease.quota;
    c.prepare_cached("INSERT OR IGNORE INTO lease VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(
        params![
            lease.tenant.as_str(),
            lease.made.to_string(),
            pictures,
            bytes,
            paid_calls,
            requests_a_minute
        ],
    )
}

pub(super) fn update_quota(
    c: &Connection,
    tenant: &Tenant,
    quota: &Quota,
) -> rusqlite::Result<usize> {
    let Quota { pictures, bytes, paid_calls, requests_a_minute } = *quota;
    c.prepare_cached(
        "UPDATE lease SET pictures = ?2, bytes = ?3, paid_calls = ?4, requests_a_minute = ?5
         WHERE tenant = ?1",
    )?
    .execute(params![tenant.as_str(), pictures, bytes, paid_calls, requests_a_minute])
}

pub(super) fn lease(c: &Connection, tenant: &Tenant) -> rusqlite::Result<Option<Lease>> {
    c.prepare_cached("SELECT * FROM lease WHERE tenant = ?1")?
        .query_row([tenant.as_str()], lease_of)
        .optional()
}

pub(super) fn lease_of(row: &Row<'_>) -> rusqlite::Result<Lease> {
    Ok(Lease {
        tenant: parsed(row, "tenant")?,
        made: parsed(row, "made")?,
        quota: Quota {
            pictures: row.get("pictures")?,
            bytes: row.get("bytes")?,
            paid_calls: row.get("paid_calls")?,
            requests_a_minute: row.get("requests_a_minute")?,
        },
    })
}

pub(super) fn usage(c: &Connection, tenant: &Tenant) -> rusqlite::Result<Usage> {
    let used = c
        .prepare_cached("SELECT pictures, bytes, paid_calls FROM usage WHERE tenant = ?1")?
        .query_row([tenant.as_str()], |row| {
            Ok(Usage { pictures: row.get(0)?, bytes: row.get(1)?, paid_calls: row.get(2)? })
        })
        .optional()?;
    Ok(used.unwrap_or_default())
}

pub(super) fn put_usage(c: &Connection, tenant: &Tenant, usage: &Usage) -> rusqlite::Result<()> {
    c.prepare_cached("INSERT OR REPLACE INTO usage VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        tenant.as_str(),
        usage.pictures,
        usage.bytes,
        usage.paid_calls
    ])?;
    Ok(())
}

pub(super) fn insert_key(c: &Connection, key: &AccessKey) -> rusqlite::Result<usize> {
    c.prepare_cached("INSERT OR IGNORE INTO access_key VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
        .execute(params![
            key.id.as_str(),
            key.tenant.as_str(),
            key.role.name(),
            key.name,
            key.made.to_string(),
            key.expires.map(|at| at.to_string()),
            key.revoked.map(|at| at.to_string()),
            key.secret.to_string()
        ])
}

pub(super) fn revoke(
    c: &Connection,
    tenant: &Tenant,
    id: &KeyId,
    at: Timestamp,
) -> rusqlite::Result<usize> {
    c.prepare_cached(
        "UPDATE access_key SET revoked = coalesce(revoked, ?3) WHERE tenant = ?1 AND id = ?2",
    )?
    .execute(params![tenant.as_str(), id.as_str(), at.to_string()])
}

pub(super) fn key_of(row: &Row<'_>) -> rusqlite::Result<AccessKey> {
    Ok(AccessKey {
        id: parsed(row, "id")?,
        tenant: parsed(row, "tenant")?,
        role: parsed(row, "role")?,
        name: row.get("name")?,
        made: parsed(row, "made")?,
        expires: parsed_if_any(row, "expires")?,
        revoked: parsed_if_any(row, "revoked")?,
        secret: parsed(row, "secret")?,
    })
}

pub(super) fn insert_deed(c: &Connection, deed: &Deed) -> rusqlite::Result<()> {
    let body = serde_json::to_string(deed)
        .map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
    c.prepare_cached("INSERT OR IGNORE INTO deed VALUES (?1, ?2, ?3)")?.execute(params![
        deed.tenant.as_str(),
        deed.id.as_str(),
        body
    ])?;
    Ok(())
}

pub(super) fn deed_of(row: &Row<'_>) -> rusqlite::Result<Deed> {
    let body: String = row.get(0)?;
    serde_json::from_str(&body).map_err(|e| unreadable(0, e))
}

fn parsed<T>(row: &Row<'_>, column: &str) -> rusqlite::Result<T>
where
    T: std::str::FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: String = row.get(column)?;
    text.parse().map_err(|e| unreadable(row.as_ref().column_index(column).unwrap_or(0), e))
}

fn parsed_if_any(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    let text: Option<String> = row.get(column)?;
    text.map(|_| parsed(row, column)).transpose()
}

fn unreadable(
    column: usize,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error.into())
}
