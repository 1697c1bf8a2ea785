//! `glassplate ingest`: takes pictures in, shows how it goes, ends with the balance.

mod report;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use glassplate_pipeline::asset::source_text;
use glassplate_pipeline::beside::Beside;
use glassplate_pipeline::catalogue_csv::Catalogue as CatalogueCsv;
use glassplate_pipeline::enrich::foresee;
use glassplate_pipeline::fault::{Fault, FaultKind};
use glassplate_pipeline::ingest::{Ended, ingest};
use glassplate_pipeline::run::Balance;
use glassplate_pipeline::source::{Listing, list};
use glassplate_search::{DEFAULT_INTERVAL, follow};

use super::pass::{listen, new_run};
use super::progress::Progress;
use crate::arguments::Ingest;
use crate::compose::Desk;
use crate::exit::Exit;
use crate::output::{self, say};
use report::Report;

pub(crate) async fn run(desk: &Desk, arguments: Ingest) -> Result<Exit, Fault> {
    let csv = arguments.metadata.as_deref().map(CatalogueCsv::read).transpose()?;
    let beside = Beside::pair(listing(desk, &arguments)?);
    if beside.is_empty() {
        say("there is no file below the paths given");
    }
    if beside.sidecars() > 0 {
        say(format!("{} XMP sidecars belong to pictures", beside.sidecars()));
    }
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

/// Takes everything in and follows with the index; returns when both are done.
async fn perform(
    desk: &Desk,
    arguments: &Ingest,
    beside: &Beside,
    csv: Option<&CatalogueCsv>,
) -> Result<Exit, Fault> {
    let labellers = if arguments.without_labels { Vec::new() } else { desk.labellers()? };
    let house = Arc::new(desk.house(labellers)?);
    let follower = follow(Arc::new(desk.index()?), house.catalogue.clone(), DEFAULT_INTERVAL);
    let now = house.clock.now();
    let run = new_run(desk, now, &arguments.collection, sources_of(arguments));
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

/// Says what would become of each source, and does nothing.
async fn rehearse(
    desk: &Desk,
    arguments: &Ingest,
    beside: &Beside,
    csv: Option<&CatalogueCsv>,
) -> Result<Exit, Fault> {
    let labellers = match desk.labellers_at_hand() {
        _ if arguments.without_labels => Vec::new(),
        Err(fault) if fault.kind() == FaultKind::NotFound => {
            say("models are not here yet: the ingest fetches them first");
            Vec::new()
        }
        labellers => labellers?,
    };
    // A home that is not there yet must not come to be by a rehearsal.
    let scratch = tempfile::tempdir()
        .map_err(|e| Fault::broken("cannot make a temporary folder").because(e))?;
    let house = match desk.catalogue_file().exists() {
        true => desk.house(labellers)?,
        false => desk.at(scratch.path()).house(labellers)?,
    };
    let began = Instant::now();
    let (mut balance, mut bytes, mut items) = (Balance::default(), 0, Vec::new());
    let mut met = HashSet::new();
    for source in beside.sources(csv) {
        let item = match source {
            Ok(source) => {
                bytes += source.bytes;
                foresee(&house, &arguments.collection, &source, &mut met).await
            }
            Err(item) => item,
        };
        balance.add(item.outcome);
        items.push(item);
    }
    let report = Report {
        run: None,
        balance,
        left: 0,
        seconds: began.elapsed().as_secs_f64(),
        bytes,
        readings: Vec::new(),
        broken: None,
    };
    report.print_foreseen(desk, &items);
    Ok(Exit::Done)
}

fn listing(desk: &Desk, arguments: &Ingest) -> Result<Listing, Fault> {
    // What glassplate keeps is no source, wherever the home lies; nor is the CSV.
    let kept = desk.own_places().into_iter().chain(arguments.metadata.clone());
    let own: Vec<PathBuf> = kept.filter_map(|path| path.canonicalize().ok()).collect();
    list(&arguments.paths, &own)
}

fn sources_of(arguments: &Ingest) -> Vec<String> {
    let text = |path: &PathBuf| source_text(&path.canonicalize().unwrap_or_else(|_| path.clone()));
    arguments.paths.iter().map(text).collect()
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
