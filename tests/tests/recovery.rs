//! Killed at any moment and run again: the same records, every original once and whole.

#![allow(clippy::unwrap_used, reason = "a test may end where it fails")]

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant, SystemTime};

use glassplate_tests::archivist::Archivist;
use glassplate_tests::ledger_view::{files, records, stored, whole_originals};
use glassplate_tests::pictures::{jpeg, png, with_comment};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// How often a run is killed.
const KILLS: usize = 25;
/// Seeds the moments; another number gives other moments.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// About 60 sources: sound, duplicate, of one family, damaged, no picture at all.
fn fill(archivist: &Archivist) {
    for seed in 0..36 {
        let picture = jpeg(160 + seed as usize, 120, seed);
        archivist.put(&format!("{}/harbour {seed}.jpg", seed % 4), &picture);
        match seed % 6 {
            0 => drop(archivist.put(&format!("copies/{seed}.jpg"), &picture)),
            1 => drop(
                archivist.put(&format!("captions/{seed}.jpg"), &with_comment(&picture, "the quay")),
            ),
            2 => drop(archivist.put(&format!("cut/{seed}.jpg"), &picture[..picture.len() / 3])),
            3 => drop(archivist.put(&format!("broken/{seed}.jpg"), &picture[100..200])),
            _ => {}
        }
    }
    archivist.put("lake.png", &png(200, 150, 99));
    archivist.put("notes.txt", b"not a picture");
}

/// Everything that two archivists must agree on after all was taken in.
fn assert_agree(disturbed: &Archivist, undisturbed: &Archivist) {
    assert_eq!(records(disturbed), records(undisturbed));
    assert_eq!(stored(disturbed.home()), stored(undisturbed.home()));
    assert_eq!(whole_originals(disturbed.home()), whole_originals(undisturbed.home()));
    disturbed.run(&["doctor", "--originals"]).exits(0);
    for query in ["harbour", "copies -harbour", "format:png", "quay OR lake"] {
        let found = |archivist: &Archivist| -> Value {
            let answer = archivist.run(&["search", query, "--limit", "100", "--json"]).exits(0);
            let mut hits: Vec<String> = answer.json()["hits"]
                .as_array()
                .unwrap()
                .iter()
                .map(|hit| hit["asset"].as_str().unwrap().to_owned())
                .collect();
            hits.sort();
            hits.into()
        };
        assert_eq!(found(disturbed), found(undisturbed), "{query}");
    }
}

fn start(archivist: &Archivist) -> Child {
    archivist
        .command(&archivist.ingest_words("plates"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn send(child: &Child, signal: Signal) {
    let pid = Pid::from_child(child);
    kill_process(pid, signal).unwrap();
}

/// Two folders of the same pictures under one path, since the path is part of a record.
fn undisturbed() -> (Archivist, Archivist) {
    let mut archivist = Archivist::new();
    fill(&archivist);
    archivist.move_home("undisturbed");
    archivist.ingest("plates").exits(3);
    let reader = Archivist::new().in_home(archivist.home());
    (archivist, reader)
}

#[test]
fn killed_at_25_moments_and_resumed_nothing_differs() {
    let (mut archivist, undisturbed) = undisturbed();
    archivist.move_home("measured");
    let whole = archivist.ingest("plates").exits(3).took;

    let (mut kills, mut midway, mut homes) = (0, 0, 0);
    let mut random = SEED;
    while kills < KILLS {
        homes += 1;
        archivist.move_home(&format!("disturbed {homes}"));
        loop {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(SEED | 1);
            // Each life is a part of a whole run, so that several deaths spread over one archive.
            let life = whole.mul_f64((random >> 33) as f64 / (1_u64 << 31) as f64 * 0.5);
            let mut child = start(&archivist);
            std::thread::sleep(life);
            if child.try_wait().unwrap().is_none() && kills < KILLS {
                let _ = child.kill();
            }
            let output = child.wait_with_output().unwrap();
            if output.status.signal() == Some(9) {
                kills += 1;
                midway += usize::from(begun(&archivist));
                continue;
            }
            assert_eq!(output.status.code(), Some(3), "{output:?}");
            let report: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(report["in"], 62, "{report}");
            assert_eq!(report["failed"], 0, "{report}");
            break;
        }
        assert_agree(&archivist, &undisturbed);
        sweep(&archivist);
    }
    // Kills before the first write or after the last would prove nothing.
    assert!(midway >= KILLS / 2, "{midway} of {kills} kills came midway");
}

/// Whether something but not everything had been stored.
fn begun(archivist: &Archivist) -> bool {
    let originals = stored(archivist.home()).keys().filter(|key| key.contains("originals")).count();
    (1..55).contains(&originals)
}

/// Whatever dead processes left on its way in is swept once it is old enough, and only then.
fn sweep(archivist: &Archivist) {
    let incoming = archivist.home().join("store/incoming");
    let left = files(&incoming);
    assert!(left.len() <= KILLS * 8, "{left:?}");
    std::fs::write(incoming.join("in use"), b"by another process").unwrap();
    let old = SystemTime::now() - Duration::from_secs(2 * 24 * 60 * 60);
    for name in left.keys() {
        std::fs::File::open(incoming.join(name)).unwrap().set_modified(old).unwrap();
    }
    archivist.ingest("plates").exits(3);
    assert_eq!(files(&incoming).into_keys().collect::<Vec<_>>(), ["in use"]);
}

#[test]
fn what_the_index_missed_is_caught_up_by_the_next_search() {
    let archivist = Archivist::new();
    archivist.put("first harbour.jpg", &jpeg(96, 72, 1));
    archivist.ingest("plates").exits(0);
    // The index as it was: what a kill between catalogue and index leaves.
    let (index, before) = (archivist.home().join("index"), archivist.home().join("before"));
    std::fs::rename(&index, &before).unwrap();
    copy(&before, &index);
    archivist.put("second harbour.jpg", &jpeg(96, 72, 2));
    archivist.ingest("plates").exits(0);
    std::fs::remove_dir_all(&index).unwrap();
    std::fs::rename(&before, &index).unwrap();
    archivist.run(&["search", "harbour"]).exits(0).says("2 found");
    archivist.run(&["search", "second"]).exits(0).says("1 found");
    // And one that is gone is built again.
    std::fs::remove_dir_all(&index).unwrap();
    archivist.run(&["search", "harbour"]).exits(0).says("2 found");
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    for name in files(from).keys() {
        let target = to.join(name);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(from.join(name), target).unwrap();
    }
}

#[test]
fn an_interrupt_ends_with_a_balance_and_the_same_command_resumes() {
    let (mut archivist, undisturbed) = undisturbed();
    for signal in [Signal::INT, Signal::TERM] {
        archivist.move_home(&format!("interrupted {}", signal.as_raw()));
        // One lane, so that there is something left to interrupt.
        std::fs::create_dir(archivist.home()).unwrap();
        std::fs::write(archivist.home().join("config.toml"), "[ingest]\nlanes = 1\n").unwrap();
        let child = start(&archivist);
        let began = Instant::now();
        while !begun(&archivist) {
            assert!(began.elapsed() < Duration::from_secs(60), "nothing was ever stored");
            std::thread::sleep(Duration::from_millis(1));
        }
        send(&child, signal);
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(130), "{stderr}");
        assert!(stderr.contains("ending after the pictures in hand"), "{stderr}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let count = |name: &str| report[name].as_u64().unwrap();
        let sum: u64 =
            ["enriched", "unchanged", "duplicate", "rejected", "failed"].map(count).iter().sum();
        assert_eq!(count("in"), sum, "{report}");
        assert!(count("left") > 0 && count("in") > 0 && count("in") + count("left") == 62);
        assert_eq!(count("failed"), 0, "{report}");
        archivist.run(&["runs"]).exits(0).prints("unfinished");
        let resumed = archivist.ingest("plates").exits(3).json();
        assert_eq!(resumed["in"], 62, "{resumed}");
        assert!(resumed["unchanged"].as_u64().unwrap() >= count("enriched"), "{resumed}");
        assert_agree(&archivist, &undisturbed);
    }
}
