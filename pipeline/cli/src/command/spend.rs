//! `glassplate spend`: what services cost, by run and collection.

use std::collections::BTreeMap;

use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::purse::Purse;
use glassplate_pipeline::quote::{Account, account_of};
use glassplate_pipeline::run::Run;
use serde_json::json;

use super::runs::existing;
use crate::arguments::Spend;
use crate::compose::Desk;
use crate::exit::Exit;
use crate::output::{self, data, plain};

/// How many runs are looked at, the latest first.
const MOST_RUNS: usize = 100_000;

pub(crate) async fn run(desk: &Desk, arguments: &Spend) -> Result<Exit, Fault> {
    let catalogue = desk.existing_catalogue().await?;
    let runs = match &arguments.run {
        Some(name) => vec![existing(desk, &*catalogue, name).await?],
        None => catalogue.runs(&desk.tenant, None, MOST_RUNS).await?,
    };
    let wanted = |run: &Run| arguments.collection.as_ref().is_none_or(|c| *c == run.collection);
    let (mut by_run, mut by_collection, mut all) =
        (Vec::new(), BTreeMap::new(), Account::default());
    for run in runs.into_iter().filter(|run| run.budget.is_some() && wanted(run)) {
        let account = account_of(&*catalogue, &desk.tenant, &run.id).await?;
        by_collection.entry(run.collection.clone()).or_insert_with(Account::default).join(&account);
        all.join(&account);
        by_run.push((run, account));
    }
    if desk.json {
        let runs: Vec<_> = by_run
            .iter()
            .map(|(run, account)| {
                json!({
                    "run": run.id,
                    "collection": run.collection,
                    "budget": run.budget,
                    "account": account,
                })
            })
            .collect();
        output::json(&json!({
            "tenant": desk.tenant,
            "account": all,
            "collections": by_collection,
            "runs": runs,
        }));
        return Ok(Exit::Done);
    }
    for (run, account) in &by_run {
        let budget = run.budget.unwrap_or_default();
        data(format!(
            "{}  {}  {} of {budget} dollars",
            run.id,
            plain(&run.collection),
            told(account)
        ));
    }
    for (collection, account) in &by_collection {
        data(format!("collection {}: {} dollars", plain(collection), told(account)));
    }
    data(format!("tenant {}: {} dollars", desk.tenant.as_str(), told(&all)));
    Ok(Exit::Done)
}

fn told(account: &Account) -> String {
    let Account { answered, lost, reserved, free, spent } = account;
    let mut parts = vec![format!("{answered} answered")];
    for (count, what) in [
        (lost, "lost, perhaps paid"),
        (reserved, "left open, perhaps paid"),
        (free, "refused, not paid"),
    ] {
        if *count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    format!("{}: {spent}", parts.join(", "))
}

/// What a run has spent, for its report.
pub(super) fn spending(purse: &Purse) -> String {
    format!("{} paid calls, {} of {} dollars spent", purse.calls(), purse.spent(), purse.budget())
}
