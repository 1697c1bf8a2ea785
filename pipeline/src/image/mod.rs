//! Everything that understands picture bytes: formats, headers, pixels, embedded metadata.
//!
//! Nothing here knows of stages, stores or catalogues. All functions are synchronous,
//! take the whole file as a slice, and never allocate for pixels before [`Limits`] agree.

pub(crate) mod canvas;
pub mod coded;
pub mod colour;
pub(crate) mod condition;
pub mod decode;
pub mod embedded;
pub(crate) mod encode;
mod ifd;
mod iso;
pub(crate) mod jpeg;
pub mod limits;
mod order;
pub mod orient;
pub mod phash;
pub(crate) mod plane;
mod preview;
pub mod print;
pub mod probe;
pub(crate) mod provenance;
pub mod render;
pub mod sniff;
pub(crate) mod tone;

pub use encode::encode_jpeg;
pub use limits::Limits;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::raster::Raster;

/// A picture format, recognised by content and never by file name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the variants are the formats' own names")]
pub enum Format {
    Jpeg,
    Png,
    Tiff,
    Webp,
    Gif,
    Bmp,
    Jp2,
    Heic,
    Avif,
    Psd,
    /// Camera RAW: CR2, CR3, NEF, ARW, DNG, RAF, RW2, ORF, PEF, SRW, MRW, X3F and relatives.
    Raw,
    Ico,
    Tga,
    Pnm,
    Qoi,
    Jxl,
    Hdr,
    Exr,
    Eps,
    Svg,
    Pcx,
}

impl Format {
    /// The name that people know the format by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Tiff => "TIFF",
            Self::Webp => "WebP",
            Self::Gif => "GIF",
            Self::Bmp => "BMP",
            Self::Jp2 => "JPEG 2000",
            Self::Heic => "HEIC",
            Self::Avif => "AVIF",
            Self::Psd => "PSD",
            Self::Raw => "camera RAW",
            Self::Ico => "ICO",
            Self::Tga => "TGA",
            Self::Pnm => "PNM",
            Self::Qoi => "QOI",
            Self::Jxl => "JPEG XL",
            Self::Hdr => "Radiance HDR",
            Self::Exr => "OpenEXR",
            Self::Eps => "EPS",
            Self::Svg => "SVG",
            Self::Pcx => "PCX",
        }
    }

    /// The IANA media type; `application/octet-stream` where a format is a family of many.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Tiff => "image/tiff",
            Self::Webp => "image/webp",
            Self::Gif => "image/gif",
            Self::Bmp => "image/bmp",
            Self::Jp2 => "image/jp2",
            Self::Heic => "image/heic",
            Self::Avif => "image/avif",
            Self::Psd => "image/vnd.adobe.photoshop",
            Self::Ico => "image/vnd.microsoft.icon",
            Self::Tga => "image/x-tga",
            Self::Pnm => "image/x-portable-anymap",
            Self::Qoi => "image/qoi",
            Self::Jxl => "image/jxl",
            Self::Hdr => "image/vnd.radiance",
            Self::Exr => "image/x-exr",
            Self::Eps => "application/postscript",
            Self::Svg => "image/svg+xml",
            Self::Pcx => "image/vnd.zbrush.pcx",
            Self::Raw => "application/octet-stream",
        }
    }
}

/// What a file's header says of the picture, without decoding it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Technical {
    /// The format, by content.
    pub format: Format,
    /// Width in pixels as coded, before orientation is applied.
    pub width: u32,
    /// Height in pixels as coded, before orientation is applied.
    pub height: u32,
    /// Frames or pages, at least 1.
    pub frames: u32,
    /// Bits a sample as coded: 1, 2, 4, 8, 16, 32; cameras and JPEG 2000 also have 10, 12, 14.
    pub bit_depth: u8,
    /// The colour model as coded.
    pub colour: ColourModel,
    /// Whether there is transparency.
    pub alpha: bool,
    /// EXIF orientation 1 to 8; 1 when absent or out of range.
    pub orientation: u8,
    /// The description of the embedded ICC profile, when there is one.
    pub icc: Option<String>,
}

/// The colour model that a file is coded in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the variants are the models' own names")]
pub enum ColourModel {
    Grey,
    Rgb,
    Indexed,
    Ycbcr,
    Cmyk,
    Lab,
    Other,
}

/// The decoded first frame of a picture: upright, sRGB, flattened on white.
#[derive(Debug)]
pub struct Decoded {
    /// The pixels.
    pub raster: Raster,
    /// What was wrong although pixels came out: `truncated: 312 of 1024 rows`.
    pub damage: Option<String>,
    /// What stands in for the picture although nothing is wrong with the file:
    /// `embedded preview 1616 x 1080 shown; the raw data is not developed`.
    pub note: Option<String>,
}

/// What rendering one picture gives.
#[derive(Debug)]
pub struct Rendered {
    /// One encoded file for each size of the recipe, largest first. Nothing is enlarged: sizes
    /// above the picture's own all hold the same file at the picture's own size.
    pub files: Vec<RenderedFile>,
    /// The pixels at the 1024 size (or the picture's own, when smaller), for assess and label.
    pub working: Raster,
    /// The 64-bit perceptual hash, taken from the smallest rendition.
    pub phash: u64,
    /// What was wrong although pixels came out.
    pub damage: Option<String>,
}

/// One encoded rendition.
#[derive(Debug)]
pub struct RenderedFile {
    /// The recipe's size in text: `2048`.
    pub name: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The encoded file.
    pub bytes: Arc<Vec<u8>>,
}
