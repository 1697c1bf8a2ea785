//! Strangers' bytes through the whole binary: bombs, cut files, and every real file there is.

#![allow(clippy::unwrap_used, reason = "a test may end where it fails")]

use std::path::Path;
use std::time::Duration;

use glassplate_tests::archivist::{Archivist, Said};
use glassplate_tests::pictures::{
    deflated_zeros, gif_of_frames, ihdr, jpeg, jpeg_header, png, png_of,
};
use serde_json::Value;

/// What a whole ingest may hold, in kB.
const MOST_MEMORY_KB: u64 = 1_500_000;
/// What a handful of bombs may hold: nothing near what they claim.
const LITTLE_MEMORY_KB: u64 = 256_000;
/// Longest time for one file.
const LONGEST_FILE: Duration = Duration::from_secs(10);

/// A report whose balance adds up and whose refusals have reasons.
#[track_caller]
fn sound_report(said: &Said) -> Value {
    let report = said.json();
    let count = |name: &str| report[name].as_u64().unwrap();
    let sum: u64 =
        ["enriched", "unchanged", "duplicate", "rejected", "failed"].map(count).iter().sum();
    assert_eq!(count("in"), sum);
    assert_eq!(report["items"].as_array().unwrap().len() as u64, count("in"));
    for item in report["items"].as_array().unwrap() {
        if ["rejected", "failed"].contains(&item["outcome"].as_str().unwrap()) {
            assert!(item["fault"].is_string(), "{item}");
            assert!(item["reason"].as_str().is_some_and(|reason| reason.len() > 3), "{item}");
        }
    }
    report
}

#[track_caller]
fn fault_of(report: &Value, name: &str) -> String {
    let items = report["items"].as_array().unwrap();
    let found = items.iter().find(|item| item["source"].as_str().unwrap().ends_with(name));
    found.unwrap_or_else(|| panic!("{name}"))["fault"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn bombs_are_refused_by_their_header_at_no_cost() {
    let archivist = Archivist::new();
    archivist.put("warm.jpg", &jpeg(32, 24, 1));
    let without = archivist.ingest("warm").exits(0).took;
    let zeros = deflated_zeros(1 << 20);
    let bomb = |width, height| {
        png_of(&[(b"IHDR", ihdr(width, height, 2)), (b"IDAT", zeros.clone()), (b"IEND", vec![])])
    };
    archivist.put("square.png", &bomb(30_000, 30_000));
    archivist.put("long.png", &bomb(0x7fff_ffff, 1));
    archivist.put("vast.png", &bomb(0x7fff_ffff, 0x7fff_ffff));
    archivist.put("vast.jpg", &jpeg_header(65_500, 65_500));
    archivist.put("frames.gif", &gif_of_frames(10_001));
    let said = archivist.ingest("bombs").exits(3);
    let report = sound_report(&said);
    for name in ["square.png", "long.png", "vast.png", "vast.jpg", "frames.gif"] {
        assert_eq!(fault_of(&report, name), "too_large", "{name}: {report}");
    }
    assert!(said.peak_kb < LITTLE_MEMORY_KB, "{} kB", said.peak_kb);
    // Five bombs, a second of slack for a busy machine: decoding one alone would take longer.
    assert!(said.took < without + Duration::from_secs(1), "{:?} after {without:?}", said.took);
}

#[test]
fn text_that_unpacks_to_gigabytes_costs_no_memory() {
    let archivist = Archivist::new();
    // 256 MB of zeros each, in a quarter of a megabyte.
    let zeros = deflated_zeros(256 << 20);
    let body = |prefix: &[u8]| [prefix, &zeros].concat();
    let rows = deflated_zeros(8 * (1 + 8 * 3));
    let with = |name: &[u8; 4], prefix: &[u8]| {
        png_of(&[
            (b"IHDR", ihdr(8, 8, 2)),
            (name, body(prefix)),
            (b"IDAT", rows.clone()),
            (b"IEND", vec![]),
        ])
    };
    archivist.put("ztxt.png", &with(b"zTXt", b"Comment\0\0"));
    archivist.put("itxt.png", &with(b"iTXt", b"XML:com.adobe.xmp\0\x01\0\0\0"));
    archivist.put("iccp.png", &with(b"iCCP", b"profile\0\0"));
    archivist.put("many.png", &{
        let mut chunks = vec![(b"IHDR", ihdr(8, 8, 2))];
        chunks.extend((0..20).map(|_| (b"zTXt", body(b"Comment\0\0"))));
        chunks.extend([(b"IDAT", rows.clone()), (b"IEND", vec![])]);
        png_of(&chunks)
    });
    let said = archivist.ingest("bombs");
    let report = sound_report(&said);
    assert_eq!((&report["in"], &report["failed"]), (&4.into(), &0.into()), "{report}");
    assert!(said.peak_kb < LITTLE_MEMORY_KB, "{} kB", said.peak_kb);
    assert!(said.took < LONGEST_FILE, "{:?}", said.took);
}

#[test]
fn ten_thousand_frames_are_one_picture() {
    let archivist = Archivist::new();
    archivist.put("long.gif", &gif_of_frames(10_000));
    let said = archivist.ingest("c").exits(0);
    let report = sound_report(&said);
    assert_eq!(report["enriched"], 1, "{report}");
    assert!(said.took < LONGEST_FILE && said.peak_kb < LITTLE_MEMORY_KB, "{said:?}");
}

#[test]
fn pictures_cut_anywhere_are_taken_or_refused_but_never_fail() {
    let archivist = Archivist::new();
    for (name, whole) in [("a.jpg", jpeg(120, 90, 1)), ("b.png", png(60, 45, 2))] {
        for part in 0..40 {
            let cut = whole.len() * part / 40;
            archivist.put(&format!("{part}-{name}"), &whole[..cut]);
        }
    }
    archivist.put("cut.gif", &gif_of_frames(3)[..25]);
    let said = archivist.ingest("cut").exits(3);
    let report = sound_report(&said);
    assert_eq!((&report["in"], &report["failed"]), (&81.into(), &0.into()), "{report}");
    assert!(!said.stderr.contains("defect"), "{}", said.stderr);
    // What cannot be shown is kept all the same, but for the one empty file met twice.
    assert!(archivist.records().len() >= 78, "{}", archivist.records().len());
    let again = sound_report(&archivist.ingest("cut").exits(3));
    assert_eq!(again["enriched"], 0, "{again}");
}

#[test]
#[ignore = "needs the photographs of ../shared: make test"]
fn every_real_file_ends_with_a_reason_and_the_second_time_at_once() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    assert!(shared.is_dir(), "{} is missing", shared.display());
    let archivist = Archivist::new();
    let shared = shared.canonicalize().unwrap().display().to_string();
    let words = ["ingest", &shared, "--collection", "all", "--without-labels", "--json"];
    let first = archivist.run(&words).exits(3);
    let report = sound_report(&first);
    assert!(report["enriched"].as_u64().unwrap() > 500, "{}", report["enriched"]);
    assert_eq!(report["failed"], 0, "{:?}", {
        let items = report["items"].as_array().unwrap();
        items.iter().filter(|item| item["outcome"] == "failed").collect::<Vec<_>>()
    });
    assert!(first.peak_kb < MOST_MEMORY_KB, "{} kB", first.peak_kb);
    assert!(!first.stderr.contains("defect"), "{}", first.stderr);

    let records = archivist.records();
    let second = archivist.run(&words).exits(3);
    let again = sound_report(&second);
    assert_eq!((&again["enriched"], &again["duplicate"]), (&0.into(), &0.into()));
    assert_eq!(again["rejected"], report["rejected"]);
    assert_eq!(archivist.records(), records, "a second run adds no opinion");
    assert!(second.took < first.took / 2, "{:?} after {:?}", second.took, first.took);
}
