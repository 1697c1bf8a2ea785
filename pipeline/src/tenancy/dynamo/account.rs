//! A tenant's account: what it may use and what it used, in one item.
//!
//! Both lie together so that one condition can bound a charge by all quotas at once. A request
//! whose answer was lost is sent again, so a charge leaves its token in one of a few slots, by
//! which the second sending is known.

use jiff::Timestamp;

use super::super::lease::MOST;
use super::super::{Lease, Quota, Usage};
use crate::asset::Tenant;
use crate::aws::dynamo::{Attributes, Update, attribute};
use crate::aws::random;
use crate::fault::Fault;

/// Over how many slots tokens are spread: only a charge that takes the same one between two sendings
/// of another makes that other forgotten.
const SLOTS: u64 = 16;
/// What is counted, in the order of [`counts`].
const COUNTED: [&str; 3] = ["pictures", "bytes", "paid_calls"];

/// The attribute of [`Quota::requests_a_minute`].
const MINUTE: &str = "requests_a_minute";

/// An account as read; that of a tenant without one has no lease and used nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    /// Since when there is a lease, if there is one.
    pub(super) made: Option<Timestamp>,
    /// How much may be used.
    pub(super) quota: Quota,
    /// How much was used.
    pub(super) used: Usage,
}

impl Account {
    /// Reads an account's item.
    ///
    /// # Errors
    /// `Broken` when it is not as it was written.
    pub(super) fn read(item: &Attributes) -> Result<Self, Fault> {
        let quota = |what: &str| count(item, &format!("quota_{what}"));
        let used = |what: &str| Ok(count(item, &format!("used_{what}"))?.unwrap_or_default());
        let minute = count(item, MINUTE)?.map(u32::try_from).transpose();
        Ok(Self {
            made: attribute::parsed_if_any(item, "made")?,
            quota: Quota {
                pictures: quota("pictures")?,
                bytes: quota("bytes")?,
                paid_calls: quota("paid_calls")?,
                requests_a_minute: minute.map_err(|_| attribute::unreadable(item, MINUTE))?,
            },
            used: Usage {
                pictures: used("pictures")?,
                bytes: used("bytes")?,
                paid_calls: used("paid_calls")?,
            },
        })
    }

    /// The lease, if there is one.
    pub(super) fn lease(&self, tenant: &Tenant) -> Option<Lease> {
        Some(Lease { tenant: tenant.clone(), made: self.made?, quota: self.quota })
    }

    /// Adds to what was used, as far as the quota that was read has room and still holds; nothing
    /// when nothing is added.
    ///
    /// # Errors
    /// `Refused` when it has no room.
    pub(super) fn charge(&self, more: &Usage, token: &Token) -> Result<Option<Update>, Fault> {
        self.used.charged(more, &self.quota)?;
        if *more == Usage::default() {
            return Ok(None);
        }
        let quotas = [self.quota.pictures, self.quota.bytes, self.quota.paid_calls];
        let mut step = Step::new(token);
        step.value("none", 0);
        for ((what, more), quota) in counts(more).zip(quotas) {
            if more == 0 {
                continue;
            }
            step.set(format!("used_{what} = if_not_exists(used_{what}, :none) + :{what}"));
            step.value(what, more);
            match quota {
                Some(quota) => {
                    step.must(format!("quota_{what} = :quota_{what}"));
                    step.value(&format!("quota_{what}"), quota);
                }
                None => step.must(format!("attribute_not_exists(quota_{what})")),
            }
            let room = quota.unwrap_or(MOST).min(MOST) - more;
            step.must(format!(
                "(attribute_not_exists(used_{what}) OR used_{what} <= :room_{what})"
            ));
            step.value(&format!("room_{what}"), room);
        }
        Ok(Some(step.update()))
    }

    /// Takes back of what was used as much as there is; nothing when there is none of it.
    pub(super) fn give_back(&self, less: &Usage, token: &Token) -> Option<Update> {
        let left = self.used.given_back(less);
        if left == self.used {
            return None;
        }
        let mut step = Step::new(token);
        for ((what, used), (_, left)) in counts(&self.used).zip(counts(&left)) {
            if used > left {
                step.set(format!("used_{what} = used_{what} - :{what}"));
                step.must(format!("used_{what} >= :{what}"));
                step.value(what, used - left);
            }
        }
        Some(step.update())
    }
}

/// Makes a lease of an account that has none; what was used already stays used.
///
/// `token` is its alone, so that it may be sent twice.
pub(super) fn open(lease: &Lease, token: &str) -> Update {
    let set = vec!["made = :made".to_owned(), "t = :t".to_owned()];
    let values = Attributes::from([
        (":made".to_owned(), attribute::string(lease.made.to_string())),
        (":t".to_owned(), attribute::string(token)),
    ]);
    bounded(set, values, &lease.quota, "attribute_not_exists(made) OR t = :t")
}

/// Replaces the quota of an account that has a lease.
pub(super) fn set_quota(quota: &Quota) -> Update {
    bounded(Vec::new(), Attributes::new(), quota, "attribute_exists(made)")
}

/// Sets what a quota bounds, beside what else is set, and takes out what it does not bound.
fn bounded(mut set: Vec<String>, mut values: Attributes, quota: &Quota, condition: &str) -> Update {
    let Quota { pictures, bytes, paid_calls, requests_a_minute } = *quota;
    let mut remove = Vec::new();
    let names = COUNTED.map(|what| format!("quota_{what}")).into_iter().chain([MINUTE.to_owned()]);
    for (name, quota) in names.zip([pictures, bytes, paid_calls, requests_a_minute.map(u64::from)])
    {
        match quota {
            Some(quota) => {
                set.push(format!("{name} = :{name}"));
                values.insert(format!(":{name}"), attribute::number(quota));
            }
            None => remove.push(name),
        }
    }
    let clauses = [("SET", set), ("REMOVE", remove)].into_iter();
    let clauses = clauses.filter(|(_, parts)| !parts.is_empty());
    let clauses: Vec<_> =
        clauses.map(|(word, parts)| format!("{word} {}", parts.join(", "))).collect();
    Update { expression: clauses.join(" "), condition: Some(condition.to_owned()), values }
}

/// The name of one charge or return, and the slot that it is left in.
#[derive(Debug)]
pub(super) struct Token {
    slot: String,
    name: String,
}

impl Token {
    /// Draws one.
    pub(super) fn draw() -> Self {
        Self { slot: format!("t{}", random() % SLOTS), name: format!("{:016x}", random()) }
    }

    /// Tells whether the last of its slot was this one.
    pub(super) fn is_in(&self, item: &Attributes) -> bool {
        attribute::text(item, &self.slot).is_ok_and(|name| name == self.name)
    }
}

/// An update of what was used, as it is put together.
struct Step {
    sets: Vec<String>,
    musts: Vec<String>,
    values: Attributes,
}

impl Step {
    fn new(token: &Token) -> Self {
        let slot = &token.slot;
        let values = Attributes::from([(":t".to_owned(), attribute::string(&*token.name))]);
        Self {
            sets: vec![format!("{slot} = :t")],
            musts: vec![format!("(attribute_not_exists({slot}) OR {slot} <> :t)")],
            values,
        }
    }

    fn set(&mut self, assignment: String) {
        self.sets.push(assignment);
    }

    fn must(&mut self, condition: String) {
        self.musts.push(condition);
    }

    fn value(&mut self, name: &str, number: u64) {
        self.values.insert(format!(":{name}"), attribute::number(number));
    }

    fn update(self) -> Update {
        Update {
            expression: format!("SET {}", self.sets.join(", ")),
            condition: Some(self.musts.join(" AND ")),
            values: self.values,
        }
    }
}

fn counts(usage: &Usage) -> impl Iterator<Item = (&'static str, u64)> {
    COUNTED.into_iter().zip([usage.pictures, usage.bytes, usage.paid_calls])
}

fn count(item: &Attributes, name: &str) -> Result<Option<u64>, Fault> {
    item.contains_key(name).then(|| attribute::count(item, name)).transpose()
}
