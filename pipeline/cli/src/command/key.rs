//! `glassplate key`: lets people into an archive, and shows them out.

use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::tenancy::{AccessKey, KeyId, Registry, Role, Verb, keep_key};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::audit::note;
use crate::arguments::KeyAction;
use crate::compose::Desk;
use crate::exit::Exit;
use crate::output::{self, data, plain, say};

/// How many keys are read at a time.
const PAGE: usize = 500;

pub(crate) async fn run(desk: &Desk, action: &KeyAction) -> Result<Exit, Fault> {
    let registry = desk.registry().await?;
    match action {
        KeyAction::Create { role, name, expires } => {
            create(desk, &*registry, *role, name, *expires).await?;
        }
        KeyAction::List => list(desk, &*registry).await?,
        KeyAction::Revoke { id } => revoke(desk, &*registry, id).await?,
    }
    Ok(Exit::Done)
}

async fn create(
    desk: &Desk,
    registry: &dyn Registry,
    role: Role,
    name: &str,
    expires: Option<SignedDuration>,
) -> Result<(), Fault> {
    let now = Timestamp::now();
    let expires = expires.map(|after| now.checked_add(after)).transpose();
    let expires =
        expires.map_err(|e| Fault::bad_input("no key lasts as long as that").because(e))?;
    let (key, secret) = AccessKey::make(&desk.tenant, role, name, now, expires)?;
    keep_key(registry, &key).await.map_err(|fault| without_lease(desk, fault))?;
    let subject = format!("{} {} {}", key.id, key.role, key.name);
    note(desk, registry, &desk.tenant, Verb::MakeKey, &subject).await?;
    if desk.json {
        let mut value = shown(&key, now);
        value["secret"] = json!(secret.reveal());
        output::json(&value);
    } else {
        say(told(&key, now));
        say("the key follows; it is kept nowhere and cannot be shown again:");
        data(secret.reveal());
    }
    Ok(())
}

/// Adds what to do about a tenant that has no lease.
fn without_lease(desk: &Desk, fault: Fault) -> Fault {
    use glassplate_pipeline::fault::FaultKind;

    match fault.kind() {
        FaultKind::NotFound => Fault::not_found(format!(
            "{}: open its archive with `glassplate tenant create {}`",
            fault.reason(),
            desk.tenant
        )),
        _ => fault,
    }
}

async fn list(desk: &Desk, registry: &dyn Registry) -> Result<(), Fault> {
    let now = Timestamp::now();
    let mut after: Option<KeyId> = None;
    loop {
        let page = registry.keys(&desk.tenant, after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id.clone());
        for key in &page {
            if desk.json {
                output::json(&shown(key, now));
            } else {
                data(told(key, now));
            }
        }
    }
}

async fn revoke(desk: &Desk, registry: &dyn Registry, id: &str) -> Result<(), Fault> {
    let (id, now): (KeyId, _) = (id.parse()?, Timestamp::now());
    registry.revoke_key(&desk.tenant, &id, now).await?;
    note(desk, registry, &desk.tenant, Verb::RevokeKey, id.as_str()).await?;
    if desk.json {
        output::json(&json!({ "id": id, "state": "revoked" }));
    } else {
        data(format!("key {id} opens nothing any more"));
    }
    Ok(())
}

fn shown(key: &AccessKey, now: Timestamp) -> Value {
    json!({
        "id": key.id,
        "tenant": key.tenant,
        "role": key.role,
        "name": key.name,
        "made": key.made,
        "expires": key.expires,
        "revoked": key.revoked,
        "state": key.state(now).name(),
    })
}

/// One key in words: `0123456789abcdef  editor  Ada  made 2026-01-31, expires 2026-03-02  valid`.
fn told(key: &AccessKey, now: Timestamp) -> String {
    let day = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
    let expires = key.expires.map(|at| format!(", expires {}", day(at))).unwrap_or_default();
    format!(
        "{}  {}  {}  made {}{expires}  {}",
        key.id,
        key.role,
        plain(&key.name),
        day(key.made),
        key.state(now).name()
    )
}
