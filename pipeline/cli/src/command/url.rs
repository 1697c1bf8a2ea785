//! `glassplate url`: where a picture's file can be had, for whoever may have it.

use glassplate_pipeline::asset::AssetId;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::opinion::{Finding, Verdict};
use glassplate_pipeline::record::{Parts, RENDER, current_opinions};
use glassplate_pipeline::stage::register;
use glassplate_pipeline::store::Key;
use serde_json::json;

use crate::arguments::Url;
use crate::compose::Desk;
use crate::exit::Exit;
use crate::output::{self, data};

pub(crate) async fn run(desk: &Desk, arguments: &Url) -> Result<Exit, Fault> {
    let id: AssetId = arguments.asset.parse()?;
    let catalogue = desk.existing_catalogue().await?;
    let parts = catalogue
        .parts(&desk.tenant, &id)
        .await?
        .ok_or_else(|| Fault::not_found(format!("there is no asset {id}")))?;
    let key = match &arguments.rendition {
        Some(name) => rendition(&parts, name)?,
        None => register::key_of(&parts.asset),
    };
    let store = desk.store().await?;
    if store.length(&key).await?.is_none() {
        return Err(Fault::not_found(format!("{} is not in the store", store.place(&key.path()))));
    }
    let url = store.delivery(&key, arguments.seconds).await?;
    let place = store.place(&key.path());
    match desk.json {
        true => output::json(&json!({ "asset": id, "place": place, "url": url })),
        false => data(url.unwrap_or(place)),
    }
    Ok(Exit::Done)
}

/// The key of a rendition by its name.
fn rendition(parts: &Parts, name: &str) -> Result<Key, Fault> {
    let current = current_opinions(parts);
    let files = match current.get(RENDER).map(|opinion| &opinion.verdict) {
        Some(Verdict::Found(Finding::Rendered(found))) => &found.files[..],
        _ => &[],
    };
    let file = files.iter().find(|file| file.name == name).ok_or_else(|| {
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        Fault::not_found(format!("there is no rendition {name:?}, but: {}", names.join(", ")))
    })?;
    Key::from_path(&file.path)
}
