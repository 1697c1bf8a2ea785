//! What a fresh asset costs, and that no partition is hot.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::super::super::{Catalogue as _, Entry, Stamp};
use super::super::feed;
use super::super::plan::{self, Before, Plan};
use crate::asset::{Asset, AssetId, Digest, Occurrence, PixelDigest, Tenant};
use crate::aws::dynamo::Capacity;
use crate::aws::dynamo::attribute::{self, Attributes, PK};
use crate::field::{Field, Fields};
use crate::image::{ColourModel, Format, Technical};
use crate::opinion::{Finding, Identified, Maker, Opinion, Subject, Told, Verdict};
use crate::purchase::Dollars;
use crate::run::{Balance, Item, Outcome, Run, RunId};

pub(super) fn run() -> Run {
    Run {
        id: RunId::new(Timestamp::UNIX_EPOCH, 1),
        tenant: Tenant::default(),
        collection: "c".to_owned(),
        sources: vec!["/photographs".to_owned()],
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

pub(super) fn asset(seed: u32) -> Asset {
    use sha2::{Digest as _, Sha256};
    let digest = Digest::new(Sha256::digest(seed.to_be_bytes()).into());
    Asset {
        id: AssetId::derive(&Tenant::default(), &digest),
        tenant: Tenant::default(),
        digest,
        blake3: digest,
        bytes: 4_000_000 + u64::from(seed),
        registered: Timestamp::UNIX_EPOCH,
    }
}

pub(super) fn source(seed: u32) -> String {
    format!("/photographs/1975/box {}/DSC_{seed:06}.jpg", seed / 100)
}

/// Seven opinions of about a kilobyte each, no number of them like another asset's.
pub(super) fn opinions(asset: &Asset) -> Vec<Opinion> {
    let mut number = asset.bytes;
    let mut next = || {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (number >> 40) as f64 / f64::from(1 << 24)
    };
    let pixels = PixelDigest::new(*asset.digest.as_bytes());
    let maker = |model: &str| Maker {
        backend: "onnx".to_owned(),
        model: model.to_owned(),
        version: "1".to_owned(),
        parameters: "{\"crops\":1,\"threshold\":0.05}".to_owned(),
    };
    let said = |step: &str, subject, verdict| {
        let at = Timestamp::UNIX_EPOCH;
        Opinion::new(&asset.id, step, subject, &maker(step), &run().id, at, verdict)
    };
    let words = ["Boat", "Harbour", "Person", "Water", "Sky", "Building", "Mountain", "Tree"];
    let field = |value: String| Field {
        value: value.into(),
        source: "exif:Model".to_owned(),
        also: Vec::new(),
    };
    let embedded: Fields = (0..10)
        .map(|n| (format!("field_{n}"), field(format!("{:.6} of the camera", next()))))
        .collect();
    let technical = Technical {
        format: Format::Jpeg,
        width: 4_000,
        height: 3_000,
        frames: 1,
        bit_depth: 8,
        colour: ColourModel::Rgb,
        alpha: false,
        orientation: 1,
        icc: None,
    };
    let identified = Identified { technical, embedded, pixels: Some(pixels), damage: Vec::new() };
    let identified = Verdict::Found(Finding::Identified(identified));
    let mut opinions = vec![said("identify", Subject::Bytes(asset.digest), identified)];
    for step in ["render", "assess", "label:a", "label:b", "label:c", "label:d"] {
        let mut opinion = said(step, Subject::Pixels(pixels), Verdict::NoneFound);
        let labels: Vec<_> = words
            .iter()
            .map(|word| json!({ "name": word, "confidence": (next() * 1e4).round() / 1e4, "box": [(next() * 1e3).round() / 1e3, 0.25] }))
            .collect();
        opinion.told = Some(Told { model_version: None, answer: labels.into() });
        opinions.push(opinion);
    }
    opinions
}

/// An asset with everything that is said of it in one append.
pub(super) fn fresh(seed: u32) -> Vec<Entry> {
    let asset = asset(seed);
    let occurrence =
        Occurrence { collection: "c".to_owned(), source: source(seed), metadata: Fields::new() };
    let item = Item {
        source: source(seed),
        asset: Some(asset.id.clone()),
        outcome: Outcome::Enriched,
        fault: None,
        reason: None,
    };
    let stamp = Some(Stamp { bytes: 1, modified: 2, changed: 3, inode: 4, tag: None });
    let mut entries = vec![
        Entry::Asset(asset.clone()),
        Entry::Found { asset: asset.id.clone(), occurrence, stamp },
    ];
    entries.extend(opinions(&asset).into_iter().map(Entry::Opinion));
    entries.push(Entry::Item { run: run().id, item });
    entries
}

/// The same as ingest writes it: registered first, concluded later.
fn in_two(seed: u32) -> [Vec<Entry>; 2] {
    let mut first = fresh(seed);
    let second = first.split_off(2);
    [first, second]
}

/// Write units of a plan by partition; the feed's entry in shard `shard`.
fn units(plan: &Plan, shard: usize) -> BTreeMap<String, usize> {
    let tell = feed::write(shard, 1, &Tenant::default(), "0123456789abcdef", &plan.changed, &[]);
    let mut units = BTreeMap::new();
    let mut add = |item: &Attributes, times: usize| {
        let pk = attribute::text(item, PK).expect("a partition").to_owned();
        *units.entry(pk).or_default() += attribute::size(item).div_ceil(1_024) * times;
    };
    plan.chunks.iter().chain(plan.pointers.values()).for_each(|item| add(item, 1));
    for (key, claim) in &plan.claims {
        let mut item = key.attributes();
        item.extend(claim.update().values);
        add(&item, 1);
    }
    plan.writes.iter().map(|planned| &planned.write).chain([&tell]).for_each(|w| add(&w.item, 2));
    units
}

fn planned(entries: &[Entry]) -> Plan {
    let before = Before { begun: [run().id].into(), ..Before::default() };
    plan::draw(&Tenant::default(), entries, "0123456789abcdef", before).expect("a plan")
}

/// Assets a second that the layout is made for.
const RATE: usize = 3_000;
/// Write units that one partition takes a second.
const MOST: usize = 1_000;

#[test]
#[allow(clippy::print_stdout, reason = "the figure is the point")]
fn no_partition_is_hot() {
    const ASSETS: usize = 30_000;
    let mut all: BTreeMap<String, usize> = BTreeMap::new();
    for n in 0..ASSETS {
        let plan = planned(&fresh(u32::try_from(n).expect("few")));
        for (pk, units) in units(&plan, n % 32) {
            *all.entry(pk).or_default() += units;
        }
    }
    let (hottest, units) = all.iter().max_by_key(|(_, units)| **units).expect("partitions");
    let a_second = units * RATE / ASSETS;
    println!("{RATE} assets a second: {hottest} takes {a_second} write units a second");
    assert!(a_second <= MOST, "{hottest} takes {a_second} write units a second");
    // The sheets' own partitions are one an asset; of the shared ones each must be busy.
    assert!(a_second >= 100, "the test counts something: {hottest} {a_second}");
}

#[tokio::test]
#[allow(clippy::print_stdout, reason = "the figure is the point")]
async fn a_fresh_asset_costs_what_the_key_table_says() {
    const ASSETS: u32 = 20;
    let (_server, aws, catalogue) = super::empty().await;
    let tenant = Tenant::default();
    catalogue.append(&tenant, vec![Entry::Run(run())]).await.expect("a run");
    // The first of all finds out where the feed ends and that the run is there.
    catalogue.append(&tenant, fresh(900)).await.expect("an append");
    let count = || (catalogue.capacity(), aws.tally.read().values().sum::<u64>());
    let spent = |(before, asked): (Capacity, u64), n: u32| {
        let (after, now) = count();
        let each = |units: f64| units / f64::from(n);
        (
            each(after.write - before.write),
            each(after.read - before.read),
            (now - asked) as f64 / f64::from(n),
        )
    };
    let begun = count();
    for n in 0..ASSETS {
        catalogue.append(&tenant, fresh(n)).await.expect("an append");
    }
    let (write, read, requests) = spent(begun, ASSETS);
    assert!((10.0..=13.0).contains(&write), "{write} write units in one append");
    assert!(read <= 1.0 && requests <= 4.5, "{read} read units, {requests} requests");
    let begun = count();
    for n in 100..100 + ASSETS {
        for entries in in_two(n) {
            catalogue.append(&tenant, entries).await.expect("an append");
        }
    }
    let (write_in_two, read_in_two, requests_in_two) = spent(begun, ASSETS);
    assert!(write_in_two <= 17.0, "{write_in_two} write units in two appends");
    let begun = count();
    for n in 0..ASSETS {
        catalogue.append(&tenant, fresh(n)).await.expect("an append");
    }
    let (again, read_again, requests_again) = spent(begun, ASSETS);
    assert!(again <= 2.0, "{again} write units for what is known");
    let told = catalogue.changes(&Default::default(), 1_000).await.expect("changes");
    let at = told.bookmark;
    let begun = count();
    for _ in 0..10 {
        assert!(catalogue.changes(&at, 1_000).await.expect("changes").list.is_empty());
    }
    let (_, poll, poll_requests) = spent(begun, 10);
    assert!(poll <= 36.0 && poll_requests <= 1.0, "{poll} read units, {poll_requests} requests");
    let bytes: usize = opinions(&asset(1)).iter().map(|o| json!(o).to_string().len()).sum();
    println!(
        "seven opinions of {bytes} bytes; write units, read units, requests: \
         in one append {write} {read} {requests}, in two {write_in_two} {read_in_two} {requests_in_two}, \
         known {again} {read_again} {requests_again}, idle poll {poll} {poll_requests}"
    );
}
