//! Plans: what a batch is to do, cut into shards and kept in the store.
//!
//! The run's name follows from what is planned, so planning the same twice is one run.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::line::Line;
use crate::asset::{Digest, Tenant};
use crate::fault::{Fault, FaultKind};
use crate::opinion::Maker;
use crate::purchase::Dollars;
use crate::run::{Run, RunId};
use crate::store::{BatchFile, Body, Created, Key, Store};

/// How many sources a shard has unless told otherwise: a minute or two of work, small enough to
/// lose, large enough that messages cost nothing.
pub const SHARD: usize = 256;
/// The most sources of a shard.
pub const LARGEST_SHARD: usize = 10_000;

/// What a batch is to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The run that it is.
    pub run: RunId,
    /// Whose.
    pub tenant: Tenant,
    /// The collection that pictures go to.
    pub collection: String,
    /// What was listed, as text.
    pub sources: Vec<String>,
    /// Who is asked about each picture; a worker that would ask others refuses.
    pub policy: Policy,
    /// How many sources there are.
    pub pictures: u64,
    /// How long they are together, in bytes.
    pub bytes: u64,
    /// Whether any of them, or of what lies beside, is in S3.
    pub in_s3: bool,
    /// Sources of a shard; the last may have fewer.
    pub shard: usize,
    /// How many shards there are.
    pub shards: u32,
    /// glassplate's version.
    pub version: String,
    /// When it was planned.
    pub planned: Timestamp,
}

/// Who is asked about each picture of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Whether nobody is, on purpose.
    pub without_labels: bool,
    /// The makers in the order asked, the paid ones included.
    pub makers: Vec<Maker>,
    /// What one picture costs at most, when each paid maker is asked.
    #[serde(default, skip_serializing_if = "Dollars::is_zero")]
    pub price: Dollars,
}

/// What a plan is made of.
#[derive(Debug)]
pub struct Draft {
    /// Whose.
    pub tenant: Tenant,
    /// The collection.
    pub collection: String,
    /// What was listed, as text.
    pub sources: Vec<String>,
    /// Who is asked.
    pub policy: Policy,
    /// The sources.
    pub lines: Vec<Line>,
    /// How many go into a shard.
    pub shard: usize,
    /// glassplate's version.
    pub version: String,
}

/// The name of a planned shard.
pub fn shard_name(number: u32) -> String {
    format!("{number:05}")
}

impl Plan {
    /// Cuts a draft into shards and writes all of it; the same draft again is the same plan.
    ///
    /// # Errors
    /// `BadInput` without sources or with shards of an impossible size, and what the store says.
    pub async fn make(draft: Draft, store: &dyn Store, now: Timestamp) -> Result<Self, Fault> {
        let Draft { tenant, collection, sources, policy, mut lines, shard, version } = draft;
        if lines.is_empty() {
            return Err(Fault::bad_input("there is nothing to plan: no source was found"));
        }
        if !(1..=LARGEST_SHARD).contains(&shard) {
            let message = format!("a shard of {shard} sources: 1 to {LARGEST_SHARD}");
            return Err(Fault::bad_input(message));
        }
        // The order of items in the catalogue, so that both are compared in one passage.
        lines.sort_by(|a, b| a.source.cmp(&b.source));
        lines.dedup_by(|later, first| later.source == first.source);
        let mut hasher = Sha256::new();
        let heading = serde_json::json!([tenant, collection, policy, shard]);
        hasher.update(heading.to_string());
        let mut shards = Vec::new();
        for lines in lines.chunks(shard) {
            let bytes = Line::written(lines)?;
            hasher.update(Sha256::digest(&bytes));
            shards.push(bytes);
        }
        let hex: String = hasher.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        let plan = Self {
            run: RunId::from_text(&format!("batch-{hex}")),
            pictures: lines.len() as u64,
            bytes: lines.iter().map(Line::bytes).sum(),
            in_s3: lines.iter().any(Line::in_s3),
            shards: u32::try_from(shards.len())
                .map_err(|_| Fault::too_large("more shards than can be numbered"))?,
            tenant,
            collection,
            sources,
            policy,
            shard,
            version,
            planned: now,
        };
        for (number, bytes) in (0..plan.shards).zip(shards) {
            let key = plan.key(BatchFile::Shard(shard_name(number)));
            store.replace(&key, &Body::Bytes(Arc::new(bytes))).await?;
        }
        // Last, so that a plan that can be read is whole.
        let bytes = serde_json::to_vec_pretty(&plan)
            .map_err(|e| Fault::broken("cannot write a plan").because(e))?;
        let blake3 = Digest::new(*blake3::hash(&bytes).as_bytes());
        let body = Body::Bytes(Arc::new(bytes));
        match store.create(&plan.key(BatchFile::Plan), &body, &blake3).await? {
            Created::New => Ok(plan),
            Created::Existed => Self::read(&plan.tenant, &plan.run, store).await,
        }
    }

    /// Reads the plan of a run.
    ///
    /// # Errors
    /// `NotFound` when the run was never planned, and what the store says.
    pub async fn read(tenant: &Tenant, run: &RunId, store: &dyn Store) -> Result<Self, Fault> {
        let key = Key::Batch { tenant: tenant.clone(), run: run.clone(), file: BatchFile::Plan };
        let bytes = store.read(&key).await.map_err(|fault| match fault.kind() {
            FaultKind::NotFound if !fault.is_for_all() => Fault::not_found(format!(
                "there is no batch {run}: `glassplate batch plan` makes one"
            )),
            _ => fault,
        })?;
        serde_json::from_slice(&bytes)
            .map_err(|e| Fault::broken(format!("the plan of {run} cannot be read")).because(e))
    }

    /// The key of one of its files.
    pub fn key(&self, file: BatchFile) -> Key {
        Key::Batch { tenant: self.tenant.clone(), run: self.run.clone(), file }
    }

    /// Reads the lines of a shard.
    ///
    /// # Errors
    /// What the store says, `Broken` for a damaged one.
    pub async fn lines(&self, store: &dyn Store, shard: &str) -> Result<Vec<Line>, Fault> {
        let bytes = store.read(&self.key(BatchFile::Shard(shard.to_owned()))).await?;
        Line::read(&bytes, shard)
    }

    /// The run as it begins.
    pub fn run(&self, budget: Option<Dollars>) -> Run {
        let Self { run, tenant, collection, sources, version, planned, .. } = self;
        let begun = Run::begun(run.clone(), tenant, collection, sources.clone(), version, *planned);
        Run { budget, ..begun }
    }
}
