//! Which column is which: the key, Dublin Core elements, and columns of the archive's own.

use serde_json::Value;

use crate::fault::Fault;
use crate::field::{Field, Fields};
use crate::image::embedded;

/// Names of the key column, in order of preference.
///
/// `source` and `identifier` are Dublin Core elements too, so they are the key only
/// where nothing else is.
const KEYS: [&str; 10] = [
    "path",
    "file_path",
    "source_file",
    "sourcefile",
    "file",
    "filename",
    "file_name",
    "dc_filename",
    "source",
    "identifier",
];

/// Fields whose value is a list, even of one.
const LISTS: [&str; 10] = [
    "creator",
    "contributor",
    "keywords",
    "language",
    "people",
    "publisher",
    "relation",
    "subject_codes",
    "supplemental_categories",
    "type",
];

/// What Dublin Core and catalogues call what the embedded fields call otherwise.
const SAME_FIELD: [(&str, &str); 17] = [
    ("artist", "creator"),
    ("author", "creator"),
    ("by_line", "creator"),
    ("caption_abstract", "caption"),
    ("country_primary_location_name", "country"),
    ("created", "date_taken"),
    ("date", "date_taken"),
    ("date_created", "date_taken"),
    ("date_time_original", "date_taken"),
    ("description", "caption"),
    ("image_description", "caption"),
    ("keyword", "keywords"),
    ("object_name", "title"),
    ("rights", "copyright"),
    ("copyright_notice", "copyright"),
    ("source", "derived_from"),
    ("subject", "keywords"),
];

/// The header, understood.
#[derive(Debug)]
pub(crate) struct Columns {
    key: usize,
    /// The field of each column; `None` for the key and for columns without a name.
    fields: Vec<Option<String>>,
}

impl Columns {
    /// Finds the key column and names the others.
    pub(super) fn find(header: &[String], name: &str) -> Result<Self, Fault> {
        let names: Vec<String> = header.iter().map(|column| field_name(column)).collect();
        let key = KEYS.iter().find_map(|key| names.iter().position(|name| name == key));
        let Some(key) = key else {
            return Err(Fault::bad_input(format!(
                "the catalogue {name} has no column that names the files: one of path, file, filename, SourceFile, source, identifier"
            )));
        };
        let fields = names
            .into_iter()
            .enumerate()
            .map(|(place, name)| (place != key && !name.is_empty()).then(|| canonical(&name)))
            .collect();
        Ok(Self { key, fields })
    }

    /// Names all columns but some, which name the file.
    pub(crate) fn besides(header: &[String], others: &[usize]) -> Self {
        let named = |(at, column): (usize, &String)| {
            let name = field_name(column);
            (!others.contains(&at) && !name.is_empty()).then(|| canonical(&name))
        };
        let key = others.first().copied().unwrap_or(0);
        Self { key, fields: header.iter().enumerate().map(named).collect() }
    }

    /// The key column's place.
    pub(super) fn key(&self) -> usize {
        self.key
    }

    /// Names the fields that two columns claim; the first non-blank cell is used.
    pub(super) fn problems(&self, name: &str) -> Vec<String> {
        let named: Vec<&String> = self.fields.iter().flatten().collect();
        let mut twice: Vec<&String> = named
            .iter()
            .enumerate()
            .filter(|(at, f)| named[..*at].contains(f))
            .map(|(_, f)| *f)
            .collect();
        twice.dedup();
        twice.iter().map(|field| format!("{name}: more than one column is {field}")).collect()
    }

    /// Makes a row's fields; blank cells say nothing.
    pub(crate) fn fields(&self, cells: &[String], source: &str) -> Fields {
        let mut fields = Fields::new();
        for (name, cell) in self.fields.iter().zip(cells) {
            if let (Some(name), Some(value)) = (name, value(name.as_deref(), cell)) {
                let field = Field { value, source: source.to_owned(), also: Vec::new() };
                fields.entry(name.clone()).or_insert(field);
            }
        }
        fields
    }
}

/// Makes a cell's value: a date in ISO 8601 when nothing is lost by it, else texts split at `|`.
///
/// A list stays a list where the field is one or there are several values.
fn value(name: Option<&str>, cell: &str) -> Option<Value> {
    let name = name?;
    let plain = |b: u8| b.is_ascii_digit() || b":-/.+ TZ".contains(&b);
    if name.starts_with("date_")
        && cell.bytes().all(plain)
        && let Some(date) = embedded::iso_date(cell)
    {
        return Some(date.into());
    }
    let parts: Vec<&str> = cell.split('|').map(str::trim).filter(|part| !part.is_empty()).collect();
    match parts[..] {
        [] => None,
        [one] if !LISTS.contains(&name) => Some(one.into()),
        _ => Some(parts.into()),
    }
}

/// Brings a column's name to snake case, without the Dublin Core prefix.
fn field_name(column: &str) -> String {
    let column = column.trim();
    let bare = column
        .split_once([':', '.'])
        .filter(|(prefix, _)| matches!(prefix.to_ascii_lowercase().as_str(), "dc" | "dcterms"))
        .map_or(column, |(_, name)| name);
    let mut name = String::new();
    let mut after_lower = false;
    for c in bare.chars() {
        if c.is_alphanumeric() {
            if c.is_uppercase() && after_lower {
                name.push('_');
            }
            name.extend(c.to_lowercase());
            after_lower = c.is_lowercase() || c.is_numeric();
        } else {
            if !name.is_empty() && !name.ends_with('_') {
                name.push('_');
            }
            after_lower = false;
        }
    }
    name.trim_end_matches('_').to_owned()
}

fn canonical(name: &str) -> String {
    let same = SAME_FIELD.iter().find(|(other, _)| *other == name);
    same.map_or(name, |(_, field)| field).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn column_names_are_brought_to_one_spelling() {
        for (column, expected) in [
            ("title", "title"),
            ("dc:title", "title"),
            ("dcterms.title", "title"),
            ("DC.Title", "title"),
            ("SourceFile", "source_file"),
            ("Shelf Mark (old)", "shelf_mark_old"),
            ("Größe", "größe"),
            ("  ", ""),
        ] {
            assert_eq!(field_name(column), expected, "{column}");
        }
        assert_eq!(canonical("rights"), "copyright");
    }
}
