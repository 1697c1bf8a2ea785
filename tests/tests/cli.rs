//! Each command as a user meets it: stdout, stderr and the exit status together.

#![allow(clippy::unwrap_used, reason = "a test may end where it fails")]

use std::os::unix::ffi::OsStrExt as _;
use std::process::Stdio;

use glassplate_tests::archivist::{Archivist, Said, collect};
use glassplate_tests::ledger_view::{files, stored};
use glassplate_tests::pictures::{jpeg, jpeg_header, png, with_comment};
use serde_json::{Value, json};

/// Three sound pictures, a damaged one and a text file.
fn small_archive() -> Archivist {
    let archivist = Archivist::new();
    archivist.put("harbour.jpg", &jpeg(96, 72, 1));
    archivist.put("album/mill.jpg", &jpeg(80, 60, 2));
    archivist.put("album/lake.png", &png(64, 48, 3));
    archivist.put("album/broken.jpg", b"this was a photograph once");
    archivist.put("album/notes.txt", b"glass plates, box 7");
    archivist
}

/// The five outcomes of a JSON report, which must add up to what went in.
#[track_caller]
fn balance(said: &Said) -> [u64; 5] {
    let report = said.json();
    let count = |name: &str| report[name].as_u64().unwrap_or_else(|| panic!("no {name}: {report}"));
    let counts = ["enriched", "unchanged", "duplicate", "rejected", "failed"].map(count);
    assert_eq!(count("in"), counts.iter().sum::<u64>(), "{report}");
    assert_eq!(report["items"].as_array().unwrap().len() as u64, count("in"), "{report}");
    counts
}

/// The item of a source whose path ends so.
#[track_caller]
fn item<'a>(report: &'a Value, source: &str) -> &'a Value {
    let mut items = report["items"].as_array().unwrap().iter();
    let found = items.find(|item| item["source"].as_str().unwrap().ends_with(source));
    found.unwrap_or_else(|| panic!("no item {source}: {report}"))
}

#[test]
fn an_ingest_balances_and_the_second_does_no_work() {
    let archivist = small_archive();
    let first = archivist.ingest("plates").exits(3);
    assert_eq!(balance(&first), [3, 0, 0, 2, 0]);
    let report = first.json();
    assert!(report["run"].is_string() && report["seconds"].is_f64());
    assert_eq!(report["bytes"].as_u64().unwrap(), {
        let of = |name: &str| archivist.pictures().join(name).metadata().unwrap().len();
        of("harbour.jpg")
            + of("album/mill.jpg")
            + of("album/lake.png")
            + of("album/broken.jpg")
            + of("album/notes.txt")
    });
    let sound = item(&report, "harbour.jpg");
    assert_eq!(sound["outcome"], "enriched");
    assert_eq!((&sound["fault"], &sound["reason"]), (&Value::Null, &Value::Null));
    assert_eq!(sound["asset"].as_str().unwrap().len(), 21);
    // Named like a picture: registered and kept, with the reason. A text file is only listed.
    let broken = item(&report, "broken.jpg");
    assert_eq!((&broken["outcome"], &broken["fault"]), (&json!("rejected"), &json!("unsupported")));
    assert!(broken["asset"].is_string() && broken["reason"].as_str().unwrap().len() > 5);
    assert!(item(&report, "notes.txt")["asset"].is_null());
    assert_eq!(stored(archivist.home()).keys().filter(|k| k.contains("originals")).count(), 4);

    let kept = stored(archivist.home());
    let records = archivist.records();
    let second = archivist.ingest("plates").exits(3);
    assert_eq!(balance(&second), [0, 3, 0, 2, 0]);
    assert_eq!(stored(archivist.home()), kept);
    assert_eq!(archivist.records(), records, "a second run adds no opinion");
}

#[test]
fn an_ingest_in_words_lists_what_was_refused_and_says_when_there_was_no_work() {
    let archivist = Archivist::new();
    archivist.put("a.jpg", &jpeg(64, 48, 1));
    let bad = archivist.put("b.jpg", b"not a picture");
    let pictures = archivist.pictures();
    let words = ["ingest", pictures.to_str().unwrap(), "--collection", "c", "--without-labels"];
    archivist
        .run(&words)
        .exits(3)
        .prints("2 in = 1 enriched + 0 unchanged + 0 duplicate + 1 rejected + 0 failed")
        .prints("rejected (unsupported) ")
        .prints("b.jpg: not a picture");
    std::fs::remove_file(bad).unwrap();
    let again = archivist.run(&words).exits(0).prints("1 in = 0 enriched + 1 unchanged");
    assert!(again.stdout.contains("no work was done twice"), "{again:?}");
}

#[test]
fn the_same_bytes_elsewhere_are_a_duplicate_and_a_caption_joins_the_family() {
    let archivist = Archivist::new();
    let picture = jpeg(96, 72, 1);
    archivist.put("a.jpg", &picture);
    let first = archivist.ingest("one").exits(0);
    assert_eq!(balance(&first), [1, 0, 0, 0, 0]);
    // Another name, a renamed file, another collection.
    archivist.put("copy.jpg", &picture);
    assert_eq!(balance(&archivist.ingest("one").exits(0)), [0, 1, 1, 0, 0]);
    std::fs::rename(archivist.pictures().join("a.jpg"), archivist.pictures().join("z.jpg"))
        .unwrap();
    assert_eq!(balance(&archivist.ingest("one").exits(0)), [0, 1, 1, 0, 0]);
    assert_eq!(balance(&archivist.ingest("two").exits(0)), [0, 0, 2, 0, 0]);
    let records = archivist.records();
    assert_eq!(records.len(), 1);
    let places = records[0]["occurrences"].as_array().unwrap();
    assert_eq!(places.len(), 5, "a, copy and z in one; copy and z in two: {places:?}");

    archivist.put("captioned.jpg", &with_comment(&picture, "At the harbour"));
    let report = archivist.ingest("one").exits(0);
    assert_eq!(balance(&report), [1, 2, 0, 0, 0]);
    let records = archivist.records();
    assert_eq!(records.len(), 2);
    assert_eq!(records[0]["pixel_digest"], records[1]["pixel_digest"]);
    assert_ne!(records[0]["digest"]["sha256"], records[1]["digest"]["sha256"]);
    let kept = stored(archivist.home());
    assert_eq!(kept.keys().filter(|k| k.contains("originals")).count(), 2);
    assert_eq!(kept.keys().filter(|k| k.contains("renditions")).count(), 3, "shared: {kept:?}");
    let id = records[0]["asset"].as_str().unwrap();
    let other = records[1]["asset"].as_str().unwrap();
    archivist.run(&["show", id]).exits(0).prints(&format!("the same picture as {other}"));
}

#[test]
fn an_empty_text_file_is_no_occurrence_of_an_empty_picture() {
    let archivist = Archivist::new();
    archivist.put("a.txt", b"");
    archivist.put("b.jpg", b"");
    archivist.put("c.txt", b"");
    // Twice, so that each is met before and after the other is known.
    for _ in 0..2 {
        assert_eq!(balance(&archivist.ingest("c").exits(3)), [0, 0, 0, 3, 0]);
        let records = archivist.records();
        assert_eq!(records.len(), 1);
        assert_eq!(records[0]["occurrences"].as_array().unwrap().len(), 1, "{records:?}");
    }
}

#[test]
fn a_dry_run_foretells_the_outcomes_and_writes_nothing() {
    let archivist = small_archive();
    archivist.put("huge.jpg", &jpeg_header(65_500, 65_500));
    archivist.put("twin.jpg", &jpeg(96, 72, 1));
    let mut words = archivist.ingest_words("plates");
    words.push("--dry-run".to_owned());
    let outcomes = |said: &Said| -> Vec<(String, String, Value)> {
        let report = said.json();
        let mut items: Vec<_> = report["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|i| {
                let text = |name: &str| i[name].as_str().unwrap().to_owned();
                (text("source"), text("outcome"), i["fault"].clone())
            })
            .collect();
        items.sort_by(|a, b| a.0.cmp(&b.0));
        items
    };
    let foretold = archivist.run(&words).exits(0);
    assert_eq!(foretold.json()["dry_run"], true);
    balance(&foretold);
    assert!(!archivist.home().exists(), "{:?}", files(archivist.home()));
    let done = archivist.ingest("plates").exits(3);
    // Which of two twins comes first is up to the lanes.
    let strip = |mut items: Vec<(String, String, Value)>| {
        let twins: Vec<_> = items
            .extract_if(.., |(source, ..)| {
                source.ends_with("harbour.jpg") || source.ends_with("twin.jpg")
            })
            .map(|(_, outcome, _)| outcome)
            .collect();
        assert!(twins.contains(&"enriched".to_owned()) && twins.contains(&"duplicate".to_owned()));
        items
    };
    assert_eq!(strip(outcomes(&foretold)), strip(outcomes(&done)));

    let kept = |archivist: &Archivist| {
        let mut files = files(archivist.home());
        // Opening SQLite moves its pages between log and file; the records tell what it says.
        files.retain(|name, _| !name.starts_with("catalogue.sqlite"));
        (files, archivist.records())
    };
    let before = kept(&archivist);
    archivist.put("new.jpg", &jpeg(40, 30, 9));
    let foretold = archivist.run(&words).exits(0);
    assert_eq!(balance(&foretold), [1, 4, 0, 3, 0]);
    assert_eq!(kept(&archivist), before);
}

#[test]
fn metadata_beside_the_files_is_kept_with_its_source_and_unmatched_rows_are_told() {
    let archivist = Archivist::new();
    archivist.put("a.jpg", &jpeg(64, 48, 1));
    archivist.put("b.jpg", &jpeg(64, 48, 2));
    archivist.put("b.jpg.xmp", br#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:City="Kiel"/></rdf:RDF></x:xmpmeta>"#);
    let csv = archivist
        .put("list.csv", b"path,title,creator\na.jpg,The mill,Ada Lang\nmissing.jpg,Nobody,\n");
    let mut words = archivist.ingest_words("plates");
    words.extend(["--metadata".to_owned(), csv.display().to_string()]);
    let said = archivist
        .run(&words)
        .exits(0)
        .says("1 XMP sidecars belong to pictures")
        .says("1 rows of the CSV match no file")
        .says("line 3: missing.jpg");
    assert_eq!(balance(&said), [2, 0, 0, 0, 0]);
    let records = archivist.records();
    let of = |name: &str| {
        let at =
            |record: &&Value| record["occurrences"][0]["source"].as_str().unwrap().ends_with(name);
        records.iter().find(at).unwrap()["occurrences"][0]["metadata"].clone()
    };
    assert_eq!(of("a.jpg")["title"]["value"], "The mill");
    assert_eq!(of("a.jpg")["title"]["source"], "csv:list.csv");
    assert_eq!(of("b.jpg")["city"]["value"], "Kiel");
    archivist.run(&["search", "creator:lang"]).exits(0).prints("The mill").says("1 found");

    // A corrected table enriches the one picture that it changes.
    std::fs::write(&csv, "path,title,creator\na.jpg,The old mill,Ada Lang\n").unwrap();
    assert_eq!(balance(&archivist.run(&words).exits(0)), [1, 1, 0, 0, 0]);
    archivist.run(&["search", "\"old mill\""]).exits(0).prints("The old mill");
}

#[test]
fn wrong_use_exits_2_and_what_is_missing_1() {
    let archivist = Archivist::new();
    let folder = archivist.pictures();
    let pictures = folder.to_str().unwrap();
    archivist.put("a.jpg", &jpeg(64, 48, 1));
    archivist.run(&["ingest"]).exits(2).says("PATH");
    archivist.run(&["ingest", pictures]).exits(2).says("--collection");
    archivist.run(&["enrich"]).exits(2).says("enrich");
    archivist.run(&["--tenant", "no/tenant", "runs"]).exits(2).says("no/tenant");
    archivist
        .run(&["ingest", "nowhere", "--collection", "c", "--without-labels"])
        .exits(1)
        .says("cannot find nowhere");
    for name in ["", "two\nlines"] {
        archivist
            .run(&["ingest", pictures, "--collection", name, "--without-labels"])
            .exits(2)
            .says("is not a collection name");
    }
    let csv = archivist.desk().join("list.csv");
    std::fs::write(&csv, b"title\nno key\n").unwrap();
    archivist
        .run(&["ingest", pictures, "--collection", "c", "--metadata", csv.to_str().unwrap()])
        .exits(2)
        .says("list.csv");
    for words in [&["search", "a"][..], &["runs"], &["reindex"], &["export", "--format", "csv"]] {
        archivist.run(words).exits(1).says("nothing was ingested into");
    }
    archivist.ingest("c").exits(0);
    archivist.run(&["runs", "20200101T000000Z-00000000"]).exits(1).says("there is no run");
    archivist
        .run(&["export", "--collection", "other", "--format", "jsonl"])
        .exits(1)
        .says("there is no collection \"other\"");
    let said = archivist.run(&["export", "--format", "xml"]).exits(2);
    assert!(said.stdout.is_empty(), "{said:?}");
}

#[test]
fn a_mistyped_asset_is_told_apart_from_an_unknown_one() {
    let archivist = Archivist::new();
    archivist.put("a.jpg", &jpeg(64, 48, 1));
    archivist.ingest("c").exits(0);
    let id = archivist.records()[0]["asset"].as_str().unwrap().to_owned();
    archivist.run(&["show", &id]).exits(0).prints(&id).prints("64 x 48").prints("render: done");
    let shown = archivist.run(&["show", &id, "--json"]).exits(0).json();
    assert_eq!(shown, archivist.records()[0]);
    // One letter wrong, and two neighbours swapped.
    let wrong = id.replacen(&id[3..4], if &id[3..4] == "b" { "c" } else { "b" }, 1);
    archivist.run(&["show", &wrong]).exits(2).says("check character").says("mistyped");
    let mut letters: Vec<char> = id.chars().collect();
    let at = (1..19).find(|&at| letters[at] != letters[at + 1]).unwrap();
    letters.swap(at, at + 1);
    let swapped: String = letters.into_iter().collect();
    archivist.run(&["show", &swapped]).exits(2).says("mistyped");
    archivist.run(&["show", "abc"]).exits(2).says("it has 3 characters, not 21");
    archivist
        .run(&["show", "aaaaaaaaaaaaaaaaaaaaa"])
        .exits(2)
        .says("'a' is not one of the letters");
    archivist.run(&["show", "000000000000000000000"]).exits(1).says("there is no asset");
}

#[test]
fn an_export_has_the_fields_that_were_promised() {
    let archivist = small_archive();
    archivist.ingest("plates").exits(3);
    let records = archivist.records();
    assert_eq!(records.len(), 4);
    let harbour = records
        .iter()
        .find(|r| r["occurrences"][0]["source"].as_str().unwrap().ends_with("harbour.jpg"))
        .unwrap();
    for name in [
        "asset",
        "tenant",
        "digest",
        "pixel_digest",
        "phash",
        "format",
        "width",
        "height",
        "occurrences",
        "embedded",
        "renditions",
        "labels",
        "steps",
    ] {
        assert!(harbour.get(name).is_some(), "{name} is missing: {harbour}");
    }
    assert_eq!((&harbour["format"], &harbour["tenant"]), (&json!("jpeg"), &json!("default")));
    assert_eq!((&harbour["width"], &harbour["height"]), (&json!(96), &json!(72)));
    assert_eq!(harbour["digest"]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(harbour["phash"].as_str().unwrap().len(), 16);
    let place = &harbour["occurrences"][0];
    assert_eq!((&place["collection"], &place["metadata"]), (&json!("plates"), &json!({})));
    for rendition in harbour["renditions"].as_array().unwrap() {
        let path = rendition["path"].as_str().unwrap();
        assert!(std::fs::read(path).unwrap().starts_with(&[0xff, 0xd8]), "{path}");
        assert_eq!((&rendition["width"], &rendition["height"]), (&json!(96), &json!(72)));
        assert_eq!(rendition["media_type"], "image/jpeg");
    }
    for (step, state) in [
        ("register", "done"),
        ("identify", "done"),
        ("render", "done"),
        ("record", "done"),
        ("label", "not_run"),
    ] {
        assert_eq!(harbour["steps"][step]["state"], state, "{harbour}");
    }
    let broken = records.iter().find(|r| r["format"].is_null()).unwrap();
    assert_eq!(broken["steps"]["identify"]["state"], "failed");
    assert!(broken["steps"]["identify"]["reason"].as_str().unwrap().starts_with("unsupported: "));
    assert_eq!(broken["steps"]["render"]["state"], "not_run");

    let csv =
        archivist.run(&["export", "--format", "csv", "--collection", "plates"]).exits(0).stdout;
    let mut lines = csv.lines();
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("asset,collection,source,sha256,pixel_digest,phash,format,")
    );
    assert_eq!(lines.count(), 4);
}

#[test]
fn runs_tell_the_same_balance_later() {
    let archivist = small_archive();
    let run = archivist.ingest("plates").exits(3).json();
    let id = run["run"].as_str().unwrap();
    archivist.run(&["runs"]).exits(0).prints(id).prints("finished").prints("5 in = 3 enriched");
    archivist
        .run(&["runs", id])
        .exits(0)
        .prints("5 in = 3 enriched + 0 unchanged + 0 duplicate + 2 rejected + 0 failed")
        .prints("broken.jpg");
    let told = archivist.run(&["runs", id, "--json"]).exits(0).json();
    assert_eq!((&told["state"], &told["items"]), (&json!("finished"), &run["items"]));
    assert_eq!(told["balance"]["enriched"], 3);
}

#[test]
fn a_search_says_why_and_a_wrong_query_where() {
    let archivist = small_archive();
    archivist.ingest("plates").exits(3);
    archivist.run(&["search", "mill"]).exits(0).prints("mill.jpg").says("1 found");
    let answer = archivist.run(&["search", "mill", "--json"]).exits(0).json();
    assert_eq!(answer["total"], 1);
    assert!(answer["hits"][0]["why"][0]["text"].is_string(), "{answer}");
    archivist
        .run(&["search", "collection:plates", "-format:png", "--limit", "1"])
        .exits(0)
        .says("the first 1 shown");
    let nothing = archivist.run(&["search", "zeppelin"]).exits(0).says("nothing found");
    assert!(nothing.stdout.is_empty());
    archivist.run(&["search", "colour:red"]).exits(2).says("colour").says("title");
    archivist.run(&["search", "\"never closed"]).exits(2).says("error: ");
    let wrong = archivist.run(&["search", "colour:red", "--json"]).exits(2).json();
    assert_eq!(wrong["error"]["kind"], "bad_input");
}

#[test]
fn a_reindex_finds_what_the_index_found() {
    let archivist = small_archive();
    archivist.ingest("plates").exits(3);
    let ask = || archivist.run(&["search", "album", "--json"]).exits(0).json();
    let before = ask();
    assert!(before["total"].as_u64().unwrap() >= 2);
    std::fs::remove_dir_all(archivist.home().join("index")).unwrap();
    archivist.run(&["reindex"]).exits(0).prints("4 records indexed");
    assert_eq!(ask(), before);
    let built = archivist.run(&["reindex", "--json"]).exits(0).json();
    assert_eq!(built["documents"], 4);
}

#[test]
fn a_doctor_finds_a_lost_and_a_damaged_original() {
    let archivist = small_archive();
    archivist.run(&["doctor"]).exits(0).prints("home").prints("disk");
    archivist.ingest("plates").exits(3);
    archivist.run(&["doctor", "--originals"]).exits(0).prints("4 read back, all whole");
    let original = |n: usize| {
        let stored = stored(archivist.home());
        let name = stored.keys().filter(|k| k.contains("originals")).nth(n).unwrap().clone();
        archivist.home().join("store").join(name)
    };
    let (lost, damaged) = (original(0), original(1));
    std::fs::remove_file(&lost).unwrap();
    let mut bytes = std::fs::read(&damaged).unwrap();
    bytes[10] ^= 1;
    std::fs::remove_file(&damaged).unwrap();
    std::fs::write(&damaged, bytes).unwrap();
    archivist.run(&["doctor"]).exits(0);
    archivist
        .run(&["doctor", "--originals"])
        .exits(1)
        .prints("2 of 4 are lost or damaged")
        .prints(damaged.file_name().unwrap().to_str().unwrap());
    let told = archivist.run(&["doctor", "--originals", "--json"]).exits(1).json();
    assert_eq!(told["sound"], false);
}

#[test]
fn homes_and_tenants_do_not_see_each_other() {
    let mut archivist = Archivist::new();
    archivist.put("a.jpg", &jpeg(64, 48, 1));
    archivist.ingest("c").exits(0);
    let mut words = archivist.ingest_words("c");
    words.extend(["--tenant", "museum"].map(str::to_owned));
    assert_eq!(balance(&archivist.run(&words).exits(0)), [1, 0, 0, 0, 0]);
    let museum = archivist.run(&["export", "--format", "jsonl", "--tenant", "museum"]).exits(0);
    let (ours, theirs) = (archivist.records(), museum.lines());
    assert_eq!((ours.len(), theirs.len()), (1, 1));
    assert_ne!(ours[0]["asset"], theirs[0]["asset"]);
    let id = theirs[0]["asset"].as_str().unwrap();
    archivist.run(&["show", id]).exits(1).says("there is no asset");
    let run = archivist.run(&["runs", "--json", "--tenant", "museum"]).exits(0).json();
    assert_eq!(run["runs"].as_array().unwrap().len(), 1);
    archivist.run(&["search", "a", "--tenant", "nobody"]).exits(0).says("nothing found");
    archivist.move_home("other");
    assert_eq!(balance(&archivist.ingest("c").exits(0)), [1, 0, 0, 0, 0]);
}

#[test]
fn a_wrong_setting_is_named_with_its_file() {
    let archivist = Archivist::new();
    archivist.put("a.jpg", &jpeg(64, 48, 1));
    let config = archivist.desk().join("mine.toml");
    std::fs::write(&config, "[renditions]\nquality = 101\n").unwrap();
    let with = |text: &str| {
        std::fs::write(&config, text).unwrap();
        let mut words = archivist.ingest_words("c");
        words.extend(["--config".to_owned(), config.display().to_string()]);
        archivist.run(&words)
    };
    with("[renditions]\nquality = 101\n").exits(2).says("mine.toml").says("quality");
    with("[limits]\npixel = 1\n").exits(2).says("mine.toml").says("pixel");
    with("[renditions\n").exits(2).says("mine.toml");
    assert!(!archivist.home().exists());
    archivist.run(&["runs", "--config", "none.toml"]).exits(1).says("none.toml");
    // The file in the home holds too, and what it says is done.
    std::fs::create_dir(archivist.home()).unwrap();
    std::fs::write(archivist.home().join("config.toml"), "[renditions]\nsizes = [32]\n").unwrap();
    archivist.ingest("c").exits(0);
    let renditions = archivist.records()[0]["renditions"].clone();
    assert_eq!((renditions[0]["width"].as_u64(), &renditions[1]), (Some(32), &Value::Null));
}

#[test]
fn a_closed_pipe_ends_an_export_quietly() {
    let archivist = Archivist::new();
    for seed in 0..40 {
        archivist.put(&format!("{seed}.jpg"), &jpeg(16, 16, seed));
    }
    archivist.ingest("c").exits(0);
    // More than a pipe holds must be on its way, or nobody notices that it was closed.
    let size: usize = archivist.records().iter().map(|record| record.to_string().len()).sum();
    assert!(size > 65_536, "{size}");
    let mut child = archivist
        .command(&["export", "--format", "jsonl"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn nothing_piped_is_coloured_and_file_names_cannot_play_with_the_terminal() {
    let archivist = small_archive();
    archivist.put("\u{1b}[31mred\n.jpg", b"no picture");
    let pictures = archivist.pictures();
    let words = ["ingest", pictures.to_str().unwrap(), "--collection", "c", "--without-labels"];
    let mut said = vec![archivist.run(&words).exits(3).prints("red\\n.jpg")];
    let run =
        archivist.run(&["runs", "--json"]).json()["runs"][0]["id"].as_str().unwrap().to_owned();
    for words in
        [&["runs"][..], &["runs", &run], &["search", "c"], &["doctor"], &["--help"], &["nonsense"]]
    {
        said.push(archivist.run(words));
    }
    let id = archivist.records()[0]["asset"].as_str().unwrap().to_owned();
    said.push(archivist.run(&["show", &id]));
    for said in said {
        assert!(!said.stdout.contains('\u{1b}') && !said.stderr.contains('\u{1b}'), "{said:?}");
        assert!(!said.stdout.contains('\r') && !said.stderr.contains('\r'), "{said:?}");
    }
}

#[test]
fn help_lists_the_exit_codes_and_completions_need_no_home() {
    let archivist = Archivist::new();
    for command in [
        "ingest",
        "search",
        "show",
        "export",
        "runs",
        "models",
        "reindex",
        "doctor",
        "demo",
        "review",
        "approve",
        "reject",
        "add",
        "decisions",
        "calibrate",
        "relabel",
        "compare",
        "promote",
        "undo",
        "evaluate",
    ] {
        let help = archivist.run(&[command, "--help"]).exits(0).prints("Exit codes:");
        assert!(help.stderr.is_empty());
    }
    archivist.run(&["--help"]).exits(0).prints("130  interrupted");
    archivist.run(&["--version"]).exits(0).prints("glassplate ");
    for shell in ["bash", "zsh", "fish"] {
        let mut command = archivist.command(&["completions", shell]);
        command.env_remove("HOME").env_remove("GLASSPLATE_HOME");
        collect(command).exits(0).prints("glassplate");
    }
    assert!(!archivist.home().exists());
}

#[test]
fn a_source_whose_name_is_no_utf_8_is_kept_under_a_name_that_is() {
    let archivist = Archivist::new();
    let path = archivist.pictures().join(std::ffi::OsStr::from_bytes(b"caf\xe9.jpg"));
    std::fs::write(path, jpeg(64, 48, 1)).unwrap();
    assert_eq!(balance(&archivist.ingest("c").exits(0)), [1, 0, 0, 0, 0]);
    let source = archivist.records()[0]["occurrences"][0]["source"].clone();
    assert!(source.as_str().unwrap().ends_with("caf\\xE9.jpg"), "{source}");
    assert_eq!(balance(&archivist.ingest("c").exits(0)), [0, 1, 0, 0, 0]);
}
