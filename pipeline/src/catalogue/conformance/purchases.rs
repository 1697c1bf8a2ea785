//! What every catalogue must do with purchases: nothing is paid twice.

use std::sync::Arc;

use jiff::Timestamp;

use super::super::{Catalogue, Entry};
use super::{asset, maker, pixels, run_named, tenant};
use crate::asset::Tenant;
use crate::fault::FaultKind;
use crate::purchase::{Dollars, Purchase, PurchaseId, PurchaseState};

/// Runs every check of purchases.
pub(super) async fn run(catalogue: Arc<dyn Catalogue>) {
    of_many_buyers_one_gets_the_reservation(catalogue.clone()).await;
    a_purchase_is_settled_by_the_run_that_made_it(&*catalogue).await;
    of_two_workers_of_a_run_one_settles_what_it_reserved(&*catalogue).await;
}

fn purchase(seed: u8, attempt: u32, run: u32, state: PurchaseState) -> Purchase {
    Purchase {
        id: PurchaseId::of("label:m", &pixels(seed), &maker("1")),
        attempt,
        asset: asset(14).id,
        run: run_named(run).id,
        holder: None,
        collection: "c".to_owned(),
        step: "label:m".to_owned(),
        price: Dollars::from_millionths(1_000),
        at: Timestamp::UNIX_EPOCH,
        state,
    }
}

async fn bought(catalogue: &dyn Catalogue, entry: Purchase) -> Result<(), FaultKind> {
    let entries = vec![Entry::Purchase(entry)];
    catalogue.append(&tenant(), entries).await.map_err(|fault| fault.kind())
}

async fn of_many_buyers_one_gets_the_reservation(catalogue: Arc<dyn Catalogue>) {
    let tasks: Vec<_> = (0..32)
        .map(|run| {
            let catalogue = catalogue.clone();
            let wanted = purchase(90, 1, 900 + run, PurchaseState::Reserved);
            tokio::spawn(async move { (run, bought(&*catalogue, wanted).await) })
        })
        .collect();
    let mut winners = Vec::new();
    for task in tasks {
        match task.await.expect("a task") {
            (run, Ok(())) => winners.push(run),
            (_, Err(kind)) => assert_eq!(kind, FaultKind::Conflict),
        }
    }
    assert_eq!(winners.len(), 1, "winners: {winners:?}");
    let id = PurchaseId::of("label:m", &pixels(90), &maker("1"));
    let reserved = purchase(90, 1, 900 + winners[0], PurchaseState::Reserved);
    let read = catalogue.purchases(&tenant(), &id).await.expect("purchases");
    assert_eq!(read, std::slice::from_ref(&reserved));
    bought(&*catalogue, reserved).await.expect("a reservation repeated by whoever made it");
}

async fn a_purchase_is_settled_by_the_run_that_made_it(catalogue: &dyn Catalogue) {
    use PurchaseState::{Answered, Free, Lost, Reserved};

    let ids: Vec<_> =
        (91..94).map(|seed| PurchaseId::of("label:m", &pixels(seed), &maker("1"))).collect();
    for (seed, state) in [(91, Answered), (92, Lost), (93, Free)] {
        bought(catalogue, purchase(seed, 1, 91, Reserved)).await.expect("reserve");
        assert_eq!(bought(catalogue, purchase(seed, 1, 92, state)).await, Err(FaultKind::Conflict));
        bought(catalogue, purchase(seed, 1, 91, state)).await.expect("settle");
        bought(catalogue, purchase(seed, 1, 91, state)).await.expect("settle again");
        let again = bought(catalogue, purchase(seed, 1, 92, Reserved)).await;
        assert_eq!(again, Err(FaultKind::Conflict));
    }
    bought(catalogue, purchase(92, 2, 91, Reserved)).await.expect("another attempt");
    let both = [purchase(92, 1, 91, Lost), purchase(92, 2, 91, Reserved)];
    assert_eq!(catalogue.purchases(&tenant(), &ids[1]).await.expect("purchases"), both);
    let mut listed: Vec<Purchase> = Vec::new();
    loop {
        let after = listed.last().map(|last| (&last.id, last.attempt));
        let page = catalogue
            .purchases_of_run(&tenant(), &run_named(91).id, after, 2)
            .await
            .expect("purchases");
        if page.is_empty() {
            break;
        }
        listed.extend(page);
    }
    assert_eq!(listed.len(), 4);
    assert!(listed.windows(2).all(|p| (&p[0].id, p[0].attempt) < (&p[1].id, p[1].attempt)));
    let spent: Dollars = listed.iter().map(Purchase::spent).sum();
    assert_eq!(spent, Dollars::from_millionths(3_000), "what was refused costs nothing");
    let other: Tenant = "other".parse().expect("a good name");
    assert!(catalogue.purchases(&other, &ids[0]).await.expect("purchases").is_empty());
    // What goes with a reservation that is taken is not written either.
    let entries = vec![Entry::Asset(asset(15)), Entry::Purchase(purchase(91, 1, 92, Reserved))];
    let fault = catalogue.append(&tenant(), entries).await.expect_err("it is taken");
    assert_eq!(fault.kind(), FaultKind::Conflict);
    assert_eq!(catalogue.parts(&tenant(), &asset(15).id).await.expect("parts"), None);
}

async fn of_two_workers_of_a_run_one_settles_what_it_reserved(catalogue: &dyn Catalogue) {
    use PurchaseState::{Answered, Reserved};

    let by = |holder: &str, state| Purchase {
        holder: Some(holder.to_owned()),
        ..purchase(95, 1, 95, state)
    };
    bought(catalogue, by("a", Reserved)).await.expect("reserve");
    bought(catalogue, by("a", Reserved)).await.expect("the same again");
    assert_eq!(bought(catalogue, by("b", Reserved)).await, Err(FaultKind::Conflict));
    assert_eq!(bought(catalogue, by("b", Answered)).await, Err(FaultKind::Conflict));
    let nobody = purchase(95, 1, 95, Answered);
    assert_eq!(bought(catalogue, nobody).await, Err(FaultKind::Conflict));
    bought(catalogue, by("a", Answered)).await.expect("settle");
    // With others, as a pass settles it.
    let entries = vec![Entry::Asset(asset(16)), Entry::Purchase(by("b", Answered))];
    let fault = catalogue.append(&tenant(), entries).await.expect_err("it is another's");
    assert_eq!(fault.kind(), FaultKind::Conflict);
}
