//! Compares a labeller with photographs whose content is known.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use glassplate_models::taxonomy::Objects;
use glassplate_pipeline::label::Label;
use glassplate_pipeline::ports::{Labeller, Vocabulary as _};
use glassplate_pipeline::raster::Raster;

/// One photograph and the columns of its row in the table.
pub(crate) struct Known {
    pub(crate) path: PathBuf,
    pub(crate) row: BTreeMap<String, String>,
}

/// What a labeller gets right of all that it says, and of all that there is.
#[derive(Debug, Default)]
pub(crate) struct Score {
    pub(crate) right: usize,
    pub(crate) wrong: usize,
    pub(crate) missed: usize,
}

impl Score {
    pub(crate) fn precision(&self) -> f64 {
        self.right as f64 / (self.right + self.wrong).max(1) as f64
    }

    pub(crate) fn recall(&self) -> f64 {
        self.right as f64 / (self.right + self.missed).max(1) as f64
    }

    pub(crate) fn f1(&self) -> f64 {
        2.0 * self.right as f64 / (2 * self.right + self.wrong + self.missed).max(1) as f64
    }
}

/// Reads a table with a `file` column; the photographs lie beside it, or in a folder beside its own.
pub(crate) fn read_table(table: &Path) -> Vec<Known> {
    let folder = table.parent().expect("a table lies in a folder");
    let mut reader = csv::Reader::from_path(table).expect("the table can be read");
    reader
        .deserialize()
        .map(|row| {
            let row: BTreeMap<String, String> = row.expect("a row has its columns");
            let beside = folder.join(&row["file"]);
            let other = folder.join("..").join(&row["file"]);
            Known { path: if beside.exists() { beside } else { other }, row }
        })
        .collect()
}

/// Decodes a JPEG to RGB; the tables hold nothing else.
pub(crate) fn read_jpeg(path: &Path) -> Arc<Raster> {
    let bytes = std::fs::read(path).expect("the photograph can be read");
    let image = turbojpeg::decompress(&bytes, turbojpeg::PixelFormat::RGB).expect("a sound JPEG");
    let (width, height) = (image.width as u32, image.height as u32);
    Arc::new(Raster::new(width, height, image.pixels))
}

/// Labels every photograph in turn and hands each with its labels to `look`.
pub(crate) async fn label_all<'a>(
    labeller: &dyn Labeller,
    photographs: impl IntoIterator<Item = &'a Known>,
    mut look: impl FnMut(&Known, Vec<Label>, std::time::Duration),
) {
    for known in photographs {
        let raster = read_jpeg(&known.path);
        let start = processor_time();
        let labels = labeller.label(&raster).await.expect("a picture can be labelled");
        look(known, labels, processor_time() - start);
    }
}

/// Processor time of the whole process so far.
pub(crate) fn processor_time() -> std::time::Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    std::time::Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Tells whether a label means what a class list calls `name`.
pub(crate) fn means(objects: &Objects, label: &Label, name: &str) -> bool {
    label.name == name
        || label.wordnet.as_ref().is_some_and(|synset| objects.lookup(name).contains(synset))
}

/// How often a scene that somebody accepted comes first, and among the first five.
#[derive(Debug, Default)]
pub(crate) struct Ranked {
    pub(crate) first: usize,
    pub(crate) among: usize,
    pub(crate) all: usize,
}

impl Ranked {
    /// Looks for the column `scenes_accepted`, which holds Places365's own names.
    pub(crate) fn look(&mut self, objects: &Objects, known: &Known, labels: &[Label]) {
        let accepted: Vec<_> = known.row["scenes_accepted"].split('|').collect();
        let keys = SCENES.lines().filter(|row| !row.starts_with('#'));
        let keys = keys.filter_map(|row| row.split('\t').next());
        let classes = objects.classes("places365").expect("a list that is built in");
        let names: BTreeSet<_> = keys
            .zip(&classes)
            .filter(|(key, _)| accepted.contains(key))
            .map(|(_, class)| class.name.as_str())
            .collect();
        let at = labels.iter().position(|label| names.contains(label.name.as_str()));
        self.first += usize::from(at == Some(0));
        self.among += usize::from(at.is_some_and(|at| at < 5));
        self.all += 1;
    }
}

const SCENES: &str = include_str!("../../taxonomy/scenes.tsv");

/// Counts labels of at least `threshold` against the `objects` column, `name:count|...`.
pub(crate) fn compare(
    score: &mut Score,
    objects: &Objects,
    known: &Known,
    labels: &[Label],
    threshold: f32,
) {
    let mut missed: BTreeSet<&str> = known.row["objects"]
        .split('|')
        .filter_map(|entry| entry.split(':').next())
        .filter(|name| !name.is_empty())
        .collect();
    for label in labels.iter().filter(|label| label.confidence >= threshold) {
        let found = missed.iter().find(|name| means(objects, label, name)).copied();
        match found {
            Some(name) => {
                missed.remove(name);
                score.right += 1;
            }
            None => score.wrong += 1,
        }
    }
    score.missed += missed.len();
}
