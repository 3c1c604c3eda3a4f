//! The server as a whole: is it there, and as fresh.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::described::{STORE, refuses};
use super::error::{ApiError, ControlJson, to_its_end};
use super::named_account::{AccountKey, NamedAccount};
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Json};

#[derive(Serialize, JsonSchema)]
struct ServerHealth {
    #[schemars(extend("const" = "ok"))]
    status: &'static str,
    version: &'static str,
}

pub fn describe_health(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .does("Whether it serves", "It does once it answers.")
        .answers::<ServerHealth>(200, "It serves.");
    refuses(described, &[])
}

pub async fn health() -> Response {
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

pub fn describe_reset(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .does(
            "Reset",
            "As fresh: an account with all that it owns is gone, or all accounts, rules and \
             clocks. What was under way writes nothing afterwards and sends nothing more.",
        )
        .asks_json::<ResetRequest>(false)
        .answers::<ResetView>(200, "What went.");
    refuses(described, &[&STORE])
}

pub async fn reset(
    State(context): State<AppState>,
    named: NamedAccount,
    ControlJson(ResetRequest { .. }): ControlJson<ResetRequest>,
) -> Result<Response, ApiError> {
    to_its_end(async move {
        let key = named.key();
        let rules = context.rules.list(key).len();
        let (owned, cleared) = if let Some(key) = key {
            (context.accounts.forget(key).await?, 0)
        } else {
            context.rules.clear(None).await?;
            let owned = context.accounts.forget_all().await?;
            (owned, context.journal.clear(None))
        };
        let inboxes = context.inbox.clear(key);
        let requests = cleared + context.journal.sweep();
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
