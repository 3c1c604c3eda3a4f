//! `GET /openapi.json` and `GET /docs`: these routes described, from the code that serves them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Value, json};

use super::error::{ErrorCode, UNREADABLE_BODY};
use super::problem::ValidationError;
use crate::http::openapi::{ApiInfo, OperationDoc, SecurityScheme, document};
use crate::http::{PathParam, swagger_ui};

/// Where the description is, as `FastAPI` has it.
const PATH: &str = "/openapi.json";

const ABOUT: ApiInfo = ApiInfo {
    title: "Undetectable AI image detector",
    text: "The routes of Undetectable AI's image detector, as stuntdouble answers them. Upload a \
           file to the place that `/get-presigned-url` tells, have it looked at by `/detect`, and \
           ask `/query` until it is done. Fields and parameters that are not described are ignored.",
    key: Some(SecurityScheme::Header {
        name: "apikey",
        text: "Any word is a key, unless the server's mode is strict.",
    }),
};

const BAD_REQUEST: u16 = 400;

/// What is refused where the store is asked.
pub const INTERNAL_ERRORS: [ErrorCode; 2] = [ErrorCode::Internal, ErrorCode::Unavailable];

/// Adds what is refused with these codes, and what every operation may refuse.
pub fn with_errors<'s>(
    mut described: OperationDoc<'s>,
    groups: &[&[ErrorCode]],
) -> OperationDoc<'s> {
    let mut messages: BTreeMap<u16, Vec<&'static str>> = BTreeMap::new();
    // The guard refuses requests without a valid Host header before they are routed.
    let groups = groups
        .iter()
        .copied()
        .chain([&[ErrorCode::InvalidHost][..]]);
    for code in groups.flatten() {
        let lines = messages.entry(code.status().as_u16()).or_default();
        lines.push(code.message());
    }
    for (status, mut lines) in messages {
        lines.sort_unstable();
        lines.dedup();
        let text = format!("Refused: {}.", lines.join("; "));
        let mut schema = single_field_schema("error", &json!({"type": "string", "enum": lines}));
        if status == BAD_REQUEST && described.has_body() {
            let unreadable = single_field_schema("detail", &json!({"const": UNREADABLE_BODY}));
            schema = json!({"anyOf": [schema, unreadable]});
        }
        described = described.response_schema(status, &text, &schema);
        if status == ErrorCode::TooManyRequests.status().as_u16() {
            let seconds = json!({"type": "integer", "minimum": 0});
            let text = "Seconds after which it may be asked again.";
            described = described.with_header(status, "Retry-After", true, text, &seconds);
        }
    }
    if described.has_input() {
        let problem = described.schema::<ValidationError>();
        let problems = json!({"type": "array", "items": problem, "minItems": 1});
        let schema = single_field_schema("detail", &problems);
        described = described.response_schema(422, "What is asked does not fit.", &schema);
    }
    let schema = single_field_schema("detail", &json!({"const": "Not Acceptable"}));
    described.response_schema(406, "`Accept` excludes what is answered.", &schema)
}

fn single_field_schema(name: &str, schema: &Value) -> Value {
    json!({
        "type": "object",
        "properties": {name: schema},
        "required": [name],
        "additionalProperties": false,
    })
}

/// The routes of this front door, as an OpenAPI document.
#[must_use]
pub fn description() -> Value {
    document(&ABOUT, &super::routes(None).operations())
}

pub async fn openapi() -> Response {
    static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(description().to_string()));
    let json = [(CONTENT_TYPE, "application/json")];
    (json, Bytes::clone(&DOCUMENT)).into_response()
}

pub async fn page() -> Response {
    swagger_ui::page(ABOUT.title, PATH)
}

pub async fn file(headers: axum::http::HeaderMap, PathParam(name): PathParam) -> Response {
    swagger_ui::file(&name, &headers).unwrap_or_else(|| {
        let why = format!("GET /docs/{name} is no file");
        super::error::ApiError::not_found(why).into_response()
    })
}
