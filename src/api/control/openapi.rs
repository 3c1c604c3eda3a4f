//! `GET /_mock/openapi.json`: these routes described, from the code that serves them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Value, json};

use super::error::ErrorEnvelope;
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
    text: "What a test steers with, and what it looks with. The unit of isolation is the account: \
           one API key, for both vendors. Every operation takes an `account`, in its \
           query or its body, and is about that one alone; fields that are not described are refused.",
    key: Some(SecurityScheme::Bearer {
        text: "The setting `control-token`; where it is not set, none is asked for.",
    }),
};

/// What is refused, with its status, where the account that is named may be unknown.
pub const ACCOUNT_ERRORS: [(u16, &str); 1] = [(404, "unknown_account")];
/// Where an account is written to.
pub const STORE_ERRORS: [(u16, &str); 1] = [(409, "account_gone")];

/// Adds what is refused with these codes and statuses, and what every operation may refuse.
pub fn error_responses<'s>(
    doc: OperationDoc<'s>,
    groups: &[&[(u16, &'static str)]],
) -> OperationDoc<'s> {
    let mut codes: BTreeMap<u16, Vec<&str>> = BTreeMap::from([
        (
            400,
            vec!["bad_body", "bad_host", "bad_query", "two_accounts"],
        ),
        (401, vec!["unauthorized"]),
        (421, vec!["unknown_host"]),
        (500, vec!["internal"]),
    ]);
    if doc.requires_same_origin() {
        codes.insert(403, vec!["cross_origin"]);
    }
    for (status, code) in groups.iter().copied().flatten() {
        codes.entry(*status).or_default().push(code);
    }
    let mut doc = doc.security();
    for (status, mut messages) in codes {
        messages.sort_unstable();
        messages.dedup();
        let text = format!("Refused: {}.", messages.join(", "));
        let schema = doc.schema::<ErrorEnvelope>();
        let code = json!({"properties": {"error": {"properties": {"code": {"enum": messages}}}}});
        let schema = json!({"allOf": [schema, code]});
        doc = doc.response_schema(status, &text, &schema);
    }
    doc
}

/// The parameter `account` of a query.
#[must_use]
pub fn account() -> Param {
    Param {
        name: "account",
        required: false,
        schema: json!({"type": "string", "minLength": 1}),
    }
}

/// The routes of this front door, as an OpenAPI document.
#[must_use]
pub fn description() -> Value {
    let mut document = document(&ABOUT, &super::routes(None).operations());
    known::describe(&mut document);
    document
}

fn describe(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let schema = json!({"type": "object", "required": ["openapi", "info", "paths"]});
    let doc = doc
        .summary("This description", "OpenAPI 3.1, made from the code.")
        .response_schema(200, "The description.", &schema);
    error_responses(doc, &[])
}

async fn openapi() -> Response {
    static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(description().to_string()));
    let json = [(CONTENT_TYPE, "application/json")];
    (json, Bytes::clone(&DOCUMENT)).into_response()
}
