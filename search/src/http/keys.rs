//! `/v1/keys`: who may come into the caller's archive; archivists invite, and show out.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::tenancy::{AccessKey, DeedOutcome, KeyId, Role, Verb, keep_key};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::asked::{Asked, Body, Step, json};
use super::{Caller, Problem, Site};

/// How many keys one answer lists when nothing is said.
const LISTED: usize = 100;
/// The most keys in one answer.
const MOST: usize = 500;

pub(super) fn routes() -> OpenApiRouter<Arc<Site>> {
    OpenApiRouter::new().routes(routes!(list, make)).routes(routes!(revoke))
}

/// A key without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Key)]
pub(super) struct Shown {
    /// Its public name: 16 hexadecimal digits.
    id: String,
    /// `reader`, `editor` or `archivist`.
    role: &'static str,
    /// Who holds it; decisions and the audit log name them so.
    name: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    made: Timestamp,
    /// From when on it opens nothing; absent for one that lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<Timestamp>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked: Option<Timestamp>,
    /// `valid`, `expired` or `revoked`.
    state: &'static str,
}

impl Shown {
    pub(super) fn of(key: &AccessKey, now: Timestamp) -> Self {
        Self {
            id: key.id.to_string(),
            role: key.role.name(),
            name: key.name.clone(),
            made: key.made,
            expires: key.expires,
            revoked: key.revoked,
            state: key.state(now).name(),
        }
    }
}

/// Which keys.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// How many, at most 500.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<usize>,
    /// Where an earlier answer ended.
    cursor: Option<String>,
}

/// A page of keys.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Keys)]
struct Page {
    /// The keys by id, revoked and expired ones too.
    keys: Vec<Shown>,
    /// The cursor of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// An invitation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewKey)]
struct Invitation {
    /// What the holder may do: `reader`, `editor` or `archivist`.
    #[schema(value_type = String, example = "editor")]
    role: Role,
    /// Who is to hold it: 1 to 80 characters on one line.
    #[schema(min_length = 1, max_length = 80, example = "Ada Lovelace")]
    name: String,
    /// From when on it opens nothing; absent for one that lasts.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<Timestamp>,
}

/// A new key, with the secret that is shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MadeKey)]
pub(super) struct Made {
    /// The key.
    key: Shown,
    /// What its holder sends; it is kept nowhere and cannot be shown again.
    secret: String,
}

impl Made {
    /// The answer that tells a secret; nothing on the way may keep it.
    pub(super) fn answer(body: impl Serialize) -> Response {
        let mut response = (StatusCode::CREATED, Json(body)).into_response();
        let never = HeaderValue::from_static("no-store");
        response.headers_mut().insert(header::CACHE_CONTROL, never);
        response
    }
}

/// Lists the archive's keys; for archivists.
#[utoipa::path(
    get,
    path = "/v1/keys",
    tag = "tenancy",
    params(Wanted),
    responses((status = 200, description = "A page of keys", body = Page)),
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
    let after = wanted.cursor.as_deref().map(str::parse::<KeyId>).transpose()?;
    let keys = site.registry.keys(&caller.tenant, after.as_ref(), limit).await?;
    let next = keys.last().filter(|_| keys.len() == limit).map(|key| key.id.to_string());
    let now = site.clock.now();
    json(&Page { keys: keys.iter().map(|key| Shown::of(key, now)).collect(), next })
}

/// Makes a key to the caller's own archive; for archivists.
#[utoipa::path(
    post,
    path = "/v1/keys",
    tag = "tenancy",
    request_body = Invitation,
    responses((status = 201, description = "The key and its secret", body = Made)),
)]
async fn make(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Body(invitation): Body<Invitation>,
) -> Result<Response, Problem> {
    caller.must_be(Role::Archivist)?;
    let Invitation { role, name, expires } = invitation;
    caller.must_be(role)?;
    let made = invite(&site, &caller, role, &name, expires).await?;
    Ok(Made::answer(made))
}

/// Makes a key to a caller's archive, and writes that down.
pub(super) async fn invite(
    site: &Site,
    caller: &Caller,
    role: Role,
    name: &str,
    expires: Option<Timestamp>,
) -> Result<Made, Problem> {
    let now = site.clock.now();
    let (key, secret) = AccessKey::make(&caller.tenant, role, name, now, expires)?;
    keep_key(&*site.registry, &key).await?;
    site.door.close_desk();
    let subject = format!("{} {} {}", key.id, key.role, key.name);
    site.audit(caller, Verb::MakeKey, &subject, DeedOutcome::Done).await?;
    Ok(Made { key: Shown::of(&key, now), secret: secret.reveal() })
}

/// Revokes a key of the caller's own archive for ever; for archivists.
#[utoipa::path(
    delete,
    path = "/v1/keys/{id}",
    tag = "tenancy",
    params(("id" = String, Path, description = "The key's id")),
    responses((status = 204, description = "It opens nothing any more")),
)]
async fn revoke(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Step(id): Step,
) -> Result<StatusCode, Problem> {
    caller.must_be(Role::Archivist)?;
    // What cannot be an id is the id of no key.
    let id: KeyId = id.parse().map_err(|_| Fault::not_found("there is no such key"))?;
    site.registry.revoke_key(&caller.tenant, &id, site.clock.now()).await?;
    site.door.forget(&id);
    site.audit(&caller, Verb::RevokeKey, id.as_str(), DeedOutcome::Done).await?;
    Ok(StatusCode::NO_CONTENT)
}
