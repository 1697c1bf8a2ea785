//! The archivist's catalogue: a CSV of Dublin Core columns keyed by file.
//!
//! It takes tables as spreadsheets and `exiftool -csv` write them: UTF-8, UTF-16 or
//! Windows-1252; separated by comma, semicolon or tab; a first line of column names.
//! `title`, `dc:title`, `dcterms.title` and `DC.Title` are one column; columns outside
//! Dublin Core keep their own name in snake case. Several values in one cell are
//! separated by `|` alone, because `;` and `,` stand inside names and titles.
//!
//! It knows file names, not files: the caller looks each picture up and asks at the end
//! which rows were never used.

mod columns;
mod table;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use unicode_normalization::UnicodeNormalization as _;

pub(crate) use columns::Columns;

use crate::fault::Fault;
use crate::field::Fields;

/// A catalogue, read and ready to be asked.
#[derive(Debug)]
pub struct Catalogue {
    name: String,
    folder: PathBuf,
    rows: Vec<Row>,
    /// Normalised key to row.
    by_path: HashMap<String, usize>,
    /// The key's tail, see [`tail`], to rows: one is a match, more are ambiguous.
    by_tail: HashMap<String, Vec<usize>>,
    problems: Vec<String>,
}

/// What a catalogue says of one file.
#[derive(Debug, PartialEq)]
pub enum Match<'a> {
    /// The row's fields, each with the source `csv:NAME.csv`.
    Row(&'a Fields),
    /// Only the file's name matches, and more than one row has it; the rows' lines.
    Ambiguous(Vec<u64>),
    /// No row is about this file.
    None,
}

/// A row of the catalogue that no file was looked up for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmatched {
    /// The line it begins on, counted from 1.
    pub line: u64,
    /// Its key as written.
    pub key: String,
}

#[derive(Debug)]
struct Row {
    line: u64,
    key: String,
    fields: Fields,
    /// Whether a look-up has used it, and how many have by its tail alone.
    matched: AtomicBool,
    by_tail: AtomicUsize,
}

impl Catalogue {
    /// Reads a catalogue from a file.
    ///
    /// # Errors
    /// `NotFound` when there is no such file, `BadInput` when it has no key column or a
    /// row is broken; the message names the line.
    pub fn read(path: &Path) -> Result<Self, Fault> {
        let bytes = std::fs::read(path).map_err(|error| {
            let message = format!("cannot read the catalogue {}", path.display());
            match error.kind() {
                std::io::ErrorKind::NotFound => Fault::not_found(message),
                _ => Fault::broken(message),
            }
            .because(error)
        })?;
        Self::from_bytes(&bytes, path)
    }

    /// Reads a catalogue that was found at `path`.
    ///
    /// # Errors
    /// As [`Catalogue::read`].
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self, Fault> {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let table = table::read(bytes, &name)?;
        let columns = columns::Columns::find(&table.header, &name)?;
        let mut catalogue = Self {
            name: name.clone(),
            folder: path.parent().unwrap_or(Path::new("")).to_owned(),
            rows: Vec::with_capacity(table.rows.len()),
            by_path: HashMap::new(),
            by_tail: HashMap::new(),
            problems: columns.problems(&name),
        };
        let source = format!("csv:{name}");
        for (line, cells) in table.rows {
            let key = cells.get(columns.key()).map(|key| key.trim()).unwrap_or_default();
            if key.is_empty() {
                catalogue.problems.push(format!("{name}: line {line} names no file"));
                continue;
            }
            catalogue.add(line, key, columns.fields(&cells, &source));
        }
        Ok(catalogue)
    }

    /// Looks a file up and marks its row as used.
    ///
    /// Tried in turn: the path relative to the catalogue's folder, relative to `root`
    /// (the folder being ingested), the path as given, and last the file's name, when
    /// exactly one row has it. A row whose key has a folder must agree in the folder's
    /// name too: `box1/001.tif` is never taken for `box2/001.tif`. Names match whatever
    /// Unicode form they are in. `file`, `root` and the catalogue's own path are best all
    /// absolute; nothing is looked up on disk.
    pub fn look_up(&self, file: &Path, root: &Path) -> Match<'_> {
        let relative = [file.strip_prefix(&self.folder).ok(), file.strip_prefix(root).ok()];
        for path in relative.into_iter().flatten().chain([file]) {
            if let Some(&row) = self.by_path.get(&normal(&path.to_string_lossy())) {
                return self.used(row);
            }
        }
        let whole = normal(&file.to_string_lossy());
        let name = whole.rsplit('/').next().unwrap_or_default();
        let mut rows: Vec<usize> = [tail(&whole), name]
            .iter()
            .filter_map(|tail| self.by_tail.get(*tail))
            .flatten()
            .copied()
            .collect();
        // At the root of a file system both tails are the same.
        rows.dedup();
        match rows[..] {
            [] => Match::None,
            [row] => {
                self.rows[row].by_tail.fetch_add(1, Ordering::Relaxed);
                self.used(row)
            }
            _ => Match::Ambiguous(rows.iter().map(|&row| self.rows[row].line).collect()),
        }
    }

    /// Rows that no look-up has used so far, in file order.
    pub fn unmatched(&self) -> Vec<Unmatched> {
        self.rows
            .iter()
            .filter(|row| !row.matched.load(Ordering::Relaxed))
            .map(|row| Unmatched { line: row.line, key: row.key.clone() })
            .collect()
    }

    /// What was odd but no reason to refuse the catalogue: duplicate keys, rows without a
    /// key, and, once files were looked up, rows that several files share by name alone.
    pub fn problems(&self) -> Vec<String> {
        let shared = self.rows.iter().filter_map(|row| {
            let files = row.by_tail.load(Ordering::Relaxed);
            (files > 1).then(|| {
                format!(
                    "{}: line {} names {:?}, which {files} files are called",
                    self.name, row.line, row.key
                )
            })
        });
        self.problems.iter().cloned().chain(shared).collect()
    }

    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Tells whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn used(&self, row: usize) -> Match<'_> {
        let row = &self.rows[row];
        row.matched.store(true, Ordering::Relaxed);
        Match::Row(&row.fields)
    }

    fn add(&mut self, line: u64, key: &str, fields: Fields) {
        let normal_key = normal(key);
        match self.by_path.entry(normal_key) {
            Entry::Occupied(first) => {
                let before = self.rows[*first.get()].line;
                self.problems.push(format!(
                    "{}: line {line} names {key:?} again, line {before} is used",
                    self.name
                ));
            }
            Entry::Vacant(place) => {
                let tail = tail(place.key()).to_owned();
                self.by_tail.entry(tail).or_default().push(self.rows.len());
                place.insert(self.rows.len());
                self.rows.push(Row {
                    line,
                    key: key.to_owned(),
                    fields,
                    matched: AtomicBool::new(false),
                    by_tail: AtomicUsize::new(0),
                });
            }
        }
    }
}

/// A path as the catalogue compares it: composed Unicode, `/`, without `.` and `..` steps.
fn normal(path: &str) -> String {
    let slashed: String = path.replace('\\', "/").nfc().collect();
    let absolute = slashed.starts_with('/');
    let mut steps: Vec<&str> = Vec::new();
    for component in Path::new(&slashed).components() {
        match component {
            Component::Normal(step) => steps.extend(step.to_str()),
            Component::ParentDir => {
                steps.pop();
            }
            _ => {}
        }
    }
    format!("{}{}", if absolute { "/" } else { "" }, steps.join("/"))
}

/// The last folder and the name of a normalised path, or the name alone where that is all.
fn tail(path: &str) -> &str {
    path.rmatch_indices('/').nth(1).map_or(path, |(at, _)| &path[at + 1..]).trim_start_matches('/')
}

#[cfg(test)]
mod tests;
