//! `/upload`: pictures into a collection, by a plain form or dropped onto the page.

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use glassplate_pipeline::asset::AssetId;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::tenancy::Role;
use maud::{Markup, html};
use serde::Deserialize;

use super::collections;
use super::links;
use super::shell::Page;
use super::trouble::Trouble;
use super::visitor::Visitor;
use crate::ask::Count;
use crate::http::{Caller, Operations, Site, take_in_form};

/// The longest answer of the API that is read, in bytes.
const LONGEST: usize = 64 << 10;

/// What the API says of an upload.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Told {
    asset: Option<AssetId>,
    note: Option<String>,
    detail: Option<String>,
}

/// Shows the form.
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Visitor(caller): Visitor,
) -> Result<Response, Trouble> {
    caller.must_be(Role::Archivist)?;
    let collections = collections::of(&site, &caller.tenant).await?;
    Ok(page(&caller).with(form(&collections)))
}

/// Takes one picture in, where no script sends many, and says what became of it.
pub(super) async fn take_in(
    State(site): State<Arc<Site>>,
    Extension(operations): Extension<Arc<Operations>>,
    Visitor(caller): Visitor,
    request: Request,
) -> Result<Response, Trouble> {
    caller.must_be(Role::Archivist)?;
    let answer = take_in_form(site.clone(), operations, caller.clone(), request).await;
    let status = answer.status();
    let body = to_bytes(answer.into_body(), LONGEST).await;
    let body = body.map_err(|e| Fault::broken("cannot read what an upload came to").because(e))?;
    let told: Told = serde_json::from_slice(&body).unwrap_or_default();
    let collections = collections::of(&site, &caller.tenant).await?;
    let content = html! {
        (became(&told))
        (form(&collections))
    };
    let shown = if status.is_success() { StatusCode::OK } else { status };
    Ok(page(&caller).answer(shown, content))
}

fn page(caller: &Caller) -> Page<'_> {
    Page {
        title: "Upload",
        caller: Some(caller),
        at: "/upload",
        query: "",
        scripts: &["upload.js"],
        layout: "narrow",
    }
}

fn became(told: &Told) -> Markup {
    html! {
        @match &told.asset {
            Some(asset) => p.note.done role="status" {
                a href=(links::asset(asset)) { "The picture" } " is here"
                @if let Some(note) = &told.note { ": " (note) }
            },
            None => p.wrong role="alert" {
                (told.detail.as_deref().unwrap_or("the picture was not taken in"))
            },
        }
    }
}

fn form(collections: &[Count]) -> Markup {
    html! {
        h1 { "Take pictures in" }
        p.quiet {
            "Originals are kept as they are, for ever. The same file twice is one picture. Whole folders \
             are quicker from the command line: " code { "glassplate ingest FOLDER --collection NAME" } "."
        }
        form.drop method="post" action="/upload" enctype="multipart/form-data" {
            label {
                "Collection"
                input name="collection" required maxlength="200" list="collections" autocomplete="off";
            }
            datalist #collections {
                @for collection in collections { option value=(collection.value) {} }
            }
            label {
                "Picture"
                input name="file" type="file" required accept="image/*,.dng,.cr2,.cr3,.nef,.arw,.raf,.orf,.rw2,.psd,.jp2,.jxl,.tif,.tiff";
            }
            button.primary { "Take in" }
            p.quiet.dropped hidden { "Or drop pictures anywhere on this page." }
        }
        ol.queue aria-live="polite" aria-label="Uploads" {}
    }
}
