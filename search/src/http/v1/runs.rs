//! `/v1/runs`: what was done, how far it is, and what became of each source.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use glassplate_pipeline::asset::AssetId;
use glassplate_pipeline::fault::{Fault, FaultKind};
use glassplate_pipeline::run::{Balance, Item, Outcome, Run, RunId, RunState};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::links::Links;
use super::list::{Next, Paging, cursor, limit, place};
use crate::http::asked::{Asked, Step, json, stated};
use crate::http::{Caller, Problem, Site};

/// How many items are counted of a run that has not ended; a larger one says "at least".
const MOST_COUNTED: usize = 20_000;
/// How many items are read at a time.
const PAGE: usize = 1_000;

/// Runs.
#[derive(Debug, Serialize, ToSchema)]
struct Runs<'a> {
    /// The latest first.
    runs: Vec<RunTold<'a>>,
    /// Where to go on; absent when there is no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Next>,
}

/// One run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Run)]
struct RunTold<'a> {
    #[schema(value_type = String)]
    id: &'a RunId,
    /// Where it stands.
    #[schema(value_type = RunStateTold)]
    state: RunState,
    collection: &'a str,
    /// What was given to it.
    sources: &'a [String],
    /// glassplate's version.
    version: &'a str,
    #[schema(value_type = String, format = DateTime)]
    started: Timestamp,
    /// Absent while it runs, and for ever when it was stopped.
    #[schema(value_type = Option<String>, format = DateTime)]
    finished: Option<Timestamp>,
    /// How its sources ended, as of its end.
    #[schema(value_type = BalanceTold)]
    balance: Balance,
    #[schema(format = "uri-reference")]
    href: String,
}

/// Where a run stands.
#[derive(ToSchema)]
#[schema(as = RunState, rename_all = "snake_case")]
#[allow(dead_code, reason = "it describes what the pipeline's own type writes")]
enum RunStateTold {
    Finished,
    Unfinished,
    OnTrial,
    Undone,
}

/// How many sources ended in each outcome.
#[derive(ToSchema)]
#[schema(as = Balance)]
#[allow(dead_code, reason = "it describes what the pipeline's own type writes")]
struct BalanceTold {
    enriched: u64,
    unchanged: u64,
    duplicate: u64,
    rejected: u64,
    failed: u64,
}

/// One run, and what became of its sources.
#[derive(Debug, Serialize, ToSchema)]
struct RunInFull<'a> {
    #[serde(flatten)]
    run: RunTold<'a>,
    /// How many sources have ended so far; of a run that ended the same as `balance`.
    #[schema(value_type = BalanceTold)]
    so_far: Balance,
    /// Whether more sources have ended than were counted.
    at_least: bool,
    /// The items of this page, by source.
    items: Vec<ItemTold<'a>>,
    /// Where to go on; absent when there is no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Next>,
}

/// What became of one source.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Item)]
struct ItemTold<'a> {
    source: &'a str,
    /// The asset, when the source was registered.
    #[schema(value_type = Option<String>)]
    asset: Option<&'a AssetId>,
    #[schema(value_type = OutcomeTold)]
    outcome: Outcome,
    /// The kind of fault, when rejected or failed.
    #[schema(value_type = Option<String>)]
    fault: Option<FaultKind>,
    /// Why rejected or failed; or a note on an accepted picture.
    reason: Option<&'a str>,
}

/// What became of a source.
#[derive(ToSchema)]
#[schema(as = Outcome, rename_all = "snake_case")]
#[allow(dead_code, reason = "it describes what the pipeline's own type writes")]
pub(super) enum OutcomeTold {
    /// Something was added to what is known.
    Enriched,
    /// Everything was known already.
    Unchanged,
    /// The bytes were known from another place.
    Duplicate,
    /// The source itself is at fault.
    Rejected,
    /// Something else went wrong.
    Failed,
}

/// Which items.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only what was rejected or failed.
    #[serde(default)]
    failures: bool,
    /// How many items at most.
    #[serde(default, deserialize_with = "stated")]
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<usize>,
    /// Where an earlier page ended: its `next.cursor`.
    cursor: Option<String>,
}

/// List runs, the latest first
#[utoipa::path(
    get,
    path = "/v1/runs",
    tag = "runs",
    params(Paging),
    responses((status = 200, description = "The latest first", body = Runs<'_>))
)]
pub(super) async fn runs(
    State(site): State<Arc<Site>>,
    caller: Caller,
    RawQuery(query): RawQuery,
    Asked(paging): Asked<Paging>,
) -> Result<Response, Problem> {
    let limit = limit(paging.limit)?;
    let after = paging.cursor.as_deref().map(place).transpose()?.map(|id| RunId::from_text(&id));
    let found = site.catalogue.runs(&caller.tenant, after.as_ref(), limit + 1).await?;
    let (page, links) = (&found[..limit.min(found.len())], Links::of(&site));
    let next = page.last().filter(|_| found.len() > limit).map(|last| {
        let cursor = cursor(last.id.as_str());
        let href = links.after("/v1/runs", query.as_deref(), &cursor);
        Next { cursor, href }
    });
    json(&Runs { runs: page.iter().map(|run| run_told(run, links)).collect(), next })
}

/// Tell how a run goes, and what became of its sources
#[utoipa::path(
    get,
    path = "/v1/runs/{id}",
    tag = "runs",
    params(("id" = String, Path, description = "The run's id"), Which),
    responses((status = 200, description = "The run and a page of its items", body = RunInFull<'_>))
)]
pub(super) async fn run(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Step(id): Step,
    RawQuery(query): RawQuery,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    let limit = limit(which.limit)?;
    let after = which.cursor.as_deref().map(place).transpose()?;
    let id = RunId::from_text(&id);
    let run = site.catalogue.run(&caller.tenant, &id).await?;
    let run = run.ok_or_else(|| Fault::not_found(format!("there is no run {:?}", id.as_str())))?;
    let (so_far, at_least) = match run.finished {
        Some(_) => (run.balance, false),
        None => counted(&site, &caller, &id).await?,
    };
    let (items, more) = items(&site, &caller, &id, after, limit, which.failures).await?;
    let links = Links::of(&site);
    let next = more.map(|last| {
        let cursor = cursor(&last);
        let path = format!("/v1/runs/{id}");
        Next { href: links.after(&path, query.as_deref(), &cursor), cursor }
    });
    let items = items.iter().map(item_told).collect();
    json(&RunInFull { run: run_told(&run, links), so_far, at_least, items, next })
}

/// A page of items, and the source to go on after when there may be more.
async fn items(
    site: &Site,
    caller: &Caller,
    run: &RunId,
    mut after: Option<String>,
    limit: usize,
    failures: bool,
) -> Result<(Vec<Item>, Option<String>), Fault> {
    let mut found = Vec::new();
    let mut looked_at = 0;
    // Failures are rare in a good run, so one page may look at many items, but not at all.
    while looked_at < MOST_COUNTED {
        let page = site.catalogue.items(&caller.tenant, run, after.as_deref(), PAGE).await?;
        let whole = page.len() == PAGE;
        looked_at += page.len();
        for item in page {
            if found.len() == limit {
                return Ok((found, after));
            }
            after = Some(item.source.clone());
            if !failures || item.outcome >= Outcome::Rejected {
                found.push(item);
            }
        }
        if !whole {
            return Ok((found, None));
        }
    }
    Ok((found, after))
}

/// Counts how the sources of a run that has not ended came out so far.
async fn counted(site: &Site, caller: &Caller, run: &RunId) -> Result<(Balance, bool), Fault> {
    let (mut balance, mut after) = (Balance::default(), None::<String>);
    while balance.total() < MOST_COUNTED as u64 {
        let page = site.catalogue.items(&caller.tenant, run, after.as_deref(), PAGE).await?;
        page.iter().for_each(|item| balance.add(item.outcome));
        match page.last() {
            Some(last) if page.len() == PAGE => after = Some(last.source.clone()),
            _ => return Ok((balance, false)),
        }
    }
    Ok((balance, true))
}

fn run_told<'a>(run: &'a Run, links: Links<'_>) -> RunTold<'a> {
    RunTold {
        id: &run.id,
        state: run.state(),
        collection: &run.collection,
        sources: &run.sources,
        version: &run.version,
        started: run.started,
        finished: run.finished,
        balance: run.balance,
        href: links.run(run.id.as_str()),
    }
}

fn item_told(item: &Item) -> ItemTold<'_> {
    ItemTold {
        source: &item.source,
        asset: item.asset.as_ref(),
        outcome: item.outcome,
        fault: item.fault,
        reason: item.reason.as_deref(),
    }
}
