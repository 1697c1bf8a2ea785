//! Answers last while nothing that meets their query comes, goes or changes.

use glassplate_pipeline::asset::{AssetId, Tenant};
use glassplate_pipeline::decision::Ruling;

use super::{Archive, Picture};
use crate::ask::{Facet, Sort};
use crate::{Answer, Ask};

fn labelled(seed: u8, labels: &'static [(&'static str, f32)]) -> Picture {
    Picture { seed, source: "/x.jpg", labels, ..Picture::default() }
}

fn lasts(archive: &Archive, query: &str, epoch: u64) -> bool {
    archive.index.lasts(&Tenant::default(), &Ask::words(query, 20), epoch).expect(query)
}

#[tokio::test]
async fn an_answer_lasts_until_a_picture_that_meets_it_comes() {
    let archive =
        Archive::of(&[labelled(1, &[("turtle", 0.9)]), labelled(2, &[("boat", 0.9)])]).await;
    let before = archive.index.epoch().expect("an epoch");
    assert!(lasts(&archive, "boat", before), "nothing changed");
    archive.add(&labelled(3, &[("boat", 0.8)])).await;
    archive.catch_up().await;
    let after = archive.index.epoch().expect("an epoch");
    assert!(after > before);
    for query in ["turtle", "turtle -boat", "object:turtle", "\"x boat\""] {
        assert!(lasts(&archive, query, before), "{query}");
    }
    for query in ["boat", "boa*", "-turtle", "", "turtle OR boat", "boat -turtle"] {
        assert!(!lasts(&archive, query, before), "{query}");
        assert!(lasts(&archive, query, after), "{query}");
    }
    assert!(!lasts(&archive, "turtle", 7), "of a commit that nobody remembers");
}

#[tokio::test]
async fn an_answer_lasts_until_a_picture_that_met_it_changes() {
    let archive =
        Archive::of(&[labelled(1, &[("turtle", 0.9)]), labelled(2, &[("boat", 0.9)])]).await;
    let turtle = archive.add(&labelled(3, &[("turtle", 0.9)])).await;
    archive.catch_up().await;
    let before = archive.index.epoch().expect("an epoch");
    archive.rule(&turtle, "turtle", Ruling::Reject).await;
    archive.catch_up().await;
    assert!(!lasts(&archive, "turtle", before));
    assert_eq!(archive.found("turtle"), [1]);
    assert!(lasts(&archive, "boat", before));
}

#[tokio::test]
async fn after_a_rebuild_no_answer_lasts() {
    let archive = Archive::of(&[labelled(1, &[("turtle", 0.9)])]).await;
    let before = archive.index.epoch().expect("an epoch");
    archive.index.rebuild(&*archive.catalogue).await.expect("rebuilt");
    assert!(!lasts(&archive, "turtle", before));
    assert!(!lasts(&archive, "dog", before));
}

#[tokio::test]
async fn an_answer_lasts_when_segments_are_merged() {
    let archive = Archive::of(&[labelled(1, &[("turtle", 0.9)])]).await;
    archive.index.epoch().expect("an epoch");
    let mut lasted = 0;
    for seed in 2..22 {
        let before = archive.index.epoch().expect("an epoch");
        archive.add(&labelled(seed, &[("boat", 0.9)])).await;
        archive.catch_up().await;
        lasted += u32::from(lasts(&archive, "turtle", before));
        assert!(!lasts(&archive, "boat", before), "{seed}");
    }
    // Where merging ends while a commit is read, it cannot be told.
    assert!(lasted > 12, "{lasted} of 20");
}

/// What is asked in every way.
fn asks() -> Vec<Ask> {
    let words = [
        "turtle",
        "animal",
        "boat",
        "dog",
        "dgo",
        "toy",
        "sea turtle",
        "boat dog",
        "boat -dog",
        "-boat",
        "\"blue boat\"",
        "title:harbour",
        "confidence>=0.5 dog",
        "noise>=5",
        "bo*",
        "",
        "nothing",
        "date:1930..1939 boat",
        "is:monochrome",
    ];
    let facets = Facet::ALL.to_vec();
    let ask = |words: &str| Ask { facets: facets.clone(), ..Ask::words(words, 20) };
    let sorted = |sort| Ask { sort, ..ask("boat") };
    let mut asks: Vec<Ask> = words.into_iter().map(ask).collect();
    asks.extend([Sort::Added, Sort::Newest, Sort::Oldest].map(sorted));
    asks.push(Ask { within: vec![(Facet::Object, "dog".to_owned())], ..ask("") });
    asks
}

/// Numbers that look random, always the same.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

#[tokio::test]
async fn an_answer_that_lasts_is_the_one_that_a_new_search_gives() {
    const LABELS: [&[(&str, f32)]; 8] = [
        &[("turtle", 0.9)],
        &[("loggerhead", 0.6)],
        &[("boat", 0.9), ("dog", 0.3)],
        &[("boat", 0.2)],
        &[("toy dog", 0.7)],
        &[("chihuahua", 0.15)],
        &[("hot dog", 0.8)],
        &[],
    ];
    const TEXTS: [&[(&str, &str)]; 4] =
        [&[], &[("title", "A blue boat")], &[("title", "Harbour")], &[("date", "1935")]];
    let (archive, tenant, asks) = (Archive::new(), Tenant::default(), asks());
    let mut dice = Dice(1);
    let mut assets: Vec<AssetId> = Vec::new();
    let mut told: Vec<(usize, u64, Answer)> = Vec::new();
    let (mut lasted, mut changed) = (0, 0);
    for seed in 0..60_u8 {
        if assets.is_empty() || dice.roll(3) > 0 {
            let picture = Picture {
                beside: TEXTS[dice.roll(TEXTS.len())],
                noise: (dice.roll(2) == 0).then_some(9.0),
                ..labelled(seed, LABELS[dice.roll(LABELS.len())])
            };
            assets.push(archive.add(&picture).await);
        } else {
            let asset = &assets[dice.roll(assets.len())];
            let label = ["boat", "dog", "turtle"][dice.roll(3)];
            let ruling = [Ruling::Reject, Ruling::Approve, Ruling::Add][dice.roll(3)];
            archive.rule(asset, label, ruling).await;
        }
        archive.catch_up().await;
        let now = archive.index.epoch().expect("an epoch");
        let search = |ask: &Ask| archive.index.search(&tenant, ask).expect("an answer");
        for (ask, epoch, answer) in &told {
            let sure = answer.total > 0 && answer.notes.is_empty();
            if sure && archive.index.lasts(&tenant, &asks[*ask], *epoch).expect("told") {
                assert_eq!(
                    search(&asks[*ask]),
                    *answer,
                    "{:?} since {epoch}, now {now}",
                    asks[*ask]
                );
                lasted += 1;
            } else {
                changed += 1;
            }
        }
        told.extend(asks.iter().enumerate().map(|(at, ask)| (at, now, search(ask))));
        // What was told long ago is forgotten anyway.
        let old = told.len().saturating_sub(20 * asks.len());
        told.drain(..old);
    }
    assert!(lasted > 500 && changed > 500, "{lasted} lasted, {changed} changed");
}
