//! The change feed: shards without gaps, and how far each was read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

use super::super::{Bookmark, Change, Changes};
use super::Inner;
use super::key::{self, List};
use crate::asset::{AssetId, Tenant};
use crate::aws::dynamo::{Attributes, From, Key, NEW, SK, Table, Write, attribute};
use crate::aws::random;
use crate::fault::{Fault, FaultKind};
use crate::run::RunId;

/// The shards as this process knows them.
#[derive(Debug)]
pub(super) struct Shards {
    /// The last number of each shard, where it is known; held while a number is being taken.
    ends: Vec<Arc<tokio::sync::Mutex<Option<u64>>>>,
    /// Where this process looks for an idle shard first, so that processes keep apart.
    home: usize,
    /// The last mark of each shard that was seen to be of this feed.
    seen: Mutex<Vec<Mark>>,
}

/// How far one shard was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Mark {
    /// The number of the last entry read, from 1; 0 before the first.
    number: u64,
    /// The beginning of that entry's token: a table restored from a backup has another there.
    check: u32,
}

/// How far the feed was read; what a bookmark says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Position {
    marks: Vec<Mark>,
    /// The place within an entry that stands for many assets.
    inside: Option<Inside>,
}

/// A place within the entry behind a shard's mark.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Inside {
    shard: usize,
    /// Which of the entry's runs.
    run: usize,
    /// The last of the run's assets that was read.
    after: AssetId,
}

/// An entry as read.
struct Entry {
    mark: Mark,
    tenant: Tenant,
    assets: Vec<AssetId>,
    runs: Vec<RunId>,
}

impl Shards {
    pub(super) fn new(count: usize) -> Self {
        Self {
            ends: (0..count).map(|_| Arc::default()).collect(),
            home: usize::try_from(random() % count as u64).expect("a count of shards is small"),
            seen: Mutex::new(vec![Mark::default(); count]),
        }
    }

    /// Takes a shard at which nothing of this process is at work, or waits for one.
    pub(super) async fn idle(&self) -> (usize, OwnedMutexGuard<Option<u64>>) {
        let count = self.ends.len();
        for shard in (0..count).map(|n| (self.home + n) % count) {
            if let Ok(end) = self.ends[shard].clone().try_lock_owned() {
                return (shard, end);
            }
        }
        let shard = usize::try_from(random() % count as u64).expect("a count of shards is small");
        (shard, self.ends[shard].clone().lock_owned().await)
    }

    fn is_seen(&self, shard: usize, mark: Mark) -> bool {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)[shard] == mark
    }

    fn see(&self, shard: usize, mark: Mark) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)[shard] = mark;
    }
}

/// The write of an entry at a number that must be free.
pub(super) fn write(
    shard: usize,
    number: u64,
    tenant: &Tenant,
    token: &str,
    assets: &[AssetId],
    runs: &[RunId],
) -> Write {
    let mut item = Key::feed(shard, number).attributes();
    item.insert("t".to_owned(), attribute::string(token));
    item.insert("n".to_owned(), attribute::string(tenant.as_str()));
    let assets: Vec<&str> = assets.iter().map(AssetId::as_str).collect();
    item.insert("a".to_owned(), attribute::string(assets.join(" ")));
    if !runs.is_empty() {
        let runs = serde_json::to_string(runs).expect("names are plain data");
        item.insert("r".to_owned(), attribute::string(runs));
    }
    Write { item, condition: Some((NEW, Attributes::new())) }
}

/// Finds the last number of a shard; 0 when it is empty.
pub(super) async fn end(table: &Table, shard: usize) -> Result<u64, Fault> {
    let page = table.query(&key::feed(shard), From::End, 1).await?;
    page.items.first().map_or(Ok(0), |item| Ok(mark(item)?.number))
}

fn mark(item: &Attributes) -> Result<Mark, Fault> {
    let number = attribute::text(item, SK)?.parse();
    let token = attribute::text(item, "t")?;
    let check = token.get(..8).and_then(|head| u32::from_str_radix(head, 16).ok());
    match (number, check) {
        (Ok(number), Some(check)) => Ok(Mark { number, check }),
        _ => Err(attribute::unreadable(item, "t")),
    }
}

fn entry(item: &Attributes) -> Result<Entry, Fault> {
    let wrong = |e: Fault| attribute::unreadable(item, "a").because(e);
    let runs = item.contains_key("r").then(|| attribute::json(item, "r")).transpose()?;
    Ok(Entry {
        mark: mark(item)?,
        tenant: attribute::text(item, "n")?.parse().map_err(wrong)?,
        assets: attribute::text(item, "a")?
            .split_ascii_whitespace()
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map_err(wrong)?,
        runs: runs.unwrap_or_default(),
    })
}

impl Inner {
    /// Reads the feed after a bookmark.
    pub(super) async fn changes(
        self: &Arc<Self>,
        after: &Bookmark,
        limit: usize,
    ) -> Result<Changes, Fault> {
        let foreign =
            || Fault::new(FaultKind::Conflict, "the bookmark is not of this table's change feed");
        let mut at = Position::of(after, &self.meta.id, self.meta.shards).ok_or_else(foreign)?;
        let mut list = Vec::new();
        while list.is_empty() {
            let Some(busy) = self.poll(&at).await? else { return Err(foreign()) };
            if busy.is_empty() {
                break;
            }
            self.advance(busy, &mut at, &mut list, limit.max(1)).await?;
        }
        for (shard, &mark) in at.marks.iter().enumerate() {
            self.shards.see(shard, mark);
        }
        Ok(Changes { list, bookmark: at.bookmark(&self.meta.id) })
    }

    /// Tells which shards have something behind their marks; nothing when a mark is foreign.
    async fn poll(&self, at: &Position) -> Result<Option<Vec<usize>>, Fault> {
        let mut keys = Vec::new();
        for (shard, &mark) in at.marks.iter().enumerate() {
            keys.push(Key::feed(shard, mark.number.saturating_add(1)));
            if mark.number > 0 && !self.shards.is_seen(shard, mark) {
                keys.push(Key::feed(shard, mark.number));
            }
        }
        let there: HashMap<Key, Attributes> = self.table.get_many(&keys, true, Some("t")).await?;
        let mut busy = Vec::new();
        for (shard, &read) in at.marks.iter().enumerate() {
            if read.number > 0 && !self.shards.is_seen(shard, read) {
                match there.get(&Key::feed(shard, read.number)) {
                    Some(item) if mark(item)? == read => {}
                    _ => return Ok(None),
                }
            }
            if there.contains_key(&Key::feed(shard, read.number.saturating_add(1))) {
                busy.push(shard);
            }
        }
        Ok(Some(busy))
    }

    /// Reads on in shards that have something, until there are `limit` changes.
    async fn advance(
        self: &Arc<Self>,
        mut busy: Vec<usize>,
        at: &mut Position,
        list: &mut Vec<Change>,
        limit: usize,
    ) -> Result<(), Fault> {
        let quota = (limit / busy.len()).max(1);
        // Not always the same first, or busy shards would starve the others.
        let read: u64 = at.marks.iter().fold(0, |sum, mark| sum.wrapping_add(mark.number));
        let turn = usize::try_from(read % busy.len() as u64).expect("below the count of shards");
        busy.rotate_left(turn);
        if let Some(inside) = &at.inside {
            busy.retain(|&shard| shard != inside.shard);
            busy.insert(0, inside.shard);
        }
        for shard in busy {
            let after = key::entry(at.marks[shard].number);
            let page = self.table.query(&key::feed(shard), From::After(&after), quota).await?;
            for item in &page.items {
                let entry = entry(item)?;
                if !self.expand(shard, &entry, at, list, limit).await? {
                    return Ok(());
                }
                at.marks[shard] = entry.mark;
                if list.len() >= limit {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Lists the assets of an entry; tells whether it came to the entry's end.
    async fn expand(
        self: &Arc<Self>,
        shard: usize,
        entry: &Entry,
        at: &mut Position,
        list: &mut Vec<Change>,
        limit: usize,
    ) -> Result<bool, Fault> {
        let change = |asset| Change { tenant: entry.tenant.clone(), asset };
        let (first, mut after) = match at.inside.take() {
            Some(inside) => (inside.run, Some(inside.after)),
            None => {
                list.extend(entry.assets.iter().cloned().map(change));
                (0, None)
            }
        };
        for (index, run) in entry.runs.iter().enumerate().skip(first) {
            let room = limit.saturating_sub(list.len()).max(1);
            let of_run = List::Run(&entry.tenant, run);
            let assets = self.list(of_run, after.take().as_ref(), room).await?;
            let full = (assets.len() >= room).then(|| assets.last().cloned()).flatten();
            list.extend(assets.into_iter().map(change));
            if let Some(after) = full {
                at.inside = Some(Inside { shard, run: index, after });
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Checks that every shard's end follows on what is before it.
    ///
    /// # Errors
    /// `Broken` naming the shard.
    pub(super) async fn check_feed(self: &Arc<Self>) -> Result<(), Fault> {
        for shard in 0..self.meta.shards {
            let end = end(&self.table, shard).await?;
            let before = (end.saturating_sub(9).max(1)..=end).map(|n| Key::feed(shard, n));
            let keys: Vec<Key> = before.collect();
            let there = self.table.get_many(&keys, true, Some("t")).await?;
            if there.len() < keys.len() {
                return Err(Fault::broken(format!(
                    "shard {shard} of the change feed has a gap before its end at {end}"
                )));
            }
        }
        Ok(())
    }
}

impl Position {
    /// Reads a bookmark; nothing when it is of another table.
    fn of(bookmark: &Bookmark, id: &str, shards: usize) -> Option<Self> {
        if bookmark.is_start() {
            return Some(Self { marks: vec![Mark::default(); shards], inside: None });
        }
        let mut words = bookmark.0.split(' ');
        if words.next()? != id {
            return None;
        }
        let marks: Vec<Mark> = words.next()?.split(',').map(Mark::of).collect::<Option<_>>()?;
        let inside = match words.next() {
            Some(word) => Some(Inside::of(word).filter(|inside| inside.shard < shards)?),
            None => None,
        };
        (marks.len() == shards && words.next().is_none()).then_some(Self { marks, inside })
    }

    fn bookmark(&self, id: &str) -> Bookmark {
        if self.inside.is_none() && self.marks.iter().all(|mark| mark.number == 0) {
            return Bookmark::default();
        }
        let marks: Vec<String> = self.marks.iter().map(Mark::to_string).collect();
        let mut text = format!("{id} {}", marks.join(","));
        if let Some(Inside { shard, run, after }) = &self.inside {
            text.push_str(&format!(" {shard}.{run}.{after}"));
        }
        Bookmark(text)
    }
}

impl Mark {
    fn of(text: &str) -> Option<Self> {
        if text == "0" {
            return Some(Self::default());
        }
        let (number, check) = text.split_once('-')?;
        Some(Self { number: number.parse().ok()?, check: u32::from_str_radix(check, 16).ok()? })
    }
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.number {
            0 => f.write_str("0"),
            number => write!(f, "{number}-{:08x}", self.check),
        }
    }
}

impl Inside {
    fn of(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        Some(Self {
            shard: parts.next()?.parse().ok()?,
            run: parts.next()?.parse().ok()?,
            after: parts.next()?.parse().ok()?,
        })
    }
}
