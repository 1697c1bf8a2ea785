//! Problem details: every error as RFC 9457 has it.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use glassplate_pipeline::fault::Fault;
use serde_json::json;

/// A fault on its way to a client.
///
/// What the client cannot mend is logged, not told: no path and no cause of a defect leaves.
#[derive(Debug)]
pub struct Problem(pub Fault);

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self(fault)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let faces = self.0.kind().faces();
        let status = StatusCode::from_u16(faces.http).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let detail = if status.is_server_error() {
            tracing::error!("{}", self.0.reason());
            "the server could not answer; try again later".to_owned()
        } else {
            self.0.reason()
        };
        let body = json!({
            "type": format!("urn:glassplate:fault:{}", faces.name),
            "title": faces.name.replace('_', " "),
            "status": faces.http,
            "detail": detail,
        });
        let mut response = (status, Json(body)).into_response();
        let media = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, media);
        response
    }
}
