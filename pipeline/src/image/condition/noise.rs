//! The strength of noise.

use super::Channel;

/// The side of the blocks in which noise is measured.
const BLOCK: usize = 16;
/// Of all blocks those that are quieter than the rest count: texture is no noise.
const QUIET: f32 = 0.1;
/// What the quiet tenth of blocks of pure noise says too little, for there is chance in each.
const TOO_LITTLE: f32 = 0.92;
/// Blocks nearer to black or white than so many deviations are clipped, and say too little.
const CLIPPED: f32 = 2.5;

/// Measures the standard deviation of noise, in units of 8 bits.
///
/// The difference of two Laplacians leaves of a picture little but noise; the mean of its
/// magnitude gives the deviation (Immerkaer, Fast Noise Variance Estimation, 1996). Taken block by
/// block, so that even parts of the picture decide.
pub(super) fn noise(channel: &Channel) -> f32 {
    let Channel { width, height, .. } = *channel;
    if width < BLOCK + 2 || height < BLOCK + 2 {
        return 0.0;
    }
    let (across, down) = ((width - 2) / BLOCK, (height - 2) / BLOCK);
    // Of each block its mean and its noise.
    let mut found: Vec<(f32, f32)> = Vec::with_capacity(across * down);
    let mut vertical = vec![0.0; width];
    for block_row in 0..down {
        let (mut magnitudes, mut sums) = (vec![0.0_f32; across], vec![0.0_f32; across]);
        for y in block_row * BLOCK + 1..=block_row * BLOCK + BLOCK {
            let (above, here, below) = (channel.row(y - 1), channel.row(y), channel.row(y + 1));
            for (x, value) in vertical.iter_mut().enumerate() {
                *value = above[x] - 2.0 * here[x] + below[x];
            }
            for block in 0..across {
                let first = block * BLOCK;
                let window = &vertical[first..first + BLOCK + 2];
                let magnitude: f32 =
                    window.windows(3).map(|v| (v[0] - 2.0 * v[1] + v[2]).abs()).sum();
                magnitudes[block] += magnitude;
                sums[block] += here[first + 1..=first + BLOCK].iter().sum::<f32>();
            }
        }
        let count = (BLOCK * BLOCK) as f32;
        // The mask's own deviation is 6 for noise of 1.
        let deviation = (std::f32::consts::PI / 2.0).sqrt() / 6.0;
        found.extend(
            magnitudes
                .iter()
                .zip(&sums)
                .map(|(&magnitude, &sum)| (sum / count, deviation * magnitude / count)),
        );
    }
    let first = quiet(found.iter().map(|block| block.1).collect());
    let room = CLIPPED * first + 4.0;
    let whole: Vec<f32> = found
        .iter()
        .filter(|(mean, _)| (room..255.0 - room).contains(mean))
        .map(|block| block.1)
        .collect();
    // Of a page of print hardly a block lies between black and white.
    if whole.len() * 20 < found.len() { first } else { quiet(whole) }
}

fn quiet(mut blocks: Vec<f32>) -> f32 {
    let at = (blocks.len() as f32 * QUIET) as usize;
    let (_, &mut quiet, _) = blocks.select_nth_unstable_by(at, f32::total_cmp);
    quiet / TOO_LITTLE
}
