//! Photographs of the measuring sets, decoded.

use std::path::{Path, PathBuf};

use glassplate_pipeline::image::{Limits, decode, probe, render};
use glassplate_pipeline::raster::Raster;

use crate::measure::Outcome;

/// The folder of the sets: the one given, or `../shared/data` beside the workspace.
pub fn data_folder(given: Option<PathBuf>) -> PathBuf {
    given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"))
}

/// The pictures below a folder, in the order of their names.
///
/// # Errors
/// When a folder cannot be read.
pub fn files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    let list = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for entry in list {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if path.extension().is_some_and(|end| end == "png" || end == "jpg") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Reads a picture, at most 1024 pixels on its longer side, as assess sees it.
///
/// # Errors
/// When it cannot be decoded.
pub fn read(path: &Path) -> Outcome<Raster> {
    Ok(render::reduced_to(whole(path)?, 1024)?)
}

/// Reads a picture in its own size.
///
/// # Errors
/// When it cannot be decoded.
pub fn whole(path: &Path) -> Outcome<Raster> {
    decoded(&std::fs::read(path)?).map_err(|e| format!("{}: {e}", path.display()).into())
}

/// Decodes a file's bytes.
///
/// # Errors
/// When they are no picture.
pub fn decoded(bytes: &[u8]) -> Outcome<Raster> {
    let limits = Limits::default();
    let technical = probe::probe(bytes, &limits)?;
    Ok(decode::decode(bytes, &technical, &limits)?.raster)
}
