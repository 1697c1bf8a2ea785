//! The readings of assets, places, families, runs and purchases.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;

use super::super::Sighting;
use super::Inner;
use super::key::{self, PURCHASE_RANGES};
use super::sheet::{self, Known};
use crate::asset::{AssetId, Occurrence, PixelDigest, Tenant};
use crate::aws::dynamo::{Attributes, From, Key, SK, attribute};
use crate::fault::Fault;
use crate::opinion::{Maker, Opinion, Subject};
use crate::purchase::{Purchase, PurchaseId};
use crate::record::Parts;
use crate::run::{Run, RunId};

/// Candidates that are read at once.
const AT_ONCE: usize = 16;

impl Inner {
    pub(super) async fn parts_of_many(
        self: &Arc<Self>,
        tenant: &Tenant,
        assets: &[AssetId],
    ) -> Result<Vec<Parts>, Fault> {
        let known = self.known_of(tenant, assets).await?;
        let runs: BTreeSet<RunId> = known.iter().flat_map(Known::runs).collect();
        let withdrawn = self.withdrawn(tenant, &runs).await?;
        Ok(known.into_iter().filter_map(|known| known.parts(&withdrawn)).collect())
    }

    /// Tells which of these runs do not count.
    async fn withdrawn(
        &self,
        tenant: &Tenant,
        runs: &BTreeSet<RunId>,
    ) -> Result<BTreeSet<RunId>, Fault> {
        let keys: Vec<Key> = runs.iter().map(|run| Key::run(tenant, run)).collect();
        let mut withdrawn = BTreeSet::new();
        for item in self.table.get_many(&keys, true, None).await?.values() {
            let run: Run = attribute::json(item, "b")?;
            if run.withdrawn {
                withdrawn.insert(run.id);
            }
        }
        Ok(withdrawn)
    }

    pub(super) async fn reusable(
        &self,
        tenant: &Tenant,
        step: &str,
        subject: &Subject,
        maker: &Maker,
    ) -> Result<Option<Opinion>, Fault> {
        let said = |known: Known| {
            known.opinions.into_iter().rfind(|o| {
                o.verdict.conclusive()
                    && o.subject == *subject
                    && o.step == step
                    && o.maker == *maker
            })
        };
        if let Subject::Bytes(digest) = subject {
            let asset = AssetId::derive(tenant, digest);
            if let Some(opinion) = said(sheet::known(&self.table, tenant, &asset).await?) {
                return Ok(Some(opinion));
            }
        }
        let answer = key::answered(step, maker);
        for item in self.table.query_all(&key::subjects(tenant, subject)).await? {
            let answered = match item.get("m") {
                Some(AttributeValue::Ss(answers)) => answers.contains(&answer),
                _ => false,
            };
            if answered
                && let Some(opinion) =
                    said(sheet::known(&self.table, tenant, &pointed(&item)?).await?)
            {
                return Ok(Some(opinion));
            }
        }
        Ok(None)
    }

    pub(super) async fn family(
        self: &Arc<Self>,
        tenant: &Tenant,
        pixels: &PixelDigest,
    ) -> Result<Vec<AssetId>, Fault> {
        let pointers =
            self.table.query_all(&key::subjects(tenant, &Subject::Pixels(*pixels))).await?;
        let claimed: Vec<AssetId> = pointers
            .iter()
            .filter(|item| item.contains_key("f"))
            .map(pointed)
            .collect::<Result<_, _>>()?;
        let mut family = Vec::new();
        for some in claimed.chunks(AT_ONCE) {
            for known in self.known_of(tenant, some).await? {
                if known.opinions.iter().any(|o| sheet::shows(o) == Some(*pixels)) {
                    family.extend(known.asset.map(|asset| asset.id));
                }
            }
        }
        Ok(family)
    }

    pub(super) async fn sighting(
        &self,
        tenant: &Tenant,
        collection: &str,
        source: &str,
    ) -> Result<Option<Sighting>, Fault> {
        let Some(item) = self.table.get(&Key::place(tenant, collection, source)).await? else {
            return Ok(None);
        };
        let asset: AssetId = attribute::parsed(&item, "a")?;
        let mut known = sheet::known(&self.table, tenant, &asset).await?;
        let place = (collection.to_owned(), source.to_owned());
        let Some(metadata) = known.places.remove(&place) else { return Ok(None) };
        let (collection, source) = place;
        let stamp = item.contains_key("s").then(|| attribute::json(&item, "s")).transpose()?;
        let occurrence = Occurrence { collection, source, metadata };
        Ok(Some(Sighting { asset, occurrence, stamp }))
    }

    pub(super) async fn runs(
        &self,
        tenant: &Tenant,
        after: Option<&RunId>,
        limit: usize,
    ) -> Result<Vec<Run>, Fault> {
        let mut runs: Vec<Run> = Vec::new();
        let partition = key::runs(tenant);
        let mut before: Option<String> = after.map(|run| Key::run(tenant, run).sk);
        while runs.len() < limit {
            let from = before.as_deref().map_or(From::End, From::Before);
            let page = self.table.query(&partition, from, limit - runs.len()).await?;
            for item in &page.items {
                runs.push(attribute::json(item, "b")?);
            }
            match page.items.last() {
                Some(last) if page.more => before = Some(attribute::text(last, SK)?.to_owned()),
                _ => break,
            }
        }
        Ok(runs)
    }

    pub(super) async fn purchases(
        &self,
        tenant: &Tenant,
        id: &PurchaseId,
    ) -> Result<Vec<Purchase>, Fault> {
        let items = self.table.query_all(&key::purchases(tenant, id)).await?;
        items.iter().map(|item| attribute::json(item, "b")).collect()
    }

    pub(super) async fn purchases_of_run(
        &self,
        tenant: &Tenant,
        run: &RunId,
        after: Option<(&PurchaseId, u32)>,
        limit: usize,
    ) -> Result<Vec<Purchase>, Fault> {
        let first = after.map_or('0', |(id, _)| key::purchase_range(id));
        let mut after = after.map(|(id, attempt)| Key::bought(tenant, run, id, attempt).sk);
        let mut found = Vec::new();
        let ranges = PURCHASE_RANGES.iter().map(|&range| char::from(range));
        for range in ranges.filter(|&range| range >= first) {
            let partition = key::bought(tenant, run, range);
            while found.len() < limit {
                let from = after.as_deref().map_or(From::Start, From::After);
                let page = self.table.query(&partition, from, limit - found.len()).await?;
                found.extend(self.bought(tenant, run, &page.items).await?);
                after = match page.items.last() {
                    Some(last) if page.more => Some(attribute::text(last, SK)?.to_owned()),
                    _ => break,
                };
            }
            after = None;
        }
        Ok(found)
    }

    /// The purchases that pointers name, as far as they are this run's.
    async fn bought(
        &self,
        tenant: &Tenant,
        run: &RunId,
        pointers: &[Attributes],
    ) -> Result<Vec<Purchase>, Fault> {
        let mut keys = Vec::with_capacity(pointers.len());
        for pointer in pointers {
            let id: PurchaseId = serde_json::from_value(attribute::text(pointer, "i")?.into())
                .expect("a text is an id");
            let attempt = u32::try_from(attribute::count(pointer, "n")?)
                .map_err(|_| attribute::unreadable(pointer, "n"))?;
            keys.push(Key::purchase(tenant, &id, attempt));
        }
        let there = self.table.get_many(&keys, true, None).await?;
        let mut found = Vec::with_capacity(keys.len());
        for item in keys.iter().filter_map(|key| there.get(key)) {
            let purchase: Purchase = attribute::json(item, "b")?;
            if purchase.run == *run {
                found.push(purchase);
            }
        }
        Ok(found)
    }
}

fn pointed(pointer: &Attributes) -> Result<AssetId, Fault> {
    attribute::parsed(pointer, SK)
}
