//! `GET /v1/assets/{id}/similar`: pictures that look like one.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use glassplate_pipeline::asset::AssetId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::asset::no_such_asset;
use super::hit::HitTold;
use super::links::Links;
use super::list::limit;
use crate::http::asked::{Asked, Named, json, stated};
use crate::http::{Caller, Problem, Site};

/// How many.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HowMany {
    /// How many pictures at most.
    #[serde(default, deserialize_with = "stated")]
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<usize>,
}

/// Pictures that look like one.
#[derive(Debug, Serialize, ToSchema)]
struct Similar<'a> {
    /// The picture that was asked about.
    #[schema(value_type = String)]
    asset: &'a AssetId,
    /// The likest first.
    hits: Vec<HitTold<'a>>,
}

/// Find pictures that look like one
#[utoipa::path(
    get,
    path = "/v1/assets/{id}/similar",
    tag = "search",
    params(("id" = String, Path, description = "The asset's id"), HowMany),
    responses((status = 200, description = "The likest first", body = Similar<'_>))
)]
pub(super) async fn similar(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Named(id): Named,
    Asked(asked): Asked<HowMany>,
) -> Result<Response, Problem> {
    let limit = limit(asked.limit)?;
    let (index, tenant, asset) = (site.index.clone(), caller.tenant.clone(), id.clone());
    let found = site.gate.pass(move || index.like(&tenant, &asset, limit)).await?;
    let hits = match found {
        Some(hits) => hits,
        // The index may not have seen it yet, or have nothing to compare it by.
        None => match site.catalogue.parts(&caller.tenant, &id).await? {
            Some(_) => Vec::new(),
            None => return Err(no_such_asset(&id).into()),
        },
    };
    let links = Links::of(&site);
    json(&Similar { asset: &id, hits: hits.iter().map(|hit| HitTold::of(hit, links)).collect() })
}
