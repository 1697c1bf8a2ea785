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

use glassplate_models::labeller::OnnxLabeller;
use glassplate_models::session::Runtime;
use glassplate_models::shelf::Shelf;
use glassplate_models::taxonomy::Objects;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::image::Limits;
use glassplate_pipeline::raster::Raster;
use glassplate_pipeline::rendition::Recipe;
use glassplate_pipeline::stage::{assess, identify, register, render};
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
    for path in std::io::stdin().lines().map_while(Result::ok) {
        let raster = match working_raster(Path::new(&path)) {
            Ok(raster) => Arc::new(if grey { greyed(&raster) } else { raster }),
            Err(fault) => {
                println!("{}", json!({ "path": path, "fault": fault.reason() }));
                continue;
            }
        };
        let (mut said, mut embedding) = (Map::new(), None);
        for (name, labeller) in &labellers {
            let seen = labeller.see(&raster).await?;
            let labels = seen.labels.iter();
            let labels = labels.map(|l| json!([l.kind, l.name, l.confidence, l.instances]));
            said.insert((*name).to_owned(), labels.collect());
            embedding = embedding.or(seen.embedding);
        }
        let monochrome = assess::assess(&raster).tone.is_monochrome();
        let line = json!({
            "path": path, "grey": grey, "monochrome": monochrome, "said": said, "embedding": embedding,
        });
        println!("{line}");
    }
    Ok(())
}

fn working_raster(path: &Path) -> Result<Raster, Fault> {
    let (recipe, limits) = (Recipe::default(), Limits::default());
    let intake = register::read(path, limits.bytes)?;
    let technical = identify::admissible(&intake, &limits)?;
    let bytes = intake.bytes.as_ref().expect("what is admissible was kept");
    let sight = identify::identify(bytes, technical, &limits);
    let technical = &sight.identified.technical;
    Ok(render::render(bytes, technical, sight.pixels, &recipe, &limits)?.working)
}

/// Takes the colour out: each pixel its luma (JFIF).
fn greyed(raster: &Raster) -> Raster {
    let luma =
        |p: &[u8]| 0.299 * f32::from(p[0]) + 0.587 * f32::from(p[1]) + 0.114 * f32::from(p[2]);
    let rgb = raster.rgb().chunks_exact(3).flat_map(|pixel| [luma(pixel).round() as u8; 3]);
    Raster::new(raster.width(), raster.height(), rgb.collect())
}
