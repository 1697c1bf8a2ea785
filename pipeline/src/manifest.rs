//! Manifests: lists of places, a CSV with a header, one JSON object a line, or an S3 Inventory.
//!
//! A line names its place by `source`, `path`, `url`, or `key` with `bucket`; what else it says
//! is metadata, as in the catalogue CSV. A path is relative to the manifest. A line that cannot
//! be read is told and stops nothing else.

mod inventory;

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};

use inventory::Inventory;

use crate::beside::no_way_to;
use crate::catalogue_csv::Columns;
use crate::fault::Fault;
use crate::objects::Objects;
use crate::place::{Object, Place};
use crate::source::{Listed, Listing, Trouble};

/// The longest manifest that is taken from S3, in bytes: it lies in memory meanwhile.
const LONGEST: u64 = 1 << 30;
/// The longest line of JSON, in bytes.
const LONGEST_LINE: u64 = 1 << 20;
/// What the manifest of an S3 Inventory is called.
const INVENTORY: &str = "manifest.json";
/// Columns that name a place, in order of preference.
const PLACES: [&str; 3] = ["source", "path", "url"];

/// Reads a manifest, which is a file or an object.
///
/// # Errors
/// `NotFound` when there is none, `BadInput` when its header names no place, and what the service
/// says.
pub async fn read(manifest: &Place, objects: Option<&Objects>) -> Result<Listing, Fault> {
    let manifest = match manifest {
        Place::File(path) => Place::File(path.canonicalize().map_err(|e| {
            Fault::not_found(format!("cannot find the manifest {}", path.display())).because(e)
        })?),
        object => object.clone(),
    };
    match &manifest {
        Place::File(path) => {
            if manifest.naming().ends_with(INVENTORY)
                && let Some(inventory) =
                    std::fs::read(path).ok().as_deref().and_then(Inventory::read)
            {
                return inventory.list(&manifest, objects).await;
            }
            let file = File::open(path).map_err(|e| {
                Fault::broken(format!("cannot read the manifest {}", path.display())).because(e)
            })?;
            let work = {
                let manifest = manifest.clone();
                move || Lines::of(&manifest).read(BufReader::new(file))
            };
            tokio::task::spawn_blocking(work)
                .await
                .unwrap_or_else(|e| Err(Fault::broken("reading a manifest ended early").because(e)))
        }
        Place::Object(object) => {
            let bytes = objects.ok_or_else(|| no_way_to(object))?.bytes(object, LONGEST).await?;
            if let Some(inventory) =
                object.key.ends_with(INVENTORY).then(|| Inventory::read(&bytes)).flatten()
            {
                return inventory.list(&manifest, objects).await;
            }
            Lines::of(&manifest).read(Cursor::new(bytes))
        }
    }
}

/// A manifest's lines, as they are read.
struct Lines<'a> {
    manifest: &'a Place,
    name: String,
    root: Arc<Path>,
    listing: Listing,
}

impl<'a> Lines<'a> {
    fn of(manifest: &'a Place) -> Self {
        let naming = manifest.naming();
        let name = naming.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self { manifest, name, root: manifest.folder().into(), listing: Listing::default() }
    }

    fn read(mut self, mut from: impl BufRead) -> Result<Listing, Fault> {
        let first = from.fill_buf().map_err(|e| self.broken().because(e))?;
        let first = first.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(first);
        match first.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{') => self.json(from)?,
            _ => self.csv(from)?,
        }
        Ok(Listing::joined(vec![self.listing]))
    }

    fn csv(&mut self, from: impl BufRead) -> Result<(), Fault> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(from);
        let header = reader.headers().map_err(|e| self.broken().because(e))?;
        let header: Vec<String> =
            header.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
        let named = |name: &str| header.iter().position(|h| h.trim().eq_ignore_ascii_case(name));
        let at = PLACES.iter().find_map(|name| named(name));
        let (key, bucket) = (named("key"), named("bucket"));
        if at.or(key).is_none() {
            return Err(Fault::bad_input(format!(
                "the manifest {} names no place: it needs a column source, path, url, or key with bucket",
                self.name
            )));
        }
        let places: Vec<usize> = if at.is_some() {
            at.into_iter().collect()
        } else {
            key.into_iter().chain(bucket).collect()
        };
        let columns = Columns::besides(&header, &places);
        let mut record = csv::StringRecord::new();
        loop {
            let line = reader.position().line();
            match reader.read_record(&mut record) {
                Ok(false) => return Ok(()),
                Ok(true) => {}
                // A broken encoding ends a line; a broken reader would break for ever.
                Err(e) if e.is_io_error() => return Err(self.broken().because(e)),
                Err(e) => {
                    self.trouble(line, Fault::bad_input("it cannot be read").because(e));
                    continue;
                }
            }
            let line = record.position().map_or(line, csv::Position::line);
            if record.len() > header.len() {
                self.trouble(line, Fault::bad_input("it has more cells than the header"));
                continue;
            }
            let cell =
                |at: Option<usize>| at.and_then(|at| record.get(at)).filter(|c| !c.is_empty());
            let place = self.place(cell(at), cell(key), cell(bucket));
            let cells: Vec<String> = record.iter().map(str::to_owned).collect();
            self.add(line, place, &columns, &cells);
        }
    }

    fn json(&mut self, mut from: impl BufRead) -> Result<(), Fault> {
        for number in 1.. {
            let mut line = Vec::new();
            let read = Read::take(&mut from, LONGEST_LINE).read_until(b'\n', &mut line);
            if read.map_err(|e| self.broken().because(e))? == 0 {
                break;
            }
            if line.len() as u64 == LONGEST_LINE && line.last() != Some(&b'\n') {
                from.skip_until(b'\n').map_err(|e| self.broken().because(e))?;
                let why = format!("it is longer than {LONGEST_LINE} bytes");
                self.trouble(number, Fault::bad_input(why));
                continue;
            }
            let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&line).trim_ascii();
            if line.is_empty() {
                continue;
            }
            match serde_json::from_slice::<Map<String, Value>>(line) {
                Ok(object) => self.json_line(number, object),
                Err(e) => self.trouble(number, Fault::bad_input("it is no JSON object").because(e)),
            }
        }
        Ok(())
    }

    fn json_line(&mut self, line: u64, object: Map<String, Value>) {
        let (header, cells): (Vec<String>, Vec<String>) =
            object.into_iter().map(|(name, value)| (name, text_of(&value))).unzip();
        let named = |name: &str| header.iter().position(|h| h.trim().eq_ignore_ascii_case(name));
        let at = PLACES.iter().find_map(|name| named(name));
        let (key, bucket) = (named("key"), named("bucket"));
        let cell = |at: Option<usize>| at.map(|at| &*cells[at]).filter(|c| !c.is_empty());
        let place = self.place(cell(at), cell(key), cell(bucket));
        let places: Vec<usize> = if at.is_some() {
            at.into_iter().collect()
        } else {
            key.into_iter().chain(bucket).collect()
        };
        self.add(line, place, &Columns::besides(&header, &places), &cells);
    }

    /// The place that a line names.
    fn place(
        &self,
        named: Option<&str>,
        key: Option<&str>,
        bucket: Option<&str>,
    ) -> Result<Place, Fault> {
        let place = match (named, key, bucket, self.manifest) {
            (Some(url), ..) if Object::is_meant_by(url) => Place::Object(Object::from_url(url)?),
            (Some(url), ..) if url.contains("://") => {
                return Err(Fault::bad_input(format!("{url:?} is neither a path nor s3://")));
            }
            (Some(path), _, _, Place::File(manifest)) => {
                Place::File(manifest.parent().unwrap_or(Path::new("")).join(path))
            }
            // A manifest from elsewhere must not reach into this machine.
            (Some(path), _, _, Place::Object(_)) if path.starts_with('/') => {
                return Err(Fault::bad_input(format!(
                    "{path:?} is a file; the manifest lies in S3"
                )));
            }
            (Some(path), _, _, Place::Object(manifest)) => {
                let folder = manifest.key.rfind('/').map_or("", |at| &manifest.key[..=at]);
                Place::Object(Object::new(&manifest.bucket, &format!("{folder}{path}")))
            }
            (None, Some(key), Some(bucket), _) => {
                let root = Object::from_url(&format!("s3://{bucket}"))?;
                Place::Object(Object::new(&root.bucket, key))
            }
            (None, Some(key), None, Place::Object(manifest)) => {
                Place::Object(Object::new(&manifest.bucket, key))
            }
            (None, Some(_), None, Place::File(_)) => {
                return Err(Fault::bad_input("it names a key and no bucket"));
            }
            (None, None, ..) => return Err(Fault::bad_input("it names no place")),
        };
        match &place {
            Place::Object(object) if object.key.is_empty() => {
                Err(Fault::bad_input(format!("{} is a bucket and no object", object.url())))
            }
            _ => Ok(place),
        }
    }

    fn add(&mut self, line: u64, place: Result<Place, Fault>, columns: &Columns, cells: &[String]) {
        match place {
            Ok(place) => {
                let fields = columns.fields(cells, &format!("csv:{}", self.name));
                let fields = (!fields.is_empty()).then(|| Box::new(fields));
                let root = self.root.clone();
                self.listing.files.push(Listed { root, fields, ..Listed::at(place) });
            }
            Err(fault) => self.trouble(line, fault),
        }
    }

    fn trouble(&mut self, line: u64, fault: Fault) {
        let source = format!("{} line {line}", self.manifest.text());
        self.listing.troubles.push(Trouble { source, fault });
    }

    fn broken(&self) -> Fault {
        Fault::broken(format!("the manifest {} cannot be read", self.name))
    }
}

/// A JSON value as a cell: lists with `|` between, as the catalogue CSV writes them.
fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(text_of).collect::<Vec<_>>().join("|"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(manifest: &str, text: &[u8]) -> Result<Listing, Fault> {
        let place = match Object::is_meant_by(manifest) {
            true => Place::Object(Object::from_url(manifest).expect("a place")),
            false => Place::File(manifest.into()),
        };
        Lines::of(&place).read(Cursor::new(text.to_vec()))
    }

    fn texts(listing: &Listing) -> Vec<String> {
        listing.files.iter().map(|file| file.place.text()).collect()
    }

    #[test]
    fn a_csv_names_places_and_says_more_of_them() {
        let text = "\u{feff}Source,dc:title,keywords\na.jpg,Mill,mill|water\ns3://plates/b c.jpg,,\n/c.jpg,,\na.jpg,again,\n";
        let listing = read("/in/m.csv", text.as_bytes()).expect("a manifest");
        assert_eq!(texts(&listing), ["/c.jpg", "/in/a.jpg", "s3://plates/b c.jpg"]);
        let fields = listing.files[1].fields.as_ref().expect("fields");
        assert_eq!(fields["title"].value, "Mill");
        assert_eq!(fields["keywords"].value, serde_json::json!(["mill", "water"]));
        assert!(listing.files[2].fields.is_none() && listing.troubles.is_empty());
        assert!(read("/in/m.csv", b"name,title\na,b\n").is_err());
    }

    #[test]
    fn what_cannot_be_read_is_told_by_its_line_and_stops_nothing() {
        let text = b"path,title\na.jpg,1\n,2\nb.jpg,\xff\nhttp://x/y.jpg,4\nc.jpg,5,6\nd.jpg,7\n";
        let listing = read("/in/m.csv", text).expect("a manifest");
        assert_eq!(texts(&listing), ["/in/a.jpg", "/in/d.jpg"]);
        let told: Vec<_> = listing.troubles.iter().map(|t| t.source.as_str()).collect();
        assert_eq!(told, [3, 4, 5, 6].map(|line| format!("/in/m.csv line {line}")));
        assert!(listing.troubles.iter().all(|t| t.fault.kind().rejects()));
    }

    #[test]
    fn json_lines_name_keys_with_buckets() {
        let text = br#"{"bucket": "plates", "key": "a//b.jpg", "creator": ["A", "B"]}
not json

{"key": "c.jpg"}
{"url": "s3://plates/d?e#f%20g.jpg"}"#;
        let listing = read("s3://lists/x/m.jsonl", text).expect("a manifest");
        assert_eq!(
            texts(&listing),
            ["s3://lists/c.jpg", "s3://plates/a//b.jpg", "s3://plates/d?e#f%20g.jpg"]
        );
        let creator = &listing.files[1].fields.as_ref().expect("fields")["creator"].value;
        assert_eq!(*creator, serde_json::json!(["A", "B"]));
        assert_eq!(listing.troubles[0].source, "s3://lists/x/m.jsonl line 2");
        assert_eq!(listing.troubles.len(), 1);
    }

    #[test]
    fn a_manifest_in_s3_never_reaches_into_the_machine() {
        let listing = read("s3://lists/x/m.csv", b"path\n/etc/passwd\n../y.jpg\n").expect("read");
        assert_eq!(texts(&listing), ["s3://lists/x/../y.jpg"]);
        assert_eq!(listing.troubles.len(), 1);
    }
}
