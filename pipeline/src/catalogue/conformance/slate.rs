//! What every slate must do.

use std::sync::Arc;

use super::super::Catalogue;
use crate::asset::Tenant;
use crate::purchase::Dollars;
use crate::run::RunId;

/// Runs every check of the slate's contract.
pub(super) async fn run(catalogue: Arc<dyn Catalogue>) {
    a_note_is_written_over_what_was_seen_alone(&*catalogue).await;
    of_many_that_write_over_one_version_one_does(catalogue.clone()).await;
    notes_are_listed_by_name_and_prefix(&*catalogue).await;
    many_workers_never_take_more_than_the_budget(catalogue).await;
}

fn named(name: &str) -> (Tenant, RunId) {
    (Tenant::default(), RunId::from_text(name))
}

async fn a_note_is_written_over_what_was_seen_alone(catalogue: &dyn Catalogue) {
    let (tenant, run) = named("slate 1");
    let write = async |over, body| {
        catalogue.write_note(&tenant, &run, "control", over, body).await.expect("a write")
    };
    assert_eq!(catalogue.note(&tenant, &run, "control").await.expect("a note"), None);
    assert!(!write(1, "x").await, "there is nothing to write over");
    assert!(write(0, "one").await);
    assert!(write(0, "one").await, "the same again: the answer may have been lost");
    assert!(!write(0, "other").await);
    assert!(write(1, "two").await && !write(1, "three").await);
    let there = catalogue.note(&tenant, &run, "control").await.expect("a note").expect("written");
    assert_eq!((there.version, there.body.as_str()), (2, "two"));
    let other: Tenant = "other".parse().expect("a good name");
    assert_eq!(catalogue.note(&other, &run, "control").await.expect("a note"), None);
}

async fn of_many_that_write_over_one_version_one_does(catalogue: Arc<dyn Catalogue>) {
    let (tenant, run) = named("slate 2");
    let tasks: Vec<_> = (0..16)
        .map(|n| {
            let (catalogue, tenant, run) = (catalogue.clone(), tenant.clone(), run.clone());
            tokio::spawn(async move {
                catalogue.write_note(&tenant, &run, "n", 0, &n.to_string()).await.expect("a write")
            })
        })
        .collect();
    let mut wrote = 0;
    for task in tasks {
        wrote += u32::from(task.await.expect("a task"));
    }
    assert_eq!(wrote, 1);
}

async fn notes_are_listed_by_name_and_prefix(catalogue: &dyn Catalogue) {
    let (tenant, run) = named("slate 3");
    let names = ["control", "shard/00000", "shard/00001", "shard/r2-00000", "shards", "z"];
    for name in names {
        assert!(catalogue.write_note(&tenant, &run, name, 0, name).await.expect("a write"));
    }
    let (mut listed, mut after): (Vec<String>, Option<String>) = (Vec::new(), None);
    loop {
        let page =
            catalogue.notes(&tenant, &run, "shard/", after.as_deref(), 2).await.expect("notes");
        let Some(last) = page.last() else { break };
        after = Some(last.name.clone());
        listed.extend(page.into_iter().map(|note| note.name));
    }
    assert_eq!(listed, names[1..4]);
    let nothing = catalogue.notes(&tenant, &run, "shard/", Some("z"), 9).await.expect("notes");
    assert!(nothing.is_empty());
    let all = catalogue.notes(&tenant, &run, "", None, 99).await.expect("notes");
    assert_eq!(all.len(), names.len(), "a charge is no note");
}

async fn many_workers_never_take_more_than_the_budget(catalogue: Arc<dyn Catalogue>) {
    let (tenant, run) = named("slate 3");
    let (price, budget) = (Dollars::from_millionths(1_300), Dollars::from_millionths(20_000));
    assert!(!catalogue.charge(&tenant, &run, budget + price, budget).await.expect("a charge"));
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let (catalogue, tenant, run) = (catalogue.clone(), tenant.clone(), run.clone());
            tokio::spawn(async move {
                let mut taken = 0;
                while catalogue.charge(&tenant, &run, price, budget).await.expect("a charge") {
                    taken += 1;
                }
                taken
            })
        })
        .collect();
    let mut taken = 0;
    for worker in workers {
        taken += worker.await.expect("a worker");
    }
    assert_eq!(taken, budget.pays_for(price));
    let charged = catalogue.charged(&tenant, &run).await.expect("charged");
    assert_eq!(charged, price * taken);
    let other = RunId::from_text("slate 4");
    assert_eq!(catalogue.charged(&tenant, &other).await.expect("charged"), Dollars::ZERO);
    let all = catalogue.notes(&tenant, &run, "", None, 99).await.expect("notes");
    assert!(all.iter().all(|note| note.name != "charge"));
}
