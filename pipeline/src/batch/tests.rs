//! The engines against their contract, and where a batch may go from where it stands.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sfn::config::{Credentials, SharedCredentialsProvider};
use jiff::Timestamp;

use super::conformance::{self, Ground, planned};
use super::control::{Begin, Control, Owner, State};
use super::local::LocalEngine;
use super::progress::{Progress, ShardState};
use super::round::{self, Class};
use super::step_functions::{Bucket, StepFunctionsEngine, StepFunctionsSettings};
use super::task::begin_run;
use super::{Task, reckon::Reckoning};
use crate::asset::Tenant;
use crate::aws::{Aws, AwsSettings, Endpoints};
use crate::catalogue::sqlite::SqliteCatalogue;
use crate::catalogue::{Catalogue, Entry};
use crate::fault::FaultKind;
use crate::run::{Item, Outcome, RunId};
use crate::store::Store;
use crate::store::local::LocalStore;
use crate::store::s3::{S3Settings, S3Store};

fn store(folder: &tempfile::TempDir) -> Arc<dyn Store> {
    Arc::new(LocalStore::open(&folder.path().join("store")).expect("a store"))
}

fn catalogue(folder: &tempfile::TempDir) -> Arc<dyn Catalogue> {
    Arc::new(SqliteCatalogue::open(&folder.path().join("c.sqlite")).expect("a catalogue"))
}

#[tokio::test]
async fn the_engine_of_one_process_keeps_the_contract() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = store(&folder);
    let engine = Arc::new(LocalEngine::new(store.clone()));
    conformance::run(&Ground { engine, store }).await;
}

#[tokio::test]
#[ignore = "needs another stand-in: .ci/ring"]
async fn step_functions_keep_the_contract_on_another_stand_in() {
    let url = std::env::var("GLASSPLATE_TEST_AWS").expect("the stand-in's URL");
    let all = || Some(url.clone());
    let endpoints = Endpoints { s3: all(), states: all(), sqs: all(), ..Endpoints::default() };
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    let aws = Aws::new(
        "us-east-1".to_owned(),
        SharedCredentialsProvider::new(credentials),
        Aws::connections(),
        AwsSettings { endpoints, ..AwsSettings::default() },
    );
    let settings = S3Settings::of("engines");
    let store = S3Store::open(&aws, settings).expect("a store");
    store.make_bucket().await.expect("a bucket");
    let (sqs, sfn) = clients(&aws, &url);
    let queue = sqs.create_queue().queue_name("engines").send().await.expect("a queue");
    let queue = queue.queue_url().expect("a URL").to_owned();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/state_machines/batch.asl.json");
    let mut definition = std::fs::read_to_string(file).expect("the definition");
    for (name, value) in [
        ("Partition", "aws"),
        ("QueueUrl", &queue),
        ("Table", "engines"),
        ("ShardHeartbeatSeconds", "15"),
        ("ShardTimeoutSeconds", "30"),
        ("StepHeartbeatSeconds", "15"),
        ("StepTimeoutSeconds", "30"),
    ] {
        definition = definition.replace(&format!("${{{name}}}"), value);
    }
    let machine = sfn
        .create_state_machine()
        .name("engines")
        .definition(definition)
        .role_arn("arn:aws:iam::000000000000:role/engines")
        .send()
        .await
        .expect("a state machine");
    let settings = StepFunctionsSettings {
        state_machine: Some(machine.state_machine_arn().to_owned()),
        queue: Some(queue),
        visibility_seconds: 10,
    };
    let bucket = Bucket { name: "engines".to_owned(), prefix: String::new() };
    let engine = StepFunctionsEngine::open(&aws, settings, bucket).expect("an engine");
    conformance::run(&Ground { engine: Arc::new(engine), store: Arc::new(store) }).await;
}

fn clients(aws: &Aws, url: &str) -> (aws_sdk_sqs::Client, aws_sdk_sfn::Client) {
    let sqs = aws_sdk_sqs::Config::builder()
        .behavior_version(aws_sdk_sqs::config::BehaviorVersion::latest())
        .region(aws.region.clone())
        .credentials_provider(aws.credentials.clone())
        .http_client(aws.http.clone())
        .endpoint_url(url);
    let sfn = aws_sdk_sfn::Config::builder()
        .behavior_version(aws_sdk_sfn::config::BehaviorVersion::latest())
        .region(aws.region.clone())
        .credentials_provider(aws.credentials.clone())
        .http_client(aws.http.clone())
        .endpoint_url(url);
    (aws_sdk_sqs::Client::from_conf(sqs.build()), aws_sdk_sfn::Client::from_conf(sfn.build()))
}

#[test]
fn a_message_is_read_as_the_state_machine_writes_it() {
    let body = r#"{"task":"shard","token":"t","tenant":"default","run":"batch-1","round":2,"shard":"r2-00000"}"#;
    let handed = StepFunctionsEngine::read(body, "receipt").expect("a task");
    assert_eq!((handed.token.as_str(), handed.receipt.as_str()), ("t", "receipt"));
    let Task { run, round, shard, .. } = handed.task;
    assert_eq!((run.as_str(), round, shard.as_deref()), ("batch-1", 2, Some("r2-00000")));
    for wrong in ["", "{}", r#"{"task":"other","token":"t","tenant":"a","run":"r","round":1}"#] {
        assert!(StepFunctionsEngine::read(wrong, "").is_err(), "{wrong}");
    }
}

fn by(who: &str) -> Owner {
    Owner { who: who.to_owned(), reason: None, at: Timestamp::UNIX_EPOCH }
}

#[test]
fn a_batch_goes_only_where_its_state_allows() {
    let planned = Control::planned(Timestamp::UNIX_EPOCH);
    let ada = by("ada");
    let running =
        planned.begun(Begin::First, &ada, false).expect("allowed").expect("something new");
    assert_eq!((running.state, running.round), (State::Running, 1));
    assert_eq!(running.begun(Begin::First, &ada, false).expect("allowed"), None, "twice is once");
    assert!(running.wants(1) && !running.wants(2));

    let paused = running.paused(&ada, false).expect("allowed").expect("something new");
    assert_eq!(paused.paused(&ada, false).expect("allowed"), None);
    assert!(!paused.wants(1));
    for refused in [
        paused.paused(&by("bob"), false).map(drop),
        paused.begun(Begin::Next, &by("bob"), false).map(drop),
        paused.cancelled(&by("bob"), false).map(drop),
    ] {
        let fault = refused.expect_err("ada paused it");
        assert_eq!(fault.kind(), FaultKind::Refused);
        assert!(fault.reason().contains("ada"), "{}", fault.reason());
    }
    let resumed = paused.begun(Begin::Next, &by("bob"), true).expect("allowed").expect("new");
    assert_eq!((resumed.state, resumed.round, resumed.owner), (State::Running, 2, None));

    assert_eq!(running.reckoned(2, None, Timestamp::UNIX_EPOCH), None, "of another round");
    let failed = running.reckoned(1, Some("too many"), Timestamp::UNIX_EPOCH).expect("new");
    assert_eq!((failed.state, failed.why.as_deref()), (State::Failed, Some("too many")));
    let again = failed.begun(Begin::Redrive, &ada, false).expect("allowed").expect("new");
    assert_eq!((again.state, again.why), (State::Running, None));

    let cancelled = running.cancelled(&ada, false).expect("allowed").expect("new");
    for begin in [Begin::First, Begin::Next, Begin::Redrive] {
        assert!(cancelled.begun(begin, &ada, true).is_err());
    }
    assert!(
        planned.paused(&ada, false).is_err() && planned.begun(Begin::Next, &ada, true).is_err()
    );
}

#[tokio::test]
async fn the_same_sources_are_the_same_run_and_cut_alike() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = store(&folder);
    let plan = planned(&*store, "plates", 25, 10).await;
    assert_eq!(planned(&*store, "plates", 25, 10).await, plan);
    assert_ne!(planned(&*store, "plates", 26, 10).await.run, plan.run);
    assert_ne!(planned(&*store, "plates", 25, 11).await.run, plan.run);
    let sizes: Vec<u64> = round::all(&plan).iter().map(|piece| piece.pictures).collect();
    assert_eq!(sizes, [10, 10, 5]);
    let last = plan.lines(&*store, "00002").await.expect("lines");
    assert_eq!(last[0].source, "/plates/020.jpg");
}

#[tokio::test]
async fn of_many_that_pause_at_once_one_is_the_owner() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let catalogue = catalogue(&folder);
    let (tenant, run) = (Tenant::default(), RunId::from_text("batch-1"));
    Control::open(&*catalogue, &tenant, &run, Timestamp::UNIX_EPOCH).await.expect("a control");
    let begin = |control: &Control| control.begun(Begin::First, &by("ada"), false);
    Control::change(&*catalogue, &tenant, &run, begin).await.expect("begun");
    let people: Vec<_> = (0..8)
        .map(|n| {
            let (catalogue, tenant, run) = (catalogue.clone(), tenant.clone(), run.clone());
            tokio::spawn(async move {
                let who = by(&format!("person {n}"));
                let pause = |control: &Control| control.paused(&who, false);
                Control::change(&*catalogue, &tenant, &run, pause).await
            })
        })
        .collect();
    let mut owners = 0;
    for person in people {
        match person.await.expect("a task") {
            Ok((_, changed)) => owners += u32::from(changed),
            Err(fault) => assert_eq!(fault.kind(), FaultKind::Refused),
        }
    }
    assert_eq!(owners, 1);
}

fn item(source: &str, outcome: Outcome, fault: Option<FaultKind>) -> Item {
    Item { source: source.to_owned(), asset: None, outcome, fault, reason: None }
}

#[tokio::test]
async fn the_reckoning_finds_what_is_missing_and_a_redrive_takes_its_class_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (store, catalogue) = (store(&folder), catalogue(&folder));
    let plan = planned(&*store, "plates", 25, 10).await;
    begin_run(&plan, None, &*catalogue).await.expect("a run");
    let enter = async |n: usize, outcome, fault| {
        let item = item(&format!("/plates/{n:03}.jpg"), outcome, fault);
        let entry = Entry::Item { run: plan.run.clone(), item };
        catalogue.append(&plan.tenant, vec![entry]).await.expect("an item");
    };
    for n in 0..24 {
        match n {
            3 => enter(n, Outcome::Rejected, Some(FaultKind::TooLarge)).await,
            14 => enter(n, Outcome::Failed, Some(FaultKind::Busy)).await,
            _ => enter(n, Outcome::Enriched, None).await,
        }
    }
    let reckon = async |percent| {
        Reckoning::of(&plan, percent, &*store, &*catalogue).await.expect("a reckoning")
    };
    let reckoning = reckon(100.0).await;
    assert_eq!((reckoning.missing, reckoning.balance.enriched), (1, 22));
    assert!(reckoning.unbalanced.is_some_and(|why| why.contains("1 have no outcome")));
    enter(24, Outcome::Enriched, None).await;
    assert_eq!(reckon(8.0).await.unbalanced, None);
    let reckoning = reckon(7.9).await;
    assert!(reckoning.unbalanced.is_some(), "2 of 25 are 8 %");
    assert_eq!(reckoning.faults.get("too_large"), Some(&1));

    let redriven = async |class| {
        let pieces = round::redriven(&plan, 2, class, &*store, &*catalogue).await.expect("pieces");
        let mut sources = Vec::new();
        for piece in pieces {
            assert!(piece.shard.starts_with("r2-"));
            let lines = plan.lines(&*store, &piece.shard).await.expect("lines");
            sources.extend(lines.into_iter().map(|line| line.source));
        }
        sources
    };
    assert_eq!(redriven(Class::Transient).await, ["/plates/014.jpg"]);
    assert_eq!(redriven(Class::All).await, ["/plates/003.jpg", "/plates/014.jpg"]);
    enter(14, Outcome::Enriched, None).await;
    let nothing = round::redriven(&plan, 3, Class::Transient, &*store, &*catalogue).await;
    assert_eq!(nothing.expect_err("nothing is left").kind(), FaultKind::NotFound);
}

#[tokio::test]
async fn a_resumed_round_has_what_is_not_done_and_a_late_word_undoes_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (store, catalogue) = (store(&folder), catalogue(&folder));
    let plan = planned(&*store, "plates", 25, 10).await;
    let pieces = round::all(&plan);
    round::write(&plan, 1, &pieces, &*store).await.expect("a round");
    let write = async |shard: &str, state| {
        let begun = Progress::begun(1, "a worker", Timestamp::UNIX_EPOCH);
        let progress = Progress { state, ..begun };
        progress.write(&*catalogue, &plan.tenant, &plan.run, shard).await.expect("a note");
    };
    write("00000", ShardState::InHand).await;
    write("00000", ShardState::Done).await;
    write("00001", ShardState::GivenBack).await;
    write("00000", ShardState::InHand).await;
    let left = round::unfinished(&plan, 1, &*store, &*catalogue).await.expect("pieces");
    assert_eq!(left, pieces[1..]);
    assert_eq!(round::unfinished(&plan, 0, &*store, &*catalogue).await.expect("pieces"), pieces);
}

#[tokio::test(start_paused = true)]
async fn an_engine_without_tasks_waits_no_longer_than_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let engine = LocalEngine::new(store(&folder));
    let began = tokio::time::Instant::now();
    let nothing = super::Engine::next(&engine, Duration::from_secs(3)).await.expect("an engine");
    assert!(nothing.is_none() && began.elapsed() == Duration::from_secs(3));
}
