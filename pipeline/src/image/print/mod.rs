//! Printing: any part of a picture, at any size, turned, in colour, grey or black and white.
//!
//! A [`Negative`] is a picture decoded once; many prints are made of it, as a zooming viewer asks
//! for tiles. Where it can be had as planes it stays so: half the memory of RGB, and a JPEG tile
//! never leaves them. What a print shows depends on the region alone and not on the tile's
//! edges, so tiles laid side by side show no seams.

mod coder;
mod negative;
#[cfg(test)]
mod tests;
mod turn;

use crate::fault::Fault;

pub use negative::Negative;

/// The quality of JPEG and WebP prints: that of renditions.
const QUALITY: u8 = 82;

/// What is printed, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Print {
    /// Which part of the upright picture.
    pub region: Region,
    /// Width and height of the picture that the region is told in, in pixels; the negative may
    /// have fewer.
    pub of: (u32, u32),
    /// Width in pixels before it is turned, from 1.
    pub width: u32,
    /// Height in pixels before it is turned, from 1.
    pub height: u32,
    /// Whether left and right change places, before it is turned.
    pub mirrored: bool,
    /// How far it is turned clockwise, in degrees from 0 to 360.
    pub degrees: f64,
    /// Its tones.
    pub tones: Tones,
    /// The format that it is coded in.
    pub format: PrintFormat,
}

/// A rectangle of whole pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// Pixels to the left of it.
    pub left: u32,
    /// Pixels above it.
    pub top: u32,
    /// Its width, from 1.
    pub width: u32,
    /// Its height, from 1.
    pub height: u32,
}

/// The tones of a print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tones {
    /// As they are.
    Colour,
    /// Luma of BT.601, as JPEG has it.
    Grey,
    /// Black below half of the luma, white above.
    Bitonal,
}

/// The format of a print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrintFormat {
    /// Baseline JPEG, 4:2:0 or grey; what a turn leaves empty is white.
    Jpeg,
    /// PNG; what a turn leaves empty is transparent.
    Png,
    /// Lossy WebP; what a turn leaves empty is transparent.
    Webp,
}

impl Print {
    /// Refuses what cannot be printed: an empty print, a region that is not of the picture.
    ///
    /// # Errors
    /// `BadInput` saying which.
    fn validate(&self) -> Result<(), Fault> {
        let Region { left, top, width, height } = self.region;
        let inside = |from: u32, length: u32, whole: u32| {
            length > 0 && from.checked_add(length).is_some_and(|end| end <= whole)
        };
        if !inside(left, width, self.of.0) || !inside(top, height, self.of.1) {
            return Err(Fault::bad_input(format!(
                "{left},{top},{width},{height} is not within {} x {} pixels",
                self.of.0, self.of.1
            )));
        }
        if self.width == 0 || self.height == 0 || !self.degrees.is_finite() {
            return Err(Fault::bad_input("a print has at least one pixel and a finite turn"));
        }
        Ok(())
    }
}
