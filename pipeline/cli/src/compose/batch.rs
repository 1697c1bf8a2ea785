//! The parts of batches: an engine as the settings say, and what a worker does tasks with.

use std::sync::Arc;

use async_trait::async_trait;
use glassplate_pipeline::batch::local::LocalEngine;
use glassplate_pipeline::batch::plan::Plan;
use glassplate_pipeline::batch::step_functions::{
    Bucket, StepFunctionsEngine, StepFunctionsSettings, needs_s3,
};
use glassplate_pipeline::batch::task::{Bench, Crew, same_policy};
use glassplate_pipeline::enrich::House;
use glassplate_pipeline::fault::{Fault, FaultKind};
use glassplate_pipeline::purchase::Dollars;
use glassplate_pipeline::run::RunId;
use tokio::sync::Mutex;

use super::{Desk, Staff, SystemClock};
use crate::env;
use crate::output::say;
use crate::settings::{BatchSettings, StoreSettings};

impl Desk {
    /// The engine of this process.
    pub(crate) async fn local_engine(&self) -> Result<LocalEngine, Fault> {
        Ok(LocalEngine::new(self.store().await?))
    }

    /// The settings of Step Functions, where batches are run by it.
    pub(crate) fn step_functions(&self) -> Option<StepFunctionsSettings> {
        match &self.settings.batch {
            BatchSettings::Local => None,
            BatchSettings::StepFunctions(settings) => {
                let mut settings = settings.clone();
                settings.queue = env::set(env::QUEUE).or(settings.queue);
                settings.state_machine = env::set(env::STATE_MACHINE).or(settings.state_machine);
                Some(settings)
            }
        }
    }

    /// The engine on AWS.
    ///
    /// # Errors
    /// `BadInput` when the store is not in S3, where the state machine reads shards.
    pub(crate) async fn remote_engine(
        &self,
        settings: StepFunctionsSettings,
    ) -> Result<StepFunctionsEngine, Fault> {
        let StoreSettings::S3(s3) = &self.settings.store else { return Err(needs_s3()) };
        let prefix = match s3.prefix.as_str() {
            "" => String::new(),
            prefix => format!("{prefix}/"),
        };
        let bucket = Bucket { name: s3.bucket.clone(), prefix };
        StepFunctionsEngine::open(&self.aws().await?, settings, bucket)
    }

    /// What a worker of this name does tasks with.
    pub(crate) async fn bench(&self, name: &str) -> Result<Bench, Fault> {
        let crew = Houses { desk: self.clone(), name: name.to_owned(), last: Mutex::default() };
        Ok(Bench {
            store: self.store().await?,
            catalogue: self.catalogue().await?,
            crew: Arc::new(crew),
            name: name.to_owned(),
            lanes: self.lanes(),
            clock: Arc::new(SystemClock),
        })
    }
}

/// Opens houses; the last one is kept, since shards of one run mostly follow each other.
struct Houses {
    desk: Desk,
    name: String,
    last: Mutex<Option<Opened>>,
}

/// A house, for which run and budget it was opened.
type Opened = (RunId, Option<Dollars>, Arc<House>);

#[async_trait]
impl Crew for Houses {
    async fn house(&self, plan: &Plan, budget: Option<Dollars>) -> Result<Arc<House>, Fault> {
        let mut last = self.last.lock().await;
        if let Some((run, for_budget, house)) = &*last
            && *run == plan.run
            && house.tenant == plan.tenant
            && *for_budget == budget
        {
            return Ok(house.clone());
        }
        let desk = self.desk.of(&plan.tenant);
        let staff = match plan.policy.without_labels {
            true => Staff::none(),
            false => desk.staff(&plan.collection, budget).await?,
        };
        let house = desk.house(staff).await?;
        let objects = if plan.in_s3 { Some(desk.objects().await?) } else { None };
        let purse =
            house.purse.shared(house.catalogue.clone(), &plan.tenant, &plan.run, &self.name);
        let house = Arc::new(House { objects, purse, ..house });
        same_policy(plan, &house)?;
        *last = Some((plan.run.clone(), budget, house.clone()));
        Ok(house)
    }

    async fn refresh(&self) -> Result<u64, Fault> {
        let catalogue = self.desk.catalogue().await?;
        match self.desk.index()?.catch_up(&*catalogue).await {
            Ok(caught_up) => Ok(caught_up.documents),
            // A server, or another worker of this home: it sees the same changes.
            Err(fault) if fault.kind() == FaultKind::Busy => {
                say("another glassplate is indexing, and takes these pictures over");
                Ok(0)
            }
            Err(fault) => Err(fault),
        }
    }
}
