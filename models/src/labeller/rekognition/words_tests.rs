use serde_json::json;

use super::*;
use crate::labeller::rekognition::picture::Placement;

/// What the service says of one label: name, parents, aliases, categories.
fn said(name: &str, parents: &[&str], aliases: &[&str], categories: &[&str]) -> Value {
    let named =
        |names: &[&str]| -> Vec<Value> { names.iter().map(|name| json!({"Name": name})).collect() };
    json!({
        "Name": name, "Confidence": 90.0, "Instances": [], "Parents": named(parents),
        "Aliases": named(aliases), "Categories": named(categories),
    })
}

fn read(labels: &[Value]) -> Vec<Label> {
    Reading::load().labels(&json!({"Labels": labels}), &Placement::WHOLE)
}

fn one(name: &str, parents: &[&str], categories: &[&str]) -> Label {
    let mut labels = read(&[said(name, parents, &[], categories)]);
    assert_eq!(labels.len(), 1, "{name}: {labels:?}");
    labels.swap_remove(0)
}

#[test]
fn every_row_of_the_table_is_understood() {
    let reading = Reading::load();
    assert_eq!(reading.table.len(), rows(REKOGNITION).count(), "a name comes twice or is wrong");
    for (name, row) in &reading.table {
        match row {
            Some(Row::Object(synset)) => {
                assert!(!reading.objects.synonyms(synset).is_empty(), "{name}: {synset}");
            }
            Some(Row::Other(kind, other)) => {
                assert!(reading.other(*kind, other).is_some(), "{name}: {other}");
            }
            Some(Row::Stranger) | None => {}
        }
    }
}

#[test]
fn words_of_several_meanings_mean_what_the_service_means() {
    let animals: (&[&str], &[&str]) = (&["Animal", "Bird"], &["Animals and Pets"]);
    let machines: (&[&str], &[&str]) = (&[], &["Tools and Machinery"]);
    let computing: (&[&str], &[&str]) =
        (&["Computer Hardware", "Electronics"], &["Technology and Computing"]);
    let sports: (&[&str], &[&str]) = (&["Sport"], &["Sports"]);
    for (name, (parents, categories), meaning) in [
        ("Dog", (&["Animal", "Canine", "Mammal", "Pet"][..], &["Animals and Pets"][..]), "dog"),
        ("Crane Bird", animals, "crane bird"),
        ("Crane", animals, "crane bird"),
        ("Crane", machines, "construction crane"),
        ("Construction Crane", machines, "construction crane"),
        ("Mouse", computing, "computer mouse"),
        ("Monitor", computing, "monitor"),
        ("Bat", sports, "bat"),
        ("Ball", sports, "sports ball"),
        ("Glasses", (&["Accessories"], &["Apparel and Accessories"]), "spectacles"),
        ("Person", (&[], &["Person Description"]), "person"),
        ("Human", (&[], &["Person Description"]), "person"),
        ("Clothing", (&[], &["Apparel and Accessories"]), "clothing"),
        ("Apparel", (&[], &["Apparel and Accessories"]), "clothing"),
        ("Plant", (&[], &["Plants and Flowers"]), "plant"),
        ("Vehicle", (&["Transportation"], &["Vehicles and Automotive"]), "vehicle"),
        ("Car", (&["Transportation", "Vehicle"], &["Vehicles and Automotive"]), "car"),
        ("Mobile Phone", computing, "mobile phone"),
        ("Lobster", (&["Food", "Animal"], &["Food and Beverage"]), "lobster"),
    ] {
        let label = one(name, parents, categories);
        assert_eq!((&*label.name, label.kind), (meaning, LabelKind::Object), "{name}");
        assert!(label.wordnet.is_some(), "{name}");
    }
    // Which crane is meant decides the synset, not the spelling.
    assert_eq!(one("Crane Bird", animals.0, animals.1).wordnet, Synset::parse("n02012849"));
}

#[test]
fn what_the_service_contradicts_or_our_words_lack_stays_under_its_own_name() {
    let animal: &[&str] = &["Animals and Pets"];
    for (name, parents, categories) in [
        ("Mouse", &["Animal", "Mammal", "Rodent"][..], animal),
        ("Bat", &["Animal", "Mammal"][..], animal),
        ("Hedgehog", &["Animal", "Mammal"][..], animal),
        ("Turkey", &["Animal", "Bird"][..], animal),
        ("Head", &["Person"][..], &["Person Description"][..]),
        ("Female", &["Person"][..], &["Person Description"][..]),
        ("Adult", &["Person"][..], &["Person Description"][..]),
        ("Stool", &["Furniture"][..], &["Home and Indoors"][..]),
        ("Canoe", &["Vehicle"][..], &["Vehicles and Automotive"][..]),
        ("Tree", &["Plant"][..], &["Plants and Flowers"][..]),
        ("Thylacine", &["Animal", "Mammal"][..], animal),
    ] {
        let label = one(name, parents, categories);
        assert_eq!(
            (label.name, label.kind, label.wordnet),
            (name.to_lowercase(), LabelKind::Object, None)
        );
    }
    // The narrowest parent that our words know comes first: things hang on it.
    assert_eq!(one("Bat", &["Animal", "Mammal"], animal).parents, ["mammal", "animal"]);
}

#[test]
fn places_are_scenes_and_themes_are_concepts() {
    for (name, kind, meaning) in [
        ("Beach", LabelKind::Scene, "beach"),
        ("Kitchen", LabelKind::Scene, "kitchen"),
        ("Forest", LabelKind::Scene, "broadleaf forest"),
        ("Sea", LabelKind::Scene, "ocean"),
        ("Outdoors", LabelKind::Scene, "outdoor"),
        ("Indoors", LabelKind::Scene, "indoor"),
        ("Nature", LabelKind::Concept, "nature"),
        ("Transportation", LabelKind::Concept, "transport"),
        ("Pet", LabelKind::Concept, "pets"),
        ("Sport", LabelKind::Concept, "sport"),
    ] {
        let label = one(name, &[], &[]);
        assert_eq!((label.kind, &*label.name), (kind, meaning), "{name}");
    }
    assert_eq!(read(&[said("White", &[], &[], &[])]), []);
}

#[test]
fn an_alias_helps_and_parents_come_from_wordnet() {
    let label = read(&[said("Pooch", &["Animal"], &["Dog"], &["Animals and Pets"])]).remove(0);
    assert_eq!(label.name, "dog");
    let at = |word: &str| label.parents.iter().position(|parent| parent == word).expect(word);
    assert!(at("canine") < at("carnivore") && at("carnivore") < at("mammal"));
    assert!(at("animal") > 0);
}

#[test]
fn two_names_of_one_thing_become_one_label_with_the_places_of_both() {
    let mut person = said("Person", &[], &["Human"], &["Person Description"]);
    let frame = |left: f64| {
        json!({
            "BoundingBox": {"Left": left, "Top": 0.25, "Width": 0.25, "Height": 0.5},
            "Confidence": 80.0,
        })
    };
    person["Instances"] = json!([frame(0.0), frame(0.5)]);
    let mut human = said("Human", &[], &[], &["Person Description"]);
    human["Instances"] = json!([frame(0.5), frame(0.75)]);
    human["Confidence"] = json!(97.5);
    let labels = read(&[person, human]);
    assert_eq!(labels.len(), 1);
    assert_eq!((labels[0].confidence, labels[0].instances.len()), (0.975, 3));
    assert_eq!(labels[0].instances[1].frame, [0.5, 0.25, 0.25, 0.5]);
}

#[test]
fn moderation_is_about_the_picture_and_keeps_its_ladder() {
    let answer = json!({"ModerationLabels": [
        {"Name": "Alcoholic Beverages", "ParentName": "Alcohol", "Confidence": 91.0},
        {"Name": "Alcohol", "ParentName": "", "Confidence": 92.0},
    ]});
    let labels = Reading::moderation(&answer);
    let told: Vec<_> = labels.iter().map(|label| (&*label.name, label.kind)).collect();
    let concept = LabelKind::Concept;
    assert_eq!(told, [("alcohol", concept), ("alcoholic beverages", concept)]);
    assert_eq!(labels[1].parents, ["alcohol"]);
}
