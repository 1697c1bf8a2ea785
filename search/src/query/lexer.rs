//! Cuts a query into pieces, each with its place for messages; knows no field.

/// One piece of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    /// Its place: characters from the beginning, from 1.
    pub(super) at: usize,
    /// What it is.
    pub(super) is: Is<'a>,
}

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Is<'a> {
    /// `(`
    Open,
    /// `)`
    Close,
    /// `OR`
    Or,
    /// `AND`, which says nothing that standing side by side does not.
    And,
    /// `NOT`, or a minus before something.
    Not,
    /// A word, a phrase, a field.
    Said {
        /// What stands before its first colon, where that may be a field's name.
        field: Option<&'a str>,
        /// The rest.
        value: Value<'a>,
    },
}

/// What a piece says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// A word as typed, without blanks; may be empty behind a colon.
    Bare(&'a str),
    /// What stands between quotes.
    Quoted(&'a str),
    /// A quote begins here and never ends.
    Endless,
}

/// Cuts a query into its pieces.
pub(super) fn pieces(query: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = query;
    let mut at = 1;
    loop {
        let trimmed = rest.trim_start();
        at += characters(&rest[..rest.len() - trimmed.len()]);
        if trimmed.is_empty() {
            return pieces;
        }
        let (is, length) = piece(trimmed);
        pieces.push(Piece { at, is });
        at += characters(&trimmed[..length]);
        rest = &trimmed[length..];
    }
}

/// Cuts the piece that begins a text; tells its length in bytes.
fn piece(text: &str) -> (Is<'_>, usize) {
    let minus = text.starts_with('-') && text[1..].starts_with(|c: char| !c.is_whitespace());
    match text.as_bytes()[0] {
        b'(' => return (Is::Open, 1),
        b')' => return (Is::Close, 1),
        b'-' if minus => return (Is::Not, 1),
        _ => {}
    }
    let name = text.bytes().take_while(|b| b.is_ascii_alphabetic() || *b == b'_').count();
    let named = name > 0 && text[name..].starts_with(':');
    let value_at = if named { name + 1 } else { 0 };
    let (value, length) = value(&text[value_at..]);
    let field = named.then(|| &text[..name]);
    let is = match (field, value) {
        (None, Value::Bare("OR")) => Is::Or,
        (None, Value::Bare("AND")) => Is::And,
        (None, Value::Bare("NOT")) => Is::Not,
        (field, value) => Is::Said { field, value },
    };
    (is, value_at + length)
}

fn value(text: &str) -> (Value<'_>, usize) {
    let Some(quote) = text.chars().next().filter(|&c| is_quote(c)) else {
        let ends = |c: char| c.is_whitespace() || is_quote(c) || matches!(c, '(' | ')');
        let end = text.find(ends).unwrap_or(text.len());
        return (Value::Bare(&text[..end]), end);
    };
    let inner = &text[quote.len_utf8()..];
    match inner.char_indices().find(|&(_, c)| is_quote(c)) {
        Some((end, close)) => {
            (Value::Quoted(&inner[..end]), quote.len_utf8() + end + close.len_utf8())
        }
        None => (Value::Endless, text.len()),
    }
}

/// Straight quotes and those that word processors put in their place.
fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\u{201C}' | '\u{201D}' | '\u{201E}' | '\u{00AB}' | '\u{00BB}')
}

fn characters(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(query: &str) -> Vec<Is<'_>> {
        pieces(query).into_iter().map(|piece| piece.is).collect()
    }

    fn bare(text: &str) -> Is<'_> {
        Is::Said { field: None, value: Value::Bare(text) }
    }

    #[test]
    fn words_phrases_fields_and_negations_are_told_apart() {
        let query = " été -dog title:\"old mill\" -creator:x LC-1 12:30 - end";
        let title = Is::Said { field: Some("title"), value: Value::Quoted("old mill") };
        let creator = Is::Said { field: Some("creator"), value: Value::Bare("x") };
        let expected = [
            bare("été"),
            Is::Not,
            bare("dog"),
            title,
            Is::Not,
            creator,
            bare("LC-1"),
            bare("12:30"),
            bare("-"),
            bare("end"),
        ];
        assert_eq!(said(query), expected);
        assert_eq!(pieces(query)[2].at, 7);
    }

    #[test]
    fn groups_and_connectives_are_told_from_words() {
        let expected = [
            Is::Not,
            Is::Open,
            bare("dog"),
            Is::Or,
            bare("cat"),
            Is::Close,
            Is::And,
            bare("or"),
            Is::Not,
            bare("x"),
        ];
        assert_eq!(said("-(dog OR cat) AND or NOT x"), expected);
    }

    #[test]
    fn a_quote_that_never_ends_is_told() {
        let endless = Is::Said { field: None, value: Value::Endless };
        assert_eq!(pieces("a \"b c").last(), Some(&Piece { at: 3, is: endless }));
        let quoted = Is::Said { field: None, value: Value::Quoted("b c") };
        assert_eq!(said("\u{201C}b c\u{201D}"), [quoted]);
    }

    proptest! {
        #[test]
        fn every_query_is_cut_to_its_end(query in ".{0,60}") {
            for piece in pieces(&query) {
                prop_assert!(piece.at <= query.chars().count());
            }
        }
    }
}
