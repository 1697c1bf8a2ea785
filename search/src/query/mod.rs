//! The query language: from what a person typed to what the index is asked.
//!
//! ```text
//! turtle beach              both words, anywhere; plurals, synonyms and broader terms count
//! "old mill"                the words in this order
//! creator:mydans            a field; known() lists them
//! title:"Rear of houses"    a phrase in a field
//! date:1936 date:1930..1939 a year, month, day, decade or span
//! -dog -creator:mydans      not; also NOT dog
//! dog OR cat                either; (dog OR cat) beach groups
//! tur*                      words that begin so
//! is:monochrome has:people  what is known of the picture: facts::IS, facts::HAS
//! state:approved            what people made of its labels
//! source:human              whose labels it has: human, machine, or a model's name
//! noise>=10 blur<1.5        what was measured of the picture: measures::Measure
//! confidence>=0.8           machine labels at least this sure; otherwise the bar of their kind
//! ```
//!
//! `lexer` cuts the text, `ast` gives the pieces their meaning, `plan` asks the index.
//! Whatever was typed ends in a query or in a fault that points at the place.

pub(crate) mod ast;
mod lexer;
pub(crate) mod plan;
pub(crate) mod postings;

pub(crate) use ast::{Query, parse};
