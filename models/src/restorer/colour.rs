//! Between pixels and planes: full-range BT.601 as JFIF has it, and CIE Lab.

use std::sync::LazyLock;

/// Luma of a pixel, 0 to 255.
pub(super) fn luma([r, g, b]: [f32; 3]) -> f32 {
    0.299 * r + 0.587 * g + 0.114 * b
}

/// Chroma of a pixel: Cb and Cr around zero.
pub(super) fn chroma([r, g, b]: [f32; 3]) -> [f32; 2] {
    let y = luma([r, g, b]);
    [(b - y) * 0.564_334, (r - y) * 0.713_267]
}

/// The pixel of luma and chroma; channels may lie outside 0 to 255.
pub(super) fn rgb(y: f32, [cb, cr]: [f32; 2]) -> [f32; 3] {
    [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb]
}

/// The pixel of luma and chroma, with chroma taken back where it would leave the range: luma stays.
pub(super) fn rgb_within(y: f32, chroma: [f32; 2]) -> [f32; 3] {
    let most = |value: f32| {
        let by = value - y;
        if by > 0.0 {
            (255.0 - y) / by
        } else if by < 0.0 {
            -y / by
        } else {
            1.0
        }
    };
    let share = rgb(y, chroma).into_iter().map(most).fold(1.0, f32::min).max(0.0);
    rgb(y, chroma.map(|value| value * share))
}

/// A channel in 8 bits.
pub(super) fn byte(value: f32) -> u8 {
    (value + 0.5).clamp(0.0, 255.0) as u8
}

/// sRGB's curve, from 8 bits to linear light.
static LINEAR: LazyLock<[f32; 256]> = LazyLock::new(|| {
    std::array::from_fn(|value| {
        let value = value as f32 / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    })
});

/// The curve from linear light to sRGB, 0 to 255 (IEC 61966-2-1).
fn coded(linear: f32) -> f32 {
    let linear = linear.max(0.0);
    let value =
        if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 };
    255.0 * value
}

/// L of CIE Lab for each grey of 8 bits.
pub(super) static LIGHTNESS: LazyLock<[f32; 256]> =
    LazyLock::new(|| std::array::from_fn(|grey| 116.0 * root(LINEAR[grey]) - 16.0));

fn root(value: f32) -> f32 {
    const KNEE: f32 = 216.0 / 24389.0;
    if value > KNEE { value.cbrt() } else { (24389.0 / 27.0 * value + 16.0) / 116.0 }
}

fn unroot(value: f32) -> f32 {
    const KNEE: f32 = 6.0 / 29.0;
    if value > KNEE { value * value * value } else { (116.0 * value - 16.0) * 27.0 / 24389.0 }
}

/// sRGB, 0 to 255, of CIE Lab under D65; channels may lie outside.
pub(super) fn of_lab(lightness: f32, [a, b]: [f32; 2]) -> [f32; 3] {
    let y = (lightness + 16.0) / 116.0;
    let x = unroot(y + a / 500.0) * 0.950_47;
    let z = unroot(y - b / 200.0) * 1.088_83;
    let y = unroot(y);
    [
        3.240_454_2 * x - 1.537_138_5 * y - 0.498_531_4 * z,
        -0.969_266 * x + 1.876_010_8 * y + 0.041_556 * z,
        0.055_643_4 * x - 0.204_025_9 * y + 1.057_225_2 * z,
    ]
    .map(coded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chroma_that_leaves_the_range_is_taken_back_and_luma_stays() {
        for y in [0.0, 3.0, 128.0, 250.0, 255.0] {
            for chroma in [[0.0, 0.0], [90.0, -40.0], [-100.0, 100.0]] {
                let pixel = rgb_within(y, chroma);
                assert!(pixel.iter().all(|v| (-0.01..=255.01).contains(v)), "{pixel:?}");
                assert!((luma(pixel) - y).abs() < 0.01, "{y} {chroma:?}: {pixel:?}");
            }
        }
    }

    #[test]
    fn lab_agrees_with_known_colours() {
        // Values of Lindbloom's calculator for sRGB under D65.
        for (lab, expected) in [
            ([53.24, 80.09, 67.20], [255.0, 0.0, 0.0]),
            ([32.30, 79.19, -107.86], [0.0, 0.0, 255.0]),
            ([53.59, 0.0, 0.0], [128.0, 128.0, 128.0]),
        ] {
            let found = of_lab(lab[0], [lab[1], lab[2]]);
            let near = found.iter().zip(&expected).all(|(a, b): (&f32, &f32)| (a - b).abs() < 1.0);
            assert!(near, "{found:?} {expected:?}");
        }
        assert!((LIGHTNESS[128] - 53.585).abs() < 0.01);
    }
}
