//! The catalogue past one machine: one DynamoDB table, no index, nothing that expires.
//!
//! [README.md](README.md) lists the access patterns and the key of each. In short: what one
//! append says of one asset is a *sheet* in the asset's partition, written in one transaction
//! with its entry in a *feed* of 32 gapless shards; whatever else leads to an asset is a
//! *pointer*, written before and believed only where the sheet is there. So an append is all or
//! nothing, a crash leaves at most a pointer to nothing, and no partition is hot.

mod append;
mod feed;
mod key;
mod read;
mod sheet;
mod table;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use serde::Deserialize;

use super::{Bookmark, Catalogue, Changes, Entry, Sighting};
use crate::asset::{AssetId, PixelDigest, Tenant};
use crate::aws::Aws;
use crate::fault::Fault;
use crate::opinion::{Maker, Opinion, Subject};
use crate::purchase::{Purchase, PurchaseId};
use crate::record::Parts;
use crate::run::{Item, Run, RunId};
use table::Table;
pub use table::{Billing, Capacity};

/// How many assets are read at once.
const READ_AT_ONCE: usize = 16;

/// Which table the ledger is kept in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DynamoSettings {
    /// The table's name, 3 to 255 characters of letters, digits, `_`, `-` and `.`.
    pub table: String,
}

/// Keeps the ledger in one DynamoDB table.
pub struct DynamoCatalogue {
    table: Arc<Table>,
    feed: Arc<feed::Feed>,
}

impl DynamoCatalogue {
    /// Opens the catalogue in a table that is there.
    ///
    /// # Errors
    /// `NotFound` when there is no such table, `Refused` when it is not glassplate's, both for
    /// every asset alike.
    pub async fn open(aws: &Aws, settings: DynamoSettings) -> Result<Self, Fault> {
        let table = Arc::new(Table::of(aws, settings.table));
        let id = table.identity().await?;
        let feed = Arc::new(feed::Feed::new(table.clone(), id));
        Ok(Self { table, feed })
    }

    /// Makes the table, encrypted, with point-in-time recovery and protected from deletion, and
    /// waits until it can be used; tells whether it was made now.
    ///
    /// # Errors
    /// What the service says.
    pub async fn create_table(
        aws: &Aws,
        settings: &DynamoSettings,
        billing: Billing,
        protected: bool,
    ) -> Result<bool, Fault> {
        Table::of(aws, settings.table.clone()).create(billing, protected).await
    }

    /// The read and write units that were used through this catalogue, as the service counts them.
    pub fn capacity(&self) -> Capacity {
        self.table.capacity()
    }
}

#[async_trait]
impl Catalogue for DynamoCatalogue {
    async fn append(&self, tenant: &Tenant, entries: Vec<Entry>) -> Result<(), Fault> {
        append::append(&self.table, &self.feed, tenant, entries).await
    }

    async fn parts(&self, tenant: &Tenant, asset: &AssetId) -> Result<Option<Parts>, Fault> {
        read::parts(&self.table, tenant, asset).await
    }

    async fn parts_of_many(
        &self,
        tenant: &Tenant,
        assets: &[AssetId],
    ) -> Result<Vec<Parts>, Fault> {
        let mut all = Vec::with_capacity(assets.len());
        for some in assets.chunks(READ_AT_ONCE) {
            let mut reading = Vec::with_capacity(some.len());
            for asset in some {
                reading.push(read::parts(&self.table, tenant, asset));
            }
            all.extend(try_join_all(reading).await?.into_iter().flatten());
        }
        Ok(all)
    }

    async fn reusable(
        &self,
        tenant: &Tenant,
        step: &str,
        subject: &Subject,
        maker: &Maker,
    ) -> Result<Option<Opinion>, Fault> {
        read::reusable(&self.table, tenant, step, subject, maker).await
    }

    async fn sighting(
        &self,
        tenant: &Tenant,
        collection: &str,
        source: &str,
    ) -> Result<Option<Sighting>, Fault> {
        read::sighting(&self.table, tenant, collection, source).await
    }

    async fn assets(
        &self,
        tenant: &Tenant,
        collection: Option<&str>,
        after: Option<&AssetId>,
        limit: usize,
    ) -> Result<Vec<AssetId>, Fault> {
        let group = match collection {
            Some(collection) => key::Group::Collection(collection),
            None => key::Group::Tenant,
        };
        read::members(&self.table, tenant, &group, after, limit).await
    }

    async fn family(&self, tenant: &Tenant, pixels: &PixelDigest) -> Result<Vec<AssetId>, Fault> {
        read::family(&self.table, tenant, pixels).await
    }

    async fn changes(&self, after: &Bookmark, limit: usize) -> Result<Changes, Fault> {
        self.feed.changes(after, limit).await
    }

    async fn runs(&self, tenant: &Tenant, limit: usize) -> Result<Vec<Run>, Fault> {
        read::runs(&self.table, tenant, limit).await
    }

    async fn run(&self, tenant: &Tenant, run: &RunId) -> Result<Option<Run>, Fault> {
        read::run(&self.table, tenant, run).await
    }

    async fn assets_of_run(
        &self,
        tenant: &Tenant,
        run: &RunId,
        after: Option<&AssetId>,
        limit: usize,
    ) -> Result<Vec<AssetId>, Fault> {
        read::members(&self.table, tenant, &key::Group::Run(run), after, limit).await
    }

    async fn items(
        &self,
        tenant: &Tenant,
        run: &RunId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Item>, Fault> {
        read::items(&self.table, tenant, run, after, limit).await
    }

    async fn check(&self) -> Result<(), Fault> {
        self.table.identity().await.map(drop)
    }

    async fn purchases(&self, tenant: &Tenant, id: &PurchaseId) -> Result<Vec<Purchase>, Fault> {
        read::purchases(&self.table, tenant, id).await
    }

    async fn purchases_of_run(
        &self,
        tenant: &Tenant,
        run: &RunId,
        after: Option<(&PurchaseId, u32)>,
        limit: usize,
    ) -> Result<Vec<Purchase>, Fault> {
        read::purchases_of_run(&self.table, tenant, run, after, limit).await
    }
}
