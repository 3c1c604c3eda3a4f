//! Fixtures: accounts, webhooks, rules and finished orders from one JSON document, which comes by
//! PUT or, at the start of the server, from a file.
//!
//! The whole document is checked before anything is applied. An error names line and field. Every
//! account in the document is recreated, and the document's rules replace those that name no
//! account. Nothing else is changed, so that the same document always leads to the same state.

mod apply;
mod check;
mod export;
mod source;
mod wire;

use std::path::Path;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::Method;
use axum::response::{IntoResponse, Response};

use super::error::{ControlError, run_to_completion};
use super::error_code::ControlErrorCode;
use super::named_account::NamedAccount;
use super::openapi::describe_errors;
use crate::http::openapi::OperationDoc;
use crate::http::{
    AppState, BodyError, Json, Origin, OriginError, RequestContext, Routes, Services, read_bytes,
};
use crate::platform::presign::host_of;
use apply::apply;
use check::{FixturePlan, FixtureSource, check_document};
use source::{FixtureError, JsonPath, SCHEMA_HINT, Violation, parse_document, with_line};
use wire::{FixtureDocument, FixtureResult};

/// Adds the routes of fixtures.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on(PUT_FIXTURES, Method::PUT, "/_mock/fixtures", put)
        .docs(describe_put)
        .on(
            "control.exportFixtures",
            Method::GET,
            "/_mock/fixtures",
            export::export,
        )
        .docs(export::describe)
}

/// Name of the operation.
const PUT_FIXTURES: &str = "control.putFixtures";
/// Size limit of a document, which may contain pictures in base64.
const DOCUMENT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Hint about the fields of a document that the server loads at its start.
const FILE_SCHEMA_HINT: &str = "the fields are in the section Fixtures of src/api/control/README.md, and an example of each in fixtures/example.json";

/// Parses a document and plans its changes. `named` is the account that the call names.
async fn parse_and_plan(
    state: &Services,
    bytes: &[u8],
    source: FixtureSource<'_>,
    named: NamedAccount,
) -> Result<FixturePlan, FixtureError> {
    let (text, mut document) = parse_document(bytes)?;
    let in_document = document.account.take().map(String::from);
    named.merged_with(in_document).map_err(|error| {
        with_line(
            text,
            Violation::from_api_error(&JsonPath::default(), &error),
        )
    })?;
    let plan = check_document(state, document, source).await;
    plan.map_err(|violation| with_line(text, violation))
}

fn describe_put(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Set up fixtures",
            "Sets up accounts, webhooks, rules and finished orders from one document. Every account in \
             the document is recreated; `rules` replace those that name no account. A document with \
             an error changes nothing, and the error names line and field.",
        )
        .json_body::<FixtureDocument>(true)
        .response::<FixtureResult>(200, "Summary of what was set up.");
    describe_errors(
        doc,
        &[
            ControlErrorCode::AccountGone,
            ControlErrorCode::BadFixtures,
            ControlErrorCode::TooManyRules,
        ],
    )
}

async fn put(
    State(state): State<AppState>,
    request_context: RequestContext,
    named: NamedAccount,
    request: Request,
) -> Result<Response, ControlError> {
    let body = read_bytes(request.into_body(), DOCUMENT_BYTES_MAX).await;
    let bytes = body.map_err(|error| match error {
        BodyError::TooLarge => {
            let message = format!("the document is larger than {DOCUMENT_BYTES_MAX} bytes");
            ControlError::new(
                ControlErrorCode::BadBody,
                message,
                "name files by path and load the document with --fixtures FILE",
            )
        }
        BodyError::Incomplete | BodyError::Stalled(_) => error.into(),
    })?;
    let Origin(origin) = Origin::resolve(&state, &request_context).await?;
    let source = FixtureSource {
        base: None,
        origin: &origin,
    };
    let plan = parse_and_plan(&state, &bytes, source, named).await?;
    Ok(Json(apply_plan(&state, plan).await?).into_response())
}

async fn apply_plan(state: &AppState, plan: FixturePlan) -> Result<FixtureResult, ControlError> {
    run_to_completion(apply(Arc::clone(state), plan)).await
}

/// Sets up the fixtures of a file before the server accepts requests. `origin` is the origin of its
/// URLs.
///
/// # Errors
/// Returns one line with the line and the field of the error.
pub async fn load(state: &AppState, file: &Path, origin: &str) -> Result<(), String> {
    let named = file.display();
    let content = tokio::fs::read(file).await;
    let bytes = content.map_err(|error| format!("cannot read {named}: {error}"))?;
    let registered = state.presigned_urls.register_host(&host_of(origin)).await;
    registered.map_err(|error| format!("cannot set up {named}: {error}"))?;
    let source = FixtureSource {
        base: Some(file.parent().unwrap_or(Path::new(""))),
        origin,
    };
    let result = parse_and_plan(state, &bytes, source, NamedAccount::default()).await;
    let plan = result.map_err(|error| {
        let hint = match error.hint() {
            // The server that could describe the fields has not started.
            SCHEMA_HINT => FILE_SCHEMA_HINT,
            hint => hint,
        };
        format!("{named} {}; {hint}", error.message())
    })?;
    let result = apply_plan(state, plan).await.map_err(|error| {
        let (message, hint) = (error.message(), error.hint());
        format!("cannot set up {named}: {message}; {hint}")
    })?;
    tracing::info!(
        file = %named,
        accounts = result.accounts,
        webhooks = result.webhooks,
        rules = result.rules,
        orders = result.orders.len(),
        "set up fixtures"
    );
    Ok(())
}

impl From<FixtureError> for ControlError {
    fn from(error: FixtureError) -> Self {
        Self::new(ControlErrorCode::BadFixtures, error.message(), error.hint())
    }
}

impl From<OriginError> for ControlError {
    fn from(error: OriginError) -> Self {
        match error {
            OriginError::Host(message) => {
                let hint =
                    "call the server by a host that can be part of URLs, or set --public-url";
                Self::new(ControlErrorCode::BadHost, message, hint)
            }
            OriginError::Store(error) => error.into(),
        }
    }
}
