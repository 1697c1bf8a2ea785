//! Quotes and accounts: what a run would cost, and what was spent.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::ask::worth;
use crate::asset::Tenant;
use crate::catalogue::Catalogue;
use crate::enrich::{Foreseen, House};
use crate::fault::Fault;
use crate::ports::Worth;
use crate::purchase::{Dollars, Purchase, PurchaseId, PurchaseState};
use crate::record::current_opinions;
use crate::run::RunId;

/// How many assets are read at a time.
const PAGE: usize = 100;

/// What a run would cost, summed up over its sources.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Quote {
    /// By the step that asks.
    pub lines: BTreeMap<String, Line>,
}

/// What would be asked of one labeller.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What one call costs.
    pub price: Dollars,
    /// Calls that are sure to be made.
    pub certain: u64,
    /// Calls that depend on what the models here will say.
    pub possible: u64,
    /// Answers that are known and cost nothing.
    pub known: u64,
}

impl Quote {
    /// Adds what one source would ask.
    pub fn add(&mut self, foreseen: &Foreseen) {
        for call in &foreseen.calls {
            let line = self.lines.entry(call.step.clone()).or_default();
            line.price = call.price;
            match (call.known, call.certain) {
                (true, _) => line.known += 1,
                (false, true) => line.certain += 1,
                (false, false) => line.possible += 1,
            }
        }
    }

    /// The most calls that can be made.
    pub fn calls(&self) -> u64 {
        self.lines.values().map(|line| line.certain + line.possible).sum()
    }

    /// The most that can be spent, if each call is answered at once.
    pub fn at_most(&self) -> Dollars {
        self.lines.values().map(|line| line.price * (line.certain + line.possible)).sum()
    }

    /// What is to be expected when this share of the possible calls, 0 to 1, is made.
    pub fn expected(&self, share: f64) -> Dollars {
        let made = |line: &Line| line.certain + (line.possible as f64 * share).ceil() as u64;
        self.lines.values().map(|line| line.price * made(line)).sum()
    }
}

/// Of how many of a collection's labelled pictures the house would ask for more, out of how many
/// looked at: the first `sample` by id, which is a random one since ids come from content.
///
/// # Errors
/// What the catalogue says.
pub async fn worth_asking(
    house: &House,
    collection: &str,
    sample: usize,
) -> Result<(usize, usize), Fault> {
    let House { catalogue, tenant, .. } = house;
    let (mut asking, mut seen, mut after) = (0, 0, None);
    while seen < sample {
        let page =
            catalogue.assets(tenant, Some(collection), after.as_ref(), PAGE.min(sample)).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        for parts in catalogue.parts_of_many(tenant, &page).await? {
            let current = current_opinions(&parts);
            let heard = house
                .labellers
                .iter()
                .filter(|labeller| labeller.price().is_none())
                .all(|free| current.get(free.step()).is_some_and(|o| o.verdict.conclusive()));
            if heard {
                seen += 1;
                asking += usize::from(worth(house, &parts) == Worth::Asking);
            }
        }
    }
    Ok((asking, seen))
}

/// What was spent, by what became of the calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Calls that were answered.
    pub answered: u64,
    /// Calls whose answer never came: perhaps paid.
    pub lost: u64,
    /// Calls that were begun and of which nothing more is known: perhaps paid.
    pub reserved: u64,
    /// Calls that the service refused or failed: not paid.
    pub free: u64,
    /// What may have been paid.
    pub spent: Dollars,
}

impl Account {
    /// Adds a purchase.
    pub fn add(&mut self, purchase: &Purchase) {
        *match purchase.state {
            PurchaseState::Answered => &mut self.answered,
            PurchaseState::Lost => &mut self.lost,
            PurchaseState::Reserved => &mut self.reserved,
            PurchaseState::Free => &mut self.free,
        } += 1;
        self.spent = self.spent + purchase.spent();
    }

    /// Adds another account.
    pub fn join(&mut self, other: &Self) {
        self.answered += other.answered;
        self.lost += other.lost;
        self.reserved += other.reserved;
        self.free += other.free;
        self.spent = self.spent + other.spent;
    }
}

/// Adds up what one run spent.
///
/// # Errors
/// What the catalogue says.
pub async fn account_of(
    catalogue: &dyn Catalogue,
    tenant: &Tenant,
    run: &RunId,
) -> Result<Account, Fault> {
    let mut account = Account::default();
    let mut after: Option<(PurchaseId, u32)> = None;
    loop {
        let from = after.as_ref().map(|(id, attempt)| (id, *attempt));
        let page = catalogue.purchases_of_run(tenant, run, from, 1000).await?;
        let Some(last) = page.last() else { return Ok(account) };
        after = Some((last.id.clone(), last.attempt));
        page.iter().for_each(|purchase| account.add(purchase));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enrich::Call;
    use crate::run::{Item, Outcome};

    #[test]
    fn a_quote_tells_certain_from_possible_calls() {
        let price = Dollars::from_millionths(1_000);
        let mut quote = Quote::default();
        for (known, certain) in [(false, true), (false, false), (false, false), (true, false)] {
            let item = Item {
                source: String::new(),
                asset: None,
                outcome: Outcome::Enriched,
                fault: None,
                reason: None,
            };
            let call = Call { step: "label:r".to_owned(), price, known, certain };
            quote.add(&Foreseen { item, calls: vec![call] });
        }
        assert_eq!((quote.calls(), quote.at_most()), (3, price * 3));
        assert_eq!(quote.expected(0.5), price * 2);
        assert_eq!(quote.lines["label:r"].known, 1);
    }
}
