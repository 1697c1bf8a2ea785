//! Doing a task: the sources of a shard through [`crate::ingest`], the reckoning, the index.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::{Value, json};

use super::control::Control;
use super::line::Line;
use super::plan::Plan;
use super::progress::{Progress, ShardState};
use super::reckon::Reckoning;
use super::{End, Step, Task, UNBALANCED, failed};
use crate::catalogue::{Catalogue, Entry};
use crate::enrich::House;
use crate::fault::{Fault, FaultKind};
use crate::ingest::{Ended, Watcher, ingest_part};
use crate::ports::Clock;
use crate::purchase::Dollars;
use crate::run::{Balance, Item, Outcome};
use crate::store::Store;

/// How many items are read at a time.
const PAGE: usize = 1000;

/// The role that has what tasks need and knows no batch: whoever composes fills it.
#[async_trait]
pub trait Crew: Send + Sync {
    /// The house in which a plan's pictures are worked on; the same for all shards of a run.
    ///
    /// # Errors
    /// `Refused` when it would ask others than the plan says.
    async fn house(&self, plan: &Plan, budget: Option<Dollars>) -> Result<Arc<House>, Fault>;

    /// Catches the search index up; tells how many documents changed.
    async fn refresh(&self) -> Result<u64, Fault>;
}

/// A worker's bench: what it does tasks with.
pub struct Bench {
    /// Where plans lie and pictures go.
    pub store: Arc<dyn Store>,
    /// Where all is written down.
    pub catalogue: Arc<dyn Catalogue>,
    /// Who opens houses and has the index.
    pub crew: Arc<dyn Crew>,
    /// This worker's name: no other has it.
    pub name: String,
    /// How many pictures are worked on at once.
    pub lanes: usize,
    /// Who tells the time.
    pub clock: Arc<dyn Clock>,
}

impl Bench {
    /// Does a task until it is done or `stop` is set. `told` holds meanwhile how a shard goes.
    pub async fn perform(&self, task: &Task, stop: &AtomicBool, told: &Told) -> End {
        let done = match task.step {
            Step::Shard => match self.shard(task, stop, told).await {
                Err(fault) => {
                    self.tell_failure(task, &fault).await;
                    Err(fault)
                }
                done => done,
            },
            Step::Reconcile => self.reconcile(task).await,
            Step::Refresh => {
                self.crew.refresh().await.map(|n| End::Done(json!({ "documents": n })))
            }
        };
        done.unwrap_or_else(|fault| failed(&fault))
    }

    async fn shard(&self, task: &Task, stop: &AtomicBool, told: &Told) -> Result<End, Fault> {
        let Task { tenant, run, round, shard, .. } = task;
        let shard = shard.as_deref().ok_or_else(|| Fault::bad_input("a task names no shard"))?;
        let plan = Plan::read(tenant, run, &*self.store).await?;
        let control = Control::read(&*self.catalogue, tenant, run).await?;
        let house = self.crew.house(&plan, control.budget).await?;
        let now = || self.clock.now();
        let lines = plan.lines(&*self.store, shard).await?;
        let known = self.good_outcomes(&plan, &lines).await?;
        let progress = Progress::begun(*round, &self.name, now());
        told.begin(&task.clone(), shard, progress, known.values());
        told.write(&*self.catalogue, now()).await?;
        let mut sources = Vec::with_capacity(lines.len());
        for line in lines {
            if !known.contains_key(&line.source) {
                sources.push(line.listed()?);
            }
        }
        let Ended { left, broken, .. } =
            ingest_part(&house, &plan.run(None), sources, self.lanes, &mut &*told, stop).await;
        let (state, end) = match (broken, left) {
            (Some(fault), _) => (ShardState::Failed, failed(&fault)),
            (None, 0) => (ShardState::Done, End::Done(counted(&told.balance()))),
            (None, _) => (ShardState::GivenBack, End::GivenBack),
        };
        told.end(state, &end);
        told.write(&*self.catalogue, now()).await?;
        Ok(end)
    }

    /// Writes why a shard could not even be begun; when that cannot be written either, the engine
    /// still hears of it.
    async fn tell_failure(&self, task: &Task, fault: &Fault) {
        let Task { tenant, run, round, shard: Some(shard), .. } = task else { return };
        let begun = Progress::begun(*round, &self.name, self.clock.now());
        let failed = Progress { state: ShardState::Failed, why: Some(fault.reason()), ..begun };
        if let Err(e) = failed.write(&*self.catalogue, tenant, run, shard).await {
            tracing::warn!("cannot write that shard {shard} failed: {}", e.reason());
        }
    }

    /// What earlier tries of the same run did of these sources, as far as it is good: it is not
    /// done again, so that the run's books tell what the run did.
    async fn good_outcomes(
        &self,
        plan: &Plan,
        lines: &[Line],
    ) -> Result<HashMap<String, Item>, Fault> {
        let (Some(first), Some(last)) = (lines.first(), lines.last()) else {
            return Ok(HashMap::new());
        };
        let wanted: std::collections::HashSet<&str> =
            lines.iter().map(|line| line.source.as_str()).collect();
        let mut known = HashMap::new();
        // Items come behind a source: the greatest text before the first one.
        let mut after = before(&first.source);
        loop {
            let page =
                self.catalogue.items(&plan.tenant, &plan.run, after.as_deref(), PAGE).await?;
            let Some(end) = page.last() else { return Ok(known) };
            let beyond = end.source > last.source;
            after = Some(end.source.clone());
            for item in page {
                if item.outcome < Outcome::Rejected && wanted.contains(item.source.as_str()) {
                    known.insert(item.source.clone(), item);
                }
            }
            if beyond {
                return Ok(known);
            }
        }
    }

    async fn reconcile(&self, task: &Task) -> Result<End, Fault> {
        let Task { tenant, run, round, .. } = task;
        let plan = Plan::read(tenant, run, &*self.store).await?;
        let catalogue = &*self.catalogue;
        let control = Control::read(catalogue, tenant, run).await?;
        let percent = control.tolerated_percent;
        let reckoning = Reckoning::of(&plan, percent, &*self.store, catalogue).await?;
        let now = self.clock.now();
        reckoning.enter(&plan, catalogue, now).await?;
        let why = reckoning.unbalanced.as_deref();
        let change = |control: &Control| Ok(control.reckoned(*round, why, now));
        Control::change(catalogue, tenant, run, change).await?;
        match &reckoning.unbalanced {
            None => Ok(End::Done(json!(reckoning))),
            Some(why) => Ok(End::Failed { error: UNBALANCED.to_owned(), cause: why.clone() }),
        }
    }
}

/// Begins a run in the ledger, unless it was begun.
///
/// # Errors
/// What the catalogue says.
pub async fn begin_run(
    plan: &Plan,
    budget: Option<Dollars>,
    catalogue: &dyn Catalogue,
) -> Result<(), Fault> {
    match catalogue.run(&plan.tenant, &plan.run).await? {
        Some(known) if known.budget == budget => Ok(()),
        known => {
            let run = known.unwrap_or_else(|| plan.run(budget));
            let run = crate::run::Run { budget, ..run };
            catalogue.append(&plan.tenant, vec![Entry::Run(run)]).await
        }
    }
}

/// A text just before another: nothing that a source is named comes between.
fn before(source: &str) -> Option<String> {
    let mut chars = source.chars();
    let last = chars.next_back()?;
    let mut text = chars.as_str().to_owned();
    if let Some(less) = ('\0'..last).next_back() {
        text.push(less);
        text.push(char::MAX);
    }
    (!text.is_empty()).then_some(text)
}

fn counted(balance: &Balance) -> Value {
    let mut value = json!(balance);
    value["in"] = json!(balance.total());
    value
}

/// How the shard in hand goes, as its watcher counts it.
#[derive(Debug, Default)]
pub struct Told(Mutex<Option<InHand>>);

#[derive(Debug, Clone)]
struct InHand {
    task: Task,
    shard: String,
    progress: Progress,
}

impl Told {
    fn begin<'a>(
        &self,
        task: &Task,
        shard: &str,
        mut progress: Progress,
        known: impl Iterator<Item = &'a Item>,
    ) {
        known.for_each(|item| progress.count(item));
        *self.lock() = Some(InHand { task: task.clone(), shard: shard.to_owned(), progress });
    }

    fn end(&self, state: ShardState, end: &End) {
        if let Some(in_hand) = &mut *self.lock() {
            in_hand.progress.state = state;
            if let End::Failed { cause, .. } = end {
                in_hand.progress.why = Some(cause.clone());
            }
        }
    }

    fn balance(&self) -> Balance {
        self.lock().as_ref().map(|in_hand| in_hand.progress.balance).unwrap_or_default()
    }

    /// Writes how the shard in hand goes; nothing when none is.
    ///
    /// # Errors
    /// What the catalogue says.
    pub async fn write(
        &self,
        catalogue: &dyn Catalogue,
        now: jiff::Timestamp,
    ) -> Result<(), Fault> {
        let Some(mut in_hand) = self.lock().clone() else { return Ok(()) };
        in_hand.progress.at = now;
        let Task { tenant, run, .. } = &in_hand.task;
        in_hand.progress.write(catalogue, tenant, run, &in_hand.shard).await
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<InHand>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher for &Told {
    fn ended(&mut self, item: &Item, bytes: u64, _balance: &Balance) {
        if let Some(in_hand) = &mut *self.lock() {
            in_hand.progress.count(item);
            in_hand.progress.done += 1;
            in_hand.progress.bytes += bytes;
        }
    }
}

/// Waits until `stop` is set; looked at a few times a second.
pub(crate) async fn stopped(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

/// Refuses to label by others than the plan says: one run is one policy, on whatever worker.
///
/// # Errors
/// `Refused`, for every picture alike.
pub fn same_policy(plan: &Plan, house: &House) -> Result<(), Fault> {
    let makers: Vec<_> = house.labellers.iter().map(|labeller| labeller.maker().clone()).collect();
    if makers == plan.policy.makers {
        return Ok(());
    }
    let named = |makers: &[crate::opinion::Maker]| {
        let names: Vec<_> = makers.iter().map(|m| format!("{} {}", m.model, m.version)).collect();
        if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
    };
    Err(Fault::new(
        FaultKind::Refused,
        format!(
            "{} was planned with {}; this worker would ask {}",
            plan.run,
            named(&plan.policy.makers),
            named(&makers)
        ),
    )
    .for_all())
}
