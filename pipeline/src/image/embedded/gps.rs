//! Where and when a satellite receiver says the picture was taken.
//!
//! Source: EXIF 2.32 section 4.6.6 (GPS tags); XMP specification part 2, GPSCoordinate.

use serde_json::{Map, Value, json};

use super::claims::{Claim, Sources, number_value, rational};
use super::date;
use super::exif::Tags;
use super::xmp::Xmp;

const LATITUDE_REF: u16 = 1;
const LATITUDE: u16 = 2;
const LONGITUDE_REF: u16 = 3;
const LONGITUDE: u16 = 4;
const ALTITUDE_REF: u16 = 5;
const ALTITUDE: u16 = 6;
const TIME: u16 = 7;
const DAY: u16 = 29;

/// `{"latitude", "longitude", "altitude"?}`: signed decimal degrees and metres.
///
/// Without a hemisphere there is no claim: a sign that is guessed is wrong half the time.
pub(super) fn places(sources: &Sources<'_>) -> Vec<Claim> {
    let exif = sources.tags.iter().filter_map(|tags| claim(exif_place(tags)?, "exif:GPSPosition"));
    let xmp = sources.xmp.iter().filter_map(|xmp| claim(xmp_place(xmp)?, "xmp:exif:GPSPosition"));
    exif.chain(xmp).collect()
}

/// The receiver's own date and time, in UTC.
pub(super) fn times(sources: &Sources<'_>) -> Vec<Claim> {
    let exif = sources.tags.iter().filter_map(|tags| claim(exif_time(tags)?, "exif:GPSDateStamp"));
    let xmp = sources.xmp.iter().filter_map(|xmp| {
        claim(date::iso(xmp.one("exif:GPSTimeStamp")?)?.into(), "xmp:exif:GPSTimeStamp")
    });
    exif.chain(xmp).collect()
}

fn claim(value: Value, source: &str) -> Option<Claim> {
    Some(Claim { value, source: source.to_owned() })
}

fn exif_place(tags: &Tags<'_>) -> Option<Value> {
    let side = |number: u16| tags.gps(number)?.text()?.chars().next();
    let latitude = signed(degrees(tags, LATITUDE)?, side(LATITUDE_REF)?, 'N', 'S')?;
    let longitude = signed(degrees(tags, LONGITUDE)?, side(LONGITUDE_REF)?, 'E', 'W')?;
    let below = tags.gps(ALTITUDE_REF).and_then(|tag| tag.integer()) == Some(1);
    let altitude = tags.gps(ALTITUDE).and_then(|tag| tag.number(0));
    place(latitude, longitude, altitude.map(|metres| if below { -metres } else { metres }))
}

/// Degrees, minutes and seconds; missing or undefined smaller parts count as zero.
fn degrees(tags: &Tags<'_>, number: u16) -> Option<f64> {
    let tag = tags.gps(number)?;
    let part = |index: usize| tag.number(index).unwrap_or(0.0);
    Some(tag.number(0)? + part(1) / 60.0 + part(2) / 3600.0)
}

fn signed(value: f64, side: char, positive: char, negative: char) -> Option<f64> {
    match side.to_ascii_uppercase() {
        s if s == positive => Some(value),
        s if s == negative => Some(-value),
        _ => None,
    }
}

fn exif_time(tags: &Tags<'_>) -> Option<Value> {
    let day = date::iso(&tags.gps(DAY)?.text()?)?;
    let time = tags.gps(TIME).and_then(|tag| {
        let (hour, minute, second) = (tag.number(0)?, tag.number(1)?, tag.number(2)?);
        // Hundredths are as fine as receivers give; `iso` checks the ranges.
        let second = format!("{second:05.2}");
        let second = second.trim_end_matches('0').trim_end_matches('.');
        date::iso(&format!("{day}T{hour:02.0}:{minute:02.0}:{second}Z"))
    });
    Some(time.unwrap_or(day).into())
}

fn xmp_place(xmp: &Xmp) -> Option<Value> {
    let latitude = coordinate(xmp.one("exif:GPSLatitude")?, 'N', 'S')?;
    let longitude = coordinate(xmp.one("exif:GPSLongitude")?, 'E', 'W')?;
    let altitude = xmp.one("exif:GPSAltitude").and_then(rational);
    let below = xmp.one("exif:GPSAltitudeRef") == Some("1");
    place(latitude, longitude, altitude.map(|metres| if below { -metres } else { metres }))
}

/// Reads `33,51.5N`, `33,51,30N` or plain signed degrees, which some writers use.
fn coordinate(text: &str, positive: char, negative: char) -> Option<f64> {
    let text = text.trim();
    let Some(side) = text.chars().last().filter(char::is_ascii_alphabetic) else {
        return text.parse().ok();
    };
    let mut parts = text[..text.len() - 1].split([',', ' ']).filter(|part| !part.is_empty());
    let mut next = || parts.next().map_or(Some(0.0), |part| part.parse::<f64>().ok());
    let value = next()? + next()? / 60.0 + next()? / 3600.0;
    signed(value, side, positive, negative)
}

fn place(latitude: f64, longitude: f64, altitude: Option<f64>) -> Option<Value> {
    if !(-90.0..=90.0).contains(&latitude) || !(-180.0..=180.0).contains(&longitude) {
        return None;
    }
    let mut place = Map::new();
    place.insert("latitude".to_owned(), rounded(latitude));
    place.insert("longitude".to_owned(), rounded(longitude));
    if let Some(altitude) = altitude.and_then(number_value) {
        place.insert("altitude".to_owned(), altitude);
    }
    Some(place.into())
}

/// Nine decimals of a degree are a tenth of a millimetre; more is noise of the division.
fn rounded(degrees: f64) -> Value {
    json!((degrees * 1e9).round() / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xmp_coordinates_are_read_in_their_three_forms() {
        let near = |text: &str, expected: f64| {
            let read = coordinate(text, 'N', 'S').expect("a coordinate");
            assert!((read - expected).abs() < 1e-9, "{text}: {read}");
        };
        near("33,51.5S", -(33.0 + 51.5 / 60.0));
        near("33,51,30N", 33.0 + 51.5 / 60.0);
        near("-33.25", -33.25);
        assert_eq!(coordinate("33,51.5E", 'N', 'S'), None);
        assert_eq!(coordinate("33,x,1N", 'N', 'S'), None);
    }

    #[test]
    fn impossible_places_are_refused() {
        assert_eq!(place(91.0, 0.0, None), None);
        assert_eq!(place(0.0, f64::NAN, None), None);
        assert_eq!(
            place(-10.5, 20.0, Some(3.0)),
            Some(json!({"latitude": -10.5, "longitude": 20.0, "altitude": 3}))
        );
    }
}
