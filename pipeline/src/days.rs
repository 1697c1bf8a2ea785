//! Dates as spans of days: what archives write, made comparable.
//!
//! Catalogues say `April 1936`, `ca. 1905-1915`, `1930s`; cameras say ISO 8601. All become
//! the span of days that they may mean, and a query finds every span that meets its own.

/// A span of days, both ends included, each written as the number `yyyymmdd`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// The first day that it may be.
    pub from: u64,
    /// The last day that it may be.
    pub to: u64,
}

const EARLIEST: u64 = 0;
const LATEST: u64 = 99_991_231;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

impl Days {
    /// Reads a date as an archive or a camera writes it; nothing when no year can be made out.
    ///
    /// The years are those from 1000 to 2999; a day of the month beyond 31 counts as unknown.
    pub fn read(text: &str) -> Option<Self> {
        Self::iso(text.trim()).or_else(|| Self::prose(text))
    }

    /// Reads `1936`, `1936-04-02`, `1930s`, `1930..1939`, `1930..` or `..1939`.
    pub fn asked(text: &str) -> Option<Self> {
        let Some((from, to)) = text.split_once("..") else { return Self::read(text) };
        let from = if from.is_empty() { EARLIEST } else { Self::read(from)?.from };
        let to = if to.is_empty() { LATEST } else { Self::read(to)?.to };
        (from <= to && text != "..").then_some(Self { from, to })
    }

    fn iso(text: &str) -> Option<Self> {
        let year = number(text.get(..4)?, 1000..=2999)?;
        let rest = &text[4..];
        if rest.is_empty() {
            return Some(Self::years(year, year));
        }
        let month = rest.strip_prefix(['-', ':', '/'])?;
        if month.bytes().take_while(u8::is_ascii_digit).count() != 2 {
            return None;
        }
        let (month, rest) = month.split_at(2);
        let Some(month) = number(month, 1..=12) else {
            // 1905-15 is a span of years: 15 is no month.
            let last = year / 100 * 100 + number(month, 13..=99)?;
            return (rest.is_empty() && last > year).then(|| Self::years(year, last));
        };
        let day = rest.strip_prefix(['-', ':', '/']).and_then(|day| number(day.get(..2)?, 1..=31));
        let month = year * 10_000 + month * 100;
        Some(match day {
            Some(day) => Self { from: month + day, to: month + day },
            None => Self { from: month + 1, to: month + 31 },
        })
    }

    /// Finds the years in a text, and the month when there is one year and one month.
    fn prose(text: &str) -> Option<Self> {
        let mut years: Option<(u64, u64)> = None;
        let mut months = Vec::new();
        for word in text.split(|c: char| !c.is_alphanumeric()) {
            let (digits, decade) = match word.strip_suffix('s') {
                Some(digits) => (digits, true),
                None => (word, false),
            };
            if let (4, Some(year)) = (digits.len(), number(digits, 1000..=2999)) {
                let last = if decade { year / 10 * 10 + 9 } else { year };
                let (from, to) = years.unwrap_or((year, last));
                years = Some((from.min(year), to.max(last)));
            }
            let lower = word.to_lowercase();
            months.extend(MONTHS.iter().zip(1..).filter_map(|(name, number): (_, u64)| {
                (lower.starts_with(name) && lower.chars().all(char::is_alphabetic))
                    .then_some(number)
            }));
        }
        let (from, to) = years?;
        Some(match months[..] {
            [month] if from == to => {
                let month = from * 10_000 + month * 100;
                Self { from: month + 1, to: month + 31 }
            }
            _ => Self::years(from, to),
        })
    }

    fn years(from: u64, to: u64) -> Self {
        Self { from: from * 10_000 + 101, to: to * 10_000 + 1231 }
    }
}

fn number(text: &str, within: std::ops::RangeInclusive<u64>) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|n| digits && within.contains(n))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_as_archives_write_them_are_read() {
        for (text, from, to) in [
            ("1936", 19_360_101, 19_361_231),
            ("1936-04", 19_360_401, 19_360_431),
            ("1936-04-02T10:11:12+01:00", 19_360_402, 19_360_402),
            ("1936:04:02 10:11:12", 19_360_402, 19_360_402),
            ("April 1936", 19_360_401, 19_360_431),
            ("ca. 1905-1915", 19_050_101, 19_151_231),
            ("1905-15", 19_050_101, 19_151_231),
            ("the 1930s", 19_300_101, 19_391_231),
            ("[between 1909 and 1911]", 19_090_101, 19_111_231),
        ] {
            assert_eq!(Days::read(text), Some(Days { from, to }), "{text}");
        }
        for text in ["", "undated", "12345", "0936", "19-36", "n.d. 3"] {
            assert_eq!(Days::read(text), None, "{text}");
        }
    }

    #[test]
    fn spans_are_asked_for_with_two_dots() {
        assert_eq!(Days::asked("1930..1939"), Some(Days { from: 19_300_101, to: 19_391_231 }));
        assert_eq!(Days::asked("1930.."), Some(Days { from: 19_300_101, to: LATEST }));
        assert_eq!(Days::asked("..1936-04"), Some(Days { from: 0, to: 19_360_431 }));
        for text in ["..", "1939..1930", "x..1930"] {
            assert_eq!(Days::asked(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in ".{0,24}") {
            for days in [Days::read(&text), Days::asked(&text)].into_iter().flatten() {
                prop_assert!(days.from <= days.to);
            }
        }
    }
}
