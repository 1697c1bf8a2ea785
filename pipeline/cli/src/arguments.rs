//! The command line, as clap reads it.

mod batch;
mod infra;
mod people;
mod restore;
mod tenancy;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use glassplate_pipeline::asset::{Tenant, check_collection};
use glassplate_pipeline::purchase::Dollars;

use crate::env;
use crate::exit::CODES;
pub(crate) use batch::{
    BatchAction, Bounded, HoldBatch, OnDevice, PlanBatch, RedriveBatch, ReportFormat, ResumeBatch,
    Says, StartBatch, Worker,
};
pub(crate) use infra::{InfraAction, Parameters, WhichStacks};
pub(crate) use people::{Calibrate, Decide, Review};
pub(crate) use restore::{Restore, Restoring};
pub(crate) use tenancy::{Audit, Bounds, KeyAction, TenantAction};

/// Turns archives of photographs into findable, trustworthy collections.
#[derive(Debug, Parser)]
#[command(name = "glassplate", version, after_help = CODES, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The folder that holds catalogue, originals, renditions and index
    /// [default: ~/.local/share/glassplate]
    #[arg(long, global = true, env = env::HOME, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// Whose collections to work on
    #[arg(long, global = true, value_name = "NAME", default_value = "default", value_parser = tenant)]
    pub(crate) tenant: Tenant,
    /// The config file [default: config.toml in the home]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// A folder of model files, looked into before anything is fetched
    #[arg(long, global = true, env = env::MIRROR, value_name = "DIR")]
    pub(crate) mirror: Option<PathBuf>,
    /// Print JSON for programs on stdout
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// The words.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Fetch models and a few real photographs, ingest them, search them
    #[command(after_help = CODES)]
    Demo,
    /// Take pictures in: identify, store, render, label, record, index
    #[command(after_help = CODES)]
    Ingest(Ingest),
    /// Run over many sources by many workers: plan, start, watch, pause, redrive, report
    Batch {
        #[command(subcommand)]
        action: BatchAction,
    },
    /// Do the tasks of batches as they come, until it is ended
    #[command(after_help = CODES)]
    Worker(Worker),
    /// Say what labelling by services would cost, and ask none
    #[command(after_help = CODES)]
    Quote(Quote),
    /// Show what was spent on services, by run and collection
    #[command(after_help = CODES)]
    Spend(Spend),
    /// Find pictures
    #[command(after_help = crate::command::search::HELP)]
    Search(Search),
    /// Show everything known of one asset
    #[command(after_help = CODES)]
    Show(Show),
    /// List the labels that a person should look at, those first that teach the most
    #[command(after_help = CODES)]
    Review(Review),
    /// Say that labels of an asset are right; no later run undoes it
    #[command(after_help = CODES)]
    Approve(Decide),
    /// Say that labels of an asset are wrong, and so what rests on them alone
    #[command(after_help = CODES)]
    Reject(Decide),
    /// Give an asset labels that no model gave it
    #[command(after_help = CODES)]
    Add(Decide),
    /// List what people decided, with who and when
    #[command(after_help = CODES)]
    Decisions {
        /// Only this collection
        #[arg(long, value_name = "NAME")]
        collection: Option<String>,
    },
    /// Learn from what people decided how sure labels really are
    #[command(after_help = CODES)]
    Calibrate(Calibrate),
    /// Print all records, for programs
    #[command(after_help = CODES)]
    Export(Export),
    /// List runs, or what became of each source of one
    #[command(after_help = CODES)]
    Runs {
        /// The run's name
        run: Option<String>,
    },
    /// Ask other models about a collection; their answers count once they are promoted
    #[command(after_help = CODES)]
    Relabel(Relabel),
    /// Repair pictures: denoise, deblur, spread tones, colour, enlarge; the originals stay as they are
    #[command(after_help = crate::command::restore::HELP)]
    Restore(Restore),
    /// Show what labels a run would gain, lose and change
    #[command(after_help = CODES)]
    Compare(Compare),
    /// Let a run count: one on trial, or one that was undone
    #[command(after_help = CODES)]
    Promote {
        /// The run's name
        run: String,
    },
    /// Take back what a run said, and nothing else
    #[command(after_help = CODES)]
    Undo {
        /// The run's name
        run: String,
    },
    /// List, fetch or verify models
    #[command(after_help = CODES)]
    Models {
        #[command(subcommand)]
        action: Models,
    },
    /// Print where a picture's file can be had: a signed URL of S3, or the file
    #[command(after_help = CODES)]
    Url(Url),
    /// Make or check the bucket and the tables that the config names
    #[command(after_help = CODES)]
    Aws {
        #[command(subcommand)]
        action: AwsAction,
    },
    /// Check, deploy, compare and take down what runs on AWS
    #[command(after_help = CODES)]
    Infra {
        #[command(subcommand)]
        action: InfraAction,
    },
    /// Open archives to tenants, and bound what they use over HTTP
    Tenant {
        #[command(subcommand)]
        action: TenantAction,
    },
    /// Let people in over HTTP: make, list and revoke keys
    Key {
        #[command(subcommand)]
        action: KeyAction,
    },
    /// List who changed what and took what out over HTTP, the latest first
    #[command(after_help = CODES)]
    Audit(Audit),
    /// Serve search, pictures and the page over HTTP until it is ended
    #[command(after_help = CODES)]
    Serve(Serve),
    /// Build the search index anew from the catalogue
    #[command(after_help = CODES)]
    Reindex,
    /// Check home, catalogue, index, models, runtime and disk, and say what to do
    #[command(after_help = CODES)]
    Doctor(Doctor),
    /// Measure how right the labels are, on pictures whose content is known
    #[command(after_help = crate::command::evaluate::HELP)]
    Evaluate(Evaluate),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// What ingest takes.
#[derive(Debug, Args)]
pub(crate) struct Ingest {
    #[command(flatten)]
    pub(crate) sources: Sources,
    /// Say what would be done and what it would cost, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Leave labelling for later; the same ingest without this adds the labels
    #[arg(long)]
    pub(crate) without_labels: bool,
    /// The most that services may cost in this run, in US dollars [default: paid.budget]
    #[arg(long, value_name = "DOLLARS")]
    pub(crate) budget: Option<Dollars>,
    #[command(flatten)]
    pub(crate) device: OnDevice,
    /// What to repair afterwards [default: what the config says, which is nothing unless it says so]
    #[arg(long, value_name = "WHAT")]
    pub(crate) restore: Option<Restoring>,
}

/// What quote takes.
#[derive(Debug, Args)]
pub(crate) struct Quote {
    #[command(flatten)]
    pub(crate) sources: Sources,
}

/// What url takes.
#[derive(Debug, Args)]
pub(crate) struct Url {
    /// The asset's id
    pub(crate) asset: String,
    /// A rendition by name, such as 1024, instead of the original
    #[arg(long, value_name = "NAME")]
    pub(crate) rendition: Option<String>,
    /// How long a signed URL holds, in seconds, up to a week
    #[arg(long, value_name = "N", default_value_t = 3600)]
    pub(crate) seconds: u32,
}

/// What to do about bucket and tables.
#[derive(Debug, Subcommand)]
pub(crate) enum AwsAction {
    /// Make what is missing
    Prepare(Prepare),
    /// See whether they are there, and whether they may be read and written
    Check,
}

/// What prepare takes.
#[derive(Debug, Args)]
pub(crate) struct Prepare {
    /// Read units a second of a provisioned table for the catalogue, instead of one billed on demand
    #[arg(long, value_name = "N", requires = "write_units")]
    pub(crate) read_units: Option<u32>,
    /// Write units a second of that table
    #[arg(long, value_name = "N", requires = "read_units")]
    pub(crate) write_units: Option<u32>,
    /// Leave the tables unprotected against deletion, for trials
    #[arg(long)]
    pub(crate) unprotected: bool,
}

/// What spend takes.
#[derive(Debug, Args)]
pub(crate) struct Spend {
    /// Only this collection
    #[arg(long, value_name = "NAME")]
    pub(crate) collection: Option<String>,
    /// Only this run
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<String>,
}

/// Where pictures come from and go to.
#[derive(Debug, Args)]
pub(crate) struct Sources {
    /// Files and folders, and objects and prefixes in S3: s3://BUCKET/KEY
    #[arg(required_unless_present = "manifest", value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// A list of places: a CSV with a column source, path, url, or key with bucket; or JSON
    /// lines of the same names. A file or s3://BUCKET/KEY
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Vec<PathBuf>,
    /// The collection that the pictures go to
    #[arg(long, value_name = "NAME", value_parser = collection)]
    pub(crate) collection: String,
    /// A CSV of Dublin Core columns, keyed by path
    #[arg(long, value_name = "CSV")]
    pub(crate) metadata: Option<PathBuf>,
}

/// What search takes.
#[derive(Debug, Args)]
pub(crate) struct Search {
    /// Words, "phrases", field:value, -not
    #[arg(required = true, value_name = "QUERY")]
    pub(crate) query: Vec<String>,
    /// Most pictures to list
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub(crate) limit: usize,
}

/// What serve takes.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Address and port to listen on, port 0: any that is free [default: serve.listen]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<String>,
}

/// What show takes.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The asset's id: 21 characters, the last checks the others
    pub(crate) asset: String,
    /// How sure a machine's label must be, instead of the settings; 0: every label, refused
    /// and doubtful ones included
    #[arg(long, value_name = "X", value_parser = confidence)]
    pub(crate) min_confidence: Option<f32>,
}

/// What relabel takes.
#[derive(Debug, Args)]
pub(crate) struct Relabel {
    /// The collection to look at again
    #[arg(long, value_name = "NAME", value_parser = collection)]
    pub(crate) collection: String,
    /// A model, as `models list` names it; may be given several times
    #[arg(long = "model", value_name = "MODEL", required = true)]
    pub(crate) models: Vec<String>,
    /// Look at so many pictures only, an arbitrary but always the same sample
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: Option<u32>,
    /// The most that services may cost in this run, in US dollars [default: paid.budget]
    #[arg(long, value_name = "DOLLARS")]
    pub(crate) budget: Option<Dollars>,
    #[command(flatten)]
    pub(crate) device: OnDevice,
}

/// What compare takes.
#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// The run to begin from; given alone, it is compared with the archive without it
    #[arg(value_name = "RUN_A")]
    pub(crate) run: String,
    /// The run to compare it with
    #[arg(value_name = "RUN_B")]
    pub(crate) other: Option<String>,
    /// Most labels to list of each difference
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub(crate) limit: usize,
}

/// What export takes.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Only this collection
    #[arg(long, value_name = "NAME")]
    pub(crate) collection: Option<String>,
    /// jsonl: one record a line; csv: one occurrence a line
    #[arg(long, value_enum)]
    pub(crate) format: ExportFormat,
    /// How sure a machine's label must be, instead of the settings; 0: every label, refused
    /// and doubtful ones included
    #[arg(long, value_name = "X", value_parser = confidence)]
    pub(crate) min_confidence: Option<f32>,
}

/// How export writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    Jsonl,
    Csv,
}

/// What models does.
#[derive(Debug, Subcommand)]
pub(crate) enum Models {
    /// List the models, their licences and whether they are here
    List,
    /// Fetch models: those named, or all that labelling uses
    Pull {
        /// Names, as listed
        names: Vec<String>,
    },
    /// Hash every file of every model that is here
    Verify,
}

/// What doctor takes.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Also read every original back and compare it with its digest
    #[arg(long)]
    pub(crate) originals: bool,
}

/// What evaluate takes.
#[derive(Debug, Args)]
pub(crate) struct Evaluate {
    /// The folder that the labelled pictures lie in
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// A CSV that says what is in the pictures; may be given several times
    #[arg(long, required = true, value_name = "CSV")]
    pub(crate) labels: Vec<PathBuf>,
    /// Only these models, by the names of their cards [default: all that are here]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) models: Vec<String>,
    /// Also take rows of COCO's tables that networks were trained on
    #[arg(long)]
    pub(crate) all_rows: bool,
    /// Write a reliability diagram as SVG
    #[arg(long, value_name = "SVG")]
    pub(crate) plot: Option<PathBuf>,
    /// Write a table of all classes as CSV
    #[arg(long, value_name = "CSV")]
    pub(crate) per_class: Option<PathBuf>,
    /// Write each picture's labels and truth as a line of JSON
    #[arg(long, value_name = "JSONL")]
    pub(crate) predictions: Option<PathBuf>,
}

/// Stands before a word of a query that begins with a minus, so that clap takes it for a word.
const WORD: char = '\u{0}';

impl Arguments {
    /// Reads the command line; `search dog -cat` needs no `--` before the minus.
    pub(crate) fn read() -> Self {
        let mut searching = false;
        Self::parse_from(std::env::args_os().map(|argument| {
            let text = argument.to_string_lossy();
            let is_word = text.starts_with('-') && !text.starts_with("--") && text.len() > 2;
            if searching && is_word {
                return format!("{WORD}{text}").into();
            }
            searching |= text == "search";
            argument
        }))
    }
}

impl Search {
    /// The query as typed.
    pub(crate) fn text(&self) -> String {
        self.query.join(" ").replace(WORD, "")
    }
}

/// Refuses a wrong name before anything is made for it.
fn collection(text: &str) -> Result<String, String> {
    check_collection(text).map(|()| text.to_owned()).map_err(|fault| fault.to_string())
}

fn confidence(text: &str) -> Result<f32, String> {
    let number = text.parse::<f32>().ok().filter(|number| (0.0..=1.0).contains(number));
    number.ok_or_else(|| "not a number from 0 to 1".to_owned())
}

fn tenant(text: &str) -> Result<Tenant, String> {
    text.parse().map_err(|fault: glassplate_pipeline::fault::Fault| fault.to_string())
}
