//! Fields: the names that queries may use, and which metadata each of them covers.
//!
//! A metadata field that no name here covers is still found by its words. The one
//! distinction that ranking needs is made here too: what people wrote counts above what a
//! camera or a program left behind.

use crate::facts;

/// A field that a query can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueryField {
    /// The name in the documentation and in the index.
    pub(crate) name: &'static str,
    /// Other names that a query may use.
    pub(crate) aliases: &'static [&'static str],
    /// What its values are.
    pub(crate) kind: FieldKind,
    /// The metadata fields whose words it covers.
    pub(crate) metadata: &'static [&'static str],
}

/// What a field's values are, and so where they are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldKind {
    /// Words of metadata, of paths, of the collection or of the format.
    Words,
    /// A label's name, its synonym or a broader term; of one kind or of any.
    Label(Option<glassplate_pipeline::label::LabelKind>),
    /// A day, a month, a year, a decade or a span.
    Date,
    /// An asset id.
    Asset,
    /// An exact value: one of these, or any where none is listed.
    Fact(&'static [&'static str]),
}

use FieldKind::{Asset, Date, Fact, Label, Words};
use glassplate_pipeline::label::LabelKind::{Concept, Object, Scene};

const fn field(
    name: &'static str,
    aliases: &'static [&'static str],
    kind: FieldKind,
    metadata: &'static [&'static str],
) -> QueryField {
    QueryField { name, aliases, kind, metadata }
}

/// The collection's field.
pub(crate) const COLLECTION: &str = "collection";
/// The field of the paths where an asset was found.
pub(crate) const FILE: &str = "file";
/// The format's field.
pub(crate) const FORMAT: &str = "format";
/// The title's field, whose words also rank higher in a plain search.
pub(crate) const TITLE: &str = "title";

/// Every field, in the order of the documentation.
pub(crate) const FIELDS: [QueryField; 25] = [
    field(TITLE, &[], Words, &["title", "headline", "alternative"]),
    field(
        "caption",
        &["description"],
        Words,
        &["caption", "description", "alt_text", "extended_description", "abstract"],
    ),
    field(
        "keywords",
        &["keyword", "subject"],
        Words,
        &["keywords", "subject", "hierarchical_keywords", "supplemental_categories", "category"],
    ),
    field(
        "creator",
        &["author", "photographer"],
        Words,
        &["creator", "contributor", "photographer"],
    ),
    field("people", &["person"], Words, &["people"]),
    field(
        "place",
        &["location"],
        Words,
        &["city", "country", "state", "sublocation", "coverage", "location", "place", "spatial"],
    ),
    field("city", &[], Words, &["city"]),
    field("country", &[], Words, &["country", "country_code"]),
    field("copyright", &["rights"], Words, &["copyright", "rights_owner", "usage_terms", "credit"]),
    field("identifier", &[], Words, &["identifier", "job_id", "image_unique_id"]),
    field("make", &[], Words, &["make"]),
    field("model", &["camera"], Words, &["model"]),
    field(COLLECTION, &[], Words, &[]),
    field(FORMAT, &[], Words, &[]),
    field(FILE, &["path"], Words, &[]),
    field("asset", &["id"], Asset, &[]),
    field("date", &["year"], Date, &["date_taken", "date", "date_created"]),
    field("label", &[], Label(None), &[]),
    field("object", &[], Label(Some(Object)), &[]),
    field("scene", &[], Label(Some(Scene)), &[]),
    field("concept", &[], Label(Some(Concept)), &[]),
    field("is", &[], Fact(&facts::IS), &[]),
    field("has", &[], Fact(&facts::HAS), &[]),
    field("state", &[], Fact(&facts::STATE), &[]),
    // `human`, `machine`, or a model's name.
    field("source", &["by"], Fact(&[]), &[]),
];

/// Metadata that a camera or a program writes; found last, like a file name.
const TECHNICAL: [&str; 41] = [
    "camera_serial_number",
    "color_space",
    "colour_space",
    "contrast",
    "creator_tool",
    "date_digitized",
    "date_modified",
    "digital_source_type",
    "exposure_bias",
    "exposure_mode",
    "exposure_program",
    "exposure_time",
    "f_number",
    "flash",
    "focal_length",
    "focal_length_35mm",
    "gps",
    "gps_time",
    "image_unique_id",
    "iso",
    "language",
    "lens",
    "lens_make",
    "light_source",
    "make",
    "metering_mode",
    "model",
    "orientation",
    "rating",
    "resolution_unit",
    "rights_marked",
    "saturation",
    "scene_codes",
    "sharpness",
    "software",
    "subject_codes",
    "urgency",
    "web_statement",
    "white_balance",
    "x_resolution",
    "y_resolution",
];

/// Finds a field by a name that a query uses, in any case.
pub(crate) fn named(name: &str) -> Option<&'static QueryField> {
    let name = name.to_lowercase();
    FIELDS.iter().find(|field| field.name == name || field.aliases.contains(&name.as_str()))
}

/// Lists the fields whose words a metadata field holds.
pub(crate) fn covering(metadata: &str) -> impl Iterator<Item = &'static str> {
    FIELDS
        .iter()
        .filter(move |field| field.kind == Words && field.metadata.contains(&metadata))
        .map(|field| field.name)
}

/// Tells whether a metadata field is what a camera or a program writes, not a person.
pub(crate) fn technical(metadata: &str) -> bool {
    TECHNICAL.binary_search(&metadata).is_ok()
}

/// Lists all names for a message.
pub(crate) fn known() -> String {
    FIELDS.map(|field| field.name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_means_one_field() {
        let mut names: Vec<&str> = FIELDS
            .iter()
            .flat_map(|f| [f.name].into_iter().chain(f.aliases.iter().copied()))
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn the_technical_fields_are_in_order() {
        assert!(TECHNICAL.is_sorted());
        assert!(technical("make") && technical("white_balance") && !technical("caption"));
    }
}
