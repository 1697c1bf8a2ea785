//! `GET /v1/export`: all records, one a line, for programs.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;
use glassplate_pipeline::asset::AssetId;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::record::{Bar, fold};
use glassplate_pipeline::tenancy::{DeedOutcome, Verb};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::http::asked::{Asked, stated};
use crate::http::{Caller, Problem, Site};

/// How many records are in memory at once.
const PAGE: usize = 100;

/// The largest limit; without one there is no limit.
const MOST: u64 = 1_000_000_000;

/// Which records.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only this collection.
    collection: Option<String>,
    /// How sure a machine's label must be, instead of the archive's own bar; 0: every label,
    /// refused and doubtful ones included.
    #[serde(default, deserialize_with = "stated")]
    #[param(minimum = 0, maximum = 1)]
    min_confidence: Option<f32>,
    /// How many records at most; all of them otherwise.
    #[serde(default, deserialize_with = "stated")]
    #[param(minimum = 1, maximum = 1_000_000_000)]
    limit: Option<u64>,
    /// Only records after this asset's, by id.
    after: Option<String>,
}

/// Where an export is.
struct Export {
    site: Arc<Site>,
    caller: Caller,
    collection: Option<String>,
    bar: Option<Bar>,
    after: Option<AssetId>,
    left: u64,
    ready: VecDeque<Bytes>,
    ended: bool,
}

/// Stream all records
///
/// JSON Lines: one record a line, by asset id, as `glassplate export` prints them. An export that
/// broke off goes on with `after`.
#[utoipa::path(
    get,
    path = "/v1/export",
    tag = "assets",
    params(Which),
    responses(
        (status = 200, description = "One record a line", content_type = "application/x-ndjson", body = String)
    )
)]
pub(super) async fn export(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    let bar = match which.min_confidence {
        None => Some(site.bar),
        Some(0.0) => None,
        Some(least) if (0.0..=1.0).contains(&least) => Some(Bar::of_all(least)),
        Some(least) => {
            let message = format!("min_confidence is {least}: a number from 0 to 1");
            return Err(Fault::bad_input(message).into());
        }
    };
    if let Some(limit) = which.limit.filter(|limit| !(1..=MOST).contains(limit)) {
        return Err(Fault::bad_input(format!("limit is {limit}: 1 to {MOST}")).into());
    }
    let after = which.after.as_deref().map(str::parse).transpose()?;
    let subject = which.collection.as_deref().unwrap_or("everything");
    site.audit(&caller, Verb::Export, subject, DeedOutcome::Done).await?;
    let export = Export {
        site,
        caller,
        collection: which.collection,
        bar,
        after,
        left: which.limit.unwrap_or(u64::MAX),
        ready: VecDeque::new(),
        ended: false,
    };
    let lines = stream::try_unfold(export, |mut export| async move {
        let line = export.next().await.inspect_err(|fault| {
            tracing::warn!("an export broke off: {}", fault.reason());
        })?;
        Ok::<_, Fault>(line.map(|line| (line, export)))
    });
    let media = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((media, Body::from_stream(lines)).into_response())
}

impl Export {
    async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        while self.ready.is_empty() && !self.ended {
            self.read().await?;
        }
        Ok(self.ready.pop_front())
    }

    async fn read(&mut self) -> Result<(), Fault> {
        let Site { catalogue, interpreter, gate, .. } = &*self.site;
        let most = usize::try_from(self.left).unwrap_or(PAGE).min(PAGE);
        let (tenant, collection) = (&self.caller.tenant, self.collection.as_deref());
        let page = catalogue.assets(tenant, collection, self.after.as_ref(), most).await?;
        self.left -= page.len() as u64;
        self.ended = page.len() < most || self.left == 0;
        self.after = page.last().cloned();
        let all = catalogue.parts_of_many(tenant, &page).await?;
        let (interpreter, bar) = (interpreter.clone(), self.bar);
        let work = move || {
            let line = |parts| {
                let mut record = fold(parts, &*interpreter);
                if let Some(bar) = bar {
                    record.labels.retain(|label| bar.shows(label));
                }
                let mut line = serde_json::to_vec(&record)
                    .map_err(|e| Fault::broken("a record cannot be written").because(e))?;
                line.push(b'\n');
                Ok(Bytes::from(line))
            };
            all.iter().map(line).collect()
        };
        self.ready = gate.pass(work).await?;
        Ok(())
    }
}
