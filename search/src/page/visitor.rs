//! The visitor: a caller who looks at pages, and is led to sign in where a key is missing.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use form_urlencoded::byte_serialize;

use super::trouble::Trouble;
use crate::http::{Caller, Site, TurnedAway};

/// Whoever looks at a page.
pub(super) struct Visitor(pub(super) Caller);

impl FromRequestParts<Arc<Site>> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Response> {
        match Caller::from_request_parts(parts, site).await {
            Ok(caller) => return Ok(Self(caller)),
            Err(TurnedAway::Unknown) => {}
            Err(TurnedAway::Otherwise(problem)) => {
                return Err(Trouble::from(problem).into_response());
            }
        }
        // What was posted cannot be asked for again: after signing in they begin at the front.
        let wanted = parts.uri.path_and_query().map_or("/", |wanted| wanted.as_str());
        let wanted = if parts.method == Method::GET { wanted } else { "/" };
        let next: String = byte_serialize(wanted.as_bytes()).collect();
        Err(Redirect::to(&format!("/login?next={next}")).into_response())
    }
}
