//! Batches by the real binary on one machine: one run however often it is begun, and the same
//! records as an ingest makes.

#![allow(clippy::unwrap_used, reason = "a test may end where it fails")]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use glassplate_tests::archivist::{Archivist, Said};
use glassplate_tests::ledger_view::records;
use glassplate_tests::pictures::jpeg;
use serde_json::Value;

/// Pictures of which every tenth is none.
fn fill(archivist: &Archivist, many: u32) {
    for n in 0..many {
        let picture = jpeg(320, 240, u64::from(n));
        let picture = match n % 10 {
            9 => [&picture[..60], n.to_string().as_bytes()].concat(),
            _ => picture,
        };
        archivist.put(&format!("{}/plate {n:03}.jpg", n % 3), &picture);
    }
}

fn plan(archivist: &Archivist, shard: &str) -> Value {
    let pictures = archivist.pictures().display().to_string();
    let words = ["batch", "plan", &pictures, "--collection", "plates", "--without-labels"];
    archivist.run(&[&words[..], &["--shard", shard, "--json"]].concat()).exits(0).json()
}

fn batch(archivist: &Archivist, words: &[&str]) -> Said {
    archivist.run(&[&["batch"], words].concat())
}

fn status(archivist: &Archivist, run: &str) -> Value {
    batch(archivist, &["status", run, "--json"]).exits(0).json()
}

#[test]
fn a_batch_comes_to_what_an_ingest_comes_to_and_is_one_run() {
    let mut archivist = Archivist::new();
    fill(&archivist, 30);
    let planned = plan(&archivist, "8");
    assert_eq!((&planned["pictures"], &planned["shards"]), (&30.into(), &4.into()));
    let run = planned["run"].as_str().unwrap().to_owned();
    assert_eq!(plan(&archivist, "8")["run"], planned["run"]);
    assert_eq!(status(&archivist, &run)["control"]["state"], "planned");

    let too_many = batch(&archivist, &["start", &run, "--tolerate", "9%"]).exits(1);
    assert!(too_many.stderr.contains("Unbalanced"), "{too_many:#?}");
    let said = status(&archivist, &run);
    assert_eq!(said["control"]["state"], "failed");
    assert!(said["control"]["why"].as_str().unwrap().contains("3 of 30"), "{said}");
    assert_eq!(said["balance"]["enriched"], 27);
    batch(&archivist, &["start", &run]).exits(1).says("resume");
    batch(&archivist, &["redrive", &run, "--class", "transient"]).exits(1).says("quarantine");
    batch(&archivist, &["redrive", &run, "--class", "all", "--tolerate", "10%"]).exits(3);
    let said = status(&archivist, &run);
    assert_eq!(said["control"]["state"], "reconciled");
    assert_eq!(said["round_pictures"], 3, "what is in quarantine, and nothing else");
    assert_eq!(
        (&said["balance"]["enriched"], &said["balance"]["rejected"]),
        (&27.into(), &3.into())
    );
    batch(&archivist, &["start", &run]).exits(0).prints("already");
    archivist.run(&["runs", &run]).exits(0).prints("30 in = 27 enriched").prints("finished");
    archivist.run(&["search", "plate", "--limit", "1"]).exits(0).says("30 found");

    let page = batch(&archivist, &["report", &run, "--format", "html"]).exits(0).stdout;
    assert!(page.contains("<svg") && !page.contains("<script"));
    let csv = batch(&archivist, &["report", &run, "--format", "csv"]).exits(0).stdout;
    assert_eq!(csv.lines().count(), 31);
    let report = batch(&archivist, &["report", &run]).exits(0).json();
    assert_eq!((&report["quarantined"], &report["labels"]["assets"]), (&3.into(), &30.into()));

    let by_batch = records(&archivist);
    archivist.move_home("other home");
    archivist.ingest("plates").exits(3);
    assert_eq!(records(&archivist), by_batch);
}

#[test]
fn a_pause_from_another_terminal_is_heeded_and_a_resume_goes_on() {
    let archivist = Archivist::new();
    fill(&archivist, 240);
    let run = plan(&archivist, "20")["run"].as_str().unwrap().to_owned();
    let started = begun(&archivist, &["batch", "start", &run, "--tolerate", "20%"]);
    wait_for(|| status(&archivist, &run)["round_done"].as_u64().unwrap() >= 20);
    batch(&archivist, &["pause", &run, "--by", "ada", "--reason", "lunch"]).exits(0);
    let ended = started.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130), "{}", String::from_utf8_lossy(&ended.stderr));
    let said = status(&archivist, &run);
    assert_eq!(said["control"]["owner"]["reason"], "lunch");
    let done = said["round_done"].as_u64().unwrap();
    assert!((20..240).contains(&done), "{done} done");
    batch(&archivist, &["resume", &run, "--by", "bob"]).exits(1).says("ada");
    batch(&archivist, &["resume", &run, "--by", "bob", "--take-over"]).exits(3);
    let said = status(&archivist, &run);
    assert_eq!(
        (&said["balance"]["enriched"], &said["balance"]["rejected"]),
        (&216.into(), &24.into())
    );
    assert!(
        said["round_pictures"].as_u64().unwrap() <= 240 - 20,
        "what was done is not done again"
    );
    batch(&archivist, &["cancel", &run]).exits(1).says("undo");
}

#[test]
fn a_batch_that_was_killed_is_gone_on_with() {
    let archivist = Archivist::new();
    fill(&archivist, 240);
    let run = plan(&archivist, "20")["run"].as_str().unwrap().to_owned();
    let mut started = begun(&archivist, &["batch", "start", &run, "--tolerate", "20%"]);
    wait_for(|| status(&archivist, &run)["round_done"].as_u64().unwrap() >= 20);
    // While it lives, a second start is none.
    batch(&archivist, &["start", &run]).exits(0).prints("already");
    started.kill().unwrap();
    started.wait().unwrap();
    assert_eq!(status(&archivist, &run)["control"]["state"], "running");
    batch(&archivist, &["resume", &run]).exits(3);
    let said = status(&archivist, &run);
    assert_eq!(
        (&said["balance"]["enriched"], &said["balance"]["rejected"]),
        (&216.into(), &24.into())
    );
    let csv = batch(&archivist, &["report", &run, "--format", "csv"]).exits(0).stdout;
    assert_eq!(csv.lines().count(), 241);
}

#[test]
fn what_cannot_be_is_said_and_nothing_is_begun() {
    let archivist = Archivist::new();
    archivist.put("a.jpg", &jpeg(64, 48, 1));
    batch(&archivist, &["status", "batch-0000000000000000"]).exits(1).says("nothing was ingested");
    archivist.run(&["worker", "--once"]).exits(2).says("no queue");
    let run = plan(&archivist, "1")["run"].as_str().unwrap().to_owned();
    batch(&archivist, &["status", "batch-0000000000000000"]).exits(1).says("no batch");
    batch(&archivist, &["resume", &run]).exits(1).says("start");
    batch(&archivist, &["pause", &run]).exits(1).says("nothing runs");
    batch(&archivist, &["cancel", &run]).exits(0).prints("cancelled");
    batch(&archivist, &["start", &run]).exits(1).says("cancelled");
}

fn begun(archivist: &Archivist, words: &[&str]) -> std::process::Child {
    let mut command: Command = archivist.command(words);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[track_caller]
fn wait_for(mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(120), "waited in vain");
        std::thread::sleep(Duration::from_millis(50));
    }
}
