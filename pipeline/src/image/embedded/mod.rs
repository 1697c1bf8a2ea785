//! Embedded metadata: EXIF, IPTC-IIM and XMP read as one union, each field with its source.
//!
//! It reads and never fails: what is damaged is named in [`Read::damage`], the rest is
//! used. Nothing is written, pixels are not touched, and maker notes, thumbnails and
//! later pages do not count. The work is bounded by the metadata's size, with fixed
//! limits where a hostile file could multiply it.
//!
//! The fields and where they come from, the first that says something winning:
//!
//! | field | kind | sources |
//! |---|---|---|
//! | `date_taken` | date | EXIF DateTimeOriginal 0x9003; XMP photoshop:DateCreated; IIM 2:55 DateCreated; XMP exif:DateTimeOriginal; XMP Iptc4xmpCore:DateCreated; png Creation Time |
//! | `date_digitized` | date | EXIF DateTimeDigitized 0x9004; XMP xmp:CreateDate; IIM 2:62 DigitalCreationDate; XMP exif:DateTimeDigitized |
//! | `date_modified` | date | EXIF DateTime 0x0132; XMP xmp:ModifyDate; XMP tiff:DateTime; png tIME |
//! | `make` | text | EXIF Make 0x010f; XMP tiff:Make; XMP exif:Make; png Make |
//! | `model` | text | EXIF Model 0x0110; XMP tiff:Model; XMP exif:Model; png Model |
//! | `orientation` | 1 to 8 | EXIF Orientation 0x0112; XMP tiff:Orientation |
//! | `creator` | list | EXIF Artist 0x013b; XMP dc:creator; IIM 2:80 By-line; XMP tiff:Artist; EXIF XPAuthor 0x9c9d; png Author; png Artist |
//! | `copyright` | text | EXIF Copyright 0x8298; XMP dc:rights; IIM 2:116 CopyrightNotice; XMP tiff:Copyright; png Copyright |
//! | `title` | text | XMP dc:title; IIM 2:5 ObjectName; EXIF XPTitle 0x9c9b; png Title |
//! | `caption` | text | EXIF ImageDescription 0x010e; XMP dc:description; IIM 2:120 Caption-Abstract; XMP tiff:ImageDescription; png Description |
//! | `keywords` | list | XMP dc:subject; IIM 2:25 Keywords; EXIF XPKeywords 0x9c9e; png Keywords |
//! | `city` | text | XMP photoshop:City; IIM 2:90 City; XMP Iptc4xmpExt:LocationCreated/Iptc4xmpExt:City; XMP Iptc4xmpExt:LocationShown/Iptc4xmpExt:City |
//! | `country` | text | XMP photoshop:Country; IIM 2:101 Country-PrimaryLocationName; XMP Iptc4xmpExt:LocationCreated/Iptc4xmpExt:CountryName; XMP Iptc4xmpExt:LocationShown/Iptc4xmpExt:CountryName |
//! | `state` | text | XMP photoshop:State; IIM 2:95 Province-State; XMP Iptc4xmpExt:LocationCreated/Iptc4xmpExt:ProvinceState; XMP Iptc4xmpExt:LocationShown/Iptc4xmpExt:ProvinceState |
//! | `sublocation` | text | XMP Iptc4xmpCore:Location; IIM 2:92 Sub-location; XMP Iptc4xmpExt:LocationCreated/Iptc4xmpExt:Sublocation; XMP Iptc4xmpExt:LocationShown/Iptc4xmpExt:Sublocation |
//! | `country_code` | text | XMP Iptc4xmpCore:CountryCode; IIM 2:100 Country-PrimaryLocationCode; XMP Iptc4xmpExt:LocationCreated/Iptc4xmpExt:CountryCode; XMP Iptc4xmpExt:LocationShown/Iptc4xmpExt:CountryCode |
//! | `headline` | text | XMP photoshop:Headline; IIM 2:105 Headline |
//! | `subject` | text | EXIF XPSubject 0x9c9f |
//! | `comment` | text | EXIF UserComment 0x9286; XMP exif:UserComment; EXIF XPComment 0x9c9c; jpeg Comment; png Comment; gif Comment |
//! | `description_writer` | text | XMP photoshop:CaptionWriter; IIM 2:122 Writer-Editor |
//! | `creator_title` | text | XMP photoshop:AuthorsPosition; IIM 2:85 By-lineTitle |
//! | `creator_email` | text | XMP Iptc4xmpCore:CreatorContactInfo/Iptc4xmpCore:CiEmailWork |
//! | `creator_url` | text | XMP Iptc4xmpCore:CreatorContactInfo/Iptc4xmpCore:CiUrlWork |
//! | `credit` | text | XMP photoshop:Credit; IIM 2:110 Credit |
//! | `credit_source` | text | XMP photoshop:Source; IIM 2:115 Source; png Source |
//! | `instructions` | text | XMP photoshop:Instructions; IIM 2:40 SpecialInstructions |
//! | `job_id` | text | XMP photoshop:TransmissionReference; IIM 2:103 OriginalTransmissionReference |
//! | `category` | text | XMP photoshop:Category; IIM 2:15 Category |
//! | `supplemental_categories` | list | XMP photoshop:SupplementalCategories; IIM 2:20 SupplementalCategories |
//! | `urgency` | number | XMP photoshop:Urgency; IIM 2:10 Urgency |
//! | `subject_codes` | list | XMP Iptc4xmpCore:SubjectCode; IIM 2:12 SubjectReference |
//! | `scene_codes` | list | XMP Iptc4xmpCore:Scene |
//! | `hierarchical_keywords` | list | XMP lr:hierarchicalSubject; XMP digiKam:TagsList |
//! | `people` | list | XMP Iptc4xmpExt:PersonInImage |
//! | `event` | text | XMP Iptc4xmpExt:Event |
//! | `alt_text` | text | XMP Iptc4xmpCore:AltTextAccessibility |
//! | `extended_description` | text | XMP Iptc4xmpCore:ExtDescrAccessibility |
//! | `digital_source_type` | text | XMP Iptc4xmpExt:DigitalSourceType |
//! | `usage_terms` | text | XMP xmpRights:UsageTerms |
//! | `web_statement` | text | XMP xmpRights:WebStatement |
//! | `rights_owner` | list | XMP xmpRights:Owner |
//! | `rights_marked` | text | XMP xmpRights:Marked |
//! | `identifier` | text | XMP dc:identifier; XMP xmp:Identifier |
//! | `publisher` | list | XMP dc:publisher |
//! | `contributor` | list | XMP dc:contributor |
//! | `language` | list | XMP dc:language; IIM 2:135 LanguageIdentifier |
//! | `type` | list | XMP dc:type |
//! | `coverage` | text | XMP dc:coverage |
//! | `relation` | list | XMP dc:relation |
//! | `derived_from` | text | XMP dc:source |
//! | `label` | text | XMP xmp:Label |
//! | `rating` | number | XMP xmp:Rating; EXIF Rating 0x4746 |
//! | `document_name` | text | EXIF DocumentName 0x010d |
//! | `software` | text | EXIF Software 0x0131; XMP xmp:CreatorTool; XMP tiff:Software; IIM 2:65 OriginatingProgram; png Software |
//! | `image_unique_id` | text | EXIF ImageUniqueID 0xa420; XMP exif:ImageUniqueID |
//! | `lens_make` | text | EXIF LensMake 0xa433; XMP exifEX:LensMake |
//! | `lens` | text | EXIF LensModel 0xa434; XMP exifEX:LensModel; XMP aux:Lens |
//! | `camera_serial_number` | text | EXIF BodySerialNumber 0xa431; XMP exifEX:BodySerialNumber; XMP aux:SerialNumber |
//! | `exposure_time` | number | EXIF ExposureTime 0x829a; XMP exif:ExposureTime |
//! | `f_number` | number | EXIF FNumber 0x829d; XMP exif:FNumber |
//! | `iso` | number | EXIF PhotographicSensitivity 0x8827; XMP exifEX:PhotographicSensitivity; XMP exif:ISOSpeedRatings |
//! | `exposure_bias` | number | EXIF ExposureBiasValue 0x9204; XMP exif:ExposureBiasValue |
//! | `focal_length` | number | EXIF FocalLength 0x920a; XMP exif:FocalLength |
//! | `focal_length_35mm` | number | EXIF FocalLengthIn35mmFilm 0xa405; XMP exif:FocalLengthIn35mmFilm |
//! | `gps` | place | EXIF GPS directory; XMP exif:GPSLatitude, GPSLongitude, GPSAltitude |
//! | `gps_time` | date | EXIF GPSDateStamp, GPSTimeStamp; XMP exif:GPSTimeStamp |
//!
//! Dates are local ISO 8601 texts as precise as known (`1936`, `1936-04-02T10:11:12.5+01:00`).
//! `gps` is `{"latitude", "longitude", "altitude"?}` in signed decimal degrees and metres,
//! `exposure_time` is in seconds, focal lengths are in millimetres. Every other value that
//! a source gives and the winner does not cover is kept in [`Field::also`].
//!
//! [`Field::also`]: crate::field::Field::also

mod bytes;
mod claims;
mod container;
mod date;
mod exif;
mod gps;
mod iptc;
mod rules;
mod text;
mod union;
mod xmp;

use std::borrow::Cow;

use super::Format;
use crate::field::Fields;

use claims::Sources;
use container::Payloads;
use exif::Tags;
use iptc::Iptc;
use xmp::Xmp;

pub(crate) use date::iso as iso_date;
pub use union::merge;

/// The most messages of damage kept; a broken file need not fill a report.
const MOST_DAMAGE: usize = 20;

/// What was read, and what could not be.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Read {
    /// The union of all sources.
    pub fields: Fields,
    /// What was damaged or left unread, at most 20 messages: `exif: no TIFF header`.
    pub damage: Vec<String>,
}

/// Reads the metadata embedded in a file whose format is known by its content.
///
/// Never fails; a file without metadata gives no fields and no damage.
pub fn read(bytes: &[u8], format: Format) -> Read {
    let mut payloads = container::find(bytes, format);
    let blocks = std::mem::take(&mut payloads.exif);
    let mut tags: Vec<Tags<'_>> =
        blocks.iter().map(|(first, block)| Tags::read(block, *first)).collect();
    let nested: Vec<Payloads<'_>> = tags.iter().map(container::find_in_tags).collect();
    // One level of nesting is all that exists: RW2 holds a JPEG that holds a block.
    for (first, block) in nested.iter().flat_map(|inner| &inner.exif) {
        tags.push(Tags::read(block, *first));
    }
    let all = || std::iter::once(&payloads).chain(&nested);
    let digest = all().find_map(|found| found.iptc_digest);
    let iptc_blocks: Vec<&Cow<'_, [u8]>> = all().flat_map(|found| &found.iptc).collect();
    let iptc_is_newer = match (digest, iptc_blocks.first()) {
        (Some(digest), Some(block)) => !iptc::has_digest(block, &digest),
        _ => false,
    };
    let iptc = iptc_blocks.into_iter().map(|block| Iptc::read(block)).collect();
    let xmp = all().flat_map(|found| &found.xmp).map(|packet| Xmp::read(packet)).collect();
    let texts = all().flat_map(|found| &found.texts).cloned().collect();
    let mut damage: Vec<String> = all().flat_map(|found| &found.damage).cloned().collect();
    let sources = Sources { tags, iptc, xmp, texts };
    damage.extend(sources.damage());
    damage.truncate(MOST_DAMAGE);
    Read { fields: union::fields(&sources, iptc_is_newer), damage }
}

/// Reads a bare XMP packet, as a sidecar holds it; `None` when it holds no RDF.
pub(crate) fn read_xmp(packet: &[u8]) -> Option<Read> {
    let xmp = Xmp::read(packet);
    if !xmp.is_rdf() {
        return None;
    }
    let sources = Sources { xmp: vec![xmp], ..Sources::default() };
    Some(Read { damage: sources.damage(), fields: union::fields(&sources, false) })
}

#[cfg(test)]
mod tests;
