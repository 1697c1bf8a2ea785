//! Notes and charges in DynamoDB: one partition a run, each write on a condition.

use async_trait::async_trait;

use super::super::{Note, Slate};
use super::DynamoCatalogue;
use super::key;
use crate::asset::Tenant;
use crate::aws::dynamo::{Attributes, From, Key, NEW, SK, Update, Write, attribute};
use crate::fault::Fault;
use crate::purchase::Dollars;
use crate::run::RunId;

#[async_trait]
impl Slate for DynamoCatalogue {
    async fn note(&self, tenant: &Tenant, run: &RunId, name: &str) -> Result<Option<Note>, Fault> {
        let item = self.inner.table.get(&Key::note(tenant, run, name)).await?;
        item.as_ref().map(note).transpose()
    }

    async fn notes(
        &self,
        tenant: &Tenant,
        run: &RunId,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Note>, Fault> {
        let partition = key::notes(tenant, run);
        let (first, mut read) = (key::ordered(prefix), after.map(key::ordered));
        let mut found = Vec::new();
        while found.len() < limit {
            let from = match &read {
                Some(read) if *read >= first => From::After(read),
                _ => From::At(&first),
            };
            let page = self.inner.table.query(&partition, from, limit - found.len()).await?;
            for item in &page.items {
                // What was charged stands behind the notes, under a key of another kind.
                if !attribute::text(item, SK)?.starts_with('=') {
                    return Ok(found);
                }
                let note = note(item)?;
                if !note.name.starts_with(prefix) {
                    return Ok(found);
                }
                found.push(note);
            }
            match page.items.last() {
                Some(last) if page.more => read = Some(attribute::text(last, SK)?.to_owned()),
                _ => break,
            }
        }
        Ok(found)
    }

    async fn write_note(
        &self,
        tenant: &Tenant,
        run: &RunId,
        name: &str,
        over: u64,
        body: &str,
    ) -> Result<bool, Fault> {
        let mut item = Key::note(tenant, run, name).attributes();
        item.insert("n".to_owned(), attribute::string(name));
        item.insert("b".to_owned(), attribute::string(body));
        item.insert("v".to_owned(), attribute::number(over + 1));
        let condition = match over {
            0 => (NEW, Attributes::new()),
            over => ("v = :v", Attributes::from([(":v".to_owned(), attribute::number(over))])),
        };
        let write = Write { item, condition: Some(condition) };
        if self.inner.table.write(&write).await? {
            return Ok(true);
        }
        // Perhaps the answer to an earlier try was lost.
        let there = self.note(tenant, run, name).await?;
        Ok(there.is_some_and(|there| there.version == over + 1 && there.body == body))
    }

    async fn charge(
        &self,
        tenant: &Tenant,
        run: &RunId,
        amount: Dollars,
        budget: Dollars,
    ) -> Result<bool, Fault> {
        if amount > budget {
            return Ok(false);
        }
        let most = attribute::number(budget.less(amount).millionths());
        let values = Attributes::from([
            (":a".to_owned(), attribute::number(amount.millionths())),
            (":most".to_owned(), most),
        ]);
        let update = Update {
            expression: "ADD d :a".to_owned(),
            condition: Some("attribute_not_exists(d) OR d <= :most".to_owned()),
            values,
        };
        Ok(self.inner.table.update(&Key::charge(tenant, run), update).await?.held)
    }

    async fn charged(&self, tenant: &Tenant, run: &RunId) -> Result<Dollars, Fault> {
        let item = self.inner.table.get(&Key::charge(tenant, run)).await?;
        let millionths = item.map(|item| attribute::count(&item, "d")).transpose()?;
        Ok(Dollars::from_millionths(millionths.unwrap_or(0)))
    }
}

fn note(item: &Attributes) -> Result<Note, Fault> {
    Ok(Note {
        name: attribute::text(item, "n")?.to_owned(),
        version: attribute::count(item, "v")?,
        body: attribute::text(item, "b")?.to_owned(),
    })
}
