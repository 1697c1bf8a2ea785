//! Measures tiles of large pictures as a zooming viewer asks for them, over HTTP on loopback.
//!
//! `cargo build --release --workspace && target/release/bench-zoom` makes JPEGs of 24 and 100
//! megapixels, takes each into a home of its own with the `glassplate` beside this program, serves
//! it, and prints how long the first tile of each level takes, the spread of those that follow, one
//! after the other and four at a time, and the server's peak memory.
#![allow(clippy::print_stdout, reason = "a command that prints its measurements")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use glassplate_tests::measure::{Outcome, describe_machine};
use glassplate_tests::photograph::photograph;
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

/// Sides of the pictures.
const PICTURES: [(&str, usize, usize); 2] = [("24 MP", 6_000, 4_000), ("100 MP", 12_000, 8_400)];
/// A side of what is painted; larger pictures repeat it.
const PAINTED: (usize, usize) = (3_000, 2_100);
/// The tile that our image information offers.
const TILE: u32 = 512;
/// The most tiles that are timed at each level.
const MOST_TILES: usize = 150;
/// How many are asked for at a time in the second pass.
const LANES: usize = 4;

fn main() -> Outcome<()> {
    describe_machine();
    let folder = tempfile::tempdir()?;
    for (name, width, height) in PICTURES {
        measure(name, width, height, &folder.path().join(name.replace(' ', "-")))?;
    }
    Ok(())
}

fn measure(name: &str, width: usize, height: usize, folder: &Path) -> Outcome<()> {
    let (pictures, home) = (folder.join("pictures"), folder.join("home"));
    std::fs::create_dir_all(&pictures)?;
    let file = jpeg(width, height)?;
    std::fs::write(pictures.join("large.jpg"), &file)?;
    println!();
    println!("{name}: {width} x {height}, {:.1} MB", file.len() as f64 / 1e6);
    glassplate(&home, &["ingest", "--without-labels", "--collection", "bench"], Some(&pictures))?;
    let records = glassplate(&home, &["export", "--format", "jsonl"], None)?;
    let record: serde_json::Value =
        serde_json::from_str(records.lines().next().ok_or("no record")?)?;
    let service = format!("/iiif/3/{}", record["asset"].as_str().ok_or("no asset")?);

    let server = Served::start(&home)?;
    let begun = Instant::now();
    server.get(&format!("{service}/info.json"))?;
    println!("  image information {:.1} ms", milliseconds(begun.elapsed()));
    println!("  resting {} MiB", server.memory_mib("VmRSS:")?);
    println!(
        "  {:>6} {:>6} {:>11} {:>9} {:>9} {:>20}",
        "scale", "tiles", "first ms", "p50 ms", "p99 ms", "four at a time p50 p99"
    );
    let longest = width.max(height) as u32;
    for scale in [8, 4, 2, 1].into_iter().filter(|scale| longest / scale > TILE) {
        let tiles = tiles(&service, width as u32, height as u32, scale);
        // Where no or few whole tiles fit, there is nothing to spread.
        if tiles.len() < 2 * LANES {
            continue;
        }
        let (alone, together) = tiles.split_at(tiles.len() / 2);
        let mut times = Vec::new();
        for tile in alone {
            let begun = Instant::now();
            server.get(tile)?;
            times.push(begun.elapsed());
        }
        let first = times.remove(0);
        let crowd = crowd(&server, together)?;
        println!(
            "  {:>6} {:>6} {:>11.1} {:>9.1} {:>9.1} {:>13.1} {:>8.1}",
            format!("1/{scale}"),
            tiles.len(),
            milliseconds(first),
            quantile(&mut times, 0.5),
            quantile(&mut times, 0.99),
            quantile(&mut crowd.clone(), 0.5),
            quantile(&mut crowd.clone(), 0.99),
        );
    }
    println!("  peak {} MiB", server.memory_mib("VmHWM:")?);
    Ok(())
}

/// A JPEG whose pixels repeat a synthetic photograph.
fn jpeg(width: usize, height: usize) -> Outcome<Vec<u8>> {
    let painted = photograph(PAINTED.0, PAINTED.1, 7);
    let row = |y: usize| &painted[y % PAINTED.1 * PAINTED.0 * 3..][..PAINTED.0 * 3];
    let pixels: Vec<u8> =
        (0..height).flat_map(|y| row(y).iter().copied().cycle().take(width * 3)).collect();
    let mut compressor = Compressor::new()?;
    compressor.set_quality(90)?;
    compressor.set_subsamp(Subsamp::Sub2x2)?;
    let format = PixelFormat::RGB;
    let image = Image { pixels: &pixels[..], width, pitch: width * 3, height, format };
    Ok(compressor.compress_to_vec(image)?)
}

/// Full tiles of a level, in an order in which neighbours are asked for together.
fn tiles(service: &str, width: u32, height: u32, scale: u32) -> Vec<String> {
    let side = TILE * scale;
    let rows = (0..height.saturating_sub(side - 1)).step_by(side as usize);
    let all = rows.flat_map(|top| {
        let columns = (0..width.saturating_sub(side - 1)).step_by(side as usize);
        columns.map(move |left| {
            format!("{service}/{left},{top},{side},{side}/{TILE},{TILE}/0/default.jpg")
        })
    });
    all.take(MOST_TILES).collect()
}

fn crowd(server: &Served, tiles: &[String]) -> Outcome<Vec<Duration>> {
    let address = server.address;
    let lanes: Vec<_> = (0..LANES)
        .map(|lane| {
            let mine: Vec<String> = tiles.iter().skip(lane).step_by(LANES).cloned().collect();
            std::thread::spawn(move || {
                let timed = |tile: String| {
                    let begun = Instant::now();
                    get(address, &tile).map(|()| begun.elapsed()).map_err(|e| e.to_string())
                };
                mine.into_iter().map(timed).collect::<Result<Vec<_>, String>>()
            })
        })
        .collect();
    let mut times = Vec::new();
    for lane in lanes {
        times.extend(lane.join().map_err(|_| "a lane panicked")??);
    }
    Ok(times)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The nearest-rank quantile, in milliseconds.
fn quantile(times: &mut [Duration], share: f64) -> f64 {
    times.sort_unstable();
    let rank = (times.len() as f64 * share).ceil() as usize;
    times.get(rank.saturating_sub(1)).copied().map_or(f64::NAN, milliseconds)
}

/// The `glassplate` beside this program.
fn program() -> Outcome<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name("glassplate"))
}

fn glassplate(home: &Path, words: &[&str], path: Option<&Path>) -> Outcome<String> {
    let output =
        Command::new(program()?).arg("--home").arg(home).args(words).args(path).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// A server of a home, stopped when it is dropped.
struct Served {
    child: Child,
    address: SocketAddr,
}

impl Served {
    fn start(home: &Path) -> Outcome<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let child = Command::new(program()?)
            .arg("--home")
            .arg(home)
            .args(["serve", "--listen", &address.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let server = Self { child, address };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            if begun.elapsed() > Duration::from_secs(20) {
                return Err("the server does not listen".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    fn get(&self, path: &str) -> Outcome<()> {
        get(self.address, path)
    }

    /// Reads a line of the kernel's account of the server's memory, in MiB.
    fn memory_mib(&self, name: &str) -> Outcome<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such line")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? / 1024)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks for a path over a connection of its own, and reads the answer to its end.
fn get(address: SocketAddr, path: &str) -> Outcome<()> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    if !answer.starts_with(b"HTTP/1.1 200") {
        let begun = String::from_utf8_lossy(&answer[..answer.len().min(300)]).into_owned();
        return Err(format!("{path}: {begun}").into());
    }
    Ok(())
}
