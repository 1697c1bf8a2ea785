//! The registry on AWS: one DynamoDB table of its own, so that its rights are granted apart.
//!
//! What a tenant may use and what it used lie in one item, so a charge is one conditional update
//! and counted rightly over any number of processes. Lists are *pointers*, written before what they
//! lead to and proved by it: a crash leaves at most a pointer to nothing, which shows nowhere.
//! Nothing is ever deleted, and no request is made that could: a role without the right to
//! `DeleteItem` and `BatchWriteItem` is enough. That no line of the audit log is written over is
//! this code's promise alone: DynamoDB has no right that allows new items only.
//!
//! | question | partition | sort key | holds | units: write, read |
//! |---|---|---|---|---|
//! | what may a tenant use, what did it use | `A#tenant` | `account` | `made`, quotas, usage; `t` who opened it, `t0` to `t15` the last charges | open 2; set, charge, give back 1 each, and 1 read; read 1 |
//! | which tenants have a lease | `L` | tenant | pointer, proved by `made` of the account | read 1 for some 60, and 1 each |
//! | whose key is this | `K#id` | `key` | an [`AccessKey`] | make 3, and 1 read; revoke 1; read 1 |
//! | which keys has a tenant | `T#tenant` | id | pointer, proved by `tenant` of the key | read 1 for some 60, and 1 each |
//! | was a key ever made | `Z` | `keys` | nothing more | read 1 |
//! | what did people do | `D#tenant#x` | deed's id | `b` a [`Deed`] as JSON | write 1 a KB, mostly 1; read of a page 4 at least, 4 KB each |
//! | whose table is this | `Z` | `meta` | `application`, `v`, `id` random | read 1 |
//!
//! Units are DynamoDB's: a write unit is 1 KB, a read unit 4 KB read as they are now. A partition
//! takes 1,000 write units a second. So one tenant can be charged 1,000 times a second, from all
//! processes together; its deeds are spread over four partitions (`x`, by the random end of their
//! ids) and can be 4,000 a second, as many as a new on-demand table takes in all. Who reads them
//! merges four lists. What comes faster is throttled, sent again, and at last `Busy`.
//!
//! `Z`, `keys` is written before the first key is: a crash between leaves a registry that says it
//! has keys and has none, which keeps strangers out until the key is made again.

mod access;
mod account;
mod key;
mod list;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Deserialize;

use self::account::{Account, Token};
use super::{AccessKey, Deed, DeedId, KeyId, Lease, MOST_LISTED, Quota, Registry, Usage};
use crate::asset::Tenant;
use crate::aws::dynamo::{
    self, Attributes, Billing, Key, Layout, NEW, Table, Update, Write, attribute,
};
use crate::aws::{Aws, random};
use crate::fault::{Fault, FaultKind};

/// Whose table it is; a catalogue's is not taken for it.
const LAYOUT: Layout = Layout { keeps: "registry", application: "glassplate registry", version: 1 };
/// How often a charge is begun anew because a quota or a use changed meanwhile.
const TRIES: u32 = 10;

/// Which table the registry is kept in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RegistrySettings {
    /// The table's name: 3 to 255 characters of letters, digits, `_`, `-` and `.`.
    pub table: String,
}

impl Default for RegistrySettings {
    fn default() -> Self {
        Self { table: "glassplate-registry".to_owned() }
    }
}

impl RegistrySettings {
    /// Checks the name.
    ///
    /// # Errors
    /// `BadInput` naming the setting.
    pub fn validate(&self) -> Result<(), Fault> {
        dynamo::check_name("registry.table", &self.table)
    }
}

/// Keeps leases, keys, usage and deeds in one DynamoDB table.
#[derive(Debug)]
pub struct DynamoRegistry {
    table: Table,
    /// The table's random name, so that another in its place is noticed.
    id: String,
}

impl DynamoRegistry {
    /// Opens the registry in a table that [`DynamoRegistry::create_table`] made.
    ///
    /// # Errors
    /// `NotFound` when there is none, `Refused` when it is of another program or a newer
    /// glassplate, or without the right to read it.
    pub async fn open(aws: &Aws, settings: RegistrySettings) -> Result<Self, Fault> {
        settings.validate()?;
        let table = Table::new(aws, settings.table);
        let id = id(&table).await?;
        Ok(Self { table, id })
    }

    /// Makes the registry's table, paid for by request, and waits until it can be used; tells
    /// whether it was made now.
    ///
    /// One that is there and empty is taken over, and one that is a registry already is left as it
    /// is. `protect` encrypts it with a key of the account, guards it against deletion and turns on
    /// recovery to any point of the last 35 days.
    ///
    /// # Errors
    /// `Refused` when there is such a table with something else in it, or without the right;
    /// `TimedOut` when it does not come.
    pub async fn create_table(
        aws: &Aws,
        settings: &RegistrySettings,
        protect: bool,
    ) -> Result<bool, Fault> {
        settings.validate()?;
        let table = Table::new(aws, settings.table.clone());
        let id = attribute::string(format!("{}{}", token(), token()));
        let says = Attributes::from([("id".to_owned(), id)]);
        dynamo::create(&table, &LAYOUT, says, Billing::OnDemand, protect).await
    }

    async fn account(&self, tenant: &Tenant) -> Result<Account, Fault> {
        Account::read(&self.table.get(&Key::account(tenant)).await?.unwrap_or_default())
    }

    /// Changes an account by an update that is made anew of what is there until it is carried out,
    /// once; nothing to do leaves it as it is.
    async fn settle(
        &self,
        tenant: &Tenant,
        update: impl Fn(&Account, &Token) -> Result<Option<Update>, Fault> + Send,
    ) -> Result<Usage, Fault> {
        let (key, token) = (Key::account(tenant), Token::draw());
        let mut account = self.account(tenant).await?;
        for _ in 0..TRIES {
            let Some(update) = update(&account, &token)? else { return Ok(account.used) };
            let updated = self.table.update(&key, update).await?;
            account = Account::read(&updated.item)?;
            // A condition may fail because the answer to a first sending was lost.
            if updated.held || token.is_in(&updated.item) {
                return Ok(account.used);
            }
        }
        let message = format!("other processes keep the account of the tenant {tenant} busy");
        Err(Fault::new(FaultKind::Busy, message))
    }
}

#[async_trait]
impl Registry for DynamoRegistry {
    async fn open_lease(&self, lease: &Lease) -> Result<(), Fault> {
        lease.quota.validate()?;
        self.point(&Key::leased(&lease.tenant)).await?;
        let update = account::open(lease, &token());
        match self.table.update(&Key::account(&lease.tenant), update).await?.held {
            true => Ok(()),
            false => Err(super::tenant_taken(&lease.tenant)),
        }
    }

    async fn lease(&self, tenant: &Tenant) -> Result<Option<Lease>, Fault> {
        Ok(self.account(tenant).await?.lease(tenant))
    }

    async fn leases(&self, after: Option<&Tenant>, limit: usize) -> Result<Vec<Lease>, Fault> {
        self.listed(
            key::LEASES,
            after.map(ToString::to_string),
            limit.min(MOST_LISTED),
            |tenant| Ok(Key::account(&tenant.parse()?)),
            |tenant, item| Ok(Account::read(item)?.lease(&tenant.parse()?)),
        )
        .await
    }

    async fn set_quota(&self, tenant: &Tenant, quota: &Quota) -> Result<(), Fault> {
        quota.validate()?;
        let update = account::set_quota(quota);
        match self.table.update(&Key::account(tenant), update).await?.held {
            true => Ok(()),
            false => Err(super::no_tenant(tenant)),
        }
    }

    async fn usage(&self, tenant: &Tenant) -> Result<Usage, Fault> {
        Ok(self.account(tenant).await?.used)
    }

    /// Charges as the port says. An answer that is lost on its way is asked for again and found
    /// by its token, unless another charge of the tenant took its one of 16 slots meanwhile: then
    /// it is charged twice.
    async fn charge(&self, tenant: &Tenant, more: &Usage) -> Result<Usage, Fault> {
        self.settle(tenant, |account, token| account.charge(more, token)).await
    }

    async fn give_back(&self, tenant: &Tenant, less: &Usage) -> Result<(), Fault> {
        self.settle(tenant, |account, token| Ok(account.give_back(less, token))).await.map(drop)
    }

    async fn add_key(&self, key: &AccessKey) -> Result<(), Fault> {
        if self.lease(&key.tenant).await?.is_none() {
            return Err(super::no_tenant(&key.tenant));
        }
        self.point(&Key::first()).await?;
        self.point(&Key::held(&key.tenant, &key.id)).await?;
        match self.table.write(&access::write(key, &token())).await? {
            true => Ok(()),
            false => Err(super::key_taken(&key.id)),
        }
    }

    async fn key(&self, id: &KeyId) -> Result<Option<AccessKey>, Fault> {
        self.table.get(&Key::access(id)).await?.as_ref().map(access::read).transpose()
    }

    async fn keys(
        &self,
        tenant: &Tenant,
        after: Option<&KeyId>,
        limit: usize,
    ) -> Result<Vec<AccessKey>, Fault> {
        self.listed(
            &key::held(tenant),
            after.map(ToString::to_string),
            limit.min(MOST_LISTED),
            |id| Ok(Key::access(&id.parse()?)),
            |_, item| Ok(Some(access::read(item)?).filter(|key| key.tenant == *tenant)),
        )
        .await
    }

    async fn revoke_key(&self, tenant: &Tenant, id: &KeyId, at: Timestamp) -> Result<(), Fault> {
        match self.table.update(&Key::access(id), access::revoke(tenant, at)).await?.held {
            true => Ok(()),
            false => Err(super::no_key(id)),
        }
    }

    async fn has_keys(&self) -> Result<bool, Fault> {
        Ok(self.table.get(&Key::first()).await?.is_some())
    }

    async fn note(&self, deed: &Deed) -> Result<(), Fault> {
        let mut item = Key::deed(&deed.tenant, &deed.id).attributes();
        let body = serde_json::to_string(deed);
        let body = body.map_err(|e| Fault::broken("cannot write a deed as JSON").because(e))?;
        item.insert("b".to_owned(), attribute::string(body));
        // One that is there already is this one: ids are never given twice.
        self.table.write(&Write { item, condition: Some((NEW, Attributes::new())) }).await.map(drop)
    }

    async fn deeds(
        &self,
        tenant: &Tenant,
        before: Option<&DeedId>,
        limit: usize,
    ) -> Result<Vec<Deed>, Fault> {
        let limit = limit.min(MOST_LISTED);
        let mut found = Vec::new();
        for shard in 0..key::DEED_SHARDS {
            found.extend(self.deeds_of(&key::deeds(tenant, shard), before, limit).await?);
        }
        found.sort_unstable_by(|a, b| b.id.cmp(&a.id));
        found.truncate(limit);
        Ok(found)
    }

    /// Checks that the table is still the same, and reads every lease.
    async fn check(&self) -> Result<(), Fault> {
        if id(&self.table).await? != self.id {
            let message = format!("the table {} was replaced by another", self.table.name);
            return Err(Fault::new(FaultKind::Conflict, message).for_all());
        }
        let mut after: Option<Tenant> = None;
        loop {
            let page = self.leases(after.as_ref(), MOST_LISTED).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.tenant.clone());
        }
        self.has_keys().await.map(drop)
    }
}

/// The random name that a table was given when it was made.
async fn id(table: &Table) -> Result<String, Fault> {
    let says = dynamo::about(table, &LAYOUT).await?;
    attribute::text(&says, "id").map(str::to_owned)
}

/// The name of one request that writes, of its own.
fn token() -> String {
    format!("{:016x}", random())
}
