//! The `glassplate` command: composes pipeline, models and search, and talks to people.

mod arguments;
mod command;
mod compose;
mod env;
mod exit;
mod memory;
mod output;
mod settings;
mod workshop;

fn main() -> std::process::ExitCode {
    command::run()
}
