//! `GET /v1/labels`: the vocabulary in use, with counts.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::label::LabelKind;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::hit::Kind;
use super::links::Links;
use super::list::{Next, cursor, limit, place};
use crate::ask::LabelCount;
use crate::http::asked::{Asked, json, one_of, stated};
use crate::http::{Caller, Problem, Site};

/// Which labels.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only labels of this kind.
    #[serde(default, deserialize_with = "one_of")]
    #[param(value_type = Option<Kind>, inline)]
    kind: Option<LabelKind>,
    /// Only labels whose name begins so.
    #[serde(default)]
    prefix: String,
    /// How many labels at most.
    #[serde(default, deserialize_with = "stated")]
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<usize>,
    /// Where an earlier page ended: its `next.cursor`.
    cursor: Option<String>,
}

/// The labels in use.
#[derive(Debug, Serialize, ToSchema)]
struct Labels<'a> {
    /// By kind and name.
    labels: &'a [LabelCount],
    /// Where to go on; absent when there is no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Next>,
}

/// List the labels in use
#[utoipa::path(
    get,
    path = "/v1/labels",
    tag = "vocabulary",
    params(Which),
    responses((status = 200, description = "The labels by kind and name", body = Labels<'_>))
)]
pub(super) async fn labels(
    State(site): State<Arc<Site>>,
    caller: Caller,
    RawQuery(query): RawQuery,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    let limit = limit(which.limit)?;
    let after = which.cursor.as_deref().map(after).transpose()?;
    let index = site.index.clone();
    let work = move || {
        let after = after.as_ref().map(|(kind, name)| (*kind, name.as_str()));
        // One more tells whether there is more.
        index.labels(&caller.tenant, which.kind, &which.prefix, after, limit + 1)
    };
    let found = site.gate.pass(work).await?;
    let page = &found[..limit.min(found.len())];
    let next = page.last().filter(|_| found.len() > limit).map(|last| {
        let cursor = cursor(&format!("{}/{}", last.kind.name(), last.name));
        let href = Links::of(&site).after("/v1/labels", query.as_deref(), &cursor);
        Next { cursor, href }
    });
    json(&Labels { labels: page, next })
}

fn after(cursor: &str) -> Result<(LabelKind, String), Fault> {
    let place = place(cursor)?;
    let kinds = [LabelKind::Object, LabelKind::Scene, LabelKind::Concept];
    let read = place.split_once('/').and_then(|(kind, name)| {
        let kind = kinds.into_iter().find(|known| known.name() == kind)?;
        Some((kind, name.to_owned()))
    });
    read.ok_or_else(|| Fault::bad_input(format!("{cursor:?} is no cursor of this list")))
}
