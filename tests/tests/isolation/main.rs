//! Tenants are apart: no key ever gets a byte, a count or a suggestion of another's archive, and
//! what another has reads as what nobody has, at the same cost.

mod archive;
mod counting;
mod routes;

use archive::{Archive, Holder};
use axum::http::StatusCode;
use routes::{Case, cases, not_asked};

/// A thing of each sort that nobody has, of the same form and length as `theirs`.
fn unknown(theirs: &Holder, sort: &str) -> String {
    match sort {
        // An id of bytes that no archive holds.
        "asset" => "hzphkqw1wzcbkvz9rz568".to_owned(),
        "run" => "20200101T000000Z-00000000".to_owned(),
        "key" => "ffffffffffffffff".to_owned(),
        "collection" => "xylophones".to_owned(),
        "word" => "krzwtqpf".to_owned(),
        "label" => "abacus".to_owned(),
        _ => panic!("{sort} of {theirs:?} is not asked for"),
    }
}

async fn two() -> (Archive, Holder, Holder) {
    let archive = Archive::new();
    let ours = archive.open("ours", 1, "landscapes", "meadowlark", "boat").await;
    let theirs = archive.open("theirs", 100, "zanzibarsea", "qwertfish", "harmonica").await;
    (archive, ours, theirs)
}

async fn ask(archive: &Archive, case: &Case, thing: &str, who: Option<&Holder>) -> archive::Answer {
    let (path, body) = (case.path(thing), case.body(thing));
    let secret = who.map(|who| who.secret.as_str());
    archive.send(&case.method(), &path, secret, body.as_ref()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_asked() {
    let not_asked = not_asked(&Archive::new()).await;
    assert!(not_asked.is_empty(), "write cases for {not_asked:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_tenant_has_reads_as_what_nobody_has() {
    let (archive, ours, theirs) = two().await;
    for case in cases() {
        let Some(sort) = case.thing else { continue };
        let (foreign, unknown) = (theirs.thing(sort), unknown(&theirs, sort));
        let of_foreign = ask(&archive, &case, foreign, Some(&ours)).await;
        let of_unknown = ask(&archive, &case, &unknown, Some(&ours)).await;
        assert_eq!(
            of_foreign.with(foreign, "THING"),
            of_unknown.with(&unknown, "THING"),
            "{case:?}"
        );
        // What a request does not itself say is in no answer to it.
        for (_, thing) in theirs.things.iter().filter(|(_, thing)| thing != foreign) {
            let told = of_foreign.text();
            assert!(!told.contains(thing.as_str()), "{case:?} tells {thing}: {told}");
        }
        if case.tells_its_holder {
            let held = ask(&archive, &case, foreign, Some(&theirs)).await;
            assert_eq!(held.status, StatusCode::OK, "{case:?}: {}", held.text());
            let differs = held.with(foreign, "THING") != of_unknown.with(&unknown, "THING");
            assert!(differs, "{case:?} does not tell its holder anything, so it proves nothing");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_changes_because_another_tenant_came() {
    let archive = Archive::new();
    let ours = archive.open("ours", 1, "landscapes", "meadowlark", "boat").await;
    // Asking is itself written down, so whatever shows deeds changes.
    let shows_deeds = |case: &Case| ["/v1/audit", "/keys"].contains(&case.route.1);
    let asked = |case: &Case| case.method() == "GET" && !shows_deeds(case);
    let mut before = Vec::new();
    for case in cases().into_iter().filter(asked) {
        let own = case.thing.map_or("", |sort| ours.thing(sort));
        before.push((ask(&archive, &case, own, Some(&ours)).await, case));
    }
    let theirs = archive.open("theirs", 100, "zanzibarsea", "qwertfish", "harmonica").await;
    for (answer, case) in before {
        let own = case.thing.map_or("", |sort| ours.thing(sort));
        let after = ask(&archive, &case, own, Some(&ours)).await;
        assert_eq!(after.text(), answer.text(), "{case:?}");
        for (_, thing) in &theirs.things {
            assert!(!after.text().contains(thing.as_str()), "{case:?} tells {thing}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_tell_of_their_own_tenant_only() {
    let (archive, ours, theirs) = two().await;
    for case in cases().iter().filter(|case| case.thing.is_none()) {
        let told = ask(&archive, case, "", Some(&ours)).await.text();
        for (_, thing) in &theirs.things {
            assert!(!told.contains(thing.as_str()), "{case:?} tells {thing}: {told}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_nothing_is_told() {
    let (archive, _, theirs) = two().await;
    for case in cases() {
        let thing = case.thing.map_or("", |sort| theirs.thing(sort));
        let told = ask(&archive, &case, thing, None).await;
        let text = told.text();
        for (_, other) in theirs.things.iter().filter(|(_, other)| other != thing) {
            assert!(!text.contains(other.as_str()), "{case:?} tells {other}: {text}");
        }
        if case.tells_its_holder && case.route.1.starts_with("/v1") {
            assert_eq!(told.status, StatusCode::UNAUTHORIZED, "{case:?}: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_thing_costs_what_an_unknown_one_costs() {
    let (archive, ours, theirs) = two().await;
    for case in cases() {
        let Some(sort) = case.thing else { continue };
        let calls = async |thing: &str| {
            archive.counter.take();
            ask(&archive, &case, thing, Some(&ours)).await;
            archive.counter.take()
        };
        let (foreign, unknown) = (theirs.thing(sort), unknown(&theirs, sort));
        // A first question may fill what is remembered of the caller's own archive.
        calls(&unknown).await;
        calls(foreign).await;
        let of_unknown = calls(&unknown).await;
        assert_eq!(calls(foreign).await, of_unknown, "{case:?}");
    }
}
