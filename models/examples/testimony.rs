//! Prints what networks say of pictures, for fitting: one JSON line a picture.
//!
//! cargo run --release -p glassplate-models --example testimony -- MODELS CARD,CARD... [--grey] < PATHS
//!
//! PATHS are read from stdin, one a line. A line holds `path`, `grey`, `monochrome`, for each
//! card's labels `[kind, name, confidence, instances]`, and the first embedding that a card gives. Each
//! picture goes the pipeline's way to its working raster; with `--grey` its colour is taken out there.

#![allow(clippy::print_stdout, reason = "a program of its own")]

use std::path::Path;
use std::sync::Arc;

use glassplate_models::evaluation::look::Examiner;
use glassplate_models::labeller::OnnxLabeller;
use glassplate_models::session::Runtime;
use glassplate_models::shelf::Shelf;
use glassplate_models::taxonomy::Objects;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::image::Limits;
use glassplate_pipeline::ports::Verbatim;
use glassplate_pipeline::rendition::Recipe;
use glassplate_pipeline::stage::assess;
use serde_json::{Map, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fault> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [models, cards, options @ ..] = words.as_slice() else {
        return Err(Fault::bad_input("give MODELS CARD,CARD... [--grey], and paths on stdin"));
    };
    let grey = options.iter().any(|word| word == "--grey");
    let shelf = Shelf::open(models, None)?;
    let runtime = Runtime::load(&shelf.path("onnxruntime")?)?;
    let objects = Objects::load();
    let open = |name: &str| OnnxLabeller::open(&shelf, &runtime, &objects, name, 1);
    let labellers: Vec<_> =
        cards.split(',').map(|name| Ok((name, open(name)?))).collect::<Result<_, Fault>>()?;
    let examiner = Examiner {
        labellers: Vec::new(),
        interpreter: Arc::new(Verbatim),
        limits: Limits::default(),
        recipe: Recipe::default(),
    };
    for path in std::io::stdin().lines().map_while(Result::ok) {
        let picture = match examiner.picture(Path::new(&path)).await {
            Ok(picture) => {
                if grey {
                    picture.grey()
                } else {
                    picture
                }
            }
            Err(fault) => {
                println!("{}", json!({ "path": path, "fault": fault.reason() }));
                continue;
            }
        };
        let raster = picture.raster();
        let (mut said, mut embedding) = (Map::new(), None);
        for (name, labeller) in &labellers {
            let seen = labeller.see(raster).await?;
            let labels = seen.labels.iter();
            let labels = labels.map(|l| json!([l.kind, l.name, l.confidence, l.instances]));
            said.insert((*name).to_owned(), labels.collect());
            embedding = embedding.or(seen.embedding);
        }
        let monochrome = assess::assess(raster).tone.is_monochrome();
        let line = json!({
            "path": path, "grey": grey, "monochrome": monochrome, "said": said, "embedding": embedding,
        });
        println!("{line}");
    }
    Ok(())
}
