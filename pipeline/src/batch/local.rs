//! The engine of one process: hands out a round's tasks from memory, in order.
//!
//! What is done survives it in the catalogue; a round that a process died over is gone on with by
//! the next one. The whole is gone through by one worker that has all lanes.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;

use super::plan::Plan;
use super::{Begun, End, Engine, Handed, Start, Step, Task, Way, round};
use crate::fault::{Fault, FaultKind};
use crate::run::RunId;
use crate::store::Store;

/// How often a task is handed out again whose fault may pass.
const RETRIES: u32 = 3;

/// Hands out tasks from memory.
pub struct LocalEngine {
    store: Arc<dyn Store>,
    rounds: Mutex<HashMap<(RunId, u32), Round>>,
    news: Notify,
}

/// A round on its way.
struct Round {
    tasks: VecDeque<Task>,
    in_hand: Vec<Task>,
    tries: HashMap<Option<String>, u32>,
    step: Step,
    way: Way,
}

impl LocalEngine {
    /// An engine without rounds.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, rounds: Mutex::default(), news: Notify::new() }
    }

    fn rounds(&self) -> std::sync::MutexGuard<'_, HashMap<(RunId, u32), Round>> {
        self.rounds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<Handed> {
        let mut rounds = self.rounds();
        let round = rounds.values_mut().find(|r| r.way == Way::Running && !r.tasks.is_empty())?;
        let task = round.tasks.pop_front()?;
        round.in_hand.push(task.clone());
        Some(Handed { receipt: String::new(), token: String::new(), task })
    }
}

impl Round {
    /// Lets go of a task; tells whether it was in hand.
    fn put_down(&mut self, task: &Task) -> bool {
        let at = self.in_hand.iter().position(|held| held == task);
        at.map(|at| self.in_hand.swap_remove(at)).is_some()
    }

    fn again(&mut self, task: &Task) -> bool {
        let tries = self.tries.entry(task.shard.clone()).or_default();
        *tries += 1;
        *tries <= RETRIES
    }

    /// Goes on to the next step when the last task of this one is done.
    fn go_on(&mut self, task: &Task) {
        if !self.tasks.is_empty() || !self.in_hand.is_empty() || self.way != Way::Running {
            return;
        }
        let next = |step| Task { step, shard: None, ..task.clone() };
        match self.step {
            Step::Shard => self.tasks.push_back(next(Step::Reconcile)),
            Step::Reconcile => self.tasks.push_back(next(Step::Refresh)),
            Step::Refresh => self.way = Way::Succeeded,
        }
        self.step = match self.step {
            Step::Shard => Step::Reconcile,
            Step::Reconcile | Step::Refresh => Step::Refresh,
        };
        self.tries.clear();
    }
}

#[async_trait]
impl Engine for LocalEngine {
    async fn start(&self, start: &Start) -> Result<Begun, Fault> {
        let name = (start.run.clone(), start.round);
        if self.rounds().contains_key(&name) {
            return Ok(Begun::Already);
        }
        let plan = Plan::read(&start.tenant, &start.run, &*self.store).await?;
        let pieces = round::read(&plan, start.round, &*self.store).await?;
        let task = |step, shard| Task {
            step,
            tenant: start.tenant.clone(),
            run: start.run.clone(),
            round: start.round,
            shard,
        };
        let mut tasks: VecDeque<Task> =
            pieces.into_iter().map(|piece| task(Step::Shard, Some(piece.shard))).collect();
        let step = if tasks.is_empty() { Step::Reconcile } else { Step::Shard };
        if tasks.is_empty() {
            tasks.push_back(task(Step::Reconcile, None));
        }
        let begun =
            Round { tasks, in_hand: Vec::new(), tries: HashMap::new(), step, way: Way::Running };
        self.rounds().insert(name, begun);
        self.news.notify_waiters();
        Ok(Begun::New)
    }

    async fn stop(&self, run: &RunId, round: u32, why: &str) -> Result<(), Fault> {
        if let Some(round) = self.rounds().get_mut(&(run.clone(), round))
            && round.way == Way::Running
        {
            round.way = Way::Ended(why.to_owned());
            round.tasks.clear();
        }
        Ok(())
    }

    async fn way(&self, run: &RunId, round: u32) -> Result<Option<Way>, Fault> {
        Ok(self.rounds().get(&(run.clone(), round)).map(|round| round.way.clone()))
    }

    async fn next(&self, wait: Duration) -> Result<Option<Handed>, Fault> {
        let deadline = tokio::time::Instant::now() + wait;
        loop {
            let news = self.news.notified();
            if let Some(handed) = self.take() {
                return Ok(Some(handed));
            }
            if tokio::time::timeout_at(deadline, news).await.is_err() {
                return Ok(None);
            }
        }
    }

    async fn beat(&self, handed: &Handed) -> Result<bool, Fault> {
        let Task { run, round, .. } = &handed.task;
        let rounds = self.rounds();
        let round = rounds.get(&(run.clone(), *round));
        Ok(round.is_some_and(|r| r.way == Way::Running && r.in_hand.contains(&handed.task)))
    }

    fn beat_every(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn answer(&self, handed: &Handed, end: &End) -> Result<(), Fault> {
        let task = &handed.task;
        let mut rounds = self.rounds();
        let Some(round) = rounds.get_mut(&(task.run.clone(), task.round)) else { return Ok(()) };
        if !round.put_down(task) || round.way != Way::Running {
            return Ok(());
        }
        let transient = FaultKind::Busy.faces().step_functions;
        match end {
            End::GivenBack => round.tasks.push_back(task.clone()),
            End::Failed { error, .. } if error == transient && round.again(task) => {
                round.tasks.push_back(task.clone());
            }
            // The reckoning tells of what failed; whether the books balance is its word alone, and
            // what is in the catalogue is to be found all the same.
            End::Done(_) | End::Failed { .. } | End::Dropped => {}
        }
        round.go_on(task);
        if let (Step::Refresh, Way::Succeeded, End::Failed { cause, .. }) =
            (task.step, &round.way, end)
        {
            round.way = Way::Ended(cause.clone());
        }
        self.news.notify_waiters();
        Ok(())
    }
}
