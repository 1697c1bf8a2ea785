//! `glassplate decisions`: what people decided, with who and when.

use glassplate_pipeline::asset::AssetId;
use glassplate_pipeline::fault::Fault;

use super::decide::told;
use crate::compose::Desk;
use crate::exit::Exit;
use crate::output::{self, data};

/// How many assets are read at a time.
const PAGE: usize = 500;

/// Lists asset by asset, each in the order decided; as JSON one decision a line.
pub(crate) async fn run(desk: &Desk, collection: Option<&str>) -> Result<Exit, Fault> {
    let catalogue = desk.existing_catalogue().await?;
    let mut after: Option<AssetId> = None;
    loop {
        let page = catalogue.assets(&desk.tenant, collection, after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        for parts in catalogue.parts_of_many(&desk.tenant, &page).await? {
            for decision in &parts.decisions {
                if desk.json {
                    output::json(decision);
                } else {
                    let at = decision.at.strftime("%Y-%m-%d %H:%M UTC");
                    data(format!("{}  {at}  {}", decision.asset, told(decision)));
                }
            }
        }
    }
    if let (Some(name), None) = (collection, after) {
        return Err(Fault::not_found(format!("there is no collection {name:?}")));
    }
    Ok(Exit::Done)
}
