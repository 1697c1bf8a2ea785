//! What every engine must do; each backend's tests call [`run`] with one that has no rounds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::line::Line;
use super::plan::{Draft, Plan, Policy};
use super::{Begun, End, Engine, Handed, STEPS, Start, Step, Way, round};
use crate::asset::Tenant;
use crate::purchase::Dollars;
use crate::run::{Item, Outcome};
use crate::store::Store;

/// How long a task is waited for that must come.
const SOON: Duration = Duration::from_secs(20);
/// How long a task is waited for that must not.
const QUIET: Duration = Duration::from_secs(2);

/// An engine, and the store that it reads rounds from.
pub(super) struct Ground {
    pub(super) engine: Arc<dyn Engine>,
    pub(super) store: Arc<dyn Store>,
}

/// Runs every check of the contract.
///
/// # Panics
/// When the engine breaks its contract.
pub(super) async fn run(ground: &Ground) {
    a_round_goes_through_its_steps_in_order(ground).await;
    what_is_given_back_or_may_pass_is_handed_out_again(ground).await;
    what_fails_ends_no_round_before_its_books_are_made(ground).await;
    a_round_that_is_stopped_hands_nothing_out(ground).await;
}

/// A plan of so many sources in shards of one, begun as round 1.
async fn begun(ground: &Ground, name: &str, shards: usize) -> (Plan, Start) {
    let plan = planned(&*ground.store, name, shards, 1).await;
    round::write(&plan, 1, &round::all(&plan), &*ground.store).await.expect("a round");
    let start = Start {
        tenant: plan.tenant.clone(),
        run: plan.run.clone(),
        round: 1,
        max_workers: 10,
        tolerated_percent: 100.0,
    };
    assert_eq!(ground.engine.way(&start.run, 1).await.expect("a way"), None);
    assert_eq!(ground.engine.start(&start).await.expect("a start"), Begun::New);
    (plan, start)
}

/// A plan of so many sources, of which nothing is known but names.
pub(super) async fn planned(store: &dyn Store, name: &str, sources: usize, shard: usize) -> Plan {
    let line = |n: usize| {
        Line::of(Err(Item {
            source: format!("/{name}/{n:03}.jpg"),
            asset: None,
            outcome: Outcome::Failed,
            fault: None,
            reason: None,
        }))
    };
    let draft = Draft {
        tenant: Tenant::default(),
        collection: name.to_owned(),
        sources: vec![format!("/{name}")],
        policy: Policy { without_labels: true, makers: Vec::new(), price: Dollars::ZERO },
        lines: (0..sources).map(line).collect(),
        shard,
        version: "test".to_owned(),
    };
    Plan::make(draft, store, Timestamp::UNIX_EPOCH).await.expect("a plan")
}

async fn next(ground: &Ground) -> Handed {
    ground.engine.next(SOON).await.expect("the engine").expect("a task")
}

async fn answer(ground: &Ground, handed: &Handed, end: End) {
    ground.engine.answer(handed, &end).await.expect("an answer");
}

fn done() -> End {
    End::Done(json!({ "in": 1 }))
}

fn failed(error: &str) -> End {
    End::Failed { error: error.to_owned(), cause: "as told".to_owned() }
}

/// Where the round is once it no longer runs.
async fn ended(ground: &Ground, start: &Start) -> Way {
    for _ in 0..100 {
        match ground.engine.way(&start.run, start.round).await.expect("a way") {
            Some(Way::Running) => tokio::time::sleep(Duration::from_millis(100)).await,
            way => return way.expect("it was begun"),
        }
    }
    panic!("round {} of {} does not end", start.round, start.run)
}

async fn a_round_goes_through_its_steps_in_order(ground: &Ground) {
    let (_, start) = begun(ground, "in order", 3).await;
    assert_eq!(ground.engine.start(&start).await.expect("a start"), Begun::Already);
    let mut tasks = Vec::new();
    for _ in 0..5 {
        let handed = next(ground).await;
        assert!(ground.engine.beat(&handed).await.expect("a beat"));
        answer(ground, &handed, done()).await;
        tasks.push(handed.task);
    }
    assert!(tasks.iter().all(|task| task.run == start.run && task.round == 1));
    let mut shards: Vec<_> = tasks[..3].iter().filter_map(|task| task.shard.clone()).collect();
    shards.sort();
    assert_eq!(shards, ["00000", "00001", "00002"]);
    let steps: Vec<&str> = tasks[2..].iter().map(|task| task.step.name()).collect();
    assert_eq!(steps, STEPS);
    assert_eq!(ended(ground, &start).await, Way::Succeeded);
    assert!(ground.engine.next(QUIET).await.expect("the engine").is_none());
}

async fn what_is_given_back_or_may_pass_is_handed_out_again(ground: &Ground) {
    let (_, start) = begun(ground, "again", 2).await;
    let mut handed_out: BTreeMap<String, u32> = BTreeMap::new();
    loop {
        let handed = next(ground).await;
        if handed.task.step != Step::Shard {
            answer(ground, &handed, done()).await;
            break;
        }
        let shard = handed.task.shard.clone().expect("a shard's name");
        let times = handed_out.entry(shard.clone()).or_default();
        *times += 1;
        let end = match (shard.as_str(), *times) {
            ("00000", 1) => End::GivenBack,
            (_, 1) => failed("Transient"),
            _ => done(),
        };
        answer(ground, &handed, end).await;
    }
    assert_eq!(handed_out.into_values().collect::<Vec<_>>(), [2, 2]);
    let refresh = next(ground).await;
    assert_eq!(refresh.task.step, Step::Refresh);
    answer(ground, &refresh, done()).await;
    assert_eq!(ended(ground, &start).await, Way::Succeeded);
}

async fn what_fails_ends_no_round_before_its_books_are_made(ground: &Ground) {
    let (_, start) = begun(ground, "failing", 2).await;
    for _ in 0..2 {
        let handed = next(ground).await;
        assert_eq!(handed.task.step, Step::Shard);
        let first = handed.task.shard.as_deref() == Some("00000");
        answer(ground, &handed, if first { failed("Broken") } else { done() }).await;
    }
    let reconcile = next(ground).await;
    assert_eq!(reconcile.task.step, Step::Reconcile);
    answer(ground, &reconcile, failed(super::UNBALANCED)).await;
    let refresh = next(ground).await;
    assert_eq!(refresh.task.step, Step::Refresh, "what is in the catalogue is to be found");
    answer(ground, &refresh, done()).await;
    assert_ne!(ended(ground, &start).await, Way::Running);
}

async fn a_round_that_is_stopped_hands_nothing_out(ground: &Ground) {
    let (_, start) = begun(ground, "stopped", 2).await;
    let held = next(ground).await;
    for _ in 0..2 {
        ground.engine.stop(&start.run, 1, "as told").await.expect("a stop");
    }
    assert!(matches!(ended(ground, &start).await, Way::Ended(_)));
    // What lies in a queue already may still come; whoever gets it is told to let it go.
    answer(ground, &held, End::Dropped).await;
    while let Some(handed) = ground.engine.next(QUIET).await.expect("the engine") {
        answer(ground, &handed, End::Dropped).await;
    }
    ground.engine.stop(&start.run, 7, "never begun").await.expect("a stop");
}
