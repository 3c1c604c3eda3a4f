//! Fixtures: accounts, webhooks, rules and finished orders from one JSON document, by PUT or, when
//! the server starts, from a file.
//!
//! All of the document is checked before anything of it is done; what is wrong is told with its
//! line and field. What it names is afterwards as it says, whatever was there: every account that
//! it names is begun anew, and its rules replace those that name no account. Nothing else is
//! touched, so that the same document leads to the same state.

mod apply;
mod check;
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
use source::{FixtureError, JsonPath, Violation, read, with_line};
use wire::{FixtureDocument, FixtureResult};

/// Adds the routes of fixtures.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on("control.putFixtures", Method::PUT, "/_mock/fixtures", put)
        .docs(describe_put)
}

/// Pictures come in it, as base64.
const DOCUMENT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The document's text, as what is to be done. `named` is the account that the call names beside it.
async fn parse_and_plan(
    state: &Services,
    bytes: &[u8],
    from: FixtureSource<'_>,
    named: NamedAccount,
) -> Result<FixturePlan, FixtureError> {
    let (text, mut document) = read(bytes)?;
    let in_document = document.account.take().map(String::from);
    named.merged_with(in_document).map_err(|refusal| {
        with_line(
            text,
            Violation::from_api_error(&JsonPath::default(), &refusal),
        )
    })?;
    let planned = check_document(state, document, from).await;
    planned.map_err(|wrong| with_line(text, wrong))
}

fn describe_put(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Set up fixtures",
            "Accounts, webhooks, rules and finished orders, from one document. Every account that \
             is named is begun anew; `rules` replace those that name no account. Nothing is done \
             where anything is wrong, which is told with its line and field.",
        )
        .json_body::<FixtureDocument>(true)
        .response::<FixtureResult>(200, "What was set up.");
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
    State(context): State<AppState>,
    request_context: RequestContext,
    named: NamedAccount,
    request: Request,
) -> Result<Response, ControlError> {
    let bytes = read_bytes(request.into_body(), DOCUMENT_BYTES_MAX).await;
    let bytes = bytes.map_err(|refusal| match refusal {
        BodyError::TooLarge => {
            let message = format!("the document has more than {DOCUMENT_BYTES_MAX} bytes");
            ControlError::new(
                ControlErrorCode::BadBody,
                message,
                "name the files, with --fixtures FILE",
            )
        }
        BodyError::Incomplete | BodyError::Stalled(_) => refusal.into(),
    })?;
    let Origin(origin) = Origin::resolve(&context, &request_context).await?;
    let from = FixtureSource {
        base: None,
        origin: &origin,
    };
    let plan = parse_and_plan(&context, &bytes, from, named).await?;
    Ok(Json(apply_plan(&context, plan).await?).into_response())
}

async fn apply_plan(context: &AppState, plan: FixturePlan) -> Result<FixtureResult, ControlError> {
    run_to_completion(apply(Arc::clone(context), plan)).await
}

/// Sets up what the file says, before the server serves. `origin` is where it will.
///
/// # Errors
/// One line on what is wrong, with the line and the field.
pub async fn load(context: &AppState, file: &Path, origin: &str) -> Result<(), String> {
    let named = file.display();
    let bytes = tokio::fs::read(file).await;
    let bytes = bytes.map_err(|error| format!("cannot read {named}: {error}"))?;
    let known = context.links.register_host(&host_of(origin)).await;
    known.map_err(|error| format!("cannot set up {named}: {error}"))?;
    let from = FixtureSource {
        base: Some(file.parent().unwrap_or(Path::new(""))),
        origin,
    };
    let plan = parse_and_plan(context, &bytes, from, NamedAccount::default()).await;
    let plan = plan.map_err(|fault| format!("{named} {}; {}", fault.message(), fault.hint()))?;
    let done = apply_plan(context, plan).await.map_err(|refusal| {
        let (message, hint) = (refusal.message(), refusal.hint());
        format!("cannot set up {named}: {message}; {hint}")
    })?;
    tracing::info!(
        file = %named,
        accounts = done.accounts,
        webhooks = done.webhooks,
        rules = done.rules,
        orders = done.orders.len(),
        "set up fixtures"
    );
    Ok(())
}

impl std::convert::From<FixtureError> for ControlError {
    fn from(fault: FixtureError) -> Self {
        Self::new(ControlErrorCode::BadFixtures, fault.message(), fault.hint())
    }
}

impl std::convert::From<OriginError> for ControlError {
    fn from(error: OriginError) -> Self {
        match error {
            OriginError::Host(line) => {
                let hint = "call by a host of which URLs can be made, or give --public-url";
                Self::new(ControlErrorCode::BadHost, line, hint)
            }
            OriginError::Store(error) => error.into(),
        }
    }
}
