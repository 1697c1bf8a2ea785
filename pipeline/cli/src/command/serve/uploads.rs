//! Who takes uploads in: a house for each tenant, all on one floor.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::catalogue::Catalogue;
use glassplate_pipeline::enrich::House;
use glassplate_pipeline::fault::{Fault, FaultKind};
use glassplate_pipeline::floor::Floor;
use glassplate_pipeline::ports::Labeller;
use glassplate_pipeline::purchase::Dollars;
use glassplate_pipeline::purse::{Always, Purse};
use glassplate_pipeline::store::Store;
use glassplate_pipeline::telemetry::Meter;
use glassplate_search::http::Houses;
use tokio::sync::OnceCell;

use crate::compose::{Desk, SystemClock, make_folder};
use crate::output::say;
use crate::settings::Policy;

/// How old a leftover of a server that died must be before it is swept: no upload takes a day.
const LEFTOVER_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Opens houses that share catalogue, store, labellers and floor.
pub(super) struct Uploads {
    desk: Desk,
    catalogue: Arc<dyn Catalogue>,
    store: Arc<dyn Store>,
    floor: Floor,
    incoming: PathBuf,
    /// Networks take memory and seconds to open, so the first upload does it.
    labellers: OnceCell<Vec<Arc<dyn Labeller>>>,
}

impl Uploads {
    /// Makes the folder for uploads on their way, and sweeps what was left there.
    ///
    /// # Errors
    /// `Broken` when the folder cannot be made.
    pub(super) fn open(
        desk: &Desk,
        catalogue: Arc<dyn Catalogue>,
        store: Arc<dyn Store>,
    ) -> Result<Self, Fault> {
        let incoming = desk.home.join("incoming");
        make_folder(&incoming)?;
        sweep(&incoming);
        let ingest = &desk.settings.ingest;
        let floor = Floor::new(ingest.file_memory_bytes, ingest.pixel_memory_bytes);
        let labellers = OnceCell::new();
        Ok(Self { desk: desk.clone(), catalogue, store, floor, incoming, labellers })
    }

    /// The networks that are here; a server fetches none.
    async fn labellers(&self) -> Result<Vec<Arc<dyn Labeller>>, Fault> {
        let open = || async {
            let desk = self.desk.clone();
            let opened = tokio::task::spawn_blocking(move || desk.labellers_at_hand())
                .await
                .map_err(|e| Fault::broken("the models cannot be opened").because(e))?;
            match opened {
                Err(fault) if fault.kind() == FaultKind::NotFound => {
                    say("uploads get no labels, for models are missing: `glassplate models pull`");
                    Ok(Vec::new())
                }
                opened => opened,
            }
        };
        self.labellers.get_or_try_init(open).await.cloned()
    }
}

#[async_trait]
impl Houses for Uploads {
    fn incoming(&self) -> &Path {
        &self.incoming
    }

    /// What costs money is not asked by uploads: nobody said what they may spend. A later ingest
    /// or relabel with a budget does.
    async fn open(&self, tenant: &Tenant, collection: &str) -> Result<Arc<House>, Fault> {
        let settings = &self.desk.settings;
        let labellers = match settings.labelling.of(collection) {
            Policy::Rekognition => Vec::new(),
            Policy::Local | Policy::LocalFirst => self.labellers().await?,
        };
        Ok(Arc::new(House {
            tenant: tenant.clone(),
            store: self.store.clone(),
            objects: None,
            catalogue: self.catalogue.clone(),
            labellers,
            purse: Purse::new(Dollars::ZERO, Arc::new(Always)),
            clock: Arc::new(SystemClock),
            recipe: settings.renditions.clone(),
            limits: settings.limits.clone(),
            meter: Meter::default(),
            floor: self.floor.clone(),
        }))
    }
}

/// Removes what servers that died left behind; a leftover that resists is only clutter.
fn sweep(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let now = SystemTime::now();
    for entry in entries.flatten() {
        let modified = entry.metadata().and_then(|meta| meta.modified());
        let age = modified.ok().and_then(|at| now.duration_since(at).ok());
        if age.is_some_and(|age| age > LEFTOVER_AGE) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
