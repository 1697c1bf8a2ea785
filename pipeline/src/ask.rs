//! Asking labellers: what is known is taken over, what costs money is judged, reserved, settled.
//!
//! An answer that was bought is in the ledger in the same append as the note that it was paid
//! for. A reservation is in the ledger before the call, so that of many workers one buys, and a
//! crash over the call is seen: then the same is asked once more, and never again.

use std::sync::Arc;
use std::time::Duration;

use crate::asset::AssetId;
use crate::catalogue::Entry;
use crate::enrich::House;
use crate::fault::{Fault, FaultKind};
use crate::opinion::{Maker, Opinion, Subject, Verdict};
use crate::ports::{Labeller, Shown, Worth};
use crate::purchase::{Dollars, Purchase, PurchaseId, PurchaseState};
use crate::purse::Taken;
use crate::record::{Parts, with_testimony};
use crate::run::RunId;
use crate::stage::Stage;
use crate::stage::label::{self, Heard};

/// How many calls may have been paid for without an answer before asking ends: connections break,
/// but not for one picture five times.
const MOST_LOST: usize = 5;
/// How many workers may have died over the same call before asking ends.
const MOST_ABANDONED: usize = 2;
/// How often it is looked whether another worker's purchase has come to its end.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// One picture about which labellers are asked.
pub(crate) struct Asking<'a> {
    pub(crate) house: &'a House,
    pub(crate) run: &'a RunId,
    pub(crate) collection: &'a str,
    pub(crate) asset: &'a AssetId,
    pub(crate) subject: Subject,
}

/// What a labeller's answer leaves for the ledger.
pub(crate) struct Answer {
    /// The opinion.
    pub(crate) opinion: Opinion,
    /// That the answer was paid for; to be appended together with the opinion.
    pub(crate) paid: Option<Purchase>,
}

impl Answer {
    /// The lines for the ledger.
    pub(crate) fn entries(self) -> impl Iterator<Item = Entry> {
        let paid = self.paid.map(Entry::Purchase);
        std::iter::once(Entry::Opinion(self.opinion)).chain(paid)
    }

    fn free(opinion: Opinion) -> Self {
        Self { opinion, paid: None }
    }
}

/// Says whether labellers that cost money are worth asking, given what the others said so far.
pub(crate) fn worth(house: &House, so_far: &Parts) -> Worth {
    let paid =
        |step: &str| house.labellers.iter().any(|one| one.price().is_some() && one.step() == step);
    with_testimony(so_far, |mut testimony| {
        testimony.opinions.retain(|opinion| !paid(&opinion.step));
        house.purse.judge(&testimony)
    })
}

impl Asking<'_> {
    /// The answer that is known already, of any asset that shows the same and of any run.
    ///
    /// One without the embedding that the labeller gives now is asked for again where that costs
    /// nothing; whoever is bought is not asked for an embedding.
    pub(crate) async fn known(&self, labeller: &dyn Labeller) -> Result<Option<Opinion>, Fault> {
        let House { catalogue, tenant, clock, .. } = self.house;
        let (step, maker) = (labeller.step(), labeller.maker());
        let known = catalogue.reusable(tenant, step, &self.subject, maker).await?;
        let whole = |known: &Opinion| {
            let known = known.embedding.as_ref().map(|embedding| &embedding.space);
            labeller.space().is_none_or(|space| known == Some(space))
        };
        let known = known.filter(|known| labeller.price().is_some() || whole(known));
        Ok(known.map(|known| known.reuse(self.asset, self.run, clock.now())))
    }

    /// Asks a labeller whose answer is not known, and pays when that costs something.
    ///
    /// # Errors
    /// What ends the run: the ledger's faults, and what every other picture would meet too.
    pub(crate) async fn answer(
        &self,
        labeller: &dyn Labeller,
        picture: &Shown,
    ) -> Result<Answer, Fault> {
        match labeller.price() {
            None => {
                let heard = self.ask(labeller, picture).await?;
                Ok(Answer::free(self.opinion(labeller, heard)))
            }
            Some(price) => self.buy(labeller, picture, price).await,
        }
    }

    /// Says of a labeller why it was not asked.
    pub(crate) fn not_asked(&self, labeller: &dyn Labeller, reason: &str) -> Opinion {
        self.opinion(labeller, Verdict::NotRun { reason: reason.to_owned() }.into())
    }

    async fn buy(
        &self,
        labeller: &dyn Labeller,
        picture: &Shown,
        price: Dollars,
    ) -> Result<Answer, Fault> {
        let purse = &self.house.purse;
        loop {
            let attempt = match self.next_attempt(labeller).await? {
                Next::Buy(attempt) => attempt,
                Next::Known(opinion) => return Ok(Answer::free(*opinion)),
                Next::Never(reason) => {
                    let never = Verdict::from(Fault::new(FaultKind::Refused, reason));
                    return Ok(Answer::free(self.opinion(labeller, never.into())));
                }
            };
            if let Taken::No(reason) = purse.take(price).await? {
                return Ok(Answer::free(self.not_asked(labeller, &reason)));
            }
            let mut purchase = self.purchase(labeller, attempt, price);
            match self.enter(&purchase).await {
                Ok(()) => {}
                // Another worker was faster: see what became of it.
                Err(fault) if fault.kind() == FaultKind::Conflict => {
                    purse.put_back(price).await?;
                    continue;
                }
                Err(fault) => {
                    purse.put_back(price).await?;
                    return Err(fault);
                }
            }
            let asked = self.ask(labeller, picture).await;
            match &asked {
                Ok(Heard {
                    verdict: Verdict::Failed { fault: FaultKind::TimedOut, .. }, ..
                }) => {
                    purchase.state = PurchaseState::Lost;
                    self.enter(&purchase).await?;
                }
                Err(_) | Ok(Heard { verdict: Verdict::Failed { .. }, .. }) => {
                    purse.put_back(price).await?;
                    purchase.state = PurchaseState::Free;
                    self.enter(&purchase).await?;
                    return Ok(Answer::free(self.opinion(labeller, asked?)));
                }
                Ok(_) => {
                    purchase.state = PurchaseState::Answered;
                    let opinion = self.opinion(labeller, asked?);
                    return Ok(Answer { opinion, paid: Some(purchase) });
                }
            }
        }
    }

    /// Looks at what was bought before: whether and how the answer may be bought now.
    async fn next_attempt(&self, labeller: &dyn Labeller) -> Result<Next, Fault> {
        let House { catalogue, tenant, clock, purse, .. } = self.house;
        let id = PurchaseId::of(labeller.step(), &self.subject, labeller.maker());
        loop {
            let before = catalogue.purchases(tenant, &id).await?;
            let of = |state| before.iter().filter(move |purchase| purchase.state == state);
            let now = clock.now();
            let in_hand = of(PurchaseState::Reserved).any(|purchase| {
                let age = Duration::try_from(now.duration_since(purchase.at)).unwrap_or_default();
                let ours =
                    purchase.run == *self.run && purchase.holder.as_deref() == purse.holder();
                !ours && age < purse.patience()
            });
            if in_hand {
                tokio::time::sleep(LOOK_AGAIN).await;
                if let Some(opinion) = self.known(labeller).await? {
                    return Ok(Next::Known(Box::new(opinion)));
                }
                continue;
            }
            let abandoned = of(PurchaseState::Reserved).count();
            let lost = of(PurchaseState::Lost).count();
            if lost >= MOST_LOST || abandoned >= MOST_ABANDONED {
                return Ok(Next::Never(format!(
                    "asked {} times without an answer that arrived, perhaps paid each time: \
                     it is not bought again",
                    lost + abandoned
                )));
            }
            let last = before.iter().map(|purchase| purchase.attempt).max().unwrap_or(0);
            return Ok(Next::Buy(last + 1));
        }
    }

    fn purchase(&self, labeller: &dyn Labeller, attempt: u32, price: Dollars) -> Purchase {
        Purchase {
            id: PurchaseId::of(labeller.step(), &self.subject, labeller.maker()),
            attempt,
            asset: self.asset.clone(),
            run: self.run.clone(),
            holder: self.house.purse.holder().map(str::to_owned),
            collection: self.collection.to_owned(),
            step: labeller.step().to_owned(),
            price,
            at: self.house.clock.now(),
            state: PurchaseState::Reserved,
        }
    }

    async fn enter(&self, purchase: &Purchase) -> Result<(), Fault> {
        let House { catalogue, tenant, meter, .. } = self.house;
        let entries = vec![Entry::Purchase(purchase.clone())];
        meter.wait(Stage::Record, catalogue.append(tenant, entries)).await
    }

    async fn ask(&self, labeller: &dyn Labeller, picture: &Shown) -> Result<Heard, Fault> {
        self.house.meter.wait(Stage::Label, label::ask(labeller, picture)).await
    }

    fn opinion(&self, labeller: &dyn Labeller, heard: Heard) -> Opinion {
        let Heard { verdict, told, embedding } = heard;
        let (step, maker): (_, &Maker) = (labeller.step(), labeller.maker());
        let at = self.house.clock.now();
        let opinion = Opinion::new(self.asset, step, self.subject, maker, self.run, at, verdict);
        Opinion { told, embedding, ..opinion }
    }
}

/// What is to be done about an answer that is not known.
enum Next {
    Buy(u32),
    /// Another worker bought it meanwhile.
    Known(Box<Opinion>),
    Never(String),
}

/// The labellers in the order asked: those that cost nothing first, since their answers decide
/// whether the others are worth it.
pub(crate) fn in_order(labellers: &[Arc<dyn Labeller>]) -> impl Iterator<Item = usize> {
    let (free, paid): (Vec<_>, Vec<_>) =
        (0..labellers.len()).partition(|&at| labellers[at].price().is_none());
    free.into_iter().chain(paid)
}
