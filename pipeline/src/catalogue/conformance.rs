//! What every catalogue must do; each backend's tests call [`run`] on an empty one.

pub(super) mod hard;
mod purchases;
mod slate;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Bookmark, Catalogue, Entry, Stamp};
use crate::asset::{Asset, AssetId, Digest, Occurrence, PixelDigest, Tenant};
use crate::decision::{Decision, Ruling};
use crate::embedding::{DIMENSIONS, Embedding, Space};
use crate::fault::FaultKind;
use crate::field::{Field, Fields};
use crate::image::{ColourModel, Format, Technical};
use crate::label::LabelKind;
use crate::opinion::{Finding, Identified, Maker, Opinion, Subject, Verdict};
use crate::purchase::Dollars;
use crate::run::{Balance, Item, Outcome, Run, RunId};

/// Runs every check of the contract; `other` is another, empty too.
pub(super) async fn run(catalogue: Arc<dyn Catalogue>, other: &dyn Catalogue) {
    what_is_appended_reads_back(&*catalogue).await;
    appending_twice_changes_nothing(&*catalogue).await;
    a_failed_append_leaves_nothing(&*catalogue).await;
    a_conclusive_opinion_is_found_again(&*catalogue).await;
    the_latest_asset_at_a_place_is_known(&*catalogue).await;
    a_withdrawal_reaches_every_asset_of_the_run(&*catalogue).await;
    pages_stay_stable_while_assets_are_added(catalogue.clone()).await;
    tenants_are_apart(&*catalogue).await;
    odd_names_survive(&*catalogue).await;
    runs_and_items_read_back(&*catalogue).await;
    the_feed_misses_nothing_under_concurrent_writes(catalogue.clone()).await;
    purchases::run(catalogue.clone()).await;
    a_bookmark_is_of_one_catalogue(&*catalogue, other).await;
    slate::run(catalogue.clone()).await;
    hard::run(catalogue).await;
}

fn tenant() -> Tenant {
    Tenant::default()
}

fn asset(seed: u32) -> Asset {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed.to_be_bytes());
    let digest = Digest::new(bytes);
    Asset {
        id: AssetId::derive(&tenant(), &digest),
        tenant: tenant(),
        digest,
        blake3: digest,
        bytes: u64::from(seed),
        registered: Timestamp::UNIX_EPOCH,
    }
}

fn occurrence(collection: &str, source: &str) -> Occurrence {
    Occurrence {
        collection: collection.to_owned(),
        source: source.to_owned(),
        metadata: Fields::new(),
    }
}

fn found(asset: &Asset, collection: &str, source: &str) -> Entry {
    Entry::Found {
        asset: asset.id.clone(),
        occurrence: occurrence(collection, source),
        stamp: Some(Stamp { bytes: 1, modified: 2, changed: 3, inode: 4, tag: None }),
    }
}

fn maker(version: &str) -> Maker {
    Maker {
        backend: "onnx".to_owned(),
        model: "m".to_owned(),
        version: version.to_owned(),
        parameters: "{\"crops\":1}".to_owned(),
    }
}

fn pixels(seed: u8) -> Subject {
    Subject::Pixels(PixelDigest::new([seed; 32]))
}

fn opinion(asset: &Asset, subject: Subject, run: &RunId, verdict: Verdict) -> Opinion {
    Opinion::new(&asset.id, "label:m", subject, &maker("1"), run, Timestamp::UNIX_EPOCH, verdict)
}

fn run_named(n: u32) -> Run {
    Run {
        id: RunId::new(Timestamp::UNIX_EPOCH, n),
        tenant: tenant(),
        collection: "c".to_owned(),
        sources: vec!["/photos".to_owned()],
        version: "0.1.0".to_owned(),
        started: Timestamp::UNIX_EPOCH,
        finished: None,
        balance: Balance::default(),
        withdrawn: false,
        trial: false,
        budget: None,
        spent: Dollars::ZERO,
    }
}

/// Reads the feed from a bookmark to its end, a few at a time.
async fn changes_since(catalogue: &dyn Catalogue, bookmark: Bookmark) -> Vec<AssetId> {
    let (mut at, mut read) = (bookmark, Vec::new());
    loop {
        let changes = catalogue.changes(&at, 3).await.expect("changes");
        at = changes.bookmark;
        if changes.list.is_empty() {
            return read;
        }
        read.extend(changes.list.into_iter().map(|change| change.asset));
    }
}

/// The bookmark behind everything appended so far.
async fn last(catalogue: &dyn Catalogue) -> Bookmark {
    let mut at = Bookmark::default();
    loop {
        let changes = catalogue.changes(&at, 10_000).await.expect("changes");
        if changes.list.is_empty() {
            return at;
        }
        at = changes.bookmark;
    }
}

async fn a_bookmark_is_of_one_catalogue(catalogue: &dyn Catalogue, other: &dyn Catalogue) {
    let foreign = last(catalogue).await;
    assert_eq!(other.changes(&foreign, 1).await.expect_err("foreign").kind(), FaultKind::Conflict);
    other.append(&tenant(), vec![Entry::Asset(asset(99))]).await.expect("append");
    assert_eq!(other.changes(&foreign, 1).await.expect_err("foreign").kind(), FaultKind::Conflict);
    let own = last(other).await;
    assert!(other.changes(&own, 1).await.expect("changes").list.is_empty());
    let fault = catalogue.changes(&own, 1).await.expect_err("foreign");
    assert_eq!(fault.kind(), FaultKind::Conflict);
    for text in ["x", "\"1\"", "0 0", "x y z w"] {
        let odd: Bookmark = serde_json::from_value(text.into()).expect("a text is a bookmark");
        let fault = catalogue.changes(&odd, 1).await.expect_err("no bookmark of ours");
        assert_eq!(fault.kind(), FaultKind::Conflict);
    }
}

async fn what_is_appended_reads_back(catalogue: &dyn Catalogue) {
    let a = asset(1);
    let pixel_digest = PixelDigest::new([1; 32]);
    let identified = Identified {
        technical: Technical {
            format: Format::Png,
            width: 3,
            height: 4,
            frames: 1,
            bit_depth: 8,
            colour: ColourModel::Rgb,
            alpha: false,
            orientation: 1,
            icc: None,
        },
        embedded: Fields::new(),
        pixels: Some(pixel_digest),
        damage: Vec::new(),
    };
    let opinion = Opinion::new(
        &a.id,
        "identify",
        Subject::Bytes(a.digest),
        &maker("1"),
        &run_named(1).id,
        Timestamp::UNIX_EPOCH,
        Verdict::Found(Finding::Identified(identified)),
    );
    let decision = Decision {
        asset: a.id.clone(),
        label: "dog".to_owned(),
        kind: LabelKind::Object,
        wordnet: None,
        parents: Vec::new(),
        ruling: Ruling::Add,
        who: "ada".to_owned(),
        at: Timestamp::UNIX_EPOCH,
    };
    assert_eq!(catalogue.parts(&tenant(), &a.id).await.expect("parts"), None);
    let before = last(catalogue).await;
    let entries = vec![
        Entry::Asset(a.clone()),
        found(&a, "one", "/b.png"),
        found(&a, "one", "/a.png"),
        Entry::Opinion(opinion.clone()),
        Entry::Decision(decision.clone()),
    ];
    catalogue.append(&tenant(), entries).await.expect("append");
    let parts = catalogue.parts(&tenant(), &a.id).await.expect("parts").expect("an asset");
    assert_eq!(parts.asset, a);
    assert_eq!(parts.occurrences, [occurrence("one", "/a.png"), occurrence("one", "/b.png")]);
    assert_eq!(parts.opinions, [opinion]);
    assert_eq!(parts.decisions, [decision]);
    assert!(parts.withdrawn.is_empty());
    assert_eq!(changes_since(catalogue, before).await, std::slice::from_ref(&a.id));
    let family = catalogue.family(&tenant(), &pixel_digest).await.expect("family");
    assert_eq!(family, std::slice::from_ref(&a.id));
    let many = catalogue.parts_of_many(&tenant(), &[asset(999).id, a.id]).await.expect("parts");
    assert_eq!(many, [parts]);
}

async fn appending_twice_changes_nothing(catalogue: &dyn Catalogue) {
    let a = asset(2);
    let mut entries = vec![
        Entry::Asset(a.clone()),
        found(&a, "two", "/a"),
        Entry::Opinion(opinion(&a, pixels(2), &run_named(2).id, Verdict::NoneFound)),
    ];
    catalogue.append(&tenant(), entries.clone()).await.expect("append");
    let parts = catalogue.parts(&tenant(), &a.id).await.expect("parts");
    let before = last(catalogue).await;
    if let Entry::Asset(again) = &mut entries[0] {
        again.registered = Timestamp::from_second(5).expect("small");
    }
    catalogue.append(&tenant(), entries).await.expect("append");
    assert_eq!(catalogue.parts(&tenant(), &a.id).await.expect("parts"), parts);
    assert!(changes_since(catalogue, before.clone()).await.is_empty(), "nothing changed");

    let mut metadata = Fields::new();
    metadata.insert(
        "title".to_owned(),
        Field { value: "A boat".into(), source: "csv:c.csv".to_owned(), also: Vec::new() },
    );
    let occurrence = Occurrence { metadata, ..occurrence("two", "/a") };
    let entry = Entry::Found { asset: a.id.clone(), occurrence: occurrence.clone(), stamp: None };
    catalogue.append(&tenant(), vec![entry]).await.expect("append");
    let parts = catalogue.parts(&tenant(), &a.id).await.expect("parts").expect("an asset");
    assert_eq!(parts.occurrences, [occurrence]);
    assert_eq!(changes_since(catalogue, before).await, [a.id]);
}

async fn a_failed_append_leaves_nothing(catalogue: &dyn Catalogue) {
    let (a, unknown) = (asset(3), asset(4));
    let before = last(catalogue).await;
    let entries = vec![Entry::Asset(a.clone()), found(&unknown, "three", "/x")];
    let fault = catalogue.append(&tenant(), entries).await.expect_err("an unknown asset");
    assert_eq!(fault.kind(), FaultKind::NotFound);
    assert_eq!(catalogue.parts(&tenant(), &a.id).await.expect("parts"), None);
    assert_eq!(last(catalogue).await, before);
    let item = Item {
        source: "/x".to_owned(),
        asset: None,
        outcome: Outcome::Failed,
        fault: None,
        reason: None,
    };
    let entry = Entry::Item { run: run_named(77).id, item };
    assert!(catalogue.append(&tenant(), vec![entry]).await.is_err(), "an unknown run");
}

async fn a_conclusive_opinion_is_found_again(catalogue: &dyn Catalogue) {
    let (a, b) = (asset(5), asset(6));
    let subject = pixels(5);
    let failed = Verdict::Failed { fault: FaultKind::TimedOut, reason: "slow".to_owned() };
    let entries = vec![
        Entry::Asset(a.clone()),
        Entry::Asset(b.clone()),
        Entry::Opinion(opinion(&a, subject, &run_named(3).id, failed)),
    ];
    catalogue.append(&tenant(), entries).await.expect("append");
    let find = async |version: &str, step: &str| {
        catalogue.reusable(&tenant(), step, &subject, &maker(version)).await.expect("reusable")
    };
    assert_eq!(find("1", "label:m").await, None, "a timeout is asked again");
    let first = opinion(&a, subject, &run_named(4).id, Verdict::NoneFound);
    let entries = vec![
        Entry::Opinion(first.clone()),
        Entry::Opinion(opinion(&b, subject, &run_named(4).id, Verdict::NoneFound)),
    ];
    catalogue.append(&tenant(), entries).await.expect("append");
    let again = find("1", "label:m").await.expect("a known answer");
    assert!(again.asset == a.id || again.asset == b.id, "whichever said it");
    assert_eq!((again.verdict, again.subject), (first.verdict, first.subject));
    assert_eq!(find("2", "label:m").await, None, "another version is another maker");
    assert_eq!(find("1", "label:n").await, None);
    let later = [&a, &b].map(|asset| {
        let said = opinion(asset, subject, &run_named(44).id, Verdict::NoneFound);
        let embedding = Embedding::of(&Space::named("m/1"), &[1.0; DIMENSIONS]);
        Entry::Opinion(Opinion { embedding, ..said })
    });
    catalogue.append(&tenant(), later.into()).await.expect("append");
    let last = find("1", "label:m").await.expect("a known answer");
    assert!(last.embedding.is_some(), "of one asset the last: {last:?}");
}

async fn the_latest_asset_at_a_place_is_known(catalogue: &dyn Catalogue) {
    let (a, b) = (asset(7), asset(8));
    let sighting = async || catalogue.sighting(&tenant(), "seen", "/p").await.expect("sighting");
    assert_eq!(sighting().await, None);
    for asset in [&a, &b, &a] {
        let entries = vec![Entry::Asset(asset.clone()), found(asset, "seen", "/p")];
        catalogue.append(&tenant(), entries).await.expect("append");
        let seen = sighting().await.expect("a sighting");
        assert_eq!(seen.asset, asset.id);
        assert_eq!(seen.occurrence, occurrence("seen", "/p"));
        assert_eq!(
            seen.stamp,
            Some(Stamp { bytes: 1, modified: 2, changed: 3, inode: 4, tag: None })
        );
    }
}

async fn a_withdrawal_reaches_every_asset_of_the_run(catalogue: &dyn Catalogue) {
    let (a, b, c) = (asset(9), asset(10), asset(11));
    let mut withdrawn = run_named(5);
    let other = run_named(6);
    let entries = vec![
        Entry::Run(withdrawn.clone()),
        Entry::Run(other.clone()),
        Entry::Asset(a.clone()),
        Entry::Asset(b.clone()),
        Entry::Asset(c.clone()),
        Entry::Opinion(opinion(&a, pixels(9), &withdrawn.id, Verdict::NoneFound)),
        Entry::Opinion(opinion(&b, pixels(10), &withdrawn.id, Verdict::NoneFound)),
        Entry::Opinion(opinion(&c, pixels(11), &other.id, Verdict::NoneFound)),
    ];
    catalogue.append(&tenant(), entries).await.expect("append");
    let before = last(catalogue).await;
    withdrawn.withdrawn = true;
    catalogue.append(&tenant(), vec![Entry::Run(withdrawn.clone())]).await.expect("append");
    let mut changed = changes_since(catalogue, before).await;
    changed.sort();
    let mut expected = vec![a.id.clone(), b.id];
    expected.sort();
    assert_eq!(changed, expected);
    let of_run = async |after: Option<&AssetId>, limit| {
        catalogue.assets_of_run(&tenant(), &withdrawn.id, after, limit).await.expect("assets")
    };
    assert_eq!(of_run(None, 10).await, expected);
    assert_eq!(of_run(None, 1).await, expected[..1]);
    assert_eq!(of_run(Some(&expected[0]), 10).await, expected[1..]);
    assert!(of_run(Some(&expected[1]), 10).await.is_empty());
    let parts = catalogue.parts(&tenant(), &a.id).await.expect("parts").expect("an asset");
    assert!(parts.withdrawn.contains(&withdrawn.id));
}

async fn pages_stay_stable_while_assets_are_added(catalogue: Arc<dyn Catalogue>) {
    let first: Vec<Asset> = (100..180).map(asset).collect();
    for a in &first {
        let entries = vec![Entry::Asset(a.clone()), found(a, "pages", "/first")];
        catalogue.append(&tenant(), entries).await.expect("append");
    }
    let writer = {
        let catalogue = catalogue.clone();
        tokio::spawn(async move {
            for a in (200..280).map(asset) {
                let entries = vec![Entry::Asset(a.clone()), found(&a, "pages", "/second")];
                catalogue.append(&tenant(), entries).await.expect("append");
            }
        })
    };
    let mut listed = Vec::new();
    loop {
        let page =
            catalogue.assets(&tenant(), Some("pages"), listed.last(), 7).await.expect("a page");
        if page.is_empty() {
            break;
        }
        listed.extend(page);
    }
    writer.await.expect("the writer");
    assert!(listed.windows(2).all(|pair| pair[0] < pair[1]), "in order, none twice");
    for a in &first {
        assert!(listed.contains(&a.id), "an asset that was there all the time is listed");
    }
    let all = catalogue.assets(&tenant(), None, None, 1_000_000).await.expect("all");
    assert!(all.len() >= 160 && listed.iter().all(|id| all.contains(id)));
}

async fn tenants_are_apart(catalogue: &dyn Catalogue) {
    let other: Tenant = "other".parse().expect("a good name");
    let a = asset(12);
    let entries = vec![
        Entry::Run(run_named(12)),
        Entry::Asset(a.clone()),
        found(&a, "mine", "/a"),
        Entry::Opinion(opinion(&a, pixels(12), &run_named(12).id, Verdict::NoneFound)),
    ];
    catalogue.append(&tenant(), entries).await.expect("append");
    assert_eq!(catalogue.parts(&other, &a.id).await.expect("parts"), None);
    assert_eq!(catalogue.sighting(&other, "mine", "/a").await.expect("sighting"), None);
    assert!(catalogue.assets(&other, None, None, 10).await.expect("assets").is_empty());
    assert!(catalogue.runs(&other, None, 10).await.expect("runs").is_empty());
    assert_eq!(catalogue.run(&other, &run_named(12).id).await.expect("run"), None);
    let taken = catalogue.reusable(&other, "label:m", &pixels(12), &maker("1")).await;
    assert_eq!(taken.expect("reusable"), None);
    let changes = catalogue.changes(&Bookmark::default(), 100_000).await.expect("changes");
    assert!(changes.list.iter().all(|change| change.tenant == tenant()));
}

async fn odd_names_survive(catalogue: &dyn Catalogue) {
    let a = asset(13);
    catalogue.append(&tenant(), vec![Entry::Asset(a.clone())]).await.expect("append");
    let names = ["caf\u{e9}", "cafe\u{301}", "a/b//c", "🐢\n'; DROP TABLE asset; --", " "];
    for name in names {
        catalogue.append(&tenant(), vec![found(&a, name, name)]).await.expect("append");
    }
    let parts = catalogue.parts(&tenant(), &a.id).await.expect("parts").expect("an asset");
    assert_eq!(parts.occurrences.len(), names.len(), "NFC and NFD are different names");
    for name in names {
        assert!(catalogue.sighting(&tenant(), name, name).await.expect("sighting").is_some());
    }
}

async fn runs_and_items_read_back(catalogue: &dyn Catalogue) {
    let mut run = run_named(8);
    catalogue.append(&tenant(), vec![Entry::Run(run.clone())]).await.expect("append");
    run.finished = Some(Timestamp::from_second(9).expect("small"));
    let mut written = BTreeMap::new();
    for (n, outcome) in Outcome::ALL.into_iter().enumerate() {
        let item = Item {
            source: format!("/{n}"),
            asset: Some(asset(13).id),
            outcome,
            fault: (outcome == Outcome::Rejected).then_some(FaultKind::TooLarge),
            reason: Some("because".to_owned()),
        };
        written.insert(item.source.clone(), item.clone());
        let entry = Entry::Item { run: run.id.clone(), item };
        catalogue.append(&tenant(), vec![entry]).await.expect("append");
    }
    catalogue.append(&tenant(), vec![Entry::Run(run.clone())]).await.expect("append");
    assert_eq!(catalogue.run(&tenant(), &run.id).await.expect("run"), Some(run.clone()));
    assert!(catalogue.runs(&tenant(), None, 100).await.expect("runs").contains(&run));
    let mut read = Vec::new();
    loop {
        let after = read.last().map(|item: &Item| item.source.clone());
        let page = catalogue.items(&tenant(), &run.id, after.as_deref(), 2).await.expect("items");
        if page.is_empty() {
            break;
        }
        read.extend(page);
    }
    assert_eq!(read, written.into_values().collect::<Vec<_>>());
}

async fn the_feed_misses_nothing_under_concurrent_writes(catalogue: Arc<dyn Catalogue>) {
    let before = last(&*catalogue).await;
    let writers: Vec<_> = (0..32_u32)
        .map(|n| {
            let catalogue = catalogue.clone();
            tokio::spawn(async move {
                for m in 0..10 {
                    // Every asset is written by two tasks at once.
                    let a = asset(1_000 + (n / 2) * 10 + m);
                    catalogue.append(&tenant(), vec![Entry::Asset(a)]).await.expect("append");
                }
            })
        })
        .collect();
    let mut followed = Vec::new();
    let mut bookmark = before;
    for writer in writers {
        writer.await.expect("a writer");
        let changes = catalogue.changes(&bookmark, 10_000).await.expect("changes");
        bookmark = changes.bookmark;
        followed.extend(changes.list.into_iter().map(|change| change.asset));
    }
    followed.sort();
    let mut expected: Vec<AssetId> = (1_000..1_160).map(|n| asset(n).id).collect();
    expected.sort();
    assert_eq!(followed, expected, "each new asset joins the feed exactly once");
}
