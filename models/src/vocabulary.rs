//! Words: what a person may call an object, a scene or a concept, and what that names.
//!
//! The three vocabularies answer together. What a person types is found by preferred name or
//! synonym; what it means when several things carry it is for the person to say.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::label::{LabelKind, Synset};
use glassplate_pipeline::ports::{Lexicon, Vocabulary as _, Word};
use glassplate_pipeline::record::RecordLabel;

use crate::taxonomy::{CONCEPTS, Objects, SCENES, rows};

/// The longest label that a person may make up, in characters.
const LONGEST: usize = 80;
/// How many near labels a message lists.
const NEAR_TOLD: usize = 6;

/// The vocabularies of objects, scenes and concepts.
#[derive(Debug)]
pub struct Words {
    objects: Arc<Objects>,
    /// The synsets that labellers use: of two objects of one name the one that is meant.
    used: HashSet<Synset>,
    /// Scenes, then concepts.
    others: Vec<Word>,
    /// Places in `others` by name and by synonym.
    by_name: HashMap<&'static str, Vec<usize>>,
}

impl Words {
    /// Reads the tables; some milliseconds, so once in a process.
    pub fn load() -> Self {
        let mut words = Self {
            objects: Objects::load(),
            used: HashSet::new(),
            others: Vec::new(),
            by_name: HashMap::new(),
        };
        for list in ["imagenet-1k", "coco-80"] {
            let classes = words.objects.classes(list).unwrap_or_default().into_iter();
            words.used.extend(classes.filter_map(|class| class.wordnet));
        }
        for row in rows(SCENES) {
            let columns: Vec<&str> = row.split('\t').collect();
            if let [_, name, _, _, _, synonyms, broader] = columns[..] {
                let parents = list(broader).filter(|parent| *parent != name);
                words.add(LabelKind::Scene, name, synonyms, once(parents));
            }
        }
        let concepts: HashMap<&str, &str> = rows(CONCEPTS)
            .filter_map(|row| {
                let mut columns = row.split('\t');
                Some((columns.next()?, columns.nth(2)?))
            })
            .collect();
        for row in rows(CONCEPTS) {
            let mut columns = row.split('\t');
            if let (Some(name), Some(synonyms)) = (columns.next(), columns.next()) {
                words.add(LabelKind::Concept, name, synonyms, ancestors(&concepts, name));
            }
        }
        words
    }

    fn add(
        &mut self,
        kind: LabelKind,
        name: &'static str,
        synonyms: &'static str,
        parents: Vec<String>,
    ) {
        let at = self.others.len();
        self.others.push(Word { name: name.to_owned(), kind, wordnet: None, parents });
        for text in std::iter::once(name).chain(list(synonyms)) {
            let places = self.by_name.entry(text).or_default();
            if !places.contains(&at) {
                places.push(at);
            }
        }
    }
}

impl Lexicon for Words {
    /// Everything that carries this name or synonym, those first that prefer it as their name,
    /// among them those that labellers use.
    fn find(&self, text: &str) -> Vec<Word> {
        let text = plain(text);
        let objects = self.objects.lookup(&text).into_iter().map(|synset| Word {
            name: self.objects.synonyms(&synset).swap_remove(0),
            kind: LabelKind::Object,
            parents: once(self.objects.ancestors(&synset).iter().map(|(_, name)| name.as_str())),
            wordnet: Some(synset),
        });
        let others = self.by_name.get(text.as_str()).into_iter().flatten();
        let mut found: Vec<Word> =
            objects.chain(others.map(|&at| self.others[at].clone())).collect();
        let used = |word: &Word| word.wordnet.as_ref().is_some_and(|s| self.used.contains(s));
        found.sort_by_key(|word| (word.name != text, !used(word)));
        found
    }

    /// Settles on the one thing that a person means; a word that no vocabulary knows is taken
    /// as written when its kind is told.
    ///
    /// # Errors
    /// `BadInput` that says what to tell: which of several things, which kind, or why the word
    /// is no label.
    fn settle(&self, text: &str, kind: Option<LabelKind>) -> Result<Word, Fault> {
        let typed = plain(text);
        let mut found = self.find(text);
        found.retain(|word| kind.is_none_or(|kind| kind == word.kind));
        if found.iter().any(|word| word.name == typed) {
            found.retain(|word| word.name == typed);
        }
        // WordNet has two cars, on the road and on rails: no name tells them apart.
        let mut met = HashSet::new();
        found.retain(|word| met.insert((word.name.clone(), word.kind)));
        match (found.len(), kind) {
            (1, _) => Ok(found.swap_remove(0)),
            (0, None) => Err(Fault::bad_input(format!(
                "no vocabulary knows {typed:?}: say what it is with --kind object, scene or concept"
            ))),
            (0, Some(kind)) => own(text, kind),
            _ => Err(several(&typed, found.iter().map(|word| (word.name.as_str(), word.kind)))),
        }
    }

    /// Finds the label that a person speaks of among those of a record, by name or synonym.
    ///
    /// # Errors
    /// `BadInput` when the record carries no such label, listing near ones, or several.
    fn among<'a>(
        &self,
        labels: &'a [RecordLabel],
        text: &str,
        kind: Option<LabelKind>,
    ) -> Result<&'a RecordLabel, Fault> {
        let typed = plain(text);
        let of_kind = || labels.iter().filter(|l| kind.is_none_or(|kind| kind == l.kind));
        let mut met: Vec<&RecordLabel> = of_kind().filter(|l| l.name == typed).collect();
        if met.is_empty() {
            let words = self.find(text);
            let meant = |label: &&RecordLabel| {
                words.iter().any(|word| {
                    word.kind == label.kind
                        && (word.name == label.name
                            || word.wordnet.is_some() && word.wordnet == label.wordnet)
                })
            };
            met = of_kind().filter(meant).collect();
        }
        // Several models may claim the same: a ruling is about all of them.
        let first = met.first().copied();
        match first {
            Some(first) if met.iter().all(|l| (l.kind, &l.name) == (first.kind, &first.name)) => {
                Ok(first)
            }
            Some(_) => Err(several(&typed, met.iter().map(|l| (l.name.as_str(), l.kind)))),
            None => Err(missing(&typed, of_kind())),
        }
    }
}

/// A label of a person's own making: trimmed, lower case, single spaces.
fn own(text: &str, kind: LabelKind) -> Result<Word, Fault> {
    let name = plain(text);
    let wrong = |why: &str| Err(Fault::bad_input(format!("{name:?} is no label: {why}")));
    if name.is_empty() {
        return wrong("it is empty");
    }
    if text.trim().chars().any(char::is_control) {
        return wrong("it has control characters");
    }
    let length = name.chars().count();
    if length > LONGEST {
        return wrong(&format!("it has {length} characters, at most {LONGEST} are possible"));
    }
    Ok(Word { name, kind, wordnet: None, parents: Vec::new() })
}

fn several<'a>(typed: &str, found: impl Iterator<Item = (&'a str, LabelKind)>) -> Fault {
    let mut told: Vec<(&str, LabelKind)> = found.collect();
    told.sort();
    told.dedup();
    let kinds: HashSet<LabelKind> = told.iter().map(|(_, kind)| *kind).collect();
    let list: Vec<String> =
        told.iter().map(|(name, kind)| format!("{name} ({})", kind.name())).collect();
    let advice = match kinds.len() == told.len() {
        true => "say which with --kind",
        false => "type the name of one",
    };
    Fault::bad_input(format!("{typed:?} may be {}: {advice}", list.join(" or ")))
}

fn missing<'a>(typed: &str, labels: impl Iterator<Item = &'a RecordLabel>) -> Fault {
    let mut near: Vec<(f32, &str, LabelKind)> = labels
        .map(|label| (likeness(typed, &label.name), label.name.as_str(), label.kind))
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    near.dedup_by_key(|(_, name, kind)| (*name, *kind));
    if near.first().is_some_and(|(likeness, ..)| *likeness > 0.3) {
        near.retain(|(likeness, ..)| *likeness > 0.3);
    }
    near.truncate(NEAR_TOLD);
    let list: Vec<String> =
        near.iter().map(|(_, name, kind)| format!("{name} ({})", kind.name())).collect();
    let hint = match list.is_empty() {
        true => "it carries none".to_owned(),
        false => format!("near are {}", list.join(", ")),
    };
    Fault::bad_input(format!(
        "the asset carries no label {typed:?}; {hint}; `glassplate add` gives it a label of your own"
    ))
}

/// How alike two names are, 0 to 1: the share of pairs of letters that both have.
fn likeness(a: &str, b: &str) -> f32 {
    let pairs =
        |text: &str| -> HashSet<(char, char)> { text.chars().zip(text.chars().skip(1)).collect() };
    let (a, b) = (pairs(a), pairs(b));
    2.0 * a.intersection(&b).count() as f32 / (a.len() + b.len()).max(1) as f32
}

/// Walks up breadth first, so that the nearest come first and each comes once.
fn ancestors(broader: &HashMap<&str, &str>, name: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut queue = VecDeque::from([name]);
    while let Some(next) = queue.pop_front() {
        for parent in list(broader.get(next).copied().unwrap_or_default()) {
            if parent != name && !found.iter().any(|known| known == parent) {
                found.push(parent.to_owned());
                queue.push_back(parent);
            }
        }
    }
    found
}

/// Each text once, the first place kept.
fn once<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut told = HashSet::new();
    texts.filter(|text| told.insert(*text)).map(str::to_owned).collect()
}

/// Reads a column of several words.
fn list(column: &str) -> impl Iterator<Item = &str> {
    column.split('|').map(str::trim).filter(|word| !word.is_empty())
}

/// Writes a word as the vocabularies do: lower case, single spaces.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use glassplate_pipeline::record::{LabelSource, LabelState};

    use super::*;

    fn label(name: &str, kind: LabelKind) -> RecordLabel {
        let word = Words::load().find(name).into_iter().find(|word| word.kind == kind);
        RecordLabel {
            name: name.to_owned(),
            kind,
            confidence: 0.5,
            wordnet: word.and_then(|word| word.wordnet),
            parents: Vec::new(),
            category: None,
            instances: Vec::new(),
            evidence: Vec::new(),
            state: LabelState::Proposed,
            doubts: Vec::new(),
            source: LabelSource {
                backend: "test".to_owned(),
                model: "m".to_owned(),
                version: "1".to_owned(),
                run: None,
            },
            ruled: None,
        }
    }

    #[test]
    fn words_of_all_three_vocabularies_are_found_with_their_broader_terms() {
        let words = Words::load();
        for (text, name, kind, parent) in [
            ("Chihuahua", "chihuahua", LabelKind::Object, "dog"),
            ("automobile", "car", LabelKind::Object, "vehicle"),
            ("aerodrome", "airfield", LabelKind::Scene, "airport"),
            ("softball", "baseball", LabelKind::Concept, "sport"),
        ] {
            let found = words.find(text);
            let word = found.iter().find(|word| word.name == name).expect(text);
            assert_eq!(word.kind, kind);
            assert!(word.parents.iter().any(|p| p == parent), "{word:?}");
            assert_eq!(word.wordnet.is_some(), kind == LabelKind::Object);
        }
        let baseball = words.settle("baseball", Some(LabelKind::Concept)).unwrap();
        assert_eq!(baseball.parents[..2], ["team sport", "ball game"]);
        let concepts = words.others.iter().filter(|word| word.kind == LabelKind::Concept);
        assert_eq!(concepts.count(), rows(CONCEPTS).count());
        assert_eq!(words.others.len() - rows(CONCEPTS).count(), 365);
        let known: HashSet<&str> =
            rows(CONCEPTS).filter_map(|row| row.split('\t').next()).collect();
        for word in words.others.iter().filter(|word| word.kind == LabelKind::Concept) {
            assert!(word.parents.iter().all(|p| known.contains(p.as_str())), "{word:?}");
        }
    }

    #[test]
    fn a_preferred_name_goes_before_synonyms_and_what_is_left_open_is_asked() {
        let words = Words::load();
        let told = |text: &str, kind| words.settle(text, kind).unwrap_err().to_string();
        assert_eq!(words.settle("bicycle", None).unwrap().name, "bicycle");
        for (text, synset) in [("car", "n02958343"), ("eraser", "n04116512")] {
            let word = words.settle(text, Some(LabelKind::Object)).unwrap();
            assert_eq!(word.wordnet.unwrap().as_str(), synset, "the one that labellers mean");
        }
        let auto = told("automobile", None);
        assert!(
            auto.contains("car (object) or driving (concept): say which with --kind"),
            "{auto}"
        );
        let bike = told("bike", None);
        assert!(bike.contains("bicycle (object)") && bike.contains("motorcycle"), "{bike}");
        assert!(told("glass plate negative", None).contains("--kind"));
        let own = words.settle("  Glass  Plate negative ", Some(LabelKind::Object)).unwrap();
        assert_eq!((own.name.as_str(), own.parents.len()), ("glass plate negative", 0));
        for wrong in ["", "  ", "a\u{1b}[31mb", "two\nlines", &"x".repeat(81)] {
            assert!(told(wrong, Some(LabelKind::Concept)).contains("is no label"), "{wrong:?}");
        }
    }

    #[test]
    fn a_label_of_the_record_is_met_by_name_or_synonym_and_near_ones_are_told() {
        let words = Words::load();
        let labels = [
            label("car", LabelKind::Object),
            label("car", LabelKind::Object),
            label("bicycle", LabelKind::Object),
            label("motorcycle", LabelKind::Object),
            label("airfield", LabelKind::Scene),
            label("garden", LabelKind::Scene),
            label("garden", LabelKind::Concept),
        ];
        let met =
            |text: &str, kind| words.among(&labels, text, kind).map(|l| (l.name.clone(), l.kind));
        let told = |text: &str| met(text, None).unwrap_err().to_string();
        assert_eq!(met("Automobile", None).unwrap().0, "car");
        assert_eq!(met("aerodrome", None).unwrap().0, "airfield");
        assert!(told("bike").contains("bicycle (object) or motorcycle (object)"));
        assert!(told("garden").contains("--kind"));
        let concept = Some(LabelKind::Concept);
        assert_eq!(met("garden", concept).unwrap(), ("garden".to_owned(), LabelKind::Concept));
        let missing = told("airfeld");
        assert!(missing.contains("near are airfield (scene);"), "{missing}");
        assert!(told("zeppelin").contains("carries no label"));
        assert!(words.among(&[], "dog", None).unwrap_err().to_string().contains("carries none"));
    }
}
