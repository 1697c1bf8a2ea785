//! Measures the search at 100,000 records: `cargo run --release -p glassplate-tests --bin bench-search [RECORDS]`.
//!
//! It makes records with a Zipf vocabulary, labels and metadata, appends them to the real
//! embedded catalogue in a temporary folder, lets the real index catch up, and times mixed
//! queries one after the other. Everything is derived from one seed, so two runs on one
//! machine measure the same work.

#![allow(clippy::print_stdout, reason = "a measurement prints what it measured")]

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::catalogue::Catalogue as _;
use glassplate_pipeline::catalogue::sqlite::SqliteCatalogue;
use glassplate_pipeline::ports::Verbatim;
use glassplate_search::{Ask, Index};
use glassplate_tests::synthetic::{Archive, Tree};

/// Records that one append carries: what an ingest's group commit amounts to.
const BATCH: usize = 200;
/// Queries of each kind that are timed.
const ROUNDS: usize = 1_000;
/// Hits asked for, as the command line and the page do.
const LIMIT: usize = 20;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let records: usize = std::env::args().nth(1).map_or(Ok(100_000), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let mut archive = Archive::new(1);
    machine();

    let catalogue = SqliteCatalogue::open(&folder.path().join("catalogue.sqlite"))?;
    let begun = Instant::now();
    for first in (0..records).step_by(BATCH) {
        let entries = archive.entries(first..(first + BATCH).min(records));
        catalogue.append(&Tenant::default(), entries).await?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "catalogue  {records} records in {seconds:.1} s ({:.0}/s), {:.0} MB",
        records as f64 / seconds,
        megabytes(folder.path())
    );

    let dir = folder.path().join("index");
    let index = Index::open(&dir, Arc::new(Tree), Arc::new(Verbatim))?;
    let begun = Instant::now();
    let caught_up = index.catch_up(&catalogue).await?;
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "index      {} documents in {seconds:.1} s ({:.0}/s), {:.0} MB",
        caught_up.documents,
        caught_up.documents as f64 / seconds,
        megabytes(&dir)
    );
    println!("peak memory {:.0} MB", peak_megabytes());
    measure(&index, &mut archive)
}

/// How long one query took: on the wall, and of this thread's processor time.
///
/// The two part where other programs take the processor; only the first is what a user feels.
type Taken = (Duration, Duration);

/// Times every kind of query and all of them together.
fn measure(index: &Index, archive: &mut Archive) -> Result<(), Box<dyn Error>> {
    println!(
        "{:<16} {:>9} {:>8} {:>8} {:>8} {:>8} {:>10} {:>8}",
        "query", "mean hits", "p50 ms", "p90", "p99", "max", "p50 of CPU", "p99"
    );
    let mut all = Vec::new();
    for kind in Archive::QUERIES {
        let queries: Vec<String> = (0..ROUNDS).map(|_| archive.query(kind)).collect();
        // Unmeasured: a fresh index is still being read into memory.
        for query in queries.iter().take(50) {
            index.search(&Tenant::default(), &Ask::words(query, LIMIT))?;
        }
        let mut times: Vec<Taken> = Vec::with_capacity(ROUNDS);
        let mut hits = 0;
        for query in &queries {
            let (begun, busy) = (Instant::now(), processor_time());
            let answer = index.search(&Tenant::default(), &Ask::words(query, LIMIT))?;
            times.push((begun.elapsed(), processor_time().saturating_sub(busy)));
            hits += answer.total;
        }
        all.extend_from_slice(&times);
        row(kind, &(hits / ROUNDS as u64).to_string(), &times);
    }
    row("all alike", "", &all);
    Ok(())
}

fn row(name: &str, hits: &str, times: &[Taken]) {
    let sorted = |of: fn(&Taken) -> Duration| {
        let mut times: Vec<Duration> = times.iter().map(of).collect();
        times.sort_unstable();
        move |share: f64| {
            let place = (times.len() as f64 * share) as usize;
            times[place.min(times.len() - 1)].as_secs_f64() * 1000.0
        }
    };
    let (wall, processor) = (sorted(|taken| taken.0), sorted(|taken| taken.1));
    println!(
        "{name:<16} {hits:>9} {:>8.3} {:>8.3} {:>8.3} {:>8.3} {:>10.3} {:>8.3}",
        wall(0.5),
        wall(0.9),
        wall(0.99),
        wall(1.0),
        processor(0.5),
        processor(0.99)
    );
}

fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// Says where and on what the numbers were taken.
fn machine() {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZeroUsize::get);
    let commit = Command::new("git").args(["rev-parse", "--short", "HEAD"]).output();
    let commit = commit.map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned());
    println!(
        "machine    {}, {cores} cores; commit {}",
        model.unwrap_or("unknown processor"),
        commit.unwrap_or_default()
    );
}

fn megabytes(path: &Path) -> f64 {
    fn bytes(path: &Path) -> u64 {
        let Ok(entries) = std::fs::read_dir(path) else { return 0 };
        entries
            .flatten()
            .map(|entry| match entry.metadata() {
                Ok(of) if of.is_dir() => bytes(&entry.path()),
                Ok(of) => of.len(),
                Err(_) => 0,
            })
            .sum()
    }
    bytes(path) as f64 / 1e6
}

fn peak_megabytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|text| text.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1000.0
}
