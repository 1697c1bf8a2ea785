//! The open desk: how a laptop's user begins, before any key was made.
//!
//! While the server listens to its own machine alone and no key exists anywhere, requests are an
//! archivist's of tenant `default`. Every program of that machine may send one, so whatever a
//! browser sends for another site's page is refused, and so is another name than the machine's own
//! (a stranger's name may point here) and whatever a proxy passed on.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::fault::{Fault, FaultKind};
use glassplate_pipeline::tenancy::{Registry, Role};
use jiff::Timestamp;

use super::super::{Served, Site};
use super::door::within;
use super::origin::{self, is_loopback};
use super::{Caller, TurnedAway};

/// How long it is believed that there is still no key, in seconds.
const KEYLESS_LIFE_SECONDS: i64 = 1;

/// Headers that a proxy adds: whoever sends through one is not at this desk.
const OF_PROXIES: [&str; 5] =
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

/// Whether the desk may be open, and what is known of keys.
pub(super) struct Desk {
    may_open: bool,
    keys: Mutex<Keys>,
}

#[derive(Default, Clone, Copy)]
enum Keys {
    /// Nobody asked yet.
    #[default]
    NotAsked,
    /// There was none at this moment.
    NoneAt(Timestamp),
    /// There is one; that lasts.
    Made,
}

impl Desk {
    pub(super) fn new(may_open: bool) -> Self {
        Self { may_open, keys: Mutex::default() }
    }

    fn known(&self) -> Keys {
        *self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn learn(&self, keys: Keys) {
        *self.keys.lock().unwrap_or_else(PoisonError::into_inner) = keys;
    }
}

impl super::Door {
    /// Closes the open desk at once: a key was made.
    pub(crate) fn close_desk(&self) {
        self.desk.learn(Keys::Made);
    }
}

/// Says whether a server may listen at an address: beyond its own machine only once there is a key.
///
/// Returns whether the desk may be open: what [`Door::new`](super::Door::new) is to be told.
///
/// # Errors
/// `Refused` with the command to type.
pub async fn check_listening(registry: &dyn Registry, listen: SocketAddr) -> Result<bool, Fault> {
    if listen.ip().is_loopback() {
        return Ok(true);
    }
    if registry.has_keys().await? {
        return Ok(false);
    }
    Err(Fault::new(
        FaultKind::Refused,
        format!(
            "at {listen} everybody could reach the archive, and there is no key yet: make one with \
             `glassplate key create --role archivist --name NAME`, or listen at 127.0.0.1"
        ),
    ))
}

/// Tells whether requests need no key.
pub(super) async fn is_open(site: &Site) -> Result<bool, TurnedAway> {
    let base = site.served.base.as_deref();
    let here = base.is_none_or(|base| is_loopback(origin::host_of(base)));
    if !site.door.desk.may_open || !here {
        return Ok(false);
    }
    let now = site.clock.now();
    match site.door.desk.known() {
        Keys::Made => return Ok(false),
        Keys::NoneAt(then) if within(then, now, KEYLESS_LIFE_SECONDS) => return Ok(true),
        Keys::NoneAt(_) | Keys::NotAsked => {}
    }
    let made = site.registry.has_keys().await?;
    if made {
        site.door.desk.learn(Keys::Made);
    } else if !matches!(site.door.desk.known(), Keys::Made) {
        site.door.desk.learn(Keys::NoneAt(now));
    }
    Ok(!made)
}

/// Lets somebody at this machine in.
pub(super) fn let_in(parts: &Parts, served: &Served) -> Result<Caller, TurnedAway> {
    let headers = &parts.headers;
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| parts.uri.authority().map(|authority| authority.as_str()));
    if OF_PROXIES.iter().any(|name| headers.contains_key(*name)) || !host.is_none_or(is_loopback) {
        return Err(TurnedAway::refused(
            "without a key the archive answers to its own machine only, as 127.0.0.1 or localhost: \
             make a key with `glassplate key create --role archivist --name NAME`",
        ));
    }
    let safe = parts.method.is_safe();
    let may = comes_from_here(headers, served, safe) || (safe && is_a_program_at_pictures(parts));
    if !may {
        return Err(TurnedAway::from_elsewhere());
    }
    Ok(Caller {
        tenant: Tenant::default(),
        who: "desk".to_owned(),
        role: Role::Archivist,
        key: None,
        requests_a_minute: None,
        request: None,
    })
}

/// Tells whether a program that is no browser asks for a picture; IIIF's validator says that it comes
/// from `iiif.io`. A browser would say `Sec-Fetch-Site` to its own machine, whatever page asks.
fn is_a_program_at_pictures(parts: &Parts) -> bool {
    parts.uri.path().starts_with("/iiif/") && !parts.headers.contains_key("sec-fetch-site")
}

/// Tells whether no other site's page sent the request. Programs send none of these headers;
/// pages of this machine, such as another viewer's, may read, and links from anywhere may be followed.
fn comes_from_here(headers: &HeaderMap, served: &Served, safe: bool) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let site = text("sec-fetch-site");
    if !safe {
        let named = site.is_some() || headers.contains_key(header::ORIGIN);
        return !named || origin::is_own(headers, served);
    }
    let from = text("origin").or_else(|| text("referer"));
    match (site, from) {
        (Some("cross-site"), _) if text("sec-fetch-mode") == Some("navigate") => true,
        (Some("cross-site"), None) => false,
        (Some("same-origin" | "none"), _) | (_, None) => true,
        (_, Some(from)) => is_loopback(origin::host_of(from)),
    }
}
