//! The shell: what is around every page, and the headers that every page is sent with.

use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use glassplate_pipeline::tenancy::Role;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::statics::address;
use crate::http::Caller;

/// What a page may load: everything from here, nothing from elsewhere, nothing inline.
pub(super) const POLICY: &str = "default-src 'none'; img-src 'self'; style-src 'self'; \
     script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'";

/// One page on its way to a browser.
pub(super) struct Page<'a> {
    /// What the tab says.
    pub(super) title: &'a str,
    /// Whose page it is; nobody's before they signed in.
    pub(super) caller: Option<&'a Caller>,
    /// Where it stands in the navigation: the address of one of its links.
    pub(super) at: &'static str,
    /// What was searched for, so that the box keeps it.
    pub(super) query: &'a str,
    /// Scripts besides those that every page has.
    pub(super) scripts: &'a [&'static str],
    /// A class that lays the page out.
    pub(super) layout: &'static str,
}

/// A link of the navigation, and the role that it is for.
const LINKS: [(&str, &str, Role); 6] = [
    ("/collections", "Collections", Role::Reader),
    ("/review", "Review", Role::Editor),
    ("/runs", "Runs", Role::Reader),
    ("/upload", "Upload", Role::Archivist),
    ("/keys", "Keys", Role::Archivist),
    ("/help", "Help", Role::Reader),
];

impl Page<'_> {
    /// Puts the shell around a page's content.
    pub(super) fn with(&self, content: Markup) -> Response {
        self.answer(StatusCode::OK, content)
    }

    /// As [`Self::with`], with another status.
    pub(super) fn answer(&self, status: StatusCode, content: Markup) -> Response {
        let headers: [(HeaderName, &str); 5] = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            // Not no-store: a page that was left must be there at once on the way back.
            (header::CACHE_CONTROL, "private, no-cache"),
            (header::REFERRER_POLICY, "same-origin"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        (status, headers, self.document(content).into_string()).into_response()
    }

    fn document(&self, content: Markup) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    title { (self.title) " · glassplate" }
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    link rel="icon" type="image/svg+xml" href=(address("icon.svg"));
                    link rel="stylesheet" href=(address("page.css"));
                    // Before the first paint, so that the page does not flash in the other theme.
                    script src=(address("theme.js")) {}
                    script src=(address("page.js")) defer {}
                    @for script in self.scripts {
                        script src=(address(script)) defer {}
                    }
                }
                body class=(self.layout) {
                    a.skip href="#content" { "To the content" }
                    (self.head())
                    main #content tabindex="-1" { (content) }
                }
            }
        }
    }

    fn head(&self) -> Markup {
        html! {
            header.top {
                a.mark href="/" aria-label="glassplate, to the search" {
                    (MARK)
                    span aria-hidden="true" { "glassplate" }
                }
                @if self.caller.is_some() { (self.search_box()) }
                nav aria-label="Main" {
                    @if let Some(caller) = self.caller {
                        ul {
                            @for (address, name, role) in LINKS.iter().filter(|l| caller.role >= l.2) {
                                @let _ = role;
                                li {
                                    a href=(address) aria-current=[(*address == self.at).then_some("page")] {
                                        (name)
                                    }
                                }
                            }
                        }
                    }
                }
                @if let Some(caller) = self.caller.filter(|caller| caller.key.is_some()) {
                    form.out method="post" action="/logout" {
                        button title=(format!("{}, {}", caller.who, caller.role)) { "Sign out" }
                    }
                }
                button.theme type="button" hidden aria-label="Light or dark" title="Light or dark" {
                    (THEME)
                }
            }
        }
    }

    fn search_box(&self) -> Markup {
        html! {
            form.find role="search" action="/" method="get" {
                label.unseen for="q" { "Search the pictures" }
                input #q name="q" type="search" value=(self.query) placeholder="turtle, street at night, creator:mydans …"
                    autocomplete="off" autocapitalize="off" spellcheck="false" enterkeyhint="search"
                    maxlength="1000";
                button type="submit" aria-label="Search" { (LENS) }
                ul #suggestions role="listbox" aria-label="Suggestions" hidden {}
            }
        }
    }
}

/// A glass plate: a rounded frame with a horizon in it.
const MARK: PreEscaped<&str> = PreEscaped(
    r#"<svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true"><rect x="2.5" y="3.5" width="19" height="17" rx="2.5" fill="none" stroke="currentColor" stroke-width="1.6"/><path d="M3 16.5l5.2-5 4 4 3-2.6 5.8 4.8" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linejoin="round"/><circle cx="15.6" cy="8.4" r="1.7" fill="currentColor"/></svg>"#,
);

const LENS: PreEscaped<&str> = PreEscaped(
    r#"<svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true"><circle cx="8.5" cy="8.5" r="5.5" fill="none" stroke="currentColor" stroke-width="1.8"/><path d="M13 13l4.5 4.5" stroke="currentColor" stroke-width="1.8" stroke-linecap="round"/></svg>"#,
);

const THEME: PreEscaped<&str> = PreEscaped(
    r#"<svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true"><circle cx="10" cy="10" r="7" fill="none" stroke="currentColor" stroke-width="1.6"/><path d="M10 3a7 7 0 010 14z" fill="currentColor"/></svg>"#,
);
