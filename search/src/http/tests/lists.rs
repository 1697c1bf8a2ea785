//! Collections, labels, review, runs, export: what is read page by page.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::Desk;

/// Reads a list to its end, following its links.
async fn all(desk: &Desk, path: &str, of: &str) -> Vec<Value> {
    let (mut found, mut next) = (Vec::new(), Some(path.to_owned()));
    while let Some(path) = next {
        let answer = desk.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let page = answer.json();
        found.extend(page[of].as_array().expect("a list").clone());
        next = page["next"]["href"].as_str().map(str::to_owned);
    }
    found
}

#[tokio::test]
async fn runs_are_listed_page_by_page_and_tell_their_items() {
    let (desk, assets) = Desk::with_pictures(3).await;
    let runs = all(&desk, "/v1/runs?limit=2", "runs").await;
    assert_eq!(runs.len(), 3);
    for run in &runs {
        assert_eq!(run["state"], "finished");
        assert_eq!(run["balance"]["enriched"], 1);
        let href = run["href"].as_str().expect("a link");
        let items = all(&desk, href, "items").await;
        assert_eq!(items.len(), 1);
        let asset = items[0]["asset"].as_str().expect("an id");
        assert!(assets.iter().any(|known| known.as_str() == asset));
        assert!(all(&desk, &format!("{href}?failures=true"), "items").await.is_empty());
    }
    desk.get("/v1/runs/20000101T000000Z-00000000").await.is_problem(404, "there is no run");
    desk.get("/v1/runs?cursor=%20").await.is_problem(400, "no cursor");
}

#[tokio::test]
async fn an_export_gives_every_record_once_and_goes_on_where_it_broke_off() {
    let (desk, assets) = Desk::with_pictures(3).await;
    let lines = |body: &[u8]| -> Vec<Value> {
        let text = String::from_utf8_lossy(body).into_owned();
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    let answer = desk.get("/v1/export").await;
    assert_eq!(answer.media(), "application/x-ndjson");
    let records = lines(&answer.body);
    let mut ids: Vec<String> = assets.iter().map(ToString::to_string).collect();
    ids.sort();
    assert_eq!(records.iter().map(|r| r["asset"].clone()).collect::<Vec<_>>(), ids);
    assert_eq!(records[0]["labels"].as_array().expect("labels").len(), 1);

    let first = lines(&desk.get("/v1/export?limit=1&min_confidence=0").await.body);
    assert_eq!(first.len(), 1);
    assert_eq!(first[0]["labels"].as_array().expect("labels").len(), 3);
    let rest = lines(&desk.get(&format!("/v1/export?after={}", ids[0])).await.body);
    assert_eq!(rest, records[1..]);
    assert!(desk.get("/v1/export?collection=none").await.body.is_empty());
    desk.get("/v1/export?limit=0").await.is_problem(400, "limit is 0");
    desk.get("/v1/export?after=x").await.is_problem(400, "not an asset id");
}

#[tokio::test]
async fn what_is_uncertain_is_asked_once_and_no_more_after_a_ruling() {
    let (desk, assets) = Desk::with_pictures(3).await;
    let questions = all(&desk, "/v1/review?limit=2", "questions").await;
    assert_eq!(questions.len(), 3, "one boat a picture: {questions:?}");
    assert!(questions.iter().all(|question| question["label"] == "boat"));
    let first = desk.get("/v1/review").await.json();
    assert_eq!((&first["looked_at"], &first["complete"]), (&json!(3), &json!(true)));

    let ruling = json!({ "ruling": "approve", "labels": ["boat"] }).to_string();
    let path = questions[0]["decisions"].as_str().expect("a link");
    desk.post(path, "application/json", ruling).await;
    let left = all(&desk, "/v1/review", "questions").await;
    assert_eq!(left.len(), 2);
    assert!(left.iter().all(|question| question["asset"] != questions[0]["asset"]));
    assert!(all(&desk, "/v1/review?kind=scene", "questions").await.is_empty());
    assert!(all(&desk, "/v1/review?collection=none", "questions").await.is_empty());
    desk.get("/v1/review?kind=thing").await.is_problem(400, "kind");
    drop(assets);
}

#[tokio::test]
async fn collections_and_labels_are_lists_with_cursors_of_their_own() {
    let (desk, _) = Desk::with_pictures(1).await;
    all(&desk, "/v1/collections", "collections").await;
    all(&desk, "/v1/labels?kind=object&prefix=t", "labels").await;
    for path in ["/v1/labels?cursor=eA", "/v1/collections?cursor=%25", "/v1/labels?kind=x"] {
        assert_eq!(desk.get(path).await.status, StatusCode::BAD_REQUEST, "{path}");
    }
}
