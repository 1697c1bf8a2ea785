//! The site: the ports that a server answers from, and its settings.

use std::sync::Arc;

use glassplate_pipeline::catalogue::Catalogue;
use glassplate_pipeline::image::Limits;
use glassplate_pipeline::ports::{Clock, Interpreter, Vocabulary};
use glassplate_pipeline::record::Bar;
use glassplate_pipeline::store::Store;
use glassplate_pipeline::tenancy::Registry;

use super::Door;
use crate::index::Index;

/// What a server answers from.
pub struct Site {
    /// The search index; whoever makes the site keeps it following the catalogue.
    pub index: Arc<Index>,
    /// The ledger.
    pub catalogue: Arc<dyn Catalogue>,
    /// Where originals and renditions are.
    pub store: Arc<dyn Store>,
    /// Who has which key, and what each tenant may use.
    pub registry: Arc<dyn Registry>,
    /// What lets people in.
    pub door: Door,
    /// Who reads testimony into labels.
    pub interpreter: Arc<dyn Interpreter>,
    /// Who knows words.
    pub vocabulary: Arc<dyn Vocabulary>,
    /// Who tells the time.
    pub clock: Arc<dyn Clock>,
    /// Which labels are shown without being asked for.
    pub bar: Bar,
    /// What a picture may claim.
    pub limits: Limits,
    /// How it is served.
    pub served: Served,
}

/// How a site is served.
#[derive(Debug, Clone, Default)]
pub struct Served {
    /// The address under which clients reach it, without a slash at the end, as in
    /// `https://photos.example.org`; when absent, that of each request's `Host`.
    pub base: Option<String>,
}
