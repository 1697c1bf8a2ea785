//! `GET /v1/review`: the labels that a person should look at, those first that teach the most.
//!
//! To find them every record must be folded, which no request can do for a large archive. So a
//! queue is kept for each tenant, collection and kind that is asked for: a request lets it look
//! at as many further records as a moment allows, and tells how far it has come. What was ruled
//! on meanwhile is left out by looking at the few records of the page again.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Extension, RawQuery, State};
use axum::response::Response;
use glassplate_pipeline::asset::{AssetId, Tenant};
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::label::{Evidence, LabelKind};
use glassplate_pipeline::record::{Doubt, LabelSource, LabelState, fold};
use glassplate_pipeline::review::{Question, Queue};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::hit::Kind;
use super::links::Links;
use super::list::{Next, cursor, limit, place};
use crate::http::asked::{Asked, json, one_of, stated};
use crate::http::{Caller, Problem, Site};

/// How many questions a queue keeps.
const KEPT: usize = 1_000;
/// How long one request lets a queue look at records.
const MOMENT: Duration = Duration::from_millis(1_000);
/// How long what a queue found is taken as it is.
const FRESH: Duration = Duration::from_secs(5);
/// How long after it began a queue that has seen everything begins anew.
const OLD: Duration = Duration::from_secs(300);
/// How many queues are kept; the oldest goes for a new one.
const QUEUES: usize = 64;
/// How many records are in memory at once.
const PAGE: usize = 200;

/// Which questions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only this collection.
    collection: Option<String>,
    /// Only labels of this kind.
    #[serde(default, deserialize_with = "one_of")]
    #[param(value_type = Option<Kind>, inline)]
    kind: Option<LabelKind>,
    /// How many questions at most.
    #[serde(default, deserialize_with = "stated")]
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<usize>,
    /// Where an earlier page ended: its `next.cursor`.
    cursor: Option<String>,
}

/// The queues of all who review.
#[derive(Default)]
pub(crate) struct Reviews {
    queues: Mutex<HashMap<Of, Arc<tokio::sync::Mutex<Watched>>>>,
}

/// What a queue is of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Of {
    tenant: Tenant,
    collection: Option<String>,
    kind: Option<LabelKind>,
}

/// A queue, and how far it has come.
struct Watched {
    queue: Queue,
    began: Instant,
    looked: Option<Instant>,
    after: Option<AssetId>,
    looked_at: u64,
    complete: bool,
    open: u64,
    questions: Arc<Vec<Question>>,
}

/// Labels that a person should look at.
#[derive(Debug, Serialize, ToSchema)]
struct Review<'a> {
    /// How many labels are open among the records looked at.
    open: u64,
    /// How many records were looked at so far.
    looked_at: u64,
    /// Whether those are all; else a later request knows more.
    complete: bool,
    /// Those first that teach the most.
    questions: Vec<QuestionTold<'a>>,
    /// Where to go on; absent when there is no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Next>,
}

/// One label that a person should look at.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Question)]
struct QuestionTold<'a> {
    #[schema(value_type = String)]
    asset: &'a AssetId,
    /// What the picture is called.
    title: &'a str,
    /// Where it was first found.
    source: &'a str,
    label: &'a str,
    #[schema(value_type = Kind)]
    kind: LabelKind,
    /// How sure its source is.
    #[schema(minimum = 0, maximum = 1)]
    confidence: f32,
    /// The least confidence that would show it.
    #[schema(minimum = 0, maximum = 1)]
    bar: f32,
    /// Why it is held back; empty for what is only uncertain.
    #[schema(value_type = Vec<Object>)]
    doubts: &'a [Doubt],
    /// The strongest evidence of an inferred label.
    #[schema(value_type = Vec<Object>)]
    evidence: &'a [Evidence],
    /// Whose claim it is.
    #[schema(value_type = Object)]
    by: &'a LabelSource,
    /// How many inferred labels of the record rest on it.
    resting: u32,
    /// How many other pictures carry the same label as uncertain.
    others: u32,
    /// How much a ruling would teach: above 1 for doubts.
    score: f32,
    #[schema(format = "uri-reference")]
    thumbnail: String,
    /// Where to send the ruling.
    #[schema(format = "uri-reference")]
    decisions: String,
}

/// List the labels that a person should look at
///
/// The queue grows while it is asked for: `complete` tells whether all records were looked at.
#[utoipa::path(
    get,
    path = "/v1/review",
    tag = "review",
    params(Which),
    responses((status = 200, description = "Those first that teach the most", body = Review<'_>))
)]
pub(super) async fn review(
    State(site): State<Arc<Site>>,
    Extension(reviews): Extension<Arc<Reviews>>,
    caller: Caller,
    RawQuery(query): RawQuery,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    let limit = limit(which.limit)?;
    let after = which.cursor.as_deref().map(place).transpose()?;
    let waiting = reviews.waiting(&site, &caller.tenant, which.collection, which.kind).await?;
    let Waiting { questions, open, looked_at, complete } = waiting;
    let begin = after.map_or(0, |after| begin_after(&questions, &after));
    let left = &questions[begin..];
    let page = &left[..limit.min(left.len())];
    let settled = settled(&site, &caller.tenant, page).await?;
    let links = Links::of(&site);
    let next = page.last().filter(|_| left.len() > page.len()).map(|last| {
        let cursor = cursor(&name_of(last));
        let href = links.after("/v1/review", query.as_deref(), &cursor);
        Next { cursor, href }
    });
    let open_still = |question: &&Question| !settled.contains(&name_of(question));
    let told = |question| question_told(question, links);
    let questions = page.iter().filter(open_still).map(told).collect();
    json(&Review { open, looked_at, complete, questions, next })
}

/// What a queue has found so far.
pub(crate) struct Waiting {
    /// Those first that teach the most; some may have been answered meanwhile.
    pub(crate) questions: Arc<Vec<Question>>,
    /// How many labels are open among the records looked at.
    pub(crate) open: u64,
    /// How many records were looked at so far.
    pub(crate) looked_at: u64,
    /// Whether those are all.
    pub(crate) complete: bool,
}

impl Reviews {
    /// Tells what waits to be answered, having looked on for a moment.
    pub(crate) async fn waiting(
        &self,
        site: &Site,
        tenant: &Tenant,
        collection: Option<String>,
        kind: Option<LabelKind>,
    ) -> Result<Waiting, Fault> {
        let of = Of { tenant: tenant.clone(), collection, kind };
        let watched = self.queue(&of, site);
        let mut watched = watched.lock().await;
        watched.look(site, &of).await?;
        let Watched { questions, open, looked_at, complete, .. } = &*watched;
        let questions = questions.clone();
        Ok(Waiting { questions, open: *open, looked_at: *looked_at, complete: *complete })
    }

    fn queue(&self, of: &Of, site: &Site) -> Arc<tokio::sync::Mutex<Watched>> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        if !queues.contains_key(of) && queues.len() >= QUEUES {
            // One that is being looked at is the youngest.
            let began = |queue: &Arc<tokio::sync::Mutex<Watched>>| {
                queue.try_lock().map_or_else(|_| Instant::now(), |watched| watched.began)
            };
            let oldest = queues.iter().min_by_key(|(_, queue)| began(queue));
            if let Some(oldest) = oldest.map(|(of, _)| of.clone()) {
                queues.remove(&oldest);
            }
        }
        queues.entry(of.clone()).or_insert_with(|| Arc::new(Watched::new(site, of).into())).clone()
    }
}

impl Watched {
    fn new(site: &Site, of: &Of) -> Self {
        Self {
            queue: Queue::new(site.bar, of.kind, KEPT),
            began: Instant::now(),
            looked: None,
            after: None,
            looked_at: 0,
            complete: false,
            open: 0,
            questions: Arc::default(),
        }
    }

    /// Looks at further records for a moment, when it has not just done so.
    async fn look(&mut self, site: &Site, of: &Of) -> Result<(), Fault> {
        if self.complete && self.began.elapsed() > OLD {
            *self = Self::new(site, of);
        }
        if self.complete || self.looked.is_some_and(|looked| looked.elapsed() < FRESH) {
            return Ok(());
        }
        let began = Instant::now();
        while !self.complete && began.elapsed() < MOMENT {
            self.look_at_page(site, of).await?;
        }
        let (open, questions) = self.queue.clone().finish();
        (self.open, self.questions) = (open, Arc::new(questions));
        self.looked = Some(Instant::now());
        Ok(())
    }

    async fn look_at_page(&mut self, site: &Site, of: &Of) -> Result<(), Fault> {
        let (catalogue, collection) = (&site.catalogue, of.collection.as_deref());
        let page = catalogue.assets(&of.tenant, collection, self.after.as_ref(), PAGE).await?;
        let all = catalogue.parts_of_many(&of.tenant, &page).await?;
        let interpreter = site.interpreter.clone();
        let mut queue = self.queue.clone();
        let work = move || {
            all.iter().for_each(|parts| queue.add(&fold(parts, &*interpreter)));
            Ok(queue)
        };
        self.queue = site.gate.pass(work).await?;
        self.looked_at += page.len() as u64;
        self.complete = page.len() < PAGE;
        self.after = page.last().cloned().or(self.after.take());
        Ok(())
    }
}

/// The names of those questions that were answered since they were asked.
async fn settled(
    site: &Site,
    tenant: &Tenant,
    page: &[Question],
) -> Result<HashSet<String>, Fault> {
    let mut assets: Vec<AssetId> = page.iter().map(|question| question.asset.clone()).collect();
    assets.sort();
    assets.dedup();
    let all = site.catalogue.parts_of_many(tenant, &assets).await?;
    // Only what somebody ruled on needs to be read again.
    let ruled: Vec<_> = all.into_iter().filter(|parts| !parts.decisions.is_empty()).collect();
    let interpreter = site.interpreter.clone();
    let records = site
        .gate
        .pass(move || Ok(ruled.iter().map(|parts| fold(parts, &*interpreter)).collect::<Vec<_>>()))
        .await?;
    let mut settled = HashSet::new();
    for question in page {
        let Some(record) = records.iter().find(|record| record.asset == question.asset) else {
            continue;
        };
        let open = record.labels.iter().any(|label| {
            label.state == LabelState::Proposed
                && label.kind == question.kind
                && label.name == question.label
        });
        if !open {
            settled.insert(name_of(question));
        }
    }
    Ok(settled)
}

/// Where a list goes on after a question that it may hold no more.
fn begin_after(questions: &[Question], after: &str) -> usize {
    if let Some(at) = questions.iter().position(|question| name_of(question) == after) {
        return at + 1;
    }
    let score = after.split(' ').next().and_then(|score| score.parse::<f32>().ok());
    score.map_or(0, |score| questions.partition_point(|question| question.score >= score))
}

fn name_of(question: &Question) -> String {
    let Question { score, asset, kind, label, .. } = question;
    format!("{score} {asset} {} {label}", kind.name())
}

fn question_told<'a>(question: &'a Question, links: Links<'_>) -> QuestionTold<'a> {
    QuestionTold {
        asset: &question.asset,
        title: &question.title,
        source: &question.source,
        label: &question.label,
        kind: question.kind,
        confidence: question.confidence,
        bar: question.bar,
        doubts: &question.doubts,
        evidence: &question.evidence,
        by: &question.by,
        resting: question.resting,
        others: question.others,
        score: question.score,
        thumbnail: links.rendition(&question.asset, super::files::THUMBNAIL),
        decisions: links.decisions(&question.asset),
    }
}
