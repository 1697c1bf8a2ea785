//! Reads a detector's tensors: boxes in pixels of the network's input, with scores.
//!
//! Sources: YOLOX (Ge et al. 2021, arXiv 2107.08430), Generalized Focal Loss (Li et al.
//! 2020, arXiv 2006.04388) for the distances of NanoDet and PicoDet.

use glassplate_pipeline::fault::Fault;

use crate::session::Outputs;

/// One box that a network reports.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    /// Index into the class list.
    pub(super) class: usize,
    /// 0 to 1.
    pub(super) score: f32,
    /// Left, top, right, bottom in pixels of the network's input.
    pub(super) corners: [f32; 4],
}

/// The most boxes looked at further; crowded pictures report a few hundred.
const MOST_FOUND: usize = 1000;

/// What the heads of NanoDet and PicoDet share over their strides.
pub(super) struct Grid {
    /// The input's side in pixels.
    pub(super) side: u32,
    /// How many classes are scored.
    pub(super) classes: usize,
    /// How many distances are told apart on a side.
    pub(super) bins: usize,
}

/// Returns an output's values when it has the shape expected, leading ones aside.
pub(super) fn values<const N: usize>(
    output: &(String, Vec<usize>, Vec<f32>),
    shape: [usize; N],
) -> Result<&[f32], Fault> {
    let (name, found, values) = output;
    if *found != shape {
        return Err(Fault::broken(format!("output {name} is {found:?}, the card says {shape:?}")));
    }
    Ok(values)
}

/// Reads YOLOX: per cell the box's centre and logarithmic size, objectness, class scores.
pub(super) fn yolox(
    output: &(String, Vec<usize>, Vec<f32>),
    strides: &[u32],
    side: u32,
    classes: usize,
    keep_above: f32,
) -> Result<Vec<Found>, Fault> {
    let cells: usize = strides.iter().map(|stride| cells_of(side, *stride).count()).sum();
    let values = values(output, [1, cells, 5 + classes])?;
    let mut found = Vec::new();
    let places =
        strides.iter().flat_map(|&stride| cells_of(side, stride).map(move |cell| (cell, stride)));
    for (((column, row), stride), cell) in places.zip(values.chunks_exact(5 + classes)) {
        let objectness = cell[4];
        // The product with a class score, at most 1, cannot be greater.
        if objectness < keep_above {
            continue;
        }
        let stride = stride as f32;
        let centre = [(cell[0] + column as f32) * stride, (cell[1] + row as f32) * stride];
        let half = [cell[2].exp() * stride / 2.0, cell[3].exp() * stride / 2.0];
        let corners =
            [centre[0] - half[0], centre[1] - half[1], centre[0] + half[0], centre[1] + half[1]];
        let scores = cell[5..].iter().map(|score| score * objectness);
        keep(&mut found, scores, keep_above, corners);
    }
    Ok(best(found))
}

/// Reads Ultralytics' exports: centre, width and height of every box, then every class's scores.
pub(super) fn yolov8(
    output: &(String, Vec<usize>, Vec<f32>),
    classes: usize,
    keep_above: f32,
) -> Result<Vec<Found>, Fault> {
    // How many boxes there are follows from the export's strides, which the card does not tell.
    let cells = output.1.last().copied().unwrap_or_default();
    let values = values(output, [1, 4 + classes, cells])?;
    let (boxes, scores) = values.split_at(4 * cells);
    let mut found = Vec::new();
    for cell in 0..cells {
        let [x, y, width, height] = [0, 1, 2, 3].map(|at| boxes[at * cells + cell]);
        let corners = [x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0];
        let scores = scores[cell..].iter().step_by(cells).copied();
        keep(&mut found, scores, keep_above, corners);
    }
    Ok(best(found))
}

/// Reads NanoDet and PicoDet: class scores, and distances from the cell's centre to each side.
pub(super) fn distances(
    outputs: &Outputs,
    strides: &[u32],
    grid: &Grid,
    keep_above: f32,
) -> Result<Vec<Found>, Fault> {
    let mut found = Vec::new();
    for (&stride, pair) in strides.iter().zip(outputs.chunks_exact(2)) {
        let cells = cells_of(grid.side, stride).count();
        let scores = values(&pair[0], [1, cells, grid.classes])?;
        let sides = values(&pair[1], [1, cells, 4 * grid.bins])?;
        let each = scores.chunks_exact(grid.classes).zip(sides.chunks_exact(4 * grid.bins));
        for ((column, row), (scores, sides)) in cells_of(grid.side, stride).zip(each) {
            if !scores.iter().any(|&score| score >= keep_above) {
                continue;
            }
            let stride = stride as f32;
            let centre = [(column as f32 + 0.5) * stride, (row as f32 + 0.5) * stride];
            let mut corners = [0.0; 4];
            for (at, bins) in sides.chunks_exact(grid.bins).enumerate() {
                let way = if at < 2 { -1.0 } else { 1.0 };
                corners[at] = centre[at % 2] + way * expectation(bins) * stride;
            }
            keep(&mut found, scores.iter().copied(), keep_above, corners);
        }
    }
    Ok(best(found))
}

/// Columns and rows of the cells of a stride, row by row.
fn cells_of(side: u32, stride: u32) -> impl Iterator<Item = (u32, u32)> {
    let count = side.div_ceil(stride);
    (0..count).flat_map(move |row| (0..count).map(move |column| (column, row)))
}

fn keep(
    found: &mut Vec<Found>,
    scores: impl Iterator<Item = f32>,
    keep_above: f32,
    corners: [f32; 4],
) {
    // An infinite box would spoil every comparison.
    if corners.iter().all(|corner| corner.is_finite()) {
        let kept = scores.enumerate().filter(|(_, score)| *score >= keep_above);
        found.extend(kept.map(|(class, score)| Found { class, score: score.min(1.0), corners }));
    }
}

/// The best boxes, best first; of equal ones the first reported.
fn best(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found.truncate(MOST_FOUND);
    found
}

/// The mean bin under a softmax.
fn expectation(logits: &[f32]) -> f32 {
    let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let (mut sum, mut weighted) = (0.0, 0.0);
    for (bin, logit) in logits.iter().enumerate() {
        let weight = (logit - greatest).exp();
        sum += weight;
        weighted += weight * bin as f32;
    }
    weighted / sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One stride of 8 over 16 pixels: four cells, two classes.
    fn cells(values: Vec<f32>) -> (String, Vec<usize>, Vec<f32>) {
        let width = values.len() / 4;
        ("output".to_owned(), vec![1, 4, width], values)
    }

    #[test]
    fn yolox_cells_become_boxes() {
        let mut values = vec![0.0; 4 * 7];
        // The last cell, column 1 and row 1: half a cell further, 16 wide and 8 high.
        values[21..].copy_from_slice(&[0.5, 0.5, 2_f32.ln(), 0.0, 0.8, 0.1, 0.5]);
        let found = yolox(&cells(values), &[8], 16, 2, 0.2).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].class, 1);
        assert!((found[0].score - 0.4).abs() < 1e-6);
        let expected = [4.0, 8.0, 20.0, 16.0];
        assert!(found[0].corners.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4));
    }

    #[test]
    fn yolov8_boxes_are_read_down_the_columns() {
        // Two boxes, three classes: centre 8, 6 and 4 by 2; the other one is nothing.
        let rows =
            [[8.0, 1.0], [6.0, 1.0], [4.0, 1.0], [2.0, 1.0], [0.1, 0.0], [0.7, 0.1], [0.0; 2]];
        let output = ("output0".to_owned(), vec![1, 7, 2], rows.concat());
        let found = yolov8(&output, 3, 0.2).unwrap();
        assert_eq!(found, [Found { class: 1, score: 0.7, corners: [6.0, 5.0, 10.0, 7.0] }]);
        assert!(yolov8(&output, 2, 0.2).is_err());
        assert!(yolov8(&("output0".to_owned(), vec![1, 7, 0], vec![]), 3, 0.2).unwrap().is_empty());
    }

    #[test]
    fn distances_are_expectations_from_the_centre_of_the_cell() {
        let mut scores = vec![0.0; 4 * 2];
        scores[2] = 0.9;
        let mut sides = vec![0.0; 4 * 4 * 3];
        // The second cell, column 1 and row 0: left certainly 2 strides, the rest undecided (1).
        sides[12..15].copy_from_slice(&[-1e4, -1e4, 0.0]);
        let outputs = vec![cells(scores), cells(sides)];
        let grid = Grid { side: 16, classes: 2, bins: 3 };
        let found = distances(&outputs, &[8], &grid, 0.2).unwrap();
        assert_eq!(found, [Found { class: 0, score: 0.9, corners: [-4.0, -4.0, 20.0, 12.0] }]);
    }

    #[test]
    fn an_output_of_another_shape_is_a_fault_and_numbers_that_are_none_are_left_out() {
        let fault = yolox(&cells(vec![0.0; 4 * 9]), &[8], 16, 2, 0.2).unwrap_err();
        assert!(fault.to_string().contains("the card says"), "{fault}");
        let found = yolox(&cells(vec![f32::NAN; 4 * 7]), &[8], 16, 2, 0.2).unwrap();
        assert!(found.is_empty());
        let found = yolox(&cells(vec![1e9; 4 * 7]), &[8], 16, 2, 0.2).unwrap();
        assert!(found.is_empty(), "boxes without end");
    }
}
