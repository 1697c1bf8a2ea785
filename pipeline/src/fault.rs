//! The closed list of what can go wrong, and the four faces each kind shows.
//!
//! Code near a cause keeps its own error types; whatever crosses a port or ends
//! an asset's way is a [`Fault`]. [`FaultKind`] is the whole table: retried or
//! not, HTTP status, CLI exit code, Step Functions error name.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Says what went wrong, for which thing, and of which of the closed kinds it is.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    kind: FaultKind,
    message: String,
    #[source]
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
    for_all: bool,
}

/// The closed list of kinds of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The bytes are damaged or contradict their own format.
    BadInput,
    /// The format, or this variant of it, cannot be read here.
    Unsupported,
    /// A limit on bytes, pixels, dimensions, frames or seconds was exceeded.
    TooLarge,
    /// The thing asked for does not exist.
    NotFound,
    /// The thing exists already with other content, or changed meanwhile.
    Conflict,
    /// A person, a policy or a service said no.
    Refused,
    /// A service or a resource is busy; trying again may help.
    Busy,
    /// No answer came in time; trying again may help.
    TimedOut,
    /// Something that should hold does not: a full disk, a lost file, a defect.
    Broken,
}

/// How one kind of fault appears to each of glassplate's callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Faces {
    /// The kind in text: in reports, exports and metric labels.
    pub name: &'static str,
    /// Whether a stage may be tried again with backoff.
    pub retried: bool,
    /// The HTTP status of an answer that carries this fault.
    pub http: u16,
    /// The CLI's exit code when this fault ends a command.
    ///
    /// Faults of single assets never end a run; a run that lists such assets exits with 3.
    pub exit: u8,
    /// The error name that a Step Functions task reports.
    pub step_functions: &'static str,
}

impl FaultKind {
    /// Every kind, in the table's order.
    pub const ALL: [Self; 9] = [
        Self::BadInput,
        Self::Unsupported,
        Self::TooLarge,
        Self::NotFound,
        Self::Conflict,
        Self::Refused,
        Self::Busy,
        Self::TimedOut,
        Self::Broken,
    ];

    /// Returns the kind's four faces: the one table that everything else asks.
    pub const fn faces(self) -> Faces {
        const fn row(
            name: &'static str,
            retried: bool,
            http: u16,
            exit: u8,
            step_functions: &'static str,
        ) -> Faces {
            Faces { name, retried, http, exit, step_functions }
        }
        match self {
            Self::BadInput => row("bad_input", false, 400, 3, "Rejected"),
            Self::Unsupported => row("unsupported", false, 415, 3, "Rejected"),
            Self::TooLarge => row("too_large", false, 413, 3, "Rejected"),
            Self::NotFound => row("not_found", false, 404, 1, "Refused"),
            Self::Conflict => row("conflict", false, 409, 1, "Refused"),
            Self::Refused => row("refused", false, 403, 1, "Refused"),
            Self::Busy => row("busy", true, 503, 1, "Transient"),
            Self::TimedOut => row("timed_out", true, 504, 1, "Transient"),
            Self::Broken => row("broken", false, 500, 1, "Broken"),
        }
    }

    /// Tells whether the asset itself is at fault, so that it is rejected rather than failed.
    pub const fn rejects(self) -> bool {
        matches!(self, Self::BadInput | Self::Unsupported | Self::TooLarge)
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.faces().name)
    }
}

impl Fault {
    /// Makes a fault; the message names the thing and the reason, in lower case, without a full stop.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None, for_all: false }
    }

    /// Keeps the cause as the error's source.
    pub fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(cause.into()));
        self
    }

    /// Marks that every other asset would meet the same, so that a run ends at once instead of
    /// failing a million times: a wrong credential, a bucket that does not exist.
    #[must_use]
    pub fn for_all(mut self) -> Self {
        self.for_all = true;
        self
    }

    /// Tells whether every other asset would meet the same.
    pub fn is_for_all(&self) -> bool {
        self.for_all
    }

    /// Makes a [`FaultKind::BadInput`].
    pub fn bad_input(message: impl Into<String>) -> Self {
        Self::new(FaultKind::BadInput, message)
    }

    /// Makes a [`FaultKind::Unsupported`].
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Unsupported, message)
    }

    /// Makes a [`FaultKind::TooLarge`].
    pub fn too_large(message: impl Into<String>) -> Self {
        Self::new(FaultKind::TooLarge, message)
    }

    /// Makes a [`FaultKind::NotFound`].
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(FaultKind::NotFound, message)
    }

    /// Makes a [`FaultKind::Broken`].
    pub fn broken(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Broken, message)
    }

    /// Returns which of the closed kinds this is.
    pub fn kind(&self) -> FaultKind {
        self.kind
    }

    /// Returns the message followed by every cause below it, separated by colons.
    pub fn reason(&self) -> String {
        let mut text = self.message.clone();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let part = error.to_string();
            if !text.ends_with(&part) {
                text.push_str(": ");
                text.push_str(&part);
            }
            cause = error.source();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_faces_agree_with_each_other() {
        for kind in FaultKind::ALL {
            let faces = kind.faces();
            assert_eq!(kind.rejects(), faces.step_functions == "Rejected", "{kind}");
            assert_eq!(kind.rejects(), faces.exit == 3, "{kind}");
            assert_eq!(faces.retried, faces.step_functions == "Transient", "{kind}");
            assert_eq!(faces.retried, matches!(faces.http, 503 | 504), "{kind}");
            assert_eq!(serde_json::json!(kind), serde_json::json!(faces.name));
        }
    }

    #[test]
    fn the_table_is_the_one_in_the_architecture() {
        let table: Vec<String> = FaultKind::ALL
            .iter()
            .map(|kind| {
                let f = kind.faces();
                format!("{} {} {} {} {}", f.name, f.retried, f.http, f.exit, f.step_functions)
            })
            .collect();
        assert_eq!(
            table,
            [
                "bad_input false 400 3 Rejected",
                "unsupported false 415 3 Rejected",
                "too_large false 413 3 Rejected",
                "not_found false 404 1 Refused",
                "conflict false 409 1 Refused",
                "refused false 403 1 Refused",
                "busy true 503 1 Transient",
                "timed_out true 504 1 Transient",
                "broken false 500 1 Broken",
            ]
        );
    }

    #[test]
    fn a_reason_carries_its_causes() {
        let fault = Fault::bad_input("cannot read a.tif").because("strip 3 is missing");
        assert_eq!(fault.reason(), "cannot read a.tif: strip 3 is missing");
    }
}
