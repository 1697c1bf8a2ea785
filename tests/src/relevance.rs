//! How good the search's first ten hits are, on photographs whose content is known.
//!
//! The sets are ingested without a word beside them, so everything is found by what the
//! networks saw; queries go through `glassplate search`. What is right for a query is judged by
//! `relevance.tsv` against the sets' own tables, graded 2 and 1. The measure is nDCG@10 with gains
//! `2^grade - 1` (Järvelin and Kekäläinen 2002; Burges et al. 2005): 1 when no order of the
//! judged photographs would have been better.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use crate::archivist::Archivist;
use crate::measure::Outcome;

const JUDGED: &str = include_str!("relevance.tsv");
/// The sets with tables of what is in their photographs.
const SETS: [&str; 6] = [
    "coco_sample",
    "confusable_animals_food",
    "historical",
    "imagenet1k_sample",
    "scenes15_gray",
    "scenes_colour_cid22",
];
/// How many hits are looked at.
const DEPTH: usize = 10;

/// How well one query was answered.
pub struct Answered {
    /// The query.
    pub query: &'static str,
    /// How many photographs fit it, well or a little.
    pub fit: usize,
    /// The measure, 0 to 1.
    pub ndcg: f64,
}

/// Ingests the sets below a folder and asks every query that some photograph fits.
///
/// # Errors
/// When a set cannot be read; a set that is not there is left out.
///
/// # Panics
/// When a command of the archivist fails.
pub fn measure(archivist: &Archivist, data: &Path) -> Outcome<Vec<Answered>> {
    let mut truth: HashMap<String, BTreeSet<String>> = HashMap::new();
    // The archivist works in another folder.
    let data = &data.canonicalize()?;
    for set in SETS {
        let folder = data.join(set);
        if !folder.join("labels_dev.csv").exists() {
            continue;
        }
        read_truth(&folder, &mut truth)?;
        let pictures = folder.join("dev").display().to_string();
        archivist.run(&["ingest", &pictures, "--collection", set]).exits(0);
    }
    add_scenes(data, &mut truth)?;
    Ok(judged().filter_map(|query| answer(archivist, &query, &truth)).collect())
}

/// The mean over queries.
pub fn mean(answered: &[Answered]) -> f64 {
    answered.iter().map(|answered| answered.ndcg).sum::<f64>() / answered.len().max(1) as f64
}

struct Query {
    text: &'static str,
    /// Of each grade, the better first: alternatives of terms that must hold together.
    grades: [Vec<Vec<&'static str>>; 2],
}

fn judged() -> impl Iterator<Item = Query> {
    JUDGED.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut columns = line.split('\t');
        let text = columns.next().expect("a query");
        let mut grade = || {
            let terms = columns.next().unwrap_or_default().split('|');
            terms.filter(|t| !t.is_empty()).map(|t| t.split('+').collect()).collect()
        };
        Query { text, grades: [grade(), grade()] }
    })
}

fn grade(query: &Query, known: &BTreeSet<String>) -> u32 {
    let holds = |terms: &Vec<&str>| terms.iter().all(|term| known.contains(*term));
    match &query.grades {
        [well, _] if well.iter().any(holds) => 2,
        [_, little] if little.iter().any(holds) => 1,
        _ => 0,
    }
}

fn answer(
    archivist: &Archivist,
    query: &Query,
    truth: &HashMap<String, BTreeSet<String>>,
) -> Option<Answered> {
    let mut grades: Vec<u32> = truth.values().map(|known| grade(query, known)).collect();
    grades.retain(|grade| *grade > 0);
    if !grades.contains(&2) {
        return None;
    }
    let fit = grades.len();
    grades.sort_unstable_by(|a, b| b.cmp(a));
    let depth = DEPTH.to_string();
    let said = archivist.run(&["search", query.text, "--limit", &depth, "--json"]).exits(0).json();
    let hits = said["hits"].as_array().cloned().unwrap_or_default();
    let found = hits.iter().map(|hit| {
        let known = hit["sources"][0].as_str().and_then(|path| truth.get(path));
        known.map_or(0, |known| grade(query, known))
    });
    let ndcg = gain(found) / gain(grades.iter().copied());
    Some(Answered { query: query.text, fit, ndcg })
}

/// Adds up gains, each discounted by the logarithm of its rank.
fn gain(grades: impl Iterator<Item = u32>) -> f64 {
    let gains = grades.take(DEPTH).zip(2_u32..);
    let each = gains.map(|(grade, rank)| (2_f64.powi(grade as i32) - 1.0) / f64::from(rank).log2());
    // Of no gains the sum would be -0.
    each.fold(0.0, |sum, gain| sum + gain)
}

/// Reads what a set's table says, by the path of the photograph.
fn read_truth(folder: &Path, truth: &mut HashMap<String, BTreeSet<String>>) -> Outcome<()> {
    for row in table(&folder.join("labels_dev.csv"))? {
        let path = std::fs::canonicalize(folder.join(&row["file"]))?.display().to_string();
        truth.entry(path).or_default().extend(terms(&row));
    }
    Ok(())
}

/// Adds the scenes that were judged by hand for photographs of the sets.
fn add_scenes(data: &Path, truth: &mut HashMap<String, BTreeSet<String>>) -> Outcome<()> {
    let file = data.join("scene_concept_handlabels/labels_dev.csv");
    if !file.exists() {
        return Ok(());
    }
    for row in table(&file)? {
        if let Ok(path) = std::fs::canonicalize(data.join(&row["file"]))
            && let Some(known) = truth.get_mut(&path.display().to_string())
        {
            known.extend(terms(&row));
        }
    }
    Ok(())
}

/// Everything that a row says of what is in its photograph.
fn terms(row: &BTreeMap<String, String>) -> Vec<String> {
    let columns = [
        "objects",
        "label",
        "synonyms",
        "hypernym_path",
        "scenes_accepted",
        "places365_accepted",
        "scene",
        "concepts",
    ];
    let cells = columns.into_iter().filter_map(|column| row.get(column));
    let parts = cells.flat_map(|cell| cell.split(['|', '>']));
    parts
        .map(|part| {
            let part = part.split([':', '/']).next().unwrap_or_default();
            part.split(" (").next().unwrap_or_default().trim().to_owned()
        })
        .filter(|part| !part.is_empty())
        .collect()
}

fn table(path: &Path) -> Outcome<Vec<BTreeMap<String, String>>> {
    let mut reader = csv::Reader::from_path(path)?;
    let names = reader.headers()?.clone();
    let mut rows = Vec::new();
    for row in reader.records() {
        let row = row?;
        rows.push(
            names.iter().zip(&row).map(|(n, cell)| (n.to_owned(), cell.to_owned())).collect(),
        );
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_measure_is_one_for_the_best_order_and_falls_with_worse() {
        let ideal = gain([2, 2, 1].into_iter());
        assert!(gain([2, 1, 2].into_iter()) < ideal && gain([0, 2, 2].into_iter()) < ideal);
        // 3 / log2(2) + 1 / log2(3)
        assert!((gain([2, 1].into_iter()) - 3.630_93).abs() < 1e-5);
    }

    #[test]
    fn every_query_says_what_fits_it() {
        assert!(judged().all(|query| !query.grades[0].is_empty()));
        let night = judged().find(|query| query.text == "street at night").expect("a query");
        let known = |terms: &[&str]| terms.iter().map(|t| (*t).to_owned()).collect();
        assert_eq!(grade(&night, &known(&["street", "night"])), 2);
        assert_eq!(grade(&night, &known(&["night"])), 1);
        assert_eq!(grade(&night, &known(&["street"])), 0);
    }
}
