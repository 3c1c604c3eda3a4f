//! `GET /_mock/openapi/{file}`: OpenAPI documents of all APIs, generated from the code.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::error::{ControlError, ErrorEnvelope};
use super::error_code::ControlErrorCode;
use super::named_account::known;
use super::suggestion::did_you_mean;
use crate::http::openapi::{ApiInfo, OperationDoc, Param, SecurityScheme, document};
use crate::http::{AppState, PathParam, Routes};

/// Path of the documents. A name and `.json` follow.
pub const DIRECTORY: &str = "/_mock/openapi/";

/// Adds the route of the OpenAPI documents.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on(
            "control.openapi",
            Method::GET,
            "/_mock/openapi/{file}",
            get_document,
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
            "Get an OpenAPI document",
            "OpenAPI 3.1, generated from the code. There is one document for each vendor, and one for the \
             control plane.",
        )
        .describe_param("file", "`bizmori.json`, `undetectable.json` or `control.json`.")
        .response_schema(200, "OpenAPI document.", &schema);
    describe_errors(doc, &[ControlErrorCode::UnknownRoute])
}

async fn get_document(
    State(state): State<AppState>,
    uri: Uri,
    PathParam(file): PathParam,
) -> Result<Response, ControlError> {
    let files = || {
        state
            .api_documents
            .iter()
            .map(|document| (document, format!("{}.json", document.name)))
    };
    let Some((document, _)) = files().find(|(_, name)| *name == file) else {
        let names: Vec<String> = files().map(|(_, name)| name).collect();
        let suggestion = did_you_mean(&file, names.iter().map(String::as_str));
        let hint = format!("valid names: {}{suggestion}", names.join(", "));
        return Err(ControlError::no_route(&Method::GET, &uri, hint));
    };
    let json = [(CONTENT_TYPE, "application/json")];
    Ok((json, document.json()).into_response())
}
