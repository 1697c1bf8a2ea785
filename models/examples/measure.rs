//! Measures every network on a shelf, and the processor time that each takes for a picture.
//!
//! cargo run --release -p glassplate-models --example measure -- MODELS IMAGENET.csv COCO.csv
//! [SCENES.csv...] [--flips]
//!
//! The tables have a `file` column beside the photographs, and `imagenet_index`, `objects`
//! and `origin`, or `scenes_accepted` (of these only the JPEG files count). With `--flips`
//! classifiers and scene networks look at the mirror image too. Times are processor times of one thread, from a decoded raster to labels: once
//! on the photographs as they are, once enlarged to 1024 pixels, as renditions are.

#![allow(clippy::print_stdout, reason = "a program of its own")]

#[path = "../tests/evaluate/mod.rs"]
mod evaluate;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use evaluate::{Known, Ranked, Score, compare, label_all, processor_time, read_jpeg, read_table};
use glassplate_models::card::Task;
use glassplate_models::labeller::OnnxLabeller;
use glassplate_models::session::Runtime;
use glassplate_models::shelf::{Shelf, State};
use glassplate_models::taxonomy::Objects;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::ports::Labeller as _;
use glassplate_pipeline::raster::Raster;

/// The longer side of a rendition that labellers see, in pixels.
const RENDITION_SIDE: u32 = 1024;
/// How many photographs are timed at that size.
const TIMED: usize = 30;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fault> {
    let (options, paths): (Vec<_>, Vec<_>) =
        std::env::args_os().skip(1).partition(|word| word == "--flips");
    let paths: Vec<PathBuf> = paths.into_iter().map(PathBuf::from).collect();
    let [models, imagenet, coco, scenes @ ..] = paths.as_slice() else {
        return Err(Fault::bad_input("give MODELS IMAGENET.csv COCO.csv [SCENES.csv...]"));
    };
    let mut shelf = Shelf::open(models, None)?;
    let runtime = Runtime::load(&shelf.path("onnxruntime")?)?;
    let objects = Objects::load();
    for status in shelf.list().into_iter().filter(|status| status.state == State::Present) {
        let mut card = status.card;
        let whole = matches!(card.task, Task::Classify | Task::Scene);
        if !whole && card.task != Task::Detect {
            continue;
        }
        if let Some(input) = card.input.as_mut() {
            input.flips = whole && !options.is_empty();
        }
        shelf.add(card.clone());
        let labeller = OnnxLabeller::open(&shelf, &runtime, &objects, &card.name, 1)?;
        match card.task {
            Task::Classify => classify(&labeller, &objects, &read_table(imagenet)).await?,
            Task::Scene => {
                for table in scenes {
                    scene(&labeller, &objects, &read_table(table)).await;
                }
            }
            _ => detect(&labeller, &objects, &read_table(coco)).await,
        }
        let known = read_table(imagenet);
        let known = &known[..known.len().min(TIMED)];
        let spent = time_at(&labeller, known, RENDITION_SIDE).await;
        println!("  {:.1} ms from {RENDITION_SIDE} pixels", each(spent, known.len()));
    }
    Ok(())
}

async fn classify(
    labeller: &OnnxLabeller,
    objects: &Objects,
    known: &[Known],
) -> Result<(), Fault> {
    let classes = objects.classes("imagenet-1k")?;
    let (mut spent, mut first, mut among, mut kept) = (Duration::ZERO, 0, 0, 0);
    label_all(labeller, known, |known, labels, took| {
        spent += took;
        kept += labels.len();
        let index: usize = known.row["imagenet_index"].parse().expect("an index");
        let at = labels.iter().position(|label| label.name == classes[index].name);
        first += usize::from(at == Some(0));
        among += usize::from(at.is_some_and(|at| at < 5));
    })
    .await;
    let ranked = Ranked { first, among, all: known.len() };
    tell(labeller, &ranked, kept, spent);
    Ok(())
}

async fn scene(labeller: &OnnxLabeller, objects: &Objects, known: &[Known]) {
    let is_jpeg = |known: &&Known| known.path.extension().is_some_and(|end| end == "jpg");
    let known: Vec<_> = known.iter().filter(is_jpeg).collect();
    let (mut spent, mut ranked, mut kept) = (Duration::ZERO, Ranked::default(), 0);
    label_all(labeller, known.iter().copied(), |known, labels, took| {
        spent += took;
        kept += labels.len();
        ranked.look(objects, known, &labels);
    })
    .await;
    tell(labeller, &ranked, kept, spent);
}

fn tell(labeller: &OnnxLabeller, ranked: &Ranked, kept: usize, spent: Duration) {
    let share = |count: usize| 100.0 * count as f64 / ranked.all.max(1) as f64;
    println!(
        "{}: top-1 {:.1} %, top-5 {:.1} % of {}; {:.1} labels, {:.1} ms",
        labeller.step(),
        share(ranked.first),
        share(ranked.among),
        ranked.all,
        kept as f64 / ranked.all.max(1) as f64,
        each(spent, ranked.all)
    );
}

async fn detect(labeller: &OnnxLabeller, objects: &Objects, known: &[Known]) {
    let known: Vec<_> = known.iter().filter(|known| known.row["origin"] == "val2017").collect();
    let (mut spent, mut all) = (Duration::ZERO, Vec::new());
    label_all(labeller, known.iter().copied(), |_, labels, took| {
        spent += took;
        all.push(labels);
    })
    .await;
    let kept: usize = all.iter().map(Vec::len).sum();
    println!(
        "{}: {} pictures; {:.1} labels, {:.1} ms",
        labeller.step(),
        known.len(),
        kept as f64 / known.len().max(1) as f64,
        each(spent, known.len())
    );
    for threshold in [0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5] {
        let mut score = Score::default();
        for (known, labels) in known.iter().zip(&all) {
            compare(&mut score, objects, known, labels, threshold);
        }
        println!(
            "  at {threshold}: F1 {:.3}, precision {:.3}, recall {:.3}",
            score.f1(),
            score.precision(),
            score.recall()
        );
    }
}

/// Returns the processor time that all photographs take, each brought to `side` pixels first.
async fn time_at(labeller: &OnnxLabeller, photographs: &[Known], side: u32) -> Duration {
    let mut spent = Duration::ZERO;
    for known in photographs {
        let raster = enlarged(&read_jpeg(&known.path), side);
        let start = processor_time();
        labeller.label(&raster).await.expect("a picture can be labelled");
        spent += processor_time() - start;
    }
    spent
}

/// Brings the longer side to `side` pixels by repeating or leaving out pixels.
fn enlarged(raster: &Raster, side: u32) -> Arc<Raster> {
    let (width, height) = (raster.width(), raster.height());
    let scaled = |length: u32| (length * side / width.max(height)).max(1);
    let (wide, high) = (scaled(width), scaled(height));
    let mut rgb = Vec::with_capacity((wide * high * 3) as usize);
    for row in 0..high {
        for column in 0..wide {
            let at = (row * height / high * width + column * width / wide) as usize * 3;
            rgb.extend_from_slice(&raster.rgb()[at..at + 3]);
        }
    }
    Arc::new(Raster::new(wide, high, rgb))
}

fn each(spent: Duration, count: usize) -> f64 {
    spent.as_secs_f64() * 1e3 / count.max(1) as f64
}
