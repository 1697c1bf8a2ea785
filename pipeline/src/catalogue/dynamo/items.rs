//! A run's items by source: its partitions, merged.

use std::collections::VecDeque;

use super::Inner;
use super::key::{self, ITEM_SHARDS, KEPT};
use crate::asset::Tenant;
use crate::aws::dynamo::{From, SK, Table, attribute};
use crate::fault::Fault;
use crate::run::{Item, RunId};

/// One partition, read a page at a time.
struct Stream {
    partition: String,
    /// The sort key of the last item read.
    read: Option<String>,
    /// Items in the order of their sources.
    ready: VecDeque<Item>,
    /// Items whose order is open: their keys agree, and more of them may follow.
    held: Vec<Item>,
    more: bool,
}

impl Inner {
    pub(super) async fn items(
        &self,
        tenant: &Tenant,
        run: &RunId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Item>, Fault> {
        let mut streams: Vec<Stream> = (0..ITEM_SHARDS)
            .map(|shard| Stream {
                partition: key::items(tenant, run, shard),
                read: None,
                ready: VecDeque::new(),
                held: Vec::new(),
                more: true,
            })
            .collect();
        let page = limit / streams.len() + 1;
        let mut found = Vec::new();
        while found.len() < limit {
            for stream in &mut streams {
                stream.fill(&self.table, after, page).await?;
            }
            let least = streams.iter_mut().filter(|stream| !stream.ready.is_empty());
            let least = least.min_by(|a, b| a.ready[0].source.cmp(&b.ready[0].source));
            let Some(item) = least.and_then(|stream| stream.ready.pop_front()) else { break };
            found.push(item);
        }
        Ok(found)
    }
}

impl Stream {
    /// Reads on until an item is ready or there is none left.
    async fn fill(&mut self, table: &Table, after: Option<&str>, page: usize) -> Result<(), Fault> {
        while self.ready.is_empty() && self.more {
            let start = after.map(|after| format!("={}", key::head(after, KEPT)));
            let from = match (&self.read, &start) {
                (Some(read), _) => From::After(read),
                (None, Some(start)) => From::At(start),
                (None, None) => From::Start,
            };
            let read = table.query(&self.partition, from, page).await?;
            self.more = read.more;
            if let Some(last) = read.items.last() {
                self.read = Some(attribute::text(last, SK)?.to_owned());
            }
            for item in &read.items {
                let item: Item = attribute::json(item, "b")?;
                if after.is_none_or(|after| item.source.as_str() > after) {
                    self.take(item);
                }
            }
            if !self.more {
                self.release();
            }
        }
        Ok(())
    }

    fn take(&mut self, item: Item) {
        if self.held.first().is_some_and(|held| !agree(&held.source, &item.source)) {
            self.release();
        }
        match item.source.len() < KEPT {
            true => self.ready.push_back(item),
            false => self.held.push(item),
        }
    }

    fn release(&mut self) {
        self.held.sort_by(|a, b| a.source.cmp(&b.source));
        self.ready.extend(self.held.drain(..));
    }
}

/// Tells whether the keys of two sources may not say which comes first.
fn agree(a: &str, b: &str) -> bool {
    a.as_bytes().get(..KEPT).is_some_and(|kept| b.as_bytes().get(..KEPT) == Some(kept))
}
