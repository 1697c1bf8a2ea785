//! `glassplate relabel`: asks other models about a collection, on trial.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::relabel::{Ended, assets, relabel};
use glassplate_pipeline::run::{Item, Outcome, Run, RunState};
use serde_json::json;

use super::pass::{listen, new_run};
use super::progress::Progress;
use super::runs::{Items, balance_of, told};
use super::spend::spending;
use crate::arguments::Relabel;
use crate::compose::Desk;
use crate::exit::Exit;
use crate::output::{self, data, say};

pub(crate) async fn run(desk: &Desk, arguments: &Relabel) -> Result<Exit, Fault> {
    let desk = &desk.on(arguments.device.device);
    desk.existing_catalogue().await?;
    let staff = desk.staff_named(&arguments.models, arguments.budget).await?;
    let budget = staff.budget;
    let house = Arc::new(desk.house(staff).await?);
    let limit = arguments.limit.map(|limit| limit as usize);
    let assets = assets(&house, &arguments.collection, limit).await?;
    let sources = arguments.models.iter().map(|model| format!("model {model}")).collect();
    let run = Run { budget, ..new_run(desk, house.clock.now(), &arguments.collection, sources) };
    let id = run.id.clone();
    let stop = Arc::new(AtomicBool::new(false));
    let listener = tokio::spawn(listen(stop.clone()));
    let began = Instant::now();
    let mut progress = Progress::begin("pictures", assets.len() as u64, 0);
    let ended = relabel(&house, run, assets, desk.lanes(), &mut progress, &stop).await;
    progress.finish();
    listener.abort();
    let Ended { balance, left, broken } = ended?;
    let seconds = began.elapsed().as_secs_f64();

    let mut pages = Items::of(&*house.catalogue, desk, &id);
    let mut items: Vec<Item> = Vec::new();
    while let Some(page) = pages.next().await? {
        items.extend(page.into_iter().filter(|i| desk.json || i.outcome >= Outcome::Rejected));
    }
    if desk.json {
        output::json(&json!({
            "run": id,
            "state": RunState::OnTrial,
            "in": balance.total(),
            "enriched": balance.enriched,
            "unchanged": balance.unchanged,
            "duplicate": balance.duplicate,
            "rejected": balance.rejected,
            "failed": balance.failed,
            "left": left,
            "broken": broken.as_ref().map(Fault::reason),
            "seconds": seconds,
            "spent": house.purse.spent(),
            "items": items,
        }));
    } else {
        items.iter().for_each(|item| data(told(item)));
        data(balance_of(&balance));
        data(format!(
            "{} pictures asked about, {} answers known before, in {seconds:.1} s",
            balance.enriched, balance.unchanged
        ));
        if budget.is_some() {
            data(spending(&house.purse));
        }
        data(format!("run {id} is on trial: what it says counts nowhere yet. Next:"));
        data(format!("  glassplate compare {id}"));
        data(format!("  glassplate promote {id}"));
    }
    if left > 0 && broken.is_none() {
        say(format!("ended early: {left} pictures were not begun; the same command goes on"));
    }
    match broken {
        Some(fault) => {
            say(format!("error: {}", fault.reason()));
            Ok(Exit::Failed)
        }
        None if left > 0 => Ok(Exit::Interrupted),
        None if balance.rejected + balance.failed > 0 => Ok(Exit::Listed),
        None => Ok(Exit::Done),
    }
}
