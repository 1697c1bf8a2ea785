//! What is found, in which order, and why.

use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::decision::Ruling;
use glassplate_pipeline::fault::FaultKind;
use proptest::prelude::*;

use super::{Archive, Picture, add};
use crate::Ask;

fn picture(seed: u8) -> Picture {
    Picture { seed, source: "/scans/x.jpg", ..Picture::default() }
}

#[tokio::test]
async fn broader_terms_and_synonyms_find_a_label() {
    let archive = Archive::of(&[
        Picture { labels: &[("loggerhead", 0.93)], ..picture(1) },
        Picture { labels: &[("chihuahua", 0.8)], ..picture(2) },
        Picture { labels: &[("car", 0.7)], ..picture(3) },
        Picture { labels: &[("hot dog", 0.9)], ..picture(4) },
    ])
    .await;
    assert_eq!(archive.found("turtles"), [1]);
    assert_eq!(archive.found("dog"), [2]);
    assert_eq!(archive.found("automobile"), [3]);
    assert_eq!(archive.found("animal"), [1, 2], "the surer and nearer first");
    assert_eq!(archive.found("sea turtle"), [1], "two words are one name");
    assert_eq!(archive.found("object:\"motor vehicle\""), [3]);
    assert!(archive.found("entity").is_empty() && archive.found("scene:car").is_empty());
    let why: Vec<String> =
        archive.search("turtle").hits[0].why.iter().map(ToString::to_string).collect();
    assert_eq!(why, ["turtle: via loggerhead, object 0.93, efficientnet-lite0"]);
    let why = archive.search("automobile").hits[0].why[0].to_string();
    assert_eq!(why, "automobile: synonym of car, object 0.70, efficientnet-lite0");
}

#[tokio::test]
async fn what_people_wrote_ranks_above_rulings_above_machines_above_file_names() {
    let archive = Archive::of(&[
        Picture { source: "/scans/boat_1.jpg", ..picture(1) },
        Picture { labels: &[("boat", 0.5)], ..picture(2) },
        Picture { labels: &[("boat", 1.0)], ..picture(3) },
        Picture { embedded: &[("caption", "Fishing boats in the harbour")], ..picture(5) },
        Picture { beside: &[("title", "The boat")], ..picture(6) },
    ])
    .await;
    let ruled = archive.add(&picture(4)).await;
    archive.rule(&ruled, "boat", Ruling::Add).await;
    archive.catch_up().await;
    assert_eq!(archive.found("boat"), [6, 5, 4, 3, 2, 1]);
    let hit = &archive.search("harbour").hits[0];
    assert_eq!(hit.why[0].to_string(), "harbour: in caption (iptc:Caption-Abstract)");
    assert_eq!(hit.title, "Fishing boats in the harbour");
    let why: Vec<String> =
        archive.search("boat").hits.iter().map(|hit| hit.why[0].to_string()).collect();
    assert_eq!(why[2], "boat: object added by ada");
    assert_eq!(why[5], "boat: in file /scans/boat_1.jpg");
}

#[tokio::test]
async fn rejected_labels_and_doubtful_ones_are_not_found() {
    let archive = Archive::of(&[
        Picture { labels: &[("boat", 0.95)], ..picture(1) },
        Picture { labels: &[("boat", 0.1)], ..picture(2) },
    ])
    .await;
    assert_eq!(archive.found("boat"), [1]);
    assert_eq!(archive.found("boat confidence>=0.05"), [1, 2], "everything is indexed");
    assert_eq!(archive.found("boat confidence>=0.95"), [1]);
    assert!(archive.found("boat confidence>=0.96").is_empty());
    let asset = archive.search("boat").hits[0].asset.clone();
    archive.rule(&asset, "boat", Ruling::Reject).await;
    archive.catch_up().await;
    assert_eq!(archive.found("boat confidence>=0"), [2]);
    archive.rule(&asset, "boat", Ruling::Approve).await;
    archive.catch_up().await;
    assert_eq!(archive.found("boat confidence>=0.99"), [1], "a ruling needs no confidence");
}

#[tokio::test]
async fn words_phrases_fields_dates_and_negations_narrow() {
    let archive = Archive::of(&[
        Picture {
            source: "/fsa/LC-USF33-001234.jpg",
            collection: "loc fsa",
            beside: &[
                ("title", "Rear of apartment houses, Milwaukee"),
                ("creator", "Carl Mydans"),
                ("date_taken", "April 1936"),
                ("city", "Zürich"),
            ],
            ..picture(1)
        },
        Picture {
            source: "/prokudin/GreenHarbour.tif",
            beside: &[("caption", "Carl and the old mill"), ("date_taken", "1909..1911")],
            embedded: &[("make", "Canon")],
            labels: &[("boat", 0.9)],
            ..picture(2)
        },
    ])
    .await;
    for (query, found) in [
        ("creator:mydans", &[1][..]),
        ("carl", &[1, 2]),
        ("carl -creator:mydans", &[2]),
        ("-\"old mill\"", &[1]),
        ("\"old mill\"", &[2]),
        ("\"mill old\"", &[]),
        ("house zurich", &[1]),
        ("city:ZURICH", &[1]),
        ("title:\"rear of apartment\"", &[1]),
        ("date:1936", &[1]),
        ("date:1936-04", &[1]),
        ("date:1936-05", &[]),
        ("date:1930..1939", &[1]),
        ("date:..1910", &[2]),
        ("LC-USF33-001234", &[1]),
        ("file:001234", &[1]),
        ("harbour", &[2]),
        ("collection:fsa", &[1]),
        ("make:canon", &[2]),
        ("format:jpg", &[1, 2]),
        ("object:boat", &[2]),
        ("boat carl", &[2]),
        ("boat zurich", &[]),
    ] {
        let mut seeds = archive.found(query);
        seeds.sort_unstable();
        assert_eq!(seeds, found, "{query}");
    }
    let asset = archive.search("creator:mydans").hits[0].asset.to_string();
    assert_eq!(archive.found(&format!("asset:{asset}")), [1]);
    for query in ["format:jpg", "date:1936", &format!("asset:{asset}")] {
        let hit = &archive.search(query).hits[0];
        assert_eq!(hit.why.len(), 1, "{query} explains itself");
    }
    assert_eq!(archive.found(&asset), [1]);
}

#[tokio::test]
async fn an_empty_query_lists_everything_newest_first_in_pages() {
    let archive = Archive::of(&[picture(3), picture(9), picture(5)]).await;
    assert_eq!(archive.found(""), [9, 5, 3]);
    let page =
        archive.index.search(&Tenant::default(), &Ask::words("", usize::MAX)).expect("a page");
    assert_eq!(page.hits.len(), 3);
}

#[tokio::test]
async fn equals_are_ordered_by_asset_id() {
    let pictures: Vec<Picture> =
        (1..30).map(|seed| Picture { labels: &[("boat", 0.5)], ..picture(seed) }).collect();
    let archive = Archive::of(&pictures).await;
    let answer =
        archive.index.search(&Tenant::default(), &Ask::words("boat", 100)).expect("an answer");
    assert!(answer.hits.windows(2).all(|pair| pair[0].asset < pair[1].asset));
}

#[tokio::test]
async fn a_tenant_never_sees_anothers_records() {
    let archive = Archive::of(&[Picture { labels: &[("boat", 0.9)], ..picture(1) }]).await;
    let other: Tenant = "other".parse().expect("a good name");
    let theirs = Picture { labels: &[("boat", 0.9)], beside: &[("title", "secret")], ..picture(2) };
    let secret = add(&archive.catalogue, &other, &theirs).await;
    archive.catch_up().await;
    for query in ["", "secret", "-nothing", "title:secret", "format:jpeg"] {
        let answer = archive.search(query);
        assert!(answer.hits.iter().all(|hit| hit.asset != secret), "{query}");
    }
    assert_eq!(archive.search("boat").total, 1);
    assert_eq!(archive.search(&format!("asset:{secret}")).total, 0);
    let mine = archive.search("boat").hits[0].score;
    let theirs = archive.index.search(&other, &Ask::words("boat", 10)).expect("an answer");
    assert_eq!((theirs.total, theirs.hits[0].score), (1, mine));
}

#[tokio::test]
async fn a_wrong_query_is_bad_input() {
    let archive = Archive::new();
    let fault =
        archive.index.search(&Tenant::default(), &Ask::words("a foo:b", 1)).expect_err("unknown");
    assert_eq!(fault.kind(), FaultKind::BadInput);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_query_breaks_the_search(query in "(-?(boat|\"|title:|date:|19..|label:|..|confidence>=|\\PC)[ .0-9]{0,2}){0,8}") {
        // One archive for all cases: the queries change nothing.
        static ARCHIVE: std::sync::OnceLock<Archive> = std::sync::OnceLock::new();
        let archive = ARCHIVE.get_or_init(|| {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(Archive::of(&[Picture { labels: &[("boat", 0.9)], ..picture(1) }]))
        });
        if let Err(fault) = archive.index.search(&Tenant::default(), &Ask::words(&query, 10)) {
            prop_assert_eq!(fault.kind(), FaultKind::BadInput);
        }
    }
}
