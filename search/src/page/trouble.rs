//! Trouble: a fault as a page, saying no more than an answer of the API would.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use glassplate_pipeline::fault::Fault;
use maud::html;

use super::shell::Page;
use crate::http::Problem;

/// A fault on its way to a browser.
#[derive(Debug)]
pub(super) struct Trouble(Fault);

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self(fault)
    }
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Self(problem.0)
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let http = self.0.kind().faces().http;
        let status = StatusCode::from_u16(http).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (title, reason) = match status {
            StatusCode::NOT_FOUND => ("Not found", self.0.reason()),
            StatusCode::FORBIDDEN => ("Not allowed", self.0.reason()),
            status if status.is_server_error() => {
                tracing::error!("{}", self.0.reason());
                ("Something went wrong here", "try again in a moment".to_owned())
            }
            _ => ("That cannot be done", self.0.reason()),
        };
        told(status, title, &reason)
    }
}

/// Answers what no route is for: a browser with a page, everybody else with the bare status.
pub(super) async fn nowhere(asked: HeaderMap) -> Response {
    let accepts = asked.get(header::ACCEPT).and_then(|accepts| accepts.to_str().ok());
    if accepts.is_some_and(|accepts| accepts.contains("text/html")) {
        return told(StatusCode::NOT_FOUND, "Not found", "there is no such page");
    }
    StatusCode::NOT_FOUND.into_response()
}

/// Writes a page that says what went wrong and leads back.
pub(super) fn told(status: StatusCode, title: &str, reason: &str) -> Response {
    let page =
        Page { title, caller: None, at: "", query: "", scripts: &[], layout: "narrow trouble" };
    page.answer(
        status,
        html! {
            p.status { (status.as_u16()) }
            h1 { (title) }
            p { (reason) }
            p { a href="/" { "To the search" } }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_defect_is_told_without_its_details() {
        let fault = Fault::broken("cannot read /secret/place").because("no such file");
        let response = Trouble(fault).into_response();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = axum::body::to_bytes(response.into_body(), 100_000).await.expect("a body");
        let text = String::from_utf8(body.to_vec()).expect("text");
        assert!(!text.contains("secret") && text.contains("went wrong"), "{text}");
    }
}
