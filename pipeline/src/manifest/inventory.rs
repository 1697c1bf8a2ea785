//! S3 Inventory: a `manifest.json` that names gzipped CSV files, which list a bucket.
//!
//! Columns are named in the manifest, keys are URL-encoded, and a versioned bucket's old versions
//! and deletion markers are no sources. Source: Amazon S3 user guide, "Inventory list".

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use serde::Deserialize;

use crate::beside::no_way_to;
use crate::fault::Fault;
use crate::objects::{Objects, decoded};
use crate::place::{Object, Place};
use crate::source::{Listed, Listing, Trouble};

/// The longest list, packed and unpacked, in bytes: a file of an inventory holds millions of keys.
const LONGEST: u64 = 4 << 30;

/// What the manifest of an inventory says.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Inventory {
    source_bucket: String,
    destination_bucket: String,
    file_format: String,
    file_schema: String,
    files: Vec<Part>,
}

/// One of the lists.
#[derive(Debug, Deserialize)]
struct Part {
    key: String,
}

/// Where the columns that matter stand.
struct Columns {
    bucket: Option<usize>,
    key: usize,
    size: Option<usize>,
    latest: Option<usize>,
    marker: Option<usize>,
}

impl Inventory {
    /// Reads a manifest's JSON; nothing when it is none of an inventory.
    pub(super) fn read(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    /// Reads every list that the manifest names. One that cannot be read is told, and stops nothing.
    ///
    /// # Errors
    /// `Unsupported` for other lists than CSV, `BadInput` when no column holds keys.
    pub(super) async fn list(
        &self,
        manifest: &Place,
        objects: Option<&Objects>,
    ) -> Result<Listing, Fault> {
        let name = manifest.text();
        if self.file_format != "CSV" {
            let format = &self.file_format;
            return Err(Fault::unsupported(format!("{name} lists as {format}: only CSV is read")));
        }
        let columns = Columns::of(&self.file_schema).ok_or_else(|| {
            Fault::bad_input(format!("{name} names no column Key: {}", self.file_schema))
        })?;
        let mut listing = Listing::default();
        for part in &self.files {
            let read = match self.part(manifest, objects, part).await {
                Ok(bytes) => self.rows(&columns, &bytes, &part.key, &mut listing),
                Err(fault) => Err(fault),
            };
            if let Err(fault) = read {
                let source = format!("{name}, list {}", part.key);
                listing.troubles.push(Trouble { source, fault });
            }
        }
        Ok(Listing::joined(vec![listing]))
    }

    /// A list's bytes as they lie: beside a manifest on disk, else in the bucket of the inventory.
    async fn part(
        &self,
        manifest: &Place,
        objects: Option<&Objects>,
        part: &Part,
    ) -> Result<Vec<u8>, Fault> {
        match manifest {
            Place::File(path) => {
                let near = near(path, &part.key);
                let file = near.iter().find(|file| file.is_file()).ok_or_else(|| {
                    Fault::not_found(format!("the list is not beside the manifest: {}", part.key))
                })?;
                std::fs::read(file).map_err(|e| {
                    Fault::broken(format!("cannot read {}", file.display())).because(e)
                })
            }
            Place::Object(there) => {
                let bucket = self.destination_bucket.rsplit(':').next().unwrap_or(&there.bucket);
                let object = Object::new(&bucket.into(), &part.key);
                objects.ok_or_else(|| no_way_to(&object))?.bytes(&object, LONGEST).await
            }
        }
    }

    fn rows(
        &self,
        columns: &Columns,
        bytes: &[u8],
        list: &str,
        listing: &mut Listing,
    ) -> Result<(), Fault> {
        let unread = |e| Fault::bad_input("the list cannot be unpacked").because(e);
        let mut unpacked = Vec::new();
        let text = match bytes.starts_with(&[0x1f, 0x8b]) {
            true => {
                let unpacking = MultiGzDecoder::new(bytes).take(LONGEST);
                { unpacking }.read_to_end(&mut unpacked).map_err(unread)?;
                &unpacked[..]
            }
            false => bytes,
        };
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
        let root: Arc<Path> = Path::new("").into();
        for row in reader.records() {
            let line = |row: &csv::StringRecord| row.position().map_or(0, csv::Position::line);
            let place = match &row {
                Ok(row) if !columns.counts(row) => continue,
                Ok(row) => columns.place(row, &self.source_bucket).map_err(|e| (line(row), e)),
                Err(e) => {
                    let at = e.position().map_or(0, csv::Position::line);
                    Err((at, Fault::bad_input(format!("it cannot be read: {e}"))))
                }
            };
            match place {
                Ok((object, bytes)) => listing.files.push(Listed {
                    root: root.clone(),
                    bytes,
                    ..Listed::at(Place::Object(object))
                }),
                Err((line, fault)) => {
                    listing.troubles.push(Trouble { source: format!("{list} line {line}"), fault });
                }
            }
        }
        Ok(())
    }
}

impl Columns {
    fn of(schema: &str) -> Option<Self> {
        let names: Vec<&str> = schema.split(',').map(str::trim).collect();
        let at = |name: &str| names.iter().position(|n| n.eq_ignore_ascii_case(name));
        Some(Self {
            bucket: at("Bucket"),
            key: at("Key")?,
            size: at("Size"),
            latest: at("IsLatest"),
            marker: at("IsDeleteMarker"),
        })
    }

    /// Tells whether a row is a source: the latest version, and something at all.
    fn counts(&self, row: &csv::StringRecord) -> bool {
        let says = |at: Option<usize>, what: &str| {
            at.and_then(|at| row.get(at)).is_some_and(|cell| cell.eq_ignore_ascii_case(what))
        };
        let folder =
            row.get(self.key).is_some_and(|key| key.ends_with('/') || key.ends_with("%2F"));
        let old = says(self.latest, "false") || says(self.marker, "true");
        !(old || folder && says(self.size, "0"))
    }

    fn place(&self, row: &csv::StringRecord, source: &str) -> Result<(Object, u64), Fault> {
        let cell = |at: Option<usize>| at.and_then(|at| row.get(at)).filter(|c| !c.is_empty());
        let key = cell(Some(self.key)).ok_or_else(|| Fault::bad_input("it names no key"))?;
        let bucket = cell(self.bucket).unwrap_or(source);
        let root = Object::from_url(&format!("s3://{bucket}"))?;
        let bytes = cell(self.size).and_then(|size| size.parse().ok()).unwrap_or(0);
        Ok((Object::new(&root.bucket, &decoded(key)?), bytes))
    }
}

/// Where a list may lie that was fetched together with its manifest: S3 puts it into `data`, a
/// folder beside the manifest's own.
fn near(manifest: &Path, key: &str) -> Vec<PathBuf> {
    let folder = manifest.parent().unwrap_or(Path::new(""));
    let Some(name) = Path::new(key).file_name() else { return Vec::new() };
    let above = folder.parent().unwrap_or(folder);
    vec![folder.join(name), folder.join("data").join(name), above.join("data").join(name)]
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    /// An inventory of a versioned bucket, fetched with its manifest.
    fn fetched(folder: &Path, schema: &str, rows: &str) -> PathBuf {
        let manifest = folder.join("2026-11-01T00-00Z/manifest.json");
        for place in ["2026-11-01T00-00Z", "data"] {
            std::fs::create_dir_all(folder.join(place)).expect("a folder");
        }
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(rows.as_bytes()).expect("packed");
        std::fs::write(folder.join("data/1.csv.gz"), packed.finish().expect("packed"))
            .expect("written");
        let json = serde_json::json!({
            "sourceBucket": "plates",
            "destinationBucket": "arn:aws:s3:::lists",
            "version": "2016-11-30",
            "fileFormat": "CSV",
            "fileSchema": schema,
            "files": [
                {"key": "inventory/plates/all/data/1.csv.gz", "size": 1, "MD5checksum": "x"},
                {"key": "inventory/plates/all/data/2.csv.gz", "size": 1, "MD5checksum": "x"},
            ],
        });
        std::fs::write(&manifest, json.to_string()).expect("written");
        manifest
    }

    async fn listed(manifest: PathBuf) -> Result<Listing, Fault> {
        crate::manifest::read(&Place::File(manifest), None).await
    }

    #[tokio::test]
    async fn the_latest_versions_are_listed_and_a_missing_list_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let rows = "\"plates\",\"1936/a+b%2Bc%20%F0%9F%90%A2.jpg\",\"v2\",\"true\",\"false\",\"7\"\n\
                    \"plates\",\"1936/a.jpg\",\"v1\",\"false\",\"false\",\"7\"\n\
                    \"plates\",\"1936/gone.jpg\",\"v3\",\"true\",\"true\",\"\"\n\
                    \"plates\",\"1936/\",\"v1\",\"true\",\"false\",\"0\"\n\
                    \"plates\",\"bad%G0.jpg\",\"v1\",\"true\",\"false\",\"7\"\n";
        let schema = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size";
        let listing = listed(fetched(folder.path(), schema, rows)).await.expect("a listing");
        let texts: Vec<_> = listing.files.iter().map(|file| file.place.text()).collect();
        assert_eq!(texts, ["s3://plates/1936/a b+c 🐢.jpg"]);
        assert_eq!(listing.files[0].bytes, 7);
        let told: Vec<_> = listing.troubles.iter().map(|trouble| &*trouble.source).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].ends_with("1.csv.gz line 5") && told[1].ends_with("2.csv.gz"), "{told:?}");
    }

    #[tokio::test]
    async fn an_inventory_without_keys_or_in_another_form_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let manifest = fetched(folder.path(), "Bucket, Size", "");
        assert!(listed(manifest.clone()).await.is_err());
        let text = std::fs::read_to_string(&manifest).expect("read").replace("CSV", "ORC");
        std::fs::write(&manifest, text).expect("written");
        let fault = listed(manifest).await.expect_err("ORC");
        assert!(fault.reason().contains("only CSV"), "{}", fault.reason());
    }
}
