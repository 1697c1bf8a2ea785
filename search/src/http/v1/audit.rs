//! `GET /v1/audit`: who did what in the archive, for its archivists.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use glassplate_pipeline::tenancy::{Deed, DeedId, Role};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::links::Links;
use super::list::{Next, cursor, limit, place};
use crate::http::asked::{Asked, json, stated};
use crate::http::{Caller, Problem, Site};

/// Which part of the audit log.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Nothing before this moment.
    #[serde(default, deserialize_with = "stated")]
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// How many deeds at most.
    #[serde(default, deserialize_with = "stated")]
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<usize>,
    /// Where an earlier page ended: its `next.cursor`.
    cursor: Option<String>,
}

/// A page of the audit log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditLog)]
struct Deeds {
    /// What was done, the latest first.
    deeds: Vec<DeedTold>,
    /// Where to go on; absent when there is no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Next>,
}

/// What was done.
#[derive(ToSchema)]
#[schema(as = Verb, rename_all = "snake_case")]
#[allow(dead_code, reason = "it describes what the pipeline's own type writes")]
enum VerbTold {
    OpenLease,
    SetQuota,
    MakeKey,
    RevokeKey,
    Decide,
    Upload,
    Download,
    Export,
    /// What the key does not allow was asked for, or a key that opens nothing was shown.
    Trespass,
}

/// What came of it.
#[derive(ToSchema)]
#[schema(as = DeedOutcome, rename_all = "snake_case")]
#[allow(dead_code, reason = "it describes what the pipeline's own type writes")]
enum DeedOutcomeTold {
    Done,
    Refused,
    Failed,
}

/// One line of the audit log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Deed)]
struct DeedTold {
    /// Its name.
    #[schema(value_type = String)]
    id: DeedId,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// With which key; absent at the open desk and on the command line.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Who: the key's name, or who was at the keyboard.
    who: String,
    #[schema(value_type = VerbTold)]
    what: &'static str,
    /// On what: an asset, a key's id, a route.
    subject: String,
    #[schema(value_type = DeedOutcomeTold)]
    outcome: &'static str,
    /// The id of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
}

impl From<Deed> for DeedTold {
    fn from(deed: Deed) -> Self {
        Self {
            id: deed.id,
            at: deed.at,
            key: deed.key.map(String::from),
            who: deed.who,
            what: deed.what.name(),
            subject: deed.subject,
            outcome: deed.outcome.name(),
            request: deed.request,
        }
    }
}

/// List who did what
///
/// The latest first. Needs the role archivist.
#[utoipa::path(
    get,
    path = "/v1/audit",
    tag = "tenancy",
    params(Which),
    responses((status = 200, description = "A page of the audit log", body = Deeds))
)]
pub(super) async fn audit(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
    caller: Caller,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    caller.must_be(Role::Archivist)?;
    let limit = limit(which.limit)?;
    let before = which.cursor.as_deref().map(|text| place(text)?.parse::<DeedId>()).transpose()?;
    // One more tells whether there is more.
    let mut deeds = site.registry.deeds(&caller.tenant, before.as_ref(), limit + 1).await?;
    deeds.retain(|deed| which.since.is_none_or(|since| deed.at >= since));
    let more = deeds.len() > limit;
    deeds.truncate(limit);
    let next = deeds.last().filter(|_| more).map(|last| {
        let cursor = cursor(last.id.as_str());
        let href = Links::of(&site).after("/v1/audit", query.as_deref(), &cursor);
        Next { cursor, href }
    });
    json(&Deeds { deeds: deeds.into_iter().map(DeedTold::from).collect(), next })
}
