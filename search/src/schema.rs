//! The schema: which fields the index has, and how a document becomes theirs.
//!
//! | field | holds | for |
//! |---|---|---|
//! | `tenant` | the tenant | every query |
//! | `key` | tenant and asset | replacing a document |
//! | `text` | the words that people wrote | words, phrases |
//! | `named` | the words of each field behind its name | `creator:mydans` |
//! | `trace` | words of paths, collections, cameras, and the asset's id | words |
//! | `claims` | the terms of labels; a position is a packed [`crate::claims::Weight`] | words, `object:` |
//! | `from`, `to` | the days in which it may have been taken, `yyyymmdd` | `date:` |
//! | `registered` | microseconds since 1970 | newest first |
//! | `order` | the asset id's first 13 characters as a number | a stable order of equals |
//! | `body` | the summary as JSON, stored only | what a hit shows |

use glassplate_pipeline::asset::{AssetId, Tenant};
use tantivy::TantivyDocument;
use tantivy::Term;
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::{PreTokenizedString, Token as TantivyToken};

use crate::document::Document;

/// Grows whenever an index written before could no longer be read, or would answer differently.
pub(crate) const SCHEMA_VERSION: u32 = 2;

/// The names of the fields that are sorted by.
pub(crate) const ORDER: &str = "order";
/// See [`ORDER`].
pub(crate) const REGISTERED: &str = "registered";
/// The first day, see [`Columns`].
pub(crate) const FROM: &str = "from";
/// The last day, see [`Columns`].
pub(crate) const TO: &str = "to";

/// The fields' handles.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Columns {
    pub(crate) tenant: Field,
    pub(crate) key: Field,
    pub(crate) text: Field,
    pub(crate) named: Field,
    pub(crate) trace: Field,
    pub(crate) claims: Field,
    pub(crate) from: Field,
    pub(crate) to: Field,
    pub(crate) registered: Field,
    pub(crate) order: Field,
    pub(crate) body: Field,
}

/// Builds the schema and its handles.
pub(crate) fn schema() -> (Schema, Columns) {
    let mut schema = Schema::builder();
    let words = |lengths: bool| {
        // Tokens come ready made; the name only satisfies tantivy.
        let indexing = TextFieldIndexing::default()
            .set_tokenizer("raw")
            .set_index_option(IndexRecordOption::WithFreqsAndPositions)
            .set_fieldnorms(lengths);
        TextOptions::default().set_indexing_options(indexing)
    };
    let columns = Columns {
        tenant: schema.add_text_field("tenant", STRING),
        key: schema.add_text_field("key", STRING),
        text: schema.add_text_field("text", words(true)),
        named: schema.add_text_field("named", words(false)),
        trace: schema.add_text_field("trace", words(false)),
        claims: schema.add_text_field("claims", words(false)),
        from: schema.add_u64_field(FROM, FAST),
        to: schema.add_u64_field(TO, FAST),
        registered: schema.add_i64_field(REGISTERED, FAST),
        order: schema.add_u64_field(ORDER, FAST | INDEXED),
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

    /// Turns a document into tantivy's.
    pub(crate) fn write(&self, document: &Document) -> TantivyDocument {
        let mut written = TantivyDocument::new();
        written.add_text(self.tenant, document.tenant.as_str());
        written.add_text(self.key, key(&document.tenant, document.asset.as_str()));
        let claims = document.claims.iter().map(|(term, weight)| (weight.0, term.clone()));
        let words = |tokens: &[crate::words::Token]| {
            ready(tokens.iter().map(|token| (token.position, token.text.clone())))
        };
        written.add_pre_tokenized_text(self.text, words(&document.text));
        written.add_pre_tokenized_text(self.named, words(&document.named));
        written.add_pre_tokenized_text(self.trace, words(&document.trace));
        written.add_pre_tokenized_text(self.claims, ready(claims));
        if let Some(days) = document.days {
            written.add_u64(self.from, days.from);
            written.add_u64(self.to, days.to);
        }
        written.add_i64(self.registered, document.registered);
        written.add_u64(self.order, order(&document.asset));
        let body = serde_json::to_string(&document.summary).expect("a summary is plain data");
        written.add_text(self.body, body);
        written
    }
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
