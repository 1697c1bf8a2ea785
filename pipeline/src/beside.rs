//! What lies beside the pictures: joins a listing with XMP sidecars and the catalogue CSV.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::catalogue_csv::{Catalogue, Match};
use crate::enrich::Source;
use crate::fault::{Fault, FaultKind};
use crate::field::Fields;
use crate::image::embedded;
use crate::objects::Objects;
use crate::place::{Object, Place};
use crate::run::{Item, Outcome};
use crate::sidecar::{self, Assigned};
use crate::source::{Listed, Listing};

/// The files of a run, each with the names of its sidecars, in order.
pub struct Beside {
    sources: Vec<(Listed, Vec<Place>)>,
    troubles: Vec<Item>,
    sidecars: usize,
}

impl Beside {
    /// Pairs sidecars with pictures. A sidecar that belongs to none remains a source of its own,
    /// so that it is counted and told.
    pub fn pair(listing: Listing) -> Self {
        let troubles = listing
            .troubles
            .iter()
            .map(|trouble| Item {
                source: trouble.source.clone(),
                asset: None,
                outcome: match trouble.fault.kind().rejects() {
                    true => Outcome::Rejected,
                    false => Outcome::Failed,
                },
                fault: Some(trouble.fault.kind()),
                reason: Some(trouble.fault.reason()),
            })
            .collect();
        let (sidecars, files): (Vec<Listed>, Vec<Listed>) =
            listing.files.into_iter().partition(|file| sidecar::is_sidecar(&file.place.naming()));
        let namings = |files: &[Listed]| files.iter().map(|f| f.place.naming()).collect::<Vec<_>>();
        let Assigned { sidecars: assigned, orphans } = match sidecars.is_empty() {
            true => Assigned { sidecars: vec![Vec::new(); files.len()], orphans: Vec::new() },
            false => sidecar::assign(&namings(&files), &namings(&sidecars)),
        };
        let used = sidecars.len() - orphans.len();
        let by_name: HashMap<PathBuf, Listed> =
            sidecars.into_iter().map(|file| (file.place.naming(), file)).collect();
        let place = |name: &PathBuf| by_name.get(name).map(|file| file.place.clone());
        let placed = assigned.iter().map(|names| names.iter().filter_map(place).collect());
        let orphans = orphans.iter().filter_map(|name| by_name.get(name).cloned());
        let sources =
            files.into_iter().zip(placed).chain(orphans.map(|file| (file, Vec::new()))).collect();
        Self { sources, troubles, sidecars: used }
    }

    /// How many sources there are, those that could not be listed included.
    pub fn len(&self) -> usize {
        self.sources.len() + self.troubles.len()
    }

    /// Tells whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tells whether any source lies in S3.
    pub fn in_s3(&self) -> bool {
        self.sources.iter().any(|(file, _)| matches!(file.place, Place::Object(_)))
    }

    /// How many sidecars belong to a picture.
    pub fn sidecars(&self) -> usize {
        self.sidecars
    }

    /// How long all sources are together, in bytes.
    pub fn bytes(&self) -> u64 {
        self.sources.iter().map(|(file, _)| file.bytes).sum()
    }

    /// Reads what lies beside each source as it is asked for.
    pub fn sources<'a>(
        &'a self,
        csv: Option<&'a Catalogue>,
    ) -> impl Iterator<Item = Result<Source, Item>> + 'a {
        let troubles = self.troubles.iter().cloned().map(Err);
        troubles
            .chain(self.sources.iter().map(move |(file, sidecars)| Ok(join(file, sidecars, csv))))
    }
}

/// Reads the sidecars and looks the file up: the manifest beats the catalogue, the catalogue a
/// sidecar, the more specific sidecar the other, and what loses is kept as a disagreement.
/// Sidecars in S3 are only named: see [`complete`].
fn join(file: &Listed, sidecars: &[Place], csv: Option<&Catalogue>) -> Source {
    let mut beside = file.fields.as_deref().cloned().unwrap_or_default();
    let mut notes = Vec::new();
    let mut in_s3 = Vec::new();
    match csv.map_or(Match::None, |csv| csv.look_up(&file.place.naming(), &file.root)) {
        Match::Row(fields) => beside = embedded::merge(beside, fields.clone()),
        Match::Ambiguous(lines) => {
            let lines: Vec<_> = lines.iter().map(ToString::to_string).collect();
            notes.push(format!("lines {} of the CSV name it, so none was used", lines.join(", ")));
        }
        Match::None => {}
    }
    for place in sidecars {
        match place {
            Place::File(path) => take(&mut beside, &mut notes, place, read_sidecar(path)),
            Place::Object(object) => in_s3.push(object.clone()),
        }
    }
    Source {
        text: file.place.text(),
        place: file.place.clone(),
        bytes: file.bytes,
        stamp: file.stamp.clone(),
        beside,
        sidecars: in_s3,
        note: (!notes.is_empty()).then(|| notes.join("; ")),
    }
}

fn take(
    beside: &mut Fields,
    notes: &mut Vec<String>,
    place: &Place,
    read: Result<embedded::Read, Fault>,
) {
    match read {
        Ok(read) => {
            let damage = read.damage.into_iter();
            notes.extend(damage.map(|what| format!("{}: {what}", place.text())));
            *beside = embedded::merge(std::mem::take(beside), read.fields);
        }
        Err(fault) => notes.push(fault.reason()),
    }
}

/// Reads the sidecars of a source that lie in S3, when its turn has come.
pub(crate) async fn complete(objects: Option<&Objects>, mut source: Source) -> Source {
    let mut notes: Vec<String> = source.note.take().into_iter().collect();
    for object in std::mem::take(&mut source.sidecars) {
        let read = read_object(objects, &object).await;
        take(&mut source.beside, &mut notes, &Place::Object(object), read);
    }
    source.note = (!notes.is_empty()).then(|| notes.join("; "));
    source
}

async fn read_object(objects: Option<&Objects>, object: &Object) -> Result<embedded::Read, Fault> {
    let objects = objects.ok_or_else(|| no_way_to(object))?;
    let name = object.key.rsplit('/').next().unwrap_or_default();
    let bytes = objects
        .bytes(object, LARGEST_SIDECAR)
        .await
        .map_err(|e| Fault::new(e.kind(), format!("cannot read the sidecar {name}")).because(e))?;
    sidecar::read(&bytes, name)
}

/// A source in S3 where nobody can read S3.
pub(crate) fn no_way_to(object: &Object) -> Fault {
    let what = format!("cannot read {}: no way to S3 was given", object.url());
    Fault::new(FaultKind::Refused, what)
}

/// The largest sidecar that is read, in bytes: real ones are a few kilobytes.
const LARGEST_SIDECAR: u64 = 16 << 20;

fn read_sidecar(path: &Path) -> Result<embedded::Read, Fault> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let cannot = |e| Fault::broken(format!("cannot read the sidecar {name}")).because(e);
    let length = path.metadata().map_err(cannot)?.len();
    if length > LARGEST_SIDECAR {
        return Err(Fault::too_large(format!("the sidecar {name} has {length} bytes")));
    }
    sidecar::read(&std::fs::read(path).map_err(cannot)?, &name)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::source;

    #[test]
    fn csv_and_sidecars_meet_and_orphans_stay() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().canonicalize().expect("a path");
        let xmp = |title: &str| {
            format!(
                r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title></rdf:Description></rdf:RDF></x:xmpmeta>"#
            )
        };
        fs::write(root.join("a.jpg"), "picture").expect("write");
        fs::write(root.join("b.jpg"), "picture").expect("write");
        fs::write(root.join("a.jpg.xmp"), xmp("from the sidecar")).expect("write");
        fs::write(root.join("b.xmp"), "not XMP").expect("write");
        fs::write(root.join("orphan.xmp"), xmp("nobody's")).expect("write");
        let csv = Catalogue::from_bytes(b"path,title\na.jpg,from the table\n", &root.join("c.csv"))
            .expect("a catalogue");
        let beside = Beside::pair(source::list(&[root], &[]).expect("a listing"));
        assert_eq!((beside.len(), beside.sidecars()), (3, 2));
        let sources: Vec<Source> =
            beside.sources(Some(&csv)).map(|source| source.expect("a source")).collect();
        let title = &sources[0].beside["title"];
        assert_eq!((title.value.as_str(), &*title.source), (Some("from the table"), "csv:c.csv"));
        assert_eq!(title.also[0].value, "from the sidecar");
        assert!(sources[1].note.as_deref().is_some_and(|note| note.contains("b.xmp")));
        assert!(sources[2].text.ends_with("orphan.xmp"));
        assert!(csv.unmatched().is_empty());
    }
}
