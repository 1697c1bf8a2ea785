//! The layout of the registry's table: the only place that knows its keys.
//!
//! The parts are tenants, ids of keys and ids of deeds, whose alphabets have no `#`: none can run
//! into another's keys.

use super::super::{DeedId, KeyId};
use crate::asset::Tenant;
use crate::aws::dynamo::Key;

/// Over how many partitions a tenant's deeds are spread.
pub(super) const DEED_SHARDS: u32 = 4;
/// The partition of the list of tenants that have a lease.
pub(super) const LEASES: &str = "L";

impl Key {
    /// What a tenant may use, and what it used.
    pub(super) fn account(tenant: &Tenant) -> Self {
        Self::new(format!("A#{tenant}"), "account")
    }

    /// A tenant in the list of those that have a lease.
    pub(super) fn leased(tenant: &Tenant) -> Self {
        Self::new(LEASES.to_owned(), tenant.as_str())
    }

    /// An access key.
    pub(super) fn access(id: &KeyId) -> Self {
        Self::new(format!("K#{id}"), "key")
    }

    /// An access key in the list of its tenant's.
    pub(super) fn held(tenant: &Tenant, id: &KeyId) -> Self {
        Self::new(held(tenant), id.as_str())
    }

    /// That a key was ever made.
    pub(super) fn first() -> Self {
        Self::new("Z".to_owned(), "keys")
    }

    /// A deed; its id's random tail says which of the partitions it is in.
    pub(super) fn deed(tenant: &Tenant, id: &DeedId) -> Self {
        let last = id.as_str().chars().next_back().and_then(|last| last.to_digit(16));
        Self::new(deeds(tenant, last.unwrap_or_default() % DEED_SHARDS), id.as_str())
    }
}

/// The partition of the list of a tenant's keys.
pub(super) fn held(tenant: &Tenant) -> String {
    format!("T#{tenant}")
}

/// A partition of a tenant's deeds.
pub(super) fn deeds(tenant: &Tenant, shard: u32) -> String {
    format!("D#{tenant}#{shard}")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn deeds_of_one_moment_are_spread_evenly() {
        let tenant = Tenant::default();
        let mut shards = std::collections::BTreeMap::<String, u32>::new();
        for random in 0..1_600 {
            let id = DeedId::new(Timestamp::UNIX_EPOCH, random);
            *shards.entry(Key::deed(&tenant, &id).pk).or_default() += 1;
        }
        assert_eq!(shards.len(), 4, "{shards:?}");
        assert!(shards.values().all(|&deeds| deeds == 400), "{shards:?}");
    }
}
