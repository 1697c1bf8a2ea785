//! The comparison of records with what is known of their pictures.

use std::collections::{BTreeMap, BTreeSet};

use glassplate_pipeline::label::LabelKind;
use glassplate_pipeline::record::{Bar, LabelState, RecordLabel};

use super::bootstrap::{RESAMPLES, intervals};
use super::calibration::{self, Claim};
use super::likeness;
use super::look::Looked;
use super::objects::{self, Board};
use super::report::{ClassRow, Figure, Group, Reliability, Report};
use super::truth::Truth;
use super::words::{Thing, Words};

/// How many concepts of a record count: what a page shows.
const CONCEPTS: usize = 8;
/// How far down a ranking the right answer may stand.
const AMONG: usize = 5;

/// What a picture adds to a share: how many are right, of how many.
type Part = (f64, f64);

/// Compares everything that was looked at.
pub fn score(looked: &[Looked], words: &Words, bar: &Bar) -> Report {
    let mut report = Report::default();
    let records: Vec<(&Truth, &[RecordLabel])> =
        looked.iter().map(|looked| (&looked.case.truth, &looked.record.labels[..])).collect();
    let mut calibrated = Vec::new();
    let mut board = Board::default();
    for (truth, labels) in &records {
        if let Some(present) = &truth.objects {
            board.add(present, labels, words, bar);
        }
    }
    report.objects("objects", "object", &board);
    calibrated.push(("objects", board.claims(), board.len()));
    let mut grey = Board::default();
    for looked in looked {
        if let (Some(present), Some(record)) = (&looked.case.truth.objects, &looked.grey) {
            grey.add(present, &record.labels, words, bar);
        }
    }
    report.objects("objects_grey", "object_grey", &grey);
    calibrated.push(report.scenes(&records, words));
    report.classes(&records, words);
    report.concepts(&records, words, bar);
    report.confusables(&records, words, bar);
    report.calibration(calibrated);
    report.likeness(looked);
    report
}

impl Report {
    fn objects(&mut self, name: &'static str, kind: &'static str, board: &Board) {
        if board.is_empty() {
            return;
        }
        let figures =
            with_intervals(&objects::FIGURES, board.len(), |weights| board.figures(weights));
        self.groups.push(Group { name, figures, counts: vec![("n", board.len())] });
        self.classes.extend(board.by_thing(kind));
    }

    /// Returns the claims about scenes, for the calibration.
    fn scenes(
        &mut self,
        records: &[(&Truth, &[RecordLabel])],
        words: &Words,
    ) -> (&'static str, Vec<Claim>, usize) {
        let (mut parts, mut claims) = (Vec::new(), Vec::new());
        let mut classes = Classes::default();
        let (mut scenes, mut settings) = (0, 0);
        for (truth, labels) in records {
            let mut of_picture = [(0.0, 0.0); 3];
            if let Some(accepted) = &truth.scenes {
                let mut ranked = ranked(labels, LabelKind::Scene);
                ranked.retain(|label| Words::setting_of(label).is_none());
                let right =
                    |label: &&RecordLabel| accepted.iter().any(|key| key == words.scene_of(label));
                let at = ranked.iter().position(right);
                of_picture[0] = (flag(at == Some(0)), 1.0);
                of_picture[1] = (flag(at.is_some_and(|at| at < AMONG)), 1.0);
                claims.extend(ranked.iter().map(|label| Claim {
                    picture: parts.len(),
                    confidence: label.confidence,
                    right: right(label),
                }));
                let first = ranked.first().map(|label| words.scene_of(label));
                let meant = accepted[0].as_str();
                classes.count(meant, at == Some(0), first);
                scenes += 1;
            }
            if let Some(setting) = truth.setting {
                of_picture[2] = (flag(words.setting(labels) == Some(setting)), 1.0);
                settings += 1;
            }
            if truth.scenes.is_some() || truth.setting.is_some() {
                parts.push(of_picture);
            }
        }
        let counts = vec![("n", scenes), ("indoor_outdoor_n", settings)];
        self.shares("scenes", ["top1", "top5", "indoor_outdoor"], &parts, counts);
        if let Some(group) = self.groups.last_mut().filter(|group| group.name == "scenes") {
            // What no table judges is no figure.
            let judged =
                |name: &str| if name == "indoor_outdoor" { settings > 0 } else { scenes > 0 };
            group.figures.retain(|figure| judged(figure.name));
            group.counts.retain(|(_, count)| *count > 0);
        }
        self.classes.extend(classes.rows("scene"));
        ("scenes", claims, parts.len())
    }

    fn classes(&mut self, records: &[(&Truth, &[RecordLabel])], words: &Words) {
        let mut parts = Vec::new();
        for (truth, labels) in records {
            let Some(class) = &truth.class else { continue };
            let mut ranked = ranked(labels, LabelKind::Object);
            // A broader label is no answer to which class it is, and no wrong one either.
            ranked.retain(|label| words.is_imagenet_class(label));
            let at = ranked.iter().position(|label| names(label, class));
            parts.push([(flag(at == Some(0)), 1.0), (flag(at.is_some_and(|at| at < AMONG)), 1.0)]);
        }
        let counts = vec![("n", parts.len())];
        self.shares("classes", ["top1", "top5"], &parts, counts);
    }

    fn concepts(&mut self, records: &[(&Truth, &[RecordLabel])], words: &Words, bar: &Bar) {
        let (mut parts, mut classes) = (Vec::new(), Classes::default());
        for (truth, labels) in records {
            let Some(known) = &truth.concepts else { continue };
            let shown = ranked(labels, LabelKind::Concept);
            let shown = shown.into_iter().filter(|label| bar.shows(label)).take(CONCEPTS);
            let said: BTreeSet<String> = shown.map(|label| words.concept(&label.name)).collect();
            let right = said.intersection(known).count() as f64;
            parts.push([(right, known.len() as f64), (right, said.len() as f64)]);
            for concept in known {
                classes.count(concept, said.contains(concept), None);
            }
            for concept in said.difference(known) {
                classes.wrong(concept);
            }
        }
        let counts = vec![("n", parts.len())];
        self.shares("concepts", ["recall", "precision"], &parts, counts);
        self.classes.extend(classes.rows("concept"));
    }

    fn confusables(&mut self, records: &[(&Truth, &[RecordLabel])], words: &Words, bar: &Bar) {
        let mut parts = Vec::new();
        for (truth, labels) in records {
            let Some(kind) = truth.kind else { continue };
            let ranked = ranked(labels, LabelKind::Object);
            let published = ranked.iter().filter(|label| bar.shows(label));
            let published = published.filter_map(|label| words.kind_of(label)).next();
            let held_back = |label: &&RecordLabel| {
                label.state == LabelState::Proposed
                    && !label.doubts.is_empty()
                    && label.confidence >= bar.of(label.kind)
            };
            let told = flag(published.is_some());
            parts.push([
                (told, 1.0),
                (flag(published == Some(kind)), told),
                (flag(ranked.iter().any(held_back)), 1.0),
            ]);
        }
        let counts = vec![("n", parts.len())];
        self.shares("confusables", ["published", "right", "review"], &parts, counts);
    }

    fn likeness(&mut self, looked: &[Looked]) {
        let parts = likeness::parts(looked);
        let judged = |at: usize| parts.iter().filter(|part| part[at].1 > 0.0).count();
        let [objects, scenes] = [judged(0), judged(3)];
        if objects + scenes > 0 {
            let counts = vec![("objects_n", objects), ("scenes_n", scenes)];
            self.shares("likeness", likeness::FIGURES, &parts, counts);
        }
        if let Some(group) = self.groups.last_mut().filter(|group| group.name == "likeness") {
            group.figures.retain(|figure| !figure.value.is_nan());
            group.counts.retain(|(_, count)| *count > 0);
        }
    }

    fn calibration(&mut self, kinds: Vec<(&'static str, Vec<Claim>, usize)>) {
        let mut group = Group { name: "calibration", figures: Vec::new(), counts: Vec::new() };
        for (name, claims, pictures) in kinds.into_iter().filter(|kind| !kind.1.is_empty()) {
            let claims = calibration::sorted(claims);
            group.figures.extend(with_intervals(&[name], pictures, |weights| {
                vec![calibration::error(&calibration::bins(&claims, weights))]
            }));
            let count = if name == "objects" { "object_claims" } else { "scene_claims" };
            group.counts.push((count, claims.len()));
            let bins = calibration::bins(&claims, &vec![1; pictures]);
            self.reliability.push(Reliability { name, bins });
        }
        if !group.figures.is_empty() {
            self.groups.push(group);
        }
    }

    /// Adds a group of shares, each the sum of what is right by the sum of all.
    fn shares<const N: usize>(
        &mut self,
        name: &'static str,
        names: [&'static str; N],
        parts: &[[Part; N]],
        counts: Vec<(&'static str, usize)>,
    ) {
        if parts.is_empty() {
            return;
        }
        let figures = with_intervals(&names, parts.len(), |weights| {
            let mut sums = [(0.0, 0.0); N];
            for (part, &weight) in parts.iter().zip(weights) {
                for (sum, part) in sums.iter_mut().zip(part) {
                    sum.0 += part.0 * f64::from(weight);
                    sum.1 += part.1 * f64::from(weight);
                }
            }
            sums.iter().map(|(right, all)| right / all).collect()
        });
        self.groups.push(Group { name, figures, counts });
    }
}

fn with_intervals(
    names: &[&'static str],
    pictures: usize,
    figures: impl Fn(&[u32]) -> Vec<f64>,
) -> Vec<Figure> {
    let values = figures(&vec![1; pictures]);
    let intervals = intervals(pictures, RESAMPLES, figures);
    let figures = names.iter().zip(values).zip(intervals);
    figures.map(|((&name, value), interval)| Figure { name, value, interval }).collect()
}

/// Returns the labels of a kind that nobody refused, the surest first.
fn ranked(labels: &[RecordLabel], kind: LabelKind) -> Vec<&RecordLabel> {
    let stands = |label: &&RecordLabel| label.kind == kind && label.state != LabelState::Rejected;
    let mut ranked: Vec<_> = labels.iter().filter(stands).collect();
    ranked.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    ranked
}

/// Tells whether a label names a class itself: a broader term is no answer to which it is.
fn names(label: &RecordLabel, class: &Thing) -> bool {
    label.name == class.name || label.wordnet.as_ref().is_some_and(|s| class.synsets.contains(s))
}

fn flag(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

/// Counts by class where there is no ranking of pictures.
#[derive(Default)]
struct Classes(BTreeMap<String, [u64; 3]>);

impl Classes {
    /// Counts a class that is there; what was said instead of it is wrong.
    fn count(&mut self, class: &str, right: bool, said: Option<&str>) {
        self.0.entry(class.to_owned()).or_default()[if right { 0 } else { 2 }] += 1;
        if let Some(said) = said.filter(|_| !right) {
            self.wrong(said);
        }
    }

    fn wrong(&mut self, class: &str) {
        self.0.entry(class.to_owned()).or_default()[1] += 1;
    }

    fn rows(self, kind: &'static str) -> impl Iterator<Item = ClassRow> {
        self.0.into_iter().map(move |(class, [right, wrong, missed])| ClassRow {
            kind,
            class,
            right,
            wrong,
            missed,
            average_precision: f64::NAN,
        })
    }
}
