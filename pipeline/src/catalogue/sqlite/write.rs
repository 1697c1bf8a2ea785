//! The one writer: group commit.

use std::sync::mpsc;

use rusqlite::{Connection, OptionalExtension as _, params};
use tokio::sync::oneshot;

use super::super::{Entry, Stamp};
use super::{fault, slate};
use crate::asset::{AssetId, Occurrence, Tenant};
use crate::fault::Fault;
use crate::opinion::{Finding, Opinion, Verdict};
use crate::purchase::{Dollars, Purchase, PurchaseState};
use crate::run::{Run, RunId};

/// Most calls that share one commit: a bound on how long the first of them waits.
const GROUP: usize = 512;

/// Takes entries from any task and hands them to the thread that writes.
///
/// Dropping it waits until everything queued is committed and the connection is closed. No
/// other connection may close meanwhile: SQLite 3.51.1 can deadlock between the last writer's
/// checkpoint and another close in the same process (mended in 3.51.2).
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Call>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // It panicked, which the callers it owed an answer have been told.
            let _ = thread.join();
        }
    }
}

struct Call {
    tenant: Tenant,
    work: Work,
    answer: oneshot::Sender<Result<bool, Fault>>,
}

/// What is to be written.
pub(super) enum Work {
    Entries(Vec<Entry>),
    Note { run: RunId, name: String, over: u64, body: String },
    Charge { run: RunId, amount: Dollars, budget: Dollars },
}

impl Writer {
    /// Starts the writing thread; it ends when the writer is dropped and the queue is empty.
    pub(super) fn start(connection: Connection) -> Result<Self, Fault> {
        let (queue, calls) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("catalogue".to_owned())
            .spawn(move || write_for_ever(&connection, &calls))
            .map_err(|e| Fault::broken("cannot start the catalogue's thread").because(e))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Waits until the entries are durable.
    pub(super) async fn append(&self, tenant: Tenant, entries: Vec<Entry>) -> Result<(), Fault> {
        if entries.is_empty() {
            return Ok(());
        }
        self.write(tenant, Work::Entries(entries)).await.map(drop)
    }

    /// Waits until the work is durable; tells whether its condition held.
    pub(super) async fn write(&self, tenant: Tenant, work: Work) -> Result<bool, Fault> {
        let gone = || Fault::broken("the catalogue's thread has ended");
        let (answer, answered) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or_else(gone)?;
        queue.send(Call { tenant, work, answer }).map_err(|_| gone())?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }
}

fn write_for_ever(connection: &Connection, calls: &mpsc::Receiver<Call>) {
    while let Ok(first) = calls.recv() {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(next) = calls.try_recv()
        {
            group.push(next);
        }
        commit(connection, group);
    }
}

/// Commits a group in one transaction; a call that fails is rolled back alone.
fn commit(connection: &Connection, group: Vec<Call>) {
    let mut answers = Vec::with_capacity(group.len());
    let committed = connection.execute_batch("BEGIN IMMEDIATE").and_then(|()| {
        for call in group {
            let written = savepoint(connection, &call);
            answers.push((call.answer, written));
        }
        connection.execute_batch("COMMIT")
    });
    if committed.is_err() {
        // Without this the next group would find itself inside the failed transaction.
        let _ = connection.execute_batch("ROLLBACK");
    }
    for (answer, written) in answers {
        let result = match &committed {
            Ok(()) => written.map_err(|e| fault("cannot write to the catalogue", e)),
            Err(e) => Err(lost(e)),
        };
        // Nobody waits any more when the caller was cancelled; the entries stand all the same.
        let _ = answer.send(result);
    }
}

/// A failed commit fails every call of its group; SQLite's error cannot be cloned, its text can.
fn lost(error: &rusqlite::Error) -> Fault {
    let message = format!("cannot write to the catalogue: {error}");
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseBusy) => {
            Fault::new(crate::fault::FaultKind::Busy, message)
        }
        _ => Fault::broken(message),
    }
}

fn savepoint(connection: &Connection, call: &Call) -> rusqlite::Result<bool> {
    connection.execute_batch("SAVEPOINT entries")?;
    let tenant = &call.tenant;
    let written = match &call.work {
        Work::Entries(entries) => write(connection, tenant, entries).map(|()| true),
        Work::Note { run, name, over, body } => {
            slate::write_note(connection, tenant, run, name, *over, body)
        }
        Work::Charge { run, amount, budget } => {
            slate::charge(connection, tenant, run, *amount, *budget)
        }
    };
    connection.execute_batch(match written {
        Ok(_) => "RELEASE entries",
        Err(_) => "ROLLBACK TO entries; RELEASE entries",
    })?;
    written
}

fn write(connection: &Connection, tenant: &Tenant, entries: &[Entry]) -> rusqlite::Result<()> {
    let mut changed: Vec<AssetId> = Vec::new();
    for entry in entries {
        match entry {
            Entry::Asset(asset) => {
                let new = connection
                    .prepare_cached("INSERT OR IGNORE INTO asset VALUES (?1, ?2, ?3, ?4)")?
                    .execute(params![
                        tenant.as_str(),
                        asset.id.as_str(),
                        asset.digest.to_string(),
                        json(asset)?
                    ])?;
                note(&mut changed, &asset.id, new > 0);
            }
            Entry::Found { asset, occurrence, stamp } => {
                let new = found(connection, tenant, asset, occurrence, stamp.as_ref())?;
                note(&mut changed, asset, new);
            }
            Entry::Opinion(opinion) => {
                let new = opine(connection, tenant, opinion)?;
                note(&mut changed, &opinion.asset, new);
            }
            Entry::Decision(decision) => {
                let new = connection
                    .prepare_cached(
                        "INSERT OR IGNORE INTO decision (tenant, asset, body) VALUES (?1, ?2, ?3)",
                    )?
                    .execute(params![tenant.as_str(), decision.asset.as_str(), json(decision)?])?;
                note(&mut changed, &decision.asset, new > 0);
            }
            Entry::Run(run) => {
                for asset in write_run(connection, tenant, run)? {
                    note(&mut changed, &asset, true);
                }
            }
            Entry::Item { run, item } => {
                connection
                    .prepare_cached("INSERT OR REPLACE INTO item VALUES (?1, ?2, ?3, ?4)")?
                    .execute(params![tenant.as_str(), run.as_str(), item.source, json(item)?])?;
            }
            Entry::Purchase(purchase) => buy(connection, tenant, purchase)?,
        }
    }
    for asset in changed {
        connection
            .prepare_cached("INSERT INTO change (tenant, asset) VALUES (?1, ?2)")?
            .execute(params![tenant.as_str(), asset.as_str()])?;
    }
    Ok(())
}

fn note(changed: &mut Vec<AssetId>, asset: &AssetId, new: bool) {
    if new && !changed.contains(asset) {
        changed.push(asset.clone());
    }
}

/// Writes an occurrence and tells whether the record differs from now on.
fn found(
    connection: &Connection,
    tenant: &Tenant,
    asset: &AssetId,
    occurrence: &Occurrence,
    stamp: Option<&Stamp>,
) -> rusqlite::Result<bool> {
    let place = (tenant.as_str(), &occurrence.collection, &occurrence.source, asset.as_str());
    let metadata = json(&occurrence.metadata)?;
    let before: Option<String> = connection
        .prepare_cached(
            "SELECT metadata FROM occurrence
             WHERE tenant = ?1 AND collection = ?2 AND source = ?3 AND asset = ?4",
        )?
        .query_row(place, |row| row.get(0))
        .optional()?;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO occurrence VALUES (?1, ?2, ?3, ?4,
             (SELECT 1 + coalesce(max(seen), 0) FROM occurrence
              WHERE tenant = ?1 AND collection = ?2 AND source = ?3), ?5, ?6)",
        )?
        .execute(params![
            place.0,
            place.1,
            place.2,
            place.3,
            metadata,
            stamp.map(json).transpose()?
        ])?;
    Ok(before.as_deref() != Some(&metadata))
}

fn opine(connection: &Connection, tenant: &Tenant, opinion: &Opinion) -> rusqlite::Result<bool> {
    let new = connection
        .prepare_cached(
            "INSERT INTO opinion (id, tenant, asset, step, subject, maker, run, conclusive, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO NOTHING",
        )?
        .execute(params![
            opinion.id.as_str(),
            tenant.as_str(),
            opinion.asset.as_str(),
            opinion.step,
            opinion.subject.to_string(),
            json(&opinion.maker)?,
            opinion.run.as_str(),
            opinion.verdict.conclusive(),
            json(opinion)?
        ])?;
    if let Verdict::Found(Finding::Identified(identified)) = &opinion.verdict
        && let Some(pixels) = identified.pixels
    {
        connection
            .prepare_cached("INSERT OR IGNORE INTO family VALUES (?1, ?2, ?3)")?
            .execute(params![tenant.as_str(), pixels.to_string(), opinion.asset.as_str()])?;
    }
    Ok(new > 0)
}

/// Writes a run's state; returns the assets whose record a withdrawal changes.
fn write_run(
    connection: &Connection,
    tenant: &Tenant,
    run: &Run,
) -> rusqlite::Result<Vec<AssetId>> {
    let before: Option<bool> = connection
        .prepare_cached("SELECT withdrawn FROM run WHERE tenant = ?1 AND id = ?2")?
        .query_row(params![tenant.as_str(), run.id.as_str()], |row| row.get(0))
        .optional()?;
    connection
        .prepare_cached(
            "INSERT INTO run VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (tenant, id) DO UPDATE SET withdrawn = ?3, body = ?4",
        )?
        .execute(params![tenant.as_str(), run.id.as_str(), run.withdrawn, json(run)?])?;
    if before.unwrap_or(false) == run.withdrawn {
        return Ok(Vec::new());
    }
    connection
        .prepare_cached("SELECT DISTINCT asset FROM opinion WHERE tenant = ?1 AND run = ?2")?
        .query_map(params![tenant.as_str(), run.id.as_str()], |row| super::read::parsed(row, 0))?
        .collect()
}

/// Reserves a purchase, or settles the reservation that this run and holder made.
fn buy(connection: &Connection, tenant: &Tenant, purchase: &Purchase) -> rusqlite::Result<()> {
    let key = (tenant.as_str(), purchase.id.as_str(), purchase.attempt);
    let state = json(&purchase.state)?.trim_matches('"').to_owned();
    let settled = purchase.state != PurchaseState::Reserved;
    let settled_now = settled
        && 1 == connection
            .prepare_cached(
                "UPDATE purchase SET state = ?5, body = ?6
                 WHERE tenant = ?1 AND id = ?2 AND attempt = ?3 AND run = ?4
                 AND state IN ('reserved', ?5) AND body ->> '$.holder' IS ?7",
            )?
            .execute(params![
                key.0,
                key.1,
                key.2,
                purchase.run.as_str(),
                state,
                json(purchase)?,
                purchase.holder
            ])?;
    if settled_now {
        return Ok(());
    }
    let known: Option<String> = connection
        .prepare_cached("SELECT body FROM purchase WHERE tenant = ?1 AND id = ?2 AND attempt = ?3")?
        .query_row(key, |row| row.get(0))
        .optional()?;
    // A reservation repeated by whoever made it changes nothing; another one holds it otherwise,
    // and then the key's constraint says so.
    if known.as_deref() == Some(&json(purchase)?) {
        return Ok(());
    }
    connection
        .prepare_cached("INSERT INTO purchase VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![key.0, key.1, key.2, purchase.run.as_str(), state, json(purchase)?])?;
    Ok(())
}

/// Tells whether a constraint failed because the key is taken: only purchases insert so.
pub(super) fn is_taken(error: &rusqlite::Error) -> bool {
    let code = match error {
        rusqlite::Error::SqliteFailure(failure, _) => failure.extended_code,
        _ => return false,
    };
    code == rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY
}

fn json<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))
}
