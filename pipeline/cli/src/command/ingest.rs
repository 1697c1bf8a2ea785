//! `glassplate ingest`: takes pictures in, shows how it goes, ends with the balance.

mod rehearsal;
mod report;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use glassplate_pipeline::asset::source_text;
use glassplate_pipeline::beside::Beside;
use glassplate_pipeline::catalogue_csv::Catalogue as CatalogueCsv;
use glassplate_pipeline::enrich::House;
use glassplate_pipeline::fault::{Fault, FaultKind};
use glassplate_pipeline::ingest::{Ended, ingest};
use glassplate_pipeline::manifest;
use glassplate_pipeline::objects::Objects;
use glassplate_pipeline::place::{Object, Place};
use glassplate_pipeline::relabel;
use glassplate_pipeline::restoration::Policy;
use glassplate_pipeline::run::Run;
use glassplate_pipeline::source::{Listing, list};
use glassplate_search::{DEFAULT_INTERVAL, follow};

use super::pass::{listen, new_run};
use super::progress::Progress;
use super::restore::{self, Restored, orders};
use super::runs::balance_of;
use crate::arguments::{Ingest, Quote, Restoring, Sources};
use crate::compose::{Desk, Staff};
use crate::exit::Exit;
use crate::output::{self, say};
use rehearsal::rehearse;
use report::Report;

pub(crate) async fn run(desk: &Desk, arguments: Ingest) -> Result<Exit, Fault> {
    let desk = &desk.on(arguments.device.device);
    let (csv, beside) = gather(desk, &arguments.sources).await?;
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
    let (csv, beside) = gather(desk, &arguments.sources).await?;
    rehearsal::quote(desk, &arguments.sources, &beside, csv.as_ref()).await
}

/// Finds the sources and what lies beside them.
pub(super) async fn gather(
    desk: &Desk,
    sources: &Sources,
) -> Result<(Option<CatalogueCsv>, Beside), Fault> {
    let csv = match sources.metadata.as_deref() {
        Some(path) => Some(read_csv(desk, path).await?),
        None => None,
    };
    let beside = Beside::pair(listing(desk, sources).await?);
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
    let objects = objects_for(desk, beside).await?;
    let house = Arc::new(House { objects, ..desk.house(staff).await? });
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
    let ended = ended?;
    if ended.left == 0 && ended.broken.is_none() {
        restore_after(desk, &house, arguments).await?;
    }
    let indexed = follower.stop().await;
    let Ended { balance, left, broken } = ended;
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
    match indexed {
        Ok(_) => {}
        // A server, or another ingest: it sees the same changes.
        Err(fault) if fault.kind() == FaultKind::Busy => {
            say("another glassplate is indexing, and takes these pictures over");
        }
        Err(fault) => {
            say(format!("the index lags behind: {}", fault.reason()));
            say("`glassplate reindex` builds it anew; the catalogue is complete");
        }
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

/// Restores what the collection's policy wants, in a run of its own behind the ingest's.
async fn restore_after(desk: &Desk, house: &Arc<House>, arguments: &Ingest) -> Result<(), Fault> {
    let collection = &arguments.sources.collection;
    let policy = match arguments.restore {
        Some(Restoring::Never) => return Ok(()),
        Some(Restoring::Auto) => Policy::auto(),
        None => desk.settings.restore.of(collection).clone(),
    };
    if policy.is_idle() {
        return Ok(());
    }
    let assets = relabel::assets(house, collection, None).await?;
    let orders = orders(house, &assets, |seen| {
        policy.plan(seen).map(|plan| (plan, policy.label.holds(seen)))
    });
    let orders = orders.await?;
    if orders.is_empty() {
        return Ok(());
    }
    let sources = vec![format!("restore collection {collection}")];
    let Restored { run, ended, seconds } =
        restore::perform(desk, house, collection, sources, orders).await?;
    say(format!("restored in run {}: {}, in {seconds:.1} s", run.id, balance_of(&ended.balance)));
    if let Some(fault) = ended.broken {
        say(format!("restoring ended early: {}", fault.reason()));
    }
    Ok(())
}

/// The longest catalogue CSV that is taken from S3, in bytes.
const LONGEST_CSV: u64 = 1 << 30;

async fn read_csv(desk: &Desk, path: &Path) -> Result<CatalogueCsv, Fault> {
    match place(path)? {
        Place::File(path) => CatalogueCsv::read(&path),
        Place::Object(object) => {
            let bytes = desk.objects().await?.bytes(&object, LONGEST_CSV).await?;
            CatalogueCsv::from_bytes(&bytes, &Place::Object(object).naming())
        }
    }
}

/// What an argument names: a place in S3, or a path.
fn place(argument: &Path) -> Result<Place, Fault> {
    match argument.to_str() {
        Some(url) if Object::is_meant_by(url) => Object::from_url(url).map(Place::Object),
        _ => Ok(Place::File(argument.to_owned())),
    }
}

async fn listing(desk: &Desk, sources: &Sources) -> Result<Listing, Fault> {
    // What glassplate keeps is no source, wherever the home lies; nor is the CSV.
    let kept = desk.own_places().into_iter().chain(sources.metadata.clone());
    let own: Vec<PathBuf> = kept.filter_map(|path| path.canonicalize().ok()).collect();
    let (mut files, mut listings) = (Vec::new(), Vec::new());
    for path in &sources.paths {
        match place(path)? {
            Place::File(path) => files.push(path),
            Place::Object(object) => listings.push(desk.objects().await?.list(&object).await?),
        }
    }
    listings.push(list(&files, &own)?);
    for path in &sources.manifest {
        let manifest = place(path)?;
        let objects = match manifest {
            Place::File(_) => None,
            Place::Object(_) => Some(desk.objects().await?),
        };
        listings.push(manifest::read(&manifest, objects.as_ref()).await?);
    }
    Ok(Listing::joined(listings))
}

/// Who reads sources in S3, when there are any.
async fn objects_for(desk: &Desk, beside: &Beside) -> Result<Option<Objects>, Fault> {
    if beside.in_s3() { desk.objects().await.map(Some) } else { Ok(None) }
}

pub(super) fn sources_of(sources: &Sources) -> Vec<String> {
    let text = |path: &PathBuf| match place(path) {
        Ok(Place::Object(object)) => object.url(),
        _ => source_text(&path.canonicalize().unwrap_or_else(|_| path.clone())),
    };
    sources.paths.iter().chain(&sources.manifest).map(text).collect()
}

pub(super) fn tell_unmatched(csv: &CatalogueCsv) {
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
