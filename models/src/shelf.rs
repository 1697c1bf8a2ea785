//! The shelf: the cache folder that models lie in, and how they get there.
//!
//! A file is looked for on the shelf itself, in the mirror folder, then at the sources on
//! its card. Nothing gets its name on the shelf before its SHA-256 was checked, so a run
//! that is killed, or two that pull at once, leave only whole files. What is there is
//! recognised by a stamp (hash, length, time of change) without reading it again;
//! [`Shelf::verify`] reads everything.

mod pull;
mod stamp;

use std::fs;
use std::io;
use std::path::PathBuf;

use glassplate_pipeline::fault::{Fault, FaultKind};

pub use self::pull::Progress;
use self::stamp::{stamp_of, state_of};
use crate::archive::cannot_write;
use crate::card::{Card, FileCard, Source, Task};
use crate::python::Python;

/// The folder where models lie, the cards that are known, and the ways to fetch them.
#[derive(Debug)]
pub struct Shelf {
    folder: PathBuf,
    mirror: Option<PathBuf>,
    /// The folders of cards that were added; files lie beside their cards as in the mirror.
    card_folders: Vec<PathBuf>,
    python: Python,
    cards: Vec<Card>,
}

/// What the shelf knows of one card.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// The card.
    pub card: Card,
    /// Whether its files can be used.
    pub state: State,
    /// Their length together, in bytes.
    pub bytes: u64,
    /// Where they come from, in the order tried.
    pub source: String,
}

/// Whether a file, or all files of a card, can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Here and as on the card.
    Present,
    /// Not here.
    Missing,
    /// Here, but not as on the card.
    Damaged,
}

/// How many networks of a task are asked together.
const ASKED_TOGETHER: [(Task, usize); 3] =
    [(Task::Classify, 1), (Task::Scene, 1), (Task::Detect, 2)];

impl Shelf {
    /// Opens the shelf in `folder`, which a pull makes if it is missing.
    ///
    /// `mirror` is a folder that holds files as `<card>/<file>` or `<file>`.
    ///
    /// # Errors
    /// `NotFound` for a mirror that is not a folder.
    pub fn open(folder: impl Into<PathBuf>, mirror: Option<PathBuf>) -> Result<Self, Fault> {
        if let Some(mirror) = mirror.as_ref().filter(|mirror| !mirror.is_dir()) {
            return Err(Fault::not_found(format!("the mirror {} is no folder", mirror.display())));
        }
        let folder = folder.into();
        let python = Python::new("python3".into(), folder.join("venv"));
        Ok(Self { folder, mirror, card_folders: Vec::new(), python, cards: Card::built_in() })
    }

    /// Adds every card of a folder (`*.toml`); one that has the name of a known one replaces it.
    ///
    /// The folder serves as a mirror too, before the other: a file may lie beside its card, as
    /// `<card>/<file>` or `<file>`, and then needs no source.
    ///
    /// # Errors
    /// As [`Card::read_folder`]; then nothing is added.
    pub fn add_folder(&mut self, folder: impl Into<PathBuf>) -> Result<(), Fault> {
        let folder = folder.into();
        for card in Card::read_folder(&folder)? {
            self.add(card);
        }
        self.card_folders.push(folder);
        Ok(())
    }

    /// Adds a card; one of the same name is replaced.
    pub fn add(&mut self, card: Card) {
        self.cards.retain(|known| known.name != card.name);
        self.cards.push(card);
    }

    /// Returns the card of this name.
    ///
    /// # Errors
    /// `NotFound` that lists the known names.
    pub fn card(&self, name: &str) -> Result<&Card, Fault> {
        self.cards.iter().find(|card| card.name == name).ok_or_else(|| {
            let names: Vec<_> = self.cards.iter().map(|card| card.name.as_str()).collect();
            Fault::not_found(format!("no model is named {name:?}; known: {}", names.join(", ")))
        })
    }

    /// Returns the best card of a task whose files are here; never one for measuring only.
    pub fn best(&self, task: Task) -> Option<&Card> {
        self.best_that(task, |_| true)
    }

    /// Returns the best card of a task that fits and whose files are here; never one for measuring only.
    pub fn best_that(&self, task: Task, fits: impl Fn(&Card) -> bool) -> Option<&Card> {
        let here = |card: &&Card| fits(card) && self.state(card) == State::Present;
        self.ranked(task).into_iter().find(here)
    }

    /// Returns the best card of a task that fits, whether or not its files are here yet; never one
    /// for measuring only.
    pub fn preferred(&self, task: Task, fits: impl Fn(&Card) -> bool) -> Option<&Card> {
        self.ranked(task).into_iter().find(|card| fits(card))
    }

    /// Returns the cards that are asked unless others are named, as far as they are here: the
    /// best of each task, and of detectors the best two, since their answers are merged.
    pub fn chosen(&self) -> Vec<&Card> {
        let of_task = |(task, most)| self.all_here(task).into_iter().take(most);
        ASKED_TOGETHER.into_iter().flat_map(of_task).collect()
    }

    /// Returns every card of a task that may be taken without being named and is here, the best first.
    fn all_here(&self, task: Task) -> Vec<&Card> {
        let mut cards = self.ranked(task);
        cards.retain(|card| self.state(card) == State::Present);
        cards
    }

    /// Names the networks for measuring only that are here or that a mirror folder has.
    pub fn at_hand_for_measuring(&self) -> Vec<String> {
        let at_hand = |card: &&Card| {
            card.measuring_only
                && card.output.is_some()
                && (self.state(card) == State::Present || self.mirror_has(card))
        };
        self.cards.iter().filter(at_hand).map(|card| card.name.clone()).collect()
    }

    /// Says of every card whether it is here; reads no file that carries a true stamp.
    pub fn list(&self) -> Vec<Status> {
        self.cards.iter().map(|card| self.status(card)).collect()
    }

    /// Reads and hashes every file that is here, and says the same as [`Self::list`].
    ///
    /// # Errors
    /// `Broken` when a stamp cannot be removed.
    pub fn verify(&self) -> Result<Vec<Status>, Fault> {
        for card in &self.cards {
            for file in card.products() {
                let stamp = stamp_of(&self.place(card, file));
                match fs::remove_file(&stamp) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(cannot_write(&stamp, error));
                    }
                    _ => {}
                }
            }
        }
        Ok(self.list())
    }

    /// Returns where a card's file is; with several files, where the first is.
    ///
    /// # Errors
    /// `NotFound` when it is not here, `Conflict` when it is damaged; both say what to do.
    pub fn path(&self, name: &str) -> Result<PathBuf, Fault> {
        let card = self.card(name)?;
        let pull = format!("run `glassplate models pull {name}`");
        match self.state(card) {
            State::Present => {
                let file = card.products()[0];
                Ok(self.place(card, file))
            }
            State::Missing => Err(Fault::not_found(format!("{name} is not here: {pull}"))),
            State::Damaged => {
                Err(Fault::new(FaultKind::Conflict, format!("{name} is damaged: {pull}")))
            }
        }
    }

    /// Returns the files of a card that is here, each with its place.
    ///
    /// # Errors
    /// As [`Self::path`].
    pub fn files(&self, name: &str) -> Result<Vec<(&FileCard, PathBuf)>, Fault> {
        self.path(name)?;
        let card = self.card(name)?;
        Ok(card.products().into_iter().map(|file| (file, self.place(card, file))).collect())
    }

    /// The cards of a task that may be taken without being named, the best first.
    fn ranked(&self, task: Task) -> Vec<&Card> {
        let may = |card: &&Card| card.task == task && card.rank.is_some() && !card.measuring_only;
        let mut cards: Vec<_> = self.cards.iter().filter(may).collect();
        cards.sort_by_key(|card| card.rank);
        cards
    }

    fn place(&self, card: &Card, file: &FileCard) -> PathBuf {
        self.folder.join(&card.name).join(&file.name)
    }

    fn status(&self, card: &Card) -> Status {
        let sources = card.files.iter().filter(|file| file.is_for_this_machine());
        let mut source: Vec<_> = sources.flat_map(|f| f.sources.iter().map(Source::text)).collect();
        source.dedup();
        if source.is_empty() {
            source.push("mirror folder".to_owned());
        }
        Status {
            card: card.clone(),
            state: self.state(card),
            bytes: card.products().iter().map(|file| file.bytes).sum(),
            source: source.join(", "),
        }
    }

    fn state(&self, card: &Card) -> State {
        let states: Vec<_> =
            card.products().iter().map(|file| state_of(&self.place(card, file), file)).collect();
        if states.contains(&State::Damaged) {
            State::Damaged
        } else if states.is_empty() || states.contains(&State::Missing) {
            State::Missing
        } else {
            State::Present
        }
    }
}

#[cfg(test)]
mod tests;
