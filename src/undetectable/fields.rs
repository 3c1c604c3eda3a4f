//! What clients send, read field by field as the vendor's framework reads it (`FastAPI` over
//! pydantic 1): what can be taken for the type wanted is, and everything that cannot is told
//! at once, in the schema's order.
//!
//! Reading is total: a field that does not fit is a [`Problem`] and reads as if it were not
//! there; [`Fields::fit`] tells in the end. Null is as good as not there, where a field may
//! be left out.
//!
//! What reads fields also describes them: it is run once over [`Fields::described`].

use std::num::IntErrorKind;
use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::error::Refusal;
use crate::web::openapi::Input;

/// Something that does not fit: an entry of a 422's `detail`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Problem {
    loc: Vec<Step>,
    msg: String,
    r#type: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
enum Step {
    Name(&'static str),
    At(usize),
}

impl Problem {
    fn new(loc: Vec<Step>, msg: impl Into<String>, r#type: &'static str) -> Self {
        let msg = msg.into();
        Self { loc, msg, r#type }
    }

    /// There is no body.
    pub fn no_body() -> Self {
        Self::new(
            vec![Step::Name("body")],
            "field required",
            "value_error.missing",
        )
    }

    /// The body is something, but no JSON object.
    pub fn no_object() -> Self {
        Self::new(
            vec![Step::Name("body")],
            "value is not a valid dict",
            "type_error.dict",
        )
    }

    /// The body is no JSON: since line and column (from 1), which is character `at` (from 0).
    pub fn no_json(line: usize, column: usize, at: usize) -> Self {
        let msg = format!("Expecting value: line {line} column {column} (char {at})");
        let loc = vec![Step::Name("body"), Step::At(at)];
        Self::new(loc, msg, "value_error.jsondecode")
    }

    /// As it stands in `X-Mock-Reason`: `body.url: field required`.
    pub fn line(&self) -> String {
        let steps = self.loc.iter().map(|step| match step {
            Step::Name(name) => (*name).to_owned(),
            Step::At(at) => at.to_string(),
        });
        let path: Vec<String> = steps.collect();
        format!("{}: {}", path.join("."), self.msg)
    }
}

/// Fields of one object, being read.
#[derive(Debug)]
pub struct Fields<'v> {
    place: &'static str,
    object: Option<&'v Map<String, Value>>,
    problems: Vec<Problem>,
    /// What was asked for, where that is all that is wanted.
    inputs: Option<Vec<Input>>,
}

impl<'v> Fields<'v> {
    /// The fields of a body.
    pub fn of_body(body: &'v Value) -> Self {
        let problems = match body {
            Value::Object(_) => Vec::new(),
            Value::Null => vec![Problem::no_body()],
            _ => vec![Problem::no_object()],
        };
        Self {
            place: "body",
            object: body.as_object(),
            problems,
            inputs: None,
        }
    }

    /// The parameters of a query.
    pub fn of_query(query: &'v Map<String, Value>) -> Self {
        Self {
            place: "query",
            object: Some(query),
            problems: Vec::new(),
            inputs: None,
        }
    }

    /// The fields that `read` reads, in its order. It is given none of them.
    pub fn described<T>(read: impl FnOnce(&mut Self) -> T) -> Vec<Input> {
        let mut fields = Self {
            place: "",
            object: None,
            problems: Vec::new(),
            inputs: Some(Vec::new()),
        };
        read(&mut fields);
        fields.inputs.unwrap_or_default()
    }

    fn describe(&mut self, name: &'static str, required: bool, schema: impl FnOnce() -> Value) {
        if let Some(inputs) = &mut self.inputs {
            inputs.push(Input {
                name,
                required,
                schema: schema(),
            });
        }
    }

    /// Says more on what was described last.
    fn describe_more(&mut self, keyword: &str, value: impl Into<Value>) {
        if let Some(input) = self.inputs.as_mut().and_then(|inputs| inputs.last_mut()) {
            input.schema[keyword] = value.into();
        }
    }

    /// What does not fit with the field of that name.
    pub fn problem(&mut self, name: &'static str, msg: impl Into<String>, r#type: &'static str) {
        let loc = vec![Step::Name(self.place), Step::Name(name)];
        self.problems.push(Problem::new(loc, msg, r#type));
    }

    fn given(&self, name: &str) -> Option<&'v Value> {
        self.object?.get(name).filter(|value| !value.is_null())
    }

    /// A text that may be left out.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        self.describe(name, false, || json!({"type": "string"}));
        self.read_text(name)
    }

    fn read_text(&mut self, name: &'static str) -> Option<String> {
        match self.given(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(true) => Some("True".to_owned()),
            Value::Bool(false) => Some("False".to_owned()),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                self.problem(name, "str type expected", "type_error.str");
                None
            }
        }
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
            None => self.problem(name, "field required", "value_error.missing"),
            Some(Value::Null) => {
                let msg = "none is not an allowed value";
                self.problem(name, msg, "type_error.none.not_allowed");
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
            self.problem(name, msg, "value_error.any_str.max_length");
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
        let value = self.given(name)?;
        let flag = match value {
            Value::Bool(flag) => Some(*flag),
            Value::Number(number) => match number.as_f64() {
                Some(1.0) => Some(true),
                Some(0.0) => Some(false),
                _ => None,
            },
            Value::String(text) => match text.to_ascii_lowercase().as_str() {
                "1" | "on" | "t" | "true" | "y" | "yes" => Some(true),
                "0" | "off" | "f" | "false" | "n" | "no" => Some(false),
                _ => None,
            },
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        };
        if flag.is_none() {
            let msg = "value could not be parsed to a boolean";
            self.problem(name, msg, "type_error.bool");
        }
        flag
    }

    /// Tells if the field is there and is none of the words.
    pub fn one_of(&mut self, name: &'static str, words: &[&str]) {
        self.describe(name, false, || json!({"type": "string", "enum": words}));
        let fits = |value: &Value| value.as_str().is_some_and(|text| words.contains(&text));
        if self.given(name).is_none_or(fits) {
            return;
        }
        let words: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        let msg = format!(
            "value is not a valid enumeration member; permitted: {}",
            words.join(", ")
        );
        self.problem(name, msg, "type_error.enum");
    }

    /// A UUID that may be left out, in lower case with hyphens.
    pub fn uuid(&mut self, name: &'static str) -> Option<String> {
        self.describe(name, false, || json!({"type": "string", "format": "uuid"}));
        let value = self.given(name)?;
        let uuid = value.as_str().and_then(canonical_uuid);
        if uuid.is_none() {
            self.problem(name, "value is not a valid uuid", "type_error.uuid");
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
        let number = match self.given(name)? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => parse_integer(text),
            _ => None,
        };
        let (least, most) = range.into_inner();
        match number {
            None => self.problem(name, "value is not a valid integer", "type_error.integer"),
            Some(number) if number < least => {
                let msg = format!("ensure this value is greater than or equal to {least}");
                self.problem(name, msg, "value_error.number.not_ge");
            }
            Some(number) if number > most => {
                let msg = format!("ensure this value is less than or equal to {most}");
                self.problem(name, msg, "value_error.number.not_le");
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
    pub fn fit(self) -> Result<(), Refusal> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(Refusal::unfit(self.problems))
        }
    }
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
