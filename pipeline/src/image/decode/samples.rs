//! Turns rows of decoded samples into packed RGB on white.

/// What the samples of a pixel are, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Grey,
    GreyAlpha,
    Rgb,
    Rgba,
}

impl Layout {
    /// Samples a pixel.
    pub(super) fn samples(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::GreyAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }
}

/// Writes 8-bit samples as RGB; transparency is not associated. `rgb` takes as many pixels as fit.
pub(super) fn write_rgb(samples: &[u8], layout: Layout, rgb: &mut [u8]) {
    let pixels = samples.chunks_exact(layout.samples()).zip(rgb.chunks_exact_mut(3));
    match layout {
        Layout::Rgb => {
            let length = rgb.len().min(samples.len());
            rgb[..length].copy_from_slice(&samples[..length]);
        }
        Layout::Grey => pixels.for_each(|(from, to)| to.fill(from[0])),
        Layout::GreyAlpha => pixels.for_each(|(from, to)| to.fill(on_white(from[0], from[1]))),
        Layout::Rgba => pixels.for_each(|(from, to)| {
            for (to, &from_sample) in to.iter_mut().zip(&from[..3]) {
                *to = on_white(from_sample, from[3]);
            }
        }),
    }
}

/// Converts whole samples to RGB.
pub(super) fn to_rgb(samples: &[u8], layout: Layout) -> Vec<u8> {
    let mut rgb = vec![0; samples.len() / layout.samples() * 3];
    write_rgb(samples, layout, &mut rgb);
    rgb
}

/// Lays a sample on white, as much as it covers.
pub(super) fn on_white(sample: u8, alpha: u8) -> u8 {
    let (sample, alpha) = (u32::from(sample), u32::from(alpha));
    ((sample * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

/// Narrows 16 bits to 8, rounding: 65535 is 255 and 257 is 1.
pub(super) fn narrow(sample: u16) -> u8 {
    ((u32::from(sample) * 255 + 32_767) / 65_535) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_are_rounded_and_not_cut() {
        for value in 0..=255_u16 {
            assert_eq!(narrow(value * 257), value as u8);
        }
        assert_eq!([narrow(128), narrow(129), narrow(65_406), narrow(65_407)], [0, 1, 254, 255]);
    }

    #[test]
    fn transparency_shows_white() {
        assert_eq!(to_rgb(&[9, 8, 7, 0], Layout::Rgba), [255; 3]);
        assert_eq!(to_rgb(&[9, 8, 7, 255], Layout::Rgba), [9, 8, 7]);
        assert_eq!(to_rgb(&[0, 128], Layout::GreyAlpha), [127; 3]);
        assert_eq!(to_rgb(&[5, 6, 7], Layout::Rgb), [5, 6, 7]);
    }
}
