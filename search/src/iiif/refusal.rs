//! Why an image request is refused: a fault, or something that the specification has and we have not.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use glassplate_pipeline::fault::Fault;

use crate::http::{Problem, problem};

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
        match self {
            Self::Fault(fault) => Problem(fault).into_response(),
            Self::NotImplemented(detail) => {
                problem(StatusCode::NOT_IMPLEMENTED, "not_implemented", &detail)
            }
        }
    }
}
