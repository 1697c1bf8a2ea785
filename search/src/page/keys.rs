//! `/keys`: who may come in, and what was done; for archivists.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::tenancy::{AccessKey, Deed, KeyState, Role};
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use serde::Deserialize;

use super::asset::about::moment;
use super::shell::Page;
use super::trouble::Trouble;
use super::visitor::Visitor;
use crate::http::{Caller, Site, invite, withdraw};

/// How many keys are listed.
const LISTED: usize = 500;
/// How many deeds are listed.
const DEEDS: usize = 50;
/// The longest that a key may be made to last, in days.
const MOST_DAYS: i64 = 3_650;

/// Every role, with what it may do.
const ROLES: [(Role, &str); 3] = [
    (Role::Reader, "search, see, download"),
    (Role::Editor, "rule on labels too"),
    (Role::Archivist, "take pictures in and make keys too"),
];

/// A key that somebody wants made.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    name: String,
    role: Role,
    /// How long it lasts, in days; empty for one that lasts.
    #[serde(default)]
    days: String,
}

/// Lists keys and deeds.
pub(super) async fn list(
    State(site): State<Arc<Site>>,
    Visitor(caller): Visitor,
) -> Result<Response, Trouble> {
    caller.must_be(Role::Archivist)?;
    show(&site, &caller, None).await
}

/// Makes a key, and shows its secret this once.
pub(super) async fn make(
    State(site): State<Arc<Site>>,
    Visitor(caller): Visitor,
    Form(wanted): Form<Wanted>,
) -> Result<Response, Trouble> {
    caller.must_be(Role::Archivist)?;
    caller.must_be(wanted.role)?;
    let expires = end(&wanted.days, site.clock.now())?;
    let secret = invite(&site, &caller, wanted.role, &wanted.name, expires).await?.into_secret();
    let mut response = show(&site, &caller, Some((&wanted.name, &secret))).await?;
    let never = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, never);
    Ok(response)
}

/// Revokes a key for ever.
pub(super) async fn revoke(
    State(site): State<Arc<Site>>,
    Visitor(caller): Visitor,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    caller.must_be(Role::Archivist)?;
    withdraw(&site, &caller, &id).await?;
    Ok(Redirect::to("/keys").into_response())
}

/// When a key's days are over.
fn end(days: &str, now: Timestamp) -> Result<Option<Timestamp>, Fault> {
    if days.trim().is_empty() {
        return Ok(None);
    }
    let wrong = || Fault::bad_input(format!("{days:?} is no number of days: 1 to {MOST_DAYS}"));
    let days: i64 = days.trim().parse().map_err(|_| wrong())?;
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(wrong());
    }
    now.checked_add(SignedDuration::from_hours(24 * days)).map(Some).map_err(|_| wrong())
}

async fn show(
    site: &Site,
    caller: &Caller,
    made: Option<(&str, &str)>,
) -> Result<Response, Trouble> {
    let keys = site.registry.keys(&caller.tenant, None, LISTED).await?;
    let deeds = site.registry.deeds(&caller.tenant, None, DEEDS).await?;
    let page = Page {
        title: "Keys",
        caller: Some(caller),
        at: "/keys",
        query: "",
        scripts: &[],
        layout: "wide",
    };
    let now = site.clock.now();
    Ok(page.with(html! {
        h1 { "Keys" }
        @if let Some((name, secret)) = made { (told(caller, name, secret)) }
        @if keys.is_empty() {
            p.note {
                "There is no key yet, so everybody at this machine is an archivist here. Once the first \
                 is made nobody comes in without one."
            }
        }
        (form())
        @if !keys.is_empty() { (table(&keys, now)) }
        @if !deeds.is_empty() { h2 { "What was done" } (ledger(&deeds)) }
    }))
}

/// The secret, shown once.
fn told(caller: &Caller, name: &str, secret: &str) -> Markup {
    html! {
        section.note.done role="status" {
            h2 { "The key of " (name) }
            p { code #secret { (secret) } " " button type="button" data-copy="secret" hidden { "Copy" } }
            p { "Hand it on now: it is kept nowhere and cannot be shown again." }
            @if caller.key.is_none() {
                p { "It is the first: from now on you need it too. " a href="/login" { "Sign in" } }
            }
        }
    }
}

fn form() -> Markup {
    html! {
        form.invite method="post" action="/keys" {
            label { "For whom" input name="name" required maxlength="80" autocomplete="off"; }
            label {
                "May"
                select name="role" {
                    @for (role, may) in ROLES { option value=(role) { (role) ": " (may) } }
                }
            }
            label { "For so many days" input name="days" type="number" min="1" max=(MOST_DAYS) placeholder="for ever"; }
            button.primary { "Make a key" }
        }
    }
}

fn table(keys: &[AccessKey], now: Timestamp) -> Markup {
    html! {
        div.table tabindex="0" role="region" aria-label="Keys" {
            table {
                thead {
                    tr {
                        th scope="col" { "Holder" } th scope="col" { "Role" } th scope="col" { "State" }
                        th scope="col" { "Made" } th scope="col" { "Ends" } th scope="col" { "Id" }
                        th scope="col" { span.unseen { "Revoke" } }
                    }
                }
                tbody {
                    @for key in keys {
                        @let state = key.state(now);
                        tr {
                            td { (key.name) }
                            td { (key.role) }
                            td { span.state.(state.name()) { (state.name()) } }
                            td { (moment(key.made)) }
                            td { (key.expires.map_or_else(|| "never".to_owned(), moment)) }
                            td { code { (key.id) } }
                            td {
                                @if state == KeyState::Valid {
                                    form method="post" action=(format!("/keys/{}/revoke", key.id)) {
                                        button aria-label=(format!("Revoke the key of {}", key.name)) { "Revoke" }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn ledger(deeds: &[Deed]) -> Markup {
    html! {
        div.table tabindex="0" role="region" aria-label="What was done" {
            table {
                thead {
                    tr {
                        th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "What" }
                        th scope="col" { "On what" } th scope="col" { "Outcome" }
                    }
                }
                tbody {
                    @for deed in deeds {
                        tr {
                            td { (moment(deed.at)) }
                            td { (deed.who) }
                            td { (deed.what.name().replace('_', " ")) }
                            td { (deed.subject) }
                            td { (deed.outcome.name()) }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_ends_after_so_many_days_and_no_nonsense_makes_one_last() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(end(" ", now).expect("for ever"), None);
        let week = end("7", now).expect("a week").expect("an end");
        assert_eq!(week.as_second(), 7 * 24 * 3600);
        for wrong in ["0", "-1", "99999", "a week", "9223372036854775807"] {
            assert!(end(wrong, now).is_err(), "{wrong}");
        }
    }
}
