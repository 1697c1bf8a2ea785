//! The table under a catalogue: encoding, delimiter, header and rows with line numbers.

use std::borrow::Cow;

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::fault::Fault;

/// A header, and rows with the line each begins on.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<(u64, Vec<String>)>,
}

/// Reads a table; lines that are wholly empty are skipped.
pub(super) fn read(bytes: &[u8], name: &str) -> Result<Table, Fault> {
    let text = decode(bytes);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(&text))
        .has_headers(false)
        // Spreadsheets leave empty cells away at the end; a row that is longer is checked below.
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut table = Table { header: Vec::new(), rows: Vec::new() };
    for record in reader.records() {
        let record = record.map_err(|error| {
            Fault::bad_input(format!("the catalogue {name} is broken")).because(error)
        })?;
        let line = record.position().map_or(0, csv::Position::line);
        let cells: Vec<String> = record.iter().map(str::to_owned).collect();
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if table.header.is_empty() {
            table.header = cells;
            continue;
        }
        let surplus = cells.get(table.header.len()..).unwrap_or_default();
        if surplus.iter().any(|cell| !cell.trim().is_empty()) {
            return Err(Fault::bad_input(format!(
                "the catalogue {name} is broken: line {line} has {} cells and the header {}; a quote is missing around a cell",
                cells.len(),
                table.header.len()
            )));
        }
        table.rows.push((line, cells));
    }
    if table.header.is_empty() {
        return Err(Fault::bad_input(format!("the catalogue {name} is empty")));
    }
    Ok(table)
}

/// Decodes by byte order mark, else as UTF-8 when valid, else as Windows-1252.
///
/// UTF-16 without a mark is known by its zero bytes: a file name begins with ASCII.
fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match bytes {
        [0xFE, 0xFF, ..] | [0, ..] => UTF_16BE.decode_with_bom_removal(bytes).0,
        [0xFF, 0xFE, ..] | [_, 0, ..] => UTF_16LE.decode_with_bom_removal(bytes).0,
        _ => {
            let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
            match std::str::from_utf8(bytes) {
                Ok(text) => Cow::Borrowed(text),
                Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
            }
        }
    }
}

/// The separator that stands most often in the header outside quotes; comma when none does.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for byte in header.bytes() {
        if byte == b'"' {
            quoted = !quoted;
        }
        if let Some((_, count)) =
            counts.iter_mut().find(|(separator, _)| !quoted && *separator == byte)
        {
            *count += 1;
        }
    }
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(0);
    counts.iter().find(|(_, count)| *count == most).map_or(b',', |(separator, _)| *separator)
}
