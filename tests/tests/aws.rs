//! The real binary on S3, DynamoDB and Rekognition: the same promises, the same records, the bill.

#![allow(clippy::unwrap_used, reason = "a test may end where it fails")]
#![allow(clippy::print_stdout, reason = "a failure is told before it ends the test")]

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::{Duration, Instant};

use glassplate_harness::faults::{Kind, Plan};
use glassplate_tests::archivist::{Archivist, Said};
use glassplate_tests::cloud::Cloud;
use glassplate_tests::ledger_view::{comparable, records};
use glassplate_tests::pictures::{jpeg, png, with_comment};
use glassplate_tests::server::Server;
use serde_json::Value;

/// Everything labelled by the service.
const SERVICE: &str =
    "[labelling]\npolicy = \"rekognition\"\n[rekognition]\ncalls_per_second = 1000.0\n";

fn fill(archivist: &Archivist) {
    for seed in 0..12 {
        let picture = jpeg(160 + seed as usize, 120, seed);
        archivist.put(&format!("{}/harbour {seed}.jpg", seed % 3), &picture);
        match seed % 4 {
            0 => drop(archivist.put(&format!("copies/{seed}.jpg"), &picture)),
            1 => drop(archivist.put(&format!("captions/{seed}.jpg"), &with_comment(&picture, "x"))),
            2 => drop(archivist.put(&format!("cut/{seed}.jpg"), &picture[..picture.len() / 3])),
            _ => drop(archivist.put(&format!("broken/caf\u{e9} {seed}.jpg"), &picture[100..200])),
        }
    }
    archivist.put("cafe\u{301} 🐢.png", &png(200, 150, 99));
    archivist.put("notes.txt", b"not a picture");
}

fn ingest(archivist: &Archivist, more: &[&str]) -> Said {
    let pictures = archivist.pictures().display().to_string();
    let words = ["ingest", &pictures, "--collection", "plates", "--json"];
    archivist.run(&[&words[..], more].concat())
}

/// Records without what lies elsewhere by intention.
fn unplaced(archivist: &Archivist) -> Vec<Value> {
    let mut all = records(archivist);
    for record in &mut all {
        for rendition in record["renditions"].as_array_mut().unwrap() {
            rendition["path"] = Value::Null;
        }
        *record = comparable(record, archivist.home());
    }
    all
}

#[test]
fn embedded_and_aws_backends_give_the_same_records() {
    let cloud = Cloud::new();
    let mut here = Archivist::new();
    fill(&here);
    here.set("AWS_ACCESS_KEY_ID", glassplate_harness::s3::ACCESS_KEY);
    here.set("AWS_SECRET_ACCESS_KEY", glassplate_harness::s3::SECRET_KEY);
    here.move_home("here");
    here.configure(&format!("{}{SERVICE}", cloud.endpoints(false)));
    let first = ingest(&here, &["--budget", "1"]).exits(3);
    let embedded = unplaced(&here);
    assert!(embedded.len() > 12, "{} records", embedded.len());
    let found_here = here.run(&["search", "harbour", "--json"]).exits(0).json()["total"].clone();

    here.move_home("there");
    here.set("GLASSPLATE_BY", "the archivist");
    cloud.serve(&mut here, SERVICE);
    let second = ingest(&here, &["--budget", "1"]).exits(3);
    for outcome in ["in", "enriched", "duplicate", "rejected", "failed"] {
        assert_eq!(first.json()[outcome], second.json()[outcome], "{outcome}");
    }
    assert_eq!(unplaced(&here), embedded);
    let found_there = here.run(&["search", "harbour", "--json"]).exits(0);
    assert_eq!(found_there.json()["total"], found_here);
    let labelled =
        embedded.iter().filter(|record| record["labels"].as_array().is_some_and(|l| !l.is_empty()));
    assert!(labelled.count() > 5, "the service's labels are in the records");

    // What a person rules, and what is taken back, holds there as well.
    let id = embedded[0]["asset"].as_str().unwrap();
    here.run(&["add", id, "car", "--kind", "object"]).exits(0);
    here.run(&["search", "label:car", "--json"]).exits(0).prints(id);
    let run = second.json()["run"].as_str().unwrap().to_owned();
    here.run(&["undo", &run]).exits(0);
    let after = here.run(&["show", id, "--json", "--min-confidence", "0"]).exits(0).json();
    let labels = after["labels"].as_array().unwrap();
    assert_eq!(labels[0]["name"], "car", "what a person said stays: {labels:?}");
    assert!(!after["labels"].to_string().contains("rekognition"), "the run's are gone: {labels:?}");
    here.run(&["promote", &run]).exits(0);
    here.run(&["doctor", "--originals"]).exits(0);
    ingest(&here, &["--budget", "1"]).exits(3);
    assert_eq!(
        cloud.rekognition.ledger().billed().values().max(),
        Some(&2),
        "once by each catalogue"
    );
}

#[test]
fn what_is_stored_lies_below_the_tenant_and_no_other_reaches_it() {
    let cloud = Cloud::new();
    let mut archivist = Archivist::new();
    archivist.put("a.jpg", &jpeg(64, 48, 1));
    cloud.serve(&mut archivist, "");
    let pictures = archivist.pictures().display().to_string();
    let mine = ["--tenant", "mine", "ingest", &pictures, "--collection", "c", "--without-labels"];
    archivist.run(&mine).exits(0);
    assert!(cloud.keys().iter().all(|key| key.starts_with("plates/mine/")), "{:?}", cloud.keys());
    let export = archivist.run(&["--tenant", "mine", "export", "--format", "jsonl"]).exits(0);
    let id = export.lines()[0]["asset"].as_str().unwrap().to_owned();
    for other in ["theirs", "min", "mine-2", "default"] {
        archivist.run(&["--tenant", other, "show", &id]).exits(1).says("there is no asset");
        archivist.run(&["--tenant", other, "url", &id]).exits(1).says("there is no asset");
        let found = archivist.run(&["--tenant", other, "search", "a", "--json"]).exits(0);
        assert_eq!(found.json()["total"], 0);
        let all = archivist.run(&["--tenant", other, "export", "--format", "jsonl"]).exits(0);
        assert!(all.lines().is_empty());
    }
    for wrong in ["mine/../mine", "mine#x", "", "mine/"] {
        archivist.run(&["--tenant", wrong, "show", &id]).exits(2);
    }
    // The signed URL is the only way past the credentials.
    let url = archivist.run(&["--tenant", "mine", "url", &id, "--seconds", "60"]).exits(0);
    assert!(url.stdout.contains("X-Amz-Signature=") && !Cloud::betrays(&url.stdout));
    let place =
        archivist.run(&["--tenant", "mine", "url", &id, "--rendition", "256", "--json"]).exits(0);
    assert!(
        place.json()["place"].as_str().unwrap().starts_with("s3://archive/plates/mine/renditions/")
    );
}

#[test]
fn a_wrong_credential_ends_the_run_at_once_and_is_not_told() {
    let cloud = Cloud::new();
    let mut archivist = Archivist::new();
    for seed in 0..200 {
        archivist.put(&format!("{seed}.jpg"), &jpeg(64, 48, seed));
    }
    archivist.move_home("wrong service");
    archivist.set("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE");
    archivist.set("AWS_SECRET_ACCESS_KEY", "never to be seen");
    archivist.configure(&format!("{}{SERVICE}", cloud.endpoints(false)));
    let said = ingest(&archivist, &["--budget", "1"]).exits(1);
    let report = said.json();
    assert!(report["in"].as_u64().unwrap() <= 40, "{report}");
    assert_eq!(report["in"].as_u64().unwrap() + report["left"].as_u64().unwrap(), 200);
    assert_eq!(report["spent"], "0.00");
    let told = format!("{} {}", said.stdout, said.stderr);
    assert!(told.contains("UnrecognizedClientException"), "{told}");
    assert!(!told.contains("never to be seen") && !told.contains("AKIAIOSFODNN7EXAMPLE"), "{told}");
    assert_eq!(cloud.rekognition.ledger().bill(), 0);
}

#[test]
fn money_is_quoted_capped_and_accounted_for() {
    let cloud = Cloud::new();
    let mut archivist = Archivist::new();
    for seed in 0..10 {
        archivist.put(&format!("{seed}.jpg"), &jpeg(200, 150, seed));
    }
    cloud.serve(&mut archivist, SERVICE);
    let pictures = archivist.pictures().display().to_string();
    let sources = [pictures.as_str(), "--collection", "plates"];
    archivist.run(&[&["ingest"], &sources[..]].concat()).exits(2).says("costs money");
    let quote = archivist.run(&[&["quote", "--json"], &sources[..]].concat()).exits(0).json();
    assert_eq!((&quote["calls_at_most"], &quote["dollars_at_most"]), (&10.into(), &"0.01".into()));
    assert_eq!(cloud.rekognition.ledger().bill(), 0, "a quote asks nothing");
    let capped = ingest(&archivist, &["--budget", "0.004"]).exits(0).json();
    assert_eq!((&capped["enriched"], &capped["spent"]), (&10.into(), &"0.004".into()));
    assert_eq!(cloud.rekognition.ledger().bill(), 4);
    let quote = archivist.run(&[&["quote", "--json"], &sources[..]].concat()).exits(0).json();
    assert_eq!(quote["calls_at_most"], 6);
    ingest(&archivist, &["--budget", "5"]).exits(0);
    assert_eq!(cloud.rekognition.ledger().bill(), 10);
    assert_eq!(ingest(&archivist, &["--budget", "5"]).exits(0).json()["unchanged"], 10);
    let spend = archivist.run(&["spend", "--json"]).exits(0).json();
    assert_eq!(spend["account"]["answered"], 10);
    assert_eq!(spend["account"]["spent"], "0.01");
    assert_eq!(spend["collections"]["plates"]["answered"], 10);
    let rehearsal = ingest(&archivist, &["--dry-run"]).exits(0).json();
    assert_eq!(rehearsal["quote"]["calls_at_most"], 0);
}

#[test]
fn pictures_in_buckets_and_manifests_are_taken_in_and_not_read_twice() {
    let cloud = Cloud::faulty(1, &Plan::default());
    let mut archivist = Archivist::new();
    for seed in 0..9 {
        cloud.put("scans", &format!("1936/harbour {seed}.jpg"), &jpeg(96, 80, seed));
    }
    let title = r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title><rdf:Alt><rdf:li xml:lang="x-default">The mole</rdf:li></rdf:Alt></dc:title></rdf:Description></rdf:RDF></x:xmpmeta>"#;
    cloud.put("scans", "1936/harbour 3.jpg.xmp", title.as_bytes());
    cloud.put("scans", "1936/notes.txt", b"not a picture");
    cloud.put("scans", "1937/other.jpg", &jpeg(96, 80, 77));
    cloud.put(
        "lists",
        "list.csv",
        b"url,creator\ns3://scans/1937/other.jpg,Ada\ns3://scans/1937/gone.jpg,\nftp://x,\n",
    );
    cloud.serve(&mut archivist, "");
    let take = |more: &[&str]| {
        let words = ["ingest", "--collection", "plates", "--without-labels", "--json"];
        let before = cloud.faults[0].requests();
        let said = archivist.run(&[&words[..], more].concat()).exits(3);
        (said.json(), cloud.faults[0].requests() - before)
    };
    let (first, cost) = take(&["s3://scans/1936/"]);
    assert_eq!(
        (&first["in"], &first["enriched"], &first["rejected"]),
        (&10.into(), &9.into(), &1.into())
    );
    let (again, less) = take(&["s3://scans/1936/"]);
    assert_eq!((&again["unchanged"], &again["rejected"]), (&9.into(), &1.into()));
    println!("{cost} requests of S3 for 9 new pictures, {less} for the same again");
    assert!(less * 2 < cost, "{less} of {cost} requests");
    let titled = archivist.run(&["search", "\"the mole\"", "--json"]).exits(0).json();
    assert_eq!(titled["total"], 1);
    assert!(titled.to_string().contains("s3://scans/1936/harbour 3.jpg"), "{titled}");

    let (listed, _) = take(&["--manifest", "s3://lists/list.csv"]);
    assert_eq!(
        (&listed["enriched"], &listed["rejected"], &listed["failed"]),
        (&1.into(), &1.into(), &1.into()),
        "{listed}"
    );
    assert!(listed.to_string().contains("s3://lists/list.csv line 4"), "{listed}");
    archivist
        .run(&["search", "creator:ada", "--json"])
        .exits(0)
        .prints("s3://scans/1937/other.jpg");
    archivist
        .run(&["ingest", "s3://no-such-bucket/", "--collection", "c"])
        .exits(1)
        .says("no-such-bucket");
}

#[test]
fn a_tenants_quota_holds_over_two_servers_at_once() {
    const QUOTA: usize = 5;
    let cloud = Cloud::new();
    let (mut here, mut there) = (Archivist::new(), Archivist::new());
    for archivist in [&mut here, &mut there] {
        cloud.serve(archivist, "[serve]\nuploads = 32\n");
    }
    here.run(&["tenant", "create", "museum", "--pictures", &QUOTA.to_string()]).exits(0);
    let create = ["--tenant", "museum", "key", "create", "--role", "archivist", "--name", "Ada"];
    let secret = here.run(&create).exits(0).stdout.trim().to_owned();
    there.run(&["--tenant", "museum", "key", "list"]).exits(0).prints("archivist  Ada");
    there.run(&["tenant", "create", "museum"]).exits(1).says("there is a tenant museum already");

    let servers = [Server::of(&here), Server::of(&there)];
    let upload = |n: usize| {
        let request = format!("POST /v1/assets?collection=plates&filename={n}.jpg");
        servers[n % 2].ask_with_key(&secret, &request, &jpeg(96, 80, n as u64))
    };
    let answers: Vec<(u16, String)> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..12).map(|n| scope.spawn(move || upload(n))).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    let taken = answers.iter().filter(|(status, _)| *status == 201).count();
    assert_eq!(taken, QUOTA, "{answers:?}");
    let mut refused = answers.iter().filter(|(status, _)| *status != 201);
    assert!(refused.all(|(_, body)| body.contains("quota of pictures is 5")), "{answers:?}");
    let shown = there.run(&["tenant", "list", "--json"]).exits(0).json();
    assert_eq!(shown["used"]["pictures"], QUOTA);
    let deeds = here.run(&["--tenant", "museum", "audit", "--json"]).exits(0).lines();
    let done = deeds.iter().filter(|d| d["what"] == "upload" && d["outcome"] == "done").count();
    assert_eq!(done, QUOTA, "{deeds:?}");
    for home in [here.home(), there.home()] {
        assert!(!home.join("registry.sqlite").exists(), "nothing of it is in {}", home.display());
    }
    here.run(&["aws", "check"]).exits(0).prints("table glassplate-registry: sound");
}

#[test]
fn keys_in_the_home_are_not_forgotten_when_the_registry_moves() {
    let cloud = Cloud::new();
    let mut archivist = Archivist::new();
    let create = ["key", "create", "--role", "reader", "--name", "Ada"];
    archivist.run(&create).exits(0);
    cloud.serve(&mut archivist, "");
    let file = archivist.home().join("registry.sqlite");
    for words in [&create[..], &["serve", "--listen", "127.0.0.1:0"]] {
        archivist.run(words).exits(1).says("registry.sqlite has keys").says("move the file away");
    }
    std::fs::rename(&file, file.with_extension("kept")).unwrap();
    archivist.run(&create).exits(0);
    archivist.run(&["key", "list"]).exits(0).prints("reader  Ada");
}

/// How many small pictures go through the faults.
const PICTURES: u64 = 2_000;

#[test]
fn two_thousand_pictures_survive_a_fifth_of_faults_and_a_kill() {
    let plan = Plan::of_each(0.2);
    let cloud = Cloud::faulty(0x0061_7773, &plan);
    let mut archivist = Archivist::new();
    for seed in 0..PICTURES {
        archivist.put(&format!("{}/{seed}.jpg", seed % 20), &jpeg(96, 80, seed));
    }
    let lanes = 32;
    let settings = format!("{SERVICE}patience_seconds = 4.0\n[ingest]\nlanes = {lanes}\n");
    cloud.serve(&mut archivist, &settings);

    // Killed in the middle.
    let pictures = archivist.pictures().display().to_string();
    let words = ["ingest", &pictures, "--collection", "plates", "--json", "--budget", "100"];
    let mut child =
        archivist.command(&words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    while cloud.rekognition.ledger().bill() < PICTURES / 3 {
        assert!(began.elapsed() < Duration::from_secs(200), "it does not get on");
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    let killed = child.wait_with_output().unwrap();

    // The same command finishes it; what faults outlast a run's patience the next one takes up.
    let mut said = vec![String::from_utf8_lossy(&killed.stderr).into_owned()];
    let mut left = u64::MAX;
    for _ in 0..4 {
        let resumed = ingest(&archivist, &["--budget", "100"]);
        let report = resumed.json();
        assert_eq!(report["in"], PICTURES, "{report}");
        assert_eq!(report["rejected"], 0, "{report}");
        left = report["failed"].as_u64().unwrap();
        let failed = report["items"].as_array().unwrap().iter();
        for item in failed.filter(|item| item["outcome"] == "failed") {
            println!("{}: {}", item["source"], item["reason"]);
        }
        said.push(resumed.stderr);
        if left == 0 {
            break;
        }
    }
    assert_eq!(left, 0, "every picture ends enriched");
    assert!(!said.iter().any(|text| Cloud::betrays(text)));

    let all = archivist.records();
    assert_eq!(all.len() as u64, PICTURES);
    let ids: BTreeSet<_> = all.iter().map(|record| record["asset"].as_str().unwrap()).collect();
    assert_eq!(ids.len() as u64, PICTURES, "none twice");
    let done = |record: &&Value| record["steps"]["label:rekognition"]["state"] == "done";
    assert_eq!(all.iter().filter(done).count() as u64, PICTURES);

    println!(
        "{PICTURES} pictures in {:.0} s; {} paid, faults {:?}",
        began.elapsed().as_secs_f64(),
        cloud.rekognition.ledger().bill(),
        cloud.faults.iter().map(|faults| faults.counts()).collect::<Vec<_>>()
    );

    // Each was paid once, but for answers that never arrived and calls in hand when it was killed.
    let ledger = cloud.rekognition.ledger();
    let vain = cloud.faults[2].lost().iter().filter(|lost| lost.status == 200).count() as u64;
    assert!(vain > 0, "answers were lost");
    let bill = ledger.bill();
    assert!(bill >= PICTURES && bill <= PICTURES + vain + lanes, "{bill} paid, {vain} in vain");
    let spend = archivist.run(&["spend", "--json"]).exits(0).json();
    let account = |what: &str| spend["account"][what].as_u64().unwrap();
    assert_eq!(account("answered"), PICTURES);
    assert!(account("answered") + account("lost") + account("reserved") >= bill, "{spend}");
    for faults in &cloud.faults {
        let counts = faults.counts();
        for kind in [Kind::Throttled, Kind::Failed, Kind::Silent, Kind::Cut, Kind::Lost] {
            assert!(counts.get(&kind).is_some_and(|&n| n > 0), "{kind:?} of {counts:?}");
        }
    }
    archivist.run(&["doctor", "--originals"]).exits(0);
}
