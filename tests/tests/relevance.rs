//! The first hits of fifty queries on photographs whose content is known: no change may lower them.

use std::path::Path;

use glassplate_tests::archivist::Archivist;
use glassplate_tests::relevance;

/// What was measured, less what another version of a network may move.
const LEAST: f64 = 0.61;

#[test]
#[ignore = "needs pulled models and ../shared: make test"]
fn the_first_hits_are_as_good_as_they_were() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut archivist = Archivist::new();
    let cache = root.join("../target").display().to_string();
    archivist.set("GLASSPLATE_CACHE", &std::env::var("GLASSPLATE_CACHE").unwrap_or(cache));
    let mirror = root.join("../../shared/models").display().to_string();
    archivist.set("GLASSPLATE_MODELS", &std::env::var("GLASSPLATE_MODELS").unwrap_or(mirror));
    let answered =
        relevance::measure(&archivist, &root.join("../../shared/data")).expect("the sets");
    assert!(answered.len() >= 30, "{} queries have photographs that fit", answered.len());
    let mean = relevance::mean(&answered);
    let told: Vec<String> = answered.iter().map(|a| format!("{} {:.2}", a.query, a.ndcg)).collect();
    assert!(mean >= LEAST, "nDCG@10 is {mean:.3}: {}", told.join(", "));
}
