//! IIIF: pictures by the Image API 3.0, what they are by the Presentation API 3.0.

use std::sync::Arc;

use axum::Router;

use crate::http::Site;

/// The routes below `/iiif`.
pub(crate) fn router() -> Router<Arc<Site>> {
    Router::new()
}
