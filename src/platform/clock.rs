//! Time. The only module that reads the operating system's clock. Elsewhere the current time of an
//! account is a parameter.
//!
//! A clock is data: an offset to the real time while it runs, or an instant while it is frozen. A clock
//! in mode `jump` runs too, and the worker moves it to the next due time.
//!
//! The module also has the text formats of instants: ISO 8601 (both vendors), HTTP dates (RFC 9110),
//! SigV4's basic format, and ISO 8601 durations (control API).

mod real;

use std::ops::RangeInclusive;

use jiff::{SignedDuration, Span, SpanRelativeTo};
use serde::{Deserialize, Serialize};

use crate::model::time::{DAY_MS, Timestamp};
pub use real::real_now;

/// Clock of an account, or the default clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "mode")]
pub enum Clock {
    /// The real time plus an offset.
    #[serde(rename_all = "camelCase")]
    Running { offset_ms: i64 },
    /// A fixed instant.
    Frozen { at: Timestamp },
    /// As [`Clock::Running`], and moved to the next due time whenever no work is running.
    #[serde(rename_all = "camelCase")]
    Jump { offset_ms: i64 },
}

impl Clock {
    /// A clock that shows the real time.
    pub const REAL: Self = Self::Running { offset_ms: 0 };

    /// Returns a running clock that shows `at` now.
    #[must_use]
    pub fn running_from(at: Timestamp) -> Self {
        let offset_ms = at.since_ms(real_now());
        Self::Running { offset_ms }
    }

    /// Returns a clock in mode `jump` that shows `at` now.
    #[must_use]
    pub fn jumping_from(at: Timestamp) -> Self {
        let offset_ms = at.since_ms(real_now());
        Self::Jump { offset_ms }
    }

    /// `true` for a clock in mode `jump`.
    #[must_use]
    pub const fn jumps(self) -> bool {
        matches!(self, Self::Jump { .. })
    }

    /// Returns the instant that the clock shows.
    #[must_use]
    pub fn now(self) -> Timestamp {
        match self {
            Self::Running { offset_ms } | Self::Jump { offset_ms } => real_now().plus_ms(offset_ms),
            Self::Frozen { at } => at,
        }
    }

    /// Returns a clock of the same mode that shows `at` now.
    #[must_use]
    pub fn moved_to(self, at: Timestamp) -> Self {
        match self {
            Self::Running { .. } => Self::running_from(at),
            Self::Frozen { .. } => Self::Frozen { at },
            Self::Jump { .. } => Self::jumping_from(at),
        }
    }

    /// Returns the clock set back by `elapsed_ms`. A frozen clock stays where it is.
    #[must_use]
    pub fn rewound_by(self, elapsed_ms: i64) -> Self {
        match self {
            Self::Running { offset_ms } => Self::Running {
                offset_ms: offset_ms.saturating_sub(elapsed_ms),
            },
            Self::Jump { offset_ms } => Self::Jump {
                offset_ms: offset_ms.saturating_sub(elapsed_ms),
            },
            Self::Frozen { at } => Self::Frozen { at },
        }
    }

    /// Returns the real milliseconds until the clock shows `at`. `None` if the clock is frozen before it.
    #[must_use]
    pub fn real_ms_until(self, at: Timestamp) -> Option<u64> {
        match self {
            Self::Running { .. } | Self::Jump { .. } => {
                Some(u64::try_from(at.since_ms(self.now())).unwrap_or(0))
            }
            Self::Frozen { at: now } => (at <= now).then_some(0),
        }
    }
}

fn to_jiff(at: Timestamp) -> jiff::Timestamp {
    let end = if at.ms() < 0 {
        jiff::Timestamp::MIN
    } else {
        jiff::Timestamp::MAX
    };
    jiff::Timestamp::from_millisecond(at.ms()).unwrap_or(end)
}

/// Formats an instant as both vendors write it: `2026-03-12T10:00:00.000Z`.
#[must_use]
pub fn iso(at: Timestamp) -> String {
    format!("{:.3}", to_jiff(at))
}

/// Formats the date of an instant in UTC: `2026-03-12`.
#[must_use]
pub fn iso_date(at: Timestamp) -> String {
    to_jiff(at).strftime("%Y-%m-%d").to_string()
}

/// Formats the day that is `day` days after 1970-01-01: `03.12`.
#[must_use]
pub fn month_and_day(day: i64) -> String {
    let at = Timestamp::from_ms(day.saturating_mul(DAY_MS));
    to_jiff(at).strftime("%m.%d").to_string()
}

/// Parses a date such as `2026-03-12`. Returns the number of days since 1970-01-01.
#[must_use]
pub fn parse_date(text: &str) -> Option<i64> {
    let date: jiff::civil::Date = text.parse().ok()?;
    let midnight = date.to_zoned_datetime(jiff::tz::TimeZone::UTC).ok()?;
    Some(midnight.timestamp().as_millisecond().div_euclid(DAY_MS))
}

/// Formats an instant as in Undetectable's object keys: `20260312-100000`.
#[must_use]
pub fn compact_stamp(at: Timestamp) -> String {
    to_jiff(at).strftime("%Y%m%d-%H%M%S").to_string()
}

/// Formats an instant with milliseconds, for Undetectable's object keys: `20260312100000.000`.
#[must_use]
pub fn compact_stamp_ms(at: Timestamp) -> String {
    to_jiff(at).strftime("%Y%m%d%H%M%S%.3f").to_string()
}

/// Formats an HTTP date (RFC 9110 §5.6.7): `Thu, 12 Mar 2026 10:00:00 GMT`.
#[must_use]
pub fn http_date(at: Timestamp) -> String {
    to_jiff(at)
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string()
}

/// Parses an HTTP date.
#[must_use]
pub fn parse_http_date(text: &str) -> Option<Timestamp> {
    let parsed = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Timestamp::from_ms(parsed.timestamp().as_millisecond()))
}

/// Formats an instant as in `X-Amz-Date`: `20260312T100000Z`.
#[must_use]
pub fn amz_date(at: Timestamp) -> String {
    to_jiff(at).strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Parses an `X-Amz-Date`.
#[must_use]
pub fn parse_amz_date(text: &str) -> Option<Timestamp> {
    let has_format = text.len() == 16 && text.ends_with('Z') && text.as_bytes()[8] == b'T';
    if !has_format {
        return None;
    }
    let civil = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    let instant = civil
        .to_zoned_datetime(jiff::tz::TimeZone::UTC)
        .ok()?
        .timestamp();
    Some(Timestamp::from_ms(instant.as_millisecond()))
}

/// Parses an ISO 8601 date-time with an offset or `Z`.
#[must_use]
pub fn parse_iso(text: &str) -> Option<Timestamp> {
    let instant: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp::from_ms(instant.as_millisecond()))
}

/// Parses an ISO 8601 date or date-time. Returns its first and last millisecond: a whole day, or one
/// instant. A date or date-time without an offset is in UTC.
#[must_use]
pub fn parse_iso_range(text: &str) -> Option<RangeInclusive<Timestamp>> {
    let utc = |at: jiff::civil::DateTime| {
        let instant = at
            .to_zoned_datetime(jiff::tz::TimeZone::UTC)
            .ok()?
            .timestamp();
        Some(Timestamp::from_ms(instant.as_millisecond()))
    };
    if text.contains(['T', 't']) {
        let at = parse_iso(text).or_else(|| utc(text.parse().ok()?))?;
        return Some(at..=at);
    }
    let has_format = text.len() == 10 && text.as_bytes()[4] == b'-';
    if !has_format {
        return None;
    }
    let date: jiff::civil::Date = text.parse().ok()?;
    let midnight = utc(date.into())?;
    Some(midnight..=midnight.plus_ms(DAY_MS - 1))
}

/// Parses an ISO 8601 duration (`PT90S`, `P7D`). Returns milliseconds. A day has 24 hours. `None` for
/// months and years, whose length varies.
#[must_use]
pub fn parse_duration_ms(text: &str) -> Option<i64> {
    let span: Span = text.parse().ok()?;
    let length: SignedDuration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    i64::try_from(length.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_ms(1_773_309_600_007);

    #[test]
    fn formatters_write_each_format() {
        assert_eq!(iso(AT), "2026-03-12T10:00:00.007Z");
        assert_eq!(iso_date(AT), "2026-03-12");
        assert_eq!(compact_stamp(AT), "20260312-100000");
        assert_eq!(http_date(AT), "Thu, 12 Mar 2026 10:00:00 GMT");
        assert_eq!(amz_date(AT), "20260312T100000Z");
    }

    #[test]
    fn parsers_read_what_formatters_write() {
        assert_eq!(parse_iso(&iso(AT)), Some(AT));
        let second = Timestamp::from_ms(1_773_309_600_000);
        assert_eq!(parse_http_date(&http_date(AT)), Some(second));
        assert_eq!(parse_amz_date(&amz_date(AT)), Some(second));
        for nonsense in [
            "",
            "20260312T100000",
            "2026-03-12T10:00Z",
            "20261312T100000Z",
            "é0260312T10000Z",
        ] {
            assert_eq!(parse_amz_date(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn parse_iso_range_of_date_is_a_day_and_of_date_time_an_instant() {
        let range =
            |text| parse_iso_range(text).map(|range| (iso(*range.start()), iso(*range.end())));
        let day = ("2026-03-12T00:00:00.000Z", "2026-03-12T23:59:59.999Z");
        let at = ("2026-03-12T10:00:00.007Z", "2026-03-12T10:00:00.007Z");
        for (text, (first, last)) in [
            ("2026-03-12", day),
            ("2026-03-12T10:00:00.007Z", at),
            ("2026-03-12T19:00:00.007+09:00", at),
            ("2026-03-12T10:00:00.007", at),
        ] {
            assert_eq!(range(text), Some((first.into(), last.into())), "{text}");
        }
        for nonsense in [
            "",
            "soon",
            "2026",
            "20260312",
            "2026-02-30",
            "2026-3-12",
            "2026-03-12 10",
            "é026-03-1",
            "2026-03-12T",
            "2026-03-12T25:00:00Z",
            "-009999-01-01T",
            "1773309600007",
        ] {
            assert_eq!(range(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn parse_duration_ms_rejects_months_and_other_text() {
        assert_eq!(parse_duration_ms("PT90S"), Some(90_000));
        assert_eq!(parse_duration_ms("P7D"), Some(604_800_000));
        assert_eq!(parse_duration_ms("PT0.25S"), Some(250));
        assert_eq!(parse_duration_ms("P1M"), None);
        assert_eq!(parse_duration_ms("soon"), None);
    }

    #[test]
    fn frozen_clock_changes_only_by_moved_to() {
        let clock = Clock::Frozen { at: AT };
        assert_eq!(clock.now(), AT);
        assert_eq!(clock.moved_to(AT.plus_ms(5)).now(), AT.plus_ms(5));
        assert_eq!(clock.real_ms_until(AT.plus_ms(1)), None);
        assert_eq!(clock.real_ms_until(AT), Some(0));
    }

    #[test]
    fn iso_of_extreme_instants_does_not_panic() {
        assert!(iso(Timestamp::from_ms(i64::MAX)).starts_with("9999"));
        assert!(!iso(Timestamp::from_ms(i64::MIN)).is_empty());
    }
}
