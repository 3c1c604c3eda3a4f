//! Time. The only module that reads the operating system's clock; everywhere else an
//! account's now is a parameter.
//!
//! A clock is data: an offset to the real time while it runs, an instant while it is frozen.
//! One that jumps runs too; who runs its work moves it on.
//! The text forms of instants stand here too: ISO 8601 (both vendors), HTTP dates (RFC 9110),
//! SigV4's basic format, and ISO 8601 durations (the control plane).

mod real;

use std::ops::RangeInclusive;

use jiff::{SignedDuration, Span, SpanRelativeTo};
use serde::{Deserialize, Serialize};

use crate::model::time::{DAY_MS, Timestamp};
pub use real::real_now;

/// How a clock tells its now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "mode")]
pub enum Clock {
    /// The real time, so many milliseconds off.
    #[serde(rename_all = "camelCase")]
    Running { offset_ms: i64 },
    /// An instant that stays.
    Frozen { at: Timestamp },
    /// As [`Clock::Running`], and moved on to what is due next whenever no work is under way.
    #[serde(rename_all = "camelCase")]
    Jump { offset_ms: i64 },
}

impl Clock {
    /// The real time.
    pub const REAL: Self = Self::Running { offset_ms: 0 };

    /// A clock that runs from `at` on.
    #[must_use]
    pub fn running_from(at: Timestamp) -> Self {
        let offset_ms = at.since_ms(real_now());
        Self::Running { offset_ms }
    }

    /// A clock that jumps, from `at` on.
    #[must_use]
    pub fn jumping_from(at: Timestamp) -> Self {
        let offset_ms = at.since_ms(real_now());
        Self::Jump { offset_ms }
    }

    /// It does not wait for what is due: it is moved there.
    #[must_use]
    pub const fn jumps(self) -> bool {
        matches!(self, Self::Jump { .. })
    }

    /// What the clock shows.
    #[must_use]
    pub fn now(self) -> Timestamp {
        match self {
            Self::Running { offset_ms } | Self::Jump { offset_ms } => real_now().plus_ms(offset_ms),
            Self::Frozen { at } => at,
        }
    }

    /// The same kind of clock, showing `at` now.
    #[must_use]
    pub fn moved_to(self, at: Timestamp) -> Self {
        match self {
            Self::Running { .. } => Self::running_from(at),
            Self::Frozen { .. } => Self::Frozen { at },
            Self::Jump { .. } => Self::jumping_from(at),
        }
    }

    /// The clock as it showed so long ago: it goes on from there.
    #[must_use]
    pub fn rewound_by(self, after_ms: i64) -> Self {
        match self {
            Self::Running { offset_ms } => Self::Running {
                offset_ms: offset_ms.saturating_sub(after_ms),
            },
            Self::Jump { offset_ms } => Self::Jump {
                offset_ms: offset_ms.saturating_sub(after_ms),
            },
            Self::Frozen { at } => Self::Frozen { at },
        }
    }

    /// Real milliseconds until the clock shows `at`; none if it never will by itself.
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

/// `2026-03-12T10:00:00.000Z`, as both vendors write instants.
#[must_use]
pub fn iso(at: Timestamp) -> String {
    format!("{:.3}", to_jiff(at))
}

/// `2026-03-12`, of the same instant in UTC.
#[must_use]
pub fn iso_date(at: Timestamp) -> String {
    to_jiff(at).strftime("%Y-%m-%d").to_string()
}

/// `03.12`, of the day so many days after 1970-01-01.
#[must_use]
pub fn month_and_day(day: i64) -> String {
    let at = Timestamp::from_ms(day.saturating_mul(DAY_MS));
    to_jiff(at).strftime("%m.%d").to_string()
}

/// The days from 1970-01-01 to the date a text such as `2026-03-12` names.
#[must_use]
pub fn parse_date(text: &str) -> Option<i64> {
    let date: jiff::civil::Date = text.parse().ok()?;
    let midnight = date.to_zoned_datetime(jiff::tz::TimeZone::UTC).ok()?;
    Some(midnight.timestamp().as_millisecond().div_euclid(DAY_MS))
}

/// `20260312-100000`, as Undetectable's object keys have it.
#[must_use]
pub fn undetectable_key_stamp(at: Timestamp) -> String {
    to_jiff(at).strftime("%Y%m%d-%H%M%S").to_string()
}

/// `20260312100000.000`, UTC.
#[must_use]
pub fn undetectable_key_stamp_ms(at: Timestamp) -> String {
    to_jiff(at).strftime("%Y%m%d%H%M%S%.3f").to_string()
}

/// `Thu, 12 Mar 2026 10:00:00 GMT` (RFC 9110, 5.6.7).
#[must_use]
pub fn http_date(at: Timestamp) -> String {
    to_jiff(at)
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string()
}

/// The instant an HTTP date names.
#[must_use]
pub fn parse_http_date(text: &str) -> Option<Timestamp> {
    let parsed = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Timestamp::from_ms(parsed.timestamp().as_millisecond()))
}

/// `20260312T100000Z`, as in `X-Amz-Date`.
#[must_use]
pub fn amz_date(at: Timestamp) -> String {
    to_jiff(at).strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// The instant an `X-Amz-Date` names.
#[must_use]
pub fn parse_amz_date(text: &str) -> Option<Timestamp> {
    let shape = text.len() == 16 && text.ends_with('Z') && text.as_bytes()[8] == b'T';
    let civil = shape.then(|| jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok())??;
    let instant = civil
        .to_zoned_datetime(jiff::tz::TimeZone::UTC)
        .ok()?
        .timestamp();
    Some(Timestamp::from_ms(instant.as_millisecond()))
}

/// The instant an ISO 8601 text with an offset or `Z` names.
#[must_use]
pub fn parse_iso(text: &str) -> Option<Timestamp> {
    let instant: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp::from_ms(instant.as_millisecond()))
}

/// From the first to the last millisecond of what an ISO 8601 text names: the whole of a date's
/// day, the one instant of a date-time. Where no offset is given it is UTC.
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
    let shape = text.len() == 10 && text.as_bytes()[4] == b'-';
    let date: jiff::civil::Date = shape.then(|| text.parse().ok())??;
    let begin = utc(date.into())?;
    Some(begin..=begin.plus_ms(DAY_MS - 1))
}

/// Milliseconds of an ISO 8601 duration (`PT90S`, `P7D`); days are of 24 hours, months and
/// years, which have no one length, are none.
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
    fn an_instant_is_spelled_as_each_reader_wants_it() {
        assert_eq!(iso(AT), "2026-03-12T10:00:00.007Z");
        assert_eq!(iso_date(AT), "2026-03-12");
        assert_eq!(undetectable_key_stamp(AT), "20260312-100000");
        assert_eq!(http_date(AT), "Thu, 12 Mar 2026 10:00:00 GMT");
        assert_eq!(amz_date(AT), "20260312T100000Z");
    }

    #[test]
    fn what_is_written_is_read_again() {
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
    fn a_date_is_a_day_and_a_date_time_an_instant() {
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
    fn durations_are_iso_8601_without_months_and_years() {
        assert_eq!(parse_duration_ms("PT90S"), Some(90_000));
        assert_eq!(parse_duration_ms("P7D"), Some(604_800_000));
        assert_eq!(parse_duration_ms("PT0.25S"), Some(250));
        assert_eq!(parse_duration_ms("P1M"), None);
        assert_eq!(parse_duration_ms("soon"), None);
    }

    #[test]
    fn a_frozen_clock_stays_and_moves_only_when_moved() {
        let clock = Clock::Frozen { at: AT };
        assert_eq!(clock.now(), AT);
        assert_eq!(clock.moved_to(AT.plus_ms(5)).now(), AT.plus_ms(5));
        assert_eq!(clock.real_ms_until(AT.plus_ms(1)), None);
        assert_eq!(clock.real_ms_until(AT), Some(0));
    }

    #[test]
    fn the_ends_of_time_are_spelled_and_not_a_panic() {
        assert!(iso(Timestamp::from_ms(i64::MAX)).starts_with("9999"));
        assert!(!iso(Timestamp::from_ms(i64::MIN)).is_empty());
    }
}
