//! Even margins that a scanner left, dark or light.

use super::Channel;

/// The most of a side that counts as a border.
const MOST: f32 = 0.25;
/// A border is darker or lighter than this.
const DARK_OR_LIGHT: (f32, f32) = (48.0, 225.0);
/// How far samples of a border stray from its level.
const STRAY: f32 = 20.0;
/// The share of a line that has to be of the border's level: numbers and dust are written on it.
const EVEN: f32 = 0.9;
/// The least share of a side: a line or two are the picture's own.
const LEAST: f32 = 0.008;

/// Measures the border at each side: left, top, right, bottom, as shares of width or height.
pub(super) fn border(channel: &Channel) -> [f32; 4] {
    let Channel { width, height, .. } = *channel;
    let columns = |x: usize, y: usize| channel.samples[y * width + x];
    let side = |length: usize, across: usize, sample: &dyn Fn(usize, usize) -> f32| {
        let level = median((0..across).map(|at| sample(0, at)).collect());
        if (DARK_OR_LIGHT.0..=DARK_OR_LIGHT.1).contains(&level) {
            return 0.0;
        }
        let most = (length as f32 * MOST) as usize;
        let even = |line: usize| {
            let near = (0..across).filter(|&at| (sample(line, at) - level).abs() < STRAY).count();
            near as f32 >= across as f32 * EVEN
        };
        let lines = (0..most).take_while(|&line| even(line)).count();
        let share = lines as f32 / length as f32;
        // A side that is even to the end of the search is a dark or a light picture.
        if share < LEAST || lines == most { 0.0 } else { share }
    };
    [
        side(width, height, &|line, at| columns(line, at)),
        side(height, width, &|line, at| columns(at, line)),
        side(width, height, &|line, at| columns(width - 1 - line, at)),
        side(height, width, &|line, at| columns(at, height - 1 - line)),
    ]
}

fn median(mut values: Vec<f32>) -> f32 {
    let at = values.len() / 2;
    *values.select_nth_unstable_by(at, f32::total_cmp).1
}
