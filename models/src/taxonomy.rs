//! The nouns that labellers use: names, synonyms, broader terms; and the class lists.
//!
//! The objects' tables (`models/taxonomy`) are derived from WordNet 3.0; all are part of the
//! program. Scenes and concepts are looked up in
//! [`crate::vocabulary`].

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::label::{LabelKind, Synset};
use glassplate_pipeline::ports::Vocabulary;

const OBJECTS: &str = include_str!("../taxonomy/objects.tsv");
const IMAGENET_1K: &str = include_str!("../taxonomy/imagenet-1k.tsv");
const COCO_80: &str = include_str!("../taxonomy/coco-80.tsv");
pub(crate) const SCENES: &str = include_str!("../taxonomy/scenes.tsv");
pub(crate) const CONCEPTS: &str = include_str!("../taxonomy/concepts.tsv");

/// What must accompany the tables: WordNet's licence and that of the class names.
pub const NOTICES: [&str; 2] = [
    include_str!("../taxonomy/WORDNET-LICENCE.txt"),
    include_str!("../taxonomy/CLEAN-NAMES-LICENCE.txt"),
];

/// The vocabulary of objects: every class that a labeller knows, and all their ancestors.
#[derive(Debug)]
pub struct Objects {
    nouns: Vec<Noun>,
    by_synset: HashMap<&'static str, usize>,
    by_lemma: HashMap<&'static str, Vec<usize>>,
    /// What scenes and concepts are called besides their names.
    other_names: HashMap<(LabelKind, &'static str), &'static str>,
}

/// One synset of the table.
#[derive(Debug)]
struct Noun {
    synset: Synset,
    name: &'static str,
    broader: Vec<&'static str>,
    lemmas: Vec<&'static str>,
}

/// One class of a network's output, as a label states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// The name, lower case.
    pub name: String,
    /// What it names.
    pub kind: LabelKind,
    /// Its synset; none where WordNet lacks the thing and only knows broader terms.
    pub wordnet: Option<Synset>,
    /// Names of all ancestors, nearest first, each once and never the name itself.
    pub parents: Vec<String>,
}

impl Objects {
    /// Reads the tables; a few milliseconds, so once in a process.
    pub fn load() -> Arc<Self> {
        let nouns: Vec<Noun> = rows(OBJECTS).filter_map(Noun::read).collect();
        let mut by_synset = HashMap::with_capacity(nouns.len());
        let mut by_lemma: HashMap<_, Vec<usize>> = HashMap::with_capacity(2 * nouns.len());
        for ((at, noun), row) in nouns.iter().enumerate().zip(rows(OBJECTS)) {
            by_synset.insert(row.split('\t').next().unwrap_or_default(), at);
            for lemma in &noun.lemmas {
                by_lemma.entry(*lemma).or_default().push(at);
            }
        }
        let scenes = rows(SCENES).filter_map(|row| {
            let columns: Vec<_> = row.split('\t').collect();
            Some(((LabelKind::Scene, *columns.get(1)?), *columns.get(5)?))
        });
        let concepts = rows(CONCEPTS).filter_map(|row| {
            let (name, rest) = row.split_once('\t')?;
            Some(((LabelKind::Concept, name), rest.split('\t').next()?))
        });
        let other_names = scenes.chain(concepts).filter(|(_, names)| !names.is_empty()).collect();
        Arc::new(Self { nouns, by_synset, by_lemma, other_names })
    }

    /// Returns the classes of a built-in list, in the order of a network's output.
    ///
    /// # Errors
    /// `NotFound` for a list other than `imagenet-1k`, `coco-80` and `places365`.
    pub fn classes(&self, list: &str) -> Result<Vec<Class>, Fault> {
        let table = match list {
            "imagenet-1k" => IMAGENET_1K,
            "coco-80" => COCO_80,
            "places365" => return Ok(rows(SCENES).filter_map(scene).collect()),
            _ => return Err(Fault::not_found(format!("there is no class list {list:?}"))),
        };
        Ok(rows(table).filter_map(|row| self.class(row, LabelKind::Object)).collect())
    }

    /// Reads a class list that is not built in, in the order of a network's output.
    ///
    /// Its rows are those of the built-in ones: a synset and a name. A class that WordNet lacks
    /// has an empty synset or `-`, and no broader terms.
    ///
    /// # Errors
    /// `BadInput` that tells the line of a row that is something else, and for an empty list.
    pub fn read_classes(&self, list: &str, kind: LabelKind) -> Result<Vec<Class>, Fault> {
        let mut classes = Vec::new();
        for (number, line) in (1..).zip(list.lines()) {
            let row = line.trim_end();
            if row.is_empty() || row.starts_with('#') {
                continue;
            }
            let class = self.class(row, kind).ok_or_else(|| {
                Fault::bad_input(format!("line {number} is no synset, tab and name: {row:?}"))
            })?;
            classes.push(class);
        }
        if classes.is_empty() {
            return Err(Fault::bad_input("the class list is empty"));
        }
        Ok(classes)
    }

    /// Reads `synset, name`; `~` before the synset says that it is only a broader term.
    fn class(&self, row: &str, kind: LabelKind) -> Option<Class> {
        let (synset, name) = row.split_once('\t')?;
        let name = name.trim().to_lowercase();
        if name.is_empty() {
            return None;
        }
        if matches!(synset, "" | "-") {
            return Some(Class { name, kind, wordnet: None, parents: Vec::new() });
        }
        let broader = synset.strip_prefix('~');
        let at = Synset::parse(broader.unwrap_or(synset))?;
        let mut parents = Vec::new();
        let mut told = HashSet::from([name.as_str()]);
        let itself = broader.and_then(|_| self.noun(&at));
        for noun in itself.into_iter().chain(self.ancestor_nouns(&at)) {
            if told.insert(noun.name) {
                parents.push(noun.name.to_owned());
            }
        }
        let wordnet = broader.is_none().then_some(at);
        Some(Class { name, kind, wordnet, parents })
    }

    fn noun(&self, synset: &Synset) -> Option<&Noun> {
        self.by_synset.get(synset.as_str()).map(|&at| &self.nouns[at])
    }

    /// Walks up breadth first, so that the nearest come first and each comes once.
    fn ancestor_nouns(&self, synset: &Synset) -> Vec<&Noun> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let mut queue: VecDeque<&Noun> = self.noun(synset).into_iter().collect();
        while let Some(noun) = queue.pop_front() {
            for &broader in &noun.broader {
                let next = self.by_synset.get(broader).map(|&at| &self.nouns[at]);
                if let Some(next) = next.filter(|_| seen.insert(broader)) {
                    found.push(next);
                    queue.push_back(next);
                }
            }
        }
        found
    }
}

impl Vocabulary for Objects {
    fn synonyms(&self, synset: &Synset) -> Vec<String> {
        let lemmas = self.noun(synset).map(|noun| noun.lemmas.as_slice()).unwrap_or_default();
        lemmas.iter().map(|&lemma| lemma.to_owned()).collect()
    }

    fn ancestors(&self, synset: &Synset) -> Vec<(Synset, String)> {
        let nouns = self.ancestor_nouns(synset).into_iter();
        nouns.map(|noun| (noun.synset.clone(), noun.name.to_owned())).collect()
    }

    fn lookup(&self, lemma: &str) -> Vec<Synset> {
        let found = self.by_lemma.get(lemma).map(Vec::as_slice).unwrap_or_default();
        found.iter().map(|&at| self.nouns[at].synset.clone()).collect()
    }

    fn other_names(&self, kind: LabelKind, name: &str) -> Vec<String> {
        let names = self.other_names.get(&(kind, name)).copied().unwrap_or_default();
        names.split('|').filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }
}

impl Noun {
    fn read(row: &'static str) -> Option<Self> {
        let mut columns = row.split('\t');
        Some(Self {
            synset: Synset::parse(columns.next()?)?,
            name: columns.next()?,
            broader: columns.next()?.split(',').filter(|text| !text.is_empty()).collect(),
            lemmas: columns.next()?.split('|').collect(),
        })
    }
}

/// Reads a row of the scenes' table: key, name, setting, two groups, synonyms, broader words.
fn scene(row: &str) -> Option<Class> {
    let columns: Vec<_> = row.split('\t').collect();
    let name = (*columns.get(1)?).to_owned();
    let broader = columns.get(6).copied().unwrap_or_default();
    let mut parents: Vec<String> = Vec::new();
    for word in broader.split('|').filter(|word| !word.is_empty() && *word != name) {
        if !parents.iter().any(|known| known == word) {
            parents.push(word.to_owned());
        }
    }
    Some(Class { name, kind: LabelKind::Scene, wordnet: None, parents })
}

/// The rows of a table, without comments.
pub(crate) fn rows(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ancestors_of(objects: &Objects, name: &str) -> Vec<String> {
        let mut classes = objects.classes("imagenet-1k").unwrap();
        classes.extend(objects.classes("coco-80").unwrap());
        classes.into_iter().find(|class| class.name == name).expect(name).parents
    }

    #[test]
    fn every_row_is_read_and_every_broader_term_is_there() {
        let objects = Objects::load();
        assert_eq!(objects.nouns.len(), rows(OBJECTS).count());
        assert_eq!(objects.by_synset.len(), objects.nouns.len());
        for noun in &objects.nouns {
            assert!(noun.broader.iter().all(|b| objects.by_synset.contains_key(b)), "{noun:?}");
            assert_eq!(noun.lemmas[0], noun.name);
            assert!(noun.lemmas.iter().all(|lemma| *lemma == lemma.to_lowercase()), "{noun:?}");
        }
        assert_eq!(objects.classes("imagenet-1k").unwrap().len(), 1000);
        assert_eq!(objects.classes("coco-80").unwrap().len(), 80);
        assert!(objects.classes("coco-81").is_err());
    }

    #[test]
    fn scenes_are_365_each_named_once_with_broader_words() {
        let scenes = Objects::load().classes("places365").unwrap();
        assert_eq!(scenes.len(), 365);
        assert!(
            scenes.iter().all(|scene| scene.kind == LabelKind::Scene && !scene.name.is_empty())
        );
        assert!(scenes.iter().all(|scene| !scene.parents.contains(&scene.name)));
        let names: HashSet<_> = scenes.iter().map(|scene| &scene.name).collect();
        assert_eq!(names.len(), scenes.len());
        assert_eq!(scenes[0].name, "airfield");
    }

    #[test]
    fn a_list_of_ones_own_may_lack_synsets_and_its_mistakes_are_told_by_line() {
        let objects = Objects::load();
        let list = "# mine\nn02085620\tChihuahua\r\n\n-\tglass plate\n\tlantern slide\n";
        let classes = objects.read_classes(list, LabelKind::Concept).unwrap();
        let names: Vec<_> = classes.iter().map(|class| class.name.as_str()).collect();
        assert_eq!(names, ["chihuahua", "glass plate", "lantern slide"]);
        assert!(classes.iter().all(|class| class.kind == LabelKind::Concept));
        assert!(classes[0].parents.iter().any(|parent| parent == "dog"));
        assert_eq!((classes[1].wordnet.clone(), classes[1].parents.len()), (None, 0));
        for (list, told) in [
            ("-\tfine\nno tab", "line 2"),
            ("dog\tdog", "line 1"),
            ("n02084071\t ", "line 1"),
            ("# nothing", "empty"),
        ] {
            let fault = objects.read_classes(list, LabelKind::Object).unwrap_err();
            assert!(fault.to_string().contains(told), "{fault}");
        }
    }

    #[test]
    fn each_animal_and_thing_reaches_the_words_that_people_search_by() {
        let objects = Objects::load();
        for (name, broader) in [
            ("loggerhead sea turtle", "turtle"),
            ("chihuahua", "dog"),
            ("chihuahua", "animal"),
            ("sports car", "car"),
            ("tabby cat", "cat"),
            ("mountain bike", "bicycle"),
            ("school bus", "bus"),
            ("stop sign", "street sign"),
            ("potted plant", "plant"),
            ("teacup", "cup"),
            ("granny smith apple", "apple"),
            ("dog", "animal"),
        ] {
            let parents = ancestors_of(&objects, name);
            assert!(parents.iter().any(|p| p == broader), "{name}: {parents:?}");
        }
    }

    #[test]
    fn the_nearest_ancestors_come_first_and_each_once() {
        let objects = Objects::load();
        let parents = ancestors_of(&objects, "chihuahua");
        let at = |word: &str| parents.iter().position(|p| p == word).expect(word);
        assert!(
            at("toy dog") < at("dog") && at("dog") < at("canine") && at("canine") < at("animal")
        );
        let once: HashSet<_> = parents.iter().collect();
        assert_eq!(once.len(), parents.len());
        // A dog is a canine and a domestic animal: both ways up are kept.
        assert!(at("domestic animal") < at("mammal"));
    }

    #[test]
    fn synonyms_are_found_and_lead_to_the_class() {
        let objects = Objects::load();
        for (lemma, name) in [
            ("automobile", "car"),
            ("bike", "bicycle"),
            ("bike", "motorcycle"),
            ("sofa", "couch"),
            ("tv", "television"),
            ("cell phone", "mobile phone"),
            ("turtle", "turtle"),
            ("plane", "airplane"),
        ] {
            let names: Vec<_> =
                objects.lookup(lemma).iter().map(|s| objects.synonyms(s)[0].clone()).collect();
            assert!(names.iter().any(|n| n == name), "{lemma}: {names:?}");
        }
        assert!(objects.lookup("no such word").is_empty());
    }

    #[test]
    fn two_classes_of_one_name_are_one_synset_and_ambiguous_names_are_told_apart() {
        let objects = Objects::load();
        let mut by_name: HashMap<String, Option<Synset>> = HashMap::new();
        for list in ["imagenet-1k", "coco-80"] {
            for class in objects.classes(list).unwrap() {
                assert!(!class.name.contains(['(', '/', ',']), "{}", class.name);
                assert_eq!(class.name, class.name.to_lowercase());
                let known = by_name.entry(class.name.clone()).or_insert(class.wordnet.clone());
                assert_eq!(*known, class.wordnet, "{} has two meanings", class.name);
            }
        }
        for name in [
            "crane bird",
            "construction crane",
            "kite",
            "kite bird",
            "cardigan",
            "cardigan welsh corgi",
            "missile",
            "projectile",
        ] {
            assert!(by_name.contains_key(name), "{name}");
        }
    }
}
