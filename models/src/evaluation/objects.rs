//! Objects: which of some things are in each picture, against what the record says.

use std::collections::BTreeMap;

use glassplate_pipeline::label::LabelKind;
use glassplate_pipeline::record::{Bar, LabelState, RecordLabel};

use super::calibration::Claim;
use super::report::ClassRow;
use super::truth::Present;
use super::words::Words;

/// The figures that [`Board::figures`] returns, in order.
pub const FIGURES: [&str; 4] = ["f1", "precision", "recall", "map"];

/// One thing in one picture: claimed, there, or both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// The thing's place among the board's.
    pub thing: usize,
    /// Whether it is there.
    pub there: bool,
    /// The largest confidence of a label that names it.
    pub confidence: Option<f32>,
    /// Whether a label that names it is shown.
    pub shown: bool,
}

/// All cells of all pictures; what is neither claimed nor there needs none.
#[derive(Debug, Default)]
pub struct Board {
    things: Vec<String>,
    by_name: BTreeMap<String, usize>,
    pictures: Vec<Vec<Cell>>,
    /// Of each thing its claims, the surest first.
    ranked: Vec<Vec<Claim>>,
}

/// How many are right, wrong and missed.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    right: f64,
    wrong: f64,
    missed: f64,
}

impl Board {
    /// Adds a picture.
    pub fn add(&mut self, present: &Present, labels: &[RecordLabel], words: &Words, bar: &Bar) {
        let mut found: BTreeMap<usize, (f32, bool)> = BTreeMap::new();
        let claimed = |label: &&RecordLabel| {
            label.kind == LabelKind::Object && label.state != LabelState::Rejected
        };
        for label in labels.iter().filter(claimed) {
            for thing in words.things_named(label, &present.of) {
                let (confidence, shown) = found.entry(thing).or_default();
                *confidence = confidence.max(label.confidence);
                *shown |= bar.shows(label);
            }
        }
        let mut cells = Vec::new();
        for (at, thing) in present.of.iter().enumerate() {
            let (there, found) = (present.there.contains(&at), found.get(&at));
            if there || found.is_some() {
                cells.push(Cell {
                    thing: self.place(&thing.name),
                    there,
                    confidence: found.map(|found| found.0),
                    shown: found.is_some_and(|found| found.1),
                });
            }
        }
        self.add_cells(cells);
    }

    /// Returns the place of a thing, a new one if need be.
    pub fn place(&mut self, name: &str) -> usize {
        let next = self.things.len();
        let at = *self.by_name.entry(name.to_owned()).or_insert(next);
        if at == next {
            self.things.push(name.to_owned());
            self.ranked.push(Vec::new());
        }
        at
    }

    /// Adds a picture's cells, each of a thing that has a place.
    pub fn add_cells(&mut self, cells: Vec<Cell>) {
        let picture = self.pictures.len();
        for Cell { thing, there, confidence, .. } in &cells {
            if let Some(confidence) = *confidence {
                let claims = &mut self.ranked[*thing];
                let at = claims.partition_point(|claim| claim.confidence >= confidence);
                claims.insert(at, Claim { picture, confidence, right: *there });
            }
        }
        self.pictures.push(cells);
    }

    /// How many pictures there are.
    pub fn len(&self) -> usize {
        self.pictures.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pictures.is_empty()
    }

    /// Every claim, whatever the bar.
    pub fn claims(&self) -> Vec<Claim> {
        self.ranked.iter().flatten().copied().collect()
    }

    /// Computes [`FIGURES`], each picture counted as often as its weight says: F1, precision and
    /// recall over all pictures and things, and the mean of the things' average precisions.
    pub fn figures(&self, weights: &[u32]) -> Vec<f64> {
        let mut all = Count::default();
        let mut there = vec![0_u32; self.things.len()];
        for (cells, &weight) in self.pictures.iter().zip(weights) {
            for cell in cells {
                all.add(cell, weight);
                there[cell.thing] += weight * u32::from(cell.there);
            }
        }
        let averages = self.ranked.iter().zip(there).filter(|(_, there)| *there > 0);
        let averages: Vec<_> =
            averages.map(|(claims, there)| average_precision(claims, weights, there)).collect();
        let mean = averages.iter().sum::<f64>() / averages.len() as f64;
        vec![all.f1(), all.precision(), all.recall(), mean]
    }

    /// States each thing that is somewhere, or shown somewhere, on a row of its own.
    pub fn by_thing(&self, kind: &'static str) -> Vec<ClassRow> {
        let weights = vec![1; self.len()];
        let mut counts = vec![Count::default(); self.things.len()];
        for cell in self.pictures.iter().flatten() {
            counts[cell.thing].add(cell, 1);
        }
        let rows = self.things.iter().zip(counts).zip(&self.ranked);
        let rows = rows.map(|((class, count), claims)| {
            let there = (count.right + count.missed) as u32;
            ClassRow {
                kind,
                class: class.clone(),
                right: count.right as u64,
                wrong: count.wrong as u64,
                missed: count.missed as u64,
                average_precision: average_precision(claims, &weights, there),
            }
        });
        let mut rows: Vec<_> = rows.filter(|row| row.right + row.wrong + row.missed > 0).collect();
        rows.sort_by(|a, b| a.class.cmp(&b.class));
        rows
    }
}

impl Count {
    fn add(&mut self, cell: &Cell, weight: u32) {
        let weight = f64::from(weight);
        match (cell.shown, cell.there) {
            (true, true) => self.right += weight,
            (true, false) => self.wrong += weight,
            (false, true) => self.missed += weight,
            (false, false) => {}
        }
    }

    fn precision(self) -> f64 {
        self.right / (self.right + self.wrong)
    }

    fn recall(self) -> f64 {
        self.right / (self.right + self.missed)
    }

    fn f1(self) -> f64 {
        2.0 * self.right / (2.0 * self.right + self.wrong + self.missed)
    }
}

/// Returns the area below precision over recall, without interpolation: the sum, over the
/// distinct confidences, of the gain in recall times the precision there.
///
/// `claims` are sorted, the surest first; claims that are equally sure come at once. What is
/// there and was never claimed adds nothing. NaN where the thing is nowhere.
pub fn average_precision(claims: &[Claim], weights: &[u32], there: u32) -> f64 {
    let (mut right, mut all, mut area) = (0_u32, 0_u32, 0.0);
    for equal in claims.chunk_by(|a, b| a.confidence == b.confidence) {
        let before = right;
        for claim in equal {
            all += weights[claim.picture];
            right += weights[claim.picture] * u32::from(claim.right);
        }
        if right > before {
            area += f64::from(right - before) * f64::from(right) / f64::from(all);
        }
    }
    area / f64::from(there)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of each picture: is it there, how sure, is it shown.
    fn board(of: &[(bool, Option<f32>, bool)]) -> Board {
        let mut board = Board::default();
        let thing = board.place("cat");
        for &(there, confidence, shown) in of {
            board.add_cells(vec![Cell { thing, there, confidence, shown }]);
        }
        board
    }

    fn average(of: &[(bool, Option<f32>, bool)]) -> f64 {
        board(of).figures(&vec![1; of.len()])[3]
    }

    #[track_caller]
    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
    }

    #[test]
    fn counts_give_precision_recall_and_f1() {
        let board = board(&[
            (true, Some(0.9), true),
            (true, Some(0.8), true),
            (true, Some(0.3), false),
            (true, None, false),
            (false, Some(0.7), true),
            (false, Some(0.2), false),
        ]);
        let figures = board.figures(&[1; 6]);
        near(figures[0], 4.0 / 7.0);
        near(figures[1], 2.0 / 3.0);
        near(figures[2], 0.5);
        // Ranks: right, right, wrong, right, wrong; one was never claimed.
        near(figures[3], (1.0 + 1.0 + 0.75) / 4.0);
        let row = &board.by_thing("object")[0];
        assert_eq!((row.right, row.wrong, row.missed), (2, 1, 2));
        near(row.average_precision, figures[3]);
    }

    #[test]
    fn equally_sure_claims_have_no_order() {
        let claims = [(true, Some(0.5), true), (false, Some(0.5), true)];
        near(average(&claims), 0.5);
        near(average(&[claims[1], claims[0]]), 0.5);
    }

    #[test]
    fn a_perfect_ranking_is_one_and_none_is_nothing() {
        near(average(&[(false, Some(0.1), false), (true, Some(0.2), false)]), 1.0);
        near(average(&[(true, None, false), (false, Some(0.9), true)]), 0.0);
        assert!(average(&[(false, Some(0.9), true)]).is_nan(), "there is no cat to be found");
    }

    #[test]
    fn a_thing_that_is_nowhere_lowers_precision_but_no_average() {
        let mut board = board(&[(true, Some(0.9), true)]);
        let thing = board.place("dog");
        board.add_cells(vec![Cell { thing, there: false, confidence: Some(0.9), shown: true }]);
        let figures = board.figures(&[1, 1]);
        near(figures[1], 0.5);
        near(figures[3], 1.0);
    }

    #[test]
    fn weights_are_pictures_that_come_again() {
        let (a, b) = ((true, Some(0.9), true), (false, Some(0.95), true));
        let c = (true, Some(0.2), false);
        let weighed = board(&[a, b, c]).figures(&[2, 1, 0]);
        let repeated = board(&[a, a, b]).figures(&[1, 1, 1]);
        for (one, other) in weighed.iter().zip(repeated) {
            near(*one, other);
        }
    }

    proptest::proptest! {
        #[test]
        fn every_figure_is_a_share_and_order_does_not_matter(
            cells in proptest::collection::vec((proptest::bool::ANY, 0_u8..10, proptest::bool::ANY), 1..30)
        ) {
            let cells: Vec<_> =
                cells.into_iter().map(|(t, c, s)| (t, Some(f32::from(c) / 10.0), s)).collect();
            let turned: Vec<_> = cells.iter().rev().copied().collect();
            let weights = vec![1; cells.len()];
            let (one, other) = (board(&cells).figures(&weights), board(&turned).figures(&weights));
            for (a, b) in one.iter().zip(&other) {
                proptest::prop_assert!(a.is_nan() && b.is_nan() || (a - b).abs() < 1e-9);
                proptest::prop_assert!(a.is_nan() || (0.0..=1.0 + 1e-9).contains(a));
            }
        }
    }
}
