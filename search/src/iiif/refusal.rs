//! Why an image request is refused: a fault, or something that the specification has and we have not.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use glassplate_pipeline::fault::Fault;
use serde_json::json;

use crate::http::Problem;

/// Why an image request is refused.
#[derive(Debug)]
pub(super) enum Refusal {
    /// As everywhere else.
    Fault(Fault),
    /// The request is right, and asks for what is not built (Image API 3.0, section 7).
    NotImplemented(String),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Refusal {
    /// The HTTP status that it gets.
    #[cfg(test)]
    pub(super) fn status(&self) -> u16 {
        match self {
            Self::Fault(fault) => fault.kind().faces().http,
            Self::NotImplemented(_) => 501,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let detail = match self {
            Self::Fault(fault) => return Problem(fault).into_response(),
            Self::NotImplemented(detail) => detail,
        };
        let body = json!({
            "type": "urn:glassplate:fault:not_implemented",
            "title": "not implemented",
            "status": 501,
            "detail": detail,
        });
        let mut response = (StatusCode::NOT_IMPLEMENTED, Json(body)).into_response();
        let media = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, media);
        response
    }
}
