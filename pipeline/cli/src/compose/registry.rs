//! The registry: where the catalogue is.

use std::sync::Arc;

use glassplate_pipeline::fault::{Fault, FaultKind};
use glassplate_pipeline::tenancy::Registry;
use glassplate_pipeline::tenancy::dynamo::DynamoRegistry;
use glassplate_pipeline::tenancy::sqlite::SqliteRegistry;

use super::{Desk, make_folder};
use crate::settings::CatalogueSettings;

impl Desk {
    /// Opens the registry of tenants, keys and deeds; an embedded one is made where there is none.
    ///
    /// # Errors
    /// `Refused` when it is in a table that has no keys while the home has a file that has: nobody
    /// must find an open desk where a key was needed before.
    pub(crate) async fn registry(&self) -> Result<Arc<dyn Registry>, Fault> {
        let file = self.home.join("registry.sqlite");
        if self.settings.catalogue == CatalogueSettings::Sqlite {
            make_folder(&self.home)?;
            return Ok(Arc::new(SqliteRegistry::open(&file)?));
        }
        let settings = self.settings.registry.clone();
        let registry = DynamoRegistry::open(&self.aws().await?, settings).await?;
        if file.exists()
            && !registry.has_keys().await?
            && SqliteRegistry::open(&file)?.has_keys().await?
        {
            return Err(Fault::new(
                FaultKind::Refused,
                format!(
                    "{} has keys, and the registry is now in the table {}, which has none: move the \
                     file away, and make tenants and keys anew",
                    file.display(),
                    self.settings.registry.table
                ),
            ));
        }
        Ok(Arc::new(registry))
    }
}
