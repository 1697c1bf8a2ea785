//! Pulls models onto a shelf: `cargo run -p glassplate-models --example pull -- MODELS [MIRROR|-] [NAME...]`.

#![allow(clippy::print_stdout, reason = "a program of its own")]

use std::path::{Path, PathBuf};

use glassplate_models::shelf::Shelf;
use glassplate_pipeline::fault::Fault;

fn main() -> Result<(), Fault> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mirror = arguments.get(1).filter(|mirror| *mirror != "-").map(PathBuf::from);
    let folder = arguments.first().ok_or_else(|| Fault::bad_input("give MODELS"))?;
    let shelf = Shelf::open(Path::new(folder), mirror)?;
    let names: Vec<_> = arguments.iter().skip(2).map(String::as_str).collect();
    shelf.pull(&names, &mut |progress| println!("{progress}"))?;
    for status in shelf.list() {
        println!("{:20} {:?} {} {}", status.card.name, status.state, status.bytes, status.source);
    }
    Ok(())
}
