//! Measures what S3 and DynamoDB cost the client: the same ingest embedded and with both on loopback.
//!
//! `cargo build --release --workspace && target/release/bench-aws [FOLDER]` makes the corpus of
//! `bench-ingest`, ingests it without labels with the `glassplate` beside this program, embedded and
//! then on AWS's stand-ins, several times in turn, and prints processor time a picture of the
//! `glassplate` processes alone: the servers run in this process.
#![allow(clippy::print_stdout, reason = "a command that prints its measurements")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use glassplate_harness::s3::{ACCESS_KEY, SECRET_KEY};
use glassplate_tests::cloud::Cloud;
use glassplate_tests::corpus;
use glassplate_tests::measure::{Outcome, cpu, describe_machine};
use nix::sys::resource::UsageWho;

/// How many times eight pictures are ingested.
const ROUNDS: u64 = 4;
/// How often both are measured.
const TURNS: usize = 3;

fn main() -> Outcome<()> {
    let photographs = std::env::args().nth(1).map(PathBuf::from);
    let folder = tempfile::tempdir()?;
    let pictures = folder.path().join("pictures");
    std::fs::create_dir(&pictures)?;
    let count = corpus::write(&pictures, photographs.as_deref(), ROUNDS)?.len() as u32;
    describe_machine();
    println!("corpus   {count} pictures, {}", corpus::described(photographs.as_deref()));

    let (mut here, mut there) = (Vec::new(), Vec::new());
    for turn in 0..TURNS {
        let home = folder.path().join(format!("here {turn}"));
        here.push(ingest(&pictures, &home)?);
        let cloud = Cloud::new();
        let home = folder.path().join(format!("there {turn}"));
        std::fs::create_dir(&home)?;
        let settings = format!("{}\n{}", cloud.backends(), cloud.endpoints(false));
        std::fs::write(home.join("config.toml"), settings)?;
        glassplate(&home).args(["aws", "prepare", "--unprotected"]).output()?;
        there.push(ingest(&pictures, &home)?);
    }
    println!();
    println!(
        "processor time a picture of the client, best and worst of {TURNS}; wall time of the best"
    );
    for (what, measured) in [("embedded", &mut here), ("S3 and DynamoDB on loopback", &mut there)] {
        measured.sort();
        let each = |time: Duration| time.as_secs_f64() * 1e3 / f64::from(count);
        println!(
            "  {what:32} {:>7.1} to {:>7.1} ms  ({:.1} ms)",
            each(measured[0].0),
            each(measured[TURNS - 1].0),
            each(measured[0].1)
        );
    }
    println!("  ratio of the best {:.3}", there[0].0.as_secs_f64() / here[0].0.as_secs_f64());
    Ok(())
}

fn glassplate(home: &Path) -> Command {
    let program = std::env::current_exe().map(|path| path.with_file_name("glassplate"));
    let mut command = Command::new(program.unwrap_or_else(|_| "glassplate".into()));
    command
        .arg("--home")
        .arg(home)
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
    command
}

/// Ingests into a fresh home; processor time and wall time.
fn ingest(source: &Path, home: &Path) -> Outcome<(Duration, Duration)> {
    let (before, began) = (cpu(UsageWho::RUSAGE_CHILDREN)?, Instant::now());
    let status = glassplate(home)
        .args(["--json", "ingest", "--collection", "bench", "--without-labels"])
        .arg(source)
        .stdout(Stdio::null())
        .status()?;
    if !status.success() {
        return Err("the ingest failed".into());
    }
    Ok((cpu(UsageWho::RUSAGE_CHILDREN)? - before, began.elapsed()))
}
