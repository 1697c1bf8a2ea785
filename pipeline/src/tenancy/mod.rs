//! Tenancy: who may do what, in whose archive.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What the holder of a key may do; each role may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Search, see, download.
    Reader,
    /// Rule on labels.
    Editor,
    /// Take pictures in, make and revoke keys, read the audit log.
    Archivist,
}

impl Role {
    /// The role in text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Editor => "editor",
            Self::Archivist => "archivist",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
