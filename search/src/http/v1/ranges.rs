//! Ranges and conditions: which bytes a client wants, and whether it has them already (RFC 9110,
//! 13 and 14).

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// What to answer to a request for bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of them.
    Whole,
    /// From the first to the last, both included.
    Part(u64, u64),
    /// None, for the client has them.
    NotModified,
    /// None, for the client's condition does not hold.
    Failed,
    /// None, for there are not so many.
    Beyond,
}

/// Reads what a request wants of `length` bytes under an entity tag (with its quotes).
///
/// Several ranges at once are answered with the whole, as the RFC allows.
pub(super) fn wanted(headers: &HeaderMap, tag: &str, length: u64) -> Wanted {
    let lists = |name: HeaderName| {
        let values = headers.get_all(name).into_iter().collect::<Vec<_>>();
        (!values.is_empty()).then_some(values)
    };
    if lists(header::IF_MATCH).is_some_and(|list| !has(&list, tag, false)) {
        return Wanted::Failed;
    }
    if lists(header::IF_NONE_MATCH).is_some_and(|list| has(&list, tag, true)) {
        return Wanted::NotModified;
    }
    let same = headers.get(header::IF_RANGE).is_none_or(|known| known.as_bytes() == tag.as_bytes());
    let range = headers.get(header::RANGE).filter(|_| same).and_then(|range| range.to_str().ok());
    range.map_or(Wanted::Whole, |range| part(range, length))
}

/// Whether a list of tags names one; `*` names any. Weakly compared, `W/` makes no difference.
fn has(list: &[&HeaderValue], tag: &str, weakly: bool) -> bool {
    let texts = list.iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).map(str::trim).any(|known| {
        let known = if weakly { known.strip_prefix("W/").unwrap_or(known) } else { known };
        known == "*" || known == tag
    })
}

fn part(range: &str, length: u64) -> Wanted {
    let Some((unit, set)) = range.split_once('=') else { return Wanted::Whole };
    let Some((first, last)) = set.trim().split_once('-') else { return Wanted::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") || set.contains(',') {
        return Wanted::Whole;
    }
    let number = |text: &str| -> Option<u64> {
        // What has more digits is beyond any length.
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    match (first, last, number(first), number(last)) {
        ("", _, _, Some(0)) => Wanted::Beyond,
        ("", _, _, Some(_)) if length == 0 => Wanted::Beyond,
        ("", _, _, Some(tail)) => Wanted::Part(length.saturating_sub(tail), length - 1),
        (_, "", Some(first), _) if first < length => Wanted::Part(first, length - 1),
        (_, _, Some(first), Some(last)) if last < first => Wanted::Whole,
        (_, _, Some(first), Some(last)) if first < length => {
            Wanted::Part(first, last.min(length - 1))
        }
        (_, "", Some(_), _) | (_, _, Some(_), Some(_)) => Wanted::Beyond,
        _ => Wanted::Whole,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn with(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).expect("a header")))
            .collect()
    }

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        for (range, expected) in [
            ("bytes=0-9", Wanted::Part(0, 9)),
            ("bytes=90-", Wanted::Part(90, 99)),
            ("bytes=90-1000", Wanted::Part(90, 99)),
            ("bytes=-10", Wanted::Part(90, 99)),
            ("bytes=-1000", Wanted::Part(0, 99)),
            ("bytes=99-99", Wanted::Part(99, 99)),
            ("bytes=100-", Wanted::Beyond),
            ("bytes=100-200", Wanted::Beyond),
            ("bytes=-0", Wanted::Beyond),
            ("bytes=99999999999999999999999-", Wanted::Beyond),
            ("bytes=9-0", Wanted::Whole),
            ("bytes=0-1,5-6", Wanted::Whole),
            ("bytes=", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("lines=0-9", Wanted::Whole),
        ] {
            assert_eq!(wanted(&with(&[(header::RANGE, range)]), "\"t\"", 100), expected, "{range}");
        }
        assert_eq!(wanted(&with(&[(header::RANGE, "bytes=-5")]), "\"t\"", 0), Wanted::Beyond);
    }

    #[test]
    fn conditions_go_before_ranges() {
        let of = |pairs: &[(HeaderName, &str)]| wanted(&with(pairs), "\"t\"", 100);
        let range = (header::RANGE, "bytes=0-9");
        assert_eq!(of(&[(header::IF_NONE_MATCH, "\"a\", W/\"t\"")]), Wanted::NotModified);
        assert_eq!(of(&[(header::IF_NONE_MATCH, "*"), range.clone()]), Wanted::NotModified);
        assert_eq!(of(&[(header::IF_NONE_MATCH, "\"a\"")]), Wanted::Whole);
        assert_eq!(of(&[(header::IF_MATCH, "\"a\"")]), Wanted::Failed);
        assert_eq!(of(&[(header::IF_MATCH, "W/\"t\"")]), Wanted::Failed);
        assert_eq!(of(&[(header::IF_MATCH, "\"t\""), range.clone()]), Wanted::Part(0, 9));
        assert_eq!(of(&[(header::IF_RANGE, "\"t\""), range.clone()]), Wanted::Part(0, 9));
        assert_eq!(of(&[(header::IF_RANGE, "\"old\""), range]), Wanted::Whole);
    }

    proptest! {
        #[test]
        fn no_range_reaches_beyond_the_end(range in "bytes=[0-9]{0,4}-[0-9]{0,4}", length in 0_u64..3000) {
            if let Wanted::Part(first, last) = part(&range, length) {
                prop_assert!(first <= last && last < length);
            }
        }
    }
}
