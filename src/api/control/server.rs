//! The server as a whole: is it there, and as fresh.

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
        .summary("Whether it serves", "It does once it answers.")
        .response::<ServerHealth>(200, "It serves.");
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
    /// The key; left out, everything is reset.
    #[serde(rename = "account")]
    _account: Option<AccountKey>,
}

/// Numbers of what went.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ResetDone")]
struct ResetView {
    accounts: u64,
    /// Orders and documents.
    orders: u64,
    webhooks: u64,
    rules: usize,
    /// Requests in the journal.
    requests: usize,
    inboxes: usize,
}

fn describe_reset(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Reset",
            "As fresh: an account with all that it owns is gone, or all accounts, rules and \
             clocks. What was under way writes nothing afterwards and sends nothing more.",
        )
        .json_body::<ResetRequest>(false)
        .response::<ResetView>(200, "What went.");
    describe_errors(doc, &[ControlErrorCode::AccountGone])
}

async fn reset(
    State(context): State<AppState>,
    named: NamedAccount,
    ControlJson(ResetRequest { .. }): ControlJson<ResetRequest>,
) -> Result<Response, ControlError> {
    run_to_completion(async move {
        let key = named.key();
        let rules = context.rules.list(key).len();
        let (owned, cleared) = if let Some(key) = key {
            (context.accounts.delete(key).await?, 0)
        } else {
            context.rules.clear(None).await?;
            let owned = context.accounts.delete_all().await?;
            (owned, context.journal.clear(None))
        };
        let inboxes = context.inbox.clear(key);
        let requests = cleared + context.journal.drop_ended_accounts();
        let done = ResetView {
            accounts: owned.accounts,
            orders: owned.orders,
            webhooks: owned.webhooks,
            rules,
            requests,
            inboxes,
        };
        Ok(Json(done).into_response())
    })
    .await
}
