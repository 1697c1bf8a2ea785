//! The union: of several claims the first wins, and what others say besides is kept.

use std::collections::HashSet;

use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

use super::claims::{Claim, Sources};
use super::rules::{RULES, Rule, Shape, Source};
use super::{date, gps};
use crate::field::{Disagreement, Field, Fields};

/// What cameras write into ImageDescription when nobody described anything.
const CAMERA_DESCRIPTIONS: [&str; 9] = [
    "OLYMPUS DIGITAL CAMERA",
    "SONY DSC",
    "MINOLTA DIGITAL CAMERA",
    "KONICA MINOLTA DIGITAL CAMERA",
    "SAMSUNG DIGITAL CAMERA",
    "SAMSUNG",
    "DIGITAL CAMERA",
    "Exif_JPEG_PICTURE",
    "DCF 1.0",
];

/// The lengths in bytes at which IPTC-IIM datasets end: a text so long may be cut.
const IPTC_LIMITS: [usize; 5] = [32, 64, 128, 256, 2000];

/// Forms every field that `sources` say something of.
///
/// `iptc_is_newer`: IPTC was edited after the XMP was written, so it goes before XMP.
pub(super) fn fields(sources: &Sources<'_>, iptc_is_newer: bool) -> Fields {
    let ruled = RULES.iter().map(|rule| (rule.name, claims(rule, sources, iptc_is_newer)));
    let located = [("gps", gps::places(sources)), ("gps_time", gps::times(sources))];
    ruled
        .chain(located)
        .filter_map(|(name, claims)| Some((name.to_owned(), settle(claims)?)))
        .collect()
}

/// Joins two sets of fields: `first` wins, what `second` says besides is kept in `also`.
///
/// For a catalogue row over a sidecar, or one sidecar over another.
pub fn merge(first: Fields, second: Fields) -> Fields {
    let mut merged = first;
    for (name, field) in second {
        let claims = merged.remove(&name).into_iter().chain([field]).flat_map(|field| {
            let also = field.also.into_iter().map(|d| Claim { value: d.value, source: d.source });
            std::iter::once(Claim { value: field.value, source: field.source }).chain(also)
        });
        if let Some(field) = settle(claims.collect()) {
            merged.insert(name, field);
        }
    }
    merged
}

/// A rule's claims in order of precedence.
fn claims(rule: &Rule, sources: &Sources<'_>, iptc_is_newer: bool) -> Vec<Claim> {
    let mut order: Vec<Source> = rule.sources.to_vec();
    if iptc_is_newer {
        let first_xmp = order.iter().position(|source| matches!(source, Source::Xmp(_)));
        let iptc = order.iter().position(|source| matches!(source, Source::Iptc(..)));
        if let (Some(xmp), Some(iptc)) = (first_xmp, iptc)
            && xmp < iptc
        {
            order[xmp..=iptc].rotate_right(1);
        }
    }
    let mut claims: Vec<Claim> =
        order.into_iter().flat_map(|source| sources.claims(source, rule.shape)).collect();
    if rule.name == "caption" {
        claims.sort_by_key(|claim| {
            claim.value.as_str().is_some_and(|text| CAMERA_DESCRIPTIONS.contains(&text))
        });
    }
    if rule.shape == Shape::Text || rule.shape == Shape::List {
        recover_cut(&mut claims);
    }
    claims
}

/// Where IPTC wins with a text cut at its dataset's limit, the whole text of XMP wins instead.
fn recover_cut(claims: &mut [Claim]) {
    let Some((first, rest)) = claims.split_first_mut() else { return };
    if !first.source.starts_with("iptc:") {
        return;
    }
    let whole = rest
        .iter_mut()
        .find(|claim| claim.value != first.value && says_no_more(&first.value, &claim.value));
    if let Some(whole) = whole {
        std::mem::swap(first, whole);
    }
}

/// Picks the first claim; of the others those stay that say something it does not.
fn settle(claims: Vec<Claim>) -> Option<Field> {
    let mut claims = claims.into_iter();
    let Claim { value, source } = claims.next()?;
    let mut also: Vec<Disagreement> = Vec::new();
    for claim in claims {
        let known = says_no_more(&claim.value, &value)
            || also.iter().any(|other| says_no_more(&claim.value, &other.value));
        if !known {
            also.push(Disagreement { value: claim.value, source: claim.source });
        }
    }
    Some(Field { value, source, also })
}

/// Tells whether `less` says nothing that `more` does not say.
///
/// Texts: the same but for white space and Unicode form, a coarser date, or cut at an
/// IPTC limit. Lists: every entry is there. Numbers and places: equal but for rounding.
fn says_no_more(less: &Value, more: &Value) -> bool {
    match (less, more) {
        (Value::String(less), Value::String(more)) => text_says_no_more(less, more),
        (Value::Array(less), Value::Array(more)) => {
            let more: Vec<String> = more.iter().filter_map(Value::as_str).map(comparable).collect();
            // A set, because hostile lists have thousands of entries.
            let cuts = more
                .iter()
                .flat_map(|entry| IPTC_LIMITS.iter().filter_map(|&limit| entry.get(..limit)));
            let known: HashSet<&str> = more.iter().map(String::as_str).chain(cuts).collect();
            less.iter()
                .filter_map(Value::as_str)
                .all(|entry| known.contains(comparable(entry).as_str()))
        }
        (Value::Number(less), Value::Number(more)) => near(less.as_f64(), more.as_f64(), 1e-4),
        (Value::Object(less), Value::Object(more)) => less.iter().all(|(key, value)| {
            // XMP writes minutes with few decimals: 1e-5 of a degree is a metre.
            more.get(key).is_some_and(|other| match key.as_str() {
                "altitude" => near(value.as_f64(), other.as_f64(), 1e-2),
                _ => {
                    (value.as_f64().unwrap_or(f64::NAN) - other.as_f64().unwrap_or(f64::NAN)).abs()
                        < 1e-5
                }
            })
        }),
        _ => less == more,
    }
}

fn text_says_no_more(less: &str, more: &str) -> bool {
    let (short, long) = (comparable(less), comparable(more));
    short == long
        || is_cut_from(&short, &long)
        || (date::iso(less).is_some_and(|iso| iso == less) && date::says_no_more(less, more))
}

fn is_cut_from(short: &str, long: &str) -> bool {
    short.len() < long.len() && IPTC_LIMITS.contains(&short.len()) && long.starts_with(short)
}

/// Relative nearness.
fn near(a: Option<f64>, b: Option<f64>, tolerance: f64) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return false };
    (a - b).abs() <= tolerance * a.abs().max(b.abs())
}

/// A text with its white space evened out and its letters composed.
fn comparable(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").nfc().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claim(source: &str, value: Value) -> Claim {
        Claim { value, source: source.to_owned() }
    }

    #[test]
    fn only_what_says_more_is_kept_besides() {
        let field = settle(vec![
            claim("exif:Artist", json!(["Ann", "Bob"])),
            claim("xmp:dc:creator", json!(["Bob"])),
            claim("iptc:By-line", json!(["Carl"])),
            claim("png:Author", json!(["Carl"])),
        ])
        .expect("claims");
        assert_eq!(field.source, "exif:Artist");
        let kept: Vec<_> = field.also.iter().map(|other| other.source.as_str()).collect();
        assert_eq!(kept, ["iptc:By-line"]);
    }

    #[test]
    fn dates_places_and_spelling_are_compared_by_meaning() {
        assert!(says_no_more(&json!("1936-04"), &json!("1936-04-02")));
        assert!(!says_no_more(&json!("1936-04-02"), &json!("1936-04")));
        assert!(says_no_more(&json!("Cafe\u{301}  noir"), &json!("Café noir")));
        let place = |latitude: f64| json!({"latitude": latitude, "longitude": 1.0});
        assert!(says_no_more(&place(2.000_001), &place(2.0)));
        assert!(!says_no_more(&place(2.001), &place(2.0)));
    }

    #[test]
    fn a_text_cut_by_iptc_gives_way_to_the_whole_one() {
        let whole = "A town of forty-one letters, all counted up";
        let mut claims = vec![
            claim("iptc:City", json!(&whole[..32])),
            claim("xmp:photoshop:City", json!(whole)),
        ];
        recover_cut(&mut claims);
        let field = settle(claims).expect("claims");
        assert_eq!((field.value, field.also), (json!(whole), vec![]));
    }

    #[test]
    fn merging_keeps_both_sides() {
        let field = |value: &str, source: &str| Field {
            value: json!(value),
            source: source.to_owned(),
            also: vec![],
        };
        let csv = Fields::from([("title".to_owned(), field("A", "csv:c.csv"))]);
        let sidecar = Fields::from([
            ("title".to_owned(), field("B", "xmp:a.xmp")),
            ("city".to_owned(), field("C", "xmp:a.xmp")),
        ]);
        let merged = merge(csv, sidecar);
        assert_eq!(merged["title"].value, json!("A"));
        assert_eq!(merged["title"].also[0].value, json!("B"));
        assert_eq!(merged["city"].value, json!("C"));
    }
}
