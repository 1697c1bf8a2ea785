//! Finding sources: every file below the paths given, in a stable order, nothing skipped silently.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::asset::source_text;
use crate::catalogue::Stamp;
use crate::fault::Fault;
use crate::field::Fields;
use crate::place::Place;

/// What was found below the paths given.
#[derive(Debug, Default)]
pub struct Listing {
    /// Every file, sorted, once each.
    pub files: Vec<Listed>,
    /// What could not be listed: a folder without permission, a loop of links.
    pub troubles: Vec<Trouble>,
}

/// A file or an object, and under which of the places given it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Absolute; the path given is freed of symbolic links, what lies below it is not.
    pub place: Place,
    /// The place given, or its folder when that was a file; absolute. Of objects see
    /// [`Place::naming`].
    pub root: Arc<Path>,
    /// Length in bytes when it was listed; 0 when that was not told.
    pub bytes: u64,
    /// What the listing told of an object.
    pub stamp: Option<Stamp>,
    /// What the manifest that names it says of it besides.
    pub fields: Option<Box<Fields>>,
}

impl Listed {
    /// A place of which nothing is known yet.
    pub(crate) fn at(place: Place) -> Self {
        let root = Path::new("").into();
        Self { place, root, bytes: 0, stamp: None, fields: None }
    }
}

/// What could not be listed, and why.
#[derive(Debug)]
pub struct Trouble {
    /// The path, or the manifest and the line, as text.
    pub source: String,
    /// Why.
    pub fault: Fault,
}

impl Listing {
    /// Puts several listings together; of a place that is in several the first is kept.
    pub fn joined(listings: Vec<Self>) -> Self {
        let mut all = Self::default();
        for listing in listings {
            all.files.extend(listing.files);
            all.troubles.extend(listing.troubles);
        }
        // The sort is stable, so the first is still the first.
        all.files.sort_by(|a, b| a.place.cmp(&b.place));
        all.files.dedup_by(|later, first| later.place == first.place);
        all
    }
}

/// Lists every file below `paths`, following links, leaving out what lies below `except`.
///
/// # Errors
/// `NotFound` when one of the paths given does not exist: a typing mistake, best told at once.
pub fn list(paths: &[PathBuf], except: &[PathBuf]) -> Result<Listing, Fault> {
    let mut files = BTreeMap::new();
    let mut troubles = Vec::new();
    for path in paths {
        let given = path
            .canonicalize()
            .map_err(|e| Fault::not_found(format!("cannot find {}", path.display())).because(e))?;
        let folder = if given.is_dir() { &*given } else { given.parent().unwrap_or(&given) };
        let folder: Arc<Path> = folder.into();
        let walk = walkdir::WalkDir::new(&given).follow_links(true).into_iter();
        for entry in walk.filter_entry(|entry| !except.iter().any(|e| entry.path().starts_with(e)))
        {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) => {
                    let bytes = entry.metadata().map_or(0, |meta| meta.len());
                    let listed = || (folder.clone(), bytes);
                    files.entry(entry.into_path()).or_insert_with(listed);
                }
                Err(e) => troubles.push(Trouble {
                    source: source_text(e.path().unwrap_or(path)),
                    fault: Fault::broken("cannot list it").because(e),
                }),
            }
        }
    }
    let files = files
        .into_iter()
        .map(|(path, (root, bytes))| Listed { root, bytes, ..Listed::at(Place::File(path)) })
        .collect();
    Ok(Listing { files, troubles })
}

/// Extensions that promise a picture, for files whose content no longer does.
const PICTURE_EXTENSIONS: &[&str] = &[
    "3fr", "arw", "avif", "bmp", "cr2", "cr3", "crw", "dcr", "dng", "eps", "erf", "exr", "gif",
    "hdr", "heic", "heif", "hif", "ico", "iiq", "j2c", "j2k", "jfif", "jp2", "jpe", "jpeg", "jpf",
    "jpg", "jpx", "jxl", "kdc", "mrw", "nef", "nrw", "orf", "pbm", "pcd", "pct", "pcx", "pef",
    "pgm", "png", "pnm", "ppm", "psb", "psd", "qoi", "raf", "raw", "rw2", "rwl", "sr2", "srf",
    "srw", "svg", "tga", "tif", "tiff", "webp", "x3f", "xcf",
];

/// Tells whether a file's name promises a picture.
///
/// A damaged picture is kept although nothing in it can be recognised; a text file is not.
pub fn is_named_like_a_picture(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|e| PICTURE_EXTENSIONS.contains(&e.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn every_file_is_listed_once_in_order_and_loops_are_told() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().canonicalize().expect("a path");
        let home = root.join("home");
        for file in ["b.jpg", "a/z.jpg", "a/.hidden.jpg", "home/inner.jpg"] {
            let path = root.join(file);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, b"x").expect("write");
        }
        symlink(&root, root.join("a/loop")).expect("a link");
        let given = [root.clone(), root.join("b.jpg")];
        let listing = list(&given, &[home]).expect("a list");
        let names: Vec<_> = listing.files.iter().map(|f| f.place.naming()).collect();
        let expected = ["a/.hidden.jpg", "a/z.jpg", "b.jpg"].map(|name| root.join(name));
        assert_eq!(names, expected);
        assert!(!listing.troubles.is_empty());
        assert!(list(&[root.join("missing")], &[]).is_err());
    }

    #[test]
    fn extensions_are_sorted_and_matched_in_any_case() {
        assert!(PICTURE_EXTENSIONS.is_sorted());
        assert!(is_named_like_a_picture(Path::new("A.JPG")));
        assert!(!is_named_like_a_picture(Path::new("README.md")));
        assert!(!is_named_like_a_picture(Path::new("jpg")));
    }
}
