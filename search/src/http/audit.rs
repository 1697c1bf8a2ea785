//! The audit log: what changes or leaves an archive is written down, and its archivists can read it.

use std::sync::{Arc, OnceLock};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::tenancy::{Deed, DeedId, DeedOutcome, Role, Verb};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::asked::{Asked, json};
use super::{Caller, Problem, Site};

/// How many deeds one answer lists when nothing is said.
const LISTED: usize = 50;
/// The most deeds in one answer.
const MOST: usize = 500;

pub(super) fn routes() -> OpenApiRouter<Arc<Site>> {
    OpenApiRouter::new().routes(routes!(list))
}

impl Site {
    /// Writes down what a caller did, before they are answered.
    ///
    /// Call it before the first byte of what leaves, and after what changed is durable.
    ///
    /// # Errors
    /// What the registry says: what cannot be written down is not to be handed out.
    pub(crate) async fn audit(
        &self,
        caller: &Caller,
        what: Verb,
        subject: &str,
        outcome: DeedOutcome,
    ) -> Result<(), Fault> {
        let deed =
            Deed::new(self.clock.now(), &caller.tenant, &caller.who, what, subject, outcome)?;
        let deed = deed.over_http(caller.key.as_ref(), caller.request.as_deref());
        self.registry.note(&deed).await
    }
}

/// Where a request's caller is left for whoever looks at the answer.
#[derive(Clone, Default)]
pub(super) struct Slot(Arc<OnceLock<Caller>>);

impl Slot {
    pub(super) fn fill(&self, caller: &Caller) {
        // Only the first one fills it; a request has one caller.
        let _ = self.0.set(caller.clone());
    }
}

/// Writes every refusal down, whichever route refused.
pub(super) async fn watch(
    State(site): State<Arc<Site>>,
    mut request: Request,
    next: Next,
) -> Response {
    let slot = Slot::default();
    let subject = format!("{} {}", request.method(), request.uri().path());
    request.extensions_mut().insert(slot.clone());
    let response = next.run(request).await;
    if response.status() == StatusCode::FORBIDDEN
        && let Some(caller) = slot.0.get()
        && let Err(fault) = site.audit(caller, Verb::Trespass, &subject, DeedOutcome::Refused).await
    {
        tracing::error!("a refusal could not be written down: {}", fault.reason());
    }
    response
}

/// Which part of the audit log.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Nothing before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// How many, at most 500.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<usize>,
    /// Where an earlier answer ended.
    cursor: Option<String>,
}

/// A page of the audit log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditLog)]
struct Page {
    /// What was done, the latest first.
    deeds: Vec<Told>,
    /// The cursor of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// One line of the audit log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Deed)]
struct Told {
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
    /// What: `make_key`, `revoke_key`, `decide`, `upload`, `download`, `export`, `trespass`,
    /// `open_lease` or `set_quota`.
    what: &'static str,
    /// On what: an asset, a key's id, a route.
    subject: String,
    /// `done`, `refused` or `failed`.
    outcome: &'static str,
    /// The id of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
}

impl From<Deed> for Told {
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

/// Lists who did what, the latest first; for archivists.
#[utoipa::path(
    get,
    path = "/v1/audit",
    tag = "tenancy",
    params(Wanted),
    responses((status = 200, description = "A page of the audit log", body = Page)),
)]
async fn list(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    caller.must_be(Role::Archivist)?;
    let limit = wanted.limit.unwrap_or(LISTED);
    if !(1..=MOST).contains(&limit) {
        return Err(Fault::bad_input(format!("limit is {limit}: 1 to {MOST}")).into());
    }
    let before = wanted.cursor.as_deref().map(str::parse).transpose()?;
    let mut deeds = site.registry.deeds(&caller.tenant, before.as_ref(), limit).await?;
    let full = deeds.len() == limit;
    deeds.retain(|deed| wanted.since.is_none_or(|since| deed.at >= since));
    let next = deeds.last().filter(|_| full && deeds.len() == limit).map(|d| d.id.to_string());
    json(&Page { deeds: deeds.into_iter().map(Told::from).collect(), next })
}
