use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aws_sdk_rekognition::error::ProvideErrorMetadata as _;
use aws_sdk_rekognition::primitives::Blob;
use aws_sdk_rekognition::types::{Image, S3Object};

use super::*;
use crate::testing::rekognition::{labels, of, png};
use crate::testing::{Clients, rekognition};

/// The head of a JPEG.
fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 1, 0xff, 0xc0, 0, 17, 8];
    bytes.extend(height.to_be_bytes());
    bytes.extend(width.to_be_bytes());
    bytes.extend([3; 12]);
    bytes
}

async fn code(clients: &Clients, bytes: Vec<u8>) -> String {
    let error = of(&clients.rekognition(), bytes).await.unwrap_err();
    error.code().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn the_same_picture_gets_the_same_labels_and_another_gets_others() {
    let stub = Stub::start(Options::default());
    let client = Clients::at(&stub.url()).rekognition();
    let first = of(&client, jpeg(640, 480)).await.unwrap();
    assert_eq!(first, of(&client, jpeg(640, 480)).await.unwrap());
    assert_ne!(first.labels(), labels(&client, 640, 480).await.unwrap().labels());
    assert_eq!(first.label_model_version(), Some("3.0"));
    for label in first.labels() {
        let confidence = label.confidence().unwrap();
        assert!((55.0..=100.0).contains(&confidence), "{label:?}");
        // Parents are labels in their own right, never less sure.
        for parent in label.parents() {
            let parent = first.labels().iter().find(|other| other.name() == parent.name());
            assert!(parent.unwrap().confidence().unwrap() >= confidence, "{label:?}");
        }
    }
    let ledger = stub.ledger();
    assert_eq!(ledger.bill(), 3);
    let expected = [(sha256(&jpeg(640, 480)), 2), (sha256(&png(640, 480)), 1)];
    let expected = expected.map(|(picture, times)| ((Api::DetectLabels, picture), times));
    assert_eq!(ledger.billed(), BTreeMap::from(expected));
}

#[tokio::test]
async fn who_asks_and_how_it_is_signed_is_checked() {
    let stub = Stub::start(Options::default());
    let at = || Clients::at(&stub.url());
    for (clients, expected) in [
        (Clients { key: "AKIDSTRANGER", ..at() }, "UnrecognizedClientException"),
        (Clients { secret: "guessed", ..at() }, "InvalidSignatureException"),
        (Clients { region: "eu-west-1", ..at() }, "InvalidSignatureException"),
    ] {
        assert_eq!(code(&clients, png(100, 100)).await, expected);
    }
    let plain = |authorization: Option<&str>| {
        let mut request = hyper::Request::post("/").header("host", "localhost");
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let request = request.body(Bytes::new()).unwrap();
        signature::check(&Options::default(), &request).unwrap_err().code
    };
    assert_eq!(plain(None), "MissingAuthenticationTokenException");
    assert_eq!(plain(Some("AWS4-HMAC-SHA256 Credential=a/b")), "IncompleteSignature");
    assert_eq!(stub.ledger().bill(), 0);
}

#[tokio::test]
async fn pictures_are_checked_as_the_service_checks_them() {
    let stub = Stub::start(Options::default());
    let clients = Clients::at(&stub.url());
    let heavy = |bytes: usize| [png(100, 100), vec![0; bytes]].concat();
    for (bytes, expected) in [
        (b"GIF89a".to_vec(), "InvalidImageFormatException"),
        (vec![0xff, 0xd8, 0xff], "InvalidImageFormatException"),
        (png(79, 100), "InvalidParameterException"),
        (png(100, 10_001), "InvalidParameterException"),
        (heavy(MOST_INLINE), "ImageTooLargeException"),
        (vec![], "InvalidParameterException"),
    ] {
        assert_eq!(code(&clients, bytes).await, expected);
    }
    for bytes in [png(80, 10_000), jpeg(80, 80), heavy(MOST_INLINE - 100)] {
        of(&clients.rekognition(), bytes).await.unwrap();
    }
}

#[tokio::test]
async fn ranges_and_operations_are_checked() {
    let stub = Stub::start(Options::default());
    let client = Clients::at(&stub.url()).rekognition();
    let image = || Image::builder().bytes(Blob::new(png(100, 100))).build();
    let ask = || client.detect_labels().image(image());
    for wrong in [ask().max_labels(-1), ask().min_confidence(101.0), ask().min_confidence(-1.0)] {
        assert_eq!(wrong.send().await.unwrap_err().code(), Some("InvalidParameterException"));
    }
    let few = ask().max_labels(1).min_confidence(0.0).send().await.unwrap();
    assert_eq!(few.labels().len(), 1);
    let faces = client.detect_faces().image(image()).send().await.unwrap_err();
    assert_eq!(faces.code(), Some("UnknownOperationException"));
    client.detect_moderation_labels().image(image()).send().await.unwrap();
    client.detect_text().image(image()).send().await.unwrap();
    assert_eq!(stub.ledger().bill(), 3);
}

#[tokio::test]
async fn objects_are_found_in_buckets() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("plates")).unwrap();
    std::fs::write(folder.path().join("plates/a.png"), png(100, 100)).unwrap();
    let objects = Some(objects_below(folder.path().to_owned()));
    let stub = Stub::start(Options { objects, ..Options::default() });
    let client = Clients::at(&stub.url()).rekognition();
    let object = |name: &str| {
        let object = S3Object::builder().bucket("plates").name(name).build();
        client.detect_labels().image(Image::builder().s3_object(object).build()).send()
    };
    object("a.png").await.unwrap();
    for name in ["b.png", "../plates/a.png"] {
        assert_eq!(object(name).await.unwrap_err().code(), Some("InvalidS3ObjectException"));
    }
}

#[tokio::test]
async fn a_quota_lets_so_many_through_a_second() {
    let quota = Some(Quota { burst: 5.0, ..Quota::of(20.0) });
    let stub = Stub::start(Options { quota, ..Options::default() });
    let client = Clients::at(&stub.url()).rekognition();
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(1000) {
        let _ = rekognition::labels(&client, 100, 100).await;
    }
    let ledger = stub.ledger();
    assert!((18..=28).contains(&ledger.bill()), "{}", ledger.bill());
    assert!(ledger.errors()["ThrottlingException"] > 0);
}

#[tokio::test]
async fn errors_come_as_scripted_and_are_not_billed() {
    let script: Script = Arc::new(|request| match request.width {
        200 => Answer::Error(400, "AccessDeniedException"),
        _ => Answer::Labels(vec![("Dog".to_owned(), 95.0)]),
    });
    let errors = BTreeMap::from([(2, (500, "InternalServerError"))]);
    let stub = Stub::start(Options { script, errors, ..Options::default() });
    let client = Clients::at(&stub.url()).rekognition();
    assert_eq!(labels(&client, 100, 100).await.unwrap().labels()[0].name(), Some("Dog"));
    let failed = labels(&client, 100, 100).await.unwrap_err();
    assert_eq!(failed.raw_response().unwrap().status().as_u16(), 500);
    assert_eq!(labels(&client, 200, 100).await.unwrap_err().code(), Some("AccessDeniedException"));
    assert_eq!(stub.ledger().bill(), 1);
}
