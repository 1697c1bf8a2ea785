//! Turned away: what a request is told that nobody sent who may.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use glassplate_pipeline::fault::{Fault, FaultKind};
use serde_json::json;

use super::super::Problem;

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
        let problem = match self {
            Self::Otherwise(problem) => return problem.into_response(),
            Self::Unknown => json!({
                "type": "urn:glassplate:fault:unauthorised",
                "title": "unauthorised",
                "status": 401,
                "detail": "this needs a valid key, sent as `Authorization: Bearer gp_...`",
            }),
        };
        let mut response = (StatusCode::UNAUTHORIZED, Json(problem)).into_response();
        let headers = response.headers_mut();
        let media = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, media);
        let scheme = HeaderValue::from_static("Bearer realm=\"glassplate\"");
        headers.insert(header::WWW_AUTHENTICATE, scheme);
        response
    }
}
