//! `GET /openapi.json` and `GET /docs`: the routes of this API, described by the code that serves them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Value, json};

use super::accept::accepts_json;
use super::error::{ApiError, ErrorCode, UNREADABLE_BODY};
use super::validation_error::ValidationError;
use crate::http::openapi::{ApiInfo, OperationDoc, SecurityScheme, document};
use crate::http::swagger_ui::{self, DocsPage};
use crate::http::{PathParam, Routes};

/// `FastAPI`'s default.
const DESCRIPTION_PATH: &str = "/openapi.json";
/// `FastAPI`'s default.
const DOCS_PATH: &str = "/docs";

const API_INFO: ApiInfo = ApiInfo {
    title: "Undetectable AI image detector",
    text: "The routes of Undetectable AI's image detector, as stuntdouble answers them. Get an upload \
           URL from `/get-presigned-url`, upload a file to it, queue the file with `/detect`, and poll \
           `/query` until the document is done. Fields and parameters that are not described are ignored.",
    key: Some(SecurityScheme::Header {
        name: "apikey",
        text: "Any text is a valid key, unless the server's key mode is strict.",
    }),
    webhooks: &[],
};

const BAD_REQUEST: u16 = 400;

/// Errors of every operation that uses the database.
pub const INTERNAL_ERRORS: [ErrorCode; 2] = [ErrorCode::Internal, ErrorCode::Unavailable];

/// Adds the description and its pages.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on(
            "undetectable.openapi",
            Method::GET,
            DESCRIPTION_PATH,
            accepts_json(get_description),
        )
        .on("undetectable.docs", Method::GET, DOCS_PATH, get_page)
        .on(
            "undetectable.docsFile",
            Method::GET,
            "/docs/{file}",
            get_page_file,
        )
}

/// Adds the responses for `groups` of error codes, and the errors that every operation may answer.
pub fn with_errors<'s>(mut doc: OperationDoc<'s>, groups: &[&[ErrorCode]]) -> OperationDoc<'s> {
    // The guard refuses requests without a valid Host header before they are routed.
    let every_operation: &[ErrorCode] = &[ErrorCode::InvalidHost];
    let groups = groups.iter().copied().chain([every_operation]);
    let mut messages_by_status: BTreeMap<u16, Vec<&'static str>> = BTreeMap::new();
    for code in groups.flatten() {
        let messages = messages_by_status.entry(code.status().as_u16());
        messages.or_default().push(code.message());
    }
    for (status, mut messages) in messages_by_status {
        messages.sort_unstable();
        messages.dedup();
        let text = format!("Error: {}.", messages.join("; "));
        let mut schema = single_field_schema("error", &json!({"type": "string", "enum": messages}));
        if status == BAD_REQUEST && doc.has_body() {
            let unreadable = single_field_schema("detail", &json!({"const": UNREADABLE_BODY}));
            schema = json!({"anyOf": [schema, unreadable]});
        }
        doc = doc.response_schema(status, &text, &schema);
        if status == ErrorCode::TooManyRequests.status().as_u16() {
            let seconds = json!({"type": "integer", "minimum": 0});
            let text = "Seconds to wait before the next request.";
            doc = doc.with_header(status, "Retry-After", true, text, &seconds);
        }
    }
    if doc.has_input() {
        let error = doc.schema::<ValidationError>();
        let errors = json!({"type": "array", "items": error, "minItems": 1});
        let schema = single_field_schema("detail", &errors);
        doc = doc.response_schema(422, "The request does not match the schema.", &schema);
    }
    let schema = single_field_schema("detail", &json!({"const": "Not Acceptable"}));
    doc.response_schema(
        406,
        "`Accept` excludes the media type of the response.",
        &schema,
    )
}

fn single_field_schema(name: &str, schema: &Value) -> Value {
    let reason = json!({"type": "string", "description": "Reason; only with `--explain-errors`."});
    json!({
        "type": "object",
        "properties": {name: schema, "_mock": reason},
        "required": [name],
        "additionalProperties": false,
    })
}

/// Returns the OpenAPI document of this API.
#[must_use]
pub fn description() -> Value {
    document(&API_INFO, &super::routes(None).operations())
}

async fn get_description() -> Response {
    static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(description().to_string()));
    let json = [(CONTENT_TYPE, "application/json")];
    (json, Bytes::clone(&DOCUMENT)).into_response()
}

async fn get_page() -> Response {
    let page = DocsPage {
        title: API_INFO.title,
        path: DOCS_PATH,
        documents: &[("undetectable", DESCRIPTION_PATH.to_owned())],
        requires_token: false,
    };
    page.response()
}

async fn get_page_file(headers: HeaderMap, PathParam(name): PathParam) -> Response {
    swagger_ui::file(&name, &headers).unwrap_or_else(|| {
        ApiError::not_found(format!("no such file: /docs/{name}")).into_response()
    })
}
