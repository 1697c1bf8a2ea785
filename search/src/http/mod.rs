//! The server: what people and programs reach over HTTP.
//!
//! [`Site`] holds the filled ports; a request is a [`Caller`] at a site. The API lies below
//! `/v1`, pictures below `/iiif`, the page at the root. [`router`] puts the parts together and
//! `guard` around them; [`serve`] speaks to clients.

mod answers;
mod asked;
mod audit;
mod caller;
mod event;
mod gate;
mod guard;
mod operations;
mod pace;
mod problem;
mod received;
mod server;
mod site;
mod stream;
#[cfg(test)]
pub(crate) mod tests;
mod v1;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::http::{Extensions, HeaderMap, StatusCode, Version, header};
use axum::middleware::from_fn_with_state;
use axum::{Extension, Router};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;

pub(crate) use operations::Operations;
use pace::{Pace, keep_pace};
pub(crate) use problem::problem;
pub(crate) use v1::{Kind, Reviews, invite, take_in_form, withdraw, write_down};

pub use answers::Answers;
pub(crate) use caller::Operator;
pub use caller::{
    Caller, Door, KEY_LIFE_SECONDS, OperatorToken, TurnedAway, check_listening, sign_in, sign_out,
};
pub use event::{Event, Reply, answer};
pub use gate::Gate;
pub use guard::RequestId;
pub use operations::Peer;
pub use problem::Problem;
pub use server::{listen, serve};
pub use site::{Houses, Served, Site};

/// The largest body of a request that is no upload, in bytes.
const BODY_BYTES: usize = 64 << 10;

/// Puts everything together that a site serves.
pub fn router(site: Arc<Site>) -> Router {
    let operations = Arc::new(Operations::new(&site.served));
    let pause = Duration::from_secs_f64(site.served.pause_seconds);
    let paced = Router::new()
        .merge(v1::router().split_for_parts().0)
        .merge(crate::iiif::router())
        .merge(crate::page::router())
        .route_layer(from_fn_with_state((site.clone(), Arc::new(Pace::default())), keep_pace))
        .route_layer(from_fn_with_state(site.clone(), audit::watch));
    paced
        .merge(v1::documents())
        .merge(operations::router())
        .layer(Extension(operations.clone()))
        .layer(Extension(Arc::new(Reviews::default())))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(RequestBodyTimeoutLayer::new(pause))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(is_text))
        .layer(from_fn_with_state(operations, guard::guard))
        .with_state(site)
}

/// Pictures are compressed already, and pieces of files must stay what they are.
fn is_text(status: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let media = headers.get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok());
    let text = media.is_some_and(|media| {
        media.starts_with("text/")
            || media.contains("json")
            || media.contains("javascript")
            || media.starts_with("image/svg")
    });
    let short = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok())
        .is_some_and(|length| length < 512);
    text && !short && status != StatusCode::PARTIAL_CONTENT
}
