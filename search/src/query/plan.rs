//! The plan: which postings a query asks.
//!
//! A plain word is one posting list: where it was found and what that scores was worked out
//! when the record was indexed, see [`crate::level`]. A record scores the sum over the query's
//! words. Phrases, fields, kinds of label and other least confidences ask the finer fields.

use std::ops::Bound;

use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::days::Days;
use glassplate_pipeline::label::LabelKind;
use glassplate_pipeline::record::Bar;
use tantivy::query::{
    BooleanQuery, BoostQuery, ConstScoreQuery, DisjunctionMaxQuery, Occur, PhraseQuery,
    Query as TantivyQuery, RangeQuery, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Searcher, Term};

use super::ast::{Clause, Node, Query, Target, Words};
use super::postings::{AnyQuery, ClaimQuery, EveryQuery, Least, TextQuery};
use crate::ask::{Correction, Facet};
use crate::document::named_term;
use crate::fields;
use crate::generation::Generation;
use crate::level::{IN_TEXT, IN_TITLE, IN_TRACE};
use crate::lexicon::Lexicon;
use crate::schema::{Columns, fact_term, key};
use crate::words::{self, Token};

/// The most words of one label's name, as `black and white` has.
const LONGEST_NAME: usize = 4;
/// The most words that a beginning stands for, those first that most records have.
const MOST_ENDINGS: usize = 64;

type Boxed = Box<dyn TantivyQuery>;

/// A part of a query as it is asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Need {
    All(Vec<Need>),
    Any(Vec<Need>),
    Not(Box<Need>),
    /// A condition of the query.
    One(Clause),
    /// Neighbouring words that are also the whole name of a label: `sea turtle`.
    Name {
        /// The name.
        name: Words,
        /// The words, each of which may be found by itself instead.
        words: Vec<Clause>,
    },
    /// A word that goes on in several ways.
    Opening {
        /// The condition.
        clause: Clause,
        /// The words, as they are in the index.
        endings: Vec<String>,
    },
}

/// What to ask the index, and the needs that explain a hit.
pub(crate) struct Plan {
    pub(crate) asks: Boxed,
    /// All of it must be met.
    pub(crate) needs: Vec<Need>,
    pub(crate) corrections: Vec<Correction>,
}

/// Plans a query of one tenant, narrowed to exact values.
pub(crate) fn plan(
    query: &Query,
    within: &[(Facet, String)],
    tenant: &Tenant,
    Generation { columns, neighbours, .. }: &Generation,
    searcher: &Searcher,
    bar: &Bar,
) -> tantivy::Result<Plan> {
    let exact = query.least.map(|least| Least::of(&Bar::of_all(least)));
    let lexicon = Lexicon { columns, tenant, searcher, neighbours };
    let least = exact.unwrap_or_else(|| Least::of(bar));
    let mut planner = Planner {
        columns,
        tenant,
        lexicon,
        least,
        exact: exact.is_some(),
        corrections: Vec::new(),
    };
    let needs = planner.all(&query.all)?;
    if within.is_empty()
        && let Some(words) = planner.every(&needs)
    {
        return Ok(Plan { asks: Box::new(words), needs, corrections: planner.corrections });
    }
    let mut asks: Vec<(Occur, Boxed)> = needs.iter().map(|need| planner.occur(need)).collect();
    for (facet, value) in within {
        let fact = planner.fact(facet.name(), value);
        asks.push((Occur::Must, fact));
    }
    if !needs.iter().any(owned) && within.is_empty() {
        asks.push((Occur::Must, planner.everything()));
    }
    Ok(Plan { asks: Box::new(BooleanQuery::new(asks)), needs, corrections: planner.corrections })
}

/// Whether whatever meets a need is the tenant's: its postings are.
fn owned(need: &Need) -> bool {
    match need {
        Need::All(all) => all.iter().any(owned),
        Need::Any(any) => any.iter().all(owned),
        Need::Not(_) => false,
        Need::One(clause) => !matches!(clause.target, Target::Date(_) | Target::Measured(_)),
        Need::Name { .. } | Need::Opening { .. } => true,
    }
}

struct Planner<'a> {
    columns: &'a Columns,
    tenant: &'a Tenant,
    lexicon: Lexicon<'a>,
    least: Least,
    /// Whether a least confidence was asked for, which levels know nothing of.
    exact: bool,
    corrections: Vec<Correction>,
}

impl Planner<'_> {
    /// Turns what must all be met into needs: words that nobody has are taken for others, and
    /// neighbouring words that the labels know as one name are joined, the longest first.
    fn all(&mut self, nodes: &[Node]) -> tantivy::Result<Vec<Need>> {
        let mut nodes = nodes.to_vec();
        for need in self.joined(&nodes)? {
            let Need::One(clause) = need else { continue };
            let Some(taken) = self.correction(&clause)? else { continue };
            let wrong = Node::One(clause.clone());
            for node in nodes.iter_mut().filter(|node| **node == wrong) {
                *node = Node::One(Clause { words: taken.clone(), ..clause.clone() });
            }
            self.corrections.push(Correction { typed: clause.words.shown, taken: taken.shown });
        }
        self.joined(&nodes)
    }

    fn joined(&mut self, nodes: &[Node]) -> tantivy::Result<Vec<Need>> {
        let mut needs = Vec::new();
        let mut rest = nodes;
        while let Some((first, others)) = rest.split_first() {
            let run: Vec<&Clause> = rest.iter().take(LONGEST_NAME).map_while(plain).collect();
            let mut taken = None;
            for length in (2..=run.len()).rev() {
                let name = name(&run[..length]);
                if self.lexicon.known(&words::join(&name.tokens))? {
                    let words = run[..length].iter().map(|&clause| clause.clone()).collect();
                    taken = Some((Need::Name { name, words }, length));
                    break;
                }
            }
            match taken {
                Some((need, length)) => {
                    needs.push(need);
                    rest = &rest[length..];
                }
                None => {
                    needs.push(self.single(first)?);
                    rest = others;
                }
            }
        }
        Ok(needs)
    }

    fn single(&mut self, node: &Node) -> tantivy::Result<Need> {
        Ok(match node {
            Node::All(all) => Need::All(self.all(all)?),
            Node::Any(any) => {
                Need::Any(any.iter().map(|node| self.one(node)).collect::<tantivy::Result<_>>()?)
            }
            // Nobody wants to be without what they did not write.
            Node::Not(node) => {
                let corrections = self.corrections.len();
                let need = self.one(node)?;
                self.corrections.truncate(corrections);
                Need::Not(Box::new(need))
            }
            Node::One(clause) => match &clause.words.opening {
                None => Need::One(clause.clone()),
                Some(opening) => {
                    let (column, field) = match clause.target {
                        Target::Named(field) => (self.columns.named, named_term(field, "")),
                        _ => (self.columns.any, String::new()),
                    };
                    let mut endings =
                        self.lexicon.endings(column, &field, opening, MOST_ENDINGS)?;
                    endings.extend(clause.words.tokens.iter().map(|token| token.text.clone()));
                    endings.sort();
                    endings.dedup();
                    Need::Opening { clause: clause.clone(), endings }
                }
            },
        })
    }

    fn one(&mut self, node: &Node) -> tantivy::Result<Need> {
        let mut all = self.all(std::slice::from_ref(node))?;
        Ok(if all.len() == 1 { all.remove(0) } else { Need::All(all) })
    }

    /// What a word that nobody has may have been meant to be.
    fn correction(&self, clause: &Clause) -> tantivy::Result<Option<Words>> {
        let [token] = &clause.words.tokens[..] else { return Ok(None) };
        if !plain_clause(clause) || self.lexicon.known(&token.text)? {
            return Ok(None);
        }
        let taken = self.lexicon.nearest(&token.text)?;
        Ok(taken.map(|text| Words {
            shown: text.clone(),
            tokens: vec![Token { text, ..*token }],
            quoted: false,
            opening: None,
        }))
    }

    fn occur(&self, need: &Need) -> (Occur, Boxed) {
        match need {
            Need::Not(need) => (Occur::MustNot, self.need(need)),
            need => (Occur::Must, self.need(need)),
        }
    }

    fn need(&self, need: &Need) -> Boxed {
        match need {
            Need::All(all) => {
                let mut asks: Vec<_> = all.iter().map(|need| self.occur(need)).collect();
                if !all.iter().any(owned) {
                    asks.push((Occur::Must, self.everything()));
                }
                Box::new(BooleanQuery::new(asks))
            }
            Need::Any(any) => {
                let any = any.iter().map(|need| self.need(need)).collect();
                Box::new(DisjunctionMaxQuery::new(any))
            }
            Need::Not(_) => self.need(&Need::All(vec![need.clone()])),
            Need::One(clause) => self.clause(clause),
            Need::Name { name, words } => {
                let each = words.iter().map(|word| (Occur::Must, self.clause(word))).collect();
                let each: Boxed = Box::new(BooleanQuery::new(each));
                Box::new(DisjunctionMaxQuery::new(vec![each, self.label(name, None)]))
            }
            Need::Opening { clause, endings } => {
                let each = endings.iter().map(|word| match clause.target {
                    Target::Named(field) => {
                        self.text(self.columns.named, Some(field), word, IN_TEXT)
                    }
                    _ => self.any(word),
                });
                Box::new(DisjunctionMaxQuery::new(each.collect()))
            }
        }
    }

    fn clause(&self, clause: &Clause) -> Boxed {
        let words = &clause.words;
        match clause.target {
            Target::Anywhere => match &words.tokens[..] {
                [word] if !self.exact => self.any(&word.text),
                _ => Box::new(DisjunctionMaxQuery::new(vec![
                    self.words(self.columns.text, None, words, IN_TEXT),
                    self.words(
                        self.columns.named,
                        Some(fields::TITLE),
                        words,
                        (IN_TITLE, IN_TITLE),
                    ),
                    self.label(words, None),
                    self.words(self.columns.trace, None, words, (IN_TRACE, IN_TRACE)),
                ])),
            },
            Target::Named(field) => self.words(self.columns.named, Some(field), words, IN_TEXT),
            Target::Label(kind) => self.claim(words, kind),
            Target::Date(days) => Box::new(ConstScoreQuery::new(self.days(days), 0.0)),
            Target::Measured(span) => {
                let field = self.columns.measure(span.measure);
                let bound = |value| Bound::Included(Term::from_field_u64(field, value));
                let range = RangeQuery::new(bound(span.from), bound(span.to));
                Box::new(ConstScoreQuery::new(Box::new(range), 0.0))
            }
            Target::Asset => {
                let key = Term::from_field_text(self.columns.key, &key(self.tenant, &words.shown));
                Box::new(ConstScoreQuery::new(exact(key), IN_TITLE))
            }
            Target::Fact(name) => self.fact(name, &words.shown),
        }
    }

    /// The words of needs, where there is nothing but plain words.
    fn every(&self, needs: &[Need]) -> Option<EveryQuery> {
        let word = |need: &Need| match need {
            Need::One(Clause { target: Target::Anywhere, words }) if !self.exact => {
                match &words.tokens[..] {
                    [word] => Some(self.plain(&word.text)),
                    _ => None,
                }
            }
            _ => None,
        };
        let words: Option<Vec<AnyQuery>> = needs.iter().map(word).collect();
        words.filter(|words| !words.is_empty()).map(|words| EveryQuery { words })
    }

    /// One plain word, wherever it is.
    fn any(&self, word: &str) -> Boxed {
        Box::new(self.plain(word))
    }

    fn plain(&self, word: &str) -> AnyQuery {
        AnyQuery { term: self.columns.word(self.columns.any, self.tenant, word) }
    }

    /// One word, or several side by side, in an indexed field.
    fn words(
        &self,
        column: Field,
        field: Option<&str>,
        words: &Words,
        bounds: (f32, f32),
    ) -> Boxed {
        match &words.tokens[..] {
            [word] => self.text(column, field, &word.text, bounds),
            several => {
                let term = |token: &Token| self.term(column, field, &token.text);
                let terms = several.iter().map(|t| (t.position as usize, term(t))).collect();
                // Scored as if each word were found in a text of middling length.
                let score = (bounds.0 + bounds.1) / 2.0 * several.len() as f32;
                Box::new(ConstScoreQuery::new(Box::new(PhraseQuery::new_with_offset(terms)), score))
            }
        }
    }

    fn text(&self, column: Field, field: Option<&str>, word: &str, bounds: (f32, f32)) -> Boxed {
        Box::new(TextQuery { term: self.term(column, field, word), bounds })
    }

    fn term(&self, column: Field, field: Option<&str>, word: &str) -> Term {
        match field {
            Some(field) => self.columns.word(column, self.tenant, &named_term(field, word)),
            None => self.columns.word(column, self.tenant, word),
        }
    }

    /// A label's whole name, which scores for each of its words.
    fn label(&self, words: &Words, kind: Option<LabelKind>) -> Boxed {
        if self.exact || kind.is_some() {
            return self.claim(words, kind);
        }
        let any = self.any(&words::join(&words.tokens));
        Box::new(BoostQuery::new(any, words.tokens.len() as f32))
    }

    /// A label's whole name, of one kind or of any, by how sure its source is.
    fn claim(&self, words: &Words, kind: Option<LabelKind>) -> Boxed {
        let name = words::join(&words.tokens);
        let term = self.columns.word(self.columns.claims, self.tenant, &name);
        let claim = ClaimQuery { term, kind, least: self.least };
        Box::new(BoostQuery::new(Box::new(claim), words.tokens.len() as f32))
    }

    fn fact(&self, name: &str, value: &str) -> Boxed {
        let term = fact_term(self.tenant, name, value);
        let term = Term::from_field_text(self.columns.facts, &term);
        Box::new(ConstScoreQuery::new(exact(term), 0.0))
    }

    /// All that the tenant has.
    fn everything(&self) -> Boxed {
        Box::new(ConstScoreQuery::new(exact(self.columns.tenant(self.tenant)), 0.0))
    }

    /// Every span of days that meets the one asked for.
    fn days(&self, days: Days) -> Boxed {
        let begins = RangeQuery::new(
            Bound::Unbounded,
            Bound::Included(Term::from_field_u64(self.columns.from, days.to)),
        );
        let ends = RangeQuery::new(
            Bound::Included(Term::from_field_u64(self.columns.to, days.from)),
            Bound::Unbounded,
        );
        Box::new(BooleanQuery::intersection(vec![Box::new(begins), Box::new(ends)]))
    }
}

fn exact(term: Term) -> Boxed {
    Box::new(TermQuery::new(term, IndexRecordOption::Basic))
}

/// A word as people type it, which may be part of a longer name.
fn plain(node: &Node) -> Option<&Clause> {
    match node {
        Node::One(clause) => Some(clause).filter(|clause| plain_clause(clause)),
        _ => None,
    }
}

fn plain_clause(clause: &Clause) -> bool {
    clause.target == Target::Anywhere
        && !clause.words.quoted
        && clause.words.opening.is_none()
        && clause.words.tokens.len() == 1
}

fn name(clauses: &[&Clause]) -> Words {
    Words {
        shown: clauses.iter().map(|c| c.words.shown.as_str()).collect::<Vec<_>>().join(" "),
        tokens: clauses.iter().flat_map(|clause| clause.words.tokens.clone()).collect(),
        quoted: false,
        opening: None,
    }
}
