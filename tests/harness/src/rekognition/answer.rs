//! What is answered when nothing else is scripted: labels that follow from the picture's digest
//! alone, under names, parents and categories that the service really uses.

use serde_json::{Value, json};

use super::{Api, Request};

/// Name, parents (all of them), alias, category, and whether it is located.
type Known = (&'static str, &'static [&'static str], Option<&'static str>, &'static str, bool);

const ANIMALS: &str = "Animals and Pets";
const BUILDINGS: &str = "Buildings and Architecture";
const FOOD: &str = "Food and Beverage";
const HOME: &str = "Home and Indoors";
const NATURE: &str = "Nature and Outdoors";
const PEOPLE: &str = "Person Description";
const TECHNOLOGY: &str = "Technology and Computing";
const THINGS: &str = "Everyday Objects";
const VEHICLES: &str = "Vehicles and Automotive";

/// Labels of the service; every parent has a line of its own.
#[rustfmt::skip]
const KNOWN: &[Known] = &[
    ("Animal", &[], None, ANIMALS, false),
    ("Mammal", &["Animal"], None, ANIMALS, false),
    ("Pet", &["Animal"], None, ANIMALS, false),
    ("Canine", &["Animal", "Mammal"], None, ANIMALS, false),
    ("Dog", &["Animal", "Canine", "Mammal", "Pet"], None, ANIMALS, true),
    ("Cat", &["Animal", "Mammal", "Pet"], None, ANIMALS, true),
    ("Horse", &["Animal", "Mammal"], None, ANIMALS, true),
    ("Cow", &["Animal", "Cattle", "Livestock", "Mammal"], None, ANIMALS, true),
    ("Cattle", &["Animal", "Livestock", "Mammal"], None, ANIMALS, false),
    ("Livestock", &["Animal", "Mammal"], None, ANIMALS, false),
    ("Bird", &["Animal"], None, ANIMALS, true),
    ("Turtle", &["Animal", "Reptile", "Sea Life"], None, ANIMALS, false),
    ("Reptile", &["Animal"], None, ANIMALS, false),
    ("Sea Life", &["Animal"], None, ANIMALS, false),
    ("Person", &[], Some("Human"), PEOPLE, true),
    ("Adult", &["Person"], None, PEOPLE, true),
    ("Female", &["Person"], None, PEOPLE, true),
    ("Woman", &["Adult", "Female", "Person"], None, PEOPLE, true),
    ("Clothing", &[], Some("Apparel"), "Apparel and Accessories", false),
    ("Glasses", &["Accessories"], None, "Apparel and Accessories", true),
    ("Accessories", &[], Some("Accessory"), "Apparel and Accessories", false),
    ("Transportation", &[], None, VEHICLES, false),
    ("Vehicle", &["Transportation"], None, VEHICLES, false),
    ("Car", &["Transportation", "Vehicle"], Some("Automobile"), VEHICLES, true),
    ("Bicycle", &["Transportation", "Vehicle"], Some("Bike"), VEHICLES, true),
    ("Boat", &["Transportation", "Vehicle"], None, VEHICLES, true),
    ("Sailboat", &["Boat", "Transportation", "Vehicle"], None, VEHICLES, false),
    ("Mobile Phone", &["Electronics", "Phone"], Some("Cell Phone"), TECHNOLOGY, true),
    ("Phone", &["Electronics"], None, TECHNOLOGY, false),
    ("Electronics", &[], None, TECHNOLOGY, false),
    ("Beach", &["Coast", "Nature", "Outdoors", "Sea", "Shoreline", "Water"], None, NATURE, false),
    ("Sea", &["Nature", "Outdoors", "Water"], Some("Ocean"), NATURE, false),
    ("Coast", &["Nature", "Outdoors", "Sea", "Shoreline", "Water"], None, NATURE, false),
    ("Shoreline", &["Nature", "Outdoors", "Water"], None, NATURE, false),
    ("Water", &["Nature", "Outdoors"], None, NATURE, false),
    ("Forest", &["Nature", "Outdoors", "Plant", "Tree", "Vegetation", "Woodland"], None, NATURE, false),
    ("Woodland", &["Nature", "Outdoors", "Plant", "Tree", "Vegetation"], Some("Grove"), NATURE, false),
    ("Vegetation", &["Nature", "Outdoors", "Plant"], None, NATURE, false),
    ("Tree", &["Plant"], None, "Plants and Flowers", true),
    ("Plant", &[], None, "Plants and Flowers", false),
    ("Nature", &["Outdoors"], None, NATURE, false),
    ("Outdoors", &[], None, NATURE, false),
    ("Kitchen", &["Indoors"], None, HOME, false),
    ("Indoors", &[], None, HOME, false),
    ("Chair", &["Furniture"], None, HOME, true),
    ("Furniture", &[], None, HOME, false),
    ("Church", &["Architecture", "Building"], None, BUILDINGS, false),
    ("Building", &["Architecture"], None, BUILDINGS, true),
    ("Architecture", &[], None, BUILDINGS, false),
    ("Pizza", &["Food"], None, FOOD, true),
    ("Food", &[], None, FOOD, false),
    ("Cup", &[], None, THINGS, true),
];

/// The labels that no other names as its parent: what a picture is said to show.
fn leaves() -> impl Iterator<Item = &'static Known> {
    KNOWN.iter().filter(|known| !KNOWN.iter().any(|other| other.1.contains(&known.0)))
}

/// The answer that follows from the picture's digest.
pub(super) fn derived(request: &Request) -> Value {
    let bytes = request.digest();
    match request.api {
        Api::DetectLabels => labels(request, &bytes),
        Api::DetectModerationLabels => moderation(&bytes),
        Api::DetectText => text(&bytes),
    }
}

fn labels(request: &Request, bytes: &[u8; 32]) -> Value {
    let leaves: Vec<&Known> = leaves().collect();
    let wanted = 2 + usize::from(bytes[0]) % 3;
    let mut found: Vec<(&Known, f64, Vec<Value>)> = Vec::new();
    for place in 0..wanted {
        let leaf = leaves[usize::from(bytes[1 + place]) % leaves.len()];
        let confidence = 55.0 + f64::from(bytes[8 + place]) * 44.9 / 255.0;
        let mut add = |known: &'static Known, confidence: f64| {
            if let Some(one) = found.iter_mut().find(|one| one.0.0 == known.0) {
                one.1 = one.1.max(confidence);
                return;
            }
            let boxes =
                if known.4 { vec![instance(&bytes[16 + place..], confidence)] } else { vec![] };
            found.push((known, confidence, boxes));
        };
        add(leaf, confidence);
        for parent in leaf.1 {
            let known = KNOWN.iter().find(|known| known.0 == *parent);
            add(known.expect("every parent has a line"), confidence);
        }
    }
    found.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.0.cmp(b.0.0)));
    let least = request.body["MinConfidence"].as_f64().unwrap_or(55.0);
    let most = request.body["MaxLabels"].as_u64().unwrap_or(1000) as usize;
    let labels = found.into_iter().filter(|(_, confidence, _)| *confidence >= least).take(most);
    let labels = labels.map(|((name, parents, alias, category, _), confidence, instances)| {
        let named = |names: &[&str]| names.iter().map(|name| json!({"Name": name})).collect();
        let parents: Vec<Value> = named(parents);
        let aliases: Vec<Value> = named(alias.as_slice());
        json!({
            "Name": name, "Confidence": confidence, "Instances": instances, "Parents": parents,
            "Aliases": aliases, "Categories": [{"Name": category}],
        })
    });
    json!({"Labels": labels.collect::<Vec<_>>(), "LabelModelVersion": "3.0"})
}

fn instance(bytes: &[u8], confidence: f64) -> Value {
    let part = |at: usize| f64::from(bytes[at]) / 255.0;
    let (left, top) = (part(0) * 0.5, part(1) * 0.5);
    let (width, height) = (0.1 + part(2) * 0.4, 0.1 + part(3) * 0.4);
    let frame = json!({"Left": left, "Top": top, "Width": width, "Height": height});
    json!({"BoundingBox": frame, "Confidence": confidence})
}

fn moderation(bytes: &[u8; 32]) -> Value {
    let confidence = 55.0 + f64::from(bytes[8]) * 44.9 / 255.0;
    let found = match bytes[0] % 4 {
        0 => json!([
            {"Name": "Alcoholic Beverages", "ParentName": "Alcohol", "Confidence": confidence, "TaxonomyLevel": 2},
            {"Name": "Alcohol", "ParentName": "", "Confidence": confidence, "TaxonomyLevel": 1},
        ]),
        _ => json!([]),
    };
    json!({"ModerationLabels": found, "ModerationModelVersion": "7.0", "ContentTypes": []})
}

fn text(bytes: &[u8; 32]) -> Value {
    let found = match bytes[0] % 2 {
        0 => json!([{
            "DetectedText": "GLASS PLATE", "Type": "LINE", "Id": 0, "Confidence": 98.5,
            "Geometry": {"BoundingBox": {"Left": 0.1, "Top": 0.8, "Width": 0.3, "Height": 0.1}},
        }]),
        _ => json!([]),
    };
    json!({"TextDetections": found, "TextModelVersion": "3.0"})
}
