//! Highlights: the piece of a text in which words were found, and where they stand in it.

use serde::Serialize;

use crate::query::ast::{Clause, Words};
use crate::query::plan::Need;
use crate::summary::Summary;
use crate::why::Why;
use crate::words::{self, Purpose};

/// About how many characters a piece has.
const LENGTH: usize = 200;
/// How many characters of it stand before the first word found.
const BEFORE: usize = 60;
/// The most pieces of a hit.
const MOST: usize = 3;

/// A piece of a text with the words found in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Highlight {
    /// The metadata field.
    pub field: String,
    /// The piece; an ellipsis stands where the text goes on.
    pub text: String,
    /// The words found in it: begin and end, in bytes of `text`.
    pub found: Vec<(usize, usize)>,
}

/// Cuts the pieces of the texts that `why` names.
pub(crate) fn highlights(needs: &[Need], summary: &Summary<'_>, why: &[Why]) -> Vec<Highlight> {
    let named = |field: &str, source: &str| {
        why.iter().any(
            |why| matches!(why, Why::Text { field: f, source: s, .. } if f == field && s == source),
        )
    };
    let mut texts = summary.texts.iter().filter(|text| named(&text.field, &text.source)).peekable();
    if texts.peek().is_none() {
        return Vec::new();
    }
    let mut asked = Asked::default();
    needs.iter().for_each(|need| asked.add(need));
    texts.filter_map(|text| asked.piece(&text.field, &text.text)).take(MOST).collect()
}

/// The words asked for, however.
#[derive(Default)]
struct Asked<'a> {
    whole: Vec<&'a str>,
    openings: Vec<&'a str>,
}

impl<'a> Asked<'a> {
    fn add(&mut self, need: &'a Need) {
        match need {
            Need::All(all) | Need::Any(all) => all.iter().for_each(|need| self.add(need)),
            Need::Not(_) => {}
            Need::One(clause) | Need::Opening { clause, .. } => self.add_clause(clause),
            Need::Name { words, .. } => words.iter().for_each(|clause| self.add_clause(clause)),
        }
    }

    fn add_clause(&mut self, Clause { words: Words { tokens, opening, .. }, .. }: &'a Clause) {
        self.whole.extend(tokens.iter().map(|token| token.text.as_str()));
        self.openings.extend(opening.as_deref());
    }

    fn holds(&self, word: &str) -> bool {
        let mut whole = false;
        words::cut(word, Purpose::Index, |_, token| whole |= self.whole.contains(&token));
        whole || {
            let folded = if self.openings.is_empty() { String::new() } else { words::fold(word) };
            self.openings.iter().any(|opening| folded.starts_with(opening))
        }
    }

    /// The piece around the first word found; nothing when there is none.
    fn piece(&self, field: &str, text: &str) -> Option<Highlight> {
        let found: Vec<(usize, usize)> =
            spans(text).filter(|&(from, to)| self.holds(&text[from..to])).collect();
        let &(first, _) = found.first()?;
        let start = text[..first].char_indices().rev().nth(BEFORE).map_or(0, |(at, _)| at);
        let start = boundary(text, start, first);
        let end = text[start..].char_indices().nth(LENGTH).map_or(text.len(), |(at, _)| start + at);
        let before = if start > 0 { "…" } else { "" };
        let after = if end < text.len() { "…" } else { "" };
        let moved = |at: usize| at - start + before.len();
        let within = found.iter().filter(|(from, to)| *from >= start && *to <= end);
        Some(Highlight {
            field: field.to_owned(),
            found: within.map(|&(from, to)| (moved(from), moved(to))).collect(),
            text: format!("{before}{}{after}", &text[start..end]),
        })
    }
}

/// The runs of letters and digits: begin and end in bytes.
fn spans(text: &str) -> impl Iterator<Item = (usize, usize)> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty()).map(|run| {
        let from = run.as_ptr() as usize - text.as_ptr() as usize;
        (from, from + run.len())
    })
}

/// Moves the start of a piece behind the next blank, so that it begins with a whole word.
fn boundary(text: &str, start: usize, first: usize) -> usize {
    if start == 0 {
        return 0;
    }
    let blank = text[start..first].find(char::is_whitespace);
    blank.map_or(start, |at| {
        let at = start + at;
        at + text[at..].chars().next().map_or(0, char::len_utf8)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn piece(asked: &[&str], text: &str) -> Option<Highlight> {
        Asked { whole: asked.to_vec(), openings: Vec::new() }.piece("caption", text)
    }

    #[test]
    fn words_are_marked_as_they_stand_in_the_text() {
        let found = piece(&["boat", "zurich"], "Two Boats, moored in Zürich.").expect("found");
        let marked: Vec<&str> = found.found.iter().map(|&(a, b)| &found.text[a..b]).collect();
        assert_eq!(marked, ["Boats", "Zürich"]);
        assert_eq!(piece(&["car"], "Two boats"), None);
    }

    #[test]
    fn a_long_text_is_cut_around_the_first_word() {
        let text = format!("{} turtle {}", "lorem ipsum ".repeat(50), "dolor ".repeat(90));
        let found = piece(&["turtle"], &text).expect("found");
        assert!(found.text.starts_with('…') && found.text.ends_with('…'));
        assert!(found.text.chars().count() <= LENGTH + 2);
        assert_eq!(&found.text[found.found[0].0..found.found[0].1], "turtle");
    }

    proptest! {
        #[test]
        fn marks_lie_on_whole_characters(text in "(boat|é|東|[a-z ]|\\PC){0,300}") {
            if let Some(found) = piece(&["boat"], &text) {
                for (from, to) in found.found {
                    prop_assert!(!found.text[from..to].is_empty());
                }
            }
        }
    }
}
