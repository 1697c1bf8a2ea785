//! Measures how right assess is: tones on the labelled sets, noise and blur of known strength on
//! sharp photographs, and its time.
//!
//! `cargo run --release -p glassplate-tests --bin bench-assess [DATA]`; the data is `../shared/data`
//! beside the workspace unless another folder is given. Everything is seeded.
#![allow(clippy::print_stdout, reason = "a command that prints its measurements")]

use std::path::{Path, PathBuf};
use std::time::Instant;

use glassplate_pipeline::assessment::{Assessment, Condition};
use glassplate_pipeline::image::encode_jpeg;
use glassplate_pipeline::raster::Raster;
use glassplate_pipeline::stage::assess::assess;
use glassplate_tests::damage::{blurred, moved, noisy};
use glassplate_tests::measure::{Outcome, cpu, describe_machine};
use glassplate_tests::photographs::{data_folder, decoded, files, read};
use nix::sys::resource::UsageWho;

/// Sets, and whether their pictures have colour; what is grey in a set of colour is told.
const SETS: [(&str, bool); 4] = [
    ("scenes15_gray", false),
    ("scenes_colour_cid22", true),
    ("coco_sample", true),
    ("restoration_bench/dev/kodak24", true),
];

fn main() -> Outcome<()> {
    let data = data_folder(std::env::args().nth(1).map(PathBuf::from));
    describe_machine();
    tones(&data)?;
    let sharp: Vec<Raster> = files(&data.join("restoration_bench/dev/kodak24"))?
        .iter()
        .map(|path| read(path))
        .collect::<Outcome<_>>()?;
    println!();
    println!("{} sharp photographs (kodak24), damaged on purpose", sharp.len());
    for sigma in [0.0, 5.0, 10.0, 15.0, 25.0, 50.0] {
        let found = each(&sharp, |seed, picture| noisy(picture, sigma, seed));
        tell(&format!("noise {sigma}"), &found, sigma, |c| c.noise);
    }
    for sigma in [0.8, 1.2, 1.6, 2.0, 3.0, 4.0] {
        let found = each(&sharp, |_, picture| blurred(picture, sigma));
        tell(&format!("blur {sigma}"), &found, sigma, |c| c.blur.unwrap_or_default());
        let found = each(&sharp, |seed, picture| noisy(&blurred(picture, sigma), 10.0, seed));
        tell(&format!("blur {sigma}, noise 10"), &found, sigma, |c| c.blur.unwrap_or_default());
    }
    for pixels in [1, 5, 9, 15] {
        let found = each(&sharp, |_, picture| moved(picture, pixels));
        let motion = found.iter().filter(|condition| condition.motion).count();
        println!("{:24} motion in {motion} of {}", format!("moved by {pixels}"), found.len());
    }
    for quality in [10, 30, 50, 75, 90, 100] {
        let found: Vec<Condition> = sharp
            .iter()
            .map(|picture| Ok(condition(&decoded(&encode_jpeg(picture, quality)?)?)))
            .collect::<Outcome<_>>()?;
        let (least, middle, most) = spread(&found, |c| c.blockiness);
        println!(
            "{:24} blockiness {middle:5.2}, {least:5.2} to {most:5.2}",
            format!("JPEG of quality {quality}")
        );
    }
    time(&sharp)
}

fn tones(data: &Path) -> Outcome<()> {
    let (mut right, mut all) = (0, 0);
    let mut judge = |path: &Path, monochrome: bool| -> Outcome<()> {
        let Assessment { tone, chroma, .. } = assess(&read(path)?);
        all += 1;
        if tone.is_monochrome() == monochrome {
            right += 1;
        } else {
            println!("  otherwise: {} is {tone:?}, chroma {chroma:.1}", path.display());
        }
        Ok(())
    };
    for (set, colour) in SETS {
        for path in files(&data.join(set))? {
            judge(&path, !colour)?;
        }
    }
    let historical = data.join("historical");
    let table = std::fs::read_to_string(historical.join("labels_dev.csv"))?;
    let mut table = csv::Reader::from_reader(table.as_bytes());
    let heads = table.headers()?.clone();
    let at = |name: &str| heads.iter().position(|head| head == name).ok_or(format!("no {name}"));
    let (file, tone) = (at("file")?, at("gray_or_colour")?);
    for row in table.records() {
        let row = row?;
        if !row[tone].is_empty() {
            judge(&historical.join(&row[file]), row[tone].starts_with("gray"))?;
        }
    }
    let share = 100.0 * f64::from(right) / f64::from(all);
    println!("monochrome or colour: {right} of {all} as labelled, {share:.1} %");
    Ok(())
}

fn condition(picture: &Raster) -> Condition {
    assess(picture).condition.expect("this version finds one")
}

fn each(pictures: &[Raster], damage: impl Fn(u64, &Raster) -> Raster) -> Vec<Condition> {
    pictures.iter().zip(1..).map(|(picture, seed)| condition(&damage(seed, picture))).collect()
}

fn tell(what: &str, found: &[Condition], truth: f32, of: fn(&Condition) -> f32) {
    let error: f32 = found.iter().map(|c| (of(c) - truth).abs()).sum::<f32>() / found.len() as f32;
    let (least, middle, most) = spread(found, of);
    println!("{what:24} found {middle:5.2}, {least:5.2} to {most:5.2}; mean error {error:.2}");
}

fn spread(found: &[Condition], of: fn(&Condition) -> f32) -> (f32, f32, f32) {
    let mut values: Vec<f32> = found.iter().map(of).collect();
    values.sort_by(f32::total_cmp);
    (values[0], values[values.len() / 2], values[values.len() - 1])
}

/// The time of one 1024 x 768 picture on one thread.
fn time(sharp: &[Raster]) -> Outcome<()> {
    let (width, height) = (1024, 768);
    let source = &sharp[0];
    let at = |x: u32, y: u32| ((y % source.height()) * source.width() + x % source.width()) * 3;
    let tiled: Vec<u8> = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .flat_map(|(x, y)| source.rgb()[at(x, y) as usize..][..3].to_vec())
        .collect();
    let picture = Raster::new(width, height, tiled);
    let (before, began, rounds) = (cpu(UsageWho::RUSAGE_SELF)?, Instant::now(), 20);
    for _ in 0..rounds {
        std::hint::black_box(assess(&picture));
    }
    let spent = (cpu(UsageWho::RUSAGE_SELF)? - before).as_secs_f64() * 1e3 / f64::from(rounds);
    let wall = began.elapsed().as_secs_f64() * 1e3 / f64::from(rounds);
    println!("{width} x {height}: {spent:.1} ms of processor time, {wall:.1} ms on this machine");
    Ok(())
}
