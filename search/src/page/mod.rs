//! The page: what people see in a browser, rendered here, usable without JavaScript.
//!
//! A file a resource. `links` writes every address, `shell` is around every page, `statics`
//! serves what pages load, `trouble` shows faults. Scripts only make quicker what forms and
//! links do already; no page holds a script or a style of its own, so that the strictest content
//! security policy holds.

mod asset;
mod facets;
mod grid;
mod links;
mod search;
mod shell;
mod statics;
mod trouble;
mod visitor;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::http::Site;

/// The routes of the page.
pub(crate) fn router() -> Router<Arc<Site>> {
    Router::new()
        .route("/", get(search::show))
        .route("/assets/{id}", get(asset::show))
        .route("/static/{name}", get(statics::get))
}
