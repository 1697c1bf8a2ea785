//! `/v1/assets/{id}/original` and `/renditions/{name}`.

use axum::http::{Method, StatusCode};

use super::{Desk, jpeg};

#[tokio::test]
async fn an_original_comes_back_as_it_was_sent() {
    let (desk, assets) = Desk::with_pictures(1).await;
    let path = format!("/v1/assets/{}/original", assets[0]);
    let answer = desk.get(&path).await;
    assert_eq!((answer.status, answer.media()), (StatusCode::OK, "image/jpeg"));
    assert_eq!(answer.body, jpeg(0));
    assert_eq!(answer.header("cache-control"), "private, max-age=31536000, immutable");
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"turtle-0.jpg\"");
    assert_eq!(answer.header("accept-ranges"), "bytes");
    assert!(answer.header("repr-digest").starts_with("sha-256=:"));
    assert!(answer.header("content-security-policy").contains("sandbox"));
    assert_eq!(answer.header("content-length"), jpeg(0).len().to_string());

    let head = desk.ask(Method::HEAD, &path).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    assert_eq!(head.header("content-length"), jpeg(0).len().to_string());
    assert_eq!(head.header("etag"), answer.header("etag"));
}

#[tokio::test]
async fn parts_of_an_original_put_together_are_the_whole() {
    let (desk, assets) = Desk::with_pictures(1).await;
    let path = format!("/v1/assets/{}/original", assets[0]);
    let whole = jpeg(0);
    let mut all = Vec::new();
    for range in ["bytes=0-99", "bytes=100-499", "bytes=500-"] {
        let answer = desk.get_with(&path, &[("range", range)]).await;
        assert_eq!(answer.status, StatusCode::PARTIAL_CONTENT);
        let told =
            format!("bytes {}-{}/{}", all.len(), all.len() + answer.body.len() - 1, whole.len());
        assert_eq!(answer.header("content-range"), told);
        all.extend(answer.body);
    }
    assert_eq!(all, whole);
    let beyond = desk.get_with(&path, &[("range", "bytes=99999999-")]).await;
    beyond.is_problem(416, "bytes");
    assert_eq!(beyond.header("content-range"), format!("bytes */{}", whole.len()));
}

#[tokio::test]
async fn a_client_that_has_it_is_told_so() {
    let (desk, assets) = Desk::with_pictures(1).await;
    for file in ["original", "renditions/64", "renditions/thumbnail"] {
        let path = format!("/v1/assets/{}/{file}", assets[0]);
        let tag = desk.get(&path).await.header("etag").to_owned();
        assert!(tag.len() > 2, "{tag}");
        let answer = desk.get_with(&path, &[("if-none-match", &tag)]).await;
        assert_eq!((answer.status, answer.body.len()), (StatusCode::NOT_MODIFIED, 0));
        assert_eq!(answer.header("etag"), tag);
        desk.get_with(&path, &[("if-match", "\"other\"")]).await.is_problem(412, "condition");
    }
}

#[tokio::test]
async fn a_thumbnail_is_the_smallest_rendition_and_an_unknown_one_is_not_found() {
    let (desk, assets) = Desk::with_pictures(1).await;
    let of = |name: &str| format!("/v1/assets/{}/renditions/{name}", assets[0]);
    let small = desk.get(&of("32")).await;
    assert_eq!(desk.get(&of("thumbnail")).await.body, small.body);
    assert_ne!(desk.get(&of("64")).await.body, small.body);
    desk.get(&of("4096")).await.is_problem(404, "no rendition \"4096\"");
    desk.get(&of("..%2F..%2Foriginals")).await.is_problem(404, "no rendition");
}

#[tokio::test]
async fn a_file_that_is_gone_is_our_fault_and_tells_no_path() {
    let (desk, assets) = Desk::with_pictures(1).await;
    std::fs::remove_dir_all(desk.path().join("store")).expect("removed");
    for file in ["original", "renditions/64"] {
        let answer = desk.get(&format!("/v1/assets/{}/{file}", assets[0])).await;
        answer.is_problem(500, "the server could not answer");
    }
}
