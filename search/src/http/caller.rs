//! The caller: whose request it is, and what they may do.
//!
//! A key comes in `Authorization: Bearer`, or in the page's cookie; [`door`] says whether it opens
//! anything. While no key was ever made and the server listens to its own machine alone, the desk
//! is open: see [`desk`].

mod cookie;
mod desk;
mod door;
mod operator;
mod origin;
#[cfg(test)]
mod tests;
mod turned_away;

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::fault::{Fault, FaultKind};
use glassplate_pipeline::tenancy::{KeyId, Role};

pub use cookie::{sign_in, sign_out};
pub use desk::check_listening;
pub use door::{Door, KEY_LIFE_SECONDS};
pub(crate) use operator::Operator;
pub use operator::OperatorToken;
pub use turned_away::TurnedAway;

use super::audit::Slot;
use super::{Problem, RequestId, Site};

/// Whoever sent a request, as far as their key tells.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The isolation boundary that bounds all they see.
    pub tenant: Tenant,
    /// Who they are, as decisions and the audit log name them.
    pub who: String,
    /// What they may do.
    pub role: Role,
    /// Their key; absent at the open desk.
    pub key: Option<KeyId>,
    /// How many requests a minute their tenant may send; absent where only the server's own
    /// bound holds.
    pub requests_a_minute: Option<u32>,
    /// The request's id, where it has one.
    pub request: Option<String>,
}

impl Caller {
    /// Refuses what a role is needed for.
    ///
    /// # Errors
    /// `Refused` when the caller's role is below it.
    pub fn must_be(&self, role: Role) -> Result<(), Problem> {
        if self.role >= role {
            return Ok(());
        }
        let message = format!("this needs the role {role}; the key has {}", self.role);
        Err(Problem(Fault::new(FaultKind::Refused, message)))
    }
}

impl FromRequestParts<Arc<Site>> for Caller {
    type Rejection = TurnedAway;

    /// Finds out once a request, however many ask.
    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, TurnedAway> {
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        let caller = admit(parts, site).await?;
        if let Some(slot) = parts.extensions.get::<Slot>() {
            slot.fill(&caller);
        }
        parts.extensions.insert(caller.clone());
        Ok(caller)
    }
}

/// Lets a request in by its key, by its cookie, or by the open desk.
async fn admit(parts: &Parts, site: &Arc<Site>) -> Result<Caller, TurnedAway> {
    let headers = &parts.headers;
    let mut caller = if let Some(value) = headers.get(header::AUTHORIZATION) {
        // A wrong key is never made good by a cookie beside it.
        let bearer = value.to_str().ok().and_then(|text| text.split_once(' '));
        let (_, text) = bearer
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .ok_or(TurnedAway::Unknown)?;
        door::let_in(site, text.trim()).await?
    } else if desk::is_open(site).await? {
        // No key was ever made, so a cookie is another archive's and means nothing.
        desk::let_in(parts, &site.served)?
    } else {
        let text = cookie::shown(headers, &site.served).ok_or(TurnedAway::Unknown)?;
        let caller = door::let_in(site, text).await?;
        if !parts.method.is_safe() && !origin::is_own(headers, &site.served) {
            return Err(TurnedAway::from_elsewhere());
        }
        caller
    };
    caller.request = parts.extensions.get::<RequestId>().map(|id| id.as_str().to_owned());
    Ok(caller)
}
