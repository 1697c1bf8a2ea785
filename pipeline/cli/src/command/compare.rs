//! `glassplate compare`: what labels would be gained, lost and changed by a run.

use std::collections::BTreeSet;

use glassplate_pipeline::asset::AssetId;
use glassplate_pipeline::catalogue::Catalogue;
use glassplate_pipeline::compare::{Comparison, Difference, Way};
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::record::fold;
use glassplate_pipeline::run::RunId;
use serde_json::json;

use super::runs::existing;
use crate::arguments::Compare;
use crate::compose::Desk;
use crate::exit::Exit;
use crate::output::{self, data, plain, say};

/// How many records are read at a time.
const PAGE: usize = 500;
/// How many assets are listed at a time.
const LISTED: usize = 10_000;

pub(crate) async fn run(desk: &Desk, arguments: &Compare) -> Result<Exit, Fault> {
    let catalogue = desk.existing_catalogue().await?;
    let a = existing(desk, &*catalogue, &arguments.run).await?.id;
    let b = match &arguments.other {
        Some(other) => Some(existing(desk, &*catalogue, other).await?.id),
        None => None,
    };
    if b.as_ref() == Some(&a) {
        return Err(Fault::bad_input("a run cannot be compared with itself"));
    }
    // From the first run to the second; a run alone, from the archive without it to with it.
    let (from, to) = match &b {
        Some(b) => (Some(&a), b),
        None => (None, &a),
    };
    let mut assets = BTreeSet::new();
    for run in from.into_iter().chain([to]) {
        let count = collect(desk, &*catalogue, run, &mut assets).await?;
        say(format!("run {run} spoke of {count} assets"));
    }
    let assets: Vec<AssetId> = assets.into_iter().collect();
    let interpreter = desk.interpreter()?;
    let mut comparison = Comparison::default();
    for page in assets.chunks(PAGE) {
        for parts in catalogue.parts_of_many(&desk.tenant, page).await? {
            let before = fold(&parts.as_if(from, Some(to)), &*interpreter);
            let after = fold(&parts.as_if(Some(to), from), &*interpreter);
            comparison.add(&before, &after, &desk.settings.labels);
        }
    }
    if desk.json {
        let mut value = json!(comparison);
        value["from"] = json!(from);
        value["to"] = json!(to);
        for (name, way) in [("gained", Way::Gained), ("lost", Way::Lost), ("changed", Way::Changed)]
        {
            value[name] = json!(comparison.labels(way));
        }
        output::json(&value);
        return Ok(Exit::Done);
    }
    tell(from, to, &comparison, arguments.limit);
    Ok(Exit::Done)
}

/// Adds every asset that a run said something of; returns how many they are.
async fn collect(
    desk: &Desk,
    catalogue: &dyn Catalogue,
    run: &RunId,
    assets: &mut BTreeSet<AssetId>,
) -> Result<u64, Fault> {
    let (mut count, mut after) = (0, None);
    loop {
        let page = catalogue.assets_of_run(&desk.tenant, run, after.as_ref(), LISTED).await?;
        let Some(last) = page.last() else { return Ok(count) };
        count += page.len() as u64;
        after = Some(last.clone());
        assets.extend(page);
    }
}

fn tell(from: Option<&RunId>, to: &RunId, comparison: &Comparison, limit: usize) {
    let from = from.map_or_else(|| "the archive without it".to_owned(), |run| format!("run {run}"));
    data(format!("run {to} beside {from}"));
    let Comparison { assets, differing, totals, .. } = comparison;
    data(format!("{differing} of {assets} assets show something else"));
    for (kind, of_kind) in totals {
        data(format!(
            "  {:<8} {} gained, {} lost, {} changed",
            format!("{}s", kind.name()),
            of_kind.gained,
            of_kind.lost,
            of_kind.changed
        ));
    }
    for (heading, way) in
        [("gained", Way::Gained), ("lost", Way::Lost), ("changed by more than 0.1", Way::Changed)]
    {
        let labels = comparison.labels(way);
        if labels.is_empty() {
            continue;
        }
        data(heading);
        labels.iter().take(limit).for_each(difference);
        if labels.len() > limit {
            data(format!("  and {} labels more; --limit lists more", labels.len() - limit));
        }
    }
    if *differing > 0 {
        say(
            "`glassplate show ASSET` shows what counts now; `glassplate promote RUN` lets a run count",
        );
    }
}

fn difference(difference: &Difference) {
    let Difference { name, kind, count, examples } = difference;
    let examples: Vec<&str> = examples.iter().map(AssetId::as_str).collect();
    data(format!("  {count:>5}  {} ({})  {}", plain(name), kind.name(), examples.join(" ")));
}
