//! Facets: what the hits can be narrowed by, as links that work without a script.

use maud::{Markup, html};

use super::links::Wanted;
use crate::ask::{Counts, Facet};

/// How many values of a facet are shown before the rest is unfolded.
const SHOWN: usize = 7;

/// The facet's name for people.
const fn heading(facet: Facet) -> &'static str {
    match facet {
        Facet::Object => "Objects",
        Facet::Scene => "Scenes",
        Facet::Concept => "Concepts",
        Facet::Collection => "Collections",
        Facet::Decade => "Decades",
        Facet::Format => "Formats",
        Facet::Tone => "Colour",
        Facet::Orientation => "Shape",
        Facet::State => "Labels are",
    }
}

/// Writes all facets that have something to choose from.
pub(super) fn facets(wanted: &Wanted, counts: &[Counts]) -> Markup {
    html! {
        @for counts in counts.iter().filter(|counts| !counts.values.is_empty()) {
            section.facet {
                h3 { (heading(counts.facet)) }
                (values(wanted, counts, 0, SHOWN))
                @if counts.values.len() > SHOWN {
                    details {
                        summary { (counts.values.len() - SHOWN) " more" }
                        (values(wanted, counts, SHOWN, usize::MAX))
                    }
                }
            }
        }
    }
}

fn values(wanted: &Wanted, counts: &Counts, from: usize, most: usize) -> Markup {
    let facet = counts.facet;
    html! {
        ul {
            @for count in counts.values.iter().skip(from).take(most) {
                @let held = wanted.has(facet, &count.value);
                @let leads = if held {
                    wanted.without(facet, &count.value)
                } else {
                    wanted.with(facet, &count.value)
                };
                li {
                    a href=(leads.address()) aria-current=[held.then_some("true")] rel="nofollow" {
                        span.value { (count.value.replace('_', " ")) }
                        span.count { (thousands(count.count)) }
                    }
                }
            }
        }
    }
}

/// Writes the conditions that hold as chips; a click takes one away.
pub(super) fn chips(wanted: &Wanted) -> Markup {
    html! {
        @if !wanted.within.is_empty() {
            ul.chips aria-label="Narrowed to" {
                @for (facet, value) in &wanted.within {
                    li {
                        a href=(wanted.without(*facet, value).address())
                            aria-label=(format!("Remove {facet} {value}")) {
                            span.of { (facet) } " " (value.replace('_', " "))
                            span.cross aria-hidden="true" { "×" }
                        }
                    }
                }
            }
        }
    }
}

/// Writes a number with its thousands set apart: `12,345`.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::Count;

    #[test]
    fn a_value_links_to_the_search_narrowed_by_it_and_a_held_one_takes_it_away() {
        let wanted = Wanted::read(Some("q=turtle&collection=Sea+%26+shore"));
        let count = |value: &str| Count { value: value.to_owned(), count: 1_234 };
        let counts = [
            Counts { facet: Facet::Collection, values: vec![count("Sea & shore")] },
            Counts { facet: Facet::Object, values: vec![count("<i>boat")] },
        ];
        let page = facets(&wanted, &counts).into_string();
        assert!(page.contains(r#"href="/?q=turtle" aria-current="true""#), "{page}");
        let narrowed = "/?q=turtle&amp;collection=Sea+%26+shore&amp;object=%3Ci%3Eboat";
        assert!(page.contains(narrowed), "{page}");
        assert!(page.contains("&lt;i&gt;boat") && page.contains("1,234"), "{page}");
    }

    #[test]
    fn thousands_are_set_apart() {
        let written = [0, 999, 1_000, 12_345, 1_234_567].map(thousands);
        assert_eq!(written, ["0", "999", "1,000", "12,345", "1,234,567"]);
    }
}
