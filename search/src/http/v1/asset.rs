//! `GET /v1/assets/{id}`: everything known of one picture.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use glassplate_pipeline::assessment::Assessment;
use glassplate_pipeline::asset::{AssetId, Occurrence, PixelDigest};
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::field::Fields;
use glassplate_pipeline::image::{Format, Technical};
use glassplate_pipeline::label::{Evidence, Instance, LabelKind, Synset};
use glassplate_pipeline::opinion::Opinion;
use glassplate_pipeline::record::{
    Bar, Doubt, LabelSource, LabelState, Parts, Record, RecordLabel, Ruled, StepState, fold,
};
use glassplate_pipeline::rendition::Rendition;
use glassplate_pipeline::restoration::Repaired;
use glassplate_pipeline::run::RunId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::hit::{Kind, State as RuledState};
use super::links::Links;
use crate::http::asked::{Asked, Named, json, stated};
use crate::http::{Caller, Problem, Site};

/// What is asked of an asset.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// How sure a machine's label must be, instead of the archive's own bar; 0: every label,
    /// refused and doubtful ones included.
    #[serde(default, deserialize_with = "stated")]
    #[param(minimum = 0, maximum = 1)]
    min_confidence: Option<f64>,
    /// What to tell besides, separated by commas.
    #[param(value_type = Vec<Besides>, style = Form, explode = false, min_items = 1)]
    #[serde(default, deserialize_with = "stated")]
    include: Option<String>,
}

/// What can be told besides.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "it describes the parameter, which is read as a list")]
pub(super) enum Besides {
    /// Each label's broader terms.
    Parents,
    /// What each inferred label rests on.
    Evidence,
    /// What each step and model said, in full.
    Opinions,
}

/// What to tell besides, as read.
#[derive(Debug, Default, PartialEq, Eq)]
struct Include {
    parents: bool,
    evidence: bool,
    opinions: bool,
}

/// Everything known of one picture.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Asset)]
struct AssetTold<'a> {
    /// Its id.
    #[schema(value_type = String)]
    asset: &'a AssetId,
    /// What it is called: its title, its caption or its file's name.
    title: String,
    digest: Digests,
    /// The digest of the coded picture without its metadata, shared by its family.
    #[schema(value_type = Option<String>)]
    pixel_digest: Option<PixelDigest>,
    /// The perceptual hash, 16 hexadecimal digits.
    phash: Option<&'a str>,
    /// The original's format, by content.
    #[schema(value_type = Option<String>)]
    format: Option<Format>,
    /// Width in pixels as coded, before orientation.
    width: Option<u32>,
    /// Height in pixels as coded, before orientation.
    height: Option<u32>,
    /// The original's length in bytes.
    bytes: u64,
    /// When it was first registered.
    #[schema(value_type = String, format = DateTime)]
    registered: Timestamp,
    /// What else the original's header says.
    #[schema(value_type = Option<Object>)]
    technical: Option<&'a Technical>,
    /// Where it was found, and the metadata beside it.
    occurrences: Vec<OccurrenceTold<'a>>,
    /// The metadata inside the file: each field with `value`, `source` and, in `also`, what other
    /// sources say.
    #[schema(value_type = Object)]
    embedded: &'a Fields,
    /// Derived pictures, largest first.
    renditions: Vec<RenditionTold<'a>>,
    /// What is special about the pixels: `tone`, `chroma`, and in `condition` what was measured.
    #[schema(value_type = Option<Object>)]
    assessment: Option<&'a Assessment>,
    /// Pictures that programs repaired, each beside the original and never in its place.
    restorations: Vec<RestorationTold<'a>>,
    /// Objects, scenes and concepts, by kind, the surest first.
    labels: Vec<LabelTold<'a>>,
    /// How many labels were not asked for: weaker, doubtful or refused.
    hidden: usize,
    /// What each step came to: `done`, `none_found`, `not_run` or `failed`.
    #[schema(value_type = Object)]
    steps: &'a BTreeMap<String, StepState>,
    /// Other assets that show the same picture.
    #[schema(value_type = Vec<String>)]
    family: Vec<AssetId>,
    /// What each step and model said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    opinions: Option<&'a [Opinion]>,
    links: LinksTold,
}

/// Digests of the original's bytes, in hexadecimal digits.
#[derive(Debug, Serialize, ToSchema)]
struct Digests {
    sha256: String,
    blake3: String,
}

/// A place where the picture was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Occurrence)]
struct OccurrenceTold<'a> {
    collection: &'a str,
    source: &'a str,
    /// Metadata that came beside it.
    #[schema(value_type = Object)]
    metadata: &'a Fields,
}

/// A derived picture.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rendition)]
struct RenditionTold<'a> {
    name: &'a str,
    /// In pixels.
    width: u32,
    /// In pixels.
    height: u32,
    media_type: &'a str,
    #[schema(format = "uri-reference")]
    href: String,
}

/// A picture that programs repaired.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Restoration)]
struct RestorationTold<'a> {
    /// What was done, in short.
    name: &'a str,
    /// What kind of picture it is: one of IPTC's digital source types.
    #[schema(format = "uri")]
    source_type: &'a str,
    /// What was done, in order: `repair`, `maker`, `strength`, `remark` and `seconds`.
    #[schema(value_type = Vec<Object>)]
    repairs: &'a [Repaired],
    /// The files, largest first.
    files: Vec<RenditionTold<'a>>,
    /// The SHA-256 of the largest file.
    sha256: String,
    /// The run that made it, and with which it can be taken back.
    #[schema(value_type = String)]
    run: &'a RunId,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Labels found on it and not on the original: a network may have drawn what they see.
    labels: Vec<LabelTold<'a>>,
}

/// A label: a claim, whose it is, and what people made of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Label)]
struct LabelTold<'a> {
    name: &'a str,
    #[schema(value_type = Kind)]
    kind: LabelKind,
    /// How sure its source is; a person is sure.
    #[schema(minimum = 0, maximum = 1)]
    confidence: f32,
    /// The WordNet 3.0 synset.
    #[schema(value_type = Option<String>)]
    wordnet: Option<&'a Synset>,
    /// The broad category of an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<&'a str>,
    #[schema(value_type = RuledState)]
    state: LabelState,
    /// Where in the upright picture: left, top, width, height as fractions, with a confidence.
    #[schema(value_type = Vec<Object>)]
    instances: &'a [Instance],
    /// Why a person should look before this is shown.
    #[schema(value_type = Vec<Object>)]
    doubts: &'a [Doubt],
    /// Whose claim it is: backend, model, version, run.
    #[schema(value_type = Object)]
    source: &'a LabelSource,
    /// Who ruled on it last, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    ruled: Option<&'a Ruled>,
    /// Names of its broader terms, nearest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    parents: Option<&'a [String]>,
    /// What it rests on, with weights in log-odds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    evidence: Option<&'a [Evidence]>,
}

/// Where else to look.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AssetLinks)]
struct LinksTold {
    #[serde(rename = "self")]
    #[schema(format = "uri-reference")]
    own: String,
    /// The original's bytes.
    #[schema(format = "uri-reference")]
    original: String,
    #[schema(format = "uri-reference")]
    decisions: String,
    #[schema(format = "uri-reference")]
    similar: String,
    /// The IIIF Image API's base.
    #[schema(format = "uri-reference")]
    iiif_image: String,
    /// The IIIF Presentation API's manifest.
    #[schema(format = "uri-reference")]
    iiif_manifest: String,
    /// The page for people.
    #[schema(format = "uri-reference")]
    page: String,
}

impl Wanted {
    fn include(&self) -> Result<Include, Fault> {
        let mut include = Include::default();
        for name in self.include.iter().flat_map(|names| names.split(',')) {
            match name.trim() {
                "parents" => include.parents = true,
                "evidence" => include.evidence = true,
                "opinions" => include.opinions = true,
                _ => {
                    return Err(Fault::bad_input(format!(
                        "include has {name:?}: parents, evidence and opinions can be included"
                    )));
                }
            }
        }
        Ok(include)
    }
}

/// Tell everything known of one picture
#[utoipa::path(
    get,
    path = "/v1/assets/{id}",
    tag = "assets",
    params(("id" = String, Path, description = "The asset's id"), Wanted),
    responses((status = 200, description = "Everything known of it", body = AssetTold<'_>))
)]
pub(super) async fn asset(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Named(id): Named,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    let (bar, include) = (bar(wanted.min_confidence, site.bar)?, wanted.include()?);
    let parts = existing(&site, &caller, &id).await?;
    let (parts, record) = folded(&site, parts).await?;
    let mut family = match &record.pixel_digest {
        Some(pixels) => site.catalogue.family(&caller.tenant, pixels).await?,
        None => Vec::new(),
    };
    family.retain(|other| *other != id);
    json(&told(&record, &parts, family, bar, &include, Links::of(&site)))
}

/// Which labels are told when so much is asked for, or nothing; none: all of them.
///
/// # Errors
/// `BadInput` for what is no confidence.
pub(super) fn bar(least: Option<f64>, own: Bar) -> Result<Option<Bar>, Fault> {
    match least {
        None => Ok(Some(own)),
        Some(0.0) => Ok(None),
        Some(least) if (0.0..=1.0).contains(&least) => Ok(Some(Bar::of_all(least as f32))),
        Some(least) => {
            Err(Fault::bad_input(format!("min_confidence is {least}: a number from 0 to 1")))
        }
    }
}

/// Reads all that was said of an asset.
///
/// # Errors
/// `NotFound` when the caller's tenant has no such asset.
pub(super) async fn existing(site: &Site, caller: &Caller, id: &AssetId) -> Result<Parts, Fault> {
    site.catalogue.parts(&caller.tenant, id).await?.ok_or_else(|| no_such_asset(id))
}

/// What is answered for an id that names nothing here, whether or not it does elsewhere.
pub(super) fn no_such_asset(id: &AssetId) -> Fault {
    Fault::not_found(format!("there is no asset {id}"))
}

/// Folds off the runtime: to interpret is work of the processor.
pub(super) async fn folded(site: &Site, parts: Parts) -> Result<(Parts, Record), Fault> {
    let interpreter = site.interpreter.clone();
    site.gate
        .pass(move || {
            let record = fold(&parts, &*interpreter);
            Ok((parts, record))
        })
        .await
}

fn told<'a>(
    record: &'a Record,
    parts: &'a Parts,
    family: Vec<AssetId>,
    bar: Option<Bar>,
    include: &Include,
    links: Links<'_>,
) -> AssetTold<'a> {
    let id = &record.asset;
    let shown = |label: &&RecordLabel| bar.is_none_or(|bar| bar.shows(label));
    let labels: Vec<_> =
        record.labels.iter().filter(shown).map(|label| label_told(label, include)).collect();
    AssetTold {
        asset: id,
        title: glassplate_pipeline::review::title(record),
        digest: Digests {
            sha256: record.digest.sha256.to_string(),
            blake3: record.digest.blake3.to_string(),
        },
        pixel_digest: record.pixel_digest,
        phash: record.phash.as_deref(),
        format: record.format,
        width: record.width,
        height: record.height,
        bytes: record.bytes,
        registered: record.registered,
        technical: record.technical.as_ref(),
        occurrences: record.occurrences.iter().map(occurrence_told).collect(),
        embedded: &record.embedded,
        renditions: record.renditions.iter().map(|file| rendition_told(id, file, links)).collect(),
        assessment: record.assessment.as_ref(),
        restorations: record
            .restorations
            .iter()
            .map(|made| RestorationTold {
                name: &made.restoration.name,
                source_type: &made.restoration.source_type,
                repairs: &made.restoration.repairs,
                files: made
                    .restoration
                    .files
                    .iter()
                    .map(|file| rendition_told(id, file, links))
                    .collect(),
                sha256: made.restoration.digest.to_string(),
                run: &made.run,
                at: made.at,
                labels: made
                    .labels
                    .iter()
                    .filter(|label| bar.is_none_or(|bar| bar.shows_only(label, &record.labels)))
                    .map(|label| label_told(label, include))
                    .collect(),
            })
            .collect(),
        hidden: record.labels.len() - labels.len(),
        labels,
        steps: &record.steps,
        family,
        opinions: include.opinions.then_some(&parts.opinions),
        links: LinksTold {
            own: links.asset(id),
            original: links.original(id),
            decisions: links.decisions(id),
            similar: links.similar(id),
            iiif_image: links.image(id),
            iiif_manifest: links.manifest(id),
            page: links.page(id),
        },
    }
}

fn rendition_told<'a>(id: &AssetId, file: &'a Rendition, links: Links<'_>) -> RenditionTold<'a> {
    RenditionTold {
        name: &file.name,
        width: file.width,
        height: file.height,
        media_type: &file.media_type,
        href: links.rendition(id, &file.name),
    }
}

fn occurrence_told(Occurrence { collection, source, metadata }: &Occurrence) -> OccurrenceTold<'_> {
    OccurrenceTold { collection, source, metadata }
}

fn label_told<'a>(label: &'a RecordLabel, include: &Include) -> LabelTold<'a> {
    LabelTold {
        name: &label.name,
        kind: label.kind,
        confidence: label.confidence,
        wordnet: label.wordnet.as_ref(),
        category: label.category.as_deref(),
        state: label.state,
        instances: &label.instances,
        doubts: &label.doubts,
        source: &label.source,
        ruled: label.ruled.as_ref(),
        parents: include.parents.then_some(&label.parents),
        evidence: include.evidence.then_some(&label.evidence),
    }
}
