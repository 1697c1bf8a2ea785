//! The page: what people see in a browser, rendered here, usable without JavaScript.
//!
//! A file a resource. `links` writes every address, `shell` is around every page, `statics`
//! serves what pages load, `trouble` shows faults. Scripts only make quicker what forms and
//! links do already; no page holds a script or a style of its own, so that the strictest content
//! security policy holds.

mod asset;
mod collections;
mod facets;
mod grid;
mod help;
mod keys;
mod links;
mod login;
mod picture;
mod review;
mod rule;
mod runs;
mod search;
mod shell;
mod statics;
#[cfg(test)]
mod tests;
mod trouble;
mod upload;
mod visitor;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use crate::http::Site;

/// The routes of the page.
pub(crate) fn router() -> Router<Arc<Site>> {
    Router::new()
        .route("/", get(search::show))
        .route("/assets/{id}", get(asset::show))
        .route("/assets/{id}/labels", post(rule::rule))
        .route("/collections", get(collections::show))
        .route("/help", get(help::show))
        .route("/keys", get(keys::list).post(keys::make))
        .route("/keys/{id}/revoke", post(keys::revoke))
        .route("/login", get(login::ask).post(login::enter))
        .route("/logout", post(login::leave))
        .route("/review", get(review::show).post(review::answer))
        .route("/runs", get(runs::list))
        .route("/runs/{id}", get(runs::show))
        // An upload has a limit of its own.
        .route(
            "/upload",
            get(upload::show).post(upload::take_in).layer(DefaultBodyLimit::disable()),
        )
        .route("/static/{name}", get(statics::get))
        .fallback(trouble::nowhere)
}
