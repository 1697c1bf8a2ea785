//! Finding sources: every file below the paths given, in a stable order, nothing skipped silently.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::fault::Fault;

/// What was found below the paths given.
#[derive(Debug, Default)]
pub struct Listing {
    /// Every file, sorted, once each.
    pub files: Vec<Listed>,
    /// What could not be listed: a folder without permission, a loop of links.
    pub troubles: Vec<Trouble>,
}

/// A file, and under which of the paths given it was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// Absolute; the path given is freed of symbolic links, what lies below it is not.
    pub path: PathBuf,
    /// The path given, or its folder when that was a file; absolute.
    pub root: PathBuf,
    /// Length in bytes when it was listed.
    pub bytes: u64,
}

/// A path that could not be listed, and why.
#[derive(Debug)]
pub struct Trouble {
    /// The path.
    pub path: PathBuf,
    /// Why.
    pub fault: Fault,
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
        let walk = walkdir::WalkDir::new(&given).follow_links(true).into_iter();
        for entry in walk.filter_entry(|entry| !except.iter().any(|e| entry.path().starts_with(e)))
        {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) => {
                    let bytes = entry.metadata().map_or(0, |meta| meta.len());
                    let listed = || (folder.to_owned(), bytes);
                    files.entry(entry.into_path()).or_insert_with(listed);
                }
                Err(e) => troubles.push(Trouble {
                    path: e.path().unwrap_or(path).to_owned(),
                    fault: Fault::broken("cannot list it").because(e),
                }),
            }
        }
    }
    let files =
        files.into_iter().map(|(path, (root, bytes))| Listed { path, root, bytes }).collect();
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
        let names: Vec<_> =
            listing.files.iter().map(|f| f.path.strip_prefix(&root).expect("below")).collect();
        assert_eq!(names, ["a/.hidden.jpg", "a/z.jpg", "b.jpg"].map(Path::new));
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
