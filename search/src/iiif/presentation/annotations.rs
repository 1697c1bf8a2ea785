//! `GET /iiif/annotations/{asset}`: the labels that have a place in the picture, as tags on it.
//!
//! Source: Presentation API 3.0, section 5.5; Web Annotation Data Model, 3.2.4 and 3.3.5. Only
//! what is shown without being asked for is told, and every tag says how sure it is and whose.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::label::Instance;
use glassplate_pipeline::record::{Bar, LabelState, RecordLabel, fold};
use serde::Serialize;

use super::super::address::Base;
use super::super::image::{Segments, named, segments};
use super::super::refusal::Refusal;
use super::super::showing::Showing;
use super::answer;
use super::manifest::canvas;
use crate::http::{Caller, Site};

#[derive(Debug, Serialize)]
struct AnnotationPage {
    id: String,
    r#type: &'static str,
    items: Vec<Annotation>,
}

#[derive(Debug, Serialize)]
struct Annotation {
    id: String,
    r#type: &'static str,
    motivation: &'static str,
    body: TextualBody,
    target: String,
}

#[derive(Debug, Serialize)]
struct TextualBody {
    r#type: &'static str,
    value: String,
    language: &'static str,
    format: &'static str,
}

/// Answers with the labels of a picture that have boxes.
pub(in super::super) async fn annotations(
    State(site): State<Arc<Site>>,
    caller: Caller,
    headers: HeaderMap,
    asset: Segments<String>,
) -> Result<Response, Refusal> {
    let asset = named(&segments(asset)?)?;
    let parts = site.catalogue.parts(&caller.tenant, &asset).await?;
    let parts = parts.ok_or_else(|| Fault::not_found(format!("there is no asset {asset}")))?;
    let showing = Showing::in_parts(&parts)?;
    let labels = fold(&parts, &*site.interpreter).labels;
    let base = Base::of(&site.served, &headers);
    let id = base.at(&format!("/iiif/annotations/{asset}"));
    let size = (showing.width, showing.height);
    let items = tags(&id, &canvas(&base, &asset), size, &labels, &site.bar);
    answer(AnnotationPage { id, r#type: "AnnotationPage", items }, &headers)
}

fn tags(
    page: &str,
    canvas: &str,
    size: (u32, u32),
    labels: &[RecordLabel],
    bar: &Bar,
) -> Vec<Annotation> {
    let shown = labels.iter().filter(|label| bar.shows(label));
    let places = shown.flat_map(|label| label.instances.iter().map(move |place| (label, place)));
    let annotation = |(at, (label, place)): (usize, (&RecordLabel, &Instance))| Annotation {
        id: format!("{page}/{}", at + 1),
        r#type: "Annotation",
        motivation: "tagging",
        body: TextualBody {
            r#type: "TextualBody",
            value: said(label, place),
            language: "en",
            format: "text/plain",
        },
        target: format!("{canvas}#xywh={}", fragment(place, size)),
    };
    places.enumerate().map(annotation).collect()
}

/// Says what is seen, how surely, by whom and what people made of it.
fn said(label: &RecordLabel, place: &Instance) -> String {
    let (name, kind) = (&label.name, label.kind.name());
    let state = match label.state {
        LabelState::Proposed => "proposed",
        LabelState::Approved => "approved",
        LabelState::Added => "added",
        LabelState::Rejected => "rejected",
    };
    format!("{name} ({kind}, {:.2}, {state}, {})", place.confidence, label.source.model)
}

/// Writes a box in whole pixels of the canvas (Media Fragments URI 1.0, 4.2.2), within it.
fn fragment(place: &Instance, (width, height): (u32, u32)) -> String {
    let [left, top, across, down] = place.frame;
    let span = |from: f32, length: f32, whole: u32| {
        let at =
            |fraction: f32| (f64::from(fraction).clamp(0.0, 1.0) * f64::from(whole)).round() as u32;
        let first = at(from).min(whole - 1);
        (first, at(from + length).clamp(first + 1, whole) - first)
    };
    let ((x, w), (y, h)) = (span(left, across, width), span(top, down, height));
    format!("{x},{y},{w},{h}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(frame: [f32; 4]) -> Instance {
        Instance { frame, confidence: 0.5 }
    }

    #[test]
    fn a_box_is_whole_pixels_within_the_canvas() {
        for (frame, text) in [
            ([0.25, 0.5, 0.5, 0.25], "100,100,200,50"),
            ([0.0, 0.0, 1.0, 1.0], "0,0,400,200"),
            ([0.9, 0.9, 0.5, 0.5], "360,180,40,20"),
            ([-0.1, -0.1, 0.2, 0.2], "0,0,40,20"),
            ([1.0, 1.0, 0.0, 0.0], "399,199,1,1"),
        ] {
            assert_eq!(fragment(&place(frame), (400, 200)), text, "{frame:?}");
        }
    }
}
