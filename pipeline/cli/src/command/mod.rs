//! The commands, one file a word, and the way from arguments to an exit code.

mod audit;
mod aws;
mod batch;
mod calibrate;
mod compare;
mod decide;
mod decisions;
mod demo;
mod doctor;
pub(crate) mod evaluate;
mod export;
mod infra;
mod ingest;
mod key;
mod labels;
mod models;
mod pass;
mod progress;
mod promote;
mod reindex;
mod relabel;
pub(crate) mod restore;
mod review;
mod runs;
pub(crate) mod search;
mod serve;
mod show;
mod spend;
mod tenant;
mod url;
mod worker;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::CommandFactory as _;
use glassplate_pipeline::decision::Ruling;
use glassplate_pipeline::fault::Fault;
use tracing_subscriber::EnvFilter;

use crate::arguments::{Arguments, Command};
use crate::compose::Desk;
use crate::exit::{Exit, code_of};
use crate::output::say;
use crate::{env, memory, output};
use promote::Standing;

/// Reads the arguments, runs the command, tells how it ended.
pub(crate) fn run() -> ExitCode {
    let arguments = Arguments::read();
    begin_logging();
    let json = arguments.global.json;
    match dispatch(arguments) {
        Ok(exit) => exit.into(),
        Err(fault) => {
            say(format!("error: {}", fault.reason()));
            if json {
                let kind = fault.kind().faces().name;
                output::json(
                    &serde_json::json!({ "error": { "kind": kind, "reason": fault.reason() } }),
                );
            }
            code_of(&fault)
        }
    }
}

fn dispatch(Arguments { global, command }: Arguments) -> Result<Exit, Fault> {
    if let Command::Completions { shell } = command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Arguments::command(), "glassplate", &mut script);
        output::data(String::from_utf8_lossy(&script).trim_end());
        return Ok(Exit::Done);
    }
    if works_on_many(&command) {
        // Before there are threads: they take it over. A system that refuses loses nothing.
        let _ = rustix::process::nice(GIVES_WAY);
    }
    if matches!(command, Command::Serve(_)) {
        memory::share();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Fault::broken("cannot start the runtime").because(e))?;
    let home = matches!(command, Command::Demo).then(demo::home).flatten();
    let desk = Desk::new(global, home)?;
    let result = runtime.block_on(async {
        match command {
            Command::Demo => demo::run(&desk).await,
            Command::Ingest(arguments) => ingest::run(&desk, arguments).await,
            Command::Batch { action } => batch::run(&desk, action).await,
            Command::Worker(arguments) => worker::run(&desk, &arguments).await,
            Command::Quote(arguments) => ingest::quote(&desk, arguments).await,
            Command::Spend(arguments) => spend::run(&desk, &arguments).await,
            Command::Search(arguments) => search::run(&desk, &arguments).await,
            Command::Show(arguments) => show::run(&desk, &arguments).await,
            Command::Review(arguments) => review::run(&desk, &arguments).await,
            Command::Approve(arguments) => decide::run(&desk, Ruling::Approve, &arguments).await,
            Command::Reject(arguments) => decide::run(&desk, Ruling::Reject, &arguments).await,
            Command::Add(arguments) => decide::run(&desk, Ruling::Add, &arguments).await,
            Command::Decisions { collection } => decisions::run(&desk, collection.as_deref()).await,
            Command::Calibrate(arguments) => calibrate::run(&desk, &arguments).await,
            Command::Relabel(arguments) => relabel::run(&desk, &arguments).await,
            Command::Restore(arguments) => restore::run(&desk, &arguments).await,
            Command::Compare(arguments) => compare::run(&desk, &arguments).await,
            Command::Promote { run } => promote::run(&desk, &run, Standing::Promoted).await,
            Command::Undo { run } => promote::run(&desk, &run, Standing::Undone).await,
            Command::Export(arguments) => export::run(&desk, &arguments).await,
            Command::Runs { run } => runs::run(&desk, run.as_deref()).await,
            Command::Models { action } => models::run(&desk, &action),
            Command::Url(arguments) => url::run(&desk, &arguments).await,
            Command::Aws { action } => aws::run(&desk, &action).await,
            Command::Infra { action } => infra::run(&desk, &action).await,
            Command::Tenant { action } => tenant::run(&desk, &action).await,
            Command::Key { action } => key::run(&desk, &action).await,
            Command::Audit(arguments) => audit::run(&desk, &arguments).await,
            Command::Serve(arguments) => serve::run(&desk, &arguments).await,
            Command::Reindex => reindex::run(&desk).await,
            Command::Doctor(arguments) => doctor::run(&desk, &arguments).await,
            Command::Evaluate(arguments) => evaluate::run(&desk, &arguments).await,
            Command::Completions { .. } => unreachable!("answered above, it needs no desk"),
        }
    });
    // A decoder past its limit of seconds may still run; the process need not wait for it.
    runtime.shutdown_background();
    result
}

/// How many steps of priority long work gives way to whatever people wait for, above all a server
/// beside it; alone on a machine it loses nothing by that.
const GIVES_WAY: i32 = 10;

/// Tells whether a command works through a collection while nobody waits for each answer.
fn works_on_many(command: &Command) -> bool {
    matches!(
        command,
        Command::Ingest(_) | Command::Relabel(_) | Command::Reindex | Command::Evaluate(_)
    )
}

/// Logs to stderr, and makes a panic one line instead of a stack.
fn begin_logging() {
    let filter = EnvFilter::try_from_env(env::LOG).unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .without_time()
        .init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("no message");
        tracing::error!(place, "a defect in glassplate: {message}");
    }));
}
