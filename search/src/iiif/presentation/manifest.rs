//! `GET /iiif/manifest/{asset}`: one picture as a viewer opens it (section 5.2).

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use glassplate_pipeline::asset::AssetId;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::record::Parts;
use serde::Serialize;

use super::super::address::Base;
use super::super::image::{Segments, named, segments};
use super::super::refusal::Refusal;
use super::super::showing::Showing;
use super::answer;
use super::metadata::Metadata;
use super::terms::{Link, Pair, Picture, Texts};
use crate::http::{Caller, Site};

/// One picture, with one canvas.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    id: String,
    r#type: &'static str,
    label: Texts,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<Texts>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    metadata: Vec<Pair>,
    #[serde(skip_serializing_if = "Option::is_none")]
    required_statement: Option<Pair>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rights: Option<String>,
    thumbnail: [Picture; 1],
    homepage: [Link; 1],
    see_also: [Link; 1],
    items: [Canvas; 1],
}

/// Where the picture and what is said of it come together.
#[derive(Debug, Serialize)]
struct Canvas {
    id: String,
    r#type: &'static str,
    height: u32,
    width: u32,
    items: [Page; 1],
    annotations: [PageReference; 1],
}

#[derive(Debug, Serialize)]
struct Page {
    id: String,
    r#type: &'static str,
    items: [Painting; 1],
}

#[derive(Debug, Serialize)]
struct Painting {
    id: String,
    r#type: &'static str,
    motivation: &'static str,
    body: Picture,
    target: String,
}

#[derive(Debug, Serialize)]
struct PageReference {
    id: String,
    r#type: &'static str,
}

/// Answers with a picture's manifest.
pub(in super::super) async fn manifest(
    State(site): State<Arc<Site>>,
    caller: Caller,
    headers: HeaderMap,
    asset: Segments<String>,
) -> Result<Response, Refusal> {
    let asset = named(&segments(asset)?)?;
    let parts = site.catalogue.parts(&caller.tenant, &asset).await?;
    let parts = parts.ok_or_else(|| Fault::not_found(format!("there is no asset {asset}")))?;
    let manifest = manifest_of(&Base::of(&site.served, &headers), &parts)?;
    answer(manifest, &headers)
}

fn manifest_of(base: &Base, parts: &Parts) -> Result<Manifest, Fault> {
    let showing = Showing::in_parts(parts)?;
    let (asset, metadata) = (&parts.asset.id, Metadata::of(parts));
    let id = address(base, asset);
    let canvas = canvas(base, asset);
    let painting = Painting {
        id: format!("{canvas}/painting/1"),
        r#type: "Annotation",
        motivation: "painting",
        body: Picture::whole(base, asset, &showing),
        target: canvas.clone(),
    };
    let page =
        Page { id: format!("{canvas}/painting"), r#type: "AnnotationPage", items: [painting] };
    let labels = PageReference {
        id: base.at(&format!("/iiif/annotations/{asset}")),
        r#type: "AnnotationPage",
    };
    Ok(Manifest {
        id,
        r#type: "Manifest",
        label: metadata.label(),
        summary: metadata.summary(),
        metadata: metadata.pairs(),
        required_statement: metadata.credit(),
        rights: metadata.rights(),
        thumbnail: [Picture::thumbnail(base, asset, &showing)],
        homepage: [Link {
            id: base.at(&format!("/assets/{asset}")),
            r#type: "Text",
            label: Texts::english("The picture's page"),
            format: "text/html",
        }],
        see_also: [Link {
            id: base.at(&format!("/v1/assets/{asset}")),
            r#type: "Dataset",
            label: Texts::english("The picture's record"),
            format: "application/json",
        }],
        items: [Canvas {
            id: canvas,
            r#type: "Canvas",
            height: showing.height,
            width: showing.width,
            items: [page],
            annotations: [labels],
        }],
    })
}

/// The address of a picture's manifest.
pub(super) fn address(base: &Base, asset: &AssetId) -> String {
    base.at(&format!("/iiif/manifest/{asset}"))
}

/// The name of a picture's canvas; it is part of the manifest.
pub(super) fn canvas(base: &Base, asset: &AssetId) -> String {
    format!("{}/canvas/1", address(base, asset))
}
