//! `glassplate batch status`: where a run stands, once or again and again.

use std::time::Duration;

use glassplate_pipeline::batch::control::State;
use glassplate_pipeline::batch::standing::Standing;
use glassplate_pipeline::batch::{Engine as _, Way};
use glassplate_pipeline::fault::Fault;
use serde_json::json;

use super::super::progress::duration;
use super::super::runs::balance_of;
use super::Batch;
use crate::compose::Desk;
use crate::exit::Exit;
use crate::output::{self, bytes, data, plain};

/// How often it is looked again.
const AGAIN: Duration = Duration::from_secs(2);

pub(super) async fn run(desk: &Desk, run: &str, watch: bool) -> Result<Exit, Fault> {
    let batch = Batch::open(desk, run).await?;
    loop {
        let standing = print(desk, &batch).await?;
        if !watch || standing.control.state != State::Running {
            return Ok(Exit::Done);
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Prints where a batch stands.
pub(super) async fn print(desk: &Desk, batch: &Batch) -> Result<Standing, Fault> {
    let Batch { plan, store, catalogue } = batch;
    let now = jiff::Timestamp::now();
    let standing = Standing::of(plan.clone(), &**store, &**catalogue, now).await?;
    let engine = engine_says(desk, &standing).await?;
    if desk.json {
        let mut value = json!(standing);
        value["engine"] = json!(engine);
        output::json(&value);
    } else {
        lines(&standing, engine.as_deref()).into_iter().for_each(data);
    }
    Ok(standing)
}

/// What the engine says of a round that is under way, when that is something else.
async fn engine_says(desk: &Desk, standing: &Standing) -> Result<Option<String>, Fault> {
    let control = &standing.control;
    let Some(settings) = desk.step_functions().filter(|_| control.state == State::Running) else {
        return Ok(None);
    };
    let engine = desk.remote_engine(settings).await?;
    Ok(match engine.way(&standing.plan.run, control.round).await? {
        Some(Way::Running) => None,
        None => Some("the engine knows nothing of this round: start or resume it again".to_owned()),
        Some(Way::Succeeded) => Some("the engine is done with this round".to_owned()),
        Some(Way::Ended(why)) => Some(format!("the engine ended this round: {why}")),
    })
}

fn lines(standing: &Standing, engine: Option<&str>) -> Vec<String> {
    let Standing { plan, control, balance, shards, .. } = standing;
    let mut lines = vec![format!(
        "run {} {}: {} sources, {}, into {}",
        plan.run,
        control.state.name(),
        plan.pictures,
        bytes(plan.bytes),
        plain(&plan.collection)
    )];
    if let Some(owner) = &control.owner {
        let reason = owner.reason.as_deref().map(|why| format!(": {}", plain(why)));
        let reason = reason.unwrap_or_default();
        lines.push(format!("  by {} at {}{reason}", plain(&owner.who), owner.at));
    }
    lines.extend(control.why.as_deref().map(|why| format!("  {}", plain(why))));
    lines.extend(engine.map(|why| format!("  {}", plain(why))));
    lines.push(format!("  {}", balance_of(balance)));
    if control.round > 0 {
        lines.push(format!(
            "  round {}: {} of {} sources; shards: {} done, {} in hand, {} open, {} given back, {} failed",
            control.round,
            standing.round_done,
            standing.round_pictures,
            shards.done,
            shards.in_hand,
            shards.open,
            shards.given_back,
            shards.failed
        ));
    }
    if let Some(rate) = standing.rate {
        let by = match standing.workers {
            0 => String::new(),
            workers => format!(" by {workers} workers"),
        };
        let left = match (control.state, standing.seconds_left) {
            (State::Running, Some(left)) => format!(", {} left", duration(left as u64)),
            _ => String::new(),
        };
        lines.push(format!("  {rate:.1} sources a second{by}{left}"));
    }
    if let Some(budget) = control.budget {
        lines.push(format!("  {} of {budget} dollars taken for paid calls", standing.charged));
    }
    for (fault, count) in &standing.faults {
        lines.push(format!("  {count} in quarantine as {fault}"));
    }
    lines
}
