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
use axum::response::{IntoResponse, Response};

use super::described::{STORE, refuses};
use super::error::{ApiError, to_its_end};
use super::named_account::NamedAccount;
use crate::http::openapi::OperationDoc;
use crate::http::{
    AppState, BodyError, Json, Origin, OriginError, RequestContext, Services, read_bytes,
};
use crate::platform::presign::host_of;
use apply::apply;
use check::{FixturePlan, FixtureSource, plan};
use source::{FixtureError, JsonPath, Violation, located, read};
use wire::{FixtureDocument, FixtureResult};

/// Pictures come in it, as base64.
const DOCUMENT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The document's text, as what is to be done. `named` is the account that the call names beside it.
async fn planned(
    verbs: &Services,
    bytes: &[u8],
    from: FixtureSource<'_>,
    named: NamedAccount,
) -> Result<FixturePlan, FixtureError> {
    let (text, mut document) = read(bytes)?;
    let in_document = document.account.take().map(String::from);
    named
        .merged_with(in_document)
        .map_err(|refusal| located(text, Violation::within(&JsonPath::default(), &refusal)))?;
    let planned = plan(verbs, document, from).await;
    planned.map_err(|wrong| located(text, wrong))
}

pub fn describe_put(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .does(
            "Set up fixtures",
            "Accounts, webhooks, rules and finished orders, from one document. Every account that \
             is named is begun anew; `rules` replace those that name no account. Nothing is done \
             where anything is wrong, which is told with its line and field.",
        )
        .asks_json::<FixtureDocument>(true)
        .answers::<FixtureResult>(200, "What was set up.");
    let codes = [
        (400, "bad_fixtures"),
        (400, "bad_host"),
        (400, "too_many_rules"),
    ];
    refuses(described, &[&codes, &STORE])
}

pub async fn put(
    State(context): State<AppState>,
    called: RequestContext,
    named: NamedAccount,
    request: Request,
) -> Result<Response, ApiError> {
    let bytes = read_bytes(request.into_body(), DOCUMENT_BYTES_MAX).await;
    let bytes = bytes.map_err(|refusal| match refusal {
        BodyError::TooLarge => {
            let message = format!("the document has more than {DOCUMENT_BYTES_MAX} bytes");
            ApiError::bad("bad_body", message, "name the files, with --fixtures FILE")
        }
        BodyError::CutShort | BodyError::Stalled(_) => refusal.into(),
    })?;
    let Origin(origin) = Origin::of(&context, &called).await?;
    let from = FixtureSource {
        base: None,
        origin: &origin,
    };
    let plan = planned(&context, &bytes, from, named).await?;
    Ok(Json(done(&context, plan).await?).into_response())
}

async fn done(context: &AppState, plan: FixturePlan) -> Result<FixtureResult, ApiError> {
    to_its_end(apply(Arc::clone(context), plan)).await
}

/// Sets up what the file says, before the server serves. `origin` is where it will.
///
/// # Errors
/// One line on what is wrong, with the line and the field.
pub async fn load(context: &AppState, file: &Path, origin: &str) -> Result<(), String> {
    let named = file.display();
    let bytes = tokio::fs::read(file).await;
    let bytes = bytes.map_err(|error| format!("cannot read {named}: {error}"))?;
    let known = context.links.know(&host_of(origin)).await;
    known.map_err(|error| format!("cannot set up {named}: {error}"))?;
    let from = FixtureSource {
        base: Some(file.parent().unwrap_or(Path::new(""))),
        origin,
    };
    let plan = planned(context, &bytes, from, NamedAccount::default()).await;
    let plan = plan.map_err(|fault| format!("{named} {}; {}", fault.message(), fault.hint()))?;
    let done = done(context, plan).await.map_err(|refusal| {
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

impl std::convert::From<FixtureError> for ApiError {
    fn from(fault: FixtureError) -> Self {
        Self::bad("bad_fixtures", fault.message(), fault.hint())
    }
}

impl std::convert::From<OriginError> for ApiError {
    fn from(error: OriginError) -> Self {
        match error {
            OriginError::Host(line) => {
                let hint = "call by a host of which URLs can be made, or give --public-url";
                Self::bad("bad_host", line, hint)
            }
            OriginError::Store(error) => error.into(),
        }
    }
}
