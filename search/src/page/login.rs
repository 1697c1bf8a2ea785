//! `/login` and `/logout`: a key is pasted once, and the browser keeps it in a cookie.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::shell::Page;
use super::trouble::Trouble;
use crate::http::{Site, TurnedAway, sign_in, sign_out};

/// Where somebody goes after signing in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Next {
    next: String,
}

/// A key as it was pasted.
#[derive(Debug, Deserialize)]
pub(super) struct Pasted {
    key: String,
    #[serde(default)]
    next: String,
}

/// Shows the form.
pub(super) async fn ask(Query(Next { next }): Query<Next>) -> Response {
    page().with(form(&next, None))
}

/// Takes a key.
pub(super) async fn enter(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Form(Pasted { key, next }): Form<Pasted>,
) -> Result<Response, Trouble> {
    match sign_in(&site, &headers, &key).await {
        Ok(cookie) => {
            Ok(([(header::SET_COOKIE, cookie)], Redirect::to(within(&next))).into_response())
        }
        Err(TurnedAway::Unknown) => {
            let wrong = "This key opens nothing: it may be mistyped, expired or revoked.";
            Ok(page().answer(StatusCode::UNAUTHORIZED, form(&next, Some(wrong))))
        }
        Err(TurnedAway::Otherwise(problem)) => Err(problem.into()),
    }
}

/// Makes the browser forget its key.
pub(super) async fn leave(State(site): State<Arc<Site>>) -> Response {
    ([(header::SET_COOKIE, sign_out(&site.served))], Redirect::to("/login")).into_response()
}

fn page() -> Page<'static> {
    Page { title: "Sign in", caller: None, at: "", query: "", scripts: &[], layout: "narrow" }
}

/// The way after signing in, when it stays on this site.
fn within(next: &str) -> &str {
    let inside = next.starts_with('/')
        && !next[1..].starts_with(['/', '\\'])
        && next.chars().all(|c| c.is_ascii_graphic());
    if inside { next } else { "/" }
}

fn form(next: &str, wrong: Option<&str>) -> Markup {
    html! {
        h1 { "Sign in" }
        p.quiet { "An archivist of the archive makes keys, and shows each of them once." }
        @if let Some(wrong) = wrong { p.wrong role="alert" { (wrong) } }
        form.form method="post" action="/login" {
            input type="hidden" name="next" value=(within(next));
            label {
                "Key"
                input name="key" type="password" required autofocus autocomplete="current-password"
                    placeholder="gp_…" spellcheck="false";
            }
            button.primary { "Sign in" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_leads_nowhere_else() {
        assert_eq!(within("/assets/x?q=a%20b"), "/assets/x?q=a%20b");
        for elsewhere in ["", "https://a.example/", "//a.example", "/\\a.example", "/a\r\nb", "x"] {
            assert_eq!(within(elsewhere), "/", "{elsewhere}");
        }
    }
}
