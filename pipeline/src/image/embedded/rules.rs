//! The table of fields: which tags, datasets and properties form each, in order of precedence.
//!
//! The order follows the Metadata Working Group's "Guidelines for handling image
//! metadata" 2.0 (2010), section 5: EXIF first, then XMP, then IPTC; what the guidance
//! leaves out (title, Windows tags, PNG texts, older spellings) comes after. IPTC moves
//! before XMP where the digest says that a program without XMP has edited it since.
//!
//! `date_taken` has no fallback to the date of digitising on purpose: for a scanned
//! photograph that would be false by decades.

use Shape::{Date, List, Number, Orientation, Text};
use Source::{Container, Exif, Iptc, Windows, Xmp};

/// What kind of value a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// One text.
    Text,
    /// A list of texts; the order is kept, repetitions are dropped.
    List,
    /// An ISO 8601 date, local, as precise as it is known.
    Date,
    /// A number.
    Number,
    /// The EXIF orientation, 1 to 8.
    Orientation,
}

/// One place a field may be read from; the name is the one its standard uses.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// A tag of EXIF or TIFF.
    Exif(u16, &'static str),
    /// A tag that Windows writes in UTF-16.
    Windows(u16, &'static str),
    /// A dataset of IPTC's application record.
    Iptc(u8, &'static str),
    /// An XMP property, as a path.
    Xmp(&'static str),
    /// A text of the container's own.
    Container(&'static str),
}

/// One field of the table.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) sources: &'static [Source],
}

const fn rule(name: &'static str, shape: Shape, sources: &'static [Source]) -> Rule {
    Rule { name, shape, sources }
}

/// Every field but `gps` and `gps_time`, which are made of several tags each.
pub(super) const RULES: &[Rule] = &[
    rule(
        "date_taken",
        Date,
        &[
            Exif(0x9003, "DateTimeOriginal"),
            Xmp("photoshop:DateCreated"),
            Iptc(55, "DateCreated"),
            Xmp("exif:DateTimeOriginal"),
            Xmp("Iptc4xmpCore:DateCreated"),
            Container("png:Creation Time"),
        ],
    ),
    rule(
        "date_digitized",
        Date,
        &[
            Exif(0x9004, "DateTimeDigitized"),
            Xmp("xmp:CreateDate"),
            Iptc(62, "DigitalCreationDate"),
            Xmp("exif:DateTimeDigitized"),
        ],
    ),
    rule(
        "date_modified",
        Date,
        &[
            Exif(0x0132, "DateTime"),
            Xmp("xmp:ModifyDate"),
            Xmp("tiff:DateTime"),
            Container("png:tIME"),
        ],
    ),
    rule(
        "make",
        Text,
        &[Exif(0x010F, "Make"), Xmp("tiff:Make"), Xmp("exif:Make"), Container("png:Make")],
    ),
    rule(
        "model",
        Text,
        &[Exif(0x0110, "Model"), Xmp("tiff:Model"), Xmp("exif:Model"), Container("png:Model")],
    ),
    rule("orientation", Orientation, &[Exif(0x0112, "Orientation"), Xmp("tiff:Orientation")]),
    rule(
        "creator",
        List,
        &[
            Exif(0x013B, "Artist"),
            Xmp("dc:creator"),
            Iptc(80, "By-line"),
            Xmp("tiff:Artist"),
            Windows(0x9C9D, "XPAuthor"),
            Container("png:Author"),
            Container("png:Artist"),
        ],
    ),
    rule(
        "copyright",
        Text,
        &[
            Exif(0x8298, "Copyright"),
            Xmp("dc:rights"),
            Iptc(116, "CopyrightNotice"),
            Xmp("tiff:Copyright"),
            Container("png:Copyright"),
        ],
    ),
    rule(
        "title",
        Text,
        &[
            Xmp("dc:title"),
            Iptc(5, "ObjectName"),
            Windows(0x9C9B, "XPTitle"),
            Container("png:Title"),
        ],
    ),
    rule(
        "caption",
        Text,
        &[
            Exif(0x010E, "ImageDescription"),
            Xmp("dc:description"),
            Iptc(120, "Caption-Abstract"),
            Xmp("tiff:ImageDescription"),
            Container("png:Description"),
        ],
    ),
    rule(
        "keywords",
        List,
        &[
            Xmp("dc:subject"),
            Iptc(25, "Keywords"),
            Windows(0x9C9E, "XPKeywords"),
            Container("png:Keywords"),
        ],
    ),
    rule(
        "city",
        Text,
        &[
            Xmp("photoshop:City"),
            Iptc(90, "City"),
            Xmp("Iptc4xmpExt:LocationCreated/Iptc4xmpExt:City"),
            Xmp("Iptc4xmpExt:LocationShown/Iptc4xmpExt:City"),
        ],
    ),
    rule(
        "country",
        Text,
        &[
            Xmp("photoshop:Country"),
            Iptc(101, "Country-PrimaryLocationName"),
            Xmp("Iptc4xmpExt:LocationCreated/Iptc4xmpExt:CountryName"),
            Xmp("Iptc4xmpExt:LocationShown/Iptc4xmpExt:CountryName"),
        ],
    ),
    rule(
        "state",
        Text,
        &[
            Xmp("photoshop:State"),
            Iptc(95, "Province-State"),
            Xmp("Iptc4xmpExt:LocationCreated/Iptc4xmpExt:ProvinceState"),
            Xmp("Iptc4xmpExt:LocationShown/Iptc4xmpExt:ProvinceState"),
        ],
    ),
    rule(
        "sublocation",
        Text,
        &[
            Xmp("Iptc4xmpCore:Location"),
            Iptc(92, "Sub-location"),
            Xmp("Iptc4xmpExt:LocationCreated/Iptc4xmpExt:Sublocation"),
            Xmp("Iptc4xmpExt:LocationShown/Iptc4xmpExt:Sublocation"),
        ],
    ),
    rule(
        "country_code",
        Text,
        &[
            Xmp("Iptc4xmpCore:CountryCode"),
            Iptc(100, "Country-PrimaryLocationCode"),
            Xmp("Iptc4xmpExt:LocationCreated/Iptc4xmpExt:CountryCode"),
            Xmp("Iptc4xmpExt:LocationShown/Iptc4xmpExt:CountryCode"),
        ],
    ),
    rule("headline", Text, &[Xmp("photoshop:Headline"), Iptc(105, "Headline")]),
    rule("subject", Text, &[Windows(0x9C9F, "XPSubject")]),
    rule(
        "comment",
        Text,
        &[
            Exif(0x9286, "UserComment"),
            Xmp("exif:UserComment"),
            Windows(0x9C9C, "XPComment"),
            Container("jpeg:Comment"),
            Container("png:Comment"),
            Container("gif:Comment"),
        ],
    ),
    rule("description_writer", Text, &[Xmp("photoshop:CaptionWriter"), Iptc(122, "Writer-Editor")]),
    rule("creator_title", Text, &[Xmp("photoshop:AuthorsPosition"), Iptc(85, "By-lineTitle")]),
    rule("creator_email", Text, &[Xmp("Iptc4xmpCore:CreatorContactInfo/Iptc4xmpCore:CiEmailWork")]),
    rule("creator_url", Text, &[Xmp("Iptc4xmpCore:CreatorContactInfo/Iptc4xmpCore:CiUrlWork")]),
    rule("credit", Text, &[Xmp("photoshop:Credit"), Iptc(110, "Credit")]),
    rule(
        "credit_source",
        Text,
        &[Xmp("photoshop:Source"), Iptc(115, "Source"), Container("png:Source")],
    ),
    rule("instructions", Text, &[Xmp("photoshop:Instructions"), Iptc(40, "SpecialInstructions")]),
    rule(
        "job_id",
        Text,
        &[Xmp("photoshop:TransmissionReference"), Iptc(103, "OriginalTransmissionReference")],
    ),
    rule("category", Text, &[Xmp("photoshop:Category"), Iptc(15, "Category")]),
    rule(
        "supplemental_categories",
        List,
        &[Xmp("photoshop:SupplementalCategories"), Iptc(20, "SupplementalCategories")],
    ),
    rule("urgency", Number, &[Xmp("photoshop:Urgency"), Iptc(10, "Urgency")]),
    rule("subject_codes", List, &[Xmp("Iptc4xmpCore:SubjectCode"), Iptc(12, "SubjectReference")]),
    rule("scene_codes", List, &[Xmp("Iptc4xmpCore:Scene")]),
    rule("hierarchical_keywords", List, &[Xmp("lr:hierarchicalSubject"), Xmp("digiKam:TagsList")]),
    rule("people", List, &[Xmp("Iptc4xmpExt:PersonInImage")]),
    rule("event", Text, &[Xmp("Iptc4xmpExt:Event")]),
    rule("alt_text", Text, &[Xmp("Iptc4xmpCore:AltTextAccessibility")]),
    rule("extended_description", Text, &[Xmp("Iptc4xmpCore:ExtDescrAccessibility")]),
    rule("digital_source_type", Text, &[Xmp("Iptc4xmpExt:DigitalSourceType")]),
    rule("usage_terms", Text, &[Xmp("xmpRights:UsageTerms")]),
    rule("web_statement", Text, &[Xmp("xmpRights:WebStatement")]),
    rule("rights_owner", List, &[Xmp("xmpRights:Owner")]),
    rule("rights_marked", Text, &[Xmp("xmpRights:Marked")]),
    rule("identifier", Text, &[Xmp("dc:identifier"), Xmp("xmp:Identifier")]),
    rule("publisher", List, &[Xmp("dc:publisher")]),
    rule("contributor", List, &[Xmp("dc:contributor")]),
    rule("language", List, &[Xmp("dc:language"), Iptc(135, "LanguageIdentifier")]),
    rule("type", List, &[Xmp("dc:type")]),
    rule("coverage", Text, &[Xmp("dc:coverage")]),
    rule("relation", List, &[Xmp("dc:relation")]),
    rule("derived_from", Text, &[Xmp("dc:source")]),
    rule("label", Text, &[Xmp("xmp:Label")]),
    rule("rating", Number, &[Xmp("xmp:Rating"), Exif(0x4746, "Rating")]),
    rule("document_name", Text, &[Exif(0x010D, "DocumentName")]),
    rule(
        "software",
        Text,
        &[
            Exif(0x0131, "Software"),
            Xmp("xmp:CreatorTool"),
            Xmp("tiff:Software"),
            Iptc(65, "OriginatingProgram"),
            Container("png:Software"),
        ],
    ),
    rule("image_unique_id", Text, &[Exif(0xA420, "ImageUniqueID"), Xmp("exif:ImageUniqueID")]),
    rule("lens_make", Text, &[Exif(0xA433, "LensMake"), Xmp("exifEX:LensMake")]),
    rule("lens", Text, &[Exif(0xA434, "LensModel"), Xmp("exifEX:LensModel"), Xmp("aux:Lens")]),
    rule(
        "camera_serial_number",
        Text,
        &[
            Exif(0xA431, "BodySerialNumber"),
            Xmp("exifEX:BodySerialNumber"),
            Xmp("aux:SerialNumber"),
        ],
    ),
    rule("exposure_time", Number, &[Exif(0x829A, "ExposureTime"), Xmp("exif:ExposureTime")]),
    rule("f_number", Number, &[Exif(0x829D, "FNumber"), Xmp("exif:FNumber")]),
    rule(
        "iso",
        Number,
        &[
            Exif(0x8827, "PhotographicSensitivity"),
            Xmp("exifEX:PhotographicSensitivity"),
            Xmp("exif:ISOSpeedRatings"),
        ],
    ),
    rule(
        "exposure_bias",
        Number,
        &[Exif(0x9204, "ExposureBiasValue"), Xmp("exif:ExposureBiasValue")],
    ),
    rule("focal_length", Number, &[Exif(0x920A, "FocalLength"), Xmp("exif:FocalLength")]),
    rule(
        "focal_length_35mm",
        Number,
        &[Exif(0xA405, "FocalLengthIn35mmFilm"), Xmp("exif:FocalLengthIn35mmFilm")],
    ),
];
