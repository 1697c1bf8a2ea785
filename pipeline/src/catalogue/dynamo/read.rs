//! The readings: each follows pointers and believes only what the sheets say.

use std::collections::{BTreeSet, HashMap, HashSet};

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use futures_util::future::try_join_all;

use super::key::{self, Group};
use super::sheet::Book;
use super::table::{Attributes, Table, json, text};
use crate::asset::{AssetId, PixelDigest, Tenant};
use crate::catalogue::Sighting;
use crate::fault::Fault;
use crate::opinion::{Maker, Opinion, Subject};
use crate::purchase::{Purchase, PurchaseId};
use crate::record::Parts;
use crate::run::{Item, Run, RunId};

/// The most bytes that a sort key can have.
const LONGEST_KEY: usize = 1024;

pub(super) async fn parts(
    table: &Table,
    tenant: &Tenant,
    asset: &AssetId,
) -> Result<Option<Parts>, Fault> {
    let book = Book::read(table, tenant, asset).await?;
    let Some(asset) = book.asset else { return Ok(None) };
    let runs: BTreeSet<&RunId> = book.opinions.iter().map(|opinion| &opinion.run).collect();
    let keys = runs.iter().map(|run| Table::key(key::runs(tenant), run.to_string())).collect();
    let mut withdrawn = BTreeSet::new();
    for item in table.many(keys, Some("sk, w")).await? {
        if item.get("w") == Some(&AttributeValue::Bool(true)) {
            withdrawn.insert(RunId::from_text(text(&item, "sk")?));
        }
    }
    Ok(Some(Parts {
        asset,
        occurrences: book.occurrences.into_values().collect(),
        opinions: book.opinions,
        decisions: book.decisions,
        withdrawn,
    }))
}

pub(super) async fn reusable(
    table: &Table,
    tenant: &Tenant,
    step: &str,
    subject: &Subject,
    maker: &Maker,
) -> Result<Option<Opinion>, Fault> {
    let holders = match subject {
        // Only one asset can have these bytes.
        Subject::Bytes(digest) => vec![AssetId::derive(tenant, digest)],
        Subject::Pixels(_) => {
            let answered = AttributeValue::S(key::answered(step, maker));
            of_subject(table, tenant, subject, "contains(k, :v)", answered).await?
        }
    };
    for holder in holders {
        let book = Book::read(table, tenant, &holder).await?;
        let found = book.opinions.into_iter().find(|opinion| {
            opinion.step == step
                && opinion.subject == *subject
                && opinion.maker == *maker
                && opinion.verdict.conclusive()
        });
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

pub(super) async fn family(
    table: &Table,
    tenant: &Tenant,
    pixels: &PixelDigest,
) -> Result<Vec<AssetId>, Fault> {
    let subject = Subject::Pixels(*pixels);
    let shown = AttributeValue::Bool(true);
    let members = of_subject(table, tenant, &subject, "f = :v", shown).await?;
    existing(table, tenant, members).await
}

/// The assets that show a subject and for which a condition on their pointer holds, by id.
async fn of_subject(
    table: &Table,
    tenant: &Tenant,
    subject: &Subject,
    condition: &str,
    value: AttributeValue,
) -> Result<Vec<AssetId>, Fault> {
    let (mut members, mut from) = (Vec::new(), None);
    loop {
        let read = table
            .client
            .query()
            .table_name(&table.name)
            .consistent_read(true)
            .key_condition_expression("pk = :pk")
            .filter_expression(condition)
            .expression_attribute_values(":pk", AttributeValue::S(key::subject(tenant, subject)))
            .expression_attribute_values(":v", value.clone())
            .set_exclusive_start_key(from)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|e| table.fault(e))?;
        table.has_read(read.consumed_capacity());
        for item in read.items() {
            members.push(text(item, "sk")?.parse()?);
        }
        from = read.last_evaluated_key;
        if from.is_none() {
            return Ok(members);
        }
    }
}

pub(super) async fn sighting(
    table: &Table,
    tenant: &Tenant,
    collection: &str,
    source: &str,
) -> Result<Option<Sighting>, Fault> {
    let place = table.one(key::place(tenant, collection, source), "p".to_owned()).await?;
    let Some(place) = place else { return Ok(None) };
    let asset: AssetId = text(&place, "a")?.parse()?;
    let stamp = place.contains_key("stamp").then(|| json(&place, "stamp")).transpose()?;
    let book = Book::read(table, tenant, &asset).await?;
    let occurrence = book.occurrences.get(&(collection.to_owned(), source.to_owned())).cloned();
    Ok(occurrence.map(|occurrence| Sighting { asset, occurrence, stamp }))
}

pub(super) async fn members(
    table: &Table,
    tenant: &Tenant,
    group: &Group<'_>,
    after: Option<&AssetId>,
    limit: usize,
) -> Result<Vec<AssetId>, Fault> {
    let first = after.map(key::range);
    let mut found: Vec<AssetId> = Vec::new();
    for range in key::RANGES.chars().filter(|&range| first.is_none_or(|first| range >= first)) {
        let mut from = after.filter(|_| first == Some(range)).map(ToString::to_string);
        // A pointer to an asset that never came leaves a gap that the next ones fill.
        while found.len() < limit {
            let wanted = limit - found.len();
            let pk = key::group(tenant, group, range);
            let page = table.range(&pk, from.as_deref(), wanted).await?;
            let Some(last) = page.last() else { break };
            let whole = page.len() < wanted;
            from = Some(text(last, "sk")?.to_owned());
            let ids =
                page.iter().map(|item| text(item, "sk")?.parse()).collect::<Result<_, _>>()?;
            found.extend(existing(table, tenant, ids).await?);
            if whole {
                break;
            }
        }
        if found.len() >= limit {
            break;
        }
    }
    Ok(found)
}

/// Keeps those that have a sheet, in order.
async fn existing(
    table: &Table,
    tenant: &Tenant,
    ids: Vec<AssetId>,
) -> Result<Vec<AssetId>, Fault> {
    let keys = ids.iter().map(|id| Table::key(key::asset(tenant, id), key::sheet(1))).collect();
    let mut there = HashSet::new();
    for item in table.many(keys, Some("pk")).await? {
        there.insert(text(&item, "pk")?.to_owned());
    }
    Ok(ids.into_iter().filter(|id| there.contains(&key::asset(tenant, id))).collect())
}

pub(super) async fn runs(table: &Table, tenant: &Tenant, limit: usize) -> Result<Vec<Run>, Fault> {
    table.latest(&key::runs(tenant), limit).await?.iter().map(|item| json(item, "body")).collect()
}

pub(super) async fn run(table: &Table, tenant: &Tenant, run: &RunId) -> Result<Option<Run>, Fault> {
    run_item(table, tenant, run).await?.map(|item| json(&item, "body")).transpose()
}

/// A run as it is stored; nothing for what cannot be a run's name.
pub(super) async fn run_item(
    table: &Table,
    tenant: &Tenant,
    run: &RunId,
) -> Result<Option<Attributes>, Fault> {
    if run.as_str().is_empty() || run.as_str().len() > LONGEST_KEY {
        return Ok(None);
    }
    table.one(key::runs(tenant), run.to_string()).await
}

pub(super) async fn items(
    table: &Table,
    tenant: &Tenant,
    run: &RunId,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Item>, Fault> {
    let after = after.map(key::source);
    let shards: Vec<String> =
        (0..key::ITEM_SHARDS).map(|shard| key::items(tenant, run, shard)).collect();
    let pages = shards.iter().map(|pk| table.range(pk, after.as_deref(), limit));
    let mut all: Vec<Attributes> = try_join_all(pages).await?.into_iter().flatten().collect();
    all.sort_by(|a, b| text(a, "sk").unwrap_or_default().cmp(text(b, "sk").unwrap_or_default()));
    all.iter().take(limit).map(|item| json(item, "body")).collect()
}

pub(super) async fn purchases(
    table: &Table,
    tenant: &Tenant,
    id: &PurchaseId,
) -> Result<Vec<Purchase>, Fault> {
    table.all(&key::purchase(tenant, id)).await?.iter().map(|item| json(item, "body")).collect()
}

pub(super) async fn purchases_of_run(
    table: &Table,
    tenant: &Tenant,
    run: &RunId,
    after: Option<(&PurchaseId, u32)>,
    limit: usize,
) -> Result<Vec<Purchase>, Fault> {
    let first = after.and_then(|(id, _)| id.as_str().chars().next());
    let mut found: Vec<Purchase> = Vec::new();
    for range in key::HEX.chars().filter(|&range| first.is_none_or(|first| range >= first)) {
        let mut from = after
            .filter(|_| first == Some(range))
            .map(|(id, attempt)| key::purchase_of_run(id, attempt));
        while found.len() < limit {
            let wanted = limit - found.len();
            let pk = key::spent(tenant, run, range);
            let page = table.range(&pk, from.as_deref(), wanted).await?;
            let Some(last) = page.last() else { break };
            from = Some(text(last, "sk")?.to_owned());
            let keys = page.iter().map(named).collect::<Result<Vec<_>, _>>()?;
            let wanted_keys = keys
                .iter()
                .map(|(id, attempt)| Table::key(key::purchase(tenant, id), key::attempt(*attempt)))
                .collect();
            let mut by_name = HashMap::new();
            for item in table.many(wanted_keys, None).await? {
                let purchase: Purchase = json(&item, "body")?;
                by_name.insert((purchase.id.clone(), purchase.attempt), purchase);
            }
            // A reservation that another run got left a pointer here to what is not of this run.
            let ours = keys.iter().filter_map(|key| by_name.remove(key));
            found.extend(ours.filter(|purchase| purchase.run == *run));
            if page.len() < wanted {
                break;
            }
        }
        if found.len() >= limit {
            break;
        }
    }
    Ok(found)
}

/// The purchase that a run's pointer names.
fn named(pointer: &Attributes) -> Result<(PurchaseId, u32), Fault> {
    json(pointer, "of")
}
