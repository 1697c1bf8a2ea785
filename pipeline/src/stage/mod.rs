//! The stages: one file each, and here the order in which a photograph passes through them.

pub mod assess;
pub mod identify;
pub mod label;
pub mod register;
pub mod render;
pub mod restore;

/// One station on a photograph's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Hash, store the original, verify it.
    Register,
    /// Format, limits, pixel digest, embedded metadata.
    Identify,
    /// Renditions and perceptual hash.
    Render,
    /// What is special about the pixels.
    Assess,
    /// Labels, by every labeller configured.
    Label,
    /// Restorations, where they are asked for.
    Restore,
    /// The ledger.
    Record,
    /// The search index, which follows the ledger's change feed.
    Index,
}

impl Stage {
    /// The order of the work.
    pub const ALL: [Self; 8] = [
        Self::Register,
        Self::Identify,
        Self::Render,
        Self::Assess,
        Self::Label,
        Self::Restore,
        Self::Record,
        Self::Index,
    ];

    /// The stage's name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Identify => "identify",
            Self::Render => "render",
            Self::Assess => "assess",
            Self::Label => "label",
            Self::Restore => "restore",
            Self::Record => "record",
            Self::Index => "index",
        }
    }
}
