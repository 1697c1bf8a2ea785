//! What the interpreter makes of scripted testimony.

use glassplate_pipeline::assessment::{Assessment, Tone};
use glassplate_pipeline::asset::{AssetId, PixelDigest};
use glassplate_pipeline::days::Days;
use glassplate_pipeline::decision::{Decision, Ruling};
use glassplate_pipeline::label::{Evidence, Instance, Label, LabelKind};
use glassplate_pipeline::opinion::{Finding, Maker, Opinion, Subject, Verdict};
use glassplate_pipeline::ports::{Interpreter as _, Lexicon as _, Testimony};
use glassplate_pipeline::record::{Bar, DoubtKind, RecordLabel};
use glassplate_pipeline::run::RunId;
use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

const CLASSIFIER: &str = "efficientnet-lite0";
const DETECTORS: [&str; 2] = ["picodet-s-416", "yolox-nano"];

/// Scripted testimony: who says what.
struct Said {
    objects: Arc<Objects>,
    opinions: Vec<Opinion>,
    decisions: Vec<Decision>,
    taken: Option<Days>,
    tone: Tone,
}

impl Said {
    fn nothing() -> Self {
        let (opinions, decisions) = (Vec::new(), Vec::new());
        Self { objects: Objects::load(), opinions, decisions, taken: None, tone: Tone::Colour }
    }

    /// Both detectors see things of COCO, each with its confidence and share of the picture.
    fn seen(mut self, things: &[(&str, f32, f32)]) -> Self {
        for model in DETECTORS {
            let label = |&(name, confidence, side): &(&str, f32, f32)| {
                let frame = [0.1, 0.1, side.sqrt() * 0.89, side.sqrt() * 0.89];
                let instances = vec![Instance { frame, confidence }];
                Label { instances, ..self.class("coco-80", name, confidence) }
            };
            let labels = things.iter().map(label).collect();
            self.opinions.push(opinion(model, labels));
        }
        self
    }

    /// The classifier names ImageNet's classes.
    fn named(self, list: &'static str, model: &str, classes: &[(&str, f32)]) -> Self {
        let labels = classes.iter().map(|(name, p)| self.class(list, name, *p)).collect();
        let mut said = self;
        said.opinions.push(opinion(model, labels));
        said
    }

    fn classified(self, classes: &[(&str, f32)]) -> Self {
        self.named("imagenet-1k", CLASSIFIER, classes)
    }

    fn ruled(mut self, kind: LabelKind, label: &str, ruling: Ruling) -> Self {
        self.decisions.push(Decision {
            asset: asset(),
            label: label.to_owned(),
            kind,
            wordnet: None,
            parents: Vec::new(),
            ruling,
            who: "ada".to_owned(),
            at: Timestamp::UNIX_EPOCH,
        });
        self
    }

    fn class(&self, list: &str, name: &str, confidence: f32) -> Label {
        let classes = self.objects.classes(list).unwrap();
        let class = classes.into_iter().find(|class| class.name == name).expect(name);
        Label {
            name: class.name,
            kind: class.kind,
            confidence,
            wordnet: class.wordnet,
            parents: class.parents,
            instances: Vec::new(),
            evidence: Vec::new(),
        }
    }

    fn read(&self) -> Vec<RecordLabel> {
        self.read_by(&Reader::load(self.objects.clone(), Calibration::default()))
    }

    fn read_by(&self, reader: &Reader) -> Vec<RecordLabel> {
        reader.interpret(&Testimony {
            opinions: self.opinions.iter().collect(),
            decisions: &self.decisions,
            assessment: Some(Assessment { tone: self.tone, chroma: 20.0, condition: None }),
            taken: self.taken,
        })
    }
}

fn asset() -> AssetId {
    let tenant = glassplate_pipeline::asset::Tenant::default();
    AssetId::derive(&tenant, &glassplate_pipeline::asset::Digest::new([1; 32]))
}

fn opinion(model: &str, labels: Vec<Label>) -> Opinion {
    let maker = Maker {
        backend: "onnx".to_owned(),
        model: model.to_owned(),
        version: "1".to_owned(),
        parameters: String::new(),
    };
    let subject = Subject::Pixels(PixelDigest::new([9; 32]));
    let run = RunId::from_text("run");
    let verdict = Verdict::Found(Finding::Labelled(labels));
    Opinion::new(&asset(), model, subject, &maker, &run, Timestamp::UNIX_EPOCH, verdict)
}

#[track_caller]
fn sure(labels: &[RecordLabel], kind: LabelKind, name: &str) -> f32 {
    let found = labels.iter().find(|label| label.kind == kind && label.name == name);
    found.map_or(0.0, |label| label.confidence)
}

fn first(labels: &[RecordLabel], kind: LabelKind) -> Vec<&str> {
    let mut of_kind: Vec<_> = labels.iter().filter(|label| label.kind == kind).collect();
    of_kind.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    of_kind.iter().map(|label| label.name.as_str()).collect()
}

fn sailing() -> Said {
    Said::nothing().seen(&[("boat", 0.8, 0.3), ("person", 0.6, 0.02)]).classified(&[
        ("yawl", 0.5),
        ("catamaran", 0.2),
        ("schooner", 0.1),
    ])
}

#[test]
fn a_boat_under_sail_is_on_the_water_and_about_sailing() {
    let labels = sailing().read();
    assert!(sure(&labels, LabelKind::Object, "boat") > 0.8);
    let scenes = first(&labels, LabelKind::Scene);
    assert!(scenes.iter().take(4).any(|scene| *scene == "ocean"), "{scenes:?}");
    assert!(scenes.contains(&"outdoor"));
    let concepts = first(&labels, LabelKind::Concept);
    assert!(concepts.iter().take(5).any(|concept| *concept == "sailing"), "{concepts:?}");
}

#[test]
fn every_inferred_label_says_what_it_rests_on() {
    let labels = sailing().read();
    let inferred: Vec<_> = labels.iter().filter(|l| l.kind != LabelKind::Object).collect();
    assert!(inferred.len() > 10);
    for label in inferred {
        assert!(!label.evidence.is_empty(), "{} rests on nothing", label.name);
    }
    let sailing = labels.iter().find(|label| label.name == "sailing").unwrap();
    let rests_on = |name: &str, by: &str| {
        sailing
            .evidence
            .iter()
            .any(|e: &Evidence| e.name == name && e.by.as_deref() == Some(by) && e.weight > 0.0)
    };
    assert!(rests_on("yawl", CLASSIFIER), "{:?}", sailing.evidence);
    assert!(sailing.evidence.iter().any(|e| e.kind == LabelKind::Scene));
    let boat = labels.iter().find(|label| label.name == "boat").unwrap();
    for model in DETECTORS {
        assert!(
            boat.evidence.iter().any(|e| e.by.as_deref() == Some(model)),
            "{:?}",
            boat.evidence
        );
    }
}

#[test]
fn a_refused_boat_takes_sailing_along_but_stays_as_refused() {
    let before = sailing().read();
    let refused = ["boat", "yawl", "catamaran", "schooner"];
    let said = refused
        .iter()
        .fold(sailing(), |said, name| said.ruled(LabelKind::Object, name, Ruling::Reject));
    let after = said.read();
    let concept = |labels: &[RecordLabel]| sure(labels, LabelKind::Concept, "sailing");
    assert!(concept(&before) > Bar::default().concepts, "{}", concept(&before));
    assert!(concept(&after) < concept(&before) / 5.0, "{}", concept(&after));
    assert!(sure(&after, LabelKind::Object, "boat") > 0.5, "kept, so that nobody asks again");
    // Refusing the broader word refuses its kinds, unless a person confirmed one.
    let yawl = || Said::nothing().classified(&[("yawl", 0.6)]);
    let mut refused = yawl().ruled(LabelKind::Object, "boat", Ruling::Reject);
    refused.decisions[0].wordnet = refused.class("coco-80", "boat", 1.0).wordnet;
    assert!(concept(&refused.read()) < concept(&yawl().read()) / 5.0);
    refused = refused.ruled(LabelKind::Object, "yawl", Ruling::Approve);
    assert!(concept(&refused.read()) > concept(&yawl().read()));
}

#[test]
fn what_a_person_adds_or_confirms_is_a_fact_for_what_rests_on_it() {
    let plain = Said::nothing().classified(&[("lakeshore", 0.3)]);
    let mut added = Said::nothing().classified(&[("lakeshore", 0.3)]).ruled(
        LabelKind::Object,
        "boat",
        Ruling::Add,
    );
    added.decisions[0].wordnet = added.class("coco-80", "boat", 1.0).wordnet;
    let harbour = |said: &Said| sure(&said.read(), LabelKind::Scene, "harbor");
    assert!(harbour(&added) > harbour(&plain) + 0.05, "{} {}", harbour(&added), harbour(&plain));
    let confirmed = Said::nothing().classified(&[("lakeshore", 0.3)]).ruled(
        LabelKind::Scene,
        "kitchen",
        Ruling::Approve,
    );
    let cooking = |said: &Said| sure(&said.read(), LabelKind::Concept, "cooking");
    assert!(
        cooking(&confirmed) > cooking(&plain) + 0.05,
        "{} {}",
        cooking(&confirmed),
        cooking(&plain)
    );
    // The person's own label is the fold's to state, not the interpreter's.
    assert!(!added.read().iter().any(|label| label.name == "boat"));
}

#[test]
fn detectors_that_agree_are_surer_than_one_and_a_kind_is_never_surer_than_the_thing() {
    let two = Said::nothing().seen(&[("dog", 0.5, 0.3)]);
    let mut one = Said::nothing().seen(&[("dog", 0.5, 0.3)]);
    one.opinions[1] = opinion(
        DETECTORS[1],
        vec![one.class("coco-80", "cat", 0.02)]
            .into_iter()
            .map(|label| Label {
                instances: vec![Instance { frame: [0.0, 0.0, 0.2, 0.2], confidence: 0.02 }],
                ..label
            })
            .collect(),
    );
    let dog = |said: &Said| sure(&said.read(), LabelKind::Object, "dog");
    assert!(dog(&two) > dog(&one) + 0.1, "{} {}", dog(&two), dog(&one));
    let labels =
        Said::nothing().seen(&[("dog", 0.5, 0.3)]).classified(&[("chihuahua", 0.9)]).read();
    assert!(
        sure(&labels, LabelKind::Object, "chihuahua") <= sure(&labels, LabelKind::Object, "dog")
    );
}

#[test]
fn a_classifier_that_wavers_between_kinds_names_the_thing() {
    let labels = Said::nothing()
        .classified(&[("macaw", 0.3), ("lorikeet", 0.28), ("sulphur-crested cockatoo", 0.2)])
        .read();
    let parrot = labels.iter().find(|label| label.name == "parrot").expect("parrot");
    assert!(parrot.confidence > sure(&labels, LabelKind::Object, "macaw"));
    assert_eq!(parrot.category.as_deref(), Some("animals and pets"));
    assert!(Bar::default().shows(parrot) && parrot.evidence.len() == 3);
    // Where one kind is sure, it stands for the thing.
    let labels = Said::nothing().classified(&[("macaw", 0.9), ("lorikeet", 0.02)]).read();
    assert!(labels.iter().all(|label| label.name != "parrot"));
}

#[test]
fn a_muffin_that_may_be_a_chihuahua_waits_for_a_person() {
    let open = Said::nothing().seen(&[("dog", 0.2, 0.6)]).classified(&[
        ("chihuahua", 0.25),
        ("bagel", 0.2),
        ("pot pie", 0.1),
    ]);
    let labels = open.read();
    let doubtful: Vec<_> = labels
        .iter()
        .filter(|label| label.doubts.iter().any(|doubt| doubt.kind == DoubtKind::Confusable))
        .map(|label| label.name.as_str())
        .collect();
    assert!(doubtful.contains(&"chihuahua") && doubtful.contains(&"bagel"), "{doubtful:?}");
    assert!(
        labels
            .iter()
            .filter(|l| doubtful.contains(&l.name.as_str()))
            .all(|l| !Bar::default().shows(l))
    );
    // A dog that both detectors are sure of is none, whatever lies beside it.
    let clear = Said::nothing()
        .seen(&[("dog", 0.9, 0.4), ("pizza", 0.9, 0.3)])
        .classified(&[("chihuahua", 0.25), ("pizza", 0.2)]);
    let labels = clear.read();
    for name in ["dog", "pizza"] {
        let label = labels.iter().find(|label| label.name == name).unwrap();
        assert!(label.doubts.is_empty() && Bar::default().shows(label), "{label:?}");
    }
}

#[test]
fn what_did_not_exist_yet_is_held_back() {
    let mut said = Said::nothing().seen(&[("mobile phone", 0.9, 0.1), ("person", 0.9, 0.5)]);
    let doubts = |said: &Said, name: &str| {
        let labels = said.read();
        labels.iter().find(|label| label.name == name).unwrap().doubts.clone()
    };
    assert!(doubts(&said, "mobile phone").is_empty(), "without a date nothing is told");
    said.taken = Days::read("April 1936");
    let [doubt] = &doubts(&said, "mobile phone")[..] else { panic!("one doubt") };
    assert_eq!(doubt.kind, DoubtKind::Anachronism);
    assert!(doubt.reason.contains("1936") && doubt.reason.contains("1973"), "{}", doubt.reason);
    assert!(doubts(&said, "person").is_empty());
    said.taken = Days::read("2004");
    assert!(doubts(&said, "mobile phone").is_empty());
}

#[test]
fn a_scene_network_is_heard_and_its_claims_are_evidence() {
    let quiet = Said::nothing().classified(&[("desk", 0.2)]);
    let heard = Said::nothing().classified(&[("desk", 0.2)]).named(
        "places365",
        "squeezenet-places365",
        &[("classroom", 0.8), ("office", 0.1)],
    );
    let classroom = |said: &Said| sure(&said.read(), LabelKind::Scene, "classroom");
    assert!(classroom(&heard) > classroom(&quiet) + 0.1);
    let labels = heard.read();
    let label = labels.iter().find(|label| label.name == "classroom").unwrap();
    assert!(label.evidence.iter().any(|e| e.by.as_deref() == Some("squeezenet-places365")));
}

#[test]
fn no_claims_give_no_labels_and_strangers_are_taken_at_their_word() {
    assert_eq!(Said::nothing().read(), []);
    let mut said = Said::nothing();
    let mut label = said.class("coco-80", "dog", 0.9);
    label.name = "thylacine".to_owned();
    label.wordnet = None;
    label.instances = vec![Instance { frame: [0.0, 0.0, 1.0, 1.0], confidence: 0.9 }];
    said.opinions.push(opinion("a-users-detector", vec![label]));
    assert!(sure(&said.read(), LabelKind::Object, "thylacine") > 0.7);
}

#[test]
fn a_calibration_changes_what_is_sure_and_the_fingerprint() {
    let text = "[concepts]\nconstant = -2.0\nslope = 1.0\nrulings = 30\n";
    let plain = Reader::load(Objects::load(), Calibration::default());
    let stern = Reader::load(Objects::load(), Calibration::parse(text).unwrap());
    assert_ne!(plain.fingerprint(), stern.fingerprint());
    let sailing_by = |reader| sure(&sailing().read_by(reader), LabelKind::Concept, "sailing");
    assert!(sailing_by(&stern) < sailing_by(&plain) / 3.0);
}

/// What the service says, each with a confidence; a place is a box in the middle.
fn serviced(mut said: Said, labels: &[(&str, LabelKind, f32, bool)]) -> Said {
    let words = crate::vocabulary::Words::load();
    let label = |&(name, kind, confidence, place): &(&str, LabelKind, f32, bool)| {
        let word = words.find(name).into_iter().find(|word| word.kind == kind && word.name == name);
        let (wordnet, parents) = word.map(|word| (word.wordnet, word.parents)).unwrap_or_default();
        let instance = Instance { frame: [0.25, 0.25, 0.5, 0.5], confidence };
        Label {
            name: name.to_owned(),
            kind,
            confidence,
            wordnet,
            parents,
            instances: Vec::from_iter(place.then_some(instance)),
            evidence: Vec::new(),
        }
    };
    let mut spoken = opinion("DetectLabels", labels.iter().map(label).collect());
    spoken.maker.backend = "rekognition".to_owned();
    said.opinions.push(spoken);
    said
}

const OBJECT: LabelKind = LabelKind::Object;
const SCENE: LabelKind = LabelKind::Scene;
const CONCEPT: LabelKind = LabelKind::Concept;

#[test]
fn a_services_dog_and_a_classifiers_chihuahua_are_one_dog_surer_than_either() {
    let dog = [("dog", OBJECT, 0.95, false)];
    let alone = serviced(Said::nothing(), &dog).read();
    let both = serviced(Said::nothing().classified(&[("chihuahua", 0.6)]), &dog).read();
    let dogs: Vec<_> = both.iter().filter(|label| label.name == "dog").collect();
    let [dog] = dogs[..] else { panic!("one dog: {dogs:?}") };
    let by: Vec<_> = dog.evidence.iter().map(|one| (&*one.name, one.by.as_deref())).collect();
    assert!(by.contains(&("dog", Some("DetectLabels"))), "{by:?}");
    assert!(by.contains(&("chihuahua", Some(CLASSIFIER))), "{by:?}");
    let single = sure(&alone, OBJECT, "dog");
    assert!(dog.confidence > single && single > 0.85, "{} {single}", dog.confidence);
    assert!(sure(&both, OBJECT, "chihuahua") <= dog.confidence);
}

#[test]
fn what_a_service_says_stands_by_itself_with_boxes_or_without() {
    let said = serviced(
        Said::nothing(),
        &[
            ("sailboat", OBJECT, 0.9, false),
            ("person", OBJECT, 0.8, true),
            ("beach", SCENE, 0.92, false),
            ("outdoor", SCENE, 0.99, false),
            ("nature", CONCEPT, 0.85, false),
            ("alcoholic beverages", CONCEPT, 0.9, false),
        ],
    );
    let labels = said.read();
    for (kind, name, least, most) in [
        (OBJECT, "sailboat", 0.8, 0.95),
        (OBJECT, "person", 0.7, 0.85),
        (SCENE, "beach", 0.8, 0.98),
        (SCENE, "outdoor", 0.9, 1.0),
        (CONCEPT, "nature", 0.75, 1.0),
        (CONCEPT, "alcoholic beverages", 0.8, 0.95),
    ] {
        let label = labels.iter().find(|label| label.kind == kind && label.name == name);
        let label = label.unwrap_or_else(|| panic!("{name}: {labels:#?}"));
        assert!((least..=most).contains(&label.confidence), "{name}: {}", label.confidence);
        assert!(Bar::default().shows(label), "{name}");
    }
    let person = labels.iter().find(|label| label.name == "person").unwrap();
    assert_eq!((person.instances.len(), &*person.source.backend), (1, "rekognition"));
    assert_eq!(first(&labels, SCENE)[..2], ["outdoor", "beach"]);
}

#[test]
fn a_services_silence_changes_nothing_and_a_networks_box_is_kept() {
    let plain = sailing();
    let said = serviced(sailing(), &[("thylacine", OBJECT, 0.5, false)]);
    let (plain, said) = (plain.read(), said.read());
    for label in plain.iter().filter(|label| label.kind == OBJECT) {
        assert_eq!(sure(&said, OBJECT, &label.name), label.confidence, "{}", label.name);
    }
    // Detectors that are silent do not refute a service that is sure.
    let against = serviced(sailing(), &[("dog", OBJECT, 0.95, false)]).read();
    assert!(sure(&against, OBJECT, "dog") > 0.85);
    let agreed = serviced(sailing(), &[("boat", OBJECT, 0.99, false)]).read();
    let boat = agreed.iter().find(|label| label.name == "boat").unwrap();
    assert!(!boat.instances.is_empty() && boat.confidence > sure(&plain, OBJECT, "boat"));
}

#[test]
fn rulings_hold_for_what_a_service_says_and_for_what_rests_on_it() {
    let kitchen = || serviced(Said::nothing(), &[("kitchen", SCENE, 0.97, false)]);
    let cooking = |said: &Said| sure(&said.read(), CONCEPT, "cooking");
    let refused = kitchen().ruled(SCENE, "kitchen", Ruling::Reject);
    let (with, without) = (cooking(&kitchen()), cooking(&refused));
    assert!(with > without, "{with} {without}");
    // The refused label stays in the answer, for the fold to mark.
    assert!(sure(&refused.read(), SCENE, "kitchen") > 0.5);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is said: confidences are probabilities, each label comes once, and the order in which
    /// labellers spoke changes nothing.
    #[test]
    fn any_testimony_is_read(
        seen in prop::collection::vec((0_usize..80, 0.0_f32..=1.0, 0.0_f32..=1.0), 0..8),
        named in prop::collection::vec((0_usize..1000, 0.0_f32..=1.0), 0..8),
    ) {
        let objects = Objects::load();
        let (coco, imagenet) = (objects.classes("coco-80").unwrap(), objects.classes("imagenet-1k").unwrap());
        let seen: Vec<_> = seen.iter().map(|(at, p, side)| (coco[*at].name.as_str(), *p, *side)).collect();
        let named: Vec<_> = named.iter().map(|(at, p)| (imagenet[*at].name.as_str(), *p)).collect();
        let mut said = Said::nothing().seen(&seen).classified(&named);
        said.opinions.retain(|opinion| !opinion.labels().is_empty());
        let labels = said.read();
        let mut names = std::collections::HashSet::new();
        for label in &labels {
            prop_assert!((0.0..=1.0).contains(&label.confidence), "{label:?}");
            prop_assert!(names.insert((label.kind, label.name.clone())), "{} comes twice", label.name);
        }
        said.opinions.reverse();
        let again = said.read();
        prop_assert_eq!(labels.len(), again.len());
        for label in &labels {
            let other = sure(&again, label.kind, &label.name);
            prop_assert!((label.confidence - other).abs() < 1e-3, "{} {} {other}", label.name, label.confidence);
        }
    }
}
