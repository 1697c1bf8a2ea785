//! What tenant, key and audit take.

use clap::{Args, Subcommand};
use glassplate_pipeline::asset::Tenant;
use glassplate_pipeline::tenancy::{Quota, Role};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

use crate::exit::CODES;

/// What to do about tenants.
#[derive(Debug, Subcommand)]
pub(crate) enum TenantAction {
    /// Open an archive to a new tenant
    #[command(after_help = CODES)]
    Create {
        /// 1 to 64 characters of a-z, 0-9 and -
        #[arg(value_name = "NAME", value_parser = super::tenant)]
        name: Tenant,
        #[command(flatten)]
        bounds: Bounds,
    },
    /// List the tenants, what each used and may use
    #[command(after_help = CODES)]
    List,
    /// Change what a tenant may use; without options, show it
    #[command(after_help = CODES)]
    Quota {
        /// The tenant
        #[arg(value_name = "NAME", value_parser = super::tenant)]
        name: Tenant,
        #[command(flatten)]
        bounds: Bounds,
    },
}

/// What a tenant may use.
#[derive(Debug, Args)]
pub(crate) struct Bounds {
    /// Most pictures taken in over HTTP, ever, or `none`
    #[arg(long, value_name = "N", value_parser = bound)]
    pictures: Option<Bound>,
    /// Most bytes of their originals, such as 20GB, or `none`
    #[arg(long, value_name = "N", value_parser = bound)]
    bytes: Option<Bound>,
    /// Most calls to services that cost money, ever, or `none`
    #[arg(long, value_name = "N", value_parser = bound)]
    paid_calls: Option<Bound>,
    /// Most requests in a minute, or `none`
    #[arg(long, value_name = "N", value_parser = bound)]
    requests_a_minute: Option<Bound>,
}

/// A number, or that there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bound(Option<u64>);

impl Bounds {
    /// Tells whether nothing is to be changed.
    pub(crate) fn are_not_given(&self) -> bool {
        [self.pictures, self.bytes, self.paid_calls, self.requests_a_minute]
            .iter()
            .all(Option::is_none)
    }

    /// The quota with what was given in place of what was.
    pub(crate) fn over(&self, quota: Quota) -> Quota {
        let given = |bound: Option<Bound>, was| bound.map_or(was, |bound| bound.0);
        let minute = quota.requests_a_minute.map(u64::from);
        let minute = given(self.requests_a_minute, minute);
        Quota {
            pictures: given(self.pictures, quota.pictures),
            bytes: given(self.bytes, quota.bytes),
            paid_calls: given(self.paid_calls, quota.paid_calls),
            requests_a_minute: minute.map(|n| u32::try_from(n).unwrap_or(u32::MAX)),
        }
    }
}

/// What to do about keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyAction {
    /// Make a key to the archive of --tenant, and print it once
    #[command(after_help = CODES)]
    Create {
        /// What its holder may do: reader, editor or archivist
        #[arg(long, value_parser = role)]
        role: Role,
        /// Who is to hold it; decisions and the audit log name them so
        #[arg(long, value_name = "TEXT")]
        name: String,
        /// After how long it opens nothing any more, such as 30d or 12h [default: never]
        #[arg(long, value_name = "TIME", value_parser = duration)]
        expires: Option<SignedDuration>,
    },
    /// List the keys of --tenant, revoked and expired ones too
    #[command(after_help = CODES)]
    List,
    /// Revoke a key for ever; a running server heeds it within seconds
    #[command(after_help = CODES)]
    Revoke {
        /// The key's id, as listed
        id: String,
    },
}

/// What audit takes.
#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// Nothing before: a time ago such as 7d, a date, or a moment such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub(crate) since: Option<Since>,
    /// Most lines to list
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    pub(crate) limit: usize,
}

/// From when on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    /// So long ago.
    Ago(SignedDuration),
    /// This moment.
    At(Timestamp),
}

impl Since {
    /// The moment, seen from another.
    pub(crate) fn moment(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(ago) => now.checked_sub(ago).unwrap_or(Timestamp::MIN),
            Self::At(at) => at,
        }
    }
}

/// A number with a unit of bytes or none, such as 500 or 20GB; or `none`.
fn bound(text: &str) -> Result<Bound, String> {
    if text == "none" {
        return Ok(Bound(None));
    }
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u64 = match &text[digits.len()..] {
        "" | "B" => 1,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        _ => return Err("not a number, nor one of kB, MB, GB or TB, nor `none`".to_owned()),
    };
    let number = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    number.map(|number| Bound(Some(number))).ok_or_else(|| "not a number, nor `none`".to_owned())
}

fn role(text: &str) -> Result<Role, String> {
    text.parse().map_err(|fault: glassplate_pipeline::fault::Fault| fault.to_string())
}

/// A length of time whose days have 24 hours.
fn duration(text: &str) -> Result<SignedDuration, String> {
    text.parse::<Span>()
        .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()))
        .ok()
        .filter(|length| length.is_positive())
        .ok_or_else(|| "not a length of time such as 30d, 12h or 90m".to_owned())
}

fn since(text: &str) -> Result<Since, String> {
    if let Ok(ago) = duration(text) {
        return Ok(Since::Ago(ago));
    }
    let at = text.parse::<Timestamp>().or_else(|_| {
        let midnight = text.parse::<Date>()?.to_zoned(TimeZone::UTC)?;
        Ok::<_, jiff::Error>(midnight.timestamp())
    });
    at.map(Since::At)
        .map_err(|_| "neither a time ago such as 7d, nor a date, nor a moment".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_numbers_sizes_or_none() {
        assert_eq!(bound("7"), Ok(Bound(Some(7))));
        assert_eq!(bound("20GB"), Ok(Bound(Some(20_000_000_000))));
        assert_eq!(bound("none"), Ok(Bound(None)));
        for wrong in ["", "GB", "-1", "1.5GB", "20gb", "99999999999TB"] {
            assert!(bound(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_what_is_given_changes() {
        let was = Quota { pictures: Some(1), bytes: Some(2), ..Quota::default() };
        let bounds = Bounds {
            pictures: Some(Bound(None)),
            bytes: None,
            paid_calls: Some(Bound(Some(3))),
            requests_a_minute: None,
        };
        let quota = bounds.over(was);
        assert_eq!(quota, Quota { bytes: Some(2), paid_calls: Some(3), ..Quota::default() });
    }

    #[test]
    fn times_are_lengths_dates_or_moments() {
        assert_eq!(duration("30d"), Ok(SignedDuration::from_hours(720)));
        assert!(duration("0d").is_err() && duration("-1d").is_err() && duration("1y").is_err());
        let day = "2026-01-31T00:00:00Z".parse().map(Since::At);
        assert_eq!(since("2026-01-31").ok(), day.ok());
        let noon = Timestamp::from_second(86_400).expect("a time");
        assert_eq!(since("1d").map(|s| s.moment(noon)), Ok(Timestamp::UNIX_EPOCH));
        assert!(since("yesterday").is_err());
    }
}
