//! `glassplate batch plan`: what is to be done, in shards, and what it takes and costs.

use std::collections::BTreeMap;

use glassplate_pipeline::batch::control::Control;
use glassplate_pipeline::batch::line::Line;
use glassplate_pipeline::batch::plan::{Draft, Plan, Policy};
use glassplate_pipeline::batch::task::begin_run;
use glassplate_pipeline::catalogue::Catalogue;
use glassplate_pipeline::enrich::House;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::purchase::Dollars;
use glassplate_pipeline::quote::worth_asking;
use serde_json::json;

use super::super::ingest::{gather, sources_of, tell_unmatched};
use super::super::progress::duration;
use crate::arguments::PlanBatch;
use crate::compose::{Desk, Staff};
use crate::exit::Exit;
use crate::output::{self, bytes, data};

/// How many labelled pictures tell what share of new ones will be asked about.
const SAMPLE: usize = 500;
/// How many runs are looked at for a rate.
const RUNS: usize = 50;
/// The fewest pictures of a run that tells a rate.
const TELLING: u64 = 20;

pub(super) async fn run(desk: &Desk, arguments: &PlanBatch) -> Result<Exit, Fault> {
    let sources = &arguments.sources;
    let (csv, beside) = gather(desk, sources).await?;
    let staff = match arguments.without_labels {
        true => Staff::none(),
        // A quote needs no budget; the start does.
        false => desk.staff(&sources.collection, Some(Dollars::ZERO)).await?,
    };
    let prices: BTreeMap<String, Dollars> = staff
        .labellers
        .iter()
        .filter_map(|labeller| Some((labeller.step().to_owned(), labeller.price()?)))
        .collect();
    let policy = Policy {
        without_labels: arguments.without_labels,
        makers: staff.labellers.iter().map(|labeller| labeller.maker().clone()).collect(),
        price: prices.values().copied().sum(),
    };
    let draft = Draft {
        tenant: desk.tenant.clone(),
        collection: sources.collection.clone(),
        sources: sources_of(sources),
        policy,
        lines: beside.sources(csv.as_ref()).map(Line::of).collect(),
        shard: arguments.shard,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    if let Some(csv) = csv {
        tell_unmatched(&csv);
    }
    let house = desk.house(staff).await?;
    let plan = Plan::make(draft, &*house.store, house.clock.now()).await?;
    let catalogue = &*house.catalogue;
    Control::open(catalogue, &plan.tenant, &plan.run, house.clock.now()).await?;
    if catalogue.run(&plan.tenant, &plan.run).await?.is_none() {
        begin_run(&plan, None, catalogue).await?;
    }
    let quote = Quote::of(arguments, &plan, &house, prices).await?;
    quote.print(desk, &plan);
    Ok(Exit::Done)
}

/// What a batch takes and costs.
struct Quote {
    /// By the step that asks, what a call costs.
    prices: BTreeMap<String, Dollars>,
    /// The most paid calls, the most dollars.
    at_most: (u64, Dollars),
    /// Of how many labelled pictures of the collection more would be asked, out of how many.
    history: (usize, usize),
    /// Sources a second of one worker, and where that is known from.
    rate: Option<(f64, String)>,
    workers: u32,
}

impl Quote {
    async fn of(
        arguments: &PlanBatch,
        plan: &Plan,
        house: &House,
        prices: BTreeMap<String, Dollars>,
    ) -> Result<Self, Fault> {
        let history = match prices.is_empty() {
            true => (0, 0),
            false => worth_asking(house, &plan.collection, SAMPLE).await?,
        };
        let rate = match arguments.rate {
            Some(rate) => Some((rate, "as given".to_owned())),
            None => measured(&*house.catalogue, house).await?,
        };
        let calls = plan.pictures * prices.len() as u64;
        let at_most = (calls, plan.policy.price * plan.pictures);
        Ok(Self { prices, at_most, history, rate, workers: arguments.workers })
    }

    fn expected(&self) -> Option<Dollars> {
        let (asking, seen) = self.history;
        let share = |all: u64| all * asking as u64 / seen as u64;
        (seen > 0).then(|| Dollars::from_millionths(share(self.at_most.1.millionths())))
    }

    fn seconds(&self, plan: &Plan) -> Option<f64> {
        let (rate, _) = self.rate.as_ref()?;
        Some(plan.pictures as f64 / rate / f64::from(self.workers))
    }

    fn print(&self, desk: &Desk, plan: &Plan) {
        let seconds = self.seconds(plan);
        let (calls, dollars) = self.at_most;
        if desk.json {
            output::json(&json!({
                "run": plan.run,
                "collection": plan.collection,
                "pictures": plan.pictures,
                "bytes": plan.bytes,
                "shards": plan.shards,
                "prices": self.prices,
                "calls_at_most": calls,
                "dollars_at_most": dollars,
                "dollars_expected": self.expected(),
                "workers": self.workers,
                "rate": self.rate.as_ref().map(|(rate, _)| rate),
                "rate_from": self.rate.as_ref().map(|(_, from)| from),
                "seconds": seconds,
            }));
            return;
        }
        data(format!(
            "{} sources, {}, in {} shards of {}",
            plan.pictures,
            bytes(plan.bytes),
            plan.shards,
            plan.shard
        ));
        match self.prices.is_empty() {
            true => data("no paid calls"),
            false => data(format!(
                "at most {calls} paid calls, {dollars} dollars: known answers, duplicates and what \
                 is no picture cost nothing"
            )),
        }
        if let Some(expected) = self.expected() {
            let (asking, seen) = self.history;
            data(format!(
                "of {seen} labelled pictures of this collection {asking} are worth asking about: \
                 expect {expected} dollars"
            ));
        }
        match (&self.rate, seconds) {
            (Some((rate, from)), Some(seconds)) => data(format!(
                "about {} by {} workers at {rate:.1} sources a second each ({from})",
                duration(seconds as u64),
                self.workers
            )),
            _ => data("no rate is known here: --rate tells one, or a first run of a few pictures"),
        }
        data(format!("run {0}: `glassplate batch start {0}` begins", plan.run));
    }
}

/// What the last run here did a second.
async fn measured(
    catalogue: &dyn Catalogue,
    house: &House,
) -> Result<Option<(f64, String)>, Fault> {
    let runs = catalogue.runs(&house.tenant, None, RUNS).await?;
    let told = runs.into_iter().find_map(|run| {
        // The time of a batch is that of its planning; and what is known goes by unread.
        let finished = run.finished.filter(|_| !run.id.as_str().starts_with("batch-"))?;
        let seconds = finished.duration_since(run.started).as_secs_f64();
        let telling = run.balance.enriched >= TELLING && seconds > 0.0;
        telling.then(|| (run.balance.total() as f64 / seconds, format!("as run {} did", run.id)))
    });
    Ok(told)
}
