//! Statuses that requests are looked for by: one, or a class.

use std::fmt::{self, Display};
use std::str::FromStr;

/// One status, or all of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusFilter {
    Exactly(u16),
    /// The first digit, 1 to 5.
    Class(u16),
}

impl StatusFilter {
    /// Returns `true` if a response has the status. `None` is a request without a response.
    #[must_use]
    pub fn matches(self, status: Option<u16>) -> bool {
        status.is_some_and(|status| match self {
            Self::Exactly(wanted) => status == wanted,
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
            .ok_or_else(|| format!("{text} is no status, such as 404, and no class, such as 4xx"))
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
    fn parse_takes_a_status_or_a_class_and_nothing_else() {
        for (text, status, is_taken) in [
            ("404", Some(404), true),
            ("404", Some(400), false),
            ("4xx", Some(499), true),
            ("4XX", Some(400), true),
            ("4xx", Some(500), false),
            ("5xx", None, false),
        ] {
            let filter: StatusFilter = text.parse().expect(text);
            assert_eq!(filter.matches(status), is_taken, "{text} {status:?}");
        }
        for bad in ["", "xx", "6xx", "0xx", "4x", "40x", "4xxx", "-1", "70000"] {
            assert!(bad.parse::<StatusFilter>().is_err(), "{bad}");
        }
    }
}
