//! Deeds: the lines of the audit log, written once and never changed.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::KeyId;
use crate::asset::Tenant;
use crate::fault::Fault;

/// The longest text that a deed keeps of what a stranger sent, in bytes.
const LONGEST_TEXT: usize = 500;

/// A deed's name: its time to the microsecond and a random tail, so that names sort by age.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeedId(String);

impl DeedId {
    /// Names a deed done at `at`; `random` keeps two of one microsecond apart.
    pub fn new(at: Timestamp, random: u32) -> Self {
        Self(format!("{}-{random:08x}", at.strftime("%Y%m%dT%H%M%S.%6fZ")))
    }

    /// The id as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for DeedId {
    type Err = Fault;

    /// Takes what a client gives back; it may name no deed.
    fn from_str(text: &str) -> Result<Self, Fault> {
        let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
        if text.is_empty() || text.len() > 40 || !text.bytes().all(known) {
            return Err(Fault::bad_input(format!("{text:?} is not where a list of deeds ended")));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for DeedId {
    type Error = Fault;

    fn try_from(text: String) -> Result<Self, Fault> {
        text.parse()
    }
}

impl From<DeedId> for String {
    fn from(id: DeedId) -> Self {
        id.0
    }
}

/// The closed list of what is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Opened an archive to a tenant.
    OpenLease,
    /// Changed a tenant's quota.
    SetQuota,
    /// Made a key.
    MakeKey,
    /// Revoked a key.
    RevokeKey,
    /// Ruled on a label.
    Decide,
    /// Took a picture in.
    Upload,
    /// Fetched an original.
    Download,
    /// Fetched many records at once.
    Export,
    /// Asked for what the key does not allow, or came with a key that opens nothing.
    Trespass,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 9] = [
        Self::OpenLease,
        Self::SetQuota,
        Self::MakeKey,
        Self::RevokeKey,
        Self::Decide,
        Self::Upload,
        Self::Download,
        Self::Export,
        Self::Trespass,
    ];

    /// The verb in text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenLease => "open_lease",
            Self::SetQuota => "set_quota",
            Self::MakeKey => "make_key",
            Self::RevokeKey => "revoke_key",
            Self::Decide => "decide",
            Self::Upload => "upload",
            Self::Download => "download",
            Self::Export => "export",
            Self::Trespass => "trespass",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeedOutcome {
    /// It was done.
    Done,
    /// A role, a quota or a limit said no.
    Refused,
    /// It was begun and failed.
    Failed,
}

impl DeedOutcome {
    /// The outcome in text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// Its name.
    pub id: DeedId,
    /// When.
    pub at: Timestamp,
    /// In whose archive.
    pub tenant: Tenant,
    /// With which key; absent at the open desk and on the command line.
    pub key: Option<KeyId>,
    /// Who: the key's name, or who is at the keyboard.
    pub who: String,
    /// What.
    pub what: Verb,
    /// On what: an asset, a key's id, a route.
    pub subject: String,
    /// What came of it.
    pub outcome: DeedOutcome,
    /// The request's id.
    pub request: Option<String>,
}

impl Deed {
    /// Names a deed of somebody without a key; texts longer than 500 bytes are cut.
    ///
    /// # Errors
    /// `Broken` when the system has no randomness.
    pub fn new(
        at: Timestamp,
        tenant: &Tenant,
        who: &str,
        what: Verb,
        subject: &str,
        outcome: DeedOutcome,
    ) -> Result<Self, Fault> {
        let mut tail = [0; 4];
        getrandom::fill(&mut tail)
            .map_err(|e| Fault::broken("the system has no randomness").because(e))?;
        Ok(Self {
            id: DeedId::new(at, u32::from_be_bytes(tail)),
            at,
            tenant: tenant.clone(),
            key: None,
            who: short(who),
            what,
            subject: short(subject),
            outcome,
            request: None,
        })
    }

    /// The same deed, done with a key in a request.
    #[must_use]
    pub fn over_http(self, key: Option<&KeyId>, request: Option<&str>) -> Self {
        Self { key: key.cloned(), request: request.map(short), ..self }
    }
}

fn short(text: &str) -> String {
    text[..text.floor_char_boundary(LONGEST_TEXT)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_by_age() {
        let at = |micros| Timestamp::from_microsecond(micros).expect("a time");
        let ids = [(0, 9), (1, 3), (1, 4), (999_999, 0), (1_000_000, 0), (1 << 50, 0)];
        let ids = ids.map(|(micros, random)| DeedId::new(at(micros), random));
        assert!(ids.is_sorted(), "{ids:?}");
        assert!(ids.iter().all(|id| id.as_str().parse::<DeedId>().is_ok_and(|read| read == *id)));
    }

    #[test]
    fn verbs_read_back_by_their_names() {
        for verb in Verb::ALL {
            assert_eq!(serde_json::json!(verb), serde_json::json!(verb.name()));
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let long = "é".repeat(400);
        assert_eq!(short(&long).len(), 500);
        assert_eq!(short(&format!("x{long}")).len(), 499);
    }
}
