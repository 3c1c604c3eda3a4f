//! Request bodies of calls.

use std::collections::BTreeMap;

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use super::ReadSource;
use crate::cli::commands::{AccountArg, JsonSource, VerifyArgs};

const EMPTY_OBJECT: &[u8] = b"{}";

/// Returns an object with the fields that have a value.
pub fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Vec<u8> {
    object_value(fields).map_or_else(
        || EMPTY_OBJECT.to_vec(),
        |object| object.to_string().into_bytes(),
    )
}

fn object_value<const N: usize>(fields: [(&str, Option<Value>); N]) -> Option<Value> {
    let fields = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let object: Map<String, Value> = fields.collect();
    (!object.is_empty()).then_some(Value::Object(object))
}

/// Returns the field `account`, with no value if the option is not given.
pub fn account_field(account: &AccountArg) -> (&'static str, Option<Value>) {
    ("account", text(account.key.as_ref()))
}

fn text(option: Option<&String>) -> Option<Value> {
    option.map(|text| text.as_str().into())
}

/// Returns the JSON of a source, or `{}` if no source is given.
pub fn json_or_empty(json: Option<&JsonSource>, read: ReadSource<'_>) -> Result<Vec<u8>, String> {
    json.map_or_else(|| Ok(EMPTY_OBJECT.to_vec()), read)
}

/// Returns the object with the field `account` inserted first and every other byte unchanged. JSON
/// that is no object is returned as it is, for the server to refuse. A second `account` is not
/// removed.
pub fn with_account(json: Vec<u8>, account: &AccountArg) -> Vec<u8> {
    let (_, Some(key)) = account_field(account) else {
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

/// Body of a verification. The JSON of `--body` is sent as it was given, with all digits of its
/// numbers.
///
/// # Errors
/// Returns one line if `--body` cannot be read or is not JSON.
pub fn verify_body(args: &VerifyArgs, read: ReadSource<'_>) -> Result<Vec<u8>, String> {
    let mut when = raw_fields([
        ("operation", text(args.filter.operation.as_ref())),
        ("method", text(args.filter.method.as_ref())),
        ("path", text(args.filter.path.as_ref())),
        ("fileName", text(args.file_name.as_ref())),
        ("status", args.filter.status.as_deref().map(status)),
        ("query", by_name(&args.query)),
        ("headers", by_name(&args.header)),
    ])?;
    if let Some(source) = &args.body {
        let body = serde_json::from_slice(&read(source)?)
            .map_err(|error| format!("--body: invalid JSON: {error}"))?;
        when.insert("body", body);
    }
    let range = [
        ("min", args.min.map(Value::from)),
        ("max", args.max.map(Value::from)),
    ];
    let count = args.count.map(Value::from).or_else(|| object_value(range));
    let timeout_ms = args.timeout_ms.map(Value::from);
    let mut fields = raw_fields([
        account_field(&args.account),
        ("count", count),
        ("timeoutMs", timeout_ms),
    ])?;
    if !when.is_empty() {
        fields.insert(
            "when",
            to_raw_value(&when).map_err(|error| serialize_error(&error))?,
        );
    }
    serde_json::to_vec(&fields).map_err(|error| serialize_error(&error))
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
        .map_err(|error| serialize_error(&error))
}

fn serialize_error(error: &serde_json::Error) -> String {
    format!("cannot write the request: {error}")
}

/// Returns a status as a number, or a class such as `4xx` as a string.
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
