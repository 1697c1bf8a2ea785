//! `/help`: what can be asked for, with examples that ask it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use super::links;
use super::shell::Page;
use super::trouble::Trouble;
use super::visitor::Visitor;
use crate::http::Site;

/// The query language: a heading, and examples with what they find.
const LANGUAGE: [(&str, &[(&str, &str)]); 5] = [
    (
        "Words",
        &[
            ("turtle", "finds loggerheads too: labels are found by synonyms and broader terms"),
            ("turtle beach", "both words, wherever they stand; plurals count"),
            ("\"old mill\"", "these words in this order"),
            ("lighth*", "all words that begin so"),
            (
                "turtel",
                "a word that nobody wrote is taken for the nearest one, and the page says so",
            ),
        ],
    ),
    (
        "Together",
        &[
            ("boat OR ship", "one of them"),
            ("car -truck", "the first without the second; also: car NOT truck"),
            ("(cat OR dog) -horse", "brackets group"),
        ],
    ),
    (
        "What people wrote",
        &[
            ("creator:mydans", "one field"),
            ("title:\"rear of houses\"", "a phrase in a field"),
            ("collection:historical", "a collection"),
            ("date:1936", "a year; also a month, 1936-04, or a day"),
            ("date:1930..1939", "a span"),
        ],
    ),
    (
        "What models saw",
        &[
            ("object:dog", "only objects"),
            ("scene:harbor", "only scenes"),
            ("concept:sailing", "only concepts"),
            ("boat confidence>=0.9", "only where a model is that sure; a person always is"),
            ("source:human", "what a person ruled on"),
            ("state:approved", "where a label was approved; also added, proposed"),
        ],
    ),
    (
        "The pictures themselves",
        &[
            ("is:monochrome", "without colour"),
            ("is:portrait", "higher than wide; also landscape, square"),
            ("has:people", "with somebody in it"),
            ("noise>=10", "noisy ones; also blur, contrast, blockiness, and edge in pixels"),
            ("format:png", "of one format"),
        ],
    ),
];

/// Keys, and what they do.
const KEYS: [(&str, &str); 8] = [
    ("/", "to the search box, from anywhere"),
    ("+ − 0 1", "on a picture: closer, farther, all of it, one to one"),
    ("arrows", "on a picture that is larger than its place: move it"),
    ("j k", "on an asset: the next and the last of the hits it came from"),
    ("a", "in the review: approve"),
    ("r", "in the review: reject"),
    ("n", "in the review: the next question, this one left open"),
    ("u", "in the review: back to the last answer, to give another"),
];

/// Shows the help.
pub(super) async fn show(
    State(_): State<Arc<Site>>,
    Visitor(caller): Visitor,
) -> Result<Response, Trouble> {
    let page = Page {
        title: "Help",
        caller: Some(&caller),
        at: "/help",
        query: "",
        scripts: &[],
        layout: "narrow",
    };
    Ok(page.with(content()))
}

fn content() -> Markup {
    html! {
        h1 { "What can be asked for" }
        p {
            "What people wrote ranks above labels that people approved, and those above what models \
             saw. Point at a picture to see why it was found."
        }
        @for (heading, examples) in LANGUAGE {
            h2 { (heading) }
            ul.examples.long {
                @for (query, finds) in examples {
                    li { a href=(links::search(query)) { code { (query) } } " " span { (finds) } }
                }
            }
        }
        h2 { "Keys" }
        dl.fields {
            @for (key, does) in KEYS { dt { kbd { (key) } } dd { (does) } }
        }
        h2 { "For programs" }
        p {
            "Everything here can be had by programs too: "
            a href="/v1/docs" { "the API" } ", and "
            a href="/iiif/collections" { "IIIF" } " for viewers."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::parse;

    #[test]
    fn every_example_is_understood() {
        let examples = LANGUAGE.iter().flat_map(|(_, examples)| *examples);
        for (query, _) in examples.chain(&crate::page::search::EXAMPLES) {
            let parsed = parse(query, false);
            assert!(parsed.is_ok(), "{query}: {parsed:?}");
        }
    }
}
