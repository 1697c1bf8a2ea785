//! The words that tables of truth are written in, resolved to what records say.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use glassplate_pipeline::label::{LabelKind, Synset};
use glassplate_pipeline::ports::Vocabulary as _;
use glassplate_pipeline::record::RecordLabel;
use serde::{Deserialize, Serialize};

use crate::taxonomy::{Class, Objects};

const SCENES: &str = include_str!("../../taxonomy/scenes.tsv");
const CONCEPTS: &str = include_str!("../../taxonomy/concepts.tsv");

/// COCO's own names (cocodataset.org) where the class list has a plainer one.
const COCO_NAMES: [(&str, &str); 8] = [
    ("tie", "necktie"),
    ("skis", "ski"),
    ("tv", "television"),
    ("mouse", "computer mouse"),
    ("remote", "remote control"),
    ("keyboard", "computer keyboard"),
    ("cell phone", "mobile phone"),
    ("hair drier", "hair dryer"),
];

/// What is edible, alive or worn, by synsets below which it lies: `food` as a substance, and
/// as solid food with all produce; a ripe fruit of a plant may be neither.
const KINDS: [(&str, Kind); 4] = [
    ("n00015388", Kind::Animal),
    ("n00021265", Kind::Food),
    ("n07555863", Kind::Food),
    ("n03051540", Kind::Clothing),
];

/// The broad sort of thing that confusable pictures are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An animal.
    Animal,
    /// Something to eat or drink.
    Food,
    /// Something to wear.
    Clothing,
}

/// Whether a scene lies within four walls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// Indoors.
    Indoor,
    /// Outdoors.
    Outdoor,
}

/// A kind of object as a table of truth means it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Thing {
    /// The name, as the class list has it.
    pub name: String,
    /// The synsets that it may be; none where only the name tells.
    pub synsets: BTreeSet<Synset>,
}

/// All words, resolved: read once.
#[derive(Debug)]
pub struct Words {
    objects: Arc<Objects>,
    coco: Arc<[Thing]>,
    imagenet: Vec<Class>,
    scenes: Vec<Scene>,
    scene_by_name: HashMap<&'static str, usize>,
    scene_by_word: HashMap<&'static str, usize>,
    concepts: HashMap<&'static str, &'static str>,
}

#[derive(Debug)]
struct Scene {
    key: &'static str,
    setting: Setting,
}

impl Words {
    /// Reads the built-in tables.
    pub fn load(objects: Arc<Objects>) -> Self {
        let list = |name: &str| objects.classes(name).expect("a list that is built in");
        let coco = list("coco-80").into_iter().map(Thing::of).collect();
        let imagenet = list("imagenet-1k");
        let (mut scenes, mut scene_by_name) = (Vec::new(), HashMap::new());
        let rows: Vec<Vec<&str>> = rows(SCENES).map(|row| row.split('\t').collect()).collect();
        for (at, row) in rows.iter().enumerate() {
            let setting = if row[2] == "indoor" { Setting::Indoor } else { Setting::Outdoor };
            scenes.push(Scene { key: row[0], setting });
            scene_by_name.entry(row[1]).or_insert(at);
        }
        // A key goes before a name, a name before a synonym.
        let mut scene_by_word = HashMap::new();
        for column in [0, 1, 5] {
            for (at, row) in rows.iter().enumerate() {
                for word in row.get(column).into_iter().flat_map(|cell| cell.split('|')) {
                    scene_by_word.entry(word).or_insert(at);
                }
            }
        }
        let mut concepts = HashMap::new();
        for column in [0, 1] {
            for row in self::rows(CONCEPTS) {
                let cells: Vec<&str> = row.split('\t').collect();
                for word in cells[column].split('|').filter(|word| !word.is_empty()) {
                    concepts.entry(word).or_insert(cells[0]);
                }
            }
        }
        Self { objects, coco, imagenet, scenes, scene_by_name, scene_by_word, concepts }
    }

    /// COCO's 80 classes.
    pub fn coco(&self) -> Arc<[Thing]> {
        Arc::clone(&self.coco)
    }

    /// Resolves a name of COCO's, its own or ours, to its place among [`Self::coco`].
    pub fn coco_class(&self, name: &str) -> Option<usize> {
        let ours =
            COCO_NAMES.iter().find(|(theirs, _)| *theirs == name).map_or(name, |pair| pair.1);
        self.coco.iter().position(|thing| thing.name == ours)
    }

    /// Resolves any name of an object: a class of a network goes before other senses of the word.
    pub fn thing(&self, name: &str) -> Thing {
        let name = name.trim().to_lowercase();
        if let Some(at) = self.coco_class(&name) {
            return self.coco[at].clone();
        }
        if let Some(class) = self.imagenet.iter().find(|class| class.name == name) {
            return Thing::of(class.clone());
        }
        let synsets = self.objects.lookup(&name).into_iter().collect();
        Thing { name, synsets }
    }

    /// Returns ImageNet's class of a synset; its name may be shared by a twin.
    pub fn imagenet_class(&self, wnid: &str, index: Option<usize>) -> Option<Thing> {
        let synset = Synset::parse(wnid)?;
        let class = index
            .and_then(|at| self.imagenet.get(at))
            .or_else(|| self.imagenet.iter().find(|class| class.wordnet.as_ref() == Some(&synset)));
        let mut thing = class.cloned().map_or_else(|| self.thing(&synset.to_string()), Thing::of);
        thing.synsets.insert(synset);
        Some(thing)
    }

    /// Tells which of the things a label names: itself or one of its broader terms.
    pub fn things_named<'a>(
        &'a self,
        label: &'a RecordLabel,
        things: &'a [Thing],
    ) -> impl Iterator<Item = usize> + 'a {
        let synsets = self.above(label);
        (0..things.len()).filter(move |&at| {
            let thing = &things[at];
            thing.name == label.name || !thing.synsets.is_disjoint(&synsets)
        })
    }

    /// Returns a label's synset and all that lie above it.
    fn above(&self, label: &RecordLabel) -> BTreeSet<Synset> {
        let Some(synset) = &label.wordnet else { return BTreeSet::new() };
        let ancestors = self.objects.ancestors(synset).into_iter().map(|(synset, _)| synset);
        ancestors.chain([synset.clone()]).collect()
    }

    /// Tells the kind of an object: by its category where it has one, else by its broader terms.
    pub fn kind_of(&self, label: &RecordLabel) -> Option<Kind> {
        if let Some(category) = &label.category {
            return match category.as_str() {
                "animals and pets" => Some(Kind::Animal),
                "food and beverage" => Some(Kind::Food),
                "apparel and accessories" => Some(Kind::Clothing),
                _ => None,
            };
        }
        let above = self.above(label);
        let known = KINDS.iter().find(|(synset, _)| above.iter().any(|s| s.as_str() == *synset));
        known.map(|(_, kind)| *kind)
    }

    /// Resolves a scene as a table of truth writes it (key, name or synonym) to its key; an
    /// unknown word stays as it is, and no label will match it.
    pub fn scene(&self, word: &str) -> String {
        let word = word.trim();
        let at = self
            .scene_by_word
            .get(word)
            .or_else(|| self.scene_by_word.get(word.to_lowercase().as_str()));
        at.map_or(word, |&at| self.scenes[at].key).to_owned()
    }

    /// Tells whether a word names a scene.
    pub fn knows_scene(&self, word: &str) -> bool {
        self.scene_by_word.contains_key(word)
    }

    /// Returns the key of the scene that a label names.
    pub fn scene_of<'a>(&'a self, label: &'a RecordLabel) -> &'a str {
        let at = self.scene_by_name.get(label.name.as_str());
        at.map_or(label.name.as_str(), |&at| self.scenes[at].key)
    }

    /// Tells whether a label names one of ImageNet's classes.
    pub(super) fn is_imagenet_class(&self, label: &RecordLabel) -> bool {
        self.imagenet.iter().any(|class| match (&class.wordnet, &label.wordnet) {
            (Some(a), Some(b)) => a == b,
            _ => class.name == label.name,
        })
    }

    /// Tells the setting that a label is, where it is one and no scene of Places365.
    pub fn setting_of(label: &RecordLabel) -> Option<Setting> {
        match (label.kind, label.name.as_str()) {
            (LabelKind::Scene, "indoor") => Some(Setting::Indoor),
            (LabelKind::Scene, "outdoor") => Some(Setting::Outdoor),
            _ => None,
        }
    }

    /// Tells where a picture was taken: as its own label says, else by the confidences of its
    /// scenes; none without a scene.
    pub fn setting(&self, labels: &[RecordLabel]) -> Option<Setting> {
        if let Some(told) = labels.iter().find_map(Self::setting_of) {
            return Some(told);
        }
        let (mut indoor, mut outdoor) = (0.0, 0.0);
        for label in labels.iter().filter(|label| label.kind == LabelKind::Scene) {
            match self.scene_by_name.get(label.name.as_str()).map(|&at| self.scenes[at].setting) {
                Some(Setting::Indoor) => indoor += label.confidence,
                Some(Setting::Outdoor) => outdoor += label.confidence,
                None => {}
            }
        }
        match indoor + outdoor {
            0.0 => None,
            _ if indoor > outdoor => Some(Setting::Indoor),
            _ => Some(Setting::Outdoor),
        }
    }

    /// Resolves a concept, by name or synonym, to the name of ours; others stay as they are.
    pub fn concept(&self, word: &str) -> String {
        let word = word.trim().to_lowercase();
        self.concepts.get(word.as_str()).map_or(word.clone(), |&name| name.to_owned())
    }
}

impl Thing {
    fn of(class: Class) -> Self {
        Self { name: class.name, synsets: class.wordnet.into_iter().collect() }
    }
}

fn rows(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}
