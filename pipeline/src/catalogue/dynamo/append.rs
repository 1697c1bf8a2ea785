//! The one way in: pointers first, then everything that counts in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnConsumedCapacity, TransactWriteItem};
use futures_util::future::{try_join, try_join_all};

use super::feed::{Feed, Spoken, Turn};
use super::key::{self, Group};
use super::read::run_item;
use super::sheet::{self, Book, Sheet};
use super::table::{Attributes, Table, json, number, text, token};
use crate::asset::{AssetId, Tenant};
use crate::aws::backoff;
use crate::catalogue::{Entry, Stamp};
use crate::fault::{Fault, FaultKind};
use crate::opinion::{Finding, Opinion, Subject, Verdict};
use crate::purchase::{Purchase, PurchaseState};
use crate::run::{Item, Run, RunId};

/// How often an append is planned anew because others wrote meanwhile.
const TRIES: u32 = 40;
/// How many assets one append may speak of: a transaction takes a hundred writes.
const MOST_ASSETS: usize = 90;

/// Appends entries, all or none.
pub(super) async fn append(
    table: &Table,
    feed: &Feed,
    tenant: &Tenant,
    entries: Vec<Entry>,
) -> Result<(), Fault> {
    let asked = Asked::sort(entries)?;
    let token = token();
    for tries in 1..=TRIES {
        let plan = asked.plan(table, tenant, &token).await?;
        let Plan { pointers, answered, chunks, writes, spoken, items } = plan;
        let known = answered.into_iter().map(|one| one.write(table));
        try_join(table.put_all([pointers, chunks].concat()), try_join_all(known)).await?;
        match commit(table, feed, tenant, writes, spoken, &token).await? {
            Commit::Done => return table.put_all(items).await,
            Commit::Taken(what) => return Err(Fault::new(FaultKind::Conflict, what)),
            Commit::Outrun => tokio::time::sleep(backoff(tries.min(6))).await,
        }
    }
    Err(Fault::new(FaultKind::Busy, format!("the table {} gave no turn", table.name)))
}

/// The entries of one append, sorted by what they are about.
#[derive(Default)]
struct Asked {
    assets: BTreeMap<AssetId, About>,
    runs: Vec<Run>,
    items: Vec<(RunId, Item)>,
    purchases: Vec<Purchase>,
}

/// What is asked about one asset.
#[derive(Default)]
struct About {
    sheet: Sheet,
    stamps: Vec<Option<Stamp>>,
}

/// What an append comes to, given what is there.
struct Plan {
    pointers: Vec<Attributes>,
    answered: Vec<Answered>,
    chunks: Vec<Attributes>,
    writes: Vec<Write>,
    /// What the feed will tell.
    spoken: Spoken,
    items: Vec<Attributes>,
}

/// One write of the transaction.
struct Write {
    item: Attributes,
    condition: Condition,
}

/// When a write may be done.
enum Condition {
    /// The key is free.
    Free,
    /// The run is as it was read, by its version.
    Version(u64),
    /// The purchase is this run's reservation, or settled so already.
    Settling(Purchase),
    /// The purchase is not reserved, or so by this very one.
    Reserving(Purchase),
}

/// How a transaction ended.
enum Commit {
    Done,
    /// Another one has what this one wanted, for good.
    Taken(String),
    /// Others wrote meanwhile: look again.
    Outrun,
}

impl Asked {
    fn sort(entries: Vec<Entry>) -> Result<Self, Fault> {
        let mut asked = Self::default();
        for entry in entries {
            match entry {
                Entry::Asset(asset) => {
                    let about = asked.assets.entry(asset.id.clone()).or_default();
                    about.sheet.asset.get_or_insert(asset);
                }
                Entry::Found { asset, occurrence, stamp } => {
                    let about = asked.assets.entry(asset).or_default();
                    about.sheet.found.push(occurrence);
                    about.stamps.push(stamp);
                }
                Entry::Opinion(opinion) => {
                    let about = asked.assets.entry(opinion.asset.clone()).or_default();
                    about.sheet.opinions.push(opinion);
                }
                Entry::Decision(decision) => {
                    let about = asked.assets.entry(decision.asset.clone()).or_default();
                    about.sheet.decisions.push(decision);
                }
                Entry::Run(run) => {
                    asked.runs.retain(|other| other.id != run.id);
                    asked.runs.push(run);
                }
                Entry::Item { run, item } => {
                    asked.items.retain(|(of, other)| *of != run || other.source != item.source);
                    asked.items.push((run, item));
                }
                Entry::Purchase(purchase) => asked.purchases.push(purchase),
            }
        }
        if asked.assets.len() > MOST_ASSETS {
            return Err(Fault::too_large(format!(
                "{} assets in one append: at most {MOST_ASSETS}",
                asked.assets.len()
            )));
        }
        Ok(asked)
    }

    /// Looks at what is there, and says what is to be written.
    async fn plan(&self, table: &Table, tenant: &Tenant, token: &str) -> Result<Plan, Fault> {
        self.check_runs(table, tenant).await?;
        let books = self.assets.keys().map(|asset| Book::read(table, tenant, asset));
        let books = try_join_all(books).await?;
        let mut plan = Plan {
            pointers: Vec::new(),
            answered: Vec::new(),
            chunks: Vec::new(),
            writes: Vec::new(),
            spoken: Spoken::default(),
            items: Vec::new(),
        };
        for ((asset, about), book) in self.assets.iter().zip(&books) {
            if book.asset.is_none() && about.sheet.asset.is_none() {
                return Err(Fault::not_found(format!("there is no asset {asset}")));
            }
            let sheet = about.news(book);
            plan.point(tenant, asset, about, &sheet);
            if sheet.is_empty() {
                continue;
            }
            let (mut item, chunks) = sheet::body(tenant, asset, token, sheet.packed());
            item.extend(Table::key(key::asset(tenant, asset), key::sheet(book.last + 1)));
            plan.chunks.extend(chunks);
            plan.writes.push(Write { item, condition: Condition::Free });
            plan.spoken.assets.push(asset.clone());
        }
        for run in &self.runs {
            plan.run(table, tenant, run).await?;
        }
        for purchase in &self.purchases {
            plan.purchase(tenant, purchase);
        }
        for (run, item) in &self.items {
            let shard = key::item_shard(&item.source);
            let mut row = Table::key(key::items(tenant, run, shard), key::source(&item.source));
            put_json(&mut row, "body", item);
            plan.items.push(row);
        }
        Ok(plan)
    }

    /// Items are of runs that are there, or come with them.
    async fn check_runs(&self, table: &Table, tenant: &Tenant) -> Result<(), Fault> {
        let runs: BTreeSet<&RunId> = self.items.iter().map(|(run, _)| run).collect();
        for run in runs {
            if table.knows_run(tenant, run) || self.runs.iter().any(|known| known.id == *run) {
                continue;
            }
            if run_item(table, tenant, run).await?.is_none() {
                return Err(Fault::not_found(format!("there is no run {run}")));
            }
            table.learn_run(tenant, run);
        }
        Ok(())
    }
}

impl About {
    /// What of this is not in the book yet.
    fn news(&self, book: &Book) -> Sheet {
        let mut seen = BTreeMap::new();
        for occurrence in &self.sheet.found {
            let place = (occurrence.collection.clone(), occurrence.source.clone());
            seen.insert(place, occurrence);
        }
        let differs = |(place, occurrence): (_, &_)| {
            (book.occurrences.get(&place) != Some(occurrence)).then(|| occurrence.clone())
        };
        let mut sheet = Sheet {
            asset: self.sheet.asset.clone().filter(|_| book.asset.is_none()),
            found: seen.into_iter().filter_map(differs).collect(),
            ..Sheet::default()
        };
        let mut met = BTreeSet::new();
        for opinion in &self.sheet.opinions {
            if !book.knows(&opinion.id) && met.insert(&opinion.id) {
                sheet.opinions.push(opinion.clone());
            }
        }
        for decision in &self.sheet.decisions {
            if !book.decisions.contains(decision) && !sheet.decisions.contains(decision) {
                sheet.decisions.push(decision.clone());
            }
        }
        sheet
    }
}

impl Plan {
    /// Adds the pointers to an asset.
    fn point(&mut self, tenant: &Tenant, asset: &AssetId, about: &About, news: &Sheet) {
        for (occurrence, stamp) in about.sheet.found.iter().zip(&about.stamps) {
            let (collection, source) = (&occurrence.collection, &occurrence.source);
            let mut place = Table::key(key::place(tenant, collection, source), "p".to_owned());
            for (name, value) in [("a", asset.as_str()), ("c", collection), ("s", source)] {
                place.insert(name.to_owned(), AttributeValue::S(value.to_owned()));
            }
            if let Some(stamp) = stamp {
                put_json(&mut place, "stamp", stamp);
            }
            self.pointer(place);
        }
        let range = key::range(asset);
        let mut member = |group: &Group<'_>| {
            self.pointer(Table::key(key::group(tenant, group, range), asset.to_string()));
        };
        if news.asset.is_some() {
            member(&Group::Tenant);
        }
        for occurrence in &news.found {
            member(&Group::Collection(&occurrence.collection));
        }
        for opinion in &news.opinions {
            member(&Group::Run(&opinion.run));
        }
        self.answered.extend(Answered::of(tenant, asset, &news.opinions));
    }

    /// Adds a pointer, in place of one with the same key.
    fn pointer(&mut self, item: Attributes) {
        let same = |other: &Attributes| other["pk"] == item["pk"] && other["sk"] == item["sk"];
        self.pointers.retain(|other| !same(other));
        self.pointers.push(item);
    }

    async fn run(&mut self, table: &Table, tenant: &Tenant, run: &Run) -> Result<(), Fault> {
        let before = run_item(table, tenant, &run.id).await?;
        let (version, withdrawn) = match &before {
            Some(item) => (number(item, "v")?, item.get("w") == Some(&AttributeValue::Bool(true))),
            None => (0, false),
        };
        if withdrawn != run.withdrawn {
            self.spoken.runs.push(run.id.clone());
        }
        let mut item = Table::key(key::runs(tenant), run.id.to_string());
        item.insert("w".to_owned(), AttributeValue::Bool(run.withdrawn));
        item.insert("v".to_owned(), AttributeValue::N((version + 1).to_string()));
        put_json(&mut item, "body", run);
        let condition = match before {
            Some(_) => Condition::Version(version),
            None => Condition::Free,
        };
        self.writes.push(Write { item, condition });
        Ok(())
    }

    fn purchase(&mut self, tenant: &Tenant, purchase: &Purchase) {
        let Purchase { id, attempt, run, .. } = purchase;
        let range = id.as_str().chars().next().unwrap_or('0');
        let mut pointer =
            Table::key(key::spent(tenant, run, range), key::purchase_of_run(id, *attempt));
        put_json(&mut pointer, "of", &(id, attempt));
        let mut item = Table::key(key::purchase(tenant, id), key::attempt(*attempt));
        item.insert("run".to_owned(), AttributeValue::S(run.to_string()));
        put_json(&mut item, "state", &purchase.state);
        put_json(&mut item, "body", purchase);
        let condition = match purchase.state {
            PurchaseState::Reserved => {
                self.pointer(pointer);
                Condition::Reserving(purchase.clone())
            }
            _ => Condition::Settling(purchase.clone()),
        };
        self.writes.push(Write { item, condition });
    }
}

/// A pointer from a subject to an asset that shows it, with what was answered about it.
struct Answered {
    pk: String,
    asset: AssetId,
    answers: BTreeSet<String>,
    shown: bool,
}

impl Answered {
    fn of(tenant: &Tenant, asset: &AssetId, opinions: &[Opinion]) -> Vec<Self> {
        let mut by_subject: BTreeMap<String, Self> = BTreeMap::new();
        let blank = || Self {
            pk: String::new(),
            asset: asset.clone(),
            answers: BTreeSet::new(),
            shown: false,
        };
        for opinion in opinions {
            if let Verdict::Found(Finding::Identified(found)) = &opinion.verdict
                && let Some(pixels) = found.pixels
            {
                let pk = key::subject(tenant, &Subject::Pixels(pixels));
                by_subject.entry(pk).or_insert_with(blank).shown = true;
            }
            if matches!(opinion.subject, Subject::Pixels(_)) && opinion.verdict.conclusive() {
                let pk = key::subject(tenant, &opinion.subject);
                let answer = key::answered(&opinion.step, &opinion.maker);
                by_subject.entry(pk).or_insert_with(blank).answers.insert(answer);
            }
        }
        by_subject.into_iter().map(|(pk, one)| Self { pk, ..one }).collect()
    }

    async fn write(self, table: &Table) -> Result<(), Fault> {
        let mut said = Vec::new();
        let mut request = table
            .client
            .update_item()
            .table_name(&table.name)
            .set_key(Some(Table::key(self.pk, self.asset.to_string())))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        if self.shown {
            said.push("SET f = :f");
            request = request.expression_attribute_values(":f", AttributeValue::Bool(true));
        }
        if !self.answers.is_empty() {
            said.push("ADD k :k");
            let answers = AttributeValue::Ss(self.answers.into_iter().collect());
            request = request.expression_attribute_values(":k", answers);
        }
        let written = request.update_expression(said.join(" ")).send().await;
        table.has_written(written.map_err(|e| table.fault(e))?.consumed_capacity());
        Ok(())
    }
}

/// Writes all that counts, with what the feed tells of it, in one transaction.
async fn commit(
    table: &Table,
    feed: &Feed,
    tenant: &Tenant,
    writes: Vec<Write>,
    spoken: Spoken,
    token: &str,
) -> Result<Commit, Fault> {
    if writes.is_empty() {
        return Ok(Commit::Done);
    }
    let mut actions = writes.iter().map(|write| write.put(table)).collect::<Result<Vec<_>, _>>()?;
    let mut turn = None;
    if !spoken.is_empty() {
        let turn = turn.insert(feed.turn().await);
        let entry = turn.entry(tenant, &spoken, token).await?;
        actions.push(Write { item: entry, condition: Condition::Free }.put(table)?);
    }
    let sent = table
        .client
        .transact_write_items()
        .set_transact_items(Some(actions))
        .client_request_token(&token[..32])
        .return_consumed_capacity(ReturnConsumedCapacity::Total)
        .send()
        .await;
    let fault = match sent {
        Ok(written) => {
            written.consumed_capacity().iter().for_each(|used| table.has_written(Some(used)));
            turn.iter_mut().for_each(Turn::written);
            return Ok(Commit::Done);
        }
        Err(fault) => fault,
    };
    turn.iter_mut().for_each(Turn::lost);
    drop(turn);
    let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) =
        fault.as_service_error()
    else {
        return Err(table.fault(fault));
    };
    // The answer to a try that succeeded may have been lost: then what is there is ours.
    if is_ours(table, &writes, token).await? {
        return Ok(Commit::Done);
    }
    let reasons = canceled.cancellation_reasons();
    for (write, reason) in writes.iter().zip(reasons) {
        if reason.code() == Some("ConditionalCheckFailed")
            && let Some(taken) = write.taken(table).await?
        {
            return Ok(taken);
        }
    }
    let passing = |code: Option<&str>| {
        matches!(
            code,
            None | Some(
                "None"
                    | "ConditionalCheckFailed"
                    | "TransactionConflict"
                    | "ThrottlingError"
                    | "ProvisionedThroughputExceeded"
            )
        )
    };
    if reasons.iter().all(|reason| passing(reason.code())) {
        return Ok(Commit::Outrun);
    }
    let said = reasons.iter().find(|reason| !passing(reason.code()));
    let said = said.and_then(|reason| reason.message()).or(canceled.message());
    Err(Fault::broken(format!("the table {}: {}", table.name, said.unwrap_or("no reason"))))
}

/// Tells whether the transaction's first sheet, or the run it wrote, bears this append's token.
async fn is_ours(table: &Table, writes: &[Write], token: &str) -> Result<bool, Fault> {
    let Some(write) = writes.iter().find(|write| write.item.contains_key("t")) else {
        return Ok(false);
    };
    let (pk, sk) = (text(&write.item, "pk")?, text(&write.item, "sk")?);
    let there = table.one(pk.to_owned(), sk.to_owned()).await?;
    Ok(there.is_some_and(|item| text(&item, "t").is_ok_and(|there| there == token)))
}

impl Write {
    fn put(&self, table: &Table) -> Result<TransactWriteItem, Fault> {
        let put = Put::builder().table_name(&table.name).set_item(Some(self.item.clone()));
        let value = |text: String| AttributeValue::S(text);
        let put = match &self.condition {
            Condition::Free => put.condition_expression("attribute_not_exists(pk)"),
            Condition::Version(version) => put
                .condition_expression("v = :v")
                .expression_attribute_values(":v", AttributeValue::N(version.to_string())),
            Condition::Reserving(purchase) => put
                .condition_expression("attribute_not_exists(pk) OR body = :b")
                .expression_attribute_values(":b", value(written(purchase))),
            Condition::Settling(purchase) => put
                .condition_expression("run = :r AND #s IN (:reserved, :s)")
                .expression_attribute_names("#s", "state")
                .expression_attribute_values(":r", value(purchase.run.to_string()))
                .expression_attribute_values(":s", value(written(&purchase.state)))
                .expression_attribute_values(":reserved", value(written(&PurchaseState::Reserved))),
        };
        let put = put.build().map_err(|e| Fault::broken("a request lacks something").because(e))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// What a failed condition means for a purchase; nothing for what is to be planned anew.
    async fn taken(&self, table: &Table) -> Result<Option<Commit>, Fault> {
        let (Condition::Reserving(purchase) | Condition::Settling(purchase)) = &self.condition
        else {
            return Ok(None);
        };
        let (pk, sk) = (text(&self.item, "pk")?, text(&self.item, "sk")?);
        let there = table.one(pk.to_owned(), sk.to_owned()).await?;
        let same = there.map(|item| json::<Purchase>(&item, "body")).transpose()?;
        if same.as_ref() == Some(purchase) {
            return Ok(Some(Commit::Done));
        }
        let what = format!("{} is bought by another run", purchase.step);
        Ok(Some(Commit::Taken(what)))
    }
}

fn put_json(item: &mut Attributes, name: &str, value: &impl serde::Serialize) {
    item.insert(name.to_owned(), AttributeValue::S(written(value)));
}

fn written(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("what the ledger keeps is plain data")
}
