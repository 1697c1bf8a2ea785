//! What is special about a picture's pixels, as far as it bears on how it is read and repaired.

use serde::{Deserialize, Serialize};

/// What assess finds in the pixels of one picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// Whether there is colour.
    pub tone: Tone,
    /// How far colours stray from what the lightness alone foretells: the 99th percentile of the
    /// distance in the chroma plane of YCbCr, 0 to about 180.
    pub chroma: f32,
    /// The state of the picture; absent in what version 1 of assess said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
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

/// The state that a picture is in, as it shows on the working raster: the 1024 rendition before
/// it is coded, or the picture itself where it is smaller.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// The noise: its standard deviation in the green channel, in units of 8 bits.
    pub noise: f32,
    /// The blur: the sigma, in pixels of the working raster, of the Gaussian that makes the sharpest
    /// edges as soft as they are here; about 0.6 for a sharp picture. Absent where there are no edges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blur: Option<f32>,
    /// Whether the blur runs in one direction, as that of a moved camera does.
    pub motion: bool,
    /// The share of the tonal range between the 1st and the 99th percentile of lightness, 0 to 1.
    pub contrast: f32,
    /// How far the steps at the edges of 8 x 8 blocks stand out, in units of 8 bits.
    pub blockiness: f32,
    /// What of the picture is the even border of a scan: left, top, right, bottom, as shares of
    /// the width or the height, 0 to 0.25 each.
    pub border: [f32; 4],
    /// The share of the picture that is as light as its lightest parts, 0 to 1: much on a page of
    /// print, little in a photograph.
    pub paper: f32,
}

impl Condition {
    /// From this share of [`paper`](Self::paper) on a picture is a page and no photograph.
    const PAGE_FROM: f32 = 0.5;

    /// Tells whether the picture looks like a page of print or drawing.
    pub fn is_page(&self) -> bool {
        self.paper >= Self::PAGE_FROM
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_version_of_assess_said_is_read() {
        let first: Assessment =
            serde_json::from_str(r#"{"tone":"toned","chroma":3.5}"#).expect("1");
        assert_eq!((first.tone, first.condition), (Tone::Toned, None));
        let second = r#"{"tone":"grey","chroma":0.0,"condition":{"noise":9.5,"blur":1.2,"motion":false,
            "contrast":0.7,"blockiness":0.4,"border":[0.05,0.0,0.05,0.0],"paper":0.1}}"#;
        let second: Assessment = serde_json::from_str(second).expect("2");
        assert_eq!(second.condition.map(|found| (found.noise, found.blur)), Some((9.5, Some(1.2))));
    }
}
