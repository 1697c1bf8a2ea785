//! How soft the sharpest edges are, and whether in one direction.

use super::Channel;

/// What was found of the blur.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blur {
    /// Of the Gaussian that softens as much, in pixels.
    pub(super) sigma: f32,
    /// Whether edges of one direction are much softer than those across.
    pub(super) motion: bool,
}

/// The variance of the kernel 1 4 6 4 1, by which the picture is softened once more.
const SOFTENED: f32 = 1.0;
/// What central differences add to the width of every edge.
const DIFFERENCE: f32 = 1.0 / 3.0;
/// The least step over two pixels that counts as an edge, in units of 8 bits, and in deviations
/// of the noise in such a step.
const EDGE: (f32, f32) = (8.0, 8.0);
/// The deviation of noise in a step over two pixels, as it is and when the picture was softened.
const NOISE_IN_STEP: (f32, f32) = (1.41, 0.3);
/// From this noise on the picture is softened before it is looked at.
const NOISY_FROM: f32 = 2.5;
/// Edges in photographs stand close together and look so much sharper than lone ones, in pixels.
const LOOKS_SHARPER: f32 = 0.45;
/// How many edges a direction needs to say something.
const ENOUGH: usize = 60;
/// The sharp share of edges counts: what lies out of focus is soft in a sharp picture too.
const SHARP: f32 = 0.3;
/// Noise makes some edges sharper, and many as much softer.
const SHARP_IN_NOISE: f32 = 0.55;
/// An estimate above this is taken again at half the size, where it is surer.
const TOO_SOFT: f32 = 2.2;
/// The least side of a picture that is halved.
const LEAST_SIDE: usize = 64;
/// From this blur, and this many times that across, on it is motion.
const MOTION: (f32, f32) = (1.0, 1.9);

/// Measures the blur of a picture with noise of the deviation `noise`; nothing without edges.
///
/// An edge that a Gaussian softened loses gradient when it is softened once more, the less the
/// softer it is: the ratio of both gradients tells its sigma (Zhuo and Sim, Defocus Map
/// Estimation from a Single Image, 2011).
pub(super) fn blur(channel: &Channel, noise: f32) -> Option<Blur> {
    let halves = channel.width.min(channel.height) >= 2 * LEAST_SIDE;
    let found = edges(channel, noise)
        .and_then(|edges| edges.read(if noise >= NOISY_FROM { SHARP_IN_NOISE } else { SHARP }));
    let surer = |sigma: f32| sigma > TOO_SOFT || noise > 9.0;
    if halves && found.is_none_or(|found| surer(found.sigma)) {
        // Averaging leaves half of the noise, and a little blur of its own.
        let half = blur(&channel.halved(), noise / 2.0);
        let half = half.map(|half| Blur {
            sigma: (4.0 * half.sigma * half.sigma - 0.25).max(0.0).sqrt(),
            ..half
        });
        return half.or(found);
    }
    found
}

/// The squares of the sigmas of edges, by direction: across, down, and both diagonals.
struct Edges([Vec<f32>; 4]);

impl Edges {
    fn read(mut self, sharp: f32) -> Option<Blur> {
        let sigma_of = |squares: &mut Vec<f32>| {
            let at = (squares.len() as f32 * sharp) as usize;
            let (_, square, _) = squares.select_nth_unstable_by(at, f32::total_cmp);
            square.max(0.0).sqrt() + LOOKS_SHARPER
        };
        let mut all: Vec<f32> = self.0.iter().flatten().copied().collect();
        if all.len() < ENOUGH {
            return None;
        }
        let whole = sigma_of(&mut all);
        let [across, down, falling, rising] =
            self.0.each_mut().map(|squares| (squares.len() >= ENOUGH).then(|| sigma_of(squares)));
        let moved = |one: Option<f32>, other: Option<f32>| {
            let (softer, sharper) = (one?.max(other?), one?.min(other?));
            (softer > MOTION.0 && softer > MOTION.1 * sharper).then_some(softer)
        };
        let moved = moved(across, down).or(moved(falling, rising));
        Some(Blur { sigma: moved.unwrap_or(whole), motion: moved.is_some() })
    }
}

fn edges(channel: &Channel, noise: f32) -> Option<Edges> {
    let Channel { width, height, .. } = *channel;
    if width < 16 || height < 16 {
        return None;
    }
    let before = (noise >= NOISY_FROM).then(|| softened(channel));
    let (channel, in_step, added) = match &before {
        Some(before) => (before, NOISE_IN_STEP.1, SOFTENED),
        None => (channel, NOISE_IN_STEP.0, 0.0),
    };
    let soft = softened(channel);
    let least = EDGE.0.max(EDGE.1 * in_step * noise);
    let mut found = Edges(Default::default());
    for y in 3..height - 3 {
        let rows: [&[f32]; 5] = std::array::from_fn(|at| channel.row(y + at - 2));
        let soft_rows: [&[f32]; 3] = std::array::from_fn(|at| soft.row(y + at - 1));
        for x in 3..width - 3 {
            let (dx, dy) = (rows[2][x + 1] - rows[2][x - 1], rows[3][x] - rows[1][x]);
            let strength = dx * dx + dy * dy;
            if strength < least * least {
                continue;
            }
            let (direction, step) = direction_of(dx, dy);
            let at = |way: isize| {
                let (cx, cy) = (x.wrapping_add_signed(way * step.0), 2 + way * step.1);
                let row = |offset: isize| rows[(cy + offset) as usize];
                let (dx, dy) = (row(0)[cx + 1] - row(0)[cx - 1], row(1)[cx] - row(-1)[cx]);
                dx * dx + dy * dy
            };
            if at(-1) > strength || at(1) >= strength {
                continue;
            }
            let soft_dx = soft_rows[1][x + 1] - soft_rows[1][x - 1];
            let soft_dy = soft_rows[2][x] - soft_rows[0][x];
            let ratio = strength / (soft_dx * soft_dx + soft_dy * soft_dy).max(1e-3);
            if ratio > 1.0 {
                found.0[direction].push(SOFTENED / (ratio - 1.0) - DIFFERENCE - added);
            }
        }
    }
    Some(found)
}

/// Which of four directions a gradient has, and the step along it.
fn direction_of(dx: f32, dy: f32) -> (usize, (isize, isize)) {
    /// The tangent of 22.5 degrees.
    const STEEP: f32 = 0.414;

    if dy.abs() < STEEP * dx.abs() {
        (0, (1, 0))
    } else if dx.abs() < STEEP * dy.abs() {
        (1, (0, 1))
    } else if dx * dy > 0.0 {
        (2, (1, 1))
    } else {
        (3, (1, -1))
    }
}

/// Softens by 1 4 6 4 1 in both directions; what lies two pixels from the edge stays as it is.
fn softened(channel: &Channel) -> Channel {
    let Channel { width, height, .. } = *channel;
    let mut across = channel.samples.clone();
    for y in 0..height {
        let row = channel.row(y);
        let to = &mut across[y * width..][..width];
        for (value, v) in to[2..].iter_mut().zip(row.windows(5)) {
            *value = (v[0] + v[4] + 4.0 * (v[1] + v[3]) + 6.0 * v[2]) / 16.0;
        }
    }
    let mut samples = across.clone();
    for y in 2..height - 2 {
        let row = |at: usize| &across[at * width..][..width];
        let rows = [row(y - 2), row(y - 1), row(y), row(y + 1), row(y + 2)];
        for (x, value) in samples[y * width..][..width].iter_mut().enumerate() {
            *value = (rows[0][x] + rows[4][x] + 4.0 * (rows[1][x] + rows[3][x]) + 6.0 * rows[2][x])
                / 16.0;
        }
    }
    Channel { width, height, samples }
}
