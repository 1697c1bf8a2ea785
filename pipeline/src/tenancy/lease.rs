//! Leases: which tenants there are, what each may use, and what it used.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::asset::Tenant;
use crate::fault::{Fault, FaultKind};

/// The largest quota and the largest sum; what is counted fits any database's integer.
pub(super) const MOST: u64 = i64::MAX as u64;

/// An archive opened to a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Whose archive.
    pub tenant: Tenant,
    /// Since when.
    pub made: Timestamp,
    /// How much of it.
    pub quota: Quota,
}

/// What a tenant may use; what is absent is not bounded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quota {
    /// Pictures taken in over the API, ever.
    pub pictures: Option<u64>,
    /// The bytes of their originals.
    pub bytes: Option<u64>,
    /// Calls to services that cost money, ever.
    pub paid_calls: Option<u64>,
    /// Requests in a minute; another bound than the server's own.
    pub requests_a_minute: Option<u32>,
}

impl Quota {
    /// Refuses what no backend could count.
    ///
    /// # Errors
    /// `BadInput` naming the quota.
    pub fn validate(&self) -> Result<(), Fault> {
        for (name, quota) in
            [("pictures", self.pictures), ("bytes", self.bytes), ("paid_calls", self.paid_calls)]
        {
            if quota.is_some_and(|quota| quota > MOST) {
                return Err(Fault::bad_input(format!("the quota of {name} is above {MOST}")));
            }
        }
        if self.requests_a_minute == Some(0) {
            return Err(Fault::bad_input("the quota of requests_a_minute is 0: at least 1"));
        }
        Ok(())
    }
}

/// What a tenant used, or is about to use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Pictures taken in over the API.
    pub pictures: u64,
    /// The bytes of their originals.
    pub bytes: u64,
    /// Calls to services that cost money.
    pub paid_calls: u64,
}

impl Usage {
    /// One picture of so many bytes.
    pub fn picture(bytes: u64) -> Self {
        Self { pictures: 1, bytes, paid_calls: 0 }
    }

    /// One call to a service that costs money.
    pub fn paid_call() -> Self {
        Self { paid_calls: 1, ..Self::default() }
    }

    /// Adds more, as far as a tenant's quota has room.
    ///
    /// # Errors
    /// `Refused` naming the quota that has none left.
    pub(super) fn charged(&self, more: &Self, quota: &Quota) -> Result<Self, Fault> {
        let add = |name: &str, used: u64, more: u64, quota: Option<u64>| {
            let sum = used.saturating_add(more);
            let most = quota.unwrap_or(MOST).min(MOST);
            if more > 0 && sum > most {
                return Err(Fault::new(
                    FaultKind::Refused,
                    format!(
                        "the quota of {name} is {most}: {used} are used, {more} more are too many"
                    ),
                ));
            }
            Ok(sum.min(MOST))
        };
        Ok(Self {
            pictures: add("pictures", self.pictures, more.pictures, quota.pictures)?,
            bytes: add("bytes", self.bytes, more.bytes, quota.bytes)?,
            paid_calls: add("paid_calls", self.paid_calls, more.paid_calls, quota.paid_calls)?,
        })
    }

    /// Takes some back, never below nothing.
    pub(super) fn given_back(&self, less: &Self) -> Self {
        Self {
            pictures: self.pictures.saturating_sub(less.pictures),
            bytes: self.bytes.saturating_sub(less.bytes),
            paid_calls: self.paid_calls.saturating_sub(less.paid_calls),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_that_is_full_still_lets_others_be_charged() {
        let quota = Quota { pictures: Some(1), ..Quota::default() };
        let used = Usage::picture(10).charged(&Usage::paid_call(), &quota).expect("room");
        assert_eq!(used, Usage { pictures: 1, bytes: 10, paid_calls: 1 });
        let fault = used.charged(&Usage::picture(1), &quota).expect_err("full");
        assert_eq!(fault.kind(), FaultKind::Refused);
        assert!(fault.reason().contains("quota of pictures is 1"), "{}", fault.reason());
    }

    #[test]
    fn sums_never_wrap() {
        let full = Usage { pictures: MOST, bytes: MOST, paid_calls: 0 };
        let fault = full.charged(&Usage::picture(u64::MAX), &Quota::default()).expect_err("full");
        assert_eq!(fault.kind(), FaultKind::Refused);
        assert_eq!(Usage::default().given_back(&full), Usage::default());
    }

    #[test]
    fn a_quota_out_of_range_is_named() {
        let bytes = Quota { bytes: Some(u64::MAX), ..Quota::default() };
        assert!(bytes.validate().expect_err("too large").reason().contains("bytes"));
        let never = Quota { requests_a_minute: Some(0), ..Quota::default() };
        assert!(never.validate().expect_err("too small").reason().contains("requests_a_minute"));
    }
}
