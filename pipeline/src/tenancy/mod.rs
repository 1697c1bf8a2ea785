//! Tenancy: who may do what, in whose archive, how much of it, and what they did.
//!
//! A [`Lease`] opens an archive to a tenant and bounds it; an [`AccessKey`] lets somebody in under
//! a [`Role`]; a [`Deed`] is a line of the audit log. The port is [`Registry`]; every backend
//! runs the suite in `conformance`.

mod access_key;
#[cfg(test)]
mod conformance;
mod deed;
pub mod dynamo;
mod lease;
mod role;
pub mod sqlite;

use async_trait::async_trait;
use jiff::Timestamp;

pub use access_key::{AccessKey, KeyId, KeyState, Secret};
pub use deed::{Deed, DeedId, DeedOutcome, Verb};
pub use lease::{Lease, Quota, Usage};
pub use role::Role;

use crate::asset::Tenant;
use crate::fault::{Fault, FaultKind};

/// The most that one listing returns, whatever its `limit`.
pub const MOST_LISTED: usize = 10_000;

/// The leases, the keys, what was used, and the audit log.
///
/// Whatever a method writes is durable before it answers.
#[async_trait]
pub trait Registry: Send + Sync {
    /// Opens an archive to a tenant.
    ///
    /// # Errors
    /// `Conflict` when the tenant has a lease, `BadInput` for a quota that is out of range.
    async fn open_lease(&self, lease: &Lease) -> Result<(), Fault>;

    /// Reads a tenant's lease; nothing when there is none.
    async fn lease(&self, tenant: &Tenant) -> Result<Option<Lease>, Fault>;

    /// Lists leases by tenant, after one, at most `limit`.
    async fn leases(&self, after: Option<&Tenant>, limit: usize) -> Result<Vec<Lease>, Fault>;

    /// Replaces a tenant's quota; what was used already stays used.
    ///
    /// # Errors
    /// `NotFound` when the tenant has no lease, `BadInput` for a quota that is out of range.
    async fn set_quota(&self, tenant: &Tenant, quota: &Quota) -> Result<(), Fault>;

    /// Tells what a tenant used so far; nothing of one that never was charged.
    async fn usage(&self, tenant: &Tenant) -> Result<Usage, Fault>;

    /// Adds to what a tenant used, all of it or nothing, and tells the new sum.
    ///
    /// Of charges at once, from however many processes, as many succeed as the quota has room for. A
    /// tenant without a lease has no quota. Not safe to run twice: it would charge twice.
    ///
    /// # Errors
    /// `Refused`, naming the quota, when the sum would pass it; then nothing was charged.
    async fn charge(&self, tenant: &Tenant, more: &Usage) -> Result<Usage, Fault>;

    /// Takes a charge back whose work was not done; never below nothing.
    async fn give_back(&self, tenant: &Tenant, less: &Usage) -> Result<(), Fault>;

    /// Keeps a key.
    ///
    /// # Errors
    /// `NotFound` when its tenant has no lease, `Conflict` when there is a key of this id.
    async fn add_key(&self, key: &AccessKey) -> Result<(), Fault>;

    /// Reads a key, of whichever tenant; nothing when there is none.
    async fn key(&self, id: &KeyId) -> Result<Option<AccessKey>, Fault>;

    /// Lists a tenant's keys by id, after one, at most `limit`; revoked and expired ones too.
    async fn keys(
        &self,
        tenant: &Tenant,
        after: Option<&KeyId>,
        limit: usize,
    ) -> Result<Vec<AccessKey>, Fault>;

    /// Revokes a key for ever; the first time holds.
    ///
    /// # Errors
    /// `NotFound` when the tenant has no key of this id, alike whether another tenant has.
    async fn revoke_key(&self, tenant: &Tenant, id: &KeyId, at: Timestamp) -> Result<(), Fault>;

    /// Tells whether a key was ever made, for anybody; once true it stays true.
    async fn has_keys(&self) -> Result<bool, Fault>;

    /// Appends to the audit log; a deed of the same id again changes nothing.
    async fn note(&self, deed: &Deed) -> Result<(), Fault>;

    /// Lists a tenant's deeds, the latest first, before one, at most `limit`.
    ///
    /// What was noted before the first page was read is in exactly one page.
    async fn deeds(
        &self,
        tenant: &Tenant,
        before: Option<&DeedId>,
        limit: usize,
    ) -> Result<Vec<Deed>, Fault>;

    /// Checks that the registry is sound and can be read.
    ///
    /// # Errors
    /// `Broken` with what is wrong.
    async fn check(&self) -> Result<(), Fault>;
}

/// Keeps a key; tenant `default`, whom nobody opens an archive to, gets a lease on the way.
///
/// # Errors
/// As [`Registry::add_key`].
pub async fn keep_key(registry: &dyn Registry, key: &AccessKey) -> Result<(), Fault> {
    if key.tenant == Tenant::default() {
        let lease = Lease { tenant: key.tenant.clone(), made: key.made, quota: Quota::default() };
        match registry.open_lease(&lease).await {
            Err(fault) if fault.kind() != FaultKind::Conflict => return Err(fault),
            _ => {}
        }
    }
    registry.add_key(key).await
}

fn no_tenant(tenant: &Tenant) -> Fault {
    Fault::not_found(format!("there is no tenant {tenant}"))
}

fn tenant_taken(tenant: &Tenant) -> Fault {
    Fault::new(FaultKind::Conflict, format!("there is a tenant {tenant} already"))
}

fn no_key(id: &KeyId) -> Fault {
    Fault::not_found(format!("there is no key {id}"))
}

fn key_taken(id: &KeyId) -> Fault {
    Fault::new(FaultKind::Conflict, format!("there is a key {id} already"))
}
