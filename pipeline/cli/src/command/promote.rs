//! `glassplate promote` and `undo`: whether a run counts. Nothing is deleted either way.

use glassplate_pipeline::catalogue::{Catalogue, Entry};
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::run::{Run, RunState};
use serde_json::json;

use super::decide::follow;
use super::runs::existing;
use crate::compose::Desk;
use crate::exit::Exit;
use crate::output::{self, data};

/// How many assets are listed at a time.
const PAGE: usize = 10_000;

/// How a run is to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It counts.
    Promoted,
    /// It does not count.
    Undone,
}

/// Lets a run count or not; doing it again changes nothing.
pub(crate) async fn run(desk: &Desk, name: &str, standing: Standing) -> Result<Exit, Fault> {
    let catalogue = desk.existing_catalogue().await?;
    let before = existing(desk, &*catalogue, name).await?;
    let after = match standing {
        Standing::Promoted => before.clone().promoted(),
        Standing::Undone => before.clone().undone(),
    };
    let mut assets = 0;
    if before.withdrawn != after.withdrawn {
        assets = count(desk, &*catalogue, &after).await?;
    }
    if before != after {
        catalogue.append(&desk.tenant, vec![Entry::Run(after.clone())]).await?;
        follow(desk, &*catalogue).await;
    }
    if desk.json {
        output::json(&json!({ "run": after.id, "state": after.state(), "assets": assets }));
        return Ok(Exit::Done);
    }
    data(told(&before, &after, assets));
    if standing == Standing::Undone {
        data("assets, originals and what people decided stay; `glassplate promote` takes it back");
    }
    Ok(Exit::Done)
}

fn told(before: &Run, after: &Run, assets: u64) -> String {
    let id = &after.id;
    match (before.withdrawn, after.withdrawn, before.state()) {
        (true, false, _) => format!("run {id} counts now: {assets} assets are read anew"),
        (false, true, _) => format!("run {id} counts no more: {assets} assets are read anew"),
        (true, true, RunState::OnTrial) => {
            format!("run {id} was on trial and is given up: it counted nowhere")
        }
        (true, true, _) => format!("run {id} was undone already: nothing changed"),
        (false, false, _) => format!("run {id} counted already: nothing changed"),
    }
}

/// How many assets the run said something of.
async fn count(desk: &Desk, catalogue: &dyn Catalogue, run: &Run) -> Result<u64, Fault> {
    let (mut count, mut after) = (0, None);
    loop {
        let page = catalogue.assets_of_run(&desk.tenant, &run.id, after.as_ref(), PAGE).await?;
        count += page.len() as u64;
        after = page.into_iter().next_back();
        if after.is_none() {
            return Ok(count);
        }
    }
}
