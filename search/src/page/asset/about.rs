//! What is known about an asset besides its labels: title, files, metadata, places.

use glassplate_pipeline::field::{Field, Fields};
use glassplate_pipeline::record::Record;
use glassplate_pipeline::rendition::Rendition;
use jiff::Timestamp;
use maud::{Markup, html};
use serde_json::Value;

use super::Seen;
use crate::ask::Facet;
use crate::page::links;

/// Fields that say by whom and when, in the order told; of several of a kind the first found.
const BY: [&[&str]; 3] = [
    &["creator", "artist", "byline"],
    &["date", "date_taken", "date_created"],
    &["coverage", "location", "city", "country"],
];

/// Writes the title, what the picture is, and how to get at it.
pub(super) fn heading(seen: &Seen<'_>) -> Markup {
    let record = seen.record;
    html! {
        section.heading {
            h1 { (seen.title) }
            @let caption = written(record, &["caption", "description"]);
            @if let Some(caption) = caption.filter(|caption| *caption != seen.title) {
                p.caption { (caption) }
            }
            @let by: Vec<String> = BY.iter().filter_map(|names| written(record, names)).collect();
            @if !by.is_empty() { p.by { (by.join(" · ")) } }
            p.shelves {
                @for collection in collections(record) {
                    a href=(links::within(Facet::Collection, collection)) { (collection) } " "
                }
            }
            (downloads(seen))
            (citation(seen))
        }
    }
}

fn collections(record: &Record) -> Vec<&str> {
    let mut names: Vec<&str> = record.occurrences.iter().map(|o| o.collection.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn downloads(seen: &Seen<'_>) -> Markup {
    let record = seen.record;
    let format = record.format.map_or("file", |format| format.name());
    let size = match (record.width, record.height) {
        (Some(width), Some(height)) => format!("{width} × {height}, "),
        _ => String::new(),
    };
    html! {
        ul.downloads aria-label="Download" {
            li {
                a.primary href=(links::original(&record.asset)) download {
                    "Original" span.quiet { " " (format) ", " (size) (bytes(record.bytes)) }
                }
            }
            @for rendition in different(record) {
                li {
                    a href=(links::rendition(&record.asset, &rendition.name)) download=(file_name(record, &rendition.name)) {
                        (rendition.width) " × " (rendition.height)
                    }
                }
            }
            li { a href=(format!("/iiif/manifest/{}", record.asset)) { "IIIF" } }
            li { a href=(format!("/v1/assets/{}", record.asset)) { "JSON" } }
        }
    }
}

/// The renditions, those of one size once: a small original is not made larger.
fn different(record: &Record) -> Vec<&Rendition> {
    let mut renditions: Vec<&Rendition> = record.renditions.iter().collect();
    renditions.dedup_by_key(|rendition| (rendition.width, rendition.height));
    renditions
}

fn file_name(record: &Record, rendition: &str) -> String {
    format!("{}-{rendition}", record.asset)
}

fn citation(seen: &Seen<'_>) -> Markup {
    let record = seen.record;
    let creator = written(record, BY[0]).map(|who| format!("{who}, ")).unwrap_or_default();
    let date = written(record, BY[1]).map(|date| format!(", {date}")).unwrap_or_default();
    let shelf = collections(record).first().map(|name| format!(". {name}")).unwrap_or_default();
    html! {
        p.cite {
            span.cited #citation { (creator) "“" (seen.title) "”" (date) (shelf) ". glassplate:" (record.asset) }
            button type="button" data-copy="citation" hidden { "Copy" }
        }
    }
}

/// What people wrote under the first of these names that has a text: beside the file, then in it.
fn written(record: &Record, names: &[&str]) -> Option<String> {
    let sources = || record.occurrences.iter().map(|o| &o.metadata).chain([&record.embedded]);
    names.iter().find_map(|name| {
        let texts = sources().filter_map(|fields| fields.get(*name));
        texts.map(|field| text_of(&field.value)).find(|text| !text.trim().is_empty())
    })
}

/// Writes the metadata inside the file, each field with its source.
pub(super) fn metadata(seen: &Seen<'_>) -> Markup {
    html! {
        @if !seen.record.embedded.is_empty() {
            section {
                h2 { "In the file" }
                (fields(&seen.record.embedded))
            }
        }
    }
}

/// Writes where the asset was found, and what was written beside it.
pub(super) fn places(seen: &Seen<'_>) -> Markup {
    html! {
        section {
            h2 { "Found in" }
            ul.places {
                @for place in &seen.record.occurrences {
                    li {
                        p {
                            a href=(links::within(Facet::Collection, &place.collection)) { (place.collection) }
                            " " span.path { (place.source) }
                        }
                        @if !place.metadata.is_empty() { (fields(&place.metadata)) }
                    }
                }
            }
        }
    }
}

fn fields(fields: &Fields) -> Markup {
    html! {
        dl.fields {
            @for (name, field) in fields {
                dt { (name.replace('_', " ")) }
                dd { (value(field)) }
            }
        }
    }
}

fn value(field: &Field) -> Markup {
    html! {
        (text_of(&field.value)) " " span.source { (field.source) }
        @for other in &field.also {
            span.but { "but " (text_of(&other.value)) " " span.source { (other.source) } }
        }
    }
}

/// Writes a field's value for people: lists with commas, objects as `key value`.
fn text_of(value: &Value) -> String {
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

/// Writes a moment to the second, in UTC.
pub(crate) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// Writes a length in the unit that people read it in.
pub(crate) fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.0} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}
