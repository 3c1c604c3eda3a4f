//! Floats as Python prints them: with a point or an exponent, and with all their digits.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::ser::Error;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// Number that Python's `json` writes as a float: `98.0`, never `98`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PyFloat(pub f64);

impl Serialize for PyFloat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json = RawValue::from_string(repr(self.0));
        json.map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl JsonSchema for PyFloat {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Float".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "number"})
    }
}

/// Returns Python's `repr` of a float: the shortest digits that read as the same number, with an exponent
/// below 0.0001 and from 1e16 on.
pub fn repr(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..16).contains(&exponent) {
        let decimal = number.to_string();
        return if decimal.contains('.') {
            decimal
        } else {
            decimal + ".0"
        };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repr_equals_that_of_python() {
        for (number, expected) in [
            (98.0, "98.0"),
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (90.237_153_818_523_5, "90.2371538185235"),
            (0.1 + 0.2, "0.30000000000000004"),
            (0.0001, "0.0001"),
            (0.000_012, "1.2e-05"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(repr(number), expected);
        }
    }

    #[test]
    fn serialize_writes_the_point() {
        let json = serde_json::to_string(&[PyFloat(98.0), PyFloat(1e-5)]).expect("JSON");
        assert_eq!(json, "[98.0,1e-05]");
        let value = serde_json::to_value(PyFloat(98.0)).expect("JSON");
        assert_eq!(value, serde_json::json!(98.0));
    }
}
