//! The readings, each on one connection in one snapshot.

use std::collections::BTreeSet;
use std::str::FromStr;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::de::DeserializeOwned;

use super::super::{Bookmark, Change, Changes, Sighting};
use crate::asset::{AssetId, Occurrence, PixelDigest, Tenant};
use crate::opinion::{Maker, Opinion, Subject};
use crate::purchase::{Purchase, PurchaseId};
use crate::record::Parts;
use crate::run::{Item, Run, RunId};

pub(super) fn parts(
    connection: &Connection,
    tenant: &Tenant,
    id: &AssetId,
) -> rusqlite::Result<Option<Parts>> {
    let asset = connection
        .prepare_cached("SELECT body FROM asset WHERE tenant = ?1 AND id = ?2")?
        .query_row(params![tenant.as_str(), id.as_str()], |row| body(row, 0))
        .optional()?;
    let Some(asset) = asset else { return Ok(None) };
    let key = params![tenant.as_str(), id.as_str()];
    let occurrences = connection
        .prepare_cached(
            // Left to itself SQLite reads all of the tenant's places for the sake of their order.
            "SELECT collection, source, metadata FROM occurrence INDEXED BY occurrence_by_asset
             WHERE tenant = ?1 AND asset = ?2 ORDER BY collection, source",
        )?
        .query_map(key, |row| {
            Ok(Occurrence { collection: row.get(0)?, source: row.get(1)?, metadata: body(row, 2)? })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let opinions = connection
        .prepare_cached(
            "SELECT body FROM opinion WHERE tenant = ?1 AND asset = ?2 ORDER BY sequence",
        )?
        .query_map(key, |row| body(row, 0))?
        .collect::<rusqlite::Result<_>>()?;
    let decisions = connection
        .prepare_cached(
            "SELECT body FROM decision WHERE tenant = ?1 AND asset = ?2 ORDER BY sequence",
        )?
        .query_map(key, |row| body(row, 0))?
        .collect::<rusqlite::Result<_>>()?;
    let withdrawn = connection
        .prepare_cached(
            "SELECT DISTINCT run.id FROM opinion JOIN run
             ON run.tenant = opinion.tenant AND run.id = opinion.run
             WHERE opinion.tenant = ?1 AND opinion.asset = ?2 AND run.withdrawn = 1",
        )?
        .query_map(key, |row| Ok(RunId::from_text(&row.get::<_, String>(0)?)))?
        .collect::<rusqlite::Result<BTreeSet<_>>>()?;
    Ok(Some(Parts { asset, occurrences, opinions, decisions, withdrawn }))
}

pub(super) fn reusable(
    connection: &Connection,
    tenant: &Tenant,
    step: &str,
    subject: &Subject,
    maker: &Maker,
) -> rusqlite::Result<Option<Opinion>> {
    connection
        .prepare_cached(
            "SELECT body FROM opinion
             WHERE tenant = ?1 AND subject = ?2 AND step = ?3 AND maker = ?4 AND conclusive = 1
             ORDER BY sequence DESC LIMIT 1",
        )?
        .query_row(
            params![
                tenant.as_str(),
                subject.to_string(),
                step,
                serde_json::to_string(maker).expect("a maker is plain text")
            ],
            |row| body(row, 0),
        )
        .optional()
}

pub(super) fn sighting(
    connection: &Connection,
    tenant: &Tenant,
    collection: &str,
    source: &str,
) -> rusqlite::Result<Option<Sighting>> {
    connection
        .prepare_cached(
            "SELECT asset, metadata, stamp FROM occurrence
             WHERE tenant = ?1 AND collection = ?2 AND source = ?3 ORDER BY seen DESC LIMIT 1",
        )?
        .query_row(params![tenant.as_str(), collection, source], |row| {
            let stamp: Option<String> = row.get(2)?;
            Ok(Sighting {
                asset: parsed(row, 0)?,
                occurrence: Occurrence {
                    collection: collection.to_owned(),
                    source: source.to_owned(),
                    metadata: body(row, 1)?,
                },
                stamp: stamp.is_some().then(|| body(row, 2)).transpose()?,
            })
        })
        .optional()
}

pub(super) fn assets(
    connection: &Connection,
    tenant: &Tenant,
    collection: Option<&str>,
    after: &str,
    limit: usize,
) -> rusqlite::Result<Vec<AssetId>> {
    match collection {
        Some(collection) => connection
            .prepare_cached(
                "SELECT DISTINCT asset FROM occurrence
                 WHERE tenant = ?1 AND collection = ?2 AND asset > ?3 ORDER BY asset LIMIT ?4",
            )?
            .query_map(params![tenant.as_str(), collection, after, limit], |row| parsed(row, 0))?
            .collect(),
        None => connection
            .prepare_cached(
                "SELECT id FROM asset WHERE tenant = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
            )?
            .query_map(params![tenant.as_str(), after, limit], |row| parsed(row, 0))?
            .collect(),
    }
}

pub(super) fn family(
    connection: &Connection,
    tenant: &Tenant,
    pixels: &PixelDigest,
) -> rusqlite::Result<Vec<AssetId>> {
    connection
        .prepare_cached(
            "SELECT asset FROM family WHERE tenant = ?1 AND pixels = ?2 ORDER BY asset",
        )?
        .query_map(params![tenant.as_str(), pixels.to_string()], |row| parsed(row, 0))?
        .collect()
}

/// Nothing when the bookmark is not of this feed.
///
/// A bookmark is `SEQUENCE ASSET`: another catalogue has another asset at that number, and a
/// restored backup none.
pub(super) fn changes(
    connection: &Connection,
    after: &Bookmark,
    limit: usize,
) -> rusqlite::Result<Option<Changes>> {
    let mut last = 0_i64;
    if !after.is_start() {
        let read = after.0.split_once(' ').and_then(|(n, asset)| Some((n.parse().ok()?, asset)));
        let Some((sequence, asset)) = read else { return Ok(None) };
        let there = connection
            .prepare_cached("SELECT asset FROM change WHERE sequence = ?1")?
            .query_row([sequence], |row| row.get::<_, String>(0))
            .optional()?;
        if there.as_deref() != Some(asset) {
            return Ok(None);
        }
        last = sequence;
    }
    let mut list = Vec::new();
    let mut statement = connection.prepare_cached(
        "SELECT sequence, tenant, asset FROM change WHERE sequence > ?1 ORDER BY sequence LIMIT ?2",
    )?;
    let mut rows = statement.query(params![last, limit])?;
    while let Some(row) = rows.next()? {
        last = row.get(0)?;
        list.push(Change { tenant: parsed(row, 1)?, asset: parsed(row, 2)? });
    }
    let bookmark =
        list.last().map_or_else(|| after.clone(), |change| bookmark(last, &change.asset));
    Ok(Some(Changes { list, bookmark }))
}

fn bookmark(sequence: i64, asset: &AssetId) -> Bookmark {
    Bookmark(format!("{sequence} {asset}"))
}

pub(super) fn runs(
    connection: &Connection,
    tenant: &Tenant,
    after: Option<&RunId>,
    limit: usize,
) -> rusqlite::Result<Vec<Run>> {
    connection
        .prepare_cached(
            "SELECT body FROM run WHERE tenant = ?1 AND (?3 IS NULL OR id < ?3)
             ORDER BY id DESC LIMIT ?2",
        )?
        .query_map(params![tenant.as_str(), limit, after.map(RunId::as_str)], |row| body(row, 0))?
        .collect()
}

pub(super) fn run(
    connection: &Connection,
    tenant: &Tenant,
    run: &RunId,
) -> rusqlite::Result<Option<Run>> {
    connection
        .prepare_cached("SELECT body FROM run WHERE tenant = ?1 AND id = ?2")?
        .query_row(params![tenant.as_str(), run.as_str()], |row| body(row, 0))
        .optional()
}

pub(super) fn assets_of_run(
    connection: &Connection,
    tenant: &Tenant,
    run: &RunId,
    after: &str,
    limit: usize,
) -> rusqlite::Result<Vec<AssetId>> {
    connection
        .prepare_cached(
            "SELECT DISTINCT asset FROM opinion INDEXED BY opinion_by_run
             WHERE run = ?2 AND tenant = ?1 AND asset > ?3 ORDER BY asset LIMIT ?4",
        )?
        .query_map(params![tenant.as_str(), run.as_str(), after, limit], |row| parsed(row, 0))?
        .collect()
}

pub(super) fn items(
    connection: &Connection,
    tenant: &Tenant,
    run: &RunId,
    after: &str,
    limit: usize,
) -> rusqlite::Result<Vec<Item>> {
    connection
        .prepare_cached(
            "SELECT body FROM item WHERE tenant = ?1 AND run = ?2 AND source > ?3
             ORDER BY source LIMIT ?4",
        )?
        .query_map(params![tenant.as_str(), run.as_str(), after, limit], |row| body(row, 0))?
        .collect()
}

pub(super) fn purchases(
    connection: &Connection,
    tenant: &Tenant,
    id: &PurchaseId,
) -> rusqlite::Result<Vec<Purchase>> {
    connection
        .prepare_cached("SELECT body FROM purchase WHERE tenant = ?1 AND id = ?2 ORDER BY attempt")?
        .query_map(params![tenant.as_str(), id.as_str()], |row| body(row, 0))?
        .collect()
}

pub(super) fn purchases_of_run(
    connection: &Connection,
    tenant: &Tenant,
    run: &RunId,
    after: &(String, u32),
    limit: usize,
) -> rusqlite::Result<Vec<Purchase>> {
    connection
        .prepare_cached(
            "SELECT body FROM purchase
             WHERE tenant = ?1 AND run = ?2 AND (id, attempt) > (?3, ?4)
             ORDER BY id, attempt LIMIT ?5",
        )?
        .query_map(params![tenant.as_str(), run.as_str(), after.0, after.1, limit], |row| {
            body(row, 0)
        })?
        .collect()
}

/// Reads a column of JSON.
fn body<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|e| unreadable(column, e.into()))
}

/// Reads a column of text that parses.
pub(super) fn parsed<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: FromStr<Err = crate::fault::Fault>,
{
    let text: String = row.get(column)?;
    text.parse().map_err(|e: crate::fault::Fault| unreadable(column, e.into()))
}

fn unreadable(column: usize, error: Box<dyn std::error::Error + Send + Sync>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error)
}
