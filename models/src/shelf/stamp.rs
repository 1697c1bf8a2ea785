//! Stamps: how a file is known to be whole without reading it again.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::State;
use crate::archive::sha256_of;
use crate::card::FileCard;

/// Says whether a file is there as on its card; stamps it if that had to be read.
pub(super) fn state_of(path: &Path, file: &FileCard) -> State {
    let Ok(metadata) = fs::metadata(path) else { return State::Missing };
    if metadata.len() != file.bytes {
        return State::Damaged;
    }
    if fs::read_to_string(stamp_of(path)).is_ok_and(|text| Some(text) == stamp(path, file)) {
        return State::Present;
    }
    if sha256_of(path).is_ok_and(|found| found == file.sha256) {
        write_stamp(path, file);
        return State::Present;
    }
    State::Damaged
}

/// Returns where a file's stamp lies.
pub(super) fn stamp_of(path: &Path) -> PathBuf {
    path.with_added_extension("stamp")
}

/// Returns what a true stamp says: the hash, the length, when the file changed.
fn stamp(path: &Path, file: &FileCard) -> Option<String> {
    let metadata = fs::metadata(path).ok()?;
    let changed = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos();
    Some(format!("{} {} {changed}\n", file.sha256, metadata.len()))
}

/// Stamps a file whose hash was just checked; without a stamp it is only checked again.
pub(super) fn write_stamp(path: &Path, file: &FileCard) {
    let Some(text) = stamp(path, file) else { return };
    if let Err(error) = fs::write(stamp_of(path), text) {
        tracing::debug!(path = %path.display(), %error, "no stamp");
    }
}
