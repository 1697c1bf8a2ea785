//! `GET /v1/collections`: the collections and how many pictures each has.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::links::Links;
use super::list::{Next, Paging, cursor, limit, place};
use crate::ask::Count;
use crate::http::asked::{Asked, json};
use crate::http::{Caller, Problem, Site};

/// The collections.
#[derive(Debug, Serialize, ToSchema)]
struct Collections<'a> {
    /// By name.
    collections: Vec<CollectionTold<'a>>,
    /// Where to go on; absent when there is no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Next>,
}

/// One collection.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Collection)]
struct CollectionTold<'a> {
    name: &'a str,
    /// How many pictures it has.
    pictures: u64,
}

/// List the collections
#[utoipa::path(
    get,
    path = "/v1/collections",
    tag = "vocabulary",
    params(Paging),
    responses((status = 200, description = "The collections by name", body = Collections<'_>))
)]
pub(super) async fn collections(
    State(site): State<Arc<Site>>,
    caller: Caller,
    RawQuery(query): RawQuery,
    Asked(paging): Asked<Paging>,
) -> Result<Response, Problem> {
    let limit = limit(paging.limit)?;
    let after = paging.cursor.as_deref().map(place).transpose()?;
    let index = site.index.clone();
    let all = site.gate.pass(move || index.collections(&caller.tenant)).await?;
    let begin = after.map_or(0, |after| all.partition_point(|count| count.value <= after));
    let page = &all[begin..(begin + limit).min(all.len())];
    let next = page.last().filter(|_| begin + limit < all.len()).map(|last| {
        let cursor = cursor(&last.value);
        let href = Links::of(&site).after("/v1/collections", query.as_deref(), &cursor);
        Next { cursor, href }
    });
    json(&Collections { collections: page.iter().map(told).collect(), next })
}

fn told(Count { value, count }: &Count) -> CollectionTold<'_> {
    CollectionTold { name: value, pictures: *count }
}
