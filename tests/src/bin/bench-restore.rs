//! Measures what restorers do for pictures that were damaged on purpose, and what they cost.
//!
//! `cargo run --release -p glassplate-tests --bin bench-restore [REPAIR...]`; the data is
//! `../shared/data` beside the workspace. Networks are taken from the shelf in the folder
//! GLASSPLATE_TEST_MODELS, or `target/models`; GLASSPLATE_TEST_CARDS names a folder of cards besides.
//! Everything is seeded. Repairs: dust, denoise, deblur, colourise, fidelity, fast, quality, perceived, seams, memory.
#![allow(clippy::print_stdout, reason = "a command that prints its measurements")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use glassplate_models::card::{Mode, Task};
use glassplate_models::restorer::colourise::Colouriser;
use glassplate_models::restorer::deblur::Deblurrer;
use glassplate_models::restorer::denoise::Denoiser;
use glassplate_models::restorer::dust::Duster;
use glassplate_models::restorer::upscale::Upscaler;
use glassplate_models::session::{Runtime, SessionPool};
use glassplate_models::shelf::Shelf;
use glassplate_pipeline::ports::Restorer;
use glassplate_pipeline::raster::Raster;
use glassplate_pipeline::stage::restore::measured;
use glassplate_tests::damage::{
    blurred, chroma_error, colourfulness, dusty, greyed, noisy, psnr, psnr_of_luma,
};
use glassplate_tests::measure::{Outcome, describe_machine, peak_kib};
use glassplate_tests::perception::Eye;
use glassplate_tests::photographs::{data_folder, files, whole};
use glassplate_tests::restoring::repaired;

#[tokio::main]
async fn main() -> Outcome<()> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let asked = |name: &str| wanted.is_empty() || wanted.iter().any(|one| one == name);
    let bench = Bench::open()?;
    describe_machine();
    let kodak = bench.pictures("kodak24")?;
    if asked("dust") {
        bench.dust().await?;
    }
    if asked("denoise") {
        bench.denoise(&kodak).await?;
    }
    if asked("deblur") {
        bench.deblur(&kodak).await?;
    }
    if asked("colourise") {
        bench.colourise().await?;
    }
    for (name, mode) in
        [("fidelity", Mode::Fidelity), ("fast", Mode::Fast), ("quality", Mode::Quality)]
    {
        if asked(name) {
            bench.upscale(name, mode, &kodak[0]).await?;
        }
    }
    if asked("perceived") {
        bench.perceived(&kodak).await?;
    }
    if asked("seams") {
        bench.seams(&kodak[0]).await?;
    }
    if asked("memory") {
        bench.memory().await?;
    }
    Ok(())
}

struct Bench {
    data: PathBuf,
    shelf: Shelf,
    runtime: Runtime,
    threads: usize,
}

fn megapixels(picture: &Raster) -> f64 {
    f64::from(picture.width()) * f64::from(picture.height()) / 1e6
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

impl Bench {
    fn open() -> Outcome<Self> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let folder = std::env::var_os("GLASSPLATE_TEST_MODELS")
            .map_or_else(|| workspace.join("target/models"), PathBuf::from);
        let mut shelf = Shelf::open(folder, None)?;
        if let Some(cards) = std::env::var_os("GLASSPLATE_TEST_CARDS") {
            shelf.add_folder(PathBuf::from(cards))?;
        }
        let names: Vec<String> = shelf
            .list()
            .into_iter()
            .filter(|known| known.card.task.repairs())
            .map(|known| known.card.name)
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).chain(["onnxruntime"]).collect();
        shelf.pull(&names, &mut |progress| println!("{progress}"))?;
        let runtime = Runtime::load(&shelf.path("onnxruntime")?)?;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self { data: data_folder(None), shelf, runtime, threads })
    }

    fn pictures(&self, set: &str) -> Outcome<Vec<Raster>> {
        files(&self.data.join("restoration_bench/dev").join(set))?
            .iter()
            .map(|path| whole(path))
            .collect()
    }

    fn named(&self, task: Task, mode: Option<Mode>) -> Outcome<String> {
        let fits = |card: &glassplate_models::card::Card| {
            card.repair.as_ref().is_some_and(|repair| repair.mode == mode)
        };
        Ok(self.shelf.best_that(task, fits).ok_or("a network is not here")?.name.clone())
    }

    fn upscaler(&self, mode: Mode) -> Outcome<Upscaler> {
        let name = self.named(Task::Upscale, Some(mode))?;
        let other = self.named(Task::Upscale, Some(Mode::Fidelity))?;
        let names = if mode == Mode::Quality { vec![&name[..], &other] } else { vec![&name[..]] };
        Ok(Upscaler::open(&self.shelf, &self.runtime, &names, self.threads)?)
    }

    fn denoiser(&self) -> Outcome<Denoiser> {
        let name = self.named(Task::Denoise, None)?;
        Ok(Denoiser::open(&self.shelf, &self.runtime, &name, self.threads)?)
    }

    async fn dust(&self) -> Outcome<()> {
        let duster = Duster::new(self.threads);
        println!("\ndust: seeded specks and scratches, and the same pictures undamaged");
        for set in ["restoration_bench/dev/kodak24", "coco_sample"] {
            let (mut before, mut after, mut undamaged) = (vec![], vec![], vec![]);
            let (mut hit, mut mended, mut seconds, mut untouched) = (0, 0, vec![], 0);
            for (path, seed) in files(&self.data.join(set))?.iter().zip(1..) {
                let clean = whole(path)?;
                let damaged = dusty(&clean, seed);
                let strength = duster.strength(&measured(&damaged.picture));
                let (made, spent) = repaired(&duster, &damaged.picture, strength).await?;
                before.push(psnr(&damaged.picture, &clean));
                after.push(psnr(&made, &clean));
                seconds.push(spent / megapixels(&clean));
                hit += damaged.hit.iter().filter(|hit| **hit).count();
                mended += damaged.mended_in(&made, &clean);
                let (left, _) =
                    repaired(&duster, &clean, duster.strength(&measured(&clean))).await?;
                untouched += usize::from(left == clean);
                undamaged.push(psnr(&left, &clean).min(99.0));
            }
            let worst = undamaged.iter().copied().fold(f64::INFINITY, f64::min);
            println!(
                "  {set}: {:.2} -> {:.2} dB, {:.0} % of the damage mended; {:.2} s a megapixel; undamaged: \
                 {untouched} of {} not touched, worst {worst:.1} dB",
                mean(&before),
                mean(&after),
                100.0 * mended as f64 / hit as f64,
                mean(&seconds),
                undamaged.len()
            );
        }
        Ok(())
    }

    async fn denoise(&self, kodak: &[Raster]) -> Outcome<()> {
        let denoiser = self.denoiser()?;
        println!("\ndenoise, kodak24: PSNR of red, green and blue; strength as assess measures it");
        if !python().exists() {
            println!(
                "  OpenCV is not compared: python3 -m venv target/peers && \
                 target/peers/bin/pip install opencv-python-headless"
            );
        }
        for sigma in [10.0, 25.0, 50.0] {
            let (mut before, mut after, mut seconds) = (Vec::new(), Vec::new(), Vec::new());
            for (clean, seed) in kodak.iter().zip(1..) {
                let damaged = noisy(clean, sigma, seed);
                let strength = denoiser.strength(&measured(&damaged));
                let (restored, spent) = repaired(&denoiser, &damaged, strength).await?;
                before.push(psnr(&damaged, clean));
                after.push(psnr(&restored, clean));
                seconds.push(spent / megapixels(clean));
            }
            println!(
                "  sigma {sigma:2}: {:.2} -> {:.2} dB; {:.2} s a megapixel",
                mean(&before),
                mean(&after),
                mean(&seconds)
            );
            if python().exists() {
                let (strength, theirs, seconds) = non_local_means(kodak, sigma)?;
                println!(
                    "    OpenCV's non-local means at its best strength here, {strength}: {theirs:.2} dB; \
                     {seconds:.2} s a megapixel"
                );
            }
        }
        Ok(())
    }

    async fn deblur(&self, kodak: &[Raster]) -> Outcome<()> {
        let deblurrer = Deblurrer::new(self.threads);
        println!("\ndeblur, kodak24: PSNR of red, green and blue; strength as assess measures it");
        for (sigma, noise) in [(0.0, 0.0), (1.2, 0.0), (1.6, 0.0), (2.4, 0.0), (1.6, 3.0)] {
            let (mut before, mut after, mut seconds) = (Vec::new(), Vec::new(), Vec::new());
            for (clean, seed) in kodak.iter().zip(1..) {
                let damaged = if sigma > 0.0 { blurred(clean, sigma) } else { clean.clone() };
                let damaged = if noise > 0.0 { noisy(&damaged, noise, seed) } else { damaged };
                let strength = deblurrer.strength(&measured(&damaged));
                let (restored, spent) = repaired(&deblurrer, &damaged, strength).await?;
                before.push(psnr(&damaged, clean).min(99.0));
                after.push(psnr(&restored, clean).min(99.0));
                seconds.push(spent / megapixels(clean));
            }
            println!(
                "  sigma {sigma}, noise {noise}: {:.2} -> {:.2} dB; {:.2} s a megapixel",
                mean(&before),
                mean(&after),
                mean(&seconds)
            );
        }
        Ok(())
    }

    async fn colourise(&self) -> Outcome<()> {
        let name = self.named(Task::Colourise, None)?;
        let colouriser = Colouriser::open(&self.shelf, &self.runtime, &name, self.threads)?;
        println!(
            "\ncolourise: greyed copies; chroma error against grey, PSNR against a tint (a 2, b 8)"
        );
        for set in ["restoration_bench/dev/kodak24", "coco_sample", "scenes_colour_cid22"] {
            let (mut nearer, mut all) = (0, 0);
            let (mut ours, mut tints, mut colours, mut seconds) = (vec![], vec![], vec![], vec![]);
            for path in files(&self.data.join(set))? {
                let truth = whole(&path)?;
                if colourfulness(&truth) < 5.0 {
                    continue;
                }
                let grey = greyed(&truth);
                let (made, spent) = repaired(&colouriser, &grey, None).await?;
                all += 1;
                nearer += usize::from(chroma_error(&made, &truth) < chroma_error(&grey, &truth));
                ours.push(psnr(&made, &truth));
                tints.push(psnr(&tinted(&grey), &truth));
                colours.push(colourfulness(&made) / colourfulness(&truth));
                seconds.push(spent / megapixels(&truth));
            }
            println!(
                "  {set}: nearer than grey on {nearer} of {all}; {:.2} dB, tint {:.2} dB; \
                 colourfulness {:.0} %; {:.2} s a megapixel",
                mean(&ours),
                mean(&tints),
                100.0 * mean(&colours),
                mean(&seconds)
            );
        }
        let folder = self.data.join("historical/dev/loc_prokudin_colour_reference");
        for path in files(&folder)? {
            let Some(plate) = path.to_str().and_then(|path| path.strip_suffix("_green_gray.png"))
            else {
                continue;
            };
            let (grey, truth) = (whole(&path)?, whole(Path::new(&format!("{plate}_rgb.png")))?);
            let (made, _) = repaired(&colouriser, &grey, None).await?;
            println!(
                "  plate {}, of green: chroma error {:.1}, grey {:.1}; {:.2} dB, grey {:.2} dB, tint {:.2} dB",
                plate.rsplit('/').next().unwrap_or_default(),
                chroma_error(&made, &truth),
                chroma_error(&grey, &truth),
                psnr(&made, &truth),
                psnr(&grey, &truth),
                psnr(&tinted(&grey), &truth)
            );
        }
        Ok(())
    }

    async fn upscale(&self, name: &str, mode: Mode, picture: &Raster) -> Outcome<()> {
        let upscaler = self.upscaler(mode)?;
        println!("\nupscale x4, {name}: PSNR of luma, 4 pixels of border left out");
        for set in ["Set5/x4", "BSD100/x4"] {
            let folder = self.data.join("restoration_bench/dev").join(set);
            let (mut plain, mut ours) = (Vec::new(), Vec::new());
            for path in
                files(&folder)?.iter().filter(|path| path.to_string_lossy().ends_with("_LR.png"))
            {
                let truth = whole(Path::new(&path.to_string_lossy().replace("_LR", "_HR")))?;
                let small = whole(path)?;
                let (made, _) = repaired(&upscaler, &small, None).await?;
                let bicubic = enlarged(&small, 4)?;
                let [width, height] =
                    [truth.width().min(made.width()), truth.height().min(made.height())];
                let [truth, made, bicubic] =
                    [&truth, &made, &bicubic].map(|one| cropped(one, width, height));
                plain.push(psnr_of_luma(&bicubic, &truth, 4));
                ours.push(psnr_of_luma(&made, &truth, 4));
            }
            println!("  {set}: bicubic {:.2} dB, ours {:.2} dB", mean(&plain), mean(&ours));
        }
        let (_, spent) = repaired(&upscaler, &cropped(picture, 256, 256), None).await?;
        println!("  {:.1} s a megapixel of the original", spent / 0.065_536);
        Ok(())
    }

    /// Whether enlarged pictures look more like the truth than bicubic ones do.
    async fn perceived(&self, kodak: &[Raster]) -> Outcome<()> {
        let encoder = self.shelf.path(&self.named(Task::Colourise, None)?)?;
        let eye = Eye::new(SessionPool::open(&self.runtime, &encoder, 1)?);
        println!(
            "\nupscale x4, perceptual distance to the truth (see perception.rs), against bicubic"
        );
        let mut sets = vec![("kodak24, reduced", Vec::new()), ("BSD100/x4", Vec::new())];
        for truth in kodak {
            sets[0].1.push((reduced(truth, 4)?, truth.clone()));
        }
        let folder = self.data.join("restoration_bench/dev/BSD100/x4");
        for path in
            files(&folder)?.iter().filter(|path| path.to_string_lossy().ends_with("_LR.png"))
        {
            let truth = whole(Path::new(&path.to_string_lossy().replace("_LR", "_HR")))?;
            sets[1].1.push((whole(path)?, truth));
        }
        for (name, mode) in
            [("fidelity", Mode::Fidelity), ("fast", Mode::Fast), ("quality", Mode::Quality)]
        {
            let upscaler = self.upscaler(mode)?;
            for (set, pictures) in &sets {
                let (mut nearer, mut plain, mut ours) = (0, Vec::new(), Vec::new());
                for (small, truth) in pictures {
                    let (made, _) = repaired(&upscaler, small, None).await?;
                    let bicubic = enlarged(small, 4)?;
                    let [width, height] =
                        [truth.width().min(made.width()), truth.height().min(made.height())];
                    let [truth, made, bicubic] =
                        [truth, &made, &bicubic].map(|one| cropped(one, width, height));
                    plain.push(eye.apart(&bicubic, &truth).await?);
                    ours.push(eye.apart(&made, &truth).await?);
                    nearer += usize::from(ours.last() < plain.last());
                }
                println!(
                    "  {name}, {set}: nearer than bicubic on {nearer} of {}; {:.3}, bicubic {:.3}",
                    pictures.len(),
                    mean(&ours),
                    mean(&plain)
                );
            }
        }
        Ok(())
    }

    /// Tiles against one tile that holds all: every network on a picture of many tiles.
    async fn seams(&self, picture: &Raster) -> Outcome<()> {
        println!(
            "\nseams: a part of a picture tiled, against the same part in the middle of one tile"
        );
        let part = cropped(picture, 300, 300);
        // One tile holds 128 pixels for upscalers: the middle of a small crop is far from any edge.
        for (name, mode) in
            [("fidelity", Mode::Fidelity), ("fast", Mode::Fast), ("quality", Mode::Quality)]
        {
            let upscaler = self.upscaler(mode)?;
            let (tiled, _) = repaired(&upscaler, &part, None).await?;
            // The middle of 128 pixels at another place, so that seams fall elsewhere.
            let (left, top) = (86, 86);
            let inner = window(&part, left, top, 128, 128);
            let (alone, _) = repaired(&upscaler, &inner, None).await?;
            let margin = 48 * 4;
            let side = 128 * 4 - 2 * margin;
            let a = window(&tiled, left * 4 + margin, top * 4 + margin, side, side);
            let b = window(&alone, margin, margin, side, side);
            println!("  {name}: mean difference {:.3} of 255", difference(&a, &b));
        }
        Ok(())
    }

    async fn memory(&self) -> Outcome<()> {
        let (width, height) = (6000, 4000);
        let picture = Raster::new(
            width,
            height,
            (0..width * height)
                .flat_map(|at| [(at % 251) as u8, (at / 6000 % 256) as u8, 90])
                .collect(),
        );
        println!("\npeak memory of this process, a picture of 24 megapixels in hand");
        println!("  before: {} MiB", peak_kib()? / 1024);
        let deblurrer = Deblurrer::new(self.threads);
        let (_, spent) = repaired(&deblurrer, &picture, Some(1.6)).await?;
        println!("  deblur: {} MiB, {spent:.0} s", peak_kib()? / 1024);
        let name = self.named(Task::Colourise, None)?;
        let colouriser = Colouriser::open(&self.shelf, &self.runtime, &name, self.threads)?;
        let (_, spent) = repaired(&colouriser, &picture, None).await?;
        println!("  colourise: {} MiB, {spent:.0} s", peak_kib()? / 1024);
        let (_, spent) = repaired(&self.denoiser()?, &picture, Some(10.0)).await?;
        println!("  denoise: {} MiB, {spent:.0} s", peak_kib()? / 1024);
        Ok(())
    }
}

/// Python with OpenCV.
fn python() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers/bin/python")
}

/// OpenCV's non-local means on the same noisy pictures, with the strength that suits them best: which
/// one, the PSNR, and the seconds a megapixel.
fn non_local_means(clean: &[Raster], sigma: f32) -> Outcome<(f32, f64, f64)> {
    let strengths = [0.4, 0.6, 0.8, 1.0, 1.2].map(|share| (share * sigma).round());
    let folder = tempfile::tempdir()?;
    let place = |name: String| folder.path().join(name);
    for (picture, seed) in clean.iter().zip(1..) {
        let noisy = noisy(picture, sigma, seed);
        let (width, height) = (noisy.width(), noisy.height());
        let path = place(format!("noisy-{seed}.png"));
        image::save_buffer(path, noisy.rgb(), width, height, image::ColorType::Rgb8)?;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/nlm.py");
    let mut command = Command::new(python());
    command.arg(script).arg(folder.path()).args(strengths.map(|one| one.to_string()));
    let said = command.stderr(Stdio::inherit()).output()?;
    let spent: f64 = String::from_utf8(said.stdout)?.trim().parse()?;
    let all: f64 = clean.iter().map(megapixels).sum();
    let mut best = (0.0, 0.0);
    for strength in strengths {
        let mut found = Vec::new();
        for (picture, seed) in clean.iter().zip(1_u64..) {
            let made = whole(&place(format!("{strength}-noisy-{seed}.png")))?;
            found.push(psnr(&made, picture));
        }
        if mean(&found) > best.1 {
            best = (strength, mean(&found));
        }
    }
    Ok((best.0, best.1, spent / (all * strengths.len() as f64)))
}

fn window(picture: &Raster, left: u32, top: u32, width: u32, height: u32) -> Raster {
    let rows = picture.rgb().chunks_exact(picture.width() as usize * 3).skip(top as usize);
    let rgb = rows
        .take(height as usize)
        .flat_map(|row| &row[left as usize * 3..][..width as usize * 3])
        .copied();
    Raster::new(width, height, rgb.collect())
}

fn cropped(picture: &Raster, width: u32, height: u32) -> Raster {
    window(picture, 0, 0, width, height)
}

fn difference(one: &Raster, other: &Raster) -> f64 {
    let sum: f64 = one.rgb().iter().zip(other.rgb()).map(|(&a, &b)| f64::from(a.abs_diff(b))).sum();
    sum / one.rgb().len() as f64
}

fn enlarged(picture: &Raster, scale: u32) -> Outcome<Raster> {
    resized(picture, picture.width() * scale, picture.height() * scale)
}

fn reduced(picture: &Raster, scale: u32) -> Outcome<Raster> {
    resized(picture, picture.width() / scale, picture.height() / scale)
}

/// Another size, bicubic.
fn resized(picture: &Raster, width: u32, height: u32) -> Outcome<Raster> {
    let source = ImageRef::new(picture.width(), picture.height(), picture.rgb(), PixelType::U8x3)?;
    let mut other = Image::new(width, height, PixelType::U8x3);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
    Resizer::new().resize(&source, &mut other, &options)?;
    Ok(Raster::new(width, height, other.into_vec()))
}

/// The constant warm tint that says nothing: CIE Lab's a 2 and b 8 as they are at middle grey.
fn tinted(grey: &Raster) -> Raster {
    let tint = [8.5_f32, -1.0, -14.5];
    let rgb = grey
        .rgb()
        .chunks_exact(3)
        .flat_map(|pixel| tint.map(|by| (f32::from(pixel[0]) + by + 0.5).clamp(0.0, 255.0) as u8));
    Raster::new(grey.width(), grey.height(), rgb.collect())
}
