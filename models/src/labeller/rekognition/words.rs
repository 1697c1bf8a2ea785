//! Rekognition's names in our words, so that its "Dog" and a network's chihuahua meet.
//!
//! `taxonomy/rekognition.tsv` decides first. Else a name is looked for among our objects, scenes
//! and concepts, then its aliases; of several objects of one name the service's own parents and
//! categories choose, and one that they contradict is none. What is not found stays an
//! object under the service's name and parents.

use std::collections::HashMap;
use std::sync::Arc;

use glassplate_pipeline::label::{Instance, Label, LabelKind, Synset};
use glassplate_pipeline::ports::{Lexicon as _, Vocabulary as _, Word};
use serde::Deserialize;
use serde_json::Value;

use super::picture::Placement;
use crate::taxonomy::{Objects, rows};
use crate::vocabulary::Words;

const REKOGNITION: &str = include_str!("../../../taxonomy/rekognition.tsv");

/// What is an animal, and what is a plant, in WordNet.
const ANIMAL: &str = "n00015388";
const PLANT: &str = "n00017222";

/// Reads the service's answers.
#[derive(Debug)]
pub(super) struct Reading {
    objects: Arc<Objects>,
    words: Words,
    /// By name in lower case; `None` for names that say nothing.
    table: HashMap<&'static str, Option<Row>>,
}

/// What a name of the service means.
#[derive(Debug)]
enum Row {
    Object(Synset),
    /// A scene or a concept of ours, by its name.
    Other(LabelKind, &'static str),
    /// An object that our words lack, whatever else is called so.
    Stranger,
}

/// One label as the service tells it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    name: String,
    confidence: f32,
    #[serde(default)]
    instances: Vec<Seen>,
    #[serde(default)]
    parents: Vec<Named>,
    #[serde(default)]
    aliases: Vec<Named>,
    #[serde(default)]
    categories: Vec<Named>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Seen {
    bounding_box: Option<Frame>,
    confidence: Option<f32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Frame {
    left: f32,
    top: f32,
    width: f32,
    height: f32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Moderated {
    name: String,
    #[serde(default)]
    parent_name: Option<String>,
    confidence: f32,
}

impl Reading {
    pub(super) fn load() -> Self {
        let (objects, words) = (Objects::load(), Words::load());
        Self { objects, words, table: rows(REKOGNITION).filter_map(row).collect() }
    }

    /// Reads an answer of DetectLabels; what cannot be read of it says nothing.
    pub(super) fn labels(&self, answer: &Value, placement: &Placement) -> Vec<Label> {
        let told = answer["Labels"].as_array().map(Vec::as_slice).unwrap_or_default();
        let told = told.iter().filter_map(|label| Told::deserialize(label).ok());
        merged(told.filter_map(|told| self.label(&told, placement)))
    }

    /// Reads an answer of DetectModerationLabels.
    pub(super) fn moderation(answer: &Value) -> Vec<Label> {
        let told = answer["ModerationLabels"].as_array().map(Vec::as_slice).unwrap_or_default();
        let told: Vec<Moderated> =
            told.iter().filter_map(|label| Moderated::deserialize(label).ok()).collect();
        let broader = |name: &str| {
            let label = told.iter().find(|label| label.name == name)?;
            label.parent_name.as_deref().filter(|parent| !parent.is_empty())
        };
        merged(told.iter().map(|label| {
            let mut parents = Vec::new();
            let mut next = broader(&label.name);
            while let Some(parent) = next.filter(|_| parents.len() < told.len()) {
                parents.push(parent.to_lowercase());
                next = broader(parent);
            }
            Label {
                name: label.name.to_lowercase(),
                kind: LabelKind::Concept,
                confidence: fraction(label.confidence),
                wordnet: None,
                parents,
                instances: Vec::new(),
                evidence: Vec::new(),
            }
        }))
    }

    fn label(&self, told: &Told, placement: &Placement) -> Option<Label> {
        let word = self.word(told)?;
        let seen = told.instances.iter().filter_map(|seen| {
            let Frame { left, top, width, height } = seen.bounding_box.as_ref()?;
            let confidence = fraction(seen.confidence.unwrap_or(told.confidence));
            Some(Instance { frame: placement.back([*left, *top, *width, *height]), confidence })
        });
        let mut instances: Vec<Instance> = seen.collect();
        instances.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        if word.kind != LabelKind::Object {
            instances.clear();
        }
        Some(Label {
            name: word.name,
            kind: word.kind,
            confidence: fraction(told.confidence),
            wordnet: word.wordnet,
            parents: word.parents,
            instances,
            evidence: Vec::new(),
        })
    }

    /// What the service means; `None` for what says nothing.
    fn word(&self, told: &Told) -> Option<Word> {
        let name = told.name.to_lowercase();
        match self.table.get(&*name) {
            Some(None) => return None,
            Some(Some(Row::Stranger)) => return Some(self.stranger(told)),
            Some(Some(Row::Object(synset))) if self.agrees(synset, told) => {
                return Some(self.object(synset));
            }
            Some(Some(Row::Other(kind, name))) => {
                if let Some(word) = self.other(*kind, name) {
                    return Some(word);
                }
            }
            _ => {}
        }
        let aliases = told.aliases.iter().map(|alias| alias.name.to_lowercase());
        let names: Vec<String> = std::iter::once(name).chain(aliases).collect();
        let found = names.iter().find_map(|name| self.found(name, told));
        Some(found.unwrap_or_else(|| self.stranger(told)))
    }

    /// Looks a name up: what is preferably called so first, and objects before scenes before concepts.
    fn found(&self, name: &str, told: &Told) -> Option<Word> {
        let mut words = self.words.find(name);
        words.retain(|word| word.wordnet.as_ref().is_none_or(|synset| self.agrees(synset, told)));
        // Synonyms of concepts are loose: a tree is no forest.
        words.retain(|word| word.kind != LabelKind::Concept || word.name == name);
        let parents: Vec<Synset> =
            told.parents.iter().filter_map(|parent| self.parent(&parent.name)).collect();
        let under = |word: &Word| {
            let Some(synset) = &word.wordnet else { return false };
            self.objects.ancestors(synset).iter().any(|(above, _)| parents.contains(above))
        };
        // Otherwise the order of the vocabulary stays: those that labellers use come first.
        words.sort_by_key(|word| (word.name != name, !under(word), word.kind));
        words.into_iter().next()
    }

    /// The object that a parent's name means.
    fn parent(&self, name: &str) -> Option<Synset> {
        let name = name.to_lowercase();
        match self.table.get(&*name) {
            Some(Some(Row::Object(synset))) => Some(synset.clone()),
            Some(_) => None,
            None => match &self.objects.lookup(&name)[..] {
                [synset] => Some(synset.clone()),
                _ => None,
            },
        }
    }

    /// Tells whether an object is of the kingdom that the service's categories and parents say.
    fn agrees(&self, synset: &Synset, told: &Told) -> bool {
        let says = |category: &str, parent: &str| {
            told.categories.iter().any(|one| one.name == category)
                || told.parents.iter().any(|one| one.name == parent)
        };
        let is = |root: &str| {
            let mut line = self.objects.ancestors(synset).into_iter().map(|(above, _)| above);
            synset.as_str() == root || line.any(|above| above.as_str() == root)
        };
        let told_something = !told.categories.is_empty() || !told.parents.is_empty();
        let animal = says("Animals and Pets", "Animal");
        let plant = says("Plants and Flowers", "Plant");
        let food = says("Food and Beverage", "Food");
        // What is eaten may be an animal or a plant; accessories of pets are neither.
        (!told_something || food || animal == is(ANIMAL)) && (!plant || is(PLANT) || food)
    }

    fn object(&self, synset: &Synset) -> Word {
        let name = self.objects.synonyms(synset).into_iter().next().unwrap_or_default();
        let mut parents: Vec<String> = Vec::new();
        for (_, parent) in self.objects.ancestors(synset) {
            if parent != name && !parents.contains(&parent) {
                parents.push(parent);
            }
        }
        Word { name, kind: LabelKind::Object, wordnet: Some(synset.clone()), parents }
    }

    fn other(&self, kind: LabelKind, name: &str) -> Option<Word> {
        // The setting is a scene that stands in no table.
        if kind == LabelKind::Scene && matches!(name, "indoor" | "outdoor") {
            let name = name.to_owned();
            return Some(Word { name, kind, wordnet: None, parents: Vec::new() });
        }
        self.words.find(name).into_iter().find(|word| word.kind == kind && word.name == name)
    }

    /// An object under the service's own name and parents; the narrowest parent first.
    fn stranger(&self, told: &Told) -> Word {
        let depth = |name: &str| {
            self.parent(name).map_or(0, |synset| 1 + self.objects.ancestors(&synset).len())
        };
        let mut parents: Vec<&str> = told.parents.iter().map(|parent| &*parent.name).collect();
        parents.sort_by_key(|name| std::cmp::Reverse(depth(name)));
        Word {
            name: told.name.to_lowercase(),
            kind: LabelKind::Object,
            wordnet: None,
            parents: parents.into_iter().map(str::to_lowercase).collect(),
        }
    }
}

fn row(row: &'static str) -> Option<(&'static str, Option<Row>)> {
    let mut columns = row.split('\t');
    let name = columns.next()?;
    let meaning = columns.next()?;
    let row = match meaning.split_once(':') {
        Some(("scene", scene)) => Some(Row::Other(LabelKind::Scene, scene)),
        Some(("concept", concept)) => Some(Row::Other(LabelKind::Concept, concept)),
        _ => match meaning {
            "-" => None,
            "itself" => Some(Row::Stranger),
            synset => Some(Row::Object(Synset::parse(synset)?)),
        },
    };
    Some((name, row))
}

/// Two names of the service may be one of ours: the surer stays, with the places of both.
fn merged(labels: impl Iterator<Item = Label>) -> Vec<Label> {
    let mut kept: Vec<Label> = Vec::new();
    for label in labels {
        let known =
            kept.iter_mut().find(|known| known.kind == label.kind && known.name == label.name);
        match known {
            None => kept.push(label),
            Some(known) => {
                known.confidence = known.confidence.max(label.confidence);
                let new = |one: &Instance| !known.instances.iter().any(|k| k.frame == one.frame);
                let more: Vec<Instance> = label.instances.into_iter().filter(new).collect();
                known.instances.extend(more);
            }
        }
    }
    kept.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then_with(|| a.name.cmp(&b.name)));
    kept
}

fn fraction(hundredths: f32) -> f32 {
    (hundredths / 100.0).clamp(0.0, 1.0)
}

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
