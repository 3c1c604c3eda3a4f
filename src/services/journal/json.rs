//! Comparison of JSON bodies with a test's expectation: numbers by value, strings as globs.
//!
//! Bodies are parsed as [`RawValue`]s, so that no number is rounded: 1, 1.0 and 1e0 are equal, and
//! two integers of 30 digits are equal only if all their digits are.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::model::glob::glob;

/// Maximum depth of nesting that is compared. Deeper values are compared as text.
const DEPTH_MAX: usize = 128;

/// Characters of a value that a difference shows.
const SHOWN_CHARS_MAX: usize = 200;

/// JSON value with one level parsed.
enum Level<'v> {
    Object(BTreeMap<String, &'v RawValue>),
    Array(Vec<&'v RawValue>),
    String(String),
    /// Number, boolean, null, or a value that is nested too deeply.
    Text(&'v str),
}

impl<'v> Level<'v> {
    fn new(value: &'v RawValue, depth: usize) -> Self {
        let text = value.get();
        let level = match text.as_bytes().first() {
            Some(b'"') => serde_json::from_str(text).map(Self::String),
            Some(b'{') if depth < DEPTH_MAX => serde_json::from_str(text).map(Self::Object),
            Some(b'[') if depth < DEPTH_MAX => serde_json::from_str(text).map(Self::Array),
            _ => Ok(Self::Text(text)),
        };
        level.unwrap_or(Self::Text(text))
    }
}

/// Parses a JSON text, without a byte order mark. `None` if it is not JSON.
pub(super) fn parse(text: &str) -> Option<&RawValue> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(text).ok()
}

/// Adds the values of all fields `fileName` and `file_name` in `value` to `names`.
pub(super) fn collect_file_names(value: &RawValue, names: &mut Vec<String>) {
    collect_at(value, 0, names);
}

fn collect_at(value: &RawValue, depth: usize, names: &mut Vec<String>) {
    match Level::new(value, depth) {
        Level::Object(fields) => {
            for (name, value) in fields {
                let is_file_name = matches!(name.as_str(), "fileName" | "file_name");
                match Level::new(value, depth + 1) {
                    Level::String(text) if is_file_name => names.push(text),
                    _ => collect_at(value, depth + 1, names),
                }
            }
        }
        Level::Array(items) => {
            for item in items {
                collect_at(item, depth + 1, names);
            }
        }
        Level::String(_) | Level::Text(_) => {}
    }
}

/// Adds a message to `differences` for each part of `expected` that `actual` does not have. Objects
/// may have additional fields, arrays may not have additional elements.
pub(super) fn compare(
    path: &str,
    actual: &RawValue,
    expected: &RawValue,
    differences: &mut Vec<String>,
) {
    compare_at((path, 0), actual, expected, differences);
}

fn compare_at(
    (path, depth): (&str, usize),
    actual: &RawValue,
    expected: &RawValue,
    differences: &mut Vec<String>,
) {
    match (Level::new(actual, depth), Level::new(expected, depth)) {
        (Level::Object(actual), Level::Object(expected)) => {
            for (name, expected) in expected {
                let path = format!("{path}.{name}");
                if let Some(actual) = actual.get(&name) {
                    compare_at((&path, depth + 1), actual, expected, differences);
                } else {
                    let expected = truncated(expected.get());
                    differences.push(format!("{path}: missing, expected {expected}"));
                }
            }
        }
        (Level::Array(actual), Level::Array(expected)) if actual.len() == expected.len() => {
            for (index, (actual, expected)) in actual.iter().zip(expected).enumerate() {
                let path = format!("{path}[{index}]");
                compare_at((&path, depth + 1), actual, expected, differences);
            }
        }
        (Level::String(actual), Level::String(expected)) if glob(&expected, &actual) => {}
        (Level::Text(actual), Level::Text(expected)) if is_same(actual, expected) => {}
        _ => {
            let (actual, expected) = (truncated(actual.get()), truncated(expected.get()));
            differences.push(format!("{path}: expected {expected}, got {actual}"));
        }
    }
}

/// `true` if both texts are the same literal, or numbers of the same value.
fn is_same(one: &str, other: &str) -> bool {
    one == other || Decimal::parse(one).is_some_and(|one| Some(one) == Decimal::parse(other))
}

/// JSON number (RFC 8259 §6) in a normal form: `digits` × 10^`exponent`. Zero has no digits.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    is_negative: bool,
    /// Digits without leading and trailing zeros.
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// Parses a number. `None` if `text` is not a number, or the exponent is out of range.
    fn parse(text: &str) -> Option<Self> {
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if !text.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = format!("{whole}{fraction}");
        let digits = all_digits.trim_start_matches('0');
        let significant = digits.trim_end_matches('0');
        if significant.is_empty() {
            return Some(Self {
                is_negative: false,
                digits: String::new(),
                exponent: 0,
            });
        }
        let zeros = i64::try_from(digits.len() - significant.len()).ok()?;
        let decimals = i64::try_from(fraction.len()).ok()?;
        let exponent: i64 = exponent.parse().ok()?;
        Some(Self {
            is_negative,
            digits: significant.to_owned(),
            exponent: exponent.checked_add(zeros)?.checked_sub(decimals)?,
        })
    }
}

/// Returns `text`, truncated if it is long.
pub(super) fn truncated(text: &str) -> String {
    if text.chars().count() <= SHOWN_CHARS_MAX {
        return text.to_owned();
    }
    let begin: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    begin + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differences(actual: &str, expected: &str) -> Vec<String> {
        let (actual, expected) = (parse(actual).expect("JSON"), parse(expected).expect("JSON"));
        let mut differences = Vec::new();
        compare("body", actual, expected, &mut differences);
        differences
    }

    #[test]
    fn is_same_of_equal_numbers_in_any_notation_is_true() {
        for group in [
            &["1", "1.0", "1e0", "10e-1", "0.1E+1", "1.000"][..],
            &["100", "1e2", "1E+02", "100.00", "0.1e3"],
            &[
                "0",
                "-0",
                "0.0",
                "0e9",
                "-0.00E-7",
                "0e99999999999999999999",
            ],
            &["-2.50", "-25e-1", "-0.0250e2"],
            &[
                "123456789012345678901234567890",
                "1.2345678901234567890123456789e29",
            ],
            &["1e400", "10e399"],
            &["1e99999999999999999999"],
        ] {
            for (one, other) in group
                .iter()
                .flat_map(|one| group.iter().map(move |other| (one, other)))
            {
                assert!(is_same(one, other), "{one} {other}");
            }
        }
    }

    #[test]
    fn is_same_of_different_numbers_is_false() {
        for (one, other) in [
            ("1", "-1"),
            ("1", "10"),
            ("1", "1.0000000000000000000000000001"),
            ("0.1", "0.10000000000000000555"),
            ("9007199254740993", "9007199254740992"),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567891",
            ),
            ("1e400", "1e401"),
            ("1e99999999999999999999", "1e99999999999999999998"),
            ("1", "true"),
            ("0", "null"),
            ("null", "false"),
        ] {
            assert!(!is_same(one, other), "{one} {other}");
            assert!(!is_same(other, one), "{other} {one}");
        }
    }

    #[test]
    fn compare_reports_each_difference() {
        let body = r#"{"a": [1, {"b": "x.jpg", "c": 1.50}], "d": null, "e": true}"#;
        assert!(differences(body, r#"{"a": [1.0, {"b": "*.jpg", "c": 15e-1}]}"#).is_empty());
        assert_eq!(
            differences(
                body,
                r#"{"a": [2, {"b": "y", "c": "1.50", "z": 0}], "d": 0, "e": [], "f": null}"#
            ),
            [
                "body.a[0]: expected 2, got 1",
                r#"body.a[1].b: expected "y", got "x.jpg""#,
                r#"body.a[1].c: expected "1.50", got 1.50"#,
                "body.a[1].z: missing, expected 0",
                "body.d: expected 0, got null",
                "body.e: expected [], got true",
                "body.f: missing, expected null",
            ]
        );
        assert_eq!(
            differences("[1, 2]", "[1]"),
            ["body: expected [1], got [1, 2]"],
            "arrays must have the same length"
        );
    }

    #[test]
    fn parse_skips_a_byte_order_mark_and_rejects_invalid_json() {
        assert_eq!(parse("\u{feff}{}").map(RawValue::get), Some("{}"));
        assert_eq!(parse(" 1e999 ").map(RawValue::get), Some("1e999"));
        for text in ["", "{", "NaN", "1,", "\u{feff}\u{feff}{}"] {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn compare_of_deep_nesting_does_not_overflow_the_stack() {
        let nested = |inner: &str| format!("{}{inner}{}", "[".repeat(20_000), "]".repeat(20_000));
        assert!(differences(&nested("1"), &nested("1")).is_empty());
        assert_eq!(differences(&nested("1"), &nested("2")).len(), 1);
        let mut names = Vec::new();
        let deep = nested(r#"{"fileName": "a"}"#);
        collect_file_names(parse(&deep).expect("JSON"), &mut names);
        assert!(names.is_empty(), "deeper than the maximum");
        let body = r#"{"files": [{"fileName": "a"}, {"x": {"file_name": "b", "fileName": 1}}]}"#;
        collect_file_names(parse(body).expect("JSON"), &mut names);
        assert_eq!(names, ["a", "b"]);
    }
}
