//! `GET /iiif/collections`, `/iiif/collection/{name}` and pieces of it: what viewers browse.
//!
//! Presentation 3.0 has no paging (section 5.1 leaves it to clients), and a viewer reads a whole
//! collection at once. So a large one nests: by the first characters of the ids, which are
//! spread evenly because they come from a hash. A piece stays the same piece for ever, and one
//! of 100,000 pictures is two levels deep.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use glassplate_pipeline::asset::{AssetId, Tenant};
use glassplate_pipeline::fault::Fault;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::super::address::Base;
use super::super::image::{Segments, segments};
use super::super::refusal::Refusal;
use super::super::showing::Showing;
use super::metadata::Metadata;
use super::terms::{Picture, Texts};
use super::{answer, manifest};
use crate::http::{Caller, Site};

/// The most pictures in one piece: what a viewer lists without trouble.
const MOST: usize = 500;
/// The letters of asset ids, in their order.
const LETTERS: &str = "0123456789bcdfghjkmnpqrstvwxz";
/// The characters of an asset id.
const LENGTH: usize = 21;
/// What stands for itself in a path (RFC 3986, 2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[derive(Debug, Serialize)]
struct Collection {
    id: String,
    r#type: &'static str,
    label: Texts,
    items: Vec<Item>,
}

/// A collection or a manifest, as another collection names it.
#[derive(Debug, Serialize)]
struct Item {
    id: String,
    r#type: &'static str,
    label: Texts,
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbnail: Option<[Picture; 1]>,
}

/// Answers with the collections of the archive.
pub(in super::super) async fn collections(
    State(site): State<Arc<Site>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let base = Base::of(&site.served, &headers);
    let (index, tenant) = (site.index.clone(), caller.tenant);
    let counts = tokio::task::spawn_blocking(move || index.collections(&tenant)).await;
    let counts =
        counts.map_err(|cause| Fault::broken("cannot list collections").because(cause))??;
    let items = counts.into_iter().map(|count| Item {
        id: address(&base, &count.value, ""),
        r#type: "Collection",
        label: Texts::as_written([count.value]),
        thumbnail: None,
    });
    let collection = Collection {
        id: base.at("/iiif/collections"),
        r#type: "Collection",
        label: Texts::english("Collections"),
        items: items.collect(),
    };
    answer(collection, &headers)
}

/// Answers with one collection.
pub(in super::super) async fn collection(
    State(site): State<Arc<Site>>,
    caller: Caller,
    headers: HeaderMap,
    name: Segments<String>,
) -> Result<Response, Refusal> {
    let name = segments(name)?;
    let base = Base::of(&site.served, &headers);
    answer(piece_of(&site, &caller.tenant, &base, &name, "").await?, &headers)
}

/// Answers with the pictures of a collection whose ids begin so.
pub(in super::super) async fn piece(
    State(site): State<Arc<Site>>,
    caller: Caller,
    headers: HeaderMap,
    path: Segments<(String, String)>,
) -> Result<Response, Refusal> {
    let (name, beginning) = segments(path)?;
    let base = Base::of(&site.served, &headers);
    answer(piece_of(&site, &caller.tenant, &base, &name, &beginning).await?, &headers)
}

async fn piece_of(
    site: &Site,
    tenant: &Tenant,
    base: &Base,
    name: &str,
    beginning: &str,
) -> Result<Collection, Fault> {
    let after = before_all(beginning)?;
    let mut assets = site.catalogue.assets(tenant, Some(name), after.as_ref(), MOST + 1).await?;
    if assets.is_empty() && beginning.is_empty() {
        return Err(Fault::not_found(format!("there is no collection {name:?}")));
    }
    assets.retain(|asset| asset.as_str().starts_with(beginning));
    let items = if assets.len() > MOST {
        nested(base, name, beginning)
    } else {
        pictures(site, tenant, base, &assets).await?
    };
    let label = match beginning {
        "" => name.to_owned(),
        _ => format!("{name}: {beginning}\u{2026}"),
    };
    Ok(Collection {
        id: address(base, name, beginning),
        r#type: "Collection",
        label: Texts::as_written([label]),
        items,
    })
}

/// Names the pieces of a piece.
fn nested(base: &Base, name: &str, beginning: &str) -> Vec<Item> {
    let item = |letter: char| {
        let beginning = format!("{beginning}{letter}");
        Item {
            id: address(base, name, &beginning),
            r#type: "Collection",
            label: Texts::as_written([format!("{name}: {beginning}\u{2026}")]),
            thumbnail: None,
        }
    };
    LETTERS.chars().map(item).collect()
}

/// Names the pictures that can be shown.
async fn pictures(
    site: &Site,
    tenant: &Tenant,
    base: &Base,
    assets: &[AssetId],
) -> Result<Vec<Item>, Fault> {
    let all = site.catalogue.parts_of_many(tenant, assets).await?;
    let item = |parts: &glassplate_pipeline::record::Parts| {
        let showing = Showing::in_parts(parts).ok()?;
        let asset = &parts.asset.id;
        Some(Item {
            id: manifest::address(base, asset),
            r#type: "Manifest",
            label: Metadata::of(parts).label(),
            thumbnail: Some([Picture::thumbnail(base, asset, &showing)]),
        })
    };
    Ok(all.iter().filter_map(item).collect())
}

fn address(base: &Base, name: &str, beginning: &str) -> String {
    let name = utf8_percent_encode(name, ESCAPED);
    let piece = if beginning.is_empty() { String::new() } else { format!("/{beginning}") };
    base.at(&format!("/iiif/collection/{name}{piece}"))
}

/// The id after which all that begin so are: the beginning, then the lowest letters.
///
/// An asset of that very id would be missed; there is one chance in 29 to the power of what is
/// left of it.
///
/// # Errors
/// `NotFound` for what no id begins with.
fn before_all(beginning: &str) -> Result<Option<AssetId>, Fault> {
    if beginning.is_empty() {
        return Ok(None);
    }
    if beginning.len() > LENGTH - 2 || !beginning.chars().all(|letter| LETTERS.contains(letter)) {
        return Err(Fault::not_found(format!("no id begins with {beginning:?}")));
    }
    let lowest = format!("{beginning:0<width$}", width = LENGTH - 1);
    // The last character checks the others: one of the letters is right.
    Ok(LETTERS.chars().find_map(|check| format!("{lowest}{check}").parse().ok()))
}

#[cfg(test)]
mod tests {
    use glassplate_pipeline::asset::Digest;

    use super::*;

    #[test]
    fn every_id_is_in_the_piece_that_it_begins_like_and_after_none_before() {
        for seed in 0..=255 {
            let id = AssetId::derive(&Tenant::default(), &Digest::new([seed; 32]));
            for length in 1..5 {
                let beginning = &id.as_str()[..length];
                let before = before_all(beginning).expect("letters").expect("an id");
                assert!(before < id && before.as_str().starts_with(beginning), "{before} {id}");
            }
        }
        assert!(before_all("a").is_err() && before_all("0\u{e9}").is_err());
        assert!(before_all(&"0".repeat(20)).is_err());
        assert_eq!(before_all("").expect("all"), None);
    }
}
