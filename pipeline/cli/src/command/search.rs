//! `glassplate search`: finds pictures, and says why each was found.

use glassplate_pipeline::fault::{Fault, FaultKind};
use glassplate_search::{Ask, Correction, Hit, Index, Why};
use serde_json::json;

use crate::arguments::Search;
use crate::compose::Desk;
use crate::exit::Exit;
use crate::output::{self, data, plain, say};

/// What the help says about queries; the codes are those of every command.
pub(crate) const HELP: &str = "\
Queries:
  turtle            pictures of turtles, loggerheads included: synonyms and broader terms count
  dog -indoor       a dog, and nothing that says indoor
  \"red boat\"        the words side by side
  dog OR cat        either; (dog OR cat) beach groups
  tur*              words that begin so
  creator:lange     a word in one field; an unknown field is answered with the list of fields
  date:1930..1939   a range of dates
  is:monochrome     what is known of the picture; also has:people, state:approved, source:human

Exit codes:
  0    answered, be it with nothing found
  1    something is missing, busy or broken; the message says what
  2    wrong usage, or a query that cannot be understood";

pub(crate) async fn run(desk: &Desk, arguments: &Search) -> Result<Exit, Fault> {
    let catalogue = desk.existing_catalogue().await?;
    let index = desk.index()?;
    catch_up(&index, &*catalogue).await?;
    let query = arguments.text();
    let answer = index.search(&desk.tenant, &Ask::words(&query, arguments.limit))?;
    if desk.json {
        let hits: Vec<_> = answer.hits.iter().map(|hit| hit_json(hit)).collect();
        output::json(&json!({
            "query": query,
            "total": answer.total,
            "hits": hits,
            "corrections": answer.corrections,
            "notes": answer.notes,
        }));
        return Ok(Exit::Done);
    }
    for hit in &answer.hits {
        print(hit);
    }
    for Correction { typed, taken } in &answer.corrections {
        say(format!("nothing has {}, so {} was searched for", plain(typed), plain(taken)));
    }
    for note in &answer.notes {
        say(note);
    }
    let shown = answer.hits.len() as u64;
    say(match answer.total {
        0 => format!("nothing found for {query}"),
        total if total == shown => format!("{total} found"),
        total => format!("{total} found, the first {shown} shown; --limit shows more"),
    });
    Ok(Exit::Done)
}

/// Brings the index up to date, unless somebody else is at it.
pub(super) async fn catch_up(
    index: &Index,
    catalogue: &dyn glassplate_pipeline::catalogue::Catalogue,
) -> Result<(), Fault> {
    match index.catch_up(catalogue).await {
        Ok(_) => Ok(()),
        Err(fault) if fault.kind() == FaultKind::Busy => {
            say("another glassplate is indexing: the newest pictures may be missing");
            Ok(())
        }
        Err(fault) => Err(fault),
    }
}

pub(super) fn print(hit: &Hit) {
    data(format!("{}  {}", hit.asset, plain(&hit.title)));
    for why in &hit.why {
        data(format!("    {}", plain(&why.to_string())));
    }
    let labels: Vec<_> =
        hit.labels.iter().map(|l| format!("{} {:.2}", plain(&l.name), l.confidence)).collect();
    if !labels.is_empty() {
        data(format!("    labels: {}", labels.join(", ")));
    }
    for source in hit.sources.iter().take(2) {
        data(format!("    {}", plain(source)));
    }
}

/// A hit as JSON; each reason also in words.
fn hit_json(hit: &Hit) -> serde_json::Value {
    let mut value = json!(hit);
    let why = hit.why.iter().map(|why: &Why| {
        let mut reason = json!(why);
        reason["text"] = json!(why.to_string());
        reason
    });
    value["why"] = why.collect();
    value
}
