//! Register: hash while reading, store the original once, verified, and enter it in the ledger.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::asset::{Asset, AssetId, Digest};
use crate::catalogue::Stamp;
use crate::enrich::House;
use crate::fault::{Fault, FaultKind};
use crate::place::Place;
use crate::store::{Body, Created, Key, Store};

/// How much is read and hashed at a time: it stays in the processor's cache between both hashes.
const CHUNK: usize = 1 << 18;

/// A source as read: its digests, and its bytes when they fit the limit.
#[derive(Debug)]
pub struct Intake {
    /// SHA-256 of all bytes.
    pub digest: Digest,
    /// BLAKE3 of all bytes.
    pub blake3: Digest,
    /// Length in bytes.
    pub length: u64,
    /// The bytes; absent for a file over the limit, which is hashed and kept but never decoded.
    pub bytes: Option<Arc<Vec<u8>>>,
    /// Where an object over the limit lies until this is dropped.
    pub spilled: Option<tempfile::TempPath>,
}

impl Intake {
    /// The bytes as they go into the store; `place` is where they were read.
    fn body(&self, place: &Place) -> Result<Body, Fault> {
        match (&self.bytes, &self.spilled, place) {
            (Some(bytes), ..) => Ok(Body::Bytes(bytes.clone())),
            (None, Some(file), _) => Ok(Body::File(file.to_path_buf())),
            (None, None, Place::File(path)) => Ok(Body::File(path.clone())),
            (None, None, Place::Object(object)) => {
                Err(Fault::broken(format!("{} was read and not kept", object.url())))
            }
        }
    }
}

/// Asks the file system about a file without opening it.
///
/// # Errors
/// `Unsupported` for what is no regular file (opening a pipe would wait for ever), `NotFound`
/// or `Refused` as the file system says.
pub fn stamp(path: &Path) -> Result<Stamp, Fault> {
    let meta = path.metadata().map_err(|e| unreadable(path, e))?;
    if !meta.is_file() {
        return Err(Fault::unsupported(format!("{} is not a regular file", path.display())));
    }
    let nanoseconds =
        |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    Ok(Stamp {
        bytes: meta.len(),
        modified: nanoseconds(meta.mtime(), meta.mtime_nsec()),
        changed: nanoseconds(meta.ctime(), meta.ctime_nsec()),
        inode: meta.ino(),
        tag: None,
    })
}

/// Reads a file once, start to end, for both hashes, keeping at most `keep` bytes in memory.
///
/// # Errors
/// As [`stamp`]; `Broken` when reading fails midway.
pub fn read(path: &Path, keep: u64) -> Result<Intake, Fault> {
    let mut file = File::open(path).map_err(|e| unreadable(path, e))?;
    let expected = file.metadata().map_err(|e| unreadable(path, e))?.len();
    let kept = usize::try_from(expected.min(keep)).unwrap_or(0);
    let mut bytes = Vec::with_capacity(if expected <= keep { kept } else { 0 });
    let (mut sha256, mut blake3) = (Sha256::new(), blake3::Hasher::new());
    let mut buffer = vec![0; CHUNK];
    let mut length = 0_u64;
    loop {
        let n = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(unreadable(path, e)),
        };
        sha256.update(&buffer[..n]);
        blake3.update(&buffer[..n]);
        length += n as u64;
        if length <= keep && expected <= keep {
            bytes.extend_from_slice(&buffer[..n]);
        } else {
            bytes = Vec::new();
        }
    }
    Ok(Intake {
        digest: Digest::new(sha256.finalize().into()),
        blake3: Digest::new(*blake3.finalize().as_bytes()),
        length,
        bytes: (length <= keep && expected <= keep).then(|| Arc::new(bytes)),
        spilled: None,
    })
}

/// The key of an asset's original.
pub fn key_of(asset: &Asset) -> Key {
    Key::Original { tenant: asset.tenant.clone(), digest: asset.digest }
}

/// Puts the original into the store unless it is there, and makes the asset's entry.
///
/// # Errors
/// What the store says; `Broken` when a key holds other bytes than its name promises.
pub async fn register(house: &House, place: &Place, intake: &Intake) -> Result<Asset, Fault> {
    let key = Key::Original { tenant: house.tenant.clone(), digest: intake.digest };
    let body = intake.body(place)?;
    if house.store.create(&key, &body, &intake.blake3).await? == Created::Existed {
        // A crash came between the store and the ledger, or a family of tenants shares a disk.
        verify(&*house.store, &key, &intake.blake3).await?;
    }
    Ok(Asset {
        id: AssetId::derive(&house.tenant, &intake.digest),
        tenant: house.tenant.clone(),
        digest: intake.digest,
        blake3: intake.blake3,
        bytes: intake.length,
        registered: house.clock.now(),
    })
}

/// Puts a lost original back: the ledger knows it, the store does not.
///
/// # Errors
/// What the store says.
pub async fn heal(house: &House, place: &Place, intake: &Intake) -> Result<(), Fault> {
    let key = Key::Original { tenant: house.tenant.clone(), digest: intake.digest };
    if house.store.length(&key).await? == Some(intake.length) {
        return Ok(());
    }
    tracing::warn!(sha256 = %intake.digest, "an original was missing from the store and is put back");
    register(house, place, intake).await.map(drop)
}

/// Hashes what the store holds and compares.
///
/// # Errors
/// `Broken` naming the place when the bytes there are not the original's.
pub async fn verify(store: &dyn Store, key: &Key, blake3: &Digest) -> Result<(), Fault> {
    let stored = store.blake3(key).await?;
    if stored != *blake3 {
        return Err(Fault::broken(format!(
            "{} does not hold what its name promises: the stored original is damaged",
            store.place(&key.path())
        )));
    }
    Ok(())
}

fn unreadable(path: &Path, error: io::Error) -> Fault {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => FaultKind::NotFound,
        io::ErrorKind::PermissionDenied => FaultKind::Refused,
        _ => FaultKind::Broken,
    };
    Fault::new(kind, format!("cannot read {}", path.display())).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_hashes_are_those_of_the_bytes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5] {
            let bytes: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            let path = folder.path().join("f");
            std::fs::write(&path, &bytes).expect("write");
            let intake = read(&path, u64::MAX).expect("intake");
            assert_eq!(intake.digest.as_bytes()[..], Sha256::digest(&bytes)[..]);
            assert_eq!(intake.blake3.as_bytes(), blake3::hash(&bytes).as_bytes());
            assert_eq!(intake.length, length as u64);
            assert_eq!(intake.bytes.as_deref(), Some(&bytes));
        }
    }

    #[test]
    fn a_file_over_the_limit_is_hashed_but_not_kept_in_memory() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("f");
        std::fs::write(&path, [1; 1000]).expect("write");
        let intake = read(&path, 999).expect("intake");
        assert_eq!(intake.digest.as_bytes()[..], Sha256::digest([1; 1000])[..]);
        assert_eq!(intake.bytes, None);
        assert!(read(&path, 1000).expect("intake").bytes.is_some());
    }

    #[test]
    fn a_folder_is_not_a_regular_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(stamp(folder.path()).expect_err("a folder").kind(), FaultKind::Unsupported);
        let missing = folder.path().join("missing");
        assert_eq!(stamp(&missing).expect_err("nothing").kind(), FaultKind::NotFound);
    }
}
