//! The door: which keys open what, asked of the registry and remembered for a few seconds.

use std::sync::Arc;

use axum::http::HeaderMap;
use glassplate_pipeline::tenancy::{AccessKey, DeedOutcome, KeyId, KeyState, Secret, Verb};
use jiff::Timestamp;
use quick_cache::sync::Cache;
use sha2::{Digest as _, Sha256};

use super::super::Site;
use super::desk::Desk;
use super::{Caller, OperatorToken, TurnedAway};

/// How long a key that was found valid is believed without asking again, in seconds: a key revoked by
/// another process opens nothing after this. One revoked over this server's API opens nothing at once.
pub const KEY_LIFE_SECONDS: i64 = 5;
/// How many keys are remembered.
const REMEMBERED: usize = 1_024;
/// How long, in seconds, a key's further trespasses are not written down after one was: whoever
/// hammers at the door must not fill the audit log.
const TRESPASS_QUIET_SECONDS: i64 = 60;

/// What lets people in, and what it remembers of keys; nothing of that outlives the process.
pub struct Door {
    pub(super) desk: Desk,
    operator: Option<OperatorToken>,
    known: Cache<[u8; 32], Arc<Admitted>>,
    trespasses: Cache<KeyId, Timestamp>,
}

/// A key that was found valid.
struct Admitted {
    key: AccessKey,
    requests_a_minute: Option<u32>,
    asked: Timestamp,
}

impl Door {
    /// Makes a door.
    ///
    /// `open_desk` is what [`check_listening`](super::check_listening) says; whoever shows the
    /// operator's token may open archives to new tenants, and without one nobody may.
    pub fn new(open_desk: bool, operator: Option<OperatorToken>) -> Self {
        Self {
            desk: Desk::new(open_desk),
            operator,
            known: Cache::new(REMEMBERED),
            trespasses: Cache::new(REMEMBERED),
        }
    }

    /// Tells whether a request shows the operator's token.
    pub(super) fn is_operator(&self, headers: &HeaderMap) -> bool {
        self.operator.as_ref().is_some_and(|token| token.is_shown(headers))
    }

    /// Forgets a key, so that its revocation holds at once.
    pub(crate) fn forget(&self, id: &KeyId) {
        self.known.retain(|_, admitted| admitted.key.id != *id);
    }

    /// Tells whether a trespass with a key is to be written down.
    fn is_news(&self, id: &KeyId, now: Timestamp) -> bool {
        if self.trespasses.get(id).is_some_and(|last| within(last, now, TRESPASS_QUIET_SECONDS)) {
            return false;
        }
        self.trespasses.insert(id.clone(), now);
        true
    }
}

/// Tells whether a moment lies at most so many seconds before another, and not after it.
pub(super) fn within(then: Timestamp, now: Timestamp, seconds: i64) -> bool {
    (0..=i128::from(seconds) * 1_000).contains(&now.duration_since(then).as_millis())
}

/// Lets the holder of a key in.
///
/// Whether the key is unknown, expired, revoked or has another secret, the answer is the same, after
/// one question to the registry.
pub(super) async fn let_in(site: &Arc<Site>, text: &str) -> Result<Caller, TurnedAway> {
    let now = site.clock.now();
    let shown: [u8; 32] = Sha256::digest(text).into();
    if let Some(admitted) = site.door.known.get(&shown)
        && within(admitted.asked, now, KEY_LIFE_SECONDS)
        && admitted.key.state(now) == KeyState::Valid
    {
        return Ok(caller(&admitted));
    }
    let secret: Secret = text.parse().map_err(|_| TurnedAway::Unknown)?;
    let found = site.registry.key(secret.id()).await?;
    let opens = secret.opens(found.as_ref());
    let key = match found {
        Some(key) if opens && key.state(now) == KeyState::Valid => key,
        Some(key) => {
            write_down(site, key, now);
            return Err(TurnedAway::Unknown);
        }
        None => return Err(TurnedAway::Unknown),
    };
    let lease = site.registry.lease(&key.tenant).await?;
    let requests_a_minute = lease.and_then(|lease| lease.quota.requests_a_minute);
    let admitted = Arc::new(Admitted { key, requests_a_minute, asked: now });
    site.door.known.insert(shown, admitted.clone());
    Ok(caller(&admitted))
}

fn caller(admitted: &Admitted) -> Caller {
    let Admitted { key, requests_a_minute, .. } = admitted;
    Caller {
        tenant: key.tenant.clone(),
        who: key.name.clone(),
        role: key.role,
        key: Some(key.id.clone()),
        requests_a_minute: *requests_a_minute,
        request: None,
    }
}

/// Tells the key's tenant that somebody came with it in vain; the answer does not wait for that, or
/// its time would tell which keys exist.
fn write_down(site: &Arc<Site>, key: AccessKey, now: Timestamp) {
    if !site.door.is_news(&key.id, now) {
        return;
    }
    let site = site.clone();
    tokio::spawn(async move {
        let why = match key.state(now) {
            KeyState::Valid => "a wrong secret",
            KeyState::Expired => "an expired key",
            KeyState::Revoked => "a revoked key",
        };
        let caller = caller(&Admitted { key, requests_a_minute: None, asked: now });
        if let Err(fault) = site.audit(&caller, Verb::Trespass, why, DeedOutcome::Refused).await {
            tracing::error!("a trespass could not be written down: {}", fault.reason());
        }
    });
}
