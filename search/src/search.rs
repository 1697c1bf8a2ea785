//! Searching: one planned query against one generation, and the hits as people see them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use glassplate_pipeline::asset::{AssetId, Tenant};
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::record::Bar;
use serde::Serialize;
use tantivy::collector::sort_key::{SortBySimilarityScore, SortByStaticFastValue};
use tantivy::collector::{Count, TopDocs};
use tantivy::schema::Value as _;
use tantivy::{DocAddress, Order, Searcher, TantivyDocument};

use crate::ask::{Ask, Correction, Counts, Cursor, MOST_HITS};
use crate::claims::FoundLabel;
use crate::document::{Builder, Summary};
use crate::faults;
use crate::generation::Generation;
use crate::query::Query;
use crate::query::plan::{Plan, plan};
use crate::schema::{ORDER, REGISTERED};
use crate::why::{Why, explain};

/// The most labels that a hit shows.
const LABELS_SHOWN: usize = 5;

/// What a search found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// How many records match, exactly.
    pub total: u64,
    /// The hits asked for, best first; of an empty query the newest first.
    pub hits: Vec<Hit>,
    /// The counts of the facets asked for, in the order asked.
    pub facets: Vec<Counts>,
    /// Where to go on; absent when there is no more.
    pub next: Option<Cursor>,
    /// Words that were taken for others.
    pub corrections: Vec<Correction>,
    /// What the asker should know: words left out, an index that is not complete yet.
    pub notes: Vec<String>,
}

/// One record that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hit {
    /// The asset.
    pub asset: AssetId,
    /// How well it fits; only hits of one query can be compared. 0 for an empty query.
    pub score: f32,
    /// Its title, or its caption's beginning, its surest labels, its file's name.
    pub title: String,
    /// The collections it belongs to.
    pub collections: Vec<String>,
    /// The paths where it was found, at most 40.
    pub sources: Vec<String>,
    /// Its surest labels above the bar, a person's first, at most 5.
    pub labels: Vec<FoundLabel>,
    /// Why it was found, at least one reason for each word where the place can be told.
    pub why: Vec<Why>,
    /// The picture's width in pixels, upright; absent where it could not be read.
    pub width: Option<u32>,
    /// The picture's height in pixels, upright.
    pub height: Option<u32>,
    /// Pieces of texts with the words found.
    pub highlights: Vec<Highlight>,
}

/// A piece of a text with the words found in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Highlight {
    /// The metadata field.
    pub field: String,
    /// The piece.
    pub text: String,
    /// The words found in it: begin and end, in bytes of `text`.
    pub found: Vec<(usize, usize)>,
}

/// Answers a query among one tenant's records.
pub(crate) fn search(
    generation: &Generation,
    builder: &Builder,
    tenant: &Tenant,
    query: &Query,
    bar: &Bar,
    ask: &Ask,
) -> Result<Answer, Fault> {
    let (limit, offset) = (ask.limit, 0);
    let search = || {
        let searcher = generation.reader.searcher();
        let least = query.least.map_or(*bar, Bar::of_all);
        let plan = plan(query, tenant, &generation.columns, &searcher, &least)?;
        let (total, found) = run(&searcher, &plan, query, limit, offset)?;
        let hits = found
            .into_iter()
            .map(|(score, address)| {
                let summary = summary(&searcher, generation, address)?;
                let why = explain(&plan.needs, &summary, &builder.claims, &least);
                Ok(hit(summary, score, why, bar))
            })
            .collect::<tantivy::Result<_>>()?;
        Ok(Answer {
            total,
            hits,
            facets: Vec::new(),
            next: None,
            corrections: Vec::new(),
            notes: query.notes.clone(),
        })
    };
    // tantivy trusts the files that it maps, so a damaged one may end in a panic.
    match catch_unwind(AssertUnwindSafe(search)) {
        Ok(result) => result.map_err(|e| faults::index("cannot search", e)),
        Err(_) => Err(faults::panicked("cannot search")),
    }
}

fn run(
    searcher: &Searcher,
    plan: &Plan,
    query: &Query,
    limit: usize,
    offset: usize,
) -> tantivy::Result<(u64, Vec<(f32, DocAddress)>)> {
    let limit = limit.min(MOST_HITS);
    // Beyond the last document there is nothing to rank, and no memory to take for it.
    if limit == 0 || offset as u64 >= searcher.num_docs() {
        return Ok((searcher.search(&plan.asks, &Count)? as u64, Vec::new()));
    }
    let top = TopDocs::with_limit(limit).and_offset(offset);
    let order = (SortByStaticFastValue::<u64>::for_field(ORDER), Order::Asc);
    if query.clauses.is_empty() {
        let newest = (SortByStaticFastValue::<i64>::for_field(REGISTERED), Order::Desc);
        let (total, found) =
            searcher.search(&plan.asks, &(Count, top.order_by((newest, order))))?;
        return Ok((total as u64, found.into_iter().map(|(_, at)| (0.0, at)).collect()));
    }
    let best = (SortBySimilarityScore, Order::Desc);
    let (total, found) = searcher.search(&plan.asks, &(Count, top.order_by((best, order))))?;
    Ok((total as u64, found.into_iter().map(|((score, _), at)| (score, at)).collect()))
}

fn summary(
    searcher: &Searcher,
    generation: &Generation,
    address: DocAddress,
) -> tantivy::Result<Summary> {
    let document: TantivyDocument = searcher.doc(address)?;
    document
        .get_first(generation.columns.body)
        .and_then(|value| value.as_str())
        .and_then(|body| serde_json::from_str(body).ok())
        .ok_or_else(|| tantivy::TantivyError::InternalError("a document has no body".to_owned()))
}

fn hit(summary: Summary, score: f32, why: Vec<Why>, bar: &Bar) -> Hit {
    Hit {
        asset: summary.asset,
        score,
        title: summary.title,
        collections: summary.collections,
        sources: summary.sources,
        labels: summary
            .labels
            .into_iter()
            .filter(|label| label.is_shown(bar))
            .take(LABELS_SHOWN)
            .collect(),
        why,
        width: None,
        height: None,
        highlights: Vec::new(),
    }
}
