//! `accountKnown`: tells a mistyped key from an account without entries.
//!
//! A response about an account that did not exist before the call starts with
//! `"accountKnown": false`. Other responses do not have the field.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::Response;
use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt;
use serde_json::{Value, json};

const FIELD: &str = "accountKnown";
/// Statuses besides 2xx whose bodies are results, not errors: a timeout, and a failed verification.
const RESULT_STATUSES: [StatusCode; 2] = [
    StatusCode::REQUEST_TIMEOUT,
    StatusCode::UNPROCESSABLE_ENTITY,
];

fn is_result(status: StatusCode) -> bool {
    status.is_success() || RESULT_STATUSES.contains(&status)
}

/// Adds `"accountKnown": false` to the response if it is a JSON object and not an error.
pub fn mark_unknown(response: Response) -> Response {
    let media_type = response.headers().get(CONTENT_TYPE);
    let is_json = media_type.is_some_and(|it| it == "application/json");
    if !is_json || !is_result(response.status()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    let mut is_marked = false;
    let body = body.map_frame(move |frame| match frame.into_data() {
        Ok(data) if !is_marked && !data.is_empty() => {
            is_marked = true;
            Frame::data(with_field(data))
        }
        Ok(data) => Frame::data(data),
        Err(frame) => frame,
    });
    Response::from_parts(parts, Body::new(body))
}

/// Inserts the field at the start of an object, of which `first` is the first chunk.
fn with_field(first: Bytes) -> Bytes {
    let Some(rest) = first.strip_prefix(b"{") else {
        return first;
    };
    let comma: &[u8] = if rest.starts_with(b"}") { b"" } else { b"," };
    let field = format!("{{\"{FIELD}\":false");
    [field.as_bytes(), comma, rest].concat().into()
}

/// Adds to an OpenAPI document what the middleware reads and adds: the parameter `account` of every
/// operation, the field `account` of every body, and `accountKnown`.
pub fn describe(document: &mut Value) {
    let mut response_schemas = Vec::new();
    let paths = document["paths"].as_object_mut();
    for methods in paths.into_iter().flat_map(|paths| paths.values_mut()) {
        for operation in methods
            .as_object_mut()
            .into_iter()
            .flat_map(|it| it.values_mut())
        {
            describe_input(operation);
            response_schemas.extend(response_schema_pointers(operation));
        }
    }
    for schema in response_schemas {
        let schema = document.pointer_mut(&schema);
        if let Some(properties) = schema.and_then(|it| it["properties"].as_object_mut()) {
            let text = "Present if the account did not exist before the call.";
            let field = json!({"const": false, "description": text});
            properties.insert(FIELD.to_owned(), field);
        }
    }
}

fn describe_input(operation: &mut Value) {
    let account = json!({"type": "string", "minLength": 1});
    let text = "Key of an account. The call concerns only this account.";
    let parameters = &mut operation["parameters"];
    if parameters.is_null() {
        *parameters = json!([]);
    }
    if let Some(parameters) = parameters.as_array_mut()
        && !parameters
            .iter()
            .any(|it| it["name"] == "account" && it["in"] == "query")
    {
        parameters.push(json!({
            "name": "account", "in": "query", "required": false,
            "schema": account, "description": text,
        }));
    }
    let schema = operation.pointer_mut("/requestBody/content/application~1json/schema");
    if let Some(schema) = schema.filter(|it| it["type"] == "object") {
        if schema["properties"].is_null() {
            schema["properties"] = json!({});
        }
        let known = schema["properties"].as_object_mut();
        if let Some(properties) = known {
            let account = json!({"type": ["string", "null"], "minLength": 1, "description": text});
            properties.entry("account").or_insert(account);
        }
    }
}

/// Returns the JSON pointers of the named schemas of an operation's result responses.
fn response_schema_pointers(operation: &Value) -> Vec<String> {
    let responses = operation["responses"].as_object().into_iter().flatten();
    let results = responses.filter(|(status, _)| {
        let status = status
            .parse()
            .ok()
            .and_then(|it| StatusCode::from_u16(it).ok());
        status.is_some_and(is_result)
    });
    let schemas = results.flat_map(|(_, response)| {
        let schema = &response["content"]["application/json"]["schema"];
        let alternatives = schema["anyOf"].as_array().into_iter().flatten();
        std::iter::once(schema).chain(alternatives)
    });
    schemas
        .filter_map(|schema| schema["$ref"].as_str()?.strip_prefix('#'))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_field_inserts_the_field_first_in_an_object_or_its_first_chunk() {
        for (first, expected) in [
            ("{}", r#"{"accountKnown":false}"#),
            (r#"{"a":1}"#, r#"{"accountKnown":false,"a":1}"#),
            (r#"{"a":["#, r#"{"accountKnown":false,"a":["#),
            ("[]", "[]"),
        ] {
            assert_eq!(with_field(Bytes::from_static(first.as_bytes())), expected);
        }
    }
}
