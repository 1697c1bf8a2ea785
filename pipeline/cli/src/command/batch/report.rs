//! `glassplate batch report`: what a run came to, for programs, spreadsheets and people.

mod page;
mod plot;

use std::collections::BTreeMap;

use glassplate_pipeline::batch::progress::Progress;
use glassplate_pipeline::batch::standing::Standing;
use glassplate_pipeline::catalogue::Catalogue;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::purchase::PurchaseId;
use glassplate_pipeline::quote::{Account, account_of};
use glassplate_pipeline::record::fold;
use glassplate_pipeline::run::{Item, Outcome};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::super::runs::Items;
use super::Batch;
use crate::arguments::ReportFormat;
use crate::compose::Desk;
use crate::exit::Exit;
use crate::output::{self, data};

/// In how many pieces time is cut.
const PIECES: usize = 60;
/// How many assets' labels are counted: ids come from content, so the first ones are a random sample.
const SAMPLE: usize = 2_000;
/// How many assets are read at a time.
const PAGE: usize = 100;
/// How many labels are told.
const MOST_LABELS: usize = 25;
/// How many sources in quarantine a page lists; the CSV lists all.
const MOST_LISTED: usize = 1_000;

/// Everything that a report tells.
#[derive(Debug, Serialize)]
struct Report {
    standing: Standing,
    account: Account,
    /// Sources done a second, in pieces of equal length.
    throughput: Series,
    /// Dollars spent up to the end of each piece.
    spend: Series,
    labels: Labels,
    /// The first so many sources in quarantine.
    quarantine: Vec<Item>,
    /// How many there are.
    quarantined: u64,
}

/// Values over time.
#[derive(Debug, Default, Serialize)]
struct Series {
    from: Option<Timestamp>,
    /// How long a piece is, in seconds.
    seconds: f64,
    values: Vec<f64>,
}

/// Which labels were found, in a sample.
#[derive(Debug, Default, Serialize)]
struct Labels {
    /// How many assets were looked at.
    assets: usize,
    /// By label, the most frequent first.
    found: Vec<(String, u64)>,
}

pub(super) async fn run(desk: &Desk, run: &str, format: ReportFormat) -> Result<Exit, Fault> {
    let batch = Batch::open(desk, run).await?;
    if format == ReportFormat::Csv {
        return csv(desk, &batch).await;
    }
    let report = Report::of(desk, &batch).await?;
    match format {
        ReportFormat::Html => data(page::page(&report).into_string()),
        _ => output::json(&json!(report)),
    }
    Ok(Exit::Done)
}

/// Prints one source a line.
async fn csv(desk: &Desk, batch: &Batch) -> Result<Exit, Fault> {
    let mut pages = Items::of(&*batch.catalogue, desk, &batch.plan.run);
    let mut first = true;
    while let Some(page) = pages.next().await? {
        let cannot = |e: csv::Error| Fault::broken("cannot write a table").because(e);
        let mut table = csv::Writer::from_writer(Vec::new());
        if std::mem::take(&mut first) {
            table
                .write_record(["source", "asset", "outcome", "fault", "reason"])
                .map_err(cannot)?;
        }
        for item in page {
            let asset = item.asset.as_ref().map(ToString::to_string).unwrap_or_default();
            let fault = item.fault.map(|fault| fault.faces().name).unwrap_or_default();
            let reason = item.reason.as_deref().unwrap_or_default();
            let row = [&*item.source, &*asset, item.outcome.name(), fault, reason];
            table.write_record(row.map(harmless)).map_err(cannot)?;
        }
        let bytes = table.into_inner().map_err(|e| cannot(e.into_error().into()))?;
        data(String::from_utf8_lossy(&bytes).trim_end());
    }
    Ok(Exit::Done)
}

/// A cell that no spreadsheet takes for a formula.
fn harmless(cell: &str) -> String {
    match cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{cell}"),
        false => cell.to_owned(),
    }
}

impl Report {
    async fn of(desk: &Desk, batch: &Batch) -> Result<Self, Fault> {
        let Batch { plan, store, catalogue } = batch;
        let catalogue = &**catalogue;
        let standing = Standing::of(plan.clone(), &**store, catalogue, Timestamp::now()).await?;
        let (mut quarantine, mut quarantined) = (Vec::new(), 0);
        let mut pages = Items::of(catalogue, desk, &plan.run);
        while let Some(page) = pages.next().await? {
            for item in page.into_iter().filter(|item| item.outcome >= Outcome::Rejected) {
                quarantined += 1;
                if quarantine.len() < MOST_LISTED {
                    quarantine.push(item);
                }
            }
        }
        Ok(Self {
            account: account_of(catalogue, &plan.tenant, &plan.run).await?,
            throughput: throughput(catalogue, &standing).await?,
            spend: spend(catalogue, &standing).await?,
            labels: labels(desk, catalogue, &standing).await?,
            standing,
            quarantine,
            quarantined,
        })
    }
}

/// Spreads what each worker did over the time that it did it in.
async fn throughput(catalogue: &dyn Catalogue, standing: &Standing) -> Result<Series, Fault> {
    let plan = &standing.plan;
    let mut work: Vec<(f64, f64, f64)> = Vec::new();
    Progress::for_each(catalogue, &plan.tenant, &plan.run, |_, progress| {
        if progress.done > 0 {
            let until = seconds(progress.at).max(seconds(progress.began) + 0.001);
            work.push((seconds(progress.began), until, progress.done as f64));
        }
        Ok(())
    })
    .await?;
    let begins = work.iter().map(|work| work.0).fold(f64::INFINITY, f64::min);
    let ends = work.iter().map(|work| work.1).fold(f64::NEG_INFINITY, f64::max);
    if work.is_empty() {
        return Ok(Series::default());
    }
    let piece = (ends - begins) / PIECES as f64;
    let mut values = vec![0.0; PIECES];
    for (from, until, done) in work {
        for (at, value) in values.iter_mut().enumerate() {
            let (left, right) = (begins + piece * at as f64, begins + piece * (at + 1) as f64);
            let shared = (until.min(right) - from.max(left)).max(0.0);
            *value += done * shared / (until - from) / piece;
        }
    }
    let from = Timestamp::from_microsecond((begins * 1e6) as i64).ok();
    Ok(Series { from, seconds: piece, values })
}

/// Adds up what was paid, over time.
async fn spend(catalogue: &dyn Catalogue, standing: &Standing) -> Result<Series, Fault> {
    let plan = &standing.plan;
    let mut paid: BTreeMap<i64, u64> = BTreeMap::new();
    let mut after: Option<(PurchaseId, u32)> = None;
    loop {
        let from = after.as_ref().map(|(id, attempt)| (id, *attempt));
        let page = catalogue.purchases_of_run(&plan.tenant, &plan.run, from, 1000).await?;
        let Some(last) = page.last() else { break };
        after = Some((last.id.clone(), last.attempt));
        for purchase in &page {
            *paid.entry(purchase.at.as_second()).or_default() += purchase.spent().millionths();
        }
    }
    let (Some((&begins, _)), Some((&ends, _))) = (paid.first_key_value(), paid.last_key_value())
    else {
        return Ok(Series::default());
    };
    let piece = ((ends - begins) as f64 + 1.0) / PIECES as f64;
    let mut values = vec![0.0; PIECES];
    for (at, millionths) in paid {
        let place = ((at - begins) as f64 / piece) as usize;
        values[place.min(PIECES - 1)] += millionths as f64 / 1e6;
    }
    let mut all = 0.0;
    for value in &mut values {
        all += *value;
        *value = all;
    }
    Ok(Series { from: Timestamp::from_second(begins).ok(), seconds: piece, values })
}

/// Counts the labels that users would see, in a sample of the run's assets.
async fn labels(
    desk: &Desk,
    catalogue: &dyn Catalogue,
    standing: &Standing,
) -> Result<Labels, Fault> {
    let plan = &standing.plan;
    let (interpreter, bar) = (desk.interpreter()?, desk.settings.labels);
    let (mut seen, mut after, mut counts) = (0, None, BTreeMap::<String, u64>::new());
    while seen < SAMPLE {
        let page = catalogue.assets_of_run(&plan.tenant, &plan.run, after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        for parts in catalogue.parts_of_many(&plan.tenant, &page).await? {
            seen += 1;
            for label in fold(&parts, &*interpreter).labels {
                if bar.shows(&label) {
                    *counts.entry(label.name).or_default() += 1;
                }
            }
        }
    }
    let mut found: Vec<(String, u64)> = counts.into_iter().collect();
    found.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    found.truncate(MOST_LABELS);
    Ok(Labels { assets: seen, found })
}

fn seconds(at: Timestamp) -> f64 {
    at.as_microsecond() as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(harmless("=cmd()"), "'=cmd()");
        assert_eq!(harmless("s3://b/a=b.jpg"), "s3://b/a=b.jpg");
    }
}
