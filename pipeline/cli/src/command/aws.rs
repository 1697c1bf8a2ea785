//! `glassplate aws`: makes the bucket and the tables that the settings name, or looks at them.

use glassplate_pipeline::aws::dynamo::Billing;
use glassplate_pipeline::catalogue::dynamo::DynamoCatalogue;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::store::s3::S3Store;
use glassplate_pipeline::tenancy::dynamo::DynamoRegistry;
use serde_json::{Map, Value};

use crate::arguments::{AwsAction, Prepare};
use crate::compose::Desk;
use crate::exit::Exit;
use crate::output::{self, data};
use crate::settings::{CatalogueSettings, StoreSettings};

pub(crate) async fn run(desk: &Desk, action: &AwsAction) -> Result<Exit, Fault> {
    let told = match action {
        AwsAction::Prepare(arguments) => prepare(desk, arguments).await?,
        AwsAction::Check => check(desk).await?,
    };
    if told.is_empty() {
        return Err(Fault::bad_input(
            "the config names neither a bucket nor a table: set [store] kind = \"s3\" or [catalogue] kind = \"dynamodb\"",
        ));
    }
    if desk.json {
        let told: Map<String, Value> =
            told.into_iter().map(|(what, state)| (what, state.into())).collect();
        output::json(&told);
    } else {
        told.iter().for_each(|(what, state)| data(format!("{what}: {state}")));
    }
    Ok(Exit::Done)
}

/// Makes what is missing; what is there stays as it is.
async fn prepare(desk: &Desk, arguments: &Prepare) -> Result<Vec<(String, String)>, Fault> {
    let mut told = Vec::new();
    if let StoreSettings::S3(settings) = &desk.settings.store {
        let made = S3Store::open(&desk.aws().await?, settings.clone())?.make_bucket().await?;
        told.push((format!("bucket {}", settings.bucket), state(made)));
    }
    if let CatalogueSettings::Dynamodb(settings) = &desk.settings.catalogue {
        let billing = match (arguments.read_units, arguments.write_units) {
            (Some(read), Some(write)) => Billing::Provisioned { read, write },
            _ => Billing::OnDemand,
        };
        let protected = !arguments.unprotected;
        let aws = desk.aws().await?;
        let made = DynamoCatalogue::create_table(&aws, settings, billing, protected).await?;
        told.push((format!("table {}", settings.table), state(made)));
        let registry = &desk.settings.registry;
        let made = DynamoRegistry::create_table(&aws, registry, protected).await?;
        told.push((format!("table {}", registry.table), state(made)));
    }
    Ok(told)
}

fn state(made: bool) -> String {
    if made { "made".to_owned() } else { "was there".to_owned() }
}

/// Reads one thing from each, with the rights that a run has.
async fn check(desk: &Desk) -> Result<Vec<(String, String)>, Fault> {
    let mut told = Vec::new();
    if let StoreSettings::S3(settings) = &desk.settings.store {
        S3Store::open(&desk.aws().await?, settings.clone())?.check().await?;
        told.push((format!("bucket {}", settings.bucket), "can be read and written".to_owned()));
    }
    if let CatalogueSettings::Dynamodb(settings) = &desk.settings.catalogue {
        desk.catalogue().await?.check().await?;
        told.push((format!("table {}", settings.table), "sound".to_owned()));
        desk.registry().await?.check().await?;
        told.push((format!("table {}", desk.settings.registry.table), "sound".to_owned()));
    }
    Ok(told)
}
