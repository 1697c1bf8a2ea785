//! The one layout of keys in every store.

use crate::asset::{AssetId, Digest, PixelDigest, Tenant};
use crate::fault::{Fault, FaultKind};
use crate::run::RunId;

/// What a store keeps, and under which key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// The bytes as received, under their SHA-256.
    Original {
        /// Whose.
        tenant: Tenant,
        /// The SHA-256 of the bytes.
        digest: Digest,
    },
    /// A derived picture, under the digest of the pixels that it shows: a family shares it.
    Rendition {
        /// Whose.
        tenant: Tenant,
        /// The coded picture that it was made from.
        pixels: PixelDigest,
        /// Name, recipe and extension: `1024-q82.jpg`.
        file: String,
    },
    /// A file of a batch: its plan, the sources of a shard, the shards of a round.
    Batch {
        /// Whose.
        tenant: Tenant,
        /// The run that the batch is.
        run: RunId,
        /// Which file.
        file: BatchFile,
    },
    /// A repaired picture, under its asset: each asset has its own, to be done away with alone.
    Restoration {
        /// Whose.
        tenant: Tenant,
        /// Of which asset.
        asset: AssetId,
        /// The plan, the beginning of the file's hash, the width, the extension.
        file: String,
    },
}

/// The files of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum BatchFile {
    /// What is to be done.
    Plan,
    /// The sources of a shard, by its name, one a line.
    Shard(String),
    /// The shards of a round, which Step Functions reads too.
    Round(u32),
}

impl Key {
    /// Writes the key as a relative path of plain ASCII, the same for files and objects.
    ///
    /// The tenant comes first so that one prefix bounds all that a tenant may touch; two
    /// levels of digest keep folders small at a hundred million assets.
    pub fn path(&self) -> String {
        match self {
            Self::Original { tenant, digest } => {
                let hex = digest.to_string();
                format!("{tenant}/originals/{}/{}/{hex}", &hex[..2], &hex[2..4])
            }
            Self::Rendition { tenant, pixels, file } => {
                let hex = pixels.to_string();
                let file = plain_name(file);
                format!("{tenant}/renditions/{}/{}/{hex}/{file}", &hex[..2], &hex[2..4])
            }
            Self::Batch { tenant, run, file } => {
                let run = plain_name(run.as_str());
                match file {
                    BatchFile::Plan => format!("{tenant}/batches/{run}/plan.json"),
                    BatchFile::Shard(name) => {
                        format!("{tenant}/batches/{run}/shards/{}.jsonl", plain_name(name))
                    }
                    BatchFile::Round(n) => format!("{tenant}/batches/{run}/rounds/{n}.json"),
                }
            }
            Self::Restoration { tenant, asset, file } => {
                let (id, file) = (asset.as_str(), plain_name(file));
                format!("{tenant}/restorations/{}/{}/{id}/{file}", &id[..2], &id[2..4])
            }
        }
    }

    /// Reads a path that [`Key::path`] wrote.
    ///
    /// # Errors
    /// `BadInput` for any other.
    pub fn from_path(path: &str) -> Result<Self, Fault> {
        let wrong = || Fault::bad_input(format!("{path:?} is no key of the store"));
        let key = match path.split('/').collect::<Vec<_>>()[..] {
            [tenant, "originals", _, _, hex] => {
                Self::Original { tenant: tenant.parse()?, digest: hex.parse()? }
            }
            [tenant, "renditions", _, _, hex, file] => Self::Rendition {
                tenant: tenant.parse()?,
                pixels: hex.parse()?,
                file: file.to_owned(),
            },
            [tenant, "batches", run, ref file @ ..] => {
                let file = match *file {
                    ["plan.json"] => BatchFile::Plan,
                    ["shards", file] => {
                        let name = file.strip_suffix(".jsonl").ok_or_else(wrong)?;
                        BatchFile::Shard(name.to_owned())
                    }
                    ["rounds", file] => {
                        let number = file.strip_suffix(".json").and_then(|n| n.parse().ok());
                        BatchFile::Round(number.ok_or_else(wrong)?)
                    }
                    _ => return Err(wrong()),
                };
                Self::Batch { tenant: tenant.parse()?, run: RunId::from_text(run), file }
            }
            [tenant, "restorations", _, _, id, file] => Self::Restoration {
                tenant: tenant.parse()?,
                asset: id.parse()?,
                file: file.to_owned(),
            },
            _ => return Err(wrong()),
        };
        if key.path() == path { Ok(key) } else { Err(wrong()) }
    }

    /// Tells whether the bytes under this key are written once and for ever.
    pub fn sacred(&self) -> bool {
        matches!(self, Self::Original { .. })
    }

    /// Refuses what would change an original.
    ///
    /// # Errors
    /// `Refused` for a key of an original.
    pub fn refuse_if_sacred(&self) -> Result<(), Fault> {
        if self.sacred() {
            return Err(Fault::new(
                FaultKind::Refused,
                format!("{} is an original: it is never changed", self.path()),
            ));
        }
        Ok(())
    }
}

/// A file's name without anything that could lead out of its folder: what is not a letter, a
/// digit, `-`, `_` or a single dot becomes `_`.
fn plain_name(name: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let name: String = name.chars().map(kept).collect();
    if name.chars().all(|c| c == '.') { format!("_{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_its_folder() {
        for name in ["../../x", "/etc/passwd", "", ".", "..", "a/b", "caf\u{e9}", "🐢", "a\0b\n"]
        {
            let key = Key::Rendition {
                tenant: Tenant::default(),
                pixels: PixelDigest::new([1; 32]),
                file: name.to_owned(),
            };
            let path = key.path();
            let parts: Vec<&str> = path.split('/').collect();
            assert_eq!(parts.len(), 6, "{path:?}");
            assert!(parts.iter().all(|part| !matches!(*part, "" | "." | "..")), "{path:?}");
            assert!(path.starts_with("default/renditions/01/01/") && path.is_ascii());
        }
    }

    #[test]
    fn a_path_reads_back_and_no_other_does() {
        let tenant = Tenant::default();
        let key = Key::Original { tenant, digest: Digest::new([0xab; 32]) };
        assert_eq!(Key::from_path(&key.path()).expect("a key"), key);
        let hex = "01".repeat(32);
        for wrong in [
            "",
            "default/originals",
            &format!("default/originals/ff/01/{hex}"),
            &format!("../originals/01/01/{hex}"),
            &format!("default/renditions/01/01/{hex}/.."),
            &format!("default/renditions/01/01/{hex}/a/b"),
        ] {
            assert!(Key::from_path(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_layout_is_fixed_for_ever() {
        let tenant = Tenant::default();
        let original = Key::Original { tenant: tenant.clone(), digest: Digest::new([0xab; 32]) };
        assert_eq!(original.path(), format!("default/originals/ab/ab/{}", "ab".repeat(32)));
        let rendition = Key::Rendition {
            tenant,
            pixels: PixelDigest::new([0x01; 32]),
            file: "256-q82.jpg".to_owned(),
        };
        assert_eq!(
            rendition.path(),
            format!("default/renditions/01/01/{}/256-q82.jpg", "01".repeat(32))
        );
        let asset = AssetId::derive(&Tenant::default(), &Digest::new([1; 32]));
        let restoration = Key::Restoration {
            tenant: Tenant::default(),
            asset: asset.clone(),
            file: "denoise-0a.jpg".to_owned(),
        };
        let (id, path) = (asset.as_str(), restoration.path());
        let (first, second) = (&id[..2], &id[2..4]);
        assert_eq!(path, format!("default/restorations/{first}/{second}/{id}/denoise-0a.jpg"));
        assert_eq!(Key::from_path(&path).expect("a key"), restoration);
        assert!(!restoration.sacred());
    }
}
