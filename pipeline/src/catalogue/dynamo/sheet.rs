//! Sheets: what one append says of one asset, compressed, in one item or in several.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{Read as _, Write as _};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::{Deserialize, Serialize};

use super::key;
use super::table::{Attributes, Table, number, text};
use crate::asset::{Asset, AssetId, Occurrence, Tenant};
use crate::decision::Decision;
use crate::fault::Fault;
use crate::opinion::{Opinion, OpinionId};

/// The most that one item's body holds, in bytes: the service takes 400 KB with everything.
const LARGEST_BODY: usize = 350_000;

/// What one append says of one asset.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Sheet {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) asset: Option<Asset>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) found: Vec<Occurrence>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) opinions: Vec<Opinion>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) decisions: Vec<Decision>,
}

impl Sheet {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The body as it is stored.
    pub(super) fn packed(&self) -> Vec<u8> {
        let json = serde_json::to_vec(self).expect("a sheet is plain data");
        let mut packed = DeflateEncoder::new(Vec::new(), Compression::default());
        packed.write_all(&json).expect("memory takes everything");
        packed.finish().expect("memory takes everything")
    }
}

/// Everything that was said of one asset, in order.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// The number of the last sheet; 0 when there is none.
    pub(super) last: u32,
    pub(super) asset: Option<Asset>,
    pub(super) occurrences: BTreeMap<(String, String), Occurrence>,
    pub(super) opinions: Vec<Opinion>,
    pub(super) decisions: Vec<Decision>,
    known: BTreeSet<OpinionId>,
}

impl Book {
    /// Reads an asset's sheets, strongly consistent.
    pub(super) async fn read(
        table: &Table,
        tenant: &Tenant,
        asset: &AssetId,
    ) -> Result<Self, Fault> {
        let mut book = Self::default();
        for item in table.all(&key::asset(tenant, asset)).await? {
            let sheet = unpacked(table, tenant, asset, &item).await?;
            let number = text(&item, "sk")?.trim_start_matches('v').parse();
            book.last = number.map_err(|e| Fault::broken("a sheet has no number").because(e))?;
            book.add(sheet);
        }
        Ok(book)
    }

    /// Tells whether an opinion is in it.
    pub(super) fn knows(&self, opinion: &OpinionId) -> bool {
        self.known.contains(opinion)
    }

    /// Adds what a sheet says; what is known already changes nothing.
    pub(super) fn add(&mut self, sheet: Sheet) {
        if self.asset.is_none() {
            self.asset = sheet.asset;
        }
        for occurrence in sheet.found {
            let place = (occurrence.collection.clone(), occurrence.source.clone());
            self.occurrences.insert(place, occurrence);
        }
        for opinion in sheet.opinions {
            if self.known.insert(opinion.id.clone()) {
                self.opinions.push(opinion);
            }
        }
        for decision in sheet.decisions {
            if !self.decisions.contains(&decision) {
                self.decisions.push(decision);
            }
        }
    }
}

/// An item's body, and what must be written before it when one item cannot hold it.
pub(super) fn body(
    tenant: &Tenant,
    asset: &AssetId,
    token: &str,
    packed: Vec<u8>,
) -> (Attributes, Vec<Attributes>) {
    let blob = |bytes: &[u8]| AttributeValue::B(Blob::new(bytes));
    let mut item = HashMap::from([("t".to_owned(), AttributeValue::S(token.to_owned()))]);
    if packed.len() <= LARGEST_BODY {
        item.insert("b".to_owned(), blob(&packed));
        return (item, Vec::new());
    }
    let chunks: Vec<Attributes> = packed
        .chunks(LARGEST_BODY)
        .enumerate()
        .map(|(at, bytes)| {
            let mut chunk = Table::key(key::chunks(tenant, asset, token), key::chunk(at));
            chunk.insert("b".to_owned(), blob(bytes));
            chunk
        })
        .collect();
    item.insert("c".to_owned(), AttributeValue::N(chunks.len().to_string()));
    (item, chunks)
}

async fn unpacked(
    table: &Table,
    tenant: &Tenant,
    asset: &AssetId,
    item: &Attributes,
) -> Result<Sheet, Fault> {
    let packed = match item.get("b") {
        Some(AttributeValue::B(blob)) => blob.clone().into_inner(),
        _ => {
            let (count, token) = (number(item, "c")?, text(item, "t")?);
            let chunks = table.all(&key::chunks(tenant, asset, token)).await?;
            if chunks.len() as u64 != count {
                return Err(Fault::broken(format!(
                    "a sheet of {asset} has {} of {count} pieces",
                    chunks.len()
                )));
            }
            let mut packed = Vec::new();
            for chunk in &chunks {
                if let Some(AttributeValue::B(blob)) = chunk.get("b") {
                    packed.extend_from_slice(blob.as_ref());
                }
            }
            packed
        }
    };
    let unreadable = |e: Box<dyn std::error::Error + Send + Sync>| {
        Fault::broken(format!("a sheet of {asset} cannot be read")).because(e)
    };
    let mut json = Vec::new();
    DeflateDecoder::new(&packed[..]).read_to_end(&mut json).map_err(|e| unreadable(e.into()))?;
    serde_json::from_slice(&json).map_err(|e| unreadable(e.into()))
}
