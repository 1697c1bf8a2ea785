//! Progress: what a worker writes of its shard, for whoever wants to know how the batch goes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::asset::Tenant;
use crate::catalogue::Slate;
use crate::fault::Fault;
use crate::run::{Balance, Item, RunId};

/// What the names of these notes begin with.
const SHARD: &str = "shard/";
/// How many notes are read at a time.
const PAGE: usize = 1000;

/// Where a shard is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The round that it was last worked on in.
    pub round: u32,
    /// Where it is.
    pub state: ShardState,
    /// Who works on it.
    pub worker: String,
    /// When this worker began.
    pub began: Timestamp,
    /// When this was written.
    pub at: Timestamp,
    /// What became of its sources so far, those of earlier tries included.
    pub balance: Balance,
    /// How many of them this worker did.
    pub done: u64,
    /// How many bytes these had.
    pub bytes: u64,
    /// How many were rejected or failed, by kind of fault.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub faults: BTreeMap<String, u64>,
    /// Why the shard failed, when it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Where a shard is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShardState {
    /// A worker has it in hand, or died over it.
    InHand,
    /// Each of its sources has an outcome.
    Done,
    /// A worker gave it back unfinished.
    GivenBack,
    /// What ended it every picture would have met.
    Failed,
}

impl Progress {
    /// A shard that a worker takes up now.
    pub fn begun(round: u32, worker: &str, now: Timestamp) -> Self {
        Self {
            round,
            state: ShardState::InHand,
            worker: worker.to_owned(),
            began: now,
            at: now,
            balance: Balance::default(),
            done: 0,
            bytes: 0,
            faults: BTreeMap::new(),
            why: None,
        }
    }

    /// Counts an outcome.
    pub fn count(&mut self, item: &Item) {
        self.balance.add(item.outcome);
        if let Some(fault) = item.fault {
            *self.faults.entry(fault.faces().name.to_owned()).or_default() += 1;
        }
    }

    /// Writes it, unless the shard is done already: then a slow worker's word is no news.
    ///
    /// # Errors
    /// What the catalogue says.
    pub async fn write(
        &self,
        slate: &dyn Slate,
        tenant: &Tenant,
        run: &RunId,
        shard: &str,
    ) -> Result<(), Fault> {
        let name = format!("{SHARD}{shard}");
        let body = serde_json::to_string(self)
            .map_err(|e| Fault::broken("cannot write how a shard goes").because(e))?;
        // Two workers may have the same shard for a moment; the second write is the later word.
        for _ in 0..3 {
            let note = slate.note(tenant, run, &name).await?;
            let done = |body: &str| {
                serde_json::from_str::<Self>(body).is_ok_and(|p| p.state == ShardState::Done)
            };
            if self.state != ShardState::Done && note.as_ref().is_some_and(|n| done(&n.body)) {
                return Ok(());
            }
            let over = note.map_or(0, |note| note.version);
            if slate.write_note(tenant, run, &name, over, &body).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Reads how one shard goes; nothing before anybody took it up.
    ///
    /// # Errors
    /// What the catalogue says.
    pub async fn read(
        slate: &dyn Slate,
        tenant: &Tenant,
        run: &RunId,
        shard: &str,
    ) -> Result<Option<Self>, Fault> {
        let note = slate.note(tenant, run, &format!("{SHARD}{shard}")).await?;
        note.map(|note| read(&note.body, shard)).transpose()
    }

    /// Reads how all shards go, by name, a page at a time.
    ///
    /// # Errors
    /// What the catalogue and `each` say.
    pub async fn for_each(
        slate: &dyn Slate,
        tenant: &Tenant,
        run: &RunId,
        mut each: impl FnMut(&str, Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut after: Option<String> = None;
        loop {
            let page = slate.notes(tenant, run, SHARD, after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.name.clone());
            for note in &page {
                let shard = &note.name[SHARD.len()..];
                each(shard, read(&note.body, shard)?)?;
            }
        }
    }
}

fn read(body: &str, shard: &str) -> Result<Progress, Fault> {
    serde_json::from_str(body)
        .map_err(|e| Fault::broken(format!("how shard {shard} goes cannot be read")).because(e))
}
