//! Health, metrics, limits, errors of routes, and what every answer carries.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};

use super::super::Peer;
use super::{Desk, Served};

#[tokio::test]
async fn a_sound_server_says_so() {
    let (desk, _) = Desk::with_pictures(1).await;
    assert_eq!(desk.get("/healthz").await.json()["status"], "ok");
    let ready = desk.get("/readyz").await;
    assert_eq!((ready.status, &ready.json()["index_lag_seconds"]), (StatusCode::OK, &0.0.into()));
}

#[tokio::test]
async fn a_lagging_index_is_told() {
    let desk = Desk::new();
    desk.post("/v1/assets?collection=sea", "image/jpeg", super::jpeg(1)).await;
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    let lag = desk.get("/readyz").await.json()["index_lag_seconds"].as_f64();
    assert!(lag.expect("a number") >= 0.02, "{lag:?}");
}

#[tokio::test]
async fn metrics_are_for_this_machine_and_their_labels_are_bounded() {
    let desk = Desk::new();
    for path in ["/v1/search", "/v1/search?q=a", "/nowhere/1", "/nowhere/2"] {
        desk.get(path).await;
    }
    desk.get("/metrics").await.is_problem(404, "nothing at this address");
    let near = Peer("127.0.0.1:9".parse().expect("an address"));
    let ask = |peer: Peer, passed_on: bool| {
        let mut request = Request::get("/metrics").extension(peer);
        if passed_on {
            request = request.header("x-forwarded-for", "203.0.113.7");
        }
        request.body(Body::empty()).expect("a request")
    };
    let text = String::from_utf8(desk.send(ask(near, false)).await.body).expect("text");
    let count = "glassplate_requests_total{method=\"GET\",route=\"/v1/search\",status=\"2xx\"} 2";
    assert!(text.contains(count), "{text}");
    let unknown = "glassplate_requests_total{method=\"GET\",route=\"none\",status=\"4xx\"} 2";
    assert!(text.contains(unknown), "{text}");
    assert!(text.contains("glassplate_requests_in_flight 1"), "{text}");
    desk.send(ask(near, true)).await.is_problem(404, "nothing");
    let far = Peer("203.0.113.7:9".parse().expect("an address"));
    desk.send(ask(far, false)).await.is_problem(404, "nothing");
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_done_are_problems() {
    let desk = Desk::new();
    desk.get("/v1/nothing").await.is_problem(404, "nothing at this address");
    desk.get("/v2").await.is_problem(404, "nothing at this address");
    let answer = desk.ask(Method::DELETE, "/v1/search").await;
    answer.is_problem(405, "Allow");
    assert_eq!(answer.header("allow"), "GET,HEAD");
    let answer = desk.ask(Method::GET, "/v1/assets").await;
    answer.is_problem(405, "Allow");
    assert_eq!(answer.header("allow"), "POST");
}

#[tokio::test]
async fn a_tenants_minute_ends_with_a_problem_that_says_when_to_come_again() {
    let desk = Desk::served(Served { requests_a_minute: 2, ..Served::default() });
    let first = desk.get("/v1/search").await;
    assert_eq!((first.header("ratelimit-limit"), first.header("ratelimit-remaining")), ("2", "1"));
    desk.get("/v1/runs").await;
    let refused = desk.get("/v1/search").await;
    refused.is_problem(429, "more than 2 requests");
    let wait: u32 = refused.header("retry-after").parse().expect("seconds");
    assert!((1..=30).contains(&wait), "{wait}");
    // Whether the server is well can always be asked, and the description read.
    assert_eq!(desk.get("/healthz").await.status, StatusCode::OK);
    assert_eq!(desk.get("/v1/openapi.json").await.status, StatusCode::OK);
}

#[tokio::test]
async fn ids_are_given_back_and_large_texts_compressed() {
    let (desk, _) = Desk::with_pictures(3).await;
    let answer = desk.get_with("/v1/search", &[("x-request-id", "desk-1")]).await;
    assert_eq!(answer.header("x-request-id"), "desk-1");
    let gzip = desk.get_with("/v1/search", &[("accept-encoding", "gzip")]).await;
    assert_eq!(gzip.header("content-encoding"), "gzip");
    assert!(gzip.body.len() < answer.body.len());
    let thumbnail = answer.json()["hits"][0]["thumbnail"].as_str().expect("a link").to_owned();
    let picture = desk.get_with(&thumbnail, &[("accept-encoding", "gzip")]).await;
    assert_eq!(picture.header("content-encoding"), "");
}

#[tokio::test]
async fn the_description_is_served_for_programs_and_for_people() {
    let desk = Desk::new();
    let document = desk.get("/v1/openapi.json").await;
    assert_eq!(document.json()["openapi"], "3.1.0");
    let page = desk.get("/v1/docs").await;
    assert_eq!(page.media(), "text/html; charset=utf-8");
    assert!(page.header("content-security-policy").contains("style-src 'self'"));
    assert_eq!(desk.get("/v1/docs.css").await.media(), "text/css; charset=utf-8");
}
