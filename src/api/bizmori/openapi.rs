//! OpenAPI description of the API, from the operations and the types of their bodies.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::error::{ErrorCode, ErrorCodeBody};
use super::events;
use super::wire::DataEnvelope;
use crate::http::openapi::{ApiInfo, OperationDoc, SecurityScheme, document};

const API_INFO: ApiInfo = ApiInfo {
    title: "BIZ MORI v2 and v3",
    text: "The routes of BIZ MORI, as stuntdouble answers them. Create an order, upload its files to the \
           `uploadUrl`s of the response, confirm the order (anti-AI and AI detection), and read it until \
           its `status` is `complete` or `failed`, or wait for its webhook. Fields and parameters that \
           are not described are ignored.",
    key: Some(SecurityScheme::BearerKey {
        text: "Any text is a valid key, unless the server's key mode is strict. Keys that begin with \
               `sk_test_` are test keys.",
    }),
    webhooks: &[events::WEBHOOK],
};

/// Errors that every operation can answer: a malformed `Host`, a web page that must not call the API, and
/// faults of the server.
const COMMON_ERRORS: [ErrorCode; 4] = [
    ErrorCode::AuthForbidden,
    ErrorCode::ServerInternalError,
    ErrorCode::ServiceUnavailable,
    ErrorCode::ValidationFailed,
];

/// Errors of operations that require a key.
const KEY_ERRORS: [ErrorCode; 6] = [
    ErrorCode::AuthForbidden,
    ErrorCode::AuthNotAuthenticated,
    ErrorCode::AuthTokenExpired,
    ErrorCode::AuthTokenInvalid,
    ErrorCode::AuthTokenInvalidFormat,
    ErrorCode::RateLimitExceeded,
];

/// Returns the OpenAPI document of this API.
#[must_use]
pub fn description() -> Value {
    document(&API_INFO, &super::routes(None).operations())
}

/// Adds the response `{"data": …}`, status 200.
pub fn describe_data<'s, T: Serialize + JsonSchema>(
    doc: OperationDoc<'s>,
    text: &str,
) -> OperationDoc<'s> {
    doc.response::<DataEnvelope<T>>(200, text)
}

/// Adds the requirement of a key, its errors, and those with one of `codes`.
pub fn with_key_errors<'s>(doc: OperationDoc<'s>, codes: &[ErrorCode]) -> OperationDoc<'s> {
    let text = "Seconds to wait before the next request, with `RATE_LIMIT_EXCEEDED`.";
    let seconds = json!({"type": "integer", "minimum": 0});
    with_errors(doc.security(), &[&KEY_ERRORS, codes].concat()).with_header(
        429,
        "Retry-After",
        false,
        text,
        &seconds,
    )
}

/// Adds the error responses with one of `codes`, and those that every operation can answer.
pub fn with_errors<'s>(mut doc: OperationDoc<'s>, codes: &[ErrorCode]) -> OperationDoc<'s> {
    let codes: BTreeSet<ErrorCode> = codes.iter().copied().chain(COMMON_ERRORS).collect();
    let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for code in codes {
        by_status
            .entry(code.status().as_u16())
            .or_default()
            .push(code);
    }
    for (status, codes) in by_status {
        doc = error_response(doc, status, &codes);
    }
    doc
}

/// Adds the response 422 `VALIDATION_FAILED`: the request is well-formed, but not allowed.
pub fn with_unprocessable(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    error_response(doc, 422, &[ErrorCode::ValidationFailed])
}

fn error_response<'s>(
    mut doc: OperationDoc<'s>,
    status: u16,
    codes: &[ErrorCode],
) -> OperationDoc<'s> {
    let names = json!(codes);
    let listed: Vec<&str> = names
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let text = format!("Error codes: {}.", listed.join(", "));
    let body = doc.schema::<ErrorCodeBody>();
    let code = json!({"properties": {"code": {"enum": names}}});
    doc.response_schema(status, &text, &json!({"allOf": [body, code]}))
}
