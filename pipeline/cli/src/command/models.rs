//! `glassplate models`: what there is, where it comes from, under which licence.

use glassplate_models::shelf::{State, Status};
use glassplate_pipeline::fault::Fault;
use serde_json::json;

use crate::arguments::Models;
use crate::compose::{Desk, pull};
use crate::exit::Exit;
use crate::output::{self, data, say};

pub(crate) fn run(desk: &Desk, action: &Models) -> Result<Exit, Fault> {
    let shelf = desk.shelf()?;
    match action {
        Models::List => {
            list(desk, &shelf.list());
            Ok(Exit::Done)
        }
        Models::Pull { names } => {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            pull(&shelf, &names)?;
            list(desk, &shelf.list());
            Ok(Exit::Done)
        }
        Models::Verify => {
            let found = shelf.verify()?;
            list(desk, &found);
            if found.iter().any(|status| status.state == State::Damaged) {
                say("a model is damaged: `glassplate models pull NAME` fetches it anew");
                return Ok(Exit::Failed);
            }
            Ok(Exit::Done)
        }
    }
}

fn list(desk: &Desk, models: &[Status]) {
    let rows = models.iter().map(|Status { card, state, bytes, source }| {
        json!({
            "name": card.name,
            "task": word(&card.task),
            "version": card.version,
            "licence": card.licence,
            "measuring_only": card.measuring_only,
            "state": word(state),
            "bytes": bytes,
            "source": source,
        })
    });
    if desk.json {
        output::json(&json!({ "models": rows.collect::<Vec<_>>() }));
        return;
    }
    for Status { card, state, bytes, source } in models {
        data(format!(
            "{:<20} {:<8} {:>8}  {}  ({}){}",
            card.name,
            word(state),
            output::bytes(*bytes),
            card.licence,
            source,
            if card.measuring_only { "  for measuring only" } else { "" }
        ));
    }
}

/// The name of an enum's variant, in lower case.
fn word(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}").to_lowercase()
}
