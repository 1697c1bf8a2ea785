//! The guard: what holds of every request and answer, whichever part of the site it is for.
//!
//! A request has an id, a panic is a problem, no error leaves but as a problem, every answer
//! carries the headers that browsers ask for, and everything is counted and logged.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt as _;
use tracing::Instrument as _;

use super::operations::Operations;
use super::problem::of_status;

/// The header that carries a request's id, both ways.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken from a client, in bytes.
const LONGEST_ID: usize = 64;

/// What an answer of data may do in a browser: nothing. A page brings a policy of its own.
const POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'");

/// A request's id: the client's own when it is sane, else one that was made here.
#[derive(Debug, Clone)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The id as written; letters, digits, `-`, `_` and `.`.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    fn of(headers: &HeaderMap) -> Self {
        let sane = |value: &&HeaderValue| {
            let letters = |b: &u8| b.is_ascii_alphanumeric() || b"-_.".contains(b);
            (1..=LONGEST_ID).contains(&value.len()) && value.as_bytes().iter().all(letters)
        };
        headers.get(REQUEST_ID).filter(sane).cloned().map_or_else(Self::made, Self)
    }

    fn made() -> Self {
        let mut random = [0; 8];
        // Without randomness ids repeat; that is no reason to answer nothing.
        let _ = getrandom::fill(&mut random);
        let text = format!("{:016x}", u64::from_be_bytes(random));
        Self(HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("none")))
    }
}

/// Stands around every route.
pub(crate) async fn guard(
    State(operations): State<Arc<Operations>>,
    mut request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let id = RequestId::of(request.headers());
    request.headers_mut().insert(REQUEST_ID, id.0.clone());
    request.extensions_mut().insert(id.clone());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let counted = operations.begin();
    // Whatever is logged on the way tells the request.
    let span = tracing::error_span!("request", id = id.as_str());
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().instrument(span).await;
    drop(counted);
    // The panic itself was told by the process's hook.
    let mut response =
        tidy(answered.unwrap_or_else(|_| of_status(StatusCode::INTERNAL_SERVER_ERROR)));
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let (status, took) = (response.status(), began.elapsed());
    operations.answered(&method, route, status, took);
    if status.is_server_error() {
        tracing::warn!(request = id.as_str(), %method, route, %status, "a request failed");
    } else {
        tracing::debug!(request = id.as_str(), %method, route, %status, ?took, "answered");
    }
    mark(response.headers_mut(), id);
    response
}

/// Makes a problem of every error that is neither a problem nor a page for people.
fn tidy(mut response: Response) -> Response {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let told = response.headers().get(header::CONTENT_TYPE).is_some_and(|media| {
        [&b"application/problem+json"[..], b"text/html"]
            .iter()
            .any(|known| media.as_bytes().starts_with(known))
    });
    if told {
        return response;
    }
    let mut problem = of_status(status);
    for (name, value) in response.headers_mut().drain() {
        let Some(name) = name else { continue };
        if ![header::CONTENT_TYPE, header::CONTENT_LENGTH].contains(&name) {
            problem.headers_mut().insert(name, value);
        }
    }
    problem
}

fn mark(headers: &mut HeaderMap, id: RequestId) {
    headers.insert(REQUEST_ID, id.0);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    ] {
        headers.entry(name).or_insert(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clients_id_is_taken_only_when_it_is_harmless() {
        let of = |text: &str| {
            let value = HeaderValue::from_str(text).expect("a header");
            RequestId::of(&HeaderMap::from_iter([(REQUEST_ID, value)])).as_str().to_owned()
        };
        assert_eq!(of("desk-7_a.b"), "desk-7_a.b");
        for wrong in ["", "a b", "<script>", &"x".repeat(65)] {
            let made = of(wrong);
            assert!(made.len() == 16 && made != wrong, "{made}");
        }
        assert_ne!(RequestId::made().as_str(), RequestId::made().as_str());
    }
}
