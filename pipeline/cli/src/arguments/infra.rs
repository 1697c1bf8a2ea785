//! Arguments of `glassplate infra`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What infra does.
#[derive(Debug, Subcommand)]
pub(crate) enum InfraAction {
    /// See whether templates and state machine are in order; asks nobody
    Check,
    /// Print a template as it is deployed, or write all into a folder
    Template {
        /// The stack
        #[arg(value_name = "STACK", required_unless_present = "into")]
        stack: Option<String>,
        /// The folder, which is made
        #[arg(long, value_name = "DIR", conflicts_with = "stack")]
        into: Option<PathBuf>,
    },
    /// Write this very program as a zip that Lambda runs (provided.al2023), without models
    Pack {
        /// The zip; one that is there is replaced
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Make or change stacks, one after the other, and print what they give out
    Deploy(Parameters),
    /// Show what a deployment would change, and change nothing
    Diff(Parameters),
    /// Take stacks down; originals, ledger and their key stay
    Destroy {
        #[command(flatten)]
        which: WhichStacks,
        /// The name of the whole once more, instead of being asked for it
        #[arg(long, value_name = "NAME")]
        confirm: Option<String>,
    },
}

/// Which stacks.
#[derive(Debug, Args)]
pub(crate) struct WhichStacks {
    /// Stacks, in any order: storage, network, batch, workers, gpu, scaling, serve, gateway, edge, observe, budget
    #[arg(required = true, value_name = "STACK")]
    pub(crate) stacks: Vec<String>,
    /// What the names of all begin with
    #[arg(long, value_name = "NAME", default_value = "glassplate")]
    pub(crate) name: String,
}

/// Which stacks, and what they are told.
#[derive(Debug, Args)]
pub(crate) struct Parameters {
    #[command(flatten)]
    pub(crate) which: WhichStacks,
    /// A TOML file of parameters; infra/parameters has a small and a large one
    #[arg(long, value_name = "FILE")]
    pub(crate) parameters: Option<PathBuf>,
    /// A parameter by itself; beats the file
    #[arg(long = "set", value_name = "PARAMETER=VALUE")]
    pub(crate) set: Vec<String>,
}
