//! `/runs` and `/runs/{id}`: what was taken in, what became of each source, and why not.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::fault::{Fault, FaultKind};
use glassplate_pipeline::run::{Balance, Item, Outcome, Run, RunId, RunState};
use maud::{Markup, html};
use serde::Deserialize;

use super::asset::about::moment;
use super::facets::thousands;
use super::links;
use super::shell::Page;
use super::trouble::Trouble;
use super::visitor::Visitor;
use crate::ask::Facet;
use crate::http::{Caller, Site};

/// How many runs are listed.
const LISTED: usize = 100;
/// How many items are read at a time.
const PIECE: usize = 1_000;
/// How many items one page looks at; the next page goes on behind them.
const LOOKED_AT: usize = 20_000;
/// How many failures one page shows.
const SHOWN: usize = 200;

/// So many reasons are shown with their sources unfolded.
const FEW: usize = 3;

/// Where among a run's items a page begins.
#[derive(Debug, Deserialize)]
pub(super) struct From {
    after: Option<String>,
}

/// What a page found among a run's items.
#[derive(Default)]
struct Found {
    balance: Balance,
    /// What was rejected or failed, or taken in with a note.
    told: Vec<Item>,
    /// Behind which source the next page begins; absent when all were looked at.
    next: Option<String>,
}

/// Lists the runs.
pub(super) async fn list(
    State(site): State<Arc<Site>>,
    Visitor(caller): Visitor,
) -> Result<Response, Trouble> {
    let runs = site.catalogue.runs(&caller.tenant, None, LISTED).await?;
    Ok(page("Runs", &caller).with(html! {
        h1 { "Runs" }
        p.quiet { "Each time pictures are taken in, or labelled anew, is a run." }
        @if runs.is_empty() { p { "There was none yet." } }
        @else { (table(&runs)) }
    }))
}

/// Shows one run.
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Visitor(caller): Visitor,
    Path(id): Path<String>,
    Query(from): Query<From>,
) -> Result<Response, Trouble> {
    let id = RunId::from_text(&id);
    let run = site.catalogue.run(&caller.tenant, &id).await?;
    let run = run.ok_or_else(|| Fault::not_found(format!("there is no run {id}")))?;
    let found = look(&site, &caller.tenant, &id, from.after).await?;
    Ok(page(&format!("Run {id}"), &caller).with(view(&run, &found)))
}

fn page<'a>(title: &'a str, caller: &'a Caller) -> Page<'a> {
    Page {
        title,
        caller: Some(caller),
        at: "/runs",
        query: "",
        scripts: &["runs.js"],
        layout: "wide",
    }
}

async fn look(
    site: &Site,
    tenant: &Tenant,
    run: &RunId,
    after: Option<String>,
) -> Result<Found, Fault> {
    let (mut found, mut after) = (Found::default(), after);
    let mut looked_at = 0;
    while looked_at < LOOKED_AT && found.told.len() < SHOWN {
        let items = site.catalogue.items(tenant, run, after.as_deref(), PIECE).await?;
        looked_at += items.len();
        let last = items.len() < PIECE;
        after = items.last().map(|item| item.source.clone());
        for item in items {
            found.balance.add(item.outcome);
            if item.outcome >= Outcome::Rejected || item.reason.is_some() {
                found.told.push(item);
            }
        }
        if last {
            return Ok(found);
        }
    }
    found.next = after;
    Ok(found)
}

fn table(runs: &[Run]) -> Markup {
    html! {
        div.table tabindex="0" role="region" aria-label="Runs" {
            table {
                thead {
                    tr {
                        th scope="col" { "Run" }
                        th scope="col" { "Collection" }
                        th scope="col" { "State" }
                        @for outcome in Outcome::ALL { th.number scope="col" { (outcome.name()) } }
                        th.number scope="col" { "in" }
                    }
                }
                tbody {
                    @for run in runs {
                        tr {
                            td { a href=(links::run(run.id.as_str())) { (moment(run.started)) } }
                            td { (run.collection) }
                            td { (state(run)) }
                            @for outcome in Outcome::ALL {
                                td.number.(outcome.name()) { (number(run.balance.of(outcome))) }
                            }
                            td.number { strong { (number(run.balance.total())) } }
                        }
                    }
                }
            }
        }
    }
}

fn state(run: &Run) -> Markup {
    html! { span.state.(run.state().name().replace(' ', "-")) { (run.state().name()) } }
}

/// Writes a count; what is none stays quiet.
fn number(count: u64) -> String {
    if count == 0 { "·".to_owned() } else { thousands(count) }
}

fn view(run: &Run, found: &Found) -> Markup {
    let running = run.state() == RunState::Unfinished;
    let balance = if run.finished.is_some() { &run.balance } else { &found.balance };
    html! {
        p { a href="/runs" { "All runs" } }
        h1 { "Run " (run.id) " " (state(run)) }
        // What changes while a run goes on; a script asks for it again.
        div #progress data-running=[running.then_some("")] {
            (bar(balance))
            p.balance {
                strong { (thousands(balance.total())) } " in = "
                @for (at, outcome) in Outcome::ALL.into_iter().enumerate() {
                    @if at > 0 { " + " }
                    (thousands(balance.of(outcome))) " " (outcome.name())
                }
                @if running && found.next.is_some() { " (among those looked at)" }
            }
        }
        dl.fields {
            // A run of restorations goes into none.
            @if !run.collection.is_empty() {
                dt { "into" }
                dd { a href=(links::within(Facet::Collection, &run.collection)) { (run.collection) } }
            }
            dt { "from" }
            dd.path { (run.sources.join(", ")) }
            dt { "started" }
            dd { (moment(run.started)) }
            @if let Some(finished) = run.finished { dt { "finished" } dd { (moment(finished)) } }
            dt { "glassplate" }
            dd { (run.version) }
        }
        p.quiet {
            "A run is taken back at the command line: " code { "glassplate undo " (run.id) }
            ". What it added then counts nowhere; nothing is deleted."
        }
        (failures(&found.told))
        @if let Some(next) = &found.next {
            p.more { a href=(links::run_after(run.id.as_str(), next)) { "Look on" } }
        }
    }
}

/// The balance as a bar of five parts.
fn bar(balance: &Balance) -> Markup {
    let total = balance.total().max(1) as f64;
    let mut from = 0.0;
    html! {
        svg.bar viewBox="0 0 1000 12" preserveAspectRatio="none" aria-hidden="true" {
            @for outcome in Outcome::ALL {
                @let wide = balance.of(outcome) as f64 * 1000.0 / total;
                rect.(outcome.name()) x=(from) width=(wide) height="12" {}
                ({ from += wide; "" })
            }
        }
    }
}

/// What was refused or failed, gathered by reason.
fn failures(items: &[Item]) -> Markup {
    let mut by_reason: BTreeMap<(Outcome, Option<&str>, String), Vec<&Item>> = BTreeMap::new();
    for item in items {
        let reason = item.reason.clone().unwrap_or_default().replace(&item.source, "…");
        by_reason.entry((item.outcome, item.fault.map(name), reason)).or_default().push(item);
    }
    html! {
        @if !items.is_empty() { h2 { "What is to be looked at" } }
        @let unfolded = by_reason.len() <= FEW;
        // What went wrong before what is only worth knowing.
        @for ((outcome, fault, reason), items) in by_reason.into_iter().rev() {
            details.failure open[unfolded] {
                summary {
                    span.state.(outcome.name()) { (outcome.name()) } " "
                    strong { (items.len()) } " × "
                    @if let Some(fault) = fault { (fault.replace('_', " ")) ": " }
                    (reason)
                }
                ul {
                    @for item in items {
                        li.path {
                            @match &item.asset {
                                Some(asset) => a href=(links::asset(asset)) { (item.source) },
                                None => (item.source),
                            }
                        }
                    }
                }
            }
        }
    }
}

fn name(fault: FaultKind) -> &'static str {
    fault.faces().name
}
