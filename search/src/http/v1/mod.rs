//! The API, version 1: one file a resource, described where it is written.
//!
//! What is answered only grows: a client must let pass what it does not know.

mod asset;
mod audit;
mod collections;
mod decisions;
mod docs;
mod document;
mod export;
mod files;
mod hit;
mod keys;
mod labels;
mod links;
mod list;
mod ranges;
mod review;
mod runs;
mod search;
mod similar;
mod suggest;
mod tenants;
mod upload;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use super::Site;

pub(crate) use decisions::write_down;
pub(crate) use hit::Kind;
pub(crate) use keys::{invite, withdraw};
pub(crate) use review::Reviews;
pub(crate) use upload::take_in_form;

/// Every resource with its description.
pub(crate) fn router() -> OpenApiRouter<Arc<Site>> {
    OpenApiRouter::new()
        .routes(routes!(search::search))
        .routes(routes!(suggest::suggest))
        // An upload has a limit of its own.
        .routes(routes!(upload::upload).layer(DefaultBodyLimit::disable()))
        .routes(routes!(asset::asset))
        .routes(routes!(decisions::decisions, decisions::decide))
        .routes(routes!(similar::similar))
        .routes(routes!(files::rendition))
        .routes(routes!(files::original))
        .routes(routes!(collections::collections))
        .routes(routes!(labels::labels))
        .routes(routes!(review::review))
        .routes(routes!(runs::runs))
        .routes(routes!(runs::run))
        .routes(routes!(export::export))
        .routes(routes!(tenants::tenant))
        .routes(routes!(tenants::open))
        .routes(routes!(keys::keys, keys::make))
        .routes(routes!(keys::revoke))
        .routes(routes!(audit::audit))
}

/// The descriptions themselves, for programs and for people.
pub(crate) fn documents() -> Router<Arc<Site>> {
    docs::router()
}
