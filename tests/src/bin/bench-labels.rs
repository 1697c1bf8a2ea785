//! Measures whether repaired pictures are labelled better: photographs whose content is known are
//! greyed or made noisy by a seed, repaired, and labelled before and after.
//!
//! `cargo run --release -p glassplate-tests --bin bench-labels [DATA]`; DATA holds the labelled sets,
//! `../shared/data` beside the workspace unless told otherwise. Networks are taken from the shelf in the
//! folder GLASSPLATE_TEST_MODELS, or `target/models`, and from the mirror GLASSPLATE_MODELS names.
#![allow(clippy::print_stdout, reason = "a command that prints its measurements")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use glassplate_models::card::Task;
use glassplate_models::evaluation::look::{Examiner, Looked};
use glassplate_models::evaluation::score::score;
use glassplate_models::evaluation::truth::{Case, Cases, Present};
use glassplate_models::evaluation::words::Words;
use glassplate_models::interpret::{Calibration, Reader};
use glassplate_models::labeller::OnnxLabeller;
use glassplate_models::restorer::colourise::Colouriser;
use glassplate_models::restorer::denoise::Denoiser;
use glassplate_models::session::Runtime;
use glassplate_models::shelf::Shelf;
use glassplate_models::taxonomy::Objects;
use glassplate_pipeline::image::Limits;
use glassplate_pipeline::label::LabelKind;
use glassplate_pipeline::ports::{Labeller, Restorer};
use glassplate_pipeline::raster::Raster;
use glassplate_pipeline::record::{Bar, Record};
use glassplate_pipeline::rendition::Recipe;
use glassplate_pipeline::stage::restore::measured;
use glassplate_tests::damage::{greyed, noisy};
use glassplate_tests::measure::{Outcome, describe_machine};
use glassplate_tests::photographs::data_folder;
use glassplate_tests::restoring::repaired;

/// The sets: one with every object named, one with scenes.
const SETS: [&str; 2] = ["coco_sample", "scenes_colour_cid22"];

#[tokio::main]
async fn main() -> Outcome<()> {
    let data = data_folder(std::env::args().nth(1).map(PathBuf::from));
    describe_machine();
    let (shelf, runtime) = shelf()?;
    let examiner = examiner(&shelf, &runtime)?;
    let words = Words::load(Objects::load());
    let tables: Vec<PathBuf> =
        SETS.iter().map(|set| data.join(set).join("labels_dev.csv")).collect();
    let mut cases = Vec::new();
    for table in &tables {
        let pictures = table.with_file_name("dev");
        cases.extend(Cases::read(&pictures, std::slice::from_ref(table), false, &words)?.cases);
    }
    let best = |task| Ok::<_, String>(&shelf.best(task).ok_or("a network is not here")?.name);
    let colouriser = Colouriser::open(&shelf, &runtime, best(Task::Colourise)?, 1)?;
    let denoiser = Denoiser::open(&shelf, &runtime, best(Task::Denoise)?, 1)?;
    println!(
        "\n{} pictures; objects shown: right, wrong, missed; scenes: first, among five",
        cases.len()
    );
    let whole = Seen::of(&examiner, &cases, |picture, _| picture.clone()).await?;
    whole.tell("as they are", &words);
    let grey = Seen::of(&examiner, &cases, |picture, _| greyed(picture)).await?;
    compare("greyed", &grey, "colourised", &examiner, &colouriser, &words).await?;
    for sigma in [25.0, 50.0] {
        let noise =
            Seen::of(&examiner, &cases, |picture, seed| noisy(picture, sigma, seed)).await?;
        compare(&format!("noise {sigma}"), &noise, "denoised", &examiner, &denoiser, &words)
            .await?;
    }
    Ok(())
}

fn shelf() -> Outcome<(Shelf, Runtime)> {
    let folder = std::env::var_os("GLASSPLATE_TEST_MODELS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/models")),
        PathBuf::from,
    );
    let shelf = Shelf::open(folder, std::env::var_os("GLASSPLATE_MODELS").map(PathBuf::from))?;
    shelf.make_ready(&mut |progress| println!("{progress}"))?;
    let repair = shelf.list().into_iter().filter(|known| known.card.task.repairs());
    let mut names: Vec<String> = repair.map(|known| known.card.name).collect();
    names.extend(["onnxruntime".to_owned()].into_iter().chain(labellers(&shelf)));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    shelf.pull(&names, &mut |progress| println!("{progress}"))?;
    let runtime = Runtime::load(&shelf.path("onnxruntime")?)?;
    Ok((shelf, runtime))
}

fn labellers(shelf: &Shelf) -> Vec<String> {
    let chosen = shelf.chosen().into_iter().map(|card| card.name.clone());
    chosen.chain(shelf.at_hand_for_measuring()).collect()
}

fn examiner(shelf: &Shelf, runtime: &Runtime) -> Outcome<Examiner> {
    let objects = Objects::load();
    let mut all: Vec<Arc<dyn Labeller>> = Vec::new();
    for name in labellers(shelf) {
        println!("labeller: {name}");
        all.push(Arc::new(OnnxLabeller::open(shelf, runtime, &objects, &name, 1)?));
    }
    Ok(Examiner {
        labellers: all,
        interpreter: Arc::new(Reader::load(objects, Calibration::default())),
        limits: Limits::default(),
        recipe: Recipe::default(),
    })
}

/// Pictures as they were shown, and what was said of each.
#[derive(Default)]
struct Seen {
    pictures: Vec<Raster>,
    looked: Vec<Looked>,
}

impl Seen {
    /// Shows every picture, its pixels changed by a seed of its own.
    async fn of(
        examiner: &Examiner,
        cases: &[Case],
        change: impl Fn(&Raster, u64) -> Raster,
    ) -> Outcome<Self> {
        let mut seen = Self::default();
        for (case, seed) in cases.iter().zip(1..) {
            let picture = examiner.picture(&case.path).await?;
            seen.show(examiner, case, change(picture.raster(), seed)).await?;
        }
        Ok(seen)
    }

    async fn show(&mut self, examiner: &Examiner, case: &Case, changed: Raster) -> Outcome<()> {
        let picture = examiner.picture(&case.path).await?.showing(changed.clone());
        let record = examiner.record(&picture).await?;
        self.pictures.push(changed);
        self.looked.push(Looked { case: case.clone(), record, grey: None });
        Ok(())
    }

    fn tell(&self, name: &str, words: &Words) {
        let bar = Bar::default();
        let (mut right, mut wrong, mut missed) = (0, 0, 0);
        for Looked { case, record, .. } in &self.looked {
            if let Some(present) = &case.truth.objects {
                let shown = shown(record, present, words);
                right += shown.intersection(&present.there).count();
                wrong += shown.difference(&present.there).count();
                missed += present.there.difference(&shown).count();
            }
        }
        let report = score(&self.looked, words, &bar);
        let figure = |name: &str| report.figure("scenes", name).unwrap_or(f64::NAN) * 100.0;
        println!(
            "{name:<24} objects {right} right, {wrong} wrong, {missed} missed; scenes {:.0} %, {:.0} %",
            figure("top1"),
            figure("top5")
        );
    }
}

/// Repairs what was damaged, and tells what is said before and after.
async fn compare(
    damage: &str,
    damaged: &Seen,
    repair: &str,
    examiner: &Examiner,
    restorer: &dyn Restorer,
    words: &Words,
) -> Outcome<()> {
    damaged.tell(damage, words);
    let (mut restored, mut right, mut wrong) = (Seen::default(), 0, 0);
    for (raster, before) in damaged.pictures.iter().zip(&damaged.looked) {
        let strength = restorer.strength(&measured(raster));
        let (made, _) = repaired(restorer, raster, strength).await?;
        restored.show(examiner, &before.case, made).await?;
    }
    restored.tell(&format!("{damage}, {repair}"), words);
    for (before, after) in damaged.looked.iter().zip(&restored.looked) {
        let Some(present) = &before.case.truth.objects else { continue };
        let [before, after] = [before, after].map(|looked| shown(&looked.record, present, words));
        for thing in after.difference(&before) {
            let counted = if present.there.contains(thing) { &mut right } else { &mut wrong };
            *counted += 1;
        }
    }
    println!("  shown only on the repaired copy: {right} objects right, {wrong} wrong");
    Ok(())
}

/// The things that a record shows, by their places among those that were looked for.
fn shown(record: &Record, present: &Present, words: &Words) -> BTreeSet<usize> {
    let bar = Bar::default();
    let labels =
        record.labels.iter().filter(|label| label.kind == LabelKind::Object && bar.shows(label));
    labels.flat_map(|label| words.things_named(label, &present.of)).collect()
}
