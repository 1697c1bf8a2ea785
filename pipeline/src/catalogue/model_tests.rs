//! Random appends and all readings, on a plain model, on SQLite and on DynamoDB: one answer.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::sqlite::SqliteCatalogue;
use super::{Bookmark, Catalogue, Entry, Sighting, Stamp};
use crate::asset::{Asset, AssetId, Digest, Occurrence, PixelDigest, Tenant};
use crate::decision::{Decision, Ruling};
use crate::fault::FaultKind;
use crate::field::{Field, Fields};
use crate::image::{ColourModel, Format, Technical};
use crate::label::LabelKind;
use crate::opinion::{Finding, Identified, Maker, Opinion, Subject, Verdict};
use crate::purchase::{Dollars, Purchase, PurchaseId, PurchaseState};
use crate::record::Parts;
use crate::run::{Balance, Item, Outcome, Run, RunId};

const ASSETS: u8 = 4;
const RUNS: u32 = 3;
const PIXELS: u8 = 2;
const TENANTS: [&str; 2] = ["default", "default-c"];
const COLLECTIONS: [&str; 3] = ["c", "c#0", "caf\u{e9} \u{1F422}"];
const SOURCES: [&str; 3] = ["/a", " ", "/b\n#"];
const STEPS: [&str; 2] = ["label:m", "label:n"];

/// The catalogue as its port describes it, without any thought for storage.
#[derive(Debug, Clone, Default)]
struct Model {
    assets: BTreeMap<AssetId, Parts>,
    sightings: BTreeMap<(String, String), (AssetId, Option<Stamp>)>,
    runs: BTreeMap<RunId, Run>,
    items: BTreeMap<(RunId, String), Item>,
    purchases: BTreeMap<(PurchaseId, u32), Purchase>,
    changed: BTreeSet<AssetId>,
}

impl Model {
    fn append(&mut self, entries: &[Entry]) -> Result<(), FaultKind> {
        let mut next = self.clone();
        entries.iter().try_for_each(|entry| next.take(entry))?;
        *self = next;
        Ok(())
    }

    fn take(&mut self, entry: &Entry) -> Result<(), FaultKind> {
        let changed = match entry {
            Entry::Asset(asset) => {
                let parts = Parts {
                    asset: asset.clone(),
                    occurrences: Vec::new(),
                    opinions: Vec::new(),
                    decisions: Vec::new(),
                    withdrawn: BTreeSet::new(),
                };
                let new = !self.assets.contains_key(&asset.id);
                self.assets.entry(asset.id.clone()).or_insert(parts);
                new.then(|| asset.id.clone())
            }
            Entry::Found { asset, occurrence, stamp } => {
                let parts = self.assets.get_mut(asset).ok_or(FaultKind::NotFound)?;
                let place = (occurrence.collection.clone(), occurrence.source.clone());
                let new = !parts.occurrences.contains(occurrence);
                parts.occurrences.retain(|o| (&o.collection, &o.source) != (&place.0, &place.1));
                parts.occurrences.push(occurrence.clone());
                parts
                    .occurrences
                    .sort_by(|a, b| (&a.collection, &a.source).cmp(&(&b.collection, &b.source)));
                self.sightings.insert(place, (asset.clone(), stamp.clone()));
                new.then(|| asset.clone())
            }
            Entry::Opinion(opinion) => {
                let parts = self.assets.get_mut(&opinion.asset).ok_or(FaultKind::NotFound)?;
                let new = parts.opinions.iter().all(|o| o.id != opinion.id);
                if new {
                    parts.opinions.push(opinion.clone());
                }
                new.then(|| opinion.asset.clone())
            }
            Entry::Decision(decision) => {
                let parts = self.assets.get_mut(&decision.asset).ok_or(FaultKind::NotFound)?;
                let new = !parts.decisions.contains(decision);
                if new {
                    parts.decisions.push(decision.clone());
                }
                new.then(|| decision.asset.clone())
            }
            Entry::Run(run) => {
                let before = self.runs.insert(run.id.clone(), run.clone());
                if before.is_some_and(|before| before.withdrawn) != run.withdrawn {
                    self.changed.extend(self.of_run(&run.id));
                }
                None
            }
            Entry::Item { run, item } => {
                if !self.runs.contains_key(run) {
                    return Err(FaultKind::NotFound);
                }
                self.items.insert((run.clone(), item.source.clone()), item.clone());
                None
            }
            Entry::Purchase(purchase) => {
                let key = (purchase.id.clone(), purchase.attempt);
                let may = self.purchases.get(&key).is_none_or(|there| {
                    there == purchase
                        || purchase.state != PurchaseState::Reserved
                            && there.run == purchase.run
                            && (there.state == PurchaseState::Reserved
                                || there.state == purchase.state)
                });
                if !may {
                    return Err(FaultKind::Conflict);
                }
                self.purchases.insert(key, purchase.clone());
                None
            }
        };
        self.changed.extend(changed);
        Ok(())
    }

    fn of_run(&self, run: &RunId) -> Vec<AssetId> {
        let spoke = |parts: &&Parts| parts.opinions.iter().any(|o| o.run == *run);
        self.assets.values().filter(spoke).map(|parts| parts.asset.id.clone()).collect()
    }

    fn parts(&self, asset: &AssetId) -> Option<Parts> {
        let mut parts = self.assets.get(asset)?.clone();
        let withdrawn = |run: &&RunId| self.runs.get(*run).is_some_and(|run| run.withdrawn);
        let runs = parts.opinions.iter().map(|o| &o.run);
        parts.withdrawn = runs.filter(withdrawn).cloned().collect();
        Some(parts)
    }

    fn sighting(&self, collection: &str, source: &str) -> Option<Sighting> {
        let place = (collection.to_owned(), source.to_owned());
        let (asset, stamp) = self.sightings.get(&place)?.clone();
        let mut occurrences = self.assets[&asset].occurrences.iter();
        let here = |o: &&Occurrence| (&o.collection, &o.source) == (&place.0, &place.1);
        let occurrence = occurrences.find(here).expect("an occurrence").clone();
        Some(Sighting { asset, occurrence, stamp })
    }
}

fn tenant(n: usize) -> Tenant {
    TENANTS[n].parse().expect("a good name")
}

fn asset(owner: usize, n: u8) -> Asset {
    let digest = Digest::new([n; 32]);
    Asset {
        id: AssetId::derive(&tenant(owner), &digest),
        tenant: tenant(owner),
        digest,
        blake3: digest,
        bytes: u64::from(n),
        registered: Timestamp::UNIX_EPOCH,
    }
}

fn run_id(n: u32) -> RunId {
    RunId::new(Timestamp::UNIX_EPOCH, n)
}

fn maker() -> Maker {
    Maker {
        backend: "onnx".to_owned(),
        model: "m".to_owned(),
        version: "1".to_owned(),
        parameters: String::new(),
    }
}

fn pixels(n: u8) -> PixelDigest {
    PixelDigest::new([n; 32])
}

fn opinion(owner: usize, n: u8, step: usize, shown: u8, run: u32, odd: bool) -> Opinion {
    let of = asset(owner, n);
    // What is said follows from who says it of what: an opinion's id names one content.
    let (step, subject, verdict) = match (step, odd) {
        (0, false) => {
            let technical = Technical {
                format: Format::Png,
                width: 1,
                height: 1,
                frames: 1,
                bit_depth: 8,
                colour: ColourModel::Rgb,
                alpha: false,
                orientation: 1,
                icc: None,
            };
            let identified = Identified {
                technical,
                embedded: Fields::new(),
                pixels: Some(pixels(n % PIXELS)),
                damage: Vec::new(),
            };
            let found = Verdict::Found(Finding::Identified(identified));
            ("identify", Subject::Bytes(of.digest), found)
        }
        // Of another asset's bytes, which only a careless caller would say.
        (0, true) => ("describe", Subject::Bytes(Digest::new([shown; 32])), Verdict::NoneFound),
        (step, odd) => {
            let reason = "busy".to_owned();
            let verdict = match odd && n == 0 {
                true => Verdict::Failed { fault: FaultKind::Busy, reason },
                false => Verdict::NoneFound,
            };
            // The failed one has a step of its own.
            let step = if odd && n == 0 { "label:failed" } else { STEPS[step - 1] };
            (step, Subject::Pixels(pixels(shown)), verdict)
        }
    };
    Opinion::new(&of.id, step, subject, &maker(), &run_id(run), Timestamp::UNIX_EPOCH, verdict)
}

fn entry(owner: usize) -> impl Strategy<Value = Entry> {
    let n = 0..ASSETS;
    prop_oneof![
        3 => n.clone().prop_map(move |n| Entry::Asset(asset(owner, n))),
        3 => (n.clone(), 0..COLLECTIONS.len(), 0..SOURCES.len(), 0..3_u64).prop_map(move |(n, c, s, value)| {
            let mut metadata = Fields::new();
            if value > 0 {
                let source = "csv:c".to_owned();
                metadata.insert("title".to_owned(), Field { value: value.into(), source, also: Vec::new() });
            }
            let stamp = (value != 1).then_some(Stamp { bytes: value, modified: -1, changed: 2, inode: 3, tag: None });
            let occurrence = Occurrence { collection: COLLECTIONS[c].to_owned(), source: SOURCES[s].to_owned(), metadata };
            Entry::Found { asset: asset(owner, n).id, occurrence, stamp }
        }),
        4 => (n.clone(), 0..3_usize, 0..PIXELS, 0..RUNS, any::<bool>())
            .prop_map(move |(n, step, shown, run, odd)| Entry::Opinion(opinion(owner, n, step, shown, run, odd))),
        1 => (n, 0..2_i64).prop_map(move |(n, at)| Entry::Decision(Decision {
            asset: asset(owner, n).id,
            label: "dog".to_owned(),
            kind: LabelKind::Object,
            wordnet: None,
            parents: Vec::new(),
            ruling: Ruling::Add,
            who: "ada".to_owned(),
            at: Timestamp::from_second(at).expect("small"),
        })),
        2 => (0..RUNS, any::<bool>(), any::<bool>()).prop_map(move |(run, withdrawn, trial)| Entry::Run(Run {
            id: run_id(run),
            tenant: tenant(owner),
            collection: "c".to_owned(),
            sources: Vec::new(),
            version: "0.1.0".to_owned(),
            started: Timestamp::UNIX_EPOCH,
            finished: None,
            balance: Balance::default(),
            withdrawn,
            trial,
            budget: None,
            spent: Dollars::ZERO,
        })),
        1 => (0..RUNS, 0..SOURCES.len(), 0..2_usize).prop_map(|(run, source, outcome)| Entry::Item {
            run: run_id(run),
            item: Item {
                source: SOURCES[source].to_owned(),
                asset: None,
                outcome: Outcome::ALL[outcome],
                fault: None,
                reason: None,
            },
        }),
        2 => (0..2_usize, 1..3_u32, 0..RUNS, 0..4_usize).prop_map(move |(id, attempt, run, state)| Entry::Purchase(Purchase {
            id: purchase_id(id),
            attempt,
            asset: asset(owner, 0).id,
            run: run_id(run),
            holder: None,
            collection: "c".to_owned(),
            step: STEPS[id].to_owned(),
            price: Dollars::from_millionths(1_000),
            at: Timestamp::UNIX_EPOCH,
            state: [PurchaseState::Reserved, PurchaseState::Answered, PurchaseState::Lost, PurchaseState::Free][state],
        })),
    ]
}

fn purchase_id(n: usize) -> PurchaseId {
    PurchaseId::of(STEPS[n], &Subject::Pixels(pixels(0)), &maker())
}

fn append() -> impl Strategy<Value = (usize, Vec<Entry>)> {
    (0..TENANTS.len()).prop_flat_map(|owner| {
        let alone = prop::collection::vec(entry(owner), 1..5);
        // Most appends are of an asset that is there.
        let with_asset = (0..ASSETS, prop::collection::vec(entry(owner), 0..5)).prop_map(
            move |(n, mut entries)| {
                entries.insert(0, Entry::Asset(asset(owner, n)));
                entries
            },
        );
        (Just(owner), prop_oneof![1 => alone, 2 => with_asset])
    })
}

/// Reads everything that there is to read and compares it.
async fn compare(model: &Model, owner: usize, catalogue: &dyn Catalogue) {
    let tenant = tenant(owner);
    let all: Vec<AssetId> = model.assets.keys().cloned().collect();
    let asked: Vec<AssetId> = (0..ASSETS).map(|n| asset(owner, n).id).collect();
    let expected: Vec<Parts> = asked.iter().filter_map(|id| model.parts(id)).collect();
    assert_eq!(catalogue.parts_of_many(&tenant, &asked).await.expect("parts"), expected);
    assert_eq!(catalogue.assets(&tenant, None, None, 100).await.expect("assets"), all);
    if let Some(first) = all.first() {
        let rest = catalogue.assets(&tenant, None, Some(first), 2).await.expect("assets");
        assert_eq!(rest, all[1..all.len().min(3)]);
        assert_eq!(catalogue.parts(&tenant, first).await.expect("parts"), model.parts(first));
    }
    for collection in COLLECTIONS {
        let is_in = |id: &&AssetId| {
            model.assets[*id].occurrences.iter().any(|o| o.collection == collection)
        };
        let expected: Vec<AssetId> = all.iter().filter(is_in).cloned().collect();
        let listed = catalogue.assets(&tenant, Some(collection), None, 100).await;
        assert_eq!(listed.expect("assets"), expected);
        for source in SOURCES {
            let seen = catalogue.sighting(&tenant, collection, source).await.expect("sighting");
            assert_eq!(seen, model.sighting(collection, source));
        }
    }
    for n in 0..PIXELS {
        let shows = |id: &&AssetId| {
            let opinions = &model.assets[*id].opinions;
            opinions.iter().any(|o| matches!(&o.verdict, Verdict::Found(Finding::Identified(i)) if i.pixels == Some(pixels(n))))
        };
        let expected: Vec<AssetId> = all.iter().filter(shows).cloned().collect();
        assert_eq!(catalogue.family(&tenant, &pixels(n)).await.expect("family"), expected);
    }
    let subjects = (0..ASSETS).map(|n| Subject::Bytes(Digest::new([n; 32])));
    for subject in subjects.chain((0..PIXELS).map(|n| Subject::Pixels(pixels(n)))) {
        for step in [STEPS[0], STEPS[1], "identify", "describe", "label:failed"] {
            let found = catalogue.reusable(&tenant, step, &subject, &maker()).await;
            let fits =
                |o: &&Opinion| o.step == step && o.subject == subject && o.verdict.conclusive();
            let mut any = model.assets.values().flat_map(|parts| &parts.opinions).filter(fits);
            match found.expect("reusable") {
                Some(found) => assert!(any.any(|o| *o == found), "{found:?} was said"),
                None => assert_eq!(any.next(), None),
            }
        }
    }
    let mut runs: Vec<Run> = model.runs.values().cloned().collect();
    runs.reverse();
    assert_eq!(catalogue.runs(&tenant, None, 100).await.expect("runs"), runs);
    assert_eq!(catalogue.runs(&tenant, None, 1).await.expect("runs"), runs[..runs.len().min(1)]);
    for (at, run) in runs.iter().enumerate() {
        let later = catalogue.runs(&tenant, Some(&run.id), 100).await.expect("runs");
        assert_eq!(later, runs[at + 1..], "after {}", run.id);
    }
    for run in (0..RUNS).map(run_id) {
        let read = catalogue.run(&tenant, &run).await.expect("run");
        assert_eq!(read.as_ref(), model.runs.get(&run));
        let of_run = catalogue.assets_of_run(&tenant, &run, None, 100).await.expect("assets");
        assert_eq!(of_run, model.of_run(&run));
        let items = catalogue.items(&tenant, &run, None, 100).await.expect("items");
        let expected = model.items.iter().filter(|((of, _), _)| *of == run).map(|(_, item)| item);
        assert_eq!(items.iter().collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        let bought = catalogue.purchases_of_run(&tenant, &run, None, 100).await;
        let expected = model.purchases.values().filter(|purchase| purchase.run == run).cloned();
        assert_eq!(bought.expect("purchases"), expected.collect::<Vec<_>>());
    }
    for id in (0..2).map(purchase_id) {
        let bought = catalogue.purchases(&tenant, &id).await.expect("purchases");
        let expected = model.purchases.values().filter(|purchase| purchase.id == id).cloned();
        assert_eq!(bought, expected.collect::<Vec<_>>());
    }
}

/// Reads the feed to its end; moves the bookmark.
async fn told(catalogue: &dyn Catalogue, at: &mut Bookmark) -> BTreeSet<(Tenant, AssetId)> {
    let mut told = BTreeSet::new();
    loop {
        let changes = catalogue.changes(at, 2).await.expect("changes");
        *at = changes.bookmark;
        if changes.list.is_empty() {
            return told;
        }
        told.extend(changes.list.into_iter().map(|change| (change.tenant, change.asset)));
    }
}

async fn play(appends: Vec<(usize, Vec<Entry>)>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sqlite = SqliteCatalogue::open(&folder.path().join("c.sqlite")).expect("a catalogue");
    let (_server, _aws, dynamo) = super::dynamo::tests::empty().await;
    let catalogues: [&dyn Catalogue; 2] = [&sqlite, &dynamo];
    let mut models = [Model::default(), Model::default()];
    let mut bookmarks = [Bookmark::default(), Bookmark::default()];
    for (number, (owner, entries)) in appends.iter().enumerate() {
        let expected = models[*owner].append(entries);
        for catalogue in catalogues {
            let answer = catalogue.append(&tenant(*owner), entries.clone()).await;
            assert_eq!(answer.map_err(|fault| fault.kind()), expected, "{entries:?}");
        }
        if number % 4 == 3 || number + 1 == appends.len() {
            let mut changed = BTreeSet::new();
            for (owner, model) in models.iter_mut().enumerate() {
                let ids = std::mem::take(&mut model.changed);
                changed.extend(ids.into_iter().map(|id| (tenant(owner), id)));
            }
            for (catalogue, at) in catalogues.into_iter().zip(&mut bookmarks) {
                assert_eq!(told(catalogue, at).await, changed);
            }
        }
    }
    for (owner, model) in models.iter().enumerate() {
        for catalogue in catalogues {
            compare(model, owner, catalogue).await;
        }
    }
}

#[test]
fn every_catalogue_answers_as_the_model_does() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let config =
        Config { cases: 24, failure_persistence: None, max_shrink_iters: 60, ..Config::default() };
    let mut runner = TestRunner::new(config);
    runner
        .run(&prop::collection::vec(append(), 1..25), |appends| {
            runtime.block_on(play(appends));
            Ok(())
        })
        .expect("the same answers");
}
