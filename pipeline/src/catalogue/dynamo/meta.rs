//! What the catalogue's table says of itself.

use super::{Billing, DynamoSettings};
use crate::aws::dynamo::{self, Attributes, Layout, Table, attribute};
use crate::aws::{Aws, random};
use crate::fault::Fault;

/// Whose table it is.
const LAYOUT: Layout = Layout { keeps: "catalogue", application: "glassplate", version: 1 };
/// Over how many shards the change feed of a new table is spread.
const SHARDS: u64 = 32;

/// What a table says of itself, beside whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meta {
    /// Random, so that no other table's bookmarks are taken for this one's.
    pub(super) id: String,
    /// Over how many shards the change feed is spread.
    pub(super) shards: usize,
}

impl Meta {
    /// Reads it.
    ///
    /// # Errors
    /// `NotFound` when the table is not there or not made yet, `Refused` when it is of another
    /// program or a newer glassplate.
    pub(super) async fn read(table: &Table) -> Result<Self, Fault> {
        let item = dynamo::about(table, &LAYOUT).await?;
        let foreign = |fault| dynamo::foreign(&table.name).because(fault);
        let id = attribute::text(&item, "id").map_err(foreign)?.to_owned();
        let shards = attribute::count(&item, "shards").map_err(foreign)?;
        match usize::try_from(shards) {
            Ok(shards @ 1..=1000) => Ok(Self { id, shards }),
            _ => Err(dynamo::foreign(&table.name)),
        }
    }
}

/// Makes the table, see [`super::DynamoCatalogue::create_table`].
pub(super) async fn create_table(
    aws: &Aws,
    settings: &DynamoSettings,
    billing: Billing,
    protect: bool,
) -> Result<bool, Fault> {
    settings.validate()?;
    let table = Table::new(aws, settings.table.clone());
    let says = Attributes::from([
        ("shards".to_owned(), attribute::number(SHARDS)),
        ("id".to_owned(), attribute::string(format!("{:016x}{:016x}", random(), random()))),
    ]);
    let made = dynamo::create(&table, &LAYOUT, says, billing, protect).await?;
    Meta::read(&table).await.map(|_| made)
}
