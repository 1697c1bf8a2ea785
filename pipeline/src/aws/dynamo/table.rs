//! The requests that are made of a table, and what their answers mean.
//!
//! The SDK tries again what was throttled; here is only what it leaves to its callers: pages,
//! what a batch left undone, and why a transaction was cancelled.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::BehaviorVersion;
use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, KeysAndAttributes, Put, PutRequest, ReturnConsumedCapacity, ReturnValue,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem, WriteRequest,
};

use super::attribute::{self, Attributes, Key, PK, SK};
use super::capacity::Gauge;
use crate::aws::{self, Aws};
use crate::fault::{Fault, FaultKind};

/// Most keys of one BatchGetItem.
const MOST_GOTTEN: usize = 100;
/// Most items of one BatchWriteItem.
const MOST_PUT: usize = 25;
/// Most bytes that are put into one BatchWriteItem, which takes 16 MB.
const MOST_PUT_BYTES: usize = 8 << 20;
/// How often a batch is sent that makes no headway.
const TRIES: u32 = 12;
/// Most items of one page.
const PAGE: usize = 1000;

/// One table and the client that asks it.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) client: Client,
    pub(crate) name: String,
    pub(crate) gauge: Gauge,
}

/// Where in a partition a reading begins.
#[derive(Debug, Clone, Copy)]
pub(crate) enum From<'a> {
    /// At its first item.
    Start,
    /// Behind a sort key.
    After(&'a str),
    /// At a sort key.
    At(&'a str),
    /// At its last item, backwards.
    End,
    /// Before a sort key, backwards.
    Before(&'a str),
}

/// A piece of a partition.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// The items, in order.
    pub(crate) items: Vec<Attributes>,
    /// Whether there are more behind the last.
    pub(crate) more: bool,
}

/// An item to be written on a condition.
#[derive(Debug, Clone)]
pub(crate) struct Write {
    /// The item.
    pub(crate) item: Attributes,
    /// The condition on what is there, with its values.
    pub(crate) condition: Option<(&'static str, Attributes)>,
}

/// A change of an item, which need not be there.
#[derive(Debug, Clone)]
pub(crate) struct Update {
    /// What becomes of it.
    pub(crate) expression: String,
    /// What must hold of it before.
    pub(crate) condition: Option<String>,
    /// The values that both name.
    pub(crate) values: Attributes,
}

/// What became of an update.
#[derive(Debug)]
pub(crate) struct Updated {
    /// Whether its condition held, and so whether it was carried out.
    pub(crate) held: bool,
    /// The item as it is now; empty when there is none.
    pub(crate) item: Attributes,
}

/// Condition: nothing is there.
pub(crate) const NEW: &str = "attribute_not_exists(pk)";

/// Why an item kept a transaction from being carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// It did not.
    Fine,
    /// Its condition does not hold.
    Condition,
    /// Another writer was at it, or the partition was busy.
    Busy,
}

impl Table {
    /// Makes a client; asks nothing yet.
    pub(crate) fn new(aws: &Aws, name: String) -> Self {
        let mut config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(aws.region.clone())
            .credentials_provider(aws.credentials.clone())
            .http_client(aws.http.clone())
            .retry_config(aws.retries())
            .timeout_config(aws.timeouts())
            .interceptor(aws.tally.clone());
        if let Some(url) = &aws.settings.endpoints.dynamodb {
            config = config.endpoint_url(url);
        }
        Self { client: Client::from_conf(config.build()), name, gauge: Gauge::default() }
    }

    fn cannot(&self, what: &str) -> String {
        format!("cannot {what} the table {}", self.name)
    }

    /// Reads one item as it is now.
    pub(crate) async fn get(&self, key: &Key) -> Result<Option<Attributes>, Fault> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(key.attributes()))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|e| aws::fault(&self.cannot("read"), e))?;
        self.gauge.read(answer.consumed_capacity());
        Ok(answer.item)
    }

    /// Reads many items by their keys, as they are now or were a moment ago; unknown ones are
    /// not in the answer. Of each the attribute `only`, if one is named, and the key.
    pub(crate) async fn get_many(
        &self,
        keys: &[Key],
        now: bool,
        only: Option<&str>,
    ) -> Result<HashMap<Key, Attributes>, Fault> {
        let mut found = HashMap::with_capacity(keys.len());
        let mut left: Vec<Attributes> = keys.iter().map(Key::attributes).collect();
        let mut tries = 0;
        while !left.is_empty() {
            let rest = left.split_off(left.len().min(MOST_GOTTEN));
            let asked = left.len();
            let request = KeysAndAttributes::builder()
                .set_keys(Some(left))
                .consistent_read(now)
                .set_projection_expression(only.map(|name| format!("{PK}, {SK}, {name}")))
                .build()
                .map_err(|e| Fault::broken(self.cannot("read")).because(e))?;
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.name, request)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|e| aws::fault(&self.cannot("read"), e))?;
            self.gauge.read(answer.consumed_capacity());
            for items in answer.responses.into_iter().flatten().map(|(_, items)| items) {
                for item in items {
                    found.insert(Key::of(&item)?, item);
                }
            }
            left = answer
                .unprocessed_keys
                .into_iter()
                .flatten()
                .flat_map(|(_, undone)| undone.keys)
                .collect();
            tries = self.undone(asked, left.len(), tries).await?;
            left.extend(rest);
        }
        Ok(found)
    }

    /// Reads a piece of a partition as it is now, at most `limit` items.
    pub(crate) async fn query(
        &self,
        partition: &str,
        from: From<'_>,
        limit: usize,
    ) -> Result<Page, Fault> {
        let limit = i32::try_from(limit.clamp(1, PAGE)).expect("a page is small");
        let mut request = self
            .client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .limit(limit)
            .expression_attribute_values(":pk", AttributeValue::S(partition.to_owned()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        request = match from {
            From::Start => request.key_condition_expression("pk = :pk"),
            From::End => request.key_condition_expression("pk = :pk").scan_index_forward(false),
            From::Before(sk) => request
                .key_condition_expression("pk = :pk AND sk < :sk")
                .scan_index_forward(false)
                .expression_attribute_values(":sk", AttributeValue::S(sk.to_owned())),
            From::After(sk) => request
                .key_condition_expression("pk = :pk AND sk > :sk")
                .expression_attribute_values(":sk", AttributeValue::S(sk.to_owned())),
            From::At(sk) => request
                .key_condition_expression("pk = :pk AND sk >= :sk")
                .expression_attribute_values(":sk", AttributeValue::S(sk.to_owned())),
        };
        let answer = request.send().await.map_err(|e| aws::fault(&self.cannot("read"), e))?;
        self.gauge.read(answer.consumed_capacity());
        let more = answer.last_evaluated_key.is_some_and(|key| !key.is_empty());
        Ok(Page { items: answer.items.unwrap_or_default(), more })
    }

    /// Reads a whole partition as it is now.
    pub(crate) async fn query_all(&self, partition: &str) -> Result<Vec<Attributes>, Fault> {
        let mut page = self.query(partition, From::Start, PAGE).await?;
        let mut items = page.items;
        while page.more
            && let Some(last) = items.last()
        {
            let after = attribute::text(last, SK)?.to_owned();
            page = self.query(partition, From::After(&after), PAGE).await?;
            items.append(&mut page.items);
        }
        Ok(items)
    }

    /// Puts items, in any order, each over what is there.
    pub(crate) async fn put_many(&self, items: Vec<Attributes>) -> Result<(), Fault> {
        let mut left: Vec<Attributes> = items;
        let mut tries = 0;
        while !left.is_empty() {
            let mut bytes = 0;
            let fit = left
                .iter()
                .take(MOST_PUT)
                .take_while(|item| {
                    bytes += attribute::size(item);
                    bytes <= MOST_PUT_BYTES
                })
                .count();
            let rest = left.split_off(fit.max(1));
            let asked = left.len();
            let requests = left
                .into_iter()
                .map(|item| {
                    let put = PutRequest::builder().set_item(Some(item)).build();
                    put.map(|put| WriteRequest::builder().put_request(put).build())
                })
                .collect::<Result<Vec<_>, _>>()
                .map_err(|e| Fault::broken(self.cannot("write to")).because(e))?;
            let answer = self
                .client
                .batch_write_item()
                .request_items(&self.name, requests)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|e| aws::fault(&self.cannot("write to"), e))?;
            self.gauge.write(answer.consumed_capacity());
            left = answer
                .unprocessed_items
                .into_iter()
                .flatten()
                .flat_map(|(_, undone)| undone)
                .filter_map(|undone| undone.put_request.map(|put| put.item))
                .collect();
            tries = self.undone(asked, left.len(), tries).await?;
            left.extend(rest);
        }
        Ok(())
    }

    /// Waits before what a batch left undone is sent again; answers how often it was left so.
    async fn undone(&self, asked: usize, left: usize, tries: u32) -> Result<u32, Fault> {
        if left == 0 {
            return Ok(0);
        }
        let tries = if left < asked { 1 } else { tries + 1 };
        if tries > TRIES {
            let message = format!("the table {} leaves batches undone", self.name);
            return Err(Fault::new(FaultKind::Busy, message));
        }
        tokio::time::sleep(aws::backoff(tries)).await;
        Ok(tries)
    }

    /// Changes one item; tells whether its condition held, and what the item then is.
    pub(crate) async fn update(&self, key: &Key, update: Update) -> Result<Updated, Fault> {
        let Update { expression, condition, values } = update;
        let answer = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key.attributes()))
            .update_expression(expression)
            .set_condition_expression(condition)
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        let error = match answer {
            Ok(answer) => {
                self.gauge.write(answer.consumed_capacity());
                return Ok(Updated { held: true, item: answer.attributes.unwrap_or_default() });
            }
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                let item = match failed.item() {
                    Some(item) => item.clone(),
                    // There is none, or this DynamoDB does not tell.
                    None => self.get(key).await?.unwrap_or_default(),
                };
                Ok(Updated { held: false, item })
            }
            _ => Err(aws::fault(&self.cannot("write to"), error)),
        }
    }

    /// Writes one item; tells whether its condition held.
    pub(crate) async fn write(&self, write: &Write) -> Result<bool, Fault> {
        let (condition, values) = conditioned(write);
        let answer = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(write.item.clone()))
            .set_condition_expression(condition)
            .set_expression_attribute_values(values)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match answer {
            Ok(answer) => {
                self.gauge.write(answer.consumed_capacity());
                Ok(true)
            }
            Err(e) if e.code() == Some("ConditionalCheckFailedException") => Ok(false),
            Err(e) => Err(aws::fault(&self.cannot("write to"), e)),
        }
    }

    /// Writes all or none; of none the reason of each.
    ///
    /// The same `token` stands for the same writes: what was carried out is not carried out again.
    pub(crate) async fn transact<'a>(
        &self,
        writes: impl Iterator<Item = &'a Write>,
        token: String,
    ) -> Result<Result<(), Vec<Reason>>, Fault> {
        let items = writes
            .map(|write| {
                let (condition, values) = conditioned(write);
                let put = Put::builder()
                    .table_name(&self.name)
                    .set_item(Some(write.item.clone()))
                    .set_condition_expression(condition)
                    .set_expression_attribute_values(values)
                    .build();
                put.map(|put| TransactWriteItem::builder().put(put).build())
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| Fault::broken(self.cannot("write to")).because(e))?;
        let answer = self
            .client
            .transact_write_items()
            .set_transact_items(Some(items))
            .client_request_token(token)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        let error = match answer {
            Ok(answer) => {
                self.gauge.write(answer.consumed_capacity());
                return Ok(Ok(()));
            }
            Err(error) => error,
        };
        let reasons = match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                let reasons = cancelled.cancellation_reasons().iter();
                reasons.map(|reason| meaning(reason.code())).collect()
            }
            _ => None,
        };
        match reasons {
            Some(reasons) => Ok(Err(reasons)),
            None => Err(aws::fault(&self.cannot("write to"), error)),
        }
    }

    /// Waits a moment, longer the more often.
    pub(crate) async fn wait(tries: u32) {
        tokio::time::sleep(aws::backoff(tries).min(Duration::from_secs(2))).await;
    }
}

fn conditioned(write: &Write) -> (Option<String>, Option<Attributes>) {
    match &write.condition {
        Some((condition, values)) => {
            (Some((*condition).to_owned()), (!values.is_empty()).then(|| values.clone()))
        }
        None => (None, None),
    }
}

/// Nothing when it is a reason that trying again cannot mend.
fn meaning(code: Option<&str>) -> Option<Reason> {
    match code.unwrap_or("None") {
        "None" => Some(Reason::Fine),
        "ConditionalCheckFailed" => Some(Reason::Condition),
        "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded" => {
            Some(Reason::Busy)
        }
        _ => None,
    }
}
