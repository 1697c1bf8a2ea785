//! The open desk: who sits at it, and when it closes.

use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::fault::FaultKind;
use glassplate_pipeline::tenancy::{Quota, Role};
use serde_json::json;

use super::super::check_listening;
use super::{Trial, bearer, registry};

/// What a program at the same machine sends.
const HERE: (&str, &str) = ("host", "127.0.0.1:8080");

#[tokio::test]
async fn before_any_key_whoever_is_at_the_machine_is_an_archivist() {
    let trial = Trial::open_desk();
    let told = trial.get("/v1/tenant", &[HERE]).await.of(200).json();
    assert_eq!(told["tenant"], Tenant::default().as_str());
    assert_eq!(told["caller"], json!({ "name": "desk", "role": "archivist" }));
    trial.get("/v1/tenant", &[HERE, ("cookie", "glassplate=gp_of_an_older_home")]).await.of(200);
    trial.get("/v1/tenant", &[HERE, ("authorization", "Bearer gp_x")]).await.of(401);
}

#[tokio::test]
async fn a_server_that_listens_to_the_world_or_lies_behind_another_name_has_no_open_desk() {
    for trial in [Trial::closed(), Trial::new(true, Some("https://photos.example"))] {
        trial.get("/v1/tenant", &[HERE]).await.of(401);
    }
    Trial::new(true, Some("http://localhost:8080")).get("/v1/tenant", &[HERE]).await.of(200);
}

#[tokio::test]
async fn a_strangers_name_for_the_machine_is_refused() {
    let trial = Trial::open_desk();
    for host in ["evil.example:8080", "127.0.0.1.evil.example", "10.0.0.7"] {
        trial.get("/v1/tenant", &[("host", host)]).await.of(403);
    }
    for header in ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"] {
        trial.get("/v1/tenant", &[HERE, (header, "10.0.0.7")]).await.of(403);
    }
}

#[tokio::test]
async fn what_another_sites_page_makes_a_browser_send_is_refused() {
    let trial = Trial::open_desk();
    let reads = |headers: &'static [(&str, &str)]| {
        let (trial, headers) = (&trial, [&[HERE], headers].concat());
        async move { trial.get("/v1/tenant", &headers).await.status.as_u16() }
    };
    let cross = ("sec-fetch-site", "cross-site");
    assert_eq!(reads(&[("sec-fetch-site", "none")]).await, 200);
    assert_eq!(reads(&[("sec-fetch-site", "same-origin")]).await, 200);
    assert_eq!(
        reads(&[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")]).await,
        200
    );
    assert_eq!(
        reads(&[("sec-fetch-site", "cross-site"), ("origin", "http://localhost:3000")]).await,
        200
    );
    assert_eq!(reads(&[("sec-fetch-site", "cross-site")]).await, 403);
    assert_eq!(
        reads(&[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")]).await,
        403
    );
    assert_eq!(reads(&[("origin", "https://evil.example")]).await, 403);
    assert_eq!(reads(&[("referer", "https://evil.example/x")]).await, 403);

    // IIIF's validator names its site; a browser on its way to a picture says more.
    let picture = |headers: &'static [(&str, &str)]| {
        let (trial, headers) = (&trial, [&[HERE], headers].concat());
        async move { trial.get("/iiif/collections", &headers).await.status.as_u16() }
    };
    assert_eq!(picture(&[("origin", "http://iiif.io/")]).await, 200);
    assert_eq!(
        picture(&[("sec-fetch-site", "cross-site"), ("origin", "http://iiif.io")]).await,
        403
    );

    let invitation = json!({ "role": "reader", "name": "ada" });
    for headers in [
        vec![HERE, cross],
        vec![HERE, cross, ("sec-fetch-mode", "navigate")],
        vec![HERE, ("sec-fetch-site", "same-site")],
        vec![HERE, ("origin", "https://evil.example")],
        vec![HERE, ("origin", "http://127.0.0.1:9999")],
        vec![HERE, ("origin", "null")],
    ] {
        trial.post("/v1/keys", &headers, &invitation).await.of(403);
    }
}

#[tokio::test]
async fn a_key_made_over_the_api_closes_the_desk_at_once() {
    let trial = Trial::open_desk();
    let invitation = json!({ "role": "archivist", "name": "ada" });
    let made = trial.post("/v1/keys", &[HERE], &invitation).await.of(201).json();
    trial.get("/v1/tenant", &[HERE]).await.of(401);
    let shown = format!("Bearer {}", made["secret"].as_str().expect("a secret"));
    trial.get("/v1/tenant", &[HERE, ("authorization", &shown)]).await.of(200);
}

#[tokio::test]
async fn a_key_made_by_another_process_closes_the_desk_for_all_tenants_within_seconds() {
    let trial = Trial::open_desk();
    trial.get("/v1/tenant", &[HERE]).await.of(200);
    let museum = trial.lease("museum", Quota::default()).await;
    let (_, secret) = trial.key(&museum, Role::Reader, Some(60)).await;
    trial.get("/v1/tenant", &[HERE, ("authorization", &bearer(&secret))]).await.of(200);
    trial.later(2);
    trial.get("/v1/tenant", &[HERE]).await.of(401);
    trial.later(600);
    trial.get("/v1/tenant", &[HERE]).await.of(401);
}

#[tokio::test]
async fn a_server_listens_beyond_its_machine_only_with_a_key() {
    let trial = Trial::open_desk();
    let registry = registry(trial.folder.path());
    let world = "0.0.0.0:80".parse().expect("an address");
    let here = "[::1]:80".parse().expect("an address");
    let fault = check_listening(&registry, world).await.expect_err("no key");
    assert_eq!(fault.kind(), FaultKind::Refused);
    assert!(
        fault.reason().contains("glassplate key create --role archivist"),
        "{}",
        fault.reason()
    );
    assert!(check_listening(&registry, here).await.expect("allowed"));
    let museum = trial.lease("museum", Quota::default()).await;
    trial.key(&museum, Role::Reader, None).await;
    assert!(!check_listening(&registry, world).await.expect("allowed"));
}
