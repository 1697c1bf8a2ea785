//! The meaning of a query: clauses, all of which a record must meet.

use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::label::LabelKind;

use super::lexer::{self, Piece, Value};
use crate::fields::{self, FieldKind, QueryField};
use crate::words::{self, Purpose, Token};
use glassplate_pipeline::days::Days;

/// The longest query in characters; what is longer was pasted by mistake.
const LONGEST: usize = 1_000;
/// The most clauses.
const MOST_CLAUSES: usize = 40;
/// The most words in one clause.
const MOST_WORDS: usize = 40;

/// Words too common to ask for: they are left out of a query where other words are left.
const COMMON: [&str; 18] = [
    "a", "an", "and", "are", "at", "by", "for", "from", "in", "is", "of", "on", "or", "the", "to",
    "was", "were", "with",
];

/// A query, understood.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Query {
    /// What a record must, or must not, meet.
    pub(crate) clauses: Vec<Clause>,
    /// The least confidence of a machine label that was asked for, 0 to 1; else the bar holds.
    pub(crate) least: Option<f32>,
    /// What the asker should know about how the query was taken.
    pub(crate) notes: Vec<String>,
}

/// One condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Clause {
    /// Whether a record must not meet it.
    pub(crate) negated: bool,
    /// What is asked for.
    pub(crate) target: Target,
    /// The words asked for.
    pub(crate) words: Words,
}

/// Where a clause's words are looked up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Target {
    /// In texts, labels and names of files.
    Anywhere,
    /// In the texts of one field.
    Named(&'static str),
    /// Among labels of one kind, or of any.
    Label(Option<LabelKind>),
    /// Among the days of taking.
    Date(Days),
    /// Among the ids.
    Asset,
}

/// Words as asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Words {
    /// As typed, for people.
    pub(crate) shown: String,
    /// Folded; several must stand side by side.
    pub(crate) tokens: Vec<Token>,
    /// Whether they stood in quotes.
    pub(crate) quoted: bool,
}

/// Understands a query; an empty one asks for everything.
///
/// # Errors
/// `BadInput` naming the place.
pub(crate) fn parse(text: &str) -> Result<Query, Fault> {
    if text.chars().count() > LONGEST {
        return Err(Fault::bad_input(format!("the query is longer than {LONGEST} characters")));
    }
    let mut clauses = Vec::new();
    let mut least = None;
    for piece in lexer::pieces(text) {
        match confidence(&piece)? {
            Some(confidence) => least = Some(confidence),
            None => clauses.push(clause(&piece)?),
        }
    }
    if clauses.len() > MOST_CLAUSES {
        return Err(Fault::bad_input(format!("the query has more than {MOST_CLAUSES} conditions")));
    }
    let mut notes = Vec::new();
    leave_out_common(&mut clauses, &mut notes);
    Ok(Query { clauses, least, notes })
}

/// Reads `confidence>=0.5`, also `confidence:0.5`.
fn confidence(piece: &Piece<'_>) -> Result<Option<f32>, Fault> {
    let asked = match (piece.field, piece.value) {
        (Some(name), Value::Bare(value)) if name.eq_ignore_ascii_case("confidence") => value,
        (None, Value::Bare(word)) => {
            let name = word.bytes().take_while(u8::is_ascii_alphabetic).count();
            let (name, rest) = word.split_at(name);
            if !name.eq_ignore_ascii_case("confidence") || !rest.starts_with(['<', '>', '=']) {
                return Ok(None);
            }
            rest.strip_prefix(">=").unwrap_or("")
        }
        _ => return Ok(None),
    };
    match asked.parse() {
        Ok(confidence) if (0.0..=1.0).contains(&confidence) && !piece.negated => {
            Ok(Some(confidence))
        }
        _ => Err(wrong(piece, "write the least confidence as confidence>=0.5, between 0 and 1")),
    }
}

fn clause(piece: &Piece<'_>) -> Result<Clause, Fault> {
    let (text, quoted) = match piece.value {
        Value::Bare(text) => (text, false),
        Value::Quoted(text) => (text, true),
        Value::Open => return Err(wrong(piece, "the quotation that begins here has no end")),
    };
    let field = piece.field.map(|name| known(piece, name)).transpose()?;
    if let (Some(field), "") = (field, text) {
        return Err(wrong(piece, &format!("nothing stands behind {}:", field.name)));
    }
    let target = field.map_or(Ok(Target::Anywhere), |field| target(piece, field, text))?;
    let tokens = match target {
        Target::Date(_) | Target::Asset => Vec::new(),
        Target::Named(fields::FORMAT) => words::tokens(format_name(text), Purpose::Query),
        _ => words::tokens(text, Purpose::Query),
    };
    let needs_words = !matches!(target, Target::Date(_) | Target::Asset);
    if needs_words && tokens.is_empty() {
        return Err(wrong(piece, &format!("{text:?} has no letter or digit to search for")));
    }
    if tokens.len() > MOST_WORDS {
        return Err(wrong(piece, &format!("more than {MOST_WORDS} words in one phrase")));
    }
    let words = Words { shown: text.to_owned(), tokens, quoted };
    Ok(Clause { negated: piece.negated, target, words })
}

fn known(piece: &Piece<'_>, name: &str) -> Result<&'static QueryField, Fault> {
    fields::named(name).ok_or_else(|| {
        let message = format!(
            "there is no field {name:?}; the fields are {}; put words with a colon in quotes",
            fields::known()
        );
        wrong(piece, &message)
    })
}

fn target(piece: &Piece<'_>, field: &'static QueryField, text: &str) -> Result<Target, Fault> {
    Ok(match field.kind {
        FieldKind::Words => Target::Named(field.name),
        FieldKind::Label(kind) => Target::Label(kind),
        FieldKind::Asset => Target::Asset,
        FieldKind::Date => Target::Date(Days::asked(text).ok_or_else(|| {
            let message = format!(
                "{text:?} is no date: write 1936, 1936-04, 1936-04-02, 1930s or 1930..1939"
            );
            wrong(piece, &message)
        })?),
    })
}

/// Formats have one name in the index and several among people.
fn format_name(text: &str) -> &str {
    match text.to_ascii_lowercase().as_str() {
        "jpg" => "jpeg",
        "tif" => "tiff",
        "heif" => "heic",
        "jpeg2000" | "j2k" => "jp2",
        _ => text,
    }
}

/// Leaves words out that nearly every text has, where others are left to search for.
fn leave_out_common(clauses: &mut Vec<Clause>, notes: &mut Vec<String>) {
    let common = |clause: &Clause| {
        clause.target == Target::Anywhere
            && !clause.negated
            && !clause.words.quoted
            && COMMON.contains(&clause.words.shown.to_lowercase().as_str())
    };
    let telling =
        |clause: &Clause| clause.target == Target::Anywhere && !clause.negated && !common(clause);
    if !clauses.iter().any(telling) || !clauses.iter().any(common) {
        return;
    }
    let left_out: Vec<String> =
        clauses.iter().filter(|c| common(c)).map(|c| c.words.shown.clone()).collect();
    notes.push(format!("left out as too common: {}", left_out.join(", ")));
    clauses.retain(|clause| !common(clause));
}

fn wrong(piece: &Piece<'_>, message: &str) -> Fault {
    Fault::bad_input(format!("at character {} of the query: {message}", piece.at))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(query: &str) -> String {
        parse(query).expect_err(query).reason()
    }

    #[test]
    fn a_fault_points_at_the_place_and_helps() {
        let reason = refused("boat foo:bar");
        assert!(reason.contains("at character 6") && reason.contains("creator"), "{reason}");
        assert!(refused("x \"y").contains("at character 3"));
        assert!(refused("title:").contains("nothing stands behind title"));
        assert!(refused("date:soon").contains("1930..1939"));
        assert!(refused("???").contains("no letter or digit"));
        for query in ["confidence>=2", "confidence>0.5", "confidence:x", "-confidence>=0.5"] {
            assert!(refused(query).contains("confidence>=0.5"), "{query}");
        }
    }

    #[test]
    fn a_query_is_bounded() {
        assert!(refused(&"a ".repeat(600)).contains("1000 characters"));
        assert!(refused(&"b ".repeat(50)).contains("conditions"));
    }

    #[test]
    fn common_words_are_left_out_and_said() {
        let query = parse("street at night").expect("a query");
        assert_eq!(query.clauses.len(), 2);
        assert_eq!(query.notes, ["left out as too common: at"]);
        assert_eq!(parse("the").expect("a query").clauses.len(), 1, "nothing else is left");
    }

    #[test]
    fn the_least_confidence_is_read_exactly() {
        assert_eq!(parse("dog confidence>=0.9").expect("a query").least, Some(0.9));
        assert_eq!(parse("dog").expect("a query").least, None);
        assert_eq!(parse("confidence").expect("a word").clauses.len(), 1);
    }

    proptest! {
        #[test]
        fn no_query_is_too_strange(query in "[-\":>=. a-zA-Z0-9é東\\PC]{0,60}") {
            if let Err(fault) = parse(&query) {
                prop_assert!(fault.kind().rejects());
            }
        }
    }
}
