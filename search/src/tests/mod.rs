//! The index as a whole, over the real embedded catalogue and a vocabulary of a few synsets.

mod catching_up;
mod finding;
mod lasting;
mod narrowing;

use std::path::Path;
use std::sync::Arc;

use glassplate_pipeline::assessment::{Assessment, Condition, Tone};
use glassplate_pipeline::asset::{Asset, AssetId, Digest, Occurrence, PixelDigest, Tenant};
use glassplate_pipeline::catalogue::sqlite::SqliteCatalogue;
use glassplate_pipeline::catalogue::{Catalogue as _, Entry};
use glassplate_pipeline::decision::{Decision, Ruling};
use glassplate_pipeline::embedding::{DIMENSIONS, Embedding, Space};
use glassplate_pipeline::field::{Field, Fields};
use glassplate_pipeline::image::{ColourModel, Format, Technical};
use glassplate_pipeline::label::{Label, LabelKind, Synset};
use glassplate_pipeline::opinion::{Finding, Identified, Maker, Opinion, Subject, Verdict};
use glassplate_pipeline::ports::{Verbatim, Vocabulary};
use glassplate_pipeline::purchase::Dollars;
use glassplate_pipeline::record::{Bar, LabelState};
use glassplate_pipeline::run::{Balance, Run, RunId};

use crate::summary::KeptLabel;
use crate::{Answer, Ask, Index};

/// A dozen synsets: offset, synonyms with the preferred name first, parent's offset.
const SYNSETS: [(&str, &[&str], &str); 13] = [
    ("n00001740", &["entity"], ""),
    ("n00015388", &["animal", "beast", "creature"], "n00001740"),
    ("n01662784", &["turtle"], "n00015388"),
    ("n01663401", &["sea turtle", "marine turtle"], "n01662784"),
    ("n01664065", &["loggerhead", "loggerhead turtle", "Caretta caretta"], "n01663401"),
    ("n02084071", &["dog", "domestic dog"], "n00015388"),
    ("n02085374", &["toy dog", "toy"], "n02084071"),
    ("n02085620", &["chihuahua"], "n02085374"),
    ("n03791235", &["motor vehicle", "automotive vehicle"], "n00001740"),
    ("n02958343", &["car", "auto", "automobile", "machine"], "n03791235"),
    ("n02799071", &["baseball bat"], "n00001740"),
    ("n07697537", &["hot dog", "hotdog"], "n00001740"),
    ("n02858304", &["boat"], "n00001740"),
];

pub(crate) struct SmallVocabulary;

impl Vocabulary for SmallVocabulary {
    fn synonyms(&self, synset: &Synset) -> Vec<String> {
        let found = SYNSETS.iter().find(|(id, _, _)| *id == synset.as_str());
        found
            .map(|(_, names, _)| names.iter().map(|n| (*n).to_owned()).collect())
            .unwrap_or_default()
    }

    fn ancestors(&self, synset: &Synset) -> Vec<(Synset, String)> {
        let parent = SYNSETS.iter().find(|(id, _, _)| *id == synset.as_str()).map(|found| found.2);
        let Some(parent) = parent.and_then(Synset::parse) else { return Vec::new() };
        let name = self.synonyms(&parent)[0].clone();
        let mut all = vec![(parent.clone(), name)];
        all.extend(self.ancestors(&parent));
        all
    }

    fn lookup(&self, lemma: &str) -> Vec<Synset> {
        let carry = SYNSETS.iter().filter(|(_, names, _)| names.contains(&lemma));
        carry.filter_map(|(id, _, _)| Synset::parse(id)).collect()
    }
}

/// A machine's label; its synset is the one that the small vocabulary has for the name.
pub(crate) fn label(name: &str, confidence: f32) -> KeptLabel<'static> {
    KeptLabel {
        name: name.to_owned().into(),
        kind: LabelKind::Object,
        confidence,
        state: LabelState::Proposed,
        model: "efficientnet-lite0".to_owned().into(),
        wordnet: SmallVocabulary.lookup(name).pop().map(|synset| synset.to_string().into()),
        parents: Vec::new(),
        doubtful: false,
    }
}

/// A picture to put into the catalogue.
#[derive(Default)]
struct Picture {
    seed: u8,
    source: &'static str,
    collection: &'static str,
    labels: &'static [(&'static str, f32)],
    /// Beside the file.
    beside: &'static [(&'static str, &'static str)],
    /// In the file.
    embedded: &'static [(&'static str, &'static str)],
    /// Where a network puts it: the two values that count.
    looks: Option<(i8, i8)>,
    /// How noisy it is, where it was assessed.
    noise: Option<f32>,
}

/// A catalogue and an index in a temporary folder.
struct Archive {
    catalogue: Arc<SqliteCatalogue>,
    index: Arc<Index>,
    folder: tempfile::TempDir,
}

impl Archive {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let catalogue = Arc::new(open_catalogue(&folder.path().join("c.sqlite")));
        let index = Arc::new(open_index(&folder.path().join("index")));
        Self { catalogue, index, folder }
    }

    async fn of(pictures: &[Picture]) -> Self {
        let archive = Self::new();
        for picture in pictures {
            archive.add(picture).await;
        }
        archive.catch_up().await;
        archive
    }

    async fn add(&self, picture: &Picture) -> AssetId {
        add(&self.catalogue, &Tenant::default(), picture).await
    }

    async fn catch_up(&self) -> crate::CaughtUp {
        self.index.catch_up(&*self.catalogue).await.expect("caught up")
    }

    async fn rule(&self, asset: &AssetId, name: &str, ruling: Ruling) {
        let decision = Decision {
            asset: asset.clone(),
            label: name.to_owned(),
            kind: LabelKind::Object,
            wordnet: SmallVocabulary.lookup(name).pop(),
            parents: Vec::new(),
            ruling,
            who: "ada".to_owned(),
            at: jiff::Timestamp::UNIX_EPOCH,
        };
        let entries = vec![Entry::Decision(decision)];
        self.catalogue.append(&Tenant::default(), entries).await.expect("append");
    }

    fn search(&self, query: &str) -> Answer {
        self.index.search(&Tenant::default(), &Ask::words(query, 20)).expect(query)
    }

    /// The seeds of the pictures found, best first.
    fn found(&self, query: &str) -> Vec<u8> {
        let answer = self.search(query);
        assert_eq!(answer.total, answer.hits.len() as u64);
        answer.hits.iter().map(|hit| seed_of(&hit.asset)).collect()
    }
}

fn open_catalogue(path: &Path) -> SqliteCatalogue {
    SqliteCatalogue::open(path).expect("a catalogue")
}

fn open_index(path: &Path) -> Index {
    Index::open(path, Arc::new(SmallVocabulary), Arc::new(Verbatim), Bar::default())
        .expect("an index")
}

fn asset_of(seed: u8, tenant: &Tenant) -> AssetId {
    AssetId::derive(tenant, &Digest::new([seed; 32]))
}

fn seed_of(asset: &AssetId) -> u8 {
    (0..=255).find(|&seed| asset_of(seed, &Tenant::default()) == *asset).expect("one of ours")
}

/// The run that every picture's labels belong to.
fn run() -> Run {
    Run {
        id: RunId::new(jiff::Timestamp::UNIX_EPOCH, 1),
        tenant: Tenant::default(),
        collection: "c".to_owned(),
        sources: Vec::new(),
        version: "0".to_owned(),
        started: jiff::Timestamp::UNIX_EPOCH,
        finished: None,
        balance: Balance::default(),
        withdrawn: false,
        trial: false,
        budget: None,
        spent: Dollars::ZERO,
    }
}

fn embedding((first, second): (i8, i8)) -> Embedding {
    let mut values = [0; DIMENSIONS];
    (values[0], values[1]) = (first, second);
    Embedding { space: Space::named("lite0"), values }
}

fn fields(texts: &[(&str, &str)], source: &str) -> Fields {
    let field =
        |text: &str| Field { value: text.into(), source: source.to_owned(), also: Vec::new() };
    texts.iter().map(|(name, text)| ((*name).to_owned(), field(text))).collect()
}

async fn add(catalogue: &SqliteCatalogue, tenant: &Tenant, picture: &Picture) -> AssetId {
    let at = jiff::Timestamp::from_second(i64::from(picture.seed)).expect("small");
    let digest = Digest::new([picture.seed; 32]);
    let id = asset_of(picture.seed, tenant);
    let maker = |model: &str| Maker {
        backend: "onnx".to_owned(),
        model: model.to_owned(),
        version: "1".to_owned(),
        parameters: String::new(),
    };
    let technical = Technical {
        format: Format::Jpeg,
        width: 3,
        height: 4,
        frames: 1,
        bit_depth: 8,
        colour: ColourModel::Rgb,
        alpha: false,
        orientation: 1,
        icc: None,
    };
    let identified = Identified {
        technical,
        embedded: fields(picture.embedded, "iptc:Caption-Abstract"),
        pixels: None,
        damage: Vec::new(),
    };
    let claim = |&(name, confidence): &(&str, f32)| {
        let KeptLabel { name, kind, wordnet, .. } = label(name, confidence);
        Label {
            name: name.to_string(),
            kind,
            confidence,
            wordnet: wordnet.as_deref().and_then(Synset::parse),
            parents: Vec::new(),
            instances: Vec::new(),
            evidence: Vec::new(),
        }
    };
    let labels = picture.labels.iter().map(claim).collect();
    let opinion = |step: &str, subject, maker: &Maker, finding| {
        Opinion::new(&id, step, subject, maker, &run().id, at, Verdict::Found(finding))
    };
    let collection = if picture.collection.is_empty() { "c" } else { picture.collection };
    let pixels = Subject::Pixels(PixelDigest::new([picture.seed; 32]));
    let assessed = picture.noise.map(|noise| {
        let condition = Condition {
            noise,
            blur: None,
            motion: false,
            contrast: 0.8,
            blockiness: 0.0,
            border: [0.0; 4],
            paper: 0.0,
        };
        Finding::Assessed(Assessment { tone: Tone::Grey, chroma: 0.0, condition: Some(condition) })
    });
    let mut entries = vec![
        Entry::Run(Run { tenant: tenant.clone(), ..run() }),
        Entry::Asset(Asset {
            id: id.clone(),
            tenant: tenant.clone(),
            digest,
            blake3: digest,
            bytes: 1,
            registered: at,
        }),
        Entry::Found {
            asset: id.clone(),
            occurrence: Occurrence {
                collection: collection.to_owned(),
                source: picture.source.to_owned(),
                metadata: fields(picture.beside, "csv:catalogue.csv"),
            },
            stamp: None,
        },
        Entry::Opinion(opinion(
            "identify",
            Subject::Bytes(digest),
            &maker("identify"),
            Finding::Identified(identified),
        )),
        Entry::Opinion(Opinion {
            embedding: picture.looks.map(embedding),
            ..opinion(
                "label:efficientnet-lite0",
                pixels,
                &maker("efficientnet-lite0"),
                Finding::Labelled(labels),
            )
        }),
    ];
    entries.extend(
        assessed.map(|found| Entry::Opinion(opinion("assess", pixels, &maker("assess"), found))),
    );
    catalogue.append(tenant, entries).await.expect("append");
    id
}
