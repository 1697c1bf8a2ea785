//! What every registry must do; each backend's tests call [`run`] on an empty one.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    AccessKey, Deed, DeedId, DeedOutcome, KeyId, KeyState, Lease, Quota, Registry, Role, Secret,
    Usage, Verb,
};
use crate::asset::Tenant;
use crate::fault::FaultKind;

/// Runs every check of the contract; `other` is the same registry, opened once more.
pub(super) async fn run(registry: Arc<dyn Registry>, other: Arc<dyn Registry>) {
    before_the_first_key_there_is_none(&*registry, &*other).await;
    leases_read_back_and_are_opened_once(&*registry).await;
    a_quota_is_replaced(&*registry).await;
    a_charge_is_all_or_nothing(&*registry).await;
    charges_at_once_never_pass_a_quota(&registry, &other).await;
    what_was_given_back_can_be_used_again(&*registry).await;
    keys_read_back(&*registry, &*other).await;
    a_key_is_revoked_by_its_own_tenant_only(&*registry).await;
    tenants_keys_and_deeds_are_apart(&*registry).await;
    deeds_are_paged_while_others_are_noted(&*registry).await;
    deeds_noted_at_once_are_all_kept(&registry, &other).await;
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn tenant(name: &str) -> Tenant {
    name.parse().expect("a tenant's name")
}

async fn lease(registry: &dyn Registry, name: &str, quota: Quota) -> Tenant {
    let tenant = tenant(name);
    let lease = Lease { tenant: tenant.clone(), made: at(1), quota };
    registry.open_lease(&lease).await.expect("a lease");
    tenant
}

async fn key(registry: &dyn Registry, tenant: &Tenant, name: &str) -> (AccessKey, Secret) {
    let made = AccessKey::make(tenant, Role::Editor, name, at(2), Some(at(100)));
    let (key, secret) = made.expect("a key");
    registry.add_key(&key).await.expect("added");
    (key, secret)
}

fn deed(tenant: &Tenant, second: i64, subject: &str) -> Deed {
    let deed = Deed::new(at(second), tenant, "ada", Verb::Download, subject, DeedOutcome::Done);
    let id: KeyId = "0123456789abcdef".parse().expect("an id");
    deed.expect("a deed").over_http(Some(&id), Some("request-1"))
}

async fn before_the_first_key_there_is_none(registry: &dyn Registry, other: &dyn Registry) {
    assert!(!registry.has_keys().await.expect("an answer"));
    let keyed = lease(registry, "first", Quota::default()).await;
    let (first, _) = key(registry, &keyed, "ada").await;
    assert!(other.has_keys().await.expect("an answer"), "the other sees the key");
    registry.revoke_key(&keyed, &first.id, at(3)).await.expect("revoked");
    assert!(registry.has_keys().await.expect("an answer"), "a revoked key was made all the same");
}

async fn leases_read_back_and_are_opened_once(registry: &dyn Registry) {
    let quota = Quota { pictures: Some(3), bytes: Some(1 << 40), ..Quota::default() };
    let museum = lease(registry, "museum", quota).await;
    let expected = Lease { tenant: museum.clone(), made: at(1), quota };
    assert_eq!(registry.lease(&museum).await.expect("a lease"), Some(expected.clone()));
    let again = Lease { quota: Quota::default(), ..expected.clone() };
    let fault = registry.open_lease(&again).await.expect_err("twice");
    assert_eq!(fault.kind(), FaultKind::Conflict);
    assert_eq!(registry.lease(&museum).await.expect("a lease"), Some(expected));
    assert_eq!(registry.lease(&tenant("nobody")).await.expect("an answer"), None);
    for name in ["page-b", "page-a", "page-c"] {
        lease(registry, name, Quota::default()).await;
    }
    let page = registry.leases(Some(&tenant("page")), 2).await.expect("leases");
    let names: Vec<_> = page.iter().map(|lease| lease.tenant.as_str()).collect();
    assert_eq!(names, ["page-a", "page-b"]);
}

async fn a_quota_is_replaced(registry: &dyn Registry) {
    let tenant = lease(registry, "replaced", Quota::default()).await;
    let quota = Quota { paid_calls: Some(0), requests_a_minute: Some(60), ..Quota::default() };
    registry.set_quota(&tenant, &quota).await.expect("set");
    assert_eq!(registry.lease(&tenant).await.expect("a lease").map(|l| l.quota), Some(quota));
    let fault = registry.charge(&tenant, &Usage::paid_call()).await.expect_err("none allowed");
    assert!(fault.reason().contains("paid_calls"), "{}", fault.reason());
    let never = Quota { requests_a_minute: Some(0), ..Quota::default() };
    let fault = registry.set_quota(&tenant, &never).await.expect_err("out of range");
    assert_eq!(fault.kind(), FaultKind::BadInput);
    let nobody = "nobody".parse().expect("a tenant's name");
    let fault = registry.set_quota(&nobody, &quota).await.expect_err("nobody");
    assert_eq!(fault.kind(), FaultKind::NotFound);
}

async fn a_charge_is_all_or_nothing(registry: &dyn Registry) {
    let quota = Quota { pictures: Some(2), bytes: Some(100), ..Quota::default() };
    let tenant = lease(registry, "charged", quota).await;
    let used = registry.charge(&tenant, &Usage::picture(60)).await.expect("room");
    assert_eq!(used, Usage::picture(60));
    let fault = registry.charge(&tenant, &Usage::picture(41)).await.expect_err("too many bytes");
    assert_eq!(fault.kind(), FaultKind::Refused);
    assert!(fault.reason().contains("quota of bytes is 100"), "{}", fault.reason());
    assert_eq!(registry.usage(&tenant).await.expect("usage"), used);
    let used = registry.charge(&tenant, &Usage::picture(40)).await.expect("just room");
    assert_eq!(used, Usage { pictures: 2, bytes: 100, paid_calls: 0 });
    let fault = registry.charge(&tenant, &Usage::picture(0)).await.expect_err("too many pictures");
    assert!(fault.reason().contains("quota of pictures is 2"), "{}", fault.reason());
    let free = "without-a-lease".parse().expect("a tenant's name");
    registry.charge(&free, &Usage::picture(1 << 50)).await.expect("no quota");
    assert_eq!(registry.usage(&free).await.expect("usage"), Usage::picture(1 << 50));
}

async fn charges_at_once_never_pass_a_quota(
    registry: &Arc<dyn Registry>,
    other: &Arc<dyn Registry>,
) {
    let quota = Quota { pictures: Some(10), bytes: Some(1_000), ..Quota::default() };
    let tenant = lease(&**registry, "raced", quota).await;
    let tasks: Vec<_> = (0..32)
        .map(|n| {
            let registry = if n % 2 == 0 { registry.clone() } else { other.clone() };
            let tenant = tenant.clone();
            tokio::spawn(async move { registry.charge(&tenant, &Usage::picture(7)).await })
        })
        .collect();
    let mut charged = 0;
    for task in tasks {
        match task.await.expect("a task") {
            Ok(sum) => {
                assert!(sum.pictures <= 10, "{sum:?}");
                charged += 1;
            }
            Err(fault) => assert_eq!(fault.kind(), FaultKind::Refused, "{}", fault.reason()),
        }
    }
    assert_eq!(charged, 10);
    let used = registry.usage(&tenant).await.expect("usage");
    assert_eq!(used, Usage { pictures: 10, bytes: 70, paid_calls: 0 });
}

async fn what_was_given_back_can_be_used_again(registry: &dyn Registry) {
    let quota = Quota { paid_calls: Some(1), ..Quota::default() };
    let tenant = lease(registry, "given-back", quota).await;
    let call = Usage::paid_call();
    registry.charge(&tenant, &call).await.expect("room");
    registry.charge(&tenant, &call).await.expect_err("full");
    registry.give_back(&tenant, &call).await.expect("given back");
    registry.charge(&tenant, &call).await.expect("room again");
    registry.give_back(&tenant, &Usage::picture(9)).await.expect("more than was used");
    assert_eq!(registry.usage(&tenant).await.expect("usage"), call);
}

async fn keys_read_back(registry: &dyn Registry, other: &dyn Registry) {
    let tenant = lease(registry, "keyed", Quota::default()).await;
    let (first, secret) = key(registry, &tenant, "Ada Lovelace – Archiv").await;
    let read = other.key(secret.id()).await.expect("an answer").expect("the key");
    assert_eq!(read, first);
    assert!(secret.opens(Some(&read)));
    let (second, _) = key(registry, &tenant, "bob").await;
    let mut all = registry.keys(&tenant, None, 10).await.expect("keys");
    assert!(all.is_sorted_by_key(|key| key.id.clone()));
    let mut expected = vec![first.clone(), second];
    expected.sort_by_key(|key| key.id.clone());
    assert_eq!(all, expected);
    let next = registry.keys(&tenant, Some(&all[0].id), 10).await.expect("keys");
    assert_eq!(next, all.split_off(1));
    let fault = registry.add_key(&first).await.expect_err("twice");
    assert_eq!(fault.kind(), FaultKind::Conflict);
    let foreign = AccessKey::make(
        &"nobody".parse().expect("a tenant's name"),
        Role::Reader,
        "eve",
        at(2),
        None,
    );
    let fault = registry.add_key(&foreign.expect("a key").0).await.expect_err("no lease");
    assert_eq!(fault.kind(), FaultKind::NotFound);
    let unknown = "ffffffffffffffff".parse().expect("an id");
    assert_eq!(registry.key(&unknown).await.expect("an answer"), None);
}

async fn a_key_is_revoked_by_its_own_tenant_only(registry: &dyn Registry) {
    let (own, foreign) = (
        lease(registry, "revoking", Quota::default()).await,
        lease(registry, "meddling", Quota::default()).await,
    );
    let (made, _) = key(registry, &own, "ada").await;
    let fault = registry.revoke_key(&foreign, &made.id, at(5)).await.expect_err("foreign");
    let unknown = "fffffffffffffffe".parse().expect("an id");
    let other = registry.revoke_key(&foreign, &unknown, at(5)).await.expect_err("unknown");
    assert_eq!(fault.kind(), FaultKind::NotFound);
    assert_eq!(
        fault.reason().replace(made.id.as_str(), ""),
        other.reason().replace("fffffffffffffffe", ""),
        "a foreign key reads as an unknown one"
    );
    let state = async || registry.key(&made.id).await.expect("an answer").expect("the key");
    assert_eq!(state().await.state(at(6)), KeyState::Valid);
    registry.revoke_key(&own, &made.id, at(7)).await.expect("revoked");
    registry.revoke_key(&own, &made.id, at(8)).await.expect("revoked again");
    assert_eq!(state().await.revoked, Some(at(7)), "the first time holds");
    assert_eq!(state().await.state(at(7)), KeyState::Revoked);
}

async fn tenants_keys_and_deeds_are_apart(registry: &dyn Registry) {
    let (one, other) = (
        lease(registry, "apart", Quota::default()).await,
        lease(registry, "apart-too", Quota::default()).await,
    );
    let (made, _) = key(registry, &one, "ada").await;
    registry.note(&deed(&one, 1, "a secret subject")).await.expect("noted");
    registry.charge(&one, &Usage::picture(3)).await.expect("room");
    assert_eq!(registry.keys(&other, None, 10).await.expect("keys"), []);
    assert_eq!(registry.deeds(&other, None, 10).await.expect("deeds"), []);
    assert_eq!(registry.usage(&other).await.expect("usage"), Usage::default());
    assert_eq!(registry.keys(&one, None, 10).await.expect("keys"), [made]);
}

async fn deeds_are_paged_while_others_are_noted(registry: &dyn Registry) {
    let tenant = lease(registry, "audited", Quota::default()).await;
    let mut noted = Vec::new();
    for n in 0..5 {
        let deed = deed(&tenant, 10 + n, &format!("asset {n} – 日本"));
        registry.note(&deed).await.expect("noted");
        registry.note(&deed).await.expect("noted again");
        noted.push(deed);
    }
    let (mut read, mut before): (Vec<Deed>, Option<DeedId>) = (Vec::new(), None);
    loop {
        let page = registry.deeds(&tenant, before.as_ref(), 2).await.expect("deeds");
        registry.note(&deed(&tenant, 100, "a later one")).await.expect("noted");
        before = page.last().map(|deed| deed.id.clone());
        read.extend(page);
        if before.is_none() {
            break;
        }
    }
    read.reverse();
    assert_eq!(read, noted);
}

async fn deeds_noted_at_once_are_all_kept(registry: &Arc<dyn Registry>, other: &Arc<dyn Registry>) {
    let tenant = lease(&**registry, "busy", Quota::default()).await;
    let tasks: Vec<_> = (0..64)
        .map(|n| {
            let registry = if n % 2 == 0 { registry.clone() } else { other.clone() };
            let deed = deed(&tenant, 1, &n.to_string());
            tokio::spawn(async move { registry.note(&deed).await })
        })
        .collect();
    for task in tasks {
        task.await.expect("a task").expect("noted");
    }
    assert_eq!(registry.deeds(&tenant, None, 100).await.expect("deeds").len(), 64);
}
