//! What every store must do; each backend's tests call [`run`] on an empty store.

use std::sync::Arc;

use super::{Body, Created, Key, Store};
use crate::asset::{Digest, PixelDigest, Tenant};
use crate::fault::{Fault, FaultKind};

/// Runs every check of the contract.
///
/// # Panics
/// When the store breaks its contract.
pub(super) async fn run(store: Arc<dyn Store>) {
    a_created_key_reads_back(&*store).await;
    create_never_replaces(&*store).await;
    one_of_many_creators_wins(store.clone()).await;
    replace_replaces_but_never_an_original(&*store).await;
    what_is_removed_is_gone_but_never_an_original(&*store).await;
    a_missing_key_is_not_found(&*store).await;
    parts_are_those_of_the_whole(&*store).await;
    tenants_are_apart(&*store).await;
    files_are_copied_in(&*store).await;
    bytes_that_hash_differently_never_get_a_key(&*store).await;
}

fn original(seed: u8) -> Key {
    Key::Original { tenant: Tenant::default(), digest: Digest::new([seed; 32]) }
}

fn rendition(seed: u8) -> Key {
    Key::Rendition {
        tenant: Tenant::default(),
        pixels: PixelDigest::new([seed; 32]),
        file: "256-q82.jpg".to_owned(),
    }
}

fn body(bytes: &[u8]) -> Body {
    Body::Bytes(Arc::new(bytes.to_vec()))
}

async fn create(store: &dyn Store, key: &Key, bytes: &[u8]) -> Result<Created, Fault> {
    store.create(key, &body(bytes), &blake3_of(bytes)).await
}

fn blake3_of(bytes: &[u8]) -> Digest {
    Digest::new(*blake3::hash(bytes).as_bytes())
}

async fn a_created_key_reads_back(store: &dyn Store) {
    for (seed, bytes) in [(1, &b""[..]), (2, b"a picture"), (3, &[7; 300_000])] {
        let key = original(seed);
        assert_eq!(create(store, &key, bytes).await.expect("create"), Created::New);
        assert_eq!(store.read(&key).await.expect("read"), bytes);
        assert_eq!(store.length(&key).await.expect("length"), Some(bytes.len() as u64));
        assert_eq!(store.blake3(&key).await.expect("hash"), blake3_of(bytes));
        assert!(!store.place(&key.path()).is_empty());
    }
}

async fn create_never_replaces(store: &dyn Store) {
    let key = original(10);
    create(store, &key, b"first").await.expect("create");
    assert_eq!(create(store, &key, b"other").await.expect("create"), Created::Existed);
    assert_eq!(store.read(&key).await.expect("read"), b"first");
}

async fn what_is_removed_is_gone_but_never_an_original(store: &dyn Store) {
    let (kept, gone) = (original(15), rendition(15));
    create(store, &kept, b"an original").await.expect("create");
    store.replace(&gone, &body(b"a rendition")).await.expect("replace");
    for _ in 0..2 {
        store.remove(&gone).await.expect("remove");
        assert_eq!(store.length(&gone).await.expect("length"), None);
    }
    let refused = store.remove(&kept).await.expect_err("an original");
    assert_eq!(refused.kind(), FaultKind::Refused);
    assert_eq!(store.read(&kept).await.expect("read"), b"an original");
}

async fn one_of_many_creators_wins(store: Arc<dyn Store>) {
    let tasks: Vec<_> = (0..32_u8)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move {
                let bytes = vec![n; 10_000];
                (n, create(&*store, &original(20), &bytes).await.expect("create"))
            })
        })
        .collect();
    let mut winners = Vec::new();
    for task in tasks {
        let (n, created) = task.await.expect("a task");
        if created == Created::New {
            winners.push(n);
        }
    }
    assert_eq!(winners.len(), 1, "winners: {winners:?}");
    assert_eq!(store.read(&original(20)).await.expect("read"), vec![winners[0]; 10_000]);
}

async fn replace_replaces_but_never_an_original(store: &dyn Store) {
    let key = rendition(30);
    store.replace(&key, &body(b"first")).await.expect("replace");
    store.replace(&key, &body(b"second")).await.expect("replace");
    assert_eq!(store.read(&key).await.expect("read"), b"second");

    let sacred = original(31);
    create(store, &sacred, b"first").await.expect("create");
    for key in [&sacred, &original(32)] {
        let fault = store.replace(key, &body(b"second")).await.expect_err("a refusal");
        assert_eq!(fault.kind(), FaultKind::Refused);
    }
    assert_eq!(store.read(&sacred).await.expect("read"), b"first");
    assert_eq!(store.length(&original(32)).await.expect("length"), None);
}

async fn a_missing_key_is_not_found(store: &dyn Store) {
    let key = original(40);
    assert_eq!(store.read(&key).await.expect_err("nothing").kind(), FaultKind::NotFound);
    assert_eq!(store.blake3(&key).await.expect_err("nothing").kind(), FaultKind::NotFound);
    assert_eq!(store.length(&key).await.expect("length"), None);
}

async fn parts_are_those_of_the_whole(store: &dyn Store) {
    let (key, empty) = (original(45), original(46));
    let bytes: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
    create(store, &key, &bytes).await.expect("create");
    create(store, &empty, b"").await.expect("create");
    for (from, most, expected) in [
        (0, 10, 0..10),
        (99_990, 10, 99_990..100_000),
        (99_990, 500, 99_990..100_000),
        (0, 1_000_000, 0..100_000),
        (70_001, 20_000, 70_001..90_001),
        (100_000, 10, 0..0),
        (1 << 40, 10, 0..0),
        (5, 0, 0..0),
    ] {
        let part = store.read_part(&key, from, most).await.expect("a part");
        assert_eq!(part, bytes[expected], "{most} bytes from {from}");
    }
    assert!(store.read_part(&empty, 0, 10).await.expect("nothing").is_empty());
    let missing = store.read_part(&original(47), 0, 10).await.expect_err("nothing");
    assert_eq!(missing.kind(), FaultKind::NotFound);
}

async fn tenants_are_apart(store: &dyn Store) {
    let other: Tenant = "other".parse().expect("a good name");
    create(store, &original(50), b"mine").await.expect("create");
    let theirs = Key::Original { tenant: other, digest: Digest::new([50; 32]) };
    assert_eq!(store.length(&theirs).await.expect("length"), None);
}

async fn files_are_copied_in(store: &dyn Store) {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::io::Write::write_all(&mut file, &[9; 70_000]).expect("write");
    let key = original(60);
    let body = Body::File(file.path().to_owned());
    store.create(&key, &body, &blake3_of(&[9; 70_000])).await.expect("create");
    assert_eq!(store.read(&key).await.expect("read"), vec![9; 70_000]);
}

async fn bytes_that_hash_differently_never_get_a_key(store: &dyn Store) {
    let key = original(70);
    let fault = store.create(&key, &body(b"torn"), &blake3_of(b"whole")).await;
    assert_eq!(fault.expect_err("a refusal").kind(), FaultKind::Broken);
    assert_eq!(store.length(&key).await.expect("length"), None);
}
