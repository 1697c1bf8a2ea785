//! What batch and worker take.

use clap::{Args, Subcommand, ValueEnum};
use glassplate_models::session::Device;
use glassplate_pipeline::batch::plan::{LARGEST_SHARD, SHARD};
use glassplate_pipeline::batch::round::Class;
use glassplate_pipeline::purchase::Dollars;

use super::Sources;
use crate::exit::CODES;

/// What to do about batches.
#[derive(Debug, Subcommand)]
pub(crate) enum BatchAction {
    /// List the sources, cut them into shards, and say what a run over them takes and costs
    #[command(after_help = CODES)]
    Plan(PlanBatch),
    /// Begin a planned run; one that is under way already is left alone
    #[command(after_help = CODES)]
    Start(StartBatch),
    /// Show where a run stands
    #[command(after_help = CODES)]
    Status {
        /// The run's name
        run: String,
        /// Show it again and again until nothing runs any more
        #[arg(long)]
        watch: bool,
    },
    /// Let a run rest: workers finish the pictures in hand and give the rest back
    #[command(after_help = CODES)]
    Pause(HoldBatch),
    /// Go on with what is unfinished of a run that is paused, failed or was interrupted
    #[command(after_help = CODES)]
    Resume(ResumeBatch),
    /// End a run for good; what it did stays, until `glassplate undo`
    #[command(after_help = CODES)]
    Cancel(HoldBatch),
    /// Do again what is in quarantine, and nothing else
    #[command(after_help = CODES)]
    Redrive(RedriveBatch),
    /// Print what a run came to: counts, throughput, failures, labels found, spend
    #[command(after_help = CODES)]
    Report {
        /// The run's name
        run: String,
        /// json: all figures; csv: one source a line; html: a page with plots
        #[arg(long, value_enum, default_value = "json")]
        format: ReportFormat,
    },
}

/// What plan takes.
#[derive(Debug, Args)]
pub(crate) struct PlanBatch {
    #[command(flatten)]
    pub(crate) sources: Sources,
    /// Sources of a shard
    #[arg(long, value_name = "N", default_value_t = SHARD, value_parser = shard)]
    pub(crate) shard: usize,
    /// Leave labelling for later
    #[arg(long)]
    pub(crate) without_labels: bool,
    /// How many workers the time is told for
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) workers: u32,
    /// Sources a second that one worker does, as measured [default: as the last runs here]
    #[arg(long, value_name = "X", value_parser = rate)]
    pub(crate) rate: Option<f64>,
}

/// How rounds are bounded.
#[derive(Debug, Args)]
pub(crate) struct Bounded {
    /// The most that all workers together may spend on services in this run, in US dollars
    /// [default: paid.budget]
    #[arg(long, value_name = "DOLLARS")]
    pub(crate) budget: Option<Dollars>,
    /// The most shards in work at once [default: 40]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) max_workers: Option<u32>,
    /// The share of sources that may end in quarantine, such as 0.5% [default: 5%]
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub(crate) tolerate: Option<f64>,
}

/// What start takes.
#[derive(Debug, Args)]
pub(crate) struct StartBatch {
    /// The run's name, as plan printed it
    pub(crate) run: String,
    #[command(flatten)]
    pub(crate) bounded: Bounded,
    #[command(flatten)]
    pub(crate) device: OnDevice,
}

/// Who says so.
#[derive(Debug, Args)]
pub(crate) struct Says {
    /// Who does [default: people.name in the settings, else $GLASSPLATE_BY, else the login name]
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    /// Also when somebody else paused it
    #[arg(long)]
    pub(crate) take_over: bool,
}

/// What pause and cancel take.
#[derive(Debug, Args)]
pub(crate) struct HoldBatch {
    /// The run's name
    pub(crate) run: String,
    /// Why, for others to read
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) says: Says,
}

/// What resume takes.
#[derive(Debug, Args)]
pub(crate) struct ResumeBatch {
    /// The run's name
    pub(crate) run: String,
    #[command(flatten)]
    pub(crate) bounded: Bounded,
    #[command(flatten)]
    pub(crate) says: Says,
    #[command(flatten)]
    pub(crate) device: OnDevice,
}

/// What redrive takes.
#[derive(Debug, Args)]
pub(crate) struct RedriveBatch {
    /// The run's name
    pub(crate) run: String,
    /// transient: what a busy service or a lost answer failed; all: whatever is in quarantine
    #[arg(long, value_enum)]
    pub(crate) class: RedriveClass,
    #[command(flatten)]
    pub(crate) bounded: Bounded,
    #[command(flatten)]
    pub(crate) says: Says,
    #[command(flatten)]
    pub(crate) device: OnDevice,
}

/// What is done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RedriveClass {
    Transient,
    All,
}

impl From<RedriveClass> for Class {
    fn from(class: RedriveClass) -> Self {
        match class {
            RedriveClass::Transient => Self::Transient,
            RedriveClass::All => Self::All,
        }
    }
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    Json,
    Csv,
    Html,
}

/// What worker takes.
#[derive(Debug, Args)]
pub(crate) struct Worker {
    /// The queue that tasks come from [default: batch.queue]
    #[arg(long, value_name = "URL")]
    pub(crate) queue: Option<String>,
    /// End after one task
    #[arg(long)]
    pub(crate) once: bool,
    /// End when no task came for so long
    #[arg(long, value_name = "SECONDS")]
    pub(crate) idle_exit: Option<u64>,
    #[command(flatten)]
    pub(crate) device: OnDevice,
}

/// Where networks run.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct OnDevice {
    /// Where networks run: cpu, or cuda:N [default: models.device]
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Option<Device>,
}

fn shard(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|n| (1..=LARGEST_SHARD).contains(n));
    number.ok_or_else(|| format!("not a number from 1 to {LARGEST_SHARD}"))
}

fn rate(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|rate| rate.is_finite() && *rate > 0.0);
    number.ok_or_else(|| "not a number above 0".to_owned())
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').trim().parse::<f64>().ok();
    let number = number.filter(|percent| (0.0..=100.0).contains(percent));
    number.ok_or_else(|| "not a share from 0% to 100%".to_owned())
}
