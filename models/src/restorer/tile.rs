//! Tiles: a picture is cut into pieces that overlap, and what networks make of them is joined so
//! that no seam shows.
//!
//! Each tile is given as much of the picture around it as a network looks at (`reach`), and
//! neighbours share a strip in which one fades into the other (`feather`). One row of tiles is in
//! memory at a time.

use std::collections::VecDeque;
use std::ops::Range;

use glassplate_pipeline::fault::Fault;
use tokio::task::JoinHandle;

use crate::session::{Network, SessionPool};

/// How a network is fed with a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tiling {
    /// The side of a tile without its surroundings, in pixels of the picture.
    pub(crate) core: usize,
    /// How far the network looks, in pixels of the picture.
    pub(crate) reach: usize,
    /// The width of the strip that neighbours share, in pixels of the picture.
    pub(crate) feather: usize,
    /// The sides of the tensor are a multiple of this; edges are repeated to reach it.
    pub(crate) multiple: usize,
    /// Pixels that come out for each that goes in, a side.
    pub(crate) scale: usize,
}

/// A picture as planes, each packed, in 8 bits: as numbers they would take four times as much.
#[derive(Debug, Clone)]
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) planes: Vec<Vec<u8>>,
}

/// Runs a network on a tensor `[1, planes, height, width]`, told a strength, and gives planes.
pub(crate) type Feed = fn(&mut Network<'_>, [usize; 4], &[f32], f32) -> Result<Vec<f32>, Fault>;

/// One tile: what it is responsible for, and what is shown to the network.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Tile {
    kept: [Range<usize>; 2],
    shown: [Range<usize>; 2],
}

/// What a network made of a tile: planes, of the tensor's size.
struct Answer {
    values: Vec<f32>,
    /// The tensor's width and height.
    size: [usize; 2],
}

impl Tiling {
    /// The memory that one row of tiles takes, in bytes, for so many planes.
    pub(crate) fn memory(&self, width: u64, planes: u64) -> u64 {
        let side = (self.core + 2 * self.reach) as u64;
        let scale = (self.scale * self.scale) as u64;
        // One row of tiles as numbers, and what runtimes keep for a tile in each of its layers.
        width * self.core as u64 * scale * planes * 4 + side * side * 64 * 4 * 8
    }

    /// Cuts a side into ranges that overlap by the feather, all of about one length.
    fn cut(&self, length: usize) -> Vec<Range<usize>> {
        if length <= self.core {
            return std::iter::once(0..length).collect();
        }
        let count = (length - self.feather).div_ceil(self.core - self.feather);
        let each = (length + (count - 1) * self.feather).div_ceil(count);
        let step = each - self.feather;
        (0..count).map(|at| at * step..(at * step + each).min(length)).collect()
    }

    fn around(&self, kept: &Range<usize>, length: usize) -> Range<usize> {
        kept.start.saturating_sub(self.reach)..(kept.end + self.reach).min(length)
    }

    fn tile(&self, picture: &Picture, column: &Range<usize>, line: &Range<usize>) -> Tile {
        let shown = [self.around(column, picture.width), self.around(line, picture.height)];
        Tile { kept: [column.clone(), line.clone()], shown }
    }

    /// Cuts a tile's tensor out of the picture.
    fn tensor(&self, picture: &Picture, tile: &Tile) -> (Vec<f32>, [usize; 2]) {
        let [across, down] = &tile.shown;
        let size = [across, down].map(|range| range.len().next_multiple_of(self.multiple));
        let mut values = Vec::with_capacity(picture.planes.len() * size[0] * size[1]);
        for plane in &picture.planes {
            for y in 0..size[1] {
                let row = &plane[(down.start + y).min(down.end - 1) * picture.width..];
                let row = &row[across.clone()];
                values.extend(row.iter().map(|&value| f32::from(value) / 255.0));
                let last = values[values.len() - 1];
                values.extend(std::iter::repeat_n(last, size[0] - row.len()));
            }
        }
        (values, size)
    }
}

/// A tile that a network is at work on.
type AtWork = JoinHandle<Result<Answer, Fault>>;

/// One network's way over one picture, a row of tiles after the other.
pub(crate) struct Passage<'a> {
    tiling: Tiling,
    pool: &'a SessionPool,
    picture: &'a Picture,
    feed: Feed,
    strength: f32,
    columns: Vec<Range<usize>>,
    lines: Vec<Range<usize>>,
    band: Band,
    /// Tiles that are with the network, each with its number.
    asked: VecDeque<(usize, Tile, AtWork)>,
    /// How many tiles were given to the network.
    given: usize,
    /// How many rows of tiles were joined.
    joined: usize,
}

impl<'a> Passage<'a> {
    /// Begins at the top: as many planes come out as go in, of `scale` times their size.
    pub(crate) fn new(
        tiling: Tiling,
        pool: &'a SessionPool,
        picture: &'a Picture,
        feed: Feed,
        strength: f32,
    ) -> Self {
        Self {
            tiling,
            pool,
            picture,
            feed,
            strength,
            columns: tiling.cut(picture.width),
            lines: tiling.cut(picture.height),
            band: Band::new(&tiling, picture.width * tiling.scale, picture.planes.len()),
            asked: VecDeque::new(),
            given: 0,
            joined: 0,
        }
    }

    /// The next rows, interleaved values from 0 to 1; nothing behind the last. Between two tiles
    /// it asks `go_on`, which hears the share that is done.
    ///
    /// # Errors
    /// What the network or `go_on` says.
    pub(crate) async fn rows(
        &mut self,
        go_on: &(dyn Fn(f32) -> Result<(), Fault> + Sync),
    ) -> Result<Option<Vec<f32>>, Fault> {
        let across = self.columns.len();
        let all = across * self.lines.len();
        let Some(line) = self.lines.get(self.joined).cloned() else { return Ok(None) };
        for x in 0..across {
            self.ask();
            let (number, tile, work) = self.asked.pop_front().expect("a tile was asked for");
            let answer = work
                .await
                .unwrap_or_else(|e| Err(Fault::broken("a tile was not finished").because(e)))?;
            let ends = [
                [x == 0, x + 1 == across],
                [self.joined == 0, self.joined + 1 == self.lines.len()],
            ];
            self.band.add(&tile, ends, &answer)?;
            go_on((number + 1) as f32 / all as f32)?;
        }
        self.joined += 1;
        let next = self.lines.get(self.joined).map_or(self.picture.height, |next| next.start);
        Ok(Some(self.band.given((next - line.start) * self.tiling.scale)))
    }

    /// Gives the network as many tiles as it has sessions, and one to go on with.
    fn ask(&mut self) {
        let all = self.columns.len() * self.lines.len();
        while self.asked.len() <= self.pool.sessions() && self.given < all {
            let (at, x) = (self.given / self.columns.len(), self.given % self.columns.len());
            let tile = self.tiling.tile(self.picture, &self.columns[x], &self.lines[at]);
            let (values, size) = self.tiling.tensor(self.picture, &tile);
            let shape = [1, self.picture.planes.len(), size[1], size[0]];
            let (pool, feed, strength) = (self.pool.clone(), self.feed, self.strength);
            let work = tokio::spawn(async move {
                let work = move |network: &mut Network<'_>| {
                    Ok(Answer { values: feed(network, shape, &values, strength)?, size })
                };
                pool.run(work).await
            });
            self.asked.push_back((self.given, tile, work));
            self.given += 1;
        }
    }
}

/// The rows in work: those of one row of tiles, added up with weights that sum to one.
struct Band {
    scale: usize,
    feather: usize,
    width: usize,
    outputs: usize,
    sums: Vec<f32>,
}

impl Band {
    fn new(tiling: &Tiling, width: usize, outputs: usize) -> Self {
        let feather = tiling.feather * tiling.scale;
        Self { scale: tiling.scale, feather, width, outputs, sums: Vec::new() }
    }

    /// Adds what a network made of a tile; `ends` says at which ends no neighbour follows.
    fn add(&mut self, tile: &Tile, ends: [[bool; 2]; 2], answer: &Answer) -> Result<(), Fault> {
        let [across, down] = &tile.kept;
        let scale = self.scale;
        let [width, height] = answer.size.map(|side| side * scale);
        if answer.values.len() != self.outputs * width * height {
            return Err(Fault::broken("the network gave a picture of another size than expected"));
        }
        let rows = down.len() * scale;
        let needed = rows * self.width * self.outputs;
        if self.sums.len() < needed {
            self.sums.resize(needed, 0.0);
        }
        let columns = weights(across.len() * scale, self.feather, ends[0]);
        let lines = weights(rows, self.feather, ends[1]);
        let (skip_x, skip_y) = (
            (across.start - tile.shown[0].start) * scale,
            (down.start - tile.shown[1].start) * scale,
        );
        for (y, line) in lines.iter().enumerate() {
            let to = (y * self.width + across.start * scale) * self.outputs;
            for plane in 0..self.outputs {
                let from = (plane * height + skip_y + y) * width + skip_x;
                let values = &answer.values[from..from + columns.len()];
                let sums = self.sums[to + plane..].iter_mut().step_by(self.outputs);
                for ((sum, value), column) in sums.zip(values).zip(&columns) {
                    *sum += value * line * column;
                }
            }
        }
        Ok(())
    }

    /// Hands over the first rows, which no later tile reaches.
    fn given(&mut self, rows: usize) -> Vec<f32> {
        let rest = self.sums.split_off(rows * self.width * self.outputs);
        std::mem::replace(&mut self.sums, rest)
    }
}

/// How much each of so many positions counts: less towards an end that a neighbour shares.
fn weights(length: usize, feather: usize, ends: [bool; 2]) -> Vec<f32> {
    let ramp = |at: usize| ((at as f32 + 0.5) / feather as f32).min(1.0);
    let weight = |at: usize| {
        let before = if ends[0] { 1.0 } else { ramp(at) };
        let after = if ends[1] { 1.0 } else { ramp(length - 1 - at) };
        before.min(after)
    };
    (0..length).map(weight).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TILING: Tiling = Tiling { core: 20, reach: 3, feather: 4, multiple: 4, scale: 2 };

    #[test]
    fn tiles_cover_every_side_and_share_the_feather() {
        for length in 1..300 {
            let ranges = TILING.cut(length);
            assert_eq!((ranges[0].start, ranges[ranges.len() - 1].end), (0, length));
            assert!(ranges.iter().all(|range| range.len() <= TILING.core), "{length}");
            assert!(
                ranges.windows(2).all(|pair| pair[0].end == pair[1].start + TILING.feather
                    && pair[1].len() > TILING.feather),
                "{length}: {ranges:?}"
            );
        }
    }

    /// What a network that only doubles each pixel would make of a tile.
    fn doubled(values: &[f32], size: [usize; 2]) -> Answer {
        let rows = values.chunks_exact(size[0]);
        let doubled = rows.flat_map(|row| {
            let row: Vec<f32> = row.iter().flat_map(|&value| [value, value]).collect();
            [row.clone(), row].concat()
        });
        Answer { values: doubled.collect(), size }
    }

    #[test]
    fn tiles_joined_are_the_picture_that_one_tile_would_be() {
        let (width, height) = (77, 53);
        let plane: Vec<u8> = (0..width * height).map(|at| (at * 31 % 256) as u8).collect();
        let picture = Picture { width, height, planes: vec![plane.clone()] };
        let (columns, lines) = (TILING.cut(width), TILING.cut(height));
        assert!(columns.len() > 3 && lines.len() > 2);
        let mut band = Band::new(&TILING, width * 2, 1);
        let mut out: Vec<f32> = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            for (x, column) in columns.iter().enumerate() {
                let tile = TILING.tile(&picture, column, line);
                let (values, size) = TILING.tensor(&picture, &tile);
                assert!(size.iter().all(|side| side % TILING.multiple == 0));
                let ends = [[x == 0, x + 1 == columns.len()], [at == 0, at + 1 == lines.len()]];
                band.add(&tile, ends, &doubled(&values, size)).unwrap();
            }
            let next = lines.get(at + 1).map_or(height, |next| next.start);
            out.extend(band.given((next - line.start) * 2));
        }
        assert_eq!(out.len(), width * height * 4);
        for (at, value) in out.iter().enumerate() {
            let (x, y) = (at % (width * 2) / 2, at / (width * 2) / 2);
            let wanted = f32::from(plane[y * width + x]) / 255.0;
            assert!((value - wanted).abs() < 1e-5, "{x} {y}: {value} {wanted}");
        }
    }
}
