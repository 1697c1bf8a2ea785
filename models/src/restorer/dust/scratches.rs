//! Scratches: long thin lines, upright or level, lighter or darker than what they cross.
//!
//! A line is followed from row to row, so that one a little slanted or bent is one line; pieces
//! that a lively place parted are joined. Level lines are looked for in the picture on its side.

use super::Sight;
use super::plane::{Liveliness, Plane};

/// Strays are averaged over so many pixels up and down before a line is followed.
const ALONG: usize = 4;
/// No stray counts for more than this in the average: a speck makes no line.
const MOST_STRAY: i16 = 60;
/// A scratch strays so many times as far as nine in ten pixels around it.
const ABOVE_TEXTURE: f32 = 2.0;
/// A piece goes on over so many rows in which nothing is seen.
const GAP: usize = 12;
/// A piece is at least so many rows long.
const LEAST_PIECE: usize = 24;
/// A scratch is at least so many rows long, and this share of the height.
const LEAST: (usize, f32) = (80, 0.45);
/// Of a scratch so much is seen: nothing in the picture stands before it.
const SEEN: f32 = 0.9;
/// How far pieces may lie from where another leads, in pixels, and differ in slope.
const JOINED: (f32, f32) = (2.5, 0.02);
/// The most that a line leans, in pixels across for one down.
const LEANS: f32 = 0.12;
/// How far a line's places lie from a straight one at most, as a root mean square, in pixels.
const STRAIGHT: f32 = 0.8;
/// Both sides of a scratch are as light, up to this share of its height: else it is an edge.
const SIDES: f32 = 0.2;
/// What lies within this share of the picture's side is taken for its frame.
const FRAME: f32 = 0.04;
/// A scratch strays so many times as far as the mean of what lies beside it.
const ABOVE_BESIDE: f32 = 9.0;
/// What lies beside reaches so many pixels to either side.
const BESIDE: usize = 24;

/// Marks the scratches of a picture in `marked`, and says how many there are.
pub(super) fn mark(light: &Plane, sight: Sight, marked: &mut [bool]) -> usize {
    let upright = found(light, sight);
    for line in &upright {
        line.pixels(light.width, light.height)
            .for_each(|(x, y)| marked[y * light.width + x] = true);
    }
    let turned = light.transposed();
    let level = found(&turned, sight);
    for line in &level {
        line.pixels(turned.width, turned.height)
            .for_each(|(y, x)| marked[y * light.width + x] = true);
    }
    upright.len() + level.len()
}

/// A line from top to bottom, or a piece of one.
struct Line {
    light: bool,
    /// Row, middle, and width of each place where it was seen, from top to bottom.
    places: Vec<(usize, f32, usize)>,
}

impl Line {
    fn first(&self) -> usize {
        self.places[0].0
    }

    fn last(&self) -> usize {
        self.places[self.places.len() - 1].0
    }

    /// The straight line nearest to it: where it is at row 0, its slope, and how far its places
    /// lie from it as a root mean square.
    fn fitted(&self) -> (f32, f32, f32) {
        let count = self.places.len() as f32;
        let mean_y = self.places.iter().map(|place| place.0 as f32).sum::<f32>() / count;
        let mean_x = self.places.iter().map(|place| place.1).sum::<f32>() / count;
        let (mut both, mut squares) = (0.0, 0.0);
        for &(y, x, _) in &self.places {
            let y = y as f32 - mean_y;
            both += y * (x - mean_x);
            squares += y * y;
        }
        let slope = both / squares.max(1.0);
        let start = mean_x - slope * mean_y;
        let off = |&(y, x, _): &(usize, f32, usize)| (x - start - slope * y as f32).powi(2);
        (start, slope, (self.places.iter().map(off).sum::<f32>() / count).sqrt())
    }

    /// Its pixels, soft edges too; between two places where it was seen it runs straight.
    fn pixels(&self, width: usize, height: usize) -> impl Iterator<Item = (usize, usize)> {
        let ends = [self.places[0], self.places[self.places.len() - 1]];
        // The average along the line ends early, and the line does not.
        let [before, after] =
            [ends[0].0.saturating_sub(ALONG), (ends[1].0 + ALONG).min(height - 1)];
        let mut widths: Vec<usize> = self.places.iter().map(|place| place.2).collect();
        widths.sort_unstable();
        let half = widths[widths.len() / 2] as f32 / 2.0 + 1.0;
        (before..=after).flat_map(move |y| {
            let next = self.places.partition_point(|place| place.0 < y);
            let to = self.places[next.min(self.places.len() - 1)];
            let from = self.places[next.saturating_sub(1)];
            let share = if to.0 > from.0 && y <= to.0 {
                (y as f32 - from.0 as f32).max(0.0) / (to.0 - from.0) as f32
            } else {
                1.0
            };
            let middle = from.1 + share * (to.1 - from.1);
            let first = (middle - half).round().max(0.0) as usize;
            let last = ((middle + half).round().max(0.0) as usize).min(width - 1);
            (first..=last).map(move |x| (x, y))
        })
    }
}

fn found(light: &Plane, sight: Sight) -> Vec<Line> {
    let Sight { reach, least, threads } = sight;
    let Plane { width, height, .. } = *light;
    if width <= 4 * reach || height < LEAST.0 {
        return Vec::new();
    }
    let strays = strays(light, reach, threads);
    let mut pieces = pieces(&strays, (width, height), reach, least);
    pieces.retain(|piece| piece.places.len() >= LEAST_PIECE);
    pieces.sort_unstable_by_key(Line::first);
    let rows = LEAST.0.max((height as f32 * LEAST.1) as usize);
    let mut lines = joined(pieces);
    lines.retain(|line| is_scratch(line, light, &strays, rows, reach));
    lines
}

/// How far each pixel strays from the median of its row, as a mean along the column.
fn strays(light: &Plane, reach: usize, threads: usize) -> Vec<i8> {
    let Plane { width, height, .. } = *light;
    let medians = light.medians(reach, 0, threads);
    let stray = |at: usize| {
        let by = i16::from(light.samples[at]) - i16::from(medians.samples[at]);
        i32::from(by.clamp(-MOST_STRAY, MOST_STRAY))
    };
    let mut sums = vec![0_i32; width];
    let mut means = Vec::with_capacity(light.samples.len());
    let row = |y: usize| y * width..(y + 1) * width;
    for y in 0..ALONG.min(height) {
        sums.iter_mut().zip(row(y)).for_each(|(sum, at)| *sum += stray(at));
    }
    for y in 0..height {
        if y + ALONG < height {
            sums.iter_mut().zip(row(y + ALONG)).for_each(|(sum, at)| *sum += stray(at));
        }
        if y > ALONG {
            sums.iter_mut().zip(row(y - ALONG - 1)).for_each(|(sum, at)| *sum -= stray(at));
        }
        let rows = ((y + ALONG).min(height - 1) - y.saturating_sub(ALONG) + 1) as i32;
        means.extend(sums.iter().map(|sum| (sum / rows) as i8));
    }
    means
}

/// Follows what strays from row to row.
fn pieces(strays: &[i8], (width, height): (usize, usize), reach: usize, least: f32) -> Vec<Line> {
    let lively = Liveliness::of((width, height), 6 * reach, |at| strays[at].unsigned_abs());
    let (mut going, mut done): (Vec<Line>, Vec<Line>) = (Vec::new(), Vec::new());
    for y in 0..height {
        let row = &strays[y * width..][..width];
        let mut x = reach;
        while x < width - reach {
            let by = f32::from(row[x]);
            if by.abs() < least || by.abs() < ABOVE_TEXTURE * f32::from(lively.around(x, y)) {
                x += 1;
                continue;
            }
            // A run of one sign, as far as it is half as strong.
            let belongs = |at: usize| f32::from(row[at]) * by.signum() >= by.abs() / 2.0;
            let first = (0..x).rev().take_while(|&at| belongs(at)).last().unwrap_or(x);
            let last = (x..width).take_while(|&at| belongs(at)).last().unwrap_or(x);
            x = last + 1;
            let wide = last - first + 1;
            if wide > reach / 2 + 1 {
                continue;
            }
            let middle = (first + last) as f32 / 2.0;
            let place = (y, middle, wide);
            let follows = |line: &&mut Line| {
                let (row, at, _) = line.places[line.places.len() - 1];
                row < y && line.light == (by > 0.0) && (at - middle).abs() <= 1.5
            };
            match going.iter_mut().find(follows) {
                Some(line) => line.places.push(place),
                None => going.push(Line { light: by > 0.0, places: vec![place] }),
            }
        }
        done.extend(going.extract_if(.., |line| line.last() + GAP < y));
    }
    done.extend(going);
    done
}

/// Joins pieces of one line, which are in the order of their first rows.
fn joined(pieces: Vec<Line>) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for piece in pieces {
        let (start, slope, _) = piece.fitted();
        let fits = |line: &&mut Line| {
            let (its_start, its_slope, _) = line.fitted();
            let row = piece.first() as f32;
            line.light == piece.light
                && line.last() < piece.first()
                && (its_slope - slope).abs() <= JOINED.1
                && (its_start + its_slope * row - start - slope * row).abs() <= JOINED.0
        };
        match lines.iter_mut().find(fits) {
            Some(line) => line.places.extend(piece.places),
            None => lines.push(piece),
        }
    }
    lines
}

fn is_scratch(line: &Line, light: &Plane, strays: &[i8], rows: usize, reach: usize) -> bool {
    let extent = line.last() - line.first() + 1;
    if extent < rows || (line.places.len() as f32) < SEEN * extent as f32 {
        return false;
    }
    let width = light.width;
    let (start, slope, off) = line.fitted();
    let middle = start + slope * (line.first() + line.last()) as f32 / 2.0;
    let frame = FRAME * width as f32;
    if slope.abs() > LEANS || off > STRAIGHT || !(frame..width as f32 - frame).contains(&middle) {
        return false;
    }
    let (mut apart, mut height, mut beside, mut count) = (0.0, 0.0, 0.0, 0.0);
    for &(y, middle, wide) in &line.places {
        let row = y * width;
        let at = middle as usize;
        height += f32::from(strays[row + at].unsigned_abs());
        let off = wide.div_ceil(2) + 2;
        let side = |x: usize| f32::from(light.samples[row + x.min(width - 1)]);
        apart += side(at + off) - side(at.saturating_sub(off));
        let far = reach.max(off + 1);
        let left = at.saturating_sub(BESIDE + far)..at.saturating_sub(far);
        let right = (at + far).min(width)..(at + far + BESIDE).min(width);
        for x in left.chain(right) {
            beside += f32::from(strays[row + x].unsigned_abs());
            count += 1.0;
        }
    }
    let places = line.places.len() as f32;
    let height = height / places;
    (apart / places).abs() <= SIDES * height && height * count >= ABOVE_BESIDE * beside
}
