//! Sources in a stand-in for S3: listed, stamped, read once, over a bad line too.

use std::fs;

use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use glassplate_harness::faults::{Faults, Plan};
use glassplate_harness::{Running, s3};

use super::*;
use crate::aws::{AwsSettings, Endpoints};

/// A bucket `plates` on loopback, which is a folder.
struct Bucket {
    server: Running,
    folder: tempfile::TempDir,
}

impl Bucket {
    fn with(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("plates")).expect("a bucket");
        let server = s3::start(folder.path());
        let bucket = Self { server, folder };
        for (key, bytes) in files {
            bucket.put(key, bytes);
        }
        bucket
    }

    fn put(&self, key: &str, bytes: &[u8]) {
        let path = self.folder.path().join("plates").join(key);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("an object");
    }

    fn aws(&self) -> Aws {
        aws(self.server.url())
    }
}

fn aws(endpoint: String) -> Aws {
    let endpoints = Endpoints { s3: Some(endpoint), ..Endpoints::default() };
    let settings = AwsSettings { endpoints, ..AwsSettings::default() };
    let credentials = Credentials::new(s3::ACCESS_KEY, s3::SECRET_KEY, None, None, "test");
    let credentials = SharedCredentialsProvider::new(credentials);
    Aws::new("eu-central-1".to_owned(), credentials, Aws::connections(), settings)
}

fn objects(aws: &Aws) -> Objects {
    Objects::open(aws, std::env::temp_dir())
}

fn at(url: &str) -> Object {
    Object::from_url(url).expect("a place")
}

fn urls(listing: &Listing) -> Vec<String> {
    listing.files.iter().map(|file| file.place.text()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prefix_is_a_folder_and_a_key_is_itself() {
    let odd = ["caf\u{e9}.jpg", "cafe\u{301}.jpg", "🐢 1+1.jpg", "100%41#x?y.jpg"];
    let bucket = Bucket::with(&[("a/1.jpg", b"1"), ("a/b/2.jpg", b"2"), ("ab.jpg", b"3")]);
    for name in odd {
        bucket.put(&format!("odd/{name}"), name.as_bytes());
    }
    let objects = objects(&bucket.aws());
    for url in ["s3://plates/a", "s3://plates/a/"] {
        let listing = objects.list(&at(url)).await.expect("a listing");
        assert_eq!(urls(&listing), ["s3://plates/a/1.jpg", "s3://plates/a/b/2.jpg"]);
        assert_eq!((listing.files[0].bytes, &*listing.files[0].root), (1, "s3:/plates/a".as_ref()));
    }
    let one = objects.list(&at("s3://plates/ab.jpg")).await.expect("a listing");
    assert_eq!(
        (urls(&one), &*one.files[0].root),
        (vec!["s3://plates/ab.jpg".to_owned()], "s3:/plates".as_ref())
    );
    assert_eq!(objects.list(&at("s3://plates")).await.expect("a listing").files.len(), 7);
    let fault = objects.list(&at("s3://plates/none")).await.expect_err("nothing");
    assert_eq!(fault.kind(), FaultKind::NotFound);
    let fault = objects.list(&at("s3://no-such-bucket/")).await.expect_err("nothing");
    assert_eq!((fault.kind(), fault.is_for_all()), (FaultKind::NotFound, true));

    let listing = objects.list(&at("s3://plates/odd/")).await.expect("a listing");
    let mut expected: Vec<_> = odd.iter().map(|name| format!("s3://plates/odd/{name}")).collect();
    expected.sort();
    assert_eq!(urls(&listing), expected);
    for file in listing.files {
        let Place::Object(object) = file.place else { panic!("a file") };
        let read = objects.bytes(&object, 100).await.expect("an object");
        assert_eq!(object.key.strip_prefix("odd/").map(str::as_bytes), Some(&read[..]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_listing_is_read_to_its_end() {
    let bucket = Bucket::with(&[]);
    for n in 0..2100 {
        bucket.put(&format!("many/{n:05}.jpg"), b"x");
    }
    let aws = bucket.aws();
    let listing = objects(&aws).list(&at("s3://plates/many/")).await.expect("a listing");
    assert_eq!(listing.files.len(), 2100);
    assert_eq!(aws.tally.read().get("ListObjectsV2"), Some(&3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_is_read_once_and_kept_in_memory_only_below_the_limit() {
    let bytes: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    let bucket = Bucket::with(&[("a.jpg", &bytes)]);
    let aws = bucket.aws();
    let (objects, object) = (objects(&aws), at("s3://plates/a.jpg"));
    let stamp = objects.stamp(&object).await.expect("a stamp");
    assert_eq!((stamp.bytes, stamp.inode), (300_000, 0));
    for keep in [300_000, 299_999] {
        let intake = objects.read(&object, &stamp, keep).await.expect("an object");
        assert_eq!(intake.digest.as_bytes()[..], Sha256::digest(&bytes)[..]);
        assert_eq!(intake.blake3.as_bytes(), blake3::hash(&bytes).as_bytes());
        assert_eq!(intake.length, 300_000);
        match keep {
            300_000 => assert_eq!(intake.bytes.as_deref(), Some(&bytes)),
            _ => {
                let file = intake.spilled.expect("a temporary file");
                assert_eq!(fs::read(&file).expect("read"), bytes);
                assert_eq!(intake.bytes, None);
            }
        }
    }
    assert_eq!(aws.tally.read().get("GetObject"), Some(&2));
    assert!(objects.bytes(&object, 299_999).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_gone_is_one_objects_fault() {
    let bucket = Bucket::with(&[("a.jpg", b"a")]);
    let objects = objects(&bucket.aws());
    let stamp = objects.stamp(&at("s3://plates/a.jpg")).await.expect("a stamp");
    for url in ["s3://plates/gone.jpg", "s3://no-such-bucket/a.jpg"] {
        for fault in [
            objects.stamp(&at(url)).await.expect_err("nothing"),
            objects.read(&at(url), &stamp, 100).await.expect_err("nothing"),
        ] {
            assert_eq!((fault.kind(), fault.is_for_all()), (FaultKind::NotFound, false), "{fault}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_is_everybodys_fault() {
    let bucket = Bucket::with(&[("a.jpg", b"a")]);
    let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wrong", None, None, "test");
    let stranger = Aws { credentials: SharedCredentialsProvider::new(credentials), ..bucket.aws() };
    let fault =
        objects(&stranger).bytes(&at("s3://plates/a.jpg"), 10).await.expect_err("a refusal");
    assert_eq!((fault.kind(), fault.is_for_all()), (FaultKind::Refused, true), "{fault}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_lost_and_refused_answers_never_shorten_an_object() {
    let bytes: Vec<u8> = (0..200_000_u32).map(|n| (n % 241) as u8).collect();
    let bucket = Bucket::with(&[("a.jpg", &bytes)]);
    let plan = Plan { cut: 0.3, lost: 0.1, failed: 0.1, ..Plan::default() };
    let proxy = Faults::before(&bucket.server.url(), 7, plan);
    let (objects, object) = (objects(&aws(proxy.url())), at("s3://plates/a.jpg"));
    let stamp = objects.stamp(&object).await.expect("a stamp");
    for _ in 0..20 {
        let intake = objects.read(&object, &stamp, 1 << 20).await.expect("an object");
        assert_eq!(intake.bytes.as_deref(), Some(&bytes));
    }
    assert!(proxy.counts().values().sum::<u64>() > 0, "no fault was met");
}

#[test]
fn keys_of_listings_are_decoded() {
    for (encoded, key) in [
        ("a/b+c%2Bd%25.jpg", "a/b c+d%.jpg"),
        ("caf%C3%A9.jpg", "café.jpg"),
        ("%01%F0%9F%90%A2", "\u{1}🐢"),
    ] {
        assert_eq!(decoded(encoded).expect("a key"), key);
    }
    for wrong in ["%", "%4", "%zz", "%+1", "%FF"] {
        assert!(decoded(wrong).is_err(), "{wrong}");
    }
}
