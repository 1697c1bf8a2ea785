//! `glassplate batch pause` and `cancel`: workers finish the pictures in hand and stop.

use glassplate_pipeline::batch::Engine as _;
use glassplate_pipeline::batch::control::Control;
use glassplate_pipeline::fault::Fault;
use serde_json::json;

use super::{Batch, owner};
use crate::arguments::HoldBatch;
use crate::compose::Desk;
use crate::exit::Exit;
use crate::output::{self, data};

/// What is done to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    Pause,
    Cancel,
}

pub(super) async fn run(desk: &Desk, hold: Hold, arguments: &HoldBatch) -> Result<Exit, Fault> {
    let Batch { plan, catalogue, .. } = Batch::open(desk, &arguments.run).await?;
    let by = owner(desk, &arguments.says, arguments.reason.as_deref());
    let take_over = arguments.says.take_over;
    let change = |control: &Control| match hold {
        Hold::Pause => control.paused(&by, take_over),
        Hold::Cancel => control.cancelled(&by, take_over),
    };
    // The control first: whoever asks by then is told; the engine only hands out no more.
    let (control, changed) = Control::change(&*catalogue, &plan.tenant, &plan.run, change).await?;
    if let Some(settings) = desk.step_functions().filter(|_| control.round > 0) {
        let engine = desk.remote_engine(settings).await?;
        let why = format!("{} by {}", control.state.name(), by.who);
        engine.stop(&plan.run, control.round, &why).await?;
    }
    if desk.json {
        output::json(&json!({
            "run": plan.run,
            "state": control.state,
            "owner": control.owner,
            "changed": changed,
        }));
        return Ok(Exit::Done);
    }
    let already = if changed { "" } else { " already" };
    data(format!("run {} is {}{already}", plan.run, control.state.name()));
    Ok(Exit::Done)
}
