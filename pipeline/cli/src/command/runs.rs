//! `glassplate runs`: what was done, and what became of each source.

use glassplate_pipeline::catalogue::Catalogue;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::run::{Balance, Item, Outcome, Run, RunId};
use serde_json::json;

use crate::compose::Desk;
use crate::exit::Exit;
use crate::output::{self, data, plain};

/// How many runs are listed.
const LISTED: usize = 50;
/// How many items are read at a time.
const PAGE: usize = 1000;

pub(crate) async fn run(desk: &Desk, run: Option<&str>) -> Result<Exit, Fault> {
    let catalogue = desk.existing_catalogue().await?;
    let Some(name) = run else { return list(desk, &*catalogue).await };
    let id = RunId::from_text(name);
    let run = existing(desk, &*catalogue, name).await?;
    let mut balance = Balance::default();
    let mut items = Vec::new();
    let mut pages = Items::of(&*catalogue, desk, &id);
    while let Some(page) = pages.next().await? {
        for item in page {
            balance.add(item.outcome);
            if desk.json || item.outcome >= Outcome::Rejected || item.reason.is_some() {
                items.push(item);
            }
        }
    }
    if desk.json {
        let mut value = json!(run);
        value["state"] = json!(run.state());
        value["balance"] = json!(balance);
        value["items"] = json!(items);
        output::json(&value);
        return Ok(Exit::Done);
    }
    data(format!("run {} {}", run.id, run.state().name()));
    data(format!("  into {} from {}", plain(&run.collection), plain(&run.sources.join(", "))));
    let finished = run.finished.map(|at| format!(", finished {at}")).unwrap_or_default();
    data(format!("  started {}{finished}, glassplate {}", run.started, run.version));
    data(format!("  {}", balance_of(&balance)));
    for item in &items {
        data(format!("  {}", told(item)));
    }
    Ok(Exit::Done)
}

/// Reads the run that a user named.
///
/// # Errors
/// `NotFound` when there is none.
pub(crate) async fn existing(
    desk: &Desk,
    catalogue: &dyn Catalogue,
    name: &str,
) -> Result<Run, Fault> {
    let run = catalogue.run(&desk.tenant, &RunId::from_text(name)).await?;
    run.ok_or_else(|| {
        Fault::not_found(format!("there is no run {}: `glassplate runs` lists them", plain(name)))
    })
}

/// Writes a balance for people: `12 in = 10 enriched + 2 rejected`.
pub(crate) fn balance_of(balance: &Balance) -> String {
    let parts: Vec<String> = Outcome::ALL
        .iter()
        .map(|&outcome| format!("{} {}", balance.of(outcome), outcome.name()))
        .collect();
    format!("{} in = {}", balance.total(), parts.join(" + "))
}

/// Writes one item for people.
pub(crate) fn told(item: &Item) -> String {
    let fault = item.fault.map(|fault| format!(" ({fault})")).unwrap_or_default();
    let reason = item.reason.as_deref().map(|reason| format!(": {}", plain(reason)));
    format!("{}{fault} {}{}", item.outcome.name(), plain(&item.source), reason.unwrap_or_default())
}

/// Reads a run's items page by page.
pub(crate) struct Items<'a> {
    catalogue: &'a dyn Catalogue,
    desk: &'a Desk,
    run: &'a RunId,
    after: Option<String>,
}

impl<'a> Items<'a> {
    pub(crate) fn of(catalogue: &'a dyn Catalogue, desk: &'a Desk, run: &'a RunId) -> Self {
        Self { catalogue, desk, run, after: None }
    }

    /// The next page, none after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Item>>, Fault> {
        let page =
            self.catalogue.items(&self.desk.tenant, self.run, self.after.as_deref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(None) };
        self.after = Some(last.source.clone());
        Ok(Some(page))
    }
}

async fn list(desk: &Desk, catalogue: &dyn Catalogue) -> Result<Exit, Fault> {
    let runs = catalogue.runs(&desk.tenant, None, LISTED).await?;
    if desk.json {
        let runs: Vec<_> = runs
            .iter()
            .map(|run| {
                let mut value = json!(run);
                value["state"] = json!(run.state());
                value
            })
            .collect();
        output::json(&json!({ "runs": runs }));
        return Ok(Exit::Done);
    }
    for run in &runs {
        data(format!(
            "{}  {}  {}  {}",
            run.id,
            run.state().name(),
            plain(&run.collection),
            balance_of(&run.balance)
        ));
    }
    Ok(Exit::Done)
}
