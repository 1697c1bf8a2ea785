//! What lies beside the pictures: joins a listing with XMP sidecars and the catalogue CSV.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::asset::source_text;
use crate::catalogue_csv::{Catalogue, Match};
use crate::enrich::Source;
use crate::fault::Fault;
use crate::field::Fields;
use crate::image::embedded;
use crate::run::{Item, Outcome};
use crate::sidecar::{self, Assigned};
use crate::source::{Listed, Listing};

/// The files of a run, each with the names of its sidecars, in order.
pub struct Beside {
    sources: Vec<(Listed, Vec<PathBuf>)>,
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
                source: source_text(&trouble.path),
                asset: None,
                outcome: Outcome::Failed,
                fault: Some(trouble.fault.kind()),
                reason: Some(trouble.fault.reason()),
            })
            .collect();
        let (sidecars, files): (Vec<Listed>, Vec<Listed>) =
            listing.files.into_iter().partition(|file| sidecar::is_sidecar(&file.path));
        let paths = |files: &[Listed]| files.iter().map(|f| f.path.clone()).collect::<Vec<_>>();
        let Assigned { sidecars: assigned, orphans } =
            sidecar::assign(&paths(&files), &paths(&sidecars));
        let used = sidecars.len() - orphans.len();
        let orphans: BTreeSet<PathBuf> = orphans.into_iter().collect();
        let orphans = sidecars.into_iter().filter(|file| orphans.contains(&file.path));
        let sources =
            files.into_iter().zip(assigned).chain(orphans.map(|file| (file, Vec::new()))).collect();
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

/// Reads the sidecars and looks the file up: the catalogue beats a sidecar, the more specific
/// sidecar beats the other, and what loses is kept as a disagreement.
fn join(file: &Listed, sidecars: &[PathBuf], csv: Option<&Catalogue>) -> Source {
    let mut beside = Fields::new();
    let mut notes = Vec::new();
    match csv.map_or(Match::None, |csv| csv.look_up(&file.path, &file.root)) {
        Match::Row(fields) => beside = fields.clone(),
        Match::Ambiguous(lines) => {
            let lines: Vec<_> = lines.iter().map(ToString::to_string).collect();
            notes.push(format!("lines {} of the CSV name it, so none was used", lines.join(", ")));
        }
        Match::None => {}
    }
    for path in sidecars {
        match read_sidecar(path) {
            Ok(read) => {
                let damage = read.damage.into_iter();
                notes.extend(damage.map(|what| format!("{}: {what}", path.display())));
                beside = embedded::merge(beside, read.fields);
            }
            Err(fault) => notes.push(fault.reason()),
        }
    }
    Source {
        path: file.path.clone(),
        text: source_text(&file.path),
        bytes: file.bytes,
        beside,
        note: (!notes.is_empty()).then(|| notes.join("; ")),
    }
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
