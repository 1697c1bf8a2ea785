//! `glassplate restore`: repairs pictures, says beforehand which and how long, and takes repaired
//! ones away.

mod estimate;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use glassplate_pipeline::asset::AssetId;
use glassplate_pipeline::enrich::House;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::restoration::{Plan, Policy, Seen};
use glassplate_pipeline::restore::{Ended, Order, discard, restore, seen};
use glassplate_pipeline::run::{Item, Outcome, Run};
use glassplate_search::Ask;
use serde_json::json;

use super::decide::{follow, who};
use super::pass::{listen, new_run};
use super::progress::Progress;
use super::runs::{Items, balance_of, told};
use super::search::catch_up;
use crate::arguments::Restore;
use crate::compose::{Desk, Staff};
use crate::exit::Exit;
use crate::output::{self, data, plain, say};
use estimate::Estimates;

/// What the help says; the codes are those of every command.
pub(crate) const HELP: &str = "\
A restoration is a file of its own that says what was done to it; the original is never touched.
  glassplate restore ASSET                       what this picture needs
  glassplate restore is:monochrome --dry-run     which pictures, what, and how long
  glassplate restore ASSET --steps upscale --mode fidelity
  glassplate restore 'noise>=20' --label         label the repaired copies too, apart from the originals
  glassplate restore ASSET --delete              away with its restorations

Exit codes:
  0    all done
  1    something is missing, refused, busy or broken; the message says what
  2    wrong usage
  3    finished, with rejected or failed assets listed
  130  interrupted; the same command resumes";

/// How many hits of a search are asked for at a time.
const PAGE: usize = 100;
/// How often it is said how far a picture is.
const SAID_EVERY: Duration = Duration::from_secs(10);

/// How a run of restorations went.
pub(super) struct Restored {
    pub(super) run: Run,
    pub(super) ended: Ended,
    pub(super) seconds: f64,
}

pub(crate) async fn run(desk: &Desk, arguments: &Restore) -> Result<Exit, Fault> {
    let desk = &desk.on(arguments.device.device);
    let catalogue = desk.existing_catalogue().await?;
    let staff = match arguments.label && !arguments.dry_run {
        true => Staff { labellers: desk.labellers()?, ..Staff::none() },
        false => Staff::none(),
    };
    let house = Arc::new(desk.house(staff).await?);
    if arguments.delete {
        return delete(desk, &house, arguments).await;
    }
    let assets = targets(desk, &house, &arguments.target).await?;
    let orders = orders(&house, &assets, |seen| {
        let plan = match Plan::new(arguments.steps.iter().copied(), arguments.mode) {
            Some(plan) => Some(plan),
            None => Policy { mode: arguments.mode, ..Policy::auto() }.plan(seen),
        };
        plan.map(|plan| (plan, arguments.label))
    });
    let orders = orders.await?;
    if arguments.dry_run {
        return rehearse(desk, &house, assets.len(), &orders).await;
    }
    let sources = vec![format!("restore {}", arguments.target.join(" "))];
    let restored = perform(desk, &house, "", sources, orders).await?;
    let exit = report(desk, &house, &restored, assets.len()).await?;
    follow(desk, &*catalogue).await;
    Ok(exit)
}

/// Restores what is ordered in a run of its own.
pub(super) async fn perform(
    desk: &Desk,
    house: &Arc<House>,
    collection: &str,
    sources: Vec<String>,
    orders: Vec<Order>,
) -> Result<Restored, Fault> {
    let workshop = desk.workshop(orders.iter().map(|order| &order.plan))?;
    let run = new_run(desk, house.clock.now(), collection, sources);
    let stop = Arc::new(AtomicBool::new(false));
    let listener = tokio::spawn(listen(stop.clone()));
    let began = Instant::now();
    let mut progress = Progress::begin("pictures to restore", orders.len() as u64, 0);
    let said = Mutex::new(Instant::now());
    let told = Arc::new(move |share: f32| {
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.elapsed() >= SAID_EVERY {
            *said = Instant::now();
            say(format!("the picture in hand: {:.0} %", share * 100.0));
        }
    });
    let ended = restore(house, &workshop, run.clone(), orders, &mut progress, told, stop).await;
    progress.finish();
    listener.abort();
    Ok(Restored { run, ended: ended?, seconds: began.elapsed().as_secs_f64() })
}

/// Orders for each asset, as its plan and whether to label what comes out; those of which nothing is
/// wanted are left out.
pub(super) async fn orders(
    house: &House,
    assets: &[AssetId],
    plan: impl Fn(&Seen) -> Option<(Plan, bool)>,
) -> Result<Vec<Order>, Fault> {
    let mut orders = Vec::new();
    for page in assets.chunks(PAGE) {
        for parts in house.catalogue.parts_of_many(&house.tenant, page).await? {
            if let Some((plan, label)) = seen(&parts).and_then(|seen| plan(&seen)) {
                orders.push(Order { asset: parts.asset.id, plan, label });
            }
        }
    }
    Ok(orders)
}

/// The assets that the words mean: one by its id, else all that a search finds.
async fn targets(desk: &Desk, house: &House, words: &[String]) -> Result<Vec<AssetId>, Fault> {
    if let [word] = words
        && let Ok(id) = word.parse::<AssetId>()
    {
        return match house.catalogue.parts(&desk.tenant, &id).await? {
            Some(_) => Ok(vec![id]),
            None => Err(Fault::not_found(format!("there is no asset {id}"))),
        };
    }
    let index = desk.index()?;
    catch_up(&index, &*house.catalogue).await?;
    let mut ask = Ask::words(words.join(" "), PAGE);
    let mut found = Vec::new();
    loop {
        let answer = index.search(&desk.tenant, &ask)?;
        found.extend(answer.hits.iter().map(|hit| hit.asset.clone()));
        match answer.next {
            Some(next) => ask.after = Some(next),
            None => return Ok(found),
        }
    }
}

async fn rehearse(
    desk: &Desk,
    house: &House,
    found: usize,
    orders: &[Order],
) -> Result<Exit, Fault> {
    let workshop = desk.workshop(orders.iter().map(|order| &order.plan))?;
    let mut estimates = Estimates::new(workshop);
    let (mut all, mut told) = (0.0, Vec::new());
    for order in orders {
        let seconds = estimates.seconds(house, order).await?;
        all += seconds;
        if desk.json {
            told.push(
                json!({ "asset": order.asset, "plan": order.plan.name(), "seconds": seconds }),
            );
        } else {
            data(format!("{}  {}  about {seconds:.1} s", order.asset, order.plan.name()));
        }
    }
    if desk.json {
        output::json(&json!({ "found": found, "seconds": all, "restorations": told }));
    } else {
        data(format!(
            "{} of {found} pictures would be restored, in about {all:.0} s; nothing was done",
            orders.len()
        ));
    }
    Ok(Exit::Done)
}

async fn report(
    desk: &Desk,
    house: &House,
    restored: &Restored,
    found: usize,
) -> Result<Exit, Fault> {
    let Restored { run, ended: Ended { balance, left, broken }, seconds } = restored;
    let mut pages = Items::of(&*house.catalogue, desk, &run.id);
    let mut items: Vec<Item> = Vec::new();
    while let Some(page) = pages.next().await? {
        items.extend(page.into_iter().filter(|i| desk.json || i.outcome >= Outcome::Rejected));
    }
    if desk.json {
        output::json(&json!({
            "run": run.id,
            "found": found,
            "in": balance.total(),
            "enriched": balance.enriched,
            "unchanged": balance.unchanged,
            "rejected": balance.rejected,
            "failed": balance.failed,
            "left": left,
            "broken": broken.as_ref().map(Fault::reason),
            "seconds": seconds,
            "items": items,
        }));
    } else {
        items.iter().for_each(|item| data(told(item)));
        data(balance_of(balance));
        data(format!(
            "{} pictures restored, {} were before, in {seconds:.1} s; `glassplate undo {}` takes it back",
            balance.enriched, balance.unchanged, run.id
        ));
    }
    Ok(how(ended_well(restored), *left, balance.rejected + balance.failed))
}

/// Tells why a run broke off, and whether it did not.
fn ended_well(restored: &Restored) -> bool {
    if let Some(fault) = &restored.ended.broken {
        say(format!("error: {}", fault.reason()));
    } else if restored.ended.left > 0 {
        say(format!("ended early: {} pictures were not begun", restored.ended.left));
    }
    restored.ended.broken.is_none()
}

const fn how(well: bool, left: u64, listed: u64) -> Exit {
    match (well, left, listed) {
        (false, ..) => Exit::Failed,
        (true, 0, 0) => Exit::Done,
        (true, 0, _) => Exit::Listed,
        (true, ..) => Exit::Interrupted,
    }
}

async fn delete(desk: &Desk, house: &House, arguments: &Restore) -> Result<Exit, Fault> {
    let [asset] = &arguments.target[..] else {
        return Err(Fault::bad_input("--delete takes the id of one asset"));
    };
    let id: AssetId = asset.parse()?;
    let who = who(desk, arguments.by.as_deref())?;
    let run = new_run(desk, house.clock.now(), "", vec![format!("delete restorations of {id}")]);
    let gone = discard(house, run, &id, arguments.name.as_deref(), &who).await?;
    if desk.json {
        let names: Vec<_> = gone.iter().map(|restoration| &restoration.name).collect();
        output::json(&json!({ "asset": id, "by": who, "deleted": names }));
    } else {
        for restoration in &gone {
            data(format!("deleted: {}, by {}", restoration.name, plain(&who)));
        }
    }
    follow(desk, &*house.catalogue).await;
    Ok(Exit::Done)
}
