//! The catalogue: the append-only ledger of assets, occurrences, opinions, decisions and runs.
//!
//! The port has one way in, [`Catalogue::append`], and a few ways out. Everything appended is
//! safe to append again, and the change feed lets an index follow without missing anything.
//! Every backend runs the suite in `conformance`.

#[cfg(test)]
mod conformance;
pub mod dynamo;
#[cfg(test)]
mod model_tests;
pub mod slate;
pub mod sqlite;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::asset::{Asset, AssetId, Occurrence, PixelDigest, Tenant};
use crate::decision::Decision;
use crate::fault::Fault;
use crate::opinion::{Maker, Opinion, Subject};
use crate::purchase::{Purchase, PurchaseId};
use crate::record::Parts;
use crate::run::{Item, Run, RunId};
pub use slate::{Note, Slate};

/// One line for the ledger.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "most entries are opinions, the largest of them")]
pub enum Entry {
    /// An asset, written once: a second one with the same id changes nothing.
    Asset(Asset),
    /// A place where an asset was found; new metadata for a known place replaces the old.
    Found {
        /// The asset found.
        asset: AssetId,
        /// The place.
        occurrence: Occurrence,
        /// What the file system said of the file, so that a later pass need not read it again.
        stamp: Option<Stamp>,
    },
    /// An opinion: a second one with the same id changes nothing.
    Opinion(Opinion),
    /// A decision.
    Decision(Decision),
    /// A run begins, ends or is withdrawn: the last state written holds.
    Run(Run),
    /// What became of a source in a run: the last outcome written for a source holds.
    Item {
        /// The run.
        run: RunId,
        /// The source and its outcome.
        item: Item,
    },
    /// A call to a paid service. A reservation is written only where no other one holds the same
    /// id and attempt; any other state replaces the reservation of the same run.
    Purchase(Purchase),
}

/// What the file system, or S3, says of a source: when nothing of it changed, the bytes did not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Length in bytes.
    pub bytes: u64,
    /// Last change of the content, in nanoseconds since 1970; of an object in whole seconds.
    pub modified: i128,
    /// Last change of content or attributes, in nanoseconds since 1970; nobody can set it back.
    /// 0 of an object.
    pub changed: i128,
    /// The inode number; 0 of an object.
    pub inode: u64,
    /// The entity tag of an object, without quotes: another one for other bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// A known place: which asset was last found there.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    /// The asset.
    pub asset: AssetId,
    /// The place with its metadata.
    pub occurrence: Occurrence,
    /// What the file system said then.
    pub stamp: Option<Stamp>,
}

/// One step of the change feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Whose asset.
    pub tenant: Tenant,
    /// The asset whose record may differ from now on.
    pub asset: AssetId,
}

/// How far the change feed was read, in the catalogue's own words; an index keeps it.
///
/// The default is the feed's beginning.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bookmark(String);

impl Bookmark {
    /// Tells whether it is the feed's beginning.
    pub fn is_start(&self) -> bool {
        self.0.is_empty()
    }
}

/// A piece of the change feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// The changes; none when the feed was read to its end.
    pub list: Vec<Change>,
    /// Where to read on; it may have moved although nothing changed.
    pub bookmark: Bookmark,
}

/// The append-only ledger and its readings.
#[async_trait]
pub trait Catalogue: Slate {
    /// Appends entries, all or none, durably before it answers.
    ///
    /// Safe to run twice. Every asset that an entry really changed joins the change feed in
    /// the same transaction; an entry that changes nothing does not. Entries of one call may
    /// rest on each other, in order: an asset first, then its occurrence.
    ///
    /// # Errors
    /// `NotFound` when an entry speaks of an asset or a run that does not exist, `Conflict` when
    /// a purchase is reserved already, `Busy` when another writer holds on, `Broken` on a full
    /// disk.
    async fn append(&self, tenant: &Tenant, entries: Vec<Entry>) -> Result<(), Fault>;

    /// Reads everything that was said of one asset; nothing when there is no such asset.
    async fn parts(&self, tenant: &Tenant, asset: &AssetId) -> Result<Option<Parts>, Fault>;

    /// Reads [`Catalogue::parts`] of many assets at once, in the order asked, leaving out the unknown.
    async fn parts_of_many(&self, tenant: &Tenant, assets: &[AssetId])
    -> Result<Vec<Parts>, Fault>;

    /// Finds a conclusive opinion of the same step, subject and maker, of any asset and run; of one
    /// asset the last, since a later one may hold more.
    async fn reusable(
        &self,
        tenant: &Tenant,
        step: &str,
        subject: &Subject,
        maker: &Maker,
    ) -> Result<Option<Opinion>, Fault>;

    /// Tells what was last found at a place.
    async fn sighting(
        &self,
        tenant: &Tenant,
        collection: &str,
        source: &str,
    ) -> Result<Option<Sighting>, Fault>;

    /// Lists assets by id, after one, at most `limit`; of one collection or of all.
    ///
    /// The order is that of the ids, so pages stay stable while assets are added.
    async fn assets(
        &self,
        tenant: &Tenant,
        collection: Option<&str>,
        after: Option<&AssetId>,
        limit: usize,
    ) -> Result<Vec<AssetId>, Fault>;

    /// Lists the assets that show the same coded picture, by id.
    async fn family(&self, tenant: &Tenant, pixels: &PixelDigest) -> Result<Vec<AssetId>, Fault>;

    /// Reads the change feed of all tenants after a bookmark.
    ///
    /// What was appended before this call is in it or before the bookmark: nothing is missed. An
    /// asset's changes are in the order in which they were appended. One change may stand for
    /// many assets, so a little more than `limit` may come back.
    ///
    /// # Errors
    /// `Conflict` when the bookmark is not of this feed: the catalogue was replaced by another
    /// or an older one, and whatever was derived from it is to be made anew.
    async fn changes(&self, after: &Bookmark, limit: usize) -> Result<Changes, Fault>;

    /// Lists runs, the latest first, after one, at most `limit`.
    async fn runs(
        &self,
        tenant: &Tenant,
        after: Option<&RunId>,
        limit: usize,
    ) -> Result<Vec<Run>, Fault>;

    /// Reads one run.
    async fn run(&self, tenant: &Tenant, run: &RunId) -> Result<Option<Run>, Fault>;

    /// Lists the assets that a run said something of, by id, after one, at most `limit`.
    ///
    /// These are the assets whose record a withdrawal of the run may change.
    async fn assets_of_run(
        &self,
        tenant: &Tenant,
        run: &RunId,
        after: Option<&AssetId>,
        limit: usize,
    ) -> Result<Vec<AssetId>, Fault>;

    /// Lists a run's items by source, after one, at most `limit`.
    async fn items(
        &self,
        tenant: &Tenant,
        run: &RunId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Item>, Fault>;

    /// Checks that the ledger is sound, as thoroughly as the backend can.
    ///
    /// # Errors
    /// `Broken` with what is wrong.
    async fn check(&self) -> Result<(), Fault>;

    /// Reads every call that was made for one answer, by attempt.
    async fn purchases(&self, tenant: &Tenant, id: &PurchaseId) -> Result<Vec<Purchase>, Fault>;

    /// Lists a run's purchases by id and attempt, after one, at most `limit`.
    async fn purchases_of_run(
        &self,
        tenant: &Tenant,
        run: &RunId,
        after: Option<(&PurchaseId, u32)>,
        limit: usize,
    ) -> Result<Vec<Purchase>, Fault>;
}
