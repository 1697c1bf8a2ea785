//! From tables and records to figures, with what is right computed by hand.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use glassplate_pipeline::embedding::{DIMENSIONS, Embedding, Space};
use glassplate_pipeline::fault::{Fault, FaultKind};
use glassplate_pipeline::image::Limits;
use glassplate_pipeline::label::{Label, LabelKind, Synset};
use glassplate_pipeline::ports::{Labeller, Maker, Said, Shown, Verbatim};
use glassplate_pipeline::record::{Bar, Doubt, DoubtKind, Record, RecordLabel};
use glassplate_pipeline::rendition::Recipe;
use serde_json::json;

use super::look::{Examiner, Looked};
use super::plot;
use super::score::score;
use super::truth::{Case, Cases, Truth};
use super::words::{Kind, Setting, Words};
use crate::taxonomy::Objects;

const CHIHUAHUA: &str = "n02085620";
const BAGEL: &str = "n07693725";

fn words() -> Words {
    Words::load(Objects::load())
}

fn claim(kind: LabelKind, name: &str, confidence: f32, synset: Option<&str>) -> Label {
    Label {
        name: name.to_owned(),
        kind,
        confidence,
        wordnet: synset.and_then(Synset::parse),
        parents: Vec::new(),
        instances: Vec::new(),
        evidence: Vec::new(),
    }
}

/// A labeller that says what it was told of red pictures, and something else of grey ones.
struct Scripted {
    maker: Maker,
    of_red: Vec<Label>,
    of_grey: Vec<Label>,
}

fn scripted(of_red: Vec<Label>, of_grey: Vec<Label>) -> Arc<dyn Labeller> {
    let [backend, model, version] = ["test", "scripted", "1"].map(str::to_owned);
    let maker = Maker { backend, model, version, parameters: String::new() };
    Arc::new(Scripted { maker, of_red, of_grey })
}

#[async_trait]
impl Labeller for Scripted {
    fn step(&self) -> &str {
        "label:scripted"
    }

    fn maker(&self) -> &Maker {
        &self.maker
    }

    async fn label(&self, picture: &Shown) -> Result<Said, Fault> {
        match *picture.raster.rgb() {
            // Black stands for a network that fails.
            [0, 0, 0, ..] => Err(Fault::broken("no session")),
            [red, green, ..] if red > green => Ok(self.of_red.clone().into()),
            _ => Ok(self.of_grey.clone().into()),
        }
    }
}

fn examiner(labeller: Arc<dyn Labeller>) -> Arc<Examiner> {
    Arc::new(Examiner {
        labellers: vec![labeller],
        interpreter: Arc::new(Verbatim),
        limits: Limits::default(),
        recipe: Recipe::default(),
    })
}

fn put(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

/// A picture of one colour, as plain PNM.
fn put_picture(folder: &Path, name: &str, colour: &str) -> PathBuf {
    put(folder, name, &format!("P3 16 16 255\n{}", format!("{colour}\n").repeat(256)))
}

fn read(folder: &Path, tables: &[&str]) -> Result<Cases, Fault> {
    let tables: Vec<_> = tables.iter().map(|name| folder.join(name)).collect();
    Cases::read(folder, &tables, false, &words())
}

fn truths(table: &str) -> Vec<Truth> {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "labels.csv", table);
    let read = read(folder.path(), &["labels.csv"]).unwrap();
    read.cases.into_iter().map(|case| case.truth).collect()
}

fn names<'a>(of: impl IntoIterator<Item = &'a str>) -> Option<BTreeSet<String>> {
    Some(of.into_iter().map(str::to_owned).collect())
}

fn objects(truth: &Truth) -> Vec<&str> {
    let present = truth.objects.as_ref().unwrap();
    present.there.iter().map(|&at| present.of[at].name.as_str()).collect()
}

#[test]
fn each_table_is_recognised_by_its_columns_and_says_what_it_judges() {
    let coco = truths("file,origin,objects\na.jpg,val2017,tie:2|hair drier:1\nb.jpg,val2017,\n");
    assert_eq!(objects(&coco[0]), ["necktie", "hair dryer"]);
    assert_eq!(objects(&coco[1]).len(), 0, "a picture without any object is known");
    assert_eq!(coco[0].objects.as_ref().unwrap().of.len(), 80);

    let hand = truths(
        "file,io,scenes_accepted,concepts,objects\n\
         a.jpg,indoor,kitchen|pub/indoor,sports|feline mood,cat\nb.jpg,,,,\n",
    );
    assert_eq!(hand[0].scenes, Some(vec!["kitchen".to_owned(), "pub/indoor".to_owned()]));
    assert_eq!(hand[0].setting, Some(Setting::Indoor));
    assert_eq!(hand[0].concepts, names(["sport", "feline mood"]));
    assert_eq!(hand[0].objects, None, "some objects are not all");
    assert_eq!(hand[1], Truth::default());

    let grey = truths("file,scene,places365_accepted,io\na.jpg,coast,coast,outdoor\n");
    assert_eq!(
        (&grey[0].scenes, grey[0].setting),
        (&Some(vec!["coast".into()]), Some(Setting::Outdoor))
    );

    let tiles = truths("file,label,kind\na.jpg,muffin,food\nb.jpg,t-shirt,clothing\n");
    assert_eq!([tiles[0].kind, tiles[1].kind], [Some(Kind::Food), Some(Kind::Clothing)]);

    let class = truths("file,wnid,imagenet_index\na.jpg,n02085620,151\n");
    assert_eq!(class[0].class.as_ref().unwrap().name, "chihuahua");
}

#[test]
fn in_a_table_of_ones_own_nothing_is_not_judged_and_a_dash_is_none() {
    let own = truths(
        "\u{feff}file,objects,scenes,concepts,setting\n\
         a.jpg,dog|glass plate,living room|bedroom,pets,indoor\nb.jpg,-,-,-,\nc.jpg,,,,outdoor\n",
    );
    assert_eq!(objects(&own[0]), ["dog", "glass plate"]);
    assert_eq!(own[0].scenes, Some(vec!["living_room".to_owned(), "bedroom".to_owned()]));
    assert_eq!(objects(&own[1]).len(), 0);
    assert_eq!(own[1].objects.as_ref().unwrap().of.len(), 2, "of what occurs in the table");
    assert_eq!((&own[1].concepts, &own[1].scenes), (&Some(BTreeSet::new()), &None));
    assert_eq!((&own[2].objects, &own[2].concepts), (&None, &None));
    assert_eq!(own[2].setting, Some(Setting::Outdoor));
}

#[test]
fn a_table_that_cannot_be_understood_is_told_by_line() {
    for (table, told) in [
        ("picture,objects\na.jpg,dog\n", "no column `file`"),
        ("file,caption\na.jpg,dog\n", "none of the columns"),
        ("file,origin,objects\na.jpg,val2017,dog:1\nb.jpg,val2017,unicorn:1\n", "line 3"),
        ("file,setting\na.jpg,underwater\n", "underwater"),
        ("file,label,kind\na.jpg,rock,mineral\n", "mineral"),
        ("file,objects\na.jpg\n", "line: 2"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "labels.csv", table);
        let fault = read(folder.path(), &["labels.csv"]).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::BadInput, "{table}");
        assert!(fault.reason().contains(told), "{}", fault.reason());
        assert!(fault.reason().contains("labels.csv"), "{}", fault.reason());
    }
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(read(folder.path(), &["none.csv"]).unwrap_err().kind(), FaultKind::NotFound);
}

#[test]
fn rows_that_networks_were_trained_on_are_left_out_and_rows_about_one_picture_are_one() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    put_picture(here, "set/dev/a.ppm", "200 0 0");
    let coco = "file,origin,objects\ndev/a.ppm,val2017,dog:1\ndev/b.ppm,train2017,cat:1\n";
    put(here, "set/coco.csv", coco);
    // The second table's own folder is beside the pictures'.
    put(here, "hand/hand.csv", "file,scenes_accepted,io\nset/dev/a.ppm,kitchen|moon base,indoor\n");
    let elsewhere = here.join("elsewhere");
    let tables = [here.join("set/coco.csv"), here.join("hand/hand.csv")];
    let read = Cases::read(&elsewhere, &tables, false, &words()).unwrap();
    assert_eq!(read.cases.len(), 1);
    let Case { file, path, truth } = &read.cases[0];
    assert!(path.exists() && file == "dev/a.ppm");
    assert!(truth.objects.is_some() && truth.scenes.is_some() && truth.setting.is_some());
    assert_eq!(read.notes.len(), 2, "{:?}", read.notes);
    assert!(read.notes[0].contains("1 row") && read.notes[1].contains("moon base"));
    let all = Cases::read(&elsewhere, &tables, true, &words()).unwrap();
    assert_eq!(all.cases.len(), 2);
}

#[test]
fn words_are_resolved_to_what_records_say() {
    let words = words();
    let label = |name: &str, synset: Option<&str>| label(LabelKind::Object, name, 0.5, synset);
    let coco = words.coco();
    let named = |name: &str, synset: Option<&str>| -> Vec<String> {
        let label = label(name, synset);
        words.things_named(&label, &coco).map(|at| coco[at].name.clone()).collect()
    };
    assert_eq!(named("chihuahua", Some(CHIHUAHUA)), ["dog"]);
    assert_eq!(named("potted plant", None), ["potted plant"]);
    assert_eq!(named("plant", Some("n00017222")), [""; 0], "a broader term is no potted plant");
    assert_eq!(words.scene("pub/indoor"), words.scene_of(&label("pub", None)));
    assert_eq!(words.concept("Sports"), "sport");
    assert_eq!(words.kind_of(&label("chihuahua", Some(CHIHUAHUA))), Some(Kind::Animal));
    assert_eq!(words.kind_of(&label("bagel", Some(BAGEL))), Some(Kind::Food));
    assert_eq!(words.kind_of(&label("t-shirt", Some("n03595614"))), Some(Kind::Clothing));
    assert_eq!(words.kind_of(&label("thing", None)), None);
    let mut served = label("bagel", Some(BAGEL));
    served.category = Some("home and kitchen".to_owned());
    assert_eq!(words.kind_of(&served), None, "a category goes before broader terms");
}

fn label(kind: LabelKind, name: &str, confidence: f32, synset: Option<&str>) -> RecordLabel {
    let record = record(vec![claim(kind, name, confidence, synset)]);
    record.labels.into_iter().next().unwrap()
}

/// The record of some picture that the labels were said of.
fn record(labels: Vec<Label>) -> Record {
    let folder = tempfile::tempdir().unwrap();
    let path = put_picture(folder.path(), "a.ppm", "200 0 0");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let examiner = examiner(scripted(labels, Vec::new()));
        examiner.record(&examiner.picture(&path).await.unwrap()).await.unwrap()
    })
}

fn looked(truth: &Truth, labels: &[(LabelKind, &str, f32, Option<&str>)]) -> Looked {
    let labels = labels.iter().map(|&(kind, name, sure, synset)| claim(kind, name, sure, synset));
    let case = Case { file: "a".into(), path: "a".into(), truth: truth.clone() };
    Looked { case, record: record(labels.collect()), grey: None }
}

#[track_caller]
fn figure(report: &super::report::Report, group: &str, name: &str, expected: f64) {
    let found = report.figure(group, name).unwrap();
    assert!((found - expected).abs() < 1e-6, "{group} {name}: {found} is not {expected}");
}

#[test]
fn scenes_are_ranked_whatever_the_bar_and_their_settings_are_weighed() {
    use LabelKind::Scene;
    let truth = Truth {
        scenes: Some(vec!["pub/indoor".into(), "bar".into()]),
        setting: Some(Setting::Indoor),
        ..Truth::default()
    };
    let first = looked(&truth, &[(Scene, "bar", 0.05, None), (Scene, "kitchen", 0.01, None)]);
    let second = looked(&truth, &[(Scene, "harbor", 0.3, None), (Scene, "bar", 0.2, None)]);
    let never = looked(&truth, &[]);
    let report = score(&[first, second, never], &words(), &Bar::default());
    figure(&report, "scenes", "top1", 1.0 / 3.0);
    figure(&report, "scenes", "top5", 2.0 / 3.0);
    figure(&report, "scenes", "indoor_outdoor", 1.0 / 3.0);
    // Four claims, each a bin of its own: 0.01 and 0.3 are wrong, 0.05 and 0.2 right.
    figure(&report, "calibration", "scenes", (0.01 + 0.95 + 0.8 + 0.3) / 4.0);
    let rows: Vec<_> =
        report.classes.iter().map(|row| (&*row.class, row.right, row.wrong, row.missed)).collect();
    assert_eq!(rows, [("harbor", 0, 1, 0), ("pub/indoor", 1, 0, 2)]);
}

#[test]
fn concepts_count_once_up_to_eight_and_what_we_have_no_word_for_is_missed() {
    use LabelKind::Concept;
    let truth = Truth { concepts: names(["sport", "feline mood"]), ..Truth::default() };
    let said = [
        (Concept, "sports", 0.9, None),
        (Concept, "sport", 0.8, None),
        (Concept, "family", 0.7, None),
        (Concept, "feline mood", 0.1, None),
    ];
    let mut many: Vec<String> = (0..8).map(|at| format!("idea {at}")).collect();
    many.push("sport".to_owned());
    let many: Vec<_> = many.iter().map(|name| (Concept, name.as_str(), 0.5, None)).collect();
    let report = score(
        &[looked(&truth, &said), looked(&truth, &many)],
        &words(),
        &Bar { concepts: 0.3, ..Bar::default() },
    );
    // Of two said in the first one is right, of eight in the second none.
    figure(&report, "concepts", "recall", 1.0 / 4.0);
    figure(&report, "concepts", "precision", 1.0 / 10.0);
}

#[test]
fn of_confusable_pictures_only_what_is_shown_and_not_in_doubt_counts_as_published() {
    use LabelKind::Object;
    let truth = Truth { kind: Some(Kind::Food), ..Truth::default() };
    let (dog, bagel) = (("chihuahua", Some(CHIHUAHUA)), ("bagel", Some(BAGEL)));
    let claims = |first: f32, second: f32| {
        looked(&truth, &[(Object, dog.0, first, dog.1), (Object, bagel.0, second, bagel.1)])
    };
    let (right, wrong, weak) = (claims(0.5, 0.6), claims(0.6, 0.5), claims(0.2, 0.3));
    let mut doubted = claims(0.9, 0.1);
    doubted.record.labels[0]
        .doubts
        .push(Doubt { kind: DoubtKind::Confusable, reason: "looks like a bagel".to_owned() });
    let report = score(&[right, wrong, weak, doubted], &words(), &Bar::default());
    figure(&report, "confusables", "published", 0.5);
    figure(&report, "confusables", "right", 0.5);
    figure(&report, "confusables", "review", 0.25);
}

#[test]
fn what_lies_near_is_judged_by_shared_scenes_and_by_chance() {
    let at = |scene: &str, along: usize| {
        let scenes = Some(vec![scene.to_owned()]);
        let mut looked = looked(&Truth { scenes, ..Truth::default() }, &[]);
        let mut direction = [0.01; DIMENSIONS];
        direction[along] = 1.0;
        looked.record.embedding = Embedding::of(&Space::named("m/1"), &direction);
        looked
    };
    // Six kitchens and six harbors, each sort in a place of its own, but for one that is astray.
    let mut all: Vec<_> = (0..6).map(|_| at("kitchen", 0)).collect();
    all.extend((0..5).map(|_| at("harbor", 1)));
    all.push(at("harbor", 0));
    let report = score(&all, &words(), &Bar::default());
    let told = report.to_json()["likeness"].clone();
    assert_eq!((&told["scenes_n"], &told["objects"]), (&json!(12), &json!(null)));
    figure(&report, "likeness", "scenes_chance", 5.0 / 11.0);
    // A kitchen has five others as near as the stray, which comes last among equals; each harbor
    // has four and then whatever lies next; the stray has none.
    let right = report.figure("likeness", "scenes").unwrap();
    assert!((0.75..0.92).contains(&right), "{right}");
    all.iter_mut().for_each(|looked| looked.record.embedding = None);
    assert_eq!(score(&all, &words(), &Bar::default()).figure("likeness", "scenes"), None);
}

#[test]
fn a_class_is_answered_by_itself_alone_among_the_objects() {
    use LabelKind::Object;
    let class = words().imagenet_class(CHIHUAHUA, None);
    let truth = Truth { class, ..Truth::default() };
    let chihuahua = (Object, "x", 0.8, Some(CHIHUAHUA));
    let said = [
        [(Object, "beagle", 0.9, Some("n02088364")), chihuahua],
        // A broader label is no wrong class.
        [(Object, "dog", 0.9, Some("n02084071")), chihuahua],
    ];
    for (said, first) in said.iter().zip([0.0, 1.0]) {
        let report = score(&[looked(&truth, said)], &words(), &Bar::default());
        figure(&report, "classes", "top1", first);
        figure(&report, "classes", "top5", 1.0);
    }
}

#[tokio::test]
async fn a_folder_is_measured_in_colour_and_grey_and_told_as_json() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for (name, colour) in [("dog.ppm", "200 0 0"), ("none.ppm", "210 9 9"), ("black.ppm", "0 0 0")]
    {
        put_picture(here, name, colour);
    }
    put(here, "broken.ppm", "P3 16 16");
    put(
        here,
        "labels.csv",
        "file,objects,scenes,concepts,setting\ndog.ppm,dog|cat,kitchen,pets,indoor\n\
         none.ppm,-,,,\nblack.ppm,dog,,,\nbroken.ppm,dog,,,\nlost.ppm,dog,,,\n",
    );
    let in_colour = vec![
        claim(LabelKind::Object, "chihuahua", 0.9, Some(CHIHUAHUA)),
        claim(LabelKind::Scene, "kitchen", 0.6, None),
    ];
    let cases = read(here, &["labels.csv"]).unwrap().cases;
    let examiner = examiner(scripted(in_colour, Vec::new()));
    let (looked, unseen) = examiner.look_at_all(cases, 2, || ()).await;
    let unseen: Vec<_> = unseen.iter().map(|unseen| unseen.file.as_str()).collect();
    assert_eq!(unseen, ["black.ppm", "broken.ppm", "lost.ppm"]);
    assert_eq!(looked.len(), 2);
    let report = score(&looked, &words(), &Bar::default());
    let told = report.to_json();
    // A dog found, a cat missed, a dog seen where there is none; in grey nothing is said.
    assert_eq!(told["objects"]["f1"], json!(0.5));
    assert_eq!(told["objects"]["n"], json!(2));
    assert_eq!(told["objects"]["f1_interval"].as_array().unwrap().len(), 2);
    assert_eq!(told["objects_grey"]["recall"], json!(0.0));
    assert_eq!(told["objects_grey"]["precision"], json!(null));
    assert_eq!(told["scenes"]["top1"], json!(1.0));
    assert_eq!(told["scenes"]["indoor_outdoor"], json!(1.0));
    assert_eq!(told["concepts"]["recall"], json!(0.0));
    assert_eq!(told["calibration"]["scenes"], json!(0.4));
    let groups: Vec<_> = told.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(groups, ["objects", "objects_grey", "scenes", "concepts", "calibration"]);
    let lines = report.to_lines();
    assert!(lines[0].starts_with("objects") && lines[0].contains(" to "), "{lines:?}");
    let csv = report.to_csv();
    assert!(csv.starts_with("kind,class,n,tp,fp,fn,precision,recall,f1,average_precision\n"));
    assert!(csv.contains("object,cat,1,0,0,1,,0.0000,0.0000,0.0000\n"), "{csv}");
    assert!(csv.contains("object,dog,1,1,1,0,0.5000,1.0000,0.6667,0.5000\n"), "{csv}");
    let svg = plot::svg(&report.reliability);
    assert_eq!(svg.matches("<circle").count(), 3, "two claims of dogs, one of a kitchen");
    assert!(svg.contains("objects") && svg.contains("scenes") && svg.ends_with("</svg>\n"));
}

#[tokio::test]
async fn taking_the_colour_out_keeps_the_lightness() {
    let folder = tempfile::tempdir().unwrap();
    let path = put_picture(folder.path(), "a.ppm", "200 100 50");
    let picture = examiner(scripted(Vec::new(), Vec::new())).picture(&path).await.unwrap();
    // 0.299 * 200 + 0.587 * 100 + 0.114 * 50 = 124.2
    assert!(picture.grey().raster().rgb().iter().all(|value| *value == 124));
}

#[test]
fn what_no_table_judges_is_no_figure() {
    let setting = Truth { setting: Some(Setting::Outdoor), ..Truth::default() };
    let told = score(&[looked(&setting, &[])], &words(), &Bar::default()).to_json();
    assert_eq!(
        told,
        json!({"scenes": {
            "indoor_outdoor": 0.0, "indoor_outdoor_interval": [0.0, 0.0], "indoor_outdoor_n": 1
        }})
    );
    assert_eq!(score(&[], &words(), &Bar::default()).to_json(), json!({}));
}
