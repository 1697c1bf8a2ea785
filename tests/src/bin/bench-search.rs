//! Measures the search: `cargo run --release -p glassplate-tests --bin bench-search [RECORDS [HOME]]`,
//! 100,000 records unless told otherwise.
//!
//! It makes records with a Zipf vocabulary, labels and metadata, appends them to the real
//! embedded catalogue in a temporary folder, lets the real index catch up, and times mixed
//! queries one after the other, each with all facets. Everything is derived from one seed, so two
//! runs on one machine measure the same work. What is made in a HOME stays there, is used again
//! by the next run, and can be served: `glassplate serve --home HOME`.

#![allow(clippy::print_stdout, reason = "a measurement prints what it measured")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use glassplate_models::interpret::{Calibration, Reader};
use glassplate_models::taxonomy::Objects;
use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::catalogue::Catalogue as _;
use glassplate_pipeline::catalogue::sqlite::SqliteCatalogue;
use glassplate_pipeline::record::Bar;
use glassplate_search::{Ask, Facet, Index};
use glassplate_tests::synthetic::Archive;

/// Records that one append carries: what an ingest's group commit amounts to.
const BATCH: usize = 200;
/// Queries of each kind that are timed.
const ROUNDS: usize = 1_000;
/// Hits asked for, as the command line and the page do.
const LIMIT: usize = 20;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let records: usize = arguments.next().map_or(Ok(100_000), |text| text.parse())?;
    let temporary = tempfile::tempdir()?;
    let home = arguments.next().map_or(temporary.path().to_owned(), PathBuf::from);
    std::fs::create_dir_all(&home)?;
    machine();

    let file = home.join("catalogue.sqlite");
    let mut archive = Archive::new(1);
    let known = file.exists();
    let catalogue = SqliteCatalogue::open(&file)?;
    if !known {
        fill(&catalogue, &mut archive, records, &home).await?;
    }
    let dir = home.join("index");
    let objects = Objects::load();
    let reader = Reader::load(objects.clone(), Calibration::default());
    let index = Index::open(&dir, objects, Arc::new(reader), Bar::default())?;
    let begun = Instant::now();
    let caught_up = index.catch_up(&catalogue).await?;
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "index      {} documents in {seconds:.1} s ({:.0}/s), {:.0} MB",
        caught_up.documents,
        caught_up.documents as f64 / seconds,
        megabytes(&dir)
    );
    println!("memory     {}", memory());
    measure(&index, &mut archive)?;
    println!("memory     {}", memory());
    Ok(())
}

/// Appends the records, as an ingest's group commit would.
async fn fill(
    catalogue: &SqliteCatalogue,
    archive: &mut Archive,
    records: usize,
    home: &Path,
) -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    for first in (0..records).step_by(BATCH) {
        let entries = archive.entries(first..(first + BATCH).min(records));
        catalogue.append(&Tenant::default(), entries).await?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "catalogue  {records} records in {seconds:.1} s ({:.0}/s), {:.0} MB",
        records as f64 / seconds,
        megabytes(home)
    );
    Ok(())
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
            index.search(&Tenant::default(), &ask(query))?;
        }
        let mut times: Vec<Taken> = Vec::with_capacity(ROUNDS);
        let mut hits = 0;
        for query in &queries {
            let (begun, busy) = (Instant::now(), processor_time());
            let answer = index.search(&Tenant::default(), &ask(query))?;
            times.push((begun.elapsed(), processor_time().saturating_sub(busy)));
            hits += answer.total;
        }
        all.extend_from_slice(&times);
        row(kind, &(hits / ROUNDS as u64).to_string(), &times);
    }
    row("all alike", "", &all);
    Ok(())
}

/// The first page with all facets, as the page asks for it.
fn ask(query: &str) -> Ask {
    Ask { facets: Facet::ALL.to_vec(), ..Ask::words(query, LIMIT) }
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

/// What the process holds: its own, and what of files is mapped and may be dropped.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let megabytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or_default() / 1000.0
    };
    format!(
        "{:.0} MB own, {:.0} MB of files mapped, {:.0} MB at most",
        megabytes("RssAnon:"),
        megabytes("RssFile:"),
        megabytes("VmHWM:")
    )
}
