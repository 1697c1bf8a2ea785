//! Measures the whole ingest of large JPEGs against `vipsthumbnail` making three thumbnails alone.
//!
//! `cargo build --release --workspace && target/release/bench-ingest [FOLDER]` makes a corpus of 12
//! to 24 megapixel JPEGs, ingests it with the `glassplate` beside this program, once with labels
//! and once without, each time into a fresh home, and prints processor time a picture,
//! throughput, peak memory and the split by stage.
#![allow(clippy::print_stdout, reason = "a command that prints its measurements")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use glassplate_tests::corpus;
use glassplate_tests::measure::{Outcome, cpu, describe_machine, vips};
use nix::sys::resource::UsageWho;
use serde_json::Value;

/// How many times eight pictures are ingested.
const ROUNDS: u64 = 4;
/// How often the child's peak memory is read.
const WATCH_EVERY: Duration = Duration::from_millis(20);

/// What one ingest took.
struct Ingested {
    cpu: Duration,
    wall: Duration,
    peak_mib: u64,
    report: Value,
}

fn main() -> Outcome<()> {
    let photographs = std::env::args().nth(1).map(PathBuf::from);
    let folder = tempfile::tempdir()?;
    let pictures = folder.path().join("pictures");
    std::fs::create_dir(&pictures)?;
    let files = corpus::write(&pictures, photographs.as_deref(), ROUNDS)?;
    let count = files.len() as u32;
    describe_machine();
    println!("corpus   {count} pictures, {}", corpus::described(photographs.as_deref()));

    // Models are fetched, and both programs' files cached, before anything is measured.
    ingest(&files[0], &folder.path().join("warm"), false)?;
    let whole = ingest(&pictures, &folder.path().join("whole"), false)?;
    let bare = ingest(&pictures, &folder.path().join("bare"), true)?;
    let vips = vips(&files, folder.path())?;

    println!();
    let each = |time: Duration| time.as_secs_f64() * 1e3 / f64::from(count);
    println!("processor time a picture");
    println!("  {:44} {:>7.1} ms", "glassplate ingest, everything", each(whole.cpu));
    println!("  {:44} {:>7.1} ms", "glassplate ingest --without-labels", each(bare.cpu));
    println!("  {:44} {:>7.1} ms", "vipsthumbnail, 2048, 1024 and 256 alone", each(vips));
    let ratio = |time: Duration| vips.as_secs_f64() / time.as_secs_f64();
    println!(
        "  ratio vips / ingest: {:.2}; without labels {:.2}",
        ratio(whole.cpu),
        ratio(bare.cpu)
    );
    println!();
    println!("by stage, processor time a picture (wall time where it mostly waits)");
    for (stage, reading) in whole.report["stages"].as_object().ok_or("no stages reported")? {
        let milliseconds =
            |key: &str| reading[key].as_f64().unwrap_or(0.0) * 1e3 / f64::from(count);
        println!(
            "  {stage:10} {:>7.1} ms ({:>7.1} ms)",
            milliseconds("cpu_seconds"),
            milliseconds("wall_seconds")
        );
    }
    println!("  labels, by difference of both runs {:.1} ms", each(whole.cpu) - each(bare.cpu));
    println!();
    let per_second = f64::from(count) / whole.wall.as_secs_f64();
    println!("throughput {per_second:.1} pictures a second, peak memory {} MiB", whole.peak_mib);
    Ok(())
}

/// Ingests into a fresh home and watches the child.
fn ingest(source: &Path, home: &Path, without_labels: bool) -> Outcome<Ingested> {
    let program = std::env::current_exe()?.with_file_name("glassplate");
    let (before, began) = (cpu(UsageWho::RUSAGE_CHILDREN)?, Instant::now());
    let mut child = Command::new(&program)
        .arg("--home")
        .arg(home)
        .args(["--json", "ingest", "--collection", "bench"])
        .args(without_labels.then_some("--without-labels"))
        .arg(source)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(|e| {
            format!("cannot run {} (cargo build --release --workspace): {e}", program.display())
        })?;
    let status = format!("/proc/{}/status", child.id());
    let watched = std::thread::spawn(move || {
        let mut peak = 0;
        while let Ok(text) = std::fs::read_to_string(&status) {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let Some(kib) = line.and_then(|l| l.trim().trim_end_matches(" kB").parse().ok()) else {
                break;
            };
            peak = u64::max(peak, kib);
            std::thread::sleep(WATCH_EVERY);
        }
        peak / 1024
    });
    let mut said = String::new();
    std::io::Read::read_to_string(&mut child.stdout.take().ok_or("no stdout")?, &mut said)?;
    if !child.wait()?.success() {
        return Err("the ingest failed".into());
    }
    let (wall, cpu) = (began.elapsed(), cpu(UsageWho::RUSAGE_CHILDREN)? - before);
    let peak_mib = watched.join().map_err(|_| "the watching thread panicked")?;
    Ok(Ingested { cpu, wall, peak_mib, report: serde_json::from_str(&said)? })
}
