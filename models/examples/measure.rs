//! Prints how right and how costly the pulled networks are on photographs with known content.
//!
//! ```text
//! cargo run --release -p glassplate-models --example measure -- MODELS IMAGENET.csv COCO.csv
//! ```
//!
//! MODELS is a shelf's folder. IMAGENET.csv has `file,imagenet_index`, COCO.csv has
//! `file,origin,objects` (only rows of `val2017` are used: the networks saw the others).
//! Milliseconds are processor time from a decoded raster to labels, in one session.

#![allow(clippy::print_stdout, reason = "a program of its own")]

#[path = "../tests/evaluate/mod.rs"]
mod evaluate;

use std::path::PathBuf;
use std::time::Duration;

use evaluate::{Score, compare, label_all, read_table};
use glassplate_models::card::Task;
use glassplate_models::labeller::OnnxLabeller;
use glassplate_models::session::Runtime;
use glassplate_models::shelf::{Shelf, State};
use glassplate_models::taxonomy::Objects;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::ports::Labeller as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fault> {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [models, imagenet, coco] = paths.as_slice() else {
        return Err(Fault::bad_input("give MODELS IMAGENET.csv COCO.csv"));
    };
    let shelf = Shelf::open(models, None)?;
    let runtime = Runtime::load(&shelf.path("onnxruntime")?)?;
    let objects = Objects::load();
    let classes = objects.classes("imagenet-1k")?;
    for status in shelf.list().iter().filter(|status| status.state == State::Present) {
        let name = status.card.name.as_str();
        if !matches!(status.card.task, Task::Classify | Task::Detect) {
            continue;
        }
        let labeller = OnnxLabeller::open(&shelf, &runtime, &objects, name, 1)?;
        let mut spent = Duration::ZERO;
        let each = |spent: Duration, count: usize| spent.as_secs_f64() * 1e3 / count.max(1) as f64;
        if status.card.task == Task::Classify {
            let known = read_table(imagenet);
            let (mut first, mut among) = (0, 0);
            label_all(&labeller, &known, |known, labels, took| {
                spent += took;
                let index: usize = known.row["imagenet_index"].parse().expect("an index");
                let at = labels.iter().position(|label| label.name == classes[index].name);
                first += usize::from(at == Some(0));
                among += usize::from(at.is_some_and(|at| at < 5));
            })
            .await;
            let share = |count: usize| 100.0 * count as f64 / known.len() as f64;
            println!(
                "{}: top-1 {:.1} %, top-5 {:.1} % of {}; {:.1} ms",
                labeller.step(),
                share(first),
                share(among),
                known.len(),
                each(spent, known.len())
            );
            continue;
        }
        let mut known = read_table(coco);
        known.retain(|known| known.row["origin"] == "val2017");
        let mut all = Vec::new();
        label_all(&labeller, &known, |_, labels, took| {
            spent += took;
            all.push(labels);
        })
        .await;
        println!(
            "{}: {} pictures; {:.1} ms",
            labeller.step(),
            known.len(),
            each(spent, known.len())
        );
        for threshold in [0.15, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5] {
            let mut score = Score::default();
            for (known, labels) in known.iter().zip(&all) {
                compare(&mut score, &objects, known, labels, threshold);
            }
            println!(
                "  at {threshold}: F1 {:.3}, precision {:.3}, recall {:.3}",
                score.f1(),
                score.precision(),
                score.recall()
            );
        }
    }
    Ok(())
}
