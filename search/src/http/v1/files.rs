//! `/v1/assets/{id}/original` and `/renditions/{name}`: the bytes of pictures.
//!
//! They are streamed from the store piece by piece, so that memory does not grow with them.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream;
use glassplate_pipeline::asset::AssetId;
use glassplate_pipeline::fault::{Fault, FaultKind};
use glassplate_pipeline::opinion::{Finding, Identified, Verdict};
use glassplate_pipeline::record::{IDENTIFY, Parts, RENDER, current_opinions};
use glassplate_pipeline::rendition::Rendition;
use glassplate_pipeline::store::{Key, Store};
use glassplate_pipeline::tenancy::{DeedOutcome, Verb};

use super::asset::existing;
use super::ranges::{Wanted, wanted};
use crate::http::asked::{Named, Step};
use crate::http::problem::problem;
use crate::http::{Caller, Problem, Site};

/// The smallest rendition's other name.
pub(super) const THUMBNAIL: &str = "thumbnail";

/// How much of a file is in memory for one client, in bytes.
const PIECE: usize = 1 << 20;

/// An original never changes: its key is its digest.
const FOR_EVER: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");
/// A rendition may be made anew by a better coder.
const FOR_A_DAY: HeaderValue = HeaderValue::from_static("private, max-age=86400");
/// What a downloaded file may do when a browser shows it.
const HARMLESS: HeaderValue =
    HeaderValue::from_static("default-src 'none'; sandbox; frame-ancestors 'none'");

/// A file of the store, as clients get it.
struct File {
    key: Key,
    length: u64,
    /// The entity tag, with its quotes.
    tag: String,
    media_type: HeaderValue,
    cached: HeaderValue,
    besides: Vec<(HeaderName, HeaderValue)>,
}

/// Get a derived picture
///
/// `thumbnail` is the smallest. Knows ranges and conditions.
#[utoipa::path(
    get,
    path = "/v1/assets/{id}/renditions/{name}",
    tag = "files",
    params(
        ("id" = String, Path, description = "The asset's id"),
        ("name" = String, Path, description = "The rendition's name, as told with the asset"),
    ),
    responses(
        (status = 200, description = "The picture", content_type = "image/*"),
        (status = 206, description = "The part asked for", content_type = "image/*"),
        (status = 304, description = "The client has it already"),
    )
)]
pub(super) async fn rendition(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Named(id): Named,
    Step(name): Step,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let parts = existing(&site, &caller, &id).await?;
    let file = rendered(&parts, &name)
        .ok_or_else(|| Fault::not_found(format!("the asset {id} has no rendition {name:?}")))?;
    let key = Key::from_path(&file.path)?;
    let length = length_of(&*site.store, &key).await?;
    // The path names pixels, size and quality; the length tells most of what a coder changed.
    let name = file.path.rsplit('/').take(2).collect::<Vec<_>>().join("-");
    let media_type = HeaderValue::from_str(&file.media_type)
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let tag = format!("\"{length:x}-{name}\"");
    let cached = FOR_A_DAY;
    send(&site, File { key, length, tag, media_type, cached, besides: Vec::new() }, &headers)
}

/// Get the original
///
/// The bytes as they were received. The entity tag is their SHA-256. Knows ranges and conditions.
#[utoipa::path(
    get,
    path = "/v1/assets/{id}/original",
    tag = "files",
    params(("id" = String, Path, description = "The asset's id")),
    responses(
        (status = 200, description = "The original", content_type = "*/*"),
        (status = 206, description = "The part asked for", content_type = "*/*"),
        (status = 304, description = "The client has it already"),
    )
)]
pub(super) async fn original(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Named(id): Named,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let parts = existing(&site, &caller, &id).await?;
    let asset = &parts.asset;
    let key = Key::Original { tenant: asset.tenant.clone(), digest: asset.digest };
    let length = length_of(&*site.store, &key).await?;
    let format = identified(&parts).map(|found| found.technical.format);
    let media_type = format.map_or("application/octet-stream", |format| format.media_type());
    let digest = format!("sha-256=:{}:", STANDARD.encode(asset.digest.as_bytes()));
    let besides = [
        (HeaderName::from_static("repr-digest"), HeaderValue::from_str(&digest).ok()),
        (header::CONTENT_DISPOSITION, Some(attachment(&parts, &id))),
        (header::CONTENT_SECURITY_POLICY, Some(HARMLESS)),
    ];
    let file = File {
        key,
        length,
        tag: format!("\"{}\"", asset.digest),
        media_type: HeaderValue::from_static(media_type),
        cached: FOR_EVER,
        besides: besides.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
    };
    let response = send(&site, file, &headers)?;
    if method == Method::GET && response.status().is_success() {
        site.audit(&caller, Verb::Download, id.as_str(), DeedOutcome::Done).await?;
    }
    Ok(response)
}

/// What render found last, or what was restored; it takes no interpreter to know.
fn rendered<'a>(parts: &'a Parts, name: &str) -> Option<&'a Rendition> {
    let current = current_opinions(parts);
    if name == THUMBNAIL {
        return match &current.get(RENDER)?.verdict {
            Verdict::Found(Finding::Rendered(found)) => found.files.last(),
            _ => None,
        };
    }
    let files = current.values().flat_map(|opinion| match &opinion.verdict {
        Verdict::Found(Finding::Rendered(found)) => &found.files[..],
        Verdict::Found(Finding::Restored(made)) => &made.files[..],
        _ => &[],
    });
    files.into_iter().find(|file| file.name == name)
}

fn identified(parts: &Parts) -> Option<&Identified> {
    match &current_opinions(parts).get(IDENTIFY)?.verdict {
        Verdict::Found(Finding::Identified(found)) => Some(found),
        _ => None,
    }
}

/// The length of what the ledger says is there; where it is not, that is no fault of the client.
async fn length_of(store: &dyn Store, key: &Key) -> Result<u64, Fault> {
    let length = store.length(key).await?;
    length.ok_or_else(|| Fault::broken(format!("{} is gone", store.place(&key.path()))))
}

/// The name to save a file under: the source's own, as far as a header can carry it.
fn attachment(parts: &Parts, id: &AssetId) -> HeaderValue {
    let source = parts.occurrences.first().map(|place| place.source.as_str()).unwrap_or_default();
    let name = source.rsplit('/').next().unwrap_or_default();
    let kept = |c: char| if c.is_ascii_alphanumeric() || "-_. ".contains(c) { c } else { '_' };
    let name: String = name.chars().map(kept).take(100).collect();
    let name = if name.trim_matches(['.', ' ']).is_empty() { id.to_string() } else { name };
    HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
        .unwrap_or(HeaderValue::from_static("attachment"))
}

fn send(site: &Site, file: File, asked: &HeaderMap) -> Result<Response, Problem> {
    let File { key, length, tag, media_type, cached, besides } = file;
    let (status, first, count) = match wanted(asked, &tag, length) {
        Wanted::Whole => (StatusCode::OK, 0, length),
        Wanted::Part(first, last) => (StatusCode::PARTIAL_CONTENT, first, last - first + 1),
        Wanted::NotModified => (StatusCode::NOT_MODIFIED, 0, 0),
        Wanted::Failed => {
            let detail = "it is not what the condition demands";
            return Ok(problem(StatusCode::PRECONDITION_FAILED, "condition_failed", detail));
        }
        Wanted::Beyond => {
            let status = StatusCode::RANGE_NOT_SATISFIABLE;
            let detail = format!("there are {length} bytes");
            let mut response = problem(status, "beyond_the_end", &detail);
            let range = number(format!("bytes */{length}"));
            response.headers_mut().insert(header::CONTENT_RANGE, range);
            return Ok(response);
        }
    };
    let body = match status {
        StatusCode::NOT_MODIFIED => Body::empty(),
        _ => Body::from_stream(pieces(site.store.clone(), key, first, count)),
    };
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::ETAG,
        HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\"")),
    );
    headers.insert(header::CACHE_CONTROL, cached);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.extend(besides);
    if status != StatusCode::NOT_MODIFIED {
        headers.insert(header::CONTENT_TYPE, media_type);
        headers.insert(header::CONTENT_LENGTH, count.into());
    }
    if status == StatusCode::PARTIAL_CONTENT {
        let last = first + count - 1;
        headers.insert(header::CONTENT_RANGE, number(format!("bytes {first}-{last}/{length}")));
    }
    Ok(response)
}

fn number(text: String) -> HeaderValue {
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("bytes */*"))
}

/// Reads a file piece by piece, each when the client has taken the one before.
fn pieces(
    store: Arc<dyn Store>,
    key: Key,
    first: u64,
    count: u64,
) -> impl stream::Stream<Item = Result<Bytes, Fault>> {
    stream::try_unfold((store, key, first, count), |(store, key, at, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let most = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let piece = store.read_part(&key, at, most).await?;
        if piece.is_empty() {
            return Err(Fault::new(FaultKind::Broken, "a file ended before its length"));
        }
        let read = piece.len() as u64;
        Ok(Some((Bytes::from(piece), (store, key, at + read, left.saturating_sub(read)))))
    })
}
