//! Turned away: what a request is told that nobody sent who may.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use glassplate_pipeline::fault::{Fault, FaultKind};

use super::super::Problem;
use super::super::problem::problem;

/// Why a request has no caller.
#[derive(Debug)]
pub enum TurnedAway {
    /// There is no key, or it opens nothing; which of both, and why, is not told: 401.
    Unknown,
    /// The request is refused, or whoever knows the keys cannot be asked.
    Otherwise(Problem),
}

impl TurnedAway {
    /// Refuses for a reason that may be told.
    pub(super) fn refused(message: &str) -> Self {
        Self::Otherwise(Problem(Fault::new(FaultKind::Refused, message)))
    }

    /// Refuses what another site's page made a browser send.
    pub(super) fn from_elsewhere() -> Self {
        Self::refused("the request comes from a page of another site")
    }
}

impl From<Fault> for TurnedAway {
    fn from(fault: Fault) -> Self {
        Self::Otherwise(Problem(fault))
    }
}

impl IntoResponse for TurnedAway {
    fn into_response(self) -> Response {
        let mut response = match self {
            Self::Otherwise(problem) => return problem.into_response(),
            Self::Unknown => problem(
                StatusCode::UNAUTHORIZED,
                "unauthorised",
                "this needs a valid key, sent as `Authorization: Bearer gp_...`",
            ),
        };
        let scheme = HeaderValue::from_static("Bearer realm=\"glassplate\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        response
    }
}
