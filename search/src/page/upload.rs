//! `/upload`: pictures into a collection, by a plain form or dropped onto the page.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use glassplate_pipeline::tenancy::Role;
use maud::html;

use super::shell::Page;
use super::trouble::Trouble;
use super::visitor::Visitor;
use crate::http::Site;

/// Shows the form.
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Visitor(caller): Visitor,
) -> Result<Response, Trouble> {
    caller.must_be(Role::Archivist)?;
    let collections = site.index.collections(&caller.tenant)?;
    let page = Page {
        title: "Upload",
        caller: Some(&caller),
        at: "/upload",
        query: "",
        scripts: &["upload.js"],
        layout: "narrow",
    };
    Ok(page.with(html! {
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
                @for collection in &collections { option value=(collection.value) {} }
            }
            label {
                "Picture"
                input name="file" type="file" required accept="image/*,.dng,.cr2,.cr3,.nef,.arw,.raf,.orf,.rw2,.psd,.jp2,.jxl,.tif,.tiff";
            }
            button.primary { "Take in" }
            p.quiet.dropped hidden { "Or drop pictures anywhere on this page." }
        }
        ol.queue aria-live="polite" aria-label="Uploads" {}
    }))
}
