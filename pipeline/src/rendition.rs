//! Renditions: pictures derived from an original, and how they are made.

use serde::{Deserialize, Serialize};

use crate::fault::Fault;

/// How renditions are made: sizes, quality, format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// Longest sides in pixels, largest first; the rendition's name is its size in text.
    pub sizes: Vec<u32>,
    /// JPEG or WebP quality, 1 to 100.
    pub quality: u8,
    /// The encoded format.
    pub format: RenditionFormat,
}

impl Default for Recipe {
    /// 2048 for the page, 1024 for labellers, 256 for grids; quality 82 is where 4:2:0 stays clean.
    fn default() -> Self {
        Self { sizes: vec![2048, 1024, 256], quality: 82, format: RenditionFormat::Jpeg }
    }
}

impl Recipe {
    /// The longest side that WebP can code, in pixels (RFC 9649, 2.3.2), rounded down to even.
    const LARGEST_SIZE: u32 = 16_382;

    /// Checks the sizes (1 to 8 of them, 16 to 16382, largest first) and the quality (1 to 100).
    ///
    /// # Errors
    /// `BadInput`, naming the setting.
    pub fn validate(&self) -> Result<(), Fault> {
        let wrong = |what: String| Err(Fault::bad_input(format!("recipe.{what}")));
        if !(1..=8).contains(&self.sizes.len()) {
            return wrong(format!("sizes has {} sizes: 1 to 8 are possible", self.sizes.len()));
        }
        if let Some(size) =
            self.sizes.iter().find(|size| !(16..=Self::LARGEST_SIZE).contains(*size))
        {
            return wrong(format!("sizes has {size}: 16 to {} are possible", Self::LARGEST_SIZE));
        }
        if !self.sizes.is_sorted_by(|one, next| one > next) {
            return wrong(format!("sizes is {:?}: the largest must be first", self.sizes));
        }
        if !(1..=100).contains(&self.quality) {
            return wrong(format!("quality is {}: 1 to 100 are possible", self.quality));
        }
        Ok(())
    }
}

/// The format that renditions are encoded in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RenditionFormat {
    /// Baseline JPEG, 4:2:0, sRGB.
    Jpeg,
    /// Lossy WebP, sRGB.
    Webp,
}

impl RenditionFormat {
    /// The IANA media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
        }
    }

    /// The file name extension, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Webp => "webp",
        }
    }
}

/// One derived picture as the record knows it; the bytes are in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendition {
    /// The recipe's size in text: `2048`, `1024`, `256`.
    pub name: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The IANA media type.
    pub media_type: String,
    /// Where the bytes are, as a key of the store.
    pub path: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_that_cannot_be_followed_names_the_setting() {
        let with =
            |sizes: &[u32], quality| Recipe { sizes: sizes.to_vec(), quality, ..Recipe::default() };
        assert!(Recipe::default().validate().is_ok());
        assert!(with(&[16_382, 16], 1).validate().is_ok());
        for (recipe, setting) in [
            (with(&[], 82), "recipe.sizes"),
            (with(&[9; 9], 82), "recipe.sizes"),
            (with(&[256, 1024], 82), "recipe.sizes"),
            (with(&[256, 256], 82), "recipe.sizes"),
            (with(&[256, 0], 82), "recipe.sizes"),
            (with(&[70_000], 82), "recipe.sizes"),
            (with(&[256], 0), "recipe.quality"),
            (with(&[256], 101), "recipe.quality"),
        ] {
            let fault = recipe.validate().expect_err("not valid");
            assert!(fault.to_string().starts_with(setting), "{fault}");
        }
    }
}
