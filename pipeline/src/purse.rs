//! The purse: what a run may spend, and whether a picture is worth it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::ports::{Testimony, Triage, Worth};
use crate::purchase::Dollars;

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
}

#[derive(Debug, Clone, Copy, Default)]
struct Contents {
    spent: Dollars,
    calls: u64,
}

impl Purse {
    /// A purse that holds nothing: whatever costs money is not asked.
    pub fn empty() -> Self {
        Self::new(Dollars::ZERO, Arc::new(Always))
    }

    /// A purse that holds a budget, to be spent on pictures that are worth it.
    pub fn new(budget: Dollars, triage: Arc<dyn Triage>) -> Self {
        Self { budget, patience: PATIENCE, triage, contents: Mutex::default() }
    }

    /// The same purse; a reservation older than this counts as left by a worker that died. No
    /// call may take longer.
    #[must_use]
    pub fn patient(self, patience: Duration) -> Self {
        Self { patience, ..self }
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

    /// Takes the price of one call out; tells whether there was enough.
    pub fn take(&self, price: Dollars) -> bool {
        let mut contents = self.lock();
        let enough = contents.spent + price <= self.budget;
        if enough {
            contents.spent = contents.spent + price;
            contents.calls += 1;
        }
        enough
    }

    /// Puts the price of a call back that cost nothing.
    pub fn put_back(&self, price: Dollars) {
        let mut contents = self.lock();
        contents.spent = contents.spent.less(price);
        contents.calls = contents.calls.saturating_sub(1);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
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
    use super::*;

    #[test]
    fn no_more_is_taken_than_there_is() {
        let price = Dollars::from_millionths(1_000);
        let purse = Purse::new(Dollars::from_millionths(2_500), Arc::new(Always));
        assert!(purse.take(price) && purse.take(price));
        assert!(!purse.take(price), "half a call is none");
        purse.put_back(price);
        assert!(purse.take(price));
        assert_eq!((purse.spent(), purse.calls()), (price * 2, 2));
        assert!(!Purse::empty().take(price));
    }
}
