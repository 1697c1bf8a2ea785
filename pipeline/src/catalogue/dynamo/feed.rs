//! The change feed: 32 shards, each numbered without a gap, written with what it speaks of.
//!
//! An entry is put create-only behind the last one of its shard, in the transaction that writes
//! the sheets it names. So an entry is never there before its sheets nor missing after, and a
//! reader that goes on number by number misses nothing, whatever clocks say.

use std::fmt::Write as _;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, MutexGuard};

use super::key::{self, Group};
use super::read;
use super::table::{Attributes, Table, json, text};
use crate::asset::{AssetId, Tenant};
use crate::catalogue::{Bookmark, Change, Changes};
use crate::fault::{Fault, FaultKind};
use crate::run::RunId;

/// How many shards there are: a transaction takes some milliseconds, and a shard takes one at a time.
pub(super) const SHARDS: usize = 32;

/// What an entry of the feed speaks of.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Spoken {
    /// These assets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) assets: Vec<AssetId>,
    /// Every asset that one of these runs said something of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) runs: Vec<RunId>,
}

impl Spoken {
    pub(super) fn is_empty(&self) -> bool {
        self.assets.is_empty() && self.runs.is_empty()
    }
}

/// The feed of a table.
pub(super) struct Feed {
    table: Arc<Table>,
    /// The table's own name, by which bookmarks of another one are told.
    id: String,
    /// The last number of each shard, as far as it is known here.
    ends: Vec<Mutex<Option<u64>>>,
}

/// A shard that nobody else in this process writes to.
pub(super) struct Turn<'a> {
    feed: &'a Feed,
    shard: usize,
    end: MutexGuard<'a, Option<u64>>,
}

/// How far each shard was read.
#[derive(Debug, Clone, PartialEq)]
struct Place {
    read: [u64; SHARDS],
    /// Within the entry after the last one read.
    within: Option<Within>,
}

/// How far an entry was told that speaks of runs: which shard, which of its runs, which asset last.
#[derive(Debug, Clone, PartialEq)]
struct Within {
    shard: usize,
    run: usize,
    asset: AssetId,
}

impl Feed {
    pub(super) fn new(table: Arc<Table>, id: String) -> Self {
        Self { table, id, ends: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }

    /// Waits for a shard: one that is free, else a random one.
    pub(super) async fn turn(&self) -> Turn<'_> {
        // Processes begin at different shards, so that they seldom meet.
        let start = RandomState::new().build_hasher().finish() as usize % SHARDS;
        for shard in (0..SHARDS).map(|step| (start + step) % SHARDS) {
            if let Ok(end) = self.ends[shard].try_lock() {
                return Turn { feed: self, shard, end };
            }
        }
        Turn { feed: self, shard: start, end: self.ends[start].lock().await }
    }

    /// Reads on after a bookmark.
    pub(super) async fn changes(&self, after: &Bookmark, limit: usize) -> Result<Changes, Fault> {
        let mut place = self.place(after).await?;
        let mut list = Vec::new();
        for shard in self.that_have_more(&place).await? {
            while list.len() < limit {
                let from = key::entry(place.read[shard]);
                let page =
                    self.table.range(&key::feed(shard), Some(&from), limit - list.len()).await?;
                if page.is_empty() {
                    break;
                }
                for entry in &page {
                    if list.len() >= limit {
                        break;
                    }
                    self.tell(entry, shard, limit, &mut place, &mut list).await?;
                }
            }
        }
        let bookmark = if list.is_empty() { after.clone() } else { self.bookmark(&place) };
        Ok(Changes { list, bookmark })
    }

    /// Adds what one entry speaks of, and moves the place behind it or into it.
    async fn tell(
        &self,
        entry: &Attributes,
        shard: usize,
        limit: usize,
        place: &mut Place,
        list: &mut Vec<Change>,
    ) -> Result<(), Fault> {
        let tenant: Tenant = text(entry, "tenant")?.parse()?;
        let Spoken { assets, runs } = json(entry, "of")?;
        let of = |asset| Change { tenant: tenant.clone(), asset };
        let told = place.within.take().filter(|within| within.shard == shard);
        if told.is_none() {
            list.extend(assets.into_iter().map(of));
        }
        let (first, mut last) = told.map_or((0, None), |told| (told.run, Some(told.asset)));
        for (at, run) in runs.iter().enumerate().skip(first) {
            let group = Group::Run(run);
            loop {
                let wanted = limit.saturating_sub(list.len()).max(1);
                let page =
                    read::members(&self.table, &tenant, &group, last.as_ref(), wanted).await?;
                let Some(end) = page.last().cloned() else { break };
                list.extend(page.into_iter().map(of));
                if list.len() >= limit {
                    place.within = Some(Within { shard, run: at, asset: end });
                    return Ok(());
                }
                last = Some(end);
            }
            last = None;
        }
        place.within = None;
        place.read[shard] += 1;
        Ok(())
    }

    /// The shards in which something follows, one that is half told first.
    async fn that_have_more(&self, place: &Place) -> Result<Vec<usize>, Fault> {
        let next = |shard: usize| Table::key(key::feed(shard), key::entry(place.read[shard] + 1));
        let items = self.table.many((0..SHARDS).map(next).collect(), Some("pk")).await?;
        let mut shards = Vec::new();
        for item in items {
            let shard = text(&item, "pk")?.trim_start_matches("F#").parse();
            shards.push(shard.map_err(|e| Fault::broken("a shard has no number").because(e))?);
        }
        let within = place.within.as_ref().map(|within| within.shard);
        shards.sort_by_key(|shard| (Some(*shard) != within, *shard));
        Ok(shards)
    }

    /// Reads a bookmark; one that is not of this feed is a conflict.
    async fn place(&self, bookmark: &Bookmark) -> Result<Place, Fault> {
        let mut place = Place { read: [0; SHARDS], within: None };
        if bookmark.is_start() {
            return Ok(place);
        }
        let foreign = || {
            Fault::new(FaultKind::Conflict, "the bookmark is not of this catalogue's change feed")
        };
        let mut words = bookmark.0.split(' ');
        let (Some(id), Some(read)) = (words.next(), words.next()) else { return Err(foreign()) };
        let mut numbers = read.split('.').map(str::parse);
        for read in &mut place.read {
            *read = numbers.next().and_then(Result::ok).ok_or_else(foreign)?;
        }
        if let Some(within) = words.next() {
            let mut parts = within.split('@');
            let mut number = || parts.next().and_then(|part| part.parse().ok());
            let (shard, run) = (number(), number());
            let asset = parts.next().and_then(|asset| asset.parse().ok());
            let (Some(shard), Some(run), Some(asset)) = (shard, run, asset) else {
                return Err(foreign());
            };
            place.within = Some(Within { shard, run, asset });
        }
        if id != self.id || numbers.next().is_some() {
            return Err(foreign());
        }
        // Entries that were read are there, unless the table is an older one restored.
        let read: Vec<Attributes> = (0..SHARDS)
            .filter(|&shard| place.read[shard] > 0)
            .map(|shard| Table::key(key::feed(shard), key::entry(place.read[shard])))
            .collect();
        let expected = read.len();
        if self.table.many(read, Some("pk")).await?.len() != expected {
            return Err(foreign());
        }
        Ok(place)
    }

    fn bookmark(&self, place: &Place) -> Bookmark {
        let read: Vec<String> = place.read.iter().map(ToString::to_string).collect();
        let mut bookmark = format!("{} {}", self.id, read.join("."));
        if let Some(Within { shard, run, asset }) = &place.within {
            write!(bookmark, " {shard}@{run}@{asset}").expect("writing to a string cannot fail");
        }
        Bookmark(bookmark)
    }
}

impl Turn<'_> {
    /// The next entry of the shard, and its number.
    pub(super) async fn entry(
        &mut self,
        tenant: &Tenant,
        spoken: &Spoken,
        token: &str,
    ) -> Result<Attributes, Fault> {
        let last = match *self.end {
            Some(last) => last,
            None => self.find_end().await?,
        };
        let mut entry = Table::key(key::feed(self.shard), key::entry(last + 1));
        let body = serde_json::to_string(spoken).expect("an entry is plain data");
        for (name, value) in [("tenant", tenant.as_str()), ("of", &body), ("t", token)] {
            entry.insert(name.to_owned(), AttributeValue::S(value.to_owned()));
        }
        Ok(entry)
    }

    /// Notes that the entry is written.
    pub(super) fn written(&mut self) {
        *self.end = self.end.map(|last| last + 1);
    }

    /// Notes that another process wrote to the shard, or may have: the end is looked for again.
    pub(super) fn lost(&mut self) {
        *self.end = None;
    }

    async fn find_end(&mut self) -> Result<u64, Fault> {
        let latest = self.feed.table.latest(&key::feed(self.shard), 1).await?;
        let last = match latest.first() {
            Some(entry) => text(entry, "sk")?
                .parse()
                .map_err(|e| Fault::broken("an entry of the feed has no number").because(e))?,
            None => 0,
        };
        *self.end = Some(last);
        Ok(last)
    }
}
