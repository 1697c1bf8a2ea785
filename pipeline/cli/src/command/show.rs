//! `glassplate show`: everything known of one asset.

use glassplate_pipeline::asset::AssetId;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::field::{Field, Fields};
use glassplate_pipeline::record::{Record, State, fold};
use glassplate_pipeline::store::Store;
use serde_json::Value;

use super::labels::{self, Shown};
use crate::arguments::Show;
use crate::compose::Desk;
use crate::exit::Exit;
use crate::output::{self, data, plain};

pub(crate) async fn run(desk: &Desk, arguments: &Show) -> Result<Exit, Fault> {
    let id: AssetId = arguments.asset.parse()?;
    let catalogue = desk.existing_catalogue().await?;
    let parts = catalogue.parts(&desk.tenant, &id).await?.ok_or_else(|| {
        Fault::not_found(format!("there is no asset {id} of tenant {}", desk.tenant))
    })?;
    let mut record = placed(&*desk.store().await?, fold(&parts, &*desk.interpreter()?));
    let hidden = Shown::asked(desk, arguments.min_confidence).keep(&mut record);
    if desk.json {
        output::json(&record);
        return Ok(Exit::Done);
    }
    let family = match &record.pixel_digest {
        Some(pixels) => catalogue.family(&desk.tenant, pixels).await?,
        None => Vec::new(),
    };
    print(&record, hidden, family.iter().filter(|other| **other != id));
    Ok(Exit::Done)
}

/// Writes where the renditions lie instead of their keys.
pub(crate) fn placed(store: &dyn Store, mut record: Record) -> Record {
    for rendition in &mut record.renditions {
        rendition.path = store.place(&rendition.path);
    }
    for restored in &mut record.restorations {
        for file in &mut restored.restoration.files {
            file.path = store.place(&file.path);
        }
    }
    record
}

fn print<'a>(record: &Record, hidden: usize, family: impl Iterator<Item = &'a AssetId>) {
    data(format!("asset {}", record.asset));
    let what = match (&record.technical, record.width, record.height) {
        (Some(technical), Some(width), Some(height)) => {
            format!("{}, {width} x {height}, {} bit", technical.format.name(), technical.bit_depth)
        }
        _ => "not identified".to_owned(),
    };
    data(format!("  {what}, {}, registered {}", output::bytes(record.bytes), record.registered));
    data(format!("  sha256 {}", record.digest.sha256));
    for other in family {
        data(format!("  the same picture as {other}"));
    }
    data("found in");
    for occurrence in &record.occurrences {
        data(format!("  {}: {}", plain(&occurrence.collection), plain(&occurrence.source)));
        fields(&occurrence.metadata, "    ");
    }
    if !record.embedded.is_empty() {
        data("embedded metadata");
        fields(&record.embedded, "  ");
    }
    labels::print(record, hidden);
    if !record.renditions.is_empty() {
        data("renditions");
    }
    for r in &record.renditions {
        data(format!("  {:>5}  {} x {}  {}", r.name, r.width, r.height, r.path));
    }
    for restored in &record.restorations {
        data(format!("restored by programs: {}", restored.restoration.name));
        for repaired in &restored.restoration.repairs {
            let by = format!("{} {}", repaired.maker.model, repaired.maker.version);
            let remark = repaired.remark.iter().map(|remark| format!("; {remark}"));
            let remark: String = remark.collect();
            data(format!("  {}: {by}, {:.1} s{remark}", repaired.repair.name(), repaired.seconds));
        }
        for file in &restored.restoration.files {
            data(format!("  {} x {}  {}", file.width, file.height, file.path));
        }
        for label in &restored.labels {
            data(format!("  only here: {} {:.2}", plain(&label.name), label.confidence));
        }
    }
    data("steps");
    for (step, state) in &record.steps {
        let reason = state.reason.as_deref().map(plain);
        let word = match state.state {
            State::Done => "done",
            State::NoneFound => "none found",
            State::NotRun => "not run",
            State::Failed => "failed",
        };
        let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        data(format!("  {step}: {word}{reason}"));
    }
}

fn fields(fields: &Fields, indent: &str) {
    for (name, Field { value, source, also }) in fields {
        data(format!("{indent}{name}: {}  ({})", plain(&text_of(value)), plain(source)));
        for other in also {
            let text = plain(&text_of(&other.value));
            data(format!("{indent}  but {text}  ({})", plain(&other.source)));
        }
    }
}

/// Writes a field's value for people: lists with commas, objects as `key value`.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(text_of).collect::<Vec<_>>().join(", "),
        Value::Object(parts) => parts
            .iter()
            .map(|(name, part)| format!("{name} {}", text_of(part)))
            .collect::<Vec<_>>()
            .join(", "),
        other => other.to_string(),
    }
}
