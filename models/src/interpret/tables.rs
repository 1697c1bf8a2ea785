//! The tables that say what claims mean: where things are seen, what scenes and things are about,
//! which broad category a thing is in, since when there are such things.
//!
//! They lie in `models/taxonomy`, each with its columns, source and licence at the top. A
//! row about a thing holds for all narrower ones without a nearer row.

use std::collections::HashMap;
use std::sync::Arc;

use glassplate_pipeline::label::Synset;
use glassplate_pipeline::ports::Vocabulary as _;

use super::looks::{self, Looks};
use crate::taxonomy::{Class, Objects};

const SCENES: &str = include_str!("../../taxonomy/scenes.tsv");
const OBJECT_SCENES: &str = include_str!("../../taxonomy/object-scenes.tsv");
const CONCEPTS: &str = include_str!("../../taxonomy/concepts.tsv");
const CONCEPT_RULES: &str = include_str!("../../taxonomy/concept-rules.tsv");
const CATEGORIES: &str = include_str!("../../taxonomy/categories.tsv");
const FIRST_YEARS: &str = include_str!("../../taxonomy/first-years.tsv");

/// All that stands in the tables, for the fingerprint.
pub(super) const TEXTS: [&str; 7] =
    [SCENES, OBJECT_SCENES, CONCEPTS, CONCEPT_RULES, CATEGORIES, FIRST_YEARS, looks::TEXT];

/// One scene of Places365.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) name: &'static str,
    pub(super) indoor: bool,
    pub(super) group: &'static str,
    /// Broader words: those of the table, the group, the setting.
    pub(super) parents: Vec<String>,
}

/// One concept.
#[derive(Debug)]
pub(super) struct Concept {
    pub(super) name: &'static str,
    /// Names of all broader concepts, nearest first.
    pub(super) parents: Vec<String>,
    /// 1 rare to 4 very common.
    pub(super) commonness: f32,
}

/// Strengths towards many scenes or concepts, by index.
pub(super) type Strengths = Vec<(usize, f32)>;

/// The tables, read and resolved.
#[derive(Debug)]
pub(super) struct Tables {
    objects: Arc<Objects>,
    pub(super) scenes: Vec<Scene>,
    pub(super) concepts: Vec<Concept>,
    scene_named: HashMap<&'static str, usize>,
    concept_named: HashMap<&'static str, usize>,
    /// By thing: which scenes it is seen in.
    object_scenes: HashMap<&'static str, Strengths>,
    /// By scene: which concepts it speaks for.
    pub(super) scene_concepts: Vec<Strengths>,
    /// By thing: which concepts it speaks for.
    object_concepts: HashMap<String, Strengths>,
    categories: HashMap<&'static str, &'static str>,
    first_years: HashMap<&'static str, (i64, &'static str)>,
    /// What embeddings say of the place.
    pub(super) looks: Looks,
    /// The things of COCO, which the fitted detectors know, by synset.
    located: HashMap<String, Class>,
}

/// Where each of Places365's keys stands among the scenes.
pub(super) fn scene_keys() -> HashMap<&'static str, usize> {
    rows(SCENES).enumerate().map(|(at, row)| (row[0], at)).collect()
}

/// A thing and everything broader, as the tables name them: synsets, or `~name`.
pub(super) type Line = Vec<String>;

impl Tables {
    /// Reads the tables, which a test reads whole.
    pub(super) fn load(objects: Arc<Objects>) -> Self {
        let scenes: Vec<_> = rows(SCENES).map(|row| Scene::read(&row)).collect();
        let concepts = concepts();
        let scene_keys = scene_keys();
        let (scene_concepts, object_concepts) =
            concept_rules(&objects, &scenes, &scene_keys, &concepts);
        let year = |row: Vec<&'static str>| Some((row[0], (row[2].parse().ok()?, row[3])));
        let coco = objects.classes("coco-80").unwrap_or_default().into_iter();
        Self {
            located: coco.filter_map(|c| Some((c.wordnet.as_ref()?.to_string(), c))).collect(),
            scene_named: scenes.iter().enumerate().map(|(at, scene)| (scene.name, at)).collect(),
            concept_named: concepts.iter().enumerate().map(|(at, one)| (one.name, at)).collect(),
            object_scenes: object_scenes(&scenes, &scene_keys),
            scene_concepts,
            object_concepts,
            categories: rows(CATEGORIES).map(|row| (row[0], row[2])).collect(),
            first_years: rows(FIRST_YEARS).filter_map(year).collect(),
            looks: Looks::load(&scene_keys),
            objects,
            scenes,
            concepts,
        }
    }

    /// Finds a scene by its plain name.
    pub(super) fn scene(&self, name: &str) -> Option<usize> {
        self.scene_named.get(name).copied()
    }

    /// Finds a concept by its name.
    pub(super) fn concept(&self, name: &str) -> Option<usize> {
        self.concept_named.get(name).copied()
    }

    /// Tells a thing's line: itself, then everything broader, nearest first.
    pub(super) fn line(&self, name: &str, wordnet: Option<&Synset>, parents: &[String]) -> Line {
        if let Some(synset) = wordnet {
            return self.line_of(synset);
        }
        // A thing that WordNet lacks hangs on the broader one that its first parent names.
        let broader =
            parents.first().and_then(|parent| self.objects.lookup(parent).into_iter().next());
        let mut line = vec![format!("~{name}")];
        line.extend(broader.iter().flat_map(|synset| self.line_of(synset)));
        line
    }

    /// The line of a synset.
    pub(super) fn line_of(&self, synset: &Synset) -> Line {
        let broader = self.objects.ancestors(synset).into_iter().map(|(synset, _)| synset);
        std::iter::once(synset.clone()).chain(broader).map(|synset| synset.to_string()).collect()
    }

    /// The preferred name of a synset and those of everything broader.
    pub(super) fn names(&self, synset: &Synset) -> (String, Vec<String>) {
        let name = self.objects.synonyms(synset).into_iter().next().unwrap_or_default();
        let mut parents: Vec<String> = Vec::new();
        for (_, parent) in self.objects.ancestors(synset) {
            if parent != name && !parents.contains(&parent) {
                parents.push(parent);
            }
        }
        (name, parents)
    }

    /// Tells in which scenes a thing is seen, from the nearest row.
    pub(super) fn scenes_of(&self, line: &Line) -> &[(usize, f32)] {
        // What WordNet lacks has a row of its own or none: its broader term is too broad.
        let own_only = line.first().is_some_and(|first| first.starts_with('~'));
        let candidates = if own_only { &line[..1] } else { &line[..] };
        let nearest = candidates.iter().find_map(|name| self.object_scenes.get(name.as_str()));
        nearest.map(Vec::as_slice).unwrap_or_default()
    }

    /// Tells which concepts a thing speaks for: of several rules about it the strongest.
    pub(super) fn concepts_of(&self, line: &Line) -> HashMap<usize, f32> {
        let mut strongest: HashMap<usize, f32> = HashMap::new();
        for rules in line.iter().filter_map(|name| self.object_concepts.get(name)) {
            for &(concept, strength) in rules {
                let known = strongest.entry(concept).or_default();
                if strength.abs() > known.abs() {
                    *known = strength;
                }
            }
        }
        strongest
    }

    /// Tells which class of the fitted detectors a synset is.
    pub(super) fn located_class(&self, synset: &str) -> Option<&Class> {
        self.located.get(synset)
    }

    /// Tells whether a table has a row of its own for a synset: then it is a word that people use.
    pub(super) fn is_used(&self, synset: &str) -> bool {
        self.object_scenes.contains_key(synset)
            || self.object_concepts.contains_key(synset)
            || self.categories.contains_key(synset)
    }

    /// Tells the broad category of a thing, from the nearest row.
    pub(super) fn category(&self, line: &Line) -> Option<&'static str> {
        line.iter().find_map(|name| self.categories.get(name.as_str())).copied()
    }

    /// Tells since when there are such things, and why.
    pub(super) fn first_year(&self, line: &Line) -> Option<(i64, &'static str)> {
        line.iter().find_map(|name| self.first_years.get(name.as_str())).copied()
    }
}

impl Scene {
    fn read(row: &[&'static str]) -> Self {
        let broader = row.get(6).copied().unwrap_or_default().split('|').filter(|b| !b.is_empty());
        let parents = broader.chain([row[4], row[2]]).map(str::to_owned).collect();
        Self { name: row[1], indoor: row[2] == "indoor", group: row[4], parents }
    }
}

fn rows(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    table
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split('\t').collect())
}

/// What the words behind the strengths of concepts come to, sometimes to nearly always, in parts
/// of the weight that is fitted: the upper ones stand further apart than the lower.
fn concept_strength(written: f32) -> f32 {
    const OF_WRITTEN: [f32; 5] = [0.0, 0.4, 1.2, 2.4, 4.0];
    OF_WRITTEN[(written.abs() as usize).min(4)].copysign(written)
}

/// Reads `WHAT STRENGTH, WHAT STRENGTH`.
fn rules(text: &'static str) -> impl Iterator<Item = (&'static str, f32)> {
    text.split(',').filter_map(|rule| {
        let (what, strength) = rule.trim().rsplit_once(' ')?;
        Some((what, strength.parse().ok()?))
    })
}

fn concepts() -> Vec<Concept> {
    let broader: HashMap<_, Vec<_>> = rows(CONCEPTS)
        .map(|row| (row[0], row[3].split('|').filter(|b| !b.is_empty()).collect()))
        .collect();
    let all_broader = |name| {
        let mut found: Vec<String> = Vec::new();
        let mut next: Vec<&str> = broader.get(name).cloned().unwrap_or_default();
        while !next.is_empty() {
            next.retain(|name| !found.iter().any(|known| known == name));
            found.extend(next.iter().map(|name| (*name).to_owned()));
            next = next.iter().filter_map(|name| broader.get(name)).flatten().copied().collect();
        }
        found
    };
    rows(CONCEPTS)
        .map(|row| Concept {
            name: row[0],
            parents: all_broader(row[0]),
            commonness: row[4].parse().unwrap_or(1.0),
        })
        .collect()
}

fn object_scenes(
    scenes: &[Scene],
    keys: &HashMap<&str, usize>,
) -> HashMap<&'static str, Strengths> {
    let strengths = |text| {
        let mut sums = vec![0.0_f32; scenes.len()];
        for (what, strength) in rules(text) {
            match what.strip_prefix('@') {
                None => sums[keys[what]] += strength,
                Some(many) => {
                    for (sum, scene) in sums.iter_mut().zip(scenes) {
                        if scene.is(many) {
                            *sum += strength;
                        }
                    }
                }
            }
        }
        sums.into_iter().enumerate().filter(|(_, sum)| *sum != 0.0).collect()
    };
    rows(OBJECT_SCENES)
        .map(|row| (row[0], strengths(row.get(2).copied().unwrap_or_default())))
        .collect()
}

impl Scene {
    /// Tells whether a group or a setting holds the scene.
    fn is(&self, many: &str) -> bool {
        many == self.group || many == if self.indoor { "indoor" } else { "outdoor" }
    }
}

/// Reads the rules about concepts: by scene, and by thing.
fn concept_rules(
    objects: &Objects,
    scenes: &[Scene],
    keys: &HashMap<&str, usize>,
    concepts: &[Concept],
) -> (Vec<Strengths>, HashMap<String, Strengths>) {
    let named: HashMap<_, _> =
        concepts.iter().enumerate().map(|(at, concept)| (concept.name, at)).collect();
    let mut by_scene = vec![Strengths::new(); scenes.len()];
    let mut by_object: HashMap<String, Strengths> = HashMap::new();
    for row in rows(CONCEPT_RULES) {
        let concept = named[row[0]];
        // What is said of a scene itself goes before its group, and its group before its setting.
        let [mut own, mut group, mut setting] = [(); 3].map(|()| vec![0.0_f32; scenes.len()]);
        for (what, strength) in rules(row[1]) {
            let strength = concept_strength(strength);
            match what.split_once(':') {
                Some(("scene", key)) => own[keys[key]] = strength,
                Some(("group", name)) => add(&mut group, scenes, name, strength),
                Some(("setting", name)) => add(&mut setting, scenes, name, strength),
                Some(("object", name)) => {
                    for thing in things_named(objects, name) {
                        by_object.entry(thing).or_default().push((concept, strength));
                    }
                }
                _ => {}
            }
        }
        for (at, into) in by_scene.iter_mut().enumerate() {
            let strength = [own[at], group[at], setting[at]].into_iter().find(|s| *s != 0.0);
            into.extend(strength.map(|strength| (concept, strength)));
        }
    }
    (by_scene, by_object)
}

fn add(sums: &mut [f32], scenes: &[Scene], many: &str, strength: f32) {
    for (sum, scene) in sums.iter_mut().zip(scenes) {
        if scene.is(many) {
            *sum += strength;
        }
    }
}

/// The things that a rule means: a synset, all synsets preferably called so, or what WordNet lacks.
fn things_named(objects: &Objects, name: &str) -> Vec<String> {
    if Synset::parse(name).is_some() {
        return vec![name.to_owned()];
    }
    let preferred = |synset: &Synset| objects.synonyms(synset).first().is_some_and(|n| n == name);
    let mut things: Vec<String> =
        objects.lookup(name).iter().filter(|s| preferred(s)).map(Synset::to_string).collect();
    things.push(format!("~{name}"));
    things
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_of_every_table_is_understood() {
        let objects = Objects::load();
        let tables = Tables::load(objects.clone());
        assert_eq!((tables.scenes.len(), tables.concepts.len() > 200), (365, true));
        let keys: HashMap<_, _> = rows(SCENES).map(|row| (row[0], ())).collect();
        let many = |name: &str| tables.scenes.iter().any(|scene| scene.is(name));
        let known = |thing: &str| {
            thing.starts_with('~')
                || Synset::parse(thing).is_some_and(|s| !objects.synonyms(&s).is_empty())
        };
        for row in rows(OBJECT_SCENES).filter(|row| row.len() > 2 && !row[2].is_empty()) {
            assert!(known(row[0]), "{row:?}");
            assert_eq!(rules(row[2]).count(), row[2].split(',').count(), "{row:?}");
            for (what, _) in rules(row[2]) {
                let fine = what.strip_prefix('@').map_or(keys.contains_key(what), many);
                assert!(fine, "{}: {what}", row[1]);
            }
        }
        for row in rows(CONCEPT_RULES) {
            assert!(tables.concept(row[0]).is_some(), "{row:?}");
            assert_eq!(rules(row[1]).count(), row[1].split(',').count(), "{}", row[0]);
            for (what, strength) in rules(row[1]) {
                let (kind, name) = what.split_once(':').unwrap();
                let fine = match kind {
                    "scene" => keys.contains_key(name),
                    "group" | "setting" => many(name),
                    "object" => things_named(&objects, name).iter().any(|thing| known(thing)),
                    _ => false,
                };
                assert!(
                    fine && strength.fract() == 0.0 && (1.0..=4.0).contains(&strength.abs()),
                    "{}: {what}",
                    row[0]
                );
            }
        }
        for row in rows(CATEGORIES).chain(rows(FIRST_YEARS)) {
            assert!(known(row[0]), "{row:?}");
        }
        for concept in &tables.concepts {
            assert!(concept.parents.iter().all(|p| tables.concept(p).is_some()), "{concept:?}");
        }
    }

    #[test]
    fn every_class_has_a_category_and_the_nearest_row_decides() {
        let tables = Tables::load(Objects::load());
        for list in ["imagenet-1k", "coco-80"] {
            for class in tables.objects.classes(list).unwrap() {
                let line = tables.line(&class.name, class.wordnet.as_ref(), &class.parents);
                assert!(tables.category(&line).is_some(), "{}", class.name);
            }
        }
        let line = tables.line_of(&Synset::parse("n02085620").unwrap());
        assert_eq!(tables.category(&line), Some("animals and pets"));
    }

    #[test]
    fn scenes_carry_their_broader_words_and_their_setting() {
        let tables = Tables::load(Objects::load());
        let church = &tables.scenes[tables.scene("church exterior").unwrap()];
        assert!(!church.indoor && church.parents.contains(&"outdoor".to_owned()));
    }
}
