//! Lists of assets by id: partition after partition, each pointer proved by a sheet.

use std::collections::HashMap;
use std::sync::Arc;

use super::Inner;
use super::key::{self, List, RANGES};
use super::sheet::Known;
use crate::asset::{AssetId, Tenant};
use crate::aws::dynamo::{Attributes, From, Key, Page, SK, attribute};
use crate::fault::Fault;
use crate::run::RunId;

/// What a list is of, on its own.
#[derive(Debug, Clone)]
enum Owned {
    Tenant(Tenant),
    Collection(Tenant, String),
    Run(Tenant, RunId),
}

impl Owned {
    fn of(list: List<'_>) -> Self {
        match list {
            List::Tenant(tenant) => Self::Tenant(tenant.clone()),
            List::Collection(tenant, name) => Self::Collection(tenant.clone(), name.to_owned()),
            List::Run(tenant, run) => Self::Run(tenant.clone(), run.clone()),
        }
    }

    fn list(&self) -> List<'_> {
        match self {
            Self::Tenant(tenant) => List::Tenant(tenant),
            Self::Collection(tenant, name) => List::Collection(tenant, name),
            Self::Run(tenant, run) => List::Run(tenant, run),
        }
    }

    /// Tells whether an asset belongs into it.
    fn holds(&self, known: &Known) -> bool {
        known.asset.is_some()
            && match self {
                Self::Tenant(_) => true,
                Self::Collection(_, name) => known.is_in(name),
                Self::Run(_, run) => known.heard_of(run),
            }
    }
}

/// A pointer as read.
struct Pointer {
    asset: AssetId,
    sheet: Key,
    token: String,
}

impl Inner {
    /// Lists assets by id, after one, at most `limit`.
    pub(super) async fn list(
        self: &Arc<Self>,
        list: List<'_>,
        after: Option<&AssetId>,
        limit: usize,
    ) -> Result<Vec<AssetId>, Fault> {
        let list = Owned::of(list);
        let first = after.map_or(char::from(RANGES[0]), key::range);
        let ranges: Vec<char> =
            RANGES.iter().map(|&range| char::from(range)).filter(|&range| range >= first).collect();
        let mut found = Vec::new();
        let (mut left, mut wave) = (&*ranges, 1);
        while !left.is_empty() && found.len() < limit {
            // Large lists go range by range; small ones ask more ranges at once.
            let (now, rest) = left.split_at(wave.min(left.len()));
            let room = limit - found.len();
            let asked = now.iter().map(|&range| {
                let (inner, list) = (self.clone(), list.clone());
                let after = after.filter(|asset| key::range(asset) == range).cloned();
                async move { inner.list_range(&list, range, after, room).await }
            });
            for assets in super::together(asked.collect()).await? {
                found.extend(assets);
            }
            (left, wave) = (rest, wave * 2);
        }
        found.truncate(limit);
        Ok(found)
    }

    async fn list_range(
        self: &Arc<Self>,
        list: &Owned,
        range: char,
        mut after: Option<AssetId>,
        limit: usize,
    ) -> Result<Vec<AssetId>, Fault> {
        let partition = list.list().partition(range);
        let mut found = Vec::new();
        while found.len() < limit {
            let from = after.as_ref().map_or(From::Start, |asset| From::After(asset.as_str()));
            let Page { items, more } =
                self.table.query(&partition, from, limit - found.len()).await?;
            let tenant = list.list().tenant().clone();
            let pointers: Vec<Pointer> =
                items.iter().map(|item| pointer(&tenant, item)).collect::<Result<_, _>>()?;
            after = pointers.last().map(|pointer| pointer.asset.clone());
            found.extend(self.proved(list, pointers).await?);
            if !more || after.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// Leaves out pointers whose sheets never came.
    async fn proved(
        self: &Arc<Self>,
        list: &Owned,
        pointers: Vec<Pointer>,
    ) -> Result<Vec<AssetId>, Fault> {
        let mut proofs = HashMap::new();
        // What was there a moment ago is there now, at half the price.
        for now in [false, true] {
            let keys: Vec<Key> = pointers
                .iter()
                .filter(|pointer| !is_proved(pointer, &proofs))
                .map(|pointer| pointer.sheet.clone())
                .collect();
            if !keys.is_empty() {
                proofs.extend(self.table.get_many(&keys, now, Some("t")).await?);
            }
        }
        let list_of = list.list();
        let tenant = list_of.tenant();
        let mut found = Vec::with_capacity(pointers.len());
        for pointer in pointers {
            // Of two that pointed at once one pointer is left, and it may be the loser's.
            if is_proved(&pointer, &proofs)
                || list.holds(&super::sheet::known(&self.table, tenant, &pointer.asset).await?)
            {
                found.push(pointer.asset);
            }
        }
        Ok(found)
    }
}

fn is_proved(pointer: &Pointer, proofs: &HashMap<Key, Attributes>) -> bool {
    let token = proofs.get(&pointer.sheet).and_then(|item| attribute::text(item, "t").ok());
    token == Some(&pointer.token)
}

fn pointer(tenant: &Tenant, item: &Attributes) -> Result<Pointer, Fault> {
    let wrong = || attribute::unreadable(item, "v");
    let asset: AssetId = attribute::text(item, SK)?.parse().map_err(|_| wrong())?;
    let version = u32::try_from(attribute::count(item, "v")?).map_err(|_| wrong())?;
    let sheet = Key::sheet(tenant, &asset, version);
    Ok(Pointer { asset, sheet, token: attribute::text(item, "t")?.to_owned() })
}
