//! Access keys: `gp_ID_SECRET`, of which only the id and a hash of the secret are kept.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::Role;
use crate::asset::{Digest, Tenant};
use crate::fault::Fault;

/// What every key begins with, so that people and scanners of leaked secrets know one.
const PREFIX: &str = "gp";
/// How many random bytes name a key: enough that no two meet and none is guessed.
const ID_BYTES: usize = 8;
/// The longest name of a key, in characters.
const LONGEST_NAME: usize = 80;

/// A key's public name: 16 hexadecimal digits; unlike the [`Secret`] it may be shown and logged.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId(String);

impl KeyId {
    /// The id as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for KeyId {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() != 2 * ID_BYTES || !text.bytes().all(digit) {
            return Err(Fault::bad_input(format!(
                "{text:?} is not a key's id: {} hexadecimal digits, as `key list` shows them",
                2 * ID_BYTES
            )));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for KeyId {
    type Error = Fault;

    fn try_from(text: String) -> Result<Self, Fault> {
        text.parse()
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.0
    }
}

/// What the holder of a key shows: its id and 256 random bits, written `gp_ID_SECRET`.
///
/// It is shown once, when the key is made; neither `Debug` nor a fault ever tells it.
pub struct Secret {
    id: KeyId,
    bits: [u8; 32],
}

impl Secret {
    /// Draws the secret of a new key.
    ///
    /// # Errors
    /// `Broken` when the system has no randomness.
    pub fn draw() -> Result<Self, Fault> {
        let (mut name, mut bits) = ([0; ID_BYTES], [0; 32]);
        for bytes in [&mut name[..], &mut bits[..]] {
            getrandom::fill(bytes)
                .map_err(|e| Fault::broken("the system has no randomness").because(e))?;
        }
        let id = name.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { id: KeyId(id), bits })
    }

    /// The id of the key that it says it opens.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// Tells the secret: for its holder alone.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}_{}_{}", self.id, Digest::new(self.bits))
    }

    /// Tells whether it is the secret of a key, in the same time whatever the key, and without one.
    pub fn opens(&self, key: Option<&AccessKey>) -> bool {
        let kept = key.map_or([0; 32], |key| *key.secret.as_bytes());
        let same = bool::from(kept.ct_eq(self.hash().as_bytes()));
        same && key.is_some_and(|key| key.id == self.id)
    }

    /// The SHA-256 that is kept of it. The bits are random, so no slow hash is needed.
    fn hash(&self) -> Digest {
        Digest::new(Sha256::digest(self.bits).into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.id)
    }
}

impl FromStr for Secret {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        // What is wrong with it is not told: the text may be somebody's secret, mistyped.
        let wrong = || Fault::bad_input("this is no key: keys begin with gp_ and are pasted whole");
        let mut parts = text.trim().splitn(3, '_');
        let (Some(PREFIX), Some(id), Some(bits)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong());
        };
        let id = id.parse().map_err(|_| wrong())?;
        let bits: Digest = bits.parse().map_err(|_| wrong())?;
        Ok(Self { id, bits: *bits.as_bytes() })
    }
}

/// A key as it is kept: who may come in with it, and a hash of its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// Its public name.
    pub id: KeyId,
    /// Whose archive it opens.
    pub tenant: Tenant,
    /// What its holder may do.
    pub role: Role,
    /// Who holds it, as people named it; decisions and deeds are kept under this.
    pub name: String,
    /// When it was made.
    pub made: Timestamp,
    /// From when on it opens nothing; absent for one that lasts.
    pub expires: Option<Timestamp>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
    /// The SHA-256 of its secret's bits.
    pub secret: Digest,
}

/// Whether a key opens anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// It does.
    Valid,
    /// No more: its time is over.
    Expired,
    /// No more: somebody revoked it.
    Revoked,
}

impl KeyState {
    /// The state in text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

impl AccessKey {
    /// Makes a key and the secret that opens it.
    ///
    /// # Errors
    /// `BadInput` for a name of none or more than 80 characters, one that begins with a space or has
    /// control characters, and for an end before the beginning; `Broken` when the system has no randomness.
    pub fn make(
        tenant: &Tenant,
        role: Role,
        name: &str,
        made: Timestamp,
        expires: Option<Timestamp>,
    ) -> Result<(Self, Secret), Fault> {
        let length = name.chars().count();
        if length > LONGEST_NAME
            || name.chars().next().is_none_or(char::is_whitespace)
            || name.chars().any(char::is_control)
        {
            return Err(Fault::bad_input(format!(
                "{name:?} is no name for a key: 1 to {LONGEST_NAME} characters on one line, the \
                 first of them no space"
            )));
        }
        if let Some(expires) = expires.filter(|expires| *expires <= made) {
            return Err(Fault::bad_input(format!("a key cannot expire in the past, at {expires}")));
        }
        let secret = Secret::draw()?;
        let key = Self {
            id: secret.id.clone(),
            tenant: tenant.clone(),
            role,
            name: name.to_owned(),
            made,
            expires,
            revoked: None,
            secret: secret.hash(),
        };
        Ok((key, secret))
    }

    /// Tells whether it opens anything at a moment.
    pub fn state(&self, now: Timestamp) -> KeyState {
        match (self.revoked, self.expires) {
            (Some(_), _) => KeyState::Revoked,
            (None, Some(expires)) if expires <= now => KeyState::Expired,
            _ => KeyState::Valid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(name: &str) -> Result<(AccessKey, Secret), Fault> {
        AccessKey::make(&Tenant::default(), Role::Reader, name, Timestamp::UNIX_EPOCH, None)
    }

    #[test]
    fn a_secret_opens_its_own_key_only() {
        let ((key, secret), (other, _)) =
            (made("ada").expect("a key"), made("bob").expect("a key"));
        let again: Secret = secret.reveal().parse().expect("a secret");
        assert!(again.opens(Some(&key)));
        assert!(!again.opens(Some(&other)) && !again.opens(None));
        let renamed = Secret { id: key.id.clone(), bits: [0; 32] };
        assert!(!renamed.opens(Some(&key)));
    }

    #[test]
    fn what_is_kept_and_logged_does_not_tell_the_secret() {
        let (key, secret) = made("ada").expect("a key");
        let bits = Digest::new(secret.bits).to_string();
        assert!(secret.reveal().ends_with(&bits));
        assert!(!format!("{key:?} {secret:?}").contains(&bits));
        let mistyped = format!("{}0", secret.reveal());
        assert!(!mistyped.parse::<Secret>().expect_err("mistyped").reason().contains(&bits[..8]));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let (_, secret) = made("ada").expect("a key");
        let text = secret.reveal();
        for cut in 0..text.len() {
            assert!(text[..cut].parse::<Secret>().is_err(), "{cut} characters");
        }
        for wrong in [text.replacen("gp_", "gq_", 1), text.to_uppercase(), text.replace('_', "-")] {
            assert!(wrong.parse::<Secret>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_name_that_cannot_be_shown_is_refused() {
        for name in ["", "  ", " a", "a\nb", &"x".repeat(81)] {
            assert!(made(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_key_ends_when_it_expires_or_is_revoked() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        let tenant = Tenant::default();
        let make = |expires| AccessKey::make(&tenant, Role::Reader, "ada", at(10), Some(expires));
        let (mut key, _) = make(at(20)).expect("a key");
        assert_eq!(key.state(at(19)), KeyState::Valid);
        assert_eq!(key.state(at(20)), KeyState::Expired);
        key.revoked = Some(at(15));
        assert_eq!(key.state(at(16)), KeyState::Revoked);
        assert!(make(at(10)).is_err());
    }
}
