//! `POST /v1/assets`: what is taken in, what is refused, and that a refusal leaves nothing.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream;
use glassplate_pipeline::asset::Tenant;
use sha2::{Digest as _, Sha256};

use super::{Answered, Desk, Served, jpeg};

const PATH: &str = "/v1/assets?collection=sea&filename=a.jpg";

/// Insists that nothing was taken in and nothing lies around.
async fn holds_nothing(desk: &Desk) {
    let assets = desk.site.catalogue.assets(&Tenant::default(), None, None, 10).await;
    assert!(assets.expect("assets").is_empty());
    assert_eq!(desk.incoming(), 0);
}

fn form(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (head, content) in parts {
        body.extend_from_slice(format!("--frame\r\n{head}\r\n\r\n").as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--frame--\r\n");
    body
}

async fn send_form(desk: &Desk, path: &str, parts: &[(&str, &[u8])]) -> Answered {
    desk.post(path, "multipart/form-data; boundary=frame", form(parts)).await
}

const FILE: &str = "content-disposition: form-data; name=\"file\"; filename=\"b.jpg\"";
const COLLECTION: &str = "content-disposition: form-data; name=\"collection\"";

#[tokio::test]
async fn the_same_bytes_sent_twice_are_one_asset() {
    let desk = Desk::new();
    let first = desk.post(PATH, "image/jpeg", jpeg(1)).await;
    assert_eq!(first.status, StatusCode::CREATED, "{first:?}");
    let told = first.json();
    let sha256: String = Sha256::digest(jpeg(1)).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((&told["outcome"], &told["sha256"]), (&"enriched".into(), &sha256.into()));
    assert_eq!(first.header("location"), told["href"].as_str().expect("a link"));
    let again = desk.post(PATH, "image/jpeg", jpeg(1)).await;
    assert_eq!((again.status, &again.json()["outcome"]), (StatusCode::OK, &"unchanged".into()));
    assert_eq!(again.json()["asset"], told["asset"]);
    let elsewhere = "/v1/assets?collection=land&filename=c.jpg";
    let elsewhere = desk.post(elsewhere, "application/octet-stream", jpeg(1)).await;
    assert_eq!(elsewhere.json()["outcome"], "duplicate");
    assert_eq!(desk.incoming(), 0);
}

#[tokio::test]
async fn a_form_is_taken_in_whatever_the_order_of_its_parts() {
    let desk = Desk::new();
    let answer = send_form(&desk, "/v1/assets", &[(FILE, &jpeg(2)), (COLLECTION, b"sea")]).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    let told = desk.get(answer.json()["href"].as_str().expect("a link")).await.json();
    assert_eq!(told["title"], "b.jpg");
    assert_eq!(told["occurrences"][0]["collection"], "sea");
    // The limit on other bodies does not hold for uploads.
    let large = [jpeg(3), vec![0; 100_000]].concat();
    let answer = send_form(&desk, "/v1/assets?collection=sea", &[(FILE, &large)]).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
}

#[tokio::test]
async fn a_form_that_is_none_of_ours_is_refused() {
    let desk = Desk::new();
    let other = "content-disposition: form-data; name=\"other\"";
    for (parts, says) in [
        (vec![(COLLECTION, &b"sea"[..])], "no part \"file\""),
        (vec![(FILE, &b"x"[..]), (FILE, b"y")], "several files"),
        (vec![(other, &b"x"[..])], "file and collection are known"),
        (vec![(COLLECTION, &[b'x'; 2_000][..])], "too long"),
        (vec![(COLLECTION, &b"\xff"[..]), (FILE, b"x")], "UTF-8"),
    ] {
        send_form(&desk, "/v1/assets", &parts).await.is_problem(400, says);
    }
    let torn = &form(&[(FILE, &jpeg(1))])[..500];
    let answer = desk.post(PATH, "multipart/form-data; boundary=frame", torn.to_vec()).await;
    answer.is_problem(400, "cannot be read");
    desk.post(PATH, "multipart/form-data", jpeg(1)).await.is_problem(400, "cannot be read");
    holds_nothing(&desk).await;
}

#[tokio::test]
async fn a_digest_that_is_told_must_be_that_of_the_bytes() {
    let desk = Desk::new();
    let send = async |name: &str, value: String| {
        let request = Request::post(PATH).header("content-type", "image/jpeg").header(name, value);
        desk.send(request.body(Body::from(jpeg(1))).expect("a request")).await
    };
    let (right, wrong) = (STANDARD.encode(Sha256::digest(jpeg(1))), STANDARD.encode([0; 32]));
    send("digest", format!("sha-256={wrong}")).await.is_problem(400, "another digest");
    send("repr-digest", format!("sha-256=:{wrong}:")).await.is_problem(400, "another digest");
    send("content-digest", "sha-256=:x:".to_owned()).await.is_problem(400, "cannot be read");
    holds_nothing(&desk).await;
    let part = format!("{FILE}\r\ncontent-digest: sha-256=:{wrong}:");
    send_form(&desk, PATH, &[(&part, &jpeg(1))]).await.is_problem(400, "another digest");
    holds_nothing(&desk).await;
    let answer = send("content-digest", format!("sha-256=:{right}:")).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
}

#[tokio::test]
async fn what_is_no_picture_is_refused_and_not_kept() {
    let desk = Desk::new();
    desk.post(PATH, "text/html", "<p>").await.is_problem(415, "image/");
    for text in ["", "not a picture", "<html><script>alert(1)</script></html>"] {
        let answer = desk.post(PATH, "image/jpeg", text).await;
        assert!([400, 415].contains(&answer.status.as_u16()), "{text:?}: {answer:?}");
        answer.is_problem(answer.status.as_u16(), "");
    }
    holds_nothing(&desk).await;
    desk.post("/v1/assets", "image/jpeg", jpeg(1)).await.is_problem(400, "collection");
    let empty = desk.post("/v1/assets?collection=", "image/jpeg", jpeg(1)).await;
    empty.is_problem(400, "collection");
    holds_nothing(&desk).await;
}

#[tokio::test]
async fn a_torn_picture_is_taken_in_with_a_note_or_refused_but_never_breaks_the_server() {
    let desk = Desk::new();
    let whole = jpeg(5);
    for length in [2, 20, 200, whole.len() / 2, whole.len() - 2] {
        let answer = desk.post(PATH, "image/jpeg", whole[..length].to_vec()).await;
        let status = answer.status.as_u16();
        assert!([201, 400, 415].contains(&status), "{length}: {answer:?}");
        assert!(!String::from_utf8_lossy(&answer.body).contains("/tmp"), "{answer:?}");
    }
    assert_eq!(desk.incoming(), 0);
}

#[tokio::test]
async fn what_is_too_large_is_refused_whether_it_says_so_or_never_ends() {
    let desk = Desk::served(Served { upload_bytes: 10_000, ..Served::default() });
    desk.post(PATH, "image/jpeg", vec![0; 10_001]).await.is_problem(413, "10000 bytes");
    let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[0; 1_000])));
    let answer = desk.post(PATH, "image/jpeg", Body::from_stream(endless)).await;
    answer.is_problem(413, "10000 bytes");
    send_form(&desk, PATH, &[(FILE, &[0; 10_001])]).await.is_problem(413, "10000 bytes");
    holds_nothing(&desk).await;
}

#[tokio::test]
async fn a_body_that_pauses_or_trickles_for_too_long_is_cut() {
    let served = Served { pause_seconds: 0.5, upload_seconds: 1.0, ..Served::default() };
    let desk = Desk::served(served);
    let silent = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    desk.post(PATH, "image/jpeg", silent).await.is_problem(400, "broke off");
    let trickle = stream::unfold((), |()| async {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        Some((Ok::<_, std::io::Error>(Bytes::from_static(b"x")), ()))
    });
    let answer = desk.post(PATH, "image/jpeg", Body::from_stream(trickle)).await;
    answer.is_problem(400, "did not come within");
    holds_nothing(&desk).await;
}

#[tokio::test]
async fn a_server_that_takes_enough_in_asks_to_come_again() {
    let desk = Desk::served(Served { uploads: 1, pause_seconds: 0.5, ..Served::default() });
    let silent = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    let (first, second) = tokio::join!(desk.post(PATH, "image/jpeg", silent), async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        desk.post(PATH, "image/jpeg", jpeg(1)).await
    });
    first.is_problem(400, "broke off");
    second.is_problem(503, "");
    assert_eq!(second.header("retry-after"), "1");
}
