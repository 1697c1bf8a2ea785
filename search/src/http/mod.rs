//! The server: what people and programs reach over HTTP.
//!
//! [`Site`] holds the filled ports; a request is a [`Caller`] at a site. The API lies below
//! `/v1`, pictures below `/iiif`, the page at the root.

mod audit;
mod caller;
mod keys;
mod problem;
mod site;
mod tenants;

use std::sync::Arc;

use axum::{Router, middleware};
use utoipa_axum::router::OpenApiRouter;

pub use caller::{Caller, Door, KEY_LIFE_SECONDS, TurnedAway, check_listening, sign_in, sign_out};
pub(crate) use keys::{invite, withdraw};
pub use problem::Problem;
pub use site::{Served, Site};
pub use tenants::OperatorToken;

/// Puts everything together that a site serves.
pub fn router(site: Arc<Site>) -> Router {
    let (api, _document) = OpenApiRouter::new()
        .merge(keys::routes())
        .merge(tenants::routes())
        .merge(audit::routes())
        .split_for_parts();
    Router::new()
        .merge(api)
        .merge(crate::iiif::router())
        .merge(crate::page::router())
        .layer(middleware::from_fn_with_state(site.clone(), audit::watch))
        .with_state(site)
}
