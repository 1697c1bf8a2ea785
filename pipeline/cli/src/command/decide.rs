//! `glassplate approve`, `reject` and `add`: what a person says of labels, kept for ever.

use glassplate_models::vocabulary::Words;
use glassplate_pipeline::asset::AssetId;
use glassplate_pipeline::catalogue::{Catalogue, Entry};
use glassplate_pipeline::decide::{Said, decide, person};
use glassplate_pipeline::decision::{Decision, Ruling};
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::label::LabelKind;
use glassplate_pipeline::record::fold;
use serde_json::json;

use super::search;
use crate::arguments::Decide;
use crate::compose::Desk;
use crate::env;
use crate::exit::Exit;
use crate::output::{self, data, plain, say};

pub(crate) async fn run(desk: &Desk, ruling: Ruling, arguments: &Decide) -> Result<Exit, Fault> {
    let id: AssetId = arguments.asset.parse()?;
    let who = who(desk, arguments.by.as_deref())?;
    let catalogue = desk.existing_catalogue().await?;
    let parts = catalogue.parts(&desk.tenant, &id).await?.ok_or_else(|| {
        Fault::not_found(format!("there is no asset {id} of tenant {}", desk.tenant))
    })?;
    let record = fold(&parts, &*desk.interpreter()?);
    let at = jiff::Timestamp::now();
    let kind = arguments.kind.map(LabelKind::from);
    let said = Said { ruling, labels: &arguments.labels, kind, who: &who, at };
    let decisions = decide(&Words::load(), &record, &said)?;
    let entries = decisions.iter().cloned().map(Entry::Decision).collect();
    catalogue.append(&desk.tenant, entries).await?;
    if desk.json {
        output::json(&json!({ "asset": id, "by": who, "at": at, "decisions": decisions }));
    } else {
        for decision in &decisions {
            data(told(decision));
        }
    }
    follow(desk, &*catalogue).await;
    Ok(Exit::Done)
}

/// One decision in words: `approved: boat (object), by ada`.
pub(super) fn told(decision: &Decision) -> String {
    let ruling = match decision.ruling {
        Ruling::Approve => "approved",
        Ruling::Reject => "rejected",
        Ruling::Add => "added",
    };
    let (label, kind) = (plain(&decision.label), decision.kind.name());
    format!("{ruling}: {label} ({kind}), by {}", plain(&decision.who))
}

/// Brings the index up to what was just written; what was written stands whatever comes of it.
pub(super) async fn follow(desk: &Desk, catalogue: &dyn Catalogue) {
    let followed = match desk.index() {
        Ok(index) => search::catch_up(&index, catalogue).await,
        Err(fault) => Err(fault),
    };
    if let Err(fault) = followed {
        say(format!("it is written down, but the index lags behind: {}", fault.reason()));
        say("`glassplate reindex` builds it anew");
    }
}

/// Whose decision it is; nobody's is none.
pub(super) fn who(desk: &Desk, by: Option<&str>) -> Result<String, Fault> {
    let name = by.map(str::to_owned).or_else(|| desk.settings.people.name.clone());
    let Some(name) = name.or_else(env::by) else {
        return Err(Fault::bad_input(format!(
            "it is not known who decides: give --by NAME, or set people.name or {}",
            env::BY
        )));
    };
    person(&name).map(str::to_owned)
}
