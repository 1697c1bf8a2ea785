//! The purse: what a run may spend, and whether a picture is worth it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::asset::Tenant;
use crate::catalogue::Slate;
use crate::fault::{Fault, FaultKind};
use crate::ports::{Testimony, Triage, Worth};
use crate::purchase::Dollars;
use crate::run::RunId;
use crate::tenancy::{Registry, Usage};

/// How long a reservation of another worker is waited for unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(90);

/// What a run may spend on labellers that cost money, and what it has spent.
///
/// What may have been paid for counts as spent, also when no answer came.
pub struct Purse {
    budget: Dollars,
    patience: Duration,
    triage: Arc<dyn Triage>,
    contents: Mutex<Contents>,
    till: Option<Till>,
    allowance: Option<Allowance>,
}

/// Who counts a tenant's paid calls against its quota.
struct Allowance {
    registry: Arc<dyn Registry>,
    tenant: Tenant,
}

/// Where the workers of one run take money from, and which of them this is.
struct Till {
    slate: Arc<dyn Slate>,
    tenant: Tenant,
    run: RunId,
    holder: String,
}

/// Whether a call may be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Its price was taken out.
    Yes,
    /// It may not, for this reason.
    No(String),
}

#[derive(Debug, Clone, Copy, Default)]
struct Contents {
    spent: Dollars,
    calls: u64,
    /// Taken from the till for calls that cost nothing: the next call's.
    at_hand: Dollars,
}

impl Purse {
    /// A purse that holds nothing: whatever costs money is not asked.
    pub fn empty() -> Self {
        Self::new(Dollars::ZERO, Arc::new(Always))
    }

    /// A purse that holds a budget, to be spent on pictures that are worth it.
    pub fn new(budget: Dollars, triage: Arc<dyn Triage>) -> Self {
        Self {
            budget,
            patience: PATIENCE,
            triage,
            contents: Mutex::default(),
            till: None,
            allowance: None,
        }
    }

    /// The same purse; a reservation older than this counts as left by a worker that died. No
    /// call may take longer.
    #[must_use]
    pub fn patient(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The same purse as one of many: each call is charged to the run's budget, which all workers
    /// share, and `holder` names this one.
    #[must_use]
    pub fn shared(self, slate: Arc<dyn Slate>, tenant: &Tenant, run: &RunId, holder: &str) -> Self {
        let till =
            Till { slate, tenant: tenant.clone(), run: run.clone(), holder: holder.to_owned() };
        Self { till: Some(till), ..self }
    }

    /// The same purse of a tenant whose paid calls are counted against its quota.
    #[must_use]
    pub fn within(self, registry: Arc<dyn Registry>, tenant: &Tenant) -> Self {
        Self { allowance: Some(Allowance { registry, tenant: tenant.clone() }), ..self }
    }

    /// Which worker of a run with many this is.
    pub fn holder(&self) -> Option<&str> {
        self.till.as_ref().map(|till| till.holder.as_str())
    }

    /// How old a reservation of another worker must be before it counts as abandoned.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// Says whether a labeller that costs money is worth asking about a picture.
    pub fn judge(&self, testimony: &Testimony<'_>) -> Worth {
        self.triage.judge(testimony)
    }

    /// What it held at first.
    pub fn budget(&self) -> Dollars {
        self.budget
    }

    /// What was taken out and not put back.
    pub fn spent(&self) -> Dollars {
        self.lock().spent
    }

    /// How many calls that was.
    pub fn calls(&self) -> u64 {
        self.lock().calls
    }

    /// Takes the price of one call out, if the budget has it and the tenant's quota has the call.
    ///
    /// # Errors
    /// What the catalogue or the registry says; then nothing counts as spent here.
    pub async fn take(&self, price: Dollars) -> Result<Taken, Fault> {
        if let Some(Allowance { registry, tenant }) = &self.allowance {
            match registry.charge(tenant, &Usage::paid_call()).await {
                Ok(_) => {}
                Err(fault) if fault.kind() == FaultKind::Refused => {
                    return Ok(Taken::No(fault.reason()));
                }
                Err(fault) => return Err(fault),
            }
        }
        let enough = self.pay(price).await;
        if !matches!(enough, Ok(true)) {
            self.uncount().await?;
        }
        Ok(match enough? {
            true => Taken::Yes,
            false => Taken::No(format!("the budget of {} dollars is spent", self.budget)),
        })
    }

    /// Takes the price out of the budget; tells whether there was enough.
    async fn pay(&self, price: Dollars) -> Result<bool, Fault> {
        let Some(till) = &self.till else {
            let mut contents = self.lock();
            let enough = contents.spent + price <= self.budget;
            if enough {
                contents.pay(price);
            }
            return Ok(enough);
        };
        {
            let mut contents = self.lock();
            if contents.at_hand >= price {
                contents.at_hand = contents.at_hand.less(price);
                contents.pay(price);
                return Ok(true);
            }
        }
        let enough = till.slate.charge(&till.tenant, &till.run, price, self.budget).await?;
        if enough {
            self.lock().pay(price);
        }
        Ok(enough)
    }

    /// Puts the price of a call back that cost nothing.
    ///
    /// # Errors
    /// What the registry says; the call then stays counted against the quota.
    pub async fn put_back(&self, price: Dollars) -> Result<(), Fault> {
        {
            let mut contents = self.lock();
            contents.spent = contents.spent.less(price);
            contents.calls = contents.calls.saturating_sub(1);
            if self.till.is_some() {
                contents.at_hand = contents.at_hand + price;
            }
        }
        self.uncount().await
    }

    /// Gives a call back to the tenant's quota.
    async fn uncount(&self) -> Result<(), Fault> {
        match &self.allowance {
            Some(Allowance { registry, tenant }) => {
                registry.give_back(tenant, &Usage::paid_call()).await
            }
            None => Ok(()),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contents {
    fn pay(&mut self, price: Dollars) {
        self.spent = self.spent + price;
        self.calls += 1;
    }
}

impl std::fmt::Debug for Purse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Purse")
            .field("budget", &self.budget)
            .field("contents", &*self.lock())
            .finish_non_exhaustive()
    }
}

/// The triage to which every picture is worth its price.
#[derive(Debug, Clone, Copy)]
pub struct Always;

impl Triage for Always {
    fn judge(&self, _testimony: &Testimony<'_>) -> Worth {
        Worth::Asking
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::catalogue::sqlite::SqliteCatalogue;
    use crate::tenancy::sqlite::SqliteRegistry;
    use crate::tenancy::{Lease, Quota};

    #[tokio::test]
    async fn no_more_is_taken_than_there_is() {
        let price = Dollars::from_millionths(1_000);
        let take = async |purse: &Purse| {
            purse.take(price).await.expect("a purse of one's own") == Taken::Yes
        };
        let purse = Purse::new(Dollars::from_millionths(2_500), Arc::new(Always));
        assert!(take(&purse).await && take(&purse).await);
        assert!(!take(&purse).await, "half a call is none");
        purse.put_back(price).await.expect("put back");
        assert!(take(&purse).await);
        assert_eq!((purse.spent(), purse.calls()), (price * 2, 2));
        assert!(!take(&Purse::empty()).await);
    }

    #[tokio::test]
    async fn workers_of_one_run_share_its_budget_and_keep_what_cost_nothing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("c.sqlite");
        let slate = Arc::new(SqliteCatalogue::open(&file).expect("a catalogue"));
        let (tenant, run) = (Tenant::default(), RunId::from_text("r"));
        let price = Dollars::from_millionths(1_000);
        let purse = |holder: &str| {
            let alone = Purse::new(price * 3, Arc::new(Always));
            alone.shared(slate.clone(), &tenant, &run, holder)
        };
        let (a, b) = (purse("a"), purse("b"));
        let take = async |purse: &Purse| purse.take(price).await.expect("a charge") == Taken::Yes;
        assert!(take(&a).await && take(&b).await && take(&a).await);
        assert!(!take(&b).await && !take(&a).await);
        a.put_back(price).await.expect("put back");
        assert!(!take(&b).await, "it is the other's");
        assert!(take(&a).await && !take(&a).await);
        assert_eq!((a.spent(), b.spent()), (price * 2, price));
        assert_eq!(slate.charged(&tenant, &run).await.expect("charged"), price * 3);
    }

    #[tokio::test]
    async fn a_call_counts_against_the_quota_and_one_that_was_not_made_does_not() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("r.sqlite");
        let registry = Arc::new(SqliteRegistry::open(&file).expect("a registry"));
        let tenant: Tenant = "museum".parse().expect("a name");
        let quota = Quota { paid_calls: Some(2), ..Quota::default() };
        let lease = Lease { tenant: tenant.clone(), made: Timestamp::UNIX_EPOCH, quota };
        registry.open_lease(&lease).await.expect("a lease");
        let price = Dollars::from_millionths(1_000);
        let purse = |calls: u64| {
            Purse::new(price * calls, Arc::new(Always)).within(registry.clone(), &tenant)
        };
        let used = async || registry.usage(&tenant).await.expect("usage").paid_calls;

        let poor = purse(0);
        assert!(matches!(poor.take(price).await.expect("a purse"), Taken::No(_)));
        assert_eq!(used().await, 0, "what the budget refuses is not counted");
        let rich = purse(9);
        for _ in 0..2 {
            assert_eq!(rich.take(price).await.expect("a purse"), Taken::Yes);
        }
        let Taken::No(reason) = rich.take(price).await.expect("a purse") else {
            panic!("the quota is used up")
        };
        assert!(reason.contains("quota of paid_calls is 2"), "{reason}");
        assert_eq!((rich.calls(), rich.spent()), (2, price * 2));
        rich.put_back(price).await.expect("put back");
        assert_eq!(used().await, 1);
        assert_eq!(rich.take(price).await.expect("a purse"), Taken::Yes);
    }
}
