//! `/v1/tenant` and `/v1/tenants`: the caller's archive, and how an operator opens new ones.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::tenancy::{DeedOutcome, Lease, Quota, Role, Usage, Verb};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::keys::{Made, RoleTold, invite};
use crate::http::asked::{Body, json};
use crate::http::{Caller, Operator, Problem, Site};

/// The caller, their archive, and how much of it is used.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tenant)]
struct Shown {
    /// Whose archive it is.
    tenant: String,
    /// Since when; absent for the one of a machine that never heard of tenants.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    made: Option<Timestamp>,
    /// Who asks.
    caller: Who,
    /// What may be used.
    quota: Bounds,
    /// What was used over the API so far.
    used: Used,
    /// What the archive holds, however it came in, as far as the index has read.
    holdings: Held,
}

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
struct Who {
    /// The key's name, or `desk` at the open desk.
    name: String,
    #[schema(value_type = RoleTold)]
    role: &'static str,
    /// The key's id; absent at the open desk.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

/// What a tenant may use; what is absent is not bounded.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = Quota)]
struct Bounds {
    /// Pictures taken in over the API, ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 9223372036854775807_i64)]
    pictures: Option<u64>,
    /// The bytes of their originals.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 9223372036854775807_i64)]
    bytes: Option<u64>,
    /// Calls to services that cost money, ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 9223372036854775807_i64)]
    paid_calls: Option<u64>,
    /// Requests in a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    requests_a_minute: Option<u32>,
}

impl From<Quota> for Bounds {
    fn from(quota: Quota) -> Self {
        let Quota { pictures, bytes, paid_calls, requests_a_minute } = quota;
        Self { pictures, bytes, paid_calls, requests_a_minute }
    }
}

impl From<Bounds> for Quota {
    fn from(bounds: Bounds) -> Self {
        let Bounds { pictures, bytes, paid_calls, requests_a_minute } = bounds;
        Self { pictures, bytes, paid_calls, requests_a_minute }
    }
}

/// What was used.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Usage)]
struct Used {
    /// Pictures taken in over the API.
    pictures: u64,
    /// The bytes of their originals.
    bytes: u64,
    /// Calls to services that cost money.
    paid_calls: u64,
}

/// What an archive holds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Holdings)]
struct Held {
    /// Records.
    pictures: u64,
    /// The originals' bytes.
    bytes: u64,
}

/// Tell who asks, and how much of the archive is used
#[utoipa::path(
    get,
    path = "/v1/tenant",
    tag = "tenancy",
    responses((status = 200, description = "The caller and their archive", body = Shown))
)]
pub(super) async fn tenant(
    State(site): State<Arc<Site>>,
    caller: Caller,
) -> Result<Response, Problem> {
    let lease = site.registry.lease(&caller.tenant).await?;
    let Usage { pictures, bytes, paid_calls } = site.registry.usage(&caller.tenant).await?;
    let holdings = site.index.holdings(&caller.tenant)?;
    json(&Shown {
        tenant: caller.tenant.to_string(),
        made: lease.as_ref().map(|lease| lease.made),
        caller: Who {
            name: caller.who,
            role: caller.role.name(),
            key: caller.key.map(String::from),
        },
        quota: lease.map(|lease| lease.quota).unwrap_or_default().into(),
        used: Used { pictures, bytes, paid_calls },
        holdings: Held { pictures: holdings.pictures, bytes: holdings.bytes },
    })
}

/// A new archive.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewTenant)]
pub(super) struct Opening {
    /// 1 to 64 characters of `a-z`, `0-9` and `-`, not beginning with `-`.
    #[schema(value_type = String, pattern = "^[a-z0-9][a-z0-9-]{0,63}$", example = "museum")]
    tenant: Tenant,
    /// What it may use.
    #[serde(default)]
    quota: Bounds,
    /// Who is to hold its first key, an archivist's.
    #[schema(
        example = "Ada Lovelace",
        pattern = r"^[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]{0,79}$"
    )]
    archivist: String,
}

/// A new archive, with the key that opens it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MadeTenant)]
struct Opened {
    /// Whose archive it is.
    tenant: String,
    /// What may be used.
    quota: Bounds,
    /// Its first key.
    first: Made,
}

/// Open an archive to a new tenant
///
/// For whoever sends the operator's token; for everybody else, and where the server has none,
/// there is nothing at this address.
#[utoipa::path(
    post,
    path = "/v1/tenants",
    tag = "tenancy",
    // Not a key but the operator's token opens it, and nobody else is told that it is there.
    security(()),
    request_body = Opening,
    responses(
        (status = 201, description = "The archive and its first key", body = Opened),
        (status = 404, description = "The operator's token is missing or wrong"),
        (status = 409, description = "There is such a tenant already"),
    )
)]
pub(super) async fn open(
    State(site): State<Arc<Site>>,
    _: Operator,
    Body(Opening { tenant, quota, archivist }): Body<Opening>,
) -> Result<Response, Problem> {
    let lease = Lease { tenant, made: site.clock.now(), quota: quota.into() };
    site.registry.open_lease(&lease).await?;
    let operator = Caller {
        tenant: lease.tenant,
        who: "operator".to_owned(),
        role: Role::Archivist,
        key: None,
        requests_a_minute: None,
        request: None,
    };
    let name = operator.tenant.to_string();
    site.audit(&operator, Verb::OpenLease, &name, DeedOutcome::Done).await?;
    let first = invite(&site, &operator, Role::Archivist, &archivist, None).await?;
    Made::answer(&Opened { tenant: name, quota: lease.quota.into(), first })
}
