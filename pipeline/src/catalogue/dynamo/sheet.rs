//! Sheets: what one append says of one asset, and the asset as its sheets tell it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::{Deserialize, Serialize};

use super::key;
use crate::asset::{Asset, AssetId, Occurrence, Tenant};
use crate::aws::dynamo::{Attributes, Key, NEW, Table, Write, attribute};
use crate::decision::Decision;
use crate::fault::Fault;
use crate::field::Fields;
use crate::opinion::{Finding, Opinion, OpinionId, Verdict};
use crate::record::Parts;
use crate::run::RunId;

/// Bytes of one chunk of a large body; an item holds at most 400 KB.
const CHUNK: usize = 350 << 10;

/// What one append says of one asset.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Sheet {
    /// The asset, on the first sheet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) asset: Option<Asset>,
    /// Places, each new or with other metadata than before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) found: Vec<Occurrence>,
    /// New opinions, in the order appended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) opinions: Vec<Opinion>,
    /// New decisions, in the order appended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) decisions: Vec<Decision>,
}

impl Sheet {
    /// Tells whether it says nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.asset.is_none()
            && self.found.is_empty()
            && self.opinions.is_empty()
            && self.decisions.is_empty()
    }
}

/// A sheet's content as it is stored.
#[derive(Debug, Clone)]
pub(super) struct Body {
    /// Deflated JSON.
    packed: Vec<u8>,
    /// The length of the JSON in bytes.
    length: usize,
}

impl Body {
    /// Packs a sheet.
    ///
    /// # Errors
    /// `Broken` when it cannot be written as JSON.
    pub(super) fn of(sheet: &Sheet) -> Result<Self, Fault> {
        let cannot = || Fault::broken("cannot write a sheet as JSON");
        let json = serde_json::to_vec(sheet).map_err(|e| cannot().because(e))?;
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&json).map_err(|e| cannot().because(e))?;
        let packed = encoder.finish().map_err(|e| cannot().because(e))?;
        Ok(Self { packed, length: json.len() })
    }

    /// The sheet's item, and the chunks that are to be there before it when the body is larger
    /// than `most` bytes.
    pub(super) fn items(self, key: &Key, tenant: &Tenant, token: &str, most: usize) -> Items {
        let mut sheet = key.attributes();
        sheet.insert("t".to_owned(), attribute::string(token));
        sheet.insert("n".to_owned(), attribute::number(self.length as u64));
        if self.packed.len() <= most.min(CHUNK) {
            sheet.insert("b".to_owned(), attribute::bytes(self.packed));
            return Items { sheet, chunks: Vec::new() };
        }
        let hash = content_hash(&self.packed);
        let chunks: Vec<Attributes> = self
            .packed
            .chunks(CHUNK)
            .enumerate()
            .map(|(number, piece)| {
                let mut item = Key::chunk(tenant, &hash, number).attributes();
                item.insert("b".to_owned(), attribute::bytes(piece.to_vec()));
                item
            })
            .collect();
        sheet.insert("h".to_owned(), attribute::string(hash));
        sheet.insert("c".to_owned(), attribute::number(chunks.len() as u64));
        Items { sheet, chunks }
    }
}

/// The items that hold a sheet.
#[derive(Debug)]
pub(super) struct Items {
    /// The sheet itself.
    pub(super) sheet: Attributes,
    /// Pieces of its body, if it is too large.
    pub(super) chunks: Vec<Attributes>,
}

fn content_hash(bytes: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The write of a sheet: there must be none of its version.
pub(super) fn write(item: Attributes) -> Write {
    Write { item, condition: Some((NEW, Attributes::new())) }
}

/// Reads a sheet's content, fetching its chunks.
pub(super) async fn read(
    table: &Table,
    tenant: &Tenant,
    item: &Attributes,
) -> Result<Sheet, Fault> {
    let length = attribute::count(item, "n")?;
    let json = match item.get("h") {
        None => inflate(item, attribute::blob(item, "b")?, length)?,
        Some(_) => {
            let (hash, chunks) = (attribute::text(item, "h")?, attribute::count(item, "c")?);
            let mut packed = Vec::new();
            for number in 0..usize::try_from(chunks).unwrap_or(usize::MAX) {
                let key = Key::chunk(tenant, hash, number);
                let lost =
                    || Fault::broken(format!("the chunk {} {} of a sheet is lost", key.pk, key.sk));
                let chunk = table.get(&key).await?.ok_or_else(lost)?;
                packed.extend_from_slice(attribute::blob(&chunk, "b")?);
            }
            inflate(item, &packed, length)?
        }
    };
    serde_json::from_slice(&json).map_err(|e| attribute::unreadable(item, "body").because(e))
}

fn inflate(item: &Attributes, packed: &[u8], length: u64) -> Result<Vec<u8>, Fault> {
    let mut json = Vec::new();
    DeflateDecoder::new(packed)
        .take(length)
        .read_to_end(&mut json)
        .map_err(|e| attribute::unreadable(item, "body").because(e))?;
    Ok(json)
}

/// An asset as its sheets tell it so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// How many sheets there are.
    pub(super) sheets: u32,
    /// The asset; none before its first sheet.
    pub(super) asset: Option<Asset>,
    /// Metadata by collection and source.
    pub(super) places: BTreeMap<(String, String), Fields>,
    /// All opinions, in order.
    pub(super) opinions: Vec<Opinion>,
    /// All decisions, in order.
    pub(super) decisions: Vec<Decision>,
    said: BTreeSet<OpinionId>,
    ruled: BTreeSet<String>,
}

impl Known {
    /// Adds what the next sheet says.
    pub(super) fn turn(&mut self, sheet: Sheet) {
        self.sheets += 1;
        if let Some(asset) = sheet.asset {
            self.enter(&asset);
        }
        for occurrence in sheet.found {
            self.find(&occurrence);
        }
        for opinion in sheet.opinions {
            self.hear(&opinion);
        }
        for decision in sheet.decisions {
            self.rule(&decision);
        }
    }

    /// Takes an asset; tells whether it is new.
    pub(super) fn enter(&mut self, asset: &Asset) -> bool {
        let new = self.asset.is_none();
        self.asset.get_or_insert_with(|| asset.clone());
        new
    }

    /// Takes a place; tells whether it is new or has other metadata than before.
    pub(super) fn find(&mut self, occurrence: &Occurrence) -> bool {
        let place = (occurrence.collection.clone(), occurrence.source.clone());
        let before = self.places.insert(place, occurrence.metadata.clone());
        before.as_ref() != Some(&occurrence.metadata)
    }

    /// Takes an opinion; tells whether it is new.
    pub(super) fn hear(&mut self, opinion: &Opinion) -> bool {
        let new = self.said.insert(opinion.id.clone());
        if new {
            self.opinions.push(opinion.clone());
        }
        new
    }

    /// Takes a decision; tells whether it is new.
    pub(super) fn rule(&mut self, decision: &Decision) -> bool {
        let body = serde_json::to_string(decision).expect("a decision is plain data");
        let new = self.ruled.insert(body);
        if new {
            self.decisions.push(decision.clone());
        }
        new
    }

    /// Tells whether it was found in a collection.
    pub(super) fn is_in(&self, collection: &str) -> bool {
        let from = (collection.to_owned(), String::new());
        self.places.range(from..).next().is_some_and(|((name, _), _)| name == collection)
    }

    /// Tells whether a run said something of it.
    pub(super) fn heard_of(&self, run: &RunId) -> bool {
        self.opinions.iter().any(|opinion| opinion.run == *run)
    }

    /// The runs whose opinions it has.
    pub(super) fn runs(&self) -> BTreeSet<RunId> {
        self.opinions.iter().map(|opinion| opinion.run.clone()).collect()
    }

    /// Everything as the port gives it, or nothing without an asset.
    pub(super) fn parts(self, withdrawn: &BTreeSet<RunId>) -> Option<Parts> {
        let withdrawn = &self.runs() & withdrawn;
        let occurrences = self
            .places
            .into_iter()
            .map(|((collection, source), metadata)| Occurrence { collection, source, metadata })
            .collect();
        Some(Parts {
            asset: self.asset?,
            occurrences,
            opinions: self.opinions,
            decisions: self.decisions,
            withdrawn,
        })
    }
}

/// The pixels that an opinion says its asset shows.
pub(super) fn shows(opinion: &Opinion) -> Option<crate::asset::PixelDigest> {
    match &opinion.verdict {
        Verdict::Found(Finding::Identified(identified)) => identified.pixels,
        _ => None,
    }
}

/// Reads an asset as it is now.
pub(super) async fn known(table: &Table, tenant: &Tenant, asset: &AssetId) -> Result<Known, Fault> {
    let mut known = Known::default();
    for item in table.query_all(&key::sheets(tenant, asset)).await? {
        known.turn(read(table, tenant, &item).await?);
    }
    Ok(known)
}
