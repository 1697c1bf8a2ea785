//! Mending: marked pixels are drawn anew of what lies around them.

/// How far a pixel that is not marked is looked for, in pixels.
const FAR: usize = 40;
/// Ends that differ by so much count half as much as ends that agree.
const APART: f32 = 12.0;

/// What is mended and where.
pub(super) struct Damage {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Whether each pixel is to be drawn anew.
    pub(super) marked: Vec<bool>,
}

impl Damage {
    /// Draws the marked pixels of a row, packed RGB, anew.
    ///
    /// In four directions the nearest pixels that are not marked are found to both sides, and a
    /// straight line is laid between them; directions count more where both ends are near and agree,
    /// so that an edge is carried on rather than blurred.
    pub(super) fn mend(&self, rgb: &[u8], y: usize) -> Vec<u8> {
        let from = y * self.width;
        let mut row = rgb[from * 3..][..self.width * 3].to_vec();
        for x in (0..self.width).filter(|x| self.marked[from + x]) {
            if let Some(pixel) = self.drawn(rgb, x, y) {
                row[x * 3..][..3].copy_from_slice(&pixel);
            }
        }
        row
    }

    fn drawn(&self, rgb: &[u8], x: usize, y: usize) -> Option<[u8; 3]> {
        let (mut sums, mut weights) = ([0.0_f32; 3], 0.0);
        for (dx, dy, length) in [(1, 0, 1.0), (0, 1, 1.0), (1, 1, 1.414), (1, -1, 1.414)] {
            let ends = [self.end(x, y, (dx, dy)), self.end(x, y, (-dx, -dy))];
            let pixel = |at: usize| [0, 1, 2].map(|channel| f32::from(rgb[at * 3 + channel]));
            let (value, weight) = match ends {
                [Some((a, near)), Some((b, far))] => {
                    let (a, b) = (pixel(a), pixel(b));
                    let (near, far) = (near as f32, far as f32);
                    let apart: f32 = a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f32>() / 3.0;
                    let all = (near + far) * length;
                    let between = [0, 1, 2].map(|c| (a[c] * far + b[c] * near) / (near + far));
                    (between, 1.0 / (all * all * (1.0 + (apart / APART).powi(2))))
                }
                // At the picture's edge there is one end, which says less.
                [Some((at, near)), None] | [None, Some((at, near))] => {
                    let all = 2.0 * near as f32 * length;
                    (pixel(at), 0.25 / (all * all))
                }
                [None, None] => continue,
            };
            sums.iter_mut().zip(value).for_each(|(sum, value)| *sum += value * weight);
            weights += weight;
        }
        (weights > 0.0).then(|| sums.map(|sum| (sum / weights + 0.5) as u8))
    }

    /// The nearest pixel this way that is not marked, and how many steps it is off.
    fn end(&self, x: usize, y: usize, (dx, dy): (isize, isize)) -> Option<(usize, usize)> {
        let (mut x, mut y) = (x, y);
        for steps in 1..=FAR {
            (x, y) = (x.checked_add_signed(dx)?, y.checked_add_signed(dy)?);
            if x >= self.width || y >= self.height {
                return None;
            }
            let at = y * self.width + x;
            if !self.marked[at] {
                return Some((at, steps));
            }
        }
        None
    }
}
