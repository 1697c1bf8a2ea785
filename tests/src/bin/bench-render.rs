//! Measures three renditions of large JPEGs against `vipsthumbnail`, in one run, as a ratio.
//!
//! `cargo run --release -p glassplate-tests --bin bench-render [FOLDER]` makes a corpus of 12 to
//! 24 megapixel JPEGs, synthetic or from a folder's photographs, and prints CPU time a picture.
//! vipsthumbnail (Debian package libvips-tools) runs once a size over the whole corpus, so that
//! its start costs next to nothing; the time for each picture comes from running it alone.
#![allow(clippy::print_stdout, reason = "a command that prints its measurements")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use glassplate_pipeline::image::{ColourModel, Format, Limits, Technical, render};
use glassplate_pipeline::rendition::Recipe;
use glassplate_tests::corpus::{self, CORPUS};
use glassplate_tests::measure::{Outcome, cpu, describe_machine, peak_kib, vips};
use nix::sys::resource::UsageWho;

/// How often each picture is rendered; the mean is printed.
const ROUNDS: u32 = 3;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--render", ref files @ ..] => render_all(files),
        [] => compare(None),
        [folder] => compare(Some(Path::new(folder))),
        _ => Err("usage: bench-render [FOLDER]".into()),
    }
}

fn compare(photographs: Option<&Path>) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let corpus = corpus::write(folder.path(), photographs, 1)?;
    describe_machine();
    println!("corpus   {} pictures, {}", corpus.len(), corpus::described(photographs));
    println!();
    println!(
        "{:22} {:>6} {:>6} {:>10} {:>10} {:>7}",
        "picture", "MP", "MB", "glassplate", "vips", "ratio"
    );

    let mut ours_total = Duration::ZERO;
    for (kind, path) in CORPUS.iter().zip(&corpus) {
        let one = std::slice::from_ref(path);
        let ours = ours(one)?.0 / ROUNDS;
        let vips = vips(one, folder.path())?;
        ours_total += ours;
        let megabytes = std::fs::metadata(path)?.len() as f64 / 1e6;
        let megapixels = (kind.width * kind.height) as f64 / 1e6;
        println!(
            "{:22} {megapixels:>6.1} {megabytes:>6.1} {:>7.1} ms {:>7.1} ms {:>7.2}",
            kind.name,
            milliseconds(ours),
            milliseconds(vips),
            vips.as_secs_f64() / ours.as_secs_f64(),
        );
    }

    let (_, peak_mib) = ours(&corpus)?;
    let vips = vips(&corpus, folder.path())?;
    let count = corpus.len() as u32;
    println!(
        "{:22} {:>6} {:>6} {:>7.1} ms {:>7.1} ms {:>7.2}",
        "all, vips started once",
        "",
        "",
        milliseconds(ours_total / count),
        milliseconds(vips / count),
        vips.as_secs_f64() / ours_total.as_secs_f64(),
    );
    println!();
    println!("CPU time a picture for 2048, 1024 and 256; ratio: vips / glassplate");
    println!("peak memory of glassplate: {peak_mib} MiB");
    Ok(())
}

/// Renders files and prints the CPU time in microseconds and the peak memory in KiB: the child.
fn render_all(files: &[&str]) -> Outcome<()> {
    let recipe = Recipe::default();
    let limits = Limits::default();
    let mut spent = Duration::ZERO;
    for file in files {
        let bytes = std::fs::read(file)?;
        let technical = Technical {
            format: Format::Jpeg,
            width: 0,
            height: 0,
            frames: 1,
            bit_depth: 8,
            colour: ColourModel::Ycbcr,
            alpha: false,
            orientation: 1,
            icc: None,
        };
        let before = cpu(UsageWho::RUSAGE_SELF)?;
        for _ in 0..ROUNDS {
            let rendered = render::from_jpeg(&bytes, &technical, &recipe, &limits)?
                .ok_or("the fast path does not take a JPEG of the corpus")?;
            std::hint::black_box(rendered);
        }
        spent += cpu(UsageWho::RUSAGE_SELF)? - before;
    }
    println!("{} {}", spent.as_micros(), peak_kib()?);
    Ok(())
}

/// Renders files in a child of its own; gives its CPU time and its peak memory in MiB.
fn ours(files: &[PathBuf]) -> Outcome<(Duration, u64)> {
    let output = Command::new(std::env::current_exe()?).arg("--render").args(files).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let (micros, kib) = text.trim().split_once(' ').ok_or("the child printed no figures")?;
    Ok((Duration::from_micros(micros.parse()?), kib.parse::<u64>()? / 1024))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
