//! What a service is sent of a picture, and where its boxes lie in the picture itself.

use aws_sdk_rekognition::primitives::Blob;
use aws_sdk_rekognition::types::{Image, S3Object};
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::image::encode_jpeg;
use glassplate_pipeline::ports::{Shown, ShownFile};
use glassplate_pipeline::raster::Raster;

/// The most bytes inside a request, and the most in a bucket
/// (<https://docs.aws.amazon.com/rekognition/latest/dg/limits.html>).
const MOST_INLINE: usize = 5 << 20;
const MOST_IN_BUCKET: usize = 15 << 20;
/// The shortest and the longest side, in pixels.
const LEAST_SIDE: u32 = 80;
const MOST_SIDE: u32 = 10_000;
/// The quality at which pixels are coded that have no file to send.
const QUALITY: u8 = 90;
/// What a picture too narrow is widened with: middle grey shows nothing.
const GREY: u8 = 128;

/// Where renditions lie for a service that reads the bucket itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The bucket.
    pub bucket: String,
    /// What comes before a key's path in it; empty, or ending in a slash.
    pub prefix: String,
}

/// Where a picture lies in what was sent, as fractions: left, top, width, height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Placement([f32; 4]);

impl Placement {
    pub(super) const WHOLE: Self = Self([0.0, 0.0, 1.0, 1.0]);

    /// Tells a frame of what was sent as one of the picture; within it.
    pub(super) fn back(&self, [left, top, width, height]: [f32; 4]) -> [f32; 4] {
        let [x, y, w, h] = self.0;
        let across = |at: f32| ((at - x) / w).clamp(0.0, 1.0);
        let down = |at: f32| ((at - y) / h).clamp(0.0, 1.0);
        let (from, to) = (across(left), across(left + width));
        let (above, below) = (down(top), down(top + height));
        [from, above, to - from, below - above]
    }
}

/// Makes what is sent: the stored rendition where the service takes it, else the pixels coded.
///
/// # Errors
/// `Broken` when memory runs out.
pub(super) fn prepare(shown: &Shown, stored: Option<&Stored>) -> Result<(Image, Placement), Fault> {
    if let Some(file) = shown.file.as_ref().filter(|file| fits(file)) {
        if let Some(stored) = stored.filter(|_| file.bytes.len() <= MOST_IN_BUCKET) {
            let name = format!("{}{}", stored.prefix, file.key.path());
            let object = S3Object::builder().bucket(&stored.bucket).name(name).build();
            return Ok((Image::builder().s3_object(object).build(), Placement::WHOLE));
        }
        if file.bytes.len() <= MOST_INLINE {
            return Ok((inline(file.bytes.to_vec()), Placement::WHOLE));
        }
    }
    let raster = &shown.raster;
    match widened(raster) {
        None => Ok((inline(encode_jpeg(raster, QUALITY)?), Placement::WHOLE)),
        Some((wide, placement)) => Ok((inline(encode_jpeg(&wide, QUALITY)?), placement)),
    }
}

fn fits(file: &ShownFile) -> bool {
    let side = |side| (LEAST_SIDE..=MOST_SIDE).contains(&side);
    matches!(&*file.media_type, "image/jpeg" | "image/png") && side(file.width) && side(file.height)
}

fn inline(bytes: Vec<u8>) -> Image {
    Image::builder().bytes(Blob::new(bytes)).build()
}

/// Puts a picture with a side too short in the middle of a grey one; `None` when no side is.
fn widened(raster: &Raster) -> Option<(Raster, Placement)> {
    let (width, height) = (raster.width(), raster.height());
    let (wide, high) = (width.max(LEAST_SIDE), height.max(LEAST_SIDE));
    if (wide, high) == (width, height) {
        return None;
    }
    let (left, top) = ((wide - width) / 2, (high - height) / 2);
    let mut rgb = vec![GREY; wide as usize * high as usize * 3];
    let rows = raster.rgb().chunks_exact(width as usize * 3);
    for (row, y) in rows.zip(top as usize..) {
        let at = (y * wide as usize + left as usize) * 3;
        rgb[at..at + row.len()].copy_from_slice(row);
    }
    let part = |of: u32, whole: u32| of as f32 / whole as f32;
    let frame = [part(left, wide), part(top, high), part(width, wide), part(height, high)];
    Some((Raster::new(wide, high, rgb), Placement(frame)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_picture_is_widened_and_its_boxes_are_told_in_the_picture_itself() {
        let raster = Raster::new(40, 160, vec![9; 40 * 160 * 3]);
        let (wide, placement) = widened(&raster).unwrap();
        assert_eq!((wide.width(), wide.height()), (80, 160));
        assert_eq!((wide.rgb()[0], wide.rgb()[20 * 3], wide.rgb()[60 * 3]), (GREY, 9, GREY));
        // The middle half of what was sent is the whole picture.
        assert_eq!(placement.back([0.25, 0.0, 0.5, 1.0]), [0.0, 0.0, 1.0, 1.0]);
        assert_eq!(placement.back([0.5, 0.5, 0.25, 0.25]), [0.5, 0.5, 0.5, 0.25]);
        // What lies on the grey is cut off.
        assert_eq!(placement.back([0.0, 0.0, 0.5, 1.0]), [0.0, 0.0, 0.5, 1.0]);
        assert_eq!(widened(&Raster::new(80, 80, vec![9; 80 * 80 * 3])), None);
    }
}
