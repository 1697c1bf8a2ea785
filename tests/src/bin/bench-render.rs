//! Measures three renditions of large JPEGs against `vipsthumbnail`, in one run, as a ratio.
//!
//! `cargo run --release -p glassplate-tests --bin bench-render [FOLDER]` makes a corpus of 12 to
//! 24 megapixel JPEGs, synthetic or from a folder's photographs, and prints CPU time a picture.
//! vipsthumbnail (Debian package libvips-tools) runs once a size over the whole corpus, so that
//! its start costs next to nothing; the time for each picture comes from running it alone.
#![allow(clippy::print_stdout, reason = "a command that prints its measurements")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use glassplate_pipeline::image::{ColourModel, Format, Limits, Technical, render};
use glassplate_pipeline::rendition::Recipe;
use glassplate_tests::photograph::photograph;
use nix::sys::resource::{UsageWho, getrusage};
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// One picture of the corpus and how it is coded.
struct Kind {
    name: &'static str,
    width: usize,
    height: usize,
    subsampling: Subsamp,
    progressive: bool,
    quality: i32,
}

const fn kind(name: &'static str, width: usize, height: usize) -> Kind {
    let subsampling = Subsamp::Sub2x2;
    Kind { name, width, height, subsampling, progressive: false, quality: 90 }
}

/// 12 to 24 megapixels, as cameras write them.
const CORPUS: [Kind; 8] = [
    kind("12 MP 4:2:0", 4000, 3000),
    kind("16 MP 4:2:0", 4608, 3456),
    kind("16.6 MP 4:2:0", 4992, 3328),
    kind("20 MP 4:2:0", 5472, 3648),
    kind("24 MP 4:2:0", 6000, 4000),
    Kind { subsampling: Subsamp::Sub2x1, ..kind("20 MP 4:2:2", 5472, 3648) },
    Kind { subsampling: Subsamp::None, quality: 92, ..kind("16.6 MP 4:4:4", 4992, 3328) },
    Kind { progressive: true, ..kind("16.6 MP progressive", 4992, 3328) },
];

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
    let tiles = photographs.map(read_tiles).transpose()?;
    let mut corpus = Vec::new();
    for (seed, kind) in CORPUS.iter().enumerate() {
        let path = folder.path().join(format!("{seed}.jpg"));
        std::fs::write(&path, kind.encode(tiles.as_deref(), seed as u64)?)?;
        corpus.push(path);
    }
    describe_machine();
    println!(
        "corpus   {} pictures, {}",
        corpus.len(),
        match photographs {
            Some(folder) => format!("mosaics of the photographs in {}", folder.display()),
            None => "synthetic".to_owned(),
        }
    );
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

/// Runs vipsthumbnail once a size over the files, at the same quality; gives its CPU time.
fn vips(files: &[PathBuf], folder: &Path) -> Outcome<Duration> {
    let recipe = Recipe::default();
    let before = cpu(UsageWho::RUSAGE_CHILDREN)?;
    for size in &recipe.sizes {
        let target = format!("{}/%s_{size}.jpg[Q={}]", folder.display(), recipe.quality);
        let status = Command::new("vipsthumbnail")
            .args(files)
            .args(["-s", &size.to_string(), "-o", &target])
            .status()
            .map_err(|cause| format!("cannot run vipsthumbnail (libvips-tools): {cause}"))?;
        if !status.success() {
            return Err(format!("vipsthumbnail failed: {status}").into());
        }
    }
    Ok(cpu(UsageWho::RUSAGE_CHILDREN)? - before)
}

fn cpu(who: UsageWho) -> Outcome<Duration> {
    let usage = getrusage(who)?;
    let micros = |time: nix::sys::time::TimeVal| {
        Duration::new(time.tv_sec() as u64, time.tv_usec() as u32 * 1000)
    };
    Ok(micros(usage.user_time()) + micros(usage.system_time()))
}

/// Reads this process's peak memory; getrusage's would count the parent's before the exec.
fn peak_kib() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    Ok(line.ok_or("no VmHWM in /proc/self/status")?.trim().trim_end_matches(" kB").parse()?)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

impl Kind {
    fn encode(&self, tiles: Option<&[image::RgbImage]>, seed: u64) -> Outcome<Vec<u8>> {
        let pixels = match tiles {
            Some(tiles) => mosaic(tiles, self.width, self.height, seed as usize),
            None => photograph(self.width, self.height, seed + 1),
        };
        let mut compressor = Compressor::new()?;
        compressor.set_quality(self.quality)?;
        compressor.set_subsamp(self.subsampling)?;
        compressor.set_progressive(self.progressive)?;
        Ok(compressor.compress_to_vec(Image {
            pixels: &pixels[..],
            width: self.width,
            pitch: self.width * 3,
            height: self.height,
            format: PixelFormat::RGB,
        })?)
    }
}

/// Reads the photographs of a folder that have at least 300 pixels a side.
fn read_tiles(folder: &Path) -> Outcome<Vec<image::RgbImage>> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Outcome<_>>()?;
    paths.sort();
    let mut tiles = Vec::new();
    for path in paths {
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let Ok(decoded) = turbojpeg::decompress(&bytes, PixelFormat::RGB) else { continue };
        if decoded.width.min(decoded.height) < 300 {
            continue;
        }
        let (width, height) = (decoded.width as u32, decoded.height as u32);
        tiles.extend(image::RgbImage::from_raw(width, height, decoded.pixels));
    }
    if tiles.is_empty() {
        return Err(format!("{} holds no JPEG of 300 pixels or more", folder.display()).into());
    }
    Ok(tiles)
}

/// Fills a canvas with photographs cut to 300 x 300, another order for each seed.
fn mosaic(tiles: &[image::RgbImage], width: usize, height: usize, seed: usize) -> Vec<u8> {
    const TILE: usize = 300;
    let across = width.div_ceil(TILE);
    let mut rgb = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            let at = (y / TILE * across + x / TILE) * 7 + seed * 13;
            let tile = &tiles[at % tiles.len()];
            rgb.extend(tile.get_pixel((x % TILE) as u32, (y % TILE) as u32).0);
        }
    }
    rgb
}

fn describe_machine() {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("machine  {}, {cores} cores", model.map_or("unknown", |(_, name)| name));
    let said = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        (!text.is_empty()).then(|| text.trim().to_owned())
    };
    let commit = said("git", &["rev-parse", "--short", "HEAD"]);
    println!("commit   {}", commit.as_deref().unwrap_or("unknown"));
    let vips = said("vipsthumbnail", &["--version"]);
    println!("peer     {}", vips.as_deref().unwrap_or("vipsthumbnail"));
}
