//! Entries of a 422's `detail`.

use schemars::JsonSchema;
use serde::Serialize;

use super::python_json::SyntaxError;

/// Something that does not fit: an entry of a 422's `detail`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ValidationError {
    pub(super) loc: Vec<LocItem>,
    pub(super) msg: String,
    pub(super) r#type: &'static str,
    /// Absent unless the kind of problem has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ctx: Option<ValidationContext>,
}

/// Details that pydantic adds to a problem (`ctx`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum ValidationContext {
    Words {
        enum_values: Vec<String>,
    },
    Limit {
        limit_value: i64,
    },
    Pattern {
        pattern: &'static str,
    },
    /// Attributes of Python's `JSONDecodeError`.
    Json {
        msg: &'static str,
        /// The body.
        doc: String,
        pos: usize,
        lineno: usize,
        colno: usize,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum LocItem {
    Name(&'static str),
    At(usize),
}

impl ValidationError {
    pub(super) fn new(loc: Vec<LocItem>, msg: impl Into<String>, r#type: &'static str) -> Self {
        Self {
            loc,
            msg: msg.into(),
            r#type,
            ctx: None,
        }
    }

    /// There is no body.
    pub fn no_body() -> Self {
        Self::new(
            vec![LocItem::Name("body")],
            "field required",
            "value_error.missing",
        )
    }

    /// The body is something, but no JSON object.
    pub fn not_an_object() -> Self {
        Self::new(
            vec![LocItem::Name("body")],
            "value is not a valid dict",
            "type_error.dict",
        )
    }

    /// Problem of a body that is malformed JSON.
    pub fn malformed_json(error: SyntaxError) -> Self {
        let SyntaxError {
            message,
            document,
            position,
            line,
            column,
        } = error;
        let msg = format!("{message}: line {line} column {column} (char {position})");
        let loc = vec![LocItem::Name("body"), LocItem::At(position)];
        let ctx = ValidationContext::Json {
            msg: message,
            doc: document,
            pos: position,
            lineno: line,
            colno: column,
        };
        Self {
            ctx: Some(ctx),
            ..Self::new(loc, msg, "value_error.jsondecode")
        }
    }

    /// As it stands in `X-Mock-Reason`: `body.url: field required`.
    pub fn message(&self) -> String {
        let steps = self.loc.iter().map(|step| match step {
            LocItem::Name(name) => (*name).to_owned(),
            LocItem::At(at) => at.to_string(),
        });
        let path: Vec<String> = steps.collect();
        format!("{}: {}", path.join("."), self.msg)
    }
}
