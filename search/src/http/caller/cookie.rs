//! The page's cookie: a key that a browser keeps, out of reach of scripts and of other sites.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, header};
use jiff::Timestamp;

use super::super::{Served, Site};
use super::{TurnedAway, door, origin};

/// How long a browser keeps a key that does not expire sooner, in seconds: 30 days.
const KEPT_SECONDS: i64 = 30 * 24 * 60 * 60;

/// The cookie's name; over https one that browsers take from this host and over https only.
fn name(served: &Served) -> &'static str {
    if is_https(served) { "__Host-glassplate" } else { "glassplate" }
}

fn is_https(served: &Served) -> bool {
    served.base.as_deref().is_some_and(|base| base.starts_with("https://"))
}

/// The key in a request's cookie.
pub(super) fn shown<'a>(headers: &'a HeaderMap, served: &Served) -> Option<&'a str> {
    let wanted = name(served);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == wanted).then_some(value))
}

/// Takes a key that somebody typed into the page, and gives the `Set-Cookie` that keeps it.
///
/// # Errors
/// As a request with this key, and when the form is of another site's page: nobody is to be signed in
/// as somebody else unawares.
pub async fn sign_in(
    site: &Arc<Site>,
    headers: &HeaderMap,
    key: &str,
) -> Result<HeaderValue, TurnedAway> {
    if !origin::is_own(headers, &site.served) {
        return Err(TurnedAway::from_elsewhere());
    }
    let key = key.trim();
    let caller = door::let_in(site, key).await?;
    let now = site.clock.now();
    let mut seconds = KEPT_SECONDS;
    if let Some(id) = &caller.key
        && let Some(key) = site.registry.key(id).await?
        && let Some(expires) = key.expires
    {
        seconds = seconds.min(seconds_between(now, expires));
    }
    // A key that was let in consists of letters, digits and underscores.
    let value = HeaderValue::from_str(&set(&site.served, key, seconds));
    value.map_err(|_| TurnedAway::Unknown)
}

/// The `Set-Cookie` that makes a browser forget its key.
pub fn sign_out(served: &Served) -> HeaderValue {
    HeaderValue::from_str(&set(served, "", 0)).expect("a cookie of known letters")
}

fn set(served: &Served, value: &str, seconds: i64) -> String {
    let (name, secure) = (name(served), if is_https(served) { "; Secure" } else { "" });
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

fn seconds_between(now: Timestamp, then: Timestamp) -> i64 {
    then.duration_since(now).as_secs().max(0)
}
