//! `/collections`: what the archive is grouped into.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::fault::Fault;
use maud::html;

use super::facets::thousands;
use super::links;
use super::shell::Page;
use super::trouble::Trouble;
use super::visitor::Visitor;
use crate::ask::{Count, Facet};
use crate::http::Site;

/// A tenant's collections with their counts.
pub(super) async fn of(site: &Site, tenant: &Tenant) -> Result<Vec<Count>, Fault> {
    let (index, tenant) = (site.index.clone(), tenant.clone());
    site.gate.pass(move || index.collections(&tenant)).await
}

/// Lists the collections.
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Visitor(caller): Visitor,
) -> Result<Response, Trouble> {
    let collections = of(&site, &caller.tenant).await?;
    let page = Page {
        title: "Collections",
        caller: Some(&caller),
        at: "/collections",
        query: "",
        scripts: &[],
        layout: "narrow",
    };
    Ok(page.with(html! {
        h1 { "Collections" }
        @if collections.is_empty() {
            p { "There is none yet: a picture that is taken in names the first." }
        } @else {
            div.table tabindex="0" role="region" aria-label="Collections" {
                table {
                    thead {
                        tr {
                            th scope="col" { "Collection" }
                            th.number scope="col" { "Pictures" }
                            th scope="col" { span.unseen { "IIIF" } }
                        }
                    }
                    tbody {
                        @for collection in &collections {
                            tr {
                                td {
                                    a href=(links::within(Facet::Collection, &collection.value)) {
                                        (collection.value)
                                    }
                                }
                                td.number { (thousands(collection.count)) }
                                td {
                                    a href=(links::manifest_of_collection(&collection.value))
                                        aria-label=(format!("IIIF collection of {}", collection.value)) { "IIIF" }
                                }
                            }
                        }
                    }
                }
            }
        }
    }))
}
