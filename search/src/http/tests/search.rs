//! `/v1/search`, `/v1/suggest` and `/v1/assets/{id}/similar`.

use axum::http::StatusCode;

use super::Desk;

#[tokio::test]
async fn a_hit_says_why_and_where_its_pictures_are() {
    let (desk, assets) = Desk::with_pictures(2).await;
    let answer = desk.get("/v1/search?q=turtle").await;
    assert_eq!((answer.status, answer.media()), (StatusCode::OK, "application/json"));
    assert!(answer.header("server-timing").starts_with("search;dur="));
    let found = answer.json();
    assert_eq!(found["total"], 2);
    let hit = &found["hits"][0];
    assert_eq!(hit["why"][0]["text"], "turtle: object 0.90, turtles");
    assert_eq!(hit["why"][0]["found"], "label");
    let id = hit["asset"].as_str().expect("an id");
    assert!(assets.iter().any(|asset| asset.as_str() == id));
    let thumbnail = desk.get(hit["thumbnail"].as_str().expect("a link")).await;
    assert_eq!((thumbnail.status, thumbnail.media()), (StatusCode::OK, "image/jpeg"));
    assert_eq!(desk.get(hit["href"].as_str().expect("a link")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn nothing_found_is_an_answer_and_everything_is_found_without_words() {
    let (desk, _) = Desk::with_pictures(1).await;
    assert_eq!(desk.get("/v1/search?q=zebra").await.json()["total"], 0);
    assert_eq!(desk.get("/v1/search").await.json()["total"], 1);
}

#[tokio::test]
async fn what_cannot_be_understood_is_named() {
    let desk = Desk::new();
    for (path, says) in [
        ("/v1/search?limit=0", "limit is 0"),
        ("/v1/search?limit=1001", "limit is 1001"),
        ("/v1/search?limit=many", "limit"),
        ("/v1/search?limit=1&limit=2", "limit"),
        ("/v1/search?values=0", "values is 0"),
        ("/v1/search?colection=sea", "colection"),
        ("/v1/search?facets=colour", "there is no facet \"colour\""),
        ("/v1/search?sort=best", "sort"),
        ("/v1/search?typing=perhaps", "typing"),
        ("/v1/suggest?limit=51", "limit is 51"),
        ("/v1/suggest?x=1", "x"),
    ] {
        desk.get(path).await.is_problem(400, says);
    }
}

#[tokio::test]
async fn suggestions_and_likenesses_are_lists_even_when_empty() {
    let (desk, assets) = Desk::with_pictures(1).await;
    let answer = desk.get("/v1/suggest?q=tur").await;
    assert!(answer.json()["suggestions"].is_array());
    let answer = desk.get(&format!("/v1/assets/{}/similar", assets[0])).await;
    assert!(answer.json()["hits"].is_array(), "{answer:?}");
    let unknown = "/v1/assets/hzphkqw1wzcbkvz9rz568/similar";
    desk.get(unknown).await.is_problem(404, "there is no asset");
}
