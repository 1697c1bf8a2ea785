//! What is listed: pointers, each proved by what it leads to, and deeds.

use super::super::{Deed, DeedId};
use super::DynamoRegistry;
use crate::aws::dynamo::{Attributes, From, Key, SK, Write, attribute};
use crate::fault::Fault;

impl DynamoRegistry {
    /// Writes what leads to something before that is there.
    pub(super) async fn point(&self, key: &Key) -> Result<(), Fault> {
        self.table.write(&Write { item: key.attributes(), condition: None }).await.map(drop)
    }

    /// Lists what a partition's pointers lead to, after one, as far as they are proved.
    pub(super) async fn listed<T>(
        &self,
        partition: &str,
        after: Option<String>,
        limit: usize,
        leads_to: impl Fn(&str) -> Result<Key, Fault> + Send,
        proved: impl Fn(&str, &Attributes) -> Result<Option<T>, Fault> + Send,
    ) -> Result<Vec<T>, Fault>
    where
        T: Send,
    {
        let (mut found, mut after) = (Vec::new(), after);
        while found.len() < limit {
            let from = after.as_deref().map_or(From::Start, From::After);
            let page = self.table.query(partition, from, limit - found.len()).await?;
            let mut pointers = Vec::with_capacity(page.items.len());
            for item in &page.items {
                let name = attribute::text(item, SK)?;
                pointers.push((name, leads_to(name)?));
            }
            let keys: Vec<Key> = pointers.iter().map(|(_, key)| key.clone()).collect();
            let there = self.table.get_many(&keys, true, None).await?;
            for (name, key) in &pointers {
                if let Some(item) = there.get(key) {
                    found.extend(proved(name, item)?);
                }
            }
            match pointers.last() {
                Some((last, _)) if page.more => after = Some((*last).to_owned()),
                _ => break,
            }
        }
        Ok(found)
    }

    /// Lists the deeds of one of a tenant's partitions.
    pub(super) async fn deeds_of(
        &self,
        partition: &str,
        before: Option<&DeedId>,
        limit: usize,
    ) -> Result<Vec<Deed>, Fault> {
        let mut found: Vec<Deed> = Vec::new();
        let mut before = before.cloned();
        while found.len() < limit {
            let from = before.as_ref().map_or(From::End, |id| From::Before(id.as_str()));
            let page = self.table.query(partition, from, limit - found.len()).await?;
            for item in &page.items {
                found.push(attribute::json(item, "b")?);
            }
            match found.last() {
                Some(last) if page.more => before = Some(last.id.clone()),
                _ => break,
            }
        }
        Ok(found)
    }
}
