//! Several workers of one run at a service that costs money: one budget, no answer bought twice.

#![allow(clippy::unwrap_used, reason = "a test may end where it fails")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::aws::dynamo::Billing;
use glassplate_pipeline::aws::{Aws, AwsSettings, Endpoints};
use glassplate_pipeline::catalogue::dynamo::{DynamoCatalogue, DynamoSettings};
use glassplate_pipeline::catalogue::sqlite::SqliteCatalogue;
use glassplate_pipeline::catalogue::{Catalogue, Entry};
use glassplate_pipeline::enrich::{House, Source};
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::floor::Floor;
use glassplate_pipeline::image::Limits;
use glassplate_pipeline::ingest::{Ended, Watcher, ingest_part};
use glassplate_pipeline::label::LabelKind;
use glassplate_pipeline::ports::{Clock, Labeller, Maker, Said, Shown};
use glassplate_pipeline::purchase::Dollars;
use glassplate_pipeline::purse::{Always, Purse};
use glassplate_pipeline::quote::{Account, account_of};
use glassplate_pipeline::rendition::Recipe;
use glassplate_pipeline::run::{Balance, Item, Run, RunId};
use glassplate_pipeline::store::local::LocalStore;
use glassplate_pipeline::telemetry::Meter;
use glassplate_tests::pictures::{jpeg, with_comment};
use glassplate_tests::scripted::claim;
use jiff::Timestamp;

const PRICE: Dollars = Dollars::from_millionths(1_000);
/// How old a reservation must be to count as left by the dead.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// A service that bills each call, takes its time, and never answers whom it is told not to.
struct Service {
    maker: Maker,
    /// How often it was asked about which picture.
    billed: Mutex<BTreeMap<String, u32>>,
    hangs: AtomicBool,
}

impl Service {
    fn new() -> Arc<Self> {
        let [backend, model, version] = ["service", "m", "1"].map(str::to_owned);
        let maker = Maker { backend, model, version, parameters: String::new() };
        Arc::new(Self { maker, billed: Mutex::default(), hangs: AtomicBool::new(false) })
    }

    fn bill(&self) -> u32 {
        self.billed.lock().unwrap().values().sum()
    }

    fn most_asked(&self) -> u32 {
        self.billed.lock().unwrap().values().copied().max().unwrap_or(0)
    }
}

#[async_trait]
impl Labeller for Service {
    fn step(&self) -> &str {
        "label:service"
    }

    fn maker(&self) -> &Maker {
        &self.maker
    }

    async fn label(&self, picture: &Shown) -> Result<Said, Fault> {
        let key = picture.file.as_ref().unwrap().key.path();
        *self.billed.lock().unwrap().entry(key).or_default() += 1;
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(Duration::from_millis(15)).await;
        Ok(vec![claim("dog", "n02084071", LabelKind::Object, 0.9)].into())
    }

    fn price(&self) -> Option<Dollars> {
        Some(PRICE)
    }
}

struct Wall;

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

struct Nobody;

impl Watcher for Nobody {
    fn ended(&mut self, _item: &Item, _bytes: u64, _balance: &Balance) {}
}

/// One run, its pictures, and what its workers share.
struct Batch {
    folder: tempfile::TempDir,
    catalogue: Arc<dyn Catalogue>,
    service: Arc<Service>,
    run: Run,
}

impl Batch {
    async fn begin(folder: tempfile::TempDir, catalogue: Arc<dyn Catalogue>, calls: u64) -> Self {
        let tenant = Tenant::default();
        let begun = Run::begun(
            RunId::from_text("batch-together"),
            &tenant,
            "plates",
            Vec::new(),
            "test",
            Timestamp::UNIX_EPOCH,
        );
        let run = Run { budget: Some(PRICE * calls), ..begun };
        catalogue.append(&tenant, vec![Entry::Run(run.clone())]).await.unwrap();
        Self { folder, catalogue, service: Service::new(), run }
    }

    /// Pictures of which each comes twice, under another name and with another comment.
    fn pictures(&self, many: u8) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        for n in 0..many {
            let picture = jpeg(64, 48, n.into());
            for (copy, bytes) in
                [picture.clone(), with_comment(&picture, "again")].iter().enumerate()
            {
                let path = self.folder.path().join(format!("{n:02} {copy}.jpg"));
                std::fs::write(&path, bytes).unwrap();
                paths.push(path);
            }
        }
        paths
    }

    fn house(&self, holder: &str) -> Arc<House> {
        let purse = Purse::new(self.run.budget.unwrap(), Arc::new(Always)).patient(PATIENCE);
        let (tenant, run) = (Tenant::default(), &self.run.id);
        Arc::new(House {
            purse: purse.shared(self.catalogue.clone(), &tenant, run, holder),
            tenant,
            store: Arc::new(LocalStore::open(&self.folder.path().join("store")).unwrap()),
            objects: None,
            catalogue: self.catalogue.clone(),
            labellers: vec![self.service.clone()],
            clock: Arc::new(Wall),
            recipe: Recipe::default(),
            limits: Limits::default(),
            meter: Meter::default(),
            floor: Floor::new(64 << 20, 256 << 20),
        })
    }

    /// A worker at these pictures, in a task of its own.
    fn work(&self, holder: &str, pictures: &[PathBuf]) -> tokio::task::JoinHandle<Ended> {
        let (house, run) = (self.house(holder), self.run.clone());
        let sources: Vec<_> = pictures.iter().map(|path| Ok(source(path))).collect();
        tokio::spawn(async move {
            let stop = AtomicBool::new(false);
            ingest_part(&house, &run, sources, 3, &mut Nobody, &stop).await
        })
    }

    async fn account(&self) -> Account {
        account_of(&*self.catalogue, &Tenant::default(), &self.run.id).await.unwrap()
    }

    /// Insists that no more was billed, booked or charged than the budget.
    async fn assert_within_budget(&self, calls: u32) {
        let budget = self.run.budget.unwrap();
        let (account, tenant) = (self.account().await, Tenant::default());
        let charged = self.catalogue.charged(&tenant, &self.run.id).await.unwrap();
        assert!(self.service.bill() <= calls, "{} of {calls} calls", self.service.bill());
        assert!(account.spent <= charged && charged <= budget, "{account:?} of {charged}");
    }
}

fn source(path: &Path) -> Source {
    Source::file(path, path.metadata().unwrap().len())
}

fn sqlite(folder: &tempfile::TempDir) -> Arc<dyn Catalogue> {
    Arc::new(SqliteCatalogue::open(&folder.path().join("catalogue")).unwrap())
}

async fn dynamo() -> (glassplate_harness::Running, Arc<dyn Catalogue>) {
    use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};

    let server = glassplate_harness::dynamo::start();
    let endpoints = Endpoints { dynamodb: Some(server.url()), ..Endpoints::default() };
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    let aws = Aws::new(
        "us-east-1".to_owned(),
        SharedCredentialsProvider::new(credentials),
        Aws::connections(),
        AwsSettings { endpoints, ..AwsSettings::default() },
    );
    let settings = DynamoSettings::default();
    DynamoCatalogue::create_table(&aws, &settings, Billing::OnDemand, false).await.unwrap();
    (server, Arc::new(DynamoCatalogue::open(&aws, settings).await.unwrap()))
}

/// Three workers at once, each with the whole list in another order.
async fn three_at_once(batch: &Batch, pictures: u8) {
    let paths = batch.pictures(pictures);
    let workers: Vec<_> = ["a", "b", "c"]
        .iter()
        .enumerate()
        .map(|(n, holder)| {
            let mut own = paths.clone();
            own.rotate_left(n * paths.len() / 3);
            batch.work(holder, &own)
        })
        .collect();
    for worker in workers {
        let ended = worker.await.unwrap();
        assert!(ended.broken.is_none() && ended.left == 0, "{ended:?}");
        assert_eq!(ended.balance.rejected + ended.balance.failed, 0, "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_workers_spend_one_budget_and_buy_no_answer_twice() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = sqlite(&folder);
    let batch = Batch::begin(folder, catalogue, 5).await;
    three_at_once(&batch, 9).await;
    assert_eq!((batch.service.bill(), batch.service.most_asked()), (5, 1));
    assert_eq!(batch.account().await.answered, 5);
    batch.assert_within_budget(5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_holds_on_dynamodb() {
    let (_server, catalogue) = dynamo().await;
    let batch = Batch::begin(tempfile::tempdir().unwrap(), catalogue, 5).await;
    three_at_once(&batch, 9).await;
    assert_eq!((batch.service.bill(), batch.service.most_asked()), (5, 1));
    batch.assert_within_budget(5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_over_a_call_makes_nobody_spend_more_than_the_budget() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = sqlite(&folder);
    let batch = Batch::begin(folder, catalogue, 6).await;
    let paths = batch.pictures(4);
    batch.service.hangs.store(true, Ordering::SeqCst);
    let victim = batch.work("victim", &paths);
    while batch.service.bill() < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Dropped with its lanes in the middle of their calls, as a process is.
    victim.abort();
    assert!(victim.await.unwrap_err().is_cancelled());
    let perhaps_paid = batch.service.bill();
    batch.service.hangs.store(false, Ordering::SeqCst);

    let began = std::time::Instant::now();
    let ended = batch.work("heir", &paths).await.unwrap();
    assert!(ended.broken.is_none() && ended.balance.failed == 0, "{ended:?}");
    assert!(began.elapsed() >= PATIENCE, "the other worker might have lived");
    assert!(batch.service.most_asked() <= 2, "once by the dead and once by its heir");
    let account = batch.account().await;
    assert_eq!(account.reserved, u64::from(perhaps_paid), "{account:?}");
    assert_eq!(account.answered, 4, "6 calls pay for what the dead began, and for the rest");
    batch.assert_within_budget(6).await;
}
