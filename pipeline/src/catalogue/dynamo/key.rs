//! The one layout of keys in the table.
//!
//! A tenant's name has no `#`, and every text that users choose is hashed or comes last, so no
//! name can run into the keys of another.

use sha2::{Digest as _, Sha256};

use crate::asset::{AssetId, Tenant};
use crate::opinion::{Maker, Subject};
use crate::purchase::PurchaseId;
use crate::run::RunId;

/// The first characters of asset ids, in order: what a group of assets is spread over. Ids come
/// from a hash, so each holds a twenty-ninth.
pub(super) const RANGES: &str = "0123456789bcdfghjkmnpqrstvwxz";
/// How many partitions a run's items are spread over.
pub(super) const ITEM_SHARDS: u8 = 8;
/// The first characters of a purchase's id, in order: what a run's purchases are spread over.
pub(super) const HEX: &str = "0123456789abcdef";
/// The longest source that is written whole into a sort key, in bytes; 1024 are possible.
const LONGEST_SOURCE: usize = 900;

/// What assets are listed by.
pub(super) enum Group<'a> {
    /// All of a tenant.
    Tenant,
    /// Those found in a collection.
    Collection(&'a str),
    /// Those that a run said something of.
    Run(&'a RunId),
}

/// The partition of an asset's sheets.
pub(super) fn asset(tenant: &Tenant, asset: &AssetId) -> String {
    format!("A#{tenant}#{asset}")
}

/// The sort key of a sheet, by its number from 1.
pub(super) fn sheet(number: u32) -> String {
    format!("v{number:08}")
}

/// The partition of what one sheet could not hold.
pub(super) fn chunks(tenant: &Tenant, asset: &AssetId, token: &str) -> String {
    format!("X#{tenant}#{asset}#{token}")
}

/// The sort key of a chunk.
pub(super) fn chunk(number: usize) -> String {
    format!("c{number:05}")
}

/// The partition of a shard of the feed.
pub(super) fn feed(shard: usize) -> String {
    format!("F#{shard:02}")
}

/// The sort key of the feed's entry, by its number from 1.
pub(super) fn entry(number: u64) -> String {
    format!("{number:016}")
}

/// The partition that tells which asset was last found at a place.
pub(super) fn place(tenant: &Tenant, collection: &str, source: &str) -> String {
    format!("L#{tenant}#{}", hash(&[collection, source]))
}

/// One of the partitions that list a group's assets.
pub(super) fn group(tenant: &Tenant, group: &Group<'_>, range: char) -> String {
    match group {
        Group::Tenant => format!("T#{tenant}#{range}"),
        Group::Collection(name) => format!("C#{tenant}#{}#{range}", hash(&[name])),
        Group::Run(run) => format!("M#{tenant}#{}#{range}", hash(&[run.as_str()])),
    }
}

/// The range that an asset's id falls into.
pub(super) fn range(asset: &AssetId) -> char {
    asset.as_str().chars().next().unwrap_or('0')
}

/// The partition of the assets that show the same, and of what was answered about it.
pub(super) fn subject(tenant: &Tenant, subject: &Subject) -> String {
    format!("P#{tenant}#{subject}")
}

/// The short name of who answers which step.
pub(super) fn answered(step: &str, maker: &Maker) -> String {
    let Maker { backend, model, version, parameters } = maker;
    hash(&[step, backend, model, version, parameters])[..16].to_owned()
}

/// The partition of a tenant's runs.
pub(super) fn runs(tenant: &Tenant) -> String {
    format!("R#{tenant}")
}

/// One of the partitions of a run's items.
pub(super) fn items(tenant: &Tenant, run: &RunId, shard: u8) -> String {
    format!("I#{tenant}#{}#{shard}", hash(&[run.as_str()]))
}

/// The partition that a source's item falls into.
pub(super) fn item_shard(source: &str) -> u8 {
    Sha256::digest(source.as_bytes())[0] % ITEM_SHARDS
}

/// The sort key of a source: in the order of the text, up to the length that a key can have.
pub(super) fn source(source: &str) -> String {
    if source.len() <= LONGEST_SOURCE {
        return format!("s{source}");
    }
    let mut end = LONGEST_SOURCE;
    while !source.is_char_boundary(end) {
        end -= 1;
    }
    format!("s{}#{}", &source[..end], hash(&[source]))
}

/// The partition of the calls for one answer.
pub(super) fn purchase(tenant: &Tenant, id: &PurchaseId) -> String {
    format!("B#{tenant}#{}", id.as_str())
}

/// The sort key of a call.
pub(super) fn attempt(number: u32) -> String {
    format!("{number:08}")
}

/// One of the partitions that list a run's purchases.
pub(super) fn spent(tenant: &Tenant, run: &RunId, range: char) -> String {
    format!("S#{tenant}#{}#{range}", hash(&[run.as_str()]))
}

/// The sort key of a purchase among those of its run.
pub(super) fn purchase_of_run(id: &PurchaseId, attempt: u32) -> String {
    format!("{}#{attempt:08}", id.as_str())
}

/// A hash of several texts that keeps them apart: 32 hexadecimal digits.
fn hash(texts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for text in texts {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_of_a_user_runs_into_another_key() {
        let [a, b]: [Tenant; 2] = ["a".parse().expect("a name"), "a-b".parse().expect("a name")];
        assert_ne!(place(&a, "x", "y#z"), place(&a, "x#y", "z"));
        assert_ne!(place(&a, "caf\u{e9}", ""), place(&a, "cafe\u{301}", ""));
        let of = |tenant, name| group(tenant, &Group::Collection(name), 'b');
        assert_ne!(of(&a, "b"), of(&b, ""));
        let run = RunId::from_text("r#../🐢\n");
        assert!(!items(&a, &run, 3).contains(".."));
        assert!(RANGES.is_ascii() && RANGES.chars().is_sorted());
    }

    #[test]
    fn sources_sort_as_their_text_does_and_fit_into_a_key() {
        let mut texts = ["b", "a/b", "a", "", "é", "z", "🐢", "a b"].map(str::to_owned).to_vec();
        texts.extend([1, 2].map(|n| format!("{}{n}", "ß".repeat(600))));
        texts.sort();
        let keys: Vec<String> = texts.iter().map(|text| source(text)).collect();
        assert!(keys.iter().all(|key| !key.is_empty() && key.len() <= 1024));
        assert!(keys[..8].is_sorted(), "{keys:?}");
        assert_ne!(source(&"x".repeat(2000)), source(&"x".repeat(2001)));
    }
}
