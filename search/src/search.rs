//! Searching: one planned query against one generation, and the hits as people see them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use glassplate_pipeline::asset::{AssetId, Tenant};
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::label::LabelKind;
use glassplate_pipeline::record::{Bar, LabelState};
use quick_cache::sync::Cache;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tantivy::index::SegmentId;
use tantivy::query::EnableScoring;
use tantivy::schema::Value as _;
use tantivy::{DocAddress, DocId, Searcher, TantivyDocument};

use crate::ask::{Ask, Correction, Count, Counts, Cursor, Facet, MOST_HITS, MOST_VALUES, Sort};
use crate::collect::{Collected, Place, Wanted};
use crate::document::Builder;
use crate::generation::Generation;
use crate::highlight::{Highlight, highlights};
use crate::query::Query;
use crate::query::plan::{Need, Plan, plan};
use crate::sheet::Value;
use crate::summary::{KeptLabel, Summary, Text};
use crate::why::{Explainer, Why};
use crate::{cursor, faults};

/// The most labels that a hit shows.
const LABELS_SHOWN: usize = 5;

/// How sure a machine's label must be where nothing above the bar answers.
const UNSURE: f32 = 0.1;

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// How many records match, exactly.
    pub total: u64,
    /// The hits asked for, in the order asked for.
    pub hits: Vec<Arc<Hit>>,
    /// The counts of the facets asked for, in the order asked.
    pub facets: Vec<Counts>,
    /// Where to go on; absent when there is no more.
    pub next: Option<Cursor>,
    /// Words that were taken for others.
    pub corrections: Vec<Correction>,
    /// What the asker should know: words left out, an index that is not complete yet.
    pub notes: Vec<String>,
}

/// A label that a hit shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FoundLabel {
    /// The preferred name.
    pub name: String,
    /// Object, scene or concept.
    pub kind: LabelKind,
    /// How sure its source is, 0 to 1.
    pub confidence: f32,
    /// What people made of it; never rejected.
    pub state: LabelState,
    /// The model's name, or who the person is.
    pub model: String,
}

/// One record that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hit {
    /// The asset.
    pub asset: AssetId,
    /// How well it fits; only hits of one query can be compared. 0 where another order was asked
    /// for.
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
    /// The picture's width in pixels, upright; absent where there is nothing to show.
    pub width: Option<u32>,
    /// The picture's height in pixels, upright.
    pub height: Option<u32>,
    /// Pieces of texts with the words found.
    pub highlights: Vec<Highlight>,
}

/// Answers a search among one tenant's records. What no label above the bar answers is looked for
/// among those below it, and that is said.
pub(crate) fn search(
    generation: &Generation,
    builder: &Builder,
    tenant: &Tenant,
    query: &Query,
    ask: &Ask,
) -> Result<Answer, Fault> {
    let after = ask.after.as_ref().map(|after| cursor::read(tenant, ask, after)).transpose()?;
    let sort = match ask.sort {
        // Nothing fits better than anything else when everything is asked for.
        Sort::Relevance if query.all.is_empty() => Sort::Added,
        sort => sort,
    };
    let asked = Asked { generation, builder, tenant, ask, after, sort };
    let answer = guarded("cannot search", || asked.answer(query))?;
    if answer.total > 0 || query.least.is_some() || !query.asks_for_labels() {
        return Ok(answer);
    }
    let mut unsure = query.clone();
    unsure.least = Some(UNSURE);
    unsure.notes.push("nothing sure was found: these labels are below the bar".to_owned());
    let less_sure = guarded("cannot search", || asked.answer(&unsure))?;
    Ok(if less_sure.total > 0 { less_sure } else { answer })
}

/// Tells whether an answer that found something sure is the same since a commit.
pub(crate) fn lasts(
    generation: &Generation,
    builder: &Builder,
    tenant: &Tenant,
    query: &Query,
    ask: &Ask,
    commit: u64,
) -> Result<bool, Fault> {
    guarded("cannot look through what was added", || {
        let searcher = generation.reader.searcher();
        generation.steps.miss(commit, searcher.generation().generation_id(), || {
            let plan = plan(query, &ask.within, tenant, generation, &searcher, &builder.bar)?;
            plan.asks.weight(EnableScoring::disabled_from_searcher(&searcher))
        })
    })
}

/// One search on its way.
struct Asked<'a> {
    generation: &'a Generation,
    builder: &'a Builder,
    tenant: &'a Tenant,
    ask: &'a Ask,
    after: Option<Place>,
    sort: Sort,
}

impl Asked<'_> {
    fn answer(&self, query: &Query) -> tantivy::Result<Answer> {
        let Self { generation, builder, tenant, ask, after, sort } = *self;
        let limit = ask.limit.min(MOST_HITS);
        let searcher = generation.reader.searcher();
        let Generation { sheets, collector, .. } = generation;
        let plan = plan(query, &ask.within, tenant, generation, &searcher, &builder.bar)?;
        let name = name(tenant, &plan, query, &ask.within);
        let counts = !ask.facets.is_empty();
        let wanted = Wanted { sort, limit, after, counts, name: name.as_deref() };
        let mut found = collector.collect(&searcher, sheets, &*plan.asks, &wanted)?;
        let next = (found.hits.len() > limit && limit > 0).then(|| {
            found.hits.truncate(limit);
            found.hits.last().map(|(place, _)| cursor::write(tenant, ask, *place))
        });
        found.hits.truncate(limit);
        let name = name.as_deref().map(|name| HitsOf::of(name, sort));
        let bar = query.least.map_or(builder.bar, Bar::of_all);
        let explainer = Explainer::new(&plan.needs, &builder.claims, bar);
        let mut show = Show {
            generation,
            searcher: &searcher,
            plan: &plan,
            explainer,
            shown: &builder.bar,
            sort,
            name,
        };
        Ok(Answer {
            total: found.total,
            hits: found.hits.iter().map(|&hit| show.hit(hit)).collect::<tantivy::Result<_>>()?,
            facets: facets(generation, tenant, ask, &found),
            next: next.flatten(),
            corrections: plan.corrections.clone(),
            notes: query.notes.clone(),
        })
    }
}

/// Runs what reads the index; tantivy trusts the files that it maps, so a damaged one may end in
/// a panic.
pub(crate) fn guarded<T>(
    what: &str,
    work: impl FnOnce() -> tantivy::Result<T>,
) -> Result<T, Fault> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|e| faults::index(what, e)),
        Err(_) => Err(faults::panicked(what)),
    }
}

/// The query in words, the same for whatever asks the index the same; nothing where the words
/// that a beginning stands for may be others tomorrow.
fn name(tenant: &Tenant, plan: &Plan, query: &Query, within: &[(Facet, String)]) -> Option<String> {
    fn open(need: &Need) -> bool {
        match need {
            Need::All(all) | Need::Any(all) => all.iter().any(open),
            Need::Not(need) => open(need),
            Need::Opening { .. } => true,
            Need::One(_) | Need::Name { .. } => false,
        }
    }
    let mut within = within.to_vec();
    within.sort();
    (!plan.needs.iter().any(open))
        .then(|| format!("{tenant} {:?} {within:?} {:?}", plan.needs, query.least))
}

fn facets(generation: &Generation, tenant: &Tenant, ask: &Ask, found: &Collected) -> Vec<Counts> {
    let values = &generation.sheets.values;
    let most = ask.values.min(MOST_VALUES);
    let counts = |&facet: &Facet| {
        let mut counted = values.counted(tenant, facet, &found.counts);
        let order = |a: &(Arc<Value>, u64), b: &(Arc<Value>, u64)| {
            b.1.cmp(&a.1).then_with(|| a.0.name.cmp(&b.0.name))
        };
        if counted.len() > most && most > 0 {
            counted.select_nth_unstable_by(most - 1, order);
        }
        counted.truncate(most);
        counted.sort_unstable_by(order);
        let count = |(value, count): (Arc<Value>, u64)| Count { value: value.name.clone(), count };
        Counts { facet, values: counted.into_iter().map(count).collect() }
    };
    ask.facets.iter().map(counts).collect()
}

/// The hits that were shown, by document and query: a document never changes, so the same hit is
/// shown again without being read again while other pictures come in.
pub(crate) struct Hits {
    kept: Cache<(SegmentId, DocId, HitsOf), Arc<Hit>>,
}

impl Default for Hits {
    fn default() -> Self {
        Self { kept: Cache::new(HITS_KEPT) }
    }
}

/// How many hits are kept; each takes some 5 kB.
const HITS_KEPT: usize = 8_000;

/// Whose hits: a digest of the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct HitsOf([u8; 16]);

impl HitsOf {
    fn of(query: &str, sort: Sort) -> Self {
        let digest = Sha256::digest(format!("{sort:?} {query}"));
        Self(std::array::from_fn(|at| digest[at]))
    }
}

/// What is needed to show a hit.
struct Show<'a> {
    generation: &'a Generation,
    searcher: &'a Searcher,
    plan: &'a Plan,
    explainer: Explainer<'a>,
    /// How sure a machine's label must be to be shown.
    shown: &'a Bar,
    sort: Sort,
    /// Under which name hits are kept; absent when they are not to be.
    name: Option<HitsOf>,
}

impl Show<'_> {
    fn hit(&mut self, (place, address): (Place, DocAddress)) -> tantivy::Result<Arc<Hit>> {
        let Some(name) = self.name else { return Ok(Arc::new(self.made(place, address)?)) };
        let segment = self.searcher.segment_reader(address.segment_ord).segment_id();
        let key = (segment, address.doc_id, name);
        let kept = &self.generation.hits.kept;
        if let Some(hit) = kept.get(&key) {
            return Ok(hit);
        }
        let hit = Arc::new(self.made(place, address)?);
        kept.insert(key, hit.clone());
        Ok(hit)
    }

    fn made(&mut self, place: Place, address: DocAddress) -> tantivy::Result<Hit> {
        let document = self.searcher.doc(address)?;
        let summary = summary(&document, self.generation)?;
        let why = self.explainer.explain(&summary);
        let highlights = highlights(&self.plan.needs, &summary, &why);
        let score = if self.sort == Sort::Relevance { place.score() } else { 0.0 };
        hit(&summary, score, why, highlights, self.shown)
    }
}

/// Reads what the index stores of a document.
pub(crate) fn summary<'a>(
    document: &'a TantivyDocument,
    generation: &Generation,
) -> tantivy::Result<Summary<'a>> {
    document
        .get_first(generation.columns.body)
        .and_then(|value| value.as_str())
        .and_then(Summary::read)
        .ok_or_else(|| damaged("a document has no body that can be read"))
}

fn damaged(what: &str) -> tantivy::TantivyError {
    tantivy::TantivyError::InternalError(what.to_owned())
}

/// Makes a hit of a summary.
pub(crate) fn hit(
    summary: &Summary<'_>,
    score: f32,
    why: Vec<Why>,
    highlights: Vec<Highlight>,
    bar: &Bar,
) -> tantivy::Result<Hit> {
    let owned = |texts: &[Text<'_>]| texts.iter().map(|text| text.to_string()).collect();
    let shown = summary.labels.iter().filter(|label| label.is_shown(bar));
    let found = |label: &KeptLabel<'_>| FoundLabel {
        name: label.name.to_string(),
        kind: label.kind,
        confidence: label.confidence,
        state: label.state,
        model: label.model.to_string(),
    };
    Ok(Hit {
        asset: summary.asset.parse().map_err(|_| damaged("a document's asset has no id"))?,
        score,
        title: summary.title.to_string(),
        collections: owned(&summary.collections),
        sources: owned(&summary.sources),
        labels: shown.take(LABELS_SHOWN).map(found).collect(),
        why,
        width: summary.size.map(|(width, _)| width),
        height: summary.size.map(|(_, height)| height),
        highlights,
    })
}
