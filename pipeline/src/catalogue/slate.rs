//! The slate: small notes that the workers of one run share, and what they may spend together.
//!
//! A note is replaced only by whoever has seen its latest version, so that two that change it at
//! once cannot undo each other's word. It lies in the catalogue and not in the store, because a
//! budget must be charged in the same place that holds the purchases, and because not every store
//! can replace under a condition. Every backend runs the suite in `conformance`.

use async_trait::async_trait;

use crate::asset::Tenant;
use crate::fault::Fault;
use crate::purchase::Dollars;
use crate::run::RunId;

/// A note as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its name within the run: at most 200 bytes of printable ASCII.
    pub name: String,
    /// How often it was written, from 1.
    pub version: u64,
    /// What it says.
    pub body: String,
}

/// What the workers of one run share.
#[async_trait]
pub trait Slate: Send + Sync {
    /// Reads a note as it is now; nothing when there is none.
    async fn note(&self, tenant: &Tenant, run: &RunId, name: &str) -> Result<Option<Note>, Fault>;

    /// Lists a run's notes whose names begin with `prefix`, by name, after one, at most `limit`.
    async fn notes(
        &self,
        tenant: &Tenant,
        run: &RunId,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Note>, Fault>;

    /// Writes a note over the version `over`, 0 standing for none, durably before it answers;
    /// tells whether it did. Of many that write over the same version one does.
    ///
    /// Safe to run twice: the same words over the same version are answered as written.
    async fn write_note(
        &self,
        tenant: &Tenant,
        run: &RunId,
        name: &str,
        over: u64,
        body: &str,
    ) -> Result<bool, Fault>;

    /// Takes an amount from what a run may spend in all, atomically; tells whether there was
    /// enough of `budget` left. Nothing is ever put back here: whoever took what turned out to
    /// cost nothing keeps it for the next call. So an answer that was lost can only leave
    /// something unspent.
    async fn charge(
        &self,
        tenant: &Tenant,
        run: &RunId,
        amount: Dollars,
        budget: Dollars,
    ) -> Result<bool, Fault>;

    /// What was taken by [`Slate::charge`] so far.
    async fn charged(&self, tenant: &Tenant, run: &RunId) -> Result<Dollars, Fault>;
}
