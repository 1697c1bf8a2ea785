//! What an append comes to: sheets, pointers, runs, outcomes and purchases. No request is made here.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::Entry;
use super::key::{self, List};
use super::sheet::{self, Body, Known, Sheet};
use crate::asset::{Asset, AssetId, Occurrence, Tenant};
use crate::aws::dynamo::{Attributes, Key, NEW, Update, Write, attribute};
use crate::decision::Decision;
use crate::fault::{Fault, FaultKind};
use crate::opinion::{Opinion, Subject};
use crate::purchase::{Purchase, PurchaseState};
use crate::run::{Item, Run, RunId};

/// Bytes of all bodies that one transaction carries, which takes 4 MB.
const MOST_BODIES: usize = 3 << 20;
/// Bytes of a body in its sheet; an item holds at most 400 KB.
const MOST_BODY: usize = 350 << 10;
/// Bytes of an item that is not cut into chunks.
const MOST_ITEM: usize = 390 << 10;

/// What is there before an append.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// The assets that the entries speak of.
    pub(super) assets: HashMap<AssetId, Known>,
    /// The runs that the entries speak of, as far as there are.
    pub(super) runs: HashMap<RunId, StoredRun>,
    /// Runs of which it is known that they are there.
    pub(super) begun: BTreeSet<RunId>,
    /// The purchases that the entries speak of, where something else depends on them.
    pub(super) purchases: HashMap<Key, Purchase>,
}

/// A run and how often it was written.
#[derive(Debug, Clone)]
pub(super) struct StoredRun {
    /// The run.
    pub(super) run: Run,
    /// Grows with every write.
    pub(super) version: u64,
}

/// What an append comes to.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Pieces of large bodies; before everything else.
    pub(super) chunks: Vec<Attributes>,
    /// Pointers; before the transaction.
    pub(super) pointers: BTreeMap<Key, Attributes>,
    /// Additions to pointers of subjects; before the transaction.
    pub(super) claims: BTreeMap<Key, Claim>,
    /// All or none.
    pub(super) writes: Vec<Planned>,
    /// The assets that the feed is to tell of.
    pub(super) changed: Vec<AssetId>,
    /// The runs whose assets the feed is to tell of.
    pub(super) turned: Vec<RunId>,
}

/// A write of the transaction.
#[derive(Debug)]
pub(super) struct Planned {
    /// What it writes, and so what its failed condition means.
    pub(super) what: What,
    /// The write itself.
    pub(super) write: Write,
}

/// What an item of a transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// A sheet, a run: another writer was faster.
    Versioned,
    /// A purchase: taken.
    Purchase,
    /// An outcome: has no condition.
    Outcome,
}

/// What an asset's opinions say of a subject.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Claim {
    /// Whether they say that the asset shows these pixels.
    pub(super) family: bool,
    /// Who answered conclusively, see [`key::answered`].
    pub(super) answers: BTreeSet<String>,
}

impl Claim {
    /// Adds this to what is there.
    pub(super) fn update(&self) -> Update {
        let mut values = Attributes::new();
        if self.family {
            values.insert(":f".to_owned(), attribute::number(1));
        }
        if !self.answers.is_empty() {
            let answers = self.answers.iter().cloned().collect();
            values.insert(":m".to_owned(), aws_sdk_dynamodb::types::AttributeValue::Ss(answers));
        }
        let expression = match (self.family, self.answers.is_empty()) {
            (true, true) => "SET f = :f",
            (true, false) => "SET f = :f ADD m :m",
            (false, _) => "ADD m :m",
        };
        Update { expression: expression.to_owned(), condition: None, values }
    }
}

impl Plan {
    fn write(&mut self, what: What, write: Write) {
        self.writes.push(Planned { what, write });
    }

    /// Tells whether the change feed has to tell of it.
    pub(super) fn feeds(&self) -> bool {
        !self.changed.is_empty() || !self.turned.is_empty()
    }
}

/// Draws the plan of an append; `token` is its alone.
///
/// # Errors
/// `NotFound` for an asset or a run that is not there, `Conflict` for a purchase that is known to
/// be taken, `TooLarge` for what no item can hold.
pub(super) fn draw(
    tenant: &Tenant,
    entries: &[Entry],
    token: &str,
    before: Before,
) -> Result<Plan, Fault> {
    let mut draft = Draft {
        tenant,
        token,
        before,
        plan: Plan::default(),
        sheets: BTreeMap::new(),
        order: Vec::new(),
        runs: BTreeMap::new(),
        outcomes: BTreeMap::new(),
        purchases: BTreeMap::new(),
    };
    for entry in entries {
        match entry {
            Entry::Asset(asset) => draft.asset(asset),
            Entry::Found { asset, occurrence, stamp } => {
                let stamp = stamp.as_ref().map(json).transpose()?;
                draft.found(asset, occurrence, stamp)?;
            }
            Entry::Opinion(opinion) => draft.opinion(opinion)?,
            Entry::Decision(decision) => draft.decision(decision)?,
            Entry::Run(run) => draft.run(run),
            Entry::Item { run, item } => draft.item(run, item)?,
            Entry::Purchase(purchase) => draft.purchase(purchase)?,
        }
    }
    draft.finish()
}

struct Draft<'a> {
    tenant: &'a Tenant,
    token: &'a str,
    before: Before,
    plan: Plan,
    /// Each asset's sheet and its version.
    sheets: BTreeMap<AssetId, (u32, Sheet)>,
    /// The assets, in the order in which they came.
    order: Vec<AssetId>,
    runs: BTreeMap<RunId, (Option<u64>, Run)>,
    outcomes: BTreeMap<Key, Attributes>,
    purchases: BTreeMap<Key, Bought>,
}

struct Bought {
    /// What has to hold of what is there.
    condition: (&'static str, Attributes),
    last: Purchase,
}

/// Condition: nothing is there, or the very same.
const RESERVABLE: &str = "attribute_not_exists(pk) OR b = :b";
/// Condition: nothing is there, or what this run may settle.
const SETTLEABLE: &str = "attribute_not_exists(pk) OR (r = :r AND (s = :reserved OR s = :s))";

impl Draft<'_> {
    fn known(&mut self, asset: &AssetId) -> &mut Known {
        self.before.assets.entry(asset.clone()).or_default()
    }

    /// An asset that must be there.
    fn there(&mut self, asset: &AssetId) -> Result<&mut Known, Fault> {
        let known = self.before.assets.get_mut(asset).filter(|known| known.asset.is_some());
        known.ok_or_else(|| Fault::not_found(format!("there is no asset {asset}")))
    }

    fn sheet(&mut self, asset: &AssetId) -> &mut Sheet {
        let version = self.before.assets.get(asset).map_or(0, |known| known.sheets);
        if !self.sheets.contains_key(asset) {
            self.order.push(asset.clone());
        }
        &mut self.sheets.entry(asset.clone()).or_insert((version, Sheet::default())).1
    }

    fn asset(&mut self, asset: &Asset) {
        if self.known(&asset.id).enter(asset) {
            self.sheet(&asset.id).asset = Some(asset.clone());
            self.list(List::Tenant(self.tenant), &asset.id);
        }
    }

    fn found(
        &mut self,
        asset: &AssetId,
        occurrence: &Occurrence,
        stamp: Option<String>,
    ) -> Result<(), Fault> {
        let known = self.there(asset)?;
        let listed = known.is_in(&occurrence.collection);
        if known.find(occurrence) {
            let sheet = self.sheet(asset);
            // Of one place the last metadata holds, within an append too.
            sheet.found.retain(|o| {
                (&o.collection, &o.source) != (&occurrence.collection, &occurrence.source)
            });
            sheet.found.push(occurrence.clone());
        }
        if !listed {
            self.list(List::Collection(self.tenant, &occurrence.collection), asset);
        }
        let key = Key::place(self.tenant, &occurrence.collection, &occurrence.source);
        let mut item = key.attributes();
        item.insert("a".to_owned(), attribute::string(asset.as_str()));
        item.insert("c".to_owned(), attribute::string(&occurrence.collection));
        item.insert("o".to_owned(), attribute::string(&occurrence.source));
        if let Some(stamp) = stamp {
            item.insert("s".to_owned(), attribute::string(stamp));
        }
        self.plan.pointers.insert(key, item);
        Ok(())
    }

    fn opinion(&mut self, opinion: &Opinion) -> Result<(), Fault> {
        let known = self.there(&opinion.asset)?;
        let heard_of = known.heard_of(&opinion.run);
        let same = known.opinions.iter().any(|o| {
            o.verdict.conclusive()
                && o.subject == opinion.subject
                && o.step == opinion.step
                && o.maker == opinion.maker
        });
        let pixels = sheet::shows(opinion);
        let shown = pixels
            .is_some_and(|pixels| known.opinions.iter().any(|o| sheet::shows(o) == Some(pixels)));
        if !known.hear(opinion) {
            return Ok(());
        }
        self.sheet(&opinion.asset).opinions.push(opinion.clone());
        if !heard_of {
            self.list(List::Run(self.tenant, &opinion.run), &opinion.asset);
        }
        if let Some(pixels) = pixels.filter(|_| !shown) {
            self.claim(&Subject::Pixels(pixels), &opinion.asset).family = true;
        }
        if opinion.verdict.conclusive() && !same && !self.is_itself(&opinion.subject, opinion) {
            let answer = key::answered(&opinion.step, &opinion.maker);
            self.claim(&opinion.subject, &opinion.asset).answers.insert(answer);
        }
        Ok(())
    }

    /// Bytes name their asset: who looks for what was said of them needs no pointer.
    fn is_itself(&self, subject: &Subject, opinion: &Opinion) -> bool {
        match subject {
            Subject::Bytes(digest) => AssetId::derive(self.tenant, digest) == opinion.asset,
            Subject::Pixels(_) | Subject::Restored(_) => false,
        }
    }

    fn decision(&mut self, decision: &Decision) -> Result<(), Fault> {
        if self.there(&decision.asset)?.rule(decision) {
            self.sheet(&decision.asset).decisions.push(decision.clone());
        }
        Ok(())
    }

    fn run(&mut self, run: &Run) {
        let before = self.before.runs.get(&run.id);
        let version = before.map(|stored| stored.version);
        let written = self.runs.get(&run.id).map(|(_, run)| run);
        let last = written.or(before.map(|stored| &stored.run));
        self.before.begun.insert(run.id.clone());
        if last == Some(run) {
            return;
        }
        if last.is_some_and(|last| last.withdrawn) != run.withdrawn
            && !self.plan.turned.contains(&run.id)
        {
            self.plan.turned.push(run.id.clone());
        }
        self.runs.insert(run.id.clone(), (version, run.clone()));
    }

    fn item(&mut self, run: &RunId, item: &Item) -> Result<(), Fault> {
        if !self.before.begun.contains(run) && !self.before.runs.contains_key(run) {
            return Err(Fault::not_found(format!("there is no run {run}")));
        }
        let key = Key::item(self.tenant, run, &item.source);
        let mut stored = key.attributes();
        stored.insert("b".to_owned(), attribute::string(json(item)?));
        self.outcomes.insert(key, stored);
        Ok(())
    }

    fn purchase(&mut self, purchase: &Purchase) -> Result<(), Fault> {
        let key = Key::purchase(self.tenant, &purchase.id, purchase.attempt);
        let written = self.purchases.get(&key).map(|bought| &bought.last);
        let last = written.or(self.before.purchases.get(&key));
        if last.is_some_and(|last| !gives_way(last, purchase)) {
            return Err(taken());
        }
        let unknown = last.is_none();
        if let Some(bought) = self.purchases.get_mut(&key) {
            bought.last = purchase.clone();
            return Ok(());
        }
        let condition = match purchase.state {
            PurchaseState::Reserved => {
                let body = attribute::string(json(purchase)?);
                (RESERVABLE, Attributes::from([(":b".to_owned(), body)]))
            }
            state => {
                let values = [
                    (":r".to_owned(), attribute::string(purchase.buyer())),
                    (":reserved".to_owned(), attribute::string(json(&PurchaseState::Reserved)?)),
                    (":s".to_owned(), attribute::string(json(&state)?)),
                ];
                (SETTLEABLE, Attributes::from(values))
            }
        };
        let pointer = Key::bought(self.tenant, &purchase.run, &purchase.id, purchase.attempt);
        if purchase.state == PurchaseState::Reserved || unknown {
            let mut item = pointer.attributes();
            item.insert("i".to_owned(), attribute::string(purchase.id.as_str()));
            item.insert("n".to_owned(), attribute::number(purchase.attempt.into()));
            self.plan.pointers.insert(pointer, item);
        }
        self.purchases.insert(key, Bought { condition, last: purchase.clone() });
        Ok(())
    }

    /// Points from a list to the asset and the sheet that will prove it.
    fn list(&mut self, list: List<'_>, asset: &AssetId) {
        let version = self.before.assets.get(asset).map_or(0, |known| known.sheets);
        let key = Key::listed(&list, asset);
        let mut item = key.attributes();
        item.insert("v".to_owned(), attribute::number(version.into()));
        item.insert("t".to_owned(), attribute::string(self.token));
        self.plan.pointers.insert(key, item);
    }

    fn claim(&mut self, subject: &Subject, asset: &AssetId) -> &mut Claim {
        let key = Key::subject(self.tenant, subject, asset);
        self.plan.claims.entry(key).or_default()
    }

    fn finish(self) -> Result<Plan, Fault> {
        let Self { tenant, token, mut plan, mut sheets, order, runs, outcomes, purchases, .. } =
            self;
        let most = MOST_BODY.min(MOST_BODIES / order.len().max(1));
        for asset in order {
            let (version, sheet) = sheets.remove(&asset).expect("each asset has a sheet");
            if sheet.is_empty() {
                continue;
            }
            let key = Key::sheet(tenant, &asset, version);
            let mut items = Body::of(&sheet)?.items(&key, tenant, token, most);
            plan.chunks.append(&mut items.chunks);
            plan.write(What::Versioned, sheet::write(items.sheet));
            plan.changed.push(asset);
        }
        for (id, (version, run)) in runs {
            let mut item = Key::run(tenant, &id).attributes();
            item.insert("b".to_owned(), attribute::string(json(&run)?));
            item.insert("v".to_owned(), attribute::number(version.map_or(1, |v| v + 1)));
            let condition = match version {
                None => (NEW, Attributes::new()),
                Some(v) => ("v = :v", Attributes::from([(":v".to_owned(), attribute::number(v))])),
            };
            plan.write(What::Versioned, Write { item, condition: Some(condition) });
        }
        for (key, Bought { condition, last }) in purchases {
            let mut item = key.attributes();
            item.insert("b".to_owned(), attribute::string(json(&last)?));
            item.insert("r".to_owned(), attribute::string(last.buyer()));
            item.insert("s".to_owned(), attribute::string(json(&last.state)?));
            plan.write(What::Purchase, Write { item, condition: Some(condition) });
        }
        for item in outcomes.into_values() {
            plan.write(What::Outcome, Write { item, condition: None });
        }
        let items =
            plan.pointers.values().chain(plan.writes.iter().map(|planned| &planned.write.item));
        if let Some(bytes) = items.map(attribute::size).find(|&bytes| bytes > MOST_ITEM) {
            return Err(Fault::too_large(format!(
                "a name, a path or a run of {bytes} bytes is more than the catalogue holds in an item"
            )));
        }
        Ok(plan)
    }
}

/// Tells whether a purchase may be written over another of the same id and attempt.
fn gives_way(there: &Purchase, purchase: &Purchase) -> bool {
    let settles = purchase.state != PurchaseState::Reserved
        && there.buyer() == purchase.buyer()
        && (there.state == PurchaseState::Reserved || there.state == purchase.state);
    settles || there == purchase
}

/// The fault of a purchase that another holds.
pub(super) fn taken() -> Fault {
    Fault::new(FaultKind::Conflict, "the purchase is another's")
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, Fault> {
    serde_json::to_string(value)
        .map_err(|e| Fault::broken("cannot write an entry as JSON").because(e))
}
