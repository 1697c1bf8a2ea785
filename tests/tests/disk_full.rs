//! A home without room, without rights, and sources that are not what they seem.

#![allow(clippy::unwrap_used, reason = "a test may end where it fails")]

use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use glassplate_tests::archivist::Archivist;
use glassplate_tests::ledger_view::{records, stored, whole_originals};
use glassplate_tests::pictures::jpeg;
use serde_json::Value;

/// A small disk of its own below an archivist's desk; unmounted at the end.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path, size: &str) -> Self {
        std::fs::create_dir(at).unwrap();
        mount(&["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"], at);
        Self(at.to_owned())
    }

    fn grow(&self, size: &str) {
        mount(&["-o", &format!("remount,size={size}")], &self.0);
    }
}

fn mount(options: &[&str], at: &Path) {
    let status = Command::new("mount").args(options).arg(at).status().unwrap();
    assert!(status.success(), "mount {options:?}: {status}");
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
#[ignore = "needs the right to mount a small disk: run as root"]
fn a_full_disk_ends_the_run_and_room_lets_the_same_command_finish() {
    let mut archivist = Archivist::new();
    for seed in 0..60 {
        archivist.put(&format!("{seed}.jpg"), &jpeg(400, 300, seed));
    }
    archivist.move_home("undisturbed");
    archivist.ingest("plates").exits(0);
    let undisturbed = Archivist::new().in_home(archivist.home());

    // Each size runs out somewhere else: making the home, the index, an original, the ledger.
    for size in ["256k", "2m", "4m", "6m"] {
        archivist.move_home(&format!("disk {size}"));
        let disk = SmallDisk::mount(archivist.home(), size);
        let said = archivist.ingest("plates").exits(1);
        assert!(said.stderr.contains("error: "), "{said:?}");
        let told = said.stderr.contains("No space left on device") || said.stderr.contains("full");
        assert!(told, "{size}: the disk is not named: {said:?}");
        // Not one line a picture: the reason must not be buried.
        assert!(said.stderr.lines().count() < 12, "{said:?}");
        disk.grow("64m");
        let resumed = archivist.ingest("plates").exits(0).json();
        assert_eq!((&resumed["in"], &resumed["failed"]), (&60.into(), &0.into()), "{resumed}");
        archivist.run(&["doctor", "--originals"]).exits(0);
        assert_eq!(records(&archivist), records(&undisturbed), "{size}");
        assert_eq!(stored(archivist.home()), stored(undisturbed.home()), "{size}");
        assert_eq!(whole_originals(archivist.home()), 60);
    }
}

#[test]
fn a_home_that_cannot_be_made_is_told_with_its_path() {
    let mut archivist = Archivist::new();
    archivist.put("a.jpg", &jpeg(64, 48, 1));
    // Root may write anywhere; nobody can make a folder below a file.
    std::fs::write(archivist.desk().join("file"), b"in the way").unwrap();
    archivist.move_home("file/home");
    let said = archivist.ingest("c").exits(1).says("error: ").says("file/home");
    assert_eq!(said.json()["error"]["kind"], "broken");
    let text = archivist.run(&["doctor"]).exits(1);
    assert!(text.stdout.contains("problem  home"), "{text:?}");
}

#[test]
#[ignore = "needs the right to mount a small disk: run as root"]
fn a_home_that_became_read_only_is_read_and_not_written() {
    let mut archivist = Archivist::new();
    archivist.put("a.jpg", &jpeg(64, 48, 1));
    archivist.move_home("disk");
    let disk = SmallDisk::mount(archivist.home(), "16m");
    archivist.ingest("c").exits(0);
    mount(&["-o", "remount,ro"], &disk.0);
    archivist.put("b.jpg", &jpeg(64, 48, 2));
    let said = archivist.ingest("c").exits(1).says("error: ");
    assert!(
        said.stderr.to_lowercase().contains("read-only") || said.stderr.contains("readonly"),
        "{said:?}"
    );
    mount(&["-o", "remount,rw"], &disk.0);
    let resumed = archivist.ingest("c").exits(0).json();
    assert_eq!((&resumed["enriched"], &resumed["unchanged"]), (&1.into(), &1.into()), "{resumed}");
}

#[test]
fn what_is_no_regular_file_is_listed_and_nothing_hangs() {
    let archivist = Archivist::new();
    let pictures = archivist.pictures();
    archivist.put("good.jpg", &jpeg(64, 48, 1));
    archivist.put("empty.jpg", b"");
    assert!(Command::new("mkfifo").arg(pictures.join("pipe.jpg")).status().unwrap().success());
    let _socket = UnixListener::bind(pictures.join("socket.jpg")).unwrap();
    std::fs::create_dir(pictures.join("folder.jpg")).unwrap();
    symlink("nowhere", pictures.join("dangling.jpg")).unwrap();
    symlink("/dev/zero", pictures.join("device.jpg")).unwrap();
    symlink(&pictures, pictures.join("loop")).unwrap();
    symlink("good.jpg", pictures.join("link.jpg")).unwrap();
    let said = archivist.ingest("c").exits(3);
    let report = said.json();
    let outcome = |name: &str| -> (String, String) {
        let items = report["items"].as_array().unwrap();
        let of = |item: &&Value| item["source"].as_str().unwrap().rsplit('/').next() == Some(name);
        let item = items.iter().find(of).unwrap_or_else(|| panic!("{name}: {report}"));
        let text = |field: &str| item[field].as_str().unwrap_or_default().to_owned();
        (text("outcome"), text("reason"))
    };
    for name in ["pipe.jpg", "socket.jpg", "device.jpg"] {
        let (word, reason) = outcome(name);
        assert_eq!(word, "rejected", "{name}");
        assert!(reason.contains("is not a regular file"), "{name}: {reason}");
    }
    assert_eq!(outcome("empty.jpg").0, "rejected");
    for name in ["dangling.jpg", "loop"] {
        let (word, reason) = outcome(name);
        assert_eq!(word, "failed", "{name}");
        assert!(!reason.is_empty());
    }
    let mut pair = [outcome("good.jpg").0, outcome("link.jpg").0];
    pair.sort();
    assert_eq!(pair, ["duplicate", "enriched"]);
    assert_eq!(report["in"], 8, "{report}");
    assert!(said.took.as_secs() < 10, "{said:?}");
}

#[test]
fn a_source_without_rights_fails_and_is_taken_once_it_has_them() {
    let archivist = Archivist::new();
    let closed = archivist.put("closed.jpg", &jpeg(64, 48, 1));
    archivist.put("open.jpg", &jpeg(64, 48, 2));
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read(&closed).is_err() {
        let report = archivist.ingest("c").exits(3).json();
        assert_eq!((&report["enriched"], &report["failed"]), (&1.into(), &1.into()), "{report}");
        let failed = &report["items"].as_array().unwrap()[0];
        assert_eq!((&failed["outcome"], &failed["fault"]), (&"failed".into(), &"refused".into()));
    }
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o400)).unwrap();
    let report = archivist.ingest("c").exits(0).json();
    assert_eq!(report["failed"], 0, "{report}");
    assert_eq!(archivist.records().len(), 2);
}

#[test]
fn every_name_that_a_file_system_takes_is_kept_apart_and_found_again() {
    let archivist = Archivist::new();
    let names: [&[u8]; 10] = [
        b"new\nline.jpg",
        "camera \u{1f4f7}.jpg".as_bytes(),
        b"quote\"and'apostrophe.jpg",
        b" leading and trailing .jpg",
        b"-rf.jpg",
        b"back\\slash.jpg",
        b"back\\xE9.jpg",
        b"latin\xe9.jpg",
        "u\u{308}mlaut.jpg".as_bytes(),
        "\u{fc}mlaut.jpg".as_bytes(),
    ];
    for (seed, name) in names.iter().enumerate() {
        let path = archivist.pictures().join(std::ffi::OsStr::from_bytes(name));
        std::fs::write(path, jpeg(32, 24, seed as u64)).unwrap();
    }
    let first = archivist.ingest("c").exits(0).json();
    assert_eq!(first["enriched"], names.len(), "{first}");
    let mut sources: Vec<String> = archivist
        .records()
        .iter()
        .map(|record| record["occurrences"][0]["source"].as_str().unwrap().to_owned())
        .collect();
    sources.sort();
    sources.dedup();
    assert_eq!(sources.len(), names.len(), "{sources:?}");
    let again = archivist.ingest("c").exits(0).json();
    assert_eq!(again["unchanged"], names.len(), "{again}");
    let csv = archivist.run(&["export", "--format", "csv"]).exits(0).stdout;
    assert!(csv.contains("quote\"\"and'apostrophe.jpg"), "{csv}");
}
