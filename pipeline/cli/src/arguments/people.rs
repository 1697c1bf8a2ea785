//! What people's judgement takes: reviews, rulings, and what is learned of them.

use clap::{Args, ValueEnum};
use glassplate_pipeline::label::LabelKind;

/// What review takes.
#[derive(Debug, Args)]
pub(crate) struct Review {
    /// Only this collection
    #[arg(long, value_name = "NAME")]
    pub(crate) collection: Option<String>,
    /// Most labels to list
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub(crate) limit: usize,
    /// Only labels of this kind
    #[arg(long, value_enum)]
    pub(crate) kind: Option<Kind>,
}

/// What approve, reject and add take.
#[derive(Debug, Args)]
pub(crate) struct Decide {
    /// The asset's id
    pub(crate) asset: String,
    /// Names or synonyms, as shown or as in the vocabulary
    #[arg(required = true, value_name = "LABEL")]
    pub(crate) labels: Vec<String>,
    /// What the labels are, where a name may be several things or no vocabulary knows it
    #[arg(long, value_enum)]
    pub(crate) kind: Option<Kind>,
    /// Who decides [default: people.name in the settings, else $GLASSPLATE_BY, else the login name]
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}

/// The kinds of labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Object,
    Scene,
    Concept,
}

impl From<Kind> for LabelKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Object => Self::Object,
            Kind::Scene => Self::Scene,
            Kind::Concept => Self::Concept,
        }
    }
}

/// What calibrate takes.
#[derive(Debug, Args)]
pub(crate) struct Calibrate {
    /// Say what would be learned, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Forget what was learned
    #[arg(long)]
    pub(crate) reset: bool,
}
