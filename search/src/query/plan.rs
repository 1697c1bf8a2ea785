//! The plan: which postings a query's clauses ask, and what each kind of find is worth.
//!
//! A word scores by the best place where it is found, and a record by the sum over the
//! query's words. The bounds of the places do not overlap:
//!
//! | found | scores |
//! |---|---|
//! | in a title | 10 |
//! | in another text that people wrote | 8 to 9.5, more in a short one |
//! | as a label that a person approved or added | 4 to 6, by nearness |
//! | as a machine's label | 0.5 to 3.5, by confidence times nearness |
//! | in a path, a collection's name, a camera's data | 0.2 to 0.4 |

use std::ops::Bound;

use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::label::LabelKind;
use glassplate_pipeline::record::Bar;
use tantivy::query::{
    BooleanQuery, BoostQuery, ConstScoreQuery, DisjunctionMaxQuery, Occur, PhraseQuery,
    Query as TantivyQuery, RangeQuery, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Searcher, Term};

use super::ast::{Clause, Query, Target, Words};
use super::postings::{ClaimQuery, Least, TextQuery};
use crate::document::named_term;
use crate::fields;
use crate::schema::{Columns, key};
use crate::words::{self, Token};
use glassplate_pipeline::days::Days;

const IN_TITLE: (f32, f32) = (10.0, 0.0);
const IN_TEXT: (f32, f32) = (8.0, 1.5);
const IN_TRACE: (f32, f32) = (0.2, 0.2);
/// The most words of one label's name, as `black and white` has.
const LONGEST_NAME: usize = 4;

type Boxed = Box<dyn TantivyQuery>;

/// One thing that a record must meet, as planned.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Need {
    /// A clause of the query.
    One(Clause),
    /// Neighbouring words that are also the whole name of a label: `sea turtle`.
    Name {
        /// The name.
        name: Words,
        /// The words, each of which may be found by itself instead.
        words: Vec<Clause>,
    },
}

/// What to ask the index, and the needs that explain a hit.
pub(crate) struct Plan {
    pub(crate) asks: Boxed,
    pub(crate) needs: Vec<Need>,
}

/// Plans a query of one tenant.
pub(crate) fn plan(
    query: &Query,
    tenant: &Tenant,
    columns: &Columns,
    searcher: &Searcher,
    bar: &Bar,
) -> tantivy::Result<Plan> {
    let planner = Planner { columns, tenant, least: Least::of(bar) };
    let wanted: Vec<&Clause> = query.clauses.iter().filter(|clause| !clause.negated).collect();
    let needs = planner.needs(&wanted, searcher)?;
    let mut asks: Vec<(Occur, Boxed)> =
        needs.iter().map(|need| (Occur::Must, planner.need(need))).collect();
    if asks.is_empty() || !only_tenant(tenant, columns, searcher)? {
        let own = ConstScoreQuery::new(exact(columns.tenant(tenant)), 0.0);
        asks.push((Occur::Must, Box::new(own)));
    }
    let unwanted = query.clauses.iter().filter(|clause| clause.negated);
    asks.extend(unwanted.map(|clause| (Occur::MustNot, planner.clause(clause))));
    Ok(Plan { asks: Box::new(BooleanQuery::new(asks)), needs })
}

/// Tells whether every document is the tenant's, as on most machines: nothing is to be filtered.
///
/// Both counts include deleted documents, so they agree only when there is no other tenant.
fn only_tenant(tenant: &Tenant, columns: &Columns, searcher: &Searcher) -> tantivy::Result<bool> {
    let all: u64 = searcher.segment_readers().iter().map(|of| u64::from(of.max_doc())).sum();
    Ok(searcher.doc_freq(&columns.tenant(tenant))? == all)
}

struct Planner<'a> {
    columns: &'a Columns,
    tenant: &'a Tenant,
    least: Least,
}

impl Planner<'_> {
    /// Joins neighbouring words that the labels know as one name, the longest first.
    fn needs(&self, wanted: &[&Clause], searcher: &Searcher) -> tantivy::Result<Vec<Need>> {
        let mut needs = Vec::new();
        let mut rest = wanted;
        while let Some((first, others)) = rest.split_first() {
            let run = rest.iter().take(LONGEST_NAME).take_while(|clause| plain(clause)).count();
            let mut taken = None;
            for length in (2..=run).rev() {
                let name = name(&rest[..length]);
                if searcher.doc_freq(&self.claim(&name.tokens))? > 0 {
                    let words = rest[..length].iter().map(|&clause| clause.clone()).collect();
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
                    needs.push(Need::One((*first).clone()));
                    rest = others;
                }
            }
        }
        Ok(needs)
    }

    fn need(&self, need: &Need) -> Boxed {
        match need {
            Need::One(clause) => self.clause(clause),
            Need::Name { name, words } => {
                let each = words.iter().map(|word| (Occur::Must, self.clause(word))).collect();
                let each: Boxed = Box::new(BooleanQuery::new(each));
                Box::new(DisjunctionMaxQuery::new(vec![each, self.label(name, None)]))
            }
        }
    }

    fn clause(&self, clause: &Clause) -> Boxed {
        let words = &clause.words;
        match clause.target {
            Target::Anywhere => Box::new(DisjunctionMaxQuery::new(vec![
                self.words(self.columns.text, None, words, IN_TEXT),
                self.words(self.columns.named, Some(fields::TITLE), words, IN_TITLE),
                self.label(words, None),
                self.words(self.columns.trace, None, words, IN_TRACE),
            ])),
            Target::Named(field) => self.words(self.columns.named, Some(field), words, IN_TEXT),
            Target::Label(kind) => self.label(words, kind),
            Target::Date(days) => Box::new(ConstScoreQuery::new(self.days(days), 0.0)),
            Target::Asset => {
                let key = Term::from_field_text(self.columns.key, &key(self.tenant, &words.shown));
                Box::new(ConstScoreQuery::new(exact(key), IN_TITLE.0))
            }
        }
    }

    /// One word, or several side by side, in an indexed field.
    fn words(
        &self,
        column: Field,
        field: Option<&str>,
        words: &Words,
        (base, span): (f32, f32),
    ) -> Boxed {
        let term = |text: &str| match field {
            Some(field) => Term::from_field_text(column, &named_term(field, text)),
            None => Term::from_field_text(column, text),
        };
        match &words.tokens[..] {
            [word] => Box::new(TextQuery { term: term(&word.text), base, span }),
            several => {
                let terms = several.iter().map(|t| (t.position as usize, term(&t.text))).collect();
                // Scored as if each word were found in a text of middling length.
                let score = (base + span / 2.0) * several.len() as f32;
                Box::new(ConstScoreQuery::new(Box::new(PhraseQuery::new_with_offset(terms)), score))
            }
        }
    }

    /// A label's whole name, which scores for each of its words.
    fn label(&self, words: &Words, kind: Option<LabelKind>) -> Boxed {
        let term = self.claim(&words.tokens);
        let claim = ClaimQuery { term, kind, least: self.least };
        Box::new(BoostQuery::new(Box::new(claim), words.tokens.len() as f32))
    }

    fn claim(&self, tokens: &[Token]) -> Term {
        Term::from_field_text(self.columns.claims, &words::join(tokens))
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

/// Whether a clause is a word as people type it, which may be part of a longer name.
fn plain(clause: &Clause) -> bool {
    clause.target == Target::Anywhere && !clause.words.quoted && clause.words.tokens.len() == 1
}

fn name(clauses: &[&Clause]) -> Words {
    Words {
        shown: clauses.iter().map(|c| c.words.shown.as_str()).collect::<Vec<_>>().join(" "),
        tokens: clauses.iter().flat_map(|clause| clause.words.tokens.clone()).collect(),
        quoted: false,
    }
}
