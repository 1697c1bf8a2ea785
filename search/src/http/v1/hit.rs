//! Hits as they are told: what was found, why, and where its pictures are.

use glassplate_pipeline::asset::AssetId;
use glassplate_pipeline::label::LabelKind;
use glassplate_pipeline::record::LabelState;
use serde::Serialize;
use utoipa::ToSchema;

use super::links::Links;
use crate::highlight::Highlight;
use crate::search::Hit;
use crate::why::Why;

/// One record that was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Hit)]
pub(super) struct HitTold<'a> {
    /// The asset's id.
    #[schema(value_type = String)]
    asset: &'a AssetId,
    /// How well it fits; only hits of one answer can be compared.
    score: f32,
    /// Its title, or its caption's beginning, its surest labels, its file's name.
    title: &'a str,
    /// The collections that it belongs to.
    collections: &'a [String],
    /// Where it was found, at most 40 places.
    sources: &'a [String],
    /// Its surest labels above the bar, a person's first, at most 5.
    labels: Vec<LabelTold<'a>>,
    /// Why it was found.
    why: Vec<WhyTold<'a>>,
    /// Pieces of texts with the words found in them.
    highlights: Vec<HighlightTold<'a>>,
    /// The picture's width in pixels, upright.
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    /// The picture's height in pixels, upright.
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    /// A small picture of it.
    #[schema(format = "uri-reference")]
    thumbnail: String,
    /// Everything known of it.
    #[schema(format = "uri-reference")]
    href: String,
}

/// A label of a hit.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HitLabel)]
struct LabelTold<'a> {
    name: &'a str,
    #[schema(value_type = Kind)]
    kind: LabelKind,
    /// How sure its source is.
    #[schema(minimum = 0, maximum = 1)]
    confidence: f32,
    /// What people made of it.
    #[schema(value_type = State)]
    state: LabelState,
    /// The model's name, or who the person is.
    model: &'a str,
}

/// One reason why a record was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Why)]
struct WhyTold<'a> {
    /// The reason for people: `turtle: via loggerhead, object 0.93, efficientnet-lite0`.
    text: String,
    /// The same for programs: `found` is `text`, `label` or `place`, `word` what was asked for.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    parts: &'a Why,
}

/// A piece of a text with the words found in it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Highlight)]
struct HighlightTold<'a> {
    /// The metadata field.
    field: &'a str,
    /// The piece.
    text: &'a str,
    /// Begin and end of each word found, in bytes of the UTF-8 of `text`.
    #[schema(value_type = Vec<[u32; 2]>)]
    found: &'a [(usize, usize)],
}

/// What a label speaks of.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "it describes what the pipeline's own type writes")]
pub(crate) enum Kind {
    Object,
    Scene,
    Concept,
}

/// What people made of a label.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "it describes what the pipeline's own type writes")]
pub(crate) enum State {
    /// A machine's claim that nobody ruled on.
    Proposed,
    /// A machine's claim that a person confirmed.
    Approved,
    /// A machine's claim that a person refused.
    Rejected,
    /// A person's own.
    Added,
}

impl<'a> HitTold<'a> {
    pub(super) fn of(hit: &'a Hit, links: Links<'_>) -> Self {
        let Hit { asset, score, title, collections, sources, width, height, .. } = hit;
        let label = |label: &'a crate::FoundLabel| LabelTold {
            name: &label.name,
            kind: label.kind,
            confidence: label.confidence,
            state: label.state,
            model: &label.model,
        };
        let highlight =
            |Highlight { field, text, found }: &'a Highlight| HighlightTold { field, text, found };
        Self {
            asset,
            score: *score,
            title,
            collections,
            sources,
            labels: hit.labels.iter().map(label).collect(),
            why: hit.why.iter().map(|why| WhyTold { text: why.to_string(), parts: why }).collect(),
            highlights: hit.highlights.iter().map(highlight).collect(),
            width: *width,
            height: *height,
            thumbnail: links.rendition(asset, super::files::THUMBNAIL),
            href: links.asset(asset),
        }
    }
}
