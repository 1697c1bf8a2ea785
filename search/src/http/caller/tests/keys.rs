//! Keys: in the header, in the cookie, and wrong ones.

use glassplate_pipeline::tenancy::{DeedOutcome, Quota, Registry as _, Role, Secret, Verb};
use serde_json::json;

use super::super::cookie::{sign_in, sign_out};
use super::super::{KEY_LIFE_SECONDS, TurnedAway};
use super::{Trial, bearer, request};
use axum::http::{HeaderMap, HeaderValue};

#[tokio::test]
async fn a_key_says_who_asks_and_whose_archive_it_is() {
    let trial = Trial::closed();
    let museum = trial.lease("museum", Quota { pictures: Some(9), ..Quota::default() }).await;
    let (key, secret) = trial.key(&museum, Role::Reader, None).await;
    let told = trial.get("/v1/tenant", &[("authorization", &bearer(&secret))]).await.of(200).json();
    assert_eq!(told["tenant"], "museum");
    assert_eq!(told["caller"]["role"], "reader");
    assert_eq!(told["caller"]["key"], key.id.as_str());
    assert_eq!(told["quota"], json!({ "pictures": 9 }));
    assert_eq!(told["used"]["pictures"], 0);
}

#[tokio::test]
async fn every_key_that_opens_nothing_is_told_the_same() {
    let trial = Trial::closed();
    let museum = trial.lease("museum", Quota::default()).await;
    let (revoked, revoked_secret) = trial.key(&museum, Role::Archivist, None).await;
    trial
        .site
        .registry
        .revoke_key(&museum, &revoked.id, trial.site.clock.now())
        .await
        .expect("revoked");
    let (_, expired) = trial.key(&museum, Role::Archivist, Some(10)).await;
    let (_, valid) = trial.key(&museum, Role::Archivist, None).await;
    trial.later(10);
    let other = Secret::draw().expect("a secret").reveal();
    let wrong_secret = format!("{}{}", &valid.reveal()[..20], &other[20..]);
    assert!(wrong_secret.contains(valid.id().as_str()));
    let plain = trial.get("/v1/tenant", &[]).await.of(401);
    assert_eq!(plain.headers["www-authenticate"], "Bearer realm=\"glassplate\"");
    assert_eq!(plain.headers["content-type"], "application/problem+json");
    for shown in [
        format!("Bearer {other}"),
        format!("Bearer {wrong_secret}"),
        bearer(&expired),
        bearer(&revoked_secret),
        "Bearer gp_".to_owned(),
        "Bearer".to_owned(),
        format!("Basic {}", valid.reveal()),
    ] {
        let mut told = trial.get("/v1/tenant", &[("authorization", &shown)]).await.of(401);
        // Only the request's own id tells one refusal from another.
        told.headers.insert("x-request-id", plain.headers["x-request-id"].clone());
        assert_eq!(told.headers, plain.headers, "{shown}");
        assert_eq!(told.body, plain.body, "{shown}");
    }
    trial.get("/v1/tenant", &[("authorization", &bearer(&valid))]).await.of(200);
    let cookie = format!("glassplate={}", valid.reveal());
    let both = [("authorization", "Bearer gp_"), ("cookie", cookie.as_str())];
    trial.get("/v1/tenant", &both).await.of(401);
}

#[tokio::test]
async fn a_key_revoked_elsewhere_opens_nothing_after_seconds() {
    let trial = Trial::closed();
    let museum = trial.lease("museum", Quota::default()).await;
    let (key, secret) = trial.key(&museum, Role::Reader, None).await;
    let shown = bearer(&secret);
    let headers = [("authorization", shown.as_str())];
    trial.get("/v1/tenant", &headers).await.of(200);
    trial.elsewhere().revoke_key(&museum, &key.id, trial.site.clock.now()).await.expect("revoked");
    trial.later(KEY_LIFE_SECONDS);
    trial.get("/v1/tenant", &headers).await.of(200);
    trial.later(1);
    trial.get("/v1/tenant", &headers).await.of(401);
}

#[tokio::test]
async fn a_key_that_is_remembered_expires_all_the_same() {
    let trial = Trial::closed();
    let museum = trial.lease("museum", Quota::default()).await;
    let (_, secret) = trial.key(&museum, Role::Reader, Some(2)).await;
    let shown = bearer(&secret);
    trial.get("/v1/tenant", &[("authorization", &shown)]).await.of(200);
    trial.later(2);
    trial.get("/v1/tenant", &[("authorization", &shown)]).await.of(401);
}

#[tokio::test]
async fn a_key_revoked_over_the_api_opens_nothing_at_once() {
    let trial = Trial::closed();
    let museum = trial.lease("museum", Quota::default()).await;
    let (_, archivist) = trial.key(&museum, Role::Archivist, None).await;
    let shown = bearer(&archivist);
    let as_archivist = [("authorization", shown.as_str())];
    let invitation = json!({ "role": "editor", "name": "Ada", "expires_in_seconds": 60 });
    let made = trial.post("/v1/keys", &as_archivist, &invitation).await.of(201);
    assert_eq!(made.headers["cache-control"], "no-store");
    let made = made.json();
    assert_eq!(made["key"]["state"], "valid");
    assert_eq!(made["key"]["expires"], "1970-01-01T00:17:40Z");
    let invited = format!("Bearer {}", made["secret"].as_str().expect("a secret"));
    trial.get("/v1/tenant", &[("authorization", &invited)]).await.of(200);
    let path = format!("/v1/keys/{}", made["key"]["id"].as_str().expect("an id"));
    trial.send(request("DELETE", &path, &as_archivist, None)).await.of(204);
    trial.get("/v1/tenant", &[("authorization", &invited)]).await.of(401);
    let listed = trial.get("/v1/keys", &as_archivist).await.of(200);
    let secret = made["secret"].as_str().and_then(|s| s.rsplit('_').next()).expect("a secret");
    assert!(!String::from_utf8_lossy(&listed.body).contains(secret));
    let states: Vec<_> = listed.json()["keys"]
        .as_array()
        .expect("keys")
        .iter()
        .map(|key| (key["name"].clone(), key["state"].clone()))
        .collect();
    assert_eq!(states.len(), 2);
    assert!(states.contains(&(json!("Ada"), json!("revoked"))), "{states:?}");
    let verbs: Vec<_> = trial.deeds(&museum).await.into_iter().map(|deed| deed.what).collect();
    assert!(verbs.contains(&Verb::MakeKey) && verbs.contains(&Verb::RevokeKey), "{verbs:?}");
}

#[tokio::test]
async fn whoever_may_not_invite_is_refused_and_that_is_written_down() {
    let trial = Trial::closed();
    let museum = trial.lease("museum", Quota::default()).await;
    let (key, editor) = trial.key(&museum, Role::Editor, None).await;
    let shown = bearer(&editor);
    let headers = [("authorization", shown.as_str()), ("x-request-id", "request-7")];
    let invitation = json!({ "role": "reader", "name": "eve" });
    trial.post("/v1/keys", &headers, &invitation).await.of(403);
    trial.get("/v1/keys", &headers).await.of(403);
    trial.get("/v1/audit", &headers).await.of(403);
    let deeds = trial.deeds(&museum).await;
    assert_eq!(deeds.len(), 3, "{deeds:?}");
    for deed in &deeds {
        assert_eq!(deed.what, Verb::Trespass);
        assert_eq!(deed.outcome, DeedOutcome::Refused);
        assert_eq!(deed.key.as_ref(), Some(&key.id));
        assert_eq!(deed.request.as_deref(), Some("request-7"));
    }
    assert!(deeds.iter().any(|deed| deed.subject == "POST /v1/keys"), "{deeds:?}");
}

#[tokio::test]
async fn a_wrong_secret_is_told_to_the_keys_tenant_once_a_minute() {
    let trial = Trial::closed();
    let museum = trial.lease("museum", Quota::default()).await;
    let (key, _) = trial.key(&museum, Role::Reader, None).await;
    let other = Secret::draw().expect("a secret").reveal();
    let wrong = format!("Bearer gp_{}_{}", key.id, other.rsplit('_').next().expect("bits"));
    for _ in 0..5 {
        trial.get("/v1/tenant", &[("authorization", &wrong)]).await.of(401);
    }
    let mut deeds = Vec::new();
    for _ in 0..200 {
        deeds = trial.deeds(&museum).await;
        if !deeds.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(deeds.len(), 1, "{deeds:?}");
    assert_eq!(deeds[0].subject, "a wrong secret");
}

#[tokio::test]
async fn with_the_cookie_only_this_sites_own_pages_change_anything() {
    let trial = Trial::closed();
    let museum = trial.lease("museum", Quota::default()).await;
    let (_, secret) = trial.key(&museum, Role::Archivist, None).await;
    let cookie = format!("theme=dark; glassplate={}", secret.reveal());
    let invitation = json!({ "role": "reader", "name": "ada" });
    let own: [&[(&str, &str)]; 2] = [
        &[("sec-fetch-site", "same-origin")],
        &[("host", "photos.example"), ("origin", "http://photos.example")],
    ];
    let foreign: [&[(&str, &str)]; 5] = [
        &[],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("host", "photos.example"), ("origin", "https://evil.example")],
        &[("host", "photos.example"), ("origin", "null")],
    ];
    for headers in own {
        let headers = [&[("cookie", cookie.as_str())], headers].concat();
        trial.post("/v1/keys", &headers, &invitation).await.of(201);
    }
    for headers in foreign {
        let headers = [&[("cookie", cookie.as_str())], headers].concat();
        trial.post("/v1/keys", &headers, &invitation).await.of(403);
        trial.get("/v1/tenant", &headers).await.of(200);
    }
}

#[tokio::test]
async fn signing_in_keeps_the_key_out_of_reach() {
    let same: HeaderMap = [(
        axum::http::header::HeaderName::from_static("sec-fetch-site"),
        HeaderValue::from_static("same-origin"),
    )]
    .into_iter()
    .collect();
    for (base, name, end) in [
        (None, "glassplate", "HttpOnly; SameSite=Strict"),
        (Some("https://photos.example"), "__Host-glassplate", "HttpOnly; SameSite=Strict; Secure"),
    ] {
        let trial = Trial::new(false, base);
        let museum = trial.lease("museum", Quota::default()).await;
        let (_, secret) = trial.key(&museum, Role::Reader, Some(60)).await;
        let cookie = sign_in(&trial.site, &same, &secret.reveal()).await.expect("a cookie");
        let text = cookie.to_str().expect("text");
        assert_eq!(text, format!("{name}={}; Path=/; Max-Age=60; {end}", secret.reveal()));
        let sent = text.split(';').next().expect("a pair");
        trial.get("/v1/tenant", &[("cookie", sent)]).await.of(200);
        let out = sign_out(&trial.site.served);
        assert!(out.to_str().expect("text").starts_with(&format!("{name}=; Path=/; Max-Age=0;")));
        let fault = sign_in(&trial.site, &HeaderMap::new(), &secret.reveal()).await;
        assert!(matches!(fault, Err(TurnedAway::Otherwise(_))), "{fault:?}");
        let fault = sign_in(&trial.site, &same, "gp_x").await;
        assert!(matches!(fault, Err(TurnedAway::Unknown)), "{fault:?}");
    }
}
