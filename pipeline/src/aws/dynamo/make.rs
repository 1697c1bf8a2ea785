//! A table itself: how it is made, and what it says of itself.

use std::time::Duration;

use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, PointInTimeRecoverySpecification,
    ProvisionedThroughput, ScalarAttributeType, SseSpecification, TableDescription, TableStatus,
};

use super::Billing;
use super::attribute::{self, Attributes, Key, PK, SK};
use super::table::{From, NEW, Table, Write};
use crate::aws;
use crate::fault::{Fault, FaultKind};

/// How long a new table is waited for.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often a new table is asked whether it is there.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// Whose a table is, as it says itself.
#[derive(Debug)]
pub(crate) struct Layout {
    /// What it keeps, in a word.
    pub(crate) keeps: &'static str,
    /// The name in the attribute `application`.
    pub(crate) application: &'static str,
    /// The version of its items' layout, in the attribute `v`.
    pub(crate) version: u64,
}

/// Makes a table, says in it whose it is and what else its owner has it say, and waits until it can
/// be used; tells whether it was made now.
///
/// One that is there and empty is taken over, and one of this layout is left as it is. `protect`
/// encrypts it with a key of the account, guards it against deletion and turns on recovery to any
/// point of the last 35 days.
///
/// # Errors
/// `Refused` when there is such a table with something else in it, or without the right;
/// `TimedOut` when it does not come.
pub(crate) async fn create(
    table: &Table,
    layout: &Layout,
    says: Attributes,
    billing: Billing,
    protect: bool,
) -> Result<bool, Fault> {
    let made = request(table, billing, protect).await?;
    active(table).await?;
    if protect {
        recoverable(table).await?;
    }
    if table.get(&Key::meta()).await?.is_some() {
        return about(table, layout).await.map(|_| made);
    }
    if !is_empty(table).await? {
        return Err(foreign(&table.name));
    }
    let mut item = Key::meta().attributes();
    item.extend(says);
    item.insert("application".to_owned(), attribute::string(layout.application));
    item.insert("v".to_owned(), attribute::number(layout.version));
    // Of two that make it at once the first says what it is.
    table.write(&Write { item, condition: Some((NEW, Attributes::new())) }).await
}

/// Asks for the table; tells whether there was none.
async fn request(table: &Table, billing: Billing, protect: bool) -> Result<bool, Fault> {
    let cannot = || format!("cannot make the table {}", table.name);
    let broken = |e| Fault::broken(cannot()).because(e);
    let mut request = table.client.create_table().table_name(&table.name);
    for (name, kind) in [(PK, KeyType::Hash), (SK, KeyType::Range)] {
        let attribute = AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder().attribute_name(name).key_type(kind);
        request = request
            .attribute_definitions(attribute.build().map_err(broken)?)
            .key_schema(key.build().map_err(broken)?);
    }
    request = match billing {
        Billing::OnDemand => request.billing_mode(BillingMode::PayPerRequest),
        Billing::Provisioned { read, write } => {
            let units = |n: u32| i64::from(n);
            let throughput = ProvisionedThroughput::builder()
                .read_capacity_units(units(read))
                .write_capacity_units(units(write))
                .build()
                .map_err(broken)?;
            request.billing_mode(BillingMode::Provisioned).provisioned_throughput(throughput)
        }
    };
    if protect {
        request = request
            .deletion_protection_enabled(true)
            .sse_specification(SseSpecification::builder().enabled(true).build());
    }
    match request.send().await {
        Ok(_) => Ok(true),
        Err(e) if e.code() == Some("ResourceInUseException") => Ok(false),
        Err(e) => Err(aws::fault(&cannot(), e)),
    }
}

/// Waits until the table can be used.
async fn active(table: &Table) -> Result<(), Fault> {
    let begun = tokio::time::Instant::now();
    loop {
        let description = describe(table).await?;
        let keys = description.key_schema();
        let ours = keys.len() == 2 && keys[0].attribute_name == PK && keys[1].attribute_name == SK;
        if !ours {
            return Err(foreign(&table.name));
        }
        if description.table_status() == Some(&TableStatus::Active) {
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            let message = format!("the table {} is not there yet", table.name);
            return Err(Fault::new(FaultKind::TimedOut, message));
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

async fn describe(table: &Table) -> Result<TableDescription, Fault> {
    let cannot = format!("cannot describe the table {}", table.name);
    let answer = table.client.describe_table().table_name(&table.name).send().await;
    let answer = answer.map_err(|e| aws::fault(&cannot, e))?;
    answer.table.ok_or_else(|| Fault::broken(cannot))
}

/// Turns on recovery to any point in time; what an emulator lacks is only said.
async fn recoverable(table: &Table) -> Result<(), Fault> {
    let cannot = format!("cannot turn on point-in-time recovery of the table {}", table.name);
    let specification = PointInTimeRecoverySpecification::builder()
        .point_in_time_recovery_enabled(true)
        .build()
        .map_err(|e| Fault::broken(&*cannot).because(e))?;
    let begun = tokio::time::Instant::now();
    loop {
        let answer = table
            .client
            .update_continuous_backups()
            .table_name(&table.name)
            .point_in_time_recovery_specification(specification.clone())
            .send()
            .await;
        match answer {
            Ok(_) => return Ok(()),
            Err(e) if e.code() == Some("UnknownOperationException") => {
                tracing::warn!("{cannot}: this DynamoDB has none");
                return Ok(());
            }
            // For a while after a table was made.
            Err(e)
                if e.code() == Some("ContinuousBackupsUnavailableException")
                    && begun.elapsed() < PATIENCE => {}
            Err(e) => return Err(aws::fault(&cannot, e)),
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

async fn is_empty(table: &Table) -> Result<bool, Fault> {
    let answer = table.client.scan().table_name(&table.name).consistent_read(true).limit(1);
    let answer = answer.send().await;
    let answer =
        answer.map_err(|e| aws::fault(&format!("cannot read the table {}", table.name), e))?;
    Ok(answer.items().is_empty())
}

/// Reads what a table says of itself.
///
/// # Errors
/// `NotFound` when it is not there or not made yet, `Refused` when it is of another program or a
/// newer glassplate.
pub(crate) async fn about(table: &Table, layout: &Layout) -> Result<Attributes, Fault> {
    let Layout { keeps, application, version } = layout;
    let item = table.get(&Key::meta()).await.map_err(|fault| match fault.kind() {
        FaultKind::NotFound => not_made(keeps, &table.name).because(fault),
        _ => fault,
    })?;
    let Some(item) = item else {
        let page = table.query(&Key::meta().pk, From::Start, 1).await?;
        return Err(if page.items.is_empty() {
            not_made(keeps, &table.name)
        } else {
            foreign(&table.name)
        });
    };
    match (attribute::text(&item, "application"), attribute::count(&item, "v")) {
        (Ok(name), Ok(v)) if name == *application && v == *version => Ok(item),
        (Ok(name), Ok(v)) if name == *application => Err(Fault::new(
            FaultKind::Refused,
            format!(
                "the table {} is a {keeps} of version {v}; this glassplate reads version {version}",
                table.name
            ),
        )
        .for_all()),
        (Err(fault), _) | (_, Err(fault)) => Err(foreign(&table.name).because(fault)),
        _ => Err(foreign(&table.name)),
    }
}

fn not_made(keeps: &str, name: &str) -> Fault {
    Fault::not_found(format!(
        "there is no {keeps} in the table {name}: `glassplate aws prepare` makes it"
    ))
    .for_all()
}

/// The fault of a table that something else is in.
pub(crate) fn foreign(name: &str) -> Fault {
    Fault::new(FaultKind::Refused, format!("the table {name} is another program's")).for_all()
}
