//! Composition: fills the pipeline's ports with the embedded parts, as the settings say.

mod batch;
mod registry;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use glassplate_models::interpret::{Calibration, Reader};
use glassplate_models::labeller::OnnxLabeller;
use glassplate_models::labeller::cascade::Cascade;
use glassplate_models::labeller::rekognition::{Rekognition, Stored};
use glassplate_models::session::{Device, Runtime};
use glassplate_models::shelf::{Progress, Shelf};
use glassplate_models::taxonomy::Objects;
use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::aws::Aws;
use glassplate_pipeline::catalogue::Catalogue;
use glassplate_pipeline::catalogue::dynamo::DynamoCatalogue;
use glassplate_pipeline::catalogue::sqlite::SqliteCatalogue;
use glassplate_pipeline::enrich::House;
use glassplate_pipeline::fault::{Fault, FaultKind};
use glassplate_pipeline::floor::Floor;
use glassplate_pipeline::objects;
use glassplate_pipeline::ports::{Clock, Interpreter, Labeller, Triage};
use glassplate_pipeline::purchase::Dollars;
use glassplate_pipeline::purse::{Always, Purse};
use glassplate_pipeline::store::Store;
use glassplate_pipeline::store::local::LocalStore;
use glassplate_pipeline::store::s3::S3Store;
use glassplate_pipeline::telemetry::Meter;
use glassplate_search::Index;
use tokio::sync::OnceCell;

use crate::arguments::Global;
use crate::env;
use crate::output::say;
use crate::settings::{CatalogueSettings, Policy, Settings, StoreSettings};

/// The name of the service among labellers.
const REKOGNITION: &str = "rekognition";

/// The card of ONNX Runtime.
pub(crate) const RUNTIME: &str = "onnxruntime";

/// The card of ONNX Runtime for NVIDIA's cards.
const GPU_RUNTIME: &str = "onnxruntime-gpu";

/// What every command works at: where things lie, whose they are, how to answer.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) home: PathBuf,
    pub(crate) tenant: Tenant,
    pub(crate) json: bool,
    pub(crate) settings: Settings,
    pub(crate) mirror: Option<PathBuf>,
    aws: Arc<OnceCell<Aws>>,
}

/// Who labels, and what that may cost.
pub(crate) struct Staff {
    pub(crate) labellers: Vec<Arc<dyn Labeller>>,
    /// Absent when nobody costs money.
    pub(crate) budget: Option<Dollars>,
    pub(crate) triage: Arc<dyn Triage>,
}

impl Staff {
    /// Nobody.
    pub(crate) fn none() -> Self {
        Self { labellers: Vec::new(), budget: None, triage: Arc::new(Always) }
    }
}

/// The clock on the wall.
pub(crate) struct SystemClock;

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
        let aws = Arc::default();
        Ok(Self { home, tenant: global.tenant, json: global.json, settings, mirror, aws })
    }

    /// The same desk for another tenant.
    pub(crate) fn of(&self, tenant: &Tenant) -> Self {
        Self { tenant: tenant.clone(), ..self.clone() }
    }

    /// The same desk with networks on another device, where one is given.
    pub(crate) fn on(&self, device: Option<Device>) -> Self {
        let mut desk = self.clone();
        if let Some(device) = device {
            desk.settings.models.device = device;
        }
        desk
    }

    /// The same desk with another home.
    pub(crate) fn at(&self, home: &Path) -> Self {
        Self { home: home.to_owned(), ..self.clone() }
    }

    /// Opens the catalogue; an embedded one is made where there is none.
    pub(crate) async fn catalogue(&self) -> Result<Arc<dyn Catalogue>, Fault> {
        make_folder(&self.home)?;
        match &self.settings.catalogue {
            CatalogueSettings::Sqlite => {
                Ok(Arc::new(SqliteCatalogue::open(&self.catalogue_file())?))
            }
            CatalogueSettings::Dynamodb(settings) => {
                let aws = self.aws().await?;
                Ok(Arc::new(DynamoCatalogue::open(&aws, settings.clone()).await?))
            }
        }
    }

    /// Tells whether there is a catalogue, so that a rehearsal need not make one.
    pub(crate) fn has_catalogue(&self) -> bool {
        match self.settings.catalogue {
            CatalogueSettings::Sqlite => self.catalogue_file().exists(),
            CatalogueSettings::Dynamodb(_) => true,
        }
    }

    /// The way to AWS: the region and whoever asks, as the settings and then the environment say.
    ///
    /// # Errors
    /// `BadInput` when no region is set.
    pub(crate) async fn aws(&self) -> Result<Aws, Fault> {
        let made = self.aws.get_or_try_init(|| env::aws(&self.settings.aws)).await?;
        Ok(made.clone())
    }

    /// Opens the catalogue for reading what is there.
    ///
    /// # Errors
    /// `NotFound` with what to do when nothing was ever ingested here.
    pub(crate) async fn existing_catalogue(&self) -> Result<Arc<dyn Catalogue>, Fault> {
        if !self.has_catalogue() {
            return Err(Fault::not_found(format!(
                "nothing was ingested into {} yet: begin with `glassplate ingest PATH --collection NAME`",
                self.home.display()
            )));
        }
        self.catalogue().await
    }

    /// Everything that glassplate itself keeps in the home.
    pub(crate) fn own_places(&self) -> Vec<PathBuf> {
        let files = ["catalogue.sqlite", "registry.sqlite"]
            .into_iter()
            .flat_map(|file| ["", "-wal", "-shm"].map(|end| format!("{file}{end}")));
        let folders = ["store", "index", "incoming"].into_iter().map(str::to_owned);
        files.chain(folders).map(|name| self.home.join(name)).collect()
    }

    pub(crate) fn catalogue_file(&self) -> PathBuf {
        self.home.join("catalogue.sqlite")
    }

    /// Opens the store.
    pub(crate) async fn store(&self) -> Result<Arc<dyn Store>, Fault> {
        match &self.settings.store {
            StoreSettings::Files => Ok(Arc::new(LocalStore::open(&self.home.join("store"))?)),
            StoreSettings::S3(settings) => {
                Ok(Arc::new(S3Store::open(&self.aws().await?, settings.clone())?))
            }
        }
    }

    /// Who reads sources in S3.
    pub(crate) async fn objects(&self) -> Result<objects::Objects, Fault> {
        Ok(objects::Objects::open(&self.aws().await?, std::env::temp_dir()))
    }

    pub(crate) fn index(&self) -> Result<Index, Fault> {
        let bar = self.settings.labels;
        Index::open(&self.home.join("index"), Objects::load(), self.interpreter()?, bar)
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
    pub(crate) async fn house(&self, staff: Staff) -> Result<House, Fault> {
        let ingest = &self.settings.ingest;
        let Staff { labellers, budget, triage } = staff;
        let purse = Purse::new(budget.unwrap_or_default(), triage);
        let mut purse = purse.patient(self.settings.longest_call());
        if budget.is_some() {
            purse = purse.within(self.registry().await?, &self.tenant);
        }
        Ok(House {
            tenant: self.tenant.clone(),
            catalogue: self.catalogue().await?,
            store: self.store().await?,
            objects: None,
            labellers,
            purse,
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

    /// Gathers who labels a collection, as its policy says, fetching what is missing.
    ///
    /// # Errors
    /// `BadInput` when a service costs money and no budget is set; as [`Self::labellers`].
    pub(crate) async fn staff(
        &self,
        collection: &str,
        budget: Option<Dollars>,
    ) -> Result<Staff, Fault> {
        let policy = self.settings.labelling.of(collection);
        let labellers = match policy {
            Policy::Rekognition => Vec::new(),
            Policy::Local | Policy::LocalFirst => self.labellers()?,
        };
        self.allowed(self.joined(policy, labellers).await?, budget)
    }

    /// Gathers who would label a collection, as far as models are here, fetching nothing.
    ///
    /// # Errors
    /// What the way to a service says.
    pub(crate) async fn staff_at_hand(&self, collection: &str) -> Result<Staff, Fault> {
        let policy = self.settings.labelling.of(collection);
        let labellers = match policy {
            Policy::Rekognition => Vec::new(),
            Policy::Local | Policy::LocalFirst => match self.labellers_at_hand() {
                Err(fault) if fault.kind() == FaultKind::NotFound => {
                    say("models are not here yet: the ingest fetches them first");
                    Vec::new()
                }
                labellers => labellers?,
            },
        };
        self.joined(policy, labellers).await
    }

    /// Gathers labellers by name: cards, and `rekognition`.
    ///
    /// # Errors
    /// As [`Self::staff`], and `NotFound` for an unknown name.
    pub(crate) async fn staff_named(
        &self,
        names: &[String],
        budget: Option<Dollars>,
    ) -> Result<Staff, Fault> {
        let (services, cards): (Vec<String>, Vec<String>) =
            names.iter().cloned().partition(|name| name == REKOGNITION);
        let mut staff = Staff::none();
        if !cards.is_empty() {
            staff.labellers = self.labellers_named(&cards)?;
        }
        if !services.is_empty() {
            staff.labellers.extend(self.rekognition().await?);
        }
        self.allowed(staff, budget)
    }

    /// Adds the service to the labellers here, where the policy wants it.
    async fn joined(
        &self,
        policy: Policy,
        labellers: Vec<Arc<dyn Labeller>>,
    ) -> Result<Staff, Fault> {
        let mut staff = Staff { labellers, ..Staff::none() };
        if policy == Policy::LocalFirst {
            let settings = self.settings.cascade.clone();
            staff.triage = Arc::new(Cascade::new(settings, self.interpreter()?));
        }
        if policy != Policy::Local {
            staff.labellers.extend(self.rekognition().await?);
        }
        Ok(staff)
    }

    /// Sees that what costs money has a budget.
    fn allowed(&self, mut staff: Staff, budget: Option<Dollars>) -> Result<Staff, Fault> {
        let paid = staff.labellers.iter().find(|labeller| labeller.price().is_some());
        if let Some(paid) = paid {
            staff.budget = budget.or(self.settings.paid.budget);
            if staff.budget.is_none() {
                return Err(Fault::bad_input(format!(
                    "{} costs money: say with --budget DOLLARS, or paid.budget in the config, what \
                     the run may spend (`glassplate quote` tells what it would)",
                    paid.step()
                )));
            }
        }
        Ok(staff)
    }

    async fn rekognition(&self) -> Result<Vec<Arc<dyn Labeller>>, Fault> {
        let stored = match &self.settings.store {
            StoreSettings::S3(s3) => {
                let prefix = match s3.prefix.as_str() {
                    "" => String::new(),
                    prefix => format!("{prefix}/"),
                };
                Some(Stored { bucket: s3.bucket.clone(), prefix })
            }
            StoreSettings::Files => None,
        };
        Rekognition::open(&self.aws().await?, &self.settings.rekognition, stored)
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
        let runtime = self.runtime(shelf)?;
        let (objects, sessions) = (Objects::load(), self.lanes());
        let mut labellers: Vec<Arc<dyn Labeller>> = Vec::new();
        for name in names {
            let labeller = OnnxLabeller::open(shelf, &runtime, &objects, name, sessions)?;
            labellers.push(Arc::new(labeller));
        }
        Ok(labellers)
    }
}

impl Desk {
    /// Loads the runtime for the device that the settings name; on the processor where that cannot
    /// be had, which is said.
    pub(crate) fn runtime(&self, shelf: &Shelf) -> Result<Runtime, Fault> {
        let device = self.settings.models.device;
        if device == Device::Cpu {
            return Runtime::load(&shelf.path(RUNTIME)?);
        }
        let loaded = pull(shelf, &[GPU_RUNTIME])
            .and_then(|()| shelf.path(GPU_RUNTIME))
            .and_then(|path| Runtime::load_for(&path, device));
        loaded.or_else(|fault| {
            say(format!("networks run on the processor, not on {device}: {}", fault.reason()));
            Runtime::load(&shelf.path(RUNTIME)?)
        })
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
