//! Composition: fills the pipeline's ports with the embedded parts, as the settings say.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use glassplate_models::interpret::{Calibration, Reader};
use glassplate_models::labeller::OnnxLabeller;
use glassplate_models::session::Runtime;
use glassplate_models::shelf::{Progress, Shelf};
use glassplate_models::taxonomy::Objects;
use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::catalogue::sqlite::SqliteCatalogue;
use glassplate_pipeline::enrich::House;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::floor::Floor;
use glassplate_pipeline::ports::{Clock, Interpreter, Labeller};
use glassplate_pipeline::purse::Purse;
use glassplate_pipeline::store::local::LocalStore;
use glassplate_pipeline::telemetry::Meter;
use glassplate_search::Index;

use crate::arguments::Global;
use crate::env;
use crate::output::say;
use crate::settings::Settings;

/// The card of ONNX Runtime.
pub(crate) const RUNTIME: &str = "onnxruntime";

/// What every command works at: where things lie, whose they are, how to answer.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) home: PathBuf,
    pub(crate) tenant: Tenant,
    pub(crate) json: bool,
    pub(crate) settings: Settings,
    pub(crate) mirror: Option<PathBuf>,
}

/// The clock on the wall.
struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}

impl Desk {
    /// Reads the settings; makes nothing yet.
    ///
    /// # Errors
    /// `NotFound` when no home can be found out, and what [`Settings::read`] says.
    pub(crate) fn new(global: Global, home: Option<PathBuf>) -> Result<Self, Fault> {
        let home = global.home.or(home).or_else(env::default_home).ok_or_else(|| {
            Fault::not_found("there is no HOME to keep a home in: give --home DIR")
        })?;
        let settings = Settings::read(global.config.as_deref(), &home)?;
        let mirror = global.mirror.or_else(|| settings.models.mirror.clone());
        Ok(Self { home, tenant: global.tenant, json: global.json, settings, mirror })
    }

    /// The same desk with another home.
    pub(crate) fn at(&self, home: &Path) -> Self {
        Self { home: home.to_owned(), ..self.clone() }
    }

    /// Opens the catalogue of a home that exists, or makes both.
    pub(crate) fn catalogue(&self) -> Result<SqliteCatalogue, Fault> {
        make_folder(&self.home)?;
        SqliteCatalogue::open(&self.catalogue_file())
    }

    /// Opens the catalogue for reading what is there.
    ///
    /// # Errors
    /// `NotFound` with what to do when nothing was ever ingested here.
    pub(crate) fn existing_catalogue(&self) -> Result<SqliteCatalogue, Fault> {
        if !self.catalogue_file().exists() {
            return Err(Fault::not_found(format!(
                "nothing was ingested into {} yet: begin with `glassplate ingest PATH --collection NAME`",
                self.home.display()
            )));
        }
        self.catalogue()
    }

    /// Everything that glassplate itself keeps in the home.
    pub(crate) fn own_places(&self) -> Vec<PathBuf> {
        ["catalogue.sqlite", "catalogue.sqlite-wal", "catalogue.sqlite-shm", "store", "index"]
            .map(|name| self.home.join(name))
            .into()
    }

    pub(crate) fn catalogue_file(&self) -> PathBuf {
        self.home.join("catalogue.sqlite")
    }

    pub(crate) fn store(&self) -> Result<LocalStore, Fault> {
        LocalStore::open(&self.home.join("store"))
    }

    pub(crate) fn index(&self) -> Result<Index, Fault> {
        Index::open(&self.home.join("index"), Objects::load(), self.interpreter()?)
            .map(|index| index.showing(self.settings.labels))
    }

    /// The interpreter by which every record is read, calibrated as this home has it.
    ///
    /// # Errors
    /// `BadInput` when the home's calibration cannot be read.
    pub(crate) fn interpreter(&self) -> Result<Arc<dyn Interpreter>, Fault> {
        let file = self.calibration_file();
        let calibration = match std::fs::read_to_string(&file) {
            Ok(text) => Calibration::parse(&text).map_err(|e| {
                Fault::bad_input(format!("in the calibration {}", file.display())).because(e)
            })?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Calibration::default(),
            Err(e) => {
                let what = format!("cannot read the calibration {}", file.display());
                return Err(Fault::broken(what).because(e));
            }
        };
        Ok(Arc::new(Reader::load(Objects::load(), calibration)))
    }

    /// Where the home keeps what `calibrate` fitted.
    pub(crate) fn calibration_file(&self) -> PathBuf {
        self.home.join("calibration.toml")
    }

    /// The shelf of models: one for all homes of a user.
    pub(crate) fn shelf(&self) -> Result<Shelf, Fault> {
        let cache = env::cache().ok_or_else(|| {
            Fault::not_found(format!("there is no HOME to keep models in: set {}", env::CACHE))
        })?;
        let mut shelf = Shelf::open(cache.join("models"), self.mirror.clone())?;
        if let Some(folder) = &self.settings.models.cards {
            shelf.add_folder(folder)?;
        }
        Ok(shelf)
    }

    /// Opens the house with its labellers.
    pub(crate) fn house(&self, labellers: Vec<Arc<dyn Labeller>>) -> Result<House, Fault> {
        let ingest = &self.settings.ingest;
        Ok(House {
            tenant: self.tenant.clone(),
            catalogue: Arc::new(self.catalogue()?),
            store: Arc::new(self.store()?),
            labellers,
            purse: Purse::empty(),
            clock: Arc::new(SystemClock),
            recipe: self.settings.renditions.clone(),
            limits: self.settings.limits.clone(),
            meter: Meter::default(),
            floor: Floor::new(ingest.file_memory_bytes, ingest.pixel_memory_bytes),
        })
    }

    /// How many pictures are worked on at once.
    pub(crate) fn lanes(&self) -> usize {
        match self.settings.ingest.lanes {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            lanes => lanes,
        }
    }

    /// Opens the labellers that the settings name, fetching what is missing.
    ///
    /// # Errors
    /// Why a model cannot be had or run, with what to do.
    pub(crate) fn labellers(&self) -> Result<Vec<Arc<dyn Labeller>>, Fault> {
        let shelf = self.shelf()?;
        shelf.make_ready(&mut tell)?;
        let named = &self.settings.models.labellers;
        if !named.is_empty() {
            pull(&shelf, &named.iter().map(String::as_str).collect::<Vec<_>>())?;
        }
        self.open_labellers(&shelf)
    }

    /// Opens the labellers of these cards, fetching what is missing.
    ///
    /// # Errors
    /// `NotFound` for an unknown card, and why a model cannot be had or run.
    pub(crate) fn labellers_named(
        &self,
        names: &[String],
    ) -> Result<Vec<Arc<dyn Labeller>>, Fault> {
        let shelf = self.shelf()?;
        let mut wanted: Vec<&str> = Vec::new();
        for name in names.iter().map(String::as_str) {
            shelf.card(name)?;
            if !wanted.contains(&name) {
                wanted.push(name);
            }
        }
        pull(&shelf, &[&wanted[..], &[RUNTIME]].concat())?;
        self.open_cards(&shelf, &wanted)
    }

    /// Opens the labellers that the settings name as far as they are here, fetching nothing.
    ///
    /// # Errors
    /// `NotFound` when a model is not here.
    pub(crate) fn labellers_at_hand(&self) -> Result<Vec<Arc<dyn Labeller>>, Fault> {
        self.open_labellers(&self.shelf()?)
    }

    /// Opens the labellers that measuring asks, fetching what is missing: those named here, else
    /// those that the settings name, else those that an ingest asks and what may only be
    /// measured, as far as it can be had.
    ///
    /// # Errors
    /// As [`Self::labellers`].
    pub(crate) fn labellers_for_measuring(
        &self,
        named: &[String],
    ) -> Result<Vec<Arc<dyn Labeller>>, Fault> {
        let shelf = self.shelf()?;
        shelf.make_ready(&mut tell)?;
        let named = if named.is_empty() { &self.settings.models.labellers } else { named };
        let mut names: Vec<String> = named.to_vec();
        if names.is_empty() {
            let measuring_only = shelf.at_hand_for_measuring();
            if !measuring_only.is_empty() {
                say(format!("for measuring only: {}", measuring_only.join(", ")));
            }
            names.extend(shelf.chosen().into_iter().map(|card| card.name.clone()));
            names.extend(measuring_only);
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        pull(&shelf, &names)?;
        self.open_cards(&shelf, &names)
    }

    fn open_labellers(&self, shelf: &Shelf) -> Result<Vec<Arc<dyn Labeller>>, Fault> {
        let named = &self.settings.models.labellers;
        let mut names: Vec<&str> = named.iter().map(String::as_str).collect();
        if names.is_empty() {
            names = shelf.chosen().into_iter().map(|card| card.name.as_str()).collect();
        }
        self.open_cards(shelf, &names)
    }

    fn open_cards(&self, shelf: &Shelf, names: &[&str]) -> Result<Vec<Arc<dyn Labeller>>, Fault> {
        let runtime = Runtime::load(&shelf.path(RUNTIME)?)?;
        let (objects, sessions) = (Objects::load(), self.lanes());
        let mut labellers: Vec<Arc<dyn Labeller>> = Vec::new();
        for name in names {
            let labeller = OnnxLabeller::open(shelf, &runtime, &objects, name, sessions)?;
            labellers.push(Arc::new(labeller));
        }
        Ok(labellers)
    }
}

/// Brings models onto the shelf and says what it does.
///
/// # Errors
/// Why a model cannot be had.
pub(crate) fn pull(shelf: &Shelf, names: &[&str]) -> Result<(), Fault> {
    shelf.pull(names, &mut tell)
}

/// Tells a person what a pull is doing.
pub(crate) fn tell(progress: Progress<'_>) {
    say(progress);
}

pub(crate) fn make_folder(folder: &Path) -> Result<(), Fault> {
    std::fs::create_dir_all(folder).map_err(|e| {
        Fault::broken(format!("cannot make the folder {}", folder.display())).because(e)
    })
}
