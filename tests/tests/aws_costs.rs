//! What a fresh picture costs on AWS: requests of S3, units of DynamoDB.
#![allow(clippy::unwrap_used, reason = "a test may end where it fails")]
#![allow(clippy::print_stdout, reason = "a test that prints its measurements")]

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use glassplate_harness::{dynamo, s3};
use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::aws::dynamo::Billing;
use glassplate_pipeline::aws::{Aws, AwsSettings, Endpoints};
use glassplate_pipeline::catalogue::dynamo::{DynamoCatalogue, DynamoSettings};
use glassplate_pipeline::enrich::{House, Source};
use glassplate_pipeline::floor::Floor;
use glassplate_pipeline::image::Limits;
use glassplate_pipeline::ingest::ingest;
use glassplate_pipeline::label::LabelKind;
use glassplate_pipeline::pass::Watcher;
use glassplate_pipeline::ports::{Clock, Labeller};
use glassplate_pipeline::purchase::Dollars;
use glassplate_pipeline::purse::Purse;
use glassplate_pipeline::raster::Raster;
use glassplate_pipeline::rendition::Recipe;
use glassplate_pipeline::run::{Balance, Item, Run, RunId};
use glassplate_pipeline::store::s3::{S3Settings, S3Store};
use glassplate_pipeline::telemetry::Meter;
use glassplate_tests::pictures::jpeg;
use glassplate_tests::scripted::{Scripted, claim};
use jiff::Timestamp;

const PICTURES: u32 = 24;

struct Wall;

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

struct Nobody;

impl Watcher for Nobody {
    fn ended(&mut self, _item: &Item, _bytes: u64, _balance: &Balance) {}
}

/// A labeller whose opinion comes to about a kilobyte; the first gives an embedding beside it.
fn labeller(name: &str) -> Arc<dyn Labeller> {
    let script = |raster: &Raster| {
        let sure = |n: u8| f32::from(raster.rgb()[usize::from(n) * 7]) / 300.0 + 0.1;
        [("dog", "n02084071"), ("boat", "n02858304"), ("car", "n02958343"), ("cup", "n03147509")]
            .iter()
            .zip(0..)
            .map(|((name, synset), n)| claim(name, synset, LabelKind::Object, sure(n)))
            .collect()
    };
    match name {
        "a" => Scripted::placing(name, "1", script, "a/0123456789ab"),
        _ => Scripted::new(name, "1", script),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fresh_picture_costs_some_13_write_units_and_4_requests_of_s3() {
    let folder = tempfile::tempdir().unwrap();
    let buckets = folder.path().join("buckets");
    std::fs::create_dir(&buckets).unwrap();
    let (objects, table) = (s3::start(&buckets), dynamo::start());
    let endpoints =
        Endpoints { s3: Some(objects.url()), dynamodb: Some(table.url()), ..Endpoints::default() };
    let credentials = Credentials::new(s3::ACCESS_KEY, s3::SECRET_KEY, None, None, "test");
    let aws = Aws::new(
        "us-east-1".to_owned(),
        SharedCredentialsProvider::new(credentials),
        Aws::connections(),
        AwsSettings { endpoints, ..AwsSettings::default() },
    );
    let store = S3Store::open(&aws, S3Settings::of("archive")).unwrap();
    store.make_bucket().await.unwrap();
    let settings = DynamoSettings { table: "archive".to_owned() };
    DynamoCatalogue::create_table(&aws, &settings, Billing::OnDemand, false).await.unwrap();
    let catalogue = Arc::new(DynamoCatalogue::open(&aws, settings).await.unwrap());
    let house = Arc::new(House {
        tenant: Tenant::default(),
        store: Arc::new(store),
        catalogue: catalogue.clone(),
        objects: None,
        // With identify, render and assess: seven opinions.
        labellers: ["a", "b", "c", "d"].map(labeller).into(),
        purse: Purse::empty(),
        clock: Arc::new(Wall),
        recipe: Recipe::default(),
        limits: Limits::default(),
        meter: Meter::default(),
        floor: Floor::new(64 << 20, 256 << 20),
    });
    let sources: Vec<_> = (0..PICTURES)
        .map(|n| {
            let path = folder.path().join(format!("{n}.jpg"));
            let picture = jpeg(128, 96, n.into());
            std::fs::write(&path, &picture).unwrap();
            Ok(Source::file(&path, picture.len() as u64))
        })
        .collect();
    let run = Run {
        id: RunId::new(Timestamp::UNIX_EPOCH, 1),
        tenant: Tenant::default(),
        collection: "plates".to_owned(),
        sources: Vec::new(),
        version: "test".to_owned(),
        started: Timestamp::UNIX_EPOCH,
        finished: None,
        balance: Balance::default(),
        withdrawn: false,
        trial: false,
        budget: None,
        spent: Dollars::ZERO,
    };
    let (requests, units) = (aws.tally.read(), catalogue.capacity());
    let ended =
        ingest(&house, run, sources, 4, &mut Nobody, &AtomicBool::new(false)).await.unwrap();
    assert_eq!(ended.balance.enriched, u64::from(PICTURES));
    let (after, used) = (aws.tally.read(), catalogue.capacity());
    let each = |operation: &str| {
        let count = |tally: &std::collections::BTreeMap<String, u64>| {
            tally.get(operation).copied().unwrap_or(0)
        };
        (count(&after) - count(&requests)) as f64 / f64::from(PICTURES)
    };
    let of_s3: f64 =
        ["PutObject", "GetObject", "HeadObject", "ListObjectsV2"].map(each).iter().sum();
    let write = (used.write - units.write) / f64::from(PICTURES);
    let read = (used.read - units.read) / f64::from(PICTURES);
    for operation in after.keys() {
        println!("{operation:24} {:.2} a picture", each(operation));
    }
    println!("S3 requests {of_s3:.2}, write units {write:.2}, read units {read:.2} a picture");
    assert!(of_s3 <= 4.5, "{of_s3} requests of S3");
    assert!(write <= 13.5, "{write} write units");
}
