//! The demonstration's photographs, laid out as an archivist would deliver them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use glassplate_pipeline::fault::Fault;

use crate::archive::{cannot_write, copy_verified};
use crate::card::Photograph;
use crate::shelf::{Progress, Shelf};

/// The card that names the photographs.
const CARD: &str = "demo-photographs";

/// The table written beside them: Dublin Core columns, keyed by the file's name.
pub const CATALOGUE: &str = "catalogue.csv";

/// Lays the photographs and their `catalogue.csv` out in `folder` and returns their paths.
///
/// They are pulled if they are not on the shelf. Files that are there already are left
/// alone, the catalogue is written anew.
///
/// # Errors
/// Those of [`Shelf::pull`]; `Broken` when `folder` cannot be written.
pub fn pictures(
    shelf: &Shelf,
    folder: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<PathBuf>, Fault> {
    shelf.pull(&[CARD], progress)?;
    fs::create_dir_all(folder).map_err(|error| cannot_write(folder, error))?;
    let catalogue = folder.join(CATALOGUE);
    let unwritable = |error: csv::Error| cannot_write(&catalogue, error.into());
    let mut table = csv::Writer::from_path(&catalogue).map_err(unwritable)?;
    let header = ["path", "dc:title", "dc:creator", "dc:rights", "dc:description"];
    table.write_record(header).map_err(unwritable)?;
    let mut paths = Vec::new();
    for (file, place) in shelf.files(CARD)? {
        let path = folder.join(&file.name);
        if fs::metadata(&path).map(|found| found.len()).ok() != Some(file.bytes) {
            let photograph = File::open(&place).map_err(|error| {
                Fault::broken(format!("cannot read {}", place.display())).because(error)
            })?;
            copy_verified(photograph, file, &path)?;
        }
        if let Some(Photograph { title, creator, rights, description }) = &file.photograph {
            let row = [&file.name, title, creator, rights, description];
            table.write_record(row).map_err(unwritable)?;
        }
        paths.push(path);
    }
    table.flush().map_err(|error| cannot_write(&catalogue, error))?;
    Ok(paths)
}
