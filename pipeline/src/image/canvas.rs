//! Canvases: where the rows of a repaired picture are gathered, as pixels or at once as planes.

use crate::fault::Fault;
use crate::image::jpeg::turbo;
use crate::image::plane::{Plane, Planes};
use crate::ports::Rows;
use crate::raster::Raster;

/// Gathers rows as pixels, for the next repair.
pub(crate) struct PixelCanvas {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl PixelCanvas {
    pub(crate) fn new(width: u32, height: u32) -> Self {
        let rgb = Vec::with_capacity(width as usize * height as usize * 3);
        Self { width, height, rgb }
    }

    /// # Errors
    /// `Broken` when rows are missing.
    pub(crate) fn done(self) -> Result<Raster, Fault> {
        if self.rgb.len() != self.width as usize * self.height as usize * 3 {
            return Err(unfinished());
        }
        Ok(Raster::new(self.width, self.height, self.rgb))
    }
}

impl Rows for PixelCanvas {
    fn take(&mut self, rgb: &[u8]) -> Result<(), Fault> {
        self.rgb.extend_from_slice(rgb);
        Ok(())
    }
}

/// Gathers rows as planes 4:2:0, which take half the memory, for the coder.
pub(crate) struct PlaneCanvas {
    planes: Planes,
    /// Rows that are on the planes.
    filled: usize,
    /// Rows that wait for a second one, whose chroma they share.
    waiting: Vec<u8>,
}

impl PlaneCanvas {
    pub(crate) fn new(width: u32, height: u32) -> Self {
        let (columns, rows) = ((width as usize).div_ceil(2), (height as usize).div_ceil(2));
        let luma = Plane::grey(2 * columns, 2 * rows).framed(f64::from(width), f64::from(height));
        let chroma =
            Plane::grey(columns, rows).framed(f64::from(width) / 2.0, f64::from(height) / 2.0);
        let planes = Planes { width, height, luma, chroma: Some([chroma.clone(), chroma]) };
        Self { planes, filled: 0, waiting: Vec::new() }
    }

    /// # Errors
    /// `Broken` when rows are missing.
    pub(crate) fn done(self) -> Result<Planes, Fault> {
        if self.filled != self.planes.height as usize || !self.waiting.is_empty() {
            return Err(unfinished());
        }
        Ok(self.planes)
    }
}

impl Rows for PlaneCanvas {
    fn take(&mut self, rgb: &[u8]) -> Result<(), Fault> {
        self.waiting.extend_from_slice(rgb);
        let length = self.planes.width as usize * 3;
        let there = self.waiting.len() / length;
        let last = self.filled + there >= self.planes.height as usize;
        let rows = if last { there } else { there - there % 2 };
        if rows == 0 {
            return Ok(());
        }
        let strip: Vec<u8> = self.waiting.drain(..rows * length).collect();
        let strip = turbo::planes_of_rgb(&strip, self.planes.width, rows as u32)?;
        let copy = |to: &mut Plane, from: &Plane, first: usize| {
            let at = first * to.stride;
            let room = to.samples.get_mut(at..at + from.samples.len()).ok_or_else(unfinished)?;
            room.copy_from_slice(&from.samples);
            Ok::<_, Fault>(())
        };
        copy(&mut self.planes.luma, &strip.luma, self.filled)?;
        if let (Some(to), Some(from)) = (&mut self.planes.chroma, &strip.chroma) {
            copy(&mut to[0], &from[0], self.filled / 2)?;
            copy(&mut to[1], &from[1], self.filled / 2)?;
        }
        self.filled += rows;
        Ok(())
    }
}

fn unfinished() -> Fault {
    Fault::broken("a repair gave another number of rows than it should have")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_given_in_strips_are_the_same_planes_as_given_at_once() {
        for (width, height) in [(6_u32, 7_u32), (5, 4), (1, 1)] {
            let length = width as usize * 3;
            let rgb: Vec<u8> =
                (0..length * height as usize).map(|at| (at * 37 % 251) as u8).collect();
            let whole = turbo::planes_of_rgb(&rgb, width, height).expect("planes");
            let mut canvas = PlaneCanvas::new(width, height);
            for strip in rgb.chunks(length * 3) {
                canvas.take(strip).expect("rows");
            }
            let planes = canvas.done().expect("all rows");
            assert_eq!(planes.luma.samples, whole.luma.samples);
            let [of_strips, of_whole] = [planes, whole].map(|p| p.chroma.expect("colour"));
            for (strips, whole) in of_strips.iter().zip(&of_whole) {
                assert_eq!(strips.samples, whole.samples);
            }
        }
        let mut canvas = PlaneCanvas::new(2, 4);
        canvas.take(&[0; 18]).expect("rows");
        assert!(canvas.done().is_err());
    }
}
