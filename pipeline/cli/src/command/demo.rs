//! `glassplate demo`: the whole way on a few real photographs, and what to try next.

use std::path::{Path, PathBuf};

use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::record::fold;
use glassplate_search::{Answer, Ask};

use super::{ingest, search, show};
use crate::arguments::{Ingest, OnDevice, Sources};
use crate::compose::{Desk, tell};
use crate::env;
use crate::exit::Exit;
use crate::output::{data, plain, say};

/// The collection that the photographs go to.
const COLLECTION: &str = "demo";
/// What is searched for: a broader term, a synonym, what a person wrote.
const QUERIES: [&str; 3] = ["animal", "cup", "portrait"];

/// Where the demonstration lives unless `--home` says otherwise: never in a real archive.
pub(crate) fn home() -> Option<PathBuf> {
    Some(env::cache()?.join("demo"))
}

pub(crate) async fn run(desk: &Desk) -> Result<Exit, Fault> {
    let folder = desk.home.join("photographs");
    let pictures = glassplate_models::demo::pictures(&desk.shelf()?, &folder, &mut tell)?;
    say(format!("{} photographs lie in {}", pictures.len(), folder.display()));
    let arguments = Ingest {
        sources: Sources {
            paths: pictures,
            manifest: Vec::new(),
            collection: COLLECTION.to_owned(),
            metadata: Some(folder.join(glassplate_models::demo::CATALOGUE)),
        },
        dry_run: false,
        without_labels: false,
        budget: None,
        device: OnDevice { device: None },
        restore: None,
    };
    let exit = ingest::run(desk, arguments).await?;
    if desk.json {
        return Ok(exit);
    }
    let catalogue = desk.existing_catalogue().await?;
    let index = desk.index()?;
    search::catch_up(&index, &*catalogue).await?;
    let mut shown = None;
    for query in QUERIES {
        let Answer { total, hits, .. } = index.search(&desk.tenant, &Ask::words(query, 3))?;
        data(format!("\n$ glassplate search {query}    ({total} found)"));
        hits.iter().for_each(|hit| search::print(hit));
        shown = shown.or_else(|| hits.into_iter().next());
    }
    if let Some(hit) = shown
        && let Some(parts) = catalogue.parts(&desk.tenant, &hit.asset).await?
    {
        let record = show::placed(&*desk.store().await?, fold(&parts, &*desk.interpreter()?));
        data(format!("\nrenditions of {} ({})", hit.asset, plain(&hit.title)));
        for r in &record.renditions {
            data(format!("  {:>5}  {} x {}  {}", r.name, r.width, r.height, r.path));
        }
        next(&desk.home, hit.asset.as_str());
    }
    Ok(exit)
}

fn next(home: &Path, asset: &str) {
    let home = home.display();
    let program = std::env::current_exe()
        .map_or_else(|_| "glassplate".to_owned(), |path| path.display().to_string());
    data(format!(
        "\ntry next
  {program} --home {home} show {asset}
  {program} --home {home} search 'dog -cat'
  {program} --home {home} export --format jsonl | head -1
  {program} ingest ~/Pictures --collection mine
  {program} doctor"
    ));
}
