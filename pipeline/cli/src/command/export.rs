//! `glassplate export`: all records, for programs. The forms are stable; they only grow.

use glassplate_pipeline::asset::AssetId;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::label::LabelKind;
use glassplate_pipeline::record::{LabelState, Record, RecordLabel, fold};

use super::labels::Shown;
use super::show::{placed, text_of};
use crate::arguments::{Export, ExportFormat};
use crate::compose::Desk;
use crate::exit::Exit;
use crate::output;

/// How many records are read at a time.
const PAGE: usize = 500;

/// The columns of the CSV form: one line an occurrence.
const COLUMNS: [&str; 20] = [
    "asset",
    "collection",
    "source",
    "sha256",
    "pixel_digest",
    "phash",
    "format",
    "width",
    "height",
    "bytes",
    "title",
    "creator",
    "date",
    "caption",
    "keywords",
    "copyright",
    "objects",
    "reason",
    "scenes",
    "concepts",
];

pub(crate) async fn run(desk: &Desk, arguments: &Export) -> Result<Exit, Fault> {
    let catalogue = desk.existing_catalogue().await?;
    let collection = arguments.collection.as_deref();
    if arguments.format == ExportFormat::Csv {
        output::data(line(&COLUMNS.map(str::to_owned))?);
    }
    let (interpreter, store) = (desk.interpreter()?, desk.store().await?);
    let shown = Shown::asked(desk, arguments.min_confidence);
    let mut after: Option<AssetId> = None;
    loop {
        let page = catalogue.assets(&desk.tenant, collection, after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        for parts in catalogue.parts_of_many(&desk.tenant, &page).await? {
            let mut record = placed(&*store, fold(&parts, &*interpreter));
            shown.keep(&mut record);
            match arguments.format {
                ExportFormat::Jsonl => output::json(&record),
                ExportFormat::Csv => rows(&record, collection)?,
            }
        }
    }
    if let (Some(name), None) = (collection, after) {
        return Err(Fault::not_found(format!("there is no collection {name:?}")));
    }
    Ok(Exit::Done)
}

fn rows(record: &Record, collection: Option<&str>) -> Result<(), Fault> {
    let format = record.technical.as_ref().map(|t| t.format.name().to_owned());
    let number = |n: Option<u32>| n.map(|n| n.to_string()).unwrap_or_default();
    let labels = |kind: LabelKind| -> String {
        // A cell cannot say that a label was refused, so such a label is in none.
        let stands = |label: &&RecordLabel| label.state != LabelState::Rejected;
        let of_kind = record.labels.iter().filter(|label| label.kind == kind).filter(stands);
        let told = of_kind.map(|label| format!("{}:{:.3}", label.name, label.confidence));
        told.collect::<Vec<_>>().join("|")
    };
    let reason = record.steps.values().find_map(|step| step.reason.clone());
    let wanted = record.occurrences.iter().filter(|o| collection.is_none_or(|c| c == o.collection));
    for occurrence in wanted {
        // What came beside the file was written by the archivist: it beats what is inside.
        let field = |names: [&str; 2]| {
            [&occurrence.metadata, &record.embedded]
                .into_iter()
                .find_map(|fields| names.iter().find_map(|name| fields.get(*name)))
                .map(|field| text_of(&field.value))
                .unwrap_or_default()
        };
        output::data(line(&[
            record.asset.to_string(),
            occurrence.collection.clone(),
            occurrence.source.clone(),
            record.digest.sha256.to_string(),
            record.pixel_digest.map(|d| d.to_string()).unwrap_or_default(),
            record.phash.clone().unwrap_or_default(),
            format.clone().unwrap_or_default(),
            number(record.width),
            number(record.height),
            record.bytes.to_string(),
            field(["title", "title"]),
            field(["creator", "creator"]),
            field(["date", "date_taken"]),
            field(["description", "caption"]),
            field(["subject", "keywords"]),
            field(["rights", "copyright"]),
            labels(LabelKind::Object),
            reason.clone().unwrap_or_default(),
            labels(LabelKind::Scene),
            labels(LabelKind::Concept),
        ])?);
    }
    Ok(())
}

/// Writes one CSV line, quoted where needed, without its end.
fn line(cells: &[String]) -> Result<String, Fault> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(cells).map_err(|e| Fault::broken("cannot write CSV").because(e))?;
    let bytes = writer
        .into_inner()
        .map_err(|e| Fault::broken("cannot write CSV").because(e.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned())
}
