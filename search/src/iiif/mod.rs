//! IIIF: pictures by the Image API 3.0, what they are by the Presentation API 3.0.
//!
//! One request for pixels goes: `ask` reads the path, `showing` knows the picture, `resolve`
//! makes a print of both, `darkroom` makes the file, from what lies on the light `table`.

mod address;
mod ask;
mod darkroom;
mod image;
mod info;
mod presentation;
mod refusal;
mod resolve;
mod showing;
mod table;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, Request};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::http::Site;
use darkroom::Darkroom;

/// The routes below `/iiif`.
pub(crate) fn router() -> Router<Arc<Site>> {
    Router::new()
        .route("/iiif/3/{asset}", get(image::base))
        .route("/iiif/3/{asset}/info.json", get(image::info))
        .route("/iiif/3/{asset}/{region}/{size}/{rotation}/{file}", get(image::image))
        .route("/iiif/manifest/{asset}", get(presentation::manifest))
        .route("/iiif/annotations/{asset}", get(presentation::annotations))
        .route("/iiif/collections", get(presentation::collections))
        .route("/iiif/collection/{name}", get(presentation::collection))
        .route("/iiif/collection/{name}/{beginning}", get(presentation::piece))
        .layer(Extension(Arc::new(Darkroom::new())))
        .layer(from_fn(open_to_viewers))
}

/// Lets viewers on other sites read every answer, refusals too (Fetch standard, CORS protocol).
async fn open_to_viewers(request: Request, next: Next) -> Response {
    const ANY: HeaderValue = HeaderValue::from_static("*");
    const FOR_VIEWERS: [(HeaderName, HeaderValue); 3] = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, OPTIONS")),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("accept, authorization, if-none-match"),
        ),
        (header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400")),
    ];
    let mut response = if request.method() == Method::OPTIONS {
        (StatusCode::NO_CONTENT, FOR_VIEWERS).into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    let told = HeaderValue::from_static("link, etag");
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, told);
    response
}
