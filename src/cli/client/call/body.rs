//! What calls send.

use std::collections::BTreeMap;

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use super::ReadSource;
use crate::cli::commands::{AccountArg, JsonSource, VerifyArgs};

/// `{}`.
fn empty_object() -> Vec<u8> {
    b"{}".to_vec()
}

/// An object of those fields that are said.
pub fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Vec<u8> {
    text_or_null(fields).map_or_else(empty_object, |object| object.to_string().into_bytes())
}

fn text_or_null<const N: usize>(fields: [(&str, Option<Value>); N]) -> Option<Value> {
    let body = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let object: Map<String, Value> = body.collect();
    (!object.is_empty()).then_some(Value::Object(object))
}

/// The field `account`.
pub fn account(of: &AccountArg) -> (&'static str, Option<Value>) {
    ("account", text(of.key.as_ref()))
}

fn text(message: Option<&String>) -> Option<Value> {
    message.map(|text| text.as_str().into())
}

/// The JSON that was given; none is `{}`.
pub fn json_or_empty(json: Option<&JsonSource>, read: ReadSource<'_>) -> Result<Vec<u8>, String> {
    json.map_or_else(|| Ok(empty_object()), read)
}

/// The object with the account in it, its text as it was otherwise. What is no object is left to
/// the server to refuse, and so is one that has an account already.
pub fn with_account(json: Vec<u8>, of: &AccountArg) -> Vec<u8> {
    let (_, Some(key)) = account(of) else {
        return json;
    };
    let Some(rest) = json.trim_ascii_start().strip_prefix(b"{") else {
        return json;
    };
    let is_empty = rest.trim_ascii_start().starts_with(b"}");
    let comma = if is_empty { "" } else { "," };
    let begin = format!(r#"{{"account":{key}{comma}"#);
    [begin.as_bytes(), rest].concat()
}

/// Body of a verification. The JSON of `--body` is sent as it was given, with all digits of its numbers.
///
/// # Errors
/// Returns one line if `--body` cannot be read or is not JSON.
pub fn verify_body(wanted: &VerifyArgs, read: ReadSource<'_>) -> Result<Vec<u8>, String> {
    let mut when = raw_fields([
        ("operation", text(wanted.like.operation.as_ref())),
        ("method", text(wanted.like.method.as_ref())),
        ("path", text(wanted.like.path.as_ref())),
        ("fileName", text(wanted.file_name.as_ref())),
        ("status", wanted.like.status.as_deref().map(status)),
        ("query", by_name(&wanted.query)),
        ("headers", by_name(&wanted.header)),
    ])?;
    if let Some(source) = &wanted.body {
        let body = serde_json::from_slice(&read(source)?);
        let body = body.map_err(|error| format!("--body is no JSON: {error}"))?;
        when.insert("body", body);
    }
    let range = [
        ("min", wanted.min.map(Value::from)),
        ("max", wanted.max.map(Value::from)),
    ];
    let count = wanted
        .count
        .map(Value::from)
        .or_else(|| text_or_null(range));
    let timeout_ms = wanted.timeout_ms.map(Value::from);
    let mut fields = raw_fields([
        account(&wanted.of),
        ("count", count),
        ("timeoutMs", timeout_ms),
    ])?;
    if !when.is_empty() {
        fields.insert(
            "when",
            to_raw_value(&when).map_err(|error| unwritten(&error))?,
        );
    }
    serde_json::to_vec(&fields).map_err(|error| unwritten(&error))
}

/// Returns the fields that have a value, as JSON texts.
fn raw_fields<const N: usize>(
    fields: [(&'static str, Option<Value>); N],
) -> Result<BTreeMap<&'static str, Box<RawValue>>, String> {
    let provided = fields.into_iter().filter_map(|(name, value)| {
        let raw = to_raw_value(&value?);
        Some(raw.map(|raw| (name, raw)))
    });
    provided
        .collect::<Result<_, _>>()
        .map_err(|error| unwritten(&error))
}

fn unwritten(error: &serde_json::Error) -> String {
    format!("cannot write the request: {error}")
}

/// A status as a number, or a class as a text.
fn status(text: &str) -> Value {
    let number = text.parse::<u16>().map(Value::from);
    number.unwrap_or_else(|_| text.into())
}

fn by_name(pairs: &[(String, String)]) -> Option<Value> {
    let pairs = pairs.iter();
    let object: Map<String, Value> = pairs
        .map(|(name, value)| (name.clone(), value.as_str().into()))
        .collect();
    (!object.is_empty()).then_some(Value::Object(object))
}
