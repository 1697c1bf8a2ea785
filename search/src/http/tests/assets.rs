//! `/v1/assets/{id}` and its decisions.

use axum::http::StatusCode;
use serde_json::json;

use super::Desk;

#[tokio::test]
async fn an_asset_tells_the_labels_asked_for_and_no_others() {
    let (desk, assets) = Desk::with_pictures(1).await;
    let path = format!("/v1/assets/{}", assets[0]);
    let told = desk.get(&path).await.json();
    let names = |told: &serde_json::Value| -> Vec<String> {
        let labels = told["labels"].as_array().expect("labels").iter();
        labels.map(|label| label["name"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!((names(&told), &told["hidden"]), (vec!["turtle".to_owned()], &json!(2)));
    assert_eq!(told["labels"][0].get("parents"), None);
    assert_eq!(told["format"], "jpeg");
    assert!(told.get("opinions").is_none());

    let more = desk.get(&format!("{path}?min_confidence=0.3&include=parents,evidence")).await;
    assert_eq!(names(&more.json()), ["turtle", "boat"]);
    assert_eq!(more.json()["labels"][0]["parents"], json!(["animal"]));
    let all = desk.get(&format!("{path}?min_confidence=0&include=opinions")).await.json();
    assert_eq!(names(&all).len(), 3);
    assert!(all["opinions"].as_array().expect("opinions").len() >= 3);
    for rendition in told["renditions"].as_array().expect("renditions") {
        let answer = desk.get(rendition["href"].as_str().expect("a link")).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn what_names_no_asset_is_not_found_and_says_why() {
    let desk = Desk::new();
    for (id, says) in [
        ("hzphkqw1wzcbkvz9rz568", "there is no asset"),
        ("hzphkqw1wzcbkvz9rz569", "check character"),
        ("short", "5 characters"),
        ("%FF", ""),
    ] {
        for rest in ["", "/decisions", "/original", "/renditions/1024", "/similar"] {
            desk.get(&format!("/v1/assets/{id}{rest}")).await.is_problem(404, says);
        }
    }
    let path = "/v1/assets/hzphkqw1wzcbkvz9rz568";
    desk.get(&format!("{path}?min_confidence=2")).await.is_problem(400, "min_confidence is 2");
    desk.get(&format!("{path}?include=all")).await.is_problem(400, "include has \"all\"");
}

#[tokio::test]
async fn a_ruling_is_kept_and_changes_what_is_shown() {
    let (desk, assets) = Desk::with_pictures(1).await;
    let path = format!("/v1/assets/{}/decisions", assets[0]);
    let reject = json!({ "ruling": "reject", "labels": ["turtle"] }).to_string();
    let answer = desk.post(&path, "application/json", reject).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    assert_eq!(answer.json()["decisions"][0]["who"], "desk");
    let add = json!({ "ruling": "add", "labels": ["lagoon"], "kind": "scene" }).to_string();
    desk.post(&path, "application/json", add).await;

    let all = desk.get(&path).await.json();
    assert_eq!(all["decisions"].as_array().expect("decisions").len(), 2);
    let told = desk.get(&format!("/v1/assets/{}", assets[0])).await.json();
    assert_eq!(told["labels"][0]["name"], "lagoon");
    assert_eq!(told["labels"][0]["state"], "added");
    desk.catch_up().await;
    assert_eq!(
        desk.get("/v1/search?q=turtle").await.json()["hits"][0]["labels"][0]["name"],
        "lagoon"
    );
}

#[tokio::test]
async fn a_ruling_that_cannot_be_understood_changes_nothing() {
    let (desk, assets) = Desk::with_pictures(1).await;
    let path = format!("/v1/assets/{}/decisions", assets[0]);
    for (body, says) in [
        (json!({ "ruling": "approve", "labels": [] }), "1 to 100"),
        (json!({ "ruling": "approve", "labels": ["zebra"] }), "carries no label"),
        (json!({ "ruling": "add", "labels": ["zebra"] }), "say what it is"),
        (json!({ "ruling": "perhaps", "labels": ["turtle"] }), "perhaps"),
        (json!({ "ruling": "approve", "labels": ["turtle"], "by": "me" }), "by"),
        (json!([]), "cannot be understood"),
    ] {
        desk.post(&path, "application/json", body.to_string()).await.is_problem(400, says);
    }
    desk.post(&path, "application/json", "{").await.is_problem(400, "cannot be understood");
    desk.post(&path, "text/plain", "{}").await.is_problem(415, "application/json");
    let long = format!("{{\"ruling\":\"approve\",\"labels\":[\"{}\"]}}", "x".repeat(70_000));
    desk.post(&path, "application/json", long).await.is_problem(413, "too large");
    assert_eq!(desk.get(&path).await.json()["decisions"], json!([]));
}
