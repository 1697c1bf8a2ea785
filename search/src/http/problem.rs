//! Problem details: every error as RFC 9457 has it.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use glassplate_pipeline::fault::Fault;
use serde::Serialize;
use utoipa::ToSchema;

/// The media type of problems (RFC 9457, 3).
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// What a client is told that may try again.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// A fault on its way to a client.
///
/// What the client cannot mend is logged, not told: no path and no cause of a defect leaves.
#[derive(Debug)]
pub struct Problem(pub Fault);

/// A problem as it is written.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Told {
    /// What kind of problem it is, as a name that never changes.
    #[serde(rename = "type")]
    #[schema(example = "urn:glassplate:fault:not_found")]
    kind: String,
    /// The kind, for people.
    title: String,
    /// The answer's status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong with this request, for people.
    detail: String,
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self(fault)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let faces = self.0.kind().faces();
        let status = StatusCode::from_u16(faces.http).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = if status.is_server_error() {
            tracing::error!("{}", self.0.reason());
            problem(status, faces.name, "the server could not answer; try again later")
        } else {
            problem(status, faces.name, &self.0.reason())
        };
        if faces.retried {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        response
    }
}

/// Tells a problem that is no fault of the table, such as a method that a route does not know.
pub(crate) fn problem(status: StatusCode, name: &str, detail: &str) -> Response {
    let told = Told {
        kind: format!("urn:glassplate:fault:{name}"),
        title: name.replace('_', " "),
        status: status.as_u16(),
        detail: detail.to_owned(),
    };
    let body = serde_json::to_vec(&told).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, MEDIA_TYPE)], body).into_response()
}

/// Tells a problem of which only the status is known: what a library answered by itself.
pub(crate) fn of_status(status: StatusCode) -> Response {
    let (status, name, detail) = match status {
        StatusCode::NOT_FOUND => (status, "not_found", "there is nothing at this address"),
        StatusCode::METHOD_NOT_ALLOWED => (
            status,
            "method_not_allowed",
            "the header Allow lists the methods that this address knows",
        ),
        StatusCode::REQUEST_TIMEOUT => (status, "too_slow", "the request did not come in time"),
        StatusCode::PAYLOAD_TOO_LARGE => (status, "too_large", "the body is too large"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            (status, "unsupported", "this address takes no body of such a type")
        }
        StatusCode::UNPROCESSABLE_ENTITY => {
            (StatusCode::BAD_REQUEST, "bad_input", "the request cannot be understood")
        }
        status if status.is_client_error() => {
            (status, "bad_input", "the request cannot be understood")
        }
        status => (status, "broken", "the server could not answer; try again later"),
    };
    problem(status, name, detail)
}

#[cfg(test)]
mod tests {
    use glassplate_pipeline::fault::FaultKind;

    use super::*;

    #[test]
    fn what_the_client_cannot_mend_is_not_told() {
        let response = Problem(Fault::broken("cannot read /srv/secret")).into_response();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[header::CONTENT_TYPE], MEDIA_TYPE);
        let busy = Problem(Fault::new(FaultKind::Busy, "later")).into_response();
        assert_eq!(busy.headers()[header::RETRY_AFTER], "1");
    }

    #[test]
    fn nothing_is_ever_unprocessable() {
        let response = of_status(StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    }
}
