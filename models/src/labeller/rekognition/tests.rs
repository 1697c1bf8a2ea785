//! The labellers against a stand-in of the service.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aws_sdk_rekognition::config::{Credentials, SharedCredentialsProvider};
use glassplate_harness::faults::{Faults, Kind, Plan};
use glassplate_harness::rekognition::{Answer, Options, Quota, Script, Stub, objects_below};
use glassplate_harness::s3::{ACCESS_KEY, SECRET_KEY};
use glassplate_harness::sha256;
use glassplate_pipeline::asset::{PixelDigest, Tenant};
use glassplate_pipeline::aws::{AwsSettings, Endpoints};
use glassplate_pipeline::fault::FaultKind;
use glassplate_pipeline::image::encode_jpeg;
use glassplate_pipeline::label::LabelKind;
use glassplate_pipeline::ports::ShownFile;
use glassplate_pipeline::raster::Raster;
use glassplate_pipeline::store::Key;

use super::*;

fn aws(url: &str) -> Aws {
    aws_as(url, ACCESS_KEY, SECRET_KEY)
}

fn aws_as(url: &str, key: &str, secret: &str) -> Aws {
    let credentials = Credentials::new(key, secret, None, None, "tests");
    let endpoints = Endpoints { rekognition: Some(url.to_owned()), ..Endpoints::default() };
    let settings = AwsSettings { endpoints, attempt_seconds: 0.5, ..AwsSettings::default() };
    let credentials = SharedCredentialsProvider::new(credentials);
    Aws::new("us-east-1".to_owned(), credentials, Aws::connections(), settings)
}

/// Settings for tests: quick, and soon out of patience.
fn quick() -> RekognitionSettings {
    RekognitionSettings {
        calls_per_second: 500.0,
        patience_seconds: 0.4,
        ..RekognitionSettings::default()
    }
}

fn open(aws: &Aws, settings: &RekognitionSettings) -> Arc<dyn Labeller> {
    Rekognition::open(aws, settings, None).unwrap().swap_remove(0)
}

/// A picture of one colour, of which each is another picture.
fn shown(width: u32, height: u32, colour: u8) -> Shown {
    let raster = Raster::new(width, height, vec![colour; (width * height * 3) as usize]);
    Shown::from(Arc::new(raster))
}

fn file(shown: &Shown, media_type: &str, bytes: Vec<u8>) -> ShownFile {
    let pixels = PixelDigest::new([7; 32]);
    ShownFile {
        key: Key::Rendition { tenant: Tenant::default(), pixels, file: "1024-q82.jpg".to_owned() },
        media_type: media_type.to_owned(),
        width: shown.raster.width(),
        height: shown.raster.height(),
        bytes: Arc::new(bytes),
    }
}

async fn fault(labeller: &Arc<dyn Labeller>) -> Fault {
    labeller.label(&shown(100, 100, 50)).await.unwrap_err()
}

fn says(labels: &'static [(&'static str, f64)]) -> Script {
    Arc::new(move |_| {
        let named = |&(name, confidence): &(&str, f64)| (name.to_owned(), confidence);
        Answer::Labels(labels.iter().map(named).collect())
    })
}

#[tokio::test]
async fn an_answer_is_read_in_our_words_and_kept_in_the_services_own() {
    let stub = Stub::start(Options {
        script: says(&[("Dog", 95.5), ("Beach", 81.25)]),
        ..Options::default()
    });
    let labeller = open(&aws(&stub.url()), &quick());
    let said = labeller.label(&shown(100, 100, 1)).await.unwrap();
    let told: Vec<_> = said.labels.iter().map(|l| (&*l.name, l.kind, l.confidence)).collect();
    let (object, scene) = (LabelKind::Object, LabelKind::Scene);
    assert_eq!(told, [("dog", object, 0.955), ("beach", scene, 0.8125)]);
    let told = said.told.unwrap();
    assert_eq!(told.model_version.as_deref(), Some("3.0"));
    assert_eq!(told.answer["Labels"][0]["Name"], "Dog");
    assert_eq!(told.answer["Labels"][0]["Confidence"], 95.5);
    assert_eq!((labeller.step(), stub.ledger().bill()), ("label:rekognition", 1));
    let maker = labeller.maker();
    assert_eq!((&*maker.backend, &*maker.model), ("rekognition", "DetectLabels"));
    assert_eq!(maker.parameters, r#"{"max_labels":100,"min_confidence":40.0}"#);
    assert_eq!(labeller.price(), Some(Dollars::from_millionths(1000)));
}

#[tokio::test]
async fn each_feature_is_a_labeller_of_its_own() {
    let stub = Stub::start(Options::default());
    let settings =
        RekognitionSettings { features: vec![Feature::Labels, Feature::Moderation], ..quick() };
    let labellers = Rekognition::open(&aws(&stub.url()), &settings, None).unwrap();
    let steps: Vec<_> = labellers.iter().map(|labeller| labeller.step()).collect();
    assert_eq!(steps, ["label:rekognition", "label:rekognition-moderation"]);
    let said = labellers[1].label(&shown(100, 100, 1)).await.unwrap();
    assert!(said.labels.iter().all(|label| label.kind == LabelKind::Concept));
    assert_eq!(said.told.unwrap().model_version.as_deref(), Some("7.0"));
}

#[tokio::test]
async fn the_stored_file_is_sent_where_the_service_takes_it_and_pixels_where_not() {
    let stub = Stub::start(Options::default());
    let labeller = open(&aws(&stub.url()), &quick());
    let sent = || stub.ledger().calls.last().unwrap().picture.clone().unwrap();
    let mut picture = shown(120, 100, 7);
    let jpeg = encode_jpeg(&picture.raster, 60).unwrap();
    picture.file = Some(file(&picture, "image/jpeg", jpeg.clone()));
    labeller.label(&picture).await.unwrap();
    assert_eq!(sent(), sha256(&jpeg));
    // A WebP, a narrow picture, none at all, and a heavy file.
    let pixels = sha256(&encode_jpeg(&picture.raster, 90).unwrap());
    for file in [
        Some(file(&picture, "image/webp", b"RIFF".to_vec())),
        None,
        Some(file(&picture, "image/jpeg", [jpeg.clone(), vec![0; 5 << 20]].concat())),
    ] {
        picture.file = file;
        labeller.label(&picture).await.unwrap();
        assert_eq!(sent(), pixels);
    }
    let mut narrow = shown(300, 20, 7);
    narrow.file = Some(file(&narrow, "image/jpeg", encode_jpeg(&narrow.raster, 90).unwrap()));
    labeller.label(&narrow).await.unwrap();
    assert_eq!(stub.ledger().bill(), 5);
}

#[tokio::test]
async fn a_rendition_in_a_bucket_is_named_and_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    let mut picture = shown(120, 100, 7);
    let jpeg = encode_jpeg(&picture.raster, 60).unwrap();
    picture.file = Some(file(&picture, "image/jpeg", jpeg.clone()));
    let path = picture.file.as_ref().unwrap().key.path();
    let at = folder.path().join("plates/home").join(&path);
    std::fs::create_dir_all(at.parent().unwrap()).unwrap();
    std::fs::write(&at, &jpeg).unwrap();
    let objects = Some(objects_below(folder.path().to_owned()));
    let stub = Stub::start(Options { objects, ..Options::default() });
    let settings = RekognitionSettings { send: Send::Object, ..quick() };
    let aws = aws(&stub.url());
    assert!(Rekognition::open(&aws, &settings, None).is_err());
    let stored = Stored { bucket: "plates".to_owned(), prefix: "home/".to_owned() };
    let labeller = Rekognition::open(&aws, &settings, Some(stored)).unwrap().swap_remove(0);
    labeller.label(&picture).await.unwrap();
    assert_eq!(stub.ledger().calls[0].picture, Some(sha256(&jpeg)));
    std::fs::remove_file(at).unwrap();
    let gone = labeller.label(&picture).await.unwrap_err();
    assert_eq!(gone.kind(), FaultKind::NotFound);
}

#[tokio::test]
async fn what_was_never_paid_for_is_asked_again_and_billed_once() {
    let errors = BTreeMap::from([
        (1, (400, "ThrottlingException")),
        (2, (500, "InternalServerError")),
        (3, (400, "ProvisionedThroughputExceededException")),
        (4, (503, "ServiceUnavailableException")),
    ]);
    let stub = Stub::start(Options { errors, ..Options::default() });
    let settings = RekognitionSettings { patience_seconds: 30.0, ..quick() };
    open(&aws(&stub.url()), &settings).label(&shown(100, 100, 1)).await.unwrap();
    let ledger = stub.ledger();
    assert_eq!((ledger.calls.len(), ledger.bill()), (5, 1));
}

#[tokio::test]
async fn a_service_that_stays_busy_or_away_is_busy_once_patience_ends() {
    let script: Script = Arc::new(|_| Answer::Error(400, "ThrottlingException"));
    let stub = Stub::start(Options { script, ..Options::default() });
    let throttled = fault(&open(&aws(&stub.url()), &quick())).await;
    assert_eq!(throttled.kind(), FaultKind::Busy);
    assert!(stub.ledger().calls.len() > 1 && stub.ledger().bill() == 0);
    // A port that nobody listens on.
    let url = stub.url();
    drop(stub);
    let away = fault(&open(&aws(&url), &quick())).await;
    assert_eq!(away.kind(), FaultKind::Busy, "{away}");
}

#[tokio::test]
async fn a_lost_answer_is_told_apart_and_not_bought_again() {
    let stub = Stub::start(Options::default());
    let silence = Duration::from_secs(2);
    for (plan, kind, billed) in [
        (Plan { lost: 1.0, ..Plan::default() }, Kind::Lost, 1),
        (Plan { cut: 1.0, ..Plan::default() }, Kind::Cut, 1),
        (Plan { slow: 1.0, delay: silence, ..Plan::default() }, Kind::Slow, 1),
        (Plan { silent: 1.0, silence, ..Plan::default() }, Kind::Silent, 0),
    ] {
        let before = stub.ledger().bill();
        let proxy = Faults::before(&stub.url(), 1, plan);
        let lost = fault(&open(&aws(&proxy.url()), &quick())).await;
        assert_eq!(lost.kind(), FaultKind::TimedOut, "{kind:?}: {lost}");
        assert_eq!(proxy.counts(), BTreeMap::from([(kind, 1)]), "asked once");
        assert_eq!(stub.ledger().bill(), before + billed, "{kind:?}");
    }
}

#[tokio::test]
async fn who_is_not_trusted_is_told_at_once_for_all_and_no_secret_with_it() {
    let stub = Stub::start(Options::default());
    let denied: Script = Arc::new(|_| Answer::Error(400, "AccessDeniedException"));
    let denying = Stub::start(Options { script: denied, ..Options::default() });
    for aws in [
        aws_as(&stub.url(), "AKIAIOSFODNN7EXAMPLE", SECRET_KEY),
        aws_as(&stub.url(), ACCESS_KEY, "not-the-secret"),
        aws(&denying.url()),
    ] {
        let refused = fault(&open(&aws, &quick())).await;
        assert_eq!(refused.kind(), FaultKind::Refused, "{refused}");
        assert!(refused.is_for_all());
        let told = format!("{refused} {} {refused:?}", refused.reason());
        for secret in [ACCESS_KEY, SECRET_KEY, "AKIAIOSFODNN7EXAMPLE", "not-the-secret"] {
            assert!(!told.contains(secret), "{told}");
        }
    }
    assert_eq!((stub.ledger().calls.len(), denying.ledger().calls.len()), (2, 1));
}

#[tokio::test]
async fn what_the_service_says_of_one_picture_ends_that_picture_alone() {
    for (code, kind) in [
        ("InvalidImageFormatException", FaultKind::Unsupported),
        ("InvalidParameterException", FaultKind::Unsupported),
        ("ImageTooLargeException", FaultKind::TooLarge),
    ] {
        let script: Script = Arc::new(move |_| Answer::Error(400, code));
        let stub = Stub::start(Options { script, ..Options::default() });
        let rejected = fault(&open(&aws(&stub.url()), &quick())).await;
        assert_eq!((rejected.kind(), rejected.is_for_all()), (kind, false));
        assert!(rejected.reason().contains(code), "{rejected}");
        assert_eq!(stub.ledger().calls.len(), 1);
    }
}

#[tokio::test]
async fn the_pace_comes_near_the_quota_with_few_throttlings() {
    // Sixteen lanes that did not adapt would be throttled nearly always; a busy machine adds its own.
    let found = tokio::join!(settled(10.0), settled(40.0));
    for (per_second, (answered, throttled)) in [(10.0, found.0), (40.0, found.1)] {
        assert!(
            answered > 0.5 * per_second && throttled < 0.2,
            "quota {per_second}/s: {answered:.1}/s, {:.1} % throttled",
            throttled * 100.0
        );
    }
}

/// Asks in 16 lanes under a quota; once the pace has had time to find it: answers a second, and the
/// share of calls that were throttled.
async fn settled(per_second: f64) -> (f64, f64) {
    let quota = Some(Quota { burst: 5.0, ..Quota::of(per_second) });
    let stub = Stub::start(Options { quota, ..Options::default() });
    let settings = RekognitionSettings { patience_seconds: 60.0, ..RekognitionSettings::default() };
    let labeller = open(&aws(&stub.url()), &settings);
    let began = Instant::now();
    let (settling, lasting) = (Duration::from_secs(10), Duration::from_secs(16));
    let lanes: Vec<_> = (0..16)
        .map(|lane| {
            let labeller = labeller.clone();
            tokio::spawn(async move {
                while began.elapsed() < lasting {
                    labeller.label(&shown(80, 80, lane)).await.unwrap();
                }
            })
        })
        .collect();
    tokio::time::sleep_until((began + settling).into()).await;
    let before = stub.ledger();
    for lane in lanes {
        lane.await.unwrap();
    }
    let after = stub.ledger();
    let seconds = (began.elapsed() - settling).as_secs_f64();
    let calls = (after.calls.len() - before.calls.len()) as f64;
    let answers = (after.bill() - before.bill()) as f64;
    (answers / seconds, (calls - answers) / calls)
}
