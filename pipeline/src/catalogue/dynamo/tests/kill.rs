//! Appends that end in the middle.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::super::{Catalogue as _, Entry};
use super::{cost, loss};
use crate::asset::Tenant;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appends_dropped_in_the_middle_leave_nothing_half() {
    let (_server, _aws, catalogue) = super::empty().await;
    let catalogue = Arc::new(catalogue);
    let tenant = Tenant::default();
    catalogue.append(&tenant, vec![Entry::Run(cost::run())]).await.expect("a run");
    let began = Instant::now();
    for n in 60..65 {
        catalogue.append(&tenant, cost::fresh(n)).await.expect("an append");
    }
    let whole = began.elapsed() / 5;
    let mut dropped = 0;
    for n in 0..120_u32 {
        let task = {
            let (catalogue, tenant) = (catalogue.clone(), tenant.clone());
            tokio::spawn(async move { catalogue.append(&tenant, cost::fresh(n % 60)).await })
        };
        // The end falls before, into and behind each step.
        tokio::time::sleep(whole * (n * 7919 % 120) / 100).await;
        task.abort();
        dropped += u32::from(task.await.is_err_and(|e| e.is_cancelled()));
    }
    assert!(dropped > 10, "only {dropped} were dropped on their way");
    // What was sent may still arrive.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let before = loss::consistent(&catalogue).await;
    for n in 0..60 {
        catalogue.append(&tenant, cost::fresh(n)).await.expect("an append");
    }
    let after = loss::consistent(&catalogue).await;
    assert_eq!(after.len(), 65, "{} were there before", before.len());
    for n in 0..60 {
        let parts = catalogue.parts(&tenant, &cost::asset(n).id).await.expect("parts");
        assert_eq!(parts.expect("an asset").opinions, cost::opinions(&cost::asset(n)));
    }
    let items = catalogue.items(&tenant, &cost::run().id, None, 1_000).await.expect("items");
    assert_eq!(items.len(), 65);
}
