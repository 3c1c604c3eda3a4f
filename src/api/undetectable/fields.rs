//! Reads fields as the vendor's framework does (`FastAPI` over pydantic 1): values are coerced to the
//! type of the field where pydantic coerces them, and all errors are reported at once, in the order of the
//! schema.
//!
//! Reading is total: an invalid field becomes a [`ValidationError`] and reads as missing.
//! [`FieldReader::finish`] reports the errors. Null counts as missing for optional fields.
//!
//! The function that reads the fields also describes them for OpenAPI: see
//! [`FieldReader::describe_fields`].

use std::collections::BTreeMap;
use std::num::IntErrorKind;
use std::ops::RangeInclusive;

use serde_json::{Value as Schema, json};

use super::error::ApiError;
use super::python_json::PyValue;
use super::validation_error::{LocItem, ValidationContext, ValidationError};
use crate::http::openapi::Param;

/// Reader of the fields of one object.
#[derive(Debug)]
pub struct FieldReader<'v> {
    /// First item of `loc` in errors: `body` or `query`.
    location: &'static str,
    object: Option<&'v BTreeMap<String, PyValue>>,
    errors: Vec<ValidationError>,
    /// Descriptions of the fields read so far. `None` unless only the descriptions are wanted.
    params: Option<Vec<Param>>,
}

impl<'v> FieldReader<'v> {
    /// Reads a body. pydantic calls Python's `dict` on it, so that an empty array and an empty string are
    /// objects without fields.
    pub fn for_body(body: &'v PyValue) -> Self {
        static EMPTY: BTreeMap<String, PyValue> = BTreeMap::new();
        let (object, errors) = match body {
            PyValue::Object(members) => (Some(members), Vec::new()),
            PyValue::Null => (None, vec![ValidationError::no_body()]),
            PyValue::Array { is_empty: true } => (Some(&EMPTY), Vec::new()),
            PyValue::Text(text) if text.is_empty() => (Some(&EMPTY), Vec::new()),
            _ => (None, vec![ValidationError::not_an_object()]),
        };
        Self {
            location: "body",
            object,
            errors,
            params: None,
        }
    }

    /// Reads the parameters of a query string.
    pub fn for_query(query: &'v BTreeMap<String, PyValue>) -> Self {
        Self {
            location: "query",
            object: Some(query),
            errors: Vec::new(),
            params: None,
        }
    }

    /// Describes the fields that `read` reads, in its order. `read` gets an object without fields.
    pub fn describe_fields<T>(read: impl FnOnce(&mut Self) -> T) -> Vec<Param> {
        let mut fields = Self {
            location: "",
            object: None,
            errors: Vec::new(),
            params: Some(Vec::new()),
        };
        read(&mut fields);
        fields.params.unwrap_or_default()
    }

    fn describe(&mut self, name: &'static str, required: bool, schema: impl FnOnce() -> Schema) {
        if let Some(params) = &mut self.params {
            params.push(Param {
                name,
                required,
                schema: schema(),
            });
        }
    }

    /// Adds a keyword to the schema of the field described last.
    fn extend_schema(&mut self, keyword: &str, value: impl Into<Schema>) {
        if let Some(param) = self.params.as_mut().and_then(|params| params.last_mut()) {
            param.schema[keyword] = value.into();
        }
    }

    /// Adds an error of the field `name`.
    pub fn push_error(&mut self, name: &'static str, msg: impl Into<String>, r#type: &'static str) {
        self.push_error_in(name, msg, r#type, None);
    }

    fn push_error_in(
        &mut self,
        name: &'static str,
        msg: impl Into<String>,
        r#type: &'static str,
        ctx: impl Into<Option<ValidationContext>>,
    ) {
        let loc = vec![LocItem::Name(self.location), LocItem::Name(name)];
        self.errors.push(ValidationError {
            ctx: ctx.into(),
            ..ValidationError::new(loc, msg, r#type)
        });
    }

    /// Returns a value. `None` if it is missing or null.
    fn get(&self, name: &str) -> Option<&'v PyValue> {
        self.object?
            .get(name)
            .filter(|value| **value != PyValue::Null)
    }

    /// Reads an optional string.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        self.describe(name, false, || json!({"type": "string"}));
        self.read_text(name)
    }

    fn read_text(&mut self, name: &'static str) -> Option<String> {
        let text = self.get(name)?.to_python_str();
        if text.is_none() {
            self.push_error(name, "str type expected", "type_error.str");
        }
        text
    }

    /// Reads the field `key`. Authentication reports a missing key, not the schema.
    pub fn key(&mut self) -> Option<String> {
        self.describe("key", true, || json!({"type": "string"}));
        self.read_text("key")
    }

    /// Reads a required string. Empty if it is missing or invalid.
    pub fn required_text(&mut self, name: &'static str) -> String {
        self.describe(name, true, || json!({"type": "string"}));
        let Some(object) = self.object else {
            return String::new();
        };
        match object.get(name) {
            None => self.push_error(name, "field required", "value_error.missing"),
            Some(PyValue::Null) => {
                let msg = "none is not an allowed value";
                self.push_error(name, msg, "type_error.none.not_allowed");
            }
            Some(_) => {}
        }
        self.read_text(name).unwrap_or_default()
    }

    /// Reads a required string of at most `chars_max` characters.
    pub fn required_text_within(&mut self, name: &'static str, chars_max: usize) -> String {
        let text = self.required_text(name);
        self.extend_schema("maxLength", chars_max);
        if text.chars().count() > chars_max {
            let msg = format!("ensure this value has at most {chars_max} characters");
            let ctx = limit(i64::try_from(chars_max).unwrap_or(i64::MAX));
            self.push_error_in(name, msg, "value_error.any_str.max_length", ctx);
        }
        text
    }

    /// Reads a boolean that is `default` if it is missing or invalid.
    pub fn flag_or(&mut self, name: &'static str, default: bool) -> bool {
        let flag = self.flag(name);
        self.extend_schema("default", default);
        flag.unwrap_or(default)
    }

    /// Reads an optional boolean.
    pub fn flag(&mut self, name: &'static str) -> Option<bool> {
        self.describe(name, false, || json!({"type": "boolean"}));
        let value = self.get(name)?;
        let flag = match value {
            PyValue::Bool(flag) => Some(*flag),
            PyValue::Int(digits) => match digits.as_str() {
                "1" => Some(true),
                "0" => Some(false),
                _ => None,
            },
            PyValue::Float(1.0) => Some(true),
            PyValue::Float(0.0) => Some(false),
            PyValue::Text(text) => match text.to_ascii_lowercase().as_str() {
                "1" | "on" | "t" | "true" | "y" | "yes" => Some(true),
                "0" | "off" | "f" | "false" | "n" | "no" => Some(false),
                _ => None,
            },
            PyValue::Null | PyValue::Float(_) | PyValue::Array { .. } | PyValue::Object(_) => None,
        };
        if flag.is_none() {
            let msg = "value could not be parsed to a boolean";
            self.push_error(name, msg, "type_error.bool");
        }
        flag
    }

    /// Checks that an optional field is one of `words`.
    pub fn one_of(&mut self, name: &'static str, words: &[&str]) {
        self.describe(name, false, || json!({"type": "string", "enum": words}));
        let is_word = |value: &PyValue| matches!(value, PyValue::Text(text) if words.contains(&text.as_str()));
        if self.get(name).is_none_or(is_word) {
            return;
        }
        let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        let msg = format!(
            "value is not a valid enumeration member; permitted: {}",
            quoted.join(", ")
        );
        let enum_values = words.iter().copied().map(str::to_owned).collect();
        let ctx = ValidationContext::Words { enum_values };
        self.push_error_in(name, msg, "type_error.enum", ctx);
    }

    /// Checks that an optional string matches `pattern`. `is_match` implements the pattern.
    pub fn matching(
        &mut self,
        name: &'static str,
        pattern: &'static str,
        is_match: impl FnOnce(&str) -> bool,
    ) {
        self.describe(
            name,
            false,
            || json!({"type": "string", "pattern": pattern}),
        );
        if let Some(text) = self.read_text(name)
            && !is_match(&text)
        {
            let msg = format!("string does not match regex \"{pattern}\"");
            let ctx = ValidationContext::Pattern { pattern };
            self.push_error_in(name, msg, "value_error.str.regex", ctx);
        }
    }

    /// Reads an optional UUID, and returns it in lower case with hyphens.
    pub fn uuid(&mut self, name: &'static str) -> Option<String> {
        self.describe(name, false, || json!({"type": "string", "format": "uuid"}));
        let value = self.get(name)?;
        let uuid = match value {
            PyValue::Text(text) => canonical_uuid(text),
            _ => None,
        };
        if uuid.is_none() {
            self.push_error(name, "value is not a valid uuid", "type_error.uuid");
        }
        uuid
    }

    /// Reads an optional integer in `range`.
    pub fn integer(&mut self, name: &'static str, range: RangeInclusive<i64>) -> Option<i64> {
        self.describe(
            name,
            false,
            || json!({"type": "integer", "minimum": range.start(), "maximum": range.end()}),
        );
        let number = match self.get(name)? {
            PyValue::Int(text) | PyValue::Text(text) => parse_integer(text),
            _ => None,
        };
        let (min, max) = range.into_inner();
        match number {
            None => self.push_error(name, "value is not a valid integer", "type_error.integer"),
            Some(number) if number < min => {
                let msg = format!("ensure this value is greater than or equal to {min}");
                self.push_error_in(name, msg, "value_error.number.not_ge", limit(min));
            }
            Some(number) if number > max => {
                let msg = format!("ensure this value is less than or equal to {max}");
                self.push_error_in(name, msg, "value_error.number.not_le", limit(max));
            }
            Some(number) => return Some(number),
        }
        None
    }

    /// Reads an integer in `range` that is `default` if it is missing or invalid.
    pub fn integer_or(
        &mut self,
        name: &'static str,
        range: RangeInclusive<u32>,
        default: u32,
    ) -> u32 {
        let (min, max) = range.into_inner();
        let number = self.integer(name, min.into()..=max.into());
        self.extend_schema("default", default);
        number
            .and_then(|number| u32::try_from(number).ok())
            .unwrap_or(default)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Returns 422 with all errors so far.
    pub fn finish(self) -> Result<(), ApiError> {
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(ApiError::validation(self.errors))
        }
    }
}

fn limit(limit_value: i64) -> ValidationContext {
    ValidationContext::Limit { limit_value }
}

/// Parses an integer. Numbers beyond 64 bits become the smallest or the largest one.
fn parse_integer(text: &str) -> Option<i64> {
    text.trim()
        .parse()
        .or_else(|error: std::num::ParseIntError| match error.kind() {
            IntErrorKind::PosOverflow => Ok(i64::MAX),
            IntErrorKind::NegOverflow => Ok(i64::MIN),
            _ => Err(error),
        })
        .ok()
}

/// Returns a UUID in lower case with hyphens. Like Python's `uuid.UUID`, accepts a URN, braces, and missing
/// hyphens. `None` if `text` is not a UUID.
pub fn canonical_uuid(text: &str) -> Option<String> {
    let without_scheme = text.strip_prefix("urn:uuid:").unwrap_or(text);
    let bare = without_scheme.trim_matches(['{', '}']).replace('-', "");
    if bare.len() != 32 || !bare.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let hex = bare.to_ascii_lowercase();
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|group| &hex[group]);
    Some(groups.join("-"))
}

#[cfg(test)]
mod tests;
