//! The server: what people and programs reach over HTTP.
//!
//! [`Site`] holds the filled ports; a request is a [`Caller`] at a site. The API lies below
//! `/v1`, pictures below `/iiif`, the page at the root.

mod caller;
mod problem;
mod site;

use std::sync::Arc;

use axum::Router;

pub use caller::Caller;
pub use problem::Problem;
pub use site::{Served, Site};

/// Puts everything together that a site serves.
pub fn router(site: Arc<Site>) -> Router {
    Router::new().merge(crate::iiif::router()).merge(crate::page::router()).with_state(site)
}
