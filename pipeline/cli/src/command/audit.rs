//! `glassplate audit`: who did what in an archive, the latest first.

use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::tenancy::{Deed, DeedId, DeedOutcome, Registry, Verb};
use jiff::Timestamp;

use crate::arguments::Audit;
use crate::compose::Desk;
use crate::env;
use crate::exit::Exit;
use crate::output::{self, data, plain};

/// How many deeds are read at a time.
const PAGE: usize = 500;

pub(crate) async fn run(desk: &Desk, arguments: &Audit) -> Result<Exit, Fault> {
    let registry = desk.registry().await?;
    let since = arguments.since.map(|since| since.moment(Timestamp::now()));
    let (mut left, mut before): (usize, Option<DeedId>) = (arguments.limit, None);
    while left > 0 {
        let page = registry.deeds(&desk.tenant, before.as_ref(), left.min(PAGE)).await?;
        let Some(last) = page.last() else { break };
        before = Some(last.id.clone());
        left -= page.len().min(left);
        for deed in &page {
            if since.is_some_and(|since| deed.at < since) {
                return Ok(Exit::Done);
            }
            if desk.json {
                output::json(deed);
            } else {
                data(told(deed));
            }
        }
    }
    Ok(Exit::Done)
}

/// One deed in words: `2026-01-31 12:00:00 UTC  Ada (0123456789abcdef)  download  gcz...: done`.
fn told(deed: &Deed) -> String {
    let at = deed.at.strftime("%Y-%m-%d %H:%M:%S UTC");
    let key = deed.key.as_ref().map(|key| format!(" ({key})")).unwrap_or_default();
    let (who, subject) = (plain(&deed.who), plain(&deed.subject));
    format!("{at}  {who}{key}  {}  {subject}: {}", deed.what, deed.outcome.name())
}

/// Writes down what was done from the command line.
///
/// # Errors
/// What the registry says.
pub(super) async fn note(
    desk: &Desk,
    registry: &dyn Registry,
    tenant: &Tenant,
    what: Verb,
    subject: &str,
) -> Result<(), Fault> {
    let who = desk.settings.people.name.clone().or_else(env::by);
    let who = who.unwrap_or_else(|| "the command line".to_owned());
    let deed = Deed::new(Timestamp::now(), tenant, &who, what, subject, DeedOutcome::Done)?;
    registry.note(&deed).await
}
