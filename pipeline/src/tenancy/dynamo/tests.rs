//! The contract, kept on loopback; answers that are lost; pointers to nothing; what it costs.

use std::sync::Arc;

use glassplate_harness::Running;
use glassplate_harness::faults::{Faults, Kind, Plan};
use jiff::Timestamp;

use super::super::{AccessKey, DeedOutcome, Role, Secret, Verb, conformance};
use super::*;
use crate::aws::dynamo::tests::way_to;
use crate::catalogue::dynamo::{DynamoCatalogue, DynamoSettings};

/// An empty registry on a DynamoDB of its own.
async fn empty() -> (Running, Aws, DynamoRegistry) {
    let server = glassplate_harness::dynamo::start();
    let aws = way_to(server.url());
    let settings = RegistrySettings::default();
    assert!(DynamoRegistry::create_table(&aws, &settings, true).await.expect("a table"));
    let registry = opened(&aws).await;
    (server, aws, registry)
}

/// The same registry as another process has it.
async fn opened(aws: &Aws) -> DynamoRegistry {
    DynamoRegistry::open(aws, RegistrySettings::default()).await.expect("a registry")
}

fn tenant(name: &str) -> Tenant {
    name.parse().expect("a tenant's name")
}

fn lease(tenant: &Tenant, quota: Quota) -> Lease {
    Lease { tenant: tenant.clone(), made: Timestamp::UNIX_EPOCH, quota }
}

fn key(tenant: &Tenant) -> (AccessKey, Secret) {
    AccessKey::make(tenant, Role::Reader, "ada", Timestamp::UNIX_EPOCH, None).expect("a key")
}

fn deed(tenant: &Tenant, second: i64) -> Deed {
    let at = Timestamp::from_second(second).expect("a time");
    Deed::new(at, tenant, "ada", Verb::Export, "all", DeedOutcome::Done).expect("a deed")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_registry_on_dynamodb_keeps_the_contract() {
    let (_server, aws, registry) = empty().await;
    let (registry, other) = (Arc::new(registry), Arc::new(opened(&aws).await));
    conformance::run(registry.clone(), other).await;
    registry.check().await.expect("a sound table");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs another stand-in: .ci/ring"]
async fn the_registry_keeps_the_contract_on_another_stand_in() {
    let aws = way_to(std::env::var("GLASSPLATE_TEST_AWS").expect("the stand-in's URL"));
    let settings = RegistrySettings::default();
    DynamoRegistry::create_table(&aws, &settings, false).await.expect("a table");
    let (registry, other) = (Arc::new(opened(&aws).await), Arc::new(opened(&aws).await));
    conformance::run(registry.clone(), other).await;
    registry.check().await.expect("a sound table");
}

#[tokio::test]
async fn what_was_written_before_its_answer_was_lost_is_not_written_twice() {
    let (server, _aws, registry) = empty().await;
    let lossy = Faults::before(&server.url(), 7, Plan { lost: 0.3, ..Plan::default() });
    let far = opened(&way_to(lossy.url())).await;
    let museum = tenant("museum");
    for n in 0..6 {
        let name = tenant(&format!("tenant-{n}"));
        far.open_lease(&lease(&name, Quota::default())).await.expect("opened once");
        far.add_key(&key(&name).0).await.expect("made once");
    }
    let quota = Quota { pictures: Some(30), ..Quota::default() };
    far.open_lease(&lease(&museum, quota)).await.expect("opened once");
    for n in 1..=30 {
        let used = far.charge(&museum, &Usage::picture(3)).await.expect("room");
        assert_eq!(used, Usage { pictures: n, bytes: 3 * n, paid_calls: 0 });
    }
    far.charge(&museum, &Usage::picture(3)).await.expect_err("no room is left");
    for _ in 0..10 {
        far.give_back(&museum, &Usage::picture(3)).await.expect("given back");
    }
    let used = registry.usage(&museum).await.expect("usage");
    assert_eq!(used, Usage { pictures: 20, bytes: 60, paid_calls: 0 });
    let lost = lossy.lost();
    assert!(lossy.counts().get(&Kind::Lost).is_some_and(|&n| n > 0));
    let updates = lost.iter().filter(|lost| lost.operation.ends_with("UpdateItem")).count();
    let puts = lost.iter().filter(|lost| lost.operation.ends_with("PutItem")).count();
    assert!(updates > 0 && puts > 0, "{updates} updates and {puts} puts lost their answers");
}

#[tokio::test]
async fn a_charge_is_not_made_by_a_quota_that_was_replaced_meanwhile() {
    let (_server, _aws, registry) = empty().await;
    let museum = tenant("museum");
    let bounded = |n| Quota { pictures: Some(n), ..Quota::default() };
    registry.open_lease(&lease(&museum, Quota::default())).await.expect("a lease");
    for (before, after) in [(Quota::default(), bounded(9)), (bounded(9), bounded(3))] {
        let account = registry.account(&museum).await.expect("an account");
        assert_eq!(account.quota, before);
        let charge = account.charge(&Usage::picture(1), &Token::draw()).expect("room");
        registry.set_quota(&museum, &after).await.expect("set");
        let charge = charge.expect("something to charge");
        let updated = registry.table.update(&Key::account(&museum), charge).await;
        assert!(!updated.expect("an answer").held, "{before:?} is not {after:?}");
    }
    let used = registry.charge(&museum, &Usage::picture(1)).await.expect("room");
    assert_eq!(used, Usage::picture(1));
}

#[tokio::test]
async fn pointers_to_nothing_show_nowhere() {
    let (_server, _aws, registry) = empty().await;
    let (museum, other) = (tenant("museum"), tenant("other"));
    registry.point(&Key::leased(&museum)).await.expect("a pointer");
    assert_eq!(registry.leases(None, 10).await.expect("leases"), []);
    registry.open_lease(&lease(&museum, Quota::default())).await.expect("a lease");
    let (made, lost) = (key(&museum).0, key(&museum).0);
    registry.add_key(&made).await.expect("added");
    registry.point(&Key::held(&museum, &lost.id)).await.expect("a pointer");
    registry.point(&Key::held(&other, &made.id)).await.expect("a pointer");
    assert_eq!(registry.keys(&museum, None, 10).await.expect("keys"), [made]);
    assert_eq!(registry.keys(&other, None, 10).await.expect("keys"), []);
    assert_eq!(registry.leases(None, 10).await.expect("leases").len(), 1);
}

#[tokio::test]
async fn a_request_costs_what_the_layout_says() {
    let (_server, _aws, registry) = empty().await;
    let museum = tenant("museum");
    registry.open_lease(&lease(&museum, Quota::default())).await.expect("a lease");
    let mut before = registry.table.gauge.sum();
    let mut costs = |what: &str, read: f64, write: f64| {
        let now = registry.table.gauge.sum();
        let spent = (now.read - before.read, now.write - before.write);
        assert_eq!(spent, (read, write), "{what}: read and write units");
        before = now;
    };
    for _ in 0..20 {
        registry.charge(&museum, &Usage::picture(1 << 40)).await.expect("room");
    }
    costs("20 charges", 20.0, 20.0);
    let made = key(&museum).0;
    registry.add_key(&made).await.expect("added");
    costs("a key", 1.0, 3.0);
    assert!(registry.key(&made.id).await.expect("an answer").is_some());
    costs("whose key", 1.0, 0.0);
    assert!(registry.has_keys().await.expect("an answer"));
    costs("whether there are keys", 1.0, 0.0);
    for second in 0..20 {
        registry.note(&deed(&museum, second)).await.expect("noted");
    }
    costs("20 deeds", 0.0, 20.0);
    assert_eq!(registry.deeds(&museum, None, 5).await.expect("deeds").len(), 5);
    costs("a page of deeds", 4.0, 0.0);
}

#[tokio::test]
async fn a_table_that_is_not_a_registry_is_refused() {
    let server = glassplate_harness::dynamo::start();
    let aws = way_to(server.url());
    let settings = RegistrySettings { table: "ledger".to_owned() };
    let fault = DynamoRegistry::open(&aws, settings.clone()).await.expect_err("no table");
    assert!(fault.kind() == FaultKind::NotFound && fault.is_for_all());
    assert!(fault.reason().contains("no registry in the table ledger"), "{}", fault.reason());
    let ledger = DynamoSettings { table: "ledger".to_owned() };
    DynamoCatalogue::create_table(&aws, &ledger, Billing::OnDemand, false).await.expect("a table");
    let fault = DynamoRegistry::open(&aws, settings.clone()).await.expect_err("a catalogue");
    assert_eq!(fault.kind(), FaultKind::Refused);
    let fault = DynamoRegistry::create_table(&aws, &settings, false).await;
    assert_eq!(fault.expect_err("a catalogue").kind(), FaultKind::Refused);
    let own = RegistrySettings { table: "people".to_owned() };
    DynamoRegistry::create_table(&aws, &own, false).await.expect("a table");
    assert!(!DynamoRegistry::create_table(&aws, &own, false).await.expect("it was there"));
    let people = DynamoSettings { table: "people".to_owned() };
    let fault = DynamoCatalogue::open(&aws, people).await.expect_err("a registry");
    assert_eq!(fault.kind(), FaultKind::Refused);
    let wrong = RegistrySettings { table: "a/b".to_owned() };
    let fault = DynamoRegistry::open(&aws, wrong).await.expect_err("no name");
    assert_eq!(fault.kind(), FaultKind::BadInput);
}
