//! What a picture may claim before a byte is allocated for its pixels.

use serde::{Deserialize, Serialize};

use crate::fault::Fault;

/// Upper bounds for one picture; each is checked against the header before pixels are allocated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Largest file, in bytes.
    pub bytes: u64,
    /// Largest width or height, in pixels.
    pub side: u32,
    /// Most pixels in one frame.
    pub pixels: u64,
    /// Most frames or pages; only the first is rendered.
    pub frames: u32,
    /// Longest time for decoding and rendering one picture, in seconds.
    pub seconds: f64,
}

impl Default for Limits {
    /// Room for a 200 megapixel drum scan, and nothing near a decompression bomb.
    fn default() -> Self {
        Self { bytes: 512 << 20, side: 65_000, pixels: 200_000_000, frames: 10_000, seconds: 30.0 }
    }
}

impl Limits {
    /// Checks the limits themselves.
    ///
    /// # Errors
    /// `BadInput`, naming the setting.
    pub fn validate(&self) -> Result<(), Fault> {
        for (name, zero) in [
            ("bytes", self.bytes == 0),
            ("side", self.side == 0),
            ("pixels", self.pixels == 0),
            ("frames", self.frames == 0),
            ("seconds", !(self.seconds > 0.0 && self.seconds.is_finite())),
        ] {
            if zero {
                return Err(Fault::bad_input(format!("limits.{name} must be above zero")));
            }
        }
        Ok(())
    }

    /// Checks what a header claims.
    ///
    /// # Errors
    /// `TooLarge`, naming the limit, the claim and the setting.
    pub fn check_dimensions(&self, width: u32, height: u32) -> Result<(), Fault> {
        if width == 0 || height == 0 {
            return Err(Fault::bad_input(format!("the header claims {width} x {height} pixels")));
        }
        if width > self.side || height > self.side {
            return Err(Fault::too_large(format!(
                "{width} x {height} pixels: a side is over limits.side = {}",
                self.side
            )));
        }
        let pixels = u64::from(width) * u64::from(height);
        if pixels > self.pixels {
            return Err(Fault::too_large(format!(
                "{width} x {height} = {pixels} pixels: over limits.pixels = {}",
                self.pixels
            )));
        }
        Ok(())
    }
}
