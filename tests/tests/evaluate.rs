//! `glassplate evaluate` as a user meets it; what its figures mean is tested beside their code.

#![allow(clippy::unwrap_used, reason = "a test may end where it fails")]

use glassplate_tests::archivist::Archivist;
use glassplate_tests::pictures::png;
use serde_json::{Value, json};

#[test]
fn evaluate_refuses_what_it_cannot_measure_before_it_fetches_anything() {
    let archivist = Archivist::new();
    let labels = archivist.put("labels.csv", b"picture,objects\na.jpg,dog\n");
    let (folder, labels) = (archivist.pictures(), labels.display().to_string());
    let folder = folder.display().to_string();
    archivist.run(&["evaluate", &folder]).exits(2).says("--labels");
    let said = archivist.run(&["evaluate", &folder, "--labels", &labels]).exits(2);
    assert!(said.stdout.is_empty(), "{said:?}");
    said.says("labels.csv").says("no column `file`");
    let said = archivist.run(&["evaluate", &folder, "--labels", "none.csv", "--json"]).exits(1);
    assert_eq!(said.json()["error"]["kind"], "not_found");
    archivist.run(&["evaluate", "--help"]).exits(0).prints("file,objects,scenes,concepts,setting");
}

#[test]
#[ignore = "needs pulled models: make test"]
fn evaluate_measures_a_folder_and_lists_what_cannot_be_read() {
    let archivist = Archivist::new();
    archivist.put("grain.png", &png(96, 72, 1));
    archivist.put("broken.jpg", b"this was a photograph once");
    let table = "file,objects,scenes\ngrain.png,-,harbor\nbroken.jpg,dog,\nlost.jpg,cat,\n";
    let labels = archivist.put("labels.csv", table.as_bytes()).display().to_string();
    let models = std::env::var("GLASSPLATE_TEST_MODELS")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../target/models").to_owned());
    std::fs::create_dir_all(archivist.desk().join("cache")).unwrap();
    std::os::unix::fs::symlink(models, archivist.desk().join("cache/models")).unwrap();
    let folder = archivist.pictures().display().to_string();
    let mut words = vec!["evaluate", &folder, "--labels", &labels];
    words.extend(["--models", "efficientnet-lite0", "--plot", "plot.svg"]);
    words.extend(["--per-class", "classes.csv", "--predictions", "said.jsonl"]);
    archivist.run(&words).exits(3).prints("objects ").prints("seconds_per_picture");
    let written = |name: &str| std::fs::read_to_string(archivist.desk().join(name)).unwrap();
    assert!(written("plot.svg").starts_with("<svg") && written("classes.csv").starts_with("kind,"));
    let said: Value = serde_json::from_str(written("said.jsonl").trim_end()).unwrap();
    assert_eq!((&said["file"], &said["truth"]["objects"]), (&json!("grain.png"), &json!([])));
    assert!(said["labels"].is_array() && said["labels_grey"].is_array());
    words.push("--json");
    let said = archivist.run(&words).exits(3).says("not measured: lost.jpg").json();
    assert_eq!((&said["pictures"], &said["models"]), (&json!(1), &json!(["efficientnet-lite0"])));
    assert_eq!(said["not_measured"].as_array().unwrap().len(), 2);
    assert!(said["seconds_per_picture"].as_f64().unwrap() > 0.0);
    assert_eq!(said["objects"]["n"], 1);
    assert_eq!(said["scenes"]["top1"], 0.0);
}
