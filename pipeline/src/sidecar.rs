//! XMP sidecars: which one belongs to which picture, and what it says.
//!
//! Two namings are in use: `photo.jpg.xmp` (darktable, digiKam) and `photo.xmp` (Adobe).
//! The first belongs to one picture; the second to every picture in its folder with that
//! stem, because a TIFF and the JPEG made of it show the same. This module knows names
//! and XMP; which files are pictures is the caller's to say.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::fault::Fault;
use crate::image::embedded::{self, Read};

/// Tells whether a path has a sidecar's extension, in any case.
pub fn is_sidecar(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("xmp"))
}

/// Finds the sidecars of one picture on disk, the more specific one first.
///
/// It reads the picture's folder; for many pictures of one folder use [`assign`].
///
/// # Errors
/// `Broken` when the folder cannot be listed.
pub fn find(picture: &Path) -> Result<Vec<PathBuf>, Fault> {
    let folder = match picture.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let unlisted = |error| {
        Fault::broken(format!("cannot list the folder {}", folder.display())).because(error)
    };
    let mut sidecars = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unlisted)? {
        let name = PathBuf::from(entry.map_err(unlisted)?.file_name());
        if is_sidecar(&name) {
            sidecars.push(picture.with_file_name(name));
        }
    }
    sidecars.sort();
    let mut assigned = assign(&[picture.to_owned()], &sidecars);
    Ok(assigned.sidecars.pop().unwrap_or_default())
}

/// Which sidecar belongs to which picture.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assigned {
    /// For each picture, in the order given, its sidecars: the more specific first.
    pub sidecars: Vec<Vec<PathBuf>>,
    /// Sidecars that belong to no picture, in the order given.
    pub orphans: Vec<PathBuf>,
}

/// Assigns sidecars to pictures by name; a pair must lie in the same folder.
///
/// Names match exactly but for the extension `xmp` itself; where no name matches so,
/// letter case is ignored, because cards and Windows write `IMG_1.JPG` and `img_1.xmp`.
pub fn assign(pictures: &[PathBuf], sidecars: &[PathBuf]) -> Assigned {
    // What a sidecar is named after, `photo.jpg` or `photo`, to the sidecars' places.
    let mut exact: HashMap<PathBuf, Vec<usize>> = HashMap::new();
    let mut folded: HashMap<(PathBuf, OsString), Vec<usize>> = HashMap::new();
    for (place, sidecar) in sidecars.iter().enumerate() {
        let named_after = sidecar.with_extension("");
        folded.entry(folded_key(&named_after)).or_default().push(place);
        exact.entry(named_after).or_default().push(place);
    }
    let mut used = vec![false; sidecars.len()];
    let assigned = pictures
        .iter()
        .map(|picture| {
            let mut places = Vec::new();
            for name in [picture.clone(), picture.with_extension("")] {
                let found = exact.get(&name).or_else(|| folded.get(&folded_key(&name)));
                places.extend(found.into_iter().flatten().copied());
            }
            // A picture without extension is named the same both times.
            let mut seen = Vec::new();
            places.retain(|place| {
                let new = !seen.contains(place);
                seen.push(*place);
                new
            });
            places
                .into_iter()
                .map(|place| {
                    used[place] = true;
                    sidecars[place].clone()
                })
                .collect()
        })
        .collect();
    let orphans =
        sidecars.iter().zip(used).filter(|(_, used)| !used).map(|(path, _)| path.clone()).collect();
    Assigned { sidecars: assigned, orphans }
}

/// Reads a sidecar; every field's source becomes `xmp:NAME`.
///
/// What stands before a damaged place is read, and the damage is named in the result.
///
/// # Errors
/// `BadInput` when the bytes are not XMP.
pub fn read(bytes: &[u8], name: &str) -> Result<Read, Fault> {
    let Some(mut read) = embedded::read_xmp(bytes) else {
        return Err(Fault::bad_input(format!("the sidecar {name} is not XMP")));
    };
    let source = format!("xmp:{name}");
    for field in read.fields.values_mut() {
        field.source.clone_from(&source);
        for other in &mut field.also {
            other.source.clone_from(&source);
        }
    }
    Ok(read)
}

/// The folder, and the file's name without letter case.
fn folded_key(path: &Path) -> (PathBuf, OsString) {
    let name = path.file_name().map(OsStr::to_ascii_lowercase).unwrap_or_default();
    (path.parent().unwrap_or(Path::new("")).to_owned(), name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(names: &[&str]) -> Vec<PathBuf> {
        names.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn the_specific_sidecar_comes_first_and_the_general_one_serves_all() {
        let assigned = assign(
            &paths(&["a/photo.jpg", "a/photo.tif", "b/photo.jpg"]),
            &paths(&["a/photo.xmp", "a/photo.jpg.XMP", "a/other.xmp"]),
        );
        assert_eq!(
            assigned.sidecars,
            [paths(&["a/photo.jpg.XMP", "a/photo.xmp"]), paths(&["a/photo.xmp"]), paths(&[]),]
        );
        assert_eq!(assigned.orphans, paths(&["a/other.xmp"]));
    }

    #[test]
    fn letter_case_is_ignored_only_where_no_name_matches_exactly() {
        let assigned = assign(&paths(&["IMG_1.JPG"]), &paths(&["img_1.xmp"]));
        assert_eq!(assigned.sidecars, [paths(&["img_1.xmp"])]);
        let assigned = assign(&paths(&["A.jpg", "a.jpg"]), &paths(&["A.xmp", "a.xmp"]));
        assert_eq!(assigned.sidecars, [paths(&["A.xmp"]), paths(&["a.xmp"])]);
        assert!(assigned.orphans.is_empty());
    }

    #[test]
    fn a_picture_without_extension_has_its_sidecar_once() {
        let assigned = assign(&paths(&["photo"]), &paths(&["photo.xmp"]));
        assert_eq!(assigned.sidecars, [paths(&["photo.xmp"])]);
    }

    #[test]
    fn sidecars_are_found_on_disk() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["photo.jpg", "photo.xmp", "photo.jpg.xmp", "photo.jpg.xmp.bak"] {
            std::fs::write(folder.path().join(name), "").expect("written");
        }
        let found = find(&folder.path().join("photo.jpg")).expect("listed");
        assert_eq!(found, [folder.path().join("photo.jpg.xmp"), folder.path().join("photo.xmp")]);
        assert!(find(&folder.path().join("missing/photo.jpg")).is_err());
    }

    #[test]
    fn a_sidecar_is_read_under_its_own_name() {
        let packet = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
            <rdf:Description xmlns:dc='http://purl.org/dc/elements/1.1/' dc:title='Mill'/></rdf:RDF>";
        let whole = read(packet.as_bytes(), "photo.jpg.xmp").expect("xmp");
        assert_eq!(whole.fields["title"].value, json!("Mill"));
        assert_eq!(whole.fields["title"].source, "xmp:photo.jpg.xmp");
        assert!(whole.damage.is_empty());
        let cut = read(&packet.as_bytes()[..packet.len() - 5], "photo.jpg.xmp").expect("xmp");
        assert_eq!((cut.fields == whole.fields, cut.damage.len()), (true, 1));
        let fault = read(b"\xFF\xD8not xmp", "photo.jpg.xmp").expect_err("not xmp");
        assert!(fault.kind().rejects(), "{fault}");
    }
}
