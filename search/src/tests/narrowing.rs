//! How hits are narrowed, counted, paged and gone on from.

use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::decision::Ruling;
use glassplate_pipeline::fault::FaultKind;
use glassplate_pipeline::label::LabelKind;

use super::{Archive, Picture, add, seed_of};
use crate::{Answer, Ask, Cursor, Facet, Sort};

fn picture(seed: u8) -> Picture {
    Picture { seed, source: "/scans/x.jpg", ..Picture::default() }
}

/// Eight pictures of two collections, some with words, some with labels.
async fn archive() -> Archive {
    Archive::of(&[
        Picture { labels: &[("loggerhead", 0.9)], collection: "reef", ..picture(1) },
        Picture { labels: &[("loggerhead", 0.8), ("boat", 0.7)], collection: "reef", ..picture(2) },
        Picture { labels: &[("boat", 0.6)], ..picture(3) },
        Picture { labels: &[("boat", 0.2)], ..picture(4) },
        Picture {
            beside: &[("title", "Turtles of the Galápagos"), ("date_taken", "1936")],
            ..picture(5)
        },
        Picture { beside: &[("caption", "A tureen"), ("date_taken", "1929..1931")], ..picture(6) },
        Picture { labels: &[("chihuahua", 0.9)], ..picture(7) },
        Picture { labels: &[("hot dog", 0.9)], ..picture(8) },
    ])
    .await
}

fn ask(archive: &Archive, ask: &Ask) -> Answer {
    archive.index.search(&Tenant::default(), ask).expect("an answer")
}

fn seeds(answer: &Answer) -> Vec<u8> {
    answer.hits.iter().map(|hit| seed_of(&hit.asset)).collect()
}

fn sorted(archive: &Archive, query: &str) -> Vec<u8> {
    let mut found = archive.found(query);
    found.sort_unstable();
    found
}

#[tokio::test]
async fn alternatives_groups_and_beginnings_find_what_they_say() {
    let archive = archive().await;
    for (query, found) in [
        ("chihuahua OR boat", &[2, 3, 7][..]),
        ("(turtle OR chihuahua) -boat", &[1, 5, 7]),
        ("turtle AND boat", &[2]),
        ("-(turtle OR boat OR dog)", &[4, 6, 8]),
        ("turtle OR -date:1936", &[1, 2, 3, 4, 5, 6, 7, 8]),
        ("tur*", &[1, 2, 5, 6]),
        ("title:gala*", &[5]),
        ("boat confidence>=0.1", &[2, 3, 4]),
        ("boat confidence>=0.65", &[2]),
        ("is:portrait boat", &[2, 3]),
        ("has:title", &[5]),
        ("has:date -has:title", &[6]),
        ("has:labels", &[1, 2, 3, 7, 8]),
        ("source:machine collection:reef", &[1, 2]),
        ("source:efficientnet-lite0 dog", &[7]),
        ("state:proposed tur*", &[1, 2, 5, 6]),
        ("is:monochrome", &[]),
    ] {
        assert_eq!(sorted(&archive, query), found, "{query}");
    }
    let why = archive.search("is:portrait tur*").hits[0].why.clone();
    let why: Vec<String> = why.iter().map(ToString::to_string).collect();
    assert_eq!(why, ["is:portrait", "tur*: in title (csv:catalogue.csv)"]);
}

#[tokio::test]
async fn what_was_measured_can_be_compared() {
    let archive = Archive::of(&[
        Picture { noise: Some(4.0), ..picture(1) },
        Picture { noise: Some(12.5), labels: &[("boat", 0.9)], ..picture(2) },
        picture(3),
    ])
    .await;
    for (query, found) in [
        ("noise>=4", &[1, 2][..]),
        ("noise>4", &[2]),
        ("noise<=12.5", &[1, 2]),
        ("noise<4", &[]),
        ("boat noise>=10", &[2]),
        ("-noise>=10", &[1, 3]),
        ("noise>=10 OR edge<4", &[2]),
        ("edge>=4", &[1, 2, 3]),
        ("contrast<0.9 is:monochrome", &[1, 2]),
        ("blur>=0", &[]),
    ] {
        assert_eq!(sorted(&archive, query), found, "{query}");
    }
    let why = archive.search("boat noise>=10").hits[0].why.clone();
    assert!(why.iter().any(|why| why.to_string().contains("noise>=10")), "{why:?}");
    let wrong = archive.index.search(&Tenant::default(), &Ask::words("boat noise=>1", 5));
    let fault = wrong.expect_err("no comparison");
    assert!(fault.reason().contains("at character 6") && fault.reason().contains("noise>=10"));
}

#[tokio::test]
async fn what_people_ruled_can_be_asked_for() {
    let archive = archive().await;
    let boat = archive.search("boat -turtle").hits[0].asset.clone();
    archive.rule(&boat, "boat", Ruling::Approve).await;
    let dog = archive.search("chihuahua").hits[0].asset.clone();
    archive.rule(&dog, "chihuahua", Ruling::Reject).await;
    archive.catch_up().await;
    assert_eq!(archive.found("state:approved"), [3]);
    assert_eq!(archive.found("state:rejected"), [7]);
    assert_eq!(archive.found("source:human"), [3]);
    assert_eq!(sorted(&archive, "is:reviewed"), [3, 7]);
}

#[tokio::test]
async fn a_word_that_nobody_has_is_taken_for_one_near_it_and_that_is_said() {
    let archive = archive().await;
    let answer = archive.search("turtel");
    assert_eq!(answer.total, 3);
    let corrections: Vec<_> =
        answer.corrections.iter().map(|c| (c.typed.as_str(), c.taken.as_str())).collect();
    assert_eq!(corrections, [("turtel", "turtle")]);
    assert_eq!(archive.search("sea trutle").corrections.len(), 1, "then the name is known");
    assert_eq!(archive.search("sea trutle").total, 2);
    for query in ["zzzzzz", "\"turtel\"", "title:turtel", "bot", "turtle -chihuahau"] {
        assert!(archive.search(query).corrections.is_empty(), "{query}");
    }
}

#[tokio::test]
async fn where_nothing_sure_is_found_the_unsure_is_told_as_such() {
    let archive =
        Archive::of(&[Picture { labels: &[("boat", 0.2), ("car", 0.05)], ..picture(1) }]).await;
    let answer = archive.search("boat");
    assert_eq!((answer.total, answer.notes.len()), (1, 1), "{:?}", answer.notes);
    assert_eq!(answer.hits[0].why.len(), 1, "it explains itself all the same");
    assert_eq!(archive.search("object:boat").total, 1);
    for query in ["car", "boat confidence>=0.3", "-boat date:1936"] {
        let answer = archive.search(query);
        assert!(answer.total == 0 && answer.notes.is_empty(), "{query}");
    }
}

#[tokio::test]
async fn a_word_that_is_being_typed_may_go_on() {
    let archive = archive().await;
    let typing = |query: &str| {
        let mut found = seeds(&ask(&archive, &Ask { typing: true, ..Ask::words(query, 20) }));
        found.sort_unstable();
        found
    };
    assert_eq!(typing("tur"), [1, 2, 5, 6]);
    assert_eq!(typing("turtles"), [1, 2, 5], "the word itself counts although it is a plural");
    assert_eq!(typing("reef lo"), [1, 2]);
    assert!(typing("tur ").is_empty());
}

#[tokio::test]
async fn facets_count_exactly_what_narrowing_finds() {
    let archive = archive().await;
    for query in ["", "turtle", "boat OR dog", "-turtle"] {
        let answer = ask(&archive, &Ask { facets: Facet::ALL.to_vec(), ..Ask::words(query, 20) });
        assert_eq!(answer.facets.len(), Facet::ALL.len());
        for counts in &answer.facets {
            for counted in &counts.values {
                let within = vec![(counts.facet, counted.value.clone())];
                let found = ask(&archive, &Ask { within, ..Ask::words(query, 20) });
                assert_eq!(
                    found.total, counted.count,
                    "{query} {} {}",
                    counts.facet, counted.value
                );
            }
        }
    }
    let answer = ask(&archive, &Ask { facets: vec![Facet::Object], values: 1, ..Ask::default() });
    let boats = &answer.facets[0].values;
    assert_eq!((boats.len(), boats[0].value.as_str(), boats[0].count), (1, "boat", 2));
    let decades = ask(&archive, &Ask { facets: vec![Facet::Decade], ..Ask::default() });
    let decades: Vec<_> =
        decades.facets[0].values.iter().map(|c| (c.value.as_str(), c.count)).collect();
    assert_eq!(decades, [("1930s", 2), ("1920s", 1)]);
}

#[tokio::test]
async fn counts_and_totals_forget_what_was_replaced() {
    let archive = archive().await;
    let boat = archive.search("boat").hits[0].asset.clone();
    archive.rule(&boat, "boat", Ruling::Reject).await;
    archive.catch_up().await;
    let answer = ask(&archive, &Ask { facets: vec![Facet::Object], ..Ask::default() });
    let boats = answer.facets[0].values.iter().find(|c| c.value == "boat").map(|c| c.count);
    assert_eq!((answer.total, boats), (8, Some(1)));
    let holdings = archive.index.holdings(&Tenant::default()).expect("holdings");
    assert_eq!((holdings.pictures, holdings.bytes), (8, 8));
}

#[tokio::test]
async fn pages_go_on_where_they_ended_while_pictures_are_added() {
    for sort in [Sort::Relevance, Sort::Added, Sort::Newest, Sort::Oldest] {
        for query in ["", "boat"] {
            let archive = Archive::new();
            for seed in 0..24 {
                archive.add(&Picture { labels: &[("boat", 0.9)], ..picture(seed) }).await;
            }
            archive.catch_up().await;
            let page = |after| Ask { sort, after, ..Ask::words(query, 7) };
            let whole = ask(&archive, &Ask { limit: 100, ..page(None) });
            let (mut seen, mut next) = (Vec::new(), None::<Cursor>);
            for turn in 24.. {
                let answer = ask(&archive, &page(next.take()));
                seen.extend(seeds(&answer));
                next = answer.next;
                if next.is_none() {
                    break;
                }
                archive.add(&Picture { labels: &[("boat", 0.9)], ..picture(turn) }).await;
                archive.catch_up().await;
            }
            let old: Vec<u8> = seen.iter().copied().filter(|seed| *seed < 24).collect();
            assert_eq!(old, seeds(&whole), "{sort:?} {query:?}: each once, in order");
        }
    }
}

#[tokio::test]
async fn a_cursor_of_another_search_is_refused() {
    let archive = archive().await;
    let next = ask(&archive, &Ask::words("boat", 1)).next.expect("more");
    for (query, after) in [("turtle", next), ("boat", Cursor::given("x"))] {
        let ask = Ask { after: Some(after), ..Ask::words(query, 1) };
        let fault = archive.index.search(&Tenant::default(), &ask).expect_err("refused");
        assert_eq!(fault.kind(), FaultKind::BadInput);
    }
}

#[tokio::test]
async fn hits_are_sorted_by_the_date_of_taking() {
    let archive = archive().await;
    let first = |sort| seeds(&ask(&archive, &Ask { sort, ..Ask::words("", 2) }));
    assert_eq!(first(Sort::Newest), [5, 6]);
    assert_eq!(first(Sort::Oldest), [6, 5]);
    assert_eq!(first(Sort::Added), [8, 7]);
}

#[tokio::test]
async fn suggestions_are_of_labels_collections_and_words() {
    let archive = archive().await;
    let suggest = |typed: &str| {
        let found = archive.index.suggest(&Tenant::default(), typed, 8).expect("suggestions");
        found.into_iter().map(|s| (s.text, s.of, s.count)).collect::<Vec<_>>()
    };
    let own = |text: &str, of, count| (text.to_owned(), of, count);
    assert_eq!(suggest("logg"), [own("loggerhead", "object", 2)]);
    assert_eq!(suggest("hot d"), [own("hot dog", "object", 1)]);
    assert_eq!(suggest("ree")[0], own("collection:\"reef\"", "collection", 2));
    assert!(suggest("tur").contains(&own("tureen", "word", 1)));
    assert!(suggest("blue tur").contains(&own("blue tureen", "word", 1)));
    assert_eq!(suggest("title:ga"), [own("title:galapago", "word", 1)]);
    assert!(suggest("").is_empty() && suggest("\"hot d").is_empty());
}

#[tokio::test]
async fn what_is_in_use_is_listed_with_counts() {
    let archive = archive().await;
    let tenant = Tenant::default();
    let labels = |prefix, after| {
        let found = archive.index.labels(&tenant, None, prefix, after, 2).expect("labels");
        found.into_iter().map(|l| (l.name, l.count)).collect::<Vec<_>>()
    };
    assert_eq!(labels("", None), [("boat".to_owned(), 2), ("chihuahua".to_owned(), 1)]);
    let rest = labels("", Some((LabelKind::Object, "chihuahua")));
    assert_eq!(rest, [("hot dog".to_owned(), 1), ("loggerhead".to_owned(), 2)]);
    assert_eq!(labels("lo", None), [("loggerhead".to_owned(), 2)]);
    let collections = archive.index.collections(&tenant).expect("collections");
    let collections: Vec<_> = collections.iter().map(|c| (c.value.as_str(), c.count)).collect();
    assert_eq!(collections, [("c", 6), ("reef", 2)]);
}

#[tokio::test]
async fn nothing_of_another_tenant_is_counted_suggested_or_taken_for_a_word() {
    let archive = archive().await;
    let other: Tenant = "other".parse().expect("a good name");
    let theirs = Picture {
        labels: &[("baseball bat", 0.9)],
        collection: "hidden",
        beside: &[("title", "xylophones")],
        ..picture(99)
    };
    add(&archive.catalogue, &other, &theirs).await;
    archive.catch_up().await;
    let everything = Ask { facets: Facet::ALL.to_vec(), values: 100, ..Ask::default() };
    let told = format!("{:?}", ask(&archive, &everything));
    assert!(!told.contains("baseball") && !told.contains("hidden"), "{told}");
    for typed in ["base", "hid", "xylo", "title:x"] {
        let own = archive.index.suggest(&Tenant::default(), typed, 9).expect("suggestions");
        assert!(own.is_empty(), "{typed}: {own:?}");
        assert!(!archive.index.suggest(&other, typed, 9).expect("suggestions").is_empty());
    }
    let answer = archive.search("xylofones");
    assert!(answer.total == 0 && answer.corrections.is_empty());
    assert_eq!(archive.index.search(&other, &Ask::words("xylofones", 1)).expect("one").total, 1);
    assert_eq!(archive.index.holdings(&other).expect("holdings").pictures, 1);
    assert!(archive.found("xylo*").is_empty());
}

#[tokio::test]
async fn words_found_in_texts_are_shown_where_they_stand() {
    let archive = archive().await;
    let hit = &archive.search("galapagos turtle").hits[0];
    let [piece] = &hit.highlights[..] else { panic!("one piece: {:?}", hit.highlights) };
    let marked: Vec<&str> = piece.found.iter().map(|&(a, b)| &piece.text[a..b]).collect();
    assert_eq!((piece.field.as_str(), marked), ("title", vec!["Turtles", "Galápagos"]));
    assert_eq!((hit.width, hit.height), (None, None), "there is no rendition to show");
}

#[tokio::test]
async fn what_looks_alike_is_found_among_ones_own_pictures() {
    let archive = Archive::of(&[
        Picture { looks: Some((100, 0)), ..picture(1) },
        Picture { looks: Some((100, 20)), ..picture(2) },
        Picture { looks: Some((0, 100)), ..picture(3) },
        Picture { looks: Some((100, 60)), ..picture(4) },
        picture(5),
    ])
    .await;
    let other: Tenant = "other".parse().expect("a good name");
    let theirs = Picture { looks: Some((100, 0)), ..picture(6) };
    let secret = add(&archive.catalogue, &other, &theirs).await;
    archive.catch_up().await;
    let like = |seed| {
        let asset = super::asset_of(seed, &Tenant::default());
        let hits = archive.index.like(&Tenant::default(), &asset, 3).expect("an answer");
        hits.map(|hits| hits.iter().map(|hit| seed_of(&hit.asset)).collect::<Vec<_>>())
    };
    assert_eq!(like(1), Some(vec![2, 4, 3]));
    assert_eq!(like(3), Some(vec![4, 2, 1]));
    assert_eq!(like(5), Some(vec![]), "no network saw it");
    assert_eq!(like(9), None);
    let foreign = archive.index.like(&Tenant::default(), &secret, 3).expect("an answer");
    assert_eq!(foreign, None);
    assert_eq!(archive.index.like(&other, &secret, 3).expect("an answer"), Some(vec![]));
}
