//! Roles: what the holder of a key may do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::fault::Fault;

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
    /// Every role, the least first.
    pub const ALL: [Self; 3] = [Self::Reader, Self::Editor, Self::Archivist];

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

impl FromStr for Role {
    type Err = Fault;

    fn from_str(name: &str) -> Result<Self, Fault> {
        Self::ALL.into_iter().find(|role| role.name() == name).ok_or_else(|| {
            Fault::bad_input(format!(
                "there is no role {name:?}; write reader, editor or archivist"
            ))
        })
    }
}
