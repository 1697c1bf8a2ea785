//! `/`: the search, and what there is to begin with.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use glassplate_pipeline::fault::{Fault, FaultKind};
use maud::{Markup, html};

use super::collections;
use super::facets::{chips, facets, thousands};
use super::grid::grid;
use super::links::{self, SORTS, Wanted};
use super::shell::Page;
use super::trouble::Trouble;
use super::visitor::Visitor;
use crate::ask::{Count, Facet, Sort};
use crate::http::{Caller, Site};
use crate::search::Answer;

/// What one can type, and what it finds; the help has more.
pub(super) const EXAMPLES: [(&str, &str); 8] = [
    ("dog", "what is seen, with its breeds"),
    ("\"old mill\"", "these words in this order"),
    ("street night", "both words, anywhere"),
    ("creator:mydans", "one field"),
    ("date:1930..1939", "a span of days or years"),
    ("scene:harbor", "where it plays"),
    ("car -truck", "without something"),
    ("boat confidence>=0.8", "only what models are sure of"),
];

/// Shows what a search finds.
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Visitor(caller): Visitor,
    RawQuery(text): RawQuery,
) -> Result<Response, Trouble> {
    let wanted = Wanted::read(text.as_deref());
    match site.search(&caller.tenant, wanted.ask()).await {
        Ok(answer) if wanted.hits_only => {
            Ok(axum::response::Html(hits(&wanted, &answer).into_string()).into_response())
        }
        Ok(answer) => {
            let start = if wanted.is_everything() && wanted.cursor.is_none() {
                Some(beginning(&collections::of(&site, &caller.tenant).await?))
            } else {
                None
            };
            Ok(page(&caller, &wanted).with(found(&wanted, &answer, start)))
        }
        // What was typed is at fault: the box is still there to mend it.
        Err(fault) if fault.kind() == FaultKind::BadInput => Ok(page(&caller, &wanted)
            .answer(StatusCode::BAD_REQUEST, misunderstood(&wanted.query, &fault))),
        Err(fault) => Err(fault.into()),
    }
}

fn page<'a>(caller: &'a Caller, wanted: &'a Wanted) -> Page<'a> {
    Page {
        title: if wanted.query.is_empty() { "Pictures" } else { &wanted.query },
        caller: Some(caller),
        at: "/",
        query: &wanted.query,
        scripts: &["search.js"],
        layout: "search",
    }
}

fn found(wanted: &Wanted, answer: &Answer, start: Option<Markup>) -> Markup {
    let narrowing = !answer.facets.iter().all(|counts| counts.values.is_empty());
    html! {
        @if narrowing {
            aside.facets aria-label="Narrow down" {
                details open {
                    summary { "Narrow down" }
                    (facets(wanted, &answer.facets))
                }
            }
        }
        div.found {
            @if let Some(start) = start { (start) }
            (above(wanted, answer))
            (hits(wanted, answer))
        }
    }
}

/// What stands above the hits: how many there are, in which order, how the query was taken.
fn above(wanted: &Wanted, answer: &Answer) -> Markup {
    html! {
        div.above {
            h1 { (heading(wanted, answer.total)) }
            (chips(wanted))
            (orders(wanted))
        }
        @for correction in &answer.corrections {
            p.note {
                "Searched for " strong { (correction.taken) } " instead of " (correction.typed) ". "
                a href=(links::search(&format!("\"{}\"", correction.typed))) {
                    "Search for exactly “" (correction.typed) "”"
                }
            }
        }
        @for note in &answer.notes { p.note { (note) } }
        @if wanted.cursor.is_some() {
            p.note { a href=(wanted.at_start().address()) { "Back to the first hits" } }
        }
        @if answer.total == 0 { (nothing(wanted)) }
    }
}

fn heading(wanted: &Wanted, total: u64) -> String {
    let pictures = if total == 1 { "picture" } else { "pictures" };
    let count = thousands(total);
    match (wanted.is_everything(), wanted.query.is_empty()) {
        (true, _) => format!("All {count} {pictures}"),
        (_, true) => format!("{count} {pictures}"),
        _ => format!("{count} {pictures} for {}", wanted.query),
    }
}

fn orders(wanted: &Wanted) -> Markup {
    html! {
        ul.orders aria-label="Order" {
            @for (sort, _, words) in SORTS {
                // Without words to fit, the best are the last added.
                @if !(wanted.query.is_empty() && sort == Sort::Relevance) {
                    @let current = sort == wanted.sort
                        || wanted.query.is_empty() && sort == Sort::Added
                            && wanted.sort == Sort::Relevance;
                    li {
                        a href=(wanted.sorted(sort).address()) rel="nofollow"
                            aria-current=[current.then_some("true")] { (words) }
                    }
                }
            }
        }
    }
}

/// The hits and the way to more of them: what a script asks for again and again.
fn hits(wanted: &Wanted, answer: &Answer) -> Markup {
    html! {
        div.hits {
            (grid(&answer.hits))
            @if let Some(next) = &answer.next {
                p.more { a href=(wanted.after(next).address()) rel="next" { "More pictures" } }
            }
        }
    }
}

fn nothing(wanted: &Wanted) -> Markup {
    html! {
        section.nothing {
            h2 { "Nothing was found" }
            @if !wanted.within.is_empty() {
                p {
                    "Without the conditions there may be something: "
                    a href=(links::search(&wanted.query)) { "search for " (wanted.query) " everywhere" }
                    "."
                }
            }
            p { "What one can type:" }
            (examples())
        }
    }
}

fn examples() -> Markup {
    html! {
        ul.examples {
            @for (query, finds) in EXAMPLES {
                li { a href=(links::search(query)) { code { (query) } } " " span { (finds) } }
            }
        }
    }
}

/// Says what is wrong with a query, and where.
fn misunderstood(query: &str, fault: &Fault) -> Markup {
    html! {
        div.found {
            h1 { "That was not understood" }
            p.wrong role="alert" { (fault) }
            @if let Some((before, wrong)) = place(query, &fault.to_string()) {
                p.place { code { (before) mark { (wrong) } } }
            }
            p { "What one can type:" }
            (examples())
            p { a href="/help" { "All that can be asked for" } }
        }
    }
}

/// Cuts a query where a fault says that it went wrong: `at character 3 of the query: …`.
fn place<'a>(query: &'a str, fault: &str) -> Option<(&'a str, &'a str)> {
    let rest = fault.strip_prefix("at character ")?;
    let at: usize = rest.split(' ').next()?.parse().ok()?;
    let (begin, _) = query.char_indices().nth(at.checked_sub(1)?)?;
    Some(query.split_at(begin))
}

/// What there is to begin with: collections, and what one can type.
fn beginning(collections: &[Count]) -> Markup {
    html! {
        section.beginning {
            @if !collections.is_empty() {
                nav aria-label="Collections" {
                    h2 { "Collections" }
                    ul.shelves {
                        @for collection in collections.iter().take(12) {
                            li {
                                a href=(links::within(Facet::Collection, &collection.value)) {
                                    (collection.value) " " span.count { (thousands(collection.count)) }
                                }
                            }
                        }
                        @if collections.len() > 12 {
                            li { a href="/collections" { "all " (collections.len()) } }
                        }
                    }
                }
            }
            details.can {
                summary { "What one can type" }
                (examples())
                p { a href="/help" { "All that can be asked for" } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_cut_where_it_went_wrong() {
        let fault = "at character 4 of the query: there is no such field";
        assert_eq!(place("größe:3 b", fault), Some(("grö", "ße:3 b")));
        assert_eq!(place("ab", fault), None);
        assert_eq!(place("ab", "the query is too long"), None);
    }
}
