//! The index follows the catalogue through kills, withdrawals, damage and swaps.

use std::sync::Arc;
use std::time::Duration;

use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::catalogue::{Catalogue as _, Entry};
use glassplate_pipeline::fault::FaultKind;
use glassplate_pipeline::ports::Verbatim;
use glassplate_pipeline::record::Bar;
use glassplate_pipeline::run::Run;

use super::{Archive, Picture, SmallVocabulary, add, open_catalogue, open_index, run};
use crate::{Ask, CaughtUp, Index, follow};

fn boat(seed: u8) -> Picture {
    Picture { seed, source: "/x.jpg", labels: &[("boat", 0.9)], ..Picture::default() }
}

#[tokio::test]
async fn catching_up_twice_does_nothing_the_second_time() {
    let archive = Archive::new();
    for seed in 0..5 {
        archive.add(&boat(seed)).await;
    }
    assert_eq!(archive.catch_up().await.documents, 5);
    assert_eq!(archive.catch_up().await, CaughtUp::default());
    archive.add(&boat(3)).await;
    assert_eq!(archive.catch_up().await, CaughtUp::default(), "nothing was new");
    assert_eq!(archive.found("boat").len(), 5);
}

#[tokio::test]
async fn what_was_not_committed_is_read_again_after_a_kill() {
    let archive = Archive::new();
    archive.add(&boat(1)).await;
    archive.catch_up().await;
    archive.add(&boat(2)).await;
    // As if killed after the documents were written and before the commit.
    let indexer = archive.index.indexer().expect("the writer");
    indexer.write_without_commit(&*archive.catalogue).await;
    drop(indexer);
    let reopened = open_index(&archive.folder.path().join("index"));
    let total = |index: &Index| {
        index.search(&Tenant::default(), &Ask::words("boat", 10)).expect("an answer").total
    };
    assert_eq!(total(&reopened), 1);
    let caught_up = reopened.catch_up(&*archive.catalogue).await.expect("caught up");
    assert_eq!((caught_up.documents, total(&reopened)), (1, 2));
}

#[tokio::test]
async fn a_withdrawn_run_disappears() {
    let archive = Archive::of(&[boat(1)]).await;
    assert_eq!(archive.found("boat"), [1]);
    let entry = Entry::Run(Run { withdrawn: true, ..run() });
    archive.catalogue.append(&Tenant::default(), vec![entry]).await.expect("append");
    archive.catch_up().await;
    assert!(archive.found("boat").is_empty());
    assert_eq!(archive.found(""), [1], "the asset itself stays");
}

#[tokio::test]
async fn another_writer_is_busy_and_no_harm() {
    let archive = Archive::of(&[boat(1)]).await;
    let held = archive.index.indexer().expect("the writer");
    archive.add(&boat(2)).await;
    let other = open_index(&archive.folder.path().join("index"));
    let fault = other.catch_up(&*archive.catalogue).await.expect_err("held");
    assert_eq!(fault.kind(), FaultKind::Busy);
    assert_eq!(other.rebuild(&*archive.catalogue).await.expect_err("held").kind(), FaultKind::Busy);
    assert_eq!(archive.found("boat"), [1], "reading goes on");
    drop(held);
    archive.catch_up().await;
    assert_eq!(archive.found("boat").len(), 2);
}

#[tokio::test]
async fn a_damaged_index_is_replaced_and_filled_again() {
    let archive = Archive::of(&[boat(1), boat(2)]).await;
    let dir = archive.folder.path().join("index");
    type Damage = fn(&std::path::Path);
    let damages: [(&str, Damage); 4] = [
        ("meta.json", |path| std::fs::write(path, "{").expect("write")),
        ("segments", |path| truncate_segments(path.parent().expect("a folder"))),
        ("../current", |path| std::fs::write(path, "junk").expect("write")),
        ("../current", |path| {
            std::fs::write(path, r#"{"schema":0,"generation":"g-1"}"#).expect("write");
        }),
    ];
    for (file, damage) in damages {
        damage(&open_index(&dir).folder().join(file));
        let index = open_index(&dir);
        assert!(
            index.note().is_some_and(|note| note.contains("replaced by an empty one")),
            "{file}"
        );
        let answer = index.search(&Tenant::default(), &Ask::words("boat", 10)).expect("an answer");
        assert_eq!((answer.total, answer.notes.len()), (0, 1));
        index.catch_up(&*archive.catalogue).await.expect("caught up");
        let answer = index.search(&Tenant::default(), &Ask::words("boat", 10)).expect("an answer");
        assert_eq!((answer.total, answer.notes.len()), (2, 0), "{file}");
    }
}

fn truncate_segments(folder: &std::path::Path) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|end| end == "idx" || end == "store" || end == "term") {
            std::fs::File::options()
                .write(true)
                .open(path)
                .and_then(|f| f.set_len(3))
                .expect("cut");
        }
    }
}

#[tokio::test]
async fn flipped_bits_are_found_by_the_check_and_never_crash_a_search() {
    let archive = Archive::of(&[boat(1), boat(2)]).await;
    archive.index.check().expect("sound");
    let folder = archive.index.folder();
    for entry in std::fs::read_dir(&folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|end| end == "idx" || end == "pos" || end == "store") {
            let mut bytes = std::fs::read(&path).expect("a file");
            bytes[..8].iter_mut().for_each(|byte| *byte ^= 0xFF);
            std::fs::write(&path, bytes).expect("write");
        }
    }
    let index = open_index(&archive.folder.path().join("index"));
    assert!(index.check().expect_err("damaged").reason().contains("reindex"));
    for query in ["boat", "", "jpg", "\"x jpg\""] {
        if let Err(fault) = index.search(&Tenant::default(), &Ask::words(query, 10)) {
            assert_eq!(fault.kind(), FaultKind::Broken, "{query}");
        }
    }
    index.rebuild(&*archive.catalogue).await.expect("rebuilt");
    index.check().expect("sound again");
}

#[tokio::test]
async fn another_catalogue_in_its_place_is_noticed() {
    let archive = Archive::of(&[boat(1), boat(2)]).await;
    let shorter = open_catalogue(&archive.folder.path().join("restored.sqlite"));
    add(&shorter, &Tenant::default(), &boat(3)).await;
    archive.index.catch_up(&shorter).await.expect("caught up");
    assert_eq!(archive.found("boat"), [3]);
    let longer = open_catalogue(&archive.folder.path().join("other.sqlite"));
    for seed in [7, 8, 9] {
        add(&longer, &Tenant::default(), &boat(seed)).await;
    }
    archive.index.catch_up(&longer).await.expect("caught up");
    let mut found = archive.found("boat");
    found.sort_unstable();
    assert_eq!(found, [7, 8, 9]);
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_go_on_while_the_index_is_rebuilt() {
    let pictures: Vec<Picture> = (0..40).map(boat).collect();
    let archive = Arc::new(Archive::of(&pictures).await);
    // Another process has the same index open.
    let other = open_index(&archive.folder.path().join("index"));
    let before = archive.index.folder();
    let rebuilding = archive.clone();
    let rebuild =
        tokio::spawn(async move { rebuilding.index.rebuild(&*rebuilding.catalogue).await });
    while !rebuild.is_finished() {
        assert_eq!(archive.search("boat").total, 40);
        tokio::task::yield_now().await;
    }
    assert_eq!(rebuild.await.expect("a task").expect("rebuilt").documents, 40);
    assert_ne!(archive.index.folder(), before);
    assert!(!before.exists(), "the old one is swept away");
    let answer = other.search(&Tenant::default(), &Ask::words("boat", 1)).expect("an answer");
    assert_eq!((answer.total, other.folder()), (40, archive.index.folder()));
}

#[tokio::test]
async fn a_rebuild_that_was_killed_leaves_the_old_index() {
    let archive = Archive::of(&[boat(1)]).await;
    let dir = archive.folder.path().join("index");
    let lock = crate::generation::lock(&dir).expect("the lock");
    let unfinished = crate::generation::create(&dir, &lock).expect("a generation");
    drop(lock);
    let index = Index::open(&dir, Arc::new(SmallVocabulary), Arc::new(Verbatim), Bar::default())
        .expect("an index");
    assert_eq!(index.note(), None);
    assert_eq!(
        index.search(&Tenant::default(), &Ask::words("boat", 1)).expect("an answer").total,
        1
    );
    index.rebuild(&*archive.catalogue).await.expect("rebuilt");
    assert!(!unfinished.path(&dir).exists(), "the next rebuild sweeps it away");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_stays_close_and_ends_level() {
    let archive = Archive::new();
    let follower =
        follow(archive.index.clone(), archive.catalogue.clone(), Duration::from_millis(20));
    archive.add(&boat(1)).await;
    let seen = async {
        while archive.found("boat").is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), seen).await.expect("found while following");
    for seed in 2..20 {
        archive.add(&boat(seed)).await;
    }
    let done = follower.stop().await.expect("level");
    assert!(done.documents >= 19);
    assert_eq!(archive.found("boat").len(), 19);
    archive.index.rebuild(&*archive.catalogue).await.expect("the writer is free again");
}
