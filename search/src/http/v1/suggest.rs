//! `GET /v1/suggest`: ways to go on typing.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use glassplate_pipeline::fault::Fault;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::ask::Suggestion;
use crate::http::asked::{Asked, json, stated};
use crate::http::{Caller, Problem, Site};

/// How many suggestions are made unless the client says another number.
const SUGGESTIONS: usize = 8;
/// The most suggestions of one answer.
const MOST: usize = 50;

/// What was typed so far.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Typed {
    /// What was typed so far.
    #[serde(default)]
    q: String,
    /// How many suggestions at most.
    #[serde(default, deserialize_with = "stated")]
    #[param(minimum = 1, maximum = 50, default = 8)]
    limit: Option<usize>,
}

/// Ways to go on.
#[derive(Debug, Serialize, ToSchema)]
struct Suggestions {
    /// The most frequent first.
    suggestions: Vec<Suggestion>,
}

/// Suggest ways to go on typing
#[utoipa::path(
    get,
    path = "/v1/suggest",
    tag = "search",
    params(Typed),
    responses((status = 200, description = "Ways to go on", body = Suggestions))
)]
pub(super) async fn suggest(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Asked(typed): Asked<Typed>,
) -> Result<Response, Problem> {
    let limit = typed.limit.unwrap_or(SUGGESTIONS);
    if !(1..=MOST).contains(&limit) {
        return Err(Fault::bad_input(format!("limit is {limit}: 1 to {MOST}")).into());
    }
    let index = site.index.clone();
    let work = move || index.suggest(&caller.tenant, &typed.q, limit);
    let suggestions = site.gate.pass(work).await?;
    json(&Suggestions { suggestions })
}
