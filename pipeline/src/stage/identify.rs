//! Identify: what a file is, what its header says, what it says of itself, which picture it shows.

use serde_json::json;

use crate::asset::PixelDigest;
use crate::fault::Fault;
use crate::image::{Decoded, Format, Limits, Technical, coded, decode, embedded, probe, sniff};
use crate::opinion::{Identified, Maker};
use crate::stage::register::Intake;

/// Changes whenever identify would say something else of the same bytes.
const VERSION: &str = "1";

/// What identify found, and the pixels when finding the digest took a decode.
#[derive(Debug)]
pub struct Sight {
    /// For the ledger.
    pub identified: Identified,
    /// For render, so that one decode serves both.
    pub pixels: Pixels,
}

/// How far identify had to go for the pixel digest.
#[derive(Debug)]
pub enum Pixels {
    /// The coded picture was hashed; nothing is decoded yet.
    Coded(PixelDigest),
    /// There is no coded digest for this format, so the picture was decoded.
    Decoded(PixelDigest, Decoded),
    /// The picture cannot be decoded.
    Unreachable(Fault),
}

/// Says who identifies; a refusal carries the limits, so that other limits ask again.
pub fn maker(refused_under: Option<&Limits>) -> Maker {
    Maker {
        backend: "glassplate".to_owned(),
        model: "identify".to_owned(),
        version: VERSION.to_owned(),
        parameters: refused_under
            .map(|limits| json!({ "limits": limits }).to_string())
            .unwrap_or_default(),
    }
}

/// Tells why a file is no picture at all, as far as its content shows.
pub fn not_a_picture(intake: &Intake) -> Option<Fault> {
    let bytes = intake.bytes.as_deref()?;
    sniff::sniff(bytes)
        .is_none()
        .then(|| Fault::unsupported(format!("not a picture: {}", sniff::describe(bytes))))
}

/// Recognises what was read, or tells why its header refuses any work on it.
///
/// # Errors
/// `Unsupported` for what is no picture, `BadInput` for a broken header, `TooLarge` beyond a
/// limit and for a file that was not kept in memory.
pub fn admissible(intake: &Intake, limits: &Limits) -> Result<Technical, Fault> {
    let Some(bytes) = &intake.bytes else {
        return Err(Fault::too_large(format!(
            "{} bytes: over limits.bytes = {}",
            intake.length, limits.bytes
        )));
    };
    recognise(bytes, limits)
}

/// Recognises the format and reads the header, within the limits.
///
/// # Errors
/// `Unsupported` for what is no picture, `BadInput` for a broken header, `TooLarge` beyond a limit.
fn recognise(bytes: &[u8], limits: &Limits) -> Result<Technical, Fault> {
    if sniff::sniff(bytes).is_none() {
        return Err(Fault::unsupported(format!("not a picture: {}", sniff::describe(bytes))));
    }
    probe::probe(bytes, limits)
}

/// Reads embedded metadata and finds the digest of the picture itself.
///
/// Only formats without a coded digest are decoded here. A picture that cannot be decoded is
/// identified all the same: its metadata may be all that is left of it.
pub fn identify(bytes: &[u8], technical: Technical, limits: &Limits) -> Sight {
    let read = embedded::read(bytes, technical.format);
    let pixels = match coded::pixel_digest(bytes, technical.format) {
        Some(digest) => Pixels::Coded(digest),
        None => match decode::decode(bytes, &technical, limits) {
            Ok(decoded) => Pixels::Decoded(coded::raster_digest(&decoded.raster), decoded),
            Err(fault) => Pixels::Unreachable(fault),
        },
    };
    let digest = match &pixels {
        Pixels::Coded(digest) | Pixels::Decoded(digest, _) => Some(*digest),
        Pixels::Unreachable(_) => None,
    };
    let identified =
        Identified { technical, embedded: read.fields, pixels: digest, damage: read.damage };
    Sight { identified, pixels }
}

/// Estimates the memory that decoding and rendering a picture takes, in bytes.
///
/// JPEG is decoded at a reduced scale, but a progressive one holds its coefficients: two bytes
/// for one and a half samples a pixel. Everything else is held decoded, twice at worst.
pub fn memory_needed(technical: &Technical) -> u64 {
    let pixels = u64::from(technical.width) * u64::from(technical.height);
    match technical.format {
        Format::Jpeg => pixels * 3,
        _ => pixels * 8,
    }
}
