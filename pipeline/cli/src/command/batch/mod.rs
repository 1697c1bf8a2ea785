//! `glassplate batch`: runs over many sources by many workers.

mod begin;
mod hold;
mod plan;
mod report;
mod status;

use std::sync::Arc;

use glassplate_pipeline::batch::control::Owner;
use glassplate_pipeline::batch::plan::Plan;
use glassplate_pipeline::catalogue::Catalogue;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::run::RunId;
use glassplate_pipeline::store::Store;

use crate::arguments::{BatchAction, Says};
use crate::compose::Desk;
use crate::env;
use crate::exit::Exit;

pub(crate) async fn run(desk: &Desk, action: BatchAction) -> Result<Exit, Fault> {
    match action {
        BatchAction::Plan(arguments) => plan::run(desk, &arguments).await,
        BatchAction::Start(arguments) => begin::start(desk, &arguments).await,
        BatchAction::Resume(arguments) => begin::resume(desk, &arguments).await,
        BatchAction::Redrive(arguments) => begin::redrive(desk, &arguments).await,
        BatchAction::Status { run, watch } => status::run(desk, &run, watch).await,
        BatchAction::Pause(arguments) => hold::run(desk, hold::Hold::Pause, &arguments).await,
        BatchAction::Cancel(arguments) => hold::run(desk, hold::Hold::Cancel, &arguments).await,
        BatchAction::Report { run, format } => report::run(desk, &run, format).await,
    }
}

/// A batch that was planned, and where it lies.
struct Batch {
    plan: Plan,
    store: Arc<dyn Store>,
    catalogue: Arc<dyn Catalogue>,
}

impl Batch {
    /// Opens the batch that a user named.
    ///
    /// # Errors
    /// `NotFound` when it was never planned.
    async fn open(desk: &Desk, name: &str) -> Result<Self, Fault> {
        let catalogue = desk.existing_catalogue().await?;
        let store = desk.store().await?;
        let plan = Plan::read(&desk.tenant, &RunId::from_text(name), &*store).await?;
        Ok(Self { plan, store, catalogue })
    }
}

/// Who says so, now.
fn owner(desk: &Desk, says: &Says, reason: Option<&str>) -> Owner {
    let who = says.by.clone().or_else(|| desk.settings.people.name.clone()).or_else(env::by);
    Owner {
        who: who.unwrap_or_else(|| "nobody known".to_owned()),
        reason: reason.map(str::to_owned),
        at: jiff::Timestamp::now(),
    }
}
