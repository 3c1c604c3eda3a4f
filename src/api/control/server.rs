//! Server as a whole: health and reset.

use axum::extract::State;
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::{ControlError, ControlJson, run_to_completion};
use super::error_code::ControlErrorCode;
use super::named_account::{AccountKey, NamedAccount};
use super::openapi::describe_errors;
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Json, Routes};

/// Adds the routes of the server as a whole.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on("control.health", Method::GET, "/_mock/health", health)
        .docs(describe_health)
        .on("control.reset", Method::POST, "/_mock/reset", reset)
        .docs(describe_reset)
}

#[derive(Serialize, JsonSchema)]
struct ServerHealth {
    #[schemars(extend("const" = "ok"))]
    status: &'static str,
    version: &'static str,
}

fn describe_health(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Check health",
            "Responds as soon as the server accepts requests.",
        )
        .response::<ServerHealth>(200, "The server is up.");
    describe_errors(doc, &[])
}

async fn health() -> Response {
    Json(ServerHealth {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
    })
    .into_response()
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetRequest {
    /// Key of the account. Everything is reset if omitted.
    #[serde(rename = "account")]
    _account: Option<AccountKey>,
}

/// Numbers of deleted entries.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ResetDone")]
struct ResetView {
    accounts: u64,
    /// Orders and documents.
    orders: u64,
    webhooks: u64,
    rules: usize,
    /// Recorded requests.
    requests: usize,
    inboxes: usize,
}

fn describe_reset(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Reset",
            "Deletes an account and all that it owns, or all accounts, rules and clocks. Work that is \
             in flight writes nothing afterwards and sends nothing more.",
        )
        .json_body::<ResetRequest>(false)
        .response::<ResetView>(200, "Numbers of deleted entries.");
    describe_errors(doc, &[ControlErrorCode::AccountGone])
}

async fn reset(
    State(state): State<AppState>,
    named: NamedAccount,
    ControlJson(ResetRequest { .. }): ControlJson<ResetRequest>,
) -> Result<Response, ControlError> {
    run_to_completion(async move {
        let key = named.key();
        let rules = state.rules.list(key).len();
        let (owned, cleared) = if let Some(key) = key {
            (state.accounts.delete(key).await?, 0)
        } else {
            state.rules.clear(None).await?;
            let owned = state.accounts.delete_all().await?;
            (owned, state.journal.clear(None))
        };
        let inboxes = state.inbox.clear(key);
        let requests = cleared + state.journal.drop_ended_accounts();
        let result = ResetView {
            accounts: owned.accounts,
            orders: owned.orders,
            webhooks: owned.webhooks,
            rules,
            requests,
            inboxes,
        };
        Ok(Json(result).into_response())
    })
    .await
}
