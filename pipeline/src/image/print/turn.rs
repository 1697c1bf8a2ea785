//! Mirroring a print, and turning it by any angle.

use super::{Print, PrintFormat};
use crate::image::orient;

/// A print before it is coded.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Packed RGB.
    pub(super) rgb: Vec<u8>,
    /// How much of each pixel is picture, where a turn has left corners empty.
    pub(super) cover: Option<Vec<u8>>,
}

/// EXIF's orientations that mirror, and that turn clockwise by 0, 90, 180 and 270 degrees.
const MIRROR: u8 = 2;
const QUARTERS: [u8; 4] = [1, 6, 3, 8];

/// Mirrors and turns packed RGB of the print's size.
pub(super) fn turned(rgb: Vec<u8>, print: &Print) -> Sheet {
    let degrees = print.degrees.rem_euclid(360.0);
    let quarters = degrees / 90.0;
    let whole = quarters.fract() == 0.0;
    let mirror = if print.mirrored { MIRROR } else { 1 };
    let quarter = if whole { QUARTERS[quarters as usize] } else { 1 };
    let orientation = orient::compose(mirror, quarter);
    let (rgb, width, height) = orient::upright(rgb, print.width, print.height, orientation);
    let sheet = Sheet { width, height, rgb, cover: None };
    if whole {
        return sheet;
    }
    let transparent = print.format != PrintFormat::Jpeg;
    askew(&sheet, degrees.to_radians(), transparent)
}

/// Gives the size of a picture after it is turned clockwise by some degrees.
pub(super) fn bounds(width: u32, height: u32, radians: f64) -> (u32, u32) {
    let (sine, cosine) = (radians.sin().abs(), radians.cos().abs());
    let (across, down) = (f64::from(width), f64::from(height));
    // A hair less, so that floating point adds no empty row to a whole number.
    let side = |length: f64| (length - 1e-6).ceil().max(1.0) as u32;
    (side(across * cosine + down * sine), side(across * sine + down * cosine))
}

/// Turns by any angle, each pixel between its four neighbours; the edge is softened.
fn askew(sheet: &Sheet, radians: f64, transparent: bool) -> Sheet {
    let (width, height) = bounds(sheet.width, sheet.height, radians);
    let (sine, cosine) = radians.sin_cos();
    let centre = (f64::from(sheet.width) / 2.0, f64::from(sheet.height) / 2.0);
    let middle = (f64::from(width) / 2.0, f64::from(height) / 2.0);
    let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
    let mut cover = Vec::with_capacity(width as usize * height as usize);
    for row in 0..height {
        let y = f64::from(row) + 0.5 - middle.1;
        for column in 0..width {
            let x = f64::from(column) + 0.5 - middle.0;
            let from = (x * cosine + y * sine + centre.0, y * cosine - x * sine + centre.1);
            let within = |at: f64, side: u32| {
                (at + 0.5).clamp(0.0, 1.0) * (f64::from(side) - at + 0.5).clamp(0.0, 1.0)
            };
            let covered = within(from.0, sheet.width) * within(from.1, sheet.height);
            let pixel = between(sheet, from.0 - 0.5, from.1 - 0.5);
            let laid = |sample: f64| {
                let sample = if transparent { sample } else { 255.0 + (sample - 255.0) * covered };
                (sample + 0.5) as u8
            };
            rgb.extend(pixel.map(laid));
            cover.push((covered * 255.0 + 0.5) as u8);
        }
    }
    Sheet { width, height, rgb, cover: transparent.then_some(cover) }
}

/// Reads between four pixels; beyond the edge the outermost go on.
fn between(sheet: &Sheet, x: f64, y: f64) -> [f64; 3] {
    let (across, down) = (x - x.floor(), y - y.floor());
    let pixel = |x: f64, y: f64, channel: usize| {
        let column = x.clamp(0.0, f64::from(sheet.width - 1)) as usize;
        let row = y.clamp(0.0, f64::from(sheet.height - 1)) as usize;
        f64::from(sheet.rgb[(row * sheet.width as usize + column) * 3 + channel])
    };
    let (left, top) = (x.floor(), y.floor());
    std::array::from_fn(|channel| {
        let upper =
            pixel(left, top, channel) * (1.0 - across) + pixel(left + 1.0, top, channel) * across;
        let lower = pixel(left, top + 1.0, channel) * (1.0 - across)
            + pixel(left + 1.0, top + 1.0, channel) * across;
        upper * (1.0 - down) + lower * down
    })
}
