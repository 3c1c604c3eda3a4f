//! What clients send, read field by field as the vendor's framework reads it (`FastAPI` over
//! pydantic 1): what can be taken for the type wanted is, and everything that cannot is told
//! at once, in the schema's order.
//!
//! Reading is total: a field that does not fit is a [`Problem`] and reads as if it were not
//! there; [`Fields::fit`] tells in the end. Null is as good as not there, where a field may
//! be left out.

use std::num::IntErrorKind;
use std::ops::RangeInclusive;

use serde::Serialize;
use serde_json::{Map, Value};

use super::error::Refusal;

/// Something that does not fit: an entry of a 422's `detail`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    loc: Vec<Step>,
    msg: String,
    r#type: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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

    /// As it stands in `X-Mock-Why`: `body.url: field required`.
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
        }
    }

    /// The parameters of a query.
    pub fn of_query(query: &'v Map<String, Value>) -> Self {
        Self {
            place: "query",
            object: Some(query),
            problems: Vec::new(),
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

    /// A text that must be there; empty where it is not.
    pub fn required_text(&mut self, name: &'static str) -> String {
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
        self.text(name).unwrap_or_default()
    }

    /// A yes or no that may be left out.
    pub fn flag(&mut self, name: &'static str) -> Option<bool> {
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
        let value = self.given(name)?;
        let uuid = value.as_str().and_then(canonical_uuid);
        if uuid.is_none() {
            self.problem(name, "value is not a valid uuid", "type_error.uuid");
        }
        uuid
    }

    /// A whole number in that range that may be left out.
    pub fn integer(&mut self, name: &'static str, range: RangeInclusive<i64>) -> Option<i64> {
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
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(fields: &Fields) -> Vec<String> {
        let told = |problem: &Problem| format!("{} ({})", problem.line(), problem.r#type);
        fields.problems.iter().map(told).collect()
    }

    #[test]
    fn what_can_be_taken_for_the_type_is() {
        let body = json!({
            "a": "x", "b": 5, "c": true, "d": null, "e": "ON", "f": 0, "g": 1.0, "h": "No",
            "i": "{0F0E0D0C-0B0A-4908-8706-050403020100}", "j": " 7 ", "k": 8
        });
        let mut fields = Fields::of_body(&body);
        assert_eq!(fields.required_text("a"), "x");
        assert_eq!(fields.text("b").as_deref(), Some("5"));
        assert_eq!(fields.text("c").as_deref(), Some("True"));
        assert_eq!((fields.text("d"), fields.text("absent")), (None, None));
        assert_eq!(fields.flag("c"), Some(true));
        assert_eq!(fields.flag("d"), None);
        assert_eq!(fields.flag("e"), Some(true));
        assert_eq!(fields.flag("f"), Some(false));
        assert_eq!(fields.flag("g"), Some(true));
        assert_eq!(fields.flag("h"), Some(false));
        let uuid = "0f0e0d0c-0b0a-4908-8706-050403020100";
        assert_eq!(fields.uuid("i").as_deref(), Some(uuid));
        assert_eq!(fields.integer("j", 1..=9), Some(7));
        assert_eq!(fields.integer("k", 1..=9), Some(8));
        fields.one_of("a", &["x", "y"]);
        fields.one_of("absent", &["x"]);
        assert_eq!(fields.fit(), Ok(()));
    }

    #[test]
    fn everything_that_does_not_fit_is_told_in_order() {
        let body = json!({
            "a": null, "b": {}, "c": "maybe", "d": 2, "e": "z", "f": "1-2", "g": "1.5",
            "h": "99999999999999999999", "i": 0
        });
        let mut fields = Fields::of_body(&body);
        fields.required_text("absent");
        fields.required_text("a");
        fields.required_text("b");
        fields.flag("c");
        fields.flag("d");
        fields.one_of("e", &["x", "y"]);
        fields.uuid("f");
        fields.integer("g", 1..=9);
        fields.integer("h", 1..=9);
        fields.integer("i", 1..=9);
        let expected = [
            "body.absent: field required (value_error.missing)",
            "body.a: none is not an allowed value (type_error.none.not_allowed)",
            "body.b: str type expected (type_error.str)",
            "body.c: value could not be parsed to a boolean (type_error.bool)",
            "body.d: value could not be parsed to a boolean (type_error.bool)",
            "body.e: value is not a valid enumeration member; permitted: 'x', 'y' (type_error.enum)",
            "body.f: value is not a valid uuid (type_error.uuid)",
            "body.g: value is not a valid integer (type_error.integer)",
            "body.h: ensure this value is less than or equal to 9 (value_error.number.not_le)",
            "body.i: ensure this value is greater than or equal to 1 (value_error.number.not_ge)",
        ];
        assert_eq!(lines(&fields), expected);
    }

    #[test]
    fn a_body_that_is_no_object_is_one_problem_whatever_its_fields() {
        for (body, line) in [
            (json!(null), "body: field required (value_error.missing)"),
            (
                json!([1]),
                "body: value is not a valid dict (type_error.dict)",
            ),
        ] {
            let mut fields = Fields::of_body(&body);
            fields.required_text("url");
            fields.flag("b");
            assert_eq!(lines(&fields), [line]);
        }
    }
}
