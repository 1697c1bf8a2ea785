//! `/assets/{id}`: everything known of one asset, around a picture that can be looked into.

pub(super) mod about;
mod labels;
mod origin;
mod restored;

pub(super) use labels::{grounds, why_shown};

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use glassplate_pipeline::asset::AssetId;
use glassplate_pipeline::fault::{Fault, FaultKind};
use glassplate_pipeline::record::{Parts, Record, fold};
use glassplate_pipeline::review::title;
use maud::{Markup, html};

use super::grid::grid;
use super::links;
use super::picture;
use super::shell::Page;
use super::trouble::Trouble;
use super::visitor::Visitor;
use crate::http::{Caller, Site};
use crate::search::Hit;

/// How many pictures that look alike are shown.
const ALIKE: usize = 12;

/// What the page shows of one asset.
struct Seen<'a> {
    site: &'a Site,
    caller: &'a Caller,
    parts: &'a Parts,
    record: &'a Record,
    title: String,
    family: Vec<AssetId>,
    alike: Vec<Hit>,
}

/// Shows one asset.
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Visitor(caller): Visitor,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let (parts, record) = look_up(&site, &caller, &id).await?;
    let family = match &record.pixel_digest {
        Some(pixels) => site.catalogue.family(&caller.tenant, pixels).await?,
        None => Vec::new(),
    };
    let (index, tenant, asset) = (site.index.clone(), caller.tenant.clone(), record.asset.clone());
    let alike = site.gate.pass(move || index.like(&tenant, &asset, ALIKE)).await?;
    let alike = alike.unwrap_or_default();
    let seen = Seen {
        site: &site,
        caller: &caller,
        parts: &parts,
        record: &record,
        title: title(&record),
        family: family.into_iter().filter(|other| *other != record.asset).collect(),
        alike,
    };
    let page = Page {
        title: &seen.title,
        caller: Some(&caller),
        at: "",
        query: "",
        scripts: &["plate.js", "asset.js"],
        layout: "asset",
    };
    Ok(page.with(view(&seen)))
}

/// Reads an asset of the caller's tenant.
///
/// # Errors
/// `NotFound` for an unknown and for a mistyped id alike.
pub(super) async fn look_up(
    site: &Site,
    caller: &Caller,
    id: &str,
) -> Result<(Parts, Record), Fault> {
    let id: AssetId =
        id.parse().map_err(|fault: Fault| Fault::new(FaultKind::NotFound, fault.to_string()))?;
    let parts = site.catalogue.parts(&caller.tenant, &id).await?;
    let parts = parts.ok_or_else(|| Fault::not_found(format!("there is no asset {id}")))?;
    let interpreter = site.interpreter.clone();
    let folded = move || {
        let record = fold(&parts, &*interpreter);
        Ok((parts, record))
    };
    site.gate.pass(folded).await
}

fn view(seen: &Seen<'_>) -> Markup {
    html! {
        (picture::stage(seen.record, &alternative(seen), &picture::boxed(seen.record)))
        div.details {
            nav.steps data-asset=(seen.record.asset) aria-label="Hits" hidden {}
            (about::heading(seen))
            (labels::labels(seen))
            (about::metadata(seen))
            (about::places(seen))
            (restored::condition(seen))
            (origin::origin(seen))
        }
        (restored::restorations(seen))
        @if !seen.family.is_empty() { (family(&seen.family)) }
        @if !seen.alike.is_empty() {
            section.alike {
                h2 { "More like this" }
                (grid(&seen.alike))
            }
        }
    }
}

/// What the picture shows, for those who cannot see it.
fn alternative(seen: &Seen<'_>) -> String {
    let mut names: Vec<&str> = Vec::new();
    for label in seen.record.labels.iter().filter(|label| seen.site.bar.shows(label)) {
        if !names.contains(&label.name.as_str()) && names.len() < 6 {
            names.push(&label.name);
        }
    }
    match names.is_empty() {
        true => seen.title.clone(),
        false => format!("{}; labelled {}", seen.title, names.join(", ")),
    }
}

fn family(others: &[AssetId]) -> Markup {
    html! {
        section.alike {
            h2 { "The same picture in other files" }
            ul.family {
                @for other in others {
                    li {
                        a href=(links::asset(other)) {
                            img src=(links::thumbnail(other)) alt="" loading="lazy"
                                width="120" height="90";
                            span { (other) }
                        }
                    }
                }
            }
        }
    }
}
