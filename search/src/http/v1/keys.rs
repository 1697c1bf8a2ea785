//! `/v1/keys`: who may come into the caller's archive; archivists invite, and show out.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::tenancy::{AccessKey, DeedOutcome, KeyId, Role, Verb, keep_key};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::links::Links;
use super::list::{Next, Paging, cursor, limit, place};
use crate::http::asked::{Asked, Body, Step, json};
use crate::http::{Caller, Problem, Site};

/// The longest that a key can last when its end is told, in seconds: a hundred years.
const LONGEST_SECONDS: u32 = 3_155_760_000;

/// What the holder of a key may do; each role may do what those before it may.
#[derive(ToSchema)]
#[schema(as = Role, rename_all = "snake_case")]
#[allow(dead_code, reason = "it describes what the pipeline's own type writes")]
pub(super) enum RoleTold {
    /// Search, see, download.
    Reader,
    /// Rule on labels.
    Editor,
    /// Take pictures in, make and revoke keys, read the audit log.
    Archivist,
}

/// Whether a key opens anything.
#[derive(ToSchema)]
#[schema(as = KeyState, rename_all = "snake_case")]
#[allow(dead_code, reason = "it describes what the pipeline's own type writes")]
enum KeyStateTold {
    Valid,
    Expired,
    Revoked,
}

/// A key without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Key)]
pub(crate) struct Shown {
    /// Its public name: 16 hexadecimal digits.
    id: String,
    #[schema(value_type = RoleTold)]
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
    #[schema(value_type = KeyStateTold)]
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

/// A page of keys.
#[derive(Debug, Serialize, ToSchema)]
struct Keys {
    /// By id, revoked and expired ones too.
    keys: Vec<Shown>,
    /// Where to go on; absent when there is no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Next>,
}

/// An invitation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewKey)]
pub(super) struct Invitation {
    #[schema(value_type = RoleTold)]
    role: Role,
    /// Who is to hold it: 1 to 80 characters on one line.
    #[schema(
        example = "Ada Lovelace",
        pattern = r"^[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]{0,79}$"
    )]
    name: String,
    /// After how many seconds it opens nothing any more; absent for one that lasts.
    #[schema(value_type = Option<u64>, minimum = 1, maximum = 3_155_760_000_u64)]
    expires_in_seconds: Option<u32>,
}

/// A new key, with the secret that is shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MadeKey)]
pub(crate) struct Made {
    /// The key.
    key: Shown,
    /// What its holder sends; it is kept nowhere and cannot be shown again.
    secret: String,
}

impl Made {
    /// The secret, for the page that shows it.
    pub(crate) fn into_secret(self) -> String {
        self.secret
    }

    /// The answer that tells a secret; nothing on the way may keep it.
    pub(super) fn answer(body: &impl Serialize) -> Result<Response, Problem> {
        let mut response = json(body)?;
        *response.status_mut() = StatusCode::CREATED;
        let never = HeaderValue::from_static("no-store");
        response.headers_mut().insert(header::CACHE_CONTROL, never);
        Ok(response)
    }
}

/// List the archive's keys
///
/// Without their secrets. Needs the role archivist.
#[utoipa::path(
    get,
    path = "/v1/keys",
    tag = "tenancy",
    params(Paging),
    responses((status = 200, description = "A page of keys", body = Keys))
)]
pub(super) async fn keys(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
    caller: Caller,
    Asked(paging): Asked<Paging>,
) -> Result<Response, Problem> {
    caller.must_be(Role::Archivist)?;
    let limit = limit(paging.limit)?;
    let after = paging.cursor.as_deref().map(|text| place(text)?.parse::<KeyId>()).transpose()?;
    // One more tells whether there is more.
    let mut keys = site.registry.keys(&caller.tenant, after.as_ref(), limit + 1).await?;
    let more = keys.len() > limit;
    keys.truncate(limit);
    let next = keys.last().filter(|_| more).map(|last| {
        let cursor = cursor(last.id.as_str());
        let href = Links::of(&site).after("/v1/keys", query.as_deref(), &cursor);
        Next { cursor, href }
    });
    let now = site.clock.now();
    json(&Keys { keys: keys.iter().map(|key| Shown::of(key, now)).collect(), next })
}

/// Make a key
///
/// To the caller's own archive; the secret is told this once. Needs the role archivist.
#[utoipa::path(
    post,
    path = "/v1/keys",
    tag = "tenancy",
    request_body = Invitation,
    responses((status = 201, description = "The key and its secret", body = Made))
)]
pub(super) async fn make(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Body(Invitation { role, name, expires_in_seconds }): Body<Invitation>,
) -> Result<Response, Problem> {
    caller.must_be(Role::Archivist)?;
    caller.must_be(role)?;
    let now = site.clock.now();
    let expires = expires_in_seconds.map(|seconds| ends(now, seconds)).transpose()?;
    Made::answer(&invite(&site, &caller, role, &name, expires).await?)
}

/// Makes a key to a caller's archive, and writes that down.
pub(crate) async fn invite(
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

/// When a key made now ends.
fn ends(now: Timestamp, seconds: u32) -> Result<Timestamp, Fault> {
    let wrong =
        || Fault::bad_input(format!("expires_in_seconds is {seconds}: 1 to {LONGEST_SECONDS}"));
    if !(1..=LONGEST_SECONDS).contains(&seconds) {
        return Err(wrong());
    }
    now.checked_add(jiff::SignedDuration::from_secs(seconds.into())).map_err(|_| wrong())
}

/// Revoke a key
///
/// Of the caller's own archive, for ever. Needs the role archivist.
#[utoipa::path(
    delete,
    path = "/v1/keys/{id}",
    tag = "tenancy",
    params(("id" = String, Path, description = "The key's id")),
    responses((status = 204, description = "It opens nothing any more"))
)]
pub(super) async fn revoke(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Step(id): Step,
) -> Result<StatusCode, Problem> {
    caller.must_be(Role::Archivist)?;
    withdraw(&site, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Revokes a key of a caller's archive, and writes that down.
pub(crate) async fn withdraw(site: &Site, caller: &Caller, id: &str) -> Result<(), Problem> {
    // What cannot be an id is the id of no key.
    let id: KeyId = id.parse().map_err(|_| Fault::not_found("there is no such key"))?;
    site.registry.revoke_key(&caller.tenant, &id, site.clock.now()).await?;
    site.door.forget(&id);
    site.audit(caller, Verb::RevokeKey, id.as_str(), DeedOutcome::Done).await?;
    Ok(())
}
