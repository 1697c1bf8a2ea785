//! A catalogue and a store that count how often each of their methods is called.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use glassplate_pipeline::asset::{AssetId, Digest, PixelDigest, Tenant};
use glassplate_pipeline::catalogue::{Bookmark, Catalogue, Changes, Entry, Note, Sighting, Slate};
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::opinion::{Maker, Opinion, Subject};
use glassplate_pipeline::purchase::{Dollars, Purchase, PurchaseId};
use glassplate_pipeline::record::Parts;
use glassplate_pipeline::run::{Item, Run, RunId};
use glassplate_pipeline::store::{Body, Created, Key, Store};

/// How often each method was called since it was last asked.
#[derive(Default)]
pub(crate) struct Counter(Mutex<BTreeMap<&'static str, usize>>);

impl Counter {
    fn note(&self, method: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(method).or_default() += 1;
    }

    pub(crate) fn take(&self) -> BTreeMap<&'static str, usize> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A port with a counter before it.
pub(crate) struct Counted<T> {
    port: T,
    counter: Arc<Counter>,
}

impl<T> Counted<T> {
    pub(crate) fn new(port: T, counter: Arc<Counter>) -> Self {
        Self { port, counter }
    }

    fn called(&self, method: &'static str) -> &T {
        self.counter.note(method);
        &self.port
    }
}

#[async_trait]
impl<T: Catalogue> Slate for Counted<T> {
    async fn note(&self, tenant: &Tenant, run: &RunId, name: &str) -> Result<Option<Note>, Fault> {
        self.called("note").note(tenant, run, name).await
    }

    async fn notes(
        &self,
        tenant: &Tenant,
        run: &RunId,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Note>, Fault> {
        self.called("notes").notes(tenant, run, prefix, after, limit).await
    }

    async fn write_note(
        &self,
        tenant: &Tenant,
        run: &RunId,
        name: &str,
        over: u64,
        body: &str,
    ) -> Result<bool, Fault> {
        self.called("write_note").write_note(tenant, run, name, over, body).await
    }

    async fn charge(
        &self,
        tenant: &Tenant,
        run: &RunId,
        amount: Dollars,
        budget: Dollars,
    ) -> Result<bool, Fault> {
        self.called("charge").charge(tenant, run, amount, budget).await
    }

    async fn charged(&self, tenant: &Tenant, run: &RunId) -> Result<Dollars, Fault> {
        self.called("charged").charged(tenant, run).await
    }
}

#[async_trait]
impl<T: Catalogue> Catalogue for Counted<T> {
    async fn append(&self, tenant: &Tenant, entries: Vec<Entry>) -> Result<(), Fault> {
        self.called("append").append(tenant, entries).await
    }

    async fn parts(&self, tenant: &Tenant, asset: &AssetId) -> Result<Option<Parts>, Fault> {
        self.called("parts").parts(tenant, asset).await
    }

    async fn parts_of_many(
        &self,
        tenant: &Tenant,
        assets: &[AssetId],
    ) -> Result<Vec<Parts>, Fault> {
        self.called("parts_of_many").parts_of_many(tenant, assets).await
    }

    async fn reusable(
        &self,
        tenant: &Tenant,
        step: &str,
        subject: &Subject,
        maker: &Maker,
    ) -> Result<Option<Opinion>, Fault> {
        self.called("reusable").reusable(tenant, step, subject, maker).await
    }

    async fn sighting(
        &self,
        tenant: &Tenant,
        collection: &str,
        source: &str,
    ) -> Result<Option<Sighting>, Fault> {
        self.called("sighting").sighting(tenant, collection, source).await
    }

    async fn assets(
        &self,
        tenant: &Tenant,
        collection: Option<&str>,
        after: Option<&AssetId>,
        limit: usize,
    ) -> Result<Vec<AssetId>, Fault> {
        self.called("assets").assets(tenant, collection, after, limit).await
    }

    async fn family(&self, tenant: &Tenant, pixels: &PixelDigest) -> Result<Vec<AssetId>, Fault> {
        self.called("family").family(tenant, pixels).await
    }

    async fn changes(&self, after: &Bookmark, limit: usize) -> Result<Changes, Fault> {
        self.called("changes").changes(after, limit).await
    }

    async fn runs(
        &self,
        tenant: &Tenant,
        after: Option<&RunId>,
        limit: usize,
    ) -> Result<Vec<Run>, Fault> {
        self.called("runs").runs(tenant, after, limit).await
    }

    async fn run(&self, tenant: &Tenant, run: &RunId) -> Result<Option<Run>, Fault> {
        self.called("run").run(tenant, run).await
    }

    async fn assets_of_run(
        &self,
        tenant: &Tenant,
        run: &RunId,
        after: Option<&AssetId>,
        limit: usize,
    ) -> Result<Vec<AssetId>, Fault> {
        self.called("assets_of_run").assets_of_run(tenant, run, after, limit).await
    }

    async fn items(
        &self,
        tenant: &Tenant,
        run: &RunId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Item>, Fault> {
        self.called("items").items(tenant, run, after, limit).await
    }

    async fn check(&self) -> Result<(), Fault> {
        self.called("check").check().await
    }

    async fn purchases(&self, tenant: &Tenant, id: &PurchaseId) -> Result<Vec<Purchase>, Fault> {
        self.called("purchases").purchases(tenant, id).await
    }

    async fn purchases_of_run(
        &self,
        tenant: &Tenant,
        run: &RunId,
        after: Option<(&PurchaseId, u32)>,
        limit: usize,
    ) -> Result<Vec<Purchase>, Fault> {
        self.called("purchases_of_run").purchases_of_run(tenant, run, after, limit).await
    }
}

#[async_trait]
impl<T: Store> Store for Counted<T> {
    async fn create(&self, key: &Key, body: &Body, blake3: &Digest) -> Result<Created, Fault> {
        self.called("create").create(key, body, blake3).await
    }

    async fn replace(&self, key: &Key, body: &Body) -> Result<(), Fault> {
        self.called("replace").replace(key, body).await
    }

    async fn remove(&self, key: &Key) -> Result<(), Fault> {
        self.called("remove").remove(key).await
    }

    async fn read(&self, key: &Key) -> Result<Vec<u8>, Fault> {
        self.called("read").read(key).await
    }

    async fn read_part(&self, key: &Key, from: u64, most: usize) -> Result<Vec<u8>, Fault> {
        self.called("read_part").read_part(key, from, most).await
    }

    async fn blake3(&self, key: &Key) -> Result<Digest, Fault> {
        self.called("blake3").blake3(key).await
    }

    async fn length(&self, key: &Key) -> Result<Option<u64>, Fault> {
        self.called("length").length(key).await
    }

    async fn delivery(&self, key: &Key, seconds: u32) -> Result<Option<String>, Fault> {
        self.called("delivery").delivery(key, seconds).await
    }

    fn place(&self, path: &str) -> String {
        self.port.place(path)
    }
}
