//! What repairs do for pictures that were damaged on purpose: no change may lower it.
//!
//! A few of `bench-restore`'s pictures, cut down; the thresholds are what was measured, less a little.

#![allow(clippy::unwrap_used, reason = "a test may end where it fails")]

use glassplate_models::card::{Card, Mode, Task};
use glassplate_models::restorer::colourise::Colouriser;
use glassplate_models::restorer::deblur::Deblurrer;
use glassplate_models::restorer::denoise::Denoiser;
use glassplate_models::restorer::dust::Duster;
use glassplate_models::restorer::upscale::Upscaler;
use glassplate_models::session::Runtime;
use glassplate_models::shelf::Shelf;
use glassplate_pipeline::ports::Restorer;
use glassplate_pipeline::raster::Raster;
use glassplate_pipeline::stage::restore::measured;
use glassplate_tests::damage::{blurred, chroma_error, dusty, greyed, noisy, psnr, psnr_of_luma};
use glassplate_tests::photographs::{data_folder, files, whole};
use glassplate_tests::restoring::repaired;

/// The side of what is cut out of the middle of a picture, in pixels.
const SIDE: u32 = 320;

fn cut(picture: &Raster) -> Raster {
    let (left, top) = ((picture.width() - SIDE) / 2, (picture.height() - SIDE) / 2);
    let rows = picture.rgb().chunks_exact(picture.width() as usize * 3);
    let rows = rows.skip(top as usize).take(SIDE as usize);
    let rgb = rows.flat_map(|row| &row[left as usize * 3..][..SIDE as usize * 3]).copied();
    Raster::new(SIDE, SIDE, rgb.collect())
}

fn kodak(wanted: usize) -> Vec<Raster> {
    let all = files(&data_folder(None).join("restoration_bench/dev/kodak24")).unwrap();
    all.iter().take(wanted).map(|path| whole(path).unwrap()).collect()
}

/// Fails when a figure is below its least, and tells all of them.
fn held(figures: &[(&str, f64, f64)]) {
    let told =
        figures.iter().map(|(name, found, least)| format!("{name} {found:.2}, at least {least}"));
    let fell = figures.iter().any(|(_, found, least)| found < least);
    assert!(!fell, "{}", told.collect::<Vec<_>>().join("; "));
}

fn shelf() -> (Shelf, Runtime) {
    let built = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/models");
    let folder = std::env::var("GLASSPLATE_TEST_MODELS").unwrap_or_else(|_| built.to_owned());
    let shelf = Shelf::open(folder, None).unwrap();
    shelf.make_ready(&mut |_| ()).unwrap();
    let runtime = Runtime::load(&shelf.path("onnxruntime").unwrap()).unwrap();
    (shelf, runtime)
}

/// By how many decibels a repair brings damaged pictures nearer to what they were, on average.
async fn gain(
    one: &dyn Restorer,
    clean: &[Raster],
    damage: impl Fn(&Raster, u64) -> Raster,
) -> f64 {
    let mut sum = 0.0;
    for (clean, seed) in clean.iter().zip(1..) {
        let damaged = damage(clean, seed);
        let strength = one.strength(&measured(&damaged));
        let (made, _) = repaired(one, &damaged, strength).await.unwrap();
        sum += psnr(&made, clean) - psnr(&damaged, clean);
    }
    sum / clean.len() as f64
}

#[tokio::test]
#[ignore = "needs ../shared: make test"]
async fn classical_repairs_are_as_good_as_they_were() {
    let whole = kodak(5);
    let duster = Duster::new(2);
    let dust = gain(&duster, &whole, |picture, seed| dusty(picture, seed).picture).await;
    let mut untouched = f64::INFINITY;
    for clean in &whole {
        let (left, _) = repaired(&duster, clean, Some(0.0)).await.unwrap();
        untouched = untouched.min(psnr(&left, clean));
    }
    let parts: Vec<Raster> = whole.iter().map(cut).collect();
    let deblur = gain(&Deblurrer::new(2), &parts, |picture, _| blurred(picture, 1.6)).await;
    held(&[
        ("dust, dB gained", dust, 2.5),
        ("dust, dB of the worst undamaged picture", untouched, 45.0),
        ("deblur, dB gained", deblur, 1.7),
    ]);
}

#[tokio::test]
#[ignore = "needs pulled models and ../shared: make test"]
async fn networks_repair_as_well_as_they_did() {
    let (shelf, runtime) = shelf();
    let named = |task, mode: Option<Mode>| {
        let fits = |card: &Card| card.repair.as_ref().is_some_and(|repair| repair.mode == mode);
        let name = shelf.preferred(task, fits).unwrap().name.clone();
        shelf.pull(&[&name], &mut |_| ()).unwrap();
        name
    };
    let clean: Vec<Raster> = kodak(3).iter().map(cut).collect();
    let denoiser = Denoiser::open(&shelf, &runtime, &named(Task::Denoise, None), 2).unwrap();
    let denoise = gain(&denoiser, &clean, |picture, seed| noisy(picture, 25.0, seed)).await;

    let name = named(Task::Colourise, None);
    let colouriser = Colouriser::open(&shelf, &runtime, &name, 2).unwrap();
    let coco = files(&data_folder(None).join("coco_sample/dev")).unwrap();
    let mut nearer = 0;
    for path in coco.iter().step_by(6).take(20) {
        let truth = whole(path).unwrap();
        let grey = greyed(&truth);
        let (made, _) = repaired(&colouriser, &grey, None).await.unwrap();
        nearer += u32::from(chroma_error(&made, &truth) < chroma_error(&grey, &truth));
    }

    let name = named(Task::Upscale, Some(Mode::Fidelity));
    let upscaler = Upscaler::open(&shelf, &runtime, &[&name], 2).unwrap();
    let set = data_folder(None).join("restoration_bench/dev/Set5/x4");
    let small = whole(&set.join("img_002_LR.png")).unwrap();
    let truth = whole(&set.join("img_002_HR.png")).unwrap();
    let (made, _) = repaired(&upscaler, &small, None).await.unwrap();
    held(&[
        ("denoise, dB gained", denoise, 12.6),
        ("colourise, nearer than grey of 20", f64::from(nearer), 11.0),
        ("upscale, dB of luma", psnr_of_luma(&made, &truth, 4), 32.9),
    ]);
}
