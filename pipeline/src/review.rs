//! Review: which labels a person should look at, those first that would teach the most.
//!
//! A label in doubt comes before all others, the surest first: it is held back although a
//! model is sure, so a ruling shows or removes something at once. Then come proposals near
//! the bar. Their score is `uncertainty x weight`:
//!
//! - `d = logit(confidence) - logit(bar)`, and `uncertainty = 4 s(d) (1 - s(d))` with the
//!   logistic function `s`: 1 at the bar, near 0 where a ruling would only confirm. It is the
//!   variance of the answer, which peaks where its entropy does.
//! - `weight = (1 + ln(1 + resting)) (1 + ln(1 + others) / (1 + asked))`: how many inferred
//!   labels of the record rest on the label, and how many other pictures carry it as
//!   uncertain. Both count by their order of magnitude. What is learned about a label that
//!   many pictures carry is learned from the first few answers, so the count is shared out:
//!   `asked` is how many questions about the same label stand before this one.
//!
//! Scores of doubts are made `1 + confidence`, of proposals `x / (1 + x)`, so that one number
//! tells the order. What a person has ruled on never appears.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::asset::AssetId;
use crate::label::{Evidence, LabelKind, Synset};
use crate::record::{Bar, Doubt, LabelSource, LabelState, Record, RecordLabel};

/// Proposals whose odds are within this factor of the bar's, either way, are uncertain.
const NEAR_THE_BAR: f32 = 4.0;
/// How far confidences and bars are kept from 0 and 1, where odds end.
const SURE: f32 = 0.005;
/// How much of the evidence is told, strongest first.
const EVIDENCE_TOLD: usize = 4;

/// One label that a person should look at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Question {
    /// The asset.
    pub asset: AssetId,
    /// What the picture is called: its title, its caption, or its file's name.
    pub title: String,
    /// Where it was first found.
    pub source: String,
    /// The label's name.
    pub label: String,
    /// Its kind.
    pub kind: LabelKind,
    /// Its synset, where known.
    pub wordnet: Option<Synset>,
    /// How sure its source is, 0 to 1.
    pub confidence: f32,
    /// The least confidence that would show it.
    pub bar: f32,
    /// Why it is held back; empty for what is only uncertain.
    pub doubts: Vec<Doubt>,
    /// The strongest evidence of an inferred label, the strongest first.
    pub evidence: Vec<Evidence>,
    /// Whose claim it is.
    pub by: LabelSource,
    /// How many inferred labels of the record rest on it.
    pub resting: u32,
    /// How many other pictures carry the same label as uncertain.
    pub others: u32,
    /// How much a ruling would teach: above 1 for doubts, below for what is uncertain.
    pub score: f32,
}

/// Collects questions over many records, and orders them at the end.
///
/// Memory is bounded by the number of different labels times the number of questions wanted.
#[derive(Debug, Clone)]
pub struct Queue {
    bar: Bar,
    kind: Option<LabelKind>,
    most: usize,
    labels: BTreeMap<(LabelKind, String), Asked>,
}

/// The questions about one label.
#[derive(Debug, Clone, Default)]
struct Asked {
    /// How many pictures carry it as uncertain.
    pictures: u32,
    /// The best of them, not in order.
    best: Vec<Question>,
}

impl Queue {
    /// Begins a queue of at most `most` questions, about one kind or all.
    pub fn new(bar: Bar, kind: Option<LabelKind>, most: usize) -> Self {
        Self { bar, kind, most, labels: BTreeMap::new() }
    }

    /// Looks for questions in one record.
    pub fn add(&mut self, record: &Record) {
        let mut found: BTreeMap<(LabelKind, &str), Question> = BTreeMap::new();
        for label in record.labels.iter().filter(|label| self.is_open(label)) {
            let question = question(record, label, self.bar.of(label.kind));
            let key = (label.kind, label.name.as_str());
            // Two models may claim the same: one ruling answers both.
            if found.get(&key).is_none_or(|held| held.score < question.score) {
                found.insert(key, question);
            }
        }
        for ((kind, name), question) in found {
            let asked = self.labels.entry((kind, name.to_owned())).or_default();
            asked.pictures += 1;
            asked.best.push(question);
            // Neither the count of pictures nor the place within a label changes this order.
            if asked.best.len() > 2 * self.most {
                order(&mut asked.best);
                asked.best.truncate(self.most);
            }
        }
    }

    /// How many labels are open in all, and the questions, those first that teach the most.
    pub fn finish(self) -> (u64, Vec<Question>) {
        let open = self.labels.values().map(|asked| u64::from(asked.pictures)).sum();
        let mut all: Vec<Question> = Vec::new();
        for asked in self.labels.into_values() {
            let (mut best, others) = (asked.best, asked.pictures - 1);
            order(&mut best);
            all.extend((0_u32..).zip(best).map(|(asked, mut question)| {
                question.others = others;
                question.score = score(&question, asked);
                question
            }));
        }
        order(&mut all);
        all.truncate(self.most);
        (open, all)
    }

    /// Whether nobody has ruled on a label, and somebody should.
    fn is_open(&self, label: &RecordLabel) -> bool {
        label.state == LabelState::Proposed
            && self.kind.is_none_or(|kind| kind == label.kind)
            && (!label.doubts.is_empty()
                || distance(label.confidence, self.bar.of(label.kind)).abs() <= NEAR_THE_BAR.ln())
    }
}

fn question(record: &Record, label: &RecordLabel, bar: f32) -> Question {
    let mut evidence = label.evidence.clone();
    evidence.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
    evidence.truncate(EVIDENCE_TOLD);
    let rests = |other: &&RecordLabel| {
        other.state == LabelState::Proposed
            && other.evidence.iter().any(|e| e.kind == label.kind && e.name == label.name)
    };
    let mut question = Question {
        asset: record.asset.clone(),
        title: title(record),
        source: record.occurrences.first().map(|place| place.source.clone()).unwrap_or_default(),
        label: label.name.clone(),
        kind: label.kind,
        wordnet: label.wordnet.clone(),
        confidence: label.confidence,
        bar,
        doubts: label.doubts.clone(),
        evidence,
        by: label.source.clone(),
        resting: u32::try_from(record.labels.iter().filter(rests).count()).unwrap_or(u32::MAX),
        others: 0,
        score: 0.0,
    };
    question.score = score(&question, 0);
    question
}

/// How much a ruling would teach when so many questions about the label come before it, as the
/// module says.
fn score(question: &Question, asked: u32) -> f32 {
    if !question.doubts.is_empty() {
        return 1.0 + question.confidence;
    }
    let share = 1.0 / (1.0 + (-distance(question.confidence, question.bar)).exp());
    let uncertainty = 4.0 * share * (1.0 - share);
    let count = |n: u32| (1.0 + n as f32).ln();
    let others = count(question.others) / (1.0 + asked as f32);
    let taught = uncertainty * (1.0 + count(question.resting)) * (1.0 + others);
    taught / (1.0 + taught)
}

/// How far a confidence is from the bar, in log-odds.
fn distance(confidence: f32, bar: f32) -> f32 {
    let logit = |p: f32| {
        let p = p.clamp(SURE, 1.0 - SURE);
        (p / (1.0 - p)).ln()
    };
    logit(confidence) - logit(bar)
}

/// Puts the highest score first; of equals the order is that of labels and assets.
fn order(questions: &mut [Question]) {
    questions.sort_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then_with(|| (a.kind, &a.label, &a.asset).cmp(&(b.kind, &b.label, &b.asset)))
    });
}

/// What a picture is called: what an archivist wrote, what is in the file, the file's name.
pub fn title(record: &Record) -> String {
    let sources = record.occurrences.iter().map(|place| &place.metadata).chain([&record.embedded]);
    let fields: HashMap<&str, &str> = sources
        .flat_map(|fields| fields.iter())
        .filter_map(|(name, field)| Some((name.as_str(), field.value.as_str()?.trim())))
        .filter(|(_, text)| !text.is_empty())
        .fold(HashMap::new(), |mut first, (name, text)| {
            first.entry(name).or_insert(text);
            first
        });
    let written = ["title", "headline", "caption", "description"];
    if let Some(text) = written.iter().find_map(|name| fields.get(name)) {
        return (*text).to_owned();
    }
    let source = record.occurrences.first().map(|place| place.source.as_str()).unwrap_or_default();
    source.rsplit('/').next().unwrap_or(source).to_owned()
}

#[cfg(test)]
pub(crate) mod tests {
    use jiff::Timestamp;

    use super::*;

    const BAR: Bar = Bar { objects: 0.4, scenes: 0.1, concepts: 0.3 };
    use crate::asset::{Asset, Digest, Tenant};
    use crate::ports::Verbatim;
    use crate::record::{DoubtKind, Parts, fold};

    /// A machine's claim of an object.
    pub(crate) fn claim(name: &str, confidence: f32) -> RecordLabel {
        RecordLabel {
            name: name.to_owned(),
            kind: LabelKind::Object,
            confidence,
            wordnet: None,
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

    /// A record with these labels.
    pub(crate) fn record(seed: u8, labels: Vec<RecordLabel>) -> Record {
        let digest = Digest::new([seed; 32]);
        let asset = Asset {
            id: AssetId::derive(&Tenant::default(), &digest),
            tenant: Tenant::default(),
            digest,
            blake3: digest,
            bytes: 1,
            registered: Timestamp::UNIX_EPOCH,
        };
        let parts = Parts {
            asset,
            occurrences: Vec::new(),
            opinions: Vec::new(),
            decisions: Vec::new(),
            withdrawn: std::collections::BTreeSet::new(),
        };
        Record { labels, ..fold(&parts, &Verbatim) }
    }

    fn doubtful(name: &str, confidence: f32) -> RecordLabel {
        let doubt = Doubt { kind: DoubtKind::Confusable, reason: "like a muffin".to_owned() };
        RecordLabel { doubts: vec![doubt], ..claim(name, confidence) }
    }

    fn asked(records: &[Record], most: usize) -> Vec<String> {
        let mut queue = Queue::new(BAR, None, most);
        records.iter().for_each(|record| queue.add(record));
        queue.finish().1.into_iter().map(|question| question.label).collect()
    }

    #[test]
    fn doubts_come_first_by_confidence_then_what_is_nearest_to_the_bar() {
        let labels = vec![
            claim("sure", 0.97),
            claim("above", 0.6),
            claim("at the bar", 0.4),
            claim("below", 0.15),
            claim("hardly", 0.05),
            doubtful("chihuahua", 0.7),
            doubtful("television", 0.99),
        ];
        let expected = ["television", "chihuahua", "at the bar", "above", "below"];
        assert_eq!(asked(&[record(1, labels)], 10), expected);
    }

    #[test]
    fn each_kind_has_its_own_bar_and_a_queue_may_be_of_one_kind() {
        let scene = RecordLabel { kind: LabelKind::Scene, ..claim("harbor", 0.1) };
        let records = [record(1, vec![claim("boat", 0.5), scene])];
        assert_eq!(asked(&records, 10), ["harbor", "boat"]);
        let mut queue = Queue::new(BAR, Some(LabelKind::Object), 10);
        queue.add(&records[0]);
        let (open, questions) = queue.finish();
        assert_eq!((open, questions[0].label.as_str()), (1, "boat"));
    }

    #[test]
    fn what_others_rest_on_and_what_many_pictures_carry_teaches_more() {
        let on = |name: &str| Evidence {
            name: name.to_owned(),
            kind: LabelKind::Object,
            weight: 1.0,
            by: None,
        };
        let inferred = RecordLabel {
            kind: LabelKind::Concept,
            evidence: vec![on("boat")],
            ..claim("maritime", 0.95)
        };
        let one = record(1, vec![claim("boat", 0.45), claim("tree", 0.42), inferred]);
        assert_eq!(asked(std::slice::from_ref(&one), 10), ["boat", "tree"]);
        let others: Vec<_> = (2..9).map(|seed| record(seed, vec![claim("tree", 0.2)])).collect();
        let all = [vec![one], others].concat();
        // Eight pictures may hold a tree; after one answer more is known, and the boat is next.
        assert_eq!(asked(&all, 4), ["tree", "boat", "tree", "tree"]);
    }

    #[test]
    fn what_a_person_ruled_on_never_appears_and_two_models_ask_once() {
        let with = |state| RecordLabel { state, ..doubtful("dog", 0.4) };
        let ruled = [LabelState::Approved, LabelState::Rejected, LabelState::Added].map(with);
        assert!(asked(&[record(1, ruled.into())], 10).is_empty());
        assert_eq!(asked(&[record(1, vec![claim("cat", 0.3), claim("cat", 0.5)])], 9), ["cat"]);
    }

    #[test]
    fn a_short_queue_over_many_records_is_the_long_ones_beginning() {
        let confidence = |seed: u8, step: u8| f32::from(seed.wrapping_mul(step)) / 255.0;
        let records: Vec<_> = (1..=120)
            .map(|seed| {
                let labels =
                    vec![claim("a", confidence(seed, 37)), claim("b", confidence(seed, 91))];
                record(seed, labels)
            })
            .collect();
        let queue = |most| {
            let mut queue = Queue::new(BAR, None, most);
            records.iter().for_each(|record| queue.add(record));
            queue.finish()
        };
        let ((open, short), (all, long)) = (queue(3), queue(1000));
        assert_eq!((open, all as usize), (all, long.len()));
        assert_eq!(short, long[..3]);
    }
}
