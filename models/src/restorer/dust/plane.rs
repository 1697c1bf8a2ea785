//! One plane of a picture, its running medians, and how lively it is from place to place.

/// Lightness, or what is derived of it: a byte a pixel, rows without padding.
#[derive(Debug, Clone)]
pub(super) struct Plane {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) samples: Vec<u8>,
}

impl Plane {
    /// The plane on its side: rows become columns.
    pub(super) fn transposed(&self) -> Self {
        let mut samples = Vec::with_capacity(self.samples.len());
        for x in 0..self.width {
            samples.extend(self.samples.iter().skip(x).step_by(self.width));
        }
        Self { width: self.height, height: self.width, samples }
    }

    /// The median of the pixels up to so far `across` and `down` of each, as many as there are;
    /// worked out on so many threads, at least one.
    ///
    /// The histogram of the window moves along with it (Huang, Yang and Tang, A Fast Two-Dimensional
    /// Median Filtering Algorithm, 1979).
    pub(super) fn medians(&self, across: usize, down: usize, threads: usize) -> Self {
        let Self { width, height, .. } = *self;
        let mut samples = vec![0; self.samples.len()];
        let rows = height.div_ceil(threads);
        std::thread::scope(|scope| {
            for (at, strip) in samples.chunks_mut(rows * width).enumerate() {
                scope.spawn(move || {
                    for (y, row) in (at * rows..).zip(strip.chunks_exact_mut(width)) {
                        self.medians_of_row(y, across, down, row);
                    }
                });
            }
        });
        Self { width, height, samples }
    }

    fn medians_of_row(&self, y: usize, across: usize, down: usize, medians: &mut [u8]) {
        let Self { width, height, .. } = *self;
        let rows = y.saturating_sub(down)..(y + down + 1).min(height);
        let column = |x: usize| rows.clone().map(move |row| self.samples[row * width + x]);
        let mut window = Window::default();
        (0..across.min(width)).flat_map(column).for_each(|value| window.add(value));
        for (x, median) in medians.iter_mut().enumerate() {
            if x + across < width {
                column(x + across).for_each(|value| window.add(value));
            }
            if x > across {
                column(x - across - 1).for_each(|value| window.take(value));
            }
            *median = window.median();
        }
    }
}

/// The histogram of a window, and where its median was last.
struct Window {
    counts: [u32; 256],
    all: u32,
    median: u8,
    /// How many lie below the median.
    below: u32,
}

impl Default for Window {
    fn default() -> Self {
        Self { counts: [0; 256], all: 0, median: 0, below: 0 }
    }
}

impl Window {
    fn add(&mut self, value: u8) {
        self.counts[usize::from(value)] += 1;
        self.all += 1;
        self.below += u32::from(value < self.median);
    }

    fn take(&mut self, value: u8) {
        self.counts[usize::from(value)] -= 1;
        self.all -= 1;
        self.below -= u32::from(value < self.median);
    }

    fn median(&mut self) -> u8 {
        let half = self.all / 2;
        while self.below > half {
            self.median -= 1;
            self.below -= self.counts[usize::from(self.median)];
        }
        while self.below + self.counts[usize::from(self.median)] <= half {
            self.below += self.counts[usize::from(self.median)];
            self.median += 1;
        }
        self.median
    }
}

/// How much values stray from zero around each place: what nine in ten keep below.
pub(super) struct Liveliness {
    block: usize,
    across: usize,
    found: Vec<u8>,
}

impl Liveliness {
    /// Looks at blocks of so many pixels a side, each with its eight neighbours. `stray` says how
    /// far the pixel at an index strays, 0 to 255.
    pub(super) fn of(
        (width, height): (usize, usize),
        block: usize,
        stray: impl Fn(usize) -> u8,
    ) -> Self {
        /// The share that decides.
        const SHARE: f32 = 0.9;

        let (across, down) = (width.div_ceil(block), height.div_ceil(block));
        let mut counts = vec![[0_u32; 256]; across * down];
        for y in 0..height {
            for x in 0..width {
                let at = (y / block) * across + x / block;
                counts[at][usize::from(stray(y * width + x))] += 1;
            }
        }
        let found = (0..across * down).map(|at| {
            let (x, y) = (at % across, at / across);
            let mut sums = [0_u32; 256];
            for row in y.saturating_sub(1)..(y + 2).min(down) {
                for counts in &counts[row * across..][x.saturating_sub(1)..(x + 2).min(across)] {
                    sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
                }
            }
            let wanted = (sums.iter().sum::<u32>() as f32 * SHARE) as u32;
            let mut below = 0;
            let decides = sums.iter().position(|count| {
                below += count;
                below > wanted
            });
            decides.map_or(255, |value| value as u8)
        });
        Self { block, across, found: found.collect() }
    }

    /// How lively it is around a pixel, 0 to 255.
    pub(super) fn around(&self, x: usize, y: usize) -> u8 {
        self.found[(y / self.block) * self.across + x / self.block]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_those_of_the_pixels_there() {
        let (width, height) = (19, 13);
        let samples: Vec<u8> = (0..width * height).map(|at| (at * 89 % 251) as u8).collect();
        let plane = Plane { width, height, samples };
        for (across, down) in [(1, 1), (3, 0), (0, 2), (30, 4)] {
            let medians = plane.medians(across, down, 2);
            for (x, y) in [(0, 0), (18, 12), (9, 6), (1, 12)] {
                let rows = y.max(down) - down..(y + down + 1).min(height);
                let columns = x.max(across) - across..(x + across + 1).min(width);
                let mut all: Vec<u8> = rows
                    .flat_map(|y| columns.clone().map(move |x| y * width + x))
                    .map(|at| plane.samples[at])
                    .collect();
                all.sort_unstable();
                assert_eq!(medians.samples[y * width + x], all[all.len() / 2], "{across} {x} {y}");
            }
        }
    }

    #[test]
    fn it_is_lively_where_it_strays() {
        let lively = Liveliness::of((200, 100), 20, |at| if at % 200 < 60 { 90 } else { 3 });
        assert_eq!((lively.around(10, 50), lively.around(199, 99)), (90, 3));
    }
}
