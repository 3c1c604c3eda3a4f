//! What clients send, read field by field as the vendor's framework reads it (`FastAPI` over
//! pydantic 1): what can be taken for the type wanted is, and everything that cannot is told
//! at once, in the schema's order.
//!
//! Reading is total: a field that does not fit is a [`ValidationError`] and reads as if it were not
//! there; [`FieldReader::finish`] tells in the end. Null is as good as not there, where a field may
//! be left out.
//!
//! What reads fields also describes them: it is run once over [`FieldReader::describe_fields`].

use std::collections::BTreeMap;
use std::num::IntErrorKind;
use std::ops::RangeInclusive;

use serde_json::{Value as Schema, json};

use super::error::ApiError;
use super::problem::{LocItem, ValidationContext, ValidationError};
use super::python_json::PyValue;
use crate::http::openapi::Param;

/// Fields of one object, being read.
#[derive(Debug)]
pub struct FieldReader<'v> {
    place: &'static str,
    object: Option<&'v BTreeMap<String, PyValue>>,
    errors: Vec<ValidationError>,
    /// What was asked for, where that is all that is wanted.
    inputs: Option<Vec<Param>>,
}

impl<'v> FieldReader<'v> {
    /// The fields of a body. pydantic takes what Python's `dict` takes for an object, so an empty array
    /// and an empty text are objects without fields.
    pub fn of_body(body: &'v PyValue) -> Self {
        static EMPTY: BTreeMap<String, PyValue> = BTreeMap::new();
        let (object, problems) = match body {
            PyValue::Object(members) => (Some(members), Vec::new()),
            PyValue::Null => (None, vec![ValidationError::no_body()]),
            PyValue::Array { is_empty: true } => (Some(&EMPTY), Vec::new()),
            PyValue::Text(text) if text.is_empty() => (Some(&EMPTY), Vec::new()),
            _ => (None, vec![ValidationError::not_an_object()]),
        };
        Self {
            place: "body",
            object,
            errors: problems,
            inputs: None,
        }
    }

    /// The parameters of a query.
    pub fn of_query(query: &'v BTreeMap<String, PyValue>) -> Self {
        Self {
            place: "query",
            object: Some(query),
            errors: Vec::new(),
            inputs: None,
        }
    }

    /// The fields that `read` reads, in its order. It is given none of them.
    pub fn describe_fields<T>(read: impl FnOnce(&mut Self) -> T) -> Vec<Param> {
        let mut fields = Self {
            place: "",
            object: None,
            errors: Vec::new(),
            inputs: Some(Vec::new()),
        };
        read(&mut fields);
        fields.inputs.unwrap_or_default()
    }

    fn describe(&mut self, name: &'static str, required: bool, schema: impl FnOnce() -> Schema) {
        if let Some(inputs) = &mut self.inputs {
            inputs.push(Param {
                name,
                required,
                schema: schema(),
            });
        }
    }

    /// Says more on what was described last.
    fn describe_more(&mut self, keyword: &str, value: impl Into<Schema>) {
        if let Some(input) = self.inputs.as_mut().and_then(|inputs| inputs.last_mut()) {
            input.schema[keyword] = value.into();
        }
    }

    /// Adds a problem of the field `name`.
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
        let loc = vec![LocItem::Name(self.place), LocItem::Name(name)];
        self.errors.push(ValidationError {
            ctx: ctx.into(),
            ..ValidationError::new(loc, msg, r#type)
        });
    }

    fn get(&self, name: &str) -> Option<&'v PyValue> {
        self.object?
            .get(name)
            .filter(|value| **value != PyValue::Null)
    }

    /// A text that may be left out.
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

    /// The field `key`. That it has to be there is for those to say who look for its account.
    pub fn key(&mut self) -> Option<String> {
        self.describe("key", true, || json!({"type": "string"}));
        self.read_text("key")
    }

    /// A text that must be there; empty where it is not.
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

    /// A text that must be there, with so many characters at most.
    pub fn required_text_within(&mut self, name: &'static str, chars_max: usize) -> String {
        let text = self.required_text(name);
        self.describe_more("maxLength", chars_max);
        if text.chars().count() > chars_max {
            let msg = format!("ensure this value has at most {chars_max} characters");
            let ctx = limit(i64::try_from(chars_max).unwrap_or(i64::MAX));
            self.push_error_in(name, msg, "value_error.any_str.max_length", ctx);
        }
        text
    }

    /// A yes or no that is `default` where it is left out.
    pub fn flag_or(&mut self, name: &'static str, default: bool) -> bool {
        let flag = self.flag(name);
        self.describe_more("default", default);
        flag.unwrap_or(default)
    }

    /// A yes or no that may be left out.
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

    /// Checks that the field is absent or one of `words`.
    pub fn one_of(&mut self, name: &'static str, words: &[&str]) {
        self.describe(name, false, || json!({"type": "string", "enum": words}));
        let is_one = |value: &PyValue| matches!(value, PyValue::Text(text) if words.contains(&text.as_str()));
        if self.get(name).is_none_or(is_one) {
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

    /// Checks that the field is absent or a text that `pattern` matches, which `is_match` says.
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

    /// A UUID that may be left out, in lower case with hyphens.
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

    /// A whole number in that range that may be left out.
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
        let (least, most) = range.into_inner();
        match number {
            None => self.push_error(name, "value is not a valid integer", "type_error.integer"),
            Some(number) if number < least => {
                let msg = format!("ensure this value is greater than or equal to {least}");
                self.push_error_in(name, msg, "value_error.number.not_ge", limit(least));
            }
            Some(number) if number > most => {
                let msg = format!("ensure this value is less than or equal to {most}");
                self.push_error_in(name, msg, "value_error.number.not_le", limit(most));
            }
            Some(number) => return Some(number),
        }
        None
    }

    /// A whole number in that range that is `default` where it is left out.
    pub fn integer_or(
        &mut self,
        name: &'static str,
        range: RangeInclusive<u32>,
        default: u32,
    ) -> u32 {
        let (least, most) = range.into_inner();
        let number = self.integer(name, least.into()..=most.into());
        self.describe_more("default", default);
        let number = number.and_then(|number| u32::try_from(number).ok());
        number.unwrap_or(default)
    }

    /// Nothing was wrong.
    ///
    /// # Errors
    /// All that was.
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

/// Numbers beyond 64 bits are as good as the ends of these.
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

/// Any of a UUID's spellings (RFC 9562's, as a URN, in braces, without hyphens) as the first.
pub fn canonical_uuid(text: &str) -> Option<String> {
    let bare = text.strip_prefix("urn:uuid:").unwrap_or(text);
    let bare = bare.trim_matches(['{', '}']).replace('-', "");
    let fits = bare.len() == 32 && bare.bytes().all(|byte| byte.is_ascii_hexdigit());
    let hex = fits.then(|| bare.to_ascii_lowercase())?;
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|group| &hex[group]);
    Some(groups.join("-"))
}

#[cfg(test)]
mod tests;
