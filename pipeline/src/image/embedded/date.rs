//! Dates as metadata writes them, brought to ISO 8601 without inventing anything.
//!
//! What is unknown stays away: `1936`, `1936-04`, `1936-04-02T10:11`. A time zone is
//! kept when given and never assumed.

use std::fmt::Write as _;

/// Reads a date, with or without time, into ISO 8601; `None` when there is no year.
///
/// Accepts EXIF's `1936:04:02 10:11:12`, XMP's and PNG's ISO forms, IPTC's `19360402`
/// with an optional `101112+0100`, blanks or zeros for unknown parts, and RFC 1123's
/// `Thu, 02 Apr 1936 10:11:12 GMT`.
pub(crate) fn iso(text: &str) -> Option<String> {
    let text = text.trim();
    if let Some(date) = rfc_1123(text) {
        return Some(date);
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (year, month, day, rest) = if matches!(digits, 8 | 14) {
        (&text[..4], &text[4..6], &text[6..8], &text[8..])
    } else if digits == 4 {
        let mut parts = text.splitn(3, [':', '-', '/', '.']);
        let year = parts.next()?;
        let month = parts.next().unwrap_or_default();
        let tail = parts.next().unwrap_or_default();
        let split = tail.find(['T', 't', ' ']).filter(|&at| at > 0).unwrap_or(tail.len());
        let (day, rest) = tail.split_at(split);
        (year, month, day, rest)
    } else {
        return None;
    };
    let mut date = format!("{:04}", number(year, 1..=9999)?);
    let Some(month) = number(month, 1..=12) else {
        return blank(month).then_some(date);
    };
    write!(date, "-{month:02}").expect("writing to a string cannot fail");
    let Some(day_number) = number(day, 1..=31) else {
        return blank(day).then_some(date);
    };
    write!(date, "-{day_number:02}").expect("writing to a string cannot fail");
    if let Some(time) = time(rest.trim_start_matches(['T', 't', ' '])) {
        date.push('T');
        date.push_str(&time);
    }
    Some(date)
}

/// Adds what EXIF keeps in tags of their own: the fraction of a second and the offset.
pub(super) fn with_details(date: String, fraction: Option<&str>, offset: Option<&str>) -> String {
    // Only a date that ends with seconds can carry a fraction.
    let mut date = date;
    if date.len() == "1936-04-02T10:11:12".len() {
        let digits: String =
            fraction.unwrap_or_default().chars().take_while(char::is_ascii_digit).collect();
        if !digits.is_empty() {
            date.push('.');
            date.push_str(&digits);
        }
    }
    if date.contains('T')
        && !has_offset(&date)
        && let Some(offset) = offset.and_then(zone)
    {
        date.push_str(&offset);
    }
    date
}

/// Tells whether `less` says nothing that `more` does not say: the same, or a shorter beginning.
pub(super) fn says_no_more(less: &str, more: &str) -> bool {
    let Some(rest) = more.strip_prefix(less) else {
        return false;
    };
    // `1936-04-02T10:11:1` is no beginning of `1936-04-02T10:11:12`.
    rest.is_empty() || !rest.starts_with(|c: char| c.is_ascii_digit())
}

fn has_offset(date: &str) -> bool {
    date.split_once('T').is_some_and(|(_, time)| time.contains(['+', '-', 'Z']))
}

/// Reads `10:11:12.5+01:00`, `101112+0100`, `10:11`, `10:11Z`.
fn time(text: &str) -> Option<String> {
    let end = text.find(['+', '-', 'Z', 'z']).unwrap_or(text.len());
    let (clock, offset) = text.split_at(end);
    let clock = clock.trim();
    let (hour, minute, second) =
        if clock.len() >= 6 && clock.bytes().take(6).all(|b| b.is_ascii_digit()) {
            (&clock[..2], &clock[2..4], &clock[4..])
        } else {
            let mut parts = clock.splitn(3, ':');
            (parts.next()?, parts.next()?, parts.next().unwrap_or_default())
        };
    let mut time = format!("{:02}:{:02}", number(hour, 0..=23)?, number(minute, 0..=59)?);
    let (whole, fraction) = second.split_once('.').unwrap_or((second, ""));
    // 60 is a leap second.
    if let Some(whole) = number(whole, 0..=60) {
        write!(time, ":{whole:02}").expect("writing to a string cannot fail");
        if !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit()) {
            time.push('.');
            time.push_str(fraction);
        }
    }
    time.extend(zone(offset));
    Some(time)
}

/// Reads `Z`, `+01:00`, `-0500` or `+1` into `Z` or `+01:00`.
fn zone(text: &str) -> Option<String> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("z") {
        return Some("Z".to_owned());
    }
    let sign = text.chars().next().filter(|c| matches!(c, '+' | '-'))?;
    let rest = &text[1..];
    let (hours, minutes) = match rest.split_once(':') {
        Some(parts) => parts,
        None if rest.len() == 4 && rest.is_ascii() => rest.split_at(2),
        None => (rest, "0"),
    };
    Some(format!("{sign}{:02}:{:02}", number(hours, 0..=15)?, number(minutes, 0..=59)?))
}

/// Reads `Thu, 02 Apr 1936 10:11:12 +0100`, with or without the day's name.
fn rfc_1123(text: &str) -> Option<String> {
    let text = text.split_once(',').map_or(text, |(_, rest)| rest);
    let mut words = text.split_ascii_whitespace();
    let day = number(words.next()?, 1..=31)?;
    let name = words.next()?.get(..3)?.to_ascii_lowercase();
    let months = "janfebmaraprmayjunjulaugsepoctnovdec";
    let month = months.find(&name).filter(|at| at % 3 == 0)? / 3 + 1;
    let year = number(words.next()?, 1000..=9999)?;
    let mut date = format!("{year:04}-{month:02}-{day:02}");
    if let Some(mut clock) = words.next().and_then(time) {
        match words.next() {
            Some("GMT" | "UTC" | "UT") => clock.push('Z'),
            Some(offset) => clock.extend(zone(offset)),
            None => {}
        }
        date.push('T');
        date.push_str(&clock);
    }
    Some(date)
}

fn number(text: &str, range: std::ops::RangeInclusive<u32>) -> Option<u32> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|value| range.contains(value))
}

/// Tells whether a part was left open: spaces or zeros.
fn blank(part: &str) -> bool {
    part.bytes().all(|b| matches!(b, b' ' | b'0' | b':' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_writers_form_becomes_iso_8601() {
        for (written, expected) in [
            ("1936:04:02 10:11:12", "1936-04-02T10:11:12"),
            ("1936-04-02T10:11:12.5+01:00", "1936-04-02T10:11:12.5+01:00"),
            ("1936-04-02T10:11Z", "1936-04-02T10:11Z"),
            ("19360402", "1936-04-02"),
            ("19360402 101112+0100", "1936-04-02T10:11:12+01:00"),
            ("19360400", "1936-04"),
            ("19360000", "1936"),
            ("1936", "1936"),
            ("1936-04", "1936-04"),
            ("1936:04:  :  :  ", "1936-04"),
            ("1936:00:00 00:00:00", "1936"),
            ("1936/4/2 1:02:03", "1936-04-02T01:02:03"),
            ("Thu, 02 Apr 1936 10:11:12 GMT", "1936-04-02T10:11:12Z"),
            ("2 April 1936", "1936-04-02"),
            ("1936:04:02 25:00:00", "1936-04-02"),
        ] {
            assert_eq!(iso(written).as_deref(), Some(expected), "{written}");
        }
    }

    #[test]
    fn no_date_is_made_from_zeros_blanks_or_nonsense() {
        for written in [
            "0000:00:00 00:00:00",
            "    :  :     :  :  ",
            "",
            "6/16/09",
            "1936:13:01",
            "été",
            "199é",
        ] {
            assert_eq!(iso(written), None, "{written}");
        }
    }

    #[test]
    fn details_join_only_what_they_fit() {
        let date = || "1936-04-02T10:11:12".to_owned();
        assert_eq!(
            with_details(date(), Some("50 "), Some("+01:00")),
            "1936-04-02T10:11:12.50+01:00"
        );
        assert_eq!(with_details(date(), None, Some("   :  ")), "1936-04-02T10:11:12");
        assert_eq!(with_details("1936".to_owned(), Some("5"), Some("Z")), "1936");
    }

    #[test]
    fn a_coarser_date_says_no_more() {
        assert!(says_no_more("1936-04", "1936-04-02T10:11:12"));
        assert!(says_no_more("1936-04-02T10:11:12", "1936-04-02T10:11:12+01:00"));
        assert!(!says_no_more("1936-04-02T10:11:12.5", "1936-04-02T10:11:12"));
        assert!(!says_no_more("1936-04-03", "1936-04-02"));
    }
}
