//! Response headers that explain a response to people.

use std::fmt::Write;

use axum::http::{HeaderName, HeaderValue};

use crate::model::picture::VerdictSource;

/// Header of every error: the reason why this request failed, in one line.
pub const X_MOCK_REASON: HeaderName = HeaderName::from_static("x-mock-reason");
/// Header of a response that decided an outcome: the outcome and its source.
pub const X_MOCK_OUTCOME: HeaderName = HeaderName::from_static("x-mock-outcome");

/// Reason of errors that the client did not cause.
pub const INTERNAL_ERROR: &str = "internal error in stuntdouble; see the server log";

/// Longest line, in bytes.
const LINE_BYTES_MAX: usize = 500;

/// Returns `line` as a header value. Characters other than printable ASCII are escaped as in Rust
/// (`\u{e9}`). A value longer than 500 bytes is cut and ends with `...`.
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
            // Writing to a String cannot fail.
            let _ = write!(value, "{}", c.escape_unicode());
        }
    }
    HeaderValue::from_str(&value).unwrap_or_else(|_| HeaderValue::from_static("unprintable"))
}

/// Returns the value of [`X_MOCK_OUTCOME`]: the `outcome` (`probability 0.98`) and its source.
#[must_use]
pub fn outcome_line(outcome: &str, source: &VerdictSource) -> HeaderValue {
    header_line(&format!("{outcome} by {source}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_line_escapes_and_shortens_any_text() {
        assert_eq!(header_line("plain: fine"), "plain: fine");
        assert_eq!(header_line("a\r\nb\0é"), "a\\u{d}\\u{a}b\\u{0}\\u{e9}");
        assert!(header_line(&"é".repeat(10_000)).len() <= LINE_BYTES_MAX);
    }
}
