//! What restoring takes.

use clap::{Args, ValueEnum};
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::restoration::{Mode, Repair};

use super::OnDevice;

/// What restore takes.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// An asset's id, or a search: every picture that it finds
    #[arg(required = true, value_name = "ASSET|QUERY")]
    pub(crate) target: Vec<String>,
    /// What to do, separated by commas: dust, denoise, deblur, levels, colourise, upscale
    /// [default: what the picture needs]
    #[arg(long, value_delimiter = ',', value_name = "STEPS")]
    pub(crate) steps: Vec<Repair>,
    /// How to enlarge: fidelity invents nothing, quality looks best, fast draws crisp edges
    #[arg(long, value_name = "MODE", default_value = "fidelity", value_parser = mode)]
    pub(crate) mode: Mode,
    /// Show the repaired pictures to the networks here too; what they see only there is kept apart
    #[arg(long, conflicts_with = "delete")]
    pub(crate) label: bool,
    /// Say what would be done and how long it would take, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do away with an asset's restorations, or with those that --name names
    #[arg(long, conflicts_with_all = ["steps", "dry_run"])]
    pub(crate) delete: bool,
    /// The restoration to delete, as `show` names it: denoise+upscale-fast
    #[arg(long, value_name = "NAME", requires = "delete")]
    pub(crate) name: Option<String>,
    /// Who deletes [default: people.name, GLASSPLATE_BY or the login name]
    #[arg(long, value_name = "NAME", requires = "delete")]
    pub(crate) by: Option<String>,
    #[command(flatten)]
    pub(crate) device: OnDevice,
}

/// What is restored after an ingest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Restoring {
    /// What each picture needs, whatever the config says.
    Auto,
    /// Nothing, whatever the config says.
    Never,
}

fn mode(text: &str) -> Result<Mode, String> {
    text.parse().map_err(|fault: Fault| fault.reason())
}
