//! The contract on a stand-in for DynamoDB, and what only this backend promises.

use std::sync::Arc;

use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};

use super::*;
use crate::aws::{AwsSettings, Endpoints};

/// A way to the stand-in.
fn aws(endpoint: String) -> Aws {
    let endpoints = Endpoints { dynamodb: Some(endpoint), ..Endpoints::default() };
    let settings = AwsSettings { endpoints, ..AwsSettings::default() };
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    Aws::new(
        "eu-central-1".to_owned(),
        SharedCredentialsProvider::new(credentials),
        Aws::connections(),
        settings,
    )
}

async fn catalogue(aws: &Aws) -> DynamoCatalogue {
    let settings = DynamoSettings { table: "ledger".to_owned() };
    DynamoCatalogue::create_table(aws, &settings, Billing::OnDemand, true).await.expect("a table");
    DynamoCatalogue::open(aws, settings).await.expect("a catalogue")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dynamodb_catalogue_keeps_the_contract() {
    let server = glassplate_harness::dynamo::start();
    let catalogue = Arc::new(catalogue(&aws(server.url())).await);
    super::super::conformance::run(catalogue.clone()).await;
    catalogue.check().await.expect("a sound table");
}
