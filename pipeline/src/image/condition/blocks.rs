//! The steps that strong JPEG compression leaves between blocks of 8 x 8.

use super::Channel;

/// The side of JPEG's blocks.
const BLOCK: usize = 8;

/// Measures how far the steps at one of eight phases stand out from those at the others, in units
/// of 8 bits. The phase is searched for: a scan or a crop need not begin with a block.
pub(super) fn blockiness(channel: &Channel) -> f32 {
    if channel.width < 4 * BLOCK || channel.height < 4 * BLOCK {
        return 0.0;
    }
    let across = stands_out(across(channel));
    let down = stands_out(down(channel));
    // One direction alone is a fence or a blind.
    across.min(down)
}

/// The mean step between columns beyond that of their neighbours, by phase.
fn across(channel: &Channel) -> [f32; BLOCK] {
    let mut sums = vec![0.0_f32; channel.width];
    for y in (0..channel.height).step_by(2) {
        let row = channel.row(y);
        for (sum, v) in sums[2..].iter_mut().zip(row.windows(4)) {
            *sum += step(v[0], v[1], v[2], v[3]);
        }
    }
    by_phase(&sums[2..channel.width - 1], channel.height.div_ceil(2))
}

fn down(channel: &Channel) -> [f32; BLOCK] {
    let sums: Vec<f32> = (2..channel.height - 1)
        .map(|y| {
            let rows = [channel.row(y - 2), channel.row(y - 1), channel.row(y), channel.row(y + 1)];
            let columns = (0..channel.width).step_by(2);
            columns.map(|x| step(rows[0][x], rows[1][x], rows[2][x], rows[3][x])).sum()
        })
        .collect();
    by_phase(&sums, channel.width.div_ceil(2))
}

/// The step in the middle of four samples beyond what the steps beside it foretell.
fn step(a: f32, b: f32, c: f32, d: f32) -> f32 {
    ((c - b) - 0.5 * ((b - a) + (d - c))).abs()
}

fn by_phase(sums: &[f32], lines: usize) -> [f32; BLOCK] {
    let mut means = [0.0; BLOCK];
    for (phase, mean) in means.iter_mut().enumerate() {
        let of_phase = || sums.iter().skip(phase).step_by(BLOCK);
        *mean = of_phase().sum::<f32>() / (of_phase().count() * lines) as f32;
    }
    means
}

fn stands_out(means: [f32; BLOCK]) -> f32 {
    let greatest = means.iter().copied().fold(0.0, f32::max);
    let others = (means.iter().sum::<f32>() - greatest) / (BLOCK - 1) as f32;
    // The step at a block's edge shows half again in the steps on both sides of it.
    greatest - others
}
