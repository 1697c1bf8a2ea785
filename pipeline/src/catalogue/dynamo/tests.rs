//! The contract, kept on loopback.

use std::sync::Arc;

use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use glassplate_harness::Running;

use super::{Billing, DynamoCatalogue, DynamoSettings, create_table};
use crate::aws::{Aws, AwsSettings, Endpoints};

/// A way to a DynamoDB on loopback.
pub(in crate::catalogue) fn way_to(url: String) -> Aws {
    let endpoints = Endpoints { dynamodb: Some(url), ..Endpoints::default() };
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    Aws::new(
        "eu-central-1".to_owned(),
        SharedCredentialsProvider::new(credentials),
        AwsSettings { endpoints, ..AwsSettings::default() },
    )
}

/// An empty catalogue on a DynamoDB of its own.
pub(in crate::catalogue) async fn empty() -> (Running, Aws, DynamoCatalogue) {
    let server = glassplate_harness::dynamo::start();
    let aws = way_to(server.url());
    let settings = DynamoSettings::default();
    create_table(&aws, &settings, Billing::OnDemand, true).await.expect("a table");
    let catalogue = DynamoCatalogue::open(&aws, &settings).await.expect("a catalogue");
    (server, aws, catalogue)
}

#[tokio::test]
async fn the_catalogue_on_dynamodb_keeps_the_contract() {
    let (_server, _aws, catalogue) = empty().await;
    let catalogue = Arc::new(catalogue);
    super::super::conformance::run(catalogue.clone()).await;
    catalogue.check().await.expect("a sound table");
}
