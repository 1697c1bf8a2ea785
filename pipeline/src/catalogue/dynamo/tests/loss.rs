//! Answers that are lost, batches that are left undone, pointers whose sheets never came.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use serde_json::{Value, json};

use super::super::super::{Catalogue as _, Entry};
use super::super::key::List;
use super::super::plan::{self, Before};
use super::super::{DynamoCatalogue, DynamoSettings};
use super::cost;
use crate::asset::{Asset, AssetId, PixelDigest, Tenant};
use crate::aws::dynamo::{Key, attribute};
use crate::aws::{Aws, patiently};
use crate::opinion::Subject;
use crate::record::Parts;
use crate::run::RunId;

/// What the way to DynamoDB does to requests and answers.
#[derive(Debug, Clone)]
pub(super) struct Bad {
    inner: SharedHttpClient,
    connector: Option<SharedHttpConnector>,
    requests: Arc<AtomicU64>,
    /// Of so many answers one is lost, after the request was carried out; 0 for none.
    loses: u64,
    /// Whether batches are carried out by half.
    halves: bool,
    /// Whether DynamoDB has forgotten each token by the time the request is sent again.
    forgets: bool,
}

/// A way that behaves badly.
pub(super) fn bad(aws: &Aws, loses: u64, halves: bool, forgets: bool) -> Aws {
    let (inner, requests) = (aws.http.clone(), Arc::default());
    let bad = Bad { inner, connector: None, requests, loses, halves, forgets };
    Aws { http: SharedHttpClient::new(bad), ..aws.clone() }
}

impl HttpClient for Bad {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let connector = Some(self.inner.http_connector(settings, components));
        SharedHttpConnector::new(Self { connector, ..self.clone() })
    }
}

impl HttpConnector for Bad {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let mut undone = None;
        if self.forgets {
            forget(&mut request, number);
        }
        if self.halves {
            undone = halve(&mut request);
        }
        let lost = self.loses > 0 && number.is_multiple_of(self.loses);
        let answer = self.connector.as_ref().expect("a connector").call(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await?;
            if lost {
                return Err(ConnectorError::io("the answer was lost".into()));
            }
            let Some((name, undone)) = undone else { return Ok(answer) };
            let status = answer.status();
            let body = collect(answer).await;
            let mut body: Value = serde_json::from_slice(&body).expect("JSON");
            body[name] = undone;
            Ok(HttpResponse::new(status, SdkBody::from(body.to_string())))
        })
    }
}

/// Gives a request another token of the same length.
fn forget(request: &mut HttpRequest, number: u64) {
    let Some(body) = request.body().bytes().and_then(|b| std::str::from_utf8(b).ok()) else {
        return;
    };
    let word = "\"ClientRequestToken\":\"";
    if let Some(at) = body.find(word) {
        let at = at + word.len();
        let forgotten = format!("{}{:04x}{}", &body[..at], number % 0x1_0000, &body[at + 4..]);
        *request.body_mut() = SdkBody::from(forgotten);
    }
}

/// Keeps half of a batch back; answers it under the name by which it is reported.
fn halve(request: &mut HttpRequest) -> Option<(&'static str, Value)> {
    let target = request.headers().get("x-amz-target")?.to_owned();
    let mut body: Value = serde_json::from_slice(request.body().bytes()?).ok()?;
    let table = body["RequestItems"].as_object()?.keys().next()?.clone();
    let (name, list) = match &target {
        t if t.ends_with("BatchWriteItem") => {
            ("UnprocessedItems", &mut body["RequestItems"][&table])
        }
        t if t.ends_with("BatchGetItem") => {
            ("UnprocessedKeys", &mut body["RequestItems"][&table]["Keys"])
        }
        _ => return None,
    };
    let all = list.as_array_mut()?;
    if all.len() < 2 {
        return None;
    }
    let back = all.split_off(all.len() / 2);
    let undone = match name {
        "UnprocessedItems" => json!({ &table: back }),
        _ => {
            let mut rest = body["RequestItems"][&table].clone();
            rest["Keys"] = back.into();
            json!({ &table: rest })
        }
    };
    let text = body.to_string();
    request.headers_mut().insert("content-length", text.len().to_string());
    *request.body_mut() = SdkBody::from(text);
    Some((name, undone))
}

async fn collect(answer: HttpResponse) -> Vec<u8> {
    let body = aws_sdk_s3::primitives::ByteStream::new(answer.into_body());
    body.collect().await.expect("a body").to_vec()
}

/// Checks what must hold of any catalogue; answers its assets.
pub(super) async fn consistent(catalogue: &DynamoCatalogue) -> BTreeSet<AssetId> {
    let tenant = Tenant::default();
    catalogue.check().await.expect("a sound feed");
    let (mut told, mut at) = (Vec::new(), super::super::Bookmark::default());
    loop {
        let changes = catalogue.changes(&at, 50).await.expect("changes");
        at = changes.bookmark;
        if changes.list.is_empty() {
            break;
        }
        told.extend(changes.list.into_iter().map(|change| change.asset));
    }
    let listed = catalogue.assets(&tenant, None, None, 100_000).await.expect("assets");
    let in_collection = catalogue.assets(&tenant, Some("c"), None, 100_000).await.expect("assets");
    let parts = catalogue.parts_of_many(&tenant, &listed).await.expect("parts");
    assert_eq!(parts.len(), listed.len(), "what is listed is there");
    let listed: BTreeSet<AssetId> = listed.into_iter().collect();
    assert_eq!(told.iter().cloned().collect::<BTreeSet<_>>(), listed, "the feed tells of all");
    for parts in &parts {
        let id = &parts.asset.id;
        let is_in = parts.occurrences.iter().any(|o| o.collection == "c");
        assert_eq!(in_collection.contains(id), is_in, "{id} is listed as it was found");
        let ids: BTreeSet<_> = parts.opinions.iter().map(|o| o.id.clone()).collect();
        assert_eq!(ids.len(), parts.opinions.len(), "no opinion twice");
    }
    let runs: BTreeSet<_> = parts.iter().flat_map(|p| &p.opinions).map(|o| &o.run).collect();
    for run in runs {
        let spoke = |parts: &&Parts| parts.opinions.iter().any(|o| o.run == *run);
        let spoken: BTreeSet<_> = parts.iter().filter(spoke).map(|p| p.asset.id.clone()).collect();
        let of_run = catalogue.assets_of_run(&tenant, run, None, 100_000).await.expect("assets");
        assert_eq!(of_run.into_iter().collect::<BTreeSet<_>>(), spoken, "the run knows of them");
    }
    listed
}

#[tokio::test]
async fn a_lost_answer_is_no_second_append() {
    for forgets in [false, true] {
        let (_server, aws, catalogue) = super::empty().await;
        let way = bad(&aws, 5, false, forgets);
        let lossy = DynamoCatalogue::open(&way, DynamoSettings::default()).await;
        let lossy = lossy.expect("a catalogue");
        lossy.append(&Tenant::default(), vec![Entry::Run(cost::run())]).await.expect("a run");
        for n in 0..12 {
            lossy.append(&Tenant::default(), cost::fresh(n)).await.expect("an append");
        }
        assert_eq!(consistent(&catalogue).await.len(), 12);
        let told = catalogue.changes(&Default::default(), 1_000).await.expect("changes");
        assert_eq!(told.list.len(), 12, "each append joined the feed once");
    }
}

#[tokio::test]
async fn an_append_whose_answer_was_given_up_is_repeated() {
    let (_server, aws, catalogue) = super::empty().await;
    let mut way = bad(&aws, 7, false, false);
    way.settings.attempts = 1;
    let settings = DynamoSettings::default();
    let lossy = patiently(|| DynamoCatalogue::open(&way, settings.clone())).await;
    let lossy = lossy.expect("a catalogue");
    let tenant = Tenant::default();
    patiently(|| lossy.append(&tenant, vec![Entry::Run(cost::run())])).await.expect("a run");
    for n in 0..10 {
        patiently(|| lossy.append(&tenant, cost::fresh(n))).await.expect("an append");
    }
    assert_eq!(consistent(&catalogue).await.len(), 10);
    let told = catalogue.changes(&Default::default(), 1_000).await.expect("changes");
    assert_eq!(told.list.len(), 10);
}

#[tokio::test]
async fn what_a_batch_leaves_undone_is_sent_again() {
    let (_server, aws, catalogue) = super::empty().await;
    let way = bad(&aws, 0, true, false);
    let slow = DynamoCatalogue::open(&way, DynamoSettings::default()).await.expect("a catalogue");
    let tenant = Tenant::default();
    slow.append(&tenant, vec![Entry::Run(cost::run())]).await.expect("a run");
    for n in 0..20 {
        slow.append(&tenant, cost::fresh(n)).await.expect("an append");
    }
    assert_eq!(consistent(&catalogue).await, consistent(&slow).await);
}

#[tokio::test]
async fn pointers_without_sheets_show_nowhere() {
    let (_server, _aws, catalogue) = super::empty().await;
    let tenant = Tenant::default();
    let before = Before { begun: [cost::run().id].into(), ..Before::default() };
    let plan = plan::draw(&tenant, &cost::fresh(1), "0123456789abcdef", before).expect("a plan");
    catalogue.inner.table.put_many(plan.pointers.values().cloned().collect()).await.expect("put");
    for (key, claim) in &plan.claims {
        catalogue.inner.table.update(key, claim.update()).await.expect("an update");
    }
    let id = &cost::asset(1).id;
    for list in
        [List::Tenant(&tenant), List::Collection(&tenant, "c"), List::Run(&tenant, &cost::run().id)]
    {
        let pointer = catalogue.inner.table.get(&Key::listed(&list, id)).await.expect("a reading");
        assert!(pointer.is_some(), "the pointer is there");
        assert!(catalogue.inner.list(list, None, 10).await.expect("a list").is_empty());
    }
    let pixels = PixelDigest::new(*cost::asset(1).digest.as_bytes());
    let opinion = cost::opinions(&cost::asset(1)).pop().expect("opinions");
    let subject = Subject::Pixels(pixels);
    assert!(catalogue.family(&tenant, &pixels).await.expect("family").is_empty());
    let found = catalogue.reusable(&tenant, &opinion.step, &subject, &opinion.maker).await;
    assert_eq!(found.expect("reusable"), None);
    assert_eq!(catalogue.sighting(&tenant, "c", &cost::source(1)).await.expect("sighting"), None);
    assert!(catalogue.runs(&tenant, None, 10).await.expect("runs").is_empty());
    assert!(consistent(&catalogue).await.is_empty());

    // The append itself makes them good.
    catalogue.append(&tenant, vec![Entry::Run(cost::run())]).await.expect("a run");
    catalogue.append(&tenant, cost::fresh(1)).await.expect("an append");
    assert_eq!(consistent(&catalogue).await, BTreeSet::from([id.clone()]));
    assert_eq!(catalogue.family(&tenant, &pixels).await.expect("family"), std::slice::from_ref(id));

    // A pointer that another append overwrote on its way to nothing is proved by the whole asset.
    let Asset { id, .. } = cost::asset(1);
    let mut pointer = Key::listed(&List::Tenant(&tenant), &id).attributes();
    pointer.insert("v".to_owned(), attribute::number(7));
    pointer.insert("t".to_owned(), attribute::string("another"));
    catalogue.inner.table.put_many(vec![pointer]).await.expect("put");
    assert_eq!(catalogue.assets(&tenant, None, None, 10).await.expect("assets"), [id]);
    let unknown = RunId::from_text("unknown");
    assert!(catalogue.assets_of_run(&tenant, &unknown, None, 9).await.expect("assets").is_empty());
}
