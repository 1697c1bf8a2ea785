//! Measures how good the search's first hits are:
//! `cargo run --release -p glassplate-tests --bin bench-relevance [DATA]`.
//!
//! DATA holds the labelled sets, `../shared/data` unless told otherwise. Models are taken from
//! `GLASSPLATE_CACHE` and `GLASSPLATE_MODELS`, as `glassplate` itself does.

#![allow(clippy::print_stdout, reason = "a measurement prints what it measured")]

use std::path::PathBuf;

use glassplate_tests::archivist::Archivist;
use glassplate_tests::measure::Outcome;
use glassplate_tests::relevance;

fn main() -> Outcome<()> {
    let data =
        std::env::args().nth(1).map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    let mut archivist = Archivist::new();
    for name in ["GLASSPLATE_CACHE", "GLASSPLATE_MODELS"] {
        if let Ok(value) = std::env::var(name) {
            archivist.set(name, &value);
        }
    }
    let answered = relevance::measure(&archivist, &data)?;
    println!("{:<18} {:>5} {:>8}", "query", "fit", "nDCG@10");
    for answered in &answered {
        println!("{:<18} {:>5} {:>8.3}", answered.query, answered.fit, answered.ndcg);
    }
    println!("{:<18} {:>5} {:>8.3}", "mean", answered.len(), relevance::mean(&answered));
    Ok(())
}
