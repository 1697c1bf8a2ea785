//! The routes of the Image API: pictures, what is known of them, and the redirect between.
//!
//! Source: IIIF Image API 3.0, sections 2 to 7 (<https://iiif.io/api/image/3.0/>).

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use glassplate_pipeline::asset::AssetId;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::image::print::PrintFormat;
use sha2::{Digest as _, Sha256};

use super::address::Base;
use super::ask::ImageAsk;
use super::darkroom::Darkroom;
use super::info::Info;
use super::refusal::Refusal;
use super::resolve::resolve;
use crate::http::{Caller, Site};

/// Changes whenever the same request would give another print; clients then ask again.
const VERSION: &str = "1";

/// How long clients keep prints: what they show never changes, how they are coded may. Private,
/// because a shared cache knows no tenants.
const KEPT: HeaderValue = HeaderValue::from_static("private, max-age=86400");

/// How long clients keep information about a picture.
const INFO_KEPT: HeaderValue = HeaderValue::from_static("private, max-age=3600");

const INFO_MEDIA: HeaderValue = HeaderValue::from_static(
    "application/ld+json;profile=\"http://iiif.io/api/image/3/context.json\"",
);
const JSON_MEDIA: HeaderValue = HeaderValue::from_static("application/json");
const PROFILE: &str = "<http://iiif.io/api/image/3/level2.json>;rel=\"profile\"";

/// The segments of a path, percent-decoded, or why they cannot be.
pub(super) type Segments<T> = Result<Path<T>, PathRejection>;

/// `GET /iiif/3/{asset}`: leads to the information (section 2.2).
pub(super) async fn base(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    asset: Segments<String>,
) -> Result<Response, Refusal> {
    let asset = named(&segments(asset)?)?;
    let info = format!("{}/info.json", Base::of(&site.served, &headers).service(&asset));
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, info)]).into_response())
}

/// `GET /iiif/3/{asset}/info.json` (section 5).
pub(super) async fn info(
    State(site): State<Arc<Site>>,
    Extension(darkroom): Extension<Arc<Darkroom>>,
    caller: Caller,
    headers: HeaderMap,
    asset: Segments<String>,
) -> Result<Response, Refusal> {
    let asset = named(&segments(asset)?)?;
    let showing = darkroom.showing(&site, &caller.tenant, &asset).await?;
    let info = Info::of(Base::of(&site.served, &headers).service(&asset), &showing);
    let body = serde_json::to_vec(&info)
        .map_err(|cause| Fault::broken("cannot write image information").because(cause))?;
    let etag = etag(&[&body]);
    let media = if wants_plain_json(&headers) { JSON_MEDIA } else { INFO_MEDIA };
    let mut response = if known(&headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, media)], body).into_response()
    };
    let into = response.headers_mut();
    into.insert(header::ETAG, etag);
    into.insert(header::CACHE_CONTROL, INFO_KEPT);
    into.insert(header::VARY, HeaderValue::from_static("accept"));
    into.insert(header::LINK, HeaderValue::from_static(PROFILE));
    Ok(response)
}

/// `GET /iiif/3/{asset}/{region}/{size}/{rotation}/{quality}.{format}` (section 4).
pub(super) async fn image(
    State(site): State<Arc<Site>>,
    Extension(darkroom): Extension<Arc<Darkroom>>,
    caller: Caller,
    headers: HeaderMap,
    path: Segments<(String, String, String, String, String)>,
) -> Result<Response, Refusal> {
    let (asset, region, size, rotation, file) = segments(path)?;
    let asset = named(&asset)?;
    let ask = ImageAsk::read(&region, &size, &rotation, &file)?;
    let showing = darkroom.showing(&site, &caller.tenant, &asset).await?;
    let resolved = resolve(&ask, (showing.width, showing.height))?;
    let etag = etag(&[
        VERSION.as_bytes(),
        showing.digest.as_bytes(),
        format!("{:?}", showing.renditions).as_bytes(),
        resolved.canonical.as_bytes(),
    ]);
    let mut response = if known(&headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let whose = (&caller.tenant, &asset);
        let print = darkroom.print(&site, whose, &showing, &resolved).await?;
        let media = match ask.format {
            PrintFormat::Jpeg => "image/jpeg",
            PrintFormat::Png => "image/png",
            PrintFormat::Webp => "image/webp",
        };
        ([(header::CONTENT_TYPE, HeaderValue::from_static(media))], print).into_response()
    };
    let service = Base::of(&site.served, &headers).service(&asset);
    let links = format!("{PROFILE},<{service}/{}>;rel=\"canonical\"", resolved.canonical);
    let into = response.headers_mut();
    into.insert(header::ETAG, etag);
    into.insert(header::CACHE_CONTROL, KEPT);
    if let Ok(links) = HeaderValue::try_from(links) {
        into.insert(header::LINK, links);
    }
    Ok(response)
}

/// Takes the path's segments, percent-decoded.
pub(super) fn segments<T>(path: Segments<T>) -> Result<T, Fault> {
    let wrong = |_| Fault::bad_input("the path is no text once it is percent-decoded");
    path.map(|Path(segments)| segments).map_err(wrong)
}

/// Reads an identifier; what is none names no picture (section 7).
pub(super) fn named(asset: &str) -> Result<AssetId, Fault> {
    asset.parse().map_err(|fault: Fault| Fault::not_found(fault.reason()))
}

/// Makes an entity tag of all that an answer depends on.
pub(super) fn etag(parts: &[&[u8]]) -> HeaderValue {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let hex: String = hasher.finalize()[..12].iter().map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::try_from(format!("\"{hex}\"")).expect("hexadecimal digits make a header")
}

/// Tells whether the client has what the entity tag names (RFC 9110, 13.1.2).
pub(super) fn known(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let given =
        headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = given.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|tag| {
        tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).as_bytes() == etag.as_bytes()
    })
}

/// Tells whether a client takes plain JSON and no JSON-LD.
pub(super) fn wants_plain_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    accept.contains("application/json") && !accept.contains("ld+json") && !accept.contains("*/*")
}
