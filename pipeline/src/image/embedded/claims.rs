//! Turns what the parsers read into claims: a value in its field's shape, and its source.

use serde_json::{Value, json};

use super::exif::Tags;
use super::iptc::Iptc;
use super::rules::{Shape, Source};
use super::xmp::Xmp;
use super::{date, text};

/// What one source says of one field.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Claim {
    pub(super) value: Value,
    pub(super) source: String,
}

/// Everything the parsers read from one file, each kind in the order found.
#[derive(Debug, Default)]
pub(super) struct Sources<'a> {
    pub(super) tags: Vec<Tags<'a>>,
    pub(super) iptc: Vec<Iptc>,
    pub(super) xmp: Vec<Xmp>,
    pub(super) texts: Vec<(String, String)>,
}

impl Sources<'_> {
    /// What the parsers found damaged.
    pub(super) fn damage(&self) -> Vec<String> {
        let exif = self.tags.iter().flat_map(|tags| &tags.damage);
        let iptc = self.iptc.iter().flat_map(|iptc| &iptc.damage);
        let xmp = self.xmp.iter().flat_map(|xmp| &xmp.damage);
        exif.chain(iptc).chain(xmp).cloned().collect()
    }

    /// What `source` says, in `shape`: one claim for each block that says something.
    pub(super) fn claims(&self, source: Source, shape: Shape) -> Vec<Claim> {
        let name = match source {
            Source::Exif(_, name) | Source::Windows(_, name) => format!("exif:{name}"),
            Source::Iptc(_, name) => format!("iptc:{name}"),
            Source::Xmp(path) => format!("xmp:{path}"),
            Source::Container(key) => key.to_owned(),
        };
        let values: Vec<Value> = match source {
            Source::Exif(tag, _) => {
                self.tags.iter().filter_map(|tags| from_exif(tags, tag, shape)).collect()
            }
            Source::Windows(tag, _) => self
                .tags
                .iter()
                .filter_map(|tags| text::utf16_le(tags.get(tag)?.bytes()))
                .filter_map(|text| from_text(&text, shape))
                .collect(),
            Source::Iptc(dataset, _) => {
                self.iptc.iter().filter_map(|iptc| from_iptc(iptc, dataset, shape)).collect()
            }
            Source::Xmp(path) => {
                self.xmp.iter().filter_map(|xmp| from_xmp(xmp, path, shape)).collect()
            }
            Source::Container(key) => self
                .texts
                .iter()
                .filter(|(k, _)| k == key)
                .filter_map(|(_, text)| from_text(text, shape))
                .collect(),
        };
        values.into_iter().map(|value| Claim { value, source: name.clone() }).collect()
    }
}

fn from_exif(tags: &Tags<'_>, number: u16, shape: Shape) -> Option<Value> {
    const COPYRIGHT: u16 = 0x8298;
    const USER_COMMENT: u16 = 0x9286;
    let tag = tags.get(number)?;
    match (shape, number) {
        (Shape::Orientation, _) => orientation(tag.integer()?),
        (Shape::Number, _) => number_value(tag.number(0)?),
        (Shape::Date, _) => {
            let written = date::iso(&tag.text()?)?;
            let (fraction, offset) = date_details(number);
            let detail = |number: u16| tags.get(number).and_then(|tag| tag.text());
            let (fraction, offset) = (detail(fraction), detail(offset));
            Some(date::with_details(written, fraction.as_deref(), offset.as_deref()).into())
        }
        (_, COPYRIGHT) => from_text(&tag.text_lines()?, shape),
        (_, USER_COMMENT) => from_text(&text::user_comment(tag.bytes(), tag.endian())?, shape),
        _ => from_text(&tag.text()?, shape),
    }
}

/// The tags that hold a date's fraction of a second and its offset from UTC.
fn date_details(date_tag: u16) -> (u16, u16) {
    match date_tag {
        0x9003 => (0x9291, 0x9011),
        0x9004 => (0x9292, 0x9012),
        _ => (0x9290, 0x9010),
    }
}

fn from_iptc(iptc: &Iptc, dataset: u8, shape: Shape) -> Option<Value> {
    match shape {
        Shape::List => list(iptc.all(dataset).map(str::to_owned)),
        Shape::Date => {
            // Each date's time is in a dataset five, or one, after it.
            let time = if dataset == 62 { 63 } else { dataset + 5 };
            let day = iptc.all(dataset).next()?;
            let time = iptc.all(time).next().unwrap_or_default();
            from_text(&format!("{day} {time}"), shape)
        }
        _ => from_text(iptc.all(dataset).next()?, shape),
    }
}

fn from_xmp(xmp: &Xmp, path: &str, shape: Shape) -> Option<Value> {
    match shape {
        // A list written as one text comes in the way EXIF writes it.
        Shape::List if path.starts_with("tiff:") => from_text(xmp.one(path)?, shape),
        Shape::List => list(xmp.all(path).map(str::to_owned)),
        _ => from_text(xmp.one(path)?, shape),
    }
}

/// Brings one text into a shape.
fn from_text(text: &str, shape: Shape) -> Option<Value> {
    match shape {
        Shape::Text => Some(text.into()),
        Shape::List => list(split_list(text).into_iter()),
        Shape::Date => date::iso(text).map(Value::from),
        Shape::Number => number_value(rational(text)?),
        Shape::Orientation => orientation(text.trim().parse().ok()?),
    }
}

fn list(texts: impl Iterator<Item = String>) -> Option<Value> {
    let mut seen = std::collections::HashSet::new();
    let kept: Vec<String> = texts.filter(|text| seen.insert(text.clone())).collect();
    (!kept.is_empty()).then(|| kept.into())
}

/// Splits at semicolons outside double quotes; a doubled quote inside quotes is one.
///
/// Source: Metadata Working Group guidelines 2.0, section 5.3.1, for EXIF Artist.
fn split_list(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let part = parts.last_mut().expect("it begins with one part and never shrinks");
        match c {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                part.push('"');
            }
            // A quote inside a part is a nickname, not quoting.
            '"' if quoted || part.trim().is_empty() => quoted = !quoted,
            ';' if !quoted => parts.push(String::new()),
            c => part.push(c),
        }
    }
    parts.iter().filter_map(|part| text::clean(part)).collect()
}

fn orientation(value: i64) -> Option<Value> {
    (1..=8).contains(&value).then(|| value.into())
}

/// Writes whole numbers without a fraction.
pub(super) fn number_value(number: f64) -> Option<Value> {
    const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() < LARGEST_EXACT {
        return Some(json!(number as i64));
    }
    number.is_finite().then(|| json!(number))
}

/// Reads `0.5`, `200` or XMP's `1/60`; `None` for a zero denominator.
pub(super) fn rational(text: &str) -> Option<f64> {
    let value: f64 = match text.split_once('/') {
        Some((over, under)) => {
            over.trim().parse::<f64>().ok()? / under.trim().parse::<f64>().ok()?
        }
        None => text.trim().parse().ok()?,
    };
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artists_are_split_at_semicolons_outside_quotes() {
        assert_eq!(split_list("Ann; Bob;"), ["Ann", "Bob"]);
        assert_eq!(split_list("\"Smith; Sons\"; Bob"), ["Smith; Sons", "Bob"]);
        assert_eq!(split_list("Jim \"Slim\" Dale"), ["Jim \"Slim\" Dale"]);
    }

    #[test]
    fn numbers_are_whole_where_they_can_be() {
        assert_eq!(from_text("100/2", Shape::Number), Some(json!(50)));
        assert_eq!(from_text("1/4", Shape::Number), Some(json!(0.25)));
        assert_eq!(from_text("1/0", Shape::Number), None);
        assert_eq!(from_text("nan", Shape::Number), None);
        assert_eq!(from_text("9", Shape::Orientation), None);
    }
}
