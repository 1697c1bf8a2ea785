//! Specks: small spots that are much lighter or darker than all that is around them.
//!
//! A button, a catchlight or a far window look the same; but dust lies everywhere or nowhere, so a few
//! specks, or many in one place, are left to the picture.

use std::collections::BTreeSet;

use super::Sight;
use super::plane::{Liveliness, Plane};

/// A speck strays so many times as far as nine in ten pixels around it.
const ABOVE_TEXTURE: f32 = 4.5;
/// What belongs to a speck strays at least this share of what makes it one.
const SOFT_EDGE: f32 = 0.4;
/// Around a speck it is even: the middle eight tenths of its ring span at most this share of its
/// height.
const EVEN: f32 = 0.25;
/// The ring lies so many pixels off, behind the soft edge.
const RING: usize = 3;
/// Of its box a speck fills this share at least: what fills less is a line of the picture.
const FULL: f32 = 0.3;
/// Dust are at least so many specks.
const LEAST: usize = 8;
/// They lie in at least so many of the cells of three by three.
const CELLS: usize = 5;
/// The side of blocks in which texture is looked at, in reaches.
const BLOCK: usize = 6;

/// Marks the specks of a picture in `marked`, if they are dust, and says how many there are.
pub(super) fn mark(light: &Plane, sight: Sight, marked: &mut [bool]) -> usize {
    let Sight { reach, least, threads } = sight;
    let Plane { width, height, .. } = *light;
    let medians = light.medians(reach, reach, threads);
    let stray = |at: usize| i16::from(light.samples[at]) - i16::from(medians.samples[at]);
    let lively =
        Liveliness::of((width, height), BLOCK * reach, |at| stray(at).unsigned_abs() as u8);
    let mut seen = vec![false; light.samples.len()];
    let mut specks: Vec<Vec<usize>> = Vec::new();
    for first in 0..light.samples.len() {
        if seen[first] {
            continue;
        }
        let here = f32::from(stray(first));
        if here.abs() < least {
            continue;
        }
        let bar = least.max(ABOVE_TEXTURE * f32::from(lively.around(first % width, first / width)));
        if here.abs() < bar {
            continue;
        }
        let belongs = |at: usize| f32::from(stray(at)) * here.signum() >= bar * SOFT_EDGE;
        let spot = flooded(light, first, &mut seen, belongs, (2 * reach + 1).pow(2) / 2);
        specks.extend(spot.filter(|spot| is_speck(light, spot, reach)));
    }
    if !is_dust(&specks, width, height) {
        return 0;
    }
    let pixels = specks.iter().flatten().flat_map(|&at| around(light, at, 1));
    pixels.for_each(|at| marked[at] = true);
    specks.len()
}

/// Tells whether there are enough specks, and everywhere.
fn is_dust(specks: &[Vec<usize>], width: usize, height: usize) -> bool {
    let cell = |speck: &Vec<usize>| {
        let (x, y) = (speck[0] % width, speck[0] / width);
        y * 3 / height * 3 + x * 3 / width
    };
    let cells: BTreeSet<usize> = specks.iter().map(cell).collect();
    specks.len() >= LEAST && cells.len() >= CELLS
}

/// All pixels that hang together with the first one and belong; nothing when there are more than
/// `most`.
fn flooded(
    light: &Plane,
    first: usize,
    seen: &mut [bool],
    belongs: impl Fn(usize) -> bool,
    most: usize,
) -> Option<Vec<usize>> {
    let mut spot = vec![first];
    seen[first] = true;
    let mut next = 0;
    while let Some(&at) = spot.get(next) {
        next += 1;
        for near in around(light, at, 1) {
            if !seen[near] && belongs(near) {
                seen[near] = true;
                spot.push(near);
            }
        }
    }
    (spot.len() <= most).then_some(spot)
}

/// The pixels up to so far from one, itself too.
fn around(light: &Plane, at: usize, reach: usize) -> impl Iterator<Item = usize> {
    let (width, height) = (light.width, light.height);
    let (x, y) = (at % width, at / width);
    let columns = x.saturating_sub(reach)..(x + reach + 1).min(width);
    (y.saturating_sub(reach)..(y + reach + 1).min(height))
        .flat_map(move |row| columns.clone().map(move |column| row * width + column))
}

/// Tells whether a spot lies on even ground by itself.
fn is_speck(light: &Plane, spot: &[usize], reach: usize) -> bool {
    let width = light.width;
    let (mut left, mut right, mut top, mut bottom) = (usize::MAX, 0, usize::MAX, 0);
    for at in spot {
        (left, right) = (left.min(at % width), right.max(at % width));
        (top, bottom) = (top.min(at / width), bottom.max(at / width));
    }
    let (across, down) = (right - left + 1, bottom - top + 1);
    if across.max(down) > 2 * reach || (spot.len() as f32) < FULL * (across * down) as f32 {
        return false;
    }
    let (mut inner, mut ring) = (Vec::new(), Vec::new());
    for &at in spot {
        inner.extend(around(light, at, RING - 1));
        ring.extend(around(light, at, RING));
    }
    for pixels in [&mut inner, &mut ring] {
        pixels.sort_unstable();
        pixels.dedup();
    }
    ring.retain(|at| inner.binary_search(at).is_err());
    let mut values: Vec<u8> = ring.iter().map(|&at| light.samples[at]).collect();
    if values.is_empty() {
        return false;
    }
    values.sort_unstable();
    let share = |of: f32| f32::from(values[((values.len() - 1) as f32 * of) as usize]);
    let mean = spot.iter().map(|&at| f32::from(light.samples[at])).sum::<f32>() / spot.len() as f32;
    share(0.9) - share(0.1) <= EVEN * (mean - share(0.5)).abs()
}
