//! `glassplate ingest`: takes pictures in, shows how it goes, ends with the balance.

mod rehearsal;
mod report;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use glassplate_pipeline::asset::source_text;
use glassplate_pipeline::beside::Beside;
use glassplate_pipeline::catalogue_csv::Catalogue as CatalogueCsv;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::ingest::{Ended, ingest};
use glassplate_pipeline::run::Run;
use glassplate_pipeline::source::{Listing, list};
use glassplate_search::{DEFAULT_INTERVAL, follow};

use super::pass::{listen, new_run};
use super::progress::Progress;
use crate::arguments::{Ingest, Quote, Sources};
use crate::compose::{Desk, Staff};
use crate::exit::Exit;
use crate::output::{self, say};
use rehearsal::rehearse;
use report::Report;

pub(crate) async fn run(desk: &Desk, arguments: Ingest) -> Result<Exit, Fault> {
    let (csv, beside) = gather(desk, &arguments.sources)?;
    let exit = if arguments.dry_run {
        rehearse(desk, &arguments, &beside, csv.as_ref()).await?
    } else {
        perform(desk, &arguments, &beside, csv.as_ref()).await?
    };
    if let Some(csv) = csv {
        tell_unmatched(&csv);
    }
    Ok(exit)
}

/// `glassplate quote`: what the ingest of the same sources would cost.
pub(crate) async fn quote(desk: &Desk, arguments: Quote) -> Result<Exit, Fault> {
    let (csv, beside) = gather(desk, &arguments.sources)?;
    rehearsal::quote(desk, &arguments.sources, &beside, csv.as_ref()).await
}

/// Finds the sources and what lies beside them.
fn gather(desk: &Desk, sources: &Sources) -> Result<(Option<CatalogueCsv>, Beside), Fault> {
    let csv = sources.metadata.as_deref().map(CatalogueCsv::read).transpose()?;
    let beside = Beside::pair(listing(desk, sources)?);
    if beside.is_empty() {
        say("there is no file below the paths given");
    }
    if beside.sidecars() > 0 {
        say(format!("{} XMP sidecars belong to pictures", beside.sidecars()));
    }
    Ok((csv, beside))
}

/// Takes everything in and follows with the index; returns when both are done.
async fn perform(
    desk: &Desk,
    arguments: &Ingest,
    beside: &Beside,
    csv: Option<&CatalogueCsv>,
) -> Result<Exit, Fault> {
    let sources = &arguments.sources;
    let staff = match arguments.without_labels {
        true => Staff::none(),
        false => desk.staff(&sources.collection, arguments.budget).await?,
    };
    let budget = staff.budget;
    let house = Arc::new(desk.house(staff).await?);
    let follower = follow(Arc::new(desk.index()?), house.catalogue.clone(), DEFAULT_INTERVAL);
    let now = house.clock.now();
    let run = Run { budget, ..new_run(desk, now, &sources.collection, sources_of(sources)) };
    let id = run.id.clone();
    let stop = Arc::new(AtomicBool::new(false));
    let listener = tokio::spawn(listen(stop.clone()));
    let began = Instant::now();
    let mut progress = Progress::begin("files", beside.len() as u64, beside.bytes());
    let ended = ingest(&house, run, beside.sources(csv), desk.lanes(), &mut progress, &stop).await;
    let bytes = progress.finish();
    listener.abort();
    let indexed = follower.stop().await;
    let Ended { balance, left, broken } = ended?;
    let report = Report {
        run: Some(&id),
        balance,
        left,
        seconds: began.elapsed().as_secs_f64(),
        bytes,
        readings: house.meter.read(),
        broken: broken.as_ref().map(Fault::reason),
        purse: budget.is_some().then_some(&house.purse),
    };
    report.print(desk, &*house.catalogue).await?;
    if let Err(fault) = indexed {
        say(format!("the index lags behind: {}", fault.reason()));
        say("`glassplate reindex` builds it anew; the catalogue is complete");
    }
    match broken {
        Some(fault) => {
            // Told here and in the report's own JSON: one command, one value on stdout.
            say(format!("error: {}", fault.reason()));
            Ok(Exit::Failed)
        }
        None if left > 0 => Ok(Exit::Interrupted),
        None if balance.rejected + balance.failed > 0 => Ok(Exit::Listed),
        None => Ok(Exit::Done),
    }
}

fn listing(desk: &Desk, sources: &Sources) -> Result<Listing, Fault> {
    // What glassplate keeps is no source, wherever the home lies; nor is the CSV.
    let kept = desk.own_places().into_iter().chain(sources.metadata.clone());
    let own: Vec<PathBuf> = kept.filter_map(|path| path.canonicalize().ok()).collect();
    list(&sources.paths, &own)
}

fn sources_of(sources: &Sources) -> Vec<String> {
    let text = |path: &PathBuf| source_text(&path.canonicalize().unwrap_or_else(|_| path.clone()));
    sources.paths.iter().map(text).collect()
}

fn tell_unmatched(csv: &CatalogueCsv) {
    for problem in csv.problems() {
        say(problem);
    }
    let unmatched = csv.unmatched();
    if unmatched.is_empty() {
        return;
    }
    say(format!("{} rows of the CSV match no file:", unmatched.len()));
    for row in unmatched.iter().take(20) {
        say(format!("  line {}: {}", row.line, output::plain(&row.key)));
    }
    if unmatched.len() > 20 {
        say(format!("  and {} more", unmatched.len() - 20));
    }
}
