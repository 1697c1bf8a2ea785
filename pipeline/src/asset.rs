//! Identity: digests, the content-derived asset id, tenants, collections, occurrences.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::fault::{Fault, FaultKind};
use crate::field::Fields;

/// The SHA-256 of the bytes as received; unlike [`PixelDigest`] it changes with a caption in the file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

/// The BLAKE3 of the coded picture without its metadata; unlike [`Digest`] it survives a caption edit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PixelDigest([u8; 32]);

macro_rules! hex_digest {
    ($name:ident) => {
        impl $name {
            /// Takes the 32 bytes over.
            pub const fn new(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = Fault;

            fn from_str(text: &str) -> Result<Self, Fault> {
                let wrong = || Fault::bad_input(format!("not 64 hexadecimal digits: {text:?}"));
                if text.len() != 64 || !text.is_ascii() {
                    return Err(wrong());
                }
                let mut bytes = [0; 32];
                for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
                    *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| wrong())?;
                }
                Ok(Self(bytes))
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
hex_digest!(Digest);
hex_digest!(PixelDigest);

/// The alphabet of ARK and NOID names: digits and consonants, so that no word appears by accident.
///
/// Source: ARK identifier scheme (draft-kunze-ark), "betanumeric".
const BETANUMERIC: &[u8; 29] = b"0123456789bcdfghjkmnpqrstvwxz";

/// How many characters of an [`AssetId`] carry the hash: 20 of 29 letters are 97 bits.
const HASHED_CHARACTERS: usize = 20;

/// The catalogued picture's name: 20 betanumeric characters from its content, then a check character.
///
/// The same bytes in the same tenant give the same id on every worker, without coordination.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AssetId(String);

impl AssetId {
    /// Derives the id of `digest` in `tenant`: SHA-256 over both, written in base 29.
    pub fn derive(tenant: &Tenant, digest: &Digest) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(b"glassplate asset 1\0");
        hasher.update(tenant.as_str().as_bytes());
        hasher.update([0]);
        hasher.update(digest.as_bytes());
        let mut number: [u8; 32] = hasher.finalize().into();
        let mut text = String::with_capacity(HASHED_CHARACTERS + 1);
        for _ in 0..HASHED_CHARACTERS {
            text.push(char::from(BETANUMERIC[divide_by_29(&mut number)]));
        }
        text.push(check_character(&text));
        Self(text)
    }

    /// The id as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Divides a big-endian number by 29 in place and returns the remainder.
fn divide_by_29(number: &mut [u8; 32]) -> usize {
    let mut remainder = 0_usize;
    for byte in number {
        let value = remainder << 8 | usize::from(*byte);
        *byte =
            u8::try_from(value / 29).expect("a remainder below 29 keeps the quotient in a byte");
        remainder = value % 29;
    }
    remainder
}

/// Returns NOID's check character: the sum of value times position, from 1, modulo 29.
///
/// It catches every single wrong character and every swap of two neighbours.
/// Source: NOID (Kunze 2004), "check digit algorithm".
fn check_character(text: &str) -> char {
    let sum: usize = text
        .bytes()
        .enumerate()
        .map(|(at, c)| (at + 1) * BETANUMERIC.iter().position(|&b| b == c).unwrap_or(0))
        .sum();
    char::from(BETANUMERIC[sum % 29])
}

impl FromStr for AssetId {
    type Err = Fault;

    /// Reads an id; a wrong length, letter or check character is `BadInput` and says which.
    fn from_str(text: &str) -> Result<Self, Fault> {
        let wrong =
            |why: String| Err(Fault::bad_input(format!("{text:?} is not an asset id: {why}")));
        let length = text.chars().count();
        if length != HASHED_CHARACTERS + 1 {
            return wrong(format!("it has {length} characters, not {}", HASHED_CHARACTERS + 1));
        }
        if let Some(c) = text.chars().find(|c| !c.is_ascii() || !BETANUMERIC.contains(&(*c as u8)))
        {
            return wrong(format!("{c:?} is not one of the letters used, so it is mistyped"));
        }
        if !text.ends_with(check_character(&text[..HASHED_CHARACTERS])) {
            return wrong("the check character does not match, so it is mistyped".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for AssetId {
    type Error = Fault;

    fn try_from(text: String) -> Result<Self, Fault> {
        text.parse()
    }
}

impl From<AssetId> for String {
    fn from(id: AssetId) -> Self {
        id.0
    }
}

impl fmt::Display for AssetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AssetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AssetId({})", self.0)
    }
}

/// The isolation boundary: a customer; ids, keys and counts never cross it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tenant(String);

impl Tenant {
    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Tenant {
    /// `default`: the one tenant of a machine that never heard of tenants.
    fn default() -> Self {
        Self("default".to_owned())
    }
}

impl FromStr for Tenant {
    type Err = Fault;

    /// Takes 1 to 64 characters of `a-z`, `0-9` and `-`, beginning with a letter or digit.
    ///
    /// The name becomes a folder and a key prefix, hence the narrow alphabet.
    fn from_str(text: &str) -> Result<Self, Fault> {
        let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if text.is_empty() || text.len() > 64 || !text.bytes().all(letters) || text.starts_with('-')
        {
            return Err(Fault::bad_input(format!(
                "{text:?} is not a tenant name: 1 to 64 characters of a-z, 0-9 and -, not beginning with -"
            )));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Tenant {
    type Error = Fault;

    fn try_from(text: String) -> Result<Self, Fault> {
        text.parse()
    }
}

impl From<Tenant> for String {
    fn from(tenant: Tenant) -> Self {
        tenant.0
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One place where an asset was found; unlike an asset it may be one of many.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Occurrence {
    /// The archivist's grouping.
    pub collection: String,
    /// The path it was found at, see [`source_text`].
    pub source: String,
    /// Metadata that came beside it, from the catalogue CSV and XMP sidecars.
    pub metadata: Fields,
}

/// The catalogued picture as register saw it; written once, never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// The content-derived id.
    pub id: AssetId,
    /// The isolation boundary it belongs to.
    pub tenant: Tenant,
    /// The original's SHA-256.
    pub digest: Digest,
    /// The original's BLAKE3 over all bytes, used to verify copies cheaply.
    pub blake3: Digest,
    /// The original's length in bytes.
    pub bytes: u64,
    /// When it was first registered.
    pub registered: Timestamp,
}

/// Writes a path as text without losing anything.
///
/// UTF-8 stays as it is. A byte that is not UTF-8 becomes `\xHH`, and so does a backslash
/// that stands before an `x`, so that two different paths never give one text.
pub fn source_text(path: &std::path::Path) -> String {
    use std::fmt::Write as _;
    use std::os::unix::ffi::OsStrExt as _;

    let mut text = String::new();
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        text.push_str(&chunk.valid().replace("\\x", "\\x5Cx"));
        for byte in chunk.invalid() {
            write!(text, "\\x{byte:02X}").expect("writing to a string cannot fail");
        }
    }
    text
}

/// The path that [`source_text`] wrote.
pub fn source_path(text: &str) -> std::path::PathBuf {
    use std::os::unix::ffi::OsStringExt as _;

    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\\x") {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let digits = rest.get(at + 2..at + 4).and_then(|two| u8::from_str_radix(two, 16).ok());
        match digits {
            Some(byte) => {
                bytes.push(byte);
                rest = &rest[at + 4..];
            }
            None => {
                bytes.extend_from_slice(b"\\x");
                rest = &rest[at + 2..];
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    std::ffi::OsString::from_vec(bytes).into()
}

/// Names a collection; 1 to 200 characters, none of them a control character.
///
/// # Errors
/// `BadInput` with the reason.
pub fn check_collection(name: &str) -> Result<(), Fault> {
    let length = name.chars().count();
    if length == 0 || length > 200 || name.chars().any(char::is_control) {
        return Err(Fault::new(
            FaultKind::BadInput,
            format!(
                "{name:?} is not a collection name: 1 to 200 characters, no control characters"
            ),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    fn id_of(seed: u8) -> AssetId {
        AssetId::derive(&Tenant::default(), &Digest::new([seed; 32]))
    }

    #[test]
    fn an_id_is_fixed_for_ever() {
        // A changed derivation would orphan every stored asset.
        assert_eq!(id_of(7).as_str(), "hzphkqw1wzcbkvz9rz568");
    }

    #[test]
    fn tenants_never_share_an_id() {
        let other: Tenant = "other".parse().expect("a good name");
        assert_ne!(id_of(7), AssetId::derive(&other, &Digest::new([7; 32])));
    }

    #[test]
    fn every_single_mistyped_character_and_every_swap_is_caught() {
        for seed in 0..20 {
            let id = id_of(seed).to_string();
            for at in 0..id.len() {
                for &wrong in BETANUMERIC {
                    let mut mistyped = id.clone().into_bytes();
                    if mistyped[at] == wrong {
                        continue;
                    }
                    mistyped[at] = wrong;
                    let text = String::from_utf8(mistyped).expect("ascii");
                    assert!(text.parse::<AssetId>().is_err(), "{id} read as {text}");
                }
            }
            for at in 0..id.len() - 1 {
                let mut swapped = id.clone().into_bytes();
                swapped.swap(at, at + 1);
                let text = String::from_utf8(swapped).expect("ascii");
                assert!(text == id || text.parse::<AssetId>().is_err(), "{id} read as {text}");
            }
        }
    }

    #[test]
    fn paths_that_differ_give_texts_that_differ() {
        let text = |bytes: &[u8]| source_text(Path::new(OsStr::from_bytes(bytes)));
        assert_eq!(text("Übung/ünïcode.jpg".as_bytes()), "Übung/ünïcode.jpg");
        assert_eq!(text(b"caf\xe9.jpg"), "caf\\xE9.jpg");
        assert_ne!(text(b"caf\xe9.jpg"), text(b"caf\\xE9.jpg"));
    }

    proptest! {
        #[test]
        fn digests_read_back(bytes in any::<[u8; 32]>()) {
            let digest = Digest::new(bytes);
            prop_assert_eq!(digest.to_string().parse::<Digest>().expect("own text"), digest);
        }

        #[test]
        fn ids_read_back(bytes in any::<[u8; 32]>()) {
            let id = AssetId::derive(&Tenant::default(), &Digest::new(bytes));
            prop_assert_eq!(id.as_str().parse::<AssetId>().expect("own text"), id);
        }

        #[test]
        fn any_two_paths_differ_as_text(a in prop::collection::vec(1_u8.., 0..6), b in prop::collection::vec(1_u8.., 0..6)) {
            let text = |bytes: &[u8]| source_text(Path::new(OsStr::from_bytes(bytes)));
            prop_assert_eq!(a == b, text(&a) == text(&b));
        }
    }
}
