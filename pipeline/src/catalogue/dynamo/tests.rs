//! The contract, kept on loopback.

mod cost;
mod kill;
mod loss;

use std::sync::Arc;

use glassplate_harness::Running;

use super::{Billing, DynamoCatalogue, DynamoSettings};
use crate::aws::Aws;
use crate::aws::dynamo::tests::way_to;
use crate::aws::dynamo::{Key, Write};
use crate::catalogue::Catalogue as _;
use crate::fault::FaultKind;

/// An empty catalogue on a DynamoDB of its own.
pub(in crate::catalogue) async fn empty() -> (Running, Aws, DynamoCatalogue) {
    let server = glassplate_harness::dynamo::start();
    let aws = way_to(server.url());
    let settings = DynamoSettings::default();
    DynamoCatalogue::create_table(&aws, &settings, Billing::OnDemand, true).await.expect("a table");
    let catalogue = DynamoCatalogue::open(&aws, settings.clone()).await.expect("a catalogue");
    (server, aws, catalogue)
}

#[tokio::test]
async fn the_catalogue_on_dynamodb_keeps_the_contract() {
    let (_server, _aws, catalogue) = empty().await;
    let (_other_server, _aws, other) = empty().await;
    let catalogue = Arc::new(catalogue);
    super::super::conformance::run(catalogue.clone(), &other).await;
    catalogue.check().await.expect("a sound table");
}

#[tokio::test]
#[ignore = "needs another stand-in: .ci/ring"]
async fn the_catalogue_keeps_the_contract_on_another_stand_in() {
    let aws = way_to(std::env::var("GLASSPLATE_TEST_AWS").expect("the stand-in's URL"));
    let mut catalogues = Vec::new();
    for table in ["one-ring", "another-ring"] {
        let settings = DynamoSettings { table: table.to_owned() };
        DynamoCatalogue::create_table(&aws, &settings, Billing::OnDemand, false)
            .await
            .expect("a table");
        let catalogue = DynamoCatalogue::open(&aws, settings).await.expect("a catalogue");
        catalogues.push(Arc::new(catalogue));
    }
    super::super::conformance::run(catalogues[0].clone(), &*catalogues[1]).await;
    catalogues[0].check().await.expect("a sound table");
}

#[tokio::test]
async fn a_table_that_is_not_ours_is_refused() {
    let server = glassplate_harness::dynamo::start();
    let aws = way_to(server.url());
    let settings = DynamoSettings { table: "other".to_owned() };
    let fault = DynamoCatalogue::open(&aws, settings.clone()).await.expect_err("no table");
    assert!(fault.kind() == FaultKind::NotFound && fault.is_for_all());
    assert!(fault.reason().contains("other"), "{}", fault.reason());
    let billing = Billing::Provisioned { read: 5, write: 5 };
    for _ in 0..2 {
        DynamoCatalogue::create_table(&aws, &settings, billing, false)
            .await
            .expect("made, and again");
    }
    let catalogue = DynamoCatalogue::open(&aws, settings.clone()).await.expect("a catalogue");
    let item = Key::meta().attributes();
    let put = Write { item, condition: None };
    catalogue.inner.table.write(&put).await.expect("another program's item");
    let fault = DynamoCatalogue::open(&aws, settings.clone()).await.expect_err("another program's");
    assert!(fault.kind() == FaultKind::Refused && fault.is_for_all());
    let fault = DynamoCatalogue::create_table(&aws, &settings, billing, false)
        .await
        .expect_err("not empty");
    assert_eq!(fault.kind(), FaultKind::Refused);
    let wrong = DynamoSettings { table: "a/b".to_owned() };
    let fault = DynamoCatalogue::open(&aws, wrong.clone()).await.expect_err("no name");
    assert_eq!(fault.kind(), FaultKind::BadInput);
}
