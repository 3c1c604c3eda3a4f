//! Lines for people, in headers.

use std::fmt::Write;

use axum::http::{HeaderName, HeaderValue};

use crate::model::picture::VerdictSource;

/// Header of every error: one line on this very request.
pub const X_MOCK_REASON: HeaderName = HeaderName::from_static("x-mock-reason");
/// Header of a response that settled an outcome: the outcome and its source.
pub const X_MOCK_OUTCOME: HeaderName = HeaderName::from_static("x-mock-outcome");

/// Reason of errors that the client did not cause.
pub const INTERNAL_ERROR: &str = "internal error in stuntdouble; see the server log";

/// Longest line, in bytes.
const LINE_BYTES_MAX: usize = 500;

/// The line as a header's value: what is not printable ASCII is escaped as in Rust's and
/// JSON's strings, and what is too long ends in dots.
#[must_use]
pub fn header_line(line: &str) -> HeaderValue {
    let mut value = String::with_capacity(line.len().min(LINE_BYTES_MAX));
    for c in line.chars() {
        if value.len() + 10 > LINE_BYTES_MAX {
            value.push_str("...");
            break;
        }
        if c == ' ' || c.is_ascii_graphic() {
            value.push(c);
        } else {
            // Writing to a String does not fail.
            let _ = write!(value, "{}", c.escape_unicode());
        }
    }
    HeaderValue::from_str(&value).unwrap_or_else(|_| HeaderValue::from_static("unprintable"))
}

/// Value of [`X_MOCK_OUTCOME`]: the result (`probability 0.98`) and its source.
#[must_use]
pub fn outcome_line(found: &str, basis: &VerdictSource) -> HeaderValue {
    let by = match basis {
        VerdictSource::Suffix(suffix) => format!("by suffix _{suffix}"),
        VerdictSource::Metadata => "by metadata".to_owned(),
        VerdictSource::Digest => "by digest".to_owned(),
        VerdictSource::Content => "by content".to_owned(),
        VerdictSource::Defect(line) => format!("by content: {line}"),
        VerdictSource::TestKey => "by test key".to_owned(),
        VerdictSource::Rule(id) => format!("by rule {id}"),
        VerdictSource::Manual => "by hand".to_owned(),
    };
    header_line(&format!("{found} {by}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_line_becomes_a_header() {
        assert_eq!(header_line("plain: fine"), "plain: fine");
        assert_eq!(header_line("a\r\nb\0é"), "a\\u{d}\\u{a}b\\u{0}\\u{e9}");
        assert!(header_line(&"é".repeat(10_000)).len() <= LINE_BYTES_MAX);
    }
}
