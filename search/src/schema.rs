//! The schema: which fields the index has, and how a document becomes theirs.
//!
//! | field | holds | for |
//! |---|---|---|
//! | `tenant` | the tenant | empty queries and what is not |
//! | `key` | tenant and asset | replacing a document |
//! | `any` | every word that finds it; how often says where, see [`crate::level`] | words |
//! | `text` | the words that people wrote | phrases |
//! | `named` | the words of each field behind its name | `creator:mydans` |
//! | `trace` | words of paths, collections, cameras, and the asset's id | phrases |
//! | `claims` | the terms of labels; a position is a packed [`crate::claims::Weight`] | `object:`, `confidence>=` |
//! | `facts` | exact values, see [`crate::facts`] | facets, `is:`, `has:` |
//! | `from`, `to` | the days in which it may have been taken, `yyyymmdd` | `date:`, order |
//! | `noise`, `blur`, ... | what was measured, in hundredths, see [`crate::measures`] | `noise>=10` |
//! | `registered` | microseconds since 1970 | order |
//! | `order` | the asset id's first 13 characters as a number | a stable order of equals |
//! | `bytes` | the original's length | how much a tenant has |
//! | `embedding` | the space's number, then the 128 bytes in eights | what is alike |
//! | `body` | the summary, see [`crate::summary`], stored only | what a hit shows |
//!
//! Every term begins with its tenant, so a posting list is of one tenant alone: another one's
//! pictures add nothing to a count, and no time to a search.

use glassplate_pipeline::asset::{AssetId, Tenant};
use tantivy::TantivyDocument;
use tantivy::Term;
use tantivy::schema::{
    FAST, Field, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::{PreTokenizedString, Token as TantivyToken};

use crate::document::Document;
use crate::likeness;
use crate::measures::Measure;

/// Grows whenever an index written before could no longer be read, or would answer differently.
pub(crate) const SCHEMA_VERSION: u32 = 5;

/// The names of the fields that are sorted by.
pub(crate) const ORDER: &str = "order";
/// See [`ORDER`].
pub(crate) const REGISTERED: &str = "registered";
/// The first day, see [`Columns`].
pub(crate) const FROM: &str = "from";
/// The last day, see [`Columns`].
pub(crate) const TO: &str = "to";
/// Exact values, see [`Columns`].
pub(crate) const FACTS: &str = "facts";
/// The originals' lengths, see [`Columns`].
pub(crate) const BYTES: &str = "bytes";
/// Where networks put pictures, see [`Columns`].
pub(crate) const EMBEDDING: &str = "embedding";
/// Stands between the parts of a term; no text has it.
pub(crate) const BETWEEN: char = '\u{1f}';

/// The fields' handles.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Columns {
    pub(crate) tenant: Field,
    pub(crate) key: Field,
    pub(crate) any: Field,
    pub(crate) text: Field,
    pub(crate) named: Field,
    pub(crate) trace: Field,
    pub(crate) claims: Field,
    pub(crate) facts: Field,
    pub(crate) from: Field,
    pub(crate) to: Field,
    pub(crate) measures: [Field; Measure::ALL.len()],
    pub(crate) registered: Field,
    pub(crate) order: Field,
    pub(crate) bytes: Field,
    pub(crate) embedding: Field,
    pub(crate) body: Field,
}

/// Builds the schema and its handles.
pub(crate) fn schema() -> (Schema, Columns) {
    let mut schema = Schema::builder();
    let words = |option: IndexRecordOption, lengths: bool| {
        // Tokens come ready made; the name only satisfies tantivy.
        let indexing = TextFieldIndexing::default()
            .set_tokenizer("raw")
            .set_index_option(option)
            .set_fieldnorms(lengths);
        TextOptions::default().set_indexing_options(indexing)
    };
    let (levels, places) = (IndexRecordOption::WithFreqs, IndexRecordOption::WithFreqsAndPositions);
    let exact = words(IndexRecordOption::Basic, false).set_fast("raw");
    let columns = Columns {
        tenant: schema.add_text_field("tenant", STRING),
        key: schema.add_text_field("key", STRING),
        any: schema.add_text_field("any", words(levels, false)),
        text: schema.add_text_field("text", words(places, true)),
        named: schema.add_text_field("named", words(places, false)),
        trace: schema.add_text_field("trace", words(places, false)),
        claims: schema.add_text_field("claims", words(places, false)),
        facts: schema.add_text_field(FACTS, exact),
        from: schema.add_u64_field(FROM, FAST),
        to: schema.add_u64_field(TO, FAST),
        measures: Measure::ALL.map(|measure| schema.add_u64_field(measure.name(), FAST)),
        registered: schema.add_i64_field(REGISTERED, FAST),
        order: schema.add_u64_field(ORDER, FAST),
        bytes: schema.add_u64_field(BYTES, FAST),
        embedding: schema.add_u64_field(EMBEDDING, FAST),
        // As text: tantivy reads stored bytes one by one.
        body: schema.add_text_field("body", STORED),
    };
    (schema.build(), columns)
}

impl Columns {
    /// The term of a tenant.
    pub(crate) fn tenant(&self, tenant: &Tenant) -> Term {
        Term::from_field_text(self.tenant, tenant.as_str())
    }

    /// The term of one tenant's asset.
    pub(crate) fn key(&self, tenant: &Tenant, asset: &AssetId) -> Term {
        Term::from_field_text(self.key, &key(tenant, asset.as_str()))
    }

    /// The term of a word of one tenant.
    pub(crate) fn word(&self, field: Field, tenant: &Tenant, word: &str) -> Term {
        Term::from_field_text(field, &term(tenant, word))
    }

    /// The field of a measure.
    pub(crate) fn measure(&self, measure: Measure) -> Field {
        self.measures[measure as usize]
    }

    /// Turns a document into tantivy's.
    pub(crate) fn write(&self, document: &Document) -> TantivyDocument {
        let mut written = TantivyDocument::new();
        let tenant = &document.tenant;
        written.add_text(self.tenant, tenant.as_str());
        written.add_text(self.key, key(tenant, document.asset.as_str()));
        let words = |tokens: &[crate::words::Token]| {
            ready(tokens.iter().map(|token| (token.position, term(tenant, &token.text))))
        };
        let any = document.any.iter().flat_map(|(word, level)| {
            std::iter::repeat_n(term(tenant, word), usize::from(level.frequency()))
        });
        written.add_pre_tokenized_text(self.any, ready(any.map(|word| (0, word))));
        written.add_pre_tokenized_text(self.text, words(&document.text));
        written.add_pre_tokenized_text(self.named, words(&document.named));
        written.add_pre_tokenized_text(self.trace, words(&document.trace));
        let claims = document.claims.iter().map(|(word, weight)| (weight.0, term(tenant, word)));
        written.add_pre_tokenized_text(self.claims, ready(claims));
        for fact in &document.facts {
            written.add_text(self.facts, fact_term(tenant, fact.name, &fact.value));
        }
        if let Some(days) = document.days {
            written.add_u64(self.from, days.from);
            written.add_u64(self.to, days.to);
        }
        for &(measure, value) in &document.measures {
            written.add_u64(self.measure(measure), value);
        }
        written.add_i64(self.registered, document.registered);
        written.add_u64(self.order, order(&document.asset));
        written.add_u64(self.bytes, document.bytes);
        for number in document.embedding.iter().flat_map(likeness::packed) {
            written.add_u64(self.embedding, number);
        }
        written.add_text(self.body, document.summary.written());
        written
    }
}

/// Writes a term of one tenant; a tenant's name has no control character.
pub(crate) fn term(tenant: &Tenant, word: &str) -> String {
    let tenant = tenant.as_str();
    let mut term = String::with_capacity(tenant.len() + 1 + word.len());
    term.push_str(tenant);
    term.push(BETWEEN);
    term.push_str(word);
    term
}

/// Writes the term of an exact value.
pub(crate) fn fact_term(tenant: &Tenant, name: &str, value: &str) -> String {
    format!("{tenant}{BETWEEN}{name}{BETWEEN}{value}")
}

/// Writes the one key of a tenant's asset; a tenant's name has no slash.
pub(crate) fn key(tenant: &Tenant, asset: &str) -> String {
    format!("{tenant}/{asset}")
}

fn ready(tokens: impl Iterator<Item = (u32, String)>) -> PreTokenizedString {
    let tokens = tokens.map(|(position, text)| TantivyToken {
        offset_from: 0,
        offset_to: 0,
        position: position as usize,
        text,
        position_length: 1,
    });
    PreTokenizedString { text: String::new(), tokens: tokens.collect() }
}

/// Turns an id's first 13 characters into a number of the same order: 29^13 is below 2^64.
///
/// Digits come before letters, as in ASCII; characters that ids do not use only weaken the order.
fn order(asset: &AssetId) -> u64 {
    const LETTERS: &[u8; 29] = b"0123456789bcdfghjkmnpqrstvwxz";
    asset.as_str().bytes().take(13).fold(0, |number, b| {
        number * 29 + LETTERS.iter().position(|&letter| letter == b).unwrap_or(0) as u64
    })
}

#[cfg(test)]
mod tests {
    use glassplate_pipeline::asset::Digest;

    use super::*;

    #[test]
    fn numbers_are_in_the_order_of_the_ids() {
        let mut ids: Vec<AssetId> =
            (0..200).map(|n| AssetId::derive(&Tenant::default(), &Digest::new([n; 32]))).collect();
        ids.sort();
        assert!(ids.windows(2).all(|pair| order(&pair[0]) < order(&pair[1])));
    }
}
