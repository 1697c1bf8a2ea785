use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types as dynamo_types;
use aws_sdk_s3::primitives::ByteStream;

use super::*;
use crate::rekognition::{Options, Stub};
use crate::testing::{Clients, rekognition};
use crate::{dynamo, s3};

/// A plan of one fault alone.
fn only(set: impl FnOnce(&mut Plan)) -> Plan {
    let mut plan = Plan {
        silence: Duration::from_millis(100),
        delay: Duration::from_millis(200),
        ..Plan::default()
    };
    set(&mut plan);
    plan
}

#[test]
fn each_kind_happens_as_often_as_planned_and_the_seed_decides_which() {
    let plan = Plan::of_each(0.7);
    let fates = |seed: u64| -> Vec<Option<Kind>> {
        (0..2000_u64)
            .map(|n| plan.fate(Dice { seed, asked: [7; 32], before: n }.of("fate")))
            .collect()
    };
    let first = fates(1);
    assert_eq!(first, fates(1));
    assert_ne!(first, fates(2));
    for kind in [Kind::Throttled, Kind::Failed, Kind::Silent, Kind::Cut, Kind::Lost, Kind::Slow] {
        let share = first.iter().filter(|fate| **fate == Some(kind)).count() as f64 / 2000.0;
        assert!((share - 0.1).abs() < 0.025, "{kind:?} {share}");
    }
}

#[tokio::test]
async fn s3_and_its_signatures_pass_through() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("plates")).unwrap();
    let upstream = s3::start(folder.path());
    let proxy = Faults::before(&upstream.url(), 1, Plan::default());
    let client = Clients::at(&proxy.url()).s3();
    let put = client.put_object().bucket("plates").key("a/b c+d.jpg");
    put.body(ByteStream::from_static(b"glass plate")).send().await.unwrap();
    let head = client.head_object().bucket("plates").key("a/b c+d.jpg").send().await.unwrap();
    assert_eq!(head.content_length(), Some(11));
    let got = client.get_object().bucket("plates").key("a/b c+d.jpg").send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"glass plate");
    assert_eq!((proxy.requests(), proxy.counts().len()), (3, 0));
}

#[tokio::test]
async fn s3_says_that_it_is_busy_in_its_own_words() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("plates")).unwrap();
    let upstream = s3::start(folder.path());
    for (plan, status, code) in [
        (only(|plan| plan.throttled = 1.0), 503, "SlowDown"),
        (only(|plan| plan.failed = 1.0), 500, "InternalError"),
        (only(|plan| plan.unavailable = 1.0), 503, "ServiceUnavailable"),
    ] {
        let proxy = Faults::before(&upstream.url(), 1, plan);
        let client = Clients::at(&proxy.url()).s3();
        let list = client.list_objects_v2().bucket("plates");
        let error = list.clone().send().await.unwrap_err();
        assert_eq!(error.raw_response().unwrap().status().as_u16(), status);
        assert_eq!(aws_sdk_s3::error::ProvideErrorMetadata::code(&error), Some(code));
        proxy.switch(false);
        list.send().await.unwrap();
        assert_eq!(proxy.requests(), 1);
    }
}

#[tokio::test]
async fn a_lost_and_a_cut_answer_are_paid_and_told() {
    let stub = Stub::start(Options::default());
    for (plan, kind) in
        [(only(|plan| plan.lost = 1.0), Kind::Lost), (only(|plan| plan.cut = 1.0), Kind::Cut)]
    {
        let before = stub.ledger().bill();
        let proxy = Faults::before(&stub.url(), 1, plan);
        let client = Clients::at(&proxy.url()).rekognition();
        assert!(rekognition::labels(&client, 100, 90).await.is_err());
        assert_eq!(stub.ledger().bill(), before + 1);
        let lost = proxy.lost();
        assert_eq!((lost.len(), lost[0].kind, lost[0].status), (1, kind, 200));
        assert_eq!(lost[0].operation, "RekognitionService.DetectLabels");
        assert_eq!(lost[0].body, stub.ledger().calls.last().unwrap().body);
    }
}

#[tokio::test]
async fn silence_reaches_nobody_and_a_slow_answer_arrives() {
    let stub = Stub::start(Options::default());
    let proxy = Faults::before(&stub.url(), 1, only(|plan| plan.silent = 1.0));
    let began = Instant::now();
    assert!(rekognition::labels(&Clients::at(&proxy.url()).rekognition(), 100, 90).await.is_err());
    assert!(began.elapsed() >= Duration::from_millis(100));
    assert_eq!(stub.ledger().calls, []);
    let proxy = Faults::before(&stub.url(), 1, only(|plan| plan.slow = 1.0));
    let began = Instant::now();
    rekognition::labels(&Clients::at(&proxy.url()).rekognition(), 100, 90).await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(200));
    assert_eq!((stub.ledger().bill(), proxy.counts()[&Kind::Slow]), (1, 1));
}

#[tokio::test]
async fn the_same_requests_meet_the_same_fates_in_whatever_order() {
    let stub = Stub::start(Options::default());
    let mut runs = Vec::new();
    for reversed in [false, true] {
        let plan = only(|plan| (plan.throttled, plan.failed) = (0.3, 0.2));
        let proxy = Faults::before(&stub.url(), 7, plan);
        let client = Clients::at(&proxy.url()).rekognition();
        let mut widths: Vec<u32> = (100..140).collect();
        if reversed {
            widths.reverse();
        }
        let mut fates = Vec::new();
        for width in widths {
            fates.push((width, rekognition::labels(&client, width, 90).await.is_ok()));
        }
        fates.sort_unstable();
        runs.push((fates, proxy.counts()));
    }
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0].0.iter().any(|fate| fate.1) && runs[0].1.len() == 2, "{:?}", runs[0].1);
}

#[tokio::test]
async fn batches_come_back_unprocessed_in_part_and_end_whole() {
    let upstream = dynamo::start();
    let proxy = Faults::before(&upstream.url(), 3, only(|plan| plan.unprocessed = 0.8));
    let client = Clients::at(&proxy.url()).dynamo();
    table(&client).await;
    let mut left: Vec<dynamo_types::WriteRequest> = (0..25)
        .map(|n| {
            let id = dynamo_types::AttributeValue::S(format!("plate {n}"));
            let put = dynamo_types::PutRequest::builder().item("id", id).build().unwrap();
            dynamo_types::WriteRequest::builder().put_request(put).build()
        })
        .collect();
    let mut rounds = 0;
    while !left.is_empty() {
        let answer = client.batch_write_item().request_items("plates", left).send().await.unwrap();
        left = answer.unprocessed_items.unwrap_or_default().remove("plates").unwrap_or_default();
        rounds += 1;
    }
    assert!(rounds > 1, "nothing was held back");
    let keys: Vec<_> = (0..25)
        .map(|n| {
            let id = dynamo_types::AttributeValue::S(format!("plate {n}"));
            std::collections::HashMap::from([("id".to_owned(), id)])
        })
        .collect();
    let (mut left, mut found, mut rounds) = (keys, 0, 0);
    while !left.is_empty() {
        let keys = dynamo_types::KeysAndAttributes::builder().set_keys(Some(left)).build().unwrap();
        let answer = client.batch_get_item().request_items("plates", keys).send().await.unwrap();
        found += answer.responses.unwrap_or_default().remove("plates").unwrap_or_default().len();
        let unprocessed = answer.unprocessed_keys.unwrap_or_default().remove("plates");
        left = unprocessed.map(|keys| keys.keys).unwrap_or_default();
        rounds += 1;
    }
    assert!(found == 25 && rounds > 1, "{found} found in {rounds} rounds");
    assert!(proxy.counts()[&Kind::Unprocessed] >= 2);
}

async fn table(client: &aws_sdk_dynamodb::Client) {
    let id = dynamo_types::AttributeDefinition::builder()
        .attribute_name("id")
        .attribute_type(dynamo_types::ScalarAttributeType::S);
    let key = dynamo_types::KeySchemaElement::builder()
        .attribute_name("id")
        .key_type(dynamo_types::KeyType::Hash);
    client
        .create_table()
        .table_name("plates")
        .attribute_definitions(id.build().unwrap())
        .key_schema(key.build().unwrap())
        .billing_mode(dynamo_types::BillingMode::PayPerRequest)
        .send()
        .await
        .unwrap();
}
