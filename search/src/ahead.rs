//! Reading ahead: an index's files are brought into the system's cache before anybody asks.
//!
//! On a machine that has just started every list of documents and every stored document comes from
//! the disk, a piece here and a piece there; from end to end the same files take seconds. What was
//! read ahead is the system's, which takes it back when others need the room.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// Ends of names, those first that every search reads; what ends otherwise is small.
const BUSY_FIRST: [&str; 6] = ["term", "fieldnorm", "fast", "idx", "store", "pos"];
/// So many bytes are read at a time.
const PIECE: usize = 1 << 20;

/// Reads the files of a folder from end to end, as many as fit into half of the memory that the
/// system can spare. A file that cannot be read is left to whoever needs it.
pub(crate) fn read(folder: &Path) {
    let Some(room) = spare() else { return };
    let mut piece = vec![0; PIECE];
    for path in chosen(files(folder), room / 2) {
        if let Err(error) = read_through(&path, &mut piece) {
            tracing::debug!("{} was not read ahead: {error}", path.display());
        }
    }
}

fn files(folder: &Path) -> Vec<(PathBuf, u64)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let file = |entry: fs::DirEntry| Some((entry.path(), entry.metadata().ok()?.len()));
    entries.filter_map(file).collect()
}

/// Which files to read, in order; one that has no room is left out, and smaller ones follow.
fn chosen(mut files: Vec<(PathBuf, u64)>, mut room: u64) -> Vec<PathBuf> {
    let rank = |path: &Path| {
        let end = path.extension().and_then(|end| end.to_str()).unwrap_or_default();
        BUSY_FIRST.iter().position(|busy| *busy == end)
    };
    files.retain(|(path, _)| rank(path).is_some());
    files.sort_by_cached_key(|(path, _)| (rank(path), path.clone()));
    files.retain(|(_, bytes)| {
        let fits = *bytes <= room;
        room -= if fits { *bytes } else { 0 };
        fits
    });
    files.into_iter().map(|(path, _)| path).collect()
}

fn read_through(path: &Path, piece: &mut [u8]) -> io::Result<()> {
    let mut file = File::open(path)?;
    while file.read(piece)? > 0 {}
    Ok(())
}

/// How many bytes of memory the system can give without taking from anybody; unknown outside Linux.
fn spare() -> Option<u64> {
    let told = fs::read_to_string("/proc/meminfo").ok()?;
    let line = told.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_search_reads_comes_first_and_what_has_no_room_is_left_out() {
        let files = [("b.store", 50), ("a.idx", 40), ("meta.json", 1), ("a.term", 5), ("a.pos", 4)];
        let named = |room| {
            let files = files.iter().map(|(name, bytes)| (PathBuf::from(name), *bytes)).collect();
            chosen(files, room).iter().map(|path| path.display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(named(1_000), ["a.term", "a.idx", "b.store", "a.pos"]);
        assert_eq!(named(60), ["a.term", "a.idx", "a.pos"]);
        assert!(named(3).is_empty());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_folder_is_read_whatever_is_in_it() {
        assert!(spare().is_some_and(|bytes| bytes > 1 << 20));
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("a.idx"), vec![7; PIECE + 1]).expect("a file");
        fs::create_dir(folder.path().join("b.store")).expect("a folder in it");
        read(folder.path());
        read(&folder.path().join("not there"));
    }
}
