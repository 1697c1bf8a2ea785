//! What is hard for a catalogue: many writers at once, large entries, hostile names.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::*;
use crate::opinion::Told;

/// Runs every check of this file.
pub(super) async fn run(catalogue: Arc<dyn Catalogue>) {
    of_many_equal_opinions_one_is_kept(catalogue.clone()).await;
    many_writers_of_one_asset_lose_nothing(catalogue.clone()).await;
    two_that_turn_a_run_at_once_both_count(catalogue.clone()).await;
    large_entries_read_back(&*catalogue).await;
    many_opinions_of_one_asset_read_back(&*catalogue).await;
    hostile_names_reach_nobody_else(&*catalogue).await;
    items_of_long_names_stay_in_order(&*catalogue).await;
    a_turned_run_is_read_a_little_at_a_time(&*catalogue).await;
}

/// Bytes that no compression makes smaller, as text.
pub(in crate::catalogue) fn noise(length: usize, seed: u64) -> String {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(
            b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"
                [(state >> 58) as usize],
        )
    };
    (0..length).map(|_| next()).collect()
}

async fn of_many_equal_opinions_one_is_kept(catalogue: Arc<dyn Catalogue>) {
    let a = asset(20_000);
    let before = last(&*catalogue).await;
    let tasks: Vec<_> = (0..32)
        .map(|n| {
            let (catalogue, a) = (catalogue.clone(), a.clone());
            let mut said = opinion(&a, pixels(20), &run_named(20).id, Verdict::NoneFound);
            said.at = Timestamp::from_second(n).expect("small");
            let entries =
                vec![Entry::Asset(a.clone()), found(&a, "race", "/r"), Entry::Opinion(said)];
            tokio::spawn(async move { catalogue.append(&tenant(), entries).await })
        })
        .collect();
    for task in tasks {
        task.await.expect("a task").expect("an append");
    }
    let parts = catalogue.parts(&tenant(), &a.id).await.expect("parts").expect("an asset");
    assert_eq!((parts.occurrences.len(), parts.opinions.len()), (1, 1));
    assert_eq!(changes_since(&*catalogue, before).await, [a.id], "one append changed something");
}

async fn many_writers_of_one_asset_lose_nothing(catalogue: Arc<dyn Catalogue>) {
    let a = asset(20_001);
    catalogue.append(&tenant(), vec![Entry::Asset(a.clone())]).await.expect("append");
    let before = last(&*catalogue).await;
    let tasks: Vec<_> = (0..32)
        .map(|n| {
            let (catalogue, a) = (catalogue.clone(), a.clone());
            let said = opinion(&a, pixels(21), &run_named(2_100 + n).id, Verdict::NoneFound);
            tokio::spawn(
                async move { catalogue.append(&tenant(), vec![Entry::Opinion(said)]).await },
            )
        })
        .collect();
    for task in tasks {
        task.await.expect("a task").expect("an append");
    }
    let parts = catalogue.parts(&tenant(), &a.id).await.expect("parts").expect("an asset");
    let runs: BTreeSet<_> = parts.opinions.iter().map(|o| o.run.clone()).collect();
    assert_eq!((parts.opinions.len(), runs.len()), (32, 32));
    assert_eq!(changes_since(&*catalogue, before).await.len(), 32);
}

async fn two_that_turn_a_run_at_once_both_count(catalogue: Arc<dyn Catalogue>) {
    let run = run_named(22);
    catalogue.append(&tenant(), vec![Entry::Run(run.clone())]).await.expect("append");
    let states = [run.clone().undone(), run.clone().promoted()];
    let tasks: Vec<_> = states
        .iter()
        .cycle()
        .take(16)
        .map(|state| {
            let (catalogue, entries) = (catalogue.clone(), vec![Entry::Run(state.clone())]);
            tokio::spawn(async move { catalogue.append(&tenant(), entries).await })
        })
        .collect();
    for task in tasks {
        task.await.expect("a task").expect("an append");
    }
    let read = catalogue.run(&tenant(), &run.id).await.expect("run").expect("a run");
    assert!(states.contains(&read));
}

async fn large_entries_read_back(catalogue: &dyn Catalogue) {
    let a = asset(20_003);
    let mut said = opinion(&a, pixels(23), &run_named(23).id, Verdict::NoneFound);
    said.told = Some(Told { model_version: None, answer: Value::String(noise(900_000, 23)) });
    let mut metadata = Fields::new();
    metadata.insert(
        "description".to_owned(),
        Field {
            value: noise(1 << 20, 24).into(),
            source: "csv:c.csv".to_owned(),
            also: Vec::new(),
        },
    );
    let occurrence = Occurrence { metadata, ..occurrence("large", "/l") };
    let entries = vec![
        Entry::Asset(a.clone()),
        Entry::Opinion(said.clone()),
        Entry::Found { asset: a.id.clone(), occurrence: occurrence.clone(), stamp: None },
    ];
    for _ in 0..2 {
        catalogue.append(&tenant(), entries.clone()).await.expect("append");
    }
    let parts = catalogue.parts(&tenant(), &a.id).await.expect("parts").expect("an asset");
    assert_eq!(parts.opinions, [said]);
    assert_eq!(parts.occurrences, std::slice::from_ref(&occurrence));
    let seen = catalogue.sighting(&tenant(), "large", "/l").await.expect("sighting");
    assert_eq!(seen.expect("a sighting").occurrence, occurrence);
}

async fn many_opinions_of_one_asset_read_back(catalogue: &dyn Catalogue) {
    let a = asset(20_004);
    let run = run_named(24);
    let said: Vec<Opinion> = (0..3_000)
        .map(|n| {
            let step = format!("label:{n}");
            let at = Timestamp::UNIX_EPOCH;
            Opinion::new(&a.id, &step, pixels(24), &maker("1"), &run.id, at, Verdict::NoneFound)
        })
        .collect();
    let mut entries = vec![Entry::Asset(a.clone())];
    entries.extend(said.iter().cloned().map(Entry::Opinion));
    catalogue.append(&tenant(), entries).await.expect("append");
    let parts = catalogue.parts(&tenant(), &a.id).await.expect("parts").expect("an asset");
    assert!(parts.opinions == said, "all of them, in their order");
    let found = catalogue.reusable(&tenant(), "label:2999", &pixels(24), &maker("1")).await;
    assert_eq!(found.expect("reusable").as_ref(), said.last());
}

async fn hostile_names_reach_nobody_else(catalogue: &dyn Catalogue) {
    let a = asset(20_005);
    catalogue.append(&tenant(), vec![Entry::Asset(a.clone())]).await.expect("append");
    let id = a.id.as_str();
    let first = &id[..1];
    let long = "n".repeat(3_000);
    let names = [
        "".to_owned(),
        "hostile".to_owned(),
        format!("hostile#{first}"),
        "hostile#".to_owned(),
        "%hostile".to_owned(),
        format!("default#hostile#{first}"),
        format!("A#default#{id}"),
        "hostile\0".to_owned(),
        "h caf\u{e9}".to_owned(),
        "h cafe\u{301}".to_owned(),
        format!("{long}1"),
        format!("{long}2"),
    ];
    for (n, name) in names.iter().enumerate() {
        let b = asset(20_100 + u32::try_from(n).expect("few"));
        let mut run = run_named(25);
        run.id = RunId::from_text(name);
        let entries = vec![
            Entry::Asset(b.clone()),
            found(&b, name, name),
            Entry::Run(run.clone()),
            Entry::Opinion(opinion(&b, pixels(25), &run.id, Verdict::NoneFound)),
        ];
        catalogue.append(&tenant(), entries).await.expect("append");
    }
    for (n, name) in names.iter().enumerate() {
        let b = asset(20_100 + u32::try_from(n).expect("few")).id;
        let run = RunId::from_text(name);
        let listed = catalogue.assets(&tenant(), Some(name), None, 100).await.expect("assets");
        assert_eq!(listed, std::slice::from_ref(&b), "{name:.40?}");
        let of_run = catalogue.assets_of_run(&tenant(), &run, None, 100).await.expect("assets");
        assert_eq!(of_run, std::slice::from_ref(&b), "{name:.40?}");
        let seen = catalogue.sighting(&tenant(), name, name).await.expect("sighting");
        assert_eq!(seen.expect("a sighting").asset, b);
        assert!(catalogue.run(&tenant(), &run).await.expect("run").is_some());
    }
    for tenant in ["default-hostile", "d", "0"] {
        let tenant: Tenant = tenant.parse().expect("a good name");
        assert!(catalogue.assets(&tenant, None, None, 10).await.expect("assets").is_empty());
        for name in &names {
            let listed = catalogue.assets(&tenant, Some(name), None, 10).await.expect("assets");
            assert!(listed.is_empty());
        }
    }
}

async fn items_of_long_names_stay_in_order(catalogue: &dyn Catalogue) {
    let run = run_named(26);
    catalogue.append(&tenant(), vec![Entry::Run(run.clone())]).await.expect("append");
    let mut sources = vec![" ".to_owned(), "/\u{1F422}".to_owned()];
    for pad in [890, 896, 897, 898, 899, 900, 1_500] {
        for end in ["", "a", "b", "\u{e9}", "\u{e9}x", "\u{1F422}", "zz"] {
            sources.push(format!("/{}{end}", "p".repeat(pad)));
        }
    }
    for source in &sources {
        let item = Item {
            source: source.clone(),
            asset: None,
            outcome: Outcome::Failed,
            fault: None,
            reason: None,
        };
        let entry = Entry::Item { run: run.id.clone(), item };
        catalogue.append(&tenant(), vec![entry]).await.expect("append");
    }
    sources.sort();
    for page in [1, 4, 1_000] {
        let mut read: Vec<String> = Vec::new();
        loop {
            let after = read.last().map(String::as_str);
            let items = catalogue.items(&tenant(), &run.id, after, page).await.expect("items");
            if items.is_empty() {
                break;
            }
            assert!(items.len() <= page);
            read.extend(items.into_iter().map(|item| item.source));
        }
        assert_eq!(read, sources, "by {page}");
    }
}

async fn a_turned_run_is_read_a_little_at_a_time(catalogue: &dyn Catalogue) {
    let run = run_named(27);
    let mut expected = BTreeSet::new();
    for n in 0..40 {
        let a = asset(20_200 + n);
        let entries = vec![
            Entry::Asset(a.clone()),
            Entry::Opinion(opinion(&a, pixels(27), &run.id, Verdict::NoneFound)),
        ];
        catalogue.append(&tenant(), entries).await.expect("append");
        expected.insert(a.id);
    }
    catalogue.append(&tenant(), vec![Entry::Run(run.clone())]).await.expect("append");
    let before = last(catalogue).await;
    catalogue.append(&tenant(), vec![Entry::Run(run.undone())]).await.expect("append");
    let changed = changes_since(catalogue, before).await;
    assert_eq!(changed.len(), expected.len(), "none twice");
    assert_eq!(changed.into_iter().collect::<BTreeSet<_>>(), expected);
}
