//! What a measurement comes to: figures with intervals, as JSON, as a table, by class.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::bootstrap::Interval;
use super::calibration::Bin;

/// All that was measured.
#[derive(Debug, Default)]
pub struct Report {
    /// Figures, grouped by what they are about.
    pub groups: Vec<Group>,
    /// Each class on a row of its own.
    pub classes: Vec<ClassRow>,
    /// How right claims are, by how sure they were.
    pub reliability: Vec<Reliability>,
}

/// Figures about one thing.
#[derive(Debug)]
pub struct Group {
    /// Its name in JSON.
    pub name: &'static str,
    /// The figures, the most telling first.
    pub figures: Vec<Figure>,
    /// How many of what they rest on.
    pub counts: Vec<(&'static str, usize)>,
}

/// One figure.
#[derive(Debug)]
pub struct Figure {
    /// Its name in JSON.
    pub name: &'static str,
    /// Its value; NaN when it cannot be computed.
    pub value: f64,
    /// The 95 % interval.
    pub interval: Option<Interval>,
}

/// One class: how often it was told rightly, wrongly, or not at all.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassRow {
    /// `object`, `object_grey`, `scene` or `concept`.
    pub kind: &'static str,
    /// Its name.
    pub class: String,
    /// True positives.
    pub right: u64,
    /// False positives.
    pub wrong: u64,
    /// False negatives.
    pub missed: u64,
    /// The area below precision over recall; NaN where there is no ranking.
    pub average_precision: f64,
}

/// How right the claims of one kind are.
#[derive(Debug)]
pub struct Reliability {
    /// What is claimed.
    pub name: &'static str,
    /// Claims of like confidence.
    pub bins: Vec<Bin>,
}

impl Report {
    /// Returns a figure by the names of its group and its own.
    pub fn figure(&self, group: &str, name: &str) -> Option<f64> {
        let group = self.groups.iter().find(|known| known.name == group)?;
        group.figures.iter().find(|figure| figure.name == name).map(|figure| figure.value)
    }

    /// States the groups as one object, a group a key; intervals stand beside their figures.
    pub fn to_json(&self) -> Value {
        let mut value = json!({});
        for group in &self.groups {
            let mut told = json!({});
            for Figure { name, value, interval } in &group.figures {
                told[*name] = number(*value);
                if let Some(interval) = interval {
                    told[format!("{name}_interval")] =
                        interval.iter().map(|end| number(*end)).collect();
                }
            }
            for (name, count) in &group.counts {
                told[*name] = json!(count);
            }
            value[group.name] = told;
        }
        value
    }

    /// States the groups as a table for people, a figure a line.
    pub fn to_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for group in &self.groups {
            let counts: Vec<_> =
                group.counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
            for (at, figure) in group.figures.iter().enumerate() {
                let mut line = format!(
                    "{:<13} {:<15} {:>6}",
                    if at == 0 { group.name } else { "" },
                    figure.name,
                    share(figure.value)
                );
                if let Some([low, high]) = figure.interval {
                    let _ = write!(line, "  {} to {}", share(low), share(high));
                }
                if at == 0 {
                    line = format!("{line:<53}  {}", counts.join(", "));
                }
                lines.push(line.trim_end().to_owned());
            }
        }
        lines
    }

    /// States the classes as CSV.
    pub fn to_csv(&self) -> String {
        let mut csv = csv::Writer::from_writer(Vec::new());
        let header = [
            "kind",
            "class",
            "n",
            "tp",
            "fp",
            "fn",
            "precision",
            "recall",
            "f1",
            "average_precision",
        ];
        csv.write_record(header).expect("memory takes every row");
        for row in &self.classes {
            let (right, wrong, missed) = (row.right as f64, row.wrong as f64, row.missed as f64);
            csv.write_record([
                row.kind,
                &row.class,
                &(row.right + row.missed).to_string(),
                &row.right.to_string(),
                &row.wrong.to_string(),
                &row.missed.to_string(),
                &cell(right / (right + wrong)),
                &cell(right / (right + missed)),
                &cell(2.0 * right / (2.0 * right + wrong + missed)),
                &cell(row.average_precision),
            ])
            .expect("memory takes every row");
        }
        let bytes = csv.into_inner().expect("memory takes every row");
        String::from_utf8(bytes).expect("only text was written")
    }
}

/// Six decimals are more than any interval bears out.
fn number(value: f64) -> Value {
    if value.is_nan() { Value::Null } else { json!((value * 1e6).round() / 1e6) }
}

fn share(value: f64) -> String {
    if value.is_nan() { "-".to_owned() } else { format!("{value:.3}") }
}

fn cell(value: f64) -> String {
    if value.is_nan() { String::new() } else { format!("{value:.4}") }
}
