//! What is special about a picture's pixels, as far as it bears on how it is read.

use serde::{Deserialize, Serialize};

/// What assess finds in the pixels of one picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// Whether there is colour.
    pub tone: Tone,
    /// How far colours stray from what the lightness alone foretells: the 99th percentile of the
    /// distance in the chroma plane of YCbCr, 0 to about 180.
    pub chroma: f32,
}

/// Whether a picture has colours, or one only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// Hues differ.
    Colour,
    /// Shades of grey.
    Grey,
    /// Shades of one hue, such as sepia.
    Toned,
}

impl Tone {
    /// Tells whether lightness is all that the picture holds: grey or toned.
    pub const fn is_monochrome(self) -> bool {
        !matches!(self, Self::Colour)
    }
}
