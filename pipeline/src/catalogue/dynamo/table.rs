//! The table: its making, and the few ways in which items are read and written.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, ConsumedCapacity, KeySchemaElement, KeyType,
    KeysAndAttributes, PointInTimeRecoverySpecification, ProvisionedThroughput, PutRequest,
    ReturnConsumedCapacity, ScalarAttributeType, SseSpecification, TableStatus, WriteRequest,
};
use futures_util::future::try_join_all;

use crate::asset::Tenant;
use crate::aws::{self, Aws, backoff};
use crate::fault::{Fault, FaultKind};
use crate::run::RunId;

/// An item's attributes.
pub(super) type Attributes = HashMap<String, AttributeValue>;

/// The version of the key layout.
const LAYOUT: u64 = 1;
/// How many items one batch writes.
const WRITTEN_AT_ONCE: usize = 25;
/// How many items one batch reads.
const READ_AT_ONCE: usize = 100;
/// How often unprocessed items are sent again.
const BATCH_TRIES: u32 = 12;
/// How often it is looked whether a new table can be used.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// How many looks that are at most.
const LOOKS: u32 = 1500;

/// How a table is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Billing {
    /// For each request.
    OnDemand,
    /// For so many units a second, used or not.
    Provisioned {
        /// Read units.
        read: u32,
        /// Write units.
        write: u32,
    },
}

/// Units that were used, as the service counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Capacity {
    /// Read units: 4 KB, strongly consistent.
    pub read: f64,
    /// Write units: 1 KB; twice in a transaction.
    pub write: f64,
}

/// A DynamoDB table.
pub(super) struct Table {
    pub(super) client: Client,
    pub(super) name: String,
    capacity: Mutex<Capacity>,
    /// Runs that are there: none ever goes away.
    runs: Mutex<HashSet<(Tenant, RunId)>>,
}

impl Table {
    pub(super) fn of(aws: &Aws, name: String) -> Self {
        let mut config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(aws.region.clone())
            .credentials_provider(aws.credentials.clone())
            .http_client(aws.http.clone())
            .retry_config(aws.retries())
            .timeout_config(aws.timeouts())
            .interceptor(aws.tally.clone());
        if let Some(endpoint) = &aws.settings.endpoints.dynamodb {
            config = config.endpoint_url(endpoint);
        }
        Self {
            client: Client::from_conf(config.build()),
            name,
            capacity: Mutex::default(),
            runs: Mutex::default(),
        }
    }

    /// What an error means that came of working with this table.
    pub(super) fn fault<E, R>(&self, error: aws_sdk_dynamodb::error::SdkError<E, R>) -> Fault
    where
        E: aws_sdk_dynamodb::error::ProvideErrorMetadata
            + std::error::Error
            + Send
            + Sync
            + 'static,
        R: std::fmt::Debug + aws::Status + Send + Sync + 'static,
    {
        aws::fault(&format!("the table {}", self.name), error)
    }

    pub(super) fn capacity(&self) -> Capacity {
        *self.capacity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn has_read(&self, used: Option<&ConsumedCapacity>) {
        let units = used.and_then(ConsumedCapacity::capacity_units).unwrap_or(0.0);
        self.capacity.lock().unwrap_or_else(PoisonError::into_inner).read += units;
    }

    pub(super) fn has_written(&self, used: Option<&ConsumedCapacity>) {
        let units = used.and_then(ConsumedCapacity::capacity_units).unwrap_or(0.0);
        self.capacity.lock().unwrap_or_else(PoisonError::into_inner).write += units;
    }

    /// Tells whether a run is known to be there.
    pub(super) fn knows_run(&self, tenant: &Tenant, run: &RunId) -> bool {
        let runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.contains(&(tenant.clone(), run.clone()))
    }

    pub(super) fn learn_run(&self, tenant: &Tenant, run: &RunId) {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.insert((tenant.clone(), run.clone()));
    }

    /// The two attributes of a key.
    pub(super) fn key(pk: String, sk: String) -> Attributes {
        HashMap::from([
            ("pk".to_owned(), AttributeValue::S(pk)),
            ("sk".to_owned(), AttributeValue::S(sk)),
        ])
    }

    /// The random name that the table was given when it was made.
    ///
    /// # Errors
    /// `NotFound` when there is no table, `Refused` when it is of another program or version.
    pub(super) async fn identity(&self) -> Result<String, Fault> {
        let meta = self.one("META".to_owned(), "table".to_owned()).await.map_err(|fault| {
            let advice = match fault.kind() {
                FaultKind::NotFound => "; `glassplate aws prepare` makes it",
                _ => return fault,
            };
            Fault::new(FaultKind::NotFound, format!("{}{advice}", fault.reason())).for_all()
        })?;
        let refused = |why: String| {
            Fault::new(FaultKind::Refused, format!("the table {} {why}", self.name)).for_all()
        };
        let meta = meta.ok_or_else(|| refused("is not a catalogue of glassplate".to_owned()))?;
        match number(&meta, "layout")? {
            LAYOUT => Ok(text(&meta, "id")?.to_owned()),
            layout => {
                Err(refused(format!("has the key layout {layout}; this glassplate reads {LAYOUT}")))
            }
        }
    }

    pub(super) async fn create(&self, billing: Billing, protected: bool) -> Result<bool, Fault> {
        let string = |name: &str| {
            let kind = ScalarAttributeType::S;
            AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build()
        };
        let part = |name: &str, kind| {
            KeySchemaElement::builder().attribute_name(name).key_type(kind).build()
        };
        let incomplete = |e| Fault::broken("a request for a table lacks something").because(e);
        let mut request = self
            .client
            .create_table()
            .table_name(&self.name)
            .attribute_definitions(string("pk").map_err(incomplete)?)
            .attribute_definitions(string("sk").map_err(incomplete)?)
            .key_schema(part("pk", KeyType::Hash).map_err(incomplete)?)
            .key_schema(part("sk", KeyType::Range).map_err(incomplete)?)
            .deletion_protection_enabled(protected)
            .sse_specification(SseSpecification::builder().enabled(true).build());
        request = match billing {
            Billing::OnDemand => request.billing_mode(BillingMode::PayPerRequest),
            Billing::Provisioned { read, write } => {
                let units = ProvisionedThroughput::builder()
                    .read_capacity_units(read.into())
                    .write_capacity_units(write.into())
                    .build()
                    .map_err(incomplete)?;
                request.billing_mode(BillingMode::Provisioned).provisioned_throughput(units)
            }
        };
        let made = match request.send().await {
            Ok(_) => true,
            Err(e) if e.as_service_error().is_some_and(|e| e.is_resource_in_use_exception()) => {
                false
            }
            Err(e) => return Err(self.fault(e)),
        };
        self.until_active().await?;
        self.name_it().await?;
        if made {
            self.protect_history().await?;
        }
        Ok(made)
    }

    async fn until_active(&self) -> Result<(), Fault> {
        for _ in 0..LOOKS {
            let told = self.client.describe_table().table_name(&self.name).send().await;
            let told = told.map_err(|e| self.fault(e))?;
            if told.table().and_then(|table| table.table_status()) == Some(&TableStatus::Active) {
                return Ok(());
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Err(Fault::new(FaultKind::TimedOut, format!("the table {} is not ready", self.name)))
    }

    /// Gives the table its name and layout, unless it has them.
    async fn name_it(&self) -> Result<(), Fault> {
        let mut meta = Self::key("META".to_owned(), "table".to_owned());
        meta.insert("id".to_owned(), AttributeValue::S(token()));
        meta.insert("layout".to_owned(), AttributeValue::N(LAYOUT.to_string()));
        match self.put_new(meta).await {
            Ok(()) => Ok(()),
            Err(fault) if fault.kind() == FaultKind::Conflict => self.identity().await.map(drop),
            Err(fault) => Err(fault),
        }
    }

    /// Turns point-in-time recovery on; a stand-in for the service may not know it.
    async fn protect_history(&self) -> Result<(), Fault> {
        let on = PointInTimeRecoverySpecification::builder()
            .point_in_time_recovery_enabled(true)
            .build()
            .map_err(|e| Fault::broken("a request lacks something").because(e))?;
        let asked = self
            .client
            .update_continuous_backups()
            .table_name(&self.name)
            .point_in_time_recovery_specification(on)
            .send()
            .await;
        match asked {
            Err(e)
                if aws_sdk_dynamodb::error::ProvideErrorMetadata::code(&e)
                    == Some("UnknownOperationException") =>
            {
                tracing::warn!(table = %self.name, "point-in-time recovery is not known there");
                Ok(())
            }
            Err(e) => Err(self.fault(e)),
            Ok(_) => Ok(()),
        }
    }

    /// Reads one item, strongly consistent.
    pub(super) async fn one(&self, pk: String, sk: String) -> Result<Option<Attributes>, Fault> {
        let read = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(Self::key(pk, sk)))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|e| self.fault(e))?;
        self.has_read(read.consumed_capacity());
        Ok(read.item)
    }

    /// Reads many items, strongly consistent, in no order; those that are not there are left out.
    pub(super) async fn many(
        &self,
        keys: Vec<Attributes>,
        attributes: Option<&str>,
    ) -> Result<Vec<Attributes>, Fault> {
        let batches = keys.chunks(READ_AT_ONCE).map(|keys| self.batch(keys.to_vec(), attributes));
        Ok(try_join_all(batches).await?.into_iter().flatten().collect())
    }

    async fn batch(
        &self,
        mut keys: Vec<Attributes>,
        attributes: Option<&str>,
    ) -> Result<Vec<Attributes>, Fault> {
        let mut found = Vec::with_capacity(keys.len());
        for tries in 1..=BATCH_TRIES {
            if keys.is_empty() {
                return Ok(found);
            }
            let wanted = KeysAndAttributes::builder()
                .set_keys(Some(std::mem::take(&mut keys)))
                .consistent_read(true)
                .set_projection_expression(attributes.map(str::to_owned))
                .build()
                .map_err(|e| Fault::broken("a request lacks something").because(e))?;
            let read = self
                .client
                .batch_get_item()
                .request_items(&self.name, wanted)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|e| self.fault(e))?;
            read.consumed_capacity().iter().for_each(|used| self.has_read(Some(used)));
            if let Some(mut responses) = read.responses {
                found.append(&mut responses.remove(&self.name).unwrap_or_default());
            }
            let left = read.unprocessed_keys.and_then(|mut left| left.remove(&self.name));
            keys = left.map(|left| left.keys).unwrap_or_default();
            if !keys.is_empty() {
                tokio::time::sleep(backoff(tries)).await;
            }
        }
        if keys.is_empty() { Ok(found) } else { Err(self.busy("reading")) }
    }

    /// Reads a whole partition in order, strongly consistent.
    pub(super) async fn all(&self, pk: &str) -> Result<Vec<Attributes>, Fault> {
        self.range(pk, None, usize::MAX).await
    }

    /// Reads a partition in order from behind a sort key, strongly consistent, at most `limit`.
    pub(super) async fn range(
        &self,
        pk: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Attributes>, Fault> {
        let (mut found, mut from) = (Vec::new(), None);
        while found.len() < limit {
            let mut query = self
                .client
                .query()
                .table_name(&self.name)
                .consistent_read(true)
                .key_condition_expression(match after {
                    Some(_) => "pk = :pk AND sk > :sk",
                    None => "pk = :pk",
                })
                .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
                .set_exclusive_start_key(from)
                .return_consumed_capacity(ReturnConsumedCapacity::Total);
            if let Some(after) = after {
                query =
                    query.expression_attribute_values(":sk", AttributeValue::S(after.to_owned()));
            }
            if let Ok(left) = i32::try_from(limit - found.len()) {
                query = query.limit(left);
            }
            let read = query.send().await.map_err(|e| self.fault(e))?;
            self.has_read(read.consumed_capacity());
            found.extend(read.items.unwrap_or_default());
            from = read.last_evaluated_key;
            if from.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// Reads a partition backwards, at most `limit`.
    pub(super) async fn latest(&self, pk: &str, limit: usize) -> Result<Vec<Attributes>, Fault> {
        let (mut found, mut from) = (Vec::new(), None);
        while found.len() < limit {
            let read = self
                .client
                .query()
                .table_name(&self.name)
                .consistent_read(true)
                .scan_index_forward(false)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
                .set_exclusive_start_key(from)
                .set_limit(i32::try_from(limit - found.len()).ok())
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|e| self.fault(e))?;
            self.has_read(read.consumed_capacity());
            found.extend(read.items.unwrap_or_default());
            from = read.last_evaluated_key;
            if from.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// Writes an item whose key is not taken.
    ///
    /// # Errors
    /// `Conflict` when it is taken.
    pub(super) async fn put_new(&self, item: Attributes) -> Result<(), Fault> {
        let written = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match written {
            Ok(written) => {
                self.has_written(written.consumed_capacity());
                Ok(())
            }
            Err(e)
                if e.as_service_error()
                    .is_some_and(|e| e.is_conditional_check_failed_exception()) =>
            {
                Err(Fault::new(FaultKind::Conflict, "the key is taken"))
            }
            Err(e) => Err(self.fault(e)),
        }
    }

    /// Writes items, whatever was under their keys; no two have the same key.
    pub(super) async fn put_all(&self, items: Vec<Attributes>) -> Result<(), Fault> {
        let batches = items.chunks(WRITTEN_AT_ONCE).map(|items| self.put_batch(items.to_vec()));
        try_join_all(batches).await.map(drop)
    }

    async fn put_batch(&self, items: Vec<Attributes>) -> Result<(), Fault> {
        let mut requests = Vec::with_capacity(items.len());
        for item in items {
            let put = PutRequest::builder().set_item(Some(item)).build();
            let put = put.map_err(|e| Fault::broken("a request lacks something").because(e))?;
            requests.push(WriteRequest::builder().put_request(put).build());
        }
        for tries in 1..=BATCH_TRIES {
            if requests.is_empty() {
                return Ok(());
            }
            let written = self
                .client
                .batch_write_item()
                .request_items(&self.name, std::mem::take(&mut requests))
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|e| self.fault(e))?;
            written.consumed_capacity().iter().for_each(|used| self.has_written(Some(used)));
            let left = written.unprocessed_items.and_then(|mut left| left.remove(&self.name));
            requests = left.unwrap_or_default();
            if !requests.is_empty() {
                tokio::time::sleep(backoff(tries)).await;
            }
        }
        if requests.is_empty() { Ok(()) } else { Err(self.busy("writing")) }
    }

    fn busy(&self, what: &str) -> Fault {
        let table = &self.name;
        Fault::new(FaultKind::Busy, format!("the table {table} is too busy for {what}"))
    }
}

/// An attribute of text.
pub(super) fn text<'a>(item: &'a Attributes, name: &str) -> Result<&'a str, Fault> {
    match item.get(name) {
        Some(AttributeValue::S(text)) => Ok(text),
        _ => Err(Fault::broken(format!("an item of the catalogue lacks {name}"))),
    }
}

/// An attribute that is a number.
pub(super) fn number(item: &Attributes, name: &str) -> Result<u64, Fault> {
    match item.get(name) {
        Some(AttributeValue::N(digits)) => digits.parse().map_err(|e| {
            Fault::broken(format!("{name} of an item of the catalogue is no number")).because(e)
        }),
        _ => Err(Fault::broken(format!("an item of the catalogue lacks {name}"))),
    }
}

/// An attribute of JSON.
pub(super) fn json<T: serde::de::DeserializeOwned>(
    item: &Attributes,
    name: &str,
) -> Result<T, Fault> {
    serde_json::from_str(text(item, name)?).map_err(|e| {
        Fault::broken(format!("{name} of an item of the catalogue cannot be read")).because(e)
    })
}

/// A random name: 32 hexadecimal digits.
pub(super) fn token() -> String {
    use std::hash::{BuildHasher as _, Hasher as _, RandomState};

    // The standard library seeds its hashers from the system's random source, and counts on.
    let half = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", half(), half())
}
