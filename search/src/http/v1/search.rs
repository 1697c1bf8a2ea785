//! `GET /v1/search`: finds pictures.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::HeaderValue;
use axum::response::Response;
use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::fault::Fault;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::hit::HitTold;
use super::links::Links;
use super::list::{Next, limit};
use crate::ask::{Ask, Correction, Counts, Cursor, Facet, Sort};
use crate::http::answers::{Earlier, Known, Name};
use crate::http::asked::{Asked, json_bytes, stated, written};
use crate::http::{Caller, Problem, Site};

/// How many values of each facet are told unless the client says another number.
const VALUES: usize = 10;

/// One search.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Search {
    /// Words, "phrases", field:value, -not; empty: everything.
    #[serde(default)]
    q: String,
    /// Only pictures with all of these objects.
    #[serde(default)]
    object: Vec<String>,
    /// Only pictures of this scene.
    #[serde(default)]
    scene: Vec<String>,
    /// Only pictures with all of these concepts.
    #[serde(default)]
    concept: Vec<String>,
    /// Only pictures of this collection.
    #[serde(default)]
    collection: Vec<String>,
    /// Only pictures taken in this decade: `1930s`.
    #[serde(default)]
    decade: Vec<String>,
    /// Only originals of this format: `jpeg`.
    #[serde(default)]
    format: Vec<String>,
    /// Only `colour`, `grey` or `toned` pictures.
    #[serde(default)]
    tone: Vec<String>,
    /// Only `landscape`, `portrait` or `square` pictures.
    #[serde(default)]
    orientation: Vec<String>,
    /// Only pictures with labels that are `approved`, `added` or `proposed`.
    #[serde(default)]
    state: Vec<String>,
    /// Which facets to count, separated by commas.
    #[serde(default, deserialize_with = "stated")]
    #[param(value_type = Vec<Facet>, style = Form, explode = false, min_items = 1)]
    facets: Option<String>,
    /// How many values of each facet to tell, the most frequent first.
    #[serde(default, deserialize_with = "stated")]
    #[param(minimum = 1, maximum = 100, default = 10)]
    values: Option<usize>,
    /// The order of the hits.
    #[serde(default)]
    #[param(inline)]
    sort: Sort,
    /// How many hits at most.
    #[serde(default, deserialize_with = "stated")]
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<usize>,
    /// Where an earlier answer ended: its `next.cursor`.
    cursor: Option<String>,
    /// Whether the query is still being typed: its last word may go on.
    #[serde(default)]
    typing: bool,
}

/// What a search found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SearchAnswer)]
struct Found<'a> {
    /// How many records match, exactly.
    total: u64,
    /// The hits, in the order asked for.
    hits: Vec<HitTold<'a>>,
    /// The counts of the facets asked for, exact, in the order asked for.
    facets: &'a [Counts],
    /// Where to go on; absent when there is no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Next>,
    /// Words that were taken for others.
    corrections: &'a [Correction],
    /// What the asker should know.
    notes: &'a [String],
}

impl Search {
    fn ask(self) -> Result<Ask, Problem> {
        let facets = self.facets.iter().flat_map(|names| names.split(','));
        let facets = facets.map(|name| name.trim().parse()).collect::<Result<_, _>>()?;
        let mut within = Vec::new();
        for (facet, values) in [
            (Facet::Object, self.object),
            (Facet::Scene, self.scene),
            (Facet::Concept, self.concept),
            (Facet::Collection, self.collection),
            (Facet::Decade, self.decade),
            (Facet::Format, self.format),
            (Facet::Tone, self.tone),
            (Facet::Orientation, self.orientation),
            (Facet::State, self.state),
        ] {
            within.extend(values.into_iter().map(|value| (facet, value)));
        }
        Ok(Ask {
            query: self.q,
            within,
            facets,
            values: values(self.values)?,
            sort: self.sort,
            limit: limit(self.limit)?,
            after: self.cursor.map(Cursor::given),
            typing: self.typing,
        })
    }
}

fn values(asked: Option<usize>) -> Result<usize, Problem> {
    let most = crate::ask::MOST_VALUES;
    let asked = asked.unwrap_or(VALUES);
    if (1..=most).contains(&asked) {
        return Ok(asked);
    }
    let message = format!("values is {asked}: 1 to {most}");
    Err(Fault::bad_input(message).into())
}

/// Find pictures
///
/// Words are looked for in what people wrote and in labels, with synonyms and broader terms. Every
/// hit says why it was found. Totals and counts are exact.
#[utoipa::path(
    get,
    path = "/v1/search",
    tag = "search",
    params(Search),
    responses((status = 200, description = "What was found", body = Found<'_>))
)]
pub(super) async fn search(
    State(site): State<Arc<Site>>,
    caller: Caller,
    RawQuery(query): RawQuery,
    Asked(asked): Asked<Search>,
) -> Result<Response, Problem> {
    let began = Instant::now();
    let ask = asked.ask()?;
    let query = query.unwrap_or_default();
    let name = Name { tenant: caller.tenant.clone(), query };
    let epoch = site.index.epoch()?;
    let told = match site.answers.known(&name, epoch, began) {
        Known::Right(told) => told,
        Known::Earlier(earlier) if lasts(&site, &earlier, &name.tenant, &ask)? => {
            site.answers.confirm(&earlier, epoch, began);
            earlier.answer
        }
        Known::Earlier(earlier) if earlier.recent => {
            if earlier.renew() {
                // Nobody waits for it; what goes wrong, the next who asks is told.
                tokio::spawn(async move { tell(&site, name, ask).await.ok() });
            }
            earlier.answer
        }
        Known::Earlier(_) | Known::Nothing => tell(&site, name, ask).await?,
    };
    let mut response = json_bytes(told);
    let timing = format!("search;dur={:.2}", began.elapsed().as_secs_f64() * 1000.0);
    if let Ok(timing) = HeaderValue::from_str(&timing) {
        response.headers_mut().insert("server-timing", timing);
    }
    Ok(response)
}

/// Whether an answer of an earlier epoch is right all the same.
fn lasts(site: &Site, earlier: &Earlier, tenant: &Tenant, ask: &Ask) -> Result<bool, Fault> {
    let Some(epoch) = earlier.lasting() else { return Ok(false) };
    site.index.lasts(tenant, ask, epoch)
}

/// Asks the index, and writes and keeps what it answers.
async fn tell(site: &Site, name: Name, ask: Ask) -> Result<Bytes, Problem> {
    // Told before the index is asked: what comes in meanwhile makes the answer outdated.
    let (epoch, began) = (site.index.epoch()?, Instant::now());
    let answer = site.search(&name.tenant, ask).await?;
    let links = Links::of(site);
    let next = answer.next.as_ref().map(|cursor| {
        let cursor = cursor.to_string();
        let href = links.after("/v1/search", Some(&name.query), &cursor);
        Next { cursor, href }
    });
    let told = written(&Found {
        total: answer.total,
        hits: answer.hits.iter().map(|hit| HitTold::of(hit, links)).collect(),
        facets: &answer.facets,
        next,
        corrections: &answer.corrections,
        notes: &answer.notes,
    })?;
    let sure = answer.total > 0 && answer.notes.is_empty();
    site.answers.keep(name, epoch, sure, &told, began);
    Ok(told)
}
