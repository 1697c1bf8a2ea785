//! The negative: a picture decoded once, and the cutting of regions out of it.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{ResizeOptions, Resizer};

use super::{Print, PrintFormat, QUALITY, Tones, coder, turn};
use crate::fault::Fault;
use crate::image::encode::{Profile, encode};
use crate::image::plane::{Part, Planes, Turn};
use crate::image::{Format, Limits, Technical, decode, jpeg, orient, render};
use crate::raster::Raster;
use crate::rendition::{Recipe, RenditionFormat};

/// How much smaller than its file a negative may be: JPEG decodes to these at a saving.
const SHRINKS: [u32; 3] = [8, 4, 2];

/// A picture decoded once, from which prints are made.
pub struct Negative(Matter);

#[allow(clippy::large_enum_variant, reason = "few are kept, each behind a pointer")]
enum Matter {
    /// As coded: turned, and brought to sRGB, print by print.
    Planes { planes: Planes, orientation: u8, profile: Profile },
    /// Upright sRGB.
    Pixels(Raster),
}

impl Negative {
    /// Tells by how much a picture may be shrunk while it is decoded, so that `pixels` of it
    /// still give `wanted`: 1, 2, 4 or 8.
    pub fn shrink_for(pixels: u32, wanted: u32) -> u32 {
        SHRINKS.into_iter().find(|shrink| pixels / shrink >= wanted).unwrap_or(1)
    }

    /// Decodes a picture at 1 / `shrink` of its size: 1, 2, 4 or 8.
    ///
    /// Takes the memory that [`memory_needed`](crate::stage::identify::memory_needed) tells while
    /// it works, and [`Negative::bytes`] for as long as the negative is kept.
    ///
    /// # Errors
    /// `TooLarge` when a limit is exceeded, `Unsupported` when no decoder for the format is built
    /// in, `BadInput` when no pixels come out of damaged data.
    pub fn develop(
        bytes: &[u8],
        technical: &Technical,
        shrink: u32,
        limits: &Limits,
    ) -> Result<Self, Fault> {
        if technical.format == Format::Jpeg
            && let Some(picture) = jpeg::read_shrunk(bytes, shrink, limits)?
        {
            // A profile that cannot be used says nothing else than sRGB.
            let profile = Profile::of(picture.icc, RenditionFormat::Jpeg).unwrap_or(Profile::Srgb);
            let (planes, orientation) = (picture.planes, technical.orientation);
            return Ok(Self(Matter::Planes { planes, orientation, profile }));
        }
        let raster = decode::decode(bytes, technical, limits)?.raster;
        let longest = raster.width().max(raster.height()).div_ceil(shrink);
        Ok(Self(Matter::Pixels(render::reduced_to(raster, longest)?)))
    }

    /// The memory that it takes, in bytes.
    pub fn bytes(&self) -> usize {
        match &self.0 {
            Matter::Planes { planes, .. } => planes.bytes(),
            Matter::Pixels(raster) => raster.rgb().len(),
        }
    }

    /// Makes a print; gives the coded file.
    ///
    /// # Errors
    /// `BadInput` when the region is not within the picture, `Broken` when memory runs out.
    pub fn print(&self, print: &Print) -> Result<Vec<u8>, Fault> {
        print.validate()?;
        let turned = print.mirrored || print.degrees != 0.0;
        if let Matter::Planes { planes, orientation, profile } = &self.0
            && (print.format, print.tones, turned) == (PrintFormat::Jpeg, Tones::Colour, false)
        {
            let turn = Turn::from_exif(*orientation);
            let (part, (width, height)) = as_coded(print, turn);
            let window = planes.window(part, width, height);
            let cut = window.reduced(&mut Resizer::new(), width, height, turn)?.turned(turn);
            let recipe = Recipe { quality: QUALITY, ..Recipe::default() };
            return encode(&cut, profile, &recipe);
        }
        let rgb = self.cut(print)?;
        let sheet = turn::turned(rgb, print);
        coder::code(sheet, print.tones, print.format)
    }

    /// Cuts the region out at the print's size: packed upright sRGB.
    fn cut(&self, print: &Print) -> Result<Vec<u8>, Fault> {
        match &self.0 {
            Matter::Planes { planes, orientation, profile } => {
                let (part, (width, height)) = as_coded(print, Turn::from_exif(*orientation));
                let window = planes.window(part, width, height);
                let mut rgb = window.rgb(&mut Resizer::new(), width, height)?;
                profile.convert(&mut rgb)?;
                Ok(orient::upright(rgb, width, height, *orientation).0)
            }
            Matter::Pixels(raster) => cut_pixels(raster, print),
        }
    }
}

/// Tells which part of the coded picture a print shows, and how large that is as coded.
fn as_coded(print: &Print, turn: Turn) -> (Part, (u32, u32)) {
    let part = turn.coded(part(print));
    (part, turn.upright(print.width, print.height))
}

/// The region in fractions of the picture.
fn part(print: &Print) -> Part {
    let (width, height) = (f64::from(print.of.0), f64::from(print.of.1));
    Part {
        left: f64::from(print.region.left) / width,
        top: f64::from(print.region.top) / height,
        width: f64::from(print.region.width) / width,
        height: f64::from(print.region.height) / height,
    }
}

fn cut_pixels(raster: &Raster, print: &Print) -> Result<Vec<u8>, Fault> {
    let wrong = |cause| Fault::broken("cannot cut a raster").because(cause);
    let lost = |cause| Fault::broken("a raster has lost pixels").because(cause);
    let frame = part(print).on(f64::from(raster.width()), f64::from(raster.height()));
    let mut rgb = vec![0; print.width as usize * print.height as usize * 3];
    let source = TypedImageRef::<U8x3>::from_buffer(raster.width(), raster.height(), raster.rgb())
        .map_err(lost)?;
    let mut target =
        TypedImage::<U8x3>::from_buffer(print.width, print.height, &mut rgb).map_err(lost)?;
    let options = ResizeOptions::new().crop(frame.left, frame.top, frame.width, frame.height);
    Resizer::new().resize_typed(&source, &mut target, &options).map_err(wrong)?;
    Ok(rgb)
}
