//! Cuts a query into pieces, each with its place for messages; knows no field.

/// One piece of a query between blanks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    /// Its place: characters from the beginning, from 1.
    pub(super) at: usize,
    /// Whether a minus stands before it.
    pub(super) negated: bool,
    /// What stands before its first colon, where that may be a field's name.
    pub(super) field: Option<&'a str>,
    /// The rest.
    pub(super) value: Value<'a>,
}

/// What a piece says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// A word as typed, without blanks; may be empty behind a colon.
    Bare(&'a str),
    /// What stands between quotes.
    Quoted(&'a str),
    /// A quote begins here and never ends.
    Open,
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
        let (piece, length) = piece(trimmed, at);
        pieces.push(piece);
        at += characters(&trimmed[..length]);
        rest = &trimmed[length..];
    }
}

/// Cuts the piece that begins a text; tells its length in bytes.
fn piece(text: &str, at: usize) -> (Piece<'_>, usize) {
    let negated = text.starts_with('-') && text[1..].starts_with(|c: char| !c.is_whitespace());
    let body = if negated { &text[1..] } else { text };
    let name = body.bytes().take_while(|b| b.is_ascii_alphabetic() || *b == b'_').count();
    let named = name > 0 && body[name..].starts_with(':');
    let value_at = if named { name + 1 } else { 0 };
    let (value, length) = value(&body[value_at..]);
    let field = named.then(|| &body[..name]);
    (Piece { at, negated, field, value }, usize::from(negated) + value_at + length)
}

fn value(text: &str) -> (Value<'_>, usize) {
    let Some(quote) = text.chars().next().filter(|&c| is_quote(c)) else {
        let end = text.find(|c: char| c.is_whitespace() || is_quote(c)).unwrap_or(text.len());
        return (Value::Bare(&text[..end]), end);
    };
    let inner = &text[quote.len_utf8()..];
    match inner.char_indices().find(|&(_, c)| is_quote(c)) {
        Some((end, close)) => {
            (Value::Quoted(&inner[..end]), quote.len_utf8() + end + close.len_utf8())
        }
        None => (Value::Open, text.len()),
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

    fn bare(at: usize, text: &str) -> Piece<'_> {
        Piece { at, negated: false, field: None, value: Value::Bare(text) }
    }

    #[test]
    fn words_phrases_fields_and_negations_are_told_apart() {
        let pieces = pieces(" été -dog title:\"old mill\" -creator:x LC-1 12:30 - end");
        assert_eq!(pieces[0], bare(2, "été"));
        assert_eq!(pieces[1], Piece { negated: true, ..bare(6, "dog") });
        assert_eq!(pieces[2].field, Some("title"));
        assert_eq!(pieces[2].value, Value::Quoted("old mill"));
        assert!(pieces[3].negated && pieces[3].field == Some("creator"));
        assert_eq!(pieces[4].value, Value::Bare("LC-1"));
        assert_eq!(pieces[5].value, Value::Bare("12:30"), "a number is no field");
        assert_eq!(pieces[6].value, Value::Bare("-"));
        assert_eq!(pieces.len(), 8);
    }

    #[test]
    fn a_quote_that_never_ends_is_told() {
        assert_eq!(pieces("a \"b c").last().map(|p| (p.at, p.value)), Some((3, Value::Open)));
        assert_eq!(pieces("\u{201C}b c\u{201D}")[0].value, Value::Quoted("b c"));
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
