//! `POST /v1/assets`: takes a picture in, the ordinary way.
//!
//! The bytes go to a file of the server's own while they are hashed; only what came whole, within
//! the limit and with the digest that the client told, begins a run. The run goes on when the
//! client leaves meanwhile: what is begun ends in the ledger.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::extract::{Extension, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use glassplate_pipeline::asset::{AssetId, Tenant, check_collection};
use glassplate_pipeline::enrich::{House, Source};
use glassplate_pipeline::fault::{Fault, FaultKind};
use glassplate_pipeline::ingest::ingest;
use glassplate_pipeline::pass::Watcher;
use glassplate_pipeline::run::{Balance, Item, Outcome, Run, RunId};
use glassplate_pipeline::tenancy::{DeedOutcome, Role, Usage, Verb};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::links::Links;
use super::runs::OutcomeTold;
use crate::http::asked::{Asked, json};
use crate::http::operations::Operations;
use crate::http::received::{self, Received};
use crate::http::{Caller, Problem, Site};

/// Where an upload goes.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Where {
    /// The collection; a part `collection` of a multipart body beats it.
    #[param(min_length = 1, max_length = 200)]
    collection: Option<String>,
    /// The picture's name; that of a multipart body's part `file` beats it.
    #[param(max_length = 200)]
    filename: Option<String>,
}

/// A picture in a form.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it describes a body that is read as a stream")]
struct Form {
    /// The collection that the picture goes to.
    collection: Option<String>,
    /// The picture. Its part may have a `Content-Digest` or `Digest` of its own.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// What became of an upload.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Upload)]
struct Taken<'a> {
    /// The picture's id; the same bytes always get the same.
    #[schema(value_type = String)]
    asset: &'a AssetId,
    #[schema(value_type = OutcomeTold)]
    outcome: Outcome,
    /// What is worth knowing of a picture that was taken in, such as damage.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
    /// The SHA-256 of the bytes received, in hexadecimal digits.
    sha256: String,
    /// How many bytes were received.
    bytes: u64,
    /// The run that took it in.
    #[schema(value_type = String)]
    run: &'a RunId,
    /// Everything known of it.
    #[schema(format = "uri-reference")]
    href: String,
}

/// Take a picture in
///
/// Send it as the body with its media type, or as the part `file` of a form. `Digest`,
/// `Repr-Digest` or `Content-Digest` with a SHA-256 is checked. The same bytes sent again change
/// nothing and are answered with 200. Needs the role archivist.
#[utoipa::path(
    post,
    path = "/v1/assets",
    tag = "assets",
    params(Where),
    request_body(content(
        (Form = "multipart/form-data"),
        (Vec<u8> = "application/octet-stream"),
        (Vec<u8> = "image/*"),
    )),
    responses(
        (status = 200, description = "These bytes were here already", body = Taken<'_>),
        (status = 201, description = "A new picture was taken in", body = Taken<'_>),
    )
)]
pub(super) async fn upload(
    State(site): State<Arc<Site>>,
    Extension(operations): Extension<Arc<Operations>>,
    caller: Caller,
    Asked(place): Asked<Where>,
    request: Request,
) -> Response {
    let taken = match operations.places.try_acquire() {
        Ok(_place) => take_in(&site, &caller, place, request).await,
        Err(_) => Err(Fault::new(FaultKind::Busy, "too many uploads are taken in already").into()),
    };
    match taken {
        Ok((outcome, response)) => {
            operations.uploaded(outcome.name());
            response
        }
        Err(problem) => {
            operations.uploaded("refused");
            problem.into_response()
        }
    }
}

/// Takes a picture in that a form of the page sent.
pub(crate) async fn take_in_form(
    site: Arc<Site>,
    operations: Arc<Operations>,
    caller: Caller,
    request: Request,
) -> Response {
    let place = Asked(Where::default());
    upload(State(site), Extension(operations), caller, place, request).await
}

async fn take_in(
    site: &Arc<Site>,
    caller: &Caller,
    place: Where,
    request: Request,
) -> Result<(Outcome, Response), Problem> {
    caller.must_be(Role::Archivist)?;
    let houses = site
        .houses
        .clone()
        .ok_or_else(|| Fault::new(FaultKind::Refused, "this server takes no pictures in"))?;
    let received = received::receive(&site.served, houses.incoming(), request).await?;
    let collection = received.collection.clone().or(place.collection);
    let collection = collection
        .ok_or_else(|| Fault::bad_input("no collection is told: add ?collection=NAME"))?;
    check_collection(&collection)?;
    let name = received.filename.clone().or(place.filename);
    let house = houses.open(&caller.tenant, &collection).await?;
    // What runs here ends in the ledger whether or not the client waits for it.
    let work = enter(site.clone(), house, caller.clone(), collection, name, received);
    let entered = tokio::spawn(work)
        .await
        .unwrap_or_else(|e| Err(Fault::broken("an upload's run ended early").because(e)))?;
    let Entered { item, run, sha256, bytes, known } = entered;
    let (Some(asset), false) = (&item.asset, item.outcome >= Outcome::Rejected) else {
        let reason = item.reason.unwrap_or_else(|| "no reason was given".to_owned());
        return Err(Fault::new(item.fault.unwrap_or(FaultKind::Broken), reason).into());
    };
    let href = Links::of(site).asset(asset);
    let note = item.reason.as_deref();
    let told = Taken { asset, outcome: item.outcome, note, sha256, bytes, run: &run, href };
    let mut response = json(&told)?;
    if !known {
        *response.status_mut() = StatusCode::CREATED;
    }
    if let Ok(location) = HeaderValue::from_str(&told.href) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok((item.outcome, response))
}

/// An upload that is in the ledger.
struct Entered {
    item: Item,
    run: RunId,
    sha256: String,
    bytes: u64,
    /// Whether these bytes were here already.
    known: bool,
}

/// Takes the file through a run of its own, and charges the tenant for what is new.
async fn enter(
    site: Arc<Site>,
    house: Arc<House>,
    caller: Caller,
    collection: String,
    name: Option<String>,
    received: Received,
) -> Result<Entered, Fault> {
    let tenant = &caller.tenant;
    let id = AssetId::derive(tenant, &received.digest);
    let known = house.catalogue.parts(tenant, &id).await?.is_some();
    let charged = Usage::picture(received.bytes);
    if !known {
        site.registry.charge(tenant, &charged).await?;
    }
    let entered = pass(&house, tenant, &collection, name.as_deref(), &received).await;
    // Another upload of the same bytes may have been quicker.
    let is_new = entered.as_ref().is_ok_and(|(item, _)| {
        item.asset.is_some() && !matches!(item.outcome, Outcome::Unchanged | Outcome::Duplicate)
    });
    if !known && !is_new {
        site.registry.give_back(tenant, &charged).await?;
    }
    let (item, run) = entered?;
    if let Some(asset) = &item.asset {
        site.audit(&caller, Verb::Upload, asset.as_str(), DeedOutcome::Done).await?;
    }
    let (sha256, bytes) = (received.digest.to_string(), received.bytes);
    Ok(Entered { item, run, sha256, bytes, known })
}

/// The run itself, of one source.
async fn pass(
    house: &Arc<House>,
    tenant: &Tenant,
    collection: &str,
    name: Option<&str>,
    received: &Received,
) -> Result<(Item, RunId), Fault> {
    let text = text_of(received, name);
    let mut source = Source::file(received.file.path(), received.bytes);
    source.text = text.clone();
    let now = house.clock.now();
    let run = RunId::new(now, random());
    let begun =
        Run::begun(run.clone(), tenant, collection, vec![text], env!("CARGO_PKG_VERSION"), now);
    let mut last = Last(None);
    let stop = AtomicBool::new(false);
    let ended = ingest(house, begun, [Ok(source)], 1, &mut last, &stop).await?;
    let mut item = match (last.0, ended.broken) {
        (Some(item), _) => item,
        (None, Some(fault)) => return Err(fault),
        (None, None) => return Err(Fault::broken("an upload's run told nothing")),
    };
    // Where the file lay meanwhile is nobody's business.
    let own = received.file.path().display().to_string();
    item.reason = item.reason.map(|reason| reason.replace(&own, &item.source));
    Ok((item, run))
}

/// The place of an upload, as an occurrence names it: the same for the same bytes and name, and
/// another for others.
fn text_of(received: &Received, name: Option<&str>) -> String {
    let digest = received.digest.to_string();
    let name = name.unwrap_or_default();
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    let plain: String = name.chars().filter(|c| !c.is_control()).take(200).collect();
    let name = if plain.is_empty() { "unnamed" } else { &plain };
    format!("upload/{}/{name}", &digest[..12])
}

/// Keeps the one item of a run of one source.
struct Last(Option<Item>);

impl Watcher for Last {
    fn ended(&mut self, item: &Item, _bytes: u64, _balance: &Balance) {
        self.0 = Some(item.clone());
    }
}

fn random() -> u32 {
    let mut bytes = [0; 4];
    let _ = getrandom::fill(&mut bytes);
    u32::from_be_bytes(bytes)
}
