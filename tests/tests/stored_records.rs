//! Catalogues that older versions wrote, and the reading that every later one must give.
//!
//! A new schema adds a file; the old ones stay as they are. Records are read verbatim: how labels are
//! interpreted may improve, what was said may not change.

#![allow(clippy::unwrap_used, reason = "a test may end where it fails")]

use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::catalogue::Catalogue as _;
use glassplate_pipeline::catalogue::sqlite::SqliteCatalogue;
use glassplate_pipeline::ports::Verbatim;
use glassplate_pipeline::record::fold;
use glassplate_tests::archivist::Archivist;
use serde_json::Value;

/// Opens a stored catalogue in a home and compares what is read with what is expected.
async fn assert_read_as(sql: &str, expected: &str) -> Archivist {
    let archivist = Archivist::new();
    std::fs::create_dir(archivist.home()).unwrap();
    let file = archivist.home().join("catalogue.sqlite");
    rusqlite::Connection::open(&file).unwrap().execute_batch(sql).unwrap();
    let (catalogue, tenant) = (SqliteCatalogue::open(&file).unwrap(), Tenant::default());
    let assets = catalogue.assets(&tenant, None, None, 100).await.unwrap();
    let parts = catalogue.parts_of_many(&tenant, &assets).await.unwrap();
    let read: Vec<Value> =
        parts.iter().map(|parts| serde_json::to_value(fold(parts, &Verbatim)).unwrap()).collect();
    drop(catalogue);
    let expected: Vec<Value> =
        expected.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read.len(), expected.len());
    for (read, expected) in read.iter().zip(&expected) {
        assert_grown(read, expected, "record");
    }
    archivist
}

/// The export only grows: everything expected is there, unchanged; objects may hold more.
#[track_caller]
fn assert_grown(read: &Value, expected: &Value, at: &str) {
    match (read, expected) {
        (Value::Object(read), Value::Object(expected)) => {
            for (name, value) in expected {
                let found = read.get(name).unwrap_or_else(|| panic!("{at}.{name} is gone"));
                assert_grown(found, value, &format!("{at}.{name}"));
            }
        }
        (Value::Array(read), Value::Array(expected)) => {
            assert_eq!(read.len(), expected.len(), "{at}");
            for (place, (read, expected)) in read.iter().zip(expected).enumerate() {
                assert_grown(read, expected, &format!("{at}[{place}]"));
            }
        }
        _ => assert_eq!(read, expected, "{at}"),
    }
}

#[tokio::test]
async fn version_1_is_read_as_it_was_written() {
    let archivist =
        assert_read_as(include_str!("../stored/v1.sql"), include_str!("../stored/v1.jsonl")).await;
    archivist.run(&["doctor"]).prints("ok       catalogue");
    archivist.run(&["runs"]).exits(0).prints("undone").prints("3 in = 2 enriched");
    archivist.run(&["reindex"]).exits(0).prints("3 records indexed");
    archivist.run(&["search", "vessel"]).exits(0).says("2 found");
    archivist.run(&["search", "mistake"]).exits(0).says("nothing found");
}
