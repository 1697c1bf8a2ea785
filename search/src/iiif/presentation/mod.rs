//! The Presentation API 3.0: manifests, collections and annotations, for viewers.
//!
//! Source: <https://iiif.io/api/presentation/3.0/>. One file a resource; `terms` are the words
//! that they share, `metadata` is what people wrote of a picture.

mod annotations;
mod collection;
mod manifest;
mod metadata;
mod terms;

pub(super) use annotations::annotations;
pub(super) use collection::{collection, collections, piece};
pub(super) use manifest::manifest;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use glassplate_pipeline::fault::Fault;
use serde::Serialize;

use super::image::{etag, known, wants_plain_json};
use super::refusal::Refusal;

/// The context of every document (section 4.6).
const CONTEXT: &str = "http://iiif.io/api/presentation/3/context.json";
const MEDIA: HeaderValue = HeaderValue::from_static(
    "application/ld+json;profile=\"http://iiif.io/api/presentation/3/context.json\"",
);
const JSON_MEDIA: HeaderValue = HeaderValue::from_static("application/json");
/// Kept by nobody without asking: a label may be approved, a caption written.
const ASKED_FOR: HeaderValue = HeaderValue::from_static("private, no-cache");

/// A document with the context that stands at its beginning.
#[derive(Debug, Serialize)]
struct Document<T> {
    #[serde(rename = "@context")]
    context: &'static str,
    #[serde(flatten)]
    content: T,
}

/// Answers with a document, or tells that the client has it.
fn answer(content: impl Serialize, headers: &HeaderMap) -> Result<Response, Refusal> {
    let body = serde_json::to_vec(&Document { context: CONTEXT, content })
        .map_err(|cause| Fault::broken("cannot write a IIIF document").because(cause))?;
    let etag = etag(&[&body]);
    let media = if wants_plain_json(headers) { JSON_MEDIA } else { MEDIA };
    let mut response = if known(headers, &etag) {
        axum::http::StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, media)], body).into_response()
    };
    let into = response.headers_mut();
    into.insert(header::ETAG, etag);
    into.insert(header::CACHE_CONTROL, ASKED_FOR);
    into.insert(header::VARY, HeaderValue::from_static("accept"));
    Ok(response)
}
