//! People and models: decisions outlive every run, and a run is taken back to the last label.
//!
//! Pictures are labelled in-process by scripted labellers; then the ledger is looked at, or
//! the real binary is run in the same home.

#![allow(clippy::unwrap_used, reason = "a test may end where it fails")]

use std::path::Path;
use std::sync::Arc;

use glassplate_pipeline::asset::{AssetId, Tenant};
use glassplate_pipeline::catalogue::{Catalogue as _, Entry};
use glassplate_pipeline::decision::{Decision, Ruling};
use glassplate_pipeline::fault::FaultKind;
use glassplate_pipeline::label::{Label, LabelKind, Synset};
use glassplate_pipeline::opinion::Verdict;
use glassplate_pipeline::ports::Verbatim;
use glassplate_pipeline::raster::Raster;
use glassplate_pipeline::record::{LabelState, Parts, Record, RecordLabel, fold};
use glassplate_pipeline::run::{Outcome, Run, RunId, RunState};
use glassplate_tests::archivist::Archivist;
use glassplate_tests::pictures::{jpeg, with_comment};
use glassplate_tests::scripted::{Scripted, catalogue, claim, ingested, relabelled, watched};
use serde_json::{Value, json};

const BOAT: &str = "n02858304";
const CHIHUAHUA: &str = "n02085620";
const CUP: &str = "n03147509";

/// Knows boats, is not sure about a cup in wide pictures, and hardly of a harbor.
fn old_claims(picture: &Raster) -> Vec<Label> {
    let cup = if picture.width() > 80 { 0.45 } else { 0.05 };
    vec![
        claim("boat", BOAT, LabelKind::Object, 0.8),
        claim("cup", CUP, LabelKind::Object, cup),
        claim("harbor", "", LabelKind::Scene, 0.01),
    ]
}

/// Sees a dog everywhere, and no boat in small pictures.
fn new_claims(picture: &Raster) -> Vec<Label> {
    let dog = claim("chihuahua", CHIHUAHUA, LabelKind::Object, 0.9);
    let boat = claim("boat", BOAT, LabelKind::Object, 0.95);
    if picture.width() > 80 { vec![dog, boat] } else { vec![dog] }
}

fn old() -> Arc<Scripted> {
    Scripted::new("seer", "1", old_claims)
}

fn new() -> Arc<Scripted> {
    Scripted::new("seer", "2", new_claims)
}

/// A wide and a small picture, labelled by the old model; the wide one's id first.
async fn archive() -> (Archivist, [AssetId; 2]) {
    let archivist = Archivist::new();
    let wide = archivist.put("wide.jpg", &jpeg(96, 72, 1));
    let small = archivist.put("small.jpg", &jpeg(64, 48, 2));
    let done = ingested(archivist.home(), &old(), &[&wide, &small]).await;
    let id = |name: &str| {
        let item = done.items.iter().find(|item| item.source.ends_with(name)).unwrap();
        item.asset.clone().unwrap()
    };
    let ids = [id("wide.jpg"), id("small.jpg")];
    (archivist, ids)
}

async fn all_parts(home: &Path) -> Vec<Parts> {
    let (catalogue, tenant) = (catalogue(home), Tenant::default());
    let assets = catalogue.assets(&tenant, None, None, 1000).await.unwrap();
    catalogue.parts_of_many(&tenant, &assets).await.unwrap()
}

async fn records(home: &Path) -> Vec<Record> {
    all_parts(home).await.iter().map(|parts| fold(parts, &Verbatim)).collect()
}

async fn record(home: &Path, asset: &AssetId) -> Record {
    records(home).await.into_iter().find(|record| record.asset == *asset).unwrap()
}

fn label<'a>(record: &'a Record, name: &str) -> Option<&'a RecordLabel> {
    record.labels.iter().find(|label| label.name == name)
}

async fn stand(home: &Path, run: &RunId, change: fn(Run) -> Run) {
    let (catalogue, tenant) = (catalogue(home), Tenant::default());
    let run = catalogue.run(&tenant, run).await.unwrap().unwrap();
    catalogue.append(&tenant, vec![Entry::Run(change(run))]).await.unwrap();
}

async fn decide(home: &Path, asset: &AssetId, label: &str, synset: &str, ruling: Ruling) {
    let decision = Decision {
        asset: asset.clone(),
        label: label.to_owned(),
        kind: LabelKind::Object,
        wordnet: Synset::parse(synset),
        parents: vec!["craft".to_owned()],
        ruling,
        who: "ada".to_owned(),
        at: jiff::Timestamp::UNIX_EPOCH,
    };
    let entries = vec![Entry::Decision(decision)];
    catalogue(home).append(&Tenant::default(), entries).await.unwrap();
}

#[tokio::test]
async fn a_run_on_trial_counts_nowhere_promoted_it_counts_and_undone_leaves_no_trace() {
    let (archivist, [_, small]) = archive().await;
    let home = archivist.home();
    let (before, new) = (records(home).await, new());
    let done = relabelled(home, &new, 2, usize::MAX).await;
    assert_eq!((done.left, done.balance.enriched, new.asked()), (0, 2, 2));
    assert_eq!(records(home).await, before, "on trial");
    let run = catalogue(home).run(&Tenant::default(), &done.run).await.unwrap().unwrap();
    assert_eq!((run.state(), run.balance), (RunState::OnTrial, done.balance));
    assert!(run.finished.is_some());

    stand(home, &done.run, Run::promoted).await;
    let promoted = records(home).await;
    assert_eq!(label(&record(home, &small).await, "chihuahua").unwrap().confidence, 0.9);
    assert!(label(&record(home, &small).await, "boat").is_none());

    stand(home, &done.run, Run::undone).await;
    assert_eq!(records(home).await, before, "undone");
    let of_run = |parts: &Parts| parts.opinions.iter().filter(|o| o.run == done.run).count();
    assert!(all_parts(home).await.iter().all(|parts| of_run(parts) == 1), "nothing is forgotten");
    stand(home, &done.run, Run::promoted).await;
    assert_eq!(records(home).await, promoted, "promoted again");
}

#[tokio::test]
async fn a_run_promoted_while_it_goes_on_stays_promoted_at_its_end() {
    let (archivist, _) = archive().await;
    let home = archivist.home();
    let mut promote = |run: &RunId| {
        std::thread::scope(|scope| {
            let promote = || {
                tokio::runtime::Runtime::new().unwrap().block_on(stand(home, run, Run::promoted))
            };
            scope.spawn(promote).join().unwrap();
        });
    };
    let done = watched(home, &new(), 1, usize::MAX, &mut promote).await;
    let run = catalogue(home).run(&Tenant::default(), &done.run).await.unwrap().unwrap();
    assert_eq!((run.state(), run.balance), (RunState::Finished, done.balance));
    let dogs = records(home).await.iter().filter(|r| label(r, "chihuahua").is_some()).count();
    assert_eq!(dogs, 2, "those before and those after it was promoted");
}

#[tokio::test]
async fn decisions_outlive_relabel_promote_and_undo() {
    let (archivist, [wide, small]) = archive().await;
    let home = archivist.home();
    decide(home, &small, "chihuahua", CHIHUAHUA, Ruling::Reject).await;
    decide(home, &wide, "cup", CUP, Ruling::Approve).await;
    decide(home, &small, "boat", BOAT, Ruling::Add).await;
    let decisions = async || -> Vec<_> {
        all_parts(home).await.into_iter().flat_map(|parts| parts.decisions).collect()
    };
    let made = decisions().await;
    let done = relabelled(home, &new(), 1, usize::MAX).await;
    stand(home, &done.run, Run::promoted).await;

    let of_small = record(home, &small).await;
    let dog = label(&of_small, "chihuahua").unwrap();
    assert_eq!(dog.state, LabelState::Rejected, "no model gets a refused label back");
    assert_eq!(dog.ruled.as_ref().unwrap().who, "ada");
    let boat = label(&of_small, "boat").unwrap();
    assert_eq!(boat.state, LabelState::Added, "no model claims it any more");
    assert_eq!(boat.parents, ["craft"]);
    let of_wide = record(home, &wide).await;
    assert_eq!(label(&of_wide, "cup").unwrap().state, LabelState::Added);
    // A ruling on what only the new run claims outlives that run.
    decide(home, &wide, "chihuahua", CHIHUAHUA, Ruling::Approve).await;
    stand(home, &done.run, Run::undone).await;
    let of_wide = record(home, &wide).await;
    assert_eq!(label(&of_wide, "chihuahua").unwrap().state, LabelState::Added);
    assert_eq!(label(&of_wide, "cup").unwrap().state, LabelState::Approved);
    assert_eq!(label(&record(home, &small).await, "boat").unwrap().state, LabelState::Approved);
    assert_eq!(decisions().await.len(), made.len() + 1);
}

#[tokio::test]
async fn a_known_answer_is_taken_over_a_family_is_asked_once_and_what_has_no_pixels_is_told() {
    let archivist = Archivist::new();
    let picture = jpeg(96, 72, 1);
    let a = archivist.put("a.jpg", &picture);
    let b = archivist.put("b.jpg", &with_comment(&picture, "the same"));
    let broken = archivist.put("c.jpg", b"this was a photograph once");
    let home = archivist.home();
    ingested(home, &old(), &[&a, &b, &broken]).await;
    let new = new();
    let done = relabelled(home, &new, 3, usize::MAX).await;
    assert_eq!(new.asked(), 1);
    let counts = [Outcome::Enriched, Outcome::Unchanged, Outcome::Rejected];
    assert_eq!(counts.map(|outcome| done.balance.of(outcome)), [1, 1, 1]);
    let refused = done.items.iter().find(|item| item.outcome == Outcome::Rejected).unwrap();
    assert_eq!(refused.fault, Some(FaultKind::Unsupported));
    assert!(refused.reason.as_ref().unwrap().contains("not a picture"), "{refused:?}");
    let said = |parts: Parts| parts.opinions.into_iter().find(|o| o.run == done.run).unwrap();
    let opinions: Vec<_> = all_parts(home).await.into_iter().map(said).collect();
    assert_eq!(opinions.iter().filter(|o| o.reused.is_some()).count(), 1);
    let idle = opinions.iter().filter(|o| matches!(o.verdict, Verdict::NotRun { .. }));
    assert_eq!(idle.count(), 1);

    let again = relabelled(home, &new, 1, usize::MAX).await;
    assert_eq!((again.balance.unchanged, new.asked()), (2, 1), "nothing is paid twice");
}

#[tokio::test]
async fn an_ingest_leaves_old_answers_alone_and_a_relabel_adds_their_embeddings_once() {
    let (archivist, _) = archive().await;
    let home = archivist.home();
    let placing = |space: &str| Scripted::placing("seer", "1", old_claims, space);
    let files = ["wide.jpg", "small.jpg"].map(|name| archivist.pictures().join(name));
    let again = placing("seer/1");
    ingested(home, &again, &files.each_ref().map(|file| file.as_path())).await;
    assert_eq!(again.asked(), 0, "what is complete is not even opened");
    let new = placing("seer/1");
    let done = relabelled(home, &new, 1, usize::MAX).await;
    assert_eq!((done.balance.enriched, new.asked()), (2, 2));
    let repeated = relabelled(home, &new, 1, usize::MAX).await;
    assert_eq!((repeated.balance.unchanged, new.asked()), (2, 2), "the last answer is known");
    assert!(records(home).await.iter().all(|record| record.embedding.is_none()), "on trial");
    stand(home, &done.run, Run::promoted).await;
    let space = |record: Record| record.embedding.map(|it| it.space.to_string());
    let spaces: Vec<_> = records(home).await.into_iter().map(space).collect();
    assert_eq!(spaces, [Some("seer/1".to_owned()), Some("seer/1".to_owned())]);
    let moved = placing("seer/2");
    relabelled(home, &moved, 1, usize::MAX).await;
    assert_eq!(moved.asked(), 2, "in another space it lies elsewhere");
}

#[tokio::test]
async fn a_relabel_stopped_between_pictures_is_unfinished_and_repeating_goes_on() {
    let archivist = Archivist::new();
    let files: Vec<_> =
        (1..=6).map(|n| archivist.put(&format!("{n}.jpg"), &jpeg(64, 48, n))).collect();
    let files: Vec<&Path> = files.iter().map(|file| file.as_path()).collect();
    let home = archivist.home();
    ingested(home, &old(), &files).await;
    let new = new();
    let stopped = relabelled(home, &new, 1, 2).await;
    assert_eq!((stopped.left, stopped.balance.total(), new.asked()), (4, 2, 2));
    let run = catalogue(home).run(&Tenant::default(), &stopped.run).await.unwrap().unwrap();
    assert!(run.finished.is_none());
    let whole = relabelled(home, &new, 1, usize::MAX).await;
    assert_eq!((whole.left, whole.balance.enriched, whole.balance.unchanged), (0, 4, 2));
    assert_eq!(new.asked(), 6);
}

#[tokio::test]
async fn a_lost_rendition_fails_one_picture_and_is_asked_again() {
    let (archivist, [wide, _]) = archive().await;
    let home = archivist.home();
    let file = record(home, &wide).await.renditions[0].path.clone();
    let file = home.join("store").join(file);
    let kept = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let new = new();
    let done = relabelled(home, &new, 1, usize::MAX).await;
    assert_eq!((done.balance.enriched, done.balance.failed), (1, 1));
    let failed = done.items.iter().find(|item| item.outcome == Outcome::Failed).unwrap();
    assert!(failed.reason.as_ref().unwrap().contains("lost"), "{failed:?}");
    std::fs::write(&file, kept).unwrap();
    let done = relabelled(home, &new, 1, usize::MAX).await;
    assert_eq!((done.balance.enriched, done.balance.unchanged), (1, 1));
}

#[tokio::test]
async fn compare_promote_and_undo_say_what_changes_and_search_follows() {
    let (archivist, [wide, small]) = archive().await;
    let done = relabelled(archivist.home(), &new(), 1, usize::MAX).await;
    let run = done.run.as_str();
    archivist.run(&["runs"]).exits(0).prints(&format!("{run}  on trial  plates  2 in = 2"));
    archivist.run(&["search", "dog"]).exits(0).says("nothing found");

    // Alone: with it beside without it. Two gain a dog; the small one loses its boat, the wide
    // one its cup.
    let told = archivist.run(&["compare", run, "--json"]).exits(0).json();
    assert_eq!((&told["assets"], &told["differing"]), (&json!(2), &json!(2)));
    assert_eq!(told["totals"]["object"], json!({"gained": 2, "lost": 2, "changed": 0}));
    assert_eq!(told["gained"][0]["name"], "chihuahua");
    assert_eq!(told["gained"][0]["count"], 2);
    let lost = told["lost"].as_array().unwrap().iter().filter(|lost| lost["kind"] == "object");
    let lost: Vec<_> = lost.map(|lost| &lost["examples"]).collect();
    assert_eq!(lost, [&json!([small.as_str()]), &json!([wide.as_str()])]);
    let first = archivist.run(&["runs", "--json"]).exits(0).json()["runs"][1]["id"].clone();
    let ingest = first.as_str().unwrap();
    let back = archivist.run(&["compare", run, ingest, "--json"]).exits(0).json();
    assert_eq!(back["totals"]["object"]["lost"], 2, "the other way round");
    archivist
        .run(&["compare", ingest, run])
        .exits(0)
        .prints("objects  2 gained, 2 lost, 0 changed")
        .prints("2  chihuahua (object)")
        .says("glassplate promote");
    archivist.run(&["compare", run, run]).exits(2).says("itself");
    archivist.run(&["compare", "20200101T000000Z-00000000"]).exits(1).says("there is no run");

    archivist.run(&["promote", run]).exits(0).prints("counts now: 2 assets");
    archivist.run(&["search", "dog"]).exits(0).says("2 found").prints("chihuahua 0.62");
    archivist.run(&["promote", run]).exits(0).prints("nothing changed");
    archivist.run(&["runs"]).exits(0).prints(&format!("{run}  finished"));

    let undone = archivist.run(&["undo", run, "--json"]).exits(0).json();
    assert_eq!(undone, json!({"run": run, "state": "undone", "assets": 2}));
    archivist.run(&["search", "dog"]).exits(0).says("nothing found");
    archivist
        .run(&["undo", run])
        .exits(0)
        .prints("was undone already: nothing changed")
        .prints("what people decided stay");
    archivist.run(&["runs"]).exits(0).prints(&format!("{run}  undone"));
    for word in ["undo", "promote"] {
        archivist.run(&[word, "20200101T000000Z-00000000"]).exits(1).says("there is no run");
    }
}

#[tokio::test]
async fn a_decision_is_kept_with_who_and_when_and_found() {
    let (archivist, [wide, small]) = archive().await;
    let (wide, small) = (wide.as_str(), small.as_str());
    archivist
        .run(&["approve", wide, "boat", "--by", "Ada Lang"])
        .exits(0)
        .prints("approved: boat (object), by Ada Lang");
    archivist.run(&["search", "boat"]).exits(0).prints("object approved");
    archivist.run(&["show", wide]).exits(0).prints("approved by Ada Lang, 20");
    let said = archivist.run(&["reject", small, "boat", "--by", "Ada", "--json"]).exits(0).json();
    assert_eq!((&said["by"], &said["decisions"][0]["ruling"]), (&json!("Ada"), &json!("reject")));
    archivist.run(&["show", small]).exits(0).prints("hidden: --min-confidence 0");
    archivist.run(&["show", small, "--min-confidence", "0"]).prints("rejected by Ada, 20");
    archivist.run(&["search", "vessel"]).exits(0).says("1 found");

    // Added by synonym, several at once, found by a broader term that comes from the vocabulary.
    archivist
        .run(&["add", small, "auto", "baseball", "--kind", "concept", "--by", "Ada"])
        .exits(0)
        .prints("added: auto (concept)")
        .prints("added: baseball (concept)");
    archivist
        .run(&["add", small, "automobile", "--kind", "object", "--by", "Ada"])
        .exits(0)
        .prints("added: car (object)");
    archivist.run(&["search", "object:\"motor vehicle\""]).exits(0).says("1 found");
    archivist.run(&["search", "concept:sport"]).exits(0).says("1 found");
    let shown = archivist.run(&["show", small, "--json"]).exits(0).json();
    let labels = shown["labels"].as_array().unwrap();
    let car = labels.iter().find(|label| label["name"] == "car").unwrap();
    assert_eq!((&car["state"], &car["ruled"]["who"]), (&json!("added"), &json!("Ada")));
    assert!(car["parents"].as_array().unwrap().contains(&json!("motor vehicle")), "{car}");
    archivist
        .run(&["decisions"])
        .exits(0)
        .prints("UTC  approved: boat (object), by Ada Lang")
        .prints(&format!("{small}  20"));
    let all = archivist.run(&["decisions", "--json", "--collection", "plates"]).exits(0).lines();
    assert_eq!(all.len(), 5);
    archivist.run(&["decisions", "--collection", "other"]).exits(1).says("no collection");
}

#[tokio::test]
async fn a_decision_that_cannot_be_understood_changes_nothing_and_says_what_to_type() {
    let (archivist, [wide, _]) = archive().await;
    let wide = wide.as_str();
    let before = archivist.records();
    let near = archivist.run(&["approve", wide, "bot", "--by", "a"]).exits(2);
    near.says("carries no label \"bot\"; near are boat (object)").says("glassplate add");
    // One of two is wrong: neither is written down.
    archivist.run(&["reject", wide, "boat", "zeppelin", "--by", "a"]).exits(2);
    archivist.run(&["add", wide, "bike", "--by", "a"]).exits(2).says("motorcycle (object)");
    archivist.run(&["add", wide, "glass plate negative", "--by", "a"]).exits(2).says("--kind");
    archivist.run(&["add", wide, "a\u{1b}b", "--kind", "object", "--by", "a"]).exits(2);
    archivist.run(&["add", wide, "boat"]).exits(2).says("--by").says("GLASSPLATE_BY");
    archivist.run(&["add", wide, "boat", "--by", " "]).exits(2).says("no name of a person");
    archivist.run(&["add", "000000000000000000000", "boat", "--by", "a"]).exits(1);
    archivist.run(&["approve", wide]).exits(2).says("LABEL");
    let wrong = archivist.run(&["approve", wide, "bot", "--by", "a", "--json"]).exits(2).json();
    assert_eq!(wrong["error"]["kind"], "bad_input");
    assert_eq!(archivist.records(), before);
    // Who decides comes from the settings, else from the environment.
    let mut command = archivist.command(&["approve", wide, "boat"]);
    command.env("USER", "login").env("GLASSPLATE_BY", "Bo");
    glassplate_tests::archivist::collect(command).exits(0).prints("by Bo");
    std::fs::write(archivist.home().join("config.toml"), "[people]\nname = \"Cy\"\n").unwrap();
    archivist.run(&["approve", wide, "boat"]).exits(0).prints("by Cy");
}

#[tokio::test]
async fn a_review_lists_what_is_uncertain_and_never_what_is_settled() {
    let (archivist, [wide, _]) = archive().await;
    archivist
        .run(&["review", "--collection", "plates"])
        .exits(0)
        .prints(&format!("{wide}  wide.jpg"))
        .prints("cup (object)")
        .prints("uncertain, near the bar of 0.45")
        .prints(&format!("glassplate approve {wide} cup --kind object"));
    let asked = |words: &[&str]| -> Vec<Value> {
        let all = [&["review", "--json"], words].concat();
        archivist.run(&all).exits(0).json()["questions"].as_array().unwrap().clone()
    };
    let questions = asked(&[]);
    let about_cup =
        |q: &Value| (&q["label"], &q["asset"]) == (&json!("cup"), &json!(wide.as_str()));
    assert!(questions.iter().any(about_cup));
    assert!(questions.iter().all(|question| question["next"][1].is_string()));
    assert_eq!(asked(&["--limit", "1"]).len(), 1);
    assert!(asked(&["--kind", "concept"]).iter().all(|q| q["kind"] == "concept"));
    archivist.run(&["reject", wide.as_str(), "cup", "--by", "Ada"]).exits(0);
    let left = asked(&[]);
    assert!(!left.iter().any(about_cup));
    archivist.run(&["review", "--collection", "other"]).exits(1).says("no collection");
    archivist.run(&["review", "--kind", "colour"]).exits(2);
}

#[tokio::test]
async fn labels_are_shown_above_the_bar_and_all_of_them_on_request() {
    let (archivist, [wide, small]) = archive().await;
    let names = |words: &[&str], asset: &AssetId| -> Vec<String> {
        let all = [&["export", "--format", "jsonl"], words].concat();
        let lines = archivist.run(&all).exits(0).lines();
        let record = lines.into_iter().find(|r| r["asset"] == asset.as_str()).unwrap();
        let labels = record["labels"].as_array().unwrap().iter();
        let objects = labels.filter(|label| label["kind"] == "object");
        objects.map(|label| label["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&[], &wide), ["boat", "cup"]);
    assert_eq!(names(&[], &small), ["boat"]);
    assert_eq!(names(&["--min-confidence", "0"], &small), ["boat", "cup"]);
    assert_eq!(names(&["--min-confidence", "0.5"], &wide), ["boat"]);
    let shown = archivist.run(&["show", small.as_str()]).exits(0);
    assert!(!shown.stdout.contains(" cup  ("), "{shown:?}");
    shown.prints("boat").prints("weaker, doubtful or rejected labels are hidden");
    let whole = archivist.run(&["show", small.as_str(), "--min-confidence", "0"]);
    whole.prints("cup").prints("scenes\n").prints("harbor").prints("concepts\n").prints("from ");
    archivist.run(&["show", small.as_str(), "--min-confidence", "2"]).exits(2).says("from 0 to 1");
    let csv = archivist.run(&["export", "--format", "csv"]).exits(0);
    csv.prints("objects,reason,scenes,concepts").prints("boat:0.");
    let hits = archivist.run(&["search", "boat", "--json"]).exits(0).json();
    for hit in hits["hits"].as_array().unwrap() {
        let mut objects =
            hit["labels"].as_array().unwrap().iter().filter(|l| l["kind"] == "object");
        assert!(objects.all(|l| l["confidence"].as_f64().unwrap() >= 0.4), "{hit}");
    }
    // The settings move the bar.
    let config = archivist.home().join("config.toml");
    std::fs::write(&config, "[labels]\nobjects = 0.5\n").unwrap();
    assert_eq!(names(&[], &wide), ["boat"]);
    std::fs::write(&config, "[labels]\nobjects = 1.5\n").unwrap();
    archivist.run(&["runs"]).exits(2).says("config.toml").says("labels.objects");
}

#[test]
fn a_relabel_names_what_it_cannot_do() {
    let archivist = Archivist::new();
    archivist.put("a.jpg", &jpeg(64, 48, 1));
    let words = ["relabel", "--collection", "c", "--model", "nonsense"];
    archivist.run(&words).exits(1).says("nothing was ingested");
    archivist.ingest("c").exits(0);
    archivist.run(&words).exits(1).says("no model is named \"nonsense\"");
    archivist.run(&["relabel", "--collection", "c"]).exits(2).says("--model");
    archivist.run(&["relabel", "--model", "yolox-nano"]).exits(2).says("--collection");
}

#[tokio::test]
async fn calibrate_learns_from_enough_decisions_and_forgets_on_request() {
    let archivist = Archivist::new();
    let pictures: Vec<_> =
        (0..24).map(|n| archivist.put(&format!("{n}.jpg"), &jpeg(96, 72, n))).collect();
    let paths: Vec<&Path> = pictures.iter().map(|path| path.as_path()).collect();
    ingested(archivist.home(), &old(), &paths).await;
    let assets: Vec<_> = records(archivist.home()).await.into_iter().map(|r| r.asset).collect();
    let sure = |asset: &AssetId| {
        let shown = archivist.run(&["show", asset.as_str(), "--json", "--min-confidence", "0"]);
        let record = shown.exits(0).json();
        let labels = record["labels"].as_array().unwrap().clone();
        labels.iter().find(|label| label["name"] == "boat").unwrap()["confidence"].as_f64().unwrap()
    };
    let last = assets.last().unwrap();
    let before = sure(last);
    archivist.run(&["reject", assets[0].as_str(), "boat", "--by", "Ada"]).exits(0);
    archivist.run(&["calibrate"]).exits(0).prints("objects: 1 ruled on").says("too few rulings");
    assert_eq!(sure(last), before);

    for asset in &assets[1..23] {
        archivist.run(&["reject", asset.as_str(), "boat", "--by", "Ada"]).exits(0);
    }
    let told = archivist.run(&["calibrate", "--dry-run", "--json"]).exits(0).json();
    assert_eq!((&told["rulings"], &told["written"]), (&json!(23), &json!(false)));
    assert_eq!(sure(last), before, "a rehearsal changes nothing");
    archivist.run(&["search", "object:boat"]).exits(0).says("1 found");
    archivist.run(&["calibrate"]).exits(0).prints("objects: log-odds x");
    assert!(sure(last) < before / 2.0, "{} {before}", sure(last));
    archivist.run(&["search", "object:boat"]).exits(0).says("below the bar");
    // Learning again from the same decisions is the same: it starts from what was fitted.
    let learned = sure(last);
    archivist.run(&["calibrate"]).exits(0);
    assert_eq!(sure(last), learned);
    archivist.run(&["calibrate", "--reset"]).exits(0);
    assert_eq!(sure(last), before);
    std::fs::write(archivist.home().join("calibration.toml"), "[objects]\nslope = -1\n").unwrap();
    archivist.run(&["show", last.as_str()]).exits(2).says("calibration.toml");
}
