//! The catalogue on AWS: one DynamoDB table, many writers, no secondary index.
//!
//! An asset is a row of *sheets*: what one append says of it, written once, under the next number.
//! In the same transaction an entry joins a shard of the change feed, so the feed neither misses
//! nor foresees anything. Whatever is listed by something else than its asset is a *pointer*,
//! written before the transaction and proved against the sheets by whoever reads it: a crash
//! leaves at most a pointer to nothing. [The key table](README.md) says, pattern by pattern, who
//! writes and reads what and what it costs:
//!
//! | question | partition | sort key |
//! |---|---|---|
//! | what was said of an asset | `A#tenant#asset` | `v` and the sheet's number |
//! | the pieces of a large sheet | `B#tenant#hash` | `c` and a number |
//! | which assets a collection has | `C#tenant#collection#x` | asset |
//! | what changed | `F#shard` | number |
//! | what became of a run's sources | `I#tenant#run#shard` | source |
//! | what the workers of a run share | `K#tenant#run` | note |
//! | what was last found at a place | `L#tenant#hash` | `place` |
//! | of which assets a run spoke | `M#tenant#run#x` | asset |
//! | which assets show these pixels, and who answered | `P#tenant#subject` | asset |
//! | who bought an answer | `Q#tenant#id` | attempt |
//! | which runs there are | `R#tenant` | run |
//! | what a run bought | `S#tenant#run#x` | id, attempt |
//! | which assets there are | `T#tenant#x` | asset |
//! | whose table this is | `Z` | `meta` |
//!
//! `x` is the first character of the id: 29 partitions in the order of the ids.

mod append;
mod feed;
mod items;
mod key;
mod list;
mod meta;
mod plan;
mod read;
mod sheet;
mod slate;

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde::Deserialize;
use tokio::task::JoinSet;

use self::key::List;
use self::meta::Meta;
use super::{Bookmark, Catalogue, Changes, Entry, Sighting};
use crate::asset::{AssetId, PixelDigest, Tenant};
use crate::aws::Aws;
use crate::aws::dynamo::{self, Billing, Capacity, Table};
use crate::fault::Fault;
use crate::opinion::{Maker, Opinion, Subject};
use crate::purchase::{Purchase, PurchaseId};
use crate::record::Parts;
use crate::run::{Item, Run, RunId};

/// Requests of one question that are under way at once.
const AT_ONCE: usize = 32;

/// Which table the catalogue is kept in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DynamoSettings {
    /// The table's name: 3 to 255 characters of letters, digits, `_`, `-` and `.`.
    pub table: String,
}

impl Default for DynamoSettings {
    fn default() -> Self {
        Self { table: "glassplate".to_owned() }
    }
}

impl DynamoSettings {
    /// Checks the name.
    ///
    /// # Errors
    /// `BadInput` naming the setting.
    pub fn validate(&self) -> Result<(), Fault> {
        dynamo::check_name("catalogue.table", &self.table)
    }
}

/// Keeps the ledger in one DynamoDB table.
#[derive(Debug)]
pub struct DynamoCatalogue {
    inner: Arc<Inner>,
}

/// What all tasks of one catalogue share.
#[derive(Debug)]
struct Inner {
    table: Table,
    meta: Meta,
    shards: feed::Shards,
    /// Runs that were seen to be there.
    begun: Mutex<HashSet<(Tenant, RunId)>>,
}

impl DynamoCatalogue {
    /// Opens the catalogue in a table that [`DynamoCatalogue::create_table`] made.
    ///
    /// # Errors
    /// `NotFound` when there is none, `Refused` when it is of another program or a newer
    /// glassplate, or without the right to read it.
    pub async fn open(aws: &Aws, settings: DynamoSettings) -> Result<Self, Fault> {
        settings.validate()?;
        let table = Table::new(aws, settings.table);
        let meta = Meta::read(&table).await?;
        let shards = feed::Shards::new(meta.shards);
        Ok(Self { inner: Arc::new(Inner { table, meta, shards, begun: Mutex::default() }) })
    }

    /// Makes the catalogue's table and waits until it can be used; tells whether it was made now.
    ///
    /// One that is there and empty is taken over, and one that is a catalogue already is left as
    /// it is. `protect` encrypts it with a key of the account, guards it against deletion and
    /// turns on recovery to any point of the last 35 days.
    ///
    /// # Errors
    /// `Refused` when there is such a table with something else in it, or without the right;
    /// `TimedOut` when it does not come.
    pub async fn create_table(
        aws: &Aws,
        settings: &DynamoSettings,
        billing: Billing,
        protect: bool,
    ) -> Result<bool, Fault> {
        meta::create_table(aws, settings, billing, protect).await
    }

    /// What was consumed since it was opened.
    pub fn capacity(&self) -> Capacity {
        self.inner.table.gauge.sum()
    }
}

#[async_trait]
impl Catalogue for DynamoCatalogue {
    /// Appends entries as the port says, in one transaction of at most 100 items and 4 MB.
    ///
    /// Each asset, run, purchase and outcome is an item, and the change feed takes one: what
    /// comes to more is `TooLarge`.
    async fn append(&self, tenant: &Tenant, entries: Vec<Entry>) -> Result<(), Fault> {
        self.inner.append(tenant, &entries).await
    }

    async fn parts(&self, tenant: &Tenant, asset: &AssetId) -> Result<Option<Parts>, Fault> {
        Ok(self.inner.parts_of_many(tenant, std::slice::from_ref(asset)).await?.pop())
    }

    async fn parts_of_many(
        &self,
        tenant: &Tenant,
        assets: &[AssetId],
    ) -> Result<Vec<Parts>, Fault> {
        self.inner.parts_of_many(tenant, assets).await
    }

    async fn reusable(
        &self,
        tenant: &Tenant,
        step: &str,
        subject: &Subject,
        maker: &Maker,
    ) -> Result<Option<Opinion>, Fault> {
        self.inner.reusable(tenant, step, subject, maker).await
    }

    async fn sighting(
        &self,
        tenant: &Tenant,
        collection: &str,
        source: &str,
    ) -> Result<Option<Sighting>, Fault> {
        self.inner.sighting(tenant, collection, source).await
    }

    async fn assets(
        &self,
        tenant: &Tenant,
        collection: Option<&str>,
        after: Option<&AssetId>,
        limit: usize,
    ) -> Result<Vec<AssetId>, Fault> {
        let list = collection.map_or(List::Tenant(tenant), |c| List::Collection(tenant, c));
        self.inner.list(list, after, limit).await
    }

    async fn family(&self, tenant: &Tenant, pixels: &PixelDigest) -> Result<Vec<AssetId>, Fault> {
        self.inner.family(tenant, pixels).await
    }

    async fn changes(&self, after: &Bookmark, limit: usize) -> Result<Changes, Fault> {
        self.inner.changes(after, limit).await
    }

    async fn runs(
        &self,
        tenant: &Tenant,
        after: Option<&RunId>,
        limit: usize,
    ) -> Result<Vec<Run>, Fault> {
        self.inner.runs(tenant, after, limit).await
    }

    async fn run(&self, tenant: &Tenant, run: &RunId) -> Result<Option<Run>, Fault> {
        Ok(self.inner.stored_run(tenant, run).await?.map(|stored| stored.run))
    }

    async fn assets_of_run(
        &self,
        tenant: &Tenant,
        run: &RunId,
        after: Option<&AssetId>,
        limit: usize,
    ) -> Result<Vec<AssetId>, Fault> {
        self.inner.list(List::Run(tenant, run), after, limit).await
    }

    /// Checks that the table is still the same, and that its change feed has no gaps before its
    /// ends.
    async fn check(&self) -> Result<(), Fault> {
        let meta = Meta::read(&self.inner.table).await?;
        if meta != self.inner.meta {
            let message = format!("the table {} was replaced by another", self.inner.table.name);
            return Err(Fault::new(crate::fault::FaultKind::Conflict, message).for_all());
        }
        self.inner.check_feed().await
    }

    async fn items(
        &self,
        tenant: &Tenant,
        run: &RunId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Item>, Fault> {
        self.inner.items(tenant, run, after, limit).await
    }

    async fn purchases(&self, tenant: &Tenant, id: &PurchaseId) -> Result<Vec<Purchase>, Fault> {
        self.inner.purchases(tenant, id).await
    }

    async fn purchases_of_run(
        &self,
        tenant: &Tenant,
        run: &RunId,
        after: Option<(&PurchaseId, u32)>,
        limit: usize,
    ) -> Result<Vec<Purchase>, Fault> {
        self.inner.purchases_of_run(tenant, run, after, limit).await
    }
}

/// Waits for all futures, a few at a time, and gives their answers in order; the first fault ends it.
async fn together<T, F>(futures: Vec<F>) -> Result<Vec<T>, Fault>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Fault>> + Send + 'static,
{
    let mut answers: Vec<Option<T>> = Vec::with_capacity(futures.len());
    let mut under_way = JoinSet::new();
    let mut futures = futures.into_iter();
    loop {
        while under_way.len() < AT_ONCE
            && let Some(future) = futures.next()
        {
            let place = answers.len();
            answers.push(None);
            under_way.spawn(async move { (place, future.await) });
        }
        match under_way.join_next().await {
            None => return Ok(answers.into_iter().flatten().collect()),
            Some(Ok((place, answer))) => answers[place] = Some(answer?),
            Some(Err(e)) => {
                return Err(Fault::broken("a catalogue's task ended early").because(e));
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
