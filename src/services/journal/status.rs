//! Filter by status code: one code, or a class of codes.

use std::fmt::{self, Display};
use std::str::FromStr;

/// One status code, or all of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusFilter {
    Exactly(u16),
    /// First digit, 1 to 5.
    Class(u16),
}

impl StatusFilter {
    /// `true` if the response's status matches. `None` is a request without a response.
    #[must_use]
    pub fn matches(self, status: Option<u16>) -> bool {
        status.is_some_and(|status| match self {
            Self::Exactly(expected) => status == expected,
            Self::Class(digit) => status / 100 == digit,
        })
    }
}

impl FromStr for StatusFilter {
    type Err = String;

    /// Parses `404`, or `4xx` in any case.
    fn from_str(text: &str) -> Result<Self, String> {
        let class = |text: &str| {
            let digit = text.strip_suffix("xx")?.parse().ok()?;
            (1..=5).contains(&digit).then_some(Self::Class(digit))
        };
        let status = text.parse().ok().map(Self::Exactly);
        status
            .or_else(|| class(&text.to_ascii_lowercase()))
            .ok_or_else(|| {
                format!("expected a status such as 404 or a class such as 4xx, got {text}")
            })
    }
}

impl Display for StatusFilter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(status) => status.fmt(formatter),
            Self::Class(digit) => write!(formatter, "{digit}xx"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_accepts_a_status_or_a_class() {
        for (text, status, is_match) in [
            ("404", Some(404), true),
            ("404", Some(400), false),
            ("4xx", Some(499), true),
            ("4XX", Some(400), true),
            ("4xx", Some(500), false),
            ("5xx", None, false),
        ] {
            let filter: StatusFilter = text.parse().expect(text);
            assert_eq!(filter.matches(status), is_match, "{text} {status:?}");
        }
        for bad in ["", "xx", "6xx", "0xx", "4x", "40x", "4xxx", "-1", "70000"] {
            assert!(bad.parse::<StatusFilter>().is_err(), "{bad}");
        }
    }
}
