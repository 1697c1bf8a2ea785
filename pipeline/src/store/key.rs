//! The one layout of keys in every store.

use crate::asset::{Digest, PixelDigest, Tenant};
use crate::fault::{Fault, FaultKind};

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
                format!("{tenant}/renditions/{}/{}/{hex}/{file}", &hex[..2], &hex[2..4])
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

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
    }
}
