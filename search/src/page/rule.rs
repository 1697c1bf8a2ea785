//! `POST /assets/{id}/labels`: what a person says of labels, through a form.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use glassplate_pipeline::asset::AssetId;
use glassplate_pipeline::decide::{Said, person};
use glassplate_pipeline::decision::Ruling;
use glassplate_pipeline::label::LabelKind;
use glassplate_pipeline::tenancy::Role;
use serde::Deserialize;

use super::asset::look_up;
use super::links;
use super::trouble::Trouble;
use super::visitor::Visitor;
use crate::http::{Caller, Site, write_down};

/// A ruling as a form sends it.
#[derive(Debug, Deserialize)]
pub(super) struct Ruled {
    pub(super) ruling: Ruling,
    pub(super) label: String,
    pub(super) kind: LabelKind,
}

/// Writes a ruling down, and leads back to the asset.
pub(super) async fn rule(
    State(site): State<Arc<Site>>,
    Visitor(caller): Visitor,
    Path(id): Path<String>,
    Form(ruled): Form<Ruled>,
) -> Result<Response, Trouble> {
    let asset = write(&site, &caller, &id, &ruled).await?;
    Ok(Redirect::to(&format!("{}#labels", links::asset(&asset))).into_response())
}

/// Writes a ruling down.
///
/// # Errors
/// `Refused` for who may not, `NotFound` for an unknown asset, `BadInput` for a word that is no
/// label of it.
pub(super) async fn write(
    site: &Site,
    caller: &Caller,
    id: &str,
    ruled: &Ruled,
) -> Result<AssetId, Trouble> {
    caller.must_be(Role::Editor)?;
    let (_, record) = look_up(site, caller, id).await?;
    let said = Said {
        ruling: ruled.ruling,
        labels: std::slice::from_ref(&ruled.label),
        kind: Some(ruled.kind),
        who: person(&caller.who)?,
        at: site.clock.now(),
    };
    write_down(site, caller, &record, &said).await?;
    Ok(record.asset)
}
