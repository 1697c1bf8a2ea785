//! The one way in: pointers first, then one transaction.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use super::super::Entry;
use super::plan::{self, Before, Plan, Planned, StoredRun, What};
use super::{Inner, feed, sheet};
use crate::asset::{AssetId, Tenant};
use crate::aws::dynamo::{Key, Reason, Table, attribute};
use crate::aws::random;
use crate::fault::{Fault, FaultKind};
use crate::run::RunId;

/// How often an append is planned anew, and how often a transaction is tried.
const TRIES: u32 = 40;
/// Most items of one transaction.
const MOST_WRITES: usize = 100;

/// What became of a transaction.
#[derive(Debug, PartialEq, Eq)]
enum Carried {
    /// It was carried out, by now or by an answer that was lost.
    Out,
    /// Another writer changed what the plan rests on.
    Stale,
}

impl Inner {
    /// Appends entries, all or none.
    pub(super) async fn append(
        self: &Arc<Self>,
        tenant: &Tenant,
        entries: &[Entry],
    ) -> Result<(), Fault> {
        let token = format!("{:016x}", random());
        for attempt in 0..TRIES {
            let before = self.before(tenant, entries).await?;
            let plan = plan::draw(tenant, entries, &token, before)?;
            if plan.writes.len() + usize::from(plan.feeds()) > MOST_WRITES {
                return Err(Fault::too_large(format!(
                    "an append that comes to {} items: DynamoDB writes {MOST_WRITES} at once",
                    plan.writes.len()
                )));
            }
            self.point(&plan).await?;
            if self.carry_out(tenant, &plan, &token, attempt).await? == Carried::Out {
                let mut runs = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
                runs.extend(entries.iter().filter_map(|entry| match entry {
                    Entry::Run(run) => Some((tenant.clone(), run.id.clone())),
                    _ => None,
                }));
                return Ok(());
            }
            if attempt > 0 {
                Table::wait(attempt.min(6)).await;
            }
        }
        Err(Fault::new(FaultKind::Busy, "other writers keep changing what an append rests on"))
    }

    /// Reads what the entries rest on.
    async fn before(self: &Arc<Self>, tenant: &Tenant, entries: &[Entry]) -> Result<Before, Fault> {
        let mut before = Before::default();
        let (mut assets, mut purchases) = (BTreeSet::new(), Vec::new());
        let mut others = false;
        for entry in entries {
            match entry {
                Entry::Asset(asset) => _ = assets.insert(asset.id.clone()),
                Entry::Found { asset, .. } => _ = assets.insert(asset.clone()),
                Entry::Opinion(opinion) => _ = assets.insert(opinion.asset.clone()),
                Entry::Decision(decision) => _ = assets.insert(decision.asset.clone()),
                Entry::Run(run) => {
                    if let Some(stored) = self.stored_run(tenant, &run.id).await? {
                        before.runs.insert(run.id.clone(), stored);
                    }
                }
                Entry::Item { run, .. } => {
                    if !before.begun.contains(run) && self.has_begun(tenant, run).await? {
                        before.begun.insert(run.clone());
                    }
                }
                Entry::Purchase(purchase) => {
                    purchases.push(Key::purchase(tenant, &purchase.id, purchase.attempt));
                    continue;
                }
            }
            others = true;
        }
        let assets: Vec<AssetId> = assets.into_iter().collect();
        before.assets = assets.iter().cloned().zip(self.known_of(tenant, &assets).await?).collect();
        // A purchase alone is decided by its condition; with others it must not even leave pointers.
        if others && !purchases.is_empty() {
            purchases.sort();
            purchases.dedup();
            for (key, item) in self.table.get_many(&purchases, true, None).await? {
                before.purchases.insert(key, attribute::json(&item, "b")?);
            }
        }
        Ok(before)
    }

    /// Reads assets as they are now, in the order asked.
    pub(super) async fn known_of(
        self: &Arc<Self>,
        tenant: &Tenant,
        assets: &[AssetId],
    ) -> Result<Vec<sheet::Known>, Fault> {
        if let [asset] = assets {
            return Ok(vec![sheet::known(&self.table, tenant, asset).await?]);
        }
        let asked = assets.iter().map(|asset| {
            let (inner, tenant, asset) = (self.clone(), tenant.clone(), asset.clone());
            async move { sheet::known(&inner.table, &tenant, &asset).await }
        });
        super::together(asked.collect()).await
    }

    pub(super) async fn stored_run(
        &self,
        tenant: &Tenant,
        run: &RunId,
    ) -> Result<Option<StoredRun>, Fault> {
        let item = self.table.get(&Key::run(tenant, run)).await?;
        item.map(|item| {
            Ok(StoredRun {
                run: attribute::json(&item, "b")?,
                version: attribute::count(&item, "v")?,
            })
        })
        .transpose()
    }

    /// Tells whether a run is there; runs never vanish, so it is asked once.
    async fn has_begun(&self, tenant: &Tenant, run: &RunId) -> Result<bool, Fault> {
        let name = (tenant.clone(), run.clone());
        let known = |inner: &Self| {
            inner.begun.lock().unwrap_or_else(PoisonError::into_inner).contains(&name)
        };
        if known(self) {
            return Ok(true);
        }
        let there = self.stored_run(tenant, run).await?.is_some();
        if there {
            self.begun.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
        }
        Ok(there)
    }

    /// Writes what may be there although the transaction never comes: chunks and pointers.
    async fn point(&self, plan: &Plan) -> Result<(), Fault> {
        let items = plan.chunks.iter().chain(plan.pointers.values()).cloned().collect();
        let claims = async {
            for (key, claim) in &plan.claims {
                self.table.update(key, claim.update()).await?;
            }
            Ok(())
        };
        tokio::try_join!(self.table.put_many(items), claims).map(drop)
    }

    async fn carry_out(
        &self,
        tenant: &Tenant,
        plan: &Plan,
        token: &str,
        attempt: u32,
    ) -> Result<Carried, Fault> {
        if plan.feeds() {
            return self.carry_out_and_tell(tenant, plan, token, attempt).await;
        }
        match &*plan.writes {
            [] => return Ok(Carried::Out),
            [Planned { what, write }] => {
                return match (self.table.write(write).await?, what) {
                    (true, _) => Ok(Carried::Out),
                    (false, What::Purchase) => Err(plan::taken()),
                    (false, _) => Ok(Carried::Stale),
                };
            }
            _ => {}
        }
        for tries in 1..=TRIES {
            let name = format!("{token}-{attempt}-{tries}");
            match self
                .table
                .transact(plan.writes.iter().map(|planned| &planned.write), name)
                .await?
            {
                Ok(()) => return Ok(Carried::Out),
                Err(reasons) => {
                    if let Some(carried) = judge(&plan.writes, &reasons)? {
                        return Ok(carried);
                    }
                }
            }
            Table::wait(tries).await;
        }
        Err(busy())
    }

    /// Carries out a plan together with the entry of the feed that tells of it.
    async fn carry_out_and_tell(
        &self,
        tenant: &Tenant,
        plan: &Plan,
        token: &str,
        attempt: u32,
    ) -> Result<Carried, Fault> {
        let (shard, mut end) = self.shards.idle().await;
        for tries in 1..=TRIES {
            // Until an answer comes nobody knows the end: this task may be dropped meanwhile.
            let number = match end.take() {
                Some(end) => end,
                None => feed::end(&self.table, shard).await?,
            } + 1;
            let entry = feed::write(shard, number, tenant, token, &plan.changed, &plan.turned);
            let writes = plan.writes.iter().map(|planned| &planned.write).chain([&entry]);
            let name = format!("{token}-{attempt}-{tries}");
            let reasons = match self.table.transact(writes, name).await? {
                Ok(()) => {
                    *end = Some(number);
                    return Ok(Carried::Out);
                }
                Err(reasons) => reasons,
            };
            let number_is_taken = reasons.last() == Some(&Reason::Condition);
            if number_is_taken {
                let there = self.table.get(&Key::feed(shard, number)).await?;
                if there.is_some_and(|item| attribute::text(&item, "t").is_ok_and(|t| t == token)) {
                    *end = Some(number);
                    return Ok(Carried::Out);
                }
            } else {
                *end = Some(number - 1);
            }
            if let Some(carried) = judge(&plan.writes, &reasons)? {
                return Ok(carried);
            }
            if !number_is_taken || tries > 2 {
                Table::wait(tries).await;
            }
        }
        Err(busy())
    }
}

/// What the reasons come to, the feed's apart: nothing when trying again may help.
fn judge(writes: &[Planned], reasons: &[Reason]) -> Result<Option<Carried>, Fault> {
    let failed = |what: What| {
        let both = writes.iter().zip(reasons);
        both.into_iter()
            .any(|(planned, reason)| planned.what == what && *reason == Reason::Condition)
    };
    if failed(What::Purchase) {
        return Err(plan::taken());
    }
    Ok(failed(What::Versioned).then_some(Carried::Stale))
}

fn busy() -> Fault {
    Fault::new(FaultKind::Busy, "other writers keep the change feed busy")
}
