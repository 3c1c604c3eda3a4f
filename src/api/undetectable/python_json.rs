//! JSON as Python's `json` reads it, with the errors of `CPython` 3.12's scanner: byte order marks, UTF-16
//! and UTF-32, `NaN` and `Infinity`, lone surrogates and integers of any size are read.
//!
//! `serde_json` refuses all of these, and pydantic's own `jiter` has neither UTF-16 nor `CPython`'s messages.
//!
//! The members of the outermost object are returned. Nested containers are checked and returned empty,
//! because no field of this API is a container. Nesting is counted in a list, not on the stack.

mod encoding;
mod scanner;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::python_float;
use scanner::Scanner;

/// A value of a JSON document.
#[derive(Debug, Clone, PartialEq)]
pub enum PyValue {
    Null,
    Bool(bool),
    /// Digits of the integer, with a `-` if it is negative.
    Int(String),
    Float(f64),
    /// A lone surrogate has become U+FFFD.
    Text(String),
    /// An array, without its elements.
    Array {
        is_empty: bool,
    },
    /// Members of the outermost object. Empty for nested objects.
    Object(BTreeMap<String, PyValue>),
}

impl PyValue {
    /// Returns the value in the form of Python's `str`. `None` for null and containers.
    pub fn to_python_str(&self) -> Option<String> {
        match self {
            Self::Text(text) | Self::Int(text) => Some(text.clone()),
            Self::Float(number) => Some(python_float::repr(*number)),
            Self::Bool(true) => Some("True".to_owned()),
            Self::Bool(false) => Some("False".to_owned()),
            Self::Null | Self::Array { .. } | Self::Object(_) => None,
        }
    }
}

impl From<&serde_json::Value> for PyValue {
    fn from(value: &serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match value {
            Json::Null => Self::Null,
            Json::Bool(flag) => Self::Bool(*flag),
            Json::Number(number) if number.is_f64() => {
                Self::Float(number.as_f64().unwrap_or_default())
            }
            Json::Number(number) => Self::Int(number.to_string()),
            Json::String(text) => Self::Text(text.clone()),
            Json::Array(elements) => Self::Array {
                is_empty: elements.is_empty(),
            },
            Json::Object(members) => {
                let members = members.iter();
                Self::Object(
                    members
                        .map(|(name, value)| (name.clone(), value.into()))
                        .collect(),
                )
            }
        }
    }
}

/// Reason why a body cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// Python raises an error other than `JSONDecodeError`. The text is one line for people.
    NotReadable(&'static str),
    Syntax(Box<SyntaxError>),
}

/// `JSONDecodeError` of Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    pub message: &'static str,
    /// The decoded body.
    pub document: String,
    /// Characters before the error.
    pub position: usize,
    /// From 1.
    pub line: usize,
    /// Characters from the beginning of the line, from 1.
    pub column: usize,
}

impl SyntaxError {
    fn new(message: &'static str, text: &[u8], at: usize) -> Self {
        let before = &text[..at.min(text.len())];
        let newline = before.iter().rposition(|byte| *byte == b'\n');
        let line_begin = newline.map_or(0, |newline| newline + 1);
        Self {
            message,
            document: encoding::to_string(text),
            position: encoding::count_chars(before),
            line: before.split(|byte| *byte == b'\n').count(),
            column: encoding::count_chars(&before[line_begin..]) + 1,
        }
    }
}

/// Reads a JSON document in any encoding that Python detects.
///
/// # Errors
/// Returns [`ReadError::NotReadable`] if the bytes are in no Unicode encoding, or exceed a limit of
/// Python. Returns [`ReadError::Syntax`] if the document is malformed.
pub fn read(bytes: &[u8]) -> Result<PyValue, ReadError> {
    let undecodable = "the body is in no Unicode encoding";
    let text = encoding::decode(bytes).ok_or(ReadError::NotReadable(undecodable))?;
    Scanner::new(&text).read_document()
}
