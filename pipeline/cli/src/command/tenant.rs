//! `glassplate tenant`: opens archives to tenants and bounds what they use.

use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::tenancy::{Lease, Quota, Registry, Usage, Verb};
use serde_json::{Value, json};

use super::audit::note;
use crate::arguments::{Bounds, TenantAction};
use crate::compose::Desk;
use crate::exit::Exit;
use crate::output::{self, bytes, data};

/// How many tenants are read at a time.
const PAGE: usize = 500;

pub(crate) async fn run(desk: &Desk, action: &TenantAction) -> Result<Exit, Fault> {
    let registry = desk.registry().await?;
    match action {
        TenantAction::Create { name, bounds } => create(desk, &*registry, name, bounds).await?,
        TenantAction::List => list(desk, &*registry).await?,
        TenantAction::Quota { name, bounds } => quota(desk, &*registry, name, bounds).await?,
    }
    Ok(Exit::Done)
}

async fn create(
    desk: &Desk,
    registry: &dyn Registry,
    tenant: &Tenant,
    bounds: &Bounds,
) -> Result<(), Fault> {
    let quota = bounds.over(Quota::default());
    let lease = Lease { tenant: tenant.clone(), made: jiff::Timestamp::now(), quota };
    registry.open_lease(&lease).await?;
    note(desk, registry, tenant, Verb::OpenLease, tenant.as_str()).await?;
    if desk.json {
        output::json(&shown(&lease, &Usage::default()));
        return Ok(());
    }
    data(told(&lease, &Usage::default()));
    data(format!(
        "its first key: `glassplate --tenant {tenant} key create --role archivist --name NAME`"
    ));
    Ok(())
}

async fn list(desk: &Desk, registry: &dyn Registry) -> Result<(), Fault> {
    let mut after: Option<Tenant> = None;
    loop {
        let page = registry.leases(after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.tenant.clone());
        for lease in &page {
            show(desk, lease, &registry.usage(&lease.tenant).await?);
        }
    }
}

async fn quota(
    desk: &Desk,
    registry: &dyn Registry,
    tenant: &Tenant,
    bounds: &Bounds,
) -> Result<(), Fault> {
    let missing = || Fault::not_found(format!("there is no tenant {tenant}"));
    let mut lease = registry.lease(tenant).await?.ok_or_else(missing)?;
    if !bounds.are_not_given() {
        lease.quota = bounds.over(lease.quota);
        registry.set_quota(tenant, &lease.quota).await?;
        let subject = serde_json::to_string(&lease.quota).expect("our own values are JSON");
        note(desk, registry, tenant, Verb::SetQuota, &subject).await?;
    }
    show(desk, &lease, &registry.usage(tenant).await?);
    Ok(())
}

fn show(desk: &Desk, lease: &Lease, usage: &Usage) {
    if desk.json {
        output::json(&shown(lease, usage));
    } else {
        data(told(lease, usage));
    }
}

fn shown(lease: &Lease, usage: &Usage) -> Value {
    json!({ "tenant": lease.tenant, "made": lease.made, "quota": lease.quota, "used": usage })
}

/// One tenant in words: `museum: 3 of 100 pictures, 1.2 MB, 0 paid calls, since 2026-01-31`.
fn told(lease: &Lease, usage: &Usage) -> String {
    let quota = &lease.quota;
    let of = |used: String, quota: Option<String>| match quota {
        Some(quota) => format!("{used} of {quota}"),
        None => used,
    };
    let number = |used: u64, quota: Option<u64>| of(used.to_string(), quota.map(|q| q.to_string()));
    let minute = quota.requests_a_minute.map(|n| format!(", {n} requests a minute"));
    format!(
        "{}: {} pictures, {}, {} paid calls{}, since {}",
        lease.tenant,
        number(usage.pictures, quota.pictures),
        of(bytes(usage.bytes), quota.bytes.map(bytes)),
        number(usage.paid_calls, quota.paid_calls),
        minute.unwrap_or_default(),
        lease.made.strftime("%Y-%m-%d"),
    )
}
