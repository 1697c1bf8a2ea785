//! Tenants: opened by the operator, and apart from each other.

use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::tenancy::{Quota, Role, Verb};
use serde_json::json;

use super::{TOKEN, Trial, bearer, request};

#[tokio::test]
async fn only_the_operators_token_opens_an_archive() {
    let trial = Trial::open_desk();
    let opening = json!({ "tenant": "museum", "archivist": "Ada", "quota": { "pictures": 5 } });
    let unknown = trial.post("/v1/tenants", &[], &opening).await.of(404);
    for shown in [&format!("Bearer {TOKEN}x"), "Bearer", &format!("Basic {TOKEN}")] {
        let told = trial.post("/v1/tenants", &[("authorization", shown)], &opening).await.of(404);
        assert_eq!(told.body, unknown.body);
    }
    let token = format!("Bearer {TOKEN}");
    let operator = [("authorization", token.as_str())];
    let opened = trial.post("/v1/tenants", &operator, &opening).await.of(201).json();
    assert_eq!(opened["quota"], json!({ "pictures": 5 }));
    let shown = format!("Bearer {}", opened["first"]["secret"].as_str().expect("a secret"));
    let first = [("authorization", shown.as_str())];
    let told = trial.get("/v1/tenant", &first).await.of(200).json();
    assert_eq!((&told["tenant"], &told["caller"]["role"]), (&json!("museum"), &json!("archivist")));
    trial.post("/v1/tenants", &operator, &opening).await.of(409);
    trial
        .post("/v1/tenants", &operator, &json!({ "tenant": "../x", "archivist": "a" }))
        .await
        .of(400);
    trial.get("/v1/tenant", &operator).await.of(401);
    let log = trial.get("/v1/audit", &first).await.of(200).json();
    let deeds = log["deeds"].as_array().expect("deeds").iter();
    let mut verbs: Vec<_> = deeds.map(|deed| deed["what"].as_str().expect("a verb")).collect();
    // Both are of one instant.
    verbs.sort_unstable();
    assert_eq!(verbs, [Verb::MakeKey.name(), Verb::OpenLease.name()]);
}

#[tokio::test]
async fn an_archivist_sees_and_revokes_no_key_of_another_tenant() {
    let trial = Trial::closed();
    let (one, other) =
        (trial.lease("one", Quota::default()).await, trial.lease("other", Quota::default()).await);
    let (_, own) = trial.key(&one, Role::Archivist, None).await;
    let (foreign, foreign_secret) = trial.key(&other, Role::Archivist, None).await;
    let shown = bearer(&own);
    let headers = [("authorization", shown.as_str())];
    let listed = trial.get("/v1/keys", &headers).await.of(200);
    assert!(!String::from_utf8_lossy(&listed.body).contains(foreign.id.as_str()));
    let unknown = "ffffffffffffffff";
    let delete = |id: &str| request("DELETE", &format!("/v1/keys/{id}"), &headers, None);
    let (of_foreign, of_unknown) = (
        trial.send(delete(foreign.id.as_str())).await.of(404),
        trial.send(delete(unknown)).await.of(404),
    );
    assert_eq!(
        String::from_utf8_lossy(&of_foreign.body).replace(foreign.id.as_str(), unknown),
        String::from_utf8_lossy(&of_unknown.body)
    );
    trial.get("/v1/tenant", &[("authorization", &bearer(&foreign_secret))]).await.of(200);
}

#[tokio::test]
async fn the_audit_log_is_paged_and_each_tenants_own() {
    let trial = Trial::closed();
    let (one, other) =
        (trial.lease("one", Quota::default()).await, trial.lease("other", Quota::default()).await);
    let (_, own) = trial.key(&one, Role::Archivist, None).await;
    let (_, foreign) = trial.key(&other, Role::Archivist, None).await;
    let shown = bearer(&own);
    let headers = [("authorization", shown.as_str())];
    for name in ["a", "b", "c"] {
        trial.later(1);
        let invitation = json!({ "role": "reader", "name": name });
        trial.post("/v1/keys", &headers, &invitation).await.of(201);
    }
    let (mut read, mut path) = (Vec::new(), "/v1/audit?limit=2".to_owned());
    loop {
        let page = trial.get(&path, &headers).await.of(200).json();
        let deeds = page["deeds"].as_array().expect("deeds");
        read.extend(deeds.iter().map(|d| d["subject"].as_str().expect("text").to_owned()));
        let Some(next) = page["next"]["href"].as_str() else { break };
        path = next.to_owned();
    }
    let names: Vec<_> = read.iter().map(|subject| &subject[subject.len() - 1..]).collect();
    assert_eq!(names, ["c", "b", "a"]);
    let since = trial.get("/v1/audit?since=1970-01-01T00:16:42Z", &headers).await.of(200).json();
    assert_eq!(since["deeds"].as_array().map(Vec::len), Some(2), "{since}");
    for wrong in ["limit=0", "limit=1001", "since=yesterday", "cursor=%2F", "sinec=1"] {
        trial.get(&format!("/v1/audit?{wrong}"), &headers).await.of(400);
    }
    let theirs = trial.get("/v1/audit", &[("authorization", &bearer(&foreign))]).await.of(200);
    assert_eq!(theirs.json(), json!({ "deeds": [] }));
}

#[tokio::test]
async fn a_wrong_invitation_is_refused_with_the_reason() {
    let trial = Trial::closed();
    let museum = trial.lease("museum", Quota::default()).await;
    let (_, own) = trial.key(&museum, Role::Archivist, None).await;
    let shown = bearer(&own);
    let headers = [("authorization", shown.as_str())];
    for (invitation, word) in [
        (json!({ "role": "owner", "name": "a" }), "role"),
        (json!({ "role": "reader" }), "name"),
        (json!({ "role": "reader", "name": "a", "tenant": "other" }), "tenant"),
        (json!({ "role": "reader", "name": "a", "expires_in_seconds": 0 }), "expires_in_seconds"),
        (json!({ "role": "reader", "name": "\n" }), "name"),
        (json!([]), "object"),
    ] {
        let told = trial.post("/v1/keys", &headers, &invitation).await.of(400).json();
        let detail = told["detail"].as_str().expect("a detail");
        assert!(detail.contains(word) || word == "object", "{detail}");
    }
    trial.send(request("POST", "/v1/keys", &headers, None)).await.of(415);
    let stranger: Tenant = "stranger".parse().expect("a name");
    assert!(trial.deeds(&stranger).await.is_empty());
}
