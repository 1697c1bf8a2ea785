//! Decoded pixels, as the stages and the labellers see them.

/// Decoded pixels: 8-bit sRGB, upright, interleaved, rows top to bottom without padding.
///
/// Not a [`crate::rendition::Rendition`], which is an encoded file with a recipe.
#[derive(Clone, PartialEq, Eq)]
pub struct Raster {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl Raster {
    /// Takes pixels over; `rgb` holds `width * height * 3` bytes and no side is zero.
    ///
    /// # Panics
    /// When the length does not fit: the caller computed both.
    pub fn new(width: u32, height: u32, rgb: Vec<u8>) -> Self {
        assert!(width > 0 && height > 0, "a raster has pixels");
        assert_eq!(rgb.len(), width as usize * height as usize * 3, "a raster is packed RGB");
        Self { width, height, rgb }
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The pixels, `height` rows of `width` RGB triples.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// Gives the pixels away.
    pub fn into_rgb(self) -> Vec<u8> {
        self.rgb
    }
}

impl std::fmt::Debug for Raster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Raster({}x{})", self.width, self.height)
    }
}
