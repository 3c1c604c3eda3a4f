//! `GET /_mock/openapi.json`: OpenAPI description of the control plane, generated from the code.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Value, json};

use super::error::ErrorEnvelope;
use super::error_code::ControlErrorCode;
use super::named_account::known;
use crate::http::Routes;
use crate::http::openapi::{ApiInfo, OperationDoc, Param, SecurityScheme, document};

/// Adds the route of the OpenAPI description.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on(
            "control.openapi",
            Method::GET,
            "/_mock/openapi.json",
            openapi,
        )
        .docs(describe)
}

const ABOUT: ApiInfo = ApiInfo {
    title: "stuntdouble's control plane",
    text: "Tests steer and inspect the server with these operations. The unit of isolation is the \
           account: one API key, for both vendors. Every operation accepts an `account` in the query \
           or the body and then concerns this account only. Fields that are not described are refused.",
    key: Some(SecurityScheme::Bearer {
        text: "Value of the setting `control-token`. No token is required if it is not set.",
    }),
    webhooks: &[],
};

/// Errors that every operation can answer.
const COMMON_ERRORS: [ControlErrorCode; 8] = [
    ControlErrorCode::BadBody,
    ControlErrorCode::BadHost,
    ControlErrorCode::BadQuery,
    ControlErrorCode::DiskFull,
    ControlErrorCode::Internal,
    ControlErrorCode::TwoAccounts,
    ControlErrorCode::Unauthorized,
    ControlErrorCode::UnknownHost,
];

/// Describes the error responses with one of `codes` or of [`COMMON_ERRORS`].
pub fn describe_errors<'s>(doc: OperationDoc<'s>, codes: &[ControlErrorCode]) -> OperationDoc<'s> {
    let cross_origin = doc
        .requires_same_origin()
        .then_some(ControlErrorCode::CrossOrigin);
    let codes: BTreeSet<_> = codes
        .iter()
        .copied()
        .chain(COMMON_ERRORS)
        .chain(cross_origin)
        .collect();
    let mut names: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for code in codes {
        let status = code.status().as_u16();
        names.entry(status).or_default().push(code.name());
    }
    let mut doc = doc.security();
    for (status, names) in names {
        let text = format!("Error codes: {}.", names.join(", "));
        let schema = doc.schema::<ErrorEnvelope>();
        let code = json!({"properties": {"error": {"properties": {"code": {"enum": names}}}}});
        let schema = json!({"allOf": [schema, code]});
        doc = doc.response_schema(status, &text, &schema);
    }
    doc
}

/// Returns the query parameter `account`.
#[must_use]
pub fn account_param() -> Param {
    Param {
        name: "account",
        required: false,
        schema: json!({"type": "string", "minLength": 1}),
    }
}

/// Returns the OpenAPI document of the control plane.
#[must_use]
pub fn description() -> Value {
    let mut document = document(&ABOUT, &super::routes(None).operations());
    known::describe(&mut document);
    document
}

fn describe(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let schema = json!({"type": "object", "required": ["openapi", "info", "paths"]});
    let doc = doc
        .summary(
            "Get the OpenAPI description",
            "OpenAPI 3.1, generated from the code.",
        )
        .response_schema(200, "OpenAPI document.", &schema);
    describe_errors(doc, &[])
}

async fn openapi() -> Response {
    static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(description().to_string()));
    let json = [(CONTENT_TYPE, "application/json")];
    (json, Bytes::clone(&DOCUMENT)).into_response()
}
