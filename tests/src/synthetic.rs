//! Made-up archives: as many records as wanted, with the statistics of real ones.
//!
//! Words follow Zipf's law, as in any language; a thousand labels hang in a tree of broader
//! terms, as in WordNet; each picture has a classifier's five guesses and a detector's few.
//! The pictures themselves do not exist. One seed always makes the same archive.

use std::ops::Range;

use glassplate_pipeline::asset::{Asset, AssetId, Digest, Occurrence, PixelDigest, Tenant};
use glassplate_pipeline::catalogue::Entry;
use glassplate_pipeline::field::{Field, Fields};
use glassplate_pipeline::image::{ColourModel, Format, Technical};
use glassplate_pipeline::label::{Instance, Label, LabelKind, Synset};
use glassplate_pipeline::opinion::{Finding, Identified, Maker, Opinion, Subject, Verdict};
use glassplate_pipeline::ports::Vocabulary;
use glassplate_pipeline::purchase::Dollars;
use glassplate_pipeline::run::{Balance, Run, RunId};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// How many different words people use.
const WORDS: usize = 60_000;
/// How many labels there are; their broader terms come on top.
const LABELS: usize = 1_000;
const CREATORS: usize = 800;
const PLACES: usize = 2_000;
const COLLECTIONS: usize = 60;

/// A vocabulary in which every synset `n` has the broader term `n / 4`, up to `1`, the entity.
///
/// So 1,000 labels hang under 250, 63, 16 and 4 broader terms, as wide as ImageNet's.
pub struct Tree;

impl Vocabulary for Tree {
    fn synonyms(&self, synset: &Synset) -> Vec<String> {
        let number = number(synset);
        vec![
            word(number as usize * 3),
            format!("{} {}", word(number as usize), word(number as usize * 7)),
        ]
    }

    fn ancestors(&self, synset: &Synset) -> Vec<(Synset, String)> {
        std::iter::successors(Some(number(synset) / 4), |n| Some(n / 4))
            .take_while(|&n| n > 0)
            .map(|n| (self::synset(n), name(n)))
            .collect()
    }

    fn lookup(&self, _: &str) -> Vec<Synset> {
        Vec::new()
    }
}

fn name(number: u32) -> String {
    if number == 1 { "entity".to_owned() } else { word(number as usize * 3) }
}

fn number(synset: &Synset) -> u32 {
    synset.as_str()[1..].parse().expect("eight digits")
}

fn synset(number: u32) -> Synset {
    Synset::parse(&format!("n{number:08}")).expect("eight digits")
}

/// The label with a rank; the lowest level of the tree.
fn label_synset(rank: usize) -> Synset {
    synset(u32::try_from(1024 + rank).expect("a thousand labels"))
}

/// Writes a made-up word, always the same for a number: `rotelu`, `baki`.
fn word(number: usize) -> String {
    let (consonants, vowels) = (b"bdfgklmnprtvz", b"aeiou");
    let mut rest = number + 65;
    let mut text = String::new();
    while rest > 0 {
        text.push(char::from(consonants[rest % 13]));
        rest /= 13;
        text.push(char::from(vowels[rest % 5]));
        rest /= 5;
    }
    text
}

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Between 0 and 1, 1 excluded.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.share() * limit as f64) as usize
    }

    /// A rank below `limit` after Zipf's law with exponent 1: the inverse of its distribution.
    fn zipf(&mut self, limit: usize) -> usize {
        let rank = ((limit as f64 + 1.0).powf(self.share()) - 1.0) as usize;
        rank.min(limit - 1)
    }
}

/// Makes records and queries.
pub struct Archive {
    random: Random,
}

impl Archive {
    /// The kinds of query, from the rarest word to everything.
    pub const QUERIES: [&'static str; 12] = [
        "word by use",
        "rare word",
        "common word",
        "two words",
        "three words",
        "phrase",
        "field",
        "label by use",
        "broader term",
        "broadest term",
        "word and not",
        "word and date",
    ];

    /// Begins an archive; the same seed makes the same one.
    pub fn new(seed: u64) -> Self {
        Self { random: Random(seed) }
    }

    /// Writes a query of one of [`Archive::QUERIES`].
    ///
    /// # Panics
    /// When there is no such kind.
    pub fn query(&mut self, kind: &str) -> String {
        let r = &mut self.random;
        let mut used = |limit| word(r.zipf(limit) + 2_000);
        match kind {
            "word by use" => used(WORDS),
            "common word" => used(20),
            "two words" => format!("{} {}", used(500), used(500)),
            "three words" => format!("{} {} {}", used(200), used(200), used(200)),
            "phrase" => format!("\"{} {}\"", used(50), used(50)),
            "word and not" => format!("{} -{}", used(100), used(100)),
            "word and date" => format!("{} date:1930..1939", used(200)),
            "rare word" => word(2_000 + WORDS / 2 + r.below(WORDS / 2)),
            "field" => format!("creator:{}", word(r.zipf(CREATORS))),
            "label by use" => name(number(&label_synset(r.zipf(LABELS)))),
            "broader term" => name(number(&label_synset(r.zipf(LABELS))) / 16),
            "broadest term" => name(number(&label_synset(r.zipf(LABELS))) / 256),
            _ => panic!("no such kind of query: {kind}"),
        }
    }

    /// Makes the ledger entries of some records.
    pub fn entries(&mut self, numbers: Range<usize>) -> Vec<Entry> {
        let run = Run {
            id: RunId::new(Timestamp::UNIX_EPOCH, 1),
            tenant: Tenant::default(),
            collection: "synthetic".to_owned(),
            sources: vec!["/synthetic".to_owned()],
            version: "0".to_owned(),
            started: Timestamp::UNIX_EPOCH,
            finished: None,
            balance: Balance::default(),
            withdrawn: false,
            trial: false,
            budget: None,
            spent: Dollars::ZERO,
        };
        let mut entries = vec![Entry::Run(run.clone())];
        for number in numbers {
            self.record(number, &run.id, &mut entries);
        }
        entries
    }

    fn record(&mut self, number: usize, run: &RunId, entries: &mut Vec<Entry>) {
        let tenant = Tenant::default();
        let digest = Digest::new(Sha256::digest((number as u64).to_be_bytes()).into());
        let pixels = PixelDigest::new(*digest.as_bytes());
        let id = AssetId::derive(&tenant, &digest);
        let at = Timestamp::from_second(number as i64).expect("a small number");
        let opinion = |step: &str, subject, finding| {
            let maker = Maker {
                backend: "synthetic".to_owned(),
                model: step.trim_start_matches("label:").to_owned(),
                version: "1".to_owned(),
                parameters: String::new(),
            };
            Opinion::new(&id, step, subject, &maker, run, at, Verdict::Found(finding))
        };
        let collection = self.random.zipf(COLLECTIONS);
        entries.extend([
            Entry::Asset(Asset {
                id: id.clone(),
                tenant: tenant.clone(),
                digest,
                blake3: digest,
                bytes: 4_000_000,
                registered: at,
            }),
            Entry::Found {
                asset: id.clone(),
                occurrence: Occurrence {
                    collection: format!("{} {}", word(collection), 1900 + collection),
                    source: format!("/archive/{}/IMG_{number:06}.jpg", word(collection)),
                    metadata: self.beside(),
                },
                stamp: None,
            },
            Entry::Opinion(opinion("identify", Subject::Bytes(digest), identified(pixels))),
            Entry::Opinion(opinion(
                "label:efficientnet-lite0",
                Subject::Pixels(pixels),
                Finding::Labelled(self.guesses()),
            )),
            Entry::Opinion(opinion(
                "label:ssd-mobilenet",
                Subject::Pixels(pixels),
                Finding::Labelled(self.detections()),
            )),
        ]);
    }

    /// What an archivist's catalogue says: three in four pictures have a caption.
    fn beside(&mut self) -> Fields {
        let mut texts: Vec<(&str, Value)> = Vec::new();
        if self.random.share() < 0.75 {
            let count = 8 + self.random.below(30);
            texts.push(("caption", self.words(count).into()));
            texts.push(("title", self.words(5).into()));
            let keywords: Vec<Value> = (0..5).map(|_| self.words(1).into()).collect();
            texts.push(("keywords", keywords.into()));
        }
        let creator =
            format!("{} {}", word(self.random.zipf(CREATORS)), word(self.random.zipf(CREATORS)));
        texts.push(("creator", creator.into()));
        texts.push(("city", word(100 + self.random.zipf(PLACES)).into()));
        texts.push(("date_taken", (1880 + self.random.below(120)).to_string().into()));
        texts
            .into_iter()
            .map(|(name, value)| (name.to_owned(), field(value, "csv:synthetic.csv")))
            .collect()
    }

    fn words(&mut self, count: usize) -> String {
        let words: Vec<String> =
            (0..count).map(|_| word(self.random.zipf(WORDS) + 2_000)).collect();
        words.join(" ")
    }

    /// A classifier's five best: a whole that is spread over them.
    fn guesses(&mut self) -> Vec<Label> {
        let mut left = 1.0;
        let mut labels = Vec::new();
        for _ in 0..5 {
            let confidence = left * self.random.share();
            left -= confidence;
            let rank = self.random.zipf(LABELS);
            labels.push(label(rank, confidence as f32, 0));
        }
        labels
    }

    /// A detector's few of eighty, with boxes.
    fn detections(&mut self) -> Vec<Label> {
        let count = self.random.below(5);
        (0..count)
            .map(|n| label(self.random.zipf(80), (0.3 + 0.7 * self.random.share()) as f32, n + 1))
            .collect()
    }
}

fn label(rank: usize, confidence: f32, instances: usize) -> Label {
    let synset = label_synset(rank);
    let ancestors = Tree.ancestors(&synset);
    let instance = Instance { frame: [0.1, 0.2, 0.3, 0.4], confidence };
    Label {
        name: name(number(&synset)),
        kind: LabelKind::Object,
        confidence,
        parents: ancestors.into_iter().map(|(_, name)| name).collect(),
        wordnet: Some(synset),
        instances: vec![instance; instances],
        evidence: Vec::new(),
    }
}

fn identified(pixels: PixelDigest) -> Finding {
    let technical = Technical {
        format: Format::Jpeg,
        width: 4_000,
        height: 3_000,
        frames: 1,
        bit_depth: 8,
        colour: ColourModel::Ycbcr,
        alpha: false,
        orientation: 1,
        icc: None,
    };
    let embedded = [("make", json!("Canon")), ("iso", json!(100)), ("f_number", json!(5.6))]
        .map(|(name, value)| (name.to_owned(), field(value, "exif:synthetic")));
    Finding::Identified(Identified {
        technical,
        embedded: embedded.into(),
        pixels: Some(pixels),
        damage: Vec::new(),
    })
}

fn field(value: Value, source: &str) -> Field {
    Field { value, source: source.to_owned(), also: Vec::new() }
}
