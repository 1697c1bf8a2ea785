//! `/v1/assets/{id}/decisions`: what people said of a picture's labels, and saying more.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use glassplate_pipeline::asset::AssetId;
use glassplate_pipeline::catalogue::Entry;
use glassplate_pipeline::decide::{Said, decide as decided, person};
use glassplate_pipeline::decision::{Decision, Ruling};
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::label::{LabelKind, Synset};
use glassplate_pipeline::record::Record;
use glassplate_pipeline::tenancy::{DeedOutcome, Role, Verb};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::asset::{existing, folded};
use super::hit::Kind;
use crate::http::asked::{Body, Named, json};
use crate::http::{Caller, Problem, Site};

/// The most labels that one request rules on.
const MOST: usize = 100;

/// What people said of one picture's labels.
#[derive(Debug, Serialize, ToSchema)]
struct Decisions<'a> {
    /// The picture.
    #[schema(value_type = String)]
    asset: &'a AssetId,
    /// In the order decided; of two on one label the later holds.
    decisions: Vec<DecisionTold<'a>>,
}

/// What a person said of one label.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Decision)]
struct DecisionTold<'a> {
    label: &'a str,
    #[schema(value_type = Kind)]
    kind: LabelKind,
    /// The WordNet 3.0 synset.
    #[schema(value_type = Option<String>)]
    wordnet: Option<&'a Synset>,
    #[schema(value_type = RulingTold)]
    ruling: Ruling,
    /// Who decided.
    who: &'a str,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// The three rulings.
#[derive(ToSchema)]
#[schema(as = Ruling, rename_all = "snake_case")]
#[allow(dead_code, reason = "it describes what the pipeline's own type writes")]
enum RulingTold {
    /// The labels are right.
    Approve,
    /// The labels are wrong.
    Reject,
    /// The labels are right although no model claimed them.
    Add,
}

/// What somebody says of labels.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Ruled {
    #[schema(value_type = RulingTold)]
    ruling: Ruling,
    /// Names or synonyms, as told with the asset or as in the vocabulary.
    #[schema(min_items = 1, max_items = 100)]
    labels: Vec<String>,
    /// What they are, where a name may be several things or no vocabulary knows it.
    #[schema(value_type = Option<Kind>)]
    kind: Option<LabelKind>,
}

/// List what people said of a picture's labels
#[utoipa::path(
    get,
    path = "/v1/assets/{id}/decisions",
    tag = "assets",
    params(("id" = String, Path, description = "The asset's id")),
    responses((status = 200, description = "All decisions, in order", body = Decisions<'_>))
)]
pub(super) async fn decisions(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Named(id): Named,
) -> Result<Response, Problem> {
    let parts = existing(&site, &caller, &id).await?;
    told(&id, &parts.decisions)
}

/// Approve, reject or add labels
///
/// What a person says is kept for ever and no later run undoes it; a later ruling on the same
/// label holds instead of the earlier one. Needs the role editor.
#[utoipa::path(
    post,
    path = "/v1/assets/{id}/decisions",
    tag = "assets",
    params(("id" = String, Path, description = "The asset's id")),
    request_body = Ruled,
    responses(
        (status = 201, description = "The decisions as they were written down", body = Decisions<'_>)
    )
)]
pub(super) async fn decide(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Named(id): Named,
    Body(Ruled { ruling, labels, kind }): Body<Ruled>,
) -> Result<Response, Problem> {
    caller.must_be(Role::Editor)?;
    if !(1..=MOST).contains(&labels.len()) {
        let message = format!("labels has {} labels: 1 to {MOST}", labels.len());
        return Err(Fault::bad_input(message).into());
    }
    let parts = existing(&site, &caller, &id).await?;
    let (_, record) = folded(&site, parts).await?;
    let who = person(&caller.who)?;
    let said = Said { ruling, labels: &labels, kind, who, at: site.clock.now() };
    let decisions = write_down(&site, &caller, &record, &said).await?;
    Ok((StatusCode::CREATED, told(&id, &decisions)?).into_response())
}

/// Writes down what a person said of a record's labels, and that they did.
///
/// # Errors
/// `BadInput` for a word that is no label of it, and what the ledger says.
pub(crate) async fn write_down(
    site: &Site,
    caller: &Caller,
    record: &Record,
    said: &Said<'_>,
) -> Result<Vec<Decision>, Fault> {
    let decisions = decided(&*site.lexicon, record, said)?;
    let entries = decisions.iter().cloned().map(Entry::Decision).collect();
    site.catalogue.append(&caller.tenant, entries).await?;
    site.audit(caller, Verb::Decide, record.asset.as_str(), DeedOutcome::Done).await?;
    Ok(decisions)
}

fn told(asset: &AssetId, decisions: &[Decision]) -> Result<Response, Problem> {
    json(&Decisions { asset, decisions: decisions.iter().map(one_told).collect() })
}

fn one_told(decision: &Decision) -> DecisionTold<'_> {
    let Decision { label, kind, wordnet, ruling, who, at, .. } = decision;
    let wordnet = wordnet.as_ref();
    DecisionTold { label, kind: *kind, wordnet, ruling: *ruling, who, at: *at }
}
