//! Made-up archives: as many records as wanted, with the statistics of real ones.
//!
//! Words follow Zipf's law, as in any language; labels are those of the networks that an ingest
//! asks, under the broader terms of WordNet, some far more frequent than others; each picture has
//! a classifier's five guesses and a detector's few. The pictures themselves do not exist. One
//! seed always makes the same archive.

use std::ops::Range;

use glassplate_models::taxonomy::{Class, Objects};
use glassplate_pipeline::assessment::{Assessment, Tone};
use glassplate_pipeline::asset::{Asset, AssetId, Digest, Occurrence, PixelDigest, Tenant};
use glassplate_pipeline::catalogue::Entry;
use glassplate_pipeline::embedding::{Embedding, Space};
use glassplate_pipeline::field::{Field, Fields};
use glassplate_pipeline::image::{ColourModel, Format, Technical};
use glassplate_pipeline::label::{Instance, Label};
use glassplate_pipeline::opinion::{Finding, Identified, Maker, Opinion, Subject, Verdict};
use glassplate_pipeline::purchase::Dollars;
use glassplate_pipeline::run::{Balance, Run, RunId};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// How many different words people use.
const WORDS: usize = 60_000;
const CREATORS: usize = 800;
const PLACES: usize = 2_000;
const COLLECTIONS: usize = 60;

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
    /// What the classifier knows, the most frequent first.
    classes: Vec<Class>,
    /// What the detector knows, the most frequent first.
    things: Vec<Class>,
    scenes: Vec<Class>,
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
    ///
    /// # Panics
    /// When the vocabulary lacks a list of classes, which it is built with.
    pub fn new(seed: u64) -> Self {
        let objects = Objects::load();
        let list = |name| objects.classes(name).expect("a list of the vocabulary");
        let mut random = Random(seed);
        // The classifier's are in the order of WordNet, where neighbours are alike.
        let mut classes = list("imagenet-1k");
        for at in (1..classes.len()).rev() {
            classes.swap(at, random.below(at + 1));
        }
        Self { random, classes, things: list("coco-80"), scenes: list("places365") }
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
            "label by use" => self.classes[r.zipf(self.classes.len())].name.clone(),
            "broader term" => broader(&self.classes[r.zipf(self.classes.len())], 2),
            "broadest term" => broader(&self.classes[r.zipf(self.classes.len())], 5),
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
            Entry::Opinion(opinion(
                "identify",
                Subject::Bytes(digest),
                identified(pixels, self.random.share() < 0.25),
            )),
            Entry::Opinion(opinion("assess", Subject::Pixels(pixels), self.assessed())),
            Entry::Opinion(Opinion {
                embedding: Some(self.embedding()),
                ..opinion(
                    "label:efficientnet-lite0",
                    Subject::Pixels(pixels),
                    Finding::Labelled(self.guesses()),
                )
            }),
            Entry::Opinion(opinion(
                "label:ssd-mobilenet",
                Subject::Pixels(pixels),
                Finding::Labelled(self.detections()),
            )),
            Entry::Opinion(opinion(
                "label:squeezenet-places365",
                Subject::Pixels(pixels),
                Finding::Labelled(self.places()),
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
            let class = &self.classes[self.random.zipf(self.classes.len())];
            labels.push(label(class, confidence as f32, 0));
        }
        labels
    }

    /// A detector's few of eighty, with boxes.
    fn detections(&mut self) -> Vec<Label> {
        let count = self.random.below(5);
        (0..count)
            .map(|n| {
                let class = &self.things[self.random.zipf(self.things.len())];
                label(class, (0.3 + 0.7 * self.random.share()) as f32, n + 1)
            })
            .collect()
    }

    /// Somewhere among others; the later values are smaller, as those of principal components are.
    fn embedding(&mut self) -> Embedding {
        let spread = |at: usize| 120.0 / (1.0 + at as f64 / 8.0);
        let values =
            std::array::from_fn(|at| ((2.0 * self.random.share() - 1.0) * spread(at)) as i8);
        Embedding { space: Space::named("synthetic"), values }
    }

    /// A scene network's three best.
    fn places(&mut self) -> Vec<Label> {
        let mut left = 1.0;
        let mut labels = Vec::new();
        for _ in 0..3 {
            let confidence = left * self.random.share();
            left -= confidence;
            let class = &self.scenes[self.random.zipf(self.scenes.len())];
            labels.push(label(class, confidence as f32, 0));
        }
        labels
    }

    /// Two in five are grey, as in an archive of a century.
    fn assessed(&mut self) -> Finding {
        let tone = match self.random.below(10) {
            0..4 => Tone::Grey,
            4 => Tone::Toned,
            _ => Tone::Colour,
        };
        Finding::Assessed(Assessment { tone, chroma: 10.0, condition: None })
    }
}

/// The name of a class's broader term, so many steps up.
fn broader(class: &Class, steps: usize) -> String {
    class.parents.get(steps - 1).unwrap_or(&class.name).clone()
}

fn label(class: &Class, confidence: f32, instances: usize) -> Label {
    let instance = Instance { frame: [0.1, 0.2, 0.3, 0.4], confidence };
    Label {
        name: class.name.clone(),
        kind: class.kind,
        confidence,
        parents: class.parents.clone(),
        wordnet: class.wordnet.clone(),
        instances: vec![instance; instances],
        evidence: Vec::new(),
    }
}

fn identified(pixels: PixelDigest, upright: bool) -> Finding {
    let (width, height) = if upright { (3_000, 4_000) } else { (4_000, 3_000) };
    let technical = Technical {
        format: Format::Jpeg,
        width,
        height,
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
