//! The page: what people see in a browser, rendered here, usable without JavaScript.

use std::sync::Arc;

use axum::Router;

use crate::http::Site;

/// The routes of the page.
pub(crate) fn router() -> Router<Arc<Site>> {
    Router::new()
}
