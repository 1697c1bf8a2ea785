//! The site: the ports that a server answers from, and its settings.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::catalogue::Catalogue;
use glassplate_pipeline::enrich::House;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::image::Limits;
use glassplate_pipeline::ports::{Clock, Interpreter, Lexicon, Vocabulary};
use glassplate_pipeline::record::Bar;
use glassplate_pipeline::store::Store;
use glassplate_pipeline::tenancy::Registry;
use serde::Deserialize;

use super::Door;
use super::answers::Answers;
use super::gate::Gate;
use crate::ask::Ask;
use crate::index::Index;
use crate::search::Answer;

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
    /// Who knows what a person means by a word.
    pub lexicon: Arc<dyn Lexicon>,
    /// Who takes uploads in; absent where nothing is taken in over HTTP.
    pub houses: Option<Arc<dyn Houses>>,
    /// Who tells the time.
    pub clock: Arc<dyn Clock>,
    /// Which labels are shown without being asked for.
    pub bar: Bar,
    /// What a picture may claim.
    pub limits: Limits,
    /// How it is served.
    pub served: Served,
    /// What keeps searches from taking the whole machine.
    pub gate: Gate,
    /// Answers that may be given again.
    pub answers: Answers,
}

impl Site {
    /// Answers a search off the runtime, a few at a time.
    ///
    /// # Errors
    /// As [`Index::search`]; `Busy` when too many wait already.
    pub async fn search(&self, tenant: &Tenant, ask: Ask) -> Result<Answer, Fault> {
        let (index, tenant) = (self.index.clone(), tenant.clone());
        self.gate.pass(move || index.search(&tenant, &ask)).await
    }
}

/// The role that opens the house which takes in what is uploaded.
#[async_trait]
pub trait Houses: Send + Sync {
    /// The folder in which an upload lies until it is taken in; the process's own.
    fn incoming(&self) -> &Path;

    /// The house of a tenant, its labellers those of the collection's policy. All houses
    /// share one [floor](glassplate_pipeline::floor::Floor).
    ///
    /// # Errors
    /// Why a labeller cannot be had.
    async fn open(&self, tenant: &Tenant, collection: &str) -> Result<Arc<House>, Fault>;
}

/// How a site is served.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Served {
    /// Address and port to listen on; port 0: any that is free.
    pub listen: String,
    /// The address under which clients reach it, without a slash at the end, as in
    /// `https://photos.example.org`; when absent, that of each request's `Host`.
    pub base: Option<String>,
    /// Connections held at once; further ones wait to be accepted.
    pub connections: usize,
    /// Requests of one tenant a minute; 0: as many as it likes. A tenant's own account beats it.
    pub requests_a_minute: u32,
    /// Uploads taken in at once; further ones are asked to come again.
    pub uploads: usize,
    /// Largest upload, in bytes.
    pub upload_bytes: u64,
    /// How long a client may take to send a request's head, in seconds; an idle connection is
    /// closed after as long.
    pub head_seconds: f64,
    /// How long a client may pause while it sends a body or reads an answer, in seconds.
    pub pause_seconds: f64,
    /// How long an upload may take in all, in seconds.
    pub upload_seconds: f64,
    /// How long a shutdown waits for requests in hand, in seconds.
    pub drain_seconds: f64,
}

impl Default for Served {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            base: None,
            connections: 1024,
            requests_a_minute: 0,
            uploads: 4,
            upload_bytes: 512 << 20,
            head_seconds: 15.0,
            pause_seconds: 20.0,
            upload_seconds: 900.0,
            drain_seconds: 20.0,
        }
    }
}

impl Served {
    /// Checks the settings.
    ///
    /// # Errors
    /// `BadInput`, naming the setting.
    pub fn validate(&self) -> Result<(), Fault> {
        let wrong = |what: String| Err(Fault::bad_input(format!("serve.{what}")));
        if let Some(base) = &self.base {
            let host = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://"));
            if host.is_none_or(|host| host.is_empty() || host.ends_with('/')) {
                return wrong(format!(
                    "base is {base:?}: http(s)://HOST, without a slash at its end"
                ));
            }
        }
        for (name, zero) in [
            ("connections", self.connections == 0),
            ("uploads", self.uploads == 0),
            ("upload_bytes", self.upload_bytes == 0),
        ] {
            if zero {
                return wrong(format!("{name} must be above zero"));
            }
        }
        for (name, seconds) in [
            ("head_seconds", self.head_seconds),
            ("pause_seconds", self.pause_seconds),
            ("upload_seconds", self.upload_seconds),
            ("drain_seconds", self.drain_seconds),
        ] {
            if !(seconds > 0.0 && seconds <= 86_400.0) {
                return wrong(format!("{name} is {seconds}: above 0, at most a day"));
            }
        }
        Ok(())
    }
}
