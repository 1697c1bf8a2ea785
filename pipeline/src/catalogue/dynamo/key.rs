//! The layout of the table: the only place that knows its keys.
//!
//! A partition key is a letter and parts between `#`. A part that a stranger could choose is
//! written as it is when it is short and plain, else as the hash of its bytes, so that no name
//! can run into another's keys: `#` and `%` are never plain.

use sha2::{Digest as _, Sha256};

use crate::asset::{AssetId, Tenant};
use crate::aws::dynamo::Key;
use crate::opinion::{Maker, Subject};
use crate::purchase::PurchaseId;
use crate::run::RunId;

/// First characters of asset ids, in order: each is a partition of its own in a list of assets.
pub(super) const RANGES: &[u8; 29] = b"0123456789bcdfghjkmnpqrstvwxz";
/// First characters of purchase ids, in order.
pub(super) const PURCHASE_RANGES: &[u8; 16] = b"0123456789abcdef";
/// Over how many partitions a run's items are spread.
pub(super) const ITEM_SHARDS: u8 = 16;
/// Longest text that is an ordered sort key as it is, in bytes; DynamoDB takes 1024.
const LONGEST_ORDERED: usize = 900;
/// Bytes of an ordered text that its key always keeps: the longest, less a cut character.
pub(super) const KEPT: usize = LONGEST_ORDERED - 3;

impl Key {
    /// A sheet of an asset.
    pub(super) fn sheet(tenant: &Tenant, asset: &AssetId, version: u32) -> Self {
        Self::new(sheets(tenant, asset), format!("v{version:08}"))
    }

    /// A piece of a body that is too large for its sheet.
    pub(super) fn chunk(tenant: &Tenant, hash: &str, number: usize) -> Self {
        Self::new(chunks(tenant, hash), format!("c{number:04}"))
    }

    /// An entry of the change feed.
    pub(super) fn feed(shard: usize, number: u64) -> Self {
        Self::new(feed(shard), entry(number))
    }

    /// The asset last found at a place.
    pub(super) fn place(tenant: &Tenant, collection: &str, source: &str) -> Self {
        Self::new(format!("L#{tenant}#{}", hash(&[collection, source], 16)), "place")
    }

    /// An asset in a list of assets.
    pub(super) fn listed(list: &List<'_>, asset: &AssetId) -> Self {
        Self::new(list.partition(range(asset)), asset.as_str())
    }

    /// An asset that something was said of by a subject.
    pub(super) fn subject(tenant: &Tenant, subject: &Subject, asset: &AssetId) -> Self {
        Self::new(subjects(tenant, subject), asset.as_str())
    }

    /// A run.
    pub(super) fn run(tenant: &Tenant, run: &RunId) -> Self {
        Self::new(runs(tenant), ordered(run.as_str()))
    }

    /// What became of a source in a run.
    pub(super) fn item(tenant: &Tenant, run: &RunId, source: &str) -> Self {
        let shard = Sha256::digest(source.as_bytes())[0] % ITEM_SHARDS;
        Self::new(items(tenant, run, shard), ordered(source))
    }

    /// A note of a run.
    pub(super) fn note(tenant: &Tenant, run: &RunId, name: &str) -> Self {
        Self::new(notes(tenant, run), ordered(name))
    }

    /// What the workers of a run took of its budget; no note's key, which begins with `=`.
    pub(super) fn charge(tenant: &Tenant, run: &RunId) -> Self {
        Self::new(notes(tenant, run), "charge")
    }

    /// A call to a paid service.
    pub(super) fn purchase(tenant: &Tenant, id: &PurchaseId, attempt: u32) -> Self {
        Self::new(purchases(tenant, id), format!("{attempt:010}"))
    }

    /// A run's pointer to a purchase.
    pub(super) fn bought(tenant: &Tenant, run: &RunId, id: &PurchaseId, attempt: u32) -> Self {
        let sort = format!("{}#{attempt:010}", part(id.as_str()));
        Self::new(bought(tenant, run, purchase_range(id)), sort)
    }
}

/// A list of assets, spread over partitions by the first character of their ids.
#[derive(Debug, Clone, Copy)]
pub(super) enum List<'a> {
    /// All of a tenant.
    Tenant(&'a Tenant),
    /// Those found in a collection.
    Collection(&'a Tenant, &'a str),
    /// Those that a run said something of.
    Run(&'a Tenant, &'a RunId),
}

impl List<'_> {
    /// The partition of the assets whose ids begin with a character.
    pub(super) fn partition(&self, range: char) -> String {
        match self {
            Self::Tenant(tenant) => format!("T#{tenant}#{range}"),
            Self::Collection(tenant, name) => format!("C#{tenant}#{}#{range}", part(name)),
            Self::Run(tenant, run) => format!("M#{tenant}#{}#{range}", part(run.as_str())),
        }
    }

    /// Whose assets.
    pub(super) fn tenant(&self) -> &Tenant {
        match self {
            Self::Tenant(tenant) | Self::Collection(tenant, _) | Self::Run(tenant, _) => tenant,
        }
    }
}

/// The partition of an asset's sheets.
pub(super) fn sheets(tenant: &Tenant, asset: &AssetId) -> String {
    format!("A#{tenant}#{asset}")
}

/// The partition of a body's chunks.
pub(super) fn chunks(tenant: &Tenant, hash: &str) -> String {
    format!("B#{tenant}#{hash}")
}

/// The partition of a shard of the change feed.
pub(super) fn feed(shard: usize) -> String {
    format!("F#{shard:03}")
}

/// The sort key of an entry of the change feed.
pub(super) fn entry(number: u64) -> String {
    format!("{number:016}")
}

/// The partition of the assets that something was said of by a subject.
pub(super) fn subjects(tenant: &Tenant, subject: &Subject) -> String {
    format!("P#{tenant}#{subject}")
}

/// The partition of a tenant's runs.
pub(super) fn runs(tenant: &Tenant) -> String {
    format!("R#{tenant}")
}

/// A partition of a run's items.
pub(super) fn items(tenant: &Tenant, run: &RunId, shard: u8) -> String {
    format!("I#{tenant}#{}#{shard}", part(run.as_str()))
}

/// The partition of a run's notes.
pub(super) fn notes(tenant: &Tenant, run: &RunId) -> String {
    format!("K#{tenant}#{}", part(run.as_str()))
}

/// The partition of all calls for one answer.
pub(super) fn purchases(tenant: &Tenant, id: &PurchaseId) -> String {
    format!("Q#{tenant}#{}", part(id.as_str()))
}

/// A partition of a run's pointers to purchases.
pub(super) fn bought(tenant: &Tenant, run: &RunId, range: char) -> String {
    format!("S#{tenant}#{}#{range}", part(run.as_str()))
}

/// The first character of an asset's id.
pub(super) fn range(asset: &AssetId) -> char {
    asset.as_str().chars().next().expect("an asset's id has characters")
}

/// The range of a purchase: the first character of its id, which is a hexadecimal digit.
pub(super) fn purchase_range(id: &PurchaseId) -> char {
    let first = id.as_str().bytes().next().unwrap_or(b'0');
    let below = PURCHASE_RANGES.iter().rev().find(|&&range| range <= first);
    char::from(*below.unwrap_or(&b'0'))
}

/// A few hexadecimal digits that stand for a step and a maker.
pub(super) fn answered(step: &str, maker: &Maker) -> String {
    hash(&[step, &maker.backend, &maker.model, &maker.version, &maker.parameters], 8)
}

/// Hashes texts, each with its length before it, into `bytes` bytes of hexadecimal digits.
pub(super) fn hash(texts: &[&str], bytes: usize) -> String {
    let mut hasher = Sha256::new();
    for text in texts {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finalize()[..bytes].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a name as a part of a key: as it is when it is short and plain, else its hash.
fn part(name: &str) -> String {
    let plain = |b: u8| matches!(b, b' '..=b'~') && b != b'#' && b != b'%';
    match (1..=200).contains(&name.len()) && name.bytes().all(plain) {
        true => name.to_owned(),
        false => format!("%{}", hash(&[name], 16)),
    }
}

/// Writes a text as a sort key of the same order.
///
/// Of texts that agree in their first [`KEPT`] bytes the order is lost: who reads sorts them.
pub(super) fn ordered(text: &str) -> String {
    match text.len() <= LONGEST_ORDERED {
        true => format!("={text}"),
        false => format!("={}\u{7f}{}", head(text, LONGEST_ORDERED), hash(&[text], 16)),
    }
}

/// The text up to so many bytes, at a character's boundary.
pub(super) fn head(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tenant() -> Tenant {
        Tenant::default()
    }

    #[test]
    fn no_name_runs_into_another_key() {
        let run = RunId::from_text("a");
        let hostile = ["a#0", "%a", "", "a", "A#default", "caf\u{e9}", "cafe\u{301}", "\n", " "];
        let long = "x".repeat(5_000);
        let mut seen = std::collections::BTreeSet::new();
        let tenant = tenant();
        for name in hostile.into_iter().chain([long.as_str()]) {
            let named = RunId::from_text(name);
            for pk in [
                List::Collection(&tenant, name).partition('0'),
                List::Run(&tenant, &named).partition('0'),
                items(&tenant, &named, 0),
                bought(&tenant, &named, '0'),
                notes(&tenant, &named),
                Key::place(&tenant, name, "s").pk,
                Key::place(&tenant, "s", name).pk,
            ] {
                assert!(pk.len() < 2048 && seen.insert(pk.clone()), "{pk}");
            }
            let key = Key::item(&tenant, &run, name);
            assert!(key.sk.len() <= 1024 && !key.sk.is_empty());
        }
        // What looks like the hash of a name is hashed itself.
        assert_ne!(part(&part("#")), part("#"));
    }

    proptest! {
        #[test]
        fn keys_keep_the_order_of_texts(a in "[ab\u{e9}#/]{0,6}", b in "[ab\u{e9}#/]{0,6}", pad in 0_usize..900) {
            let pad = "p".repeat(pad);
            let (a, b) = (format!("{pad}{a}"), format!("{pad}{b}"));
            let kept = |text: &str| text.as_bytes()[..KEPT.min(text.len())].to_vec();
            if kept(&a) != kept(&b) {
                prop_assert_eq!(a.cmp(&b), ordered(&a).cmp(&ordered(&b)));
            }
            prop_assert_eq!(a == b, ordered(&a) == ordered(&b));
        }
    }
}
