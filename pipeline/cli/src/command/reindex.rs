//! `glassplate reindex`: builds the search index anew from the catalogue.

use std::time::Instant;

use glassplate_pipeline::fault::Fault;
use serde_json::json;

use crate::compose::Desk;
use crate::exit::Exit;
use crate::output::{self, data};

pub(crate) async fn run(desk: &Desk) -> Result<Exit, Fault> {
    let catalogue = desk.existing_catalogue().await?;
    let began = Instant::now();
    let built = desk.index()?.rebuild(&*catalogue).await?;
    let seconds = began.elapsed().as_secs_f64();
    if desk.json {
        output::json(&json!({ "documents": built.documents, "seconds": seconds }));
    } else {
        data(format!("{} records indexed in {seconds:.1} s", built.documents));
    }
    Ok(Exit::Done)
}
