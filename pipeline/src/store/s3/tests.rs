//! The contract on a stand-in for S3, and what only this backend promises.

use std::sync::Arc;

use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use glassplate_harness::s3;

use super::*;
use crate::asset::{PixelDigest, Tenant};
use crate::aws::{AwsSettings, Endpoints};

fn aws(endpoint: String) -> Aws {
    let endpoints = Endpoints { s3: Some(endpoint), ..Endpoints::default() };
    let settings = AwsSettings { endpoints, ..AwsSettings::default() };
    let credentials = Credentials::new(s3::ACCESS_KEY, s3::SECRET_KEY, None, None, "test");
    Aws::new(
        "eu-central-1".to_owned(),
        SharedCredentialsProvider::new(credentials),
        Aws::connections(),
        settings,
    )
}

/// A bucket on loopback, whose long bodies are short enough for a test.
struct Bucket {
    aws: Aws,
    store: S3Store,
    _server: glassplate_harness::Running,
    _folder: tempfile::TempDir,
}

impl Bucket {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = s3::start(folder.path());
        let aws = aws(server.url());
        let settings = S3Settings {
            prefix: "plates/1936".to_owned(),
            multipart_above_bytes: 6 << 20,
            part_bytes: 5 << 20,
            ..S3Settings::of("archive")
        };
        let store = S3Store::open(&aws, settings).expect("a store");
        assert!(store.make_bucket().await.expect("a bucket"));
        assert!(!store.make_bucket().await.expect("the bucket is there"));
        store.check().await.expect("a bucket that can be listed");
        Self { aws, store, _server: server, _folder: folder }
    }
}

fn original(seed: u8) -> Key {
    Key::Original { tenant: Tenant::default(), digest: Digest::new([seed; 32]) }
}

fn body(length: usize, seed: u8) -> (Body, Digest) {
    let bytes: Vec<u8> = (0..length).map(|n| (n % 251) as u8 ^ seed).collect();
    let blake3 = Digest::new(*blake3::hash(&bytes).as_bytes());
    (Body::Bytes(Arc::new(bytes)), blake3)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_in_s3_keeps_the_contract() {
    let bucket = Bucket::new().await;
    crate::store::conformance::run(Arc::new(bucket.store.clone())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_original_goes_in_parts_and_is_still_created_once() {
    let bucket = Bucket::new().await;
    let (long, blake3) = body(11 << 20, 1);
    let created = bucket.store.create(&original(1), &long, &blake3).await.expect("create");
    assert_eq!(created, Created::New);
    assert_eq!(bucket.aws.tally.read().get("UploadPart"), Some(&3));
    assert_eq!(bucket.store.blake3(&original(1)).await.expect("hash"), blake3);
    let (other, other_blake3) = body(11 << 20, 2);
    let again = bucket.store.create(&original(1), &other, &other_blake3).await.expect("create");
    assert_eq!(again, Created::Existed);
    assert_eq!(bucket.store.blake3(&original(1)).await.expect("hash"), blake3);
    assert_eq!(bucket.aws.tally.read().get("UploadPart"), Some(&3), "nothing was sent in vain");

    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    if let Body::Bytes(bytes) = &other {
        std::io::Write::write_all(&mut file, bytes).expect("write");
    }
    let body = Body::File(file.path().to_owned());
    let fault = bucket.store.create(&original(2), &body, &blake3).await.expect_err("other bytes");
    assert_eq!(fault.kind(), FaultKind::Broken);
    let created = bucket.store.create(&original(2), &body, &other_blake3).await.expect("create");
    assert_eq!(created, Created::New);
    assert_eq!(bucket.store.blake3(&original(2)).await.expect("hash"), other_blake3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_url_delivers_and_is_bounded() {
    let bucket = Bucket::new().await;
    let (bytes, blake3) = body(1000, 3);
    bucket.store.create(&original(3), &bytes, &blake3).await.expect("create");
    let url = bucket.store.delivery(&original(3), 60).await.expect("a URL").expect("a URL");
    assert!(url.contains("X-Amz-Expires=60") && url.contains("/archive/plates/1936/default/"));
    assert!(!url.contains(s3::SECRET_KEY));
    for seconds in [0, LONGEST_DELIVERY + 1] {
        assert!(bucket.store.delivery(&original(3), seconds).await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_credential_is_refused_for_every_asset_and_not_told() {
    let bucket = Bucket::new().await;
    let secret = "a secret that nobody must read";
    let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", secret, None, None, "test");
    let stranger =
        Aws { credentials: SharedCredentialsProvider::new(credentials), ..bucket.aws.clone() };
    let store = S3Store::open(&stranger, S3Settings::of("archive")).expect("a store");
    let (bytes, blake3) = body(10, 4);
    let fault = store.create(&original(4), &bytes, &blake3).await.expect_err("a stranger");
    assert_eq!((fault.kind(), fault.is_for_all()), (FaultKind::Refused, true), "{fault}");
    let said = format!("{fault:?} {}", fault.reason());
    assert!(!said.contains(secret) && !fault.reason().contains("AKIAIOSFODNN7EXAMPLE"), "{said}");

    let nowhere = S3Store::open(&bucket.aws, S3Settings::of("no-such-bucket")).expect("a store");
    let fault = nowhere.create(&original(4), &bytes, &blake3).await.expect_err("no bucket");
    assert_eq!((fault.kind(), fault.is_for_all()), (FaultKind::NotFound, true), "{fault}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_asset_costs_four_requests() {
    let bucket = Bucket::new().await;
    let (bytes, blake3) = body(1000, 5);
    let before: u64 = bucket.aws.tally.read().values().sum();
    bucket.store.create(&original(5), &bytes, &blake3).await.expect("create");
    for name in ["2048-q82.jpg", "1024-q82.jpg", "256-q82.jpg"] {
        let key = Key::Rendition {
            tenant: Tenant::default(),
            pixels: PixelDigest::new([5; 32]),
            file: name.to_owned(),
        };
        bucket.store.replace(&key, &bytes).await.expect("replace");
    }
    let after: u64 = bucket.aws.tally.read().values().sum();
    assert_eq!(after - before, 4);
}
