//! Entries of `detail` in a 422, as pydantic 1 writes them.

use schemars::JsonSchema;
use serde::Serialize;

use super::python_json::SyntaxError;

/// Input that does not match the schema: an entry of `detail`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ValidationError {
    pub(super) loc: Vec<LocItem>,
    pub(super) msg: String,
    pub(super) r#type: &'static str,
    /// Omitted unless errors of this type have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ctx: Option<ValidationContext>,
}

/// Details that pydantic adds to an error (`ctx`).
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
        /// The whole body.
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
    Position(usize),
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

    /// Error of a missing body.
    pub fn no_body() -> Self {
        Self::new(
            vec![LocItem::Name("body")],
            "field required",
            "value_error.missing",
        )
    }

    /// Error of a body that is not a JSON object.
    pub fn not_an_object() -> Self {
        Self::new(
            vec![LocItem::Name("body")],
            "value is not a valid dict",
            "type_error.dict",
        )
    }

    /// Error of a body that is malformed JSON.
    pub fn malformed_json(error: SyntaxError) -> Self {
        let SyntaxError {
            message,
            document,
            position,
            line,
            column,
        } = error;
        let msg = format!("{message}: line {line} column {column} (char {position})");
        let loc = vec![LocItem::Name("body"), LocItem::Position(position)];
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

    /// Returns the error as `X-Mock-Reason` names it: `body.url: field required`.
    pub fn message(&self) -> String {
        let items = self.loc.iter().map(|item| match item {
            LocItem::Name(name) => (*name).to_owned(),
            LocItem::Position(position) => position.to_string(),
        });
        let path: Vec<String> = items.collect();
        format!("{}: {}", path.join("."), self.msg)
    }
}
