//! Turns decoded pixels upright.
//!
//! Orientations are EXIF's 1 to 8 (CIPA DC-008, tag 0x0112), which TIFF shares. The picture
//! is turned in place where its sides keep their lengths, and through one copy where they swap.

/// How many pixels square a block is when sides swap: both sides of it stay in the first cache.
const BLOCK: usize = 32;

/// Turns packed RGB of `width * height` pixels upright; gives the pixels and their new size.
///
/// An orientation outside 2 to 8 changes nothing.
pub fn upright(mut rgb: Vec<u8>, width: u32, height: u32, orientation: u8) -> (Vec<u8>, u32, u32) {
    let row = width as usize * 3;
    match orientation {
        2 => rgb.chunks_exact_mut(row).for_each(reverse_pixels),
        3 => reverse_pixels(&mut rgb),
        4 => reverse_rows(&mut rgb, row),
        5..=8 => {
            // Each is a transposition, then at most a flip of the rows or of the pixels in them.
            let mut turned = transpose(&rgb, width as usize, height as usize);
            drop(rgb);
            let row = height as usize * 3;
            match orientation {
                6 => turned.chunks_exact_mut(row).for_each(reverse_pixels),
                7 => reverse_pixels(&mut turned),
                8 => reverse_rows(&mut turned, row),
                _ => {}
            }
            return (turned, height, width);
        }
        _ => {}
    }
    (rgb, width, height)
}

/// Says which orientation does the work of `first` and then `second`.
pub(crate) fn compose(first: u8, second: u8) -> u8 {
    let ([a, b, c, d], [e, f, g, h]) = (matrix(first), matrix(second));
    let product = [e * a + f * c, e * b + f * d, g * a + h * c, g * b + h * d];
    (1..=8).find(|&orientation| matrix(orientation) == product).unwrap_or(1)
}

/// Where an orientation sends a pixel: the rows of a 2 x 2 matrix, x to the right, y down.
fn matrix(orientation: u8) -> [i8; 4] {
    match orientation {
        2 => [-1, 0, 0, 1],
        3 => [-1, 0, 0, -1],
        4 => [1, 0, 0, -1],
        5 => [0, 1, 1, 0],
        6 => [0, -1, 1, 0],
        7 => [0, -1, -1, 0],
        8 => [0, 1, -1, 0],
        _ => [1, 0, 0, 1],
    }
}

fn reverse_pixels(rgb: &mut [u8]) {
    rgb.reverse();
    rgb.chunks_exact_mut(3).for_each(|pixel| pixel.swap(0, 2));
}

fn reverse_rows(rgb: &mut [u8], row: usize) {
    let rows = rgb.len() / row;
    for y in 0..rows / 2 {
        let (top, bottom) = rgb.split_at_mut((rows - 1 - y) * row);
        top[y * row..][..row].swap_with_slice(&mut bottom[..row]);
    }
}

fn transpose(rgb: &[u8], width: usize, height: usize) -> Vec<u8> {
    let mut turned = vec![0; rgb.len()];
    for top in (0..height).step_by(BLOCK) {
        for left in (0..width).step_by(BLOCK) {
            for y in top..(top + BLOCK).min(height) {
                for x in left..(left + BLOCK).min(width) {
                    let (from, to) = ((y * width + x) * 3, (x * height + y) * 3);
                    turned[to..to + 3].copy_from_slice(&rgb[from..from + 3]);
                }
            }
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Turns a 3 x 2 picture whose pixels are numbered 1 to 6 and reads the numbers back.
    fn turned(orientation: u8) -> (Vec<u8>, u32, u32) {
        let rgb = (1..=6).flat_map(|n| [n, n + 10, n + 20]).collect();
        let (rgb, width, height) = upright(rgb, 3, 2, orientation);
        assert!(rgb.chunks(3).all(|p| p[1] == p[0] + 10 && p[2] == p[0] + 20));
        (rgb.into_iter().step_by(3).collect(), width, height)
    }

    #[test]
    fn the_eight_orientations_put_every_pixel_where_exif_says() {
        assert_eq!(turned(1), (vec![1, 2, 3, 4, 5, 6], 3, 2));
        assert_eq!(turned(2), (vec![3, 2, 1, 6, 5, 4], 3, 2));
        assert_eq!(turned(3), (vec![6, 5, 4, 3, 2, 1], 3, 2));
        assert_eq!(turned(4), (vec![4, 5, 6, 1, 2, 3], 3, 2));
        assert_eq!(turned(5), (vec![1, 4, 2, 5, 3, 6], 2, 3));
        assert_eq!(turned(6), (vec![4, 1, 5, 2, 6, 3], 2, 3));
        assert_eq!(turned(7), (vec![6, 3, 5, 2, 4, 1], 2, 3));
        assert_eq!(turned(8), (vec![3, 6, 2, 5, 1, 4], 2, 3));
        assert_eq!(turned(99), turned(1));
    }

    #[test]
    fn pictures_larger_than_a_block_turn_as_small_ones_do() {
        let (width, height) = (70_u32, 45_u32);
        let pixel = |x: u32, y: u32| [x as u8, y as u8, (x ^ y) as u8];
        let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect();
        let (turned, new_width, new_height) = upright(rgb, width, height, 6);
        assert_eq!((new_width, new_height), (height, width));
        for (at, found) in turned.chunks(3).enumerate() {
            let (x, y) = (at as u32 % new_width, at as u32 / new_width);
            assert_eq!(found, pixel(y, height - 1 - x));
        }
    }

    #[test]
    fn composing_agrees_with_turning_twice() {
        let rgb: Vec<u8> = (0..18).collect();
        for first in 1..=8 {
            for second in 1..=8 {
                let (once, width, height) = upright(rgb.clone(), 3, 2, first);
                let twice = upright(once, width, height, second);
                assert_eq!(upright(rgb.clone(), 3, 2, compose(first, second)), twice);
            }
        }
    }
}
