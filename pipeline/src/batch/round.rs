//! Rounds: which shards are to be done, as a list in the store that an engine reads.

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::line::Line;
use super::plan::{Plan, shard_name};
use super::progress::{Progress, ShardState};
use super::reckon::Reading;
use crate::catalogue::Catalogue;
use crate::fault::{Fault, FaultKind};
use crate::run::{Item, Outcome};
use crate::store::{BatchFile, Body, Store};

/// A shard of a round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Its name.
    pub shard: String,
    /// How many sources it has.
    pub pictures: u64,
}

/// Which sources in quarantine are to be done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Those whose fault may pass, or who failed for reasons that are not the picture's.
    Transient,
    /// All.
    All,
}

impl Class {
    /// Tells whether an outcome is of the class.
    pub fn holds(self, item: &Item) -> bool {
        match self {
            Self::Transient => item.fault.is_some_and(|fault| fault.faces().retried),
            Self::All => item.outcome >= Outcome::Rejected,
        }
    }
}

/// All shards of a plan.
pub fn all(plan: &Plan) -> Vec<Piece> {
    let size = plan.shard as u64;
    (0..plan.shards)
        .map(|number| Piece {
            shard: shard_name(number),
            pictures: size.min(plan.pictures - u64::from(number) * size),
        })
        .collect()
}

/// Reads the shards of a round.
///
/// # Errors
/// `NotFound` when there is no such round, and what the store says.
pub async fn read(plan: &Plan, round: u32, store: &dyn Store) -> Result<Vec<Piece>, Fault> {
    let bytes = store.read(&plan.key(BatchFile::Round(round))).await?;
    serde_json::from_slice(&bytes).map_err(|e| {
        Fault::broken(format!("round {round} of {} cannot be read", plan.run)).because(e)
    })
}

/// Writes the shards of a round.
///
/// # Errors
/// What the store says.
pub async fn write(
    plan: &Plan,
    round: u32,
    pieces: &[Piece],
    store: &dyn Store,
) -> Result<(), Fault> {
    let bytes =
        serde_json::to_vec(pieces).map_err(|e| Fault::broken("cannot write a round").because(e))?;
    store.replace(&plan.key(BatchFile::Round(round)), &Body::Bytes(Arc::new(bytes))).await
}

/// The shards of the last round that are not done: all of the plan's before the first.
///
/// # Errors
/// What the store and the catalogue say.
pub async fn unfinished(
    plan: &Plan,
    last: u32,
    store: &dyn Store,
    catalogue: &dyn Catalogue,
) -> Result<Vec<Piece>, Fault> {
    if last == 0 {
        return Ok(all(plan));
    }
    let mut done = HashSet::new();
    Progress::for_each(catalogue, &plan.tenant, &plan.run, |shard, progress| {
        if progress.state == ShardState::Done {
            done.insert(shard.to_owned());
        }
        Ok(())
    })
    .await?;
    let mut pieces = read(plan, last, store).await?;
    pieces.retain(|piece| !done.contains(&piece.shard));
    Ok(pieces)
}

/// Writes new shards of the sources in quarantine that are of a class, for the round `round`.
///
/// # Errors
/// `NotFound` when there are none, and what the store and the catalogue say.
pub async fn redriven(
    plan: &Plan,
    round: u32,
    class: Class,
    store: &dyn Store,
    catalogue: &dyn Catalogue,
) -> Result<Vec<Piece>, Fault> {
    let (mut pieces, mut lines): (Vec<Piece>, Vec<Line>) = (Vec::new(), Vec::new());
    let mut reading = Reading::of(plan, store, catalogue);
    while let Some(pairs) = reading.next().await? {
        for (line, item) in pairs {
            if item.is_some_and(|item| class.holds(&item)) {
                lines.push(line.unlisted());
                if lines.len() == plan.shard {
                    pieces.push(cut(plan, round, pieces.len(), &lines, store).await?);
                    lines.clear();
                }
            }
        }
    }
    if !lines.is_empty() {
        pieces.push(cut(plan, round, pieces.len(), &lines, store).await?);
    }
    if pieces.is_empty() {
        return Err(Fault::new(
            FaultKind::NotFound,
            format!("nothing of {} is in quarantine that could be done again so", plan.run),
        ));
    }
    Ok(pieces)
}

async fn cut(
    plan: &Plan,
    round: u32,
    number: usize,
    lines: &[Line],
    store: &dyn Store,
) -> Result<Piece, Fault> {
    let shard = format!("r{round}-{number:05}");
    let body = Body::Bytes(Arc::new(Line::written(lines)?));
    store.replace(&plan.key(BatchFile::Shard(shard.clone())), &body).await?;
    Ok(Piece { shard, pictures: lines.len() as u64 })
}
