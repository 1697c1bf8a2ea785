//! The meaning of a query: a tree of what a record must meet.

use glassplate_pipeline::days::Days;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::label::LabelKind;

use super::lexer::{self, Is, Piece, Value};
use crate::fields::{self, FieldKind, QueryField};
use crate::measures::Span;
use crate::words::{self, Purpose, Token};

/// The longest query in characters; what is longer was pasted by mistake.
const LONGEST: usize = 1_000;
/// The most clauses.
const MOST_CLAUSES: usize = 40;
/// The most words in one clause.
const MOST_WORDS: usize = 40;
/// How deep groups may lie in groups.
const DEEPEST: usize = 10;

/// Words too common to ask for: they are left out of a query where other words are left.
const COMMON: [&str; 18] = [
    "a", "an", "and", "are", "at", "by", "for", "from", "in", "is", "of", "on", "or", "the", "to",
    "was", "were", "with",
];

/// A query, understood.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Query {
    /// What a record must meet, all of it; nothing asks for everything.
    pub(crate) all: Vec<Node>,
    /// The least confidence of a machine label that was asked for, 0 to 1; else the bar holds.
    pub(crate) least: Option<f32>,
    /// What the asker should know about how the query was taken.
    pub(crate) notes: Vec<String>,
}

impl Query {
    /// Tells whether labels might answer it.
    pub(crate) fn asks_for_labels(&self) -> bool {
        fn labels(node: &Node) -> bool {
            match node {
                Node::All(all) | Node::Any(all) => all.iter().any(labels),
                Node::Not(_) => false,
                Node::One(clause) => matches!(clause.target, Target::Anywhere | Target::Label(_)),
            }
        }
        self.all.iter().any(labels)
    }
}

/// A part of a query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    /// Everything of it.
    All(Vec<Node>),
    /// One of it at least.
    Any(Vec<Node>),
    /// Nothing that meets it.
    Not(Box<Node>),
    /// A condition.
    One(Clause),
}

/// One condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Clause {
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
    /// Among what was measured.
    Measured(Span),
    /// Among the ids.
    Asset,
    /// Among the exact values of this name.
    Fact(&'static str),
}

/// Words as asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Words {
    /// As typed, for people; an exact value as it is kept.
    pub(crate) shown: String,
    /// Folded; several must stand side by side.
    pub(crate) tokens: Vec<Token>,
    /// Whether they stood in quotes.
    pub(crate) quoted: bool,
    /// The beginning of further words that will do as well, folded: `tur*`, or a word that is
    /// still being typed.
    pub(crate) opening: Option<String>,
}

/// Understands a query; an empty one asks for everything. While it is being typed, its last
/// word may be a beginning.
///
/// # Errors
/// `BadInput` naming the place.
pub(crate) fn parse(text: &str, typing: bool) -> Result<Query, Fault> {
    if text.chars().count() > LONGEST {
        return Err(Fault::bad_input(format!("the query is longer than {LONGEST} characters")));
    }
    let mut parser = Parser { rest: lexer::pieces(text), clauses: 0, least: None };
    parser.rest.reverse();
    let mut all = parser.group(0)?;
    if let Some(Piece { at, .. }) = parser.rest.pop() {
        return Err(wrong(at, "this parenthesis closes nothing"));
    }
    if typing && text.ends_with(|c: char| c.is_alphanumeric()) {
        leave_open(&mut all);
    }
    let mut notes = Vec::new();
    leave_out_common(&mut all, &mut notes);
    Ok(Query { all, least: parser.least, notes })
}

struct Parser<'a> {
    /// The pieces to come, the next one last.
    rest: Vec<Piece<'a>>,
    clauses: usize,
    least: Option<f32>,
}

impl<'a> Parser<'a> {
    /// Reads up to a closing parenthesis or the end: alternatives of conjunctions.
    fn group(&mut self, depth: usize) -> Result<Vec<Node>, Fault> {
        let mut alternatives = Vec::new();
        loop {
            let all = self.conjunction(depth)?;
            let Some(&Piece { at, is: Is::Or }) = self.rest.last() else {
                if alternatives.is_empty() {
                    return Ok(all);
                }
                if all.is_empty() {
                    return Err(Fault::bad_input("nothing stands behind the last OR of the query"));
                }
                alternatives.push(one_of(all));
                return Ok(vec![Node::Any(alternatives)]);
            };
            self.rest.pop();
            if all.is_empty() {
                return Err(wrong(at, "nothing stands before this OR"));
            }
            alternatives.push(one_of(all));
        }
    }

    fn conjunction(&mut self, depth: usize) -> Result<Vec<Node>, Fault> {
        let mut all = Vec::new();
        while let Some(&piece) = self.rest.last() {
            match piece.is {
                Is::Or | Is::Close => break,
                Is::And => {
                    self.rest.pop();
                }
                _ => all.extend(self.term(depth)?),
            }
        }
        Ok(all)
    }

    /// Reads a word, a group, or what must not be; nothing when it was the least confidence.
    fn term(&mut self, depth: usize) -> Result<Option<Node>, Fault> {
        let Some(Piece { at, is }) = self.rest.pop() else { return Ok(None) };
        if depth > DEEPEST {
            return Err(wrong(at, &format!("groups lie in groups more than {DEEPEST} deep")));
        }
        match is {
            Is::Open => {
                let inner = self.group(depth + 1)?;
                match self.rest.pop() {
                    Some(Piece { is: Is::Close, .. }) if !inner.is_empty() => {
                        Ok(Some(one_of(inner)))
                    }
                    Some(_) => Err(wrong(at, "there is nothing in these parentheses")),
                    None => Err(wrong(at, "the parenthesis that opens here is never closed")),
                }
            }
            Is::Not => match self.rest.last() {
                Some(Piece { is: Is::Open | Is::Not | Is::Said { .. }, .. }) => {
                    let least = self.least;
                    let node = self.term(depth + 1)?;
                    if self.least != least {
                        return Err(wrong(at, CONFIDENCE));
                    }
                    Ok(node.map(|node| Node::Not(Box::new(node))))
                }
                _ => Err(wrong(at, "nothing stands behind this NOT")),
            },
            Is::Said { field, value } => {
                if let Some(least) = confidence(at, field, value)? {
                    self.least = Some(least);
                    return Ok(None);
                }
                self.clauses += 1;
                if self.clauses > MOST_CLAUSES {
                    let message = format!("the query has more than {MOST_CLAUSES} conditions");
                    return Err(Fault::bad_input(message));
                }
                clause(at, field, value).map(|clause| Some(Node::One(clause)))
            }
            Is::Or | Is::And | Is::Close => unreachable!("a conjunction ends before these"),
        }
    }
}

fn one_of(mut all: Vec<Node>) -> Node {
    if all.len() == 1 { all.remove(0) } else { Node::All(all) }
}

const CONFIDENCE: &str = "write the least confidence as confidence>=0.5, between 0 and 1";

/// Reads `confidence>=0.5`, also `confidence:0.5`.
fn confidence(at: usize, field: Option<&str>, value: Value<'_>) -> Result<Option<f32>, Fault> {
    let asked = match (field, value) {
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
        Ok(confidence) if (0.0..=1.0).contains(&confidence) => Ok(Some(confidence)),
        _ => Err(wrong(at, CONFIDENCE)),
    }
}

fn clause(at: usize, field: Option<&str>, value: Value<'_>) -> Result<Clause, Fault> {
    let (text, quoted) = match value {
        Value::Bare(text) => (text, false),
        Value::Quoted(text) => (text, true),
        Value::Endless => return Err(wrong(at, "the quotation that begins here has no end")),
    };
    if let (None, Value::Bare(word)) = (field, value)
        && let Some(span) = Span::read(word)
    {
        let target = Target::Measured(span.map_err(|how| wrong(at, &how))?);
        let shown = word.to_lowercase();
        let words = Words { shown, tokens: Vec::new(), quoted: false, opening: None };
        return Ok(Clause { target, words });
    }
    let field = field.map(|name| known(at, name)).transpose()?;
    if let (Some(field), "") = (field, text) {
        return Err(wrong(at, &format!("nothing stands behind {}:", field.name)));
    }
    let target = field.map_or(Ok(Target::Anywhere), |field| target(at, field, text))?;
    let mut words = Words { shown: text.to_owned(), tokens: Vec::new(), quoted, opening: None };
    match target {
        Target::Date(_) | Target::Measured(_) | Target::Asset => {
            return Ok(Clause { target, words });
        }
        Target::Fact(_) => {
            words.shown = text.to_lowercase();
            return Ok(Clause { target, words });
        }
        Target::Anywhere | Target::Named(_) if !quoted && text.ends_with('*') => {
            words.opening = Some(opening(at, text)?);
            return Ok(Clause { target, words });
        }
        Target::Named(fields::FORMAT) => {
            words.tokens = words::tokens(format_name(text), Purpose::Query);
        }
        _ => words.tokens = words::tokens(text, Purpose::Query),
    }
    if words.tokens.is_empty() {
        return Err(wrong(at, &format!("{text:?} has no letter or digit to search for")));
    }
    if words.tokens.len() > MOST_WORDS {
        return Err(wrong(at, &format!("more than {MOST_WORDS} words in one phrase")));
    }
    Ok(Clause { target, words })
}

/// Reads the beginning of a word that a star stands behind.
fn opening(at: usize, text: &str) -> Result<String, Fault> {
    let opening = words::fold(text.trim_end_matches('*'));
    if opening.is_empty() || !opening.chars().all(char::is_alphanumeric) {
        return Err(wrong(at, "write the star behind the beginning of one word, as in tur*"));
    }
    Ok(opening)
}

fn known(at: usize, name: &str) -> Result<&'static QueryField, Fault> {
    fields::named(name).ok_or_else(|| {
        let message = format!(
            "there is no field {name:?}; the fields are {}; put words with a colon in quotes",
            fields::known()
        );
        wrong(at, &message)
    })
}

fn target(at: usize, field: &'static QueryField, text: &str) -> Result<Target, Fault> {
    Ok(match field.kind {
        FieldKind::Words => Target::Named(field.name),
        FieldKind::Label(kind) => Target::Label(kind),
        FieldKind::Asset => Target::Asset,
        FieldKind::Fact(values) => {
            let text = text.to_lowercase();
            if !values.is_empty() && !values.contains(&text.as_str()) {
                let message = format!("{}: knows {}, not {text:?}", field.name, values.join(", "));
                return Err(wrong(at, &message));
            }
            Target::Fact(field.name)
        }
        FieldKind::Date => Target::Date(Days::asked(text).ok_or_else(|| {
            let message = format!(
                "{text:?} is no date: write 1936, 1936-04, 1936-04-02, 1930s or 1930..1939"
            );
            wrong(at, &message)
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

/// Takes the last word for a beginning, where it is a plain one.
fn leave_open(all: &mut [Node]) {
    if let Some(Node::One(Clause { target: Target::Anywhere, words })) = all.last_mut()
        && !words.quoted
        && words.opening.is_none()
        && words.tokens.len() == 1
    {
        words.opening = Some(words::fold(&words.shown));
    }
}

/// Leaves words out that nearly every text has, where others are left to search for.
fn leave_out_common(all: &mut Vec<Node>, notes: &mut Vec<String>) {
    let plain = |node: &Node| match node {
        Node::One(clause) if clause.target == Target::Anywhere => Some(clause.words.clone()),
        _ => None,
    };
    let common = |node: &Node| {
        plain(node).filter(|words| {
            !words.quoted
                && words.opening.is_none()
                && COMMON.contains(&words.shown.to_lowercase().as_str())
        })
    };
    let telling = |node: &Node| plain(node).is_some() && common(node).is_none();
    let left_out: Vec<String> = all.iter().filter_map(common).map(|words| words.shown).collect();
    if left_out.is_empty() || !all.iter().any(telling) {
        return;
    }
    notes.push(format!("left out as too common: {}", left_out.join(", ")));
    all.retain(|node| common(node).is_none());
}

fn wrong(at: usize, message: &str) -> Fault {
    Fault::bad_input(format!("at character {at} of the query: {message}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn query(text: &str) -> Query {
        parse(text, false).expect(text)
    }

    fn refused(query: &str) -> String {
        parse(query, false).expect_err(query).reason()
    }

    /// Writes a tree as it was meant.
    fn meant(all: &[Node]) -> String {
        let each = |nodes: &[Node], between: &str| {
            nodes
                .iter()
                .map(|node| meant(std::slice::from_ref(node)))
                .collect::<Vec<_>>()
                .join(between)
        };
        match all {
            [Node::All(all)] => format!("({})", each(all, " & ")),
            [Node::Any(any)] => format!("({})", each(any, " | ")),
            [Node::Not(node)] => format!("!{}", meant(std::slice::from_ref(node))),
            [Node::One(clause)] => clause.words.shown.clone(),
            several => each(several, " & "),
        }
    }

    #[test]
    fn a_fault_points_at_the_place_and_helps() {
        let reason = refused("boat foo:bar");
        assert!(reason.contains("at character 6") && reason.contains("creator"), "{reason}");
        assert!(refused("x \"y").contains("at character 3"));
        assert!(refused("title:").contains("nothing stands behind title"));
        assert!(refused("date:soon").contains("1930..1939"));
        assert!(refused("???").contains("no letter or digit"));
        assert!(refused("is:red").contains("at character 1") && refused("is:red").contains("grey"));
        assert!(refused("a (b").contains("at character 3"));
        assert!(refused("a b)").contains("at character 4"));
        assert!(refused("a ()").contains("nothing in these"));
        assert!(refused("OR a").contains("at character 1"));
        assert!(refused("a OR").contains("last OR"));
        assert!(refused("a NOT").contains("at character 3"));
        assert!(refused("tu*r*").contains("tur*"));
        assert!(refused(&format!("{}a", "(".repeat(30))).contains("deep"));
        for query in ["confidence>=2", "confidence>0.5", "confidence:x", "-confidence>=0.5"] {
            assert!(refused(query).contains("confidence>=0.5"), "{query}");
        }
    }

    #[test]
    fn alternatives_groups_and_negations_bind_as_written() {
        for (text, tree) in [
            ("dog cat", "dog & cat"),
            ("dog OR cat bird", "(dog | (cat & bird))"),
            ("(dog OR cat) bird", "(dog | cat) & bird"),
            ("-(dog OR cat) NOT bird", "!(dog | cat) & !bird"),
            ("dog AND -cat", "dog & !cat"),
            ("((dog))", "dog"),
        ] {
            assert_eq!(meant(&query(text).all), tree, "{text}");
        }
    }

    #[test]
    fn a_beginning_is_a_word_with_a_star_or_the_last_while_typing() {
        let opening = |query: Query| match query.all.last() {
            Some(Node::One(clause)) => clause.words.opening.clone(),
            _ => None,
        };
        assert_eq!(opening(query("Tür*")).as_deref(), Some("tur"));
        assert_eq!(opening(query("tur")), None);
        assert_eq!(opening(parse("sea tur", true).expect("a query")).as_deref(), Some("tur"));
        assert_eq!(opening(parse("sea ", true).expect("a query")), None);
    }

    #[test]
    fn a_query_is_bounded() {
        assert!(refused(&"a ".repeat(600)).contains("1000 characters"));
        assert!(refused(&"b ".repeat(50)).contains("conditions"));
    }

    #[test]
    fn common_words_are_left_out_and_said() {
        let found = query("street at night");
        assert_eq!(found.all.len(), 2);
        assert_eq!(found.notes, ["left out as too common: at"]);
        assert_eq!(query("the").all.len(), 1, "nothing else is left");
    }

    #[test]
    fn the_least_confidence_is_read_exactly() {
        assert_eq!(query("dog confidence>=0.9").least, Some(0.9));
        assert_eq!(query("dog").least, None);
        assert_eq!(query("confidence").all.len(), 1, "a word");
    }

    proptest! {
        #[test]
        fn no_query_is_too_strange(query in "[-\"()*:>=. a-zA-Z0-9é東\\PC]{0,60}", typing: bool) {
            if let Err(fault) = parse(&query, typing) {
                prop_assert!(fault.kind().rejects());
            }
        }
    }
}
