//! The server as a whole: is it there, and as fresh.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::described::{STORE, refuses};
use super::error::{Read, Refusal, to_its_end};
use super::whose::AccountKey;
use crate::web::openapi::Described;
use crate::web::{Context, Json};

#[derive(Serialize, JsonSchema)]
struct Health {
    #[schemars(extend("const" = "ok"))]
    status: &'static str,
    version: &'static str,
}

pub fn describe_health(described: Described<'_>) -> Described<'_> {
    let described = described
        .does("Whether it serves", "It does once it answers.")
        .answers::<Health>(200, "It serves.");
    refuses(described, &[])
}

pub async fn health() -> Response {
    Json(Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
    })
    .into_response()
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reset {
    /// The key; left out, everything is reset.
    account: Option<AccountKey>,
}

pub fn describe_reset(described: Described<'_>) -> Described<'_> {
    let described = described
        .does(
            "Reset",
            "As fresh: an account with all that it owns is gone, or all accounts, rules and \
             clocks. What was under way writes nothing afterwards and sends nothing more.",
        )
        .asks_json::<Reset>(false)
        .answers_nothing(204, "It is reset.");
    refuses(described, &[&STORE])
}

pub async fn reset(
    State(context): State<Context>,
    Read(body): Read<Reset>,
) -> Result<Response, Refusal> {
    to_its_end(async move {
        if let Some(key) = body.account {
            context.accounts.forget(&key).await?;
            context.inbox.clear(Some(&key));
        } else {
            context.rules.clear(None).await?;
            context.accounts.forget_all().await?;
            context.journal.clear(None);
            context.inbox.clear(None);
        }
        context.journal.sweep();
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await
}
