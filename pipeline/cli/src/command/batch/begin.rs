//! `glassplate batch start`, `resume` and `redrive`: each begins a round, once.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use glassplate_pipeline::batch::control::{Begin, Control, Owner, State};
use glassplate_pipeline::batch::round::{self, Class, Piece};
use glassplate_pipeline::batch::step_functions::StepFunctionsSettings;
use glassplate_pipeline::batch::task::begin_run;
use glassplate_pipeline::batch::worker::{Bounds, work};
use glassplate_pipeline::batch::{Begun, Engine, Start, Way};
use glassplate_pipeline::fault::{Fault, FaultKind};
use serde_json::json;

use super::super::pass::listen;
use super::super::worker::{Teller, name};
use super::{Batch, owner, status};
use crate::arguments::{Bounded, RedriveBatch, ResumeBatch, Says, StartBatch};
use crate::compose::Desk;
use crate::exit::Exit;
use crate::output::{self, data, say};

/// The most shards in work at once unless told otherwise.
const MAX_WORKERS: u32 = 40;
/// The share of sources that may end in quarantine unless told otherwise, in per cent.
const TOLERATED_PERCENT: f64 = 5.0;

pub(super) async fn start(desk: &Desk, arguments: &StartBatch) -> Result<Exit, Fault> {
    let says = Says { by: None, take_over: false };
    let wanted = Wanted {
        begin: Begin::First,
        class: None,
        bounded: &arguments.bounded,
        by: owner(desk, &says, None),
        take_over: false,
    };
    run(&desk.on(arguments.device.device), &arguments.run, wanted).await
}

pub(super) async fn resume(desk: &Desk, arguments: &ResumeBatch) -> Result<Exit, Fault> {
    let wanted = Wanted {
        begin: Begin::Next,
        class: None,
        bounded: &arguments.bounded,
        by: owner(desk, &arguments.says, None),
        take_over: arguments.says.take_over,
    };
    run(&desk.on(arguments.device.device), &arguments.run, wanted).await
}

pub(super) async fn redrive(desk: &Desk, arguments: &RedriveBatch) -> Result<Exit, Fault> {
    let wanted = Wanted {
        begin: Begin::Redrive,
        class: Some(arguments.class.into()),
        bounded: &arguments.bounded,
        by: owner(desk, &arguments.says, None),
        take_over: arguments.says.take_over,
    };
    run(&desk.on(arguments.device.device), &arguments.run, wanted).await
}

/// The round that somebody wants.
struct Wanted<'a> {
    begin: Begin,
    class: Option<Class>,
    bounded: &'a Bounded,
    by: Owner,
    take_over: bool,
}

async fn run(desk: &Desk, run: &str, wanted: Wanted<'_>) -> Result<Exit, Fault> {
    let batch = Batch::open(desk, run).await?;
    match desk.step_functions() {
        Some(settings) => by_workers(desk, &batch, settings, wanted).await,
        None => here(desk, &batch, wanted).await,
    }
}

/// Begins a round that workers elsewhere do.
async fn by_workers(
    desk: &Desk,
    batch: &Batch,
    settings: StepFunctionsSettings,
    mut wanted: Wanted<'_>,
) -> Result<Exit, Fault> {
    let engine = desk.remote_engine(settings).await?;
    let Batch { plan, catalogue, .. } = batch;
    let control = Control::read(&**catalogue, &plan.tenant, &plan.run).await?;
    if control.state == State::Running {
        match engine.way(&plan.run, control.round).await? {
            // Whoever began it died between two words: the engine knows its name and begins once.
            None => _ = engine.start(&starting(batch, &control)).await?,
            Some(Way::Running) => {}
            Some(Way::Succeeded | Way::Ended(_)) if wanted.begin != Begin::First => {
                wanted.begin = Begin::Abandoned;
            }
            Some(_) => {}
        }
    }
    let (control, begun) = begin(batch, &wanted).await?;
    let begun = match begun {
        true => engine.start(&starting(batch, &control)).await?,
        false => Begun::Already,
    };
    tell(desk, batch, &control, begun);
    Ok(Exit::Done)
}

/// Does a round in this process.
async fn here(desk: &Desk, batch: &Batch, mut wanted: Wanted<'_>) -> Result<Exit, Fault> {
    let Batch { plan, catalogue, .. } = batch;
    let control = Control::read(&**catalogue, &plan.tenant, &plan.run).await?;
    // One process works at a home's batches; the lock goes with the process.
    let Some(_lock) = lock(desk)? else {
        tell(desk, batch, &control, Begun::Already);
        return Ok(Exit::Done);
    };
    if control.state == State::Running && wanted.begin != Begin::Redrive {
        wanted.begin = Begin::Abandoned;
    }
    let (control, begun) = begin(batch, &wanted).await?;
    if !begun {
        tell(desk, batch, &control, Begun::Already);
        return Ok(Exit::Done);
    }
    let engine = desk.local_engine().await?;
    engine.start(&starting(batch, &control)).await?;
    tell(desk, batch, &control, Begun::New);
    let stop = Arc::new(AtomicBool::new(false));
    let signals = tokio::spawn(listen(stop.clone()));
    let bench = desk.bench(&name()).await?;
    let bounds = Bounds { once: false, idle: Some(Duration::ZERO) };
    let mut teller = Teller { json: false };
    let worked = work(&engine, &bench, bounds, &mut teller, &stop).await;
    signals.abort();
    worked?;
    let standing = status::print(desk, batch).await?;
    match standing.control.state {
        State::Reconciled if standing.balance.rejected + standing.balance.failed > 0 => {
            Ok(Exit::Listed)
        }
        State::Reconciled => Ok(Exit::Done),
        State::Failed => Ok(Exit::Failed),
        _ if stop.load(Ordering::Relaxed) => {
            say(format!("interrupted: `glassplate batch resume {}` goes on", plan.run));
            Ok(Exit::Interrupted)
        }
        _ => Ok(Exit::Interrupted),
    }
}

/// Writes the round's shards, then says in the control that it runs; tells whether it was begun.
async fn begin(batch: &Batch, wanted: &Wanted<'_>) -> Result<(Control, bool), Fault> {
    let Batch { plan, store, catalogue } = batch;
    let control = Control::read(&**catalogue, &plan.tenant, &plan.run).await?;
    if control.begun(wanted.begin, &wanted.by, wanted.take_over)?.is_none() {
        return Ok((control, false));
    }
    let budget = wanted.bounded.budget.or(control.budget);
    if !plan.policy.price.is_zero() && budget.is_none() {
        return Err(Fault::bad_input(
            "labelling by a service costs money: say with --budget DOLLARS what all workers may \
             spend together (`glassplate batch plan` tells what it would)",
        ));
    }
    let round = control.round + 1;
    let pieces = pieces(batch, wanted, &control, round).await?;
    round::write(plan, round, &pieces, &**store).await?;
    begin_run(plan, budget, &**catalogue).await?;
    let bounded = wanted.bounded;
    let change = |now: &Control| {
        if now.round + 1 != round {
            return Ok(None);
        }
        let begun = now.begun(wanted.begin, &wanted.by, wanted.take_over)?;
        Ok(begun.map(|begun| Control {
            budget,
            max_workers: bounded.max_workers.unwrap_or(match now.max_workers {
                0 => MAX_WORKERS,
                before => before,
            }),
            tolerated_percent: bounded.tolerate.unwrap_or(match now.round {
                0 => TOLERATED_PERCENT,
                _ => now.tolerated_percent,
            }),
            ..begun
        }))
    };
    Control::change(&**catalogue, &plan.tenant, &plan.run, change).await
}

async fn pieces(
    batch: &Batch,
    wanted: &Wanted<'_>,
    control: &Control,
    round: u32,
) -> Result<Vec<Piece>, Fault> {
    let Batch { plan, store, catalogue } = batch;
    let mut pieces = round::unfinished(plan, control.round, &**store, &**catalogue).await?;
    if let Some(class) = wanted.class {
        match round::redriven(plan, round, class, &**store, &**catalogue).await {
            Ok(more) => pieces.extend(more),
            Err(fault) if fault.kind() == FaultKind::NotFound && !pieces.is_empty() => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(pieces)
}

fn starting(batch: &Batch, control: &Control) -> Start {
    Start {
        tenant: batch.plan.tenant.clone(),
        run: batch.plan.run.clone(),
        round: control.round,
        max_workers: control.max_workers,
        tolerated_percent: control.tolerated_percent,
    }
}

fn tell(desk: &Desk, batch: &Batch, control: &Control, begun: Begun) {
    let run = &batch.plan.run;
    if desk.json {
        output::json(&json!({
            "run": run,
            "round": control.round,
            "state": control.state,
            "begun": begun == Begun::New,
        }));
        return;
    }
    data(match begun {
        Begun::New => format!("run {run}: round {} begins", control.round),
        Begun::Already => {
            format!("run {run} is {} already, in round {}", control.state.name(), control.round)
        }
    });
}

/// Takes the lock of a home's batches; nothing when another process has it.
fn lock(desk: &Desk) -> Result<Option<File>, Fault> {
    let path = desk.home.join("batch.lock");
    let cannot = |e| Fault::broken(format!("cannot lock {}", path.display())).because(e);
    let file = File::options().create(true).write(true).truncate(false).open(&path);
    let file = file.map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(e)) => Err(cannot(e)),
    }
}
